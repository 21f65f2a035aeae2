"""The network of chapter 3 on a register of one's own: `funathon register`.

Registers are uneven: a few classes hold most of the businesses, and many classes hardly any. So the network is trained twice from the
same random numbers, once with all texts counting the same and once with sample weights that lift rare classes, and both are measured
in ways that see the one and the other.
"""

import contextlib
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning.loggers import CSVLogger
from rich.table import Table
from sklearn.preprocessing import LabelEncoder
from torchTextClassifiers import ModelConfig, TrainingConfig, torchTextClassifiers
from torchTextClassifiers.tokenizers.WordPiece import WordPieceTokenizer
from torchTextClassifiers.value_encoder import ValueEncoder

from funathon.corpus.register import Register, split_register
from funathon.corpus.splitting import SEED, Split
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.supervised.register_figures import COMMONEST, RARE, Figures, commonest_classes, judge, numbers

REPORT = "register.json"
"""The file by which a folder is known as one of `funathon register`."""
BATCH = 1024
"""Texts that are coded together."""


@dataclass(frozen=True)
class Settings:
    """What both trainings are made with."""

    vocab_size: int = 20_000
    reach: float = 0.98
    """Share of the texts that rows of tokens are long enough for."""
    longest: int = 128
    """Tokens that a row has at most, however long the texts are."""
    embedding_dim: int = 96
    epochs: int = 5
    lr: float = 5e-3
    slower: float = 0.6
    """What the learning rate is multiplied with after each epoch."""
    seed: int = SEED


@dataclass(frozen=True)
class Comparison:
    """Both networks on one register."""

    counts: dict
    """Numbers of rows, texts and classes, under the names that `--json` gives them."""
    commonest: list[dict]
    """The classes with the most texts to learn from, `code`, `title` and `texts`, the largest first."""
    figures: dict[str, Figures]
    """By the name of the network, one of WEIGHTINGS."""

    def as_dict(self) -> dict:
        """All of it, as `--json` and REPORT have it."""
        return {
            "counts": self.counts,
            "commonest": self.commonest,
            "figures": {name: figures.as_dict() for name, figures in self.figures.items()},
        }


def lifting_weights(codes: np.ndarray) -> np.ndarray:
    """A weight for each text, shape (texts,), from its code: one over the root of the number of texts of its class, and 1 on average.

    One over the number itself would let each class count the same, and the network would learn the three texts of the rarest by heart
    while hundreds of thousands hardly count. The root goes half of the way: a class with a hundred times as many texts as another then
    counts ten times as much. (Mahajan et al. 2018, ECCV, draw the pictures that they learn from by the root of their frequency.)
    """
    _, of_text, counts = np.unique(codes, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[of_text])
    return weights * (len(weights) / weights.sum())


def same_weights(codes: np.ndarray) -> np.ndarray:
    """The weight 1 for each text, shape (texts,)."""
    return np.ones(len(codes))


WEIGHTINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all texts count the same": same_weights,
    "rare classes lifted": lifting_weights,
}
"""From the codes of the training set to the weights of its texts, by the name of the network."""


def fit_tokenizer(texts: np.ndarray, settings: Settings = Settings()) -> WordPieceTokenizer:
    """A WordPiece tokenizer trained on texts, shape (texts,), in whatever language they are; its rows are as long as `reach` of these
    texts need, and no longer than `longest`."""
    tokenizer = WordPieceTokenizer(vocab_size=settings.vocab_size)
    tokenizer.train(texts.tolist())
    backend = tokenizer.tokenizer.backend_tokenizer
    backend.no_padding()
    needed = np.quantile([len(row) for row in backend.encode_batch(texts.tolist())], settings.reach, method="higher")
    tokenizer.output_dim = tokenizer.context_size = min(int(needed), settings.longest)
    return tokenizer


