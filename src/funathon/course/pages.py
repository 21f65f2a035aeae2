"""What the site is rendered from and nobody writes by hand: the chapters' pages, results, wrong answers, data sheet, model card, launch links.

Quarto calls `write_pages` before it renders (`site/before_render.py`); the preview reads the same texts.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from funathon.course.chapters import Chapter, chapter_paths, read_chapter
from funathon.course.errors_page import errors_page
from funathon.course.launching import MLFLOW, Repository, find_repository, launch_bar
from funathon.course.notebooks import quarto_notebook, to_json
from funathon.course.results import hard_figures, results_page
from funathon.course.running import read_executed
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.paths import DATA, ROOT

FACTS = re.compile(r"^\*Part (\d+), (.+?) · chapter \d+ of (\d+) · about (\d+) minutes\b", flags=re.MULTILINE)
"""The line below a chapter's title that says where it stands."""


@dataclass(frozen=True)
class Place:
    """Where a chapter stands in the course: its part, how many chapters there will be in all, and how long it takes."""

    part: int
    part_title: str
    of: int
    minutes: int


def place(chapter: Chapter) -> Place:
    """Read the line below the title.

    Raises FunathonError when there is no such line.
    """
    found = FACTS.search(chapter.cells[0].source)
    if not found:
        raise FunathonError(
            f"{chapter.path} does not say where the chapter stands.",
            "Write '*Part 1, its title · chapter 2 of 7 · about 30 minutes · what it needs*' below its title.",
        )
    part, title, of, minutes = found.groups()
    return Place(int(part), title, int(of), int(minutes))


def page_path(chapter: Chapter) -> str:
    """Path in the project of the notebook from which a chapter's page is rendered.

    It does not lie beside the chapter: Quarto takes a notebook beside a script of its name for a by-product of the script.
    """
    return f"site/{chapter.name}.ipynb"


def bar_of(chapter: Chapter, repository: Repository | None) -> str:
    """The launch bar of a chapter."""
    return launch_bar(f"notebooks/{chapter.name}.ipynb", f"chapters/{chapter.name}.py", repository)


def site_texts(executed: list[tuple[Chapter, nbformat.NotebookNode]], repository: Repository | None) -> dict[str, str]:
    """Path in the project and text of every page and piece of a page that is made; the chapters' pages are not among them."""
    chapters = [chapter for chapter, _ in executed]
    card = (DATA / "pretrained" / "MODEL_CARD.md").read_text(encoding="utf-8")
    # an interval stays on one line of its cell
    card = re.sub(r"(\[[\d.]+%), ", "\\1,\N{NO-BREAK SPACE}", card)
    sheet = (DATA / "README.md").read_text(encoding="utf-8")
    return {
        "site/results.qmd": results_page(executed, card),
        "site/errors.qmd": errors_page(),
        "site/data-sheet.qmd": page_of_file(sheet, "data", repository),
        "site/model-card.qmd": page_of_file(card, "data/pretrained", repository),
        "site/_sidebar.yml": sidebar_text(chapters),
        "site/_chapters.md": chapter_list(chapters),
        "site/_figures.md": hard_figures(card),
        "site/_launch.md": bar_of(chapters[0], repository) + "\n",
        "site/_repository.md": repository_text(repository),
        "site/_colab.md": colab_text(repository),
        "site/_mlflow.md": f"[Start MLflow on SSP Cloud]({MLFLOW})\n",
    }


def sections(chapters: list[Chapter]) -> dict[str, list[str]]:
    """The menu of the site: titles of its sections and the sources of their pages, in the order of reading."""
    parts: dict[str, list[str]] = {}
    for chapter in chapters:
        where = place(chapter)
        parts.setdefault(f"Part {where.part}: {where.part_title}", []).append(page_path(chapter))
    return {
        "Start": ["index.qmd", "site/setup.qmd"],
        **parts,
        "Look up": [
            "site/results.qmd",
            "site/errors.qmd",
            "site/glossary.qmd",
            "site/data-sheet.qmd",
            "site/model-card.qmd",
            "site/register.qmd",
        ],
        "Teach": ["site/instructors.qmd"],
    }


