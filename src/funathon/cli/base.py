"""What the commands share: the application, how it tells errors, how it prints."""

import errno
import signal
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from funathon.errors import FunathonError, visible


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
    complaints.print(f"[bold red]Error:[/] {escape(visible(text))}", soft_wrap=True, highlight=False)
    raise typer.Exit(status)


app = typer.Typer(
    cls=FriendlyGroup,
    help="Build, run and use the course on automatic coding into NACE Rev. 2.1.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in boxes would cost half a second of imports
)
console = Console()
complaints = Console(stderr=True)

ModelOption = Annotated[
    str | None, typer.Option("--model", help="Folder of another model (path, https or s3).", show_default=False)
]
SeparatorOption = Annotated[
    str | None,
    typer.Option(help="Of a text file: comma, semicolon, tab, bar or a character; guessed if not given.", show_default=False),
]
EncodingOption = Annotated[
    str | None, typer.Option(help="Of a text file: utf-8, cp1252, utf-16 …; guessed if not given.", show_default=False)
]
SheetOption = Annotated[
    str | None, typer.Option(help="Of an Excel workbook; the first one that is shown if not given.", show_default=False)
]
OutOption = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        help="File to write; its ending tells the format: .csv, .tsv (also with .gz), .xlsx or .parquet, as for `funathon code`.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(content: dict | list) -> None:
    """Print JSON on standard output, in ASCII, which no terminal garbles."""
    import json

    typer.echo(json.dumps(content, indent=1))


def tell_outcome(out: str, rows: int, review: int, without_code: int) -> None:
    """Say what was written to `out`: a coded register, with so many rows, some of them for review."""
    counts = f"{rows:,} rows, {review:,} to review, {without_code:,} of them without a code"
    console.print(f"wrote {escape(visible(out))}: {counts}", highlight=False, soft_wrap=True)
