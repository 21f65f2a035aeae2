"""Texts as the ranker of the stand-in sees them, kept by their text, and how rare words and groups of letters are."""

import math
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import polars as pl
import Stemmer

from funathon.paths import DEFAULT_NACE

MOST_PASSAGES = 10_000
"""Texts that are kept: the notes of all classes are 3,400, and the labels asked about go through. At about 4 kB each they take
40 MB."""
LONGEST_KEPT = 2_000
"""Characters of the longest text that is kept."""

Embed = Callable[[Sequence[str]], np.ndarray]
"""From texts to unit vectors, float32 array of shape (texts, dimensions)."""

COMMON_WORDS = frozenset(
    "a an and are as at be by for from has have i in is it its me my not of on or our that the their they this to us we "
    "which who with you your all also any other such own".split()
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as the ranker sees it: its embedding, its word stems, and the groups of four letters in its words.

    Stems and groups are each named once; tuples, which take a tenth of the memory of sets.
    """

    vector: np.ndarray
    stems: tuple[str, ...]
    grams: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without the commonest."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in COMMON_WORDS]


def each_once(terms: Iterable[str]) -> tuple[str, ...]:
    """Terms without repeats. Texts share most of their terms, and the terms themselves are kept in memory once."""
    return tuple(sys.intern(term) for term in dict.fromkeys(terms))


def stems_of(text: str) -> tuple[str, ...]:
    """Stems of the words of a text (Snowball's English stemmer), without the commonest words."""
    # the stemmer keeps state and is not safe to share between threads
    return each_once(Stemmer.Stemmer("english", 0).stemWords(words_of(text)))


def grams_of(text: str) -> tuple[str, ...]:
    """Groups of four characters in the words of a text, the blank before and after a word among them."""
    words = [f" {word} " for word in words_of(text)]
    return each_once(word[i : i + 4] for word in words for i in range(max(1, len(word) - 3)))


@lru_cache(MOST_PASSAGES)
def _kept_terms(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return stems_of(text), grams_of(text)


def terms_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Stems and groups of letters of an example, kept unless it is long: examples come back with every label."""
    return _kept_terms(text) if len(text) <= LONGEST_KEPT else (stems_of(text), grams_of(text))


@dataclass(frozen=True)
class Rarity:
    """Inverse document frequency over the classes of the nomenclature that comes with the course."""

    of: dict[str, float]
    unseen: float

    def weigh(self, terms: Iterable[str]) -> float:
        """The sum of the rarities of terms that are each named once."""
        return sum(self.of.get(term, self.unseen) for term in terms)

    def overlap(self, wanted: Sequence[str], present: Iterable[str]) -> float:
        """Which share of `wanted`, weighed by rarity, is in `present`: 0 to 1."""
        whole = self.weigh(wanted)
        return self.weigh(set(wanted).intersection(present)) / whole if whole else 0.0


@cache
def rarities() -> tuple[Rarity, Rarity]:
    """Rarity of stems and of groups of letters."""
    classes = pl.read_csv(DEFAULT_NACE, separator="\t", infer_schema=False).filter(pl.col("LEVEL") == "4")
    texts = [" ".join(filter(None, row)) for row in classes.select("HEADING", "Includes", "IncludesAlso").iter_rows()]
    return rarity([stems_of(text) for text in texts]), rarity([grams_of(text) for text in texts])


def rarity(documents: Sequence[Sequence[str]]) -> Rarity:
    """Inverse document frequency of each term, ln(N / n)."""
    counts: dict[str, int] = {}
    for document in documents:
        for term in document:
            counts[term] = counts.get(term, 0) + 1
    n = len(documents)
    return Rarity({term: math.log(n / count) for term, count in counts.items()}, math.log(n))


class Passages:
    """Texts read by the ranker, kept by their text: candidates come back with every label."""

    def __init__(self, embed: Embed, most: int = MOST_PASSAGES) -> None:
        self.embed = embed
        self.most = most
        self._kept: OrderedDict[str, Passage] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, texts: Sequence[str]) -> dict[str, Passage]:
        """The passage of each text; those not met before are embedded in one batch."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
            for text in known:
                self._kept.move_to_end(text)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= self.keep(missing, self.embed(missing))
        return known

    def keep(self, texts: Sequence[str], vectors: np.ndarray) -> dict[str, Passage]:
        """The passages of texts whose embeddings are there already, unit vectors of shape (texts, dimensions), kept like others
        unless they are long."""
        # a copy of each row, else one of them would keep the whole array in memory
        new = {text: Passage(vector.copy(), stems_of(text), grams_of(text)) for text, vector in zip(texts, vectors)}
        with self._lock:
            self._kept |= {text: passage for text, passage in new.items() if len(text) <= LONGEST_KEPT}
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return new
