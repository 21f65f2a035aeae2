"""The variants of the pretrained network: what each changes, and that the table of the model card has them all."""

import json

import pytest
import torch

from funathon.supervised import variants
from funathon.supervised.model_card import VARIANTS_FILE
from funathon.supervised.network import WeightedViews


@pytest.fixture
def network():
    torch.manual_seed(0)
    vectors = torch.randn(20, 8)
    vectors[0] = 0
    return WeightedViews(vectors, num_classes=3, padding_idx=0, views=2, dropout=0.0)


def test_the_file_has_every_variant():
    found = json.loads(VARIANTS_FILE.read_text())
    assert list(found) == list(variants.VARIANTS)
    assert all(0.5 < accuracy < 0.8 for accuracy in found.values())


def test_equal_weights_are_not_learnt(network):
    changed = variants.equal_weights(network)
    assert [name for name, weights in changed.named_parameters() if not weights.requires_grad] == ["log_weight.weight"]
    assert (changed.log_weight.weight == 0).all()


def test_random_vectors_are_as_long_as_those_they_replace(network):
    before = network.token_embedder.embedding_layer.weight.detach().clone()
    after = variants.random_start(network).token_embedder.embedding_layer.weight.detach()
    assert not torch.isclose(before[1:], after[1:]).any()
    assert (after[0] == 0).all()
    assert after[1:].norm().item() == pytest.approx(before[1:].norm().item(), rel=0.2)


def test_tokens_are_left_out_in_training_only(network, monkeypatch):
    torch.nn.init.normal_(network.heads)
    ids = torch.randint(1, 20, (5, 12))
    mask = torch.ones_like(ids)
    expected = network.eval()(ids, mask)
    forgetful = variants.forgetful(network)
    monkeypatch.setattr(variants, "LEFT_OUT", 1.0)
    assert torch.equal(forgetful(ids, mask), expected)
    # without any token a text has no vector, and no class scores
    assert (forgetful.train()(ids, mask) == 0).all()
