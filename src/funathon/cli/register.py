"""The command for a register of one's own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import JsonOption, app, complaints, console, print_json


@app.command()
def register(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to keep both networks and their figures in; they hold words of the texts.", show_default=False),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(min=100, help="Draw so many rows of each file at random, for a try.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Train the network of chapter 3 on the register at REGISTER_URL, with and without weights for rare classes."""
    import logging

    from funathon.settings import load_settings

    load_settings()
    from funathon.corpus.register import read_register

    def say(line: str) -> None:
        complaints.print(line, markup=False, highlight=False, soft_wrap=True)

    found = read_register(rows)
    for part in filter(None, (found.train, found.test)):
        say(f"{part}.")
    # torchTextClassifiers sets the root logger to INFO when it is imported, unless it has been configured before
    logging.basicConfig(level=logging.WARNING)
    from funathon.supervised import register_training

    comparison = register_training.compare(found, out, say=say)
    say(register_training.imbalance(comparison))
    if json:
        print_json(comparison.as_dict())
        return
    console.print(register_training.table(comparison))
    if out:
        console.print(f"wrote {escape(str(out))}", highlight=False, soft_wrap=True)
