"""Annotators: each says of a text how likely each of its candidates is, the candidates being the successors of its old code.

The candidates are known beforehand, so nothing has to be searched for (*cache-augmented generation*, Chan and others 2024, arXiv:2412.15605,
after which Insee calls the method CAG); what is left is to choose among a few.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from funathon.minilm import embed
from funathon.rag.retrieval import Document, WordIndex, with_examples
from funathon.supervised.classifier import softmax

SHARPNESS_OF_MEANING, SHARPNESS_OF_WORDS = 20.0, 0.5
"""What cosines and BM25 scores are multiplied by before they become shares."""

Candidates = Sequence[Sequence[str]]
"""The classes that each text may have gone to, two or more."""


class Annotator(Protocol):
    """Chooses among candidates."""

    name: str

    def shares(self, texts: Sequence[str], old_codes: Sequence[str], candidates: Candidates) -> list[np.ndarray]:
        """How likely each candidate of each text is: arrays of shape (candidates,), each of which adds up to 1."""


def shares_of_scores(scores: np.ndarray) -> np.ndarray:
    """Shares from the scores of one text, both of shape (candidates,)."""
    return softmax(scores[None])[0]


class ByNetwork:
    """The pretrained network, asked for no other class than the candidates."""

    name = "network"

    def __init__(self, scores: Callable[[Sequence[str]], np.ndarray], classes: Sequence[str]) -> None:
        """`scores` gives scores of shape (texts, classes), `classes` are the codes of the columns."""
        self._scores = scores
        self._column = {code: place for place, code in enumerate(classes)}

    def shares(self, texts: Sequence[str], old_codes: Sequence[str], candidates: Candidates) -> list[np.ndarray]:
        """See `Annotator`."""
        scored = self._scores(list(texts))
        return [shares_of_scores(row[[self._column[code] for code in codes]]) for row, codes in zip(scored, candidates)]


class ByMeaning:
    """The nearest note by meaning: MiniLM's similarity to the best passage of a class, and to what went there from the old code."""

    name = "nearest note"

    def __init__(self, passages: Sequence[Document], content: Mapping[tuple[str, str], str]) -> None:
        """`passages` are texts about the classes, at least one for each; `content` says of pairs of classes what went from the one to the other."""
        vectors = embed([*(passage.text for passage in passages), *content.values()])
        owned: dict[str, list[int]] = {}
        for place, passage in enumerate(passages):
            owned.setdefault(passage.code, []).append(place)
        self._of_class = {code: vectors[places] for code, places in owned.items()}
        self._of_pair = {pair: vectors[len(passages) + place] for place, pair in enumerate(content)}

    def shares(self, texts: Sequence[str], old_codes: Sequence[str], candidates: Candidates) -> list[np.ndarray]:
        """See `Annotator`."""
        found = []
        for vector, old, codes in zip(embed(list(texts)), old_codes, candidates):
            best = [(self._of_class[code] @ vector).max() for code in codes]
            went = [
                self._of_pair[old, code] @ vector if (old, code) in self._of_pair else near for code, near in zip(codes, best)
            ]
            found.append(shares_of_scores(SHARPNESS_OF_MEANING * (np.array(best) + np.array(went))))
        return found


class ByWords:
    """The nearest labels by words: BM25 over the notes and the labels of each class."""

    name = "nearest labels"

    def __init__(self, documents: Sequence[Document], labelled: Sequence[Document]) -> None:
        """`documents` has one text a class, `labelled` labels of classes."""
        self._column = {document.code: place for place, document in enumerate(documents)}
        self._index = WordIndex(with_examples(documents, labelled))

    def shares(self, texts: Sequence[str], old_codes: Sequence[str], candidates: Candidates) -> list[np.ndarray]:
        """See `Annotator`."""
        found = []
        for start in range(0, len(texts), 1_000):
            scored = self._index.scores(texts[start : start + 1_000])
            for row, codes in zip(scored, candidates[start : start + 1_000]):
                found.append(shares_of_scores(SHARPNESS_OF_WORDS * row[[self._column[code] for code in codes]]))
        return found
