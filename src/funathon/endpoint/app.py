"""The embedded endpoint's web application: the part of OpenAI's API that the course uses, on this machine.

https://platform.openai.com/docs/api-reference describes the API. Embeddings come from all-MiniLM-L6-v2
(`funathon.minilm`), chat from the offline stand-in (`funathon.endpoint.stand_in`), which is no language model.
"""

import base64
import json
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, StrictInt, StrictStr
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from funathon.endpoint import stand_in
from funathon.settings import EMBEDDED

EMBEDDING_MODEL, CHAT_MODEL = EMBEDDED["EMBEDDING_MODEL"], EMBEDDED["CHAT_MODEL"]
MOST_BYTES = 16 * 2**20
"""Size of the largest request that is read."""
MOST_TEXTS = 2048
"""Texts in one request for embeddings, as with OpenAI."""

BATCH = 32
TURNS = threading.BoundedSemaphore(2)

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


class ApiError(Exception):
    """An answer in OpenAI's form of an error: HTTP status, message, and which parameter is at fault."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


class EmbeddingRequest(BaseModel):
    """Body of `/v1/embeddings`."""

    model: str
    input: StrictStr | list[StrictStr] | list[StrictInt] | list[list[StrictInt]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class TextPart(BaseModel):
    """A piece of a message; other kinds than text are refused."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    """The schema that an answer must have."""

    name: str
    schema_: Annotated[dict, Field(alias="schema")] = {}


class ResponseFormat(BaseModel):
    """What the answer looks like: free text, any JSON object, or JSON of a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(BaseModel):
    """Whether a stream ends with the number of tokens."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """Body of `/v1/chat/completions`. Parameters that steer how a language model samples are accepted and mean nothing."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    response_format: ResponseFormat | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1, None] = None
    tools: Annotated[list | None, Field(max_length=0)] = None


class Loader:
    """MiniLM, loaded in a thread of its own, so that the server answers while it loads."""

    def __init__(self) -> None:
        self.error: str | None = None
        self._done = threading.Event()
        threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        try:
            import torch

            from funathon import minilm

            torch.set_num_threads(2)
            minilm.embed(["a first text, so that the next takes no longer than any other"])
            stand_in.load()
        except Exception as error:  # whatever it is, it is told to each client and by /health
            self.error = str(error)
        self._done.set()

    @property
    def ready(self) -> bool:
        """Whether embeddings can be computed now."""
        return self._done.is_set() and self.error is None

    def wait(self) -> None:
        """Wait until the model is there; raise ApiError when it cannot be loaded."""
        self._done.wait()
        if self.error:
            raise ApiError(500, f"The embedding model cannot be loaded: {self.error}")


def embed(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of texts, float32 array of shape (texts, 384).

    Texts of like length go together, BATCH at a time, and requests take turns after each batch: a short one does not wait
    for a long one to end, and few batches are in memory at once.
    """
    from funathon import minilm

    order = np.argsort([len(text) for text in texts], kind="stable")
    vectors = np.empty((len(texts), minilm.DIMENSIONS), dtype=np.float32)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        with TURNS:
            vectors[chosen] = minilm.embed([texts[i] for i in chosen])
    return vectors


def count_tokens(texts: Sequence[str], *, cut: bool) -> int:
    """Number of MiniLM's tokens in the texts; with `cut`, only those that an embedding reads (256 a text)."""
    from funathon.minilm import sentence_tokenizer

    encodings = sentence_tokenizer().encode_batch(list(texts))
    beyond = 0 if cut else sum(len(rest.ids) for encoding in encodings for rest in encoding.overflowing)
    return sum(len(encoding.ids) for encoding in encodings) + beyond


def make_app(identity: dict) -> FastAPI:
    """The application. `/health` answers `identity` and whether the model is loaded."""
    created = int(time.time())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loader = Loader()
        app.state.passages = stand_in.Passages(embed)
        yield

    app = FastAPI(title="funathon embedded endpoint", lifespan=lifespan, openapi_url=None)
    app.add_middleware(LimitedBody)

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
        content = stand_in.answer([(message.role, message.text) for message in body.messages], wanted, app.state.passages)
        prompt_tokens = count_tokens([message.text for message in body.messages], cut=False)
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

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        return error_answer(error.status, error.message, error.param, error.code)

    @app.exception_handler(RequestValidationError)
    async def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"] if part != "body")
        return error_answer(400, f"{param or 'The body'}: {first['msg']}.", param or None)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        message = str(error.detail)
        if error.status_code == 404:
            message = f"There is no {request.url.path} here. The base URL of this endpoint ends in /v1."
        return error_answer(error.status_code, message)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return error_answer(500, f"The embedded endpoint failed ({type(error).__name__}); its log tells more.")

    return app


def error_answer(status: int, message: str, param: str | None = None, code: str | None = None) -> JSONResponse:
    """An error as OpenAI's API writes it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status_code=status)


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


def encoded(vector: np.ndarray, encoding: str) -> list[float] | str:
    """A vector as a list of numbers, or as base64 of its little-endian float32 bytes."""
    if encoding == "float":
        return vector.tolist()
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


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


class LimitedBody:
    """Refuses requests above MOST_BYTES with 413, whether they tell their length or not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        messages: list[Message] = []
        size, more = 0, True
        while more:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if size > MOST_BYTES:
                refusal = error_answer(413, f"The request is larger than {MOST_BYTES // 2**20} MiB; send fewer texts at a time.")
                await refusal(scope, receive, send)
                return
        replay = iter(messages)

        async def replayed() -> Message:
            message = next(replay, None)
            return message if message is not None else await receive()

        await self.app(scope, replayed, send)
