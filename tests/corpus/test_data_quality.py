"""The labels are what the data sheet says: every class, many ways to say it, no template behind them.

These are the bars that the project sets itself; the same kind of measure, written apart, is used to accept the data.
"""

import collections
import zlib

import polars as pl
import pytest

from funathon.corpus.labels import fold
from funathon.corpus.nomenclature import read_nomenclature
from funathon.paths import DEFAULT_LABELS, FIELD_TEST


@pytest.fixture(scope="module")
def labels():
    return pl.read_parquet(DEFAULT_LABELS).with_columns(folded=pl.col("label").map_elements(fold, return_dtype=pl.String))


def test_every_class_has_a_hundred_labels(labels):
    counts = labels.group_by("code").len()
    assert set(counts["code"]) == set(read_nomenclature().filter(level=4)["code"])
    assert counts["len"].min() >= 100


def test_titles_go_with_codes(labels):
    titles = dict(read_nomenclature().select("code", "heading").iter_rows())
    assert all(titles[code] == name for code, name in labels.select("code", "name").unique().iter_rows())


def test_no_text_stands_twice(labels):
    assert labels["folded"].n_unique() == len(labels)


def test_no_two_labels_of_a_class_are_the_same_words_in_another_order(labels):
    bags = labels.select("code", bag=pl.col("folded").str.split(" ").list.unique().list.sort().list.join(" "))
    assert bags.is_duplicated().mean() <= 0.02


def test_labels_do_not_open_alike(labels):
    starts = labels["folded"].str.split(" ").list.head(2).list.join(" ").value_counts(sort=True)
    assert starts["count"][0] <= 0.01 * len(labels)


def test_labels_do_not_repeat_the_title(labels):
    repeats = [fold(name) in text for name, text in labels.select("name", "folded").iter_rows()]
    assert sum(repeats) <= 0.02 * len(labels)


def test_all_lengths_occur(labels):
    words = labels["folded"].str.split(" ").list.len()
    assert (words >= 10).mean() >= 0.20
    assert (words <= 3).mean() <= 0.25
    for code, count in labels.with_columns(words=words).filter(pl.col("words") >= 10).group_by("code").len().iter_rows():
        assert count >= 20, f"{code} has {count} long labels"


def test_the_vocabulary_is_wide_and_hard_to_compress(labels):
    words = collections.Counter(word for text in labels["folded"] for word in text.split())
    assert len(words) >= 15_000
    assert len(zlib.compress("\n".join(labels["folded"]).encode(), 9)) / len(labels) >= 15


def test_the_field_test_has_every_class_and_register():
    field = pl.read_parquet(FIELD_TEST)
    assert field.group_by("code").len()["len"].min() >= 2
    assert field["code"].n_unique() == 651
    assert set(field["register"]) == {"terse", "phrase", "long", "messy"}
