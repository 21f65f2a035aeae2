"""Other forms of a text to learn from: among sentences of a form, and with a side activity, as people write them."""

import random
from collections.abc import Sequence

from funathon.corpus.not_codable import among_sentences, read_form_sentences
from funathon.paths import SIDE_ACTIVITIES

MOST_WORDS_OF_MAIN, MOST_WORDS_OF_SIDE = 6, 4
"""Longer texts are not put into the patterns of side activities: they would no longer read as one."""
SHARE = 0.15
"""Of the short texts, so many get a side activity."""


class Varying:
    """Texts to learn from in other forms that have the same code.

    The patterns of `data/side_activities.txt` put a side activity, a short text of another division, beside a short text; those of
    `data/form_sentences.txt` stand around any text. Both were written by hand.
    """

    def __init__(self, texts: Sequence[str], codes: Sequence[str]) -> None:
        """The texts and their codes, one each; side activities are drawn from the short ones."""
        self._division = {text: code[:2] for text, code in zip(texts, codes)}
        self._sides = [text for text in texts if is_plain(text, MOST_WORDS_OF_SIDE)]
        self._patterns = SIDE_ACTIVITIES.read_text(encoding="utf-8").splitlines()
        self._sentences = read_form_sentences()

    def __call__(self, text: str, chooser: random.Random) -> str:
        """Another form of one of the texts."""
        if is_plain(text, MOST_WORDS_OF_MAIN) and chooser.random() < SHARE:
            side = chooser.choice(self._sides)
            if self._division[side] != self._division.get(text):
                text = with_side(chooser.choice(self._patterns), text, side)
        return among_sentences(text, self._sentences, chooser)


def with_side(pattern: str, main: str, side: str) -> str:
    """A pattern of `data/side_activities.txt` with a main and a side activity in it."""
    # one pass over the pattern, since a text may hold braces of its own
    parts = pattern.replace("{main}", "\0m").replace("{side}", "\0s")
    return parts.replace("\0s", side).replace("\0m", main)


def is_plain(text: str, most_words: int) -> bool:
    """Whether a text is short, and without the marks that a list or a sentence has."""
    return len(text.split()) <= most_words and not any(mark in text for mark in ",;:()[].!?\0")
