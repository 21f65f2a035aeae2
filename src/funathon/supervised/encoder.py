"""A transformer that codes: all-MiniLM-L6-v2 with a linear head, fine-tuned on labels."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from transformers import BertModel

from funathon.corpus.splitting import SEED

SCALE = 12.0
"""Length of a text's vector before the head; with length 1 the head could not give confident scores early in training."""
MULTIPLE = 8
"""Batches are padded to a multiple of so many tokens: for each new shape oneDNN prepares anew."""


@dataclass(frozen=True)
class FineTuning:
    """What the transformer is fine-tuned with."""

    tokens: int = 128
    """Of a text, the first so many are read."""
    epochs: int = 2
    batch_size: int = 64
    encoder_learning_rate: float = 2e-4
    head_learning_rate: float = 5e-3
    warm_up: int = 200
    """Steps over which the learning rates rise from 0; afterwards they fall to 0 in a straight line."""
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    seed: int = SEED


class EncoderClassifier(nn.Module):
    """An encoder, the mean of its last layer brought to the length SCALE, and a linear head."""

    def __init__(self, encoder: BertModel, classes: int, tokens: int) -> None:
        """`tokens`: of a text, the first so many are read."""
        super().__init__()
        self.encoder = encoder
        self.tokens = tokens
        self.head = nn.Linear(encoder.config.hidden_size, classes)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Scores of shape (texts, classes) from token ids and mask, both of shape (texts, tokens)."""
        outputs = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        means = (outputs * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)
        return self.head(SCALE * F.normalize(means, dim=1))


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask of some texts, both of shape (texts, tokens), padded to a multiple of MULTIPLE tokens."""
    width = math.ceil(max(len(row) for row in rows) / MULTIPLE) * MULTIPLE
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return ids, mask


def shuffled_batches(lengths: np.ndarray, size: int, chooser: random.Random) -> list[list[int]]:
    """The numbers of the texts in batches of texts of like length, at random; `lengths` has shape (texts,)."""
    order = list(range(len(lengths)))
    chooser.shuffle(order)
    pools = [sorted(order[i : i + 50 * size], key=lambda number: lengths[number]) for i in range(0, len(order), 50 * size)]
    batches = [pool[i : i + size] for pool in pools for i in range(0, len(pool), size)]
    chooser.shuffle(batches)
    return batches


def half_precision(device: str) -> torch.autocast:
    """The context in which a model computes in bfloat16, which is several times as fast on a GPU and on processors that know it, and many
    times as slow on others: there it changes nothing."""
    known = torch.cpu.get_capabilities()
    quick = device == "cuda" or known.get("avx512_bf16", False) or known.get("amx_bf16", False)
    return torch.autocast(device, dtype=torch.bfloat16, enabled=quick)


def warmed_up(optimizer: torch.optim.Optimizer, warm_up: int, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """A schedule that raises the learning rates from 0 in `warm_up` steps, and lowers them to 0 in a straight line until `steps`."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, 1.0) * max(0.0, 1 - step / steps))


def fine_tune(
    encoder: BertModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    numbers: np.ndarray,
    vary: Callable[[str, random.Random], str],
    settings: FineTuning = FineTuning(),
    tell: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> EncoderClassifier:
    """Train a classifier on `texts` and the numbers of their classes, shape (texts,); `encoder` is changed.

    Each epoch reads each text as `vary` changes it. `tell` hears after each step how many are done, of how many, and the loss. On a GPU
    where there is one, and in half precision where that is quick.
    """
    torch.manual_seed(settings.seed)
    chooser = random.Random(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = EncoderClassifier(encoder, int(numbers.max()) + 1, settings.tokens).to(device).train()
    tokenizer.enable_truncation(model.tokens)
    optimizer = torch.optim.AdamW(
        [
            {"params": model.encoder.parameters(), "lr": settings.encoder_learning_rate},
            {"params": model.head.parameters(), "lr": settings.head_learning_rate},
        ],
        weight_decay=settings.weight_decay,
    )
    steps = settings.epochs * math.ceil(len(texts) / settings.batch_size)
    schedule = warmed_up(optimizer, settings.warm_up, steps)
    truth = torch.from_numpy(numbers)
    step = 0
    for _ in range(settings.epochs):
        rows = [encoding.ids for encoding in tokenizer.encode_batch([vary(text, chooser) for text in texts])]
        for batch in shuffled_batches(np.array([len(row) for row in rows]), settings.batch_size, chooser):
            ids, mask = padded([rows[i] for i in batch])
            with half_precision(device):
                scores = model(ids.to(device), mask.to(device))
            loss = F.cross_entropy(scores.float(), truth[batch].to(device), label_smoothing=settings.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            tell(step, steps, loss.item())
    return model.cpu().eval()


def encoder_scores(model: EncoderClassifier, tokenizer: Tokenizer, texts: Sequence[str], batch_size: int = 128) -> np.ndarray:
    """Scores of all classes for each text: float32 array of shape (texts, classes)."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    tokenizer.enable_truncation(model.tokens)
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    found = np.empty((len(rows), model.head.out_features), dtype=np.float32)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with torch.inference_mode(), half_precision(device):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            ids, mask = padded([rows[i] for i in batch])
            found[batch] = model(ids.to(device), mask.to(device)).float().cpu().numpy()
    model.cpu()
    return found
