"""Recording answers: each as it came, none twice, none lost when a run breaks off."""

import json

import pytest
from fault_server import fault_server, refuses, says
from filelock import FileLock
from openai import OpenAI

from funathon.endpoint.recorded import read_recorded
from funathon.errors import FunathonError
from funathon.rag import asking, recording
from funathon.rag.prompt_sets import Prompt
from funathon.rag.recording import hash_of, read_prompts, record, write_prompts

PROMPTS = [
    {"set": "a", "number": number, "messages": [{"role": "user", "content": f"What is {number}?"}], "json": number % 2 == 0}
    for number in range(12)
]


@pytest.fixture
def server():
    with fault_server() as server:
        yield server


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setenv("CHAT_MODEL", "offline-stand-in")
    monkeypatch.setenv("LLMLAB_URL", server.url)
    monkeypatch.setattr(asking, "TAKEN", {})
    with OpenAI(base_url=server.url, api_key="any", max_retries=0) as client:
        yield client


def test_answers_are_kept_as_they_came_and_served_again(server, client, tmp_path):
    path = tmp_path / "recorded-x.jsonl"
    server.chat = says("  an answer,\nas it came: ü ")
    assert record(PROMPTS, path, client) == 12
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    assert {row["content"] for row in rows} == {"  an answer,\nas it came: ü "}
    assert sorted((row["set"], row["number"]) for row in rows) == [("a", number) for number in range(12)]
    assert all(row["date"] and row["model"] == "offline-stand-in" and row["prompt_tokens"] == 1 for row in rows)
    assert set(read_recorded(path)) == {hash_of(prompt["messages"]) for prompt in PROMPTS}
    assert record(PROMPTS, path, client) == 0
    assert server.requests == 12


def test_what_failed_is_asked_for_again_and_nothing_else(server, client, tmp_path):
    path = tmp_path / "recorded-x.jsonl"
    server.chat = refuses(503, times=5)
    with pytest.raises(FunathonError, match=r"5 of 12 requests failed .HTTP 503"):
        record(PROMPTS, path, client)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rstrip(b"\n").rfind(b"\n") + 20])  # a power cut tears the last line
    server.requests = 0
    assert record(PROMPTS, path, client) == 6
    assert server.requests == 6
    assert len(read_recorded(path)) == 12


def test_a_run_ends_when_the_endpoint_is_down(server, client, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "FAILURES", 3)
    server.chat = refuses(500)
    with pytest.raises(FunathonError, match="failed"):
        record(PROMPTS * 1, tmp_path / "recorded-x.jsonl", client)
    assert server.requests < 12


def test_json_is_asked_for_where_a_prompt_wants_it(server, client, tmp_path):
    path = tmp_path / "recorded-x.jsonl"
    record(PROMPTS[:2], path, client)
    rows = {row["number"]: row for row in (json.loads(line) for line in path.read_bytes().split(b"\n") if line)}
    assert rows[0]["settings"] == {"temperature": 0, "response_format": "json_schema"} and rows[1]["settings"] == {
        "temperature": 0
    }
    contents = {number: row["content"] for number, row in rows.items()}
    assert json.loads(contents[0])["codable"] is False
    with pytest.raises(ValueError):
        json.loads(contents[1])


def test_two_runs_at_once_and_two_models_in_one_file_are_refused(server, client, tmp_path, monkeypatch):
    path = tmp_path / "recorded-x.jsonl"
    with FileLock(f"{path}.lock"), pytest.raises(FunathonError, match="Another run"):
        record(PROMPTS, path, client)
    server.chat = says("yes")
    record(PROMPTS[:1], path, client)
    monkeypatch.setenv("CHAT_MODEL", "another")
    with pytest.raises(FunathonError, match="answers of offline-stand-in, not of another"):
        record(PROMPTS, path, client)


def test_a_file_that_cannot_be_written_is_one_line_and_asks_nothing(server, client, tmp_path):
    with pytest.raises(FunathonError, match="cannot be written"):
        record(PROMPTS, tmp_path, client)
    assert server.requests == 0


def test_prompts_are_written_and_read_and_bad_ones_named(tmp_path):
    path = tmp_path / "prompts.jsonl"
    prompts = [
        Prompt("a", 0, [{"role": "user", "content": "ü\u2028?"}]),
        Prompt("b", 1, [{"role": "user", "content": "x"}], json=False),
    ]
    assert write_prompts(prompts, path) == 2
    assert [(each["set"], each["json"]) for each in read_prompts(path)] == [("a", True), ("b", False)]
    for line, told in [
        ("{}", "line 3: no prompt"),
        ('{"messages": []}', "line 3"),
        ('{"messages": [{"role": 1, "content": 2}]}', "line 3"),
    ]:
        broken = tmp_path / "broken.jsonl"
        broken.write_bytes(path.read_bytes() + line.encode())
        with pytest.raises(FunathonError, match=told):
            read_prompts(broken)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(FunathonError, match="holds no prompts"):
        read_prompts(tmp_path / "empty.jsonl")
    with pytest.raises(FunathonError, match="cannot be read"):
        read_prompts(tmp_path / "none.jsonl")
