"""Verdicts: the states, what a refused answer is told, and what is shown of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.course.verdicts import Verdict, Verdicts, once_stopped, verdict

CHECK = """
def check(x, y, *, z):
    assert x == 2, "x should be 2"
    return f"{y} {z}"
"""


@pytest.mark.parametrize(
    ("namespace", "state", "message"),
    [
        ({}, "not attempted", "`x` and `y`"),
        ({"z": 1}, "not attempted", "`x`"),
        ({"x": ..., "y": ...}, "not attempted", "`x`"),
        ({"x": 2, "z": 1}, "wrong", "`y` does not exist"),
        ({"x": 2, "y": 1}, "wrong", "`z`, made earlier in the chapter, is missing"),
        ({"x": 3, "y": 1, "z": 1}, "wrong", "x should be 2"),
        ({"x": 2, "y": "a", "z": "b"}, "right", "a b"),
    ],
)
def test_states(namespace, state, message):
    answer = verdict(CHECK, namespace)
    assert answer.state == state
    assert message in answer.message


def test_a_check_leaves_the_variables_alone():
    namespace = {"x": 2, "y": 1, "z": 1}
    verdict(CHECK, namespace)
    assert set(namespace) == {"x", "y", "z"}


def answered(source: str, check: str) -> Verdict:
    """The verdict on an answer that is given as code, as in a notebook."""
    namespace: dict = {}
    exec(source, namespace)
    return verdict(check, namespace)


@pytest.mark.parametrize("value", ["'text'", "3", "[1, 2]", "{'a': 1}", "None", "print"])
def test_an_answer_of_another_kind_is_told_in_words_without_an_error_of_python(value):
    found = answered(f"x = {value}", "def check(x):\n    assert x.shape[0] + x['key'] == 2")
    assert found.state == "wrong"
    assert "another kind of answer" in found.message and "`x` is " in found.message.lower()
    assert not re.search(r"Error|object has no|not subscriptable", found.message)


CALLS = "def check(f):\n    assert f(1) == 2, 'f(1) should be 2'"


def test_an_error_in_the_learner_s_function_names_it():
    found = answered("def f(n):\n    return [][n]", CALLS)
    assert (
        found.message.startswith("`f` breaks off when the check calls it")
        and "IndexError, list index out of range" in found.message
    )


def test_an_assertion_in_the_learner_s_code_is_no_verdict_of_the_check():
    found = answered("def f(n):\n    assert n > 1, 'n is too small'\n    return 2", CALLS)
    assert found.state == "wrong" and found.message.startswith("`f` breaks off")
    assert "AssertionError, n is too small" in found.message


def test_a_method_of_the_learner_s_class_is_named():
    source = "from dataclasses import dataclass\n@dataclass\nclass D:\n    n: int\n    def __post_init__(self):\n        raise ValueError('bad level')"
    found = answered(source, "def check(D):\n    D(1)")
    assert found.message.startswith("`D.__post_init__` breaks off") and "ValueError, bad level" in found.message


def test_a_function_with_other_parameters_is_told_so():
    found = answered("def f():\n    return 2", CALLS)
    assert found.message == "`f` cannot be called as the question says (takes 0 positional arguments but 1 was given)."


def test_a_class_whose_fields_are_missing_is_told_so():
    found = answered("class D:\n    def __init__(self, n): pass", "def check(D):\n    D()")
    assert "`D.__init__` cannot be called as the question says (missing 1 required positional argument: 'n')." in found.message


def test_exit_in_an_answer_does_not_end_the_notebook():
    assert answered("def f(n):\n    raise SystemExit('bye')", CALLS).state == "wrong"


def test_a_fake_of_the_check_that_fails_is_the_answer_s_business():
    check = "def check(f):\n    def fake():\n        raise ConnectionError('gone')\n    f(fake)"
    found = answered("def f(fake):\n    fake()", check)
    assert found.state == "wrong" and found.message.startswith("`f` breaks off")


def test_names_are_code_in_html_and_bare_in_plain_text():
    shown = Verdict("wrong", "`x` should be `<b>`.").bundle()
    assert shown["text/plain"] == "✗ Not yet: x should be <b>."
    assert "<code>x</code> should be <code>&lt;b&gt;</code>." in shown["text/html"]


def test_html_holds_no_markup_of_the_learner():
    assert "<script>" not in Verdict("wrong", "<script>").bundle()["text/html"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a b.", "a b."),
        ("a b..", "a b."),
        ("is it?.", "is it?"),
        ("a … b….", "a … b…"),
        ("e.g.. this", "e.g. this"),
        ("so...", "so..."),
    ],
)
def test_full_stops_do_not_double(written, shown):
    assert Verdict("wrong", written).message == shown


@given(st.text(alphabet="ab .!?…`<&", max_size=30), st.sampled_from(sorted(Verdict.MARKS)))
def test_no_verdict_shows_two_full_stops_or_a_backtick(message, state):
    shown = Verdict(state, once_stopped(message)).bundle()["text/plain"]
    assert "`" not in shown
    assert not re.search(r"[^.!?…][!?…]\.( |$)", shown)


def test_all_verdicts_are_listed_with_number_title_state_and_message():
    listed = Verdicts(
        {"9.1": "add `x`", "9.2": "take"}, {"9.1": Verdict("right", "2"), "9.2": Verdict("wrong", "`y` is <3")}
    ).bundle()
    assert listed["text/plain"].splitlines() == [
        "9.1 add x: ✓ Right (2)",
        "9.2 take: ✗ Not yet (y is <3)",
        "1 of 2 questions are right.",
    ]
    assert "<code>y</code> is &lt;3" in listed["text/html"]
