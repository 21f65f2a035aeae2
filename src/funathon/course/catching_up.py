"""Bringing a notebook to a question: what is missing or not right yet is run, what a learner has answered rightly stays.

In the order of the chapter,

- a given cell is run unless it has run in this kernel, its variables are there and nothing it reads has changed since;
- an answer that its check judges right is left as it is, and nothing of the official solution takes its place;
- any other is replaced by the official answer (its `shortcut`, if it has one), and the variables of the learner that this
  replaces are told by name.
"""

import traceback
from pathlib import Path
from typing import Any

import numpy as np
from IPython.core.interactiveshell import InteractiveShell

from funathon.course.chapters import Chapter, Question
from funathon.course.history import History, names_bound, names_read
from funathon.course.outages import ServiceGone, failing_fast, mendable, outage
from funathon.course.progress import DONE, STOPPED, Progress, Report
from funathon.course.quiet import quiet, run_quietly
from funathon.course.verdicts import at_line, verdict
from funathon.errors import FunathonError
from funathon.files import set_aside
from funathon.paths import DATA

AGAIN = (
    "What ran before it stands. Mend that and call catch_up again, which goes on from there; "
    "if it stops at the same place, restart the kernel first."
)


def catch_up(shell: InteractiveShell, chapter: Chapter, question: Question, history: History) -> None:
    """Run what stands before `question` in its chapter and is missing or not right, and show how far it is.

    Raises FunathonError, which says where it stopped, why and how to go on, when a cell breaks off or a service does not answer.
    """
    course = Course(shell, chapter, question, history)
    try:
        with course.progress:
            course.run_all()
    except KeyboardInterrupt as error:
        course.stop()
        raise FunathonError(f"Catching up was interrupted {course.place}.", "Call it again to go on from there.") from error
    except Exception as error:
        course.stop()
        raise FunathonError(f"Catching up stopped {course.place}: {reason(error, shell.user_ns)}.", AGAIN) from error
    course.progress.end(DONE)
    arrived = f"You are at question {question.number}, {question.name}: all that comes before it is there."
    Report([arrived, *course.replacements()]).show()


