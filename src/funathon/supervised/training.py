"""Training the pretrained model of the course: `funathon train`.

A network in the wrapper of torchTextClassifiers whose embeddings start from all-MiniLM-L6-v2. It learns from codes and from what some
networks of its kind, trained before it, say of each text ("born-again networks", Furlanello et al. 2018, ICML).
The settings were chosen on the validation set; the model card lists what was tried.
"""

import collections
import copy
import importlib.metadata
import pickle
import platform
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import mlflow
import numpy as np
import torch
from sklearn.preprocessing import LabelEncoder
from torchTextClassifiers import torchTextClassifiers
from torchTextClassifiers.tokenizers import HuggingFaceTokenizer
from torchTextClassifiers.value_encoder import ValueEncoder
from transformers import PreTrainedTokenizerFast

from funathon.corpus.labels import read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import SEED, Split, split_labels
from funathon.corpus.varying import Varying
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.minilm import english_tokenizer, token_vectors
from funathon.supervised.classifier import scores
from funathon.supervised.codability import fit_codability, write_codability
from funathon.supervised.distilling import Distilling, Reading, distil
from funathon.supervised.model_card import model_card
from funathon.supervised.network import WeightedViews
from funathon.supervised.pretrained import CARD, MANIFEST, load_model, read_manifest, write_manifest
from funathon.supervised.pyfunc import log_coder
from funathon.supervised.recording import recorded_run, told_after

EXPERIMENT = "nace-pretrained"


@dataclass(frozen=True)
class Settings:
    """What a training run is made with."""

    row_length: int = 128
    least_word_count: int = 2
    """Words that stand in so many training texts become tokens of their own."""
    views: int = 2
    dimensions_per_view: int = 160
    dropout: float = 0.2
    readings: int = 3
    """Forms in which each text is read: as it is, and otherwise each time in another form (see `funathon.corpus.varying`)."""
    teachers: int = 2
    """Networks of the same kind, trained apart from other random numbers, whose mean scores the network learns from."""
    teaching: Distilling = field(default_factory=lambda: Distilling(epochs=6, learning_rate_decay=0.64))
    """How the teachers are trained, from codes alone."""
    distilling: Distilling = field(default_factory=Distilling)
    seed: int = SEED


def train(out: Path, labels_url: str, settings: Settings = Settings()) -> None:
    """Train the model on the training set of the labels at `labels_url` and write it to the folder `out`.

    The run is recorded by MLflow. `out` is replaced only when everything is written; an interruption leaves it as it was.

    Raises FunathonError when the labels cannot be used, `out` holds something else than a model, or MLflow does not take what
    will be logged: before the training. When MLflow fails after it, the model is written all the same.
    """
    if not is_replaceable(out):
        raise FunathonError(f"{out} exists and is no model.", "Choose another folder.")
    split = split_labels(read_labels(labels_url))
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder,
        recorded_run(EXPERIMENT, "pretrained", asdict(settings)),
    ):
        new = Path(folder) / "model"
        start = time.process_time()
        model = fit(split, settings, note_to_mlflow)
        temperature = calibrate(model, split)
        codability = fit_codability(model, split.X_val)
        seconds = round(time.process_time() - start, 1)
        save_small(model, new)
        write_codability(codability, new)
        write_manifest(new, about(split, settings, temperature) | {"training_seconds": seconds})
        write_text(new / CARD, model_card(load_model(str(new)), codability, read_manifest(str(new)), split))
        if out.exists():
            out.rename(Path(folder) / "old")
        new.rename(out)
        with told_after(out):
            mlflow.log_metric("temperature", temperature)
            log_coder(out)


def is_replaceable(out: Path) -> bool:
    """Whether nothing is lost if a model takes the place of `out`: there is nothing, an empty folder or another model."""
    return not out.exists() or (out / MANIFEST).is_file() or (out.is_dir() and not any(out.iterdir()))


Note = Callable[[str, float, int], None]
"""What hears how far a training is: the name of a measure, its value, and the step."""


def note_nothing(name: str, value: float, step: int) -> None:
    """Nobody listens."""


def note_to_mlflow(name: str, value: float, step: int) -> None:
    """Log a measure to the active run, and say it."""
    mlflow.log_metric(name, value, step=step)
    print(f"{name} after {step:,}: {value:.3f}", flush=True)


def fit(split: Split, settings: Settings, note: Note = note_nothing) -> torchTextClassifiers:
    """Train a classifier on the training set and the notes of the nomenclature."""
    X, y = learnt_from(split)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    forms = make_forms(X, y, settings)
    teachers = [train_teacher(number, tokenizer, forms, split, y, settings, note) for number in range(1, settings.teachers + 1)]
    torch.manual_seed(settings.seed)
    network = make_network(tokenizer, split, settings)
    return train_network(network, tokenizer, make_readings(forms, teachers), y, settings.distilling, note)


