"""Training the pretrained model of the course: `funathon train`.

A classifier of torchTextClassifiers (mean of token embeddings, linear head) whose embeddings start from all-MiniLM-L6-v2.
The settings were chosen on the validation set; the model card lists what was tried.
"""

import hashlib
import importlib.metadata
import logging
import pickle
import platform
import shutil
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import mlflow
import pytorch_lightning
import torch
from pytorch_lightning.loggers import CSVLogger
from sklearn.preprocessing import LabelEncoder
from torchTextClassifiers import ModelConfig, TrainingConfig, torchTextClassifiers
from torchTextClassifiers.tokenizers import HuggingFaceTokenizer
from torchTextClassifiers.value_encoder import ValueEncoder
from transformers import PreTrainedTokenizerFast

from funathon.classifier import scores
from funathon.labels import read_labels
from funathon.minilm import english_tokenizer, piece_vectors
from funathon.pretrained import write_manifest
from funathon.splitting import SEED, Split, split_labels

EXPERIMENT = "nace-pretrained"


@dataclass(frozen=True)
class Settings:
    """What a training run is made with."""

    row_length: int = 40
    embedding_dim: int = 256
    batch_size: int = 256
    epochs: int = 6
    learning_rate: float = 3e-3
    learning_rate_decay: float = 0.6
    """Factor on the learning rate after each epoch."""
    label_smoothing: float = 0.05
    seed: int = SEED


def train(out: Path, labels_url: str, settings: Settings = Settings()) -> None:
    """Train the model on the training set of the labels at `labels_url` and write it to the folder `out`.

    The run is recorded by MLflow. `out` is replaced only when everything is written; an interruption leaves it as it was.

    Raises FunathonError when the labels cannot be used.
    """
    split = split_labels(read_labels(labels_url))
    mlflow.set_experiment(EXPERIMENT)
    mlflow.pytorch.autolog(log_models=False)
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        new = Path(folder) / "model"
        with mlflow.start_run(run_name="pretrained"):
            mlflow.log_params(asdict(settings))
            model = fit(split, settings, new)
            temperature = calibrate(model, split)
            mlflow.log_metric("temperature", temperature)
            save_small(model, new)
            write_manifest(new, about(split, settings, temperature))
            mlflow.log_artifacts(str(new), artifact_path="model")
        if out.exists():
            out.rename(Path(folder) / "old")
        new.rename(out)


def fit(split: Split, settings: Settings, folder: Path) -> torchTextClassifiers:
    """Train a classifier on the training set, with early stopping on the validation set."""
    quieten_lightning()
    pytorch_lightning.seed_everything(settings.seed, verbose=False)
    tokenizer = minilm_tokenizer(settings.row_length)
    encoder = ValueEncoder(label_encoder=LabelEncoder().fit(split.y_train))
    config = ModelConfig(embedding_dim=settings.embedding_dim, num_classes=encoder.num_classes)
    model = torchTextClassifiers(tokenizer=tokenizer, model_config=config, value_encoder=encoder)
    vectors = piece_vectors(tokenizer.tokenizer.get_vocab(), settings.embedding_dim)
    layer = model.pytorch_model.token_embedder.embedding_layer
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(vectors))
        layer.weight[tokenizer.padding_idx] = 0
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
            trainer_params={"logger": CSVLogger(logs)},
        )
        model.train(split.X_train, split.y_train, training, split.X_val, split.y_val)
    return model


def quieten_lightning() -> None:
    """Keep Lightning from announcing devices and tips, and from two warnings about its own inside."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="Trying to infer the `batch_size` from an ambiguous collection.*")


def minilm_tokenizer(row_length: int) -> HuggingFaceTokenizer:
    """MiniLM's tokenizer, reduced to English, in the wrapper of torchTextClassifiers."""
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=english_tokenizer(), **special)
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
    head = model.pytorch_model.classification_head.net
    with torch.no_grad():
        head.weight /= temperature
        head.bias /= temperature
    return temperature


def save_small(model: torchTextClassifiers, folder: Path) -> None:
    """Save a trained model into `folder` in as few bytes as `torchTextClassifiers.load` can read.

    The library saves a checkpoint of the training, with the optimizer's state, which is twice the size of the network, and
    with paths of this machine. Only the network is kept, in half precision, which changes no answer that matters.
    """
    shutil.rmtree(folder, ignore_errors=True)
    model.save(folder)
    path = folder / "model_checkpoint.ckpt"
    checkpoint = torch.load(path, weights_only=False, map_location="cpu")
    kept = {
        name: checkpoint[name] for name in ("state_dict", "hyper_parameters", "pytorch-lightning_version", "epoch", "global_step")
    }
    kept["state_dict"] = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in kept["state_dict"].items()
    }
    torch.save(kept, path)
    metadata = pickle.loads((folder / "metadata.pkl").read_bytes())
    metadata |= {"checkpoint_path": path.name, "device": "cpu"}
    (folder / "metadata.pkl").write_bytes(pickle.dumps(metadata))


def about(split: Split, settings: Settings, temperature: float) -> dict:
    """What the manifest says beside the files."""
    packages = ("torch", "torchtextclassifiers", "pytorch-lightning", "transformers", "tokenizers", "scikit-learn", "numpy")
    rows = "\n".join(f"{code}\t{text}" for code, text in zip(split.y_train, split.X_train))
    return {
        "data": {"n_train": len(split.X_train), "sha256_train": hashlib.sha256(rows.encode()).hexdigest()},
        "settings": asdict(settings) | {"temperature": round(temperature, 2)},
        "versions": {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages},
    }
