"""A run over many labels: no more requests at a time than allowed, and nothing lost however it ends or whatever is in its file."""

import json
import threading
import time

import pytest
from fault_server import fault_server, says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI

from funathon.endpoint.errors import error_answer
from funathon.rag import asking
from funathon.rag.asking import FAILED, ask, ask_all, fingerprint, read_answers

REQUESTS = [([{"role": "user", "content": f"label {number}"}], ["10.71"]) for number in range(30)]


@pytest.fixture(autouse=True)
def model(monkeypatch):
    monkeypatch.setenv("CHAT_MODEL", "model")
    monkeypatch.setattr(asking, "model_state", lambda variable, embedded=None: ["model", "here"])


def row(messages, candidates):
    """What a generator that always answers returns."""
    return {
        "code": "10.71",
        "confidence": 0.5,
        "outcome": "coded",
        "detail": messages[0]["content"],
        "seconds": 0.0,
        "tokens_in": 1,
        "tokens_out": 1,
    }


class Asked:
    """An ask that counts, and breaks off when it has answered `most` requests."""

    def __init__(self, most=None, outcome="coded", seconds=0.0):
        self.labels, self.most, self.outcome, self.seconds = [], most, outcome, seconds
        self.open_now = self.at_once = 0
        self.lock = threading.Lock()

    def __call__(self, messages, candidates):
        with self.lock:
            if self.most is not None and len(self.labels) >= self.most:
                raise KeyboardInterrupt
            self.labels.append(messages[0]["content"])
            self.open_now += 1
            self.at_once = max(self.at_once, self.open_now)
        time.sleep(self.seconds)
        with self.lock:
            self.open_now -= 1
        return row(messages, candidates) | {"outcome": self.outcome}


def details(rows):
    return [each["detail"] for each in rows]


EXPECTED = [messages[0]["content"] for messages, _ in REQUESTS]


def test_rows_come_in_the_order_of_the_requests_each_with_its_fingerprint(tmp_path):
    rows = ask_all(REQUESTS, tmp_path / "new" / "a.jsonl", Asked())
    assert details(rows) == EXPECTED
    assert [each["fingerprint"] for each in rows] == [fingerprint(messages) for messages, _ in REQUESTS]


def test_several_requests_at_a_time_and_never_more_than_workers(tmp_path):
    ask = Asked(seconds=0.02)
    ask_all(REQUESTS, tmp_path / "a.jsonl", ask, workers=3)
    assert ask.at_once == 3


@pytest.mark.parametrize("most", [1, 7, 29])
def test_what_was_answered_before_an_interruption_is_kept_and_not_asked_again(tmp_path, most):
    path = tmp_path / "a.jsonl"
    first, second = Asked(most), Asked()
    with pytest.raises(KeyboardInterrupt):
        ask_all(REQUESTS, path, first)
    assert len(read_answers(path)) == most == len(first.labels)
    assert details(ask_all(REQUESTS, path, second)) == EXPECTED
    assert sorted(first.labels + second.labels) == sorted(EXPECTED)


def test_a_failure_is_asked_again_and_an_answer_without_a_code_is_not(tmp_path):
    path = tmp_path / "a.jsonl"
    assert {each["outcome"] for each in ask_all(REQUESTS, path, Asked(outcome=FAILED))} == {FAILED}
    assert not read_answers(path)
    ask_all(REQUESTS, path, Asked(outcome="not codable"))
    again = Asked()
    assert {each["outcome"] for each in ask_all(REQUESTS, path, again)} == {"not codable"}
    assert not again.labels


def test_a_request_that_stands_there_twice_is_sent_once(tmp_path):
    ask = Asked()
    rows = ask_all([REQUESTS[0], REQUESTS[1], REQUESTS[0]], tmp_path / "a.jsonl", ask)
    assert details(rows) == ["label 0", "label 1", "label 0"] and sorted(ask.labels) == ["label 0", "label 1"]


@pytest.mark.parametrize("cut", [1, 2, 20, 150])
def test_a_file_that_was_cut_off_loses_one_line_and_takes_the_next_behind_it(tmp_path, cut):
    path = tmp_path / "a.jsonl"
    ask_all(REQUESTS[:5], path, Asked())
    path.write_bytes(path.read_bytes()[:-cut])
    whole = len(read_answers(path))
    assert whole == (5 if cut == 1 else 4)
    second, third = Asked(), Asked()
    ask_all(REQUESTS[:8], path, second)
    assert len(second.labels) == 8 - whole
    assert details(ask_all(REQUESTS[:8], path, third)) == EXPECTED[:8] and not third.labels


