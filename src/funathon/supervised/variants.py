"""Variants of the pretrained network, measured on the validation set: what each of its parts is worth.

    uv run python -m funathon.supervised.variants

trains them all and writes `data/benchmarks/variants.json`, from which the model card takes its table. On two cores a variant
takes some ten minutes, on a GPU less than one.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytorch_lightning
import torch

from funathon.corpus.labels import read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import Split, split_labels
from funathon.files import write_text
from funathon.supervised.classifier import scores
from funathon.supervised.model_card import VARIANTS_FILE
from funathon.supervised.network import WeightedViews
from funathon.supervised.training import Settings, frequent_words, make_network, minilm_tokenizer, train_network

LEFT_OUT = 0.1
"""Share of the tokens that the variant "tokens left out at random" does not see in training."""

FULL = Settings()
NO_WORDS = replace(FULL, least_word_count=sys.maxsize)
"""No word stands in so many texts, so that none becomes a token of its own."""


def equal_weights(network: WeightedViews) -> WeightedViews:
    """All tokens weigh the same, and go on doing so."""
    network.log_weight.requires_grad_(False)
    return network


def random_start(network: WeightedViews) -> WeightedViews:
    """Random vectors of the length that MiniLM's have instead of these."""
    vectors = network.token_embedder.embedding_layer
    padding = vectors.padding_idx
    with torch.no_grad():
        vectors.weight.normal_(std=vectors.weight.pow(2).mean().sqrt().item())
        vectors.weight[padding] = 0
    return network


class ForgetfulViews(WeightedViews):
    """A network that in training sees each token with a probability of 1 - LEFT_OUT only."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **kwargs) -> torch.Tensor:
        """As that of WeightedViews."""
        if self.training:
            attention_mask = attention_mask * (torch.rand(attention_mask.shape, device=attention_mask.device) >= LEFT_OUT)
        return super().forward(input_ids, attention_mask, **kwargs)


def forgetful(network: WeightedViews) -> WeightedViews:
    """Leave out tokens at random in training."""
    network.__class__ = ForgetfulViews
    return network


Change = Callable[[WeightedViews], WeightedViews]

VARIANTS: dict[str, tuple[Settings, bool, list[Change]]] = {
    "one mean of MiniLM's vectors, all tokens weighing the same": (replace(NO_WORDS, views=1), False, [equal_weights]),
    "+ titles and inclusions as training rows": (replace(NO_WORDS, views=1), True, [equal_weights]),
    "+ a weight learnt for each token": (replace(NO_WORDS, views=1), True, []),
    "+ frequent words as tokens of their own": (replace(FULL, views=1), True, []),
    "+ a second view: this model": (FULL, True, []),
    "this model with one view as wide as the two": (replace(FULL, views=1, dimensions_per_view=320), True, []),
    "this model with three views": (replace(FULL, views=3), True, []),
    "this model started from random vectors": (FULL, True, [random_start]),
    "this model, labels smoothed by 0.15 instead of 0.05": (replace(FULL, label_smoothing=0.15), True, []),
    "this model, a tenth of the tokens left out at random": (FULL, True, [forgetful]),
}
"""By name: the settings, whether it also learns from the notes, and what is changed in the network."""


def accuracy_of(name: str, split: Split) -> float:
    """Train a variant; its accuracy on the validation set."""
    settings, with_notes, changes = VARIANTS[name]
    pytorch_lightning.seed_everything(settings.seed, verbose=False)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    network = make_network(tokenizer, split, settings)
    for change in changes:
        network = change(network)
    X, y = split.X_train, split.y_train
    if with_notes:
        texts, codes = note_rows(set(y))
        X, y = np.concatenate([X, texts]), np.concatenate([y, codes])
    with tempfile.TemporaryDirectory() as folder:
        model = train_network(network, tokenizer, X, y, split, settings, Path(folder))
    best = scores(model, split.X_val).argmax(axis=1)
    return float((model.value_encoder.label_encoder.classes_[best] == split.y_val).mean())


def measure_variants(names: list[str]) -> None:
    """Train the variants of these names and write what they reach to VARIANTS_FILE; what it holds of others stays."""
    split = split_labels(read_labels())
    for name in names:
        found = accuracy_of(name, split)
        print(f"{name}: {found:.1%}", flush=True)
        known = json.loads(VARIANTS_FILE.read_text()) if VARIANTS_FILE.is_file() else {}
        known[name] = found
        write_text(VARIANTS_FILE, json.dumps({each: known[each] for each in VARIANTS if each in known}, indent=1) + "\n")


if __name__ == "__main__":
    measure_variants(sys.argv[1:] or list(VARIANTS))
