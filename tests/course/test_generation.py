"""Chapter 7's own code against a server that fails in every way a chat service does: each failure is a row with its reason."""

import os

import pytest
from fault_server import breaks, fault_server, refuses, says, waits
from openai import OpenAI

from funathon.course.chapters import find_chapter, read_chapter
from funathon.rag.answers import parse_answer
from funathon.settings import EMBEDDED

CANDIDATES = ["10.71", "06.10"]
MESSAGES = [{"role": "user", "content": "<activity>\nbread\n</activity>\n\nCandidates:\n\n### 10.71 Bread\n\n### 06.10 Oil"}]


@pytest.fixture(scope="module")
def server():
    with fault_server() as server:
        yield server


@pytest.fixture
def ask(server, monkeypatch):
    """The function of question 7.7 as the chapter solves it, with a client that gives up soon."""
    monkeypatch.setenv("CHAT_MODEL", EMBEDDED["CHAT_MODEL"])
    chapter = read_chapter(find_chapter("7-generation"))
    namespace = {"os": os, "OpenAI": OpenAI, "parse_answer": parse_answer, "messages": MESSAGES, "candidates": CANDIDATES}
    namespace["client"] = OpenAI(base_url=server.url, api_key="any", max_retries=0, timeout=60)
    namespace["broken_client"] = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
    server.chat = None
    for cell in chapter.cells:
        if (cell.kind == "solution" and cell.question == "7.7") or cell.source.startswith("from openai import APIError"):
            exec(cell.source, namespace)
        if cell.kind == "solution" and cell.question == "7.3":
            exec(cell.source.split("completion = ")[0], namespace)  # the schema, without its first request
    return lambda **options: namespace["ask"](
        MESSAGES, CANDIDATES, client=OpenAI(base_url=server.url, api_key="any", **({"max_retries": 0, "timeout": 60} | options))
    )


@pytest.mark.parametrize(
    ("content", "outcome", "code"),
    [
        ('{"codable": true, "code": "10.71", "confidence": 0.8}', "coded", "10.71"),
        ('```json\n{"codable": true, "code": "10.71", "confidence": 0.8}\n```', "coded", "10.71"),
        ('Here you are: {"codable": true, "code": "10.71", "confidence": "80 %"}', "coded", "10.71"),
        ('<think>{"code": "06.10"}?</think>{"codable": true, "code": "10.71", "confidence": 0.8}', "coded", "10.71"),
        ('{"codable": true, "code": "6.1", "confidence": 0.8}', "coded", "06.10"),
        ('{"codable": false, "code": null, "confidence": 0.1}', "not codable", None),
        ('{"codable": true, "code": null, "confidence": 0.1}', "no code", None),
        ('{"codable": true, "code": "01.11", "confidence": 0.8}', "not a candidate", None),
        ('{"codable": true, "code": "10.7", "confidence": 0.8}', "no class", None),
        ('{"code": "10.71", "confidence": 1} {"code": "06.10", "confidence": 1}', "several answers", None),
        ("I would say bread.", "no JSON", None),
        ("", "empty answer", None),
        (None, "empty answer", None),
    ],
)
def test_each_malformed_answer_has_its_name(server, ask, content, outcome, code):
    server.chat = says(content)
    row = ask()
    assert (row["outcome"], row["code"]) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "error"), [(401, "AuthenticationError"), (429, "RateLimitError"), (500, "InternalServerError")]
)
def test_an_error_of_the_server_is_a_row_with_its_reason(server, ask, status, error):
    server.chat = refuses(status)
    row = ask()
    assert row["outcome"] == "request failed" and row["code"] is None and row["detail"].startswith(error)


@pytest.mark.parametrize("media_type", ["text/html", "application/json"])
def test_a_web_page_instead_of_json(server, ask, media_type):
    server.chat = breaks(media_type=media_type)
    row = ask()
    assert row["outcome"] == "request failed" and row["code"] is None and row["detail"]


def test_a_server_that_asks_for_patience_is_asked_again(server, ask):
    server.chat = refuses(429, retry_after=1, times=2)
    row = ask(max_retries=3)
    assert row["outcome"] == "coded" and row["seconds"] >= 2


def test_a_server_that_never_answers(server, ask):
    server.chat = waits()
    row = ask(timeout=1)
    assert row["outcome"] == "request failed" and row["detail"].startswith("APITimeoutError")


def test_a_slow_server_is_waited_for(server, ask):
    server.chat = waits(1)
    row = ask()
    assert row["outcome"] == "coded" and row["seconds"] >= 1
