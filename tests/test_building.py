"""The preview pages of `funathon build`, without Quarto."""

import re

import pytest
from rich.console import Console

from funathon import building
from funathon.chapters import chapter_paths, read_chapter
from funathon.notebooks import preview_notebook, solved_notebook

CHAPTERS = [read_chapter(path) for path in chapter_paths()]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The preview of the chapters with their code but without outputs, so that it is made in seconds."""
    monkeypatch.setattr(building, "SITE", tmp_path / "_site")
    monkeypatch.setattr(building, "read_executed", lambda path: solved_notebook(read_chapter(path)))
    monkeypatch.setattr(building, "find_quarto", lambda: None)
    console = Console(record=True, width=200)
    building.build_site(console)
    return tmp_path / "_site", console.export_text()


def test_there_is_a_page_a_chapter_and_each_says_it_is_a_preview(site):
    folder, said = site
    assert "preview" in said and "quarto.org" in said
    for chapter in CHAPTERS:
        page = (folder / "chapters" / f"{chapter.name}.html").read_text()
        assert "plain preview, made without Quarto" in page
        assert page.count('<details class="answer">') == sum(len(q.solutions) for q in chapter.questions.values())
        for question in chapter.questions:
            assert f'id="question-{question.replace(".", "-")}"' in page


def test_every_link_and_image_of_the_preview_leads_somewhere(site):
    folder, _ = site
    for page in folder.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#:]+)(?:#[^"]*)?"', page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_asks_for_anything_from_elsewhere_or_shows_quarto_syntax(site):
    folder, _ = site
    for page in folder.rglob("*.html"):
        text = page.read_text()
        assert not re.findall(r'(?:src|href)="https?://(?!quarto\.org)[^"]*\.(?:js|css)', text)
        assert not re.search(r":::|\{\{<|#\| ", text)


def test_a_second_build_replaces_the_first(site):
    folder, _ = site
    (folder / "old.html").write_text("old")
    building.write_preview()
    assert not (folder / "old.html").exists()


def test_a_quarto_that_fails_is_an_error(monkeypatch, tmp_path):
    from funathon.errors import FunathonError

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
