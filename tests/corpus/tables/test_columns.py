import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.corpus.tables.columns import find_column, unique
from funathon.errors import FunathonError


@given(st.lists(st.none() | st.sampled_from(["", "a", "a_1", "a_2", "column_1", "b", " a "]), max_size=8))
def test_names_are_unique_and_stay_where_they_can(header):
    names, notes = unique(header)
    assert len(set(names)) == len(names) == len(header)
    for name, old in zip(names, header):
        if old and header.count(old) == 1 and not old.startswith("column_"):
            assert name == old
    assert bool(notes) == (names != header)


def test_columns_of_one_name_are_all_numbered():
    assert unique(["label", "id", "label"])[0] == ["label_1", "id", "label_2"]


@pytest.mark.parametrize("column", [" label ", "Label", "LABEL\t", "\ufefflabel", "ｌabel"])
def test_the_only_column_of_nearly_this_name_is_taken_and_that_is_said(column):
    said = []
    assert find_column("r.csv", ["id", column], "label", "--label", said.append) == column
    assert len(said) == 1
    assert find_column("r.csv", ["label", column], "label", "--label", said.append) == "label" and len(said) == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["Label", "LABEL"], "Did you mean 'Label' or 'LABEL'"),
        (["label_1", "label_2"], "Did you mean 'label_1' or 'label_2'"),
        (["labels"], "Did you mean 'labels'"),
        (["id", "text"], r"it has 'id', 'text'\. Name the column with --label"),
        (["\x1b[31mred"], r"it has '\\x1b\[31mred'"),
        ([f"c{number}" for number in range(500)], "and 480 more"),
    ],
)
def test_several_or_none_are_refused(columns, words):
    with pytest.raises(FunathonError, match=words):
        find_column("r.csv", columns, "label", "--label", print)
