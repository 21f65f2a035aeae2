"""Fine-tuning the reranker: `uv run --group export python -m funathon.rag.rerank_training` writes `data/reranker/`.

It starts from the lower layers of MiniLM and learns from labels of the training set, each with the ten best classes that the best search of
chapter 8 finds for it; the labels are searched in halves, each half by words of the other, since an index that has a text finds it by
itself. The weight of the search beside the reranker is chosen on labels of the validation set that are not among those of chapter 8.
"""

import copy
import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import SEED, split_labels
from funathon.files import write_text
from funathon.minilm import english_tokenizer, minilm_network, original_tokenizer
from funathon.paths import RERANKER
from funathon.rag.rerank_data import Pool, measured_sets, pool_of, validation_labels
from funathon.rag.reranking import MANIFEST, MODEL, MOST_TOKENS, TOKENIZER, Reranker, class_text, encode_pairs, padded
from funathon.supervised.encoder import half_precision, warmed_up

LABELS = 8_000
"""Labels of the training set that are learnt from; those whose class the search does not find among ten teach nothing."""
LAYERS = (0, 2, 5)
"""The layers of MiniLM that are kept."""
RIVALS = 4
"""Classes that the right one is learnt to be told from: those that the search puts first."""
EPOCHS, LABELS_AT_ONCE, LEARNING_RATE, WARM_UP = 2, 8, 1.5e-4, 100
WEIGHTS = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 150.0)
"""Weights of the search's points that are tried."""


