"""catch_up: only what is missing or wrong, quietly, with a word about all that it replaces, and a way on when it fails."""

import json
import threading

import pytest
from course.notebook import chapter_source, given, notebook, question

from funathon.course import progress
from funathon.course.catching_up import is_same

IS_TWO = 'def check(x):\n    assert x == 2, "`x` should be 2"'
IS_THREE = 'def check(y, *, x):\n    assert y == x + 1, "`y` should be one more than x"'
NOISY = """import logging, os, sys, warnings
import matplotlib.pyplot as plt
from IPython.display import display
print("printed")
os.write(1, b"written in C")
display("displayed")
warnings.warn("warned")
logging.getLogger("noise").error("logged")
plt.plot([1, 2])
plt.show()
x = 2
x"""


@pytest.fixture
def open_notebook(tmp_path):
    """A function that opens a notebook of a chapter with these cells."""
    opened = []

    def open_notebook(*parts):
        path = tmp_path / "9-test.py"
        path.write_text(chapter_source(*parts))
        context = notebook(path)
        opened.append(context)
        return context.__enter__()

    yield open_notebook
    for context in opened:
        context.__exit__(None, None, None)


def test_what_comes_before_is_there_and_nothing_of_its_output(open_notebook, capfd):
    book = open_notebook(given("base = 1"), question("9.1", NOISY, IS_TWO), question("9.2", "y = 3", IS_THREE))
    said = book.run('catch_up("9.2")')
    assert book["x"] == 2 and book["base"] == 1 and "y" not in book
    assert "9.1 do it: done" in said and "You are at question 9.2, do it" in said
    for noise in ("printed", "displayed", "warned", "logged", "Figure", "written in C"):
        assert noise not in said
    assert "written in C" not in capfd.readouterr().out
    assert book["plt"].get_fignums() == []


def test_a_right_answer_stays_and_its_solution_is_not_run(open_notebook):
    book = open_notebook(question("9.1", "x = 1 / 0", IS_TWO), question("9.2", "y = 3", IS_THREE))
    book.run("x = 2")
    said = book.run('catch_up("9.2")')
    assert book["x"] == 2
    assert "9.1 do it: kept, your answer is right" in said and "replaced" not in said


def test_a_wrong_answer_is_replaced_and_that_is_said(open_notebook):
    book = open_notebook(question("9.1", "x = 2\nhelper = 5", IS_TWO), question("9.2", "y = 3", IS_THREE))
    book.run("x = 7\nhelper = 'mine'")
    said = book.run('catch_up("9.2")')
    assert book["x"] == 2
    assert "Your answer to 9.1 was replaced by the course's (x, helper). The check had said: x should be 2" in said


def test_variables_of_the_learner_that_share_a_name_are_told(open_notebook):
    parts = given("table = [1]\nfor row in table:\n    total = row"), question("9.1", "x = 2\nstep = 1", IS_TWO)
    book = open_notebook(*parts, question("9.2", "y = 3", IS_THREE))
    book.run("table = 'mine'\nrow = 'mine'\nstep = 'mine'")
    said = book.run('catch_up("9.2")')
    assert "Your table had the name of something that the chapter makes" in said
    assert "Your step had the name of something that the answer to 9.1 makes" in said
    assert "row" not in said  # a name in passing


def test_while_a_cell_runs_the_seconds_are_shown_and_the_cell_is_named(open_notebook, monkeypatch):
    monkeypatch.setattr(progress, "TICK", 0.2)
    slow = given("import time\ntime.sleep(1.6)\nprint('printed')\nslow = 1")
    book = open_notebook(question("9.1", "x = 2", IS_TWO), slow, question("9.2", "y = 3", IS_THREE))
    said = book.run('catch_up("9.2")')
    assert "The cells after 9.1: running … (1 s)" in said and "Catching up to question 9.2, 1 s" in said
    assert "9.1 do it: done\n" in said and "The cells after 9.1: done (2 s)" in said
    assert "printed" not in said
    assert "ticking" not in [thread.name for thread in threading.enumerate()]


def test_a_given_cell_that_breaks_off_is_not_taken_for_the_answer_before_it(open_notebook):
    book = open_notebook(question("9.1", "x = 2", IS_TWO), given("late = 1 / 0"), question("9.2", "y = 3", IS_THREE))
    said = book.run('catch_up("9.2")')
    assert "Catching up stopped in the cells after question 9.1: ZeroDivisionError" in said
    assert "The cells after 9.1: stopped" in said and "9.1 do it: done" in said


def test_what_has_run_is_not_run_again(open_notebook):
    cell = "calls = globals().get('calls', 0) + 1"
    solution = "x = 2\nanswered = globals().get('answered', 0) + 1"
    book = open_notebook(given(cell), question("9.1", solution, IS_TWO), question("9.2", "y = 3", IS_THREE))
    book.run(cell)
    book.run('catch_up("9.2")')
    book.run('catch_up("9.2")')
    assert book["calls"] == 1 and book["answered"] == 1