def train_network(
    tokenizer: WordPieceTokenizer, split: Split, weights: np.ndarray, folder: Path, settings: Settings = Settings()
) -> torchTextClassifiers:
    """Train a network of chapter 3 on the training set of a register, whose texts have these weights, and save it in `folder`.

    The validation set, which tells when to stop, is weighed as the training set is.
    """
    torch.manual_seed(settings.seed)
    encoder = LabelEncoder().fit(split.y_train)
    classifier = torchTextClassifiers(
        tokenizer=tokenizer,
        model_config=ModelConfig(embedding_dim=settings.embedding_dim, num_classes=len(encoder.classes_)),
        value_encoder=ValueEncoder(label_encoder=encoder),
    )
    weight_of = dict(zip(split.y_train, weights))
    with tempfile.TemporaryDirectory() as logs, quiet_lightning():
        config = TrainingConfig(
            num_epochs=settings.epochs,
            # small samples learn nothing in a handful of steps
            batch_size=int(np.clip(len(split.X_train) // 100, 16, 256)),
            lr=settings.lr,
            num_workers=0,
            scheduler=torch.optim.lr_scheduler.ExponentialLR,
            scheduler_params={"gamma": settings.slower},
            save_path=str(folder),
            trainer_params={
                "logger": CSVLogger(logs),
                "enable_model_summary": False,
                "enable_progress_bar": sys.stderr.isatty(),
            },
        )
        classifier.train(
            split.X_train,
            split.y_train,
            config,
            split.X_val,
            split.y_val,
            sample_weights=weights,
            val_sample_weights=np.array([weight_of[code] for code in split.y_val]),
        )
    return classifier


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Within it Lightning tells only what goes wrong, and draws its bar on standard error: `--json` has the output to itself."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            for about in (
                ".*LeafSpec.*",
                "Trying to infer the `batch_size`.*",
                ".*tensorboardX.*",
                ".*does not have many workers.*",
            ):
                warnings.filterwarnings("ignore", message=about)
            yield
    finally:
        logger.setLevel(level)


def predict_codes(classifier: torchTextClassifiers, texts: np.ndarray) -> np.ndarray:
    """The likeliest code of each text, shape (texts,)."""
    with torch.no_grad():
        return np.concatenate(
            [
                classifier.predict(texts[start : start + BATCH], device=str(classifier.device))["prediction"][:, 0]
                for start in range(0, len(texts), BATCH)
            ]
        )


def compare(
    register: Register,
    out: Path | None = None,
    settings: Settings = Settings(),
    say: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Train both networks on a register and measure them; with `out`, both and the figures are written to that folder.

    `out` is replaced only when everything is written. What is being done goes to `say`.

    Raises FunathonError when the register is too small, or `out` exists and is no folder of an earlier run.
    """
    if out is not None and not (is_free(out) or (out / REPORT).is_file()):
        raise FunathonError(f"{out} exists and is no folder of `funathon register`.", "Choose another folder.")
    split = split_register(register)
    tokenizer = fit_tokenizer(split.X_train, settings)
    counts = numbers(register, split) | {"tokens": len(tokenizer), "row_length": tokenizer.output_dim}
    where = out.resolve().parent if out else None
    if where:
        where.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where, prefix=".register.") as folder:
        new = Path(folder) / "new"
        figures = {}
        for number, (name, weigh) in enumerate(WEIGHTINGS.items(), 1):
            say(f"network {number} of {len(WEIGHTINGS)}, {name}: {len(split.X_train):,} texts, {counts['classes']} classes")
            network = train_network(tokenizer, split, weigh(split.y_train), new / name.replace(" ", "-"), settings)
            figures[name] = judge(predict_codes(network, split.X_test), split)
        comparison = Comparison(counts, commonest_classes(split.y_train), figures)
        if out:
            write_text(new / REPORT, json.dumps(comparison.as_dict() | {"settings": asdict(settings)}, indent=1) + "\n")
            if out.exists():
                out.rename(Path(folder) / "old")
            new.rename(out)
    return comparison


def is_free(folder: Path) -> bool:
    """Whether nothing is lost if something takes the place of a folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def table(comparison: Comparison) -> Table:
    """A comparison for the terminal."""
    counts = comparison.counts
    drawn = Table(
        "measure",
        *comparison.figures,
        title=f"{counts['measured']:,} texts of the register",
        caption="In brackets: 95 % Wilson intervals, for a simple random sample.",
    )
    for row in zip(*(figures.rows() for figures in comparison.figures.values())):
        drawn.add_row(row[0][0], *(value for _, value in row))
    return drawn


def imbalance(comparison: Comparison) -> str:
    """How uneven the texts to learn from are, and what is odd about those to measure on, in a few sentences."""
    counts, (largest, *_) = comparison.counts, comparison.commonest
    strange, again = counts["measured_of_classes_without_training"], counts["measured_word_for_word_in_training"]
    return (
        f"{counts['classes']} classes: the {COMMONEST} commonest hold {counts[f'share_of_commonest_{COMMONEST}']:.0%} of the texts to "
        f"learn from ({largest['code']} {largest['title']} alone has {largest['texts']:,}), and "
        f"{counts[f'classes_with_fewer_than_{RARE}_texts']} have fewer than {RARE}. {counts['classes_in_training_only']} have too few to "
        f"be split and are learnt from only. Of the texts to measure on, {again:,} are learnt from word for word"
        + (f", and {strange:,} are of classes that nothing is learnt of." if strange else ".")
    )
