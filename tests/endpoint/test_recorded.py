"""Recorded answers, asked for by the official client: the same prompt has the same answer, another has a clear error."""

import json

import openai
import pytest
from fault_server import fault_server
from openai import OpenAI

from funathon.endpoint import app
from funathon.endpoint.recorded import prompt_hash, read_recorded

MESSAGES = [{"role": "system", "content": "Code."}, {"role": "user", "content": "<activity>\nbakery\n</activity>"}]
SAID = '{"codable": true, "code": "10.71", "confidence": 0.9}\nI am sure. ü'


def line(messages=MESSAGES, content=SAID, **others):
    key = prompt_hash((message["role"], message["content"]) for message in messages)
    answer = {"prompt": key, "content": content, "prompt_tokens": 12, "completion_tokens": 7, "finish_reason": "stop"}
    return json.dumps(answer | others).encode()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    path = tmp_path_factory.mktemp("answers") / "recorded-one.jsonl"
    path.write_bytes(line() + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "answer_files", lambda: [path])
        with fault_server() as server, OpenAI(base_url=server.url, api_key="any", max_retries=0) as client:
            yield client


def ask(client, messages=MESSAGES, **options):
    return client.chat.completions.create(model="recorded-one", messages=messages, **options)


def test_the_same_prompt_has_the_answer_as_it_came_and_its_tokens(client):
    answer = ask(client, temperature=0)
    assert answer.choices[0].message.content == SAID
    assert (answer.model, answer.usage.prompt_tokens, answer.usage.completion_tokens) == ("recorded-one", 12, 7)


def test_an_answer_can_be_streamed(client):
    pieces = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == SAID
    assert pieces[-1].usage.total_tokens == 19


def test_a_prompt_that_was_not_recorded_has_an_error_that_says_so(client):
    other = [MESSAGES[0], {"role": "user", "content": "<activity>\ndairy\n</activity>"}]
    with pytest.raises(openai.NotFoundError) as error:
        ask(client, other)
    assert error.value.code == "prompt_not_recorded" and error.value.param == "messages"
    assert "was not recorded" in error.value.message and "offline-stand-in" in error.value.message
    with pytest.raises(openai.NotFoundError):
        ask(client, MESSAGES[::-1])


def test_it_is_listed_as_what_it_is(client):
    card = client.models.retrieve("recorded-one")
    assert "Recorded answers of a language model to 1 prompts" in card.description
    with pytest.raises(openai.BadRequestError, match="no embedding model"):
        client.embeddings.create(model="recorded-one", input="bakery")


def test_a_line_that_is_none_counts_for_nothing_and_the_first_of_two_counts(tmp_path):
    path = tmp_path / "recorded-two.jsonl"
    path.write_bytes(b"\n".join([b"", b"[]", b'{"prompt": 3}', line(), line(content="later"), line()[:-9]]))
    assert [answer.content for answer in read_recorded(path).values()] == [SAID]
