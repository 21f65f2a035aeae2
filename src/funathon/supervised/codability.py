"""Whether a text can be coded at all: a second opinion beside the confidence, which is about which class, not about whether any.

A linear model over what the network makes of a text: the means that its scores are made of, how sharp the scores are, and the number
of tokens. It learns from texts that nobody could code (`data/labels/not_codable.tsv`), from form sentences alone, and from the
validation set, which the network has not learnt from.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torchTextClassifiers import torchTextClassifiers

from funathon.corpus.blanks import says_nothing
from funathon.corpus.not_codable import among_sentences, read_form_sentences, read_not_codable
from funathon.corpus.splitting import SEED
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.paths import NOT_CODABLE_LABELS
from funathon.storage import file_in, read_bytes
from funathon.supervised.classifier import Batch, batches
from funathon.supervised.pretrained import read_manifest, verify_bytes

FILE = "codability.json"
FALSE_ALARMS = 0.02
"""Share of codable texts that may be called not codable."""
SENTENCES_ALONE = 400
"""Texts of form sentences only that are learnt from."""


@dataclass(frozen=True)
class Codability:
    """The linear model: a weight for each feature, and the least score of a text that counts as codable."""

    weights: np.ndarray
    bias: float
    bound: float

    def score(self, batch: Batch) -> np.ndarray:
        """How likely each text of a batch can be coded, from 0 to 1, float32 array of shape (texts,)."""
        return (1 / (1 + np.exp(-(features(batch) @ self.weights + self.bias)))).astype(np.float32)


def features(batch: Batch) -> np.ndarray:
    """What the model reads of each text, float array of shape (texts, features)."""
    log_shares = torch.log_softmax(batch.scores, dim=1)
    best = log_shares.topk(2, dim=1).values
    lengths = torch.diff(batch.starts, append=torch.tensor([len(batch.tokens)]))
    sharpness = [
        best[:, 0],
        best[:, 0] - best[:, 1],
        (log_shares.exp() * log_shares).sum(dim=1),
        batch.scores.max(dim=1).values,
        batch.scores.logsumexp(dim=1),
        lengths.log(),
    ]
    return torch.cat([torch.stack(sharpness, dim=1), batch.means], dim=1).double().numpy()


def fit_codability(model: torchTextClassifiers, codable: np.ndarray) -> Codability:
    """Fit the model on one half of `codable`, texts of shape (texts,) that the network has not learnt from, and on texts that cannot be
    coded; the other half says where the bound lies."""
    chooser, sentences = random.Random(SEED), read_form_sentences()
    texts = [among_sentences(text, sentences, chooser) if chooser.random() < 0.5 else text for text in codable]
    chooser.shuffle(texts)
    half = len(texts) // 2
    without = read_not_codable(NOT_CODABLE_LABELS)["text"].to_list()
    without += [" ".join(chooser.sample(sentences, chooser.randint(1, 4))) for _ in range(SENTENCES_ALONE)]
    X = all_features(model, [*texts[:half], *without])
    y = np.arange(len(X)) < half
    scaler = StandardScaler().fit(X)
    fitted = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced").fit(scaler.transform(X), y)
    weights = fitted.coef_[0] / scaler.scale_
    found = Codability(weights, float(fitted.intercept_[0] - weights @ scaler.mean_), 0.0)
    kept = np.concatenate([found.score(batch) for batch in batches(model, texts[half:])])
    return Codability(found.weights, found.bias, float(np.quantile(kept, FALSE_ALARMS)))


def doubts(model: torchTextClassifiers, codability: Codability, texts: Iterable[str]) -> np.ndarray:
    """Which of some texts are taken for not codable, also because they say nothing: boolean array of shape (texts,)."""
    scored = np.concatenate([codability.score(batch) for batch in batches(model, texts)])
    blank = pl.select(says_nothing(pl.Series(list(texts), dtype=pl.String))).to_series().to_numpy()
    return (scored < codability.bound) | blank


def all_features(model: torchTextClassifiers, texts: list[str]) -> np.ndarray:
    """The features of many texts, shape (texts, features)."""
    return np.concatenate([features(batch) for batch in batches(model, texts)])


def write_codability(codability: Codability, folder: Path) -> None:
    """Write the model into the folder of a network."""
    content = {"bound": codability.bound, "bias": codability.bias, "weights": codability.weights.tolist()}
    write_text(folder / FILE, json.dumps(content) + "\n")


def load_codability(url: str) -> Codability:
    """The model in the folder `url` of a network (local, https or s3), once it is verified.

    Raises FunathonError when there is none, or it is not the one that the manifest names.
    """
    manifest = read_manifest(url)
    if FILE not in manifest.files:
        raise FunathonError(f"The model at {url} lacks {FILE}.", "Train it again with `uv run funathon train`.")
    content = read_bytes(file_in(url, FILE), "PRETRAINED_URL")
    verify_bytes(FILE, content, manifest)
    found = json.loads(content)
    return Codability(np.array(found["weights"]), found["bias"], found["bound"])
