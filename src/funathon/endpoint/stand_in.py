"""The offline stand-in for a chat model: no language model, but a ranker of the candidates it finds in a prompt.

It lets the chapters on retrieval-augmented generation run without any account. Given a prompt with a text to code and
candidate classes, it ranks the candidates by how well their notes fit the text and answers in the JSON that was asked for.
To any other prompt it answers what it is. It reads nothing but the prompt: it does not know the true codes, cannot name a
code that is not among the candidates, and does not follow instructions.

The ranker is a conditional logit (McFadden 1974): a candidate's score is a weighted sum of its features, and the softmax of
the scores says how likely each is. `funathon.rag.stand_in_training` fits it on the training and the validation set of the labels;
what comes of it lies in `stand_in.json` and `stand_in.npy`.
"""

import json
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import Stemmer

from funathon.endpoint.schema_filling import fill
from funathon.paths import DEFAULT_NACE

DESCRIPTION = (
    "No language model: an offline stand-in that ranks the candidate classes found in the prompt, by embedding similarity, word "
    "overlap and, if there are examples, their words and the order of the candidates, and answers in the requested JSON with a confidence. It cannot write, reason or follow instructions."
)
FITTED = Path(__file__).with_name("stand_in.json")
MOST_LEAD = 10.0
MOST_PASSAGES = 40_000
"""Passages whose features are kept; with 384 numbers each they take 80 MB."""

Embed = Callable[[Sequence[str]], np.ndarray]
"""From texts to unit vectors, float32 array of shape (texts, dimensions)."""


# Reading the prompt

