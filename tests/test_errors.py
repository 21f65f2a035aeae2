from hypothesis import given
from hypothesis import strategies as st

from funathon.errors import FunathonError, visible


@given(st.text(), st.text())
def test_an_error_is_one_line_that_steers_no_terminal(problem, cure):
    assert str(FunathonError(problem, cure)).isprintable()


def test_what_cannot_be_seen_is_written_out():
    assert visible("a\x1b[31m\u202eé\xa0🍞") == "a\\x1b[31m\\u202eé\\xa0🍞"
    assert str(FunathonError("two\n lines", "and a cure")) == "two lines and a cure"
