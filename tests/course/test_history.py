"""What a cell binds and reads, and whose a variable is."""

import pytest

from funathon.course.history import History, names_bound, names_read


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("a = b = 1\nc, (d, *e) = f", {"a": True, "b": True, "c": True, "d": True, "e": True}),
        ("import os.path\nimport numpy as np\nfrom x import y as z", {"os": True, "np": True, "z": True}),
        ("def f(n):\n    inside = n\nclass C:\n    field = 1", {"f": True, "C": True}),
        ("for i, (j, k) in rows:\n    total = i", {"i": False, "j": False, "k": False, "total": True}),
        ("with open(p) as file:\n    text = file", {"file": False, "text": True}),
        ("x = [y for y in z]\nif (n := 3): pass", {"x": True, "n": True}),
        ("for i in z: pass\ni = 2", {"i": True}),
        ("%matplotlib inline\n!ls\na = 1", {"a": True}),
        ("a.b = 1\na[0] = 2", {}),
    ],
)
def test_names_that_a_cell_binds(source, bound):
    assert names_bound(source) == bound


def test_names_that_a_cell_reads_also_within_its_functions():
    assert names_read("x = y\ndef f(n):\n    return z + n") == {"y", "z", "n"}


def test_a_variable_is_the_learner_s_unless_code_of_the_course_made_its_value():
    history, namespace = History(), {"x": [1], "y": 2}
    history.note("x = [1]", namespace)
    assert not history.is_own("x", namespace["x"])
    assert history.is_own("x", [1]) and history.is_own("y", 2)


def test_a_given_cell_that_a_learner_runs_is_noticed_and_an_edited_one_is_not(tmp_path):
    from course.notebook import chapter_source, given, notebook

    path = tmp_path / "9-test.py"
    path.write_text(chapter_source(given("a = object()"), given("b = object()")))
    with notebook(path) as book:
        book.run("a = object()")
        book.run("b = 'edited'")
        history = book.exercises.history
        assert not history.is_own("a", book["a"]) and history.is_own("b", book["b"])
        assert "a = object()" in history.ran and "b = object()" not in history.ran


def test_a_cell_that_fails_has_not_run(tmp_path):
    from course.notebook import chapter_source, given, notebook

    path = tmp_path / "9-test.py"
    path.write_text(chapter_source(given("a = 1 / 0")))
    with notebook(path) as book:
        book.run("a = 1 / 0")
        assert "a = 1 / 0" not in book.exercises.history.ran
