"""What several tests share."""

import os
import tempfile

import pytest

from funathon.paths import CACHE

os.environ.setdefault("MPLBACKEND", "Agg")
# the embedded endpoint of the tests, and of the kernels they start, is not the one that open notebooks use, nor that of another
# run of the tests or of another worker of this one: each stops its own when it ends
(CACHE / "tests").mkdir(parents=True, exist_ok=True)
OWN_CACHE = tempfile.TemporaryDirectory(dir=CACHE / "tests", ignore_cleanup_errors=True)
os.environ["XDG_CACHE_HOME"] = OWN_CACHE.name


def pytest_sessionfinish():
    from funathon.endpoint.server import stop_server

    stop_server()
    OWN_CACHE.cleanup()


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
