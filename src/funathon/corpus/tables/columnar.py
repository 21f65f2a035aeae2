"""Parquet."""

import io
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from funathon.corpus.nomenclature import first_line
from funathon.corpus.tables.source import Source
from funathon.corpus.tables.table import Reading, Table
from funathon.errors import FunathonError

BATCH = 1 << 16


def open_parquet(source: Source, reading: Reading) -> Table:
    """Open a parquet file; its columns keep their types. Rows are counted by Arrow and read by polars.

    Raises FunathonError when it is none.
    """

    def unreadable(error: BaseException) -> FunathonError:
        return FunathonError(
            f"{source.name} is not a readable parquet file: {first_line(error)}.",
            "It may be truncated, or hold a type that polars lacks: write it again.",
        )

    frame = pl.scan_parquet(io.BytesIO(source.content) if isinstance(source.content, bytes) else source.content, glob=False)
    try:
        with source.open() as stream:
            rows = pa.parquet.read_metadata(stream).num_rows
        schema = frame.collect_schema()
        schema.to_frame()
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise unreadable(error) from error

    def batches() -> Iterator[pl.DataFrame]:
        try:
            yield from frame.collect_batches(chunk_size=BATCH, maintain_order=True)
        except pl.exceptions.PolarsError as error:
            raise unreadable(error) from error

    return Table(source.name, schema, rows, (), batches)
