"""The prompts of chapters 5 to 9 that are put to a language model once, so that its answers can be recorded: `funathon llm prompts`.

They are made as the chapters make them, from the same draws, searches and messages; a chapter that changes its prompts finds no
recorded answer to them, and its tests fail. No prompt holds the right code of its text, nor is it written beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.not_codable import read_not_codable
from funathon.corpus.splitting import split_labels
from funathon.paths import ATTACKS, DESCRIPTIONS, ENTRIES, FIELD_TEST, NOT_CODABLE
from funathon.rag.asking import Messages, Request
from funathon.rag.prompts import SYSTEM, TERSE, candidate_block, make_messages, naive_messages, unguarded_messages
from funathon.rag.retrieval import Document, WordIndex
from funathon.rag.searching import BestSearch, Embedder, note_text

K = 5
"""Candidates of each label, where nothing else is said."""
EXAMPLES = 3
"""Labelled examples shown with each candidate, where there are any."""
OF_CHAPTER_7 = "hand-made pretzels and rye loaves, sold from a van at farmers' markets"


@dataclass(frozen=True)
class Prompt:
    """A prompt, the set it belongs to and its number there; `json` says whether the answer is to be JSON."""

    set: str
    number: int
    messages: Messages
    json: bool = True


def draw(texts: Sequence[str], n: int, seed: int) -> np.ndarray:
    """The numbers of `n` of the texts, drawn as the chapters draw them: array of shape (n,)."""
    return np.random.default_rng(seed).choice(len(texts), n, replace=False)


class Prompter:
    """What chapters 7 to 9 make prompts from: the split, the notes, the searches, and the training labels by their words."""

    def __init__(self, embed: Embedder) -> None:
        nomenclature = read_nomenclature()
        self.split = split_labels(read_labels())
        self.notes = {row["code"]: row for row in nomenclature.filter(level=4).iter_rows(named=True)}
        self.codes = np.array(list(self.notes))
        self._embed = embed
        training = [Document(code, text) for code, text in zip(self.split.y_train.tolist(), self.split.X_train.tolist())]
        self._search = BestSearch(nomenclature, training, embed)
        self._vectors = embed([note_text(row) for row in self.notes.values()], keep="notes")
        self._words = WordIndex(training)
        self._numbers = {code: np.flatnonzero(self.split.y_train == code) for code in self.notes}

    def by_notes(self, texts: Sequence[str], k: int = K) -> list[list[str]]:
        """Codes of the `k` classes whose notes are nearest to each text, nearest first, as in chapters 7 and 8."""
        scores = self._embed(texts) @ self._vectors.T
        return self.codes[np.argsort(-scores, axis=1)[:, :k]].tolist()

    def by_best(self, texts: Sequence[str], k: int = K) -> list[list[str]]:
        """Codes of the `k` best classes of each text by the best search of chapter 8, best first."""
        return self._search.candidates(texts, self._embed(texts), k)

    def plain(self, texts: Sequence[str], candidates: Sequence[Sequence[str]], system: str = SYSTEM) -> list[Request]:
        """Requests that show the notes of the candidates and nothing else."""
        return [
            (make_messages(text, [candidate_block(self.notes[code]) for code in row], system), row)
            for text, row in zip(texts, candidates)
        ]

    def without_exclusions(self, texts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[Request]:
        """Requests whose notes leave out what the classes exclude."""
        return [
            (make_messages(text, [candidate_block(self.notes[code] | {"excludes": None}) for code in row]), row)
            for text, row in zip(texts, candidates)
        ]

    def with_examples(self, texts: Sequence[str], candidates: Sequence[Sequence[str]], system: str = SYSTEM) -> list[Request]:
        """Requests that show with each candidate the EXAMPLES training labels of its class that share most words with the text."""
        requests = []
        for text, row, scores in zip(texts, candidates, self._words.scores(texts)):
            blocks = [candidate_block(self.notes[code], nearest(scores, self._numbers[code], self.split.X_train)) for code in row]
            requests.append((make_messages(text, blocks, system), row))
        return requests


def nearest(scores: np.ndarray, numbers: np.ndarray, texts: Sequence[str]) -> list[str]:
    """The EXAMPLES of the texts of these numbers that share most words with another, by their scores, shape (texts,)."""
    return [str(texts[number]) for number in numbers[np.argsort(-scores[numbers], kind="stable")[:EXAMPLES]]]


def excluded_rival(notes: dict[str, dict], code: str, candidates: Sequence[str]) -> bool:
    """Whether a candidate says in its exclusions that something belongs to the class `code`, which is a candidate too."""
    return code in candidates and any(code in (notes[other]["excludes"] or "") for other in candidates if other != code)


def all_prompts(prompter: Prompter) -> Iterator[Prompt]:
    """All prompts, set by set."""
    split, notes = prompter.split, prompter.notes
    chosen = draw(split.X_test, 500, 7)
    sample, truth = split.X_test[chosen].tolist(), split.y_test[chosen].tolist()
    field = pl.read_parquet(FIELD_TEST)["label"]
    final = field[draw(field, 500, 9)].to_list()
    near, best, ten, final_best = (
        prompter.by_notes(sample),
        prompter.by_best(sample),
        prompter.by_best(sample[:200], 10),
        prompter.by_best(final),
    )
    attacks = pl.read_csv(ATTACKS, separator="\t", quote_char=None)["text"].to_list()
    attacked = prompter.by_notes(attacks)
    borders = [place for place, (code, row) in enumerate(zip(truth, best)) if excluded_rival(notes, code, row)]
    hard = {
        "entries": hard_texts(pl.read_parquet(ENTRIES)["label"], 400),
        "descriptions": hard_texts(pl.read_parquet(DESCRIPTIONS)["label"], 300),
        "not codable": hard_texts(read_not_codable(NOT_CODABLE)["text"], 300),
    }
    hard_best = {name: prompter.by_best(texts) for name, texts in hard.items()}
    sets: dict[str, list[Request]] = {
        "chapter 7": prompter.plain([OF_CHAPTER_7], prompter.by_notes([OF_CHAPTER_7])),
        "attacks": prompter.plain(attacks, attacked),
        "attacks, unguarded": [
            (unguarded_messages(text, [candidate_block(notes[code]) for code in row]), row)
            for text, row in zip(attacks, attacked)
        ],
        "notes, k = 5": prompter.plain(sample, near),
        "best search, k = 5": prompter.plain(sample, best),
        "best search, k = 5, examples": prompter.with_examples(sample, best),
        "best search, k = 10": prompter.plain(sample[:200], ten),
        "best search, k = 10, examples": prompter.with_examples(sample[:200], ten),
        "no exclusions": prompter.without_exclusions([sample[i] for i in borders], [best[i] for i in borders]),
        "field": prompter.plain(final, final_best),
        "field, examples": prompter.with_examples(final, final_best),
        "field, examples, no rules": prompter.with_examples(final[:250], final_best[:250], TERSE),
        **{name: prompter.with_examples(texts, hard_best[name]) for name, texts in hard.items()},
        "not codable, no rules": prompter.with_examples(hard["not codable"][:150], hard_best["not codable"][:150], TERSE),
    }
    for number, text in enumerate(sample[:200]):
        yield Prompt("nothing to read", number, naive_messages(text), json=False)
    for name, requests in sets.items():
        for number, (messages, _) in enumerate(requests):
            yield Prompt(name, number, messages)


def hard_texts(texts: pl.Series, n: int) -> list[str]:
    """`n` texts of a hard test, the same ones each time."""
    return texts[draw(texts, n, 12)].to_list()
