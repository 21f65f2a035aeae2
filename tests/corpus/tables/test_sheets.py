"""Excel workbooks: every cell as text, every row counted."""

import datetime
import zipfile

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funathon.corpus.tables.opening import open_table
from funathon.corpus.tables.table import Reading
from funathon.errors import FunathonError

CELLS = st.none() | st.text(alphabet="ab =_x01é🍞\n", min_size=1, max_size=8) | st.integers(-1000, 10**9) | st.booleans()


def workbook(path, sheets, **options):
    with xlsxwriter.Workbook(path, options) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(i, j, value)
                    elif isinstance(value, datetime.date):
                        sheet.write_datetime(i, j, value, day)
                    elif value is not None:
                        sheet.write(i, j, value)
    return path


@pytest.fixture
def read(tmp_path):
    def from_rows(sheets, said=None, **reading):
        path = workbook(tmp_path / "book.xlsx", sheets)
        table = open_table(str(path), Reading(**reading), say=(said if said is not None else []).append)
        return table.read()

    return from_rows


def as_text(value):
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=10), first=st.integers(0, 3))
def test_every_cell_comes_back_as_text(read, rows, first):
    found = read({"Data": [[]] * first + [["a", "b", "c"], *rows, ["end", "", ""]]})
    expected = [tuple(as_text(value) for value in row) for row in rows]
    assert [tuple(value or None for value in row) for row in found.rows()] == [*expected, ("end", None, None)]


def test_codes_dates_and_empty_rows(read):
    rows = [["06.10", datetime.date(2025, 11, 1)], [None, None], [6.1, 0.1 + 0.2]]
    assert read({"Data": [["code", "x"], *rows]}).rows() == [("06.10", "2025-11-01 00:00:00"), (None, None), ("6.1", "0.3")]


@pytest.mark.parametrize("value", [1 / 3, 1e-10, 1234.5678000001234, -1e-12, 2.5, 6.1, 48.85661234567891])
def test_numbers_keep_all_their_digits(read, value):
    # sixteen digits are what the workbook of the test holds
    found = read({"Data": [["label", "x"], ["a", value], ["b", "0.3333333333333333333"], ["c", "06.10"], ["d", True]]})["x"]
    assert float(found[0]) == float(f"{value:.16G}") and found[1:].to_list() == ["0.3333333333333333333", "06.10", "true"]


def rewritten(path, old, new):
    """A workbook with another text in the XML of its first sheet."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content.replace(old, new) if name.endswith("/sheet1.xml") else content)


@pytest.mark.parametrize("value", [b"<v></v>", b"<v/>"])
def test_formulas_with_an_empty_text_below_the_last_row_are_rows(tmp_path, value):
    path = workbook(tmp_path / "book.xlsx", {"Data": [["id", "label"], ["1", "x"], [None, 7.5], [None, 7.5]]})
    rewritten(path, b"><v>7.5</v>", b' t="str"><f>IF(A9="","","y")</f>' + value)
    assert len(open_table(str(path)).read()) == 3


def test_errors_in_cells_are_said(tmp_path):
    path = workbook(tmp_path / "book.xlsx", {"Data": [["id", "label"], ["1", "x"], ["2", 7.5], ["3", 7.5]]})
    rewritten(path, b"><v>7.5</v>", b' t="e"><v>#N/A</v>')
    said = []
    assert open_table(str(path), say=said.append).read()["label"].to_list() == ["x", None, None]
    assert "2 cells hold errors such as #N/A, read as missing, the first in B3" in said[0]


def test_the_first_sheet_is_taken_and_that_is_said(read):
    sheets = {"Cover": [["label"], ["a"]], "Data": [["label"], ["b"], ["c"]]}
    said = []
    assert len(read(sheets, said)) == 1
    assert "sheet guessed: 'Cover' of 'Cover', 'Data'" in said[0]
    assert len(read(sheets, said, sheet="Data")) == 2 and len(said) == 1
    with pytest.raises(FunathonError, match="no sheet 'data'; it has 'Cover', 'Data'"):
        read(sheets, sheet="data")
    with pytest.raises(FunathonError, match="is no text file"):
        read(sheets, separator=";")


def test_an_empty_sheet_and_a_sheet_without_rows(read):
    with pytest.raises(FunathonError, match="is empty"):
        read({"Data": []})
    assert len(read({"Data": [["label"]]})) == 0


def test_rows_that_the_reader_misses_are_an_error(tmp_path, monkeypatch):
    from funathon.corpus.tables import sheets

    path = workbook(tmp_path / "book.xlsx", {"Data": [["label"], ["a"], ["b"]]})
    real = sheets.count_rows
    monkeypatch.setattr(sheets, "count_rows", lambda *arguments: real(*arguments) + 1)
    with pytest.raises(FunathonError, match="has 3 rows, but 2 could be read"):
        open_table(str(path)).read()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rest", b"label\nbakery\n", b"\xd0\xcf\x11\xe0" + b"\0" * 600])
def test_what_is_no_workbook(tmp_path, content):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(FunathonError, match="not a readable Excel workbook"):
        open_table(str(path))


def test_a_zip_file_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as packed:
        packed.writestr("letter.txt", "x")
    with pytest.raises(FunathonError, match="not a readable Excel workbook"):
        open_table(str(tmp_path / "book.xlsx"))
