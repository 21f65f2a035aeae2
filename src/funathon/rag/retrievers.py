"""The two ways in which `funathon rag evaluate` finds candidates: by the notes alone, and the best combination of chapter 8."""

import os
from collections.abc import Sequence

import numpy as np
import polars as pl

from funathon.corpus.labels import read_labels
from funathon.corpus.splitting import split_labels
from funathon.rag.retrieval import (
    Document,
    WordIndex,
    class_documents,
    class_passages,
    class_readings,
    codes_of,
    reciprocal_rank_fusion,
    with_examples,
)
from funathon.rag.vectors import VectorIndex

PASSAGES, CLASSES = 150, 50
"""Passages, and classes by words, that go into the fusion; what whole lists would bring stands in `funathon.rag.retrieval`."""
EXAMPLES = 3
"""Labelled examples shown with each candidate."""


class PlainRetriever:
    """The notes alone, found by meaning: a class stands at the mean of the vectors of its notes."""

    learnt: frozenset[str] = frozenset()
    """Labels that this retriever searches: none."""

    def __init__(self, qdrant, nomenclature: pl.DataFrame) -> None:
        self.index = VectorIndex(qdrant, class_readings(nomenclature), one_point_a_class=True)

    def candidates(self, texts: Sequence[str], vectors: Sequence[Sequence[float]], k: int) -> list[list[str]]:
        """Codes of the `k` best classes of each text, best first."""
        return self.index.search(vectors, k)

    def examples(self, text: str, codes: Sequence[str]) -> list[list[str]]:
        """No examples: this retriever knows no labels."""
        return [[] for _ in codes]


class BestRetriever:
    """The best combination of chapter 8: passages found by meaning, and notes with the labels of the training set found by
    words, fused by reciprocal rank fusion. The table in `funathon.rag.retrieval` says how it was chosen."""

    def __init__(self, qdrant, nomenclature: pl.DataFrame) -> None:
        self.index = VectorIndex(qdrant, class_passages(nomenclature))
        split = split_labels(read_labels(os.environ["LABELS_URL"]))
        labelled = [Document(code, text) for code, text in zip(split.y_train.tolist(), split.X_train.tolist())]
        self.learnt = frozenset(split.X_train)
        """Labels that this retriever searches."""
        self._words = WordIndex(with_examples(class_documents(nomenclature), labelled))
        self._labelled = WordIndex(labelled)
        self._rows_of = pl.DataFrame({"code": split.y_train}).with_row_index().group_by("code").agg("index")
        self._rows_of = {code: np.array(rows) for code, rows in self._rows_of.iter_rows()}

    def candidates(self, texts: Sequence[str], vectors: Sequence[Sequence[float]], k: int) -> list[list[str]]:
        """Codes of the `k` best classes of each text, best first."""
        by_meaning = self.index.search(vectors, PASSAGES)
        by_words = [codes_of(self._words.search(text, CLASSES)) for text in texts]
        return [reciprocal_rank_fusion(lists)[:k] for lists in zip(by_meaning, by_words)]

    def examples(self, text: str, codes: Sequence[str]) -> list[list[str]]:
        """For each class the training labels, EXAMPLES at most, that share most words with a text, best first."""
        scores = self._labelled.scores([text])[0]
        found = []
        for code in codes:
            rows = self._rows_of.get(code, np.array([], dtype=int))
            best = rows[np.argsort(-scores[rows], kind="stable")[:EXAMPLES]]
            found.append([self._labelled.documents[i].text for i in best])
        return found


Retriever = PlainRetriever | BestRetriever
RETRIEVERS = {"plain": PlainRetriever, "best": BestRetriever}
