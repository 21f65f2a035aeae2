"""Codes for texts, with titles, confidences and the words that decided: `funathon predict`, `funathon code` and serving."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.markup import escape
from tokenizers import Encoding
from torchTextClassifiers import torchTextClassifiers

from funathon.corpus.blanks import why_blank
from funathon.corpus.codes import shorten
from funathon.corpus.nomenclature import read_nomenclature, refuse_foreign_classes
from funathon.supervised.classifier import Batch, batches, clean
from funathon.supervised.codability import Codability, load_codability
from funathon.supervised.columns import CANDIDATES, CODE_COLUMNS
from funathon.supervised.pretrained import load_model

DECISIVE = 4
"""Words that are shown to people."""

UNREADABLE = "no word that the model knows"
DOUBTFUL = "perhaps no activity that can be coded"
"""The one reason beside which there are candidates all the same."""


@dataclass(frozen=True)
class Candidate:
    """A class that a text may belong to."""

    code: str
    title: str
    confidence: float


@dataclass(frozen=True)
class Word:
    """A word of a text and its contribution to the score of the first candidate.

    A contribution is the exact share that the word's tokens have in the score, above their mean share over all classes (see
    `WeightedViews.shares`). It says what moved this model, not why the code would be right.
    """

    word: str
    contribution: float


@dataclass(frozen=True)
class Prediction:
    """What the model says about one text."""

    text: str
    candidates: list[Candidate]
    """Best first; empty when there is a `reason`."""
    words: list[Word]
    """In the order of the text, without punctuation."""
    codable: float | None
    """How likely the text can be coded at all, from 0 to 1; None where there are no candidates."""
    reason: str | None
    """Why there are no candidates, or why they are in doubt."""
    cut: bool
    """Whether the text is longer than what the model reads, so that its end counts for nothing."""


class Coder:
    """A verified model that codes texts."""

    def __init__(self, model: torchTextClassifiers, codability: Codability, titles: dict[str, str]) -> None:
        """`titles` gives the title of each class of the model, `codability` says of a text whether it has any.

        Raises FunathonError when it lacks one.
        """
        self.model = model
        self.codability = codability
        self.classes = model.value_encoder.label_encoder.classes_
        refuse_foreign_classes(self.classes, titles)
        self.titles = titles
        vocabulary = model.tokenizer.tokenizer.get_vocab()
        self._is_word = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
        special = set(model.tokenizer.tokenizer.all_special_tokens)
        for piece, number in vocabulary.items():
            self._is_word[number] = piece not in special and any(character.isalpha() for character in piece)

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """Candidates and words for a few texts."""
        texts = list(texts)
        predictions: list[Prediction] = []
        for batch in batches(self.model, texts):
            best, confidence = top(batch.scores)
            some = texts[len(predictions) : len(predictions) + len(batch.encodings)]
            labels = pl.Series([None if text is None else clean(text) for text in some], dtype=pl.String)
            codable = self.codability.score(batch)
            reasons = why_not(labels, self._readable(batch), codable < self.codability.bound)
            for i, encoding in enumerate(batch.encodings):
                text = texts[len(predictions)]
                if reasons[i] not in (None, DOUBTFUL):
                    predictions.append(Prediction(text, [], [], None, reasons[i], cut=False))
                    continue
                codes = self.classes[best[i]]
                candidates = [Candidate(code, self.titles[code], float(c)) for code, c in zip(codes, confidence[i])]
                words = self._words(clean(text), encoding, int(best[i, 0]))
                predictions.append(
                    Prediction(text, candidates, words, float(codable[i]), reasons[i], cut=bool(encoding.overflowing))
                )
        return predictions

    def table(self, labels: pl.Series) -> pl.DataFrame:
        """Codes for many labels: a table with CODE_COLUMNS and a row a label.

        A label that cannot be coded (null, empty, `n/a`, without a word that the model knows) has a `reason` and nulls elsewhere. One
        that seems to name no activity has a `reason` and candidates. The others have a null `reason`.
        """
        labels = labels.cast(pl.String)
        found = [
            (*top(batch.scores), self._readable(batch), self.codability.score(batch)) for batch in batches(self.model, labels)
        ]
        best = np.concatenate([np.empty((0, CANDIDATES), dtype=np.int64), *(b for b, *_ in found)])
        confidence = np.concatenate([np.empty((0, CANDIDATES), dtype=np.float32), *(c for _, c, *_ in found)])
        readable = np.concatenate([np.empty(0, dtype=bool), *(r for *_, r, _ in found)])
        codable = np.concatenate([np.empty(0, dtype=np.float32), *(c for *_, c in found)])
        classes = pl.Series(self.classes, dtype=pl.String)
        titles = pl.Series([self.titles[code] for code in self.classes], dtype=pl.String)
        columns = {"code": classes.gather(best[:, 0]), "title": titles.gather(best[:, 0]), "confidence": confidence[:, 0]}
        for rank in range(2, CANDIDATES + 1):
            columns[f"code_{rank}"] = classes.gather(best[:, rank - 1])
            columns[f"confidence_{rank}"] = confidence[:, rank - 1]
        reason = why_not(labels, readable, codable < self.codability.bound)
        table = pl.DataFrame(columns | {"codable": codable}).with_columns(reason=reason)
        has_code = pl.col("reason").is_null() | (pl.col("reason") == DOUBTFUL)
        return table.with_columns(pl.when(has_code).then(pl.exclude("reason"))).select(CODE_COLUMNS)

    def _readable(self, batch: Batch) -> np.ndarray:
        """Whether each text has at least one token with a letter, array of shape (texts,)."""
        return np.logical_or.reduceat(self._is_word[batch.tokens.numpy()], batch.starts.numpy())

    def _words(self, text: str, encoding: Encoding, target: int) -> list[Word]:
        shares = self.model.pytorch_model.shares(torch.tensor(encoding.ids), target).tolist()
        spans: dict[int, tuple[int, int]] = {}
        sums: dict[int, float] = {}
        for word, (start, end), token_share in zip(encoding.word_ids, encoding.offsets, shares):
            if word is not None:
                spans[word] = (spans.get(word, (start, end))[0], end)
                sums[word] = sums.get(word, 0.0) + token_share
        words = [Word(text[start:end], sums[word]) for word, (start, end) in spans.items()]
        return [word for word in words if any(character.isalnum() for character in word.word)]


def top(scores: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the likeliest classes and their confidences, best first, two arrays of shape (texts, CANDIDATES)."""
    confidence, best = scores.softmax(dim=1).topk(CANDIDATES, dim=1)
    return best.numpy(), confidence.numpy()


