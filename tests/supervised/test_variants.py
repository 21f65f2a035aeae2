"""The variants of the pretrained network: what each changes, and that the table of the model card has them all."""

import json

import pytest
import torch

from funathon.paths import PRETRAINED
from funathon.supervised import variants
from funathon.supervised.baselines import BASELINES
from funathon.supervised.model_card import EARLIER, KINDS, VARIANTS_FILE, named
from funathon.supervised.network import WeightedViews
from funathon.supervised.pretrained import CARD, read_manifest


@pytest.fixture
def network():
    torch.manual_seed(0)
    vectors = torch.randn(20, 8)
    vectors[0] = 0
    return WeightedViews(vectors, num_classes=3, padding_idx=0, views=2, dropout=0.0)


def test_the_file_has_variants_this_model_and_the_teachers_among_them():
    found = json.loads(VARIANTS_FILE.read_text())
    assert set(found) <= {*variants.VARIANTS, variants.A_TEACHER, variants.THE_TEACHERS, variants.TRANSFORMER}
    assert variants.THE_TEACHERS in found and any(name.endswith("this model") for name in found)
    assert all({"all", *KINDS} == set(each) - {"sha256_train"} and 0.4 < each["all"] < 0.9 for each in found.values())


def test_what_was_measured_on_labels_of_before_is_marked():
    manifest = read_manifest(str(PRETRAINED))
    found = json.loads(VARIANTS_FILE.read_text())
    names = {name: named(name, each, manifest) for name, each in found.items()}
    assert names[variants.THE_TEACHERS] == variants.THE_TEACHERS
    assert named("another", {"sha256_train": "0" * 64}, manifest) == f"another {EARLIER}"
    card = (PRETRAINED / CARD).read_text()
    assert all(f"| {name} |" in card for name in names.values())
    methods = json.loads(BASELINES.read_text())
    assert all(f"| {named(name, each, manifest)} |" in card for name, each in methods.items())


def test_random_vectors_are_as_long_as_those_they_replace(network):
    before = network.token_embedder.embedding_layer.weight.detach().clone()
    after = variants.random_start(network).token_embedder.embedding_layer.weight.detach()
    assert not torch.isclose(before[1:], after[1:]).any()
    assert (after[0] == 0).all()
    assert after[1:].norm().item() == pytest.approx(before[1:].norm().item(), rel=0.2)


def test_without_neighbours_a_token_counts_the_same_whatever_stands_around_it(network):
    variants.without_neighbours(network)
    assert [name for name, part in network.named_parameters() if not part.requires_grad] == [
        "neighbourhood.change.weight",
        "neighbourhood.change.bias",
    ]
    assert (network.neighbourhood(torch.tensor([[3, 4, 5]]), torch.ones(1, 3)) == 0).all()
