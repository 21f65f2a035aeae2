import os

import polars as pl
import pytest

from funathon.corpus.labels import read_judged, read_labels
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_LABELS, FIELD_TEST

GOOD = [("01.11", "wheat farm"), ("06.10", "oil wells"), ("10.71", "bakery")]


def write(path, rows, schema=("code", "label")):
    table = pl.DataFrame(rows, schema=list(schema), orient="row")
    (table.write_parquet if path.suffix == ".parquet" else table.write_csv)(path)
    return str(path)


@pytest.mark.parametrize("name", ["labels.parquet", "labels.csv"])
def test_codes_keep_their_zeros(tmp_path, name):
    table = read_labels(write(tmp_path / name, GOOD))
    assert table["code"].to_list() == ["01.11", "06.10", "10.71"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([*GOOD, (None, "no idea")], "no code in row 4"),
        ([*GOOD, ("6.1", "gas wells")], "lost a zero in row 4"),
        ([*GOOD, ("1.11", "barley")], "lost a zero in row 4"),
        ([*GOOD, ("01.1", "crops")], "no class in row 4"),
        ([*GOOD, ("A", "farm")], "no class in row 4"),
        ([*GOOD, ("99.98", "nothing")], "unknown code in row 4"),
        ([*GOOD, ("01.12", "")], "empty label in row 4"),
        ([*GOOD, ("01.12", "  ")], "empty label in row 4"),
        ([*GOOD, ("01.12", None)], "empty label in row 4"),
        ([*GOOD, ("01.11", "wheat farm")], "stands there already under its code in row 4"),
        ([], "no rows"),
    ],
)
def test_bad_rows_are_refused_and_named(tmp_path, rows, problem):
    path = tmp_path / "bad.parquet"
    pl.DataFrame(rows, schema={"code": pl.String, "label": pl.String}, orient="row").write_parquet(path)
    with pytest.raises(FunathonError, match=problem) as error:
        read_labels(str(path))
    assert error.value.cure
    assert "\n" not in str(error.value)


def test_only_the_first_rows_at_fault_are_named(tmp_path):
    with pytest.raises(FunathonError, match="and 7 more"):
        read_labels(write(tmp_path / "bad.parquet", [("77.77", f"text {i}") for i in range(10)]))


def test_codes_read_as_numbers_are_refused(tmp_path):
    with pytest.raises(FunathonError, match="read as numbers"):
        read_labels(write(tmp_path / "bad.parquet", [(6.1, "oil wells")]))


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    with pytest.raises(FunathonError, match="no column 'label'; it has 'code', 'text'"):
        read_labels(write(tmp_path / "bad.csv", GOOD, schema=("code", "text")))


def test_columns_can_have_other_names(tmp_path):
    path = write(tmp_path / "labels.csv", GOOD, schema=("nace", "text"))
    assert len(read_labels(path, code="nace", label="text")) == 3


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "labels.parquet"
    path.write_bytes(DEFAULT_LABELS.read_bytes()[:5000])
    with pytest.raises(FunathonError, match="truncated"):
        read_labels(str(path))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FunathonError, match="There is no file") as error:
        read_labels(str(tmp_path / "labels.parquet"))
    assert error.value.cure == "Check the path."


def test_a_missing_file_that_env_names_is_refused_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("LABELS_URL", str(tmp_path / "labels.parquet"))
    with pytest.raises(FunathonError, match="There is no file") as error:
        read_labels(str(tmp_path / "labels.parquet"))
    assert "LABELS_URL" in error.value.cure


def test_an_unreachable_server_is_named():
    with pytest.raises(FunathonError, match=r"http://127\.0\.0\.1:9/labels\.parquet cannot be read"):
        read_labels("http://127.0.0.1:9/labels.parquet")


def test_another_ending_is_refused(tmp_path):
    (tmp_path / "labels.doc").write_text("code,label\n")
    with pytest.raises(FunathonError, match="does not end in"):
        read_labels(write(tmp_path / "labels.doc", GOOD))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(FunathonError, match="is no ordinary file"):
        read_judged(str(tmp_path / "labels.csv"))


def test_a_presigned_address_is_read_by_the_ending_of_its_path():
    with pytest.raises(FunathonError, match="cannot be read") as error:
        read_labels("http://127.0.0.1:9/labels.parquet?X-Amz-Signature=abc.def")
    assert "does not end in" not in str(error.value)


@pytest.mark.parametrize("read", [read_labels, read_judged])
def test_spaces_around_codes_are_taken_off(tmp_path, read):
    path = write(tmp_path / "labels.csv", [("06.10 ", "oil wells"), ("\xa010.71\u200b", "bakery"), ("\t01.11\ufeff", "wheat")])
    assert read(path)["code"].to_list() == ["06.10", "10.71", "01.11"]


@pytest.mark.parametrize("read", [read_labels, read_judged])
def test_columns_of_nearly_these_names_are_taken_and_renamed(tmp_path, read):
    said = []
    table = read(write(tmp_path / "labels.csv", GOOD, schema=(" Code ", "LABEL")), say=said.append)
    assert table.columns == ["code", "label"] and len(said) == 2


def test_codes_and_texts_cannot_be_one_column(tmp_path):
    path = write(tmp_path / "labels.csv", GOOD)
    with pytest.raises(FunathonError, match="cannot both be in the column 'label'"):
        read_judged(path, code="label")


@pytest.mark.parametrize("values", [[["10.71"]], [b"10.71"]])
@pytest.mark.parametrize("column", ["code", "label"])
def test_lists_and_bytes_are_refused(tmp_path, values, column):
    path = tmp_path / "bad.parquet"
    pl.DataFrame({"code": ["10.71"], "label": ["bakery"]} | {column: values}).write_parquet(path)
    with pytest.raises(FunathonError, match=f"The column '{column}' of .* holds (List|Binary)"):
        read_judged(str(path))


def test_rows_without_a_code_are_left_out_of_what_is_judged_and_counted(tmp_path):
    rows = [("10.71", "bakery"), (None, "a"), ("", "b"), (" - ", "c"), ("n/a", "d"), ("unknown", "e"), ("01.11", "wheat")]
    path = write(tmp_path / "labels.parquet", rows)
    said = []
    assert read_judged(path, say=said.append)["label"].to_list() == ["bakery", "wheat"]
    assert "5 of 7 rows have no code and are left out, the first of them row 2, 3, 4" in said[0]
    with pytest.raises(FunathonError, match="no code in row 2"):
        read_labels(path)
    with pytest.raises(FunathonError, match="no row with a code"):
        read_judged(write(tmp_path / "none.parquet", rows[1:-1]))


def test_the_labels_of_the_repository_are_good():
    assert read_labels()["code"].n_unique() == 651


def test_the_field_test_shares_no_text_with_the_labels():
    from funathon.corpus.labels import fold

    labels = {fold(text) for text in read_labels()["label"]}
    field = read_labels(str(FIELD_TEST))
    shared = [text for text in field["label"] if fold(text) in labels]
    assert not shared
