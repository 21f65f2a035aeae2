import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from funathon.course.chapters import chapter_paths, read_chapter
from funathon.course.notebooks import notebook
from funathon.course.results import card_sections, cell_text, chapter_figures, figures, hard_figures, results_page
from funathon.paths import DATA

CHAPTER = read_chapter(chapter_paths()[0])
CARD = (DATA / "pretrained" / "MODEL_CARD.md").read_text()


def checked(number: str, said: str) -> nbformat.NotebookNode:
    cell = new_code_cell(f'check("{number}")', outputs=[new_output("execute_result", {"text/plain": said})])
    cell.metadata.update(role="check", question=number)
    return cell


EXECUTED = notebook(
    [
        new_markdown_cell("12 is not a result"),
        checked("1.1", "✓ Right: your .env was read"),
        checked("1.2", "✓ Right: 4,321 rows with the columns code | label"),
        checked("1.3", "✗ Not yet: n_classes should be 651"),
    ]
)


def test_figures_are_what_checks_that_were_right_said():
    assert figures(EXECUTED) == [("1.2", "4,321 rows with the columns code | label")]


def test_each_figure_leads_to_its_question():
    section = chapter_figures(CHAPTER, EXECUTED)
    assert "(1-data.ipynb#question-1-2) | 4,321 rows with the columns code \\| label |" in section


def test_a_chapter_without_figures_has_no_section():
    assert chapter_figures(CHAPTER, notebook([])) == ""


def test_what_a_check_says_is_not_read_as_markdown():
    assert cell_text("a|b\n*c* [d] <e>") == r"a\|b \*c\* \[d\] \<e>"


def test_the_page_holds_the_tables_of_the_model_card():
    page = results_page([(CHAPTER, EXECUTED)], CARD)
    for line in CARD.splitlines():
        if line.startswith(("| top-", "| entries | ")):
            assert line in page
    assert "\n### Figures\n" in page
    assert "| row_length |" in CARD and "| row_length |" not in page


def test_a_card_without_its_figures_is_an_error():
    with pytest.raises(ValueError, match="no section 'Figures'"):
        card_sections("# Model card\n\nNothing measured.\n")


def test_the_home_page_has_the_figures_of_the_card_the_hard_ones_first():
    lines = hard_figures(CARD).splitlines()
    assert [line.split("**")[1] for line in lines[2:]] == ["descriptions", "entries", "field test", "not codable"]
    top1 = next(line for line in CARD.splitlines() if line.startswith("| top-1 accuracy")).split(" | ")[1:4]
    assert [line.split(" | ")[1] for line in lines[2:5]] == top1
    with pytest.raises(ValueError, match="no figures"):
        hard_figures("| top-1 accuracy | 1 |")


def test_the_hard_figures_stand_first_on_the_page():
    page = results_page([(CHAPTER, EXECUTED)], CARD)
    assert page.index("top-1 accuracy") < page.index("4,321 rows")
    header = next(line for line in CARD.split("## Figures")[1].splitlines() if line.startswith("|"))
    assert [cell.strip() for cell in header.split("|")[2:5]] == ["descriptions", "entries", "field test"]
