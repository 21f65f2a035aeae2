"""The split of the labels into training, validation and test set: the same in every chapter and command."""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

from funathon.errors import FunathonError

SEED = 42
"""The `random_state` that chapter 1 uses; with another, the pretrained model would have seen part of the test set."""

LEAST = 7
"""Labels that a class must have: 30 % of fewer may be one label, which cannot be both in the validation and in the test set."""


@dataclass(frozen=True)
class Split:
    """Texts (`X_…`) and codes (`y_…`) of the three sets, numpy arrays of shape (labels,)."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_val: np.ndarray
    y_val: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def training_digest(self) -> str:
        """sha256 of the training set, which tells what a model learnt from."""
        rows = "\n".join(f"{code}\t{text}" for code, text in zip(self.y_train, self.X_train))
        return hashlib.sha256(rows.encode()).hexdigest()


def split_labels(labels: pl.DataFrame) -> Split:
    """Split a table with the columns `code` and `label` 70/15/15, stratified by code, as chapter 1 does.

    Raises FunathonError when a class has too few labels.
    """
    few = labels["code"].value_counts().filter(pl.col("count") < LEAST).sort("count", "code")
    if len(few):
        code, count = few.row(0)
        raise FunathonError(
            f"The class {code} has {count} label{'' if count == 1 else 's'}, too few to split.",
            f"Give each class at least {LEAST} labels, or leave it out.",
        )
    X, y = labels["label"].to_numpy(), labels["code"].to_numpy()
    X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=SEED, stratify=y)
    X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=SEED, stratify=y_rest)
    return Split(X_train, y_train, X_val, y_val, X_test, y_test)
