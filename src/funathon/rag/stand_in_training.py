"""Fitting the ranker of the offline stand-in: `python -m funathon.rag.stand_in_training` writes its JSON and its matrix.

The matrix is learnt from the training set of `funathon.corpus.splitting`. The weights, the confidence and the threshold below which
a text counts as not codable come from the prompts that `funathon rag evaluate` would send for labels of the validation set:
one half for the weights, the other for the rest. Labels of the training set cannot serve for the weights, since the best
retrieval finds each of them by itself. The test set and the field test play no part.
"""

import io
import json
import os
from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from qdrant_client import QdrantClient
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import SEED, split_labels
from funathon.endpoint import stand_in
from funathon.endpoint.passages import Passages
from funathon.endpoint.prompt_reading import read_prompt
from funathon.files import replacing, write_text
from funathon.measures import share
from funathon.minilm import embed
from funathon.paths import DEFAULT_LABELS, DEFAULT_NACE
from funathon.rag.pipeline import make_prompt
from funathon.rag.retrieval import class_passages
from funathon.rag.retrievers import RETRIEVERS, Retriever
from funathon.settings import EMBEDDED

CANDIDATES = 10
RANKED = 2000
"""Validation labels that the weights are fitted on, and as many others that they are measured on."""
REFUSED = 0.005
"""Share of codable labels that may be called not codable."""


def fit_adaptation(labels: np.ndarray, right: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The matrix A that brings labels near the notes of their class: float32, shape (dimensions, dimensions).

    `labels` are unit vectors of shape (labels, dimensions), `right` the number of the class of each, `means` the unit means
    over the lines of each class. Minimises the cross entropy of softmax(s (q + qA) · mean) over all classes, s free, with the
    squared entries of A as a penalty.
    """
    torch.manual_seed(SEED)
    q, classes, y = torch.from_numpy(labels), torch.from_numpy(means), torch.from_numpy(right)
    matrix = torch.zeros(q.shape[1], q.shape[1], requires_grad=True)
    scale = torch.tensor(20.0, requires_grad=True)
    optimizer = torch.optim.Adam([{"params": [matrix], "lr": 3e-3}, {"params": [scale], "lr": 0.1}])
    for _ in range(4):
        for batch in torch.randperm(len(q)).split(256):
            scores = scale * (q[batch] + q[batch] @ matrix) @ classes.T
            loss = torch.nn.functional.cross_entropy(scores, y[batch]) + 1e-3 * matrix.pow(2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return matrix.detach().numpy()


def fit_weights(table: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Weights of the conditional logit, by maximum likelihood with a light penalty.

    `table` has the shape (labels, candidates, features); `right` is the place of the right candidate.
    """
    spread = table.reshape(-1, table.shape[-1]).std(axis=0)
    spread[spread == 0] = 1
    scaled = table / spread
    rows = np.arange(len(right))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = scaled @ weights
        log_p = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        slope = (np.exp(log_p)[..., None] * scaled).sum(axis=1) - scaled[rows, right]
        return 1e-3 * weights @ weights - log_p[rows, right].mean(), 2e-3 * weights + slope.mean(axis=0)

    return minimize(loss, np.zeros(table.shape[-1]), jac=True).x / spread


def class_means(nomenclature: pl.DataFrame) -> tuple[list[str], np.ndarray]:
    """The codes of the classes, and the unit means over the vectors of their passages: shape (classes, dimensions)."""
    passages = class_passages(nomenclature)
    vectors = embed([passage.text for passage in passages])
    codes = list(dict.fromkeys(passage.code for passage in passages))
    owner = np.array([codes.index(passage.code) for passage in passages])
    means = np.array([vectors[owner == number].mean(axis=0) for number in range(len(codes))])
    return codes, means / np.linalg.norm(means, axis=1, keepdims=True)


def tables(
    retriever: Retriever,
    nomenclature: pl.DataFrame,
    labels: Sequence[str],
    right: Sequence[str],
    matrix: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The features of the CANDIDATES that a retriever finds for each label, as the stand-in reads them in its prompt, and the
    place of the right class among them, -1 where it is not there: shapes (labels, CANDIDATES, features) and (labels,)."""
    notes = {row["code"]: row for row in nomenclature.filter(level=4).iter_rows(named=True)}
    passages = Passages(embed)
    passages.read(labels)
    found, places = [], []
    for label, code, codes in zip(labels, right, retriever.candidates(labels, embed(labels), CANDIDATES)):
        messages = make_prompt(label, codes, retriever, notes)
        activity, candidates = read_prompt([(message["role"], message["content"]) for message in messages])
        found.append(stand_in.features(activity, candidates, passages, matrix))
        places.append(codes.index(code) if code in codes else -1)
    return np.array(found), np.array(places)


def fit() -> tuple[dict, np.ndarray]:
    """Fit everything: the content of `stand_in.json`, and the matrix A."""
    split = split_labels(read_labels(str(DEFAULT_LABELS)))
    nomenclature = read_nomenclature(str(DEFAULT_NACE))
    codes, means = class_means(nomenclature)
    owner = np.array([codes.index(code) for code in split.y_train])
    matrix = fit_adaptation(embed(split.X_train.tolist()), owner, means).astype(np.float16)

    chosen = np.random.default_rng(SEED).choice(len(split.X_val), 2 * RANKED, replace=False)
    labels, right = split.X_val[chosen].tolist(), split.y_val[chosen].tolist()
    fitted: dict = {}
    for name, kind in (("without examples", "plain"), ("with examples", "best")):
        retriever = RETRIEVERS[kind](QdrantClient(":memory:"), nomenclature)
        index = retriever.index
        index.store(range(len(index.points)), embed([document.text for point in index.points for document in point]))
        table, place = tables(retriever, nomenclature, labels, right, matrix.astype(np.float32))
        found = np.flatnonzero(place[:RANKED] >= 0)
        weights = fit_weights(table[found], place[found])
        table, place = table[RANKED:], place[RANKED:]
        leads, supports, right_ones = [], [], []
        for k in (CANDIDATES // 2, CANDIDATES):
            scores = table[:, :k] @ weights
            leads.append(stand_in.lead(scores))
            supports.append(stand_in.support(table[:, :k]))
            right_ones.append(scores.argmax(axis=1) == place)
            print(f"{name}, {k} candidates: first {share(place == 0)}, ranked first {share(right_ones[-1])}")
        model = LogisticRegression(C=100).fit(np.c_[np.concatenate(leads), np.concatenate(supports)], np.concatenate(right_ones))
        if kind == "plain":
            fitted["codable from"] = round(float(np.quantile(stand_in.support(table), REFUSED)), 4)
        fitted[name] = {
            "weights": [round(float(w), 4) for w in weights],
            "calibration": [round(float(w), 4) for w in (model.intercept_[0], *model.coef_[0])],
        }
    return fitted, matrix


def main() -> None:
    """Fit the ranker and write its two files."""
    os.environ |= EMBEDDED | {"LABELS_URL": str(DEFAULT_LABELS)}
    fitted, matrix = fit()
    content = io.BytesIO()
    np.save(content, matrix)
    with replacing(stand_in.FITTED.with_suffix(".npy")) as temporary:
        temporary.write_bytes(content.getvalue())
    write_text(stand_in.FITTED, json.dumps(fitted, indent=1) + "\n")


if __name__ == "__main__":
    main()
