"""An earlier training is found by its name and by what it was trained on."""

import shutil
from pathlib import Path

import mlflow
import pytest

from funathon.supervised.runs import newest_run


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An MLflow store of its own with the experiment `trials`."""
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment("trials")
    yield tmp_path
    mlflow.set_tracking_uri(before)


def trained(name="a", accuracy=0.5, model=None, status="FINISHED", **params) -> str:
    run = mlflow.start_run(run_name=name)
    mlflow.log_params(params)
    if accuracy is not None:
        mlflow.log_metric("val_accuracy", accuracy)
    if model:
        mlflow.log_text(model, "model/weights.txt")
    mlflow.end_run(status)
    return run.info.run_id


def test_the_newest_run_that_fits_is_found():
    trained(data="x")
    newest = trained(data="x")
    trained(data="y")
    trained(data="x", status="FAILED")
    trained("b", data="x")
    assert newest_run("trials", "a", data="x") == newest
    unmeasured = trained(data="x", accuracy=None)
    assert newest_run("trials", "a", data="x") == unmeasured
    assert newest_run("trials", "a", data="x", least_accuracy=0) == newest
    assert newest_run("trials", "a", data="z") is None
    assert newest_run("trials", "a", data="x", least_accuracy=0.6) is None
    assert newest_run("never made", "a") is None


def test_a_run_whose_model_is_gone_is_passed_over(store):
    kept = trained(model="weights")
    gone = trained(model="weights")
    trained()
    assert newest_run("trials", "a", with_model=True) == gone
    shutil.rmtree(Path(mlflow.get_run(gone).info.artifact_uri) / "model")
    assert newest_run("trials", "a", with_model=True) == kept
