"""The embedded endpoint, asked by the official client as any other."""

import asyncio
import base64
import json

import httpx
import numpy as np
import openai
import pytest
from fault_server import breaks, fault_server, refuses, says, waits
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from funathon.endpoint import guards
from funathon.minilm import MOST_TOKENS, embed
from funathon.settings import EMBEDDED

EMBEDDING_MODEL, CHAT_MODEL = EMBEDDED["EMBEDDING_MODEL"], EMBEDDED["CHAT_MODEL"]
PROMPT = """<activity>
we bake bread for the village
</activity>

Candidates:

### 10.71 Manufacture of bread; manufacture of fresh pastry goods
Includes:
- bread and rolls

### 49.41 Freight transport by road
Includes:
- haulage by lorry
"""


@pytest.fixture(scope="module")
def server():
    with fault_server() as server:
        yield server


@pytest.fixture
def client(server):
    server.chat = None
    with OpenAI(base_url=server.url, api_key="any word", max_retries=0) as client:
        yield client


def ask(client, prompt=PROMPT, **options):
    return client.chat.completions.create(model=CHAT_MODEL, messages=[{"role": "user", "content": prompt}], **options)


def test_the_models_and_what_they_are(client):
    models = {model.id: model for model in client.models.list()}
    assert set(models) == {EMBEDDING_MODEL, CHAT_MODEL, "recorded-claude"}
    assert "No language model" in models[CHAT_MODEL].description
    assert models[EMBEDDING_MODEL].dimensions == 384
    assert client.models.retrieve(CHAT_MODEL).description == models[CHAT_MODEL].description


@pytest.mark.parametrize("encoding", ["float", "base64", openai.omit])
def test_embeddings_are_those_of_minilm_in_either_encoding(client, encoding):
    texts = ["a long text about the wholesale of flowers and plants", "lorry"] * 20
    answer = client.embeddings.create(model=EMBEDDING_MODEL, input=texts, encoding_format=encoding)
    vectors = [item.embedding for item in answer.data]
    if encoding == "base64":
        vectors = [np.frombuffer(base64.b64decode(vector), dtype="<f4") for vector in vectors]
    assert np.allclose(vectors, embed(texts), atol=1e-5)
    assert [item.index for item in answer.data] == list(range(40))
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 40


def test_one_text_needs_no_list(client):
    answer = client.embeddings.create(model=EMBEDDING_MODEL, input="bakery")
    assert np.allclose(answer.data[0].embedding, embed(["bakery"])[0], atol=1e-5)


def test_requests_at_once(server):
    async def all_of_them():
        async with AsyncOpenAI(base_url=server.url, api_key="any", max_retries=0) as client:
            return await asyncio.gather(*(client.embeddings.create(model=EMBEDDING_MODEL, input=f"shop {i}") for i in range(20)))

    vectors = [answer.data[0].embedding for answer in asyncio.run(all_of_them())]
    assert np.allclose(vectors, embed([f"shop {i}" for i in range(20)]), atol=1e-5)


@pytest.mark.parametrize("form", [openai.omit, {"type": "json_object"}])
def test_chat_answers_in_json(client, form):
    answer = ask(client, response_format=form)
    given = json.loads(answer.choices[0].message.content)
    assert set(given) == {"codable", "code", "confidence"}
    assert given["codable"] is True and given["code"] == "10.71" and 0.5 < given["confidence"] <= 1
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.choices[0].finish_reason == "stop"


def test_chat_answers_in_the_model_that_is_asked_for(client):
    class Coded(BaseModel):
        nace_code: str | None
        is_codable: bool
        confidence: float
        why: str

    answer = client.chat.completions.parse(
        model=CHAT_MODEL, messages=[{"role": "user", "content": PROMPT}], response_format=Coded
    ).choices[0]
    assert answer.message.parsed.nace_code == "10.71" and answer.message.parsed.is_codable
    assert "no language model" in answer.message.parsed.why


