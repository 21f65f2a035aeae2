"""What several tests share."""

import os

import pytest

from funathon.paths import CACHE

os.environ.setdefault("MPLBACKEND", "Agg")
# the embedded endpoint of the tests, and of the kernels they start, is not the one that open notebooks use
os.environ["XDG_CACHE_HOME"] = str(CACHE / "tests")


def pytest_sessionfinish():
    from funathon.endpoint.server import stop_server

    stop_server()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path_factory):
    """No test sees the `.env` of this checkout, nor writes to its MLflow store."""
    from funathon import settings

    for name in settings.KNOWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path_factory.getbasetemp() / "no.env")
    store = tmp_path_factory.getbasetemp() / "mlflow.db"
    monkeypatch.setattr(settings, "LOCAL_MLFLOW", f"sqlite:///{store}")
    monkeypatch.setitem(settings.DEFAULTS, "MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    monkeypatch.delenv(settings.MLFLOW_FILES, raising=False)
    monkeypatch.setitem(settings.DEFAULTS, settings.MLFLOW_FILES, str(store.with_name("mlruns")))