def test_a_given_cell_that_reads_what_was_replaced_runs_again(open_notebook):
    later = "double = 2 * x"
    parts = question("9.1", "x = 2", IS_TWO), given(later), question("9.2", "y = 3", IS_THREE)
    book = open_notebook(*parts)
    book.run("x = 7")
    book.run(later)
    said = book.run('catch_up("9.2")')
    assert book["double"] == 4 and "double" not in said  # it was the course's own


def test_a_shortcut_runs_in_place_of_the_solution(open_notebook):
    slow = question("9.1", "x = 1 / 0", IS_TWO, shortcut="x = 1 + 1")
    book = open_notebook(slow, question("9.2", "y = 3", IS_THREE))
    book.run('catch_up("9.2")')
    assert book["x"] == 2


def test_what_a_later_cell_needs_of_the_official_answer_is_made_beside_a_kept_one(open_notebook):
    parts = question("9.1", "helper = 40\nx = 2", IS_TWO), given("after = helper + x"), question("9.2", "y = 3", IS_THREE)
    book = open_notebook(*parts)
    book.run("x = 2.0")
    book.run('catch_up("9.2")')
    assert book["after"] == 42 and isinstance(book["x"], float)


@pytest.mark.parametrize("broken", ["{'text': 1}", "not json"])
def test_a_file_that_the_learner_wrote_in_another_form_is_set_aside(open_notebook, tmp_path, broken):
    path = tmp_path / "rows.jsonl"
    solution = "import json\nif not path.exists():\n    path.write_text(json.dumps([2]))\nrows = json.loads(path.read_text())\nx = rows[0]"
    setup = given(f"from pathlib import Path\npath = Path({str(path)!r})")
    book = open_notebook(setup, question("9.1", solution, IS_TWO), question("9.2", "y = 3", IS_THREE))
    path.write_text(broken)
    said = book.run('catch_up("9.2")')
    assert book["x"] == 2 and "You are at question 9.2" in said
    assert "rows.aside-1.jsonl" in said and (tmp_path / "rows.aside-1.jsonl").read_text() == broken
    assert "aside" not in book.run('catch_up("9.2")')


def test_a_file_that_is_read_without_an_error_but_wrongly_is_set_aside_too(open_notebook, tmp_path):
    path = tmp_path / "rows.jsonl"
    solution = "import json\nif not path.exists():\n    path.write_text('[2]')\nx = json.loads(path.read_text())[0]"
    setup = given(f"from pathlib import Path\npath = Path({str(path)!r})")
    book = open_notebook(setup, question("9.1", solution, IS_TWO), question("9.2", "y = 3", IS_THREE))
    path.write_text(json.dumps([5]))
    book.run('catch_up("9.2")')
    assert book["x"] == 2 and (tmp_path / "rows.aside-1.jsonl").exists()


def test_a_failure_says_where_why_and_how_to_go_on(open_notebook):
    book = open_notebook(question("9.1", "before = 1\nx = 1 / 0", IS_TWO), question("9.2", "y = 3", IS_THREE))
    book.run("before = 'mine'")
    said = book.run('catch_up("9.2")')
    assert "Catching up stopped at the answer to question 9.1: ZeroDivisionError, division by zero, at x = 1 / 0." in said
    assert "call catch_up again" in said and "restart the kernel" in said
    assert "Traceback" not in said and "9.1 do it: stopped" in said
    assert "Your before had the name" in said


def test_an_interruption_is_one_line_and_the_next_call_goes_on(open_notebook):
    solution = "tries = globals().get('tries', 0) + 1\nif tries == 1:\n    raise KeyboardInterrupt\nx = 2"
    book = open_notebook(given("first = object()"), question("9.1", solution, IS_TWO), question("9.2", "y = 3", IS_THREE))
    said = book.run('catch_up("9.2")')
    first = book["first"]
    assert "Catching up was interrupted at the answer to question 9.1. Call it again" in said
    assert "You are at question 9.2" in book.run('catch_up("9.2")')
    assert book["first"] is first


@pytest.mark.parametrize("number", ["'9.2'", "9.2", "' 9.2 '", "'Question 9.2'", "'9,2'"])
def test_numbers_are_taken_as_people_write_them(open_notebook, number):
    book = open_notebook(question("9.1", "x = 2", IS_TWO), question("9.2", "y = 3", IS_THREE))
    assert "You are at question 9.2" in book.run(f"catch_up({number})")


def test_a_wrong_number_lists_the_questions(open_notebook):
    book = open_notebook(question("9.1", "x = 2", IS_TWO, "two"), question("9.2", "y = 3", IS_THREE, "three"))
    said = book.run('catch_up("9.7")')
    assert "no question 9.7. It has 9.1 two; 9.2 three." in said


def test_values_are_compared_whatever_they_are():
    import numpy as np
    import polars as pl

    class Odd:
        def __eq__(self, other):
            raise ValueError

    assert is_same([1, "a"], [1, "a"]) and not is_same(1, True) and not is_same([1], [2])
    assert is_same(np.array([1, 2]), np.array([1, 2])) and not is_same(np.array([1]), np.array([2]))
    assert is_same(pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}))
    assert not is_same(Odd(), Odd())
    assert is_same(lambda x: x + 1, lambda x: x + 1) and not is_same(lambda x: x + 1, lambda x: x + 2)