CODE_LINE = re.compile(
    r"""^(?P<lead>[\s#*\-–•>{\["'(]*(?:\d{1,3}[.)]\s+)?(?:\*\*)?(?:"?(?:nace|code|class)[\w ]*"?\s*:)?[\s*`"']*)"""
    r"""(?P<code>\d\d\.\d\d)(?![\d.]?\d)(?P<rest>.*)$""",
    re.IGNORECASE,
)
SECTION_LINE = re.compile(
    r"^[\s#*\-–•>]*(?:(?:this class|labelled|known|also) )*(?P<name>include|exclude|example)[sd]?(?: also| the following)*"
    r"\**\s*:\**(?P<rest>.*)$",
    re.IGNORECASE,
)
TITLE_WORD = re.compile(r"^(?:title|name|heading|description)\W*:\s*", re.IGNORECASE)
BULLET = " \t#*-–—•>|"
"""What may stand before a line of a note."""
AFTER_CODE = BULLET + ":.,;)]}`\"'"
"""What may stand between a code and its title."""
TAGGED = re.compile(r"<activity>(.*)</activity>", re.DOTALL | re.IGNORECASE)
NAMED = re.compile(r"^[\s#*\-]*(?:activity|label|text)\b[^\n:]{0,40}:\**[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)


@dataclass
class Candidate:
    """A class found in a prompt: its code, its title, and the lines of its notes and examples."""

    code: str
    title: str = ""
    includes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def find_activity(prompt: str) -> str | None:
    """The text to code: between the first `<activity>` and the last `</activity>`, else after `Activity:`, `Label:` or
    `Text:` at the beginning of a line."""
    match = TAGGED.search(prompt) or NAMED.search(prompt)
    return match.group(1).strip().strip("\"'") or None if match else None


def find_candidates(prompt: str) -> list[Candidate]:
    """The candidates of a prompt, in its order, each code once.

    A block begins on a line that begins with a class's code, behind the same signs (`###`, `-`, `1.`, `Code:` …) as the first
    such line; codes elsewhere, as in a note that begins with one, begin none.
    """
    found: dict[str, Candidate] = {}
    lead = current = None
    section: list[str] | None = None
    # what a label says is no part of the prompt's own structure, even if it looks like a candidate
    for line in TAGGED.sub("", prompt).splitlines():
        match = CODE_LINE.match(line)
        if match and lead in (None, shape(match["lead"])):
            lead = shape(match["lead"])
            current = found.setdefault(match["code"], Candidate(match["code"]))
            current.title = current.title or title_in(match["rest"])
            section = current.includes
        elif current is not None:
            if match := SECTION_LINE.match(line):
                sections = {"include": current.includes, "example": current.examples, "exclude": []}
                section = sections[match["name"].lower()]
                line = match["rest"]
            text = line.strip(BULLET)
            if text and not current.title:
                current.title = title_in(text)
            elif text:
                section.append(text)
    return list(found.values())


def title_in(text: str) -> str:
    """The title in what follows a code on its line, or in the next line, without marks of Markdown or JSON."""
    return TITLE_WORD.sub("", text.lstrip(AFTER_CODE)).strip("*`\"'}], ")


def shape(lead: str) -> str:
    """What stands before a code, without the numbers of a list."""
    return re.sub(r"\d+", "1", lead).strip()


# Features


@dataclass(frozen=True)
class Passage:
    """A text as the ranker sees it: its embedding, its word stems, and the groups of four letters in its words."""

    vector: np.ndarray
    stems: frozenset[str]
    grams: frozenset[str]


@lru_cache(MOST_PASSAGES)
def stems_of(text: str) -> frozenset[str]:
    """Stems of the words of a text (Snowball's English stemmer), without the commonest words."""
    words = [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in COMMON_WORDS]
    # the stemmer keeps state and is not safe to share between threads
    return frozenset(Stemmer.Stemmer("english", 0).stemWords(words))


COMMON_WORDS = frozenset(
    "a an and are as at be by for from has have i in is it its me my not of on or our that the their they this to us we "
    "which who with you your all also any other such own".split()
)


@lru_cache(MOST_PASSAGES)
def grams_of(text: str) -> frozenset[str]:
    """Groups of four characters in the words of a text, the blank before and after a word among them."""
    words = [f" {word} " for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in COMMON_WORDS]
    return frozenset(word[i : i + 4] for word in words for i in range(max(1, len(word) - 3)))


@dataclass(frozen=True)
class Rarity:
    """Inverse document frequency over the classes of the nomenclature that comes with the course."""

    of: dict[str, float]
    unseen: float

    def weigh(self, terms: frozenset[str]) -> float:
        """The sum of the terms' rarities."""
        return sum(self.of.get(term, self.unseen) for term in terms)

    def overlap(self, wanted: frozenset[str], present: frozenset[str]) -> float:
        """Which share of `wanted`, weighed by rarity, is in `present`: 0 to 1."""
        whole = self.weigh(wanted)
        return self.weigh(wanted & present) / whole if whole else 0.0


@cache
def rarities() -> tuple[Rarity, Rarity]:
    """Rarity of stems and of groups of letters."""
    classes = pl.read_csv(DEFAULT_NACE, separator="\t", infer_schema=False).filter(pl.col("LEVEL") == "4")
    texts = [" ".join(filter(None, row)) for row in classes.select("HEADING", "Includes", "IncludesAlso").iter_rows()]
    return rarity([stems_of(text) for text in texts]), rarity([grams_of(text) for text in texts])


def rarity(documents: list[frozenset[str]]) -> Rarity:
    """Inverse document frequency of each term, ln(N / n)."""
    counts: dict[str, int] = {}
    for document in documents:
        for term in document:
            counts[term] = counts.get(term, 0) + 1
    n = len(documents)
    return Rarity({term: math.log(n / count) for term, count in counts.items()}, math.log(n))


class Passages:
    """Texts read by the ranker, kept by their text: candidates come back with every label."""

    def __init__(self, embed: Embed, most: int = MOST_PASSAGES) -> None:
        self.embed = embed
        self.most = most
        self._kept: OrderedDict[str, Passage] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, texts: Sequence[str]) -> dict[str, Passage]:
        """The passage of each text; those not met before are embedded in one batch."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
            for text in known:
                self._kept.move_to_end(text)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= self.keep(missing, self.embed(missing))
        return known

    def keep(self, texts: Sequence[str], vectors: np.ndarray) -> dict[str, Passage]:
        """The passages of texts whose embeddings are there already, unit vectors of shape (texts, dimensions), kept like others."""
        new = {text: Passage(vector, stems_of(text), grams_of(text)) for text, vector in zip(texts, vectors)}
        with self._lock:
            self._kept |= new
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return new


FEATURES = (
    "best line",
    "adapted mean",
    "words in notes",
    "letters in best line",
    "letters in best example",
    "words in examples",
    "place",
)


def features(activity: str, candidates: Sequence[Candidate], passages: Passages, matrix: np.ndarray) -> np.ndarray:
    """What the ranker knows of each candidate: array of shape (candidates, len(FEATURES)).

    Similarities are cosines between the activity's embedding q and those of the lines of a candidate's notes (as
    "title: line"). The adapted mean is the similarity of q + qA to the mean over the lines, where A, the `matrix` of shape
    (dimensions, dimensions), has been fitted so that labels come near the notes of their class. Overlaps are shares of the
    activity's words, or groups of four letters, weighed by rarity. The place is -ln r for the candidate named at place r of
    the prompt: whoever searched for candidates names the likeliest first. On the validation set it made no difference to look
    at what a candidate excludes, and at the embeddings of the examples beside their words and letters.
    """
    notes = [[c.title or c.code] + [f"{c.title}: {line}" for line in c.includes] for c in candidates]
    known = passages.read([activity, *(line for lines in notes for line in lines)])
    label = known[activity]
    adapted = label.vector + label.vector @ matrix
    words, letters = rarities()
    rows = []
    for place, (candidate, lines) in enumerate(zip(candidates, notes), 1):
        own = [known[text] for text in lines]
        vectors = np.array([passage.vector for passage in own])
        mean = vectors.mean(axis=0)
        rows.append(
            (
                (vectors @ label.vector).max(),
                mean @ adapted / np.linalg.norm(mean),
                words.overlap(label.stems, frozenset().union(*(passage.stems for passage in own))),
                max(letters.overlap(label.grams, passage.grams) for passage in own),
                max((letters.overlap(label.grams, grams_of(text)) for text in candidate.examples), default=0.0),
                words.overlap(label.stems, frozenset().union(*(stems_of(text) for text in candidate.examples))),
                -math.log(place),
            )
        )
    return np.array(rows)


# Ranking


@dataclass(frozen=True)
class Ranking:
    """The candidates from best to worst, and how likely the first is right: 0 to 1.

    `codable` is false when not even the nearest line of the candidates has anything to do with the text.
    """

    candidates: list[Candidate]
    confidence: float
    codable: bool


@cache
def fitted() -> dict:
    """What `funathon.rag.stand_in_training` has fitted, but for the adaptation."""
    return json.loads(FITTED.read_text(encoding="utf-8"))


@cache
def adaptation() -> np.ndarray:
    """The matrix A of `features`, float32 of shape (dimensions, dimensions)."""
    return np.load(FITTED.with_suffix(".npy")).astype(np.float32)


def load() -> None:
    """Read all that ranking needs, so that the first prompt takes no longer than the next."""
    fitted(), adaptation(), rarities()


def rank(activity: str, candidates: Sequence[Candidate], passages: Passages) -> Ranking:
    """Rank the candidates of an activity."""
    table = features(activity, candidates, passages, adaptation())
    with_examples = any(candidate.examples for candidate in candidates)
    chosen = fitted()["with examples" if with_examples else "without examples"]
    scores = table @ np.array(chosen["weights"])
    constant, of_lead, of_support = chosen["calibration"]
    log_odds = constant + of_lead * lead(scores) + of_support * support(table)
    order = np.argsort(-scores, kind="stable")
    return Ranking(
        [candidates[i] for i in order],
        float(1 / (1 + np.exp(-log_odds))),
        bool(support(table) >= fitted()["codable from"]),
    )


def lead(scores: np.ndarray) -> np.ndarray:
    """Log odds of the best candidate against all others under the softmax of the scores, MOST_LEAD at most: array of shape
    (…) from scores of shape (…, candidates). A lone candidate leads by MOST_LEAD."""
    ordered = np.sort(scores, axis=-1)
    if ordered.shape[-1] == 1:
        return np.full(ordered.shape[:-1], MOST_LEAD)
    return np.minimum(ordered[..., -1] - np.logaddexp.reduce(ordered[..., :-1], axis=-1), MOST_LEAD)


def support(table: np.ndarray) -> np.ndarray:
    """How much any candidate has to do with the activity at most, similarity and shared letters added up: array of shape
    (…), 2 at most, from features of shape (…, candidates, features)."""
    column = FEATURES.index
    letters = np.maximum(table[..., column("letters in best line")], table[..., column("letters in best example")])
    return (table[..., column("best line")] + letters).max(axis=-1)


# Answering


def answer(messages: Sequence[tuple[str, str]], response_format: dict | None, passages: Passages) -> str:
    """What the stand-in says to a conversation of (role, text) pairs, given OpenAI's `response_format`."""
    activity, candidates = read_prompt(messages)
    kind = (response_format or {"type": "text"})["type"]
    if activity and candidates:
        known = findings(rank(activity, candidates, passages))
    elif kind == "text":
        return DESCRIPTION
    else:
        known = {"codable": False, "code": None, "confidence": 0.0, "title": None, "explanation": DESCRIPTION, "nearest": ""}
    if kind == "json_schema":
        return json.dumps(fill(response_format["json_schema"]["schema"], known))
    shown = ["codable", "code", "confidence"] if candidates and activity else ["codable", "code", "confidence", "explanation"]
    return json.dumps({name: known[name] for name in shown})


def read_prompt(messages: Sequence[tuple[str, str]]) -> tuple[str | None, list[Candidate]]:
    """The activity and the candidates of a conversation: of its last message from the user, else of all that is not the
    stand-in's own."""
    last = next((text for role, text in reversed(messages) if role == "user"), "")
    given = "\n".join(text for role, text in messages if role != "assistant")
    return find_activity(last) or find_activity(given), find_candidates(last) or find_candidates(given)


def findings(ranking: Ranking) -> dict:
    """What can be said about a ranking, by the kind of field that asks for it (see `funathon.endpoint.schema_filling`)."""
    best, n = ranking.candidates[0], len(ranking.candidates)
    found = f"{best.code} {best.title} fits best of {n} candidates, by meaning and words"
    nothing = f"none of {n} candidates has a title, note or example near the text"
    return {
        "codable": ranking.codable,
        "code": best.code if ranking.codable else None,
        "confidence": round(ranking.confidence, 3),
        "title": best.title if ranking.codable else None,
        "explanation": f"Offline stand-in, no language model: {found if ranking.codable else nothing}.",
        "nearest": best.code,
    }
