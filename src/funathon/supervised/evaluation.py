"""What a model is worth on labelled texts: `funathon evaluate` and the model card."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from rich.table import Table
from torchTextClassifiers import torchTextClassifiers

from funathon.corpus.nomenclature import ancestors, read_nomenclature, refuse_foreign_classes
from funathon.measures import (
    LEVEL_NAMES,
    Automatic,
    Share,
    accuracy_at,
    automatic,
    calibration_error,
    codes_at,
    macro_f1,
    ranked,
    share,
    threshold_for,
)
from funathon.supervised.classifier import scores, softmax
from funathon.supervised.review import REVIEW_BELOW

PRECISION = 0.95
"""The precision for which a threshold is looked for."""


@dataclass(frozen=True)
class Report:
    """What a model does on one set of labels."""

    n: int
    top: dict[int, Share]
    levels: dict[int, Share]
    macro_f1: float
    calibration_error: float
    automatic: list[Automatic]
    """What each of the thresholds gives that were chosen elsewhere."""
    chosen: float | None
    """The lowest threshold that has a precision of 95 % on these very labels, to be measured on others; None if none has."""
    candidates: np.ndarray
    """Codes of the five likeliest classes of each text, shape (n, 5)."""

    def as_dict(self) -> dict:
        """The figures under the names that `funathon evaluate --json` gives them."""
        return {
            "n": self.n,
            **{f"top{k}": accuracy.value for k, accuracy in self.top.items()},
            "levels": {str(level): accuracy.value for level, accuracy in self.levels.items()},
            "macro_f1": self.macro_f1,
            "calibration_error": self.calibration_error,
            "automatic": [
                {
                    "threshold": found.threshold,
                    "coverage": found.coverage.value,
                    "precision": found.precision.value if found.precision else None,
                    "intervals": {
                        name: [value.low, value.high]
                        for name, value in (("coverage", found.coverage), ("precision", found.precision))
                        if value
                    },
                }
                for found in self.automatic
            ],
            "threshold_for_95_precision": self.chosen,
            "intervals": {
                **{f"top{k}": [accuracy.low, accuracy.high] for k, accuracy in self.top.items()},
                "levels": {str(level): [accuracy.low, accuracy.high] for level, accuracy in self.levels.items()},
            },
        }

    def rows(self) -> list[tuple[str, str]]:
        """The figures as people read them: name and value."""
        return [
            ("labels", f"{self.n:,}"),
            *((f"top-{k} accuracy", str(accuracy)) for k, accuracy in self.top.items()),
            *((f"{LEVEL_NAMES[level - 1]} level", str(accuracy)) for level, accuracy in self.levels.items()),
            ("macro-F1", f"{self.macro_f1:.3f}"),
            ("calibration error", f"{self.calibration_error:.3f}"),
            *(
                (f"{name} from confidence {found.threshold:g} on", str(value or "no text reaches it"))
                for found in self.automatic
                for name, value in (("coverage", found.coverage), ("precision", found.precision))
            ),
        ]


def judge(scored: np.ndarray, classes: np.ndarray, truth: np.ndarray, thresholds: Sequence[float] = (REVIEW_BELOW,)) -> Report:
    """Measure scores of shape (n, classes), in the order of `classes`, against the right codes, shape (n,).

    `thresholds` on the confidence are those whose coverage and precision are wanted; choose them on other labels than these.

    Raises FunathonError when the nomenclature at NACE_URL lacks one of the classes.
    """
    tree = ancestors(read_nomenclature())
    refuse_foreign_classes(classes, tree["class"])
    section_of = dict(tree.select("division", "section").unique().iter_rows())
    probabilities = softmax(scored)
    candidates = ranked(probabilities, classes)
    confidence, right = probabilities.max(axis=1), candidates[:, 0] == truth
    return Report(
        n=len(truth),
        top={k: accuracy_at(candidates, truth, k) for k in (1, 3, 5)},
        levels={
            level: accuracy_at(codes_at(level, candidates[:, :1], section_of), codes_at(level, truth, section_of))
            for level in (1, 2, 3, 4)
        },
        macro_f1=macro_f1(candidates[:, 0], truth),
        calibration_error=calibration_error(confidence, right),
        automatic=[automatic(confidence, right, threshold) for threshold in thresholds],
        chosen=threshold_for(confidence, right, PRECISION),
        candidates=candidates,
    )


def measure(model: torchTextClassifiers, texts: np.ndarray, truth: np.ndarray, threshold: float = REVIEW_BELOW) -> Report:
    """Measure a model on texts and their right codes, arrays of shape (n,); what `threshold` gives among the rest."""
    return judge(scores(model, texts), model.value_encoder.label_encoder.classes_, truth, [threshold])


def accuracy_by(values: np.ndarray, right: np.ndarray) -> list[tuple[str, Share]]:
    """Each of `values` with the share of `right` (bool) among its texts, both of shape (n,), the lowest share first."""
    shares = [(str(value), share(right[values == value])) for value in np.unique(values)]
    return sorted(shares, key=lambda pair: pair[1].value)


@dataclass(frozen=True)
class Weak:
    """A class that a model often misses, and what its texts are taken for."""

    code: str
    accuracy: Share
    mistaken_for: tuple[tuple[str, int], ...]
    """The classes that its texts are most often taken for, with the number of texts; several when they tie, by code."""


def worst_classes(truth: np.ndarray, predicted: np.ndarray, most: int) -> list[Weak]:
    """The classes with the lowest accuracy, at most `most`; among equals those with more texts, then by code."""
    found = accuracy_by(truth, truth == predicted)
    found.sort(key=lambda pair: (pair[1].value, -pair[1].n, pair[0]))
    judged = pl.DataFrame({"code": truth, "predicted": predicted}).filter(pl.col("code") != pl.col("predicted"))
    wrong = judged.group_by("code", "predicted").len().sort("predicted")
    most_often = wrong.filter(pl.col("len") == pl.col("len").max().over("code"))
    return [
        Weak(code, accuracy, tuple(most_often.filter(code=code).select("predicted", "len").iter_rows()))
        for code, accuracy in found[:most]
    ]


def table(report: Report, title: str) -> Table:
    """A report for the terminal."""
    drawn = Table("measure", "value", title=title, caption="In brackets: 95 % Wilson intervals, for a simple random sample.")
    for name, value in report.rows():
        drawn.add_row(name, value)
    chosen = "none" if report.chosen is None else f"{report.chosen:.3f} (chosen here: measure it on other labels)"
    drawn.add_row("lowest threshold with 95 % precision", chosen)
    return drawn
