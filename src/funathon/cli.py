"""The command `funathon`."""

import errno
import signal
import subprocess
import sys
from enum import StrEnum
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
            if error.errno == errno.ENOSPC:
                stop("The disk is full. Free some space and run the same command again; what was finished is kept.", 1)
            if error.filename is None:
                raise
            stop(f"{error.filename}: {error.strerror}.", 1)


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


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the exercise notebooks. Options of JupyterLab are passed on, as in `funathon lab --no-browser`."""
    from funathon.notebooks import write_notebooks

    if not any(NOTEBOOKS.glob("*.ipynb")):
        write_notebooks()
    # the whole project is served, since the notebooks show pictures of site/images; the address opens the folder
    served = [f"--ServerApp.root_dir={NOTEBOOKS.parent}", f"--LabApp.default_url=/lab/tree/{NOTEBOOKS.name}"]
    # no question about news of Jupyter on top of the first notebook, and no request for them
    quiet = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", *served, *quiet, *context.args]))


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
def pages(
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute every chapter, changed or not.")] = False,
) -> None:
    """Bring up to date what the site is rendered from; Quarto calls this before it renders."""
    from funathon.notebooks import write_notebooks
    from funathon.pages import write_pages

    for name in write_notebooks():
        console.print(f"wrote notebooks/{name}")
    run(chapters=None, fresh=fresh)
    for name in write_pages():
        console.print(f"wrote {name}")


@app.command()
def build(
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute every chapter, changed or not.")] = False,
) -> None:
    """Regenerate the notebooks, execute the chapters and render the site."""
    from funathon.building import build_site

    pages(fresh=fresh)
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


ModelOption = Annotated[
    str | None, typer.Option("--model", help="Folder of another model (path, https or s3).", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def evaluate(
    file: Annotated[str, typer.Argument(help="Labelled texts: csv, tsv or parquet.")],
    code: Annotated[str, typer.Option(help="Column with the codes.")] = "code",
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the pretrained model on labelled texts of your own."""
    import os

    from funathon.labels import read_labels
    from funathon.settings import load_settings

    load_settings()
    if "://" not in file and not Path(file).is_file():
        raise FunathonError(f"There is no file {file}.", "Check the path.")
    labels = read_labels(file, variable="the path", code=code, label=label, repeats=True)
    from funathon import evaluation
    from funathon.pretrained import load_model

    report = evaluation.measure(
        load_model(model or os.environ["PRETRAINED_URL"]), labels[label].to_numpy(), labels[code].to_numpy()
    )
    if json:
        print_json(report.as_dict())
    else:
        console.print(evaluation.table(report, escape(file)))


@app.command()
def predict(
    texts: Annotated[list[str], typer.Argument(help="Descriptions of activities, each in quotes.")],
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Code a few texts: the five likeliest classes, and the words that decided."""
    import os
    from dataclasses import asdict

    from funathon.settings import load_settings

    load_settings()
    from funathon.predicting import load_coder, show

    predictions = load_coder(model or os.environ["PRETRAINED_URL"]).predict(texts)
    if json:
        print_json([asdict(prediction) for prediction in predictions])
    else:
        for prediction in predictions:
            show(prediction, console)


@app.command(name="code")
def code_register(
    file: Annotated[Path, typer.Argument(help="The register: csv, tsv or parquet.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: csv, tsv or parquet.")],
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Confidence below which a person should look.")] = 0.5,
    model: ModelOption = None,
) -> None:
    """Code a whole register, in constant memory; after an interruption the same command goes on where it stopped."""
    import os

    from funathon.settings import load_settings

    load_settings()
    from funathon import coding

    url = model or os.environ["PRETRAINED_URL"]
    outcome = coding.code_register(file, out, url, complaints, label=label, threshold=threshold)
    if outcome.resumed_after:
        console.print(f"went on after the {outcome.resumed_after:,} rows of an earlier run", highlight=False)
    counts = f"{outcome.rows:,} rows, {outcome.review:,} to review, {outcome.without_code:,} of them without a code"
    console.print(f"wrote {escape(str(out))}: {counts}", highlight=False, soft_wrap=True)


rag_app = typer.Typer(
    no_args_is_help=True, help="Retrieval-augmented generation, as in chapter 7: measure it on labels of your own."
)
app.add_typer(rag_app, name="rag")


class Retrieval(StrEnum):
    """How candidates are found."""

    plain = "plain"
    best = "best"


@rag_app.command("evaluate")
def evaluate_rag(
    file: Annotated[str, typer.Argument(help="Labelled texts: csv, tsv or parquet.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Take so many texts at random, the same ones each time.")] = None,
    retrieval: Annotated[Retrieval, typer.Option(help="Notes alone, or the best combination of chapter 7.")] = Retrieval.best,
    k: Annotated[int, typer.Option("--k", min=1, max=50, help="Number of candidates shown to the chat model.")] = 5,
    code: Annotated[str, typer.Option(help="Column with the codes.")] = "code",
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask for every text again, whatever results are kept.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure retriever and generator on labelled texts; interrupted, it goes on where it was."""
    from funathon.settings import load_settings

    load_settings()
    if "://" not in file and not Path(file).is_file():
        raise FunathonError(f"There is no file {file}.", "Check the path.")
    from funathon import rag

    found = rag.evaluate(
        file, code=code, label=label, sample=sample, retrieval=retrieval.value, k=k, fresh=fresh, console=complaints
    )
    if json:
        print_json(found.as_dict())
    else:
        console.print(found.table(f"{escape(file)}, {retrieval.value} retrieval"))


def print_json(content: dict | list) -> None:
    """Print JSON on standard output, in ASCII, which no terminal garbles."""
    import json

    typer.echo(json.dumps(content, indent=1))
