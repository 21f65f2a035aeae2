"""The command `funathon`."""

import errno
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from typer.core import TyperGroup

from funathon.errors import FunathonError
from funathon.paths import NOTEBOOKS


class FriendlyGroup(TyperGroup):
    """Tells whatever a user can mend in one line, without a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except FunathonError as error:
            stop(str(error), 1)
        except KeyboardInterrupt:
            stop("Interrupted. What was finished is kept; run the same command again to go on.", 128 + signal.SIGINT)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            stop("The disk is full. Free some space and run the same command again; what was finished is kept.", 1)


def stop(text: str, status: int) -> NoReturn:
    """Print one line on standard error, however wide the terminal, and exit with `status`."""
    complaints.print(f"[bold red]Error:[/] {escape(text)}", soft_wrap=True, highlight=False)
    raise typer.Exit(status)


app = typer.Typer(
    cls=FriendlyGroup,
    help="Build, run and use the course on automatic coding into NACE Rev. 2.1.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
complaints = Console(stderr=True)

# Each command imports what it needs when it runs: torch alone takes seconds, and `funathon --help` should not.


@app.command()
def doctor() -> None:
    """Tell what this machine has and whether each service answers, with the cure beside each failure."""
    from funathon.doctor import examine, report

    findings = examine()
    console.print(report(findings))
    if any(finding.failed for finding in findings):
        raise typer.Exit(1)


@app.command()
def lab() -> None:
    """Open JupyterLab on the exercise notebooks."""
    from funathon.notebooks import write_notebooks

    if not any(NOTEBOOKS.glob("*.ipynb")):
        write_notebooks()
    sys.exit(subprocess.call([sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={NOTEBOOKS.parent}", str(NOTEBOOKS)]))


@app.command()
def notebooks(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; list what is out of date and exit with 1.")] = False,
) -> None:
    """Regenerate the exercise notebooks from the chapters."""
    from funathon.notebooks import outdated_notebooks, write_notebooks

    if check:
        fail_if_outdated([f"notebooks/{name}" for name in outdated_notebooks()], "uv run funathon notebooks")
    else:
        for name in write_notebooks():
            console.print(f"wrote notebooks/{name}")


@app.command()
def data(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; list what differs and exit with 1.")] = False,
) -> None:
    """Build the nomenclature, the labels and the field test from their texts in data/."""
    from funathon.assemble import outdated, write

    if check:
        fail_if_outdated([f"data/{name}" for name in outdated()], "uv run funathon data")
    else:
        for name in write():
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
    from funathon.chapters import chapter_paths, find_chapter
    from funathon.running import run_chapters
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
def build(
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute every chapter, changed or not.")] = False,
) -> None:
    """Regenerate the notebooks, execute the chapters and render the site."""
    from funathon.building import build_site
    from funathon.notebooks import write_notebooks

    for name in write_notebooks():
        console.print(f"wrote notebooks/{name}")
    run(chapters=None, fresh=fresh)
    build_site(console)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder to write the model to; replaced when the training has ended well.")],
) -> None:
    """Train the pretrained model on the labels; MLflow takes notes."""
    import os

    from funathon.settings import load_settings

    load_settings()
    from funathon import training

    training.train(out, os.environ["LABELS_URL"])
    console.print(f"wrote {out}")


@app.command()
def llm(
    stop: Annotated[bool, typer.Option("--stop", help="Stop the one that runs, and exit.")] = False,
    port: Annotated[int, typer.Option(help="Port to listen on; a free one when none is given.", min=0, max=65535)] = 0,
) -> None:
    """Run the embedded endpoint for embeddings and chat in this terminal; chapters start it by themselves."""
    from funathon.endpoint import Server, run_server, stop_server
    from funathon.settings import EMBEDDED, load_settings

    def announce(server: Server) -> None:
        console.print(f"The embedded endpoint listens at {server.url} and Ctrl-C stops it. For another program, or for .env:")
        for name, value in ({"LLMLAB_URL": server.url} | EMBEDDED).items():
            console.print(f"{name}={value}", highlight=False, soft_wrap=True)

    load_settings()
    if stop:
        console.print("Stopped." if stop_server() else "No embedded endpoint runs.")
        return
    try:
        running = run_server(port, announce)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return
    if running:
        console.print(f"One runs already, at {running.url}. `uv run funathon llm --stop` stops it.")
