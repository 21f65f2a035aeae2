import re
import sys

import nbformat
import pytest

from funathon.course import notebooks
from funathon.course.chapters import chapter_paths, read_chapter

CHAPTERS = [read_chapter(path) for path in chapter_paths()]


def test_the_notebooks_of_the_repository_are_in_date():
    assert notebooks.outdated_notebooks() == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_exercise_notebooks_hold_no_answer_no_output_and_nothing_of_quarto(chapter):
    node = notebooks.exercise_notebook(chapter)
    nbformat.validate(node)
    code = [cell.source for cell in node.cells if cell.cell_type == "code"]
    for question in chapter.questions.values():
        assert not any(solution in source for solution in question.solutions for source in code)
    for cell in node.cells:
        assert not cell.get("outputs")
        assert not re.search(r":::|\{\{<|^#\|", cell.source, re.MULTILINE), cell.source
        assert set(cell.metadata) == set()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_each_question_has_hints_a_cell_to_work_in_a_check_and_a_folded_solution(chapter):
    node = notebooks.exercise_notebook(chapter)
    cells = {cell.id: cell for cell in node.cells}
    for question in chapter.questions.values():
        name = f"question-{question.number.replace('.', '-')}"
        assert question.title in cells[f"{name}-question"].source
        assert cells[f"{name}-hint-1"].source.startswith("<details>")
        assert cells[f"{name}-answer"].source == notebooks.TO_DO
        assert cells[f"{name}-check"].source == f'check("{question.number}")'
        assert question.solution in cells[f"{name}-solution"].source


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_what_a_question_is_given_stands_before_the_cell_to_work_in(chapter):
    order = [cell.id for cell in notebooks.exercise_notebook(chapter).cells]
    asked = None
    for index, cell in enumerate(chapter.cells):
        if cell.kind == "question":
            asked = cell.question
        elif cell.question == asked and cell.kind == "check":
            asked = None
        elif cell.kind == "given" and asked:
            name = f"question-{asked.replace('.', '-')}"
            assert order.index(f"{name}-question") < order.index(f"cell-{index}") < order.index(f"{name}-answer")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_details_blocks_are_closed_and_fences_balanced(chapter):
    for cell in notebooks.exercise_notebook(chapter).cells:
        if cell.cell_type == "markdown":
            assert cell.source.count("<details>") == cell.source.count("</details>")
            assert cell.source.count("```") % 2 == 0


@pytest.mark.parametrize("folder", ["NOTEBOOKS", "COLAB_NOTEBOOKS"])
def test_an_out_of_date_notebook_is_listed_and_mended(tmp_path, monkeypatch, folder):
    monkeypatch.setattr(notebooks, folder, tmp_path)
    first, gone = tmp_path / "1-data.ipynb", tmp_path / "0-gone.ipynb"
    assert first in notebooks.outdated_notebooks()
    notebooks.write_notebooks()
    assert notebooks.outdated_notebooks() == []
    first.write_text("{}")
    gone.write_text("{}")
    assert notebooks.outdated_notebooks() == [gone, first]
    assert notebooks.write_notebooks() == [gone, first]
    assert not gone.exists()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_quarto_pages_fold_solutions_and_hints(chapter):
    page = notebooks.quarto_notebook(chapter, notebooks.solved_notebook(chapter), "the bar")
    solutions = [c for c in page.cells if c.cell_type == "code" and "code-fold: true" in c.source]
    hints = [c for c in page.cells if c.source.startswith('<details class="hint">')]
    assert len(solutions) == sum(len(q.solutions) for q in chapter.questions.values())
    assert len(hints) == sum(len(q.hints) for q in chapter.questions.values())
    assert page.cells[0].source.startswith("---\ntitle:")
    assert page.cells[1].source.startswith('<p class="facts">Part ')
    assert "the bar" in page.cells[1].source
    assert not any(c.metadata for c in page.cells)  # Quarto would make attributes of it


def test_pictures_keep_their_description_and_get_no_caption():
    (chapter,) = [c for c in CHAPTERS if c.name == "2-tokenizer"]
    page = notebooks.quarto_notebook(chapter, notebooks.solved_notebook(chapter))
    pictures = [line for c in page.cells if c.cell_type == "markdown" for line in c.source.splitlines() if "![" in line]
    assert pictures and all(
        line.startswith("![](") and 'fig-alt="The text &quot;artisan bakeries&quot;' in line for line in pictures
    )


def test_html_among_the_outputs_is_hidden_from_quarto_s_search_for_widgets():
    output = nbformat.v4.new_output("display_data", {"text/html": "<table></table>", "text/plain": "table"})
    assert notebooks.as_markdown(output).data == {"text/markdown": "```{=html}\n<table></table>\n```"}
    plain = nbformat.v4.new_output("display_data", {"text/plain": "1"})
    assert notebooks.as_markdown(plain).data == {"text/plain": "1"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_nothing_stands_between_the_chapter_and_its_first_cell_but_on_colab(chapter):
    node, colab = notebooks.exercise_notebook(chapter), notebooks.colab_notebook(chapter)
    first = next(cell for cell in node.cells if cell.cell_type == "code")
    assert first.source.startswith("from funathon.course.exercise import start")
    assert not any("colab" in cell.source for cell in node.cells)
    assert [cell.id for cell in colab.cells] == [node.cells[0].id, "colab", *(cell.id for cell in node.cells[1:])]


def test_the_first_code_cell_installs_the_course_on_colab(monkeypatch):
    cell = notebooks.colab_notebook(CHAPTERS[0]).cells[1]
    assert cell.cell_type == "code"
    commands, places = [], []
    monkeypatch.setattr("subprocess.run", lambda command, check: commands.append(command))
    monkeypatch.setattr("builtins.input", lambda prompt: " https://github.com/owner/course ")
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.setattr("os.chdir", places.append)
    exec(cell.source, {})
    assert commands[0] == ["git", "clone", "--depth", "1", "https://github.com/owner/course", "/content/course"]
    assert commands[1][1:4] == ["-m", "pip", "install"] and commands[1][-1] == "/content/course"
    assert sys.path[0] == "/content/course/src" and places == ["/content/course/notebooks"]
