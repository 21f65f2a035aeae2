"""Telling a service that is gone from a wrong answer: by the error that a client raises, and at once."""

import contextlib
import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from funathon.errors import FunathonError
from funathon.holders import database_holder
from funathon.services import SERVICES
from funathon.settings import is_configured

LONGEST = 5
"""Seconds in which a service has to take a connection while a check runs; clients left alone wait for minutes."""
UNREACHED = {
    *("openai.APIConnectionError", "httpx.TransportError", "httpcore.NetworkError", "httpcore.TimeoutException"),
    *("qdrant_client.ResponseHandlingException", "requests.ConnectionError", "requests.Timeout", "aiohttp.ClientConnectionError"),
    *("urllib3.HTTPError", "urllib.URLError", "botocore.HTTPClientError", "builtins.ConnectionError", "socket.gaierror"),
}
"""Errors that clients raise when nobody answers: package and class, subclasses included."""
REFUSED = {
    "openai.APIStatusError",
    "qdrant_client.UnexpectedResponse",
    "mlflow.MlflowException",
    "requests.HTTPError",
    "httpx.HTTPStatusError",
}
"""Errors that carry the status of an answer."""
OF_PACKAGE = {"openai": "LLMLAB_URL", "qdrant_client": "QDRANT_URL", "mlflow": "MLFLOW_TRACKING_URI"}
"""The variable that says where the service of a client's package is."""
STATUSES = {401: "refuses the credentials", 403: "refuses the credentials", 429: "has too much to do (429)"}


class ServiceGone(BaseException):
    """Nobody took the connection to a service of the course. No `Exception`, so that no client tries again and no answer's own
    `except Exception` makes a row of it."""

    def __init__(self, host: str, port: int) -> None:
        self.place = (host, port)
        super().__init__(f"{host}:{port} takes no connection")


@contextlib.contextmanager
def failing_fast() -> Iterator[None]:
    """Within it, a service that the settings name and that takes no connection raises ServiceGone at once.

    Other addresses are left alone: a question may well ask to try a server that does not exist.
    """
    original = socket.create_connection

    def connect(address, timeout=None, *args, **kwargs):
        if tuple(address[:2]) not in places():
            return original(address, timeout, *args, **kwargs)
        try:
            return original(address, min(timeout, LONGEST) if isinstance(timeout, (int, float)) else LONGEST, *args, **kwargs)
        except OSError as error:
            raise ServiceGone(*address[:2]) from error

    socket.create_connection = connect
    try:
        yield
    finally:
        socket.create_connection = original


def places() -> dict[tuple[str, int], str]:
    """Host and port of each service on the network that the settings name, and the variable that names it."""
    found = {}
    for service in SERVICES:
        variable = service.variables[0]
        place = place_of(os.environ.get(variable, ""), os.environ.get("QDRANT_API_PORT") if variable == "QDRANT_URL" else None)
        if place:
            found.setdefault(place, variable)
    return found


def place_of(address: str, port: str | None = None) -> tuple[str, int] | None:
    """Host and port of a web address; None for anything else. `port` counts where the address names none."""
    try:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return parts.hostname, parts.port or int(port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        return None


def outage(error: BaseException) -> str | None:
    """What is to be told of a service, if an error came about because it does not answer: which one, what happened, the cure.

    None for any other error.
    """
    chain = causes(error)
    for one in chain:
        if isinstance(one, ServiceGone):
            return told(places().get(one.place), one.place, "does not answer")
    place = next((found for one in chain if (found := place_of(str(getattr(getattr(one, "request", None), "url", ""))))), None)
    names = {name for one in chain for name in names_of(one)}
    package = next((name.split(".")[0] for one in chain for name in names_of(one) if name.split(".")[0] in OF_PACKAGE), "")
    variable = places().get(place) if place else OF_PACKAGE.get(package)
    status = next((found for one in chain if names_of(one) & REFUSED and (found := status_of(one))), None)
    if status in STATUSES or (status or 0) >= 500:
        return told(variable, place, STATUSES.get(status, f"fails ({status})"))
    if status is None and names & UNREACHED:
        slow = any("timeout" in type(one).__name__.lower() for one in chain)
        return told(variable, place, "does not answer in time" if slow else "does not answer")
    return None


def causes(error: BaseException) -> list[BaseException]:
    """An error and those it came from, the last first."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or one in chain:
            continue
        chain.append(one)
        waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__]
    return chain


def names_of(error: BaseException) -> set[str]:
    """Package and class of an error and of the classes it derives from."""
    return {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}


def status_of(error: BaseException) -> int | None:
    """The status of the answer that an error carries, if any."""
    if hasattr(error, "get_http_status_code"):  # MLflow's, which knows a status for errors of its own making too
        return error.get_http_status_code() if type(error).__name__ == "RestException" else None
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def told(variable: str | None, place: tuple[str, int] | None, what: str) -> str:
    """One line that names the service and the cure; the address is told without what it may hold of secrets."""
    where = f" ({place[0]}:{place[1]})" if place else ""
    if variable is None:
        known = " or ".join(f"`{name}`" for name in dict.fromkeys(places().values()))
        wanted = f" Make its client again from {known}." if known else ""
        return f"nobody answers at the address that a client asks{where}, and no variable names it.{wanted}"
    if variable == "LLMLAB_URL" and not is_configured(variable):
        return f"the embedded endpoint{where} {what}. Run `ensure_endpoint()` again, then this cell."
    return f"the service at `{variable}`{where} {what}. `uv run funathon doctor` says more."


def mendable(error: BaseException) -> str | None:
    """One line for an error that no code of the cell is to blame for: an error of the course, a local database that is open
    elsewhere, a service that is gone. None for any other."""
    if isinstance(error, FunathonError):
        return str(error)
    holder = database_holder(error)
    if not holder:
        return outage(error)
    return (
        f"{holder} has this local vector database open. To free it, shut down that notebook's kernel (in JupyterLab under "
        "'Running Terminals and Kernels', in VS Code by closing the notebook), or call close() on the client there. "
        "Then run this cell again; this kernel need not be restarted."
    )
