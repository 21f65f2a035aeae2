"""What a learner calls in a notebook: check, hint, solution and catch_up.

The first cell of a notebook reads

    from funathon.course.exercise import start
    check, hint, solution, catch_up = start("1-data")

The answers come from the chapter's source. A check is a function whose positional parameters are the variables that the
question asks for and whose keyword-only parameters are variables made earlier:

    def check(n_classes, *, labels):
        assert n_classes == labels["code"].n_unique(), "n_classes should be the number of different codes"
        return "every class of the nomenclature is there"

A failed assertion is a wrong answer and its message says why; what the function returns, if anything, follows "Right".
"""

import inspect
import logging
import traceback
from collections.abc import Callable
from html import escape

from IPython import get_ipython
from IPython.display import Markdown, display

from funathon.course.chapters import Chapter, Question, find_chapter, read_chapter
from funathon.errors import FunathonError
from funathon.services import SERVICES
from funathon.settings import load_settings


class Verdict:
    """Answer of a check: `state` is 'not attempted', 'wrong' or 'right', `message` says why."""

    MARKS = {"not attempted": "○ Not attempted yet", "wrong": "✗ Not yet", "right": "✓ Right"}
    COLOURS = {"not attempted": "#6e7781", "wrong": "#c4320a", "right": "#1a7f37"}

    def __init__(self, state: str, message: str = "") -> None:
        self.state = state
        self.message = message

    def __repr__(self) -> str:
        return f"{self.MARKS[self.state]}{': ' if self.message else '.'}{self.message}"

    def _repr_html_(self) -> str:
        # a style of its own, since notebooks in JupyterLab, VS Code and Colab share no style sheet
        return (
            f'<div class="verdict verdict-{self.state.replace(" ", "-")}" style="border-left: 4px solid '
            f'{self.COLOURS[self.state]}; padding: 0.3em 0.8em;"><strong>{self.MARKS[self.state]}</strong>'
            f"{': ' if self.message else '.'}{escape(self.message)}</div>"
        )


def start(name: str) -> tuple[Callable, Callable, Callable, Callable]:
    """Prepare a notebook of chapter `name` and return its `check`, `hint`, `solution` and `catch_up`.

    Settings that `.env` leaves out fall back on what the course ships (see `funathon.settings`).

    Raises FunathonError when a service that `.env` names and the chapter needs does not work.
    """
    shell = get_ipython()
    shell.set_custom_exc((FunathonError, RuntimeError), tell)
    load_settings()
    path = find_chapter(name)
    source = path.read_text(encoding="utf-8")
    for service in SERVICES:
        if service.configured and service.is_needed_by(source):
            service.check()
    # torchTextClassifiers sets the root logger to INFO when it is imported, unless it has been configured before
    logging.basicConfig(level=logging.WARNING)
    exercises = Exercises(read_chapter(path), shell.user_ns)
    return exercises.check, exercises.hint, exercises.solution, exercises.catch_up


def tell(shell, kind: type, error: Exception, trace, tb_offset: int | None = None) -> None:
    """Print what a learner can mend on one line; show the traceback of any other error, as a notebook does."""
    if isinstance(error, FunathonError):
        print(f"Error: {error}")
    elif "already accessed by another instance of Qdrant client" in str(error):
        print(
            "Error: another notebook, or an earlier client in this one, has this local vector database open. "
            "Shut that notebook's kernel down, or call close() on the earlier client, and run this cell again."
        )
    else:
        shell.showtraceback((kind, error, trace), running_compiled_code=True)


class Exercises:
    """The questions of a chapter, answered in `namespace` (the variables of the notebook)."""

    def __init__(self, chapter: Chapter, namespace: dict) -> None:
        self.chapter = chapter
        self.namespace = namespace
        self.hints_shown: dict[str, int] = {}

    def question(self, number: str) -> Question:
        """Raises FunathonError when the chapter has no such question."""
        found = self.chapter.questions.get(str(number))
        if found is None:
            numbers = ", ".join(self.chapter.questions)
            raise FunathonError(f"Chapter {self.chapter.name} has no question {number}.", f"Its questions are {numbers}.")
        return found

    def check(self, number: str) -> Verdict:
        """Say whether the question is answered: not attempted yet, wrong and why, or right."""
        return verdict(self.question(number).check, self.namespace)

    def hint(self, number: str) -> Markdown:
        """The next hint; after the last, the last again."""
        hints = self.question(number).hints
        shown = self.hints_shown.get(number, 0)
        self.hints_shown[number] = min(shown + 1, len(hints) - 1)
        return Markdown(f"**Hint {shown + 1} of {len(hints)}.** {hints[shown]}")

    def solution(self, number: str) -> Markdown:
        """The official solution, to read."""
        return Markdown(f"```python\n{self.question(number).solution}\n```")

    def catch_up(self, number: str) -> None:
        """Run the chapter's code and official solutions that come before a question, so that one can go on from there."""
        self.question(number)
        shell = get_ipython()
        for source in self.chapter.code_before(number):
            result = shell.run_cell(source, store_history=False)
            if not result.success:
                raise FunathonError(
                    f"Catching up stopped: {result.error_in_exec or result.error_before_exec}.", "Restart the kernel."
                )
        display(Markdown(f"You are at question {number}: the answers of all questions before it stand in your variables."))


def verdict(check_source: str, namespace: dict) -> Verdict:
    """Run a check function on the variables of `namespace`.

    The function is defined in a copy of the namespace, so that it may use what the chapter imported and changes nothing.
    """
    scope = dict(namespace)
    exec(check_source, scope)  # our own source, from the chapter
    parameters = inspect.signature(scope["check"]).parameters.values()
    asked = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    needed = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    present = [name for name in asked if namespace.get(name, ...) is not ...]
    names = ", ".join(f"`{name}`" for name in asked)
    if not present:
        return Verdict("not attempted", f"give a value to {names}.")
    absent = [name for name in asked if name not in present]
    if absent:
        return Verdict("wrong", f"the variable `{absent[0]}` does not exist yet; the question asks for {names}.")
    earlier = [name for name in needed if name not in namespace]
    if earlier:
        return Verdict("wrong", f"`{earlier[0]}` from an earlier question is missing; run it, or use catch_up.")
    try:
        remark = scope["check"](**{name: namespace[name] for name in asked + needed})
    except AssertionError as error:
        return Verdict("wrong", str(error) or f"{names} should have other values.")
    except Exception as error:  # an answer of an unexpected type can fail anywhere in the check
        said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
        culprit = raised_in(error, {name: namespace[name] for name in asked})
        if culprit:
            return Verdict("wrong", f"`{culprit}` breaks off when the check calls it ({said}).")
        kinds = ", ".join(f"`{name}` is a {type(namespace[name]).__name__}" for name in asked)
        return Verdict("wrong", f"the check cannot read this answer ({said}). {kinds[0].upper() + kinds[1:]}.")
    return Verdict("right", remark or "")


def raised_in(error: Exception, answers: dict) -> str | None:
    """Which of the functions among `answers`, or of the methods of the classes among them, an error was raised in, if any."""
    names = {}
    for name, answer in answers.items():
        if inspect.isfunction(answer):
            names[answer.__code__] = name
        elif inspect.isclass(answer):
            for method, value in vars(answer).items():
                function = getattr(value, "__func__", value)
                if inspect.isfunction(function):
                    names[function.__code__] = f"{name}.{method}"
    found = [names[frame.f_code] for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code in names]
    return found[-1] if found else None