OTHER_FORMS = [
    b'{"key": "%s", "row": {}}' % fingerprint.__name__.encode(),
    b"[1, 2]",
    b'{"fingerprint": 3}',
    b"\xff\xfe\x00",
    b"null",
    json.dumps({"fingerprint": "f", "code": 10.71}).encode(),
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(garbage=st.lists(st.binary(max_size=60) | st.sampled_from(OTHER_FORMS), max_size=6))
def test_whatever_a_file_holds_all_rows_come_and_are_kept(tmp_path, garbage):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(garbage))
    assert details(ask_all(REQUESTS[:4], path, Asked(), workers=1)) == EXPECTED[:4]
    again = Asked()
    assert details(ask_all(REQUESTS[:4], path, again, workers=1)) == EXPECTED[:4] and not again.labels
    assert path.read_bytes().startswith(b"\n".join(garbage))


@pytest.mark.parametrize("name", list(asking.COLUMNS))
def test_a_row_that_lacks_a_value_or_has_one_of_another_kind_is_no_answer(tmp_path, name):
    path = tmp_path / "a.jsonl"
    whole = row(*REQUESTS[0]) | {"fingerprint": "f"}
    for odd in ({key: value for key, value in whole.items() if key != name}, whole | {name: []}):
        path.write_text(json.dumps(odd))
        assert not read_answers(path)
    path.write_text(json.dumps(whole))
    assert read_answers(path) == {"f": whole}


def test_an_error_of_ones_own_ends_the_run_and_keeps_what_came(tmp_path):
    path = tmp_path / "a.jsonl"

    def ask(messages, candidates):
        if messages[0]["content"] == "label 9":
            raise KeyError("a slip")
        return row(messages, candidates)

    with pytest.raises(KeyError, match="a slip"):
        ask_all(REQUESTS, path, ask, workers=1)
    assert len(read_answers(path)) >= 9


def test_another_model_is_asked_anew(tmp_path, monkeypatch):
    ask_all(REQUESTS[:3], tmp_path / "a.jsonl", Asked())
    monkeypatch.setattr(asking, "model_state", lambda variable, embedded=None: ["model", "elsewhere"])
    again = Asked()
    ask_all(REQUESTS[:3], tmp_path / "a.jsonl", again)
    assert len(again.labels) == 3


def test_the_stand_in_is_called_what_it_is(monkeypatch):
    monkeypatch.setenv("LLMLAB_API_KEY", "embedded")
    monkeypatch.setenv("CHAT_MODEL", "offline-stand-in")
    assert "a ranker fitted on labels" in asking.generator_name()
    monkeypatch.setenv("LLMLAB_URL", "https://llm.example/v1")
    monkeypatch.setenv("LLMLAB_API_KEY", "key")
    monkeypatch.setenv("CHAT_MODEL", "a-model")
    assert asking.generator_name() == "a-model"


@pytest.mark.parametrize(("refused", "left"), [("temperature", {"response_format"}), ("response_format", {"temperature"})])
def test_what_an_endpoint_refuses_is_left_out_and_not_sent_again(monkeypatch, refused, left):
    monkeypatch.setattr(asking, "TAKEN", {})
    seen = []

    async def chat(receive):
        body = json.loads((await receive())["body"])
        seen.append(set(body) - {"model", "messages"})
        if refused in body:
            return error_answer(400, f"Unsupported parameter: {refused}")
        return await says('{"codable": true, "nace_code": "10.71", "confidence": 1}')(receive)

    with fault_server() as server:
        server.chat = chat
        client = OpenAI(base_url=server.url, api_key="any", max_retries=0)
        rows = [ask(*REQUESTS[0], client) for _ in range(3)]
    assert [row["code"] for row in rows] == ["10.71"] * 3, rows[0]["detail"]
    assert seen[-2:] == [left] * 2, "the next requests leave it out at once"


def test_a_request_that_is_refused_whatever_is_left_out_is_a_row_with_the_first_refusal(monkeypatch):
    monkeypatch.setattr(asking, "TAKEN", {})

    async def chat(receive):
        body = json.loads((await receive())["body"])
        return error_answer(400, "the prompt is too long" if "temperature" in body else "something else")

    with fault_server() as server:
        server.chat = chat
        row = ask(*REQUESTS[0], OpenAI(base_url=server.url, api_key="any", max_retries=0))
    assert row["outcome"] == FAILED and "the prompt is too long" in row["detail"] and asking.TAKEN == {}
