import subprocess
import sys

import pytest
import yaml

from funathon.course.chapters import Cell, Chapter, chapter_paths, read_chapter
from funathon.course.launching import Repository
from funathon.course.notebooks import solved_notebook
from funathon.course.pages import Place, chapter_list, hours, page_of_file, place, sections, sidebar_text, site_texts, write_pages
from funathon.errors import FunathonError
from funathon.paths import ROOT

CHAPTERS = [read_chapter(path) for path in chapter_paths()]
COURSE = [(chapter, solved_notebook(chapter)) for chapter in CHAPTERS]
REPOSITORY = Repository("github.com", "owner/course")


def chapter_that_says(text: str, name: str = "9-test") -> Chapter:
    return Chapter(ROOT / "chapters" / f"{name}.py", (Cell("markdown", text, "given", None),))


def test_a_chapter_says_where_it_stands():
    chapter = chapter_that_says("# 9. Title\n\n*Part 2, RAG · chapter 5 of 7 · about 40 minutes · nothing needed before*")
    assert place(chapter) == Place(2, "RAG", 7, 40)


def test_a_chapter_that_does_not_is_an_error():
    with pytest.raises(FunathonError, match="does not say where the chapter stands"):
        place(chapter_that_says("# 9. Title\n\nProse."))


def test_every_chapter_and_every_page_of_site_is_in_the_menu():
    listed = [page for pages in sections(CHAPTERS).values() for page in pages]
    assert len(listed) == len(set(listed))
    written = {f"site/{path.name}" for path in (ROOT / "site").glob("*.qmd")}
    made = {name for name in site_texts(COURSE, None) if name.endswith(".qmd")}
    assert set(listed) == {"index.qmd"} | written | made | {f"site/{path.stem}.ipynb" for path in chapter_paths()}
    contents = yaml.safe_load(sidebar_text(CHAPTERS))["website"]["sidebar"]["contents"]
    hrefs = [page["href"] if isinstance(page, dict) else page for section in contents for page in section["contents"]]
    assert hrefs == listed


def test_the_home_page_lists_every_chapter_by_part():
    more = chapter_that_says("# 11. New one\n\n*Part 4, more · chapter 11 of 11 · about 25 minutes · nothing*")
    text = chapter_list([*CHAPTERS, more])
    for chapter in CHAPTERS:
        assert f"(site/{chapter.name}.ipynb)" in text
    assert "### Part 4: more" in text and "11. [New one](site/9-test.ipynb), 25 minutes" in text


def test_the_home_page_says_so_when_chapters_are_missing():
    first = chapter_list(CHAPTERS[:1])
    assert f"1 of {place(CHAPTERS[0]).of} chapters are written so far" in first


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(10, "½ hour"), (30, "½ hour"), (60, "1 hour"), (85, "1½ hours"), (195, "3 hours"), (210, "3½ hours")],
)
def test_times_are_told_to_the_half_hour(minutes, expected):
    assert hours(minutes) == expected


def test_a_file_of_the_project_becomes_a_page_whose_links_lead_to_the_source():
    text = "# Data sheet\n\nSee [the licence](../LICENSE-CC-BY-4.0.md), [Quarto](https://quarto.org) and [below](#below).\n"
    page = page_of_file(text, "data", REPOSITORY)
    assert page.startswith('---\ntitle: "Data sheet"\n---\n')
    assert "[the licence](https://github.com/owner/course/blob/main/LICENSE-CC-BY-4.0.md)" in page
    assert "[Quarto](https://quarto.org) and [below](#below)" in page
    assert "See the licence, [Quarto]" in page_of_file(text, "data", None)


def test_pages_are_written_once_and_touched_only_when_they_change(tmp_path):
    first = write_pages(tmp_path, COURSE)
    assert {"site/results.qmd", "site/_sidebar.yml", "site/1-data.ipynb"} <= set(first)
    assert write_pages(tmp_path, COURSE) == []
    (tmp_path / "site" / "0-gone.ipynb").write_text("{}")
    (tmp_path / "site" / "results.qmd").write_text("changed")
    assert write_pages(tmp_path, COURSE) == ["site/results.qmd"]
    assert not (tmp_path / "site" / "0-gone.ipynb").exists()


def test_whatever_is_made_is_ignored_by_git(tmp_path):
    made = write_pages(tmp_path, COURSE)
    done = subprocess.run(["git", "-C", str(ROOT), "check-ignore", *made], capture_output=True, text=True)
    assert sorted(done.stdout.split()) == sorted(made)


@pytest.fixture
def before_render(tmp_path):
    """A function that runs the script of Quarto's pre-render in a project of its own, with a Python that lacks the course."""
    (tmp_path / "site").mkdir()
    script = tmp_path / "site" / "before_render.py"
    script.write_text((ROOT / "site" / "before_render.py").read_text())

    def run(**environment):
        command = [sys.executable, "-S", str(script)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    return run


def test_quarto_s_pre_render_hands_over_to_the_python_of_the_project(before_render, tmp_path):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "called with $@"\nexit 3\n')
    python.chmod(0o755)
    done = before_render()
    assert done.stdout == "called with -m funathon pages\n"
    assert done.returncode == 3  # what fails there stops Quarto
    assert before_render(FUNATHON_PAGES="done").stdout == ""


def test_quarto_s_pre_render_says_so_when_the_course_is_not_installed(before_render):
    done = before_render()
    assert done.returncode == 1
    assert "uv sync" in done.stderr and "Traceback" not in done.stderr


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "funathon", "pages", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "what the site is rendered from" in done.stdout
