"""Learning from a teacher's scores, the transformer that teaches, and what can be coded at all."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from funathon.supervised.distilling import Distilling, Reading, distance, distil, drawn_forms, like_length
from funathon.supervised.encoder import FineTuning, encoder_scores, fine_tune, padded, shuffled_batches
from funathon.supervised.network import WeightedViews

WORDS = ["[PAD]", "[UNK]", "bread", "rolls", "fish", "trout", "we", "are", "proud"]
TEXTS = ["bread rolls", "fish trout", "rolls", "trout", "we bread", "are fish"] * 20
NUMBERS = np.array([0, 1, 0, 1, 0, 1] * 20)


@pytest.fixture
def tokenizer():
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


@pytest.fixture
def network():
    torch.manual_seed(0)
    return WeightedViews(torch.randn(len(WORDS), 8), num_classes=2, padding_idx=0, views=2, dropout=0.0)


def codes(network, tokenizer, texts):
    rows = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    starts = torch.tensor(np.cumsum([0, *map(len, rows)])[:-1])
    return network.score(torch.tensor(np.concatenate(rows)), starts)[0].argmax(dim=1).tolist()


def test_codes_are_learnt_without_a_teacher(network, tokenizer):
    distil(
        network,
        tokenizer,
        [Reading(TEXTS, None)],
        NUMBERS,
        Distilling(batch_size=16, epochs=40, learning_rate=0.01, learning_rate_decay=0.97),
    )
    assert codes(network, tokenizer, ["rolls", "trout", "bread rolls", "are fish"]) == [0, 1, 0, 1]
    assert not network.training


def test_what_the_teacher_says_outweighs_a_wrong_code_where_it_has_the_weight(network, tokenizer):
    scores = np.eye(2, dtype=np.float16)[NUMBERS] * 10
    settings = Distilling(batch_size=16, epochs=40, learning_rate=0.01, learning_rate_decay=0.97, code_weight=0.1)
    distil(network, tokenizer, [Reading(TEXTS, scores)], 1 - NUMBERS, settings)
    assert codes(network, tokenizer, ["bread", "trout"]) == [0, 1]


def test_half_of_the_texts_are_read_in_another_form(network, tokenizer):
    forms = drawn_forms(9000, 4)
    assert [round((forms == number).float().mean().item(), 1) for number in range(4)] == [0.5, 0.2, 0.2, 0.2]
    assert not drawn_forms(50, 1).any()
    # a form with the words of the other class makes it unsure of both
    told = []
    settings = Distilling(batch_size=16, epochs=40, learning_rate=0.01, learning_rate_decay=0.97)
    confusing = [Reading(TEXTS, None), Reading([TEXTS[(i + 1) % len(TEXTS)] for i in range(len(TEXTS))], None)]
    distil(network, tokenizer, confusing, NUMBERS, settings, lambda *each: told.append(each))
    assert [each[:2] for each in told] == [(epoch, 40) for epoch in range(1, 41)]
    assert told[-1][2] > 0.3


def test_equal_scores_have_no_distance_and_softness_leaves_the_size_of_gradients():
    scores = torch.randn(4, 5)
    assert distance(scores, scores, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert distance(scores, scores + 3, 2.0).item() == pytest.approx(0, abs=1e-6), "the same for every class"
    assert distance(scores, scores.flip(1), 2.0).item() > 0


@given(st.lists(st.integers(1, 50), min_size=1, max_size=300), st.integers(1, 16))
def test_batches_hold_every_text_once_and_like_lengths(lengths, size):
    for batches in (
        [batch.tolist() for batch in like_length(torch.tensor(lengths), size)],
        shuffled_batches(np.array(lengths), size, random.Random(0)),
    ):
        assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
        assert all(len(batch) <= size for batch in batches)


def test_padding_is_masked_and_ends_at_a_multiple():
    ids, mask = padded([[5, 6, 7], [8]])
    assert ids.shape == (2, 8) and ids[1].tolist() == [8] + [0] * 7 and mask.sum(dim=1).tolist() == [3, 1]


def test_a_transformer_is_fine_tuned_and_scores_texts_whatever_their_neighbours(tokenizer):
    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    )
    steps = []
    settings = FineTuning(epochs=10, batch_size=16, warm_up=5, encoder_learning_rate=5e-3, head_learning_rate=5e-2)
    varied = []

    def vary(text, chooser):
        varied.append(text)
        return text

    model = fine_tune(encoder, tokenizer, TEXTS, NUMBERS, vary, settings, lambda *each: steps.append(each))
    assert steps[-1][:2] == (80, 80) and steps[-1][2] < steps[0][2] and len(varied) == 10 * len(TEXTS)
    scores = encoder_scores(model, tokenizer, ["bread", "trout", "we are proud of our rolls bread bread bread"])
    assert scores.argmax(axis=1).tolist() == [0, 1, 0]
    assert np.allclose(encoder_scores(model, tokenizer, ["trout"])[0], scores[1], atol=0.1), "computed in bfloat16"
