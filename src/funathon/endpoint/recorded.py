"""Recorded answers of language models, served as models of their own: the same prompt gets the same answer again.

A file `data/answers/recorded-….jsonl` is a model of that name. It has one JSON object a line, as `funathon llm record` writes them; here
count `prompt`, the hash of the messages, `content`, the answer as it came, and the tokens. The data sheet beside them says how the
answers were obtained.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from funathon.paths import ANSWERS


@dataclass(frozen=True)
class Answered:
    """An answer as it came, and the tokens of its prompt and of itself."""

    content: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str


def prompt_hash(messages: Iterable[tuple[str, str]]) -> str:
    """A short text that is the same for the same conversation of pairs (role, text); space around a text does not count."""
    said = [[role, text.strip()] for role, text in messages]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]


def read_recorded(path: Path) -> dict[str, Answered]:
    """The answers of a file by the hash of their prompt; of two to one prompt the first counts.

    A line that was cut short, or is none of an answer, counts for nothing.
    """
    answers: dict[str, Answered] = {}
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
            answer = Answered(
                str(row["content"]), int(row["prompt_tokens"]), int(row["completion_tokens"]), str(row["finish_reason"])
            )
            answers.setdefault(row["prompt"], answer)
        except (ValueError, KeyError, TypeError):
            continue
    return answers


def answer_files(folder: Path = ANSWERS) -> list[Path]:
    """The files of recorded models, in the order of their names."""
    return sorted(folder.glob("recorded-*.jsonl"))


def recorded_models(files: Sequence[Path]) -> dict[str, dict[str, Answered]]:
    """The answers of each recorded model, by its name, which is that of its file."""
    return {path.stem: read_recorded(path) for path in files}


def description(answers: int) -> str:
    """What a recorded model says of itself in the list of models."""
    return (
        f"Recorded answers of a language model to {answers:,} prompts of the course, and none to any other. "
        "data/answers/README.md says how they were obtained."
    )
