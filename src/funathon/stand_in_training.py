"""Fitting the ranker of the offline stand-in: `python -m funathon.stand_in_training` writes its JSON and its matrix.

Only the training set of `funathon.splitting` is learnt from; the confidence and the threshold below which a text counts as
not codable are set on the validation set. The field test plays no part.
"""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from funathon import minilm, stand_in
from funathon.files import replacing, write_text
from funathon.labels import read_labels
from funathon.measures import share
from funathon.nomenclature import DEFAULT_NACE, read_nomenclature
from funathon.splitting import SEED, split_labels

CANDIDATES = 10
EXAMPLES = 3
"""Nearest labelled examples that a candidate is shown with, where it has any."""
INDEXED = 10
"""Training labels a class from which the examples are taken."""
RANKED = 2000
"""Training labels that the weights are fitted on, and validation labels that they are measured on."""
REFUSED = 0.005
"""Share of codable labels that may be called not codable."""


def read_candidates() -> list[stand_in.Candidate]:
    """Every class with its notes, one line a bullet."""
    classes = read_nomenclature(str(DEFAULT_NACE)).filter(level=4)
    return [
        stand_in.Candidate(
            code, heading, [line.strip(stand_in.BULLET) for note in notes if note for line in note.splitlines() if line.strip()]
        )
        for code, heading, *notes in classes.select("code", "heading", "includes", "includes_also").iter_rows()
    ]


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


def fit(embed: Callable[[Sequence[str]], np.ndarray]) -> tuple[dict, np.ndarray]:
    """Fit everything: the content of `stand_in.json`, and the matrix A."""
    split = split_labels(read_labels())
    classes = read_candidates()
    number = {candidate.code: i for i, candidate in enumerate(classes)}
    random = np.random.default_rng(0)
    of_class: list[list[str]] = [[] for _ in classes]
    for i in random.permutation(len(split.X_train)):
        of_class[number[split.y_train[i]]].append(split.X_train[i])
    passages = stand_in.Passages(embed)

    lines = [[c.title, *(f"{c.title}: {line}" for line in c.includes)] for c in classes]
    read = passages.read([text for texts in lines for text in texts])
    means = np.array([np.mean([read[text].vector for text in texts], axis=0) for texts in lines])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    # the labels that the weights are fitted on are others than those that the matrix is fitted on
    learnt = [(text, i) for i, texts in enumerate(of_class) for text in texts[:INDEXED] + texts[INDEXED + 5 : INDEXED + 10]]
    ranked = [(text, i) for i, texts in enumerate(of_class) for text in texts[INDEXED : INDEXED + 5]]
    ranked = [ranked[i] for i in random.permutation(len(ranked))[:RANKED]]
    chosen = np.random.default_rng(0).choice(len(split.X_val), RANKED, replace=False)
    judged = [(split.X_val[i], number[split.y_val[i]]) for i in chosen]
    texts, right = zip(*learnt)
    known = passages.read(texts)
    matrix = fit_adaptation(np.array([known[text].vector for text in texts]), np.array(right), means).astype(np.float16)
    examples = [texts[:INDEXED] for texts in of_class]
    fitted: dict = {}
    for name, shown in (("without examples", None), ("with examples", examples)):
        table, place = retrieve(ranked, classes, shown, embed, passages, matrix)
        found = place >= 0
        weights = fit_weights(table[found], place[found])
        table, place = retrieve(judged, classes, shown, embed, passages, matrix)
        leads, supports, right_ones = [], [], []
        for k in (CANDIDATES // 2, CANDIDATES):
            scores = table[:, :k] @ weights
            leads.append(stand_in.lead(scores))
            supports.append(stand_in.support(table[:, :k]))
            right_ones.append(scores.argmax(axis=1) == place)
            print(f"{name}, {k} candidates: first {share(place == 0)}, ranked first {share(right_ones[-1])}")
        model = LogisticRegression(C=100).fit(np.c_[np.concatenate(leads), np.concatenate(supports)], np.concatenate(right_ones))
        if shown is None:
            fitted["codable from"] = round(float(np.quantile(stand_in.support(table), REFUSED)), 4)
        fitted[name] = {
            "weights": [round(float(w), 4) for w in weights],
            "calibration": [round(float(w), 4) for w in (model.intercept_[0], *model.coef_[0])],
        }
    return fitted, matrix


def retrieve(
    labels: Sequence[tuple[str, int]],
    classes: Sequence[stand_in.Candidate],
    examples: Sequence[Sequence[str]] | None,
    embed: Callable[[Sequence[str]], np.ndarray],
    passages: stand_in.Passages,
    matrix: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The features of the CANDIDATES classes whose whole notes are nearest to each label, and the place of the right one
    among them, -1 where it is not there: shapes (labels, CANDIDATES, features) and (labels,).

    With `examples`, each class is shown with the EXAMPLES of its own that are nearest to the label.
    """
    documents = embed([f"{c.title}. {' '.join(c.includes)}" for c in classes])
    known = passages.read([text for text, _ in labels])
    tables, places = [], []
    for text, right in labels:
        query = known[text].vector
        best = np.argsort(-(documents @ query), kind="stable")[:CANDIDATES]
        shown = [classes[i] for i in best]
        if examples is not None:
            read = passages.read([example for i in best for example in examples[i]])
            shown = [
                replace(classes[i], examples=sorted(examples[i], key=lambda e: -(read[e].vector @ query))[:EXAMPLES])
                for i in best
            ]
        tables.append(stand_in.features(text, shown, passages, matrix.astype(np.float32)))
        places.append(int(np.flatnonzero(best == right)[0]) if right in best else -1)
    return np.array(tables), np.array(places)


def main() -> None:
    """Fit the ranker and write its two files."""
    fitted, matrix = fit(minilm.embed)
    content = io.BytesIO()
    np.save(content, matrix)
    with replacing(stand_in.FITTED.with_suffix(".npy")) as temporary:
        temporary.write_bytes(content.getvalue())
    write_text(stand_in.FITTED, json.dumps(fitted, indent=1) + "\n")


if __name__ == "__main__":
    main()
