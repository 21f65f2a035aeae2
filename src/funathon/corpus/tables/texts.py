"""csv, tsv and txt: surveyed line by line, then parsed by Arrow."""

import codecs
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.csv

from funathon.corpus.tables import encodings, separators
from funathon.corpus.tables.columns import unique
from funathon.corpus.tables.records import Survey, survey
from funathon.corpus.tables.source import Source
from funathon.corpus.tables.table import Reading, Table
from funathon.errors import FunathonError

BLOCK = 1 << 22
"""Characters that are parsed at a time, to the end of a record."""
LARGEST_BLOCK = (1 << 31) - 1
SNIFFED = 1 << 20
"""Characters in which the separator and the kind of line end are looked for."""


FIRST_END = re.compile(r'(?:[^"\r\n]|"[^"]*")*+(\r\n|\n|\r)')
"""A header with what ends it."""


@dataclass(frozen=True)
class Dialect:
    """How a text file is written."""

    encoding: str
    separator: str
    newline: str
    """`\\n` (which `\\r\\n` ends with too) or `\\r`."""
    declared: bool
    """Whether the first line declares the separator, and is no record."""


def open_text(source: Source, reading: Reading) -> Table:
    """Open a csv, tsv or txt file; every column is text. What stands between quotes is text, were it empty; what does not is missing
    where it is empty.

    Raises FunathonError, naming the line, for whatever would make a row or a field doubtful.
    """
    dialect, notes = find_dialect(source, reading)
    found = survey_file(source, dialect)
    if not found.header_line:
        raise FunathonError(f"{source.name} is empty: it has no header.", "The first line names the columns.")
    header = next(parse(source, dialect, found)).row(0)
    names, said = unique(header)
    notes += said
    if found.blank:
        notes.append(f"{found.blank:,} blank line{'' if found.blank == 1 else 's'} left out")
    if found.spilled:
        notes.append(
            f"{found.spilled:,} text{'' if found.spilled == 1 else 's'} going on behind a closing quote, the first in line "
            f"{found.spilled_line:,}, read as spreadsheets do"
        )
    if found.mixed_line:
        notes.append(f"line ends of several kinds, another one from line {found.mixed_line:,} on")

    def batches() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(parse(source, dialect, found)):
            yield batch[0 if number else 1 :].rename(dict(zip(batch.columns, names)))

    return Table(source.name, pl.Schema(dict.fromkeys(names, pl.String)), found.rows, tuple(notes), batches)


def find_dialect(source: Source, reading: Reading) -> tuple[Dialect, list[str]]:
    """How `source` is written, by what is said in `reading` and else guessed; and what is to be said about the guesses."""
    notes = []
    with source.open() as stream:
        mark = encodings.marked(stream)
    if reading.encoding is not None:
        with source.open() as stream:
            encoding = encodings.as_said(encodings.known(reading.encoding), mark, encodings.without_mark(stream))
    elif mark:
        encoding = mark
    else:
        encoding, note = guess_encoding(source)
        notes += note
    with source.open() as stream:
        try:
            start = io.TextIOWrapper(stream, encoding, newline="").read(SNIFFED)
        except UnicodeError as error:
            raise undecodable(source, encoding) from error
    first = FIRST_END.match(start)
    newline = "\r" if first and first[1] == "\r" else "\n"
    lines = list(itertools.islice(io.StringIO(start, newline=newline), separators.SAMPLE))
    if len(start) == SNIFFED and len(lines) < separators.SAMPLE:
        lines = lines[:-1] or lines  # the last one is cut
    declared = separators.declared(lines[0]) if lines else None
    if reading.separator is not None:
        separator = separators.said(reading.separator)
    elif declared:
        separator = declared
    else:
        separator = separators.guess(lines, source.kind)
        if separator != separators.usual(source.kind):
            notes.append(f"separator guessed: {separators.NAMES[separator]} (--separator sets it)")
    return Dialect(encoding, separator, newline, bool(declared)), notes


def guess_encoding(source: Source) -> tuple[str, list[str]]:
    """The likeliest encoding of a file without a mark, and what is to be said about it. UTF-8 is hardly ever met by chance."""
    with source.open() as stream:
        encoding = encodings.without_mark(stream)
    if encoding:
        return encoding, [f"encoding guessed: {encoding} (--encoding sets it)"]
    with source.open() as stream:
        if encodings.is_utf8(stream):
            return "utf-8", []
    with source.open() as stream:
        encoding, text = encodings.likeliest(stream, source.name)
    return encoding, [f"encoding guessed: {encoding}, in which it says {text!r} (--encoding sets it)"]


def survey_file(source: Source, dialect: Dialect) -> Survey:
    """Count the records of a file; raise FunathonError as `survey` does, and for bytes that are not of the encoding."""
    with source.open() as stream:
        lines = io.TextIOWrapper(stream, dialect.encoding, newline=dialect.newline)
        try:
            return survey(lines, dialect.separator, source.name, block=BLOCK, skip=int(dialect.declared))
        except UnicodeError as error:
            raise undecodable(source, dialect.encoding) from error


def undecodable(source: Source, encoding: str) -> FunathonError:
    """The error for a file that is not written in an encoding, with the first line that is not."""
    with source.open() as stream:
        lines = io.TextIOWrapper(stream, encoding, errors="replace")
        try:
            number = next((number for number, line in enumerate(lines, 1) if "\ufffd" in line), 1)
        except UnicodeError:  # an encoding that replaces nothing
            number = 1
    return FunathonError(
        f"{source.name}: line {number:,} is not written in {encoding}.", "Name another encoding with --encoding."
    )


def parse(source: Source, dialect: Dialect, found: Survey) -> Iterator[pl.DataFrame]:
    """All records of a file, the header first, in batches; the columns are `0`, `1`, …"""
    columns = [str(number) for number in range(found.width)]
    with source.open() as stream:
        lines = io.TextIOWrapper(stream, dialect.encoding, newline=dialect.newline)
        try:
            for _ in itertools.islice(lines, found.header_line - 1):
                pass
            done = found.header_line - 1
            for border in (*found.borders, None):
                text = "".join(itertools.islice(lines, None if border is None else border - done))
                done = border
                if text.strip("\r\n") or (text and found.width == 1):
                    yield parse_block(text, dialect, columns)
        except UnicodeError as error:
            raise undecodable(source, dialect.encoding) from error
        except pa.ArrowInvalid as error:
            raise FunathonError(f"{source.name} cannot be parsed: {error}.", "Save it as .parquet or .xlsx.") from error


def parse_block(text: str, dialect: Dialect, columns: list[str]) -> pl.DataFrame:
    """Whole records as a table. Arrow gets them as one block: at the border of two it loses the line feed or the quote that a field
    has there. It takes off the mark that we put before them, and not one that is theirs."""
    content = codecs.BOM_UTF8 + text.encode()
    table = pa.csv.read_csv(
        pa.BufferReader(content),
        read_options=pa.csv.ReadOptions(column_names=columns, use_threads=False, block_size=min(len(content) + 1, LARGEST_BLOCK)),
        parse_options=pa.csv.ParseOptions(
            delimiter=dialect.separator, newlines_in_values=True, ignore_empty_lines=len(columns) > 1
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.large_string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return pl.from_arrow(table)
