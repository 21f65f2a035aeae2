"""What a learner calls in a notebook: check, hint, solution and catch_up.

The first cell of a notebook reads

    from funathon.course.exercise import start
    check, hint, solution, catch_up = start("1-data")

The answers come from the chapter's source; `funathon.course.verdicts` judges, `funathon.course.catching_up` catches up.
"""

import logging
import re
from collections.abc import Callable

from IPython import get_ipython

from funathon.course.catching_up import catch_up
from funathon.course.chapters import Chapter, Question, find_chapter, read_chapter
from funathon.course.history import History, history_of
from funathon.course.outages import mendable
from funathon.course.showing import Note
from funathon.course.verdicts import Verdict, Verdicts, verdict
from funathon.errors import FunathonError
from funathon.services import SERVICES
from funathon.settings import load_settings


def start(name: str) -> tuple[Callable, Callable, Callable, Callable]:
    """Prepare a notebook of chapter `name` and return its `check`, `hint`, `solution` and `catch_up`.

    Settings that `.env` leaves out fall back on what the course ships (see `funathon.settings`).

    Raises FunathonError when a service that `.env` names and the chapter needs does not work.
    """
    shell = get_ipython()
    shell.set_custom_exc((Exception,), tell)
    load_settings()
    path = find_chapter(name)
    source = path.read_text(encoding="utf-8")
    for service in SERVICES:
        if service.configured and service.is_needed_by(source):
            service.check()
    # torchTextClassifiers sets the root logger to INFO when it is imported, unless it has been configured before
    logging.basicConfig(level=logging.WARNING)
    chapter = read_chapter(path)
    exercises = Exercises(chapter, shell.user_ns, history_of(shell, chapter))
    return exercises.check, exercises.hint, exercises.solution, exercises.catch_up


def tell(shell, kind: type, error: Exception, trace, tb_offset: int | None = None) -> None:
    """Print what a learner can mend on one line; show the traceback of any other error, as a notebook does."""
    line = mendable(error)
    if line:
        print(f"Error: {line.replace('`', '')}")
    else:
        shell.showtraceback((kind, error, trace), running_compiled_code=True)


class Exercises:
    """The questions of a chapter, answered in `namespace` (the variables of the notebook)."""

    def __init__(self, chapter: Chapter, namespace: dict, history: History) -> None:
        self.chapter = chapter
        self.namespace = namespace
        self.history = history
        self.hints_shown: dict[str, int] = {}

    def question(self, number: str | float) -> Question:
        """The question of a number as people write it: "3.2", 3.2, " 3.2 ", "question 3,2".

        Raises FunathonError, which lists the questions, when the chapter has no such question or the number fits two.
        """
        written = re.sub(r"[^\d.]", "", str(number).replace(",", "."))
        found = self.chapter.questions.get(written)
        longer = self.chapter.questions.get(f"{written}0")
        if isinstance(number, float) and longer and found:
            raise FunathonError(
                f"{number} is {written} and {longer.number} alike to Python.", f'Write "{written}" or "{longer.number}".'
            )
        if isinstance(number, float) and longer:
            found = longer
        if found is None:
            listed = "; ".join(f"{question.number} {question.name}" for question in self.chapter.questions.values())
            raise FunathonError(
                f"Chapter {self.chapter.name} has no question {str(number).strip() or '(empty)'}.", f"It has {listed}."
            )
        return found

    def check(self, number: str | float | None = None) -> Verdict | Verdicts:
        """Say whether a question is answered: not attempted yet, wrong and why, or right. Without a number, all of them.

        The verdict appears wherever in a cell `check` is called.
        """
        if number is None:
            questions = self.chapter.questions.values()
            titles = {question.number: question.name for question in questions}
            found: Verdict | Verdicts = Verdicts(titles, {q.number: verdict(q.check, self.namespace) for q in questions})
        else:
            found = verdict(self.question(number).check, self.namespace)
        found.show()
        return found

    def hint(self, number: str | float) -> Note:
        """The next hint; after the last, the last again."""
        question = self.question(number)
        shown = self.hints_shown.get(question.number, 0)
        self.hints_shown[question.number] = min(shown + 1, len(question.hints) - 1)
        return self.note(f"**Hint {shown + 1} of {len(question.hints)}.** {question.hints[shown]}")

    def solution(self, number: str | float) -> Note:
        """The official solution, to read."""
        return self.note(f"```python\n{self.question(number).solution}\n```")

    def catch_up(self, number: str | float) -> None:
        """Run what comes before a question and is missing or not right yet, quietly, so that one can go on from there."""
        catch_up(get_ipython(), self.chapter, self.question(number), self.history)

    @staticmethod
    def note(text: str) -> Note:
        """A text, shown at once."""
        note = Note(text)
        note.show()
        return note
