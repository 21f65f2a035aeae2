"""Simple classifiers, measured on the same split as the pretrained model: what it has to beat.

    uv run --group benchmark python -m funathon.supervised.baselines

trains them all and writes `data/benchmarks/baselines.json`, from which the model card takes its comparison. They learn from the
rows that the pretrained model learns from: the training set and the notes of the nomenclature. fastText needs Python 3.12 or
older; it comes with the group `benchmark` only.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from funathon.corpus.judging import judged_sets, read_tests
from funathon.corpus.labels import fold, read_labels
from funathon.corpus.notes import note_rows
from funathon.corpus.splitting import SEED, split_labels
from funathon.files import write_text
from funathon.measures import accuracy_at, ranked
from funathon.paths import DATA

BASELINES = DATA / "benchmarks" / "baselines.json"

Ranker = Callable[[np.ndarray], np.ndarray]
"""From texts, shape (n,), to the codes of their five likeliest classes, shape (n, 5)."""


def majority(texts: np.ndarray, codes: np.ndarray) -> Ranker:
    """The most frequent class for every text."""
    return _ranker(DummyClassifier(strategy="prior").fit(texts, codes), "predict_proba")


def logistic_regression(texts: np.ndarray, codes: np.ndarray) -> Ranker:
    """Logistic regression on the TF-IDF of words, one class against the rest, by stochastic gradient descent.

    The multinomial form takes over 5 GB with so many classes.
    """
    words = TfidfVectorizer(sublinear_tf=True)
    regression = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=10, tol=None, random_state=SEED)
    return _ranker(make_pipeline(words, regression).fit(texts, codes), "decision_function")


def word_svm(texts: np.ndarray, codes: np.ndarray) -> Ranker:
    """Linear support vector machine, one class against the rest, on the TF-IDF of words."""
    words = TfidfVectorizer(sublinear_tf=True)
    return _ranker(make_pipeline(words, LinearSVC(C=0.5, random_state=SEED)).fit(texts, codes), "decision_function")


def character_svm(texts: np.ndarray, codes: np.ndarray) -> Ranker:
    """Linear support vector machine on the TF-IDF of words and of runs of three to five characters."""
    features = make_union(
        TfidfVectorizer(sublinear_tf=True), TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 5), min_df=2)
    )
    return _ranker(make_pipeline(features, LinearSVC(C=0.5, random_state=SEED)).fit(texts, codes), "decision_function")


def fasttext(texts: np.ndarray, codes: np.ndarray) -> Ranker:
    """fastText, supervised, with pairs of words and runs of three to five characters (Joulin et al. 2017, EACL)."""
    from fasttext import train_supervised

    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.txt"
        rows.write_text("".join(f"__label__{code} {fold(text)}\n" for text, code in zip(texts, codes)))
        model = train_supervised(
            str(rows),
            lr=0.5,
            dim=100,
            epoch=25,
            wordNgrams=2,
            minn=3,
            maxn=5,
            bucket=500_000,
            loss="softmax",
            thread=2,
            verbose=0,
        )

    def rank(new: np.ndarray) -> np.ndarray:
        # its own `predict` fails with numpy 2
        answers = [model.f.predict(f"{fold(text)}\n", 5, 0.0, "strict") for text in new]
        return np.array([[name.removeprefix("__label__") for _, name in answer] for answer in answers])

    return rank


METHODS = {
    "majority class": majority,
    "TF-IDF of words, logistic regression": logistic_regression,
    "TF-IDF of words, linear SVM": word_svm,
    "fastText, words and characters": fasttext,
    "TF-IDF of words and characters, linear SVM": character_svm,
}


def _ranker(model, method: str) -> Ranker:
    """Rank the classes of a fitted scikit-learn model by its `method`, a thousand texts at a time."""

    def rank(texts: np.ndarray) -> np.ndarray:
        parts = [texts[start : start + 1000] for start in range(0, len(texts), 1000)]
        return np.concatenate([ranked(getattr(model, method)(part), model.classes_) for part in parts])

    return rank


def measure_baselines(names: list[str]) -> None:
    """Train the methods of these names on the training set and the notes, and write what they reach to BASELINES.

    Each is written as soon as it is measured; what the file holds of other methods stays. Times are processor seconds, which
    depend less on what else the machine does than the clock.
    """
    split = split_labels(read_labels())
    notes, codes = note_rows(set(split.y_train))
    texts, codes = np.concatenate([split.X_train, notes]), np.concatenate([split.y_train, codes])
    sets = judged_sets(split, read_tests())
    for name in names:
        start = time.process_time()
        rank = METHODS[name](texts, codes)
        seconds = time.process_time() - start
        found: dict = {"training_seconds": round(seconds, 1), "sha256_train": split.training_digest}
        for set_name, (X, y) in sets.items():
            candidates = rank(X)
            found[set_name] = {f"top{k}": accuracy_at(candidates, y, k).value for k in (1, 3, 5)}
        print(name, found, flush=True)
        known = json.loads(BASELINES.read_text()) if BASELINES.is_file() else {}
        results = {method: (known | {name: found})[method] for method in METHODS if method in known | {name: found}}
        write_text(BASELINES, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    measure_baselines(sys.argv[1:] or list(METHODS))
