"""Every chapter's code runs, and every check tells not attempted, wrong and right apart."""

import pytest
import torch
from course.answers import RIGHT, WRONG
from IPython.core.interactiveshell import InteractiveShell

from funathon.course.chapters import chapter_paths, read_chapter
from funathon.course.verdicts import verdict

NAMES = [path.stem for path in chapter_paths()]


@pytest.fixture
def shell(monkeypatch):
    """An IPython shell with nothing in it, in the folder of the chapters."""
    monkeypatch.chdir(chapter_paths()[0].parent)
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    # torchTextClassifiers lowers it for the whole process when it trains
    precision = torch.get_float32_matmul_precision()
    yield shell
    torch.set_float32_matmul_precision(precision)
    shell.reset(new_session=True)


def run(shell, source):
    result = shell.run_cell(source)
    assert result.success, f"{result.error_in_exec or result.error_before_exec!r} in\n{source}"


@pytest.mark.parametrize("path", chapter_paths(), ids=NAMES)
def test_every_check_knows_the_three_states(path, shell):
    chapter = read_chapter(path)
    open_question = None
    for cell in chapter.cells:
        if cell.kind == "question":
            open_question = chapter.questions[cell.question]
            empty = verdict(open_question.check, shell.user_ns)
            assert empty.state == "not attempted", f"{cell.question} before its solution: {empty}"
        if cell.type == "code" and cell.kind in ("given", "solution"):
            run(shell, cell.source)
        if cell.kind == "check":
            right = verdict(open_question.check, shell.user_ns)
            assert right.state == "right", f"{cell.question} on its solution: {right}"
            refuse_wrong_answers(chapter.name, cell.question, open_question.check, shell.user_ns)
            take_right_answers(chapter.name, open_question, shell.user_ns)


def refuse_wrong_answers(chapter, number, check, namespace):
    for source, word in WRONG[chapter][number]:
        changed = dict(namespace)
        exec(source, changed)
        answer = verdict(check, changed)
        assert answer.state == "wrong", f"{number} takes the wrong answer {source!r}: {answer}"
        assert word in answer.message, f"{number} on {source!r} does not speak of {word!r}: {answer}"


def take_right_answers(chapter, question, namespace):
    others = RIGHT[chapter].get(question.number, [])
    for source in [question.shortcut, *others] if question.shortcut else others:
        changed = dict(namespace)
        exec(source, changed)
        answer = verdict(question.check, changed)
        assert answer.state == "right", f"{question.number} refuses the right answer {source!r}: {answer}"


@pytest.mark.parametrize("path", chapter_paths(), ids=NAMES)
def test_every_question_has_two_wrong_answers_and_starts_unattempted(path):
    chapter = read_chapter(path)
    assert set(WRONG[chapter.name]) == set(chapter.questions)
    for number, question in chapter.questions.items():
        assert len(WRONG[chapter.name][number]) >= 2
        assert verdict(question.check, {}).state == "not attempted"
