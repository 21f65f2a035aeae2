"""The chat model at the endpoint, asked for a choice among candidates in JSON; endpoints differ in what they take."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass

import openai
from openai import AsyncOpenAI

from funathon.errors import FunathonError, without_secrets
from funathon.rag.adapting import REFUSALS, with_less
from funathon.rag.answers import NaceAnswer
from funathon.rag.responses import read_response

PATIENCE = 60.0
"""Seconds to wait for an answer before the request counts as failed and is sent again."""
RETRIES = 4
"""Times that a request is sent again after a 429, a 5xx or no answer; the client waits in between, as long as Retry-After says."""
CHATS_AT_ONCE = 8
"""Requests to the chat model under way at a time."""
TOLD_FROM = 20
"""Answers from which on a mean of their tokens is told."""


def make_client() -> AsyncOpenAI:
    """A client of the endpoint at LLMLAB_URL that waits PATIENCE and tries RETRIES times again."""
    return AsyncOpenAI(
        base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=PATIENCE, max_retries=RETRIES
    )


@dataclass
class Tokens:
    """What the answers so far have cost, where the endpoint says it: numbers of answers and of tokens."""

    answers: int = 0
    read: int = 0
    written: int = 0

    def add(self, usage: object) -> None:
        """Count an answer with the `usage` that came with it, which some endpoints leave out."""
        read, written = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
        if isinstance(read, int) and isinstance(written, int):
            self.answers, self.read, self.written = self.answers + 1, self.read + read, self.written + written

    def mean(self) -> str:
        """The mean in words; empty before there are TOLD_FROM answers."""
        if self.answers < TOLD_FROM:
            return ""
        return f"{self.read / self.answers:,.0f} tokens in, {self.written / self.answers:,.0f} out a text"


class Generator:
    """The chat model at the endpoint, asked for JSON of the schema of NaceAnswer, at the temperature 0.

    What an endpoint refuses (400 or 422) it is not asked for again, as soon as it has answered without: a temperature, which some
    models have fixed, a JSON schema, any promise of JSON.
    """

    def __init__(self, client: AsyncOpenAI) -> None:
        self.tokens = Tokens()
        self._client = client
        self._at_once = asyncio.Semaphore(CHATS_AT_ONCE)
        schema = {
            "name": "NaceAnswer",
            "strict": True,
            "schema": openai.pydantic_function_tool(NaceAnswer)["function"]["parameters"],
        }
        self._options: dict = {"temperature": 0, "response_format": {"type": "json_schema", "json_schema": schema}}

    async def ask(self, messages: Sequence[dict[str, str]]) -> str | list | None:
        """The content of the answer to a conversation: a text, or with some endpoints a list of parts."""
        async with self._at_once:
            options = self._options
            first = None
            while True:
                try:
                    content = await self._send(messages, options)
                except REFUSALS as error:
                    first = first or error
                    less = with_less(options, str(error))
                    if less is None:
                        # the first refusal says what is wrong with the request itself
                        raise first from None
                    options = less
                else:
                    if first is not None:
                        self._options = options
                    return content

    async def _send(self, messages: Sequence[dict[str, str]], options: dict) -> str | list | None:
        request = self._client.chat.completions.create(model=os.environ["CHAT_MODEL"], messages=messages, **options)

        def read(answer) -> str | list | None:
            content = answer.choices[0].message.content
            self.tokens.add(getattr(answer, "usage", None))
            return content

        return await read_response(request, read)


def failure_of(error: openai.OpenAIError) -> tuple[str, str]:
    """How a request failed, in one or two words and in the server's.

    Raises FunathonError instead when every other request would fail as well: wrong credentials, wrong address or model.
    """
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        raise FunathonError(
            f"The endpoint at LLMLAB_URL refuses the credentials ({error.status_code}).",
            "Check LLMLAB_API_KEY in .env. What was finished is kept.",
        ) from error
    if isinstance(error, openai.NotFoundError):
        raise FunathonError(
            f"The endpoint at LLMLAB_URL does not know what it is asked for (404: {shorten(error.message)}).",
            "Check CHAT_MODEL and EMBEDDING_MODEL in .env, and that LLMLAB_URL ends in /v1.",
        ) from error
    if isinstance(error, openai.APIStatusError):
        return f"HTTP {error.status_code}", shorten(error.message)
    if isinstance(error, openai.APITimeoutError):
        return "no answer in time", f"within {PATIENCE:g} s, {RETRIES + 1} times"
    if isinstance(error, openai.APIConnectionError):
        return "no connection", shorten(str(error.__cause__ or error))
    return "unreadable response", shorten(str(error))


def shorten(text: str, most: int = 200) -> str:
    """A text on one line, cut to `most` characters and without secrets: it is kept in the file of results."""
    line = without_secrets(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"
