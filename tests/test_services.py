"""The checks behind `funathon doctor`, against servers on localhost that answer, refuse, break or stay silent."""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import mlflow
import pytest
from qdrant_client import QdrantClient
from rich.console import Console
from servers import free_port, http_server

from funathon import asking, services
from funathon.doctor import examine_service, report
from funathon.errors import FunathonError
from funathon.paths import CHAPTERS
from funathon.settings import KNOWN, load_settings

SERVICES = {service.name: service for service in services.SERVICES}
MODELS = json.dumps({"data": [{"id": "a"}, {"id": "b"}]}).encode()
VECTOR = json.dumps({"data": [{"embedding": [0.6, 0.8]}]}).encode()
NO_COLLECTION = {"/collections/funathon-doctor/points/query": (404, b'{"status": {"error": "Not found"}}')}
"""What a Qdrant that has the query API answers."""


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    # set by the test, so that what load_settings puts into the environment is taken out again
    for name in KNOWN:
        monkeypatch.setenv(name, "")
    load_settings()


@pytest.mark.parametrize("name", SERVICES)
def test_embedded_defaults_work(name):
    finding = examine_service(SERVICES[name])
    assert finding.state == "ok", finding
    assert finding.found.startswith("embedded")


def llm(monkeypatch, url):
    monkeypatch.setenv("LLMLAB_URL", url)
    monkeypatch.setenv("LLMLAB_API_KEY", "the-key")
    monkeypatch.setenv("EMBEDDING_MODEL", "a")
    monkeypatch.setenv("CHAT_MODEL", "b")


def test_where_texts_go_names_hosts_and_no_secrets(monkeypatch):
    assert services.where_texts_go() == "", "the embedded endpoint runs on this machine"
    llm(monkeypatch, "https://user:secret-word@llm.example.org:8443/v1?token=secret-token")
    assert services.where_texts_go() == (
        "Part 2 sends texts and prompts to llm.example.org (LLMLAB_URL): give it only texts that may be read there."
    )
    monkeypatch.setenv("QDRANT_URL", "https://vectors.example.org")
    assert "llm.example.org (LLMLAB_URL) and vectors to vectors.example.org (QDRANT_URL)" in services.where_texts_go()
    monkeypatch.setenv("LLMLAB_URL", "nonsense")
    with pytest.raises(FunathonError, match="LLMLAB_URL is not a web address"):
        services.where_texts_go()


def test_a_service_that_answers(monkeypatch):
    def models(headers):
        return (200, MODELS) if headers["Authorization"] == "Bearer the-key" else (401, b"")

    with http_server({"/v1/models": models, "/v1/embeddings": (200, VECTOR)}) as address:
        llm(monkeypatch, f"{address}/v1")
        finding = examine_service(SERVICES["embeddings and chat"])
        assert (finding.state, finding.found) == ("ok", ".env: answers, 2 models")
        monkeypatch.setenv("LLMLAB_API_KEY", "another-key")
        finding = examine_service(SERVICES["embeddings and chat"])
        assert finding.failed and "LLMLAB_API_KEY" in finding.cure
        assert "another-key" not in repr(finding)
        llm(monkeypatch, address)  # without /v1
        finding = examine_service(SERVICES["embeddings and chat"])
        assert finding.failed and "/v1" in finding.cure


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((500, b""), "error (500)"),
        ((403, b""), "refuses"),
        ((302, b""), "leads elsewhere"),
        ((200, b"<html>log in</html>"), "web page"),
        ((200, b'{"models": []}'), "another service"),
        ((200, b"[]"), "another service"),
        ((None, b""), "in time"),
    ],
)
def test_a_service_that_does_not(monkeypatch, answer, problem):
    monkeypatch.setattr(services, "TIMEOUT", httpx.Timeout(1))
    with http_server({"/v1/models": answer}) as address:
        llm(monkeypatch, f"{address}/v1")
        finding = examine_service(SERVICES["embeddings and chat"])
    assert finding.failed and problem in finding.found


@pytest.mark.parametrize("variable", ["EMBEDDING_MODEL", "CHAT_MODEL"])
def test_an_endpoint_without_the_name_of_a_model(monkeypatch, variable):
    with http_server({"/v1/models": (200, MODELS)}) as address:
        llm(monkeypatch, f"{address}/v1")
        monkeypatch.setenv(variable, "")
        finding = examine_service(SERVICES["embeddings and chat"])
    assert finding.failed and variable in finding.found
    assert finding.cure == "The endpoint has a, b."


def test_an_embedding_model_that_the_endpoint_does_not_have(monkeypatch):
    with http_server({"/v1/models": (200, MODELS)}) as address:
        llm(monkeypatch, f"{address}/v1")
        finding = examine_service(SERVICES["embeddings and chat"])
    assert finding.failed and "EMBEDDING_MODEL" in finding.cure and "a, b" in finding.cure


