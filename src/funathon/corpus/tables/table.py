"""What every format is read into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from funathon.errors import FunathonError


@dataclass(frozen=True)
class Reading:
    """What a person may say about how a file is to be read. None: it is guessed, and the guess is told."""

    separator: str | None = None
    """The character between two columns, or its name: comma, semicolon, tab, bar."""
    encoding: str | None = None
    sheet: str | None = None


GUESSED = Reading()
"""Nothing is said: all is guessed."""


@dataclass(frozen=True)
class Table:
    """A table that is not in memory."""

    name: str
    """The file, as people are told of it."""
    schema: pl.Schema
    rows: int
    """Number of rows, counted apart from the parser that `batches` uses."""
    notes: tuple[str, ...]
    """What was guessed, renamed or left out, each as half a sentence."""
    batches: Callable[[], Iterator[pl.DataFrame]]
    """Reads the table from its beginning, in batches of any size."""

    def pieces(self, size: int) -> Iterator[pl.DataFrame]:
        """The table from its beginning, `size` rows at a time (the last piece may have fewer; none has 0).

        Raises FunathonError when it cannot be read, or when there were not `rows` rows.
        """
        held = self.schema.to_frame()
        given = 0
        for batch in self.batches():
            held = pl.concat([held, batch])
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
                given += size
        if len(held):
            yield held
        given += len(held)
        if given != self.rows:
            raise FunathonError(
                f"{self.name} has {self.rows:,} rows, but {given:,} could be read.",
                "If it was changed meanwhile, give the command again; otherwise save it as .parquet, and tell us about it.",
            )

    def read(self) -> pl.DataFrame:
        """The whole table. Raises FunathonError as `pieces` does."""
        return pl.concat([self.schema.to_frame(), *self.pieces(1 << 16)])
