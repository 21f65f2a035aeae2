"""What a model is worth on labelled texts: `funathon evaluate` and the model card."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from rich.table import Table
from torchTextClassifiers import torchTextClassifiers

from funathon.corpus.nomenclature import ancestors, read_nomenclature, refuse_foreign_classes
from funathon.measures import (
    LEVEL_NAMES,
    Share,
    accuracy_at,
    calibration_error,
    codes_at,
    coverage_at_precision,
    macro_f1,
    ranked,
    share,
)
from funathon.supervised.classifier import scores, softmax

PRECISION = 0.95
"""The precision at which coverage is measured."""


@dataclass(frozen=True)
class Report:
    """What a model does on one set of labels."""

    n: int
    top: dict[int, Share]
    levels: dict[int, Share]
    macro_f1: float
    calibration_error: float
    coverage: float
    """Share of texts that can be coded with a precision of 95 %."""
    threshold: float
    """The confidence from which on they can."""
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
            "coverage_at_95_precision": self.coverage,
            "threshold_for_95_precision": self.threshold,
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
            ("coverage at 95 % precision", f"{self.coverage:.1%}"),
        ]


def judge(scored: np.ndarray, classes: np.ndarray, truth: np.ndarray) -> Report:
    """Measure scores of shape (n, classes), in the order of `classes`, against the right codes, shape (n,).

    Raises FunathonError when the nomenclature at NACE_URL lacks one of the classes.
    """
    tree = ancestors(read_nomenclature())
    refuse_foreign_classes(classes, tree["class"])
    section_of = dict(tree.select("division", "section").unique().iter_rows())
    probabilities = softmax(scored)
    candidates = ranked(probabilities, classes)
    confidence, right = probabilities.max(axis=1), candidates[:, 0] == truth
    coverage, threshold = coverage_at_precision(confidence, right, PRECISION)
    return Report(
        n=len(truth),
        top={k: accuracy_at(candidates, truth, k) for k in (1, 3, 5)},
        levels={
            level: accuracy_at(codes_at(level, candidates[:, :1], section_of), codes_at(level, truth, section_of))
            for level in (1, 2, 3, 4)
        },
        macro_f1=macro_f1(candidates[:, 0], truth),
        calibration_error=calibration_error(confidence, right),
        coverage=coverage,
        threshold=threshold,
        candidates=candidates,
    )


def measure(model: torchTextClassifiers, texts: np.ndarray, truth: np.ndarray) -> Report:
    """Measure a model on texts and their right codes, arrays of shape (n,)."""
    return judge(scores(model, texts), model.value_encoder.label_encoder.classes_, truth)


def accuracy_by(values: np.ndarray, right: np.ndarray) -> list[tuple[str, Share]]:
    """Each of `values` with the share of `right` (bool) among its texts, both of shape (n,), the lowest share first."""
    shares = [(str(value), share(right[values == value])) for value in np.unique(values)]
    return sorted(shares, key=lambda pair: pair[1].value)


@dataclass(frozen=True)
class Weak:
    """A class that a model often misses, and the class it most often takes for it."""

    code: str
    accuracy: Share
    mistaken_for: str | None


def worst_classes(truth: np.ndarray, predicted: np.ndarray, most: int) -> list[Weak]:
    """The classes with the lowest accuracy, at most `most`; among equals those with more texts, then by code."""
    judged = pl.DataFrame({"code": truth, "predicted": predicted})
    found = [Weak(code, accuracy, None) for code, accuracy in accuracy_by(truth, truth == predicted)]
    found.sort(key=lambda weak: (weak.accuracy.value, -weak.accuracy.n, weak.code))
    wrong = judged.filter(pl.col("code") != pl.col("predicted")).group_by("code", "predicted").len()
    usual = wrong.sort("len", "predicted", descending=[True, False]).unique("code", keep="first", maintain_order=True)
    mistakes = dict(usual.select("code", "predicted").iter_rows())
    return [Weak(weak.code, weak.accuracy, mistakes.get(weak.code)) for weak in found[:most]]


def table(report: Report, title: str) -> Table:
    """A report for the terminal."""
    drawn = Table("measure", "value", title=title, caption="In brackets: 95 % Wilson intervals.")
    for name, value in report.rows():
        drawn.add_row(name, value)
    return drawn
