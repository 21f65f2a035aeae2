"""The commands that make and run the course: lab, notebooks, data, run, pages, build."""

import os
import subprocess
import sys
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import app, console
from funathon.paths import LAB_SETTINGS, NOTEBOOKS


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the exercise notebooks. Options of JupyterLab are passed on, as in `funathon lab --no-browser`."""
    from funathon.course.notebooks import write_notebooks

    if not any(NOTEBOOKS.glob("*.ipynb")):
        write_notebooks()
    # the whole project is served, since the notebooks show pictures of site/images; the address opens the folder
    served = [f"--ServerApp.root_dir={NOTEBOOKS.parent}", f"--LabApp.default_url=/lab/tree/{NOTEBOOKS.name}"]
    # settings of its own, which a learner's go before: no question about news of Jupyter on top of the first notebook
    settings = [str(LAB_SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    environment = os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(settings)}
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", *served, *context.args], env=environment))


@app.command()
def notebooks(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; list what is out of date and exit with 1.")] = False,
) -> None:
    """Regenerate the exercise notebooks from the chapters."""
    from funathon.course.notebooks import outdated_notebooks, write_notebooks

    if check:
        fail_if_outdated(outdated_notebooks(), "uv run funathon notebooks")
    else:
        for name in write_notebooks():
            console.print(f"wrote {name}")


@app.command()
def data(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; list what differs and exit with 1.")] = False,
) -> None:
    """Build the nomenclature, the labels, the tests and the simulated register from their texts in data/."""
    from funathon.corpus.assemble import outdated, write
    from funathon.simulation.files import register_files

    if check:
        names = [*outdated(), *outdated(built=register_files)]
        fail_if_outdated([f"data/{name}" for name in names], "uv run funathon data")
    else:
        for name in write():
            console.print(f"wrote data/{name}")
        # of the labels that have just been written
        for name in write(built=register_files):
            console.print(f"wrote data/{name}")


def fail_if_outdated(names: list[str], command: str) -> None:
    """List generated files that are out of date and stop with status 1 if there are any."""
    for name in names:
        console.print(f"out of date: {name}")
    if names:
        console.print(f"Run `{command}` to bring them up to date.")
        raise typer.Exit(1)


@app.command()
def run(
    chapters: Annotated[list[str] | None, typer.Argument(help="Chapters by number or name; all when none is given.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute them even if nothing has changed.")] = False,
) -> None:
    """Execute chapters from top to bottom and keep their outputs for the site."""
    from rich.syntax import Syntax

    from funathon.course.chapters import chapter_paths, find_chapter
    from funathon.course.running import run_chapters
    from funathon.services import refuse_broken_settings
    from funathon.settings import load_settings

    paths = [find_chapter(name) for name in chapters] if chapters else chapter_paths()
    load_settings()
    refuse_broken_settings(paths)
    failures = run_chapters(paths, console, fresh=fresh)
    for failure in failures:
        console.print(f"\n[bold red]Chapter {failure.chapter} failed in this cell:[/]")
        console.print(Syntax(failure.source, "python"))
        console.print(escape(failure.error), style="red")
    if failures:
        raise typer.Exit(1)


@app.command()
def pages(
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute every chapter, changed or not.")] = False,
) -> None:
    """Bring up to date what the site is rendered from; Quarto calls this before it renders."""
    from funathon.course.notebooks import write_notebooks
    from funathon.course.pages import write_pages

    for name in write_notebooks():
        console.print(f"wrote {name}")
    run(chapters=None, fresh=fresh)
    for name in write_pages():
        console.print(f"wrote {name}")


@app.command()
def build(
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute every chapter, changed or not.")] = False,
) -> None:
    """Regenerate the notebooks, execute the chapters and render the site."""
    from funathon.course.building import build_site

    pages(fresh=fresh)
    build_site(console)