def sidebar_text(chapters: list[Chapter]) -> str:
    """The menu for Quarto, in YAML."""
    contents = [{"section": title, "contents": pages} for title, pages in sections(chapters).items()]
    contents[0]["contents"] = [{"text": "Home", "href": "index.qmd"}, *contents[0]["contents"][1:]]
    return yaml.safe_dump({"website": {"sidebar": {"style": "floating", "contents": contents}}}, sort_keys=False)


def page_of_file(text: str, folder: str, repository: Repository | None) -> str:
    """A markdown file of the project as a page of the site: its heading is the title, its links to files lead to the source.

    `folder` is where the file lies. Without a repository a link to a file becomes its text.
    """
    heading, _, body = text.partition("\n")

    def mend(match: re.Match) -> str:
        words, target = match.groups()
        if "://" in target or target.startswith("#"):
            return match.group()
        file = (ROOT / folder / target).resolve().relative_to(ROOT).as_posix()
        return f"[{words}]({repository.page(file)})" if repository else words

    body = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", mend, body)
    return f'---\ntitle: "{heading.strip("# ")}"\n---\n\n{body.strip()}\n'


def chapter_list(chapters: list[Chapter]) -> str:
    """The list of chapters on the home page, by part, with the time each takes."""
    parts: dict[int, list[Chapter]] = {}
    for chapter in chapters:
        parts.setdefault(place(chapter).part, []).append(chapter)
    lines = ['<div class="parts">', ""]
    for part, members in parts.items():
        first = place(members[0])
        minutes = sum(place(chapter).minutes for chapter in members)
        lines += ['<div class="part">', "", f"### Part {part}: {first.part_title}", ""]
        for chapter in members:
            number, _, title = chapter.title.partition(". ")
            lines.append(f"{number}. [{title}]({page_path(chapter)}), {place(chapter).minutes} minutes")
        lines += ["", f"About {hours(minutes)} in all.", "", "</div>", ""]
    planned = place(chapters[0]).of
    lines += ["</div>", ""]
    if len(chapters) < planned:
        lines += [f"{len(chapters)} of {planned} chapters are written so far.", ""]
    return "\n".join(lines)


def hours(minutes: int) -> str:
    """Minutes as hours, to the half hour: `3 hours`, `3½ hours`."""
    halves = max(1, round(minutes / 30))
    whole, half = divmod(halves, 2)
    number = f"{whole or ''}{'½' if half else ''}"
    return f"{number} hour{'' if halves <= 2 else 's'}"


def repository_text(repository: Repository | None) -> str:
    """The commands that fetch the course onto one's own machine."""
    address = repository.url if repository else "ADDRESS-OF-THE-REPOSITORY"
    name = repository.path.rsplit("/", 1)[-1] if repository else "FOLDER-IT-MADE"
    return f"```bash\ngit clone {address}\ncd {name}\n```\n"


def colab_text(repository: Repository | None) -> str:
    """What to answer when the first cell on Colab asks for the course's address."""
    if repository and repository.on_github:
        return f"```text\n{repository.url}\n```\n"
    return "the address of the repository on GitHub; Colab opens notebooks from there only.\n"


def read_course() -> list[tuple[Chapter, nbformat.NotebookNode]]:
    """Every chapter with its executed notebook.

    Raises FunathonError when one has not been executed.
    """
    return [(read_chapter(path), read_executed(path)) for path in chapter_paths()]


def write_pages(folder: Path = ROOT, course: list[tuple[Chapter, nbformat.NotebookNode]] | None = None) -> list[str]:
    """Write what Quarto renders below `folder`, the project or a copy of it; return the names of the files that changed.

    `course` holds the chapters and their executed notebooks, by default those of the project. A file that has not changed is
    not touched, since `quarto preview` renders again whatever is. Pages of chapters that are gone are removed.
    """
    course = course or read_course()
    repository = find_repository()
    texts = site_texts(course, repository)
    for chapter, executed in course:
        page = quarto_notebook(chapter, executed, bar_of(chapter, repository))
        texts[page_path(chapter)] = to_json(page)
    for page in (folder / "site").glob("*.ipynb"):
        if f"site/{page.name}" not in texts:
            page.unlink()
    changed = [name for name, text in texts.items() if current(folder / name) != text]
    for name in changed:
        write_text(folder / name, texts[name])
    return changed


def current(path: Path) -> str | None:
    """Text of a file, None if there is none."""
    return path.read_text(encoding="utf-8") if path.is_file() else None
