"""Reading the answers of a chat model: what was asked for is JSON, what comes is sometimes something else."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from funathon.corpus.nomenclature import class_codes

CODED = "coded"
NOT_CODABLE = "not codable"

OUTCOMES = {
    CODED: "a candidate's code, possibly repaired (the detail says how)",
    NOT_CODABLE: "the model says that the label cannot be coded",
    "empty answer": "nothing, or nothing but thoughts",
    "no JSON": "text without a JSON object",
    "truncated answer": "JSON, or a <think> block, that breaks off",
    "several answers": "more than one code",
    "no code": "JSON without a code that does not say either that the label cannot be coded",
    "contradiction": "a code, and that the label cannot be coded",
    "no class": "a section, division or group instead of a class, or nothing of the form of a code",
    "not a candidate": "an answer outside the candidates: a class of the nomenclature that was not offered",
    "invented": "a code of the form of a class that the nomenclature does not have: a hallucination",
}
"""What an answer can turn out to be. Only the first two answer the question."""


class NaceAnswer(BaseModel):
    """The answer asked of the chat model; its JSON schema goes into `response_format`."""

    codable: bool = Field(description="Whether the text says enough to choose one of the candidates.")
    code: str | None = Field(description="The code of the best candidate, copied as it stands there; null if not codable.")
    confidence: float = Field(description="How sure the choice is, from 0 to 1.")


@dataclass(frozen=True)
class Answer:
    """An answer once read: `code` is null unless `outcome` is "coded", `confidence` is between 0 and 1, or null when the
    answer gives none that can be read, `outcome` is one of OUTCOMES, and `detail` says what was repaired or what is wrong
    (empty when nothing is)."""

    code: str | None
    confidence: float | None
    outcome: str
    detail: str = ""


def parse_answer(content: str | list | None, candidates: Sequence[str]) -> Answer:
    """Read what a chat model answered (`message.content`, a text or a list of parts), given the codes of the candidates it
    chose from.

    JSON is found inside a code fence or between other text, and after a <think> block, also with single or curly quotes. A code
    that lost a zero (`6.1` for `06.10`), its point or comes with its heading is repaired if the repaired one is a candidate.
    Nothing is guessed, and no answer raises: whatever cannot be read has an outcome of its own, and "not codable" is only what
    says so itself. Raises FunathonError when the nomenclature, which tells an invented code from a class, cannot be read.
    """
    text = text_of(content).strip()
    if not text:
        return Answer(None, None, "empty answer", "the message has no content")
    said = re.sub(r"^.*</think>", "", text, flags=re.DOTALL).strip()
    if "<think>" in said:
        return Answer(None, None, "truncated answer", "the <think> block never ends")
    if not said:
        return Answer(None, None, "empty answer", "nothing follows the <think> block")
    repair = ""
    try:
        values = list(json_values(said))
        if not any(values):
            values = list(json_values(with_double_quotes(said)))
            repair = "the quotes are no JSON"
    except Truncated:
        return Answer(None, None, "truncated answer", f"the JSON breaks off: …{said[-40:]}")
    found = [answer for value in values for answer in answers_in(value)]
    if not found:
        return Answer(None, None, "no code" if any(values) else "no JSON", excerpt(said))
    answers = [read_fields(fields, candidates, repair) for fields in found]
    if len({(answer.code, answer.outcome) for answer in answers}) > 1:
        return Answer(None, None, "several answers", excerpt(said))
    return answers[0]


def text_of(content: object) -> str:
    """The text of a message: itself, or its parts of the type `text` (others hold thoughts), given as dictionaries or texts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part for part in content]
    return "".join(text for text in texts if isinstance(text, str))


CURLY = str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")
QUOTED = re.compile(r"""(?P<double>"(?:[^"\\\n]|\\.)*+")|'(?P<single>(?:[^'\\\n]|\\.)*+)'|\b(?P<word>True|False|None)\b""")


def with_double_quotes(text: str) -> str:
    """A text with curly quotes made straight, single quotes made double, and Python's True, False and None as JSON has them."""

    def rewrite(match: re.Match) -> str:
        if match["double"]:
            return match["double"]
        if match["word"]:
            return {"True": "true", "False": "false", "None": "null"}[match["word"]]
        return json.dumps(match["single"].replace("\\'", "'"), ensure_ascii=False)

    return QUOTED.sub(rewrite, text.translate(CURLY))


class Truncated(Exception):
    """A JSON text that ends before its value does."""


def json_values(text: str) -> Iterator[dict | list]:
    """The JSON objects and lists in a text, numbers as they are written (`6.10` stays "6.10").

    Raises Truncated at one that breaks off at the end of the text.
    """
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    # a list only where an object starts in it: prose has brackets of its own
    start = re.compile(r"\{|\[(?=\s*\{)")
    position = 0
    while opening := start.search(text, position):
        try:
            value, position = decoder.raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            rest = text[error.pos :].strip()
            if not rest or error.msg.startswith("Unterminated string") or rest in ("t", "tr", "tru", "n", "nu", "nul"):
                raise Truncated from error
            position = opening.start() + 1
        except RecursionError:
            return
        else:
            yield value


