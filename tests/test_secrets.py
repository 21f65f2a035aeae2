"""Secrets planted in `.env` come out nowhere: not in what commands print, nor in a notebook, whatever the services do."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nbformat
import pytest
from nbclient import NotebookClient
from servers import free_port

from funathon.settings import KNOWN

PLANTED = "pl4nted"
"""Part of every secret here."""

KEYS = {
    "LLMLAB_API_KEY": f"sk-{PLANTED}-llm",
    "QDRANT_API_KEY": f"{PLANTED}-qdrant",
    "MLFLOW_TRACKING_USERNAME": "somebody",
    "MLFLOW_TRACKING_PASSWORD": f"{PLANTED}-mlflow",
    "AWS_ACCESS_KEY_ID": f"{PLANTED}-access",
    "AWS_SECRET_ACCESS_KEY": f"{PLANTED}-secret",
    "AWS_SESSION_TOKEN": f"{PLANTED}-session",
    "EMBEDDING_MODEL": "a",
    "CHAT_MODEL": "b",
}


@contextlib.contextmanager
def echoing_server(status: int):
    """A server that answers with all that it has been asked, as careless ones do in their errors."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = json.dumps({"error": {"message": f"{self.path} {dict(self.headers)} {body!r}"}}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.send_header("Location", f"/elsewhere?key={PLANTED}")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(said)

        do_GET = do_POST = do_HEAD = do_PUT = answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def services_at(host: str) -> dict[str, str]:
    """Settings whose services are all at one address."""
    query = f"X-Amz-Signature={PLANTED}&X-Amz-Credential={PLANTED}"
    return KEYS | {
        "LABELS_URL": f"http://me:{PLANTED}@{host}/labels.parquet?{query}",
        "NACE_URL": f"http://{host}/nace.tsv?{query}",
        "PRETRAINED_URL": f"http://{host}/model?{query}",
        "AWS_S3_ENDPOINT": f"http://{host}",
        "MLFLOW_TRACKING_URI": f"http://me:{PLANTED}@{host}",
        "QDRANT_URL": f"http://{host}",
        "LLMLAB_URL": f"http://{host}/v1",
    }


BROKEN = {
    "a key of two lines": {"LLMLAB_API_KEY": f'"{PLANTED}-one\n{PLANTED}-two"', "LLMLAB_URL": "http://127.0.0.1:9/v1"},
    "a letter that no key has": {"QDRANT_API_KEY": f"{PLANTED}é", "QDRANT_URL": "http://127.0.0.1:9"},
    "a login in an address": {"LLMLAB_URL": f"http://me:{PLANTED}@127.0.0.1:9/v1"},
    "a query in an address": {"QDRANT_URL": f"http://127.0.0.1:9?key={PLANTED}"},
    "no address at all": {"LABELS_URL": f"http://me:{PLANTED}@[/x]", "MLFLOW_TRACKING_URI": f"http://me:{PLANTED}@[/x]"},
    "another kind of address": {
        "MLFLOW_TRACKING_URI": f"ftp://me:{PLANTED}@host",
        "LABELS_URL": f"weird://me:{PLANTED}@host/l.csv",
    },
}

USE_ENV = "import pathlib; from funathon import settings; settings.ENV_FILE = pathlib.Path({path!r})"


@pytest.fixture
def env(tmp_path):
    """A function that writes `.env` and returns the line of Python that makes a process read it."""

    def write(values: dict[str, str]) -> str:
        path = tmp_path / ".env"
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        return USE_ENV.format(path=str(path))

    return write


def command(use_env: str, *arguments: str) -> str:
    """All that a command prints."""
    code = f"{use_env}; import sys; sys.argv = ['funathon', *{arguments!r}]; from funathon.cli import app; app()"
    environment = {name: value for name, value in os.environ.items() if name not in KNOWN}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode, "every command here meets a service that fails"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


CELLS = [
    'from funathon.course.exercise import start\ncheck, hint, solution, catch_up = start("{chapter}")',
    # what chapters do, without a look at the services before
    'import os, fsspec\nwith fsspec.open(os.environ["LABELS_URL"], "rb") as file: file.read()',
    'import httpx\nhttpx.get(os.environ["NACE_URL"]).raise_for_status()',
    'from openai import OpenAI\nclient = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], max_retries=0)\n'
    "client.models.list()",
    'from qdrant_client import QdrantClient\nQdrantClient(url=os.environ["QDRANT_URL"], api_key=os.environ["QDRANT_API_KEY"], '
    "check_compatibility=False).get_collections()",
    "raise ValueError(f\"the key is {os.environ['LLMLAB_API_KEY']}\")",
]


def notebook(use_env: str, chapter: str) -> str:
    """A notebook in which every cell has failed."""
    cells = [use_env, *(cell.replace("{chapter}", chapter) for cell in CELLS)]
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    environment = {name: value for name, value in os.environ.items() if name not in KNOWN}
    NotebookClient(node, allow_errors=True, timeout=300, kernel_name="python3").execute(env=environment)
    for cell in node.cells[1:]:
        assert any(output.output_type == "error" or "Error:" in output.get("text", "") for output in cell.outputs), cell.source
    return nbformat.writes(node)


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 500])
def test_no_command_shows_what_a_careless_service_repeats(env, status, tmp_path):
    (tmp_path / "labels.csv").write_text("code,label\n10.71,bakery\n")
    with echoing_server(status) as host:
        use_env = env(services_at(host))
        for arguments in (
            ["doctor"],
            ["run", "1"],
            ["run", "6"],
            ["predict", "baker"],
            ["rag", "evaluate", str(tmp_path / "labels.csv")],
        ):
            assert PLANTED not in command(use_env, *arguments), arguments


@pytest.mark.slow
def test_no_command_shows_what_cannot_be_reached(env):
    use_env = env(services_at(f"127.0.0.1:{free_port()}"))
    for arguments in (["doctor"], ["run", "6"], ["predict", "baker"]):
        assert PLANTED not in command(use_env, *arguments), arguments


@pytest.mark.slow
@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN)
def test_no_command_shows_a_value_that_is_broken(env, values):
    use_env = env(KEYS | values)
    for arguments in (["doctor"], ["run", "6"]):
        assert PLANTED not in command(use_env, *arguments), arguments


@pytest.mark.slow
@pytest.mark.parametrize("status", [401, 500])
def test_no_notebook_shows_a_secret(env, status):
    with echoing_server(status) as host:
        assert PLANTED not in notebook(env(services_at(host)), "6-vector-database")