def why_not(texts: pl.Series, readable: np.ndarray, doubtful: np.ndarray) -> pl.Series:
    """Why each of some texts gets no code or a doubtful one, or null.

    `readable` says whether it has a word that the model knows, `doubtful` whether it seems to name no activity, both boolean arrays of
    shape (texts,). Returns a series of as many strings.
    """
    to_the_model = pl.when(~pl.col("readable")).then(pl.lit(UNREADABLE)).when(pl.col("doubtful")).then(pl.lit(DOUBTFUL))
    reason = pl.coalesce(why_blank(pl.col("text")), to_the_model)
    flags = [pl.Series(name, flag, dtype=pl.Boolean) for name, flag in (("readable", readable), ("doubtful", doubtful))]
    return pl.select(texts.alias("text"), *flags).select(reason=reason)["reason"]


def load_coder(url: str, nace: str | None = None) -> Coder:
    """The coder with the verified model at `url` and the titles of the nomenclature at `nace` (default: NACE_URL).

    Raises FunathonError as `load_model` does.
    """
    model = load_model(url)
    return Coder(model, load_codability(url), dict(read_nomenclature(nace).filter(level=4).select("code", "heading").iter_rows()))


def show(prediction: Prediction, console: Console) -> None:
    """Print a prediction for people to read."""
    console.print(f"[bold]{escape(shorten(prediction.text, 100))}[/]", highlight=False, soft_wrap=True)
    if prediction.reason:
        what = "in doubt" if prediction.candidates else "no code"
        console.print(f"   {what}: {prediction.reason}", highlight=False, soft_wrap=True)
    for candidate in prediction.candidates:
        console.print(
            f"   {candidate.confidence:6.1%}  {candidate.code}  {escape(candidate.title)}", highlight=False, soft_wrap=True
        )
    decisive = sorted((word for word in prediction.words if word.contribution > 0), key=lambda word: -word.contribution)
    if decisive:
        words = ", ".join(f"{word.word} ({word.contribution:+.1f})" for word in decisive[:DECISIVE])
        console.print(f"   words that decided: {escape(words)}", highlight=False, soft_wrap=True)
    if prediction.cut:
        console.print("   the text is too long: its end was not read", highlight=False, soft_wrap=True)
