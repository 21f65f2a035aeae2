"""check, hint and solution as a learner calls them; catch_up has its own tests."""

import sys
from types import SimpleNamespace

import pytest
from course.notebook import chapter_source, notebook, question
from IPython.core.interactiveshell import InteractiveShell
from qdrant_client import QdrantClient

from funathon.course.chapters import find_chapter, read_chapter
from funathon.course.exercise import Exercises, tell
from funathon.course.history import History
from funathon.errors import FunathonError

IS_TWO = 'def check(x):\n    assert x == 2, "`x` should be 2"\n    return "two"'


@pytest.fixture
def exercises():
    return Exercises(read_chapter(find_chapter("1")), {}, History())


@pytest.fixture
def book(tmp_path):
    """A notebook of a chapter with ten questions, the first of which is answered rightly, the second wrongly."""
    path = tmp_path / "9-test.py"
    parts = [question(f"9.{n}", "x = 2", IS_TWO.replace("x", f"x{n}"), f"number {n}") for n in range(1, 11)]
    path.write_text(chapter_source(*parts))
    with notebook(path) as book:
        book.run("x1, x2 = 2, 3")
        yield book


def test_hints_come_one_after_the_other(exercises):
    first, second, again = (exercises.hint("1.2").data for _ in range(3))
    assert first != second == again
    assert "Hint 1 of 2" in first


def test_the_solution_is_shown_as_code(exercises):
    assert exercises.solution("1.3").data.startswith("```python\nn_classes =")


@pytest.mark.parametrize("method", ["check", "hint", "solution", "catch_up"])
@pytest.mark.parametrize("number", ["7.7", "", "three", 12])
def test_a_question_that_does_not_exist_is_named_with_those_that_do(exercises, method, number):
    with pytest.raises(FunathonError, match=r"no question .*It has 1\.1 .+; 1\.2 .+\."):
        getattr(exercises, method)(number)


def test_a_float_that_fits_two_questions_is_asked_about(book):
    assert "Write 9.1 or 9.10" in book.run("check(9.1)").replace('"', "")
    assert "Not yet" in book.run("check(9.2)")


def test_check_without_a_number_lists_all_questions(book):
    said = book.run("found = check()")
    assert said.splitlines()[:3] == [
        "9.1 number 1: ✓ Right (two)",
        "9.2 number 2: ✗ Not yet (x2 should be 2)",
        "9.3 number 3: ○ Not attempted yet (give a value to x3.)",
    ]
    assert "1 of 10 questions are right." in said
    assert book["found"].found["9.2"].state == "wrong"


@pytest.mark.parametrize(
    "cell", ['check("9.2")', 'check("9.2")\nx = 1', 'found = check("9.2")', 'for n in ["9.2"]:\n    check(n)']
)
def test_a_verdict_appears_once_wherever_check_stands(book, cell):
    assert book.run(cell).count("x2 should be 2") == 1


def test_a_verdict_that_is_kept_shows_again_in_a_later_cell(book):
    book.run('found = check("9.2")')
    assert book.run("found").count("x2 should be 2") == 1
    assert book["found"].state == "wrong"


@pytest.mark.parametrize("call", ["hint", "solution"])
def test_hints_and_solutions_appear_once_too(book, call):
    for cell in (f'{call}("9.2")', f'{call}("9.2")\nx = 1'):
        assert len([line for line in book.run(cell).splitlines() if "int" in line or "x = 2" in line]) == 1


def test_what_comes_before_a_question_of_a_real_chapter(monkeypatch):
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    monkeypatch.chdir(find_chapter("1").parent)
    shell.run_cell('from funathon.course.exercise import start\ncheck, hint, solution, catch_up = start("1-data")')
    shell.run_cell('catch_up("1.3")')
    assert "n_labels" in shell.user_ns and "n_classes" not in shell.user_ns
    shell.run_cell('verdict = check("1.2")')
    assert shell.user_ns["verdict"].state == "right"
    shell.reset(new_session=True)


def test_a_service_that_is_named_and_does_not_work_is_told_when_a_notebook_starts(monkeypatch, tmp_path, capsys):
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    monkeypatch.setenv("LABELS_URL", str(tmp_path / "gone.parquet"))
    result = shell.run_cell('from funathon.course.exercise import start\ncheck, hint, solution, catch_up = start("1-data")')
    assert isinstance(result.error_in_exec, FunathonError)
    said = capsys.readouterr().out
    assert said.startswith("Error: There is no file") and "LABELS_URL" in said
    shell.reset(new_session=True)


def test_a_vector_database_that_is_open_twice_is_one_line_that_names_who_has_it(tmp_path, capsys):
    first = QdrantClient(path=str(tmp_path))
    with pytest.raises(RuntimeError) as caught:
        QdrantClient(path=str(tmp_path))
    tell(None, caught.type, caught.value, None)
    first.close()
    said = capsys.readouterr().out
    assert said.startswith("Error: an earlier client in this one has this local vector database open.") and "close()" in said
    assert "need not be restarted" in said
    assert len(said.splitlines()) == 1


def test_a_vector_database_that_another_notebook_has_open_names_its_process(tmp_path, capsys):
    import subprocess

    holder = "import sys, time\nfrom qdrant_client import QdrantClient\nq = QdrantClient(path=sys.argv[1])\nprint('open', flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        with pytest.raises(RuntimeError) as caught:
            QdrantClient(path=str(tmp_path))
        tell(None, caught.type, caught.value, None)
    finally:
        process.kill()
        process.wait()
    assert f"(process {process.pid}, started at " in capsys.readouterr().out


def test_other_errors_keep_their_traceback(capsys):
    shown = []
    shell = SimpleNamespace(showtraceback=lambda given, **_: shown.append(given))
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    tell(shell, RuntimeError, error, None)
    assert shown == [(RuntimeError, error, None)] and capsys.readouterr().out == ""
