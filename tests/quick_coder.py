"""A coder that takes no time, for tests of what happens around it; run as a program, it codes a register as `funathon code` does."""

import sys
import zlib

import polars as pl
from rich.console import Console

from funathon.supervised.columns import CODE_SCHEMA

CODES = ["01.11", "06.10", "10.71", "49.33"]


class QuickCoder:
    """Gives each text the same code every time; a missing text gets a reason."""

    def table(self, labels: pl.Series) -> pl.DataFrame:
        sums = [zlib.crc32(text.encode()) if text is not None else None for text in labels]
        columns = {name: [None] * len(labels) for name in CODE_SCHEMA}
        columns["code"] = [None if number is None else CODES[number % 4] for number in sums]
        columns["title"] = columns["code"]
        columns["confidence"] = [None if number is None else number % 101 / 100 for number in sums]
        columns["reason"] = ["no label" if number is None else None for number in sums]
        return pl.DataFrame(columns, schema=CODE_SCHEMA)


def run(source, out, *, label="label", threshold=0.5, load=QuickCoder, model="quick", **reading):
    """Code a register with the quick coder; returns the outcome."""
    from funathon.corpus.tables.table import Reading
    from funathon.supervised.coding import code_register

    console = Console(stderr=True)
    return code_register(
        str(source), str(out), load, model, console, label=label, threshold=threshold, reading=Reading(**reading)
    )


if __name__ == "__main__":
    run(*sys.argv[1:])
