"""The tests that every model is judged by, the hard ones first: texts that no model learns from, and nothing is tuned to."""

import numpy as np
import polars as pl

from funathon.corpus.splitting import Split
from funathon.paths import DESCRIPTIONS, ENTRIES, FIELD_TEST

TESTS = {"descriptions": DESCRIPTIONS, "entries": ENTRIES, "field test": FIELD_TEST}
"""Self-descriptions, entries as in an index, and texts of a form; each with the columns `code`, `label` and `register`."""

Texts = tuple[np.ndarray, np.ndarray]
"""Texts and their right codes, both of shape (texts,)."""


def read_tests() -> dict[str, pl.DataFrame]:
    """The tests by name, the hard ones first."""
    return {name: pl.read_parquet(path) for name, path in TESTS.items()}


def judged_sets(split: Split, tests: dict[str, pl.DataFrame]) -> dict[str, Texts]:
    """All that a model is judged by, by name: the tests, then the test set of the labels, then the validation set."""
    sets = {name: (table["label"].to_numpy(), table["code"].to_numpy()) for name, table in tests.items()}
    return sets | {"test": (split.X_test, split.y_test), "validation": (split.X_val, split.y_val)}