def learnt_from(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """The texts that are learnt from and their codes, both of shape (texts,): the training set, then the notes."""
    texts, codes = note_rows(set(split.y_train))
    return np.concatenate([split.X_train, texts]), np.concatenate([split.y_train, codes])


def make_forms(X: np.ndarray, y: np.ndarray, settings: Settings) -> list[list[str]]:
    """The texts `X` with the codes `y`, both of shape (texts,), in each of the forms that the networks will read them in."""
    chooser, vary, texts = random.Random(settings.seed), Varying(X.tolist(), y.tolist()), X.tolist()
    return [texts, *([vary(text, chooser) for text in texts] for _ in range(1, settings.readings))]


def train_teacher(
    number: int,
    tokenizer: HuggingFaceTokenizer,
    forms: list[list[str]],
    split: Split,
    y: np.ndarray,
    settings: Settings,
    note: Note = note_nothing,
) -> torchTextClassifiers:
    """A network trained on the forms and the codes `y`, shape (texts,), from random numbers of its own."""
    torch.manual_seed(settings.seed + number)
    return train_network(
        make_network(tokenizer, split, settings),
        tokenizer,
        [Reading(texts, None) for texts in forms],
        y,
        settings.teaching,
        lambda name, value, step: note(f"{name}_of_teacher_{number}", value, step),
    )


def make_readings(forms: list[list[str]], teachers: Sequence[torchTextClassifiers]) -> list[Reading]:
    """The forms, with the mean of what the teachers say of each text; without teachers with nothing."""
    if not teachers:
        return [Reading(texts, None) for texts in forms]
    return [Reading(texts, (sum(scores(each, texts) for each in teachers) / len(teachers)).astype(np.float16)) for texts in forms]


def make_network(tokenizer: HuggingFaceTokenizer, split: Split, settings: Settings) -> WeightedViews:
    """The network before training, its vectors those of MiniLM for the tokens of a tokenizer."""
    return WeightedViews(
        token_vectors(tokenizer.tokenizer.get_vocab(), settings.dimensions_per_view).repeat(1, settings.views),
        num_classes=len(set(split.y_train)),
        padding_idx=tokenizer.padding_idx,
        views=settings.views,
        dropout=settings.dropout,
    )


def train_network(
    network: WeightedViews,
    tokenizer: HuggingFaceTokenizer,
    readings: list[Reading],
    y: np.ndarray,
    settings: Distilling,
    note: Note = note_nothing,
) -> torchTextClassifiers:
    """Train a network on the readings and the right codes `y`, shape (texts,); returns it in the wrapper of torchTextClassifiers."""
    encoder = LabelEncoder().fit(y)
    pieces = tokenizer.tokenizer.backend_tokenizer
    pieces.no_padding()
    pieces.enable_truncation(tokenizer.output_dim)
    distil(
        network,
        pieces,
        readings,
        encoder.transform(y),
        settings,
        lambda epoch, epochs, loss: note("loss", loss, epoch),
    )
    model = torchTextClassifiers.from_model(tokenizer, network, ValueEncoder(label_encoder=encoder))
    model.device = torch.device("cpu")
    return model


def frequent_words(texts: np.ndarray, least: int) -> list[str]:
    """Words of four letters and more that stand in at least `least` of the texts, in alphabetical order."""
    counts = collections.Counter(word for text in texts for word in set(re.findall(r"[a-z]{4,}", text.lower())))
    return sorted(word for word, count in counts.items() if count >= least)


def minilm_tokenizer(words: list[str], row_length: int) -> HuggingFaceTokenizer:
    """MiniLM's tokenizer, reduced to English and with `words` added, in the wrapper of torchTextClassifiers."""
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=english_tokenizer(words), **special)
    tokenizer = HuggingFaceTokenizer(len(wrapped), output_dim=row_length, padding_idx=wrapped.pad_token_id, trained=True)
    tokenizer.tokenizer = wrapped
    return tokenizer


def calibrate(model: torchTextClassifiers, split: Split) -> float:
    """Divide the model's scores by the temperature that makes its confidences fit the validation set best; return it.

    Temperature scaling is that of Guo et al. 2017 (ICML, "On calibration of modern neural networks"). The head is linear, so
    the division is done once, on its weights.
    """
    validation = torch.from_numpy(scores(model, split.X_val))
    truth = torch.from_numpy(model.value_encoder.transform_labels(split.y_val))
    temperatures = torch.linspace(0.3, 3, 271)
    losses = torch.stack([torch.nn.functional.cross_entropy(validation / t, truth) for t in temperatures])
    temperature = float(temperatures[losses.argmin()])
    with torch.no_grad():
        model.pytorch_model.heads /= temperature
        model.pytorch_model.bias /= temperature
    return round(temperature, 2)


def save_small(model: torchTextClassifiers, folder: Path) -> None:
    """Save a trained model into `folder` in as few bytes as `torchTextClassifiers.load` can read.

    The library writes the weights of a network of one's own twice, pickled and as a state; one is enough for it to load.
    They are kept in half precision, to halve the size once more.
    """
    shutil.rmtree(folder, ignore_errors=True)
    model.save(folder)
    (folder / "model_weights.pt").unlink()
    half = copy.deepcopy(model.pytorch_model).half()
    (folder / "pytorch_model.pkl").write_bytes(pickle.dumps(half))
    metadata = pickle.loads((folder / "metadata.pkl").read_bytes())
    (folder / "metadata.pkl").write_bytes(pickle.dumps(metadata | {"device": "cpu", "loss": None}))


def about(split: Split, settings: Settings, temperature: float) -> dict:
    """What the manifest says beside the files."""
    packages = ("torch", "torchtextclassifiers", "pytorch-lightning", "transformers", "tokenizers", "scikit-learn", "numpy")
    return {
        "data": {"n_train": len(split.X_train), "sha256_train": split.training_digest},
        "settings": asdict(settings) | {"temperature": temperature},
        "versions": {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages},
    }
