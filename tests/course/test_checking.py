"""Helpers of checks: the usual forms of one answer are taken for it, everything else is refused in words."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.course import checking, wording


@pytest.mark.parametrize(
    ("helper", "value", "taken"),
    [
        (checking.as_int, np.int64(3), 3),
        (checking.as_int, 3.0, 3),
        (checking.as_int, np.array(3), 3),
        (checking.as_number, np.float32(0.5), 0.5),
        (checking.as_number, 2, 2.0),
        (checking.as_share, np.float64(0.25), 0.25),
        (checking.as_bool, np.True_, True),
        (checking.as_text, np.str_("a"), "a"),
        (checking.as_path, "a/../b", Path("b").resolve()),
        (checking.as_path, Path("b"), Path("b").resolve()),
        (checking.as_list, ("a", "b"), ["a", "b"]),
        (checking.as_list, np.array([1, 2]), [1, 2]),
        (checking.as_list, pl.Series(["a"]), ["a"]),
        (checking.as_list, pd.Series(["a"]), ["a"]),
        (checking.as_set, ["a", "b"], {"a", "b"}),
        (checking.as_set, frozenset("ab"), {"a", "b"}),
        (checking.as_set, np.array(["a", "b"]), {"a", "b"}),
        (checking.as_set, {"a": 1}.keys(), {"a"}),
        (checking.as_dict, {"a": 1}, {"a": 1}),
    ],
)
def test_the_usual_forms_of_an_answer_are_the_same_answer(helper, value, taken):
    found = helper("x", value)
    assert found == taken and type(found) is type(taken)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: checking.as_int("n", "12"), "`n` should be a whole number; it is the text '12'."),
        (lambda: checking.as_int("n", True), "`n` should be a whole number; it is True."),
        (lambda: checking.as_int("n", 1.5), "`n` should be a whole number; it is the number 1.5."),
        (lambda: checking.as_int("n", len), "it is a function. Call the function."),
        (lambda: checking.as_int("n", np.array([1])), "it is an array of shape (1,)."),
        (lambda: checking.as_number("n", float("nan")), "it is nan."),
        (lambda: checking.as_share("s", 53), "from 0 to 1; it is 53. Is it a percentage?"),
        (lambda: checking.as_bool("b", 1), "`b` should be True or False; it is the whole number 1."),
        (lambda: checking.as_text("t", None), "`t` should be a text; it is None."),
        (lambda: checking.as_path("p", 3), "`p` should be a path; it is the whole number 3."),
        (lambda: checking.as_path("p", ""), "it is an empty text."),
        (lambda: checking.as_list("x", {"a": 1}, "text"), "`x` should be a list of texts; it is a dictionary with 1 key."),
        (lambda: checking.as_list("x", "abc", "text"), "it is the text 'abc'."),
        (lambda: checking.as_list("x", ["a", 1], "text"), "number 2 of its items is the whole number 1."),
        (lambda: checking.as_list("x", ["a"], "text", 5), "`x` should be a list of 5 texts; it is a list of 1 text."),
        (lambda: checking.as_list("x", pl.DataFrame({"a": [1]})), "it is a polars table of 1 row and 1 column."),
        (lambda: checking.as_set("x", ["a", "a"]), "'a' stands there more than once"),
        (lambda: checking.as_set("x", "ab"), "`x` should be a set of items; it is the text 'ab'."),
        (lambda: checking.as_dict("d", [1]), "`d` should be a dictionary; it is a list of 1 whole number."),
        (lambda: checking.as_dict("d", {}, ["k"]), "`d` lacks the key 'k'."),
        (lambda: checking.as_array("v", [[1], [1, 2]]), "with rows of one length"),
        (lambda: checking.as_array("v", [[1, 2]], (None, 3)), "should have the shape (any, 3); it has (1, 2)."),
        (lambda: checking.as_array("v", {"a": 1}), "`v` should be an array; it is a dictionary with 1 key."),
        (lambda: checking.as_table("t", {"a": 1}), "`t` should be a table of polars; it is a dictionary with 1 key."),
        (lambda: checking.as_table("t", pl.LazyFrame({"a": [1]})), "has not been collected. Collect it."),
        (lambda: checking.as_table("t", pl.DataFrame({"a": [1]}), ["b"]), "lacks the column 'b'; it has a."),
        (lambda: checking.as_table("t", pl.DataFrame({"a": [1]}), rows=4), "should have 4 rows; it has 1."),
        (lambda: checking.as_function("f", 3), "`f` should be a function; it is the whole number 3. Define it: `def f(…)`."),
        (lambda: checking.as_instance("p", Path, Path), "it is the class Path, not an object made with it."),
        (lambda: checking.equal("x", "3", 3), "`x` should be the whole number 3; it is the text '3'."),
        (lambda: checking.equal("x", 4, 3, "the number of doors"), "`x` should be 3, the number of doors; it is 4."),
        (lambda: checking.equal("x", True, 1), "`x` should be the whole number 1; it is True."),
        (lambda: checking.equal("x", ["a", "c"], ["a", "b"]), "number 2 of `x` should be 'b'; it is 'c'."),
        (lambda: checking.close("x", 0.5, 0.53, 0.01), "`x` should be 0.5300; it is 0.5000."),
        (lambda: checking.same_set("s", ["a"], {"a", "b"}), "`s` should hold 2 items; it lacks 'b'."),
        (lambda: checking.same_set("s", ["a", "c"], {"a"}), "'c' is not one of them."),
    ],
)
def test_what_is_refused_is_told_in_words(refused, said):
    with pytest.raises(AssertionError) as caught:
        refused()
    assert said in str(caught.value)


def test_equal_takes_paths_numpy_and_tuples_for_what_they_say():
    checking.equal("save_path", Path("/a/b"), "/a/b")
    checking.equal("n", np.int64(3), 3)
    checking.equal("n", 3.0, 3)
    checking.equal("codes", np.array(["a", "b"]), ["a", "b"])
    checking.equal("codes", ("a",), ["a"])
    checking.equal("sizes", {"a": np.int64(1)}, {"a": 1})
    checking.same_set("codes", ["b", "a"], {"a", "b"})
    assert checking.close("x", np.float32(0.5), 0.5001, 0.001) == 0.5


class Odd:
    """Prints like the number 3 and equals nothing."""

    def __repr__(self):
        return "3"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(Odd()) | st.just(Path("a")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(VALUES, VALUES)
def test_no_verdict_says_that_something_should_be_what_it_is(one, other):
    try:
        checking.equal("x", one, other)
    except AssertionError as error:
        said = str(error)
        wanted, found = said.split("should be ", 1)[1].rsplit("; it is ", 1)
        assert wanted != found.removesuffix("."), said


@given(VALUES)
def test_every_helper_returns_or_refuses_in_words(value):
    for helper in (
        *(checking.as_int, checking.as_number, checking.as_share, checking.as_bool, checking.as_text, checking.as_path),
        *(checking.as_list, checking.as_dict, checking.as_array, checking.as_table, checking.as_function, checking.drawn),
    ):
        try:
            helper("x", value)
        except AssertionError as error:
            assert str(error).startswith("`x`") and "Error" not in str(error)


def test_a_table_of_pandas_is_a_table():
    assert checking.as_table("t", pd.DataFrame({"a": [1]}), ["a"]).to_dict(as_series=False) == {"a": [1]}


def test_what_was_drawn_is_seen_after_the_figure_is_closed():
    figure, axes = plt.subplots(1, 2)
    bars = axes[0].bar([1, 2], [3, 4])
    plt.close(figure)
    for value in (figure, axes, axes[0], bars):
        (found,) = checking.drawn("figure", value)
        assert [bar.get_height() for bar in found.patches] == [3, 4]
    with pytest.raises(AssertionError, match="`figure` is empty"):
        checking.drawn("figure", plt.figure())
    with pytest.raises(AssertionError, match="`figure` is empty"):
        checking.drawn("figure", axes[1])
    with pytest.raises(AssertionError, match="should be a figure of matplotlib, or its axes; it is None"):
        checking.drawn("figure", plt.show())
    plt.close("all")


def test_a_figure_says_what_it_shows():
    axes = plt.figure().gca()
    with pytest.raises(AssertionError, match="name an axis"):
        checking.labelled("figure", axes)
    axes.set_xlabel("words")
    checking.labelled("figure", axes)
    plt.close("all")


def test_a_drawing_shows_points_as_a_line_dots_or_bars_and_its_axes_count():
    x, y = [1, 2, 3], [0.2, 0.5, 0.6]
    for draw in (
        lambda ax: ax.plot(x, y),
        lambda ax: ax.scatter(x, y),
        lambda ax: ax.bar(x, y),
        lambda ax: ax.plot(x, [100 * share for share in y]),
        lambda ax: ax.plot([0, *x, 4], [0, *y, 1]),
    ):
        ax = plt.figure().gca()
        draw(ax)
        checking.shows("ax", [ax], x, y, "y against x")
    for draw in (lambda ax: ax.plot(y), lambda ax: ax.plot(y, x), lambda ax: ax.plot(x[:2], y[:2]), lambda ax: ax.hist(y)):
        ax = plt.figure().gca()
        draw(ax)
        with pytest.raises(AssertionError, match="`ax` should show y against x"):
            checking.shows("ax", [ax], x, y, "y against x")
    plt.close("all")


@pytest.mark.parametrize(
    ("word", "many"),
    [("key", "keys"), ("array", "arrays"), ("dictionary", "dictionaries"), ("class", "classes"), ("hash", "hashes")],
)
def test_nouns_have_the_plural_that_people_give_them(word, many):
    assert wording.count(2, word) == f"2 {many}"
