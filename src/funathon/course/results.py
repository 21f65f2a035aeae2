"""Every figure of the course on one page, read from the executed chapters and the model card."""

import re

import nbformat

from funathon.course.chapters import Chapter
from funathon.course.notebooks import cell_name
from funathon.course.verdicts import Verdict

RIGHT = f"{Verdict.MARKS['right']}: "
SETTINGS = "Settings"
"""The section of the model card that holds what was chosen, not what was measured."""


def figures(executed: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Question number and what its check found, for each check of an executed chapter that found a figure."""
    found = []
    for cell in executed.cells:
        if cell.metadata.get("role") != "check":
            continue
        for output in cell.get("outputs", []):
            said = output.get("data", {}).get("text/plain", "")
            if said.startswith(RIGHT) and re.search(r"\d", said):
                found.append((cell.metadata.question, said.removeprefix(RIGHT)))
    return found


def chapter_figures(chapter: Chapter, executed: nbformat.NotebookNode) -> str:
    """A section of the results page: the figures of one chapter, each with a link to its question; empty if it has none."""
    rows = [
        f"| [{cell_text(chapter.questions[number].title)}]({chapter.name}.ipynb#{cell_name(chapter.questions[number])})"
        f" | {cell_text(said)} |"
        for number, said in figures(executed)
    ]
    if not rows:
        return ""
    heading = f"## [{chapter.title}]({chapter.name}.ipynb)"
    return "\n".join([heading, "", "| question | what its check measured |", "|:---|:---|", *rows, ""])


def cell_text(text: str) -> str:
    """Text that stays in its cell of a markdown table and is not read as markdown."""
    return re.sub(r"([\\|*_<\[\]`$~^])", r"\\\1", " ".join(text.split()))


def card_sections(card: str) -> str:
    """The sections of the model card that hold figures, one level of heading lower: all from `Figures` on but SETTINGS.

    Raises ValueError when the card has no section `Figures`.
    """
    titles = re.findall(r"^## (.+)$", card, flags=re.MULTILINE)
    if "Figures" not in titles:
        raise ValueError("the model card has no section 'Figures'")
    bodies = re.split(r"^## .+$", card, flags=re.MULTILINE)[1:]
    sections = list(zip(titles, bodies))[titles.index("Figures") :]
    kept = [f"## {title}\n\n{body.strip()}\n" for title, body in sections if title != SETTINGS]
    return re.sub(r"^##", "###", "\n".join(kept), flags=re.MULTILINE)


def results_page(chapters: list[tuple[Chapter, nbformat.NotebookNode]], card: str) -> str:
    """The results page in markdown, for Quarto and the preview."""
    sections = [section for chapter, executed in chapters if (section := chapter_figures(chapter, executed))]
    return "\n".join(
        [
            INTRODUCTION,
            *sections,
            "## The pretrained model\n",
            "From its [model card](model-card.qmd), which says how it was made and what the figures do not say.\n",
            card_sections(card),
        ]
    )


INTRODUCTION = """---
title: "At a glance"
subtitle: "Every figure of the course in one place"
---

Nothing on this page was typed: each line is what the check of a question said when the chapter was last executed, or a table
of the model card. Click on a question to see how its figure came about.

Read them as figures about *these* texts. Labels and field test are synthetic (the [data sheet](data-sheet.qmd) says how they
were made), and a register would give others. Small differences mean nothing where the intervals overlap.
"""
