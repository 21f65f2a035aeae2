"""Reading what an OpenAI-compatible endpoint sends back, when it may be something else."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from openai import OpenAIError

Response = TypeVar("Response")
Read = TypeVar("Read")


class UnreadableResponse(OpenAIError):
    """A response that says it is a success and is none, such as the web page of a proxy that wants a login."""


async def read_response(request: Awaitable[Response], read: Callable[[Response], Read]) -> Read:
    """What `read` finds in the response to a request.

    The client hands on a web page as a text, a JSON value of another form as it is, and fails to decode a page that is called
    JSON; none of this is an error of its own kind (seen with openai 2).

    Raises UnreadableResponse for all of it.
    """
    try:
        return read(await request)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise UnreadableResponse("the endpoint answers, but not as OpenAI's interface does; a proxy in between?") from error