class Course:
    """One catching up: takes the steps of a chapter one after another and remembers what it has kept and replaced."""

    def __init__(self, shell: InteractiveShell, chapter: Chapter, target: Question, history: History) -> None:
        self.shell, self.chapter, self.target, self.history = shell, chapter, target, history
        self.names: dict = shell.user_ns
        self.steps = chapter.steps_before(target.number)
        self.changed: set[str] = set()
        """Variables that this catching up has given another value."""
        self.replaced: dict[str | None, list[str]] = {}
        """The learner's own variables that were replaced, by the question whose answer did so; None for a given cell."""
        self.judged: dict[str, str] = {}
        """What the check said of an answer that was there but not right, by question."""
        self.kept: set[str] = set()
        self.moved: list[Path] = []
        self.open: str | None = None
        """The question that is being answered, or was last; None before the first."""
        self.between = True
        """Whether given cells are run, not an answer."""
        self.progress = Progress(target)

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.open is None:
            return "in the chapter's first cells"
        return f"in the cells after question {self.open}" if self.between else f"at the answer to question {self.open}"

    def run_all(self) -> None:
        """Take all steps."""
        # the embedded endpoint stops by itself when nobody has asked it anything for long
        wake = self.names.get("ensure_endpoint")
        if callable(wake):
            wake()
        for number, source in self.steps:
            if number is None:
                if self.is_needed(source):
                    self.between = True
                    if self.open:
                        self.progress.add(f"The cells after {self.open}")
                    self.run(None, source)
                continue
            self.between = False
            if number != self.open:
                self.open = number
                self.progress.begin(self.chapter.questions[number])
                if not self.is_settled(number):
                    self.judge(self.chapter.questions[number])
            if self.is_settled(number):
                continue
            if number in self.kept:
                self.lend(number, source)
            else:
                self.run_answer(self.chapter.questions[number], source)

    def is_needed(self, source: str) -> bool:
        """Whether a given cell has to run: it has not, or a variable of it is gone, or one that it reads has changed."""
        gone = any(name not in self.names for name in names_bound(source))
        return source.strip() not in self.history.ran or gone or bool(names_read(source) & self.changed)

    def is_settled(self, number: str) -> bool:
        """Whether the official answer to a question has run in this kernel and is still there, unchanged, with what it reads."""
        sources = [source for asked, source in self.steps if asked == number]
        made = {name for source in sources for name, lasting in names_bound(source).items() if lasting}
        return not any(
            self.is_needed(source) or self.history.is_own(name, self.names[name]) for source in sources for name in made
        )

    def judge(self, question: Question) -> None:
        """Keep the learner's answer to a question if its check says right; raise FunathonError when a service is away."""
        with quiet():
            found = verdict(question.check, self.names)
        if found.state == "service":
            raise FunathonError(found.message)
        if found.state == "right":
            self.kept.add(question.number)
            self.progress.keep()
        elif found.state == "wrong":
            self.judged[question.number] = found.message

    def lend(self, number: str, source: str) -> None:
        """Beside an answer that is kept, make what its official solution makes on the way and later cells of the chapter use."""
        later = [code for _, code in self.steps[self.steps.index((number, source)) + 1 :]]
        used = set().union(*(names_read(code) for code in later))
        lacking = [name for name in names_bound(source) if name not in self.names and name in used]
        if not lacking:
            return
        own = {name: self.names[name] for name in names_bound(source) if name in self.names}
        self.execute(source)
        self.names.update(own)

    def run_answer(self, question: Question, source: str) -> None:
        """Run the official answer. If it stumbles over files that lay there before, or is not right with them, they are moved
        aside and it runs once more: an answer of the learner's may have written them in another form."""
        files = self.own_files(source)
        try:
            self.run(question.number, source)
            if not files or verdict(question.check, self.names).state == "right":
                return
        except Exception as error:
            if not files or mendable(error):
                raise
        self.moved += [set_aside(file) for file in files if file.is_file()]
        self.run(question.number, source)

    def own_files(self, source: str) -> list[Path]:
        """Files that a cell names by a variable, those of the course apart."""
        values = [self.names.get(name) for name in sorted(names_read(source))]
        files = [value for value in values if isinstance(value, Path) and value.is_file()]
        return [file for file in files if not file.resolve().is_relative_to(DATA)]

    def run(self, number: str | None, source: str) -> None:
        """Run a cell, and note which variables of the learner it replaces by others."""
        bound = names_bound(source)
        before = {name: self.names[name] for name in bound if name in self.names and self.names[name] is not ...}
        own = {name: self.history.is_own(name, value) for name, value in before.items()}
        try:
            self.execute(source)
            self.history.note(source, self.names)
        finally:  # what a cell that broke off has replaced is told too
            for name, lasting in bound.items():
                if name in before and is_same(before[name], self.names.get(name)):
                    continue
                self.changed.add(name)
                if lasting and own.get(name) and not name.startswith("_"):
                    self.replaced.setdefault(number, []).append(name)

    def execute(self, source: str) -> None:
        """Run a cell quietly. Raises FunathonError, at once, when a service of the course takes no connection."""
        try:
            with failing_fast():
                run_quietly(self.shell, source)
        except ServiceGone as error:
            raise FunathonError(outage(error) or str(error)) from error

    def stop(self) -> None:
        """Show where it stopped, and what it had replaced until then."""
        self.progress.end(STOPPED)
        if self.replaced or self.moved:
            Report(self.replacements()).show()

    def replacements(self) -> list[str]:
        """Lines that say what has become of the learner's own variables and files."""
        lines = []
        for number, names in self.replaced.items():
            listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
            if number in self.judged:
                why = self.judged[number]
                lines.append(f"Your answer to {number} was replaced by the course's ({listed}). The check had said: {why}")
            else:
                maker = f"the answer to {number}" if number else "the chapter"
                lines.append(f"Your {listed} had the name of something that {maker} makes, and was replaced by it.")
        lines += [f"A file that the course's answer could not go on with is now called `{file}`." for file in self.moved]
        return lines


def reason(error: Exception, namespace: dict) -> str:
    """Why a cell broke off, in one line: what the learner can mend, else the error and the line of code it came from."""
    line = mendable(error)
    if line:
        return line.rstrip(".")
    own = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_globals is namespace]
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{f', {said}' if said else ''}{at_line(*own[-1]) if own else ''}"


def is_same(one: Any, other: Any) -> bool:
    """Whether a variable has kept its value: the same object, or an equal one."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if hasattr(one, "__code__"):
        return one.__code__.co_code == other.__code__.co_code and one.__code__.co_consts == other.__code__.co_consts
    try:
        if isinstance(one, np.ndarray):
            return np.array_equal(one, other)
        return one.equals(other) if hasattr(one, "equals") else bool(one == other)
    except Exception:  # what two values of any class do when compared is theirs
        return False
