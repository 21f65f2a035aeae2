import polars as pl
import pytest

from funathon.corpus.labels import read_labels
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_LABELS, FIELD_TEST

GOOD = [("01.11", "wheat farm"), ("06.10", "oil wells"), ("10.71", "bakery")]


def write(path, rows, schema=("code", "label")):
    table = pl.DataFrame(rows, schema=list(schema), orient="row")
    {"parquet": table.write_parquet, "csv": table.write_csv}[path.suffix[1:]](path)
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
    with pytest.raises(FunathonError, match="no column 'label'; it has code, text"):
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
    with pytest.raises(FunathonError, match="does not end in"):
        read_labels(str(tmp_path / "labels.xlsx"))


def test_the_labels_of_the_repository_are_good():
    assert read_labels()["code"].n_unique() == 651


def test_the_field_test_shares_no_text_with_the_labels():
    from funathon.corpus.labels import fold

    labels = {fold(text) for text in read_labels()["label"]}
    field = read_labels(str(FIELD_TEST))
    shared = [text for text in field["label"] if fold(text) in labels]
    assert not shared
