"""The embedded endpoint's web application: the part of OpenAI's API that the course uses, on this machine.

https://platform.openai.com/docs/api-reference describes the API. Embeddings come from all-MiniLM-L6-v2
(`funathon.minilm`), chat from the offline stand-in (`funathon.endpoint.stand_in`), which is no language model.
"""

import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from funathon.endpoint import stand_in
from funathon.endpoint.bodies import ChatRequest, EmbeddingRequest
from funathon.endpoint.embedding import Loader, count_tokens, embed, encoded
from funathon.endpoint.errors import ApiError, tell_errors
from funathon.endpoint.guards import LimitedBody, OnlyThisMachine
from funathon.endpoint.passages import Passages
from funathon.endpoint.schema_filling import SchemaError
from funathon.settings import EMBEDDED

EMBEDDING_MODEL, CHAT_MODEL = EMBEDDED["EMBEDDING_MODEL"], EMBEDDED["CHAT_MODEL"]
MOST_TEXTS = 2048
"""Texts in one request for embeddings, as with OpenAI."""

MOST_CHARACTERS = 400_000
"""Characters of the longest conversation; the notes of all classes together are shorter."""

MODELS = {
    EMBEDDING_MODEL: {
        "kind": "embedding",
        "description": "Sentence embeddings, 384 dimensions, English, texts cut after 256 tokens. "
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "dimensions": 384,
        "max_tokens": 256,
        "license": "Apache-2.0",
    },
    CHAT_MODEL: {"kind": "chat", "description": stand_in.DESCRIPTION},
}
"""The model cards in `/v1/models`."""


def make_app(identity: dict) -> FastAPI:
    """The application. `/health` answers `identity` and whether the model is loaded."""
    created = int(time.time())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loader = Loader()
        app.state.passages = Passages(embed)
        yield

    app = FastAPI(title="funathon embedded endpoint", lifespan=lifespan, openapi_url=None)
    app.add_middleware(LimitedBody)
    app.add_middleware(OnlyThisMachine)

    def card(name: str) -> dict:
        return {"id": name, "object": "model", "created": created, "owned_by": "funathon", **MODELS[name]}

    @app.get("/health")
    def health() -> dict:
        return identity | {"ready": app.state.loader.ready, "error": app.state.loader.error}

    @app.get("/v1/models")
    def models() -> dict:
        return {"object": "list", "data": [card(name) for name in MODELS]}

    @app.get("/v1/models/{name}")
    def model(name: str) -> dict:
        if name not in MODELS:
            raise unknown_model(name)
        return card(name)

    @app.post("/v1/embeddings")
    def embeddings(body: EmbeddingRequest) -> JSONResponse:
        refuse_other_model(body.model, EMBEDDING_MODEL)
        texts = texts_of(body)
        app.state.loader.wait()
        vectors = embed(texts)
        # the notes of a vector database come back in the prompts that are made with it
        app.state.passages.keep(texts, vectors)
        data = [
            {"object": "embedding", "index": index, "embedding": encoded(vector, body.encoding_format)}
            for index, vector in enumerate(vectors)
        ]
        tokens = count_tokens(texts, cut=True)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage})

    @app.post("/v1/chat/completions")
    def chat(body: ChatRequest):
        refuse_other_model(body.model, CHAT_MODEL)
        app.state.loader.wait()
        wanted = body.response_format.model_dump(by_alias=True) if body.response_format else None
        messages = [(message.role, message.text) for message in body.messages]
        if sum(len(text) for _, text in messages) > MOST_CHARACTERS:
            message = f"The messages are longer than {MOST_CHARACTERS:,} characters."
            raise ApiError(400, message, "messages", "context_length_exceeded")
        try:
            content = stand_in.answer(messages, wanted, app.state.passages)
        except SchemaError as error:
            raise ApiError(400, f"The schema cannot be filled: {error}.", "response_format.json_schema.schema") from None
        prompt_tokens = count_tokens([text for _, text in messages], cut=False)
        completion_tokens = count_tokens([content], cut=False)
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }
        shared = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": CHAT_MODEL}
        if body.stream:
            with_usage = usage if body.stream_options and body.stream_options.include_usage else None
            return StreamingResponse(chunks(content, shared, with_usage), media_type="text/event-stream")
        message = {"role": "assistant", "content": content, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return JSONResponse(shared | {"object": "chat.completion", "choices": [choice], "usage": usage})

    tell_errors(app)
    return app


def unknown_model(name: str) -> ApiError:
    """The answer to a model that is not there."""
    return ApiError(404, f"There is no model '{name}' here; there are {', '.join(MODELS)}.", "model", "model_not_found")


def refuse_other_model(name: str, wanted: str) -> None:
    """Raise ApiError unless `name` is the model that this route has."""
    if name not in MODELS:
        raise unknown_model(name)
    if name != wanted:
        raise ApiError(400, f"'{name}' is no {MODELS[wanted]['kind']} model; use '{wanted}'.", "model")


def texts_of(body: EmbeddingRequest) -> list[str]:
    """The texts to embed; raise ApiError for what cannot be embedded."""
    if body.dimensions not in (None, MODELS[EMBEDDING_MODEL]["dimensions"]):
        raise ApiError(400, f"{EMBEDDING_MODEL} has 384 dimensions, no other number.", "dimensions")
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts:
        raise ApiError(400, "input is an empty list.", "input")
    if len(texts) > MOST_TEXTS:
        raise ApiError(400, f"input has {len(texts)} texts; {MOST_TEXTS} at most go in one request.", "input")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise ApiError(400, "input has token numbers; send text, since each model has tokens of its own.", "input")
        if not text:
            raise ApiError(400, f"input[{index}] is an empty text.", "input")
    return texts


def chunks(content: str, shared: dict, usage: dict | None) -> Iterator[str]:
    """A chat answer as server-sent events, a word each, with the usage at the end if it is given."""

    def event(**fields) -> str:
        return f"data: {json.dumps(shared | {'object': 'chat.completion.chunk'} | fields)}\n\n"

    def choice(delta: dict, finish_reason: str | None = None) -> list[dict]:
        return [{"index": 0, "delta": delta, "finish_reason": finish_reason}]

    yield event(choices=choice({"role": "assistant", "content": ""}))
    for word in re.findall(r"\s*\S+|\s+$", content):
        yield event(choices=choice({"content": word}))
    yield event(choices=choice({}, "stop"))
    if usage:
        yield event(choices=[], usage=usage)
    yield "data: [DONE]\n\n"
