"""Reading a file from where it is configured: a local path, http(s) or S3."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import fsspec
import httpx

from funathon.errors import FunathonError, without_secrets
from funathon.waiting import in_background

TIMEOUT = httpx.Timeout(10, connect=5)
"""Seconds to wait for the next bytes of a file server."""
WORD = 10.0
"""Seconds after which a reader is told that a file has not come yet, and again after so many more."""
LIMIT = 120.0
"""Seconds that reading one file takes at most, whatever trickles in."""
WITHOUT_DEFAULT = ("REGISTER_URL", "REGISTER_TEST_URL")
"""Settings for which the course ships no file."""

Read = TypeVar("Read")


class Unreachable(FunathonError):
    """A file that is not there, may not be read, or whose place does not answer."""


def is_remote(url: str) -> bool:
    """Whether a file lies behind an address, and not at a path of this machine."""
    return "://" in url


def ending_of(url: str) -> str:
    """The ending of a file's name, in lower case and without its dot, with `.gz` if it has that as well: `csv`, `csv.gz`.

    That of an address is the ending of its path, whatever follows `?`: `https://host/labels.parquet?Signature=a.b` is parquet.
    Empty when there is none.
    """
    path = url
    if is_remote(url):
        try:
            path = unquote(urlsplit(url).path)
        except ValueError:  # no address either
            return ""
    suffixes = [suffix.lower().removeprefix(".") for suffix in Path(path).suffixes]
    return ".".join(suffixes[-2:] if suffixes[-1:] == ["gz"] else suffixes[-1:])


def file_in(folder: str, name: str) -> str:
    """The address of a file in a folder; what follows `?` in the folder's stays at the end."""
    if not folder.startswith(("http://", "https://")):
        return f"{folder.rstrip('/')}/{name}"
    path, mark, query = folder.partition("?")
    return f"{path.rstrip('/')}/{name}{mark}{query}"


def read_bytes(url: str, variable: str) -> bytes:
    """The content of the file at `url`.

    `variable` is the setting that may name the file; if it does, the message of an error points to it. S3 wants `load_settings`
    before. What takes longer than WORD is told on standard error.

    Raises Unreachable, which shows no password or signature of the address, when the file is missing, its place does not
    answer, or it has not come after LIMIT.
    """
    # the libraries' own errors would show the whole address in a traceback
    try:
        return patiently(lambda: _read(url), url) if is_remote(url) else Path(url).read_bytes()
    except Exception as error:  # every fsspec backend raises errors of its own libraries
        raise unreachable(url, variable, error) from None


def unreachable(url: str, variable: str, error: BaseException) -> Unreachable:
    """What is told of a file at `url` that could not be read because of `error`; `variable` as in `read_bytes`."""
    setting = os.environ.get(variable)
    if setting and url.startswith(setting.partition("?")[0].rstrip("/")):
        instead = "" if variable in WITHOUT_DEFAULT else " to use the file that comes with the course"
        cure = f"Check {variable} in .env, or remove it{instead}."
    else:
        cure = "Check the path."
    if isinstance(error, FileNotFoundError):
        return Unreachable(f"There is no file {url}.", cure)
    if isinstance(error, IsADirectoryError):
        return Unreachable(f"{url} is a folder, not a file.", cure)
    if isinstance(error, PermissionError):
        return Unreachable(f"Access to {url} is refused.", cure)
    reason = str(error).strip().splitlines()
    return Unreachable(f"{url} cannot be read: {reason[0] if reason else type(error).__name__}.", cure)


def patiently(read: Callable[[], Read], url: str) -> Read:
    """What `read` returns or raises, with a word on standard error after each WORD seconds.

    Raises TimeoutError after LIMIT seconds.
    """
    done = in_background(read)
    waited = 0.0
    while waited < LIMIT:
        step = min(WORD, LIMIT - waited)
        try:
            return done.result(step)
        except TimeoutError:
            if done.done():
                raise  # it is the reader's own
            waited += step
            if waited < LIMIT:
                print(f"Still reading {without_secrets(url)} after {waited:.0f} s …", file=sys.stderr, flush=True)
    raise TimeoutError(f"it has not come within {LIMIT:.0f} seconds")


def _read(url: str) -> bytes:
    """The content of the file at an address."""
    if not url.startswith(("http://", "https://")):
        # a pattern of several files is no file: fsspec would take * and ? for one
        filesystem, path = fsspec.core.url_to_fs(url)
        with filesystem.open(path, "rb") as file:
            return file.read()
    response = httpx.get(url, timeout=TIMEOUT, follow_redirects=True)
    if response.status_code == 404:
        raise FileNotFoundError(url)
    if response.status_code in (401, 403):
        raise PermissionError(url)
    if not response.is_success:
        # httpx's own error would show the address with its signature
        raise OSError(f"the server answers {response.status_code} {response.reason_phrase}")
    return response.content


def polars_options(seconds: int) -> dict[str, str | int]:
    """What polars is told of S3 (`storage_options`), for it reads S3 itself and not through fsspec: the server at AWS_S3_ENDPOINT,
    no signature unless AWS_ACCESS_KEY_ID is set, one retry, and `seconds` for each request."""
    endpoint = os.environ.get("AWS_S3_ENDPOINT", "")
    options: dict[str, str | int] = {
        "aws_region": os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        "connect_timeout": "3s",
        "timeout": f"{seconds}s",
        "max_retries": 1,
    }
    if endpoint:
        address = endpoint if "://" in endpoint else f"https://{endpoint}"
        options |= {"aws_endpoint_url": address, "aws_allow_http": str(address.startswith("http://")).lower()}
    keys = {
        name.lower(): os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    }
    if not keys["aws_access_key_id"]:
        return options | {"aws_skip_signature": "true"}
    return options | {name: value for name, value in keys.items() if value}
