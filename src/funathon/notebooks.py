"""The notebooks made from a chapter: the exercises that learners open, the solved one that is executed, and its pages.

All three come from the cells of `funathon.chapters`; nothing is written twice.
"""

import re

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from funathon.chapters import Cell, Chapter, Question, chapter_paths, read_chapter
from funathon.files import write_text
from funathon.paths import NOTEBOOKS

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
TO_DO = "# Write your answer here\n"
FOLDED = ["#| code-fold: true", "#| code-summary: Click to see the answer"]


def exercise_notebook(chapter: Chapter) -> NotebookNode:
    """The notebook participants open: questions, folded hints, an empty cell, a check cell, folded solutions. No outputs."""
    cells = []
    for index, cell in enumerate(chapter.cells):
        if cell.kind == "question":
            cells += exercise_cells(chapter.questions[cell.question])
        elif cell.kind == "given":
            cells.append(plain_cell(cell, f"cell-{index}"))
    return notebook(cells)


def exercise_cells(question: Question) -> list[NotebookNode]:
    """Cells of one question in the exercise notebook."""
    name = cell_name(question)
    hints = [details(hint_title(question, index), hint) for index, hint in enumerate(question.hints)]
    return [
        markdown(f"{name}-question", alert("info", f"**{question.title}**\n\n{question.body}")),
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
        if cell.kind != "check":
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


def quarto_notebook(chapter: Chapter, executed: NotebookNode) -> NotebookNode:
    """The executed notebook in Quarto's terms: callouts for questions and hints, folded code for solutions."""
    heading = chapter.cells[0].source
    front = new_raw_cell(f'---\ntitle: "{chapter.title}"\n---', id="front-matter")
    cells = [front]
    hints: dict[str, int] = {}
    for cell in executed.cells:
        role, number = cell.metadata.get("role"), cell.metadata.get("question")
        made = nbformat.from_dict(cell)
        made.metadata = nbformat.from_dict({})
        if cell.cell_type == "markdown" and cell.source == heading:
            made.source = re.sub(r"^# .+\n?", "", heading, count=1).strip()
        elif role == "question":
            question = chapter.questions[number]
            made.source = div(
                f".callout-note .exercise #question-{number.replace('.', '-')} icon=false", question.title, question.body
            )
        elif role == "hint":
            title = hint_title(chapter.questions[number], hints.get(number, 0))
            hints[number] = hints.get(number, 0) + 1
            made.source = div('.callout-tip .hint collapse="true" icon=false', title, cell.source)
        elif cell.cell_type == "code":
            options = {"solution": FOLDED, "check": ["#| classes: check"]}.get(role, []) + cell.metadata.get("options", [])
            made.source = "\n".join([*options, cell.source])
        cells.append(made)
    return notebook(cells)


def preview_notebook(chapter: Chapter, executed: NotebookNode) -> NotebookNode:
    """The executed notebook for the plain pages that nbconvert makes: questions and hints as HTML that needs no Quarto."""
    cells = []
    hints: dict[str, int] = {}
    for cell in executed.cells:
        role, number = cell.metadata.get("role"), cell.metadata.get("question")
        made = nbformat.from_dict(cell)
        alt = [option.removeprefix("#| fig-alt:").strip() for option in cell.metadata.get("options", []) if "fig-alt:" in option]
        for output in made.get("outputs", []):
            if alt and "image/png" in output.get("data", {}):
                output.metadata["image/png"] = {"alt": alt[0]}
        if role == "question":
            question = chapter.questions[number]
            made.source = f'<h4 id="question-{number.replace(".", "-")}">{question.title}</h4>\n\n' + alert("info", question.body)
        elif role == "hint":
            title = hint_title(chapter.questions[number], hints.get(number, 0))
            hints[number] = hints.get(number, 0) + 1
            made.source = details(title, cell.source)
        if cell.cell_type == "markdown":
            made.source = re.sub(r"\]\(([\w-]+)\.ipynb", r"](\1.html", made.source)
        cells.append(made)
    return notebook(cells)


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


def details(summary: str, body: str) -> str:
    """A collapsed block that JupyterLab, VS Code and Colab all show; the blank lines let its body be markdown."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def alert(kind: str, body: str) -> str:
    """A coloured block: JupyterLab and Colab colour it, VS Code shows it as plain text."""
    return f'<div class="alert alert-block alert-{kind}">\n\n{body}\n\n</div>'


def div(attributes: str, title: str, body: str) -> str:
    """A fenced div of Quarto with a title."""
    return f'::: {{{attributes} title="{title}"}}\n{body}\n:::'


def to_json(node: NotebookNode) -> str:
    """The text of an .ipynb file."""
    nbformat.validate(node)
    return nbformat.writes(node, indent=1) + "\n"


def expected_notebooks() -> dict[str, str]:
    """Name and text of every exercise notebook, from the chapters."""
    return {f"{path.stem}.ipynb": to_json(exercise_notebook(read_chapter(path))) for path in chapter_paths()}


def outdated_notebooks() -> list[str]:
    """Names of exercise notebooks that are missing, differ from their chapter or have none."""
    expected = expected_notebooks()
    found = {path.name: path.read_text(encoding="utf-8") for path in NOTEBOOKS.glob("*.ipynb")}
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def write_notebooks() -> list[str]:
    """Bring `notebooks/` up to date; return the names of the notebooks that changed."""
    expected = expected_notebooks()
    changed = outdated_notebooks()
    for name in changed:
        if name in expected:
            write_text(NOTEBOOKS / name, expected[name])
        else:
            (NOTEBOOKS / name).unlink()
    return changed