def test_a_closed_port(monkeypatch):
    llm(monkeypatch, f"http://127.0.0.1:{free_port()}/v1")
    assert "cannot be reached" in examine_service(SERVICES["embeddings and chat"]).found


def test_qdrant(monkeypatch):
    answer = json.dumps({"result": {"collections": [{"name": "x"}]}}).encode()

    def collections(headers):
        return (200, answer) if headers["api-key"] == "k" else (403, b"")

    with http_server({"/collections": collections} | NO_COLLECTION) as address:
        base, _, port = address.rpartition(":")
        monkeypatch.setenv("QDRANT_URL", base)
        monkeypatch.setenv("QDRANT_API_PORT", port)
        monkeypatch.setenv("QDRANT_API_KEY", "k")
        assert examine_service(SERVICES["vector database"]).found == ".env: answers, 1 collections"
        monkeypatch.setenv("QDRANT_API_KEY", "no")
        assert "QDRANT_API_KEY" in examine_service(SERVICES["vector database"]).cure


def test_the_local_qdrant_says_which_part_is_open(monkeypatch, tmp_path):
    monkeypatch.setenv("QDRANT_PATH", str(tmp_path / "qdrant"))
    assert examine_service(SERVICES["vector database"]).found == f"embedded: local mode in {tmp_path}/qdrant, not in use"
    client = QdrantClient(path=f"{tmp_path}/qdrant/chapter-6")
    assert "chapter-6 open in a notebook" in examine_service(SERVICES["vector database"]).found
    client.close()
    assert "not in use" in examine_service(SERVICES["vector database"]).found


def test_a_local_qdrant_that_is_no_folder(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QDRANT_PATH", str(tmp_path / "file"))
    finding = examine_service(SERVICES["vector database"])
    assert finding.failed and "QDRANT_PATH" in finding.cure


@pytest.mark.parametrize("uri", ["file:mlruns", "mlruns"])
def test_a_store_that_mlflow_no_longer_takes(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert "no longer takes" in examine_service(SERVICES["MLflow"]).found


def test_broken_settings_are_refused_before_any_chapter_runs(monkeypatch):
    monkeypatch.setenv("LABELS_URL", "/nowhere/labels.parquet")
    with pytest.raises(FunathonError, match=r"/nowhere/labels\.parquet"):
        services.refuse_broken_settings([CHAPTERS / "1-data.py"])


def test_a_service_that_no_chapter_at_hand_needs_is_not_asked(monkeypatch, tmp_path):
    llm(monkeypatch, f"http://127.0.0.1:{free_port()}/v1")
    services.refuse_broken_settings([CHAPTERS / "1-data.py"])
    chapter = tmp_path / "7-generation.py"
    chapter.write_text('client = OpenAI(base_url=os.environ["LLMLAB_URL"])\n')
    with pytest.raises(FunathonError, match="LLMLAB_URL cannot be reached"):
        services.refuse_broken_settings([CHAPTERS / "1-data.py", chapter])


@pytest.mark.slow
def test_a_real_mlflow_server_with_credentials(monkeypatch, tmp_path):
    port = free_port()
    password = "a-password-of-length-20"
    (tmp_path / "auth.ini").write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{tmp_path}/auth.db\nadmin_username = admin\nadmin_password = {password}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    environment = os.environ | {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret for the test",
        "MLFLOW_AUTH_CONFIG_PATH": str(tmp_path / "auth.ini"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db", "--artifacts-destination", str(tmp_path / "artifacts")]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        for _ in range(90):
            finding = examine_service(SERVICES["MLflow"])
            if not finding.failed or server.poll() is not None:
                break
            time.sleep(1)
        assert finding.found == ".env: answers", (finding, (tmp_path / "log").read_text()[-2000:])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong-password-of-length-30")
        finding = examine_service(SERVICES["MLflow"])
        assert finding.failed and "MLFLOW_TRACKING_PASSWORD" in finding.cure
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((200, b"<html>log in</html>"), "web page"),
        ((302, b""), "leads elsewhere"),
        ((200, b"[]"), "another service"),
        ((200, b'{"foo": [1]}'), "another service"),
        ((200, b'{"experiments": 1}'), "another service"),
        ((403, b"Invalid Host header - possible DNS rebinding attack detected"), "does not answer to this name"),
    ],
)
def test_what_is_no_mlflow_server(monkeypatch, answer, problem):
    with http_server({"/api/2.0/mlflow/experiments/search": answer}) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        finding = examine_service(SERVICES["MLflow"])
    assert finding.failed and problem in finding.found


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("localhost:5050", "https://host"),
        ("mlflow.example.org", "https://host"),
        ("http://[/x]", "https://host"),
        ("https://", "https://host"),
        ("ftp://host", "https://host"),
    ],
)
def test_what_is_no_address_of_mlflow(monkeypatch, uri, words):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    finding = examine_service(SERVICES["MLflow"])
    assert finding.failed and words in finding.cure and "MLFLOW_TRACKING_URI" in finding.found


