"""Finding candidate classes for a label: texts of the classes, search by words, and the fusion of several searches.

What the best retrieval is made of was chosen on 3,000 labels of the validation set (chapter 8 shows the steps on 2,000, drawn anew):
Retriever@1 and Retriever@5 with all-MiniLM-L6-v2, in percent; the intervals are about ±1.6 wide.

| retrieval | @1 | @5 |
|---|---|---|
| heading, includes and also includes as one text | 36.1 | 66.0 |
| the same, the heading of the group before it | 32.3 | 61.7 |
| the same without any heading | 34.4 | 63.5 |
| mean of the vectors of `heading: point` | 37.5 | 67.3 |
| **mean of the vectors of `heading: point` and of `point`** | 39.7 | 70.9 |
| the best passage of each class | 40.6 | 70.8 |
| BM25 on the notes | 35.7 | 61.9 |
| passages and BM25 on the notes, fused | 44.5 | 74.7 |
| passages and 10 labels a class as vectors: best of each class | 37.8 | 71.0 |
| BM25 on the notes and 10 labels a class | 41.0 | 70.3 |
| BM25 on the notes and all training labels | 55.6 | 84.3 |
| **passages and BM25 on the notes and all training labels, fused** | 53.7 | 88.0 |
| the same, from whole lists instead of 150 passages and 50 classes | 56.7 | 88.5 |
| the same, BM25 weighing twice | 58.1 | 88.6 |
| the same, and the mean of the two nearest of 10 labels a class as vectors | 57.3 | 89.1 |

The bold rows are `--retrieval plain` and `best`. The constant of the fusion is 10; with the usual 60 the best one reaches 85.0.
The last three rows, all from whole lists, gain too little to pay for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
import polars as pl
import Stemmer

FUSION_CONSTANT = 10


@dataclass(frozen=True)
class Document:
    """A text that stands for a class."""

    code: str
    text: str


def points(note: str | None) -> list[str]:
    """The points of a note, one a line, without their dashes."""
    return [line.strip().removeprefix("-").strip() for line in (note or "").splitlines() if line.strip(" -")]


def class_documents(nomenclature: pl.DataFrame) -> list[Document]:
    """One text a class: heading, what it includes and what it also includes.

    `nomenclature` is a table as `read_nomenclature` gives it.
    """
    return [
        Document(row["code"], ". ".join([row["heading"], *points(row["includes"]), *points(row["includes_also"])]))
        for row in nomenclature.filter(level=4).iter_rows(named=True)
    ]


def class_passages(nomenclature: pl.DataFrame) -> list[Document]:
    """The notes cut in passages: for each class its heading, and `heading: point` for each point it includes or also includes."""
    return [
        Document(row["code"], text)
        for row in nomenclature.filter(level=4).iter_rows(named=True)
        for text in [
            row["heading"],
            *(f"{row['heading']}: {point}" for note in ("includes", "includes_also") for point in points(row[note])),
        ]
    ]


def class_readings(nomenclature: pl.DataFrame) -> list[Document]:
    """The notes read point by point, each behind the heading and alone; the mean of their vectors stands for the class.

    In one vector of the whole text long points drown the short ones and the heading weighs too little or too much; the mean
    of these is nearer to what labels say.
    """
    readings = []
    for row in nomenclature.filter(level=4).iter_rows(named=True):
        lines = points(row["includes"]) + points(row["includes_also"])
        texts = [f"{row['heading']}: {line}" for line in lines] + lines if lines else [row["heading"]]
        readings += [Document(row["code"], text) for text in texts]
    return readings


def with_examples(documents: Sequence[Document], examples: Iterable[Document]) -> list[Document]:
    """The documents with the labelled examples of their class added to their text."""
    texts = {document.code: [document.text] for document in documents}
    for example in examples:
        if example.code in texts:
            texts[example.code].append(example.text)
    return [Document(code, "\n".join(parts)) for code, parts in texts.items()]


class WordIndex:
    """BM25 over documents (Robertson and Zaragoza 2009, Foundations and Trends in Information Retrieval 3), on English stems."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._stemmer = Stemmer.Stemmer("english")
        self._index = bm25s.BM25()
        self._index.index(self._words([document.text for document in documents]), show_progress=False)

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        """Stems of the words of each text, the commonest words left out."""
        return bm25s.tokenize(list(texts), stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False)

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Scores of the documents for each text, 0 where they share no word: float32 array of shape (texts, documents)."""
        scores = np.zeros((len(texts), len(self.documents)), dtype=np.float32)
        for row, words in enumerate(self._words(texts)):
            if words:  # bm25s takes no empty query
                scores[row] = self._index.get_scores(words)
        return scores

    def search(self, text: str, limit: int) -> list[Document]:
        """The documents that share words with a text, best first, `limit` at most."""
        scores = self.scores([text])[0]
        best = np.argsort(-scores, kind="stable")[:limit]
        return [self.documents[i] for i in best if scores[i] > 0]


def codes_of(documents: Iterable[Document]) -> list[str]:
    """The codes of found documents, best first, each class at the place of its best document."""
    return list(dict.fromkeys(document.code for document in documents))


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]]) -> list[str]:
    """Several lists of codes, each best first, as one: a code at place r of a list gets 1 / (FUSION_CONSTANT + r) points.

    Cormack, Clarke and Büttcher 2009 (SIGIR). A code that a list lacks gets nothing from it; of codes with equal points the one
    met first comes first.
    """
    points_of: dict[str, float] = {}
    for ranking in rankings:
        for place, code in enumerate(ranking, 1):
            points_of[code] = points_of.get(code, 0) + 1 / (FUSION_CONSTANT + place)
    return sorted(points_of, key=points_of.get, reverse=True)
