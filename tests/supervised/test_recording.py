"""What MLflow will not take is told before a training, and costs no model after it."""

import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from servers import free_port, http_server

from funathon.errors import FunathonError
from funathon.supervised.recording import recorded_run, told_after

NAME = "a-training"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An MLflow store of this test's own."""
    before = mlflow.get_tracking_uri()
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    monkeypatch.chdir(tmp_path)
    yield MlflowClient(uri)
    mlflow.end_run()
    mlflow.set_tracking_uri(before)


def train() -> list[str]:
    """Begin to train; what has been done."""
    done = []
    with recorded_run(NAME, "run", {"epochs": 1}):
        done.append("trained")
    return done


def refused() -> FunathonError:
    """Why a training does not begin."""
    with pytest.raises(FunathonError) as caught, recorded_run(NAME, "run", {"epochs": 1}):
        pytest.fail("the training has begun")
    assert mlflow.active_run() is None
    return caught.value


def test_a_training_is_recorded(store, tmp_path):
    store.create_experiment(NAME, artifact_location=(tmp_path / "files").as_uri())
    assert train() == ["trained"]
    (run,) = store.search_runs([store.get_experiment_by_name(NAME).experiment_id])
    assert run.info.status == "FINISHED" and run.data.params == {"epochs": "1"}


def test_a_training_that_fails_says_so_itself(store, tmp_path):
    store.create_experiment(NAME, artifact_location=(tmp_path / "files").as_uri())
    with pytest.raises(ZeroDivisionError), recorded_run(NAME, "run", {}):
        1 / 0
    (run,) = store.search_runs([store.get_experiment_by_name(NAME).experiment_id])
    assert run.info.status == "FAILED"


def test_a_deleted_experiment(store):
    store.delete_experiment(store.create_experiment(NAME))
    error = refused()
    assert "deleted" in error.problem and NAME in error.problem and "estore" in error.cure


def test_files_on_s3_without_boto3(store, monkeypatch):
    store.create_experiment(NAME, artifact_location="s3://bucket/files")
    monkeypatch.setitem(sys.modules, "boto3", None)
    error = refused()
    assert "library" in error.problem and "boto3" in error.cure


def test_files_at_a_place_that_cannot_be_written(store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    store.create_experiment(NAME, artifact_location=(tmp_path / "file" / "files").as_uri())
    assert "does not take the run" in refused().problem


def test_a_server_that_knows_no_models_by_themselves(store, monkeypatch):
    experiment = b'{"experiment": {"experiment_id": "7", "name": "a-training", "lifecycle_stage": "active"}}'
    with http_server({"/api/2.0/mlflow/experiments/get-by-name": (200, experiment)}) as address:
        mlflow.set_tracking_uri(address)
        assert "too old" in refused().problem


def test_a_server_that_is_not_there(store, monkeypatch):
    for name, value in {"MAX_RETRIES": "0", "TIMEOUT": "2"}.items():
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
    mlflow.set_tracking_uri(f"http://me:pl4nted@127.0.0.1:{free_port()}")
    error = refused()
    assert "does not take the run" in error.problem and "pl4nted" not in str(error)


def test_after_the_training_the_model_is_named():
    with pytest.raises(FunathonError, match=r"trained and lies in /models/own.*\(the server is gone\)"):
        with told_after(Path("/models/own")):
            raise OSError("the server is gone")
