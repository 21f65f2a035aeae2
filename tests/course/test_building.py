"""The preview pages of `funathon build`, without Quarto. What they look like in a browser is tested in test_site.py."""

import re

import pytest
from rich.console import Console

from funathon.course import building
from funathon.course.chapters import chapter_paths, read_chapter
from funathon.course.notebooks import preview_notebook, solved_notebook
from funathon.course.pages import sections
from funathon.errors import FunathonError

CHAPTERS = [read_chapter(path) for path in chapter_paths()]
COURSE = [(chapter, solved_notebook(chapter)) for chapter in CHAPTERS]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The preview of the chapters with their code but without outputs, so that it is made in seconds."""
    folder = tmp_path_factory.mktemp("preview") / "_site"
    building.write_preview(folder, COURSE)
    return folder


def test_without_quarto_the_command_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(building, "find_quarto", lambda: None)
    monkeypatch.setattr(building, "write_preview", lambda site: None)
    console = Console(record=True, width=200)
    building.build_site(console)
    said = console.export_text()
    assert "preview" in said and "quarto.org" in said


@pytest.mark.slow
def test_every_page_of_the_menu_is_there_and_says_it_is_a_preview(site):
    for source in [page for pages in sections(CHAPTERS).values() for page in pages]:
        assert "plain preview, made without Quarto" in (site / building.page_of(source)).read_text()


@pytest.mark.slow
def test_each_question_has_an_anchor_and_each_solution_is_folded(site):
    for chapter in CHAPTERS:
        page = (site / "site" / f"{chapter.name}.html").read_text()
        assert page.count('<div class="answer"><details>') == sum(len(q.solutions) for q in chapter.questions.values())
        assert page.count('<details class="hint">') == sum(len(q.hints) for q in chapter.questions.values())
        for question in chapter.questions:
            assert f'id="question-{question.replace(".", "-")}"' in page


@pytest.mark.slow
def test_a_second_build_replaces_the_first(site):
    (site / "old.html").write_text("old")
    building.write_preview(site, COURSE)
    assert not (site / "old.html").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("On your own machine", "on-your-own-machine"), ("1. Get Python & uv", "get-python--uv"), ("Recall at k", "recall-at-k")],
)
def test_headings_get_the_ids_that_quarto_gives_them(text, expected):
    assert building.heading_id(re.sub(" ", "-", text)) == expected


def test_a_quarto_that_fails_is_an_error(monkeypatch, tmp_path):
    quarto = tmp_path / "quarto"
    quarto.write_text("#!/bin/sh\nexit 3\n")
    quarto.chmod(0o755)
    monkeypatch.setattr(building, "find_quarto", lambda: str(quarto))
    with pytest.raises(FunathonError, match="Quarto could not render"):
        building.build_site(Console(quiet=True))


def test_pictures_have_alternative_texts():
    for chapter in CHAPTERS:
        node = preview_notebook(chapter, solved_notebook(chapter))
        for cell in node.cells:
            for alt in re.findall(r"!\[([^\]]*)\]", cell.source if cell.cell_type == "markdown" else ""):
                assert len(alt) > 20
            if cell.cell_type == "code" and "plt.show()" in cell.source:
                assert any("fig-alt" in option for option in cell.metadata["options"]), cell.source
