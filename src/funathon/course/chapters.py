"""The chapters: one solved py:percent script each, from which everything else is made.

A cell's tag says what it is; `question="3.2"` (the second question of chapter 3) says which question it belongs to:

=============  ==========================================================================================
(no tag)       prose, or code that learners are given
`question`     markdown: what is asked; the first line is its title
`hint`         markdown: one hint, the vaguest first; at least one a question
`solution`     code: the answer; there may be several cells
`shortcut`     code: what `catch_up` runs in place of a solution that takes long; it leaves the same variables behind
`check`        code: one function `check(...)`, see `funathon.course.exercise`
=============  ==========================================================================================
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jupytext

from funathon.errors import FunathonError
from funathon.paths import CHAPTERS

KINDS = ("question", "hint", "solution", "shortcut", "check")


@dataclass(frozen=True)
class Cell:
    """One cell of a chapter: `type` is markdown or code, `kind` one of KINDS or given (prose and code without a tag)."""

    type: str
    source: str
    kind: str
    question: str | None
    options: tuple[str, ...] = ()
    """Lines such as `#| fig-alt: …`, which only Quarto reads; `source` is without them."""


@dataclass
class Question:
    """What belongs to one question, gathered from its cells."""

    number: str
    text: str
    hints: list[str] = field(default_factory=list)
    solutions: list[str] = field(default_factory=list)
    shortcut: str = ""
    check: str = ""

    @property
    def title(self) -> str:
        """First line of the question, without marks of emphasis or heading."""
        return self.text.splitlines()[0].strip("#* ")

    @property
    def name(self) -> str:
        """The title without its number: `add` for `Question 9.1: add`."""
        return re.sub(rf"^Question {re.escape(self.number)}:\s*", "", self.title)

    @property
    def body(self) -> str:
        """The question without its title."""
        return "\n".join(self.text.splitlines()[1:]).strip()

    @property
    def solution(self) -> str:
        """The code of all solution cells."""
        return "\n\n".join(self.solutions)


@dataclass(frozen=True)
class Chapter:
    """A chapter as read from its source."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Name of the file without its ending: `1-data`."""
        return self.path.stem

    @cached_property
    def title(self) -> str:
        """Text of the first heading."""
        found = re.search(r"^# (.+)$", self.cells[0].source, flags=re.MULTILINE)
        if self.cells[0].type != "markdown" or not found:
            raise FunathonError(f"{self.path} does not open with a heading.", "Make '# Title' its first markdown cell.")
        return found.group(1).strip()

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Questions by number, in the order of the chapter."""
        found: dict[str, Question] = {}
        for cell in self.cells:
            if cell.kind == "question":
                if cell.question in found:
                    raise FunathonError(f"{self.path} asks question {cell.question} twice.", "Number each question once.")
                found[cell.question] = Question(cell.question, cell.source)
            elif cell.kind != "given":
                if cell.question not in found:
                    raise FunathonError(
                        f"{self.path}: a {cell.kind} cell for question {cell.question} stands before that question.",
                        "Move it below the question, or mend its number.",
                    )
                question = found[cell.question]
                if cell.kind == "hint":
                    question.hints.append(cell.source)
                elif cell.kind == "solution":
                    question.solutions.append(cell.source)
                elif cell.kind == "shortcut":
                    question.shortcut = cell.source
                else:
                    question.check = cell.source
        number = self.name.split("-")[0]
        for place, question in enumerate(found.values(), 1):
            if question.number != f"{number}.{place}":
                raise FunathonError(
                    f"{self.path}: question {question.number} should be {number}.{place}.",
                    "Questions are numbered within their chapter, from 1.",
                )
            lacks = [kind for kind in ("hints", "solutions", "check") if not getattr(question, kind)]
            if lacks:
                raise FunathonError(
                    f"{self.path}: question {question.number} lacks its {lacks[0].removesuffix('s')}.",
                    "Every question has a hint, a solution and a check.",
                )
        return found

    def steps_before(self, number: str) -> list[tuple[str | None, str]]:
        """The code that stands before a question, in order: None and the source of a given cell, or the number of a question and
        the source of its answer, the shortcut or else the solution."""
        steps = []
        for cell in self.cells:
            if cell.kind == "question" and cell.question == number:
                return steps
            answers = "shortcut" if cell.question and self.questions[cell.question].shortcut else "solution"
            if cell.type == "code" and cell.kind in ("given", answers):
                steps.append((cell.question, cell.source))
        raise KeyError(number)


def read_chapter(path: Path) -> Chapter:
    """Read and verify a chapter.

    Raises FunathonError for a cell whose tag or question is not known, code that does not parse, or a question that lacks
    its hint, solution or check.
    """
    notebook = jupytext.read(path, fmt="py:percent")
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        unknown = [tag for tag in tags if tag not in KINDS]
        if unknown or len(tags) > 1:
            raise FunathonError(f"{path}: a cell is tagged {', '.join(tags)}.", f"Use one of {', '.join(KINDS)}, or no tag.")
        kind = tags[0] if tags else "given"
        question = cell.metadata.get("question")
        if (kind == "given") != (question is None):
            raise FunathonError(f"{path}: a {kind} cell {'names' if question else 'lacks'} a question.", 'Write question="1.3".')
        if cell.cell_type == "code":
            try:
                ast.parse(re.sub(r"^[%!].*$", "pass", cell.source, flags=re.MULTILINE))
            except SyntaxError as error:
                raise FunathonError(f"{path}: a cell is not Python: {error.msg}: {error.text}.", "Mend the cell.") from error
        lines = cell.source.splitlines()
        options = [line for line in lines if cell.cell_type == "code" and line.startswith("#| ")]
        source = "\n".join(line for line in lines if line not in options)
        cells.append(Cell(cell.cell_type, source, kind, question, tuple(options)))
    chapter = Chapter(path, tuple(cells))
    chapter.title, chapter.questions
    return chapter


def chapter_paths() -> list[Path]:
    """Sources of all chapters, in the order of their numbers."""
    return sorted(CHAPTERS.glob("[0-9]*.py"), key=lambda path: (int(re.match(r"\d+", path.name)[0]), path.name))


def find_chapter(name: str) -> Path:
    """The source of a chapter by its name (`1-data`), its number (`1`) or its file.

    Raises FunathonError when there is none.
    """
    wanted = Path(name).stem
    for path in chapter_paths():
        if wanted in (path.stem, path.stem.split("-")[0]):
            return path
    names = ", ".join(path.stem for path in chapter_paths())
    raise FunathonError(f"There is no chapter '{name}'.", f"The chapters are {names}.")
