import csv
import datetime

import polars as pl
import pytest

from funathon.corpus.codes import doubt, refuse_bad
from funathon.corpus.nomenclature import read_nomenclature
from funathon.errors import FunathonError
from funathon.paths import CORRESPONDENCE, ROOT

OFFICIAL = ROOT / "shared" / "reference" / "NACE_Rev2_to_Rev2.1.tsv"
if not OFFICIAL.exists():
    OFFICIAL = ROOT.parent / "shared" / "reference" / OFFICIAL.name


def refused(*codes):
    rows = pl.DataFrame({"row": range(1, len(codes) + 1), "code": codes, "label": "some text"})
    with pytest.raises(FunathonError) as error:
        refuse_bad("labels.csv", rows)
    return str(error.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0610", "without its point"),
        ("1071", "without its point"),
        ("610", "without its point"),
        ("C10.71", "letter of its section"),
        ("C1071", "letter of its section"),
        ("c 10.71", "letter of its section"),
        ("10,71", "with a comma"),
        ("10.71.0", "longer than that of a class"),
        ("10710", "longer than that of a class"),
        ("10.71Z", "longer than that of a class"),
        ("01.Nov", "a date for a code"),
        ("01. Nov.", "a date for a code"),
        ("01-Nov", "a date for a code"),
        ("Nov-01", "a date for a code"),
        ("1. März", "a date for a code"),
        ("2025-11-01", "a date for a code"),
        ("2025-11-01 00:00:00", "a date for a code"),
        ("01/11/2025", "a date for a code"),
        ("6.1", "lost a zero"),
        ("1.11", "lost a zero"),
        ("47.99", "NACE Rev. 2 that Rev. 2.1 does not have"),
        ("45.11", "NACE Rev. 2 that Rev. 2.1 does not have"),
        ("4511", "NACE Rev. 2 that Rev. 2.1 does not have"),
        ("01.1", "no class"),
        ("C", "no class"),
        ("99.98", "unknown code"),
        ("bakery", "unknown code"),
    ],
)
def test_a_code_is_told_for_what_it_is(code, words):
    message = refused("01.11", code)
    assert words in message and f"row 2 ({code!r}: 'some text')" in message


def test_the_first_rows_are_quoted_and_the_others_counted():
    message = refused(*["45.11"] * 10, "01.11")
    assert "row 1 ('45.11'" in message and "and 7 more" in message and "data/correspondence.tsv" in message


def test_codes_that_exist_in_both_revisions_are_doubted_where_none_is_new():
    online = pl.DataFrame({"code": ["47.91"] * 19 + ["01.11"]})
    assert "47.91 meant something else in Rev. 2" in doubt(online)
    assert doubt(online.head(19)) is None
    assert doubt(pl.concat([online, pl.DataFrame({"code": ["47.92"]})])) is None
    assert doubt(pl.DataFrame({"code": ["01.12"] * 100})) is None


def test_classes_are_taken():
    codes = read_nomenclature().filter(level=4)["code"]
    refuse_bad("labels.csv", pl.DataFrame({"row": range(len(codes)), "code": codes, "label": "x"}))


@pytest.mark.parametrize("day", [datetime.date(2025, 11, 1), datetime.date(2025, 1, 11)])
def test_dates_of_a_workbook_are_told(tmp_path, day):
    from funathon.corpus.labels import read_judged

    pl.DataFrame({"code": [day], "label": ["wheat farm"]}).write_excel(tmp_path / "labels.xlsx")
    with pytest.raises(FunathonError, match="a date for a code, into which a spreadsheet turned it"):
        read_judged(str(tmp_path / "labels.xlsx"))


def test_the_correspondence_has_the_classes_of_both_revisions():
    pairs = pl.read_csv(CORRESPONDENCE, separator="\t", infer_schema=False)
    assert pairs.columns == ["rev2", "rev2_1", "rev2_title", "content"] and len(pairs) == 940 == len(
        pairs.unique(["rev2", "rev2_1"])
    )
    assert pairs["rev2"].n_unique() == 615
    classes = set(read_nomenclature().filter(level=4)["code"])
    assert classes - set(pairs["rev2_1"]) == {"46.89"} and set(pairs["rev2_1"]) < classes
    assert len(pairs.filter(rev2="47.91")) == 32


def test_each_pair_of_a_class_with_several_successors_says_what_went_where():
    pairs = pl.read_csv(CORRESPONDENCE, separator="\t", infer_schema=False).with_columns(targets=pl.len().over("rev2"))
    told = pairs.filter(pl.col("content").is_not_null())
    assert told["targets"].min() > 1 and len(told) == len(pairs.filter(pl.col("targets") > 1)) == 454
    assert told.select(pl.col("content").str.split(" ").list.len().is_between(4, 28).all()).item()
    assert told.select("rev2", "content").is_unique().all(), "the successors of a class are told apart"


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official correspondence is not at hand")
def test_the_correspondence_is_the_official_one():
    with OFFICIAL.open(encoding="utf-8-sig") as file:
        official = [(row["rev2"], row["rev2_1"]) for row in csv.DictReader(file, delimiter="\t")]
    assert pl.read_csv(CORRESPONDENCE, separator="\t", infer_schema=False).select("rev2", "rev2_1").rows() == official
