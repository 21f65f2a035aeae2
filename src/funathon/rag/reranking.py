"""A reranker: a small cross-encoder that reads a text and what is known of one class together, and says how well they fit.

A search compares vectors that were computed apart; a cross-encoder sees both texts at once (Nogueira and Cho 2019, "Passage re-ranking with
BERT", arXiv:1901.04085), which is better and far slower: good for ten candidates of a search, not for all classes.
`funathon.rag.rerank_training` makes it.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from funathon.errors import FunathonError
from funathon.paths import RERANKER
from funathon.rag.retrieval import points

MODEL, TOKENIZER, MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"
MOST_TOKENS = 64
"""Of a pair, so many tokens are read; the longer of its texts is cut first."""
BATCH = 64
"""Pairs that are read together."""


def class_text(row: dict, examples: Sequence[str]) -> str:
    """What the reranker reads of a class: heading, labelled examples that are near the text, what it includes.

    `row` is a row of the table that `read_nomenclature` gives.
    """
    return ". ".join([row["heading"], *examples, *points(row["includes"]), *points(row["includes_also"])])


class Reranker:
    """The cross-encoder in a folder, read by onnxruntime."""

    def __init__(self, folder: Path = RERANKER) -> None:
        """Raises FunathonError when a file is missing or is not the one that the manifest names."""
        try:
            self.manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            expected = dict(self.manifest["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FunathonError(f"{folder / MANIFEST} is not the manifest of a reranker.", "Fetch the folder again.") from error
        for name in (MODEL, TOKENIZER):
            path = folder / name
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected.get(name):
                raise FunathonError(f"{path} is not the file that its manifest names.", "Fetch the folder again.")
        self._folder = folder

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(self._folder / MODEL, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return tokenizer

    def scores(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """How well the two texts of each pair fit, a text and a `class_text`: float32 array of shape (pairs,). Only differences between pairs of
        one text mean something, and only between those of one call: numbers of eight bits are scaled by the largest that is read together."""
        rows = encode_pairs(self._tokenizer, pairs)
        found = np.empty(len(rows), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda number: len(rows[number][0]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            ids, kinds, mask = padded([rows[number] for number in batch])
            inputs = {"input_ids": ids, "token_type_ids": kinds, "attention_mask": mask}
            found[batch] = self._session.run(None, inputs)[0].ravel()
        return found

    def rerank(
        self, texts: Sequence[str], candidates: Sequence[Sequence[str]], shown: Sequence[Sequence[str]], points: np.ndarray
    ) -> list[list[str]]:
        """The candidates of each text in a new order, best first.

        `candidates` has the codes of each text, as many for each; `shown` the `class_text` of each of them; `points` what the search gave
        them, shape (texts, candidates). The scores of both are added, the search's with the weight that the manifest names.
        """
        # text by text, so that no other text changes the order of its candidates
        found = np.array([self.scores([(text, block) for block in blocks]) for text, blocks in zip(texts, shown)])
        scores = found.reshape(points.shape) + self.manifest["weight"] * points
        return np.take_along_axis(np.array(candidates), np.argsort(-scores, axis=1, kind="stable"), axis=1).tolist()


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[tuple[list[int], list[int]]]:
    """The token ids of each pair, and to which of its texts each token belongs."""
    encodings = tokenizer.encode_batch(list(pairs))
    return [(encoding.ids, encoding.type_ids) for encoding in encodings]


def padded(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Token ids, their texts and the mask of some pairs, three arrays of shape (pairs, tokens)."""
    width = max(len(ids) for ids, _ in rows)
    ids, kinds, mask = (np.zeros((len(rows), width), dtype=np.int64) for _ in range(3))
    for place, (tokens, belongs) in enumerate(rows):
        ids[place, : len(tokens)] = tokens
        kinds[place, : len(tokens)] = belongs
        mask[place, : len(tokens)] = 1
    return ids, kinds, mask
