"""Votes among annotators, and how far annotators agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Shares = Mapping[str, Sequence[np.ndarray]]
"""What each annotator says of each text: how likely each candidate is."""


@dataclass(frozen=True)
class Vote:
    """What came of one text."""

    place: int
    """Of the chosen candidate."""
    agreement: float
    """The share of the annotators that chose it."""
    confidence: float
    """The mean of what the annotators gave it, each with its weight."""


def choices(shares: Sequence[np.ndarray]) -> np.ndarray:
    """The place of the likeliest candidate of each text, shape (texts,)."""
    return np.array([int(each.argmax()) for each in shares], dtype=int)


def weighted_vote(shares: Shares, weights: Mapping[str, float]) -> list[Vote]:
    """For each text the candidate whose annotators have the largest sum of weights; of equal ones that with the larger confidence.

    With equal weights it is the majority vote.
    """
    names = list(shares)
    weight = np.array([weights[name] for name in names], dtype=float)
    weight = weight / weight.sum()
    votes = []
    for said in zip(*(shares[name] for name in names)):
        table = np.array(said)
        mean = weight @ table
        cast = np.zeros(len(mean))
        np.add.at(cast, table.argmax(axis=1), weight)
        place = max(range(len(mean)), key=lambda each: (round(cast[each], 9), mean[each]))
        votes.append(Vote(place, float((table.argmax(axis=1) == place).mean()), float(mean[place])))
    return votes


def cascade(shares: Shares, order: Sequence[str], sure: float) -> np.ndarray:
    """For each text the choice of the first annotator, in this order, that gives it a share of `sure` or more, else of the last: the
    places, shape (texts,)."""
    found = choices(shares[order[-1]])
    for name in reversed(order[:-1]):
        best = np.array([each.max() for each in shares[name]])
        found = np.where(best >= sure, choices(shares[name]), found)
    return found


def log_odds(right: np.ndarray) -> float:
    """The weight of an annotator from its right choices, booleans of shape (texts,): the logarithm of right to wrong, each one more than
    counted (the best weights of independent voters, Nitzan and Paroush 1982, International Economic Review 23), 0 at least."""
    return max(0.0, float(np.log((right.sum() + 1) / ((~right).sum() + 1))))


def cohen_kappa(first: Sequence, second: Sequence) -> float:
    """Agreement of two annotators beyond chance (Cohen 1960), from their codes."""
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(list(first), list(second)))


def fleiss_kappa(codes: Sequence[Sequence]) -> float:
    """Agreement of several annotators beyond chance (Fleiss 1971, Psychological Bulletin 76): `codes` has the codes that each gave to the
    same texts. 1.0 where all gave one and the same code to every text."""
    classes = sorted({code for row in codes for code in row})
    column = {code: place for place, code in enumerate(classes)}
    table = np.zeros((len(codes[0]), len(classes)))
    for row in codes:
        table[np.arange(len(row)), [column[code] for code in row]] += 1
    raters = len(codes)
    observed = ((table**2).sum(axis=1) - raters).mean() / (raters * (raters - 1))
    expected = ((table.sum(axis=0) / table.sum()) ** 2).sum()
    return 1.0 if expected == 1 else float((observed - expected) / (1 - expected))
