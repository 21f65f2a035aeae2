"""Sheets of Excel workbooks (.xlsx): read by fastexcel, counted in their XML."""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree

import fastexcel
import polars as pl

from funathon.corpus.nomenclature import first_line
from funathon.corpus.tables.columns import listed, unique
from funathon.corpus.tables.source import Source
from funathon.corpus.tables.table import Reading, Table
from funathon.errors import FunathonError


def open_sheet(source: Source, reading: Reading) -> Table:
    """Open a sheet of a workbook; every cell is text, dates as 2025-11-01 00:00:00, and a cell without anything is missing.

    The first row that has a cell names the columns; rows without any cell below it are rows. An error such as #N/A is read as missing,
    which is said. The sheet is read into memory.

    Raises FunathonError when there is no such sheet, none that can be read, or nothing in it.
    """
    content = source.content if isinstance(source.content, bytes) else str(source.content)
    errors: list[str] = []
    try:
        book = fastexcel.read_excel(content)
        name, notes = choose(source, book, reading.sheet)
        cells = unrounded(*(book.load_sheet(name, header_row=None, dtypes=kind).to_polars() for kind in ("string", "float")))
        with source.open() as stream:
            rows = count_rows(stream, name, errors)
    except (fastexcel.FastExcelError, zipfile.BadZipFile, ElementTree.ParseError, KeyError) as error:
        raise FunathonError(
            f"{source.name} is not a readable Excel workbook: {first_line(error)}.",
            "If it has a password, save it without one; else save it again as .xlsx or .csv.",
        ) from error
    if not cells.width:
        raise FunathonError(f"The sheet {name!r} of {source.name} is empty.", "Name another one with --sheet.")
    if errors:
        number = f"{len(errors):,} cell{' holds an error' if len(errors) == 1 else 's hold errors'}"
        notes = [*notes, f"{number} such as #N/A, read as missing, the first in {errors[0]}"]
    names, said = unique(cells.row(0))
    cells = cells[1:].rename(dict(zip(cells.columns, names)))

    def batches() -> Iterator[pl.DataFrame]:
        yield cells

    return Table(source.name, cells.schema, rows - 1, (*notes, *said), batches)


def unrounded(texts: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The cells of a sheet as texts, those whose number the text rounds (fastexcel writes nine decimals) as the whole number; that
    `0.3` stands for 0.30000000000000004, of which Excel too shows fifteen digits, is no rounding."""
    columns = []
    for text, number in zip(texts, numbers):
        value, shown = text.cast(pl.Float64, strict=False), number.round_sig_figs(15)
        columns.append(number.cast(pl.String).zip_with(((value != number) & (value != shown)).fill_null(False), text))
    return pl.DataFrame([column.alias(name) for name, column in zip(texts.columns, columns)])


def choose(source: Source, book: fastexcel.ExcelReader, wanted: str | None) -> tuple[str, list[str]]:
    """The sheet called `wanted`, else the first one that is shown; and what is to be said about it."""
    if wanted is not None:
        if wanted not in book.sheet_names:
            raise FunathonError(f"{source.name} has no sheet {wanted!r}; it has {listed(book.sheet_names)}.", "Name one of them.")
        return wanted, []
    if len(book.sheet_names) == 1:
        return book.sheet_names[0], []
    shown = [name for name in book.sheet_names if book.load_sheet(name, n_rows=0).visible == "visible"]
    name = (shown or book.sheet_names)[0]
    return name, [f"sheet guessed: {name!r} of {listed(book.sheet_names)} (--sheet sets it)"]


def count_rows(workbook: BinaryIO, sheet: str, errors: list[str] | None = None) -> int:
    """Number of rows of a sheet from the first to the last that has a cell with a value, counted in the XML; the places of cells
    that hold an error, such as `B7`, are added to `errors`.

    Raises KeyError when the workbook lacks a part.
    """
    with zipfile.ZipFile(workbook) as parts:
        with parts.open(part_of(parts, sheet)) as xml:
            first = last = number = 0
            for _, element in ElementTree.iterparse(xml):
                if local(element) != "row":
                    continue
                number = int(element.get("r", number + 1))
                if any(has_value(cell) for cell in element):
                    first, last = first or number, number
                if errors is not None:
                    errors += [cell.get("r", f"row {number}") for cell in element if cell.get("t") == "e"]
                element.clear()
    return last - first + 1 if first else 0


def part_of(parts: zipfile.ZipFile, sheet: str) -> str:
    """The file within a workbook that holds a sheet."""
    with parts.open("_rels/.rels") as xml:
        (book,) = [e.get("Target") for e in ElementTree.parse(xml).getroot() if e.get("Type").endswith("/officeDocument")]
    book = book.lstrip("/")
    folder, file = posixpath.split(book)
    with parts.open(book) as xml:
        sheets = [element for element in ElementTree.parse(xml).iter() if local(element) == "sheet"]
    (found,) = [element for element in sheets if element.get("name") == sheet]
    (relation,) = [value for key, value in found.attrib.items() if key.endswith("}id")]
    with parts.open(posixpath.join(folder, "_rels", f"{file}.rels")) as xml:
        (target,) = [e.get("Target") for e in ElementTree.parse(xml).getroot() if e.get("Id") == relation]
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def has_value(cell: ElementTree.Element) -> bool:
    """Whether a cell holds a value: a number, a text, the result of a formula, which may be an empty text."""
    formula = cell.get("t") == "str"
    return any((local(part) == "v" and (formula or bool(part.text))) or local(part) == "is" for part in cell)


def local(element: ElementTree.Element) -> str:
    """The name of an XML element without its namespace, of which workbooks have two kinds."""
    return element.tag.rpartition("}")[2]
