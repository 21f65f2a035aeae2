"""The columns that coding adds to a table, and why a text gets no code."""

from collections.abc import Iterable, Sequence

import polars as pl

from funathon.errors import FunathonError

CANDIDATES = 5
CODE_SCHEMA = {
    "code": pl.String,
    "title": pl.String,
    "confidence": pl.Float32,
    **{
        f"{name}_{rank}": kind
        for rank in range(2, CANDIDATES + 1)
        for name, kind in (("code", pl.String), ("confidence", pl.Float32))
    },
    "codable": pl.Float32,
    "reason": pl.String,
}
"""Columns of `Coder.table` and their types."""
CODE_COLUMNS = tuple(CODE_SCHEMA)
REVIEW = "review"
RESULT_SCHEMA = {**CODE_SCHEMA, REVIEW: pl.Boolean}
"""Columns that `funathon code` adds to a register and their types."""
PREFIX = "predicted_"


def new_names(columns: Sequence[str], name: str, new: Iterable[str] = tuple(RESULT_SCHEMA)) -> dict[str, str]:
    """The names that the `new` columns get beside the `columns` of the file `name`: their own, or all with PREFIX.

    Raises FunathonError when a column has such a name too.
    """
    new = list(new)
    prefix = PREFIX if set(new) & set(columns) else ""
    names = {column: prefix + column for column in new}
    taken = [column for column in names.values() if column in columns]
    if taken:
        raise FunathonError(f"{name} has a column {taken[0]!r}, which the result should get.", "Rename the column.")
    return names