class CrossEncoder(nn.Module):
    """Some layers of an encoder, the mean of its outputs, and one score."""

    def __init__(self, kept: Sequence[int]) -> None:
        """`kept`: the numbers of the tokens of MiniLM's vocabulary that stay, in the order of their new numbers."""
        super().__init__()
        self.encoder = copy.deepcopy(minilm_network())
        self.encoder.encoder.layer = nn.ModuleList(self.encoder.encoder.layer[number] for number in LAYERS)
        vectors = self.encoder.embeddings.word_embeddings.weight.data[list(kept)].clone()
        self.encoder.embeddings.word_embeddings = nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=0)
        self.encoder.pooler = None
        self.head = nn.Linear(vectors.shape[1], 1)

    def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Scores of shape (pairs,) from arrays of shape (pairs, tokens)."""
        outputs = self.encoder(input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(outputs.dtype)
        return self.head((outputs * mask).sum(dim=1) / mask.sum(dim=1)).squeeze(1)


def small_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """MiniLM's tokenizer with the pieces that occur in these texts only: its table of vectors is the largest part of the file."""
    seen = {piece for encoding in english_tokenizer([]).encode_batch(list(texts)) for piece in encoding.tokens}
    tokenizer = english_tokenizer([], only=seen)
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def fit(model: CrossEncoder, tokenizer: Tokenizer, pool: Pool, tell: Callable[[int, int, float], None]) -> None:
    """Train on the labels whose class is among their candidates: the cross entropy of the scores of the class and of its first RIVALS."""
    torch.manual_seed(SEED)
    chooser = random.Random(SEED)
    lists = []
    for text, blocks, place in zip(pool.texts, pool.shown, pool.places):
        if place >= 0:
            rivals = [block for number, block in enumerate(blocks) if number != place][:RIVALS]
            lists.append(encode_pairs(tokenizer, [(text, block) for block in [blocks[place], *rivals]]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    steps, step = EPOCHS * math.ceil(len(lists) / LABELS_AT_ONCE), 0
    schedule = warmed_up(optimizer, WARM_UP, steps)
    model.train()
    for _ in range(EPOCHS):
        order = list(range(len(lists)))
        chooser.shuffle(order)
        for start in range(0, len(order), LABELS_AT_ONCE):
            chosen = order[start : start + LABELS_AT_ONCE]
            arrays = padded([pair for number in chosen for pair in lists[number]])
            with half_precision("cpu"):
                scores = model(*(torch.from_numpy(array) for array in arrays))
            loss = F.cross_entropy(scores.float().view(len(chosen), -1), torch.zeros(len(chosen), dtype=torch.long))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            tell(step, steps, loss.item())
    model.eval()


def export(model: CrossEncoder, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model as ONNX with weights of eight bits (dynamic quantisation), and the tokenizer."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.onnx"
    example = tuple(torch.from_numpy(array) for array in padded([([1, 2, 3, 4], [0, 0, 1, 1])] * 2))
    names = ("input_ids", "token_type_ids", "attention_mask")
    axes = {name: {0: torch.export.Dim("pairs"), 1: torch.export.Dim("tokens")} for name in names}
    torch.onnx.export(
        model, example, whole, input_names=list(names), output_names=["scores"], dynamic_shapes=axes, external_data=False
    )
    quantize_dynamic(whole, folder / MODEL, weight_type=QuantType.QInt8)
    whole.unlink()
    tokenizer.no_truncation()
    write_text(folder / TOKENIZER, tokenizer.to_str())


def order_by(scores: np.ndarray, points: np.ndarray, weight: float) -> np.ndarray:
    """The order of the candidates, best first: integers of the shape of both arrays, (texts, candidates)."""
    return np.argsort(-(scores + weight * points), axis=1, kind="stable")


def figures(pool: Pool, order: np.ndarray) -> dict:
    """First place, among five, and mean reciprocal rank, before and after, and the paired test of the first place (McNemar, exact)."""
    places = np.array(pool.places)
    found = np.where(places[:, None] >= 0, order == places[:, None], False)
    after = np.where(found.any(axis=1), found.argmax(axis=1), 99)
    before = np.where(places >= 0, places, 99)
    won, lost = int(((after == 0) & (before > 0)).sum()), int(((after > 0) & (before == 0)).sum())

    def all_three(ranks: np.ndarray) -> dict:
        return {
            "first": float((ranks == 0).mean()),
            "among_5": float((ranks < 5).mean()),
            "reciprocal_rank": float(np.where(ranks < 99, 1 / (1 + ranks), 0).mean()),
        }

    p = binomtest(won, won + lost).pvalue if won + lost else 1.0
    return {"n": len(places), "before": all_three(before), "after": all_three(after), "won": won, "lost": lost, "p": p}


def train(folder: Path) -> None:
    """Train the reranker and write its files, with a manifest that has no figures yet."""
    split = split_labels(read_labels())
    classes = {row["code"]: row for row in read_nomenclature().filter(level=4).iter_rows(named=True)}
    tokenizer = small_tokenizer([*split.X_train.tolist(), *(class_text(row, ()) for row in classes.values())])
    original, vocabulary = original_tokenizer()["model"]["vocab"], tokenizer.get_vocab()
    # before MiniLM embeds anything: what it makes then in inference mode cannot be trained
    model = CrossEncoder([original[piece] for piece in sorted(vocabulary, key=vocabulary.get)])
    chooser = np.random.default_rng(SEED)
    chosen = chooser.choice(len(split.X_train), LABELS, replace=False)
    halves = np.array_split(chooser.permutation(len(split.X_train)), 2)
    pools = []
    for half, other in (halves, halves[::-1]):
        wanted = np.intersect1d(chosen, half)
        pools.append(pool_of(split.X_train[wanted], split.y_train[wanted], classes, split.X_train[other], split.y_train[other]))
    pool = Pool.joined(pools)
    print(f"{len(pool.texts):,} labels, the class of {np.mean(np.array(pool.places) >= 0):.1%} among ten", flush=True)

    begun = time.process_time()
    fit(model, tokenizer, pool, lambda step, steps, loss: step % 100 or print(f"{step} of {steps}: {loss:.3f}", flush=True))
    seconds = time.process_time() - begun
    export(model, tokenizer, folder)
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, TOKENIZER)}
    about = {"files": files, "weight": 0.0, "training_seconds": round(seconds), "sha256_train": split.training_digest}
    write_text(folder / MANIFEST, json.dumps(about, indent=1) + "\n")


def measure(folder: Path) -> None:
    """Choose the weight of the search's points, measure on all sets, and add both to the manifest."""
    split = split_labels(read_labels())
    classes = {row["code"]: row for row in read_nomenclature().filter(level=4).iter_rows(named=True)}
    reranker = Reranker(folder)

    def scored(pool: Pool) -> np.ndarray:
        # text by text, as `Reranker.rerank` reads them
        return np.array([reranker.scores([(text, block) for block in blocks]) for text, blocks in zip(pool.texts, pool.shown)])

    def judged(texts: Sequence[str], codes: Sequence[str]) -> Pool:
        return pool_of(texts, codes, classes, split.X_train, split.y_train)

    tuning = judged(*validation_labels(split, 2_000))
    scores = scored(tuning)
    weight = max(WEIGHTS, key=lambda each: figures(tuning, order_by(scores, tuning.points, each))["after"]["first"])
    found = {"choosing the weight": figures(tuning, order_by(scores, tuning.points, weight))}
    for name, (texts, codes) in measured_sets(split).items():
        pool = judged(texts, codes)
        begun = time.perf_counter()
        scores = scored(pool)
        milliseconds = 1000 * (time.perf_counter() - begun) / len(pool.texts)
        found[name] = figures(pool, order_by(scores, pool.points, weight)) | {"ms_a_text": round(milliseconds, 1)}
        print(name, found[name], flush=True)
    about = reranker.manifest | {"weight": weight, "figures": found}
    write_text(folder / MANIFEST, json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    train(RERANKER)
    measure(RERANKER)
