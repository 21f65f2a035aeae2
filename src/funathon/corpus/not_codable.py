"""Texts that no class can be given to, and sentences that can stand around any activity."""

import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from funathon.paths import FORM_SENTENCES

HOW_MANY = (0, 0, 0, 1, 1, 2, 3, 4)
"""How many sentences come around a text, each as likely."""


def read_not_codable(path: Path) -> pl.DataFrame:
    """The texts of a file with a heading: columns `kind` (vague, name, goods …) and `text`, both text.

    `n/a` and `#REF!` are texts there, and a quotation mark is a character.
    """
    return pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)


def read_form_sentences(path: Path = FORM_SENTENCES) -> list[str]:
    """Sentences about a business that say nothing about what it does, one a line."""
    return path.read_text(encoding="utf-8").splitlines()


def among_sentences(text: str, sentences: Sequence[str], chooser: random.Random) -> str:
    """A text with up to four sentences before and behind it, as descriptions have them; three times in eight with none."""
    chosen = [chooser.choice(sentences) for _ in range(chooser.choice(HOW_MANY))]
    if not chosen:
        return text
    chosen.insert(chooser.randrange(len(chosen) + 1), text)
    return " ".join(part if part.endswith((".", "!", "?", ";", ":")) else f"{part}." for part in chosen)
