"""Variants of the pretrained network, measured on the validation set: what each part of its training is worth.

    uv run python -m funathon.supervised.variants [NAME …]

trains the teachers once, then the variants of these names or all of them, and writes `data/benchmarks/variants.json`, from which the
model card takes its table. On two cores each takes some ten minutes, the transformer an hour.
"""

import copy
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from funathon.corpus.labels import read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import Split, split_labels
from funathon.corpus.varying import Varying
from funathon.files import write_text
from funathon.minilm import minilm_network, sentence_tokenizer
from funathon.supervised.classifier import scores
from funathon.supervised.distilling import Reading
from funathon.supervised.encoder import encoder_scores, fine_tune
from funathon.supervised.model_card import KINDS, VARIANTS_FILE
from funathon.supervised.network import WeightedViews
from funathon.supervised.training import (
    Settings,
    frequent_words,
    learnt_from,
    make_forms,
    make_network,
    make_readings,
    minilm_tokenizer,
    train_network,
    train_teacher,
)


def random_start(network: WeightedViews) -> WeightedViews:
    """Random vectors of the length that MiniLM's have instead of these."""
    vectors = network.token_embedder.embedding_layer
    padding = vectors.padding_idx
    with torch.no_grad():
        vectors.weight.normal_(std=vectors.weight.pow(2).mean().sqrt().item())
        vectors.weight[padding] = 0
    return network


def without_neighbours(network: WeightedViews) -> WeightedViews:
    """What stands around a token changes nothing, as at the start of the training."""
    network.neighbourhood.change.requires_grad_(False)
    return network


@dataclass(frozen=True)
class Variant:
    """A way to train the network."""

    kinds: Sequence[str] = KINDS
    """The kinds of labels that it learns from."""
    forms: bool = True
    """Whether it reads them in other forms too."""
    taught: bool = True
    """Whether it learns from the teachers' scores."""
    settings: Settings = field(default_factory=Settings)
    change: Callable[[WeightedViews], WeightedViews] = lambda network: network


A_TEACHER, THE_TEACHERS = "+ weights by what stands around a token: one teacher", "the mean of the two teachers itself"
TRANSFORMER = "for comparison: a fine-tuned transformer, MiniLM"
VARIANTS = {
    "labels as on a form, alone": Variant(("label",), forms=False, taught=False, change=without_neighbours),
    "+ entries and descriptions": Variant(forms=False, taught=False, change=without_neighbours),
    "+ other forms of them": Variant(taught=False, change=without_neighbours),
    "+ the teachers' scores: this model": Variant(),
    "this model with one view": Variant(settings=replace(Settings(), views=1)),
    "this model started from random vectors": Variant(change=random_start),
}


def accuracies(best: np.ndarray, split: Split, kind_of: dict[str, str]) -> dict[str, float]:
    """The accuracy of the codes `best`, shape (texts,), on the validation set: of all, and of each kind."""
    right = best == split.y_val
    kinds = np.array([kind_of[text] for text in split.X_val])
    return {"all": float(right.mean())} | {kind: float(right[kinds == kind].mean()) for kind in KINDS}


def train_variant(variant: Variant, split: Split, readings: list[Reading], y: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The codes that a variant gives to the validation set. `kept` says which of the training texts it learns from, shape (texts,)."""
    settings = variant.settings
    torch.manual_seed(settings.seed)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    network = variant.change(make_network(tokenizer, split, settings))
    chosen = [
        Reading([text for text, keep in zip(each.texts, kept) if keep], each.teacher[kept] if variant.taught else None)
        for each in (readings if variant.forms else readings[:1])
    ]
    how = settings.distilling if variant.taught else settings.teaching
    model = train_network(network, tokenizer, chosen, y[kept], how)
    return codes(scores(model, split.X_val), split)


def codes(found: np.ndarray, split: Split) -> np.ndarray:
    """The best class of each text by scores of shape (texts, classes)."""
    return np.unique(split.y_train)[found.argmax(axis=1)]


def transformer_scores(X: np.ndarray, y: np.ndarray, split: Split) -> np.ndarray:
    """What MiniLM, fine-tuned on the texts `X` with the codes `y`, both of shape (texts,), says of the validation set."""
    model = fine_tune(
        copy.deepcopy(minilm_network()),
        sentence_tokenizer(),
        X.tolist(),
        np.searchsorted(np.unique(y), y),
        Varying(X.tolist(), y.tolist()),
        tell=lambda step, steps, loss: print(f"step {step:,} of {steps:,}: {loss:.3f}", flush=True) if step % 100 == 0 else None,
    )
    return encoder_scores(model, sentence_tokenizer(), split.X_val.tolist())


def keep(name: str, best: np.ndarray, split: Split, kind_of: dict[str, str]) -> None:
    """Write what the codes `best` of the validation set reach to VARIANTS_FILE; what it holds of others stays."""
    found = accuracies(best, split, kind_of) | {"sha256_train": split.training_digest}
    print(f"{name}: {found}", flush=True)
    known = (json.loads(VARIANTS_FILE.read_text()) if VARIANTS_FILE.is_file() else {}) | {name: found}
    order = [*list(VARIANTS)[:3], A_TEACHER, *list(VARIANTS)[3:], THE_TEACHERS, TRANSFORMER]
    write_text(VARIANTS_FILE, json.dumps({each: known[each] for each in order if each in known}, indent=1) + "\n")


def measure_variants(names: Sequence[str]) -> None:
    """Train the teachers and the variants of these names, and keep what each reaches."""
    labels = read_labels()
    split = split_labels(labels)
    kind_of = dict(labels.select("label", "kind").iter_rows()) | dict.fromkeys(note_rows(set(split.y_train))[0], "note")
    X, y = learnt_from(split)
    settings = Settings()
    forms = make_forms(X, y, settings)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    teachers = [train_teacher(number, tokenizer, forms, split, y, settings) for number in range(1, settings.teachers + 1)]
    said = [scores(teacher, split.X_val) for teacher in teachers]
    keep(A_TEACHER, codes(said[0], split), split, kind_of)
    keep(THE_TEACHERS, codes(sum(said), split), split, kind_of)
    readings = make_readings(forms, teachers)
    for name in names:
        if name == TRANSFORMER:
            keep(name, codes(transformer_scores(X, y, split), split), split, kind_of)
            continue
        kept = np.array([kind_of[text] in (*VARIANTS[name].kinds, "note") for text in X])
        keep(name, train_variant(VARIANTS[name], split, readings, y, kept), split, kind_of)


if __name__ == "__main__":
    measure_variants(sys.argv[1:] or [*VARIANTS, TRANSFORMER])
