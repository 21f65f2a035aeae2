"""Rendering the site: by Quarto where there is one, else as plain preview pages."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from html import unescape
from itertools import chain
from pathlib import Path

import yaml
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from pygments.formatters import HtmlFormatter
from rich.console import Console

from funathon.course.chapters import Chapter
from funathon.course.launching import find_repository
from funathon.course.notebooks import notebook, preview_notebook
from funathon.course.pages import bar_of, page_path, read_course, sections, site_texts
from funathon.errors import FunathonError
from funathon.paths import NOTEBOOKS, ROOT, SITE

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
        write_preview(SITE)
        console.print(f"[yellow]No Quarto here, so _site/ holds preview pages.[/] {HOW_TO_GET_QUARTO}")
    else:
        render_with_quarto(quarto, ROOT)
    console.print(f"Open {SITE / 'index.html'}")


def render_with_quarto(quarto: str, folder: Path) -> None:
    """Render the project in `folder`, whose pages are up to date.

    Raises FunathonError when Quarto fails.
    """
    environment = os.environ | {"QUARTO_PYTHON": sys.executable, "FUNATHON_PAGES": "done"}
    if subprocess.run([quarto, "render", str(folder)], env=environment).returncode:
        raise FunathonError("Quarto could not render the site.", "Its messages stand above.")


def write_preview(site: Path, course: list[tuple[Chapter, NotebookNode]] | None = None) -> None:
    """Write every page of the site into the folder `site`, without Quarto: same pages, same order, no search.

    `course` holds the chapters and their executed notebooks, by default those of the project. The pages are made in a temporary
    folder that then takes the place of `site`.
    """
    course = course or read_course()
    repository = find_repository()
    texts = site_texts(course, repository)
    chapters = {page_path(chapter): (chapter, executed) for chapter, executed in course}
    notebooks = {}
    for source in chain.from_iterable(sections([chapter for chapter, _ in course]).values()):
        if source in chapters:
            chapter, executed = chapters[source]
            node = preview_notebook(chapter, executed, bar_of(chapter, repository))
        else:
            node = markdown_notebook(texts.get(source) or (ROOT / source).read_text(encoding="utf-8"), texts)
        for cell in node.cells:
            if cell.cell_type == "markdown":
                cell.source = plain(cell.source)
        notebooks[source] = node
    titles = {source: title_of(node) for source, node in notebooks.items()}
    titles["index.qmd"] = "Home"
    order = list(notebooks)
    with tempfile.TemporaryDirectory(dir=site.parent, prefix="._site.") as folder:
        new = Path(folder) / "new"
        shutil.copytree(ROOT / "site" / "images", new / "site" / "images")
        shutil.copytree(NOTEBOOKS, new / "notebooks")
        for index, (source, node) in enumerate(notebooks.items()):
            up = "../" * source.count("/")
            links = {other: {"href": up + page_of(other), "title": titles[other]} for other in order}
            page = {
                "title": HOME_TITLE if source == "index.qmd" else f"{titles[source]} · {HOME_TITLE}",
                "up": up,
                "menu": {
                    title: [links[other] | {"here": other == source} for other in members]
                    for title, members in sections([chapter for chapter, _ in course]).items()
                },
                "previous": links[order[index - 1]] if index else None,
                "next": links[order[index + 1]] if index + 1 < len(order) else None,
            }
            (new / page_of(source)).write_text(render(node, page), encoding="utf-8")
        if site.exists():
            site.rename(Path(folder) / "old")
        new.rename(site)


def page_of(source: str) -> str:
    """Path in the site of the page made from a source."""
    return str(Path(source).with_suffix(".html"))


def title_of(node: NotebookNode) -> str:
    """Text of the first heading of a notebook."""
    return node.cells[0].source.splitlines()[0].removeprefix("# ")


def markdown_notebook(text: str, texts: dict[str, str]) -> NotebookNode:
    """A page in Quarto's markdown as a notebook of one cell; the pieces it asks for come from `texts`."""
    _, front, body = text.split("---\n", 2)
    fields = yaml.safe_load(front)
    # see site/theme/pieces.lua
    body = re.sub(r'<div class="piece (\w+)"></div>', lambda match: texts[f"site/_{match[1]}.md"].strip(), body)
    subtitle = f'<p class="subtitle">{fields["subtitle"]}</p>\n\n' if "subtitle" in fields else ""
    return notebook([new_markdown_cell(f"# {fields['title']}\n\n{subtitle}{body.strip()}", id="page")])


def plain(source: str) -> str:
    """Markdown without what only Quarto understands: blocks marked as HTML, links to sources of pages."""
    source = re.sub(r"^```\{=html\}\n(.*?)\n```$", r"\1", source, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\]\(([\w./-]+)\.(?:ipynb|qmd)(#[\w-]+)?\)", r"](\1.html\2)", source)


def render(node: NotebookNode, page: dict) -> str:
    """A notebook as one HTML page of the preview; nothing on it asks for anything from elsewhere."""
    exporter = HTMLExporter(template_name="preview", extra_template_basedirs=[str(PREVIEW.parent)])
    theme = ROOT / "site" / "theme"
    light = HtmlFormatter(style="xcode").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style = "\n".join(
        [
            colours(theme / "light.scss"),
            light,
            f"@media (prefers-color-scheme: dark) {{\n{colours(theme / 'dark.scss')}\n{dark}\n}}",
            (theme / "course.css").read_text(encoding="utf-8"),
            (PREVIEW / "style.css").read_text(encoding="utf-8"),
        ]
    )
    page |= {"style": style, "banner": BANNER, "script": (theme / "course.html").read_text(encoding="utf-8")}
    body, _ = exporter.from_notebook_node(node, resources={"page": page})
    body = re.sub(r'<a class="anchor-link".*?</a>', "", body)
    return re.sub(r'(<h[1-6] id=")([^"]+)(")', lambda match: match[1] + heading_id(unescape(match[2])) + match[3], body)


def colours(theme: Path) -> str:
    """The variables that a theme of Quarto sets for `course.css`."""
    return re.search(r"^:root \{.*?^\}", theme.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL).group()


def heading_id(text: str) -> str:
    """The id that Quarto gives a heading, so that links to it work in both (https://pandoc.org/MANUAL.html#heading-identifiers)."""
    return re.sub(r"^[^a-z]+", "", re.sub(r"[^\w.-]", "", text.lower()))
