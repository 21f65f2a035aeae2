"""What stands before the application: only programs of this machine ask it, in requests of a bearable size, and without
keeping connections open for nothing."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from funathon.endpoint.errors import error_answer

MOST_BYTES = 16 * 2**20
"""Size of the largest request that is read."""
SECONDS_TO_ASK = 30.0
"""Seconds in which a connection must have sent the head of a request, and then again its body."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def host_in(address: str) -> str | None:
    """The name of the host in an address such as `http://localhost:8888`, in lower case; None when there is none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


class OnlyThisMachine:
    """Refuses requests under another name than one of this machine's (the header Host), and from pages of other sites (Origin).

    The server listens on this machine only, but a web page in a browser of this machine could ask it: by a name of the page's
    own that is made to lead here ("DNS rebinding"), or across sites.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it with 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, address in self.addresses(scope):
            if host_in(address) not in LOOPBACK:
                refusal = error_answer(
                    403, f"{name} {address[:80]!r} is not this machine: ask http://127.0.0.1 or http://localhost."
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    @staticmethod
    def addresses(scope: Scope) -> Iterator[tuple[str, str]]:
        """The addresses in a request's Host and Origin."""
        for name, value in scope["headers"]:
            if name == b"host":
                yield "The host", f"http://{value.decode('latin-1')}"
            elif name == b"origin":
                yield "The origin", value.decode("latin-1")


class LimitedBody:
    """Refuses requests above MOST_BYTES with 413, whether they tell their length or not, and those whose body does not come
    with 408."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body read whole, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        messages: list[Message] = []
        size, more = 0, True
        while more:
            try:
                message = await asyncio.wait_for(receive(), SECONDS_TO_ASK)
            except TimeoutError:
                refusal = error_answer(408, f"The request was not complete within {SECONDS_TO_ASK:g} seconds.")
                refusal.headers["Connection"] = "close"
                await refusal(scope, receive, send)
                return
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


class ImpatientProtocol(AutoHTTPProtocol):
    """uvicorn's protocol, which closes a connection a few seconds after an answer, and here also one that asks nothing.

    Once a connection is there, and again once a further request has begun, its head must come within SECONDS_TO_ASK.
    """

    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Read on, and wait no longer once the head of a request is there."""
        super().data_received(data)
        self.wait_for_request()

    def connection_lost(self, error: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(error)
        self.stop_waiting()

    @property
    def is_asked(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def wait_for_request(self) -> None:
        """Start the timer unless it runs or a request is there."""
        if self.is_asked:
            self.stop_waiting()
        elif self.timer is None and not self.transport.is_closing():
            self.timer = self.loop.call_later(SECONDS_TO_ASK, self.give_up)

    def stop_waiting(self) -> None:
        """Stop the timer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def give_up(self) -> None:
        """Close the connection that has not asked."""
        self.timer = None
        if not self.is_asked:
            self.transport.close()
