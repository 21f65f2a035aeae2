"""Reading a prompt as learners write it: the text to code, and the candidate classes with their notes.

A prompt can be anything, so each pattern takes time in proportion to its length: what one part of a pattern has taken is
never given back to the next (possessive quantifiers, new in Python 3.11).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

CODE_LINE = re.compile(
    r"""^(?P<lead>[\s#*\-–•>{\["'(]*+(?:\d{1,3}[.)]\s++)?+(?:\*\*)?+(?:"?(?:nace|code|class)[\w ]*+"?\s*+:)?+[\s*`"']*+)"""
    r"""(?P<code>\d\d\.\d\d)(?![\d.]?\d)(?P<rest>.*)$""",
    re.IGNORECASE,
)
SECTION_LINE = re.compile(
    r"^[\s#*\-–•>]*+(?:(?:this class|labelled|known|also) )*+(?P<name>include|exclude|rule|example)[sd]?+(?: also| the following)*+"
    r"\**+\s*+:\**+(?P<rest>.*)$",
    re.IGNORECASE,
)
TITLE_WORD = re.compile(r"^(?:title|name|heading|description)\W*:\s*", re.IGNORECASE)
BULLET = " \t#*-–—•>|"
"""What may stand before a line of a note."""
AFTER_CODE = BULLET + ":.,;)]}`\"'"
"""What may stand between a code and its title."""
OPENING, CLOSING = (re.compile(tag, re.IGNORECASE) for tag in ("<activity>", "</activity>"))
NAMED = re.compile(
    r"^(?:[^\S\n]|[#*\-])*+(?:activity|label|text)\b[^\n:]{0,40}:\**+[ \t]*+(?P<text>.*)$", re.MULTILINE | re.IGNORECASE
)


@dataclass
class Candidate:
    """A class found in a prompt: its code, its title, and the lines of its notes and examples."""

    code: str
    title: str = ""
    includes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def tagged(prompt: str) -> tuple[int, int, int, int] | None:
    """Where the first `<activity>` begins and ends, and where the last `</activity>` begins and ends; None without both."""
    opening = OPENING.search(prompt)
    closings = list(CLOSING.finditer(prompt, opening.end())) if opening else []
    return (*opening.span(), *closings[-1].span()) if closings else None


def find_activity(prompt: str) -> str | None:
    """The text to code: between the first `<activity>` and the last `</activity>`, else after `Activity:`, `Label:` or
    `Text:` at the beginning of a line."""
    if place := tagged(prompt):
        text = prompt[place[1] : place[2]]
    elif match := NAMED.search(prompt):
        text = match["text"]
    else:
        return None
    return text.strip().strip("\"'") or None


def find_candidates(prompt: str) -> list[Candidate]:
    """The candidates of a prompt, in its order, each code once.

    A block begins on a line that begins with a class's code, behind the same signs (`###`, `-`, `1.`, `Code:` …) as the first
    such line; codes elsewhere, as in a note that begins with one, begin none.
    """
    found: dict[str, Candidate] = {}
    lead = current = None
    section: list[str] | None = None
    # what a label says is no part of the prompt's own structure, even if it looks like a candidate
    if place := tagged(prompt):
        prompt = prompt[: place[0]] + prompt[place[3] :]
    for line in prompt.splitlines():
        match = CODE_LINE.match(line)
        if match and lead in (None, shape(match["lead"])):
            lead = shape(match["lead"])
            current = found.setdefault(match["code"], Candidate(match["code"]))
            current.title = current.title or title_in(match["rest"])
            section = current.includes
        elif current is not None:
            if match := SECTION_LINE.match(line):
                # what a class excludes and the rule of its borders are no description of it, so the ranker leaves them alone
                sections = {"include": current.includes, "example": current.examples}
                section = sections.get(match["name"].lower(), [])
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


def read_prompt(messages: Sequence[tuple[str, str]]) -> tuple[str | None, list[Candidate]]:
    """The activity and the candidates of a conversation: of its last message from the user, else of all that is not the
    stand-in's own."""
    last = next((text for role, text in reversed(messages) if role == "user"), "")
    given = "\n".join(text for role, text in messages if role != "assistant")
    return find_activity(last) or find_activity(given), find_candidates(last) or find_candidates(given)
