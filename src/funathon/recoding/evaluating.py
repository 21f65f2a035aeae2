"""Measuring how well a register is recoded: `funathon recode evaluate`."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.tables.columns import find_column
from funathon.corpus.tables.opening import open_table, tell
from funathon.corpus.tables.table import GUESSED, Reading
from funathon.errors import FunathonError
from funathon.measures import Share, share
from funathon.recoding.annotators import Annotator
from funathon.recoding.chat import announce, models_of
from funathon.recoding.direction import Direction, backwards, forwards
from funathon.recoding.register import annotators_of, weights_of
from funathon.recoding.votes import cascade, choices, fleiss_kappa, weighted_vote

SEED = 10
SURE = 0.6
"""The share from which on an annotator of the cascade decides."""


@dataclass(frozen=True)
class Figures:
    """How well a register was recoded, on rows whose right code is known."""

    rows: int
    by_table: Share | None
    """Right among the rows with one successor."""
    offered: Share | None
    """Of those with several, the ones whose right class is among the successors: what is left is for a person."""
    annotators: dict[str, Share]
    """Right among the rows with several successors whose right class is one of them, for each annotator and each kind of vote."""
    kappa: float | None
    """Agreement of all annotators beyond chance, by Fleiss; None for fewer than two."""
    overall: Share
    """Right among all rows, by the table and the weighted vote."""


def measure(
    texts: Sequence[str],
    old: Sequence[str],
    truth: Sequence[str],
    direction: Direction,
    annotators: Sequence[Annotator],
    weights: Mapping[str, float],
) -> Figures:
    """Measure on texts with their old and their right codes. Raises FunathonError where no row has a right code."""
    if not len(texts):
        raise FunathonError("No row has a right code to measure by.", "Name the column with --truth.")
    candidates = [tuple(direction.successors.get(code, ())) for code in old]
    truth = np.array(truth)
    single = np.array([len(each) == 1 for each in candidates])
    several = np.array([len(each) > 1 for each in candidates])
    offered = np.array([code in each for code, each in zip(truth, candidates)])
    right = np.array([len(each) == 1 and each[0] == code for code, each in zip(truth, candidates)])
    asked = np.flatnonzero(several)
    found: dict[str, Share] = {}
    kappa = None
    if len(asked) and annotators:
        some = [[each[i] for i in asked] for each in (texts, old, candidates)]
        shares = {each.name: each.shares(*some) for each in annotators}
        votes = {name: choices(said) for name, said in shares.items()}
        decided = np.array([vote.place for vote in weighted_vote(shares, weights)])
        if len(annotators) > 1:
            votes["majority"] = np.array([vote.place for vote in weighted_vote(shares, dict.fromkeys(shares, 1.0))])
            votes["cascade"] = cascade(shares, sorted(shares, key=weights.get, reverse=True), SURE)
            votes["weighted vote"] = decided
            kappa = fleiss_kappa([[some[2][i][place] for i, place in enumerate(votes[name])] for name in shares])

        def hits(places: np.ndarray) -> np.ndarray:
            return np.array([row[place] == code for row, place, code in zip(some[2], places, truth[asked])])

        if offered[asked].any():
            found = {name: share(hits(places)[offered[asked]]) for name, places in votes.items()}
        right[asked] = hits(decided)
    return Figures(
        len(texts),
        share(right[single]) if single.any() else None,
        share(offered[several]) if several.any() else None,
        found,
        kappa,
        share(right),
    )


def evaluate(
    source: str,
    reading: Reading = GUESSED,
    *,
    truth: str,
    label: str,
    old_code: str,
    method: str,
    back: bool,
    sample: int | None,
    console: Console,
) -> Figures:
    """Measure a method on the rows of `source` that have a right code in the column `truth`, or on `sample` of them.

    Raises FunathonError when the table cannot be read, lacks a column, or has no row with a right code; and as the annotators do.
    """
    opened = open_table(source, reading, variable="the path", say=tell)
    names = opened.schema.names()
    columns = {
        name: find_column(opened.name, names, wanted, option, tell)
        for name, wanted, option in (("text", label, "--label"), ("old", old_code, "--old-code"), ("truth", truth, "--truth"))
    }
    rows = opened.read().select(pl.col(column).cast(pl.String).str.strip_chars().alias(name) for name, column in columns.items())
    known = rows.filter(pl.col("truth").is_not_null() & (pl.col("truth") != "")).with_columns(pl.col("text", "old").fill_null(""))
    if left_out := len(rows) - len(known):
        tell(f"{source}: {left_out:,} of {len(rows):,} rows have no right code and are left out.")
    if sample is not None and sample < len(known):
        known = known.sample(sample, seed=SEED)
    correspondence = read_correspondence()
    direction = backwards(correspondence) if back else forwards(correspondence)
    models = models_of(method)
    announce(models, console)
    with tempfile.TemporaryDirectory() as folder:
        annotators = annotators_of(direction, method, models, os.environ["PRETRAINED_URL"], Path(folder) / "answers.jsonl")
        weights = weights_of(annotators, back)
        return measure(*(known[name].to_list() for name in ("text", "old", "truth")), direction, annotators, weights)


def table(figures: Figures) -> Table:
    """Figures for people to read."""
    shown = Table(title=f"{figures.rows:,} rows with a right code", title_justify="left")
    shown.add_column("")
    shown.add_column("share, 95 % interval", justify="right")
    shown.add_column("of rows", justify="right")

    def add(name: str, value: Share | None) -> None:
        if value is not None:
            shown.add_row(name, str(value), f"{value.n:,}")

    add("right, all rows", figures.overall)
    add("one successor: right by the table", figures.by_table)
    add("several successors: the right one among them", figures.offered)
    for name, value in figures.annotators.items():
        add(f"of these, right by {name}", value)
    if figures.kappa is not None:
        shown.add_row("agreement of the annotators (Fleiss' kappa)", f"{figures.kappa:.2f}", "")
    return shown