def test_a_stream_says_the_same(client):
    whole = ask(client).choices[0].message.content
    events = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == whole
    assert events[-1].usage.completion_tokens > 0
    assert [event.choices[0].finish_reason for event in events if event.choices][-1] == "stop"


def test_the_async_client_streams(server):
    async def words():
        async with AsyncOpenAI(base_url=server.url, api_key="any", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model=CHAT_MODEL, messages=[{"role": "user", "content": "Who are you?"}], stream=True
            )
            return "".join([event.choices[0].delta.content or "" async for event in stream])

    assert "No language model" in asyncio.run(words())


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (lambda c: c.embeddings.create(model="gpt-4o", input="x"), openai.NotFoundError, EMBEDDING_MODEL),
        (lambda c: c.embeddings.create(model=CHAT_MODEL, input="x"), openai.BadRequestError, "no embedding model"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input=[]), openai.BadRequestError, "empty list"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input=["a", ""]), openai.BadRequestError, r"input\[1\]"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input=[1, 2]), openai.BadRequestError, "token numbers"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input=["a"] * 2049), openai.BadRequestError, "2048"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input="a", dimensions=100), openai.BadRequestError, "384"),
        (lambda c: c.embeddings.create(model=EMBEDDING_MODEL, input=None), openai.BadRequestError, "input"),
        (lambda c: c.chat.completions.create(model="x", messages=[]), openai.BadRequestError, "messages"),
        (lambda c: c.chat.completions.create(model="x", messages=[{"role": "user", "content": ""}]), openai.NotFoundError, "x"),
        (lambda c: ask(c, n=3), openai.BadRequestError, "n:"),
        (lambda c: c.models.retrieve("x"), openai.NotFoundError, "no model 'x'"),
        (lambda c: c.responses.create(model="x", input="x"), openai.NotFoundError, "no /v1/responses"),
    ],
)
def test_what_it_refuses_and_why(client, request_, error, words):
    with pytest.raises(error, match=words):
        request_(client)


def test_a_body_that_is_no_json(server):
    answer = httpx.post(f"{server.url}/embeddings", content=b"{not json", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("tells_its_length", [True, False])
def test_a_request_that_is_too_large(server, monkeypatch, tells_its_length):
    monkeypatch.setattr(guards, "MOST_BYTES", 2**20)
    body = json.dumps({"model": EMBEDDING_MODEL, "input": "x" * 2**21}).encode()
    content = body if tells_its_length else iter([body[: 2**20], body[2**20 :]])
    assert httpx.post(f"{server.url}/embeddings", content=content).status_code == 413


# the fault server, which other tests rely on


def test_the_fault_server_refuses_and_then_answers(server, client):
    server.chat = refuses(401)
    with pytest.raises(openai.AuthenticationError):
        ask(client)
    server.chat = refuses(429, retry_after=0, times=2)
    before = server.requests
    assert ask(client.with_options(max_retries=2)).choices[0].message.content
    assert server.requests - before == 3
    server.chat = refuses(500)
    with pytest.raises(openai.InternalServerError):
        ask(client)


def test_the_fault_server_says_anything_or_nothing(server, client):
    for content in ("```json\n{}\n```", "", None):
        server.chat = says(content)
        assert ask(client).choices[0].message.content == content
    server.chat = breaks()
    assert isinstance(ask(client), str)  # what the client makes of a page that is no JSON
    server.chat = waits()
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.3))
    server.chat = waits(0.2)
    assert ask(client).choices[0].message.content


def test_a_long_prompt_is_counted_whole(client):
    def prompt_tokens(words):
        messages = [{"role": "user", "content": "bakery " * words}]
        return client.chat.completions.create(model=CHAT_MODEL, messages=messages).usage.prompt_tokens

    assert prompt_tokens(2000) > 5 * prompt_tokens(200)


def test_an_embedding_counts_what_it_reads(client):
    answer = client.embeddings.create(model=EMBEDDING_MODEL, input="bakery " * 2000)
    assert answer.usage.prompt_tokens == MOST_TOKENS
