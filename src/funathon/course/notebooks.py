"""The notebooks made from a chapter: the exercises that learners open, the solved one that is executed, and its pages.

All three come from the cells of `funathon.course.chapters`; nothing is written twice.
"""

import re
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from funathon.course.chapters import Cell, Chapter, Question, chapter_paths, read_chapter
from funathon.files import write_text
from funathon.paths import COLAB_NOTEBOOKS, NOTEBOOKS

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
TO_DO = "# Write your answer here\n"
COLAB = """# On Google Colab, this installs the course (about two minutes).
import os
import subprocess
import sys

if not os.path.isdir("/content/course/.git"):
    repository = input("Address of the course, https://github.com/…: ").strip()
    subprocess.run(["git", "clone", "--depth", "1", repository, "/content/course"], check=True)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", "/content/course"], check=True)
sys.path.insert(0, "/content/course/src")
os.chdir("/content/course/notebooks")"""
"""First code cell of a notebook for Colab. It asks for the address because a notebook there does not know its own."""
QUESTION_STYLE = "border-left: 4px solid #3b82c4; background-color: rgba(59, 130, 196, 0.12); padding: 0.5em 1em; margin: 1em 0;"
"""Look of a question: a tint that lets the page's own ground and text colour through, so that it reads on a light and a dark one.
JupyterLab's class for such a box keeps its light colours under white text in the dark theme."""
# the class is not "solution", since Quarto takes a block of that class for a proof
FOLDED = ["#| code-fold: true", "#| code-summary: Click to see the answer", "#| classes: answer"]


def exercise_notebook(chapter: Chapter) -> NotebookNode:
    """The notebook participants open: questions, folded hints, an empty cell, a check cell, folded solutions. No outputs.

    What a question is given, between it and its hints, stands there in the notebook too.
    """
    cells = []
    last = last_cells(chapter)
    for index, cell in enumerate(chapter.cells):
        if cell.kind == "question":
            question = chapter.questions[cell.question]
            cells.append(markdown(f"{cell_name(question)}-question", box(f"#### {question.title}\n\n{question.body}")))
        elif cell.kind == "given":
            cells.append(plain_cell(cell, f"cell-{index}"))
        if index in last:
            cells += answering_cells(chapter.questions[last[index]])
    return notebook(cells)


def colab_notebook(chapter: Chapter) -> NotebookNode:
    """The exercise notebook with a first code cell that installs the course, which only Colab needs."""
    node = exercise_notebook(chapter)
    node.cells.insert(1, new_code_cell(COLAB, id="colab"))
    return node


def answering_cells(question: Question) -> list[NotebookNode]:
    """What follows a question in the exercise notebook: hints, a cell to work in, the check, the solution."""
    name = cell_name(question)
    hints = [details(hint_title(question, index), hint) for index, hint in enumerate(question.hints)]
    return [
        *(markdown(f"{name}-hint-{index}", hint) for index, hint in enumerate(hints, 1)),
        new_code_cell(TO_DO, id=f"{name}-answer"),
        new_code_cell(check_call(question), id=f"{name}-check"),
        markdown(f"{name}-solution", details("Click to see the answer", f"```python\n{question.solution}\n```")),
    ]


def solved_notebook(chapter: Chapter) -> NotebookNode:
    """The notebook that is executed: all code with the official solutions, each question followed by its check.

    A cell's metadata `role` keeps the kind of the cell it comes from, `question` its number.
    """
    cells = []
    last = last_cells(chapter)
    for index, cell in enumerate(chapter.cells):
        if cell.kind not in ("check", "shortcut"):
            made = plain_cell(cell, f"cell-{index}")
            made.metadata.update(role=cell.kind, question=cell.question, options=list(cell.options))
            cells.append(made)
        if index in last:
            question = chapter.questions[last[index]]
            check = new_code_cell(check_call(question), id=f"{cell_name(question)}-check")
            check.metadata.update(role="check", question=question.number)
            cells.append(check)
    return notebook(cells)


def last_cells(chapter: Chapter) -> dict[int, str]:
    """Index of the last cell of each question, and the question's number."""
    last = {cell.question: index for index, cell in enumerate(chapter.cells) if cell.question}
    return {index: number for number, index in last.items()}


def quarto_notebook(chapter: Chapter, executed: NotebookNode, bar: str = "") -> NotebookNode:
    """The executed notebook as Quarto renders it: solutions folded by Quarto, questions and hints as HTML blocks.

    `bar` is markdown that stands below the title (see `funathon.course.launching`).
    """
    front = new_raw_cell(f'---\ntitle: "{chapter.title}"\n---', id="front-matter")
    cells = page_cells(chapter, executed, bar)
    for cell in cells:
        if cell.cell_type == "code":
            own = {"solution": FOLDED, "check": ["#| classes: check"]}.get(cell.metadata.get("role"), [])
            cell.source = "\n".join([*own, *cell.metadata.get("options", []), cell.source])
            cell.outputs = [as_markdown(output) for output in cell.outputs]
        elif cell.cell_type == "markdown":
            # else Quarto would print the description of a picture below it
            cell.source = re.sub(r"!\[([^\]]+)\]\(([^)]+)\)", describe, cell.source)
        cell.metadata = nbformat.from_dict({})
    return notebook([front, *cells])


