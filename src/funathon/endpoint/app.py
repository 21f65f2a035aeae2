"""The embedded endpoint's web application: the part of OpenAI's API that the course uses, on this machine.

https://platform.openai.com/docs/api-reference describes the API. Embeddings come from all-MiniLM-L6-v2
(`funathon.minilm`), chat from the offline stand-in (`funathon.endpoint.stand_in`), which is no language model, and from recorded
answers of language models (`funathon.endpoint.recorded`).
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
from funathon.endpoint.recorded import Answered, answer_files, description, prompt_hash, recorded_models
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
"""The model cards in `/v1/models`, but for those of recorded models."""


def make_app(identity: dict) -> FastAPI:
    """The application. `/health` answers `identity` and whether the model is loaded."""
    created = int(time.time())
    recorded = recorded_models(answer_files())
    cards = MODELS | {name: {"kind": "chat", "description": description(len(known))} for name, known in recorded.items()}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loader = Loader()
        app.state.passages = Passages(embed)
        yield

    app = FastAPI(title="funathon embedded endpoint", lifespan=lifespan, openapi_url=None)
    app.add_middleware(LimitedBody)
    app.add_middleware(OnlyThisMachine)

    def card(name: str) -> dict:
        return {"id": name, "object": "model", "created": created, "owned_by": "funathon", **cards[name]}

    @app.get("/health")
    def health() -> dict:
        return identity | {"ready": app.state.loader.ready, "error": app.state.loader.error}

    @app.get("/v1/models")
    def models() -> dict:
        return {"object": "list", "data": [card(name) for name in cards]}

    @app.get("/v1/models/{name}")
    def model(name: str) -> dict:
        if name not in cards:
            raise unknown_model(name, cards)
        return card(name)

    @app.post("/v1/embeddings")
    def embeddings(body: EmbeddingRequest) -> JSONResponse:
        refuse_other_kind(body.model, "embedding", cards)
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
        refuse_other_kind(body.model, "chat", cards)
        messages = [(message.role, message.text) for message in body.messages]
        if sum(len(text) for _, text in messages) > MOST_CHARACTERS:
            message = f"The messages are longer than {MOST_CHARACTERS:,} characters."
            raise ApiError(400, message, "messages", "context_length_exceeded")
        if body.model in recorded:
            answer = recorded_answer(recorded[body.model], body.model, messages)
        else:
            answer = stand_in_answer(app, body, messages)
        usage = {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        }
        shared = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": body.model}
        if body.stream:
            with_usage = usage if body.stream_options and body.stream_options.include_usage else None
            return StreamingResponse(chunks(answer, shared, with_usage), media_type="text/event-stream")
        message = {"role": "assistant", "content": answer.content, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}
        return JSONResponse(shared | {"object": "chat.completion", "choices": [choice], "usage": usage})

    tell_errors(app)
    return app


def unknown_model(name: str, cards: dict[str, dict]) -> ApiError:
    """The answer to a model that is not there; `cards` has those that are."""
    return ApiError(404, f"There is no model '{name}' here; there are {', '.join(cards)}.", "model", "model_not_found")


def refuse_other_kind(name: str, kind: str, cards: dict[str, dict]) -> None:
    """Raise ApiError unless `name` is one of the models of `cards` that this route has, which are of this kind."""
    if name not in cards:
        raise unknown_model(name, cards)
    if cards[name]["kind"] != kind:
        fitting = " or ".join(f"'{other}'" for other, card in cards.items() if card["kind"] == kind)
        raise ApiError(400, f"'{name}' is no {kind} model; use {fitting}.", "model")


def recorded_answer(known: dict[str, Answered], name: str, messages: list[tuple[str, str]]) -> Answered:
    """The answer that was recorded to these messages; raise ApiError when there is none."""
    answer = known.get(prompt_hash(messages))
    if answer is None:
        raise ApiError(
            404,
            f"This prompt was not recorded: '{name}' answers the {len(known):,} prompts that were put to it, as they stand in chapters 5 to 9, "
            f"and no other. '{CHAT_MODEL}' answers any prompt; a language model needs an endpoint of your own in .env.",
            "messages",
            "prompt_not_recorded",
        )
    return answer


def stand_in_answer(app: FastAPI, body: ChatRequest, messages: list[tuple[str, str]]) -> Answered:
    """What the stand-in says to these messages; raise ApiError for a schema that cannot be filled."""
    app.state.loader.wait()
    wanted = body.response_format.model_dump(by_alias=True) if body.response_format else None
    try:
        content = stand_in.answer(messages, wanted, app.state.passages)
    except SchemaError as error:
        raise ApiError(400, f"The schema cannot be filled: {error}.", "response_format.json_schema.schema") from None
    prompt_tokens = count_tokens([text for _, text in messages], cut=False)
    return Answered(content, prompt_tokens, count_tokens([content], cut=False), "stop")


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


def chunks(answer: Answered, shared: dict, usage: dict | None) -> Iterator[str]:
    """A chat answer as server-sent events, a word each, with the usage at the end if it is given."""

    def event(**fields) -> str:
        return f"data: {json.dumps(shared | {'object': 'chat.completion.chunk'} | fields)}\n\n"

    def choice(delta: dict, finish_reason: str | None = None) -> list[dict]:
        return [{"index": 0, "delta": delta, "finish_reason": finish_reason}]

    yield event(choices=choice({"role": "assistant", "content": ""}))
    for word in re.findall(r"\s*\S+|\s+$", answer.content):
        yield event(choices=choice({"content": word}))
    yield event(choices=choice({}, answer.finish_reason))
    if usage:
        yield event(choices=[], usage=usage)
    yield "data: [DONE]\n\n"