def test_an_empty_mlflow_server_is_one(monkeypatch):
    with http_server({"/api/2.0/mlflow/experiments/search": (200, b"{}")}) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert examine_service(SERVICES["MLflow"]).found == ".env: answers"


@pytest.mark.slow
def test_a_local_store_of_another_version_or_none_at_all(monkeypatch, tmp_path):
    store = tmp_path / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    assert examine_service(SERVICES["MLflow"]).state == "ok" and not store.exists(), "looking makes no store"
    store.write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    assert "cannot be read" in examine_service(SERVICES["MLflow"]).found
    # another file, since MLflow keeps its connection to the first
    store = tmp_path / "another.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    mlflow.MlflowClient(f"sqlite:///{store}").search_experiments()
    assert examine_service(SERVICES["MLflow"]).state == "ok"
    # and what it has found out about the second
    store = Path(shutil.copy(store, tmp_path / "older.db"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
        database.commit()
    finding = examine_service(SERVICES["MLflow"])
    assert finding.failed and "another version of MLflow" in finding.found and "mlflow db upgrade" in finding.cure


def test_a_qdrant_without_the_query_api(monkeypatch):
    with http_server({"/collections": (200, b'{"result": {"collections": []}}')}) as address:
        monkeypatch.setenv("QDRANT_URL", address)
        finding = examine_service(SERVICES["vector database"])
    assert finding.failed and "no query API" in finding.found and "1.10" in finding.found


def test_an_endpoint_that_does_not_list_its_models(monkeypatch):
    with http_server({"/v1/embeddings": (200, VECTOR)}) as address:
        llm(monkeypatch, f"{address}/v1")
        assert examine_service(SERVICES["embeddings and chat"]).found == ".env: answers, and does not list its models"
        monkeypatch.setenv("CHAT_MODEL", "")
        assert "CHAT_MODEL" in examine_service(SERVICES["embeddings and chat"]).found


def test_a_service_that_drips_is_given_up(monkeypatch):
    """Each byte comes in time, the whole never does."""
    monkeypatch.setattr(asking, "LIMIT", 1)
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while not stop.wait(0.1):
                connection.sendall(b"H")

    threading.Thread(target=drip, daemon=True).start()
    llm(monkeypatch, f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    finding = examine_service(SERVICES["embeddings and chat"])
    stop.set()
    listener.close()
    assert finding.failed and "in time" in finding.found


@pytest.mark.parametrize("key", ["abcdefgh\nijklmnop", "abcdefgh é", "a bcdefgh"])
@pytest.mark.parametrize(
    ("service", "url", "variable"),
    [("embeddings and chat", "LLMLAB_URL", "LLMLAB_API_KEY"), ("vector database", "QDRANT_URL", "QDRANT_API_KEY")],
)
def test_a_key_that_cannot_be_sent(monkeypatch, key, service, url, variable):
    llm(monkeypatch, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(url, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(variable, key)
    finding = examine_service(SERVICES[service])
    assert finding.failed and variable in finding.found and "abcdefgh" not in repr(finding)


def test_brackets_in_an_address_are_no_markup(monkeypatch):
    monkeypatch.setenv("LABELS_URL", "/nowhere/[/x]/[bold]labels.parquet")
    console = Console(width=300, file=io.StringIO())
    console.print(report([examine_service(SERVICES["labels"])]))
    assert "[/x]/[bold]labels.parquet" in console.file.getvalue()


def test_the_port_of_the_vector_database(monkeypatch):
    with http_server({"/collections": (200, b'{"result": {"collections": []}}')} | NO_COLLECTION) as address:
        monkeypatch.setenv("QDRANT_URL", address)
        monkeypatch.setenv("QDRANT_API_PORT", "1")  # the port in the address counts
        assert examine_service(SERVICES["vector database"]).found == ".env: answers, 0 collections"
        host, port = address.rsplit(":", 1)
        monkeypatch.setenv("QDRANT_URL", host)
        monkeypatch.setenv("QDRANT_API_PORT", port)
        assert examine_service(SERVICES["vector database"]).found == ".env: answers, 0 collections"
    monkeypatch.setenv("QDRANT_API_PORT", "abc")
    finding = examine_service(SERVICES["vector database"])
    assert finding.failed and "QDRANT_API_PORT is not the number" in finding.found
