"""Reading a file from where it is configured: a local path, http(s) or S3."""

import os

import fsspec
import httpx

from funathon.errors import FunathonError

TIMEOUT = httpx.Timeout(60, connect=10)
"""Seconds to wait for a file server."""


def read_bytes(url: str, variable: str) -> bytes:
    """The content of the file at `url`.

    `variable` is the setting that may name the file; if it does, the message of an error points to it. S3 wants `load_settings`
    before.

    Raises FunathonError when the file is missing or its place does not answer.
    """
    setting = os.environ.get(variable)
    if setting and url.startswith(setting.rstrip("/")):
        cure = f"Check {variable} in .env, or remove it to use the file that comes with the course."
    else:
        cure = "Check the path."
    try:
        if url.startswith(("http://", "https://")):
            return _read_http(url)
        with fsspec.open(url, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise FunathonError(f"There is no file {url}.", cure) from error
    except IsADirectoryError as error:
        raise FunathonError(f"{url} is a folder, not a file.", cure) from error
    except PermissionError as error:
        raise FunathonError(f"Access to {url} is refused.", cure) from error
    except Exception as error:  # every fsspec backend raises errors of its own libraries
        reason = str(error).strip().splitlines()
        raise FunathonError(f"{url} cannot be read: {reason[0] if reason else type(error).__name__}.", cure) from error


def _read_http(url: str) -> bytes:
    response = httpx.get(url, timeout=TIMEOUT, follow_redirects=True)
    if response.status_code == 404:
        raise FileNotFoundError(url)
    response.raise_for_status()
    return response.content
