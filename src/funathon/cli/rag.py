"""`funathon rag`: the commands of part 2."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import (
    EncodingOption,
    JsonOption,
    OutOption,
    SeparatorOption,
    SheetOption,
    app,
    complaints,
    console,
    print_json,
    tell_outcome,
)
from funathon.errors import visible, without_secrets
from funathon.supervised.review import REVIEW_BELOW

rag_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Retrieval-augmented generation, as in chapters 7 to 9: measure it on labels of your own, code a register with it.",
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


@rag_app.command("code")
def code_rag(
    file: Annotated[str, typer.Argument(help="The register: .csv, .tsv, .txt (also with .gz), .xlsx or .parquet.")],
    out: OutOption,
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    retrieval: Annotated[Retrieval, typer.Option(help="Notes alone, or the best combination of chapter 8.")] = Retrieval.best,
    k: Annotated[int, typer.Option("--k", min=1, max=50, help="Number of candidates shown to the chat model.")] = 5,
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Confidence below which a person should look. It is what the chat model says of itself: no share of right codes "
            "stands behind it.",
        ),
    ] = REVIEW_BELOW,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask for every text again: throw away what an interrupted run has kept.")
    ] = False,
) -> None:
    """Code a whole register: every row of it, with all its columns, or an error.

    The texts go to the endpoint of .env, if it names one: it says which host that is before it sends any. Equal texts are asked once.
    Interrupted, or when requests have failed, the same command goes on where it stopped; answers lie in OUT.part until then.
    """
    from funathon.settings import load_settings

    load_settings()
    from funathon.corpus.tables.table import Reading
    from funathon.rag.coding import code_register

    outcome = code_register(
        file,
        out,
        Reading(separator, encoding, sheet),
        label=label,
        retrieval=retrieval.value,
        k=k,
        threshold=threshold,
        fresh=fresh,
        console=complaints,
    )
    tell_outcome(out, outcome.rows, outcome.review, outcome.without_code)
