"""The reranker: it only reorders, reads each pair by itself, and is as good as its manifest says."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import split_labels
from funathon.errors import FunathonError
from funathon.paths import RERANKER
from funathon.rag.prompt_sets import nearest
from funathon.rag.rerank_data import measured_sets, pool_of, validation_labels
from funathon.rag.reranking import MANIFEST, MODEL, Reranker, class_text


@pytest.fixture(scope="module")
def reranker():
    return Reranker()


@pytest.fixture(scope="module")
def classes():
    return {row["code"]: row for row in read_nomenclature().filter(level=4).iter_rows(named=True)}


def test_the_manifest_names_the_files_and_the_training_set_of_today():
    manifest = json.loads((RERANKER / MANIFEST).read_text())
    for name, expected in manifest["files"].items():
        assert hashlib.sha256((RERANKER / name).read_bytes()).hexdigest() == expected
    assert manifest["sha256_train"] == split_labels(read_labels()).training_digest
    assert (RERANKER / MODEL).stat().st_size < 14e6


def test_what_fits_scores_higher_than_what_does_not(reranker, classes):
    texts = {"10.71": "bakery with its own ovens", "96.21": "barber's shop", "49.41": "lorry haulage of containers"}
    blocks = [class_text(classes[code], ()) for code in texts]
    scores = reranker.scores([(text, block) for text in texts.values() for block in blocks]).reshape(3, 3)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=300), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_text_has_an_order_that_no_other_text_changes(texts, chooser):
    reranker = Reranker()
    blocks = ["Manufacture of bread. loaves", "Retail sale of toys", "", "Growing of rice " * 20]
    shown = [chooser.sample(blocks, 3) for _ in texts]
    codes, points = [["a", "b", "c"]] * len(texts), np.zeros((len(texts), 3))
    together = reranker.rerank(texts, codes, shown, points)
    assert together == [reranker.rerank([text], [["a", "b", "c"]], [row], points[:1])[0] for text, row in zip(texts, shown)]


def test_the_candidates_of_each_text_are_reordered_and_nothing_else(reranker, classes):
    texts = ["bakery with its own ovens", "toy shop"]
    candidates = [["47.64", "10.71", "96.21"], ["10.71", "96.21", "47.64"]]
    shown = [[class_text(classes[code], ()) for code in row] for row in candidates]
    found = reranker.rerank(texts, candidates, shown, np.zeros((2, 3)))
    assert [sorted(row) for row in found] == [sorted(row) for row in candidates]
    assert [row[0] for row in found] == ["10.71", "47.64"]
    strong = np.array([[1e6, 0, 1.0], [0, 1.0, 1e6]])
    assert reranker.rerank(texts, candidates, shown, strong) == [["47.64", "96.21", "10.71"], ["47.64", "96.21", "10.71"]]


def test_a_damaged_or_missing_file_is_named(tmp_path):
    folder = tmp_path / "reranker"
    shutil.copytree(RERANKER, folder)
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1])
    with pytest.raises(FunathonError, match=r"model\.onnx is not the file that its manifest names"):
        Reranker(folder)
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(FunathonError, match="is not the manifest of a reranker"):
        Reranker(folder)
    with pytest.raises(FunathonError, match="Fetch the folder again"):
        Reranker(tmp_path / "nowhere")


def test_the_nearest_examples_are_those_with_the_highest_scores():
    assert nearest(np.array([0.0, 3, 1, 2, 9]), np.array([0, 1, 2, 3]), list("abcde")) == ["b", "d", "c"]


def test_the_labels_that_choose_the_weight_are_apart_from_those_that_judge():
    split = split_labels(read_labels())
    chosen = set(validation_labels(split, 2_000)[0])
    assert len(chosen) == 2_000 and not chosen & set(measured_sets(split)["chapter 8, validation set"][0])


@pytest.mark.slow
def test_it_is_as_good_as_its_manifest_says(reranker, classes):
    split = split_labels(read_labels())
    texts, codes = measured_sets(split)["entries"]
    pool = pool_of(texts, codes, classes, split.X_train, split.y_train)
    reranked = reranker.rerank(pool.texts, pool.candidates, pool.shown, pool.points)
    said = reranker.manifest["figures"]["entries"]
    first = np.mean([row[0] == code for row, code in zip(reranked, codes)])
    assert abs(first - said["after"]["first"]) < 0.02, "other processors round otherwise, but not more than that"
    assert abs(np.mean([row[0] == code for row, code in zip(pool.candidates, codes)]) - said["before"]["first"]) < 0.01
