"""Who may ask the embedded endpoint, and how long a connection may be open without asking."""

import json
import socket

import httpx
import pytest
from fault_server import fault_server, waits

from funathon.endpoint import guards
from funathon.minilm import embed
from funathon.settings import EMBEDDED


@pytest.fixture(scope="module")
def server():
    embed(["the model is loaded before anybody waits for it"])
    with fault_server() as server:
        yield server


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST:1234", "[::1]:80"])
def test_names_of_this_machine_are_answered(server, name):
    assert httpx.get(f"{server.url}/models", headers={"Host": name}).status_code == 200
    assert httpx.get(f"{server.url}/models", headers={"Origin": f"http://{name}"}).status_code == 200


@pytest.mark.parametrize(
    "name", ["evil.example.org", "127.0.0.1.example.org", "localhost@evil.org", "127.0.0.2", "[x", "", "évil"]
)
def test_other_names_are_refused(server, name):
    for headers in ({"Host": name.encode("latin-1")}, {"Origin": b"https://" + name.encode("latin-1")}):
        answer = httpx.get(f"{server.url}/models", headers=headers)
        assert answer.status_code == 403
        assert "this machine" in answer.json()["error"]["message"]


def test_a_page_without_an_origin_of_its_own_is_refused(server):
    assert httpx.post(f"{server.url}/embeddings", headers={"Origin": "null"}, json={}).status_code == 403


def open_connection(server, sent: bytes) -> socket.socket:
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(sent)
    return connection


HEAD = b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
WHOLE = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET /v1/mod", b"POST /v1/embeddings HTTP/1.1\r\nHost: local", WHOLE + b"GET /v1/m"])
def test_a_connection_that_asks_nothing_is_closed(server, monkeypatch, sent):
    monkeypatch.setattr(guards, "SECONDS_TO_ASK", 0.3)
    with open_connection(server, sent) as connection:
        while connection.recv(65536):  # ends when the server closes; times out, which fails, when it does not
            pass


def test_a_body_that_does_not_come_is_answered_and_closed(server, monkeypatch):
    monkeypatch.setattr(guards, "SECONDS_TO_ASK", 0.3)
    with open_connection(server, HEAD + b"{") as connection:
        received = b""
        while part := connection.recv(65536):
            received += part
    assert b" 408 " in received.split(b"\r\n")[0]


def test_an_answer_that_takes_longer_than_asking_may_is_not_cut(server, monkeypatch):
    monkeypatch.setattr(guards, "SECONDS_TO_ASK", 0.2)
    server.chat = waits(0.8)
    try:
        body = {"model": EMBEDDED["CHAT_MODEL"], "messages": [{"role": "user", "content": "who are you?"}]}
        assert httpx.post(f"{server.url}/chat/completions", json=body, timeout=60).status_code == 200
    finally:
        server.chat = None


def post(server, path: str, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{server.url}/{path}", content=content, headers={"Content-Type": "application/json"}, timeout=60)


CHAT, EMBEDDING = {"model": EMBEDDED["CHAT_MODEL"]}, {"model": EMBEDDED["EMBEDDING_MODEL"]}
HALF = "\ud800"


def schema(content: dict) -> dict:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": content}}
    return CHAT | {"messages": [{"role": "user", "content": "x"}], "response_format": form}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("embeddings", EMBEDDING | {"input": f"half {HALF}"}),
        ("embeddings", EMBEDDING | {"input": ["good", HALF]}),
        ("embeddings", {"model": HALF, "input": "x"}),
        ("embeddings", EMBEDDING | {"input": "x", HALF: 1}),
        ("chat/completions", CHAT | {"messages": [{"role": "user", "content": HALF}]}),
        ("chat/completions", schema({"const": HALF})),
        ("chat/completions", schema({"properties": {HALF: {}}})),
        ("chat/completions", schema({"type": "string", "minLength": 20_000_000})),
        ("chat/completions", schema({"type": "what"})),
        ("chat/completions", schema({"$ref": "#"})),
        ("chat/completions", schema({"$ref": "#/nowhere"})),
        ("chat/completions", b'{"model": "x", "n": NaN}'),
        ("chat/completions", b"[" * 100_000),
        ("chat/completions", b'{"a":' * 100_000),
        ("chat/completions", b"9" * 5_000),
        ("chat/completions", b"\xff\xfe"),
        ("chat/completions", CHAT | {"messages": [{"role": "user", "content": "x" * 400_001}]}),
    ],
    ids=range(17),
)
def test_what_cannot_be_answered_is_the_client_s_mistake(server, path, body):
    answer = post(server, path, body)
    assert answer.status_code == 400, answer.text[:300]
    assert answer.json()["error"]["message"]
