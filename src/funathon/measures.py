"""Measures of a classifier: accuracy with intervals, by level, calibration, coverage and precision.

The intervals are Wilson's (1927, JASA 22). They take the texts for a simple random sample: that a set is stratified by class, or
that one writer wrote many of its texts, is not in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

LEVEL_NAMES = ("section", "division", "group", "class")


@dataclass(frozen=True)
class Share:
    """A share of `n` cases with its 95 % Wilson interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}]"

    # what a notebook shows of a variable, or of a dictionary of shares
    __repr__ = __str__


def share(right: Sequence[bool] | np.ndarray) -> Share:
    """The share of true values in a boolean array or list, with its 95 % Wilson interval."""
    right = np.asarray(right, dtype=bool)
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Share(float(right.mean()), float(interval.low), float(interval.high), len(right))


def ranked(probabilities: np.ndarray, classes: np.ndarray, k: int = 5) -> np.ndarray:
    """Codes of the `k` likeliest classes of each text, best first: array of shape (texts, k)."""
    k = min(k, probabilities.shape[1])
    best = np.argpartition(-probabilities, k - 1, axis=1)[:, :k]
    order = np.take_along_axis(-probabilities, best, axis=1).argsort(axis=1, kind="stable")
    return classes[np.take_along_axis(best, order, axis=1)]


def accuracy_at(candidates: np.ndarray, truth: np.ndarray, k: int = 1) -> Share:
    """Share of texts whose right code is among the first `k` of their `candidates` (shape (texts, candidates))."""
    return share((candidates[:, :k] == truth[:, None]).any(axis=1))


def codes_at(level: int, codes: np.ndarray, section_of: dict[str, str]) -> np.ndarray:
    """Codes of classes, an array of any shape, at level 1 (section) to 4 (class).

    `section_of` gives the section of each division.
    """
    if level == 4:
        return codes
    cut = {2: lambda code: code[:2], 3: lambda code: code[:4], 1: lambda code: section_of[code[:2]]}[level]
    return np.array([cut(code) for code in codes.ravel()]).reshape(codes.shape)


def macro_f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Mean of the F1 scores of the classes that occur in `truth`, each counting the same."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015, AAAI)."""
    inside = np.minimum((confidence * 10).astype(int), 9)
    total = 0.0
    for b in np.unique(inside):
        chosen = inside == b
        total += chosen.mean() * abs(right[chosen].mean() - confidence[chosen].mean())
    return float(total)


@dataclass(frozen=True)
class Automatic:
    """What is coded without a person when a threshold on the confidence decides."""

    threshold: float
    """The least confidence, from 0 to 1, of a text that is coded so."""
    coverage: Share
    """Share of all texts that reach it."""
    precision: Share | None
    """Share of these that are right; None when there are none."""


def automatic(confidence: np.ndarray, right: np.ndarray, threshold: float) -> Automatic:
    """Coverage and precision from a confidence of `threshold` on. Both arrays have shape (texts,); `right` is true or false."""
    kept = confidence >= threshold
    return Automatic(threshold, share(kept), share(right[kept]) if kept.any() else None)


def threshold_for(confidence: np.ndarray, right: np.ndarray, precision: float) -> float | None:
    """The lowest threshold on the confidence from which on at least this share of the texts is right; None if there is none.

    It is chosen on these texts, so the precision here flatters it: `automatic` measures it on others. A higher threshold can
    have a lower precision, as precision need not rise with the threshold.
    """
    order = np.argsort(-confidence, kind="stable")
    so_far = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    # a threshold cannot part equal confidences
    ends = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero((so_far >= precision) & ends)
    return float(confidence[order][good[-1]]) if len(good) else None
