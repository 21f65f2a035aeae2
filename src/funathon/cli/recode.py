"""`funathon recode`: from NACE Rev. 2 to Rev. 2.1, or back."""

from enum import StrEnum
from typing import Annotated

import typer
from typer.core import TyperGroup

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
from funathon.supervised.review import REVIEW_BELOW

ROWS = "rows"


class RowsByDefault(TyperGroup):
    """Takes the first argument for a file where it names no command."""

    def parse_args(self, ctx, args):
        if args and args[0] not in self.commands and args[0] not in ("--help", "--install-completion", "--show-completion"):
            args = [ROWS, *args]
        return super().parse_args(ctx, args)


recode_app = typer.Typer(
    cls=RowsByDefault,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Bring a register from NACE Rev. 2 to Rev. 2.1, or back: `funathon recode FILE -o OUT`, `funathon recode evaluate FILE`.",
)
app.add_typer(recode_app, name="recode")


class Method(StrEnum):
    """Who decides where an old code has several successors."""

    table = "table"
    cag = "cag"
    vote = "vote"


LabelOption = Annotated[str, typer.Option(help="Column with the texts.")]
OldCodeOption = Annotated[str, typer.Option("--old-code", help="Column with the codes to recode.")]
MethodOption = Annotated[
    Method,
    typer.Option(
        help="Where an old code has several successors: table leaves it open, cag asks the chat model of .env, vote lets the "
        "pretrained network, the nearest note, the nearest labels and the models of ANNOTATORS vote."
    ),
]
BackOption = Annotated[
    bool, typer.Option("--back", help="From Rev. 2.1 to Rev. 2. The network does not vote: it knows Rev. 2.1 only.")
]


@recode_app.command(ROWS, hidden=True)
def recode_rows(
    file: Annotated[str, typer.Argument(help="The register: .csv, .tsv, .txt (also with .gz), .xlsx or .parquet.")],
    out: OutOption,
    label: LabelOption = "label",
    old_code: OldCodeOption = "nace_rev2",
    method: MethodOption = Method.vote,
    back: BackOption = False,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Confidence below which a person should look; by the table it is 1.")
    ] = REVIEW_BELOW,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
) -> None:
    """Recode a whole register: every row of it, with all its columns and both codes side by side, or an error.

    A code with one successor gets that; one with several, what the method says of the text. After an interruption the same command goes
    on where it stopped. Only cag, and vote with ANNOTATORS, send texts to the endpoint of .env, and say so before.
    """
    from funathon.settings import load_settings

    load_settings()
    from funathon.corpus.tables.table import Reading
    from funathon.recoding.register import recode_register

    outcome = recode_register(
        file,
        out,
        Reading(separator, encoding, sheet),
        label=label,
        old_code=old_code,
        method=method.value,
        back=back,
        threshold=threshold,
        console=complaints,
    )
    tell_outcome(out, outcome.rows, outcome.review, outcome.without_code)


@recode_app.command("evaluate")
def evaluate_recoding(
    file: Annotated[str, typer.Argument(help="Rows with their old and their right codes.")],
    truth: Annotated[str, typer.Option(help="Column with the right codes; rows without one are left out.")] = "nace_rev2_1",
    label: LabelOption = "label",
    old_code: OldCodeOption = "nace_rev2",
    method: MethodOption = Method.vote,
    back: BackOption = False,
    sample: Annotated[int | None, typer.Option(min=1, help="Take so many rows at random, the same ones each time.")] = None,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    json: JsonOption = False,
) -> None:
    """Measure on rows that people recoded: the table, each annotator, and their votes."""
    from dataclasses import asdict

    from funathon.settings import load_settings

    load_settings()
    from funathon.corpus.tables.table import Reading
    from funathon.recoding.evaluating import evaluate, table

    figures = evaluate(
        file,
        Reading(separator, encoding, sheet),
        truth=truth,
        label=label,
        old_code=old_code,
        method=method.value,
        back=back,
        sample=sample,
        console=complaints,
    )
    if json:
        print_json(asdict(figures))
    else:
        console.print(table(figures))
