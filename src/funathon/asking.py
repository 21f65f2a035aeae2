"""Asking a service over http that a variable of `.env` names, and saying what is wrong with its answer."""

import os
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from funathon.errors import FunathonError
from funathon.waiting import in_background

Found = TypeVar("Found")

TIMEOUT = httpx.Timeout(10, connect=5)
"""Seconds to wait for a service's next bytes: long enough for a slow network, short enough to sit through."""
LIMIT = 14
"""Seconds to wait for a service in all."""


def web_address(variable: str) -> str:
    """The address in a variable, without the slash at its end.

    Raises FunathonError when it is not that of a web server.
    """
    value = os.environ[variable].strip().rstrip("/")
    try:
        url = httpx.URL(value)
        # httpx takes a lone bracket for part of a name
        good = url.scheme in ("http", "https") and bool(urlsplit(value).hostname)
    except (httpx.InvalidURL, ValueError):
        good = False
    if not good:
        raise FunathonError(f"{variable} is not a web address.", "Write it as https://host.")
    return value


def ask(variable: str, request: Callable[[], httpx.Response], *, credentials: str, not_found: str = "") -> httpx.Response:
    """Send a request to the service that `variable` names; raise FunathonError unless it answers with success."""
    response = reach(variable, request)
    accept(variable, response, credentials=credentials, not_found=not_found)
    return response


def reach(variable: str, request: Callable[[], httpx.Response]) -> httpx.Response:
    """What the service that `variable` names answers, whatever it is; raise FunathonError when it does not."""
    cure = f"Check {variable} in .env, or remove it to use the embedded default."
    # httpx's errors may show addresses and keys, so that none is chained to these
    try:
        return in_background(request).result(LIMIT)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise FunathonError(f"{variable} is not a web address.", "Write it as https://host.") from None
    except (httpx.TimeoutException, TimeoutError):
        raise FunathonError(f"The service at {variable} does not answer in time.", cure) from None
    except httpx.HTTPError as error:
        raise FunathonError(f"The service at {variable} cannot be reached ({error}).", cure) from None


def accept(variable: str, response: httpx.Response, *, credentials: str, not_found: str = "") -> None:
    """Raise FunathonError unless a service has answered with success."""
    cure = f"Check {variable} in .env, or remove it to use the embedded default."
    if response.status_code == 403 and re.search(r"\bhosts?\b", response.text[:1000], re.IGNORECASE):
        raise FunathonError(
            f"The service at {variable} does not answer to this name (403, {response.text.strip()[:60]!r}).",
            f"Use in {variable} the name that it knows itself by, or let it allow this one (MLflow: --allowed-hosts).",
        )
    if response.status_code in (401, 403):
        raise FunathonError(f"The service at {variable} refuses the credentials.", f"Check {credentials} in .env.")
    if response.status_code == 404:
        raise FunathonError(f"The address in {variable} leads to no such service (404).", not_found or cure)
    if response.is_redirect:
        raise FunathonError(f"The address in {variable} leads elsewhere ({response.status_code}), to a login page perhaps.", cure)
    if response.is_error:
        raise FunathonError(f"The service at {variable} answers with an error ({response.status_code}).", "Try again later.")


def read_json(response: httpx.Response, variable: str, read: Callable[[dict], Found]) -> Found:
    """What `read` finds in the JSON of an answer; raise FunathonError when it is no JSON, as from a login page, or another."""
    try:
        return read(response.json())
    except ValueError:
        cure = f"Check {variable} in .env."
        raise FunathonError(f"The address in {variable} is a web page, not the service.", cure) from None
    except (AttributeError, IndexError, KeyError, TypeError):
        raise another_service(variable) from None


def another_service(variable: str) -> FunathonError:
    """What to say when something answers that is not the service."""
    return FunathonError(f"What answers at {variable} is another service.", f"Check {variable} in .env.")


def says_in_json(answer: httpx.Response, key: str) -> bool:
    """Whether an answer is a JSON object with this key."""
    try:
        found = answer.json()
    except ValueError:
        return False
    return isinstance(found, dict) and key in found
