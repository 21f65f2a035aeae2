"""Opening a table: the reader of its format, and what is told about it."""

import sys
import zlib
from collections.abc import Callable

from funathon.corpus.tables.source import TEXT, Source, find
from funathon.corpus.tables.table import GUESSED, Reading, Table
from funathon.errors import FunathonError, visible, without_secrets

MAGIC = {
    b"PK\x03\x04": "is an Excel or zip file",
    b"PAR1": "is a parquet file",
    b"\x1f\x8b": "is compressed with gzip",
    b"\xd0\xcf\x11\xe0": "is an old or encrypted Excel file",
    b"%PDF": "is a PDF file",
}
"""First bytes of files that are given a wrong ending, and what they are."""

UNREADABLE = (OSError, EOFError, zlib.error)
"""What a disk, a file that was cut short and a damaged gzip file raise."""


def tell(line: str) -> None:
    """Say one line on standard error; nothing in it is secret, or can steer the terminal."""
    print(without_secrets(visible(line)), file=sys.stderr)


def open_table(path: str, reading: Reading = GUESSED, *, variable: str = "the path", say: Callable[[str], None] = tell) -> Table:
    """Open the table at `path`; in text files and sheets every column is text.

    `variable` is the setting that may name the file. What is guessed, renamed or left out goes to `say` in one line.

    Raises FunathonError, naming the line where there is one, for a file that is missing, no table, or not what its ending says;
    and for a part of `reading` that does not fit the format.
    """
    source = find(path, variable)
    refuse_what_does_not_fit(source, reading)
    try:
        table = reader(source.kind)(source, reading)
    except PermissionError as error:
        raise FunathonError(f"Access to {source.name} is refused.", "Ask for the right to read it.") from error
    except UNREADABLE as error:
        raise FunathonError(f"{source.name} cannot be read: {error}.", "It may be truncated: fetch it again.") from error
    if table.notes:
        say(f"{source.name}: {'; '.join(table.notes)}.")
    return table


def refuse_what_does_not_fit(source: Source, reading: Reading) -> None:
    """Raise FunathonError when an option is set that the format has no use for, or the content is plainly of another format."""
    if reading.sheet is not None and source.kind != "xlsx":
        raise FunathonError(f"{source.name} has no sheets.", "Leave --sheet out; it is for .xlsx.")
    if source.kind not in TEXT:
        if reading.separator is not None or reading.encoding is not None:
            raise FunathonError(f"{source.name} is no text file.", "Leave --separator and --encoding out; they are for text.")
        return
    try:
        with source.open() as stream:
            start = stream.read(4)
    except UNREADABLE as error:
        raise FunathonError(
            f"{source.name} cannot be read: {error}.", "Check what kind of file it is, and its rights."
        ) from error
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            raise FunathonError(f"{source.name} {what}, not text.", "Give it the ending of what it is, or save it as .csv.")


def reader(kind: str) -> Callable[[Source, Reading], Table]:
    """The function that opens tables of a format. Each brings a large library, which is imported when it is used."""
    if kind == "parquet":
        from funathon.corpus.tables.columnar import open_parquet

        return open_parquet
    if kind == "xlsx":
        from funathon.corpus.tables.sheets import open_sheet

        return open_sheet
    from funathon.corpus.tables.texts import open_text

    return open_text
