"""What is written comes back, is counted by another program, and is the same each time."""

import datetime
import decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funathon.corpus.tables import writing
from funathon.corpus.tables.opening import open_table
from funathon.errors import FunathonError

FILES = ["out.csv", "out.tsv", "out.csv.gz", "out.tsv.gz", "out.xlsx", "out.parquet"]
TEXTS = st.none() | st.sampled_from(["06.10", "NA", "null", "007", "", " pad ", "=1+1", "1e5", "true"]) | st.text(max_size=8)


def write(frame, folder, name, cuts=1):
    """Write `frame` from `cuts` pieces."""
    size = max(1, -(-len(frame) // cuts))
    pieces = []
    for number, start in enumerate(range(0, max(len(frame), 1), size)):
        pieces.append(folder / f"piece{number}.parquet")
        frame[start : start + size].write_parquet(pieces[-1])
    path = folder / name
    output = writing.output_of(path)
    writing.write(pieces, frame.schema, path, output)
    return path, output


@pytest.mark.parametrize("name", FILES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS, st.just("x")), max_size=8), cuts=st.integers(1, 3))
def test_texts_survive(tmp_path, name, rows, cuts):
    frame = pl.DataFrame(rows, schema=dict.fromkeys(["a", "label", "end"], pl.String), orient="row")
    path, output = write(frame, tmp_path, name, cuts)
    assert writing.count_rows(path, output) == len(frame)
    found = open_table(str(path), say=lambda line: None).read()
    if output.kind == "xlsx":
        # a cell knows no missing text, and XML no carriage return that is kept
        plain = [tuple((v or "").replace("\r\n", "\n").replace("\r", "\n") for v in row) for row in frame.rows()]
        assert [tuple((v or "").replace("\r\n", "\n").replace("\r", "\n") for v in row) for row in found.rows()] == plain
    else:
        assert found.rows() == frame.rows()
    before = path.read_bytes()
    write(frame, tmp_path, name, cuts)
    assert path.read_bytes() == before


def test_values_that_are_no_text(tmp_path):
    frame = pl.DataFrame(
        {
            "i": pl.Series([2**60], dtype=pl.Int64),
            "f": [0.1],
            "g": pl.Series([0.1], dtype=pl.Float32),
            "n": [float("nan")],
            "b": [True],
            "d": [datetime.date(2025, 11, 1)],
            "t": [datetime.datetime(2025, 11, 1, 12)],
            "m": [decimal.Decimal("1.10")],
            "c": pl.Series(["x"], dtype=pl.Categorical),
            "z": pl.Series([None], dtype=pl.Null),
        }
    )
    for name in FILES[:-1]:
        path, output = write(frame, tmp_path, name)
        writing.check(output, frame.schema, 1, "register.parquet")
        row = open_table(str(path), say=lambda line: None).read().row(0)
        assert row[:6] == (str(2**60), "0.1", "0.1", "NaN" if output.kind != "xlsx" else "nan", "true", "2025-11-01")
        assert row[7:] == ("1.10", "x", None)


@pytest.mark.parametrize("kind", [pl.Duration("us"), pl.List(pl.String), pl.Struct({"a": pl.Int8}), pl.Binary, pl.Object])
@pytest.mark.parametrize("name", ["out.csv", "out.tsv.gz", "out.xlsx"])
def test_types_that_are_no_text_are_refused_before(tmp_path, kind, name):
    with pytest.raises(FunathonError, match=r"The column 'x' of register\.parquet is .*cannot hold"):
        writing.check(writing.output_of(tmp_path / name), pl.Schema({"label": pl.String, "x": kind}), 1, "register.parquet")


@pytest.mark.parametrize("name", ["out.txt", "out", "out.xls", "out.xlsx.gz", "out.parquet.gz", "out.csv.zip", ".csv.d"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(FunathonError, match="does not end in"):
        writing.output_of(tmp_path / name)


def test_what_a_sheet_cannot_hold_is_refused(tmp_path):
    sheet = writing.output_of(tmp_path / "out.xlsx")
    schema = pl.Schema({"label": pl.String})
    writing.check(sheet, schema, 1_048_575, "r.csv")
    with pytest.raises(FunathonError, match="too many for a sheet"):
        writing.check(sheet, schema, 1_048_576, "r.csv")
    writing.check_texts(sheet, pl.DataFrame({"label": ["x" * 32_767]}), 0)
    for text in ("x" * 32_768, "🍞" * 16_384):
        with pytest.raises(FunathonError, match="Row 103 has 32,768 characters in 'label'"):
            writing.check_texts(sheet, pl.DataFrame({"label": ["", "x", text]}), 100)


def test_a_name_too_long_for_a_cell_is_refused(tmp_path):
    schema = pl.Schema({"label": pl.String, "x" * 32_768: pl.String})
    writing.check(writing.output_of(tmp_path / "out.csv"), schema, 1, "r.csv")
    with pytest.raises(FunathonError, match="is too long for a cell"):
        writing.check(writing.output_of(tmp_path / "out.xlsx"), schema, 1, "r.csv")
