"""Writing a result: csv, tsv, xlsx and parquet, told by the ending."""

import datetime
import gzip
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
import xlsxwriter

from funathon.corpus.tables import separators
from funathon.corpus.tables.source import Source, kind_of
from funathon.errors import FunathonError

ENDINGS = ".csv, .tsv (each also with .gz), .xlsx or .parquet"
ROW_GROUP = 1 << 17
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
"""What a sheet of Excel can hold: rows with the header, columns, characters of a cell."""
PLAIN = (pl.String, pl.Boolean, pl.Date, pl.Time, pl.Datetime, pl.Categorical, pl.Enum, pl.Decimal, pl.Null)
"""Types of which every value can be written as text, beside numbers."""


@dataclass(frozen=True)
class Output:
    """The format that the ending of a file tells."""

    kind: str
    """`csv`, `tsv`, `xlsx` or `parquet`."""
    zipped: bool
    """Whether a csv or tsv file is packed by gzip."""


def output_of(path: Path) -> Output:
    """The format that the ending of `path` tells. Raises FunathonError when it tells none."""
    kind, zipped = kind_of(path.name)
    if kind not in ("csv", "tsv", "xlsx", "parquet") or (zipped and kind not in ("csv", "tsv")):
        raise FunathonError(f"{path} does not end in {ENDINGS}.", "Choose a name that tells the format.")
    return Output(kind, zipped)


def check(output: Output, schema: pl.Schema, rows: int, name: str) -> None:
    """Raise FunathonError when the format cannot hold a table: columns that are no text, or, in a sheet, too many rows or columns.

    `name` is the file that the columns come from.
    """
    if output.kind == "parquet":
        return
    for column, kind in schema.items():
        if not (kind.is_numeric() or kind in PLAIN):
            raise FunathonError(
                f"The column {column!r} of {name} is {kind}, which .{output.kind} cannot hold.",
                "Write .parquet, or leave the column out or make it text.",
            )
    if output.kind == "xlsx" and (rows >= MOST_ROWS or len(schema) > MOST_COLUMNS):
        raise FunathonError(
            f"{rows:,} rows and {len(schema):,} columns are too many for a sheet of Excel.", "Write .csv or .parquet."
        )
    if output.kind == "xlsx" and len(longest := max(schema, key=len)) > MOST_CHARACTERS:
        raise FunathonError(
            f"The name of the column {longest[:20] + '…'!r} of {name} is too long for a cell of Excel.", "Write .csv or .parquet."
        )


def check_texts(output: Output, piece: pl.DataFrame, before: int) -> None:
    """Raise FunathonError when a text is too long for a cell; `before` rows stand before `piece`."""
    if output.kind != "xlsx":
        return
    for column in piece.select(pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String)):
        # a character beyond the first 65,536 counts twice, as in UTF-16
        lengths = column.str.len_chars() + column.str.count_matches(r"[\x{10000}-\x{10FFFF}]")
        if (lengths.max() or 0) > MOST_CHARACTERS:
            row = before + lengths.arg_max() + 1
            raise FunathonError(
                f"Row {row:,} has {lengths.max():,} characters in {column.name!r}, too many for a cell of Excel.",
                "Write .csv or .parquet.",
            )


def write(pieces: list[Path], schema: pl.Schema, path: Path, output: Output) -> None:
    """Put `pieces`, parquet files of one `schema`, together in the file `path`, in constant memory; the same pieces give the same
    bytes.

    csv and tsv are UTF-8 without a byte order mark, with lines that end in a line feed and quotes where they are needed: `""` is an
    empty text, nothing is a missing one. In a sheet texts are texts, were they `06.10` or `=1+1`.
    """
    if output.kind == "parquet":
        pl.scan_parquet(pieces, glob=False).sink_parquet(path, row_group_size=ROW_GROUP)
        return
    tables = (pl.read_parquet(piece, glob=False) for piece in pieces)
    if output.kind == "xlsx":
        try:
            write_sheet(tables, schema, path)
        except xlsxwriter.exceptions.XlsxWriterException as error:
            raise OSError(str(error)) from error
        return
    with path.open("wb") as file:
        if output.zipped:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                write_lines(tables, schema, packed, output)
        else:
            write_lines(tables, schema, file, output)


def write_lines(tables: Iterable[pl.DataFrame], schema: pl.Schema, file: BinaryIO, output: Output) -> None:
    """Write tables of one schema below each other as csv or tsv."""
    separator = separators.usual(output.kind)
    schema.to_frame().write_csv(file, separator=separator)
    for table in tables:
        table.write_csv(file, separator=separator, include_header=False)


def write_sheet(tables: Iterable[pl.DataFrame], schema: pl.Schema, path: Path) -> None:
    """Write tables of one schema below each other into the sheet of a workbook, which is packed in memory: a full disk in the midst of
    a zip file would be complained of twice."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"constant_memory": True}) as book:
        book.set_properties({"created": datetime.datetime(2025, 1, 1)})  # the same table gives the same bytes
        sheet = book.add_worksheet()
        for place, name in enumerate(schema):
            sheet.write_string(0, place, name)
        number = 0
        for table in tables:
            for row in pl.DataFrame([as_cell(column) for column in table]).iter_rows():
                number += 1
                for place, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(number, place, value)
                    elif isinstance(value, bool):
                        sheet.write_boolean(number, place, value)
                    elif isinstance(value, float) and not math.isfinite(value):
                        sheet.write_string(number, place, str(value))
                    elif value is not None:
                        sheet.write_number(number, place, value)
    path.write_bytes(packed.getbuffer())


def as_cell(column: pl.Series) -> pl.Series:
    """A column as cells can hold it: numbers that Excel keeps exactly, true and false; all else as text."""
    if column.dtype in (pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32):
        return column
    if column.dtype.is_float():
        return column.cast(pl.String).cast(pl.Float64)  # 0.1 of single precision as 0.1, not as 0.10000000149
    return column.cast(pl.String)


def count_rows(path: Path, output: Output) -> int:
    """Number of rows of a written file, by another program than the one that wrote it.

    Raises FunathonError when it is no such file.
    """
    if output.kind == "parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_metadata(path).num_rows
    if output.kind == "xlsx":
        from funathon.corpus.tables.sheets import count_rows as count_in_sheet

        with path.open("rb") as file:
            return count_in_sheet(file, "Sheet1") - 1
    from funathon.corpus.tables.texts import Dialect, survey_file

    dialect = Dialect("utf-8", separators.usual(output.kind), "\n", declared=False)
    return survey_file(Source(str(path), output.kind, output.zipped, path), dialect).rows
