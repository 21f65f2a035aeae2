"""How texts of the last year differ from those before: activities that did not exist, words that take the place of others."""

import random
import re
from pathlib import Path

import polars as pl


class NewWords:
    """Puts new words in the place of old ones that mean the same: `data/register/drifting_words.tsv`, columns `before` and `after`."""

    def __init__(self, path: Path) -> None:
        pairs = dict(pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False).select("before", "after").iter_rows())
        self._after = pairs
        longest_first = sorted(pairs, key=len, reverse=True)
        self._words = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)

    def __call__(self, text: str, share: float, chooser: random.Random) -> str:
        """A text in which each old word is, with the probability `share`, a new one; a capital at its start stays."""

        def new(found: re.Match) -> str:
            if chooser.random() >= share:
                return found[0]
            after = self._after[found[0].lower()]
            return after[0].upper() + after[1:] if found[0][0].isupper() else after

        return self._words.sub(new, text)


def new_activities(path: Path) -> list[list[tuple[str, str, str]]]:
    """The texts of each new activity, each with its class of Rev. 2.1, the one it would have had in Rev. 2, and its words, from a table with
    the columns `activity`, `code`, `rev2` and `label`."""
    table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
    groups = table.group_by("activity", maintain_order=True)
    return [group.select("code", "rev2", "label").rows() for _, group in groups]
