"""`funathon train`: a model of few labels, written whole, verified and loaded again."""

import mlflow
import polars as pl
import pytest

from funathon.errors import FunathonError
from funathon.labels import read_labels
from funathon.pretrained import load_model, read_manifest
from funathon.splitting import split_labels
from funathon.training import EXPERIMENT, Settings, train


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Twelve labels of each of forty classes."""
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    few = read_labels().filter(pl.col("code").str.starts_with("10") | pl.col("code").str.starts_with("49"))
    few.group_by("code", maintain_order=True).head(12).select("code", "label").write_csv(path)
    return path


def test_a_model_is_trained_written_and_logged(labels, tmp_path, monkeypatch):
    from funathon.settings import LOCAL_MLFLOW

    mlflow.set_tracking_uri(LOCAL_MLFLOW)
    out = tmp_path / "model"
    train(out, str(labels), Settings(epochs=1))
    manifest = read_manifest(str(out))
    n = len(pl.read_csv(labels))
    assert manifest.n_train == round(0.7 * n)
    assert manifest.training_seconds > 0
    assert manifest.settings["epochs"] == 1
    model = load_model(str(out))
    assert len(model.value_encoder.label_encoder.classes_) == len(set(pl.read_csv(labels, infer_schema=False)["code"]))
    assert "## Figures" in (out / "MODEL_CARD.md").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing half-written is left beside the model"
    run = mlflow.search_runs(experiment_names=[EXPERIMENT]).iloc[0]
    assert run["params.epochs"] == "1"


def test_only_a_model_or_nothing_is_replaced(labels, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "folder", tmp_path):
        with pytest.raises(FunathonError, match="is no model"):
            train(out, str(labels))
    assert (tmp_path / "folder" / "file").read_text() == "mine"


def test_a_class_with_too_few_labels_is_named():
    labels = pl.DataFrame({"code": ["01.11"] * 20 + ["01.12"] * 6, "label": [str(i) for i in range(26)]})
    with pytest.raises(FunathonError, match=r"The class 01\.12 has 6 labels, too few"):
        split_labels(labels)
    more = pl.DataFrame({"code": ["01.11"] * 20 + ["01.12"] * 7, "label": [str(i) for i in range(27)]})
    assert set(split_labels(more).y_test) == {"01.11", "01.12"}
