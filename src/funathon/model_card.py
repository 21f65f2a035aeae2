"""The model card of the pretrained model, with every figure measured when it is written."""

import polars as pl
from torchTextClassifiers import torchTextClassifiers

from funathon.evaluation import measure
from funathon.labels import FIELD_TEST, read_labels
from funathon.measures import LEVEL_NAMES
from funathon.nomenclature import read_nomenclature
from funathon.splitting import Split

WORST = 10


def model_card(model: torchTextClassifiers, split: Split, settings: dict) -> str:
    """The text of MODEL_CARD.md for a trained model: what it is, and its figures on validation, test and field test."""
    field = read_labels(str(FIELD_TEST))
    field_report = measure(model, field["label"].to_numpy(), field["code"].to_numpy())
    reports = {
        "validation": measure(model, split.X_val, split.y_val),
        "test": measure(model, split.X_test, split.y_test),
        "field test": field_report,
    }
    judged = field.with_columns(right=pl.Series(field_report.candidates[:, 0] == field["code"].to_numpy()))
    lines = [INTRODUCTION.format(n_train=len(split.X_train)), "## Figures\n", row("", *reports), row(*["---"] * 4)]
    lines.append(row("labels", *(f"{r.n:,}" for r in reports.values())))
    lines += [row(f"top-{k} accuracy", *(str(r.top[k]) for r in reports.values())) for k in (1, 3, 5)]
    lines += [row(f"{LEVEL_NAMES[level - 1]} level", *(str(r.levels[level]) for r in reports.values())) for level in (1, 2, 3, 4)]
    lines.append(row("macro-F1", *(f"{r.macro_f1:.3f}" for r in reports.values())))
    lines.append(row("calibration error", *(f"{r.calibration_error:.3f}" for r in reports.values())))
    lines.append(row("coverage at 95 % precision", *(f"{r.coverage:.1%}" for r in reports.values())))
    lines.append("\nIn brackets: 95 % Wilson intervals.\n\n## Field test by register\n")
    lines += [row("register", "labels", "top-1 accuracy"), row(*["---"] * 3)]
    lines += [row(*map(str, values)) for values in by(judged, "register")]
    titles = dict(read_nomenclature().select("code", "heading").iter_rows())
    lines += ["\n## Worst divisions on the field test\n", row("division", "labels", "top-1 accuracy"), row(*["---"] * 3)]
    worst = by(judged.with_columns(division=pl.col("code").str.slice(0, 2)), "division")[:WORST]
    lines += [row(f"{code} {titles[code]}", str(n), share) for code, n, share in worst]
    lines += ["\n## Settings\n", row("setting", "value"), row("---", "---")]
    lines += [row(name, str(value)) for name, value in settings.items()]
    return "\n".join(lines) + "\n"


def by(judged: pl.DataFrame, column: str) -> list[tuple[str, int, str]]:
    """Value of a column, number of texts and accuracy, the lowest accuracy first."""
    groups = judged.group_by(column).agg(n=pl.len(), share=pl.col("right").mean()).sort("share", column)
    return [(value, n, f"{share:.1%}") for value, n, share in groups.iter_rows()]


def row(*cells: str) -> str:
    """A row of a markdown table."""
    return f"| {' | '.join(cells)} |"


INTRODUCTION = """# Model card

The pretrained model of the course: free-text descriptions of an activity, in English, into the 651 classes of NACE Rev. 2.1.
This card is written by the code that trains the model; every figure on it was measured by it.

**What it is.** A network in the wrapper of torchTextClassifiers: two weighted means of token embeddings, each with a linear
head, averaged (`funathon.network`). Its tokens and the first values of its embeddings come from all-MiniLM-L6-v2 (Apache
2.0). It was trained on the training set of `data/labels.parquet` ({n_train:,} labels) and on the titles and inclusions of
`data/nace_rev2_1.tsv`. Settings were chosen on the validation set; the confidences were calibrated on it by temperature
scaling. The field test was never used to choose anything.

**What it is for.** Teaching. Labels and field test are synthetic (see `data/README.md`): the figures below say nothing about
how it would do on a real register. What it gives is a prediction, not a ruling.

**Loading it.** The files are pickles, and a pickle runs code when it is loaded. `funathon.pretrained.load_model` compares every
file with the checksums of `manifest.json` before it reads any. Do not load a model of this kind that you cannot verify.
"""
