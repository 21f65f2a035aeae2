"""The MLflow run of a training: what MLflow will not take is told before the training, and costs no trained model after it."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from funathon.errors import FunathonError, without_secrets

# MLflow's stores, their databases and their libraries for files each raise errors of their own, hence `except Exception` here


@contextlib.contextmanager
def recorded_run(experiment: str, name: str, parameters: dict) -> Iterator[None]:
    """An MLflow run with its parameters; FAILED when the block raises.

    One of everything that is logged after a training is logged before: a deleted experiment, a right to read only, a server
    without models of their own (MLflow 2), a store of files whose library (boto3 for S3) or credentials are missing show
    before anybody has waited.

    Raises FunathonError for these.
    """
    try:
        begin(experiment, name, parameters)
    except Exception as error:
        mlflow_end("FAILED")
        raise refusal(error, experiment) from None
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        mlflow_end(status)


def begin(experiment: str, name: str, parameters: dict) -> None:
    """Begin a run and log its parameters and a small file."""
    found = mlflow.set_experiment(experiment)
    MlflowClient().search_logged_models([found.experiment_id], max_results=1)
    mlflow.start_run(run_name=name)
    mlflow.log_params(parameters)
    mlflow.log_text("The training has begun; the model follows when it has ended.\n", "begun.txt")


def mlflow_end(status: str) -> None:
    """End the active run, if there is one; a server that has gone away leaves a warning."""
    try:
        mlflow.end_run(status)
    except Exception as error:
        logging.getLogger(__name__).warning("MLflow did not take the end of the run: %s", first_line(error))


@contextlib.contextmanager
def told_after(out: Path) -> Iterator[None]:
    """Log what a training has made; when that fails, raise FunathonError that says where the model is."""
    try:
        yield
    except Exception as error:
        raise FunathonError(
            f"The model is trained and lies in {out}, but MLflow did not take it ({first_line(error)}).",
            "Check MLflow with `uv run funathon doctor`; the model needs no training again.",
        ) from None


def refusal(error: Exception, experiment: str) -> FunathonError:
    """Why MLflow does not take a run, and the cure."""
    text = str(error)
    if "deleted" in text:
        return FunathonError(
            f"The MLflow experiment {experiment} is deleted.",
            "Restore it in MLflow's list of deleted experiments, or with `uv run mlflow experiments restore`.",
        )
    if "logged-models" in text:
        return FunathonError("The MLflow server keeps no models by themselves: it is too old.", "Use MLflow 3 on the server.")
    if isinstance(error, ImportError):
        return FunathonError(
            f"The place where MLflow keeps files needs a library that is not installed ({first_line(error)}).",
            f"Run `uv pip install {error.name or 'boto3'}`, or let the server pass files on (--serve-artifacts).",
        )
    return FunathonError(f"MLflow does not take the run: {first_line(error)}.", "Check it with `uv run funathon doctor`.")


def first_line(error: Exception) -> str:
    """The first line of an error, without the point at its end and without secrets."""
    lines = without_secrets(str(error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
