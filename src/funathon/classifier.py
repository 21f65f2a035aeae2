"""Scores and confidences of a trained classifier, in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from torchTextClassifiers import torchTextClassifiers

BATCH = 1024


def scores(model: torchTextClassifiers, texts: Sequence[str]) -> np.ndarray:
    """Scores (logits) of every class for each text: float32 array of shape (texts, classes), in the encoder's order.

    Rows are padded to the longest text of their batch only; the mean over tokens ignores padding, so the scores are those
    that full rows would get.
    """
    wrapped = model.tokenizer.tokenizer
    network = model.pytorch_model.eval()
    batches = [np.empty((0, model.num_classes), dtype=np.float32)]
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            rows = wrapped(
                [str(text) for text in texts[start : start + BATCH]],
                padding=True,
                truncation=True,
                max_length=model.tokenizer.output_dim,
                return_tensors="pt",
            )
            no_columns = torch.empty((len(rows["input_ids"]), 0))
            batches.append(network(rows["input_ids"], rows["attention_mask"], no_columns).float().numpy())
    return np.concatenate(batches)


def confidences(model: torchTextClassifiers, texts: Sequence[str]) -> np.ndarray:
    """Confidence of every class for each text, not rounded: array of shape (texts, classes) whose rows add up to 1."""
    logits = scores(model, texts)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
