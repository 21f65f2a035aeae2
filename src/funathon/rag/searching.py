"""The search that chapters 6 to 8 build, on whole lists of scores: one row a text, one column a class.

For a register `funathon.rag.pipeline` searches a vector database instead; on a few hundred texts a product of two arrays is
simpler, and shows every place.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from openai import OpenAI
from scipy.stats import rankdata

from funathon.rag.kept import kept_array, model_state
from funathon.rag.retrieval import Document, WordIndex, class_passages, with_examples

BATCH = 32
"""Texts in one request for embeddings."""
REQUESTS_AT_ONCE = 4
CONSTANT = 10
"""The constant of the fusion in `BestSearch`."""


def note_text(row: dict) -> str:
    """The text by which chapter 6 embeds a class: heading, what it includes and what it also includes.

    `row` is a row of the table that `read_nomenclature` gives.
    """
    parts = [row["heading"]]
    for name, note in (("Includes", row["includes"]), ("Also includes", row["includes_also"])):
        if note and note.strip():
            parts.append(f"{name}:\n{note.strip()}")
    return "\n".join(parts)


class Embedder:
    """Vectors by EMBEDDING_MODEL, in batches and several requests at a time, as chapter 6 builds it.

    With the name of a model in `embedded`, by that model of the embedded endpoint, whatever `.env` names; the client is of
    that endpoint then.
    """

    def __init__(self, client: OpenAI, embedded: str | None = None) -> None:
        self._client = client
        self._embedded = embedded

    def __call__(self, texts: Sequence[str], keep: str = "") -> np.ndarray:
        """Vectors of length 1, one a text: float32 array of shape (texts, dimensions).

        With a name in `keep` they are kept on disk, and computed once for the same texts and model. Raises openai.OpenAIError.
        """
        texts = [str(text) for text in texts]
        if not keep:
            return self._embed(texts)
        return kept_array(keep, [model_state("EMBEDDING_MODEL", self._embedded), texts], lambda: self._embed(texts))

    def _embed(self, texts: list[str]) -> np.ndarray:
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            answers = list(pool.map(self._request, batches))
        vectors = np.array([item.embedding for answer in answers for item in answer.data], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _request(self, batch: list[str]):
        return self._client.embeddings.create(model=self._embedded or os.environ["EMBEDDING_MODEL"], input=batch)


def best_of_class(similarities: np.ndarray, owners: Sequence[str], codes: Sequence[str]) -> np.ndarray:
    """The best similarity in each class, shape (texts, classes), from those to its passages, shape (texts, passages).

    `owners` has the class of each passage; every one of `codes` must have a passage.
    """
    column = {code: number for number, code in enumerate(codes)}
    place = np.array([column[code] for code in owners])
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], range(len(codes)))
    return np.maximum.reduceat(similarities[:, order], starts, axis=1)


def fuse(score_arrays: Sequence[np.ndarray], weights: Sequence[float], constant: float = 60) -> np.ndarray:
    """Points of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, SIGIR): array of the shape of each of the arrays."""
    return sum(weight / (constant + rankdata(-scores, axis=1)) for scores, weight in zip(score_arrays, weights))


class BestSearch:
    """The best search of chapter 8: passages by meaning, and notes with the labels of the training set by words, fused."""

    def __init__(self, nomenclature: pl.DataFrame, labelled: Sequence[Document], embed: Embedder) -> None:
        classes = list(nomenclature.filter(level=4).iter_rows(named=True))
        passages = class_passages(nomenclature)
        self.codes = np.array([row["code"] for row in classes])
        self._owners = [passage.code for passage in passages]
        self._vectors = embed([passage.text for passage in passages], keep="passages")
        self._words = WordIndex(with_examples([Document(row["code"], note_text(row)) for row in classes], labelled))

    def scores(self, texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        """Points of all classes, in the order of `codes`, for texts with these vectors: shape (texts, classes)."""
        by_meaning = best_of_class(vectors @ self._vectors.T, self._owners, self.codes)
        return fuse([by_meaning, self._words.scores(texts)], [1, 1], CONSTANT)

    def candidates(self, texts: Sequence[str], vectors: np.ndarray, k: int) -> list[list[str]]:
        """Codes of the `k` best classes of each text, best first."""
        return self.codes[np.argsort(-self.scores(texts, vectors), axis=1, kind="stable")[:, :k]].tolist()
