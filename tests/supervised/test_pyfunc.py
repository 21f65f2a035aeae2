"""The model in MLflow: logged, loaded, served, and refused when it was tampered with."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import mlflow
import pandas as pd
import pytest
from servers import free_port

from funathon.errors import FunathonError
from funathon.paths import PRETRAINED
from funathon.supervised.pyfunc import log_coder


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The folder of a logged model."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = mlflow.create_experiment("pyfunc", artifact_location=(folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        info = log_coder(PRETRAINED)
    path = Path(mlflow.artifacts.download_artifacts(info.model_uri, dst_path=str(folder / "model")))
    mlflow.set_tracking_uri(before)
    return path


def test_a_loaded_model_codes_texts(logged):
    model = mlflow.pyfunc.load_model(str(logged))
    answer = model.predict(pd.DataFrame({"label": ["taxi driver", None, ""]}))
    assert answer["code"][0] == "49.33" and answer["title"][0]
    assert 0 < answer["confidence"][0] <= 1 and len(f"{answer['confidence_2'][0]:.9f}".rstrip("0")) > 4
    assert answer["reason"].tolist()[1:] == ["no label", "empty label"]
    assert answer["code"].isna().tolist() == [False, True, True]


def test_the_signature_and_the_example_are_there(logged):
    info = mlflow.models.Model.load(str(logged))
    assert info.signature.inputs.input_names() == ["label"]
    assert {"code", "title", "confidence", "reason"} <= set(info.signature.outputs.input_names())
    assert (logged / info.saved_input_example_info["artifact_path"]).is_file()


def test_a_tampered_artifact_is_refused_by_name(logged, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(logged, copy)
    (tokenizer,) = copy.rglob("tokenizer.pkl")
    tokenizer.write_bytes(b"no pickle")
    with pytest.raises(FunathonError, match=r"tokenizer\.pkl"):
        mlflow.pyfunc.load_model(str(copy))


@pytest.mark.slow
def test_mlflow_models_serve_answers(logged, tmp_path):
    port = free_port()
    log = tmp_path / "serve.log"
    command = ["mlflow", "models", "serve", "-m", str(logged), "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
    # MLflow looks for uvicorn on the path, where `uv run` puts the environment's folder
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=file, stderr=file, cwd=tmp_path, env=environment, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not answers(address):
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
        content = json.dumps({"dataframe_records": [{"label": "taxi driver"}, {"label": ""}]})
        response = httpx.post(
            f"{address}/invocations", content=content, headers={"Content-Type": "application/json"}, timeout=120
        )
        assert response.status_code == 200, response.text
        first, second = response.json()["predictions"]
        assert first["code"] == "49.33" and first["confidence"] > 0.1
        assert second["code"] is None and second["reason"] == "empty label"
    finally:
        # the server started others
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def answers(address):
    """Whether the server is up."""
    try:
        return httpx.get(f"{address}/ping", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
