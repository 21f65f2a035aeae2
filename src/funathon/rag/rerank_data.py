"""What the reranker learns from and is judged by: labels, each with the ten best classes of the best search and what is shown of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import Split
from funathon.minilm import embed
from funathon.paths import DESCRIPTIONS, ENTRIES, FIELD_TEST
from funathon.rag.prompt_sets import draw, nearest
from funathon.rag.reranking import class_text
from funathon.rag.retrieval import Document, WordIndex
from funathon.rag.searching import BestSearch

CANDIDATES = 10
AT_ONCE = 256
"""Texts that are compared with all labels at a time."""


@dataclass(frozen=True)
class Pool:
    """Texts with their candidates."""

    texts: list[str]
    shown: list[list[str]]
    """The `class_text` of each candidate."""
    points: np.ndarray
    """What the search gave each candidate, best first, shape (texts, CANDIDATES)."""
    candidates: list[list[str]]
    places: list[int]
    """The place of the right class among the candidates, -1 where it is none."""

    @classmethod
    def joined(cls, pools: Sequence["Pool"]) -> "Pool":
        """Several pools as one."""
        lists = {
            name: [each for pool in pools for each in getattr(pool, name)] for name in ("texts", "shown", "candidates", "places")
        }
        return cls(points=np.concatenate([pool.points for pool in pools]), **lists)


def pool_of(
    texts: Sequence[str],
    codes: Sequence[str],
    classes: Mapping[str, dict],
    known_texts: Sequence[str],
    known_codes: Sequence[str],
) -> Pool:
    """The candidates of some texts by the best search over the labels that are known, and the examples among these that are shown.

    `classes` has the row of the nomenclature of each class.
    """
    documents = [Document(code, text) for code, text in zip(np.array(known_codes).tolist(), np.array(known_texts).tolist())]
    search = BestSearch(read_nomenclature(), documents, lambda some, keep="": embed(list(some)))
    words = WordIndex(documents)
    numbers = {code: np.flatnonzero(np.array(known_codes) == code) for code in classes}
    found = Pool([], [], np.empty((0, CANDIDATES)), [], [])
    for start in range(0, len(texts), AT_ONCE):
        some = [str(text) for text in texts[start : start + AT_ONCE]]
        scores = search.scores(some, embed(some))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :CANDIDATES]
        candidates = search.codes[order].tolist()
        shown = [
            [class_text(classes[code], nearest(by_words, numbers[code], known_texts)) for code in row]
            for row, by_words in zip(candidates, words.scores(some))
        ]
        places = [row.index(code) if code in row else -1 for row, code in zip(candidates, list(codes)[start : start + AT_ONCE])]
        found = Pool.joined([found, Pool(some, shown, np.take_along_axis(scores, order, axis=1), candidates, places)])
    return found


def validation_labels(split: Split, number: int) -> tuple[list[str], list[str]]:
    """So many labels of the validation set, and their codes, that are not among those of chapter 8."""
    of_chapter = set(draw(split.X_val, 2_000, 8).tolist())
    others = [place for place in range(len(split.X_val)) if place not in of_chapter]
    chosen = np.random.default_rng(20).choice(others, number, replace=False)
    return split.X_val[chosen].tolist(), split.y_val[chosen].tolist()


def measured_sets(split: Split) -> dict[str, tuple[list[str], list[str]]]:
    """The texts that the reranker is judged by, and their codes: those of chapters 8 and 9, and of the hard tests."""
    chosen, sample = draw(split.X_val, 2_000, 8), draw(split.X_test, 500, 7)
    return {
        "descriptions": drawn(DESCRIPTIONS, 300, 12),
        "entries": drawn(ENTRIES, 400, 12),
        "field test": drawn(FIELD_TEST, 500, 9),
        "chapter 8, test set": (split.X_test[sample].tolist(), split.y_test[sample].tolist()),
        "chapter 8, validation set": (split.X_val[chosen].tolist(), split.y_val[chosen].tolist()),
    }


def drawn(path, number: int, seed: int) -> tuple[list[str], list[str]]:
    """So many texts of a test and their codes, the same ones each time."""
    table = pl.read_parquet(path)
    table = table[draw(table["label"], number, seed)]
    return table["label"].to_list(), table["code"].to_list()
