"""Finding, starting and stopping the embedded endpoint."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from openai import OpenAI
from servers import free_port, http_server
from typer.testing import CliRunner

from funathon.cli import app
from funathon.endpoint import server as endpoint
from funathon.errors import FunathonError
from funathon.settings import EMBEDDED, KNOWN, is_configured


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder in which no server is written down."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in (*KNOWN, "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    yield tmp_path
    endpoint.stop_server()


PRINT_URL = "from funathon.endpoint.server import ensure_endpoint; ensure_endpoint(); import os; print(os.environ['LLMLAB_URL'])"


def test_two_notebooks_at_once_share_one_server_which_is_found_again_and_stopped(cache, monkeypatch):
    notebooks = [subprocess.Popen([sys.executable, "-c", PRINT_URL], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    urls = {notebook.communicate()[0].strip() for notebook in notebooks}
    assert len(urls) == 1
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    endpoint.ensure_endpoint()
    assert {os.environ["LLMLAB_URL"]} == urls
    assert not is_configured("LLMLAB_URL")
    client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], max_retries=0)
    assert len(client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input="bakery").data[0].embedding) == 384
    result = CliRunner().invoke(app, ["llm"])
    assert "runs already" in result.output and urls.pop().split(":")[2].split("/")[0] in result.output
    server = endpoint.find_server()
    assert "Stopped" in CliRunner().invoke(app, ["llm", "--stop"]).output
    assert endpoint.find_server() is None and endpoint.ask_health(server.port) is None
    assert "No embedded endpoint runs" in CliRunner().invoke(app, ["llm", "--stop"]).output


def test_an_endpoint_of_your_own_is_left_alone(cache, monkeypatch):
    monkeypatch.setenv("LLMLAB_URL", "https://llm.example.org/v1")
    monkeypatch.setenv("LLMLAB_API_KEY", "a key")
    endpoint.ensure_endpoint()
    assert os.environ["LLMLAB_URL"] == "https://llm.example.org/v1"
    assert not os.environ["CHAT_MODEL"]


@pytest.mark.parametrize("answer", [None, {}, {"pid": 1, "fingerprint": "another"}])
def test_something_else_on_the_port_is_not_taken_for_the_server(cache, answer):
    given = {"/health": (200, json.dumps(answer).encode())} if answer is not None else {}
    with http_server(given) as address:
        endpoint.state_file().parent.mkdir(parents=True, exist_ok=True)
        state = {"port": int(address.rpartition(":")[2]), "pid": os.getpid(), "fingerprint": endpoint.fingerprint()}
        endpoint.state_file().write_text(json.dumps(state))
        assert endpoint.find_server() is None
        assert not endpoint.stop_server()  # so that no other process is ever killed


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"port": 1}'])
def test_a_state_file_that_makes_no_sense_is_no_server(cache, content):
    endpoint.state_file().parent.mkdir(parents=True, exist_ok=True)
    endpoint.state_file().write_text(content)
    assert endpoint.find_server() is None


def test_a_server_that_does_not_start_is_one_line_with_its_log(cache, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FunathonError, match=r"ended while it was starting.*\.log"):
        endpoint.ensure_endpoint()
    assert not os.environ["LLMLAB_URL"]


def test_a_port_that_is_taken_is_one_line(cache):
    with http_server({}) as address:
        result = CliRunner().invoke(app, ["llm", "--port", address.rpartition(":")[2]])
    assert result.exit_code == 1
    assert "cannot be used" in result.output and "--port" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_cache_folder_that_cannot_be_written_to_is_one_line(cache, monkeypatch):
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    with pytest.raises(FunathonError, match="XDG_CACHE_HOME"):
        endpoint.ensure_endpoint()


def test_it_stops_when_nobody_asks_it_anything():
    runner = SimpleNamespace(should_exit=False, server_state=SimpleNamespace(total_requests=0))
    thread = threading.Thread(target=endpoint.stop_when_idle, args=(runner, 0.4))
    thread.start()
    for _ in range(6):
        time.sleep(0.1)
        runner.server_state.total_requests += 1
    assert not runner.should_exit
    thread.join(5)
    assert runner.should_exit


def test_the_settings_it_prints_are_read_as_its_own(monkeypatch):
    for name, value in EMBEDDED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LLMLAB_URL", "http://127.0.0.1:1/v1")
    assert not is_configured("LLMLAB_URL") and not is_configured("CHAT_MODEL")


def remember(port: str) -> None:
    """Write down the port of the server before."""
    endpoint.state_file().parent.mkdir(parents=True, exist_ok=True)
    endpoint.state_file().with_suffix(".port").write_text(port)


def test_the_next_server_listens_where_the_one_before_did(cache):
    port = free_port()
    remember(str(port))
    with endpoint.listen_as_before() as listener:
        assert listener.getsockname()[1] == port
        with endpoint.listen_as_before() as other:  # somebody has it
            assert other.getsockname()[1] not in (0, port)


@pytest.mark.parametrize("content", ["", "x", "-1", "99999999", "0"])
def test_a_port_that_makes_no_sense_is_any(cache, content):
    remember(content)
    with endpoint.listen_as_before() as listener:
        assert listener.getsockname()[1] > 0


def test_answers_do_not_wait_for_each_other_s_parts():
    """Nagle's algorithm holds the second part of an answer back for 40 ms; asyncio turns it off only for named protocols."""
    with endpoint.listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.slow
def test_a_client_made_before_finds_the_server_that_is_started_again(cache, monkeypatch):
    endpoint.ensure_endpoint()
    client = OpenAI(base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], max_retries=0)
    first = endpoint.find_server()
    assert client.models.list().data
    os.kill(first.pid, signal.SIGKILL)
    while endpoint.ask_health(first.port):
        time.sleep(0.1)
    endpoint.ensure_endpoint()
    second = endpoint.find_server()
    assert second.port == first.port and second.pid != first.pid
    assert client.models.list().data