def answers_in(value: object) -> Iterator[dict]:
    """The objects with a code in a JSON value, those inside other fields too; their fields as `code`, `codable` and
    `confidence`, whatever else they are called by (`NACE code`, `isCodable`, `confidence_score`)."""
    if isinstance(value, list):
        for item in value:
            yield from answers_in(item)
    elif isinstance(value, dict):
        fields = {name: content for name in FIELDS for content in field_in(value, name)}
        if "code" in fields:
            yield fields
        else:
            for content in value.values():
                yield from answers_in(content)


FIELDS = {"code": ("code", "nace"), "codable": ("codable",), "confidence": ("confidence",)}
"""What is read, and the words by which a field of another name is known for it."""


def field_in(fields: dict, name: str) -> list:
    """The content of the field called `name`, or else of the one whose name has a word of FIELDS in it: a list of one, or an
    empty list when there is none or several could be meant."""
    words = {key: re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).lower()) for key in fields}
    exact = [key for key in fields if words[key] == [name]]
    near = [key for key in fields if set(FIELDS[name]) & set(words[key])]
    # "nace_code" before "code_explanation" or "section_code"
    best = [key for key in near if set(words[key]) <= {*FIELDS[name], "rev"}]
    for keys in (exact, best, near):
        if len(keys) == 1:
            return [fields[keys[0]]]
    return []


def read_fields(fields: dict, candidates: Sequence[str], remark_before: str = "") -> Answer:
    """The answer in one JSON object; `remark_before` says what was repaired before it could be read."""
    confidence, remark = read_confidence(fields.get("confidence"))
    remark = "; ".join(filter(None, (remark_before, remark)))
    codable = {"true": True, "yes": True, "false": False, "no": False}.get(str(fields.get("codable")).lower())
    given = fields["code"]
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if isinstance(given, list) and given:
        return Answer(None, confidence, "several answers", f"the codes {excerpt(json.dumps(given))}")
    if not isinstance(given, str) or given.strip().lower() in ("", "null", "none", "n/a"):
        if codable is False:
            return Answer(None, confidence, NOT_CODABLE, remark)
        return Answer(None, confidence, "no code", f"the code is {excerpt(json.dumps(given))}, codable {fields.get('codable')}")
    if codable is False:
        return Answer(None, confidence, "contradiction", f"not codable, and the code {excerpt(given)}")
    code, outcome, repair = read_code(given, candidates)
    return Answer(code, confidence, outcome, "; ".join(filter(None, (repair, remark))))


def read_code(given: str, candidates: Sequence[str]) -> tuple[str | None, str, str]:
    """A candidate's code as a model wrote it: the code (or null), the outcome and what was repaired or is wrong.

    That a code of the form `06.1` stands for the class `06.10` is no guess: NACE has a class that ends in 0 only where it is
    the whole of its group.
    """
    given = given.strip()
    if given in candidates:
        return given, CODED, ""
    # a code, with or without its point, possibly behind a word or the letter of its section
    written = [(a.zfill(2), b) for a, b in re.findall(r"(?<![\d.,])(\d{1,2})[.,](\d{1,2})(?![\d.,]*\d)", given)]
    written = written or [(digits[:2], digits[2:]) for digits in re.findall(r"(?<!\d)\d{4}(?!\d)", given)]
    codes = {f"{division}.{rest.ljust(2, '0')}" for division, rest in written}
    if len(codes) > 1:
        return None, "several answers", f"the codes in {excerpt(given)}"
    code = codes.pop() if codes else None
    if code in candidates:
        return code, CODED, f"{excerpt(given)} read as {code}"
    if code is not None and len(written[0][1]) == 2:
        return None, "not a candidate" if code in class_codes() else "invented", excerpt(given)
    return None, "no class", excerpt(given)


def read_confidence(given: object) -> tuple[float | None, str]:
    """A confidence between 0 and 1 (or null) from a number or a text such as `0,8` or `80 %`, and a remark if it was odd."""
    if given is None:
        return None, "no confidence"
    match = re.fullmatch(r"(\d*[.,]?\d+(?:[eE]-?\d+)?)\s*(%?)", str(given).strip())
    value = float(match[1].replace(",", ".")) if match else math.nan
    if match and (match[2] or 1 < value <= 100):
        value /= 100
    if not 0 <= value <= 1:
        return None, f"the confidence {excerpt(str(given))} is no number from 0 to 1"
    return value, ""


def excerpt(text: str, most: int = 60) -> str:
    """The start of a text in quotes."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")
