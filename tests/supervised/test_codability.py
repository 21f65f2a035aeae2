"""Whether a text can be coded: what the shipped model makes of texts that name no activity."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from funathon.cli import app
from funathon.corpus.not_codable import read_not_codable
from funathon.errors import FunathonError
from funathon.paths import FIELD_TEST, NOT_CODABLE, PRETRAINED
from funathon.supervised.codability import FALSE_ALARMS, FILE, doubts, load_codability
from funathon.supervised.predicting import DOUBTFUL, load_coder
from funathon.supervised.pretrained import write_manifest


@pytest.fixture(scope="module")
def coder():
    return load_coder(str(PRETRAINED))


def test_texts_without_an_activity_are_recognised_and_few_others(coder):
    recognised = doubts(coder.model, coder.codability, read_not_codable(NOT_CODABLE)["text"]).mean()
    alarms = doubts(coder.model, coder.codability, pl.read_parquet(FIELD_TEST)["label"]).mean()
    assert recognised > 0.5 and alarms < 3 * FALSE_ALARMS


def test_a_doubtful_text_keeps_its_candidates_has_a_reason_and_goes_to_a_person(coder, tmp_path):
    doubtful, sure = "various activities permitted by law", "dairy farm, milking 80 cows"
    first, second = coder.predict([doubtful, sure])
    assert first.reason == DOUBTFUL and len(first.candidates) == 5 and first.codable < coder.codability.bound
    assert second.reason is None and second.codable > coder.codability.bound
    table = coder.table(pl.Series([doubtful, sure, "n/a"]))
    assert table["code"].is_null().to_list() == [False, False, True]
    assert table["codable"].is_null().to_list() == [False, False, True]
    (tmp_path / "register.csv").write_text(f"label\n{doubtful}\n{sure}\n")
    result = CliRunner().invoke(
        app, ["code", str(tmp_path / "register.csv"), "-o", str(tmp_path / "out.csv"), "--threshold", "0"]
    )
    assert result.exit_code == 0, result.output
    assert pl.read_csv(tmp_path / "out.csv")["review"].to_list() == [True, False]


def test_the_score_of_a_text_does_not_hang_on_its_neighbours(coder):
    texts = ["bakery", "services", "who we are and since when", "taxi driver"]
    together = coder.table(pl.Series(texts))["codable"].to_numpy()
    alone = np.array([coder.table(pl.Series([text]))["codable"][0] for text in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_evaluate_measures_texts_that_cannot_be_coded(coder):
    command = ["evaluate", str(NOT_CODABLE), "--not-codable", "--label", "text", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    texts = read_not_codable(NOT_CODABLE)["text"]
    assert found["n"] == len(texts)
    assert found["recognised"] == pytest.approx(doubts(coder.model, coder.codability, texts).mean(), abs=0.005)


def test_a_model_without_it_is_refused(tmp_path):
    (tmp_path / "metadata.pkl").write_bytes(b"")
    write_manifest(tmp_path, {"data": {"n_train": 1}, "settings": {}})
    with pytest.raises(FunathonError, match=FILE):
        load_codability(str(tmp_path))
