"""An OpenAI-compatible server on localhost whose chat fails as it is told to; models and embeddings are those of the embedded
endpoint.

    with fault_server() as server:
        client = OpenAI(base_url=server.url, api_key="any", max_retries=0)
        server.chat = says("no JSON at all")
        server.chat = refuses(429, retry_after=1, times=2)   # then it answers as the embedded endpoint does
        server.chat = waits(5)                               # seconds; waits() never answers
"""

import asyncio
import contextlib
import threading
import time

import uvicorn
from starlette.responses import JSONResponse, Response

from funathon.endpoint.app import make_app
from funathon.endpoint.errors import error_answer
from funathon.endpoint.guards import ImpatientProtocol
from funathon.endpoint.server import listen


class FaultServer:
    """What the server does with chat requests, and what it has seen: `requests` counts them, `most_at_once` says how many
    were open at one time."""

    def __init__(self, app):
        self.app = app
        self.chat = None
        self.url = ""
        self.requests = 0
        self.open = 0
        self.most_at_once = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].endswith("/chat/completions"):
            await self.app(scope, receive, send)
            return
        self.requests += 1
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            answer = await self.chat(receive) if self.chat else None
            await (answer or self.app)(scope, receive, send)
        finally:
            self.open -= 1


def says(content, **message):
    """Answer with this content (a text, or None), whatever was asked; `message` has further fields of the message."""

    async def chat(receive):
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": None} | message,
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return JSONResponse(
            {
                "id": "x",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": "offline-stand-in",
                "choices": [choice],
                "usage": usage,
            }
        )

    return chat


def refuses(status, *, retry_after=None, times=None):
    """Answer with an error, the first `times` times (None: always)."""
    left = [float("inf") if times is None else times]

    async def chat(receive):
        if left[0] <= 0:
            return None
        left[0] -= 1
        answer = error_answer(status, f"told to answer {status}")
        if retry_after is not None:
            answer.headers["Retry-After"] = str(retry_after)
        return answer

    return chat


def breaks(body=b"<html>Bad gateway</html>", media_type="text/html"):
    """Answer with something that is no JSON, as a proxy does; of a wrong media type too, if it is application/json."""

    async def chat(receive):
        return Response(body, media_type=media_type)

    return chat


def waits(seconds=None):
    """Answer as the embedded endpoint does after so many seconds; None: never."""

    async def chat(receive):
        if seconds is None:
            while (await receive())["type"] != "http.disconnect":
                pass
            return error_answer(500, "nobody reads this")
        await asyncio.sleep(seconds)
        return None

    return chat


@contextlib.contextmanager
def fault_server():
    """Run the server in a thread; yield it with its `url`."""
    server = FaultServer(make_app({}))
    runner = uvicorn.Server(uvicorn.Config(server, http=ImpatientProtocol, log_level="warning", timeout_graceful_shutdown=1))
    listener = listen(0)
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not runner.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        yield server
    finally:
        runner.should_exit = True
        thread.join(10)
