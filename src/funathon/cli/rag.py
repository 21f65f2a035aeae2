"""`funathon rag`: the commands of part 2."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import (
    EncodingOption,
    JsonOption,
    SeparatorOption,
    SheetOption,
    app,
    complaints,
    console,
    print_json,
)
from funathon.errors import visible, without_secrets

rag_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Retrieval-augmented generation, as in chapters 7 to 9: measure it on labels of your own.",
)
app.add_typer(rag_app, name="rag")


class Retrieval(StrEnum):
    """How candidates are found."""

    plain = "plain"
    best = "best"


@rag_app.command("evaluate")
def evaluate_rag(
    file: Annotated[str, typer.Argument(help="Labelled texts: .csv, .tsv, .txt (also with .gz), .xlsx or .parquet.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Take so many texts at random, the same ones each time.")] = None,
    retrieval: Annotated[Retrieval, typer.Option(help="Notes alone, or the best combination of chapter 8.")] = Retrieval.best,
    k: Annotated[int, typer.Option("--k", min=1, max=50, help="Number of candidates shown to the chat model.")] = 5,
    code: Annotated[str, typer.Option(help="Column with the codes.")] = "code",
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask for every text again, whatever results are kept.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure retriever and generator on labelled texts; interrupted, it goes on where it was.

    The texts go to the endpoint of .env, if it names one: it says which host that is before it sends any.
    """
    from funathon.settings import load_settings

    load_settings()
    from funathon.corpus.tables.table import Reading
    from funathon.rag import pipeline as rag

    found = rag.evaluate(
        file,
        Reading(separator, encoding, sheet),
        code=code,
        label=label,
        sample=sample,
        retrieval=retrieval.value,
        k=k,
        fresh=fresh,
        console=complaints,
    )
    if json:
        print_json(found.as_dict())
    else:
        console.print(found.table(f"{escape(visible(without_secrets(file)))}, {retrieval.value} retrieval"))
