"""Variants of the pretrained network, measured on the validation set: what each part of its training is worth.

    uv run python -m funathon.supervised.variants

fine-tunes the teacher once, trains them all and writes `data/benchmarks/variants.json`, from which the model card takes its table. On
two cores it takes about an hour, most of it for the teacher.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from funathon.corpus.labels import read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import Split, split_labels
from funathon.files import write_text
from funathon.minilm import sentence_tokenizer
from funathon.supervised.classifier import scores
from funathon.supervised.distilling import Reading
from funathon.supervised.encoder import EncoderClassifier, encoder_scores
from funathon.supervised.model_card import VARIANTS_FILE
from funathon.supervised.network import WeightedViews
from funathon.supervised.training import (
    Settings,
    frequent_words,
    learnt_from,
    make_network,
    make_readings,
    make_teacher,
    minilm_tokenizer,
    train_network,
)

ALL = ("label", "entry", "description")


def random_start(network: WeightedViews) -> WeightedViews:
    """Random vectors of the length that MiniLM's have instead of these."""
    vectors = network.token_embedder.embedding_layer
    padding = vectors.padding_idx
    with torch.no_grad():
        vectors.weight.normal_(std=vectors.weight.pow(2).mean().sqrt().item())
        vectors.weight[padding] = 0
    return network


@dataclass(frozen=True)
class Variant:
    """A way to train the network."""

    kinds: Sequence[str] = ALL
    """The kinds of labels that it learns from."""
    sentences: bool = True
    """Whether it reads them among form sentences too."""
    taught: bool = True
    """Whether it learns from the teacher's scores."""
    settings: Settings = field(default_factory=Settings)
    change: Callable[[WeightedViews], WeightedViews] = lambda network: network


THE_TEACHER = "the teacher itself, a fine-tuned transformer"
VARIANTS = {
    "labels as on a form, alone": Variant(("label",), sentences=False, taught=False),
    "+ entries and descriptions": Variant(sentences=False, taught=False),
    "+ form sentences around them": Variant(taught=False),
    "+ the teacher's scores: this model": Variant(),
    "this model with one view": Variant(settings=replace(Settings(), views=1)),
    "this model started from random vectors": Variant(change=random_start),
}


def accuracies(best: np.ndarray, split: Split, kind_of: dict[str, str]) -> dict[str, float]:
    """The accuracy of the codes `best`, shape (texts,), on the validation set: of all, and of each kind."""
    right = best == split.y_val
    kinds = np.array([kind_of[text] for text in split.X_val])
    return {"all": float(right.mean())} | {kind: float(right[kinds == kind].mean()) for kind in ALL}


def train_variant(variant: Variant, split: Split, readings: list[Reading], y: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The codes that a variant gives to the validation set. `kept` says which of the training texts it learns from, shape (texts,)."""
    settings = variant.settings
    torch.manual_seed(settings.seed)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    network = variant.change(make_network(tokenizer, split, settings))
    chosen = [
        Reading([text for text, keep in zip(each.texts, kept) if keep], each.teacher[kept] if variant.taught else None)
        for each in (readings if variant.sentences else readings[:1])
    ]
    model = train_network(network, tokenizer, chosen, y[kept], settings)
    return model.value_encoder.label_encoder.classes_[scores(model, split.X_val).argmax(axis=1)]


def teacher_codes(teacher: EncoderClassifier, split: Split) -> np.ndarray:
    """The codes that the teacher gives to the validation set."""
    classes = np.unique(split.y_train)
    return classes[encoder_scores(teacher, sentence_tokenizer(), list(split.X_val)).argmax(axis=1)]


def measure_variants(names: list[str]) -> None:
    """Train the variants of these names and write what they reach to VARIANTS_FILE; what it holds of others stays."""
    labels = read_labels()
    split = split_labels(labels)
    kind_of = dict(labels.select("label", "kind").iter_rows()) | dict.fromkeys(note_rows(set(split.y_train))[0], "note")
    X, y = learnt_from(split)
    settings = Settings()
    teacher = make_teacher(X, y, settings)
    readings = make_readings(X, y, settings, teacher)
    for name in names:
        if name == THE_TEACHER:
            best = teacher_codes(teacher, split)
        else:
            kept = np.array([kind_of[text] in (*VARIANTS[name].kinds, "note") for text in X])
            best = train_variant(VARIANTS[name], split, readings, y, kept)
        found = accuracies(best, split, kind_of)
        print(f"{name}: {found}", flush=True)
        known = (json.loads(VARIANTS_FILE.read_text()) if VARIANTS_FILE.is_file() else {}) | {name: found}
        kept_in_order = {each: known[each] for each in (*VARIANTS, THE_TEACHER) if each in known}
        write_text(VARIANTS_FILE, json.dumps(kept_in_order, indent=1) + "\n")


if __name__ == "__main__":
    measure_variants(sys.argv[1:] or [*VARIANTS, THE_TEACHER])