def preview_notebook(chapter: Chapter, executed: NotebookNode, bar: str = "") -> NotebookNode:
    """The executed notebook for the plain pages that nbconvert makes; its template folds the solutions."""
    cells = page_cells(chapter, executed, bar)
    for cell in cells:
        alt = [option.removeprefix("#| fig-alt:").strip() for option in cell.metadata.get("options", []) if "fig-alt:" in option]
        for output in cell.get("outputs", []):
            if alt and "image/png" in output.get("data", {}):
                output.metadata["image/png"] = {"alt": alt[0]}
    return notebook([new_markdown_cell(f"# {chapter.title}", id="title"), *cells])


def page_cells(chapter: Chapter, executed: NotebookNode, bar: str) -> list[NotebookNode]:
    """Cells of a chapter's page without its title: questions and hints are HTML blocks, which Quarto and nbconvert both take."""
    heading = chapter.cells[0].source
    cells = []
    hints: dict[str, int] = {}
    for cell in executed.cells:
        role, number = cell.metadata.get("role"), cell.metadata.get("question")
        made = nbformat.from_dict(cell)
        if cell.cell_type == "code":
            # libraries that draw a progress bar leave empty lines where it stood
            made.outputs = [output for output in made.outputs if output.output_type != "stream" or output.text.strip()]
        if cell.cell_type == "markdown" and cell.source == heading:
            below = re.sub(r"^# .+\n?", "", heading, count=1).strip()
            # the line that says where the chapter stands
            below = re.sub(r"^\*(Part [^*]+)\*$", r'<p class="facts">\1</p>', below, flags=re.MULTILINE)
            facts, _, rest = below.partition("\n\n")
            made.source = "\n\n".join(part for part in (facts, bar, rest) if part)
        elif role == "question":
            question = chapter.questions[number]
            made.source = (
                f'<div class="exercise" id="{cell_name(question)}">\n\n### {question.title}\n\n{question.body}\n\n</div>'
            )
        elif role == "hint":
            title = hint_title(chapter.questions[number], hints.get(number, 0))
            hints[number] = hints.get(number, 0) + 1
            made.source = details(title, cell.source, "hint")
        cells.append(made)
    return cells


def describe(match: re.Match) -> str:
    """A picture in Quarto's markdown, without a caption."""
    description, file = match.groups()
    return f'![]({file}){{fig-alt="{escape(" ".join(description.split()))}"}}'


def as_markdown(output: NotebookNode) -> NotebookNode:
    """An output whose HTML, if any, is markdown that holds it unchanged.

    Where Quarto meets HTML among the outputs it adds require.js and jQuery from a server elsewhere, in case it is a widget.
    """
    html = output.get("data", {}).get("text/html")
    if html:
        output.data = nbformat.from_dict({"text/markdown": f"```{{=html}}\n{html.strip()}\n```"})
    return output


def hint_title(question: Question, index: int) -> str:
    """`Hint`, or `Hint 1`, `Hint 2` where there are several."""
    return "Hint" if len(question.hints) == 1 else f"Hint {index + 1}"


def plain_cell(cell: Cell, name: str) -> NotebookNode:
    """A chapter's cell as a notebook's cell, without its markers."""
    return (new_markdown_cell if cell.type == "markdown" else new_code_cell)(cell.source, id=name)


def markdown(name: str, source: str) -> NotebookNode:
    """A markdown cell with the id `name`."""
    return new_markdown_cell(source, id=name)


def notebook(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook without volatile metadata."""
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def cell_name(question: Question) -> str:
    """`question-1-3`, usable as a cell's id."""
    return f"question-{question.number.replace('.', '-')}"


def check_call(question: Question) -> str:
    """The code of a check cell."""
    return f'check("{question.number}")'


def details(summary: str, body: str, kind: str = "") -> str:
    """A collapsed block that JupyterLab, VS Code, Colab and the site all show; the blank lines let its body be markdown."""
    opening = f'<details class="{kind}">' if kind else "<details>"
    return f"{opening}\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def box(body: str) -> str:
    """A block with the look of a question; where styles are taken out, as in some viewers, it is plain text."""
    return f'<div style="{QUESTION_STYLE}">\n\n{body}\n\n</div>'


def to_json(node: NotebookNode) -> str:
    """The text of an .ipynb file."""
    nbformat.validate(node)
    return nbformat.writes(node, indent=1) + "\n"


def expected_notebooks() -> dict[Path, str]:
    """Path and text of every exercise notebook, and of its copy for Colab, from the chapters."""
    expected = {}
    for path in chapter_paths():
        chapter = read_chapter(path)
        expected[NOTEBOOKS / f"{path.stem}.ipynb"] = to_json(exercise_notebook(chapter))
        expected[COLAB_NOTEBOOKS / f"{path.stem}.ipynb"] = to_json(colab_notebook(chapter))
    return expected


def outdated_notebooks() -> list[Path]:
    """Exercise notebooks, and copies for Colab, that are missing, differ from their chapter or have none."""
    expected = expected_notebooks()
    present = [path for folder in (NOTEBOOKS, COLAB_NOTEBOOKS) for path in folder.glob("*.ipynb")]
    found = {path: path.read_text(encoding="utf-8") for path in present}
    return sorted(path for path in expected | found if expected.get(path) != found.get(path))


def write_notebooks() -> list[Path]:
    """Bring them up to date; return those that changed."""
    expected = expected_notebooks()
    changed = outdated_notebooks()
    for path in changed:
        if path in expected:
            write_text(path, expected[path])
        else:
            path.unlink()
    return changed
