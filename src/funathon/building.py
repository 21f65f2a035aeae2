"""Rendering the site: by Quarto where there is one, else as plain preview pages."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from pygments.formatters import HtmlFormatter
from rich.console import Console

from funathon.chapters import Chapter, chapter_paths, read_chapter
from funathon.errors import FunathonError
from funathon.notebooks import notebook, preview_notebook
from funathon.paths import ROOT, SITE
from funathon.running import read_executed

PREVIEW = Path(__file__).with_name("preview")
HOME_TITLE = "Automatic coding into NACE Rev. 2.1"
HOW_TO_GET_QUARTO = "For the real site install Quarto (https://quarto.org), or run: uv run --group site funathon build"
BANNER = f"This is a plain preview, made without Quarto. {HOW_TO_GET_QUARTO}"


def find_quarto() -> str | None:
    """Path of the quarto command: on PATH, or beside this Python, where the dependency group `site` installs it."""
    return shutil.which("quarto") or shutil.which("quarto", path=sysconfig.get_path("scripts"))


def build_site(console: Console) -> None:
    """Render the executed chapters into `_site/`, with Quarto or as a preview.

    Raises FunathonError when Quarto fails.
    """
    quarto = find_quarto()
    if quarto is None:
        write_preview()
        console.print(f"[yellow]No Quarto here, so _site/ holds preview pages.[/] {HOW_TO_GET_QUARTO}")
    else:
        done = subprocess.run([quarto, "render", str(ROOT)], env=os.environ | {"QUARTO_PYTHON": sys.executable})
        if done.returncode:
            raise FunathonError("Quarto could not render the site.", "Its messages stand above.")
    console.print(f"Open {SITE / 'index.html'}")


def write_preview() -> None:
    """Write a home page and one page a chapter into `_site/`, without Quarto.

    The pages are made in a temporary folder that then takes the place of `_site/`.
    """
    chapters = [read_chapter(path) for path in chapter_paths()]
    with tempfile.TemporaryDirectory(dir=ROOT, prefix="._site.") as folder:
        new = Path(folder) / "new"
        shutil.copytree(ROOT / "site" / "images", new / "site" / "images")
        (new / "chapters").mkdir()
        (new / "index.html").write_text(home_page(chapters), encoding="utf-8")
        for index, chapter in enumerate(chapters):
            page = {
                "title": f"{chapter.title} · {HOME_TITLE}",
                "home": "../index.html",
                "previous": link(chapters[index - 1]) if index else None,
                "next": link(chapters[index + 1]) if index + 1 < len(chapters) else None,
            }
            html = render(preview_notebook(chapter, read_executed(chapter.path)), page)
            (new / "chapters" / f"{chapter.name}.html").write_text(html, encoding="utf-8")
        if SITE.exists():
            SITE.rename(Path(folder) / "old")
        new.rename(SITE)


def link(chapter: Chapter) -> dict[str, str]:
    """Where a chapter's page lies beside the others, and its title."""
    return {"href": f"{chapter.name}.html", "title": chapter.title}


def home_page(chapters: list[Chapter]) -> str:
    """The home page of the preview: the list of chapters."""
    items = "\n".join(f"1. [{chapter.title}](chapters/{chapter.name}.html)" for chapter in chapters)
    return render(notebook([new_markdown_cell(f"# {HOME_TITLE}\n\n{items}", id="home")]), {"title": HOME_TITLE})


def render(node: NotebookNode, page: dict) -> str:
    """A notebook as one HTML page of the preview; nothing on it asks for anything from elsewhere."""
    exporter = HTMLExporter(template_name="preview", extra_template_basedirs=[str(PREVIEW.parent)])
    style = (PREVIEW / "style.css").read_text(encoding="utf-8")
    style += HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style += f"\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n.highlight {{ background: none }}\n"
    body, _ = exporter.from_notebook_node(node, resources={"page": page | {"style": style, "banner": BANNER}})
    return body
