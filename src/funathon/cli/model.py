"""The commands of the supervised model: train, evaluate, predict, code."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from funathon.cli.base import JsonOption, ModelOption, app, complaints, console, print_json
from funathon.errors import FunathonError


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
    file: Annotated[str, typer.Argument(help="Labelled texts: csv, tsv or parquet.")],
    code: Annotated[str, typer.Option(help="Column with the codes.")] = "code",
    label: Annotated[str, typer.Option(help="Column with the texts.")] = "label",
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the pretrained model on labelled texts of your own."""
    import os

    from funathon.corpus.labels import read_labels
    from funathon.settings import load_settings

    load_settings()
    if "://" not in file and not Path(file).is_file():
        raise FunathonError(f"There is no file {file}.", "Check the path.")
    labels = read_labels(file, variable="the path", code=code, label=label, repeats=True)
    from funathon.supervised import evaluation
    from funathon.supervised.pretrained import load_model

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
    from funathon.supervised.predicting import load_coder, show

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
    from funathon.supervised import coding

    url = model or os.environ["PRETRAINED_URL"]
    outcome = coding.code_register(file, out, url, complaints, label=label, threshold=threshold)
    if outcome.resumed_after:
        console.print(f"went on after the {outcome.resumed_after:,} rows of an earlier run", highlight=False)
    counts = f"{outcome.rows:,} rows, {outcome.review:,} to review, {outcome.without_code:,} of them without a code"
    console.print(f"wrote {escape(str(out))}: {counts}", highlight=False, soft_wrap=True)
