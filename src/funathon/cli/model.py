"""The commands of the supervised model: train, evaluate, predict, code."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import (
    EncodingOption,
    JsonOption,
    ModelOption,
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


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder to write the model to; replaced when the training has ended well.")],
) -> None:
    """Train the pretrained model on the labels; MLflow takes notes."""
    import os

    from funathon.settings import load_settings

    load_settings()
    from funathon.supervised import training

    training.train(out, os.environ["LABELS_URL"])
    console.print(f"wrote {escape(str(out))}", highlight=False, soft_wrap=True)


@app.command()
def evaluate(
    file: Annotated[str, typer.Argument(help="Labelled texts: .csv, .tsv, .txt (also with .gz), .xlsx or .parquet.")],
    code: Annotated[str, typer.Option(help="Column with the codes.")] = "code",
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Confidence from which on coverage and precision are measured; choose it on other texts."
        ),
    ] = REVIEW_BELOW,
    not_codable: Annotated[
        bool,
        typer.Option("--not-codable", help="No text of the file can be coded: measure how many are recognised. Needs no codes."),
    ] = False,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the pretrained model on labelled texts of your own; rows without a code are left out, and counted."""
    import os

    from funathon.corpus.labels import read_judged, read_texts
    from funathon.corpus.tables.table import Reading
    from funathon.settings import load_settings

    load_settings()
    reading = Reading(separator, encoding, sheet)
    if not_codable:
        texts = read_texts(file, reading, label=label)
        from funathon.measures import share
        from funathon.supervised.codability import doubts, load_codability
        from funathon.supervised.pretrained import load_model

        url = model or os.environ["PRETRAINED_URL"]
        found = share(doubts(load_model(url), load_codability(url), texts))
        if json:
            print_json({"n": found.n, "recognised": found.value, "interval": [found.low, found.high]})
        else:
            console.print(f"{found.n:,} texts, recognised as not codable: {found}", highlight=False)
        return
    labels = read_judged(file, reading, code=code, label=label)
    from funathon.supervised import evaluation
    from funathon.supervised.pretrained import load_model

    report = evaluation.measure(
        load_model(model or os.environ["PRETRAINED_URL"]), labels[label].to_numpy(), labels[code].to_numpy(), threshold
    )
    if json:
        print_json(report.as_dict())
    else:
        console.print(evaluation.table(report, escape(visible(without_secrets(file)))))


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
    from funathon.supervised.predicting import load_coder, show

    predictions = load_coder(model or os.environ["PRETRAINED_URL"]).predict(texts)
    if json:
        print_json([asdict(prediction) for prediction in predictions])
    else:
        for prediction in predictions:
            show(prediction, console)


@app.command(name="code")
def code_register(
    file: Annotated[str, typer.Argument(help="The register: .csv, .tsv, .txt (also with .gz), .xlsx or .parquet.")],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="File to write; its ending tells the format. .csv and .tsv (also with .gz): UTF-8, comma or tab. .xlsx: for "
            "Excel, which keeps codes such as 06.10 in it, but not from a csv; takes minutes for a million rows. .parquet: keeps types.",
        ),
    ],
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Confidence below which a person should look. Of the texts that the default lets pass, 92.5 % are right among the "
            "descriptions of the course, 93.4 % among its entries, 91.7 % in its field test; for yours, `funathon evaluate` tells.",
        ),
    ] = REVIEW_BELOW,
    separator: SeparatorOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    model: ModelOption = None,
) -> None:
    """Code a whole register: every row of it, with all its columns, or an error.

    In constant memory (a sheet of Excel is read whole); after an interruption the same command goes on where it stopped.
    """
    import os

    from funathon.corpus.tables.table import Reading
    from funathon.settings import load_settings

    load_settings()
    from funathon.supervised import coding
    from funathon.supervised.pretrained import fingerprint

    url = model or os.environ["PRETRAINED_URL"]

    def load() -> coding.Labeller:
        from funathon.supervised.predicting import load_coder

        return load_coder(url)

    outcome = coding.code_register(
        file,
        out,
        load,
        fingerprint(url),
        complaints,
        label=label,
        threshold=threshold,
        reading=Reading(separator, encoding, sheet),
    )
    if outcome.resumed:
        console.print(f"kept {outcome.resumed:,} rows of an earlier run", highlight=False)
    tell_outcome(out, outcome.rows, outcome.review, outcome.without_code)
