"""How far a long task in a notebook is: a line for each part of it, in one place that is updated, each second too."""

import contextvars
import threading
import time
import uuid
from dataclasses import dataclass

from IPython.core.interactiveshell import InteractiveShell

from funathon.course.chapters import Question
from funathon.course.showing import Shown
from funathon.course.verdicts import as_html

TICK = 1.0
"""Seconds between two updates while a part takes long."""
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
    """The questions one after the other, each with what became of it and the seconds it took, in one place that is updated.

    While it is entered (`with`), a thread shows the seconds that pass: a cell of half a minute would look as if it hung.
    """

    def __init__(self, target: Question) -> None:
        self.head = f"Catching up to question {target.number}"
        self.name = uuid.uuid4().hex
        self.rows: list[Row] = []
        self.started = time.perf_counter()
        # what runs quietly has another publisher, which the thread must not take
        self.publisher = InteractiveShell.instance().display_pub if InteractiveShell.initialized() else None
        self.publishing, self.shown = threading.Lock(), False
        self.ended = threading.Event()
        self.add("The chapter's first cells")

    def __enter__(self) -> "Progress":
        """Begin to tick, in the context of the cell, by which a notebook knows where to show it."""
        context = contextvars.copy_context()
        self.thread = threading.Thread(target=context.run, args=(self.tick,), name="ticking", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Tick no more."""
        self.ended.set()
        self.thread.join()

    def tick(self) -> None:
        """Show it again and again until it has ended."""
        while not self.ended.wait(TICK):
            self.refresh()

    def add(self, what: str) -> None:
        """Open a row, and close the one before; a row of that name that is open stays so."""
        if self.rows and self.rows[-1].what == what:
            return
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
        if self.publisher is None:
            return
        with self.publishing:
            report = Report([f"{self.head}, {time.perf_counter() - self.started:.0f} s", *map(str, self.rows)])
            self.publisher.publish(data=report.bundle(), metadata={}, transient={"display_id": self.name}, update=self.shown)
            self.shown = True


@dataclass
class Row:
    """One line of the progress: what it is about, when it began, its state, and in the end the seconds it took."""

    what: str
    since: float
    state: str = RUNNING
    seconds: float | None = None

    def __str__(self) -> str:
        """The seconds of a row that is open are those until now."""
        seconds = time.perf_counter() - self.since if self.seconds is None else self.seconds
        return f"{self.what}: {self.state}{f' ({seconds:.0f} s)' if seconds >= 1 else ''}"
