"""`funathon train`: a model of few labels, written whole, verified and loaded again."""

from dataclasses import asdict
from pathlib import Path

import mlflow
import polars as pl
import pytest

from funathon.corpus.splitting import split_labels
from funathon.errors import SECRETS, FunathonError
from funathon.supervised.distilling import Distilling
from funathon.supervised.predicting import load_coder
from funathon.supervised.pretrained import load_model, read_manifest
from funathon.supervised.training import EXPERIMENT, Settings, train

QUICK = Settings(readings=2, teachers=1, teaching=Distilling(epochs=1), distilling=Distilling(epochs=1))
NOMENCLATURE = """CODE\tHEADING\tPARENT_CODE\tLEVEL\tIncludes\tIncludesAlso\tExcludes
X\tTHINGS\t\t1\t\t\t
04\tThings to eat\tX\t2\t\t\t
04.1\tThings to eat\t04\t3\t\t\t
04.11\tBread\t04.1\t4\t- rolls\t\t
04.12\tFish\t04.1\t4\t- trout\\n- herrings\t\t
04.13\tCheese\t04.1\t4\t\t- curd\t
04.14\tWine\t04.1\t4\t\t\t
04.15\tHoney\t04.1\t4\t\t\t
04.16\tEggs\t04.1\t4\t\t\t
"""


@pytest.fixture
def labels(tmp_path, monkeypatch):
    """Twelve labels of each of the six classes of a nomenclature of somebody's own, which has no code of NACE."""
    monkeypatch.setenv("NACE_URL", str(tmp_path / "own.tsv"))
    (tmp_path / "own.tsv").write_text(NOMENCLATURE)
    words = {"04.11": "bread", "04.12": "trout", "04.13": "cheese", "04.14": "wine", "04.15": "honey", "04.16": "eggs"}
    rows = [(code, f"{word} of sort {number}, sold fresh") for code, word in words.items() for number in range(12)]
    path = tmp_path / "labels.csv"
    pl.DataFrame(rows, schema=["code", "label"], orient="row").write_csv(path)
    return path


@pytest.mark.slow
def test_a_model_is_trained_written_and_logged(labels, tmp_path, monkeypatch):
    from funathon.settings import LOCAL_MLFLOW

    for name in SECRETS:
        monkeypatch.setenv(name, "pl4nted-secret")

    mlflow.set_tracking_uri(LOCAL_MLFLOW)
    out = tmp_path / "models" / "own"
    train(out, str(labels), QUICK)
    manifest = read_manifest(str(out))
    assert manifest.n_train == 50
    assert manifest.training_seconds > 0
    assert manifest.settings["distilling"]["epochs"] == 1
    assert load_model(str(out)).value_encoder.label_encoder.classes_.tolist() == [f"04.1{n}" for n in range(1, 7)]
    card = (out / "MODEL_CARD.md").read_text()
    assert "into the 6 classes" in card and "## Figures" in card and "field test" not in card
    assert [path.name for path in out.parent.iterdir()] == ["own"], "nothing half-written is left beside the model"
    (best,) = load_coder(str(out)).predict(["fresh bread"])
    assert {candidate.title for candidate in best.candidates} < {"Bread", "Fish", "Cheese", "Wine", "Honey", "Eggs"}
    run = mlflow.search_runs(experiment_names=[EXPERIMENT]).iloc[0]
    assert run["params.distilling"] == str(asdict(QUICK.distilling))
    logged = Path(mlflow.artifacts.download_artifacts(f"models:/{mlflow.search_logged_models(output_format='list')[0].model_id}"))
    written = [path for folder in (logged, out) for path in folder.rglob("*") if path.is_file()]
    for file in [*written, Path(LOCAL_MLFLOW.removeprefix("sqlite:///"))]:
        assert b"pl4nted" not in file.read_bytes(), file


def test_a_model_outlives_a_server_that_fails_after_the_training(labels, tmp_path, monkeypatch):
    from funathon.settings import LOCAL_MLFLOW

    def fail(folder):
        raise ConnectionError("the server is gone")

    mlflow.set_tracking_uri(LOCAL_MLFLOW)
    monkeypatch.setattr("funathon.supervised.training.log_coder", fail)
    out = tmp_path / "own"
    with pytest.raises(FunathonError, match="the server is gone"):
        train(out, str(labels), QUICK)
    assert read_manifest(str(out)).n_train == 50


def test_only_a_model_or_nothing_is_replaced(labels, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "folder"):
        with pytest.raises(FunathonError, match="is no model"):
            train(out, str(labels))
    assert (tmp_path / "folder" / "file").read_text() == "mine"


def test_a_class_with_too_few_labels_is_named():
    labels = pl.DataFrame({"code": ["01.11"] * 20 + ["01.12"] * 6, "label": [str(i) for i in range(26)]})
    with pytest.raises(FunathonError, match=r"The class 01\.12 has 6 labels, too few"):
        split_labels(labels)
    more = pl.DataFrame({"code": ["01.11"] * 20 + ["01.12"] * 7, "label": [str(i) for i in range(27)]})
    assert set(split_labels(more).y_test) == {"01.11", "01.12"}
