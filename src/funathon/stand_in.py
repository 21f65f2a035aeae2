"""The offline stand-in for a chat model: no language model, but a ranker of the candidates it finds in a prompt.

It lets the chapters on retrieval-augmented generation run without any account. Given a prompt with a text to code and
candidate classes, it ranks the candidates by how near the text stands to their notes and answers in the JSON that was asked
for. To any other prompt it answers what it is. It reads nothing but the prompt: it does not know the true codes, cannot
name a code that is not among the candidates, and does not follow instructions.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

DESCRIPTION = (
    "No language model: an offline stand-in that ranks the candidate classes found in the prompt by embedding similarity and "
    "word overlap, and answers in the requested JSON with a confidence. It cannot write, reason or follow instructions."
)
CODE = re.compile(
    r"^[\s#*\-–•>]*(?:\d{1,3}[.)]\s+)?(?:\*\*)?(?:code|class)?\s*:?\s*(?:\*\*)?`?(\d\d\.\d\d)\b`?[*:.)\s–—-]*(.*)$", re.I
)


@dataclass(frozen=True)
class Candidate:
    """A class found in a prompt: its code, and the text that stands with it."""

    code: str
    text: str


def find_activity(prompt: str) -> str | None:
    """The text to code: between `<activity>` and `</activity>`, else after `Activity:`, `Label:` or `Text:`."""
    match = re.search(r"<activity>(.*?)</activity>", prompt, re.DOTALL | re.IGNORECASE)
    if match is None:
        match = re.search(
            r"^[\s#*\-]*(?:activity|label|text)(?:[^\n:]{0,40})\s*:\**[ \t]*(\S.*)$", prompt, re.MULTILINE | re.IGNORECASE
        )
    return match.group(1).strip() or None if match else None


def find_candidates(prompt: str) -> list[Candidate]:
    """The candidates of a prompt, in its order, each code once: every block that begins on a line with a class's code."""
    outside = re.sub(r"<activity>.*?</activity>", "", prompt, flags=re.DOTALL | re.IGNORECASE)
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in outside.splitlines():
        if match := CODE.match(line):
            lines = found.setdefault(match.group(1), [])
            lines.append(match.group(2))
        else:
            lines.append(line)
    return [Candidate(code, "\n".join(texts).strip()) for code, texts in found.items()]


def answer(
    messages: Sequence[tuple[str, str]], response_format: dict | None, embed: Callable[[Sequence[str]], np.ndarray]
) -> str:
    """What the stand-in says to a conversation of (role, text) pairs.

    `embed` gives an array of shape (texts, dimensions) of unit vectors.
    """
    prompt = "\n".join(text for role, text in messages if role == "user")
    activity, candidates = find_activity(prompt), find_candidates(prompt)
    if activity is None or not candidates:
        return DESCRIPTION
    vectors = embed([activity] + [candidate.text for candidate in candidates])
    similarity = vectors[1:] @ vectors[0]
    exponentials = np.exp(20 * (similarity - similarity.max()))
    best = int(similarity.argmax())
    confidence = float(exponentials[best] / exponentials.sum())
    return json.dumps({"codable": True, "code": candidates[best].code, "confidence": round(confidence, 3)})
