"""Coding a few texts: candidates, words that decided, and texts that are none."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from funathon.cli import app
from funathon.corpus.blanks import EMPTY, NO_LABEL, NOTHING
from funathon.corpus.nomenclature import read_nomenclature
from funathon.errors import FunathonError
from funathon.paths import PRETRAINED
from funathon.supervised.classifier import batches, scores
from funathon.supervised.columns import CODE_COLUMNS
from funathon.supervised.predicting import UNREADABLE, Coder, load_coder

TEXT = "hand-made pretzels and rye loaves, sold from a van at farmers' markets"


@pytest.fixture(scope="module")
def coder():
    return load_coder(str(PRETRAINED))


def test_five_candidates_with_titles_and_confidences_that_are_not_rounded(coder):
    (prediction,) = coder.predict(["dairy farm, milking 80 cows"])
    titles = dict(read_nomenclature().select("code", "heading").iter_rows())
    assert prediction.candidates[0].code == "01.41"
    assert [candidate.title for candidate in prediction.candidates] == [titles[c.code] for c in prediction.candidates]
    values = [candidate.confidence for candidate in prediction.candidates]
    assert len(values) == 5 and values == sorted(values, reverse=True) and sum(values) <= 1
    assert any(abs(value - round(value, 2)) > 1e-4 for value in values)


def test_words_are_whole_and_in_the_order_of_the_text(coder):
    pieces = [e.tokens for batch in batches(coder.model, ["bread zwiebackery"]) for e in batch.encodings]
    assert any(token.startswith("##") for token in pieces[0]), "the second word is to fall into pieces here"
    (prediction,) = coder.predict(["bread zwiebackery"])
    assert [word.word for word in prediction.words] == ["bread", "zwiebackery"]
    (prediction,) = coder.predict([TEXT])
    strongest = max(prediction.words, key=lambda word: word.contribution)
    assert strongest.word in ("pretzels", "loaves", "rye")
    assert "," not in [word.word for word in prediction.words]


def test_contributions_of_tokens_add_up_to_the_score(coder):
    network = coder.model.pytorch_model
    (batch,) = batches(coder.model, [TEXT])
    target = int(batch.scores[0].argmax())
    with torch.no_grad():
        bias = network.bias.mean(dim=0)
        expected = (batch.scores[0] - bias)[target] - (batch.scores[0] - bias).mean()
    assert network.shares(batch.tokens, target).sum().item() == pytest.approx(expected.item(), abs=1e-3)


def test_the_quick_scores_are_those_of_the_network(coder):
    texts = ["wheat farm", "", TEXT, "bread " * 100]
    tokenized = coder.model.tokenizer.tokenize(texts)
    with torch.no_grad():
        slow = coder.model.pytorch_model(tokenized.input_ids, tokenized.attention_mask)
    np.testing.assert_allclose(scores(coder.model, texts), slow.numpy(), atol=1e-3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, NO_LABEL),
        ("", EMPTY),
        ("  \t\n", EMPTY),
        ("unknown", NOTHING),
        ("None", NOTHING),
        ("tbd", NOTHING),
        ("NA", NOTHING),
        ("n/a", NOTHING),
        ("see above", NOTHING),
        ("true", NOTHING),
        ("-", UNREADABLE),
        ("🍞🥖", UNREADABLE),
        ("パン屋", UNREADABLE),
        ("булочная", UNREADABLE),
        ("?!… --- ((", UNREADABLE),
        ("12345 67", UNREADABLE),
        ("\x00\x00", UNREADABLE),
    ],
)
def test_texts_that_cannot_be_coded_say_why(coder, text, reason):
    (prediction,) = coder.predict([text])
    assert (prediction.reason, prediction.candidates, prediction.words) == (reason, [], [])
    row = coder.table(pl.Series([text], dtype=pl.String)).row(0, named=True)
    assert row.pop("reason") == reason
    assert set(row.values()) == {None}


@pytest.mark.parametrize("text", ["bread\x00 shop", "🍞 bread shop", "bread shop \ud83c", "BREAD SHOP 24/7", "パン bread shop"])
def test_strange_texts_with_words_in_them_are_coded(coder, text):
    (prediction,) = coder.predict([text])
    assert prediction.candidates[0].code in ("10.71", "47.24")
    assert not prediction.cut


def test_endless_texts_are_coded_by_their_beginning(coder):
    beginning, endless, enormous = coder.predict(["bakery " * 38, "bakery " * 1429, "bakery " * 1_000_000])
    assert endless.cut and enormous.cut and not beginning.cut
    for prediction in (endless, enormous):
        assert [c.code for c in prediction.candidates] == [c.code for c in beginning.candidates]
    (short,) = coder.predict(["bakery"])
    assert not short.cut


def test_a_table_of_no_labels_has_all_columns(coder):
    table = coder.table(pl.Series([], dtype=pl.String))
    assert table.columns == list(CODE_COLUMNS) and len(table) == 0
    assert table.schema == coder.table(pl.Series(["bakery"])).schema


def test_a_nomenclature_without_a_class_of_the_model_is_refused(coder):
    with pytest.raises(FunathonError, match=r"no class 01\.11"):
        Coder(coder.model, coder.codability, {})


def test_predict_on_the_terminal():
    result = CliRunner().invoke(app, ["predict", TEXT, "", "[red]taxi driver"])
    assert result.exit_code == 0, result.output
    assert "words that decided: " in result.output
    assert "no code: empty label" in result.output
    assert "'[red]taxi driver'" in result.output


def test_predict_as_json():
    result = CliRunner().invoke(app, ["predict", "--json", "dental practice", "🍞", "\udcff bread"])
    assert result.exit_code == 0, result.output
    first, second, third = json.loads(result.stdout)
    assert first["text"] == "dental practice"
    assert first["candidates"][0].keys() == {"code", "title", "confidence"}
    assert first["candidates"][0]["code"] == "86.23" and len(first["candidates"]) == 5
    assert {word["word"] for word in first["words"]} == {"dental", "practice"}
    assert second["candidates"] == [] and second["reason"] == UNREADABLE
    assert third["candidates"]
