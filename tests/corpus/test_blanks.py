import polars as pl
import pytest

from funathon.corpus.blanks import BLANKS, says_nothing
from funathon.corpus.labels import read_labels
from funathon.paths import FIELD_TEST


def judged(texts):
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(says_nothing(pl.col("text")))["text"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "unknown",
        "None",
        "tbd",
        "T.B.D.",
        "NA",
        "n/a",
        "N/A",
        "#N/A",
        "see above",
        "(see above)",
        "true",
        "TRUE",
        "- none -",
        "null",
    ],
)
def test_texts_that_say_nothing(text):
    assert judged([text]) == [True]


@pytest.mark.parametrize(
    "text", ["bakery", "nail studio", "none of the above bakery", "na koupě", "unknown soldier museum", "", "-"]
)
def test_texts_that_say_something_or_are_no_words(text):
    assert judged([text]) == [False]


def test_the_list_is_written_as_texts_are_compared():
    assert judged(BLANKS.to_list()) == [True] * len(BLANKS)
    assert BLANKS.n_unique() == len(BLANKS)


def test_no_text_of_ours_says_nothing():
    for table in (read_labels(), read_labels(str(FIELD_TEST))):
        assert not any(judged(table["label"].to_list()))
