"""How far a long task in a notebook is: a line for each part of it, in one place that is updated."""

import time
import uuid
from dataclasses import dataclass

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data

from funathon.course.chapters import Question
from funathon.course.showing import Shown
from funathon.course.verdicts import as_html

RUNNING, DONE, KEPT, STOPPED = "running …", "done", "kept, your answer is right", "stopped"


class Report(Shown):
    """Lines of text; code in them stands in backticks."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def bundle(self) -> dict[str, str]:
        """As plain text and as HTML."""
        return {
            "text/plain": "\n".join(self.lines).replace("`", ""),
            "text/html": "".join(f"<p>{as_html(line)}</p>" for line in self.lines),
        }


class Progress:
    """The questions one after the other, each with what became of it and the seconds it took, in one place that is updated."""

    def __init__(self, target: Question) -> None:
        self.head = f"Catching up to question {target.number}"
        self.name = uuid.uuid4().hex
        self.rows: list[Row] = []
        self.started = time.perf_counter()
        self.add("The chapter's first cells")

    def add(self, what: str) -> None:
        """Open a row, and close the one before."""
        self.close(DONE)
        self.rows.append(Row(what, time.perf_counter()))
        self.refresh()

    def begin(self, question: Question) -> None:
        """Go on to the answer of a question."""
        self.add(f"{question.number} {question.name}")

    def keep(self) -> None:
        """The answer of the open row stays as it is."""
        self.rows[-1].state = KEPT
        self.refresh()

    def end(self, state: str) -> None:
        """Close the last row."""
        self.close(state)
        self.refresh()

    def close(self, state: str) -> None:
        """Write down how the open row ended and how long it took."""
        if self.rows:
            self.rows[-1].seconds = time.perf_counter() - self.rows[-1].since
            if self.rows[-1].state == RUNNING or state == STOPPED:
                self.rows[-1].state = state

    def refresh(self) -> None:
        """Show it, in the place where it was shown before."""
        report = Report([f"{self.head}, {time.perf_counter() - self.started:.0f} s", *map(str, self.rows)])
        if InteractiveShell.initialized():
            first = len(self.rows) == 1 and self.rows[0].state == RUNNING
            publish_display_data(report.bundle(), transient={"display_id": self.name}, update=not first)


@dataclass
class Row:
    """One line of the progress: what it is about, when it began, its state, and in the end the seconds it took."""

    what: str
    since: float
    state: str = RUNNING
    seconds: float = 0

    def __str__(self) -> str:
        return f"{self.what}: {self.state}{f' ({self.seconds:.0f} s)' if self.seconds >= 1 else ''}"
