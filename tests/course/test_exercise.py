from types import SimpleNamespace

import pytest
from qdrant_client import QdrantClient

from funathon.course.chapters import find_chapter, read_chapter
from funathon.course.exercise import Exercises, Verdict, tell, verdict
from funathon.errors import FunathonError

CHECK = """
def check(x, y, *, z):
    assert x == 2, "x should be 2"
    return f"{y} {z}"
"""


@pytest.mark.parametrize(
    ("namespace", "state", "message"),
    [
        ({}, "not attempted", "`x`, `y`"),
        ({"z": 1}, "not attempted", "`x`"),
        ({"x": ..., "y": ...}, "not attempted", "`x`"),
        ({"x": 2, "z": 1}, "wrong", "`y` does not exist"),
        ({"x": 2, "y": 1}, "wrong", "`z` from an earlier question"),
        ({"x": 3, "y": 1, "z": 1}, "wrong", "x should be 2"),
        ({"x": 2, "y": "a", "z": "b"}, "right", "a b"),
    ],
)
def test_verdicts(namespace, state, message):
    answer = verdict(CHECK, namespace)
    assert answer.state == state
    assert message in answer.message


def test_an_answer_that_breaks_the_check_is_wrong_and_named():
    answer = verdict("def check(x):\n    assert x.shape == (2,)", {"x": "text"})
    assert answer.state == "wrong"
    assert "`x` is a str" in answer.message


def test_a_check_leaves_the_variables_alone():
    namespace = {"x": 2, "y": 1, "z": 1}
    verdict(CHECK, namespace)
    assert set(namespace) == {"x", "y", "z"}


def test_verdicts_show_as_html_without_markup_of_the_learner():
    shown = Verdict("wrong", "<script>")._repr_html_()
    assert "<script>" not in shown and "Not yet" in shown


@pytest.fixture
def exercises():
    return Exercises(read_chapter(find_chapter("1")), {})


def test_hints_come_one_after_the_other(exercises):
    first, second, again = (exercises.hint("1.2").data for _ in range(3))
    assert first != second == again
    assert "Hint 1 of 2" in first


def test_the_solution_is_shown_as_code(exercises):
    assert exercises.solution("1.3").data.startswith("```python\nn_classes =")


@pytest.mark.parametrize("method", ["check", "hint", "solution", "catch_up"])
def test_a_question_that_does_not_exist_is_named_with_those_that_do(exercises, method):
    with pytest.raises(FunathonError, match=r"no question 7\.7"):
        getattr(exercises, method)("7.7")


def test_catching_up_runs_what_comes_before(monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell

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
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    monkeypatch.setenv("LABELS_URL", str(tmp_path / "gone.parquet"))
    result = shell.run_cell('from funathon.course.exercise import start\ncheck, hint, solution, catch_up = start("1-data")')
    assert isinstance(result.error_in_exec, FunathonError)
    said = capsys.readouterr().out
    assert said.startswith("Error: There is no file") and "LABELS_URL" in said
    shell.reset(new_session=True)


def test_a_vector_database_that_another_notebook_has_open_is_one_line(tmp_path, capsys):
    first = QdrantClient(path=str(tmp_path))
    with pytest.raises(RuntimeError) as caught:
        QdrantClient(path=str(tmp_path))
    first.close()
    tell(None, caught.type, caught.value, None)
    said = capsys.readouterr().out
    assert said.startswith("Error: another notebook") and "close()" in said
    assert len(said.splitlines()) == 1


def test_other_runtime_errors_keep_their_traceback(capsys):
    shown = []
    shell = SimpleNamespace(showtraceback=lambda given, **_: shown.append(given))
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    tell(shell, RuntimeError, error, None)
    assert shown == [(RuntimeError, error, None)] and capsys.readouterr().out == ""
