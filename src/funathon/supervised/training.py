"""Training the pretrained model of the course: `funathon train`.

A network in the wrapper of torchTextClassifiers whose embeddings start from all-MiniLM-L6-v2.
The settings were chosen on the validation set; the model card lists what was tried.
"""

import collections
import copy
import importlib.metadata
import logging
import pickle
import platform
import re
import shutil
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import mlflow
import numpy as np
import pytorch_lightning
import torch
from pytorch_lightning.loggers import CSVLogger
from sklearn.preprocessing import LabelEncoder
from torchTextClassifiers import TrainingConfig, torchTextClassifiers
from torchTextClassifiers.tokenizers import HuggingFaceTokenizer
from torchTextClassifiers.value_encoder import ValueEncoder
from transformers import PreTrainedTokenizerFast

from funathon.corpus.labels import read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import SEED, Split, split_labels
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.minilm import english_tokenizer, token_vectors
from funathon.supervised.classifier import scores
from funathon.supervised.model_card import model_card
from funathon.supervised.network import WeightedViews
from funathon.supervised.pretrained import CARD, MANIFEST, load_model, read_manifest, write_manifest
from funathon.supervised.pyfunc import log_coder
from funathon.supervised.recording import recorded_run, told_after

EXPERIMENT = "nace-pretrained"


@dataclass(frozen=True)
class Settings:
    """What a training run is made with."""

    row_length: int = 40
    least_word_count: int = 2
    """Words that stand in so many training texts become tokens of their own."""
    views: int = 2
    dimensions_per_view: int = 160
    batch_size: int = 256
    epochs: int = 6
    learning_rate: float = 3e-3
    learning_rate_decay: float = 0.65
    """Factor on the learning rate after each epoch."""
    dropout: float = 0.2
    label_smoothing: float = 0.05
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
        model = fit(split, settings, new)
        temperature = calibrate(model, split)
        seconds = round(time.process_time() - start, 1)
        save_small(model, new)
        write_manifest(new, about(split, settings, temperature) | {"training_seconds": seconds})
        write_text(new / CARD, model_card(load_model(str(new)), read_manifest(str(new)), split))
        if out.exists():
            out.rename(Path(folder) / "old")
        new.rename(out)
        with told_after(out):
            mlflow.log_metric("temperature", temperature)
            log_coder(out)


def is_replaceable(out: Path) -> bool:
    """Whether nothing is lost if a model takes the place of `out`: there is nothing, an empty folder or another model."""
    return not out.exists() or (out / MANIFEST).is_file() or (out.is_dir() and not any(out.iterdir()))


def fit(split: Split, settings: Settings, folder: Path) -> torchTextClassifiers:
    """Train a classifier on the training set and the notes of the nomenclature, with early stopping on the validation set."""
    pytorch_lightning.seed_everything(settings.seed, verbose=False)
    tokenizer = minilm_tokenizer(frequent_words(split.X_train, settings.least_word_count), settings.row_length)
    texts, codes = note_rows(set(split.y_train))
    X, y = np.concatenate([split.X_train, texts]), np.concatenate([split.y_train, codes])
    return train_network(make_network(tokenizer, split, settings), tokenizer, X, y, split, settings, folder)


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
    X: np.ndarray,
    y: np.ndarray,
    split: Split,
    settings: Settings,
    folder: Path,
) -> torchTextClassifiers:
    """Train a network on the texts `X` with the codes `y`, both of shape (texts,); `folder` is for checkpoints.

    The classes are those of the training set of `split`; its validation set says which epoch was best.
    """
    quieten_lightning()
    model = torchTextClassifiers.from_model(tokenizer, network, ValueEncoder(label_encoder=LabelEncoder().fit(split.y_train)))
    with tempfile.TemporaryDirectory() as logs:
        training = TrainingConfig(
            num_epochs=settings.epochs,
            batch_size=settings.batch_size,
            lr=settings.learning_rate,
            loss=torch.nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing),
            optimizer=torch.optim.AdamW,
            optimizer_params={"weight_decay": 0.0},
            scheduler=torch.optim.lr_scheduler.ExponentialLR,
            scheduler_params={"gamma": settings.learning_rate_decay},
            num_workers=0,
            save_path=str(folder),
            trainer_params={"logger": CSVLogger(logs), "enable_model_summary": False},
        )
        precision = torch.get_float32_matmul_precision()
        model.train(X, y, training, split.X_val, split.y_val)
        # the library lowers it for the whole process; what follows is measured as `funathon evaluate` measures it
        torch.set_float32_matmul_precision(precision)
    # what was trained on a GPU is scored and saved on the CPU, so that any machine can read the files
    model.pytorch_model.cpu()
    model.device = torch.device("cpu")
    return model


def frequent_words(texts: np.ndarray, least: int) -> list[str]:
    """Words of four letters and more that stand in at least `least` of the texts, in alphabetical order."""
    counts = collections.Counter(word for text in texts for word in set(re.findall(r"[a-z]{4,}", text.lower())))
    return sorted(word for word, count in counts.items() if count >= least)


def quieten_lightning() -> None:
    """Keep Lightning from announcing devices and tips, and from warnings about its own inside."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="Trying to infer the `batch_size` from an ambiguous collection.*")
    warnings.filterwarnings("ignore", message=".*tensorboardX.*")


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
