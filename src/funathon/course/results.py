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
            "## The pretrained model\n",
            "From its [model card](model-card.qmd), which says how it was made and what the figures do not say. Another page shows"
            " [what it gets wrong](errors.qmd), and why.\n",
            card_sections(card),
            *sections,
        ]
    )


HARD_FIRST = ("descriptions", "entries", "field test")
"""The tests of the model card, as its columns stand, the hard ones first."""
TOLD = {
    "descriptions": "organisations about themselves, 30 to 150 words, history and values included",
    "entries": "a product, machine or service in a few words, as in an alphabetical index",
    "field test": "short texts as on a registration form, the easy ones",
}


def hard_figures(card: str) -> str:
    """A table in markdown for the home page: what the pretrained model reaches on each test, from its card.

    Raises ValueError when the card has no such figures.
    """
    rows = {name: cells.split(" | ") for name, cells in re.findall(r"^\| (.+?) \| (.+) \|$", card, flags=re.MULTILINE)}
    wanted = ("top-1 accuracy", "top-5 accuracy")
    if not all(name in rows for name in wanted) or "**not codable, all kinds**" not in rows:
        raise ValueError("the model card has no figures of the tests")
    lines = ["| what people wrote | right | among the first five |", "|:---|:---|:---|"]
    for column, test in enumerate(HARD_FIRST):
        lines.append(f"| **{test}**: {TOLD[test]} | " + " | ".join(rows[name][column] for name in wanted) + " |")
    recognised = rows["**not codable, all kinds**"][1]
    lines.append(f"| **not codable**: too vague, a name, another language: recognised as such | {recognised} | |")
    return "\n".join(lines) + "\n"


INTRODUCTION = """---
title: "At a glance"
subtitle: "Every figure of the course in one place"
---

Nothing on this page was typed: each line is what the check of a question said when the chapter was last executed, or a table
of the model card. Click on a question to see how its figure came about.

Read them as figures about *these* texts. Labels and field test are synthetic (the [data sheet](data-sheet.qmd) says how they
were made), and a register would give others. Small differences mean nothing where the intervals overlap.
"""
