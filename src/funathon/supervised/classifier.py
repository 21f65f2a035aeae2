"""Scores and confidences of a trained classifier, in batches."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding
from torchTextClassifiers import torchTextClassifiers

BATCH = 4096
"""Texts that are scored together: their scores take 10 MiB."""
MOST_CHARACTERS = 10_000
"""What stands behind so many characters is not read. The row of tokens is full long before."""


@dataclass(frozen=True)
class Batch:
    """Some texts as tokens, and what the network makes of them."""

    encodings: list[Encoding]
    tokens: torch.Tensor
    """Token ids of all texts, one text after the other."""
    starts: torch.Tensor
    """Where each text starts among `tokens`, shape (texts,)."""
    scores: torch.Tensor
    """Shape (texts, classes), in the encoder's order."""
    means: torch.Tensor
    """What the scores are made of, shape (texts, dimensions): see `WeightedViews.score`."""


def clean(text: str | None) -> str:
    """A text as the tokenizer can take it: null is empty, half a surrogate pair is a question mark, the end of an endless one is
    cut off."""
    text = "" if text is None else str(text).strip()[:MOST_CHARACTERS]
    return text if text.isascii() else re.sub(r"[\ud800-\udfff]", "?", text)


def batches(model: torchTextClassifiers, texts: Iterable[str | None]) -> Iterator[Batch]:
    """Tokenize and score texts, BATCH at a time. `model` is one of `funathon train`."""
    tokenizer = model.tokenizer.tokenizer.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.tokenizer.output_dim)
    network = model.pytorch_model.eval()
    texts = list(texts)
    for start in range(0, len(texts), BATCH):
        encodings = tokenizer.encode_batch([clean(text) for text in texts[start : start + BATCH]])
        rows = [encoding.ids for encoding in encodings]
        ends = np.cumsum([len(row) for row in rows])
        tokens = torch.from_numpy(np.concatenate(rows).astype(np.int64))
        starts = torch.from_numpy(np.concatenate([[0], ends[:-1]]).astype(np.int64))
        yield Batch(encodings, tokens, starts, *network.score(tokens, starts))


def scores(model: torchTextClassifiers, texts: Sequence[str]) -> np.ndarray:
    """Scores (logits) of every class for each text: float32 array of shape (texts, classes), in the encoder's order."""
    found = [batch.scores.numpy() for batch in batches(model, texts)]
    return np.concatenate([np.empty((0, model.num_classes), dtype=np.float32), *found])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Confidences from scores, both of shape (texts, classes); each row adds up to 1."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def confidences(model: torchTextClassifiers, texts: Sequence[str]) -> np.ndarray:
    """Confidence of every class for each text, not rounded: array of shape (texts, classes) whose rows add up to 1."""
    return softmax(scores(model, texts))
