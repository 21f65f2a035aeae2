"""Training the fast network on right codes and, where there are teachers, on their scores.

Teachers say of each text which other classes come near; a network that learns from their scores gets better than from the codes alone
(Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531). torchTextClassifiers trains on
codes only, so that this loop is plain torch; the trained network goes into the library's wrapper.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

from funathon.supervised.network import WeightedViews


@dataclass(frozen=True)
class Reading:
    """All training texts in one form (see `funathon.corpus.varying`)."""

    texts: Sequence[str]
    teacher: np.ndarray | None
    """What the teachers say, scores of shape (texts, classes), or None where nobody teaches."""


@dataclass(frozen=True)
class Distilling:
    """How the fast network is trained."""

    batch_size: int = 256
    epochs: int = 10
    learning_rate: float = 3e-3
    learning_rate_decay: float = 0.76
    """Factor on the learning rate after each epoch."""
    label_smoothing: float = 0.05
    code_weight: float = 0.3
    """Weight of the right codes beside the teachers' scores, which have the rest."""
    softness: float = 2.0
    """What both networks' scores are divided by where they are compared, so that the classes that come near count too."""


def distil(
    network: WeightedViews,
    tokenizer: Tokenizer,
    readings: Sequence[Reading],
    numbers: np.ndarray,
    settings: Distilling,
    tell: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> None:
    """Train `network` on the readings and the numbers of the right classes, shape (texts,): each epoch on each text once, half of them in the
    form of the first reading, the others in one of the other forms, drawn anew.

    `tokenizer` must cut texts but not pad them. `tell` hears after each epoch how many are done, of how many, and the mean loss of its texts. On a GPU where
    there is one; afterwards the network is on the CPU.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, settings.learning_rate_decay)
    truth = torch.from_numpy(numbers)
    rows = [[encoding.ids for encoding in tokenizer.encode_batch(list(reading.texts))] for reading in readings]
    padding = network.token_embedder.embedding_layer.padding_idx
    for epoch in range(settings.epochs):
        forms = drawn_forms(len(numbers), len(readings))
        chosen = [rows[form][text] for text, form in enumerate(forms.tolist())]
        total = 0.0
        for batch in like_length(torch.tensor([len(row) for row in chosen]), settings.batch_size):
            ids = torch.nn.utils.rnn.pad_sequence(
                [torch.tensor(chosen[i]) for i in batch.tolist()], batch_first=True, padding_value=padding
            ).to(device)
            scores = network(ids, (ids != padding).float())
            loss = F.cross_entropy(scores, truth[batch].to(device), label_smoothing=settings.label_smoothing)
            if readings[0].teacher is not None:
                taught = np.stack([readings[form].teacher[text] for text, form in zip(batch.tolist(), forms[batch].tolist())])
                taught = torch.from_numpy(taught.astype(np.float32)).to(device)
                loss = settings.code_weight * loss + (1 - settings.code_weight) * distance(scores, taught, settings.softness)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        schedule.step()
        tell(epoch + 1, settings.epochs, total / len(numbers))
    network.cpu().eval()


def drawn_forms(texts: int, readings: int) -> torch.Tensor:
    """The number of the reading in which each text is read, shape (texts,): 0 for half of them, any other for the rest."""
    if readings == 1:
        return torch.zeros(texts, dtype=torch.long)
    return torch.where(torch.rand(texts) < 0.5, 0, torch.randint(1, readings, (texts,)))


def distance(scores: torch.Tensor, taught: torch.Tensor, softness: float) -> torch.Tensor:
    """The Kullback-Leibler divergence of what the scores say from what the teacher's say, both of shape (texts, classes) and divided by
    `softness`: the mean over the texts, times the square of it, so that its gradients are as large as those of the codes."""
    ours, theirs = F.log_softmax(scores / softness, dim=1), F.log_softmax(taught / softness, dim=1)
    return softness**2 * F.kl_div(ours, theirs, log_target=True, reduction="batchmean")


def like_length(lengths: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Batches of the numbers of texts, each of texts of like length, at random; `lengths` has shape (texts,)."""
    batches = []
    for pool in torch.randperm(len(lengths)).split(30 * size):
        batches += pool[lengths[pool].argsort()].split(size)
    return [batches[i] for i in torch.randperm(len(batches))]
