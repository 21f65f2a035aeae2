"""The correspondence between NACE Rev. 2 and Rev. 2.1: which classes of one share content with which of the other."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from funathon.errors import FunathonError
from funathon.paths import CORRESPONDENCE

COLUMNS = ("rev2", "rev2_1", "rev2_title", "content")


@dataclass(frozen=True)
class Correspondence:
    """A correspondence, in both directions. Codes of a class are in their order."""

    successors: dict[str, tuple[str, ...]]
    """The classes of Rev. 2.1 that have content of each class of Rev. 2."""
    predecessors: dict[str, tuple[str, ...]]
    """The classes of Rev. 2 whose content each class of Rev. 2.1 has; one without any is not there."""
    content: dict[tuple[str, str], str]
    """What went from a class of Rev. 2 to one of Rev. 2.1, where the class has several successors."""
    old_titles: dict[str, str]
    """The titles of Rev. 2."""


def read_correspondence(path: Path = CORRESPONDENCE) -> Correspondence:
    """Read a table of pairs: tab separated, with COLUMNS, of which `content` may be empty.

    Raises FunathonError when it lacks a column or a pair stands there twice.
    """
    table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
    lacking = [name for name in COLUMNS if name not in table.columns]
    if lacking:
        raise FunathonError(f"{path} has no column {lacking[0]!r}.", f"A correspondence has the columns {', '.join(COLUMNS)}.")
    twice = table.filter(pl.struct("rev2", "rev2_1").is_duplicated())
    if len(twice):
        raise FunathonError(f"{path} has the pair {twice['rev2'][0]}, {twice['rev2_1'][0]} twice.", "Keep one of them.")
    return Correspondence(
        successors=linked(table, "rev2", "rev2_1"),
        predecessors=linked(table, "rev2_1", "rev2"),
        content={(old, new): text for old, new, _, text in table.select(COLUMNS).iter_rows() if text},
        old_titles=dict(table.select("rev2", "rev2_title").iter_rows()),
    )


def linked(table: pl.DataFrame, source: str, target: str) -> dict[str, tuple[str, ...]]:
    """The codes of the column `target` by those of `source`."""
    groups = table.group_by(source).agg(pl.col(target).sort()).sort(source)
    return {code: tuple(others) for code, others in groups.iter_rows()}
