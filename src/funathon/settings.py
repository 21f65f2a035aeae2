"""The settings in `.env` and the embedded defaults that stand in for what it leaves out."""

import logging
import os
import re
import sys
import traceback
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fsspec
from dotenv import dotenv_values

from funathon.errors import FunathonError, without_secrets
from funathon.paths import DEFAULT_LABELS, DEFAULT_NACE, PRETRAINED, ROOT

ENV_FILE = ROOT / ".env"
LOCAL_MLFLOW = f"sqlite:///{ROOT / 'mlflow.db'}"
MLFLOW_FILES = "_MLFLOW_SERVER_ARTIFACT_ROOT"
"""MLflow's own name for where a local store puts the files of its runs; without it they go to `mlruns` in the folder where a program
happens to run, which for a notebook is another one than for a command."""

EMBEDDED = {"LLMLAB_API_KEY": "embedded", "EMBEDDING_MODEL": "all-MiniLM-L6-v2", "CHAT_MODEL": "offline-stand-in"}
"""What `funathon.endpoint.server.ensure_endpoint` sets beside LLMLAB_URL; the key tells its settings from a learner's own."""

DEFAULTS = {
    "LABELS_URL": str(DEFAULT_LABELS),
    "NACE_URL": str(DEFAULT_NACE),
    "PRETRAINED_URL": str(PRETRAINED),
    "MLFLOW_TRACKING_URI": LOCAL_MLFLOW,
    MLFLOW_FILES: str(ROOT / "mlruns"),
    "QDRANT_PATH": str(ROOT / "qdrant"),
    # one retry and short waits: a tracking server that is down is noticed in seconds instead of minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # the first run on a new store would print how its tables are made
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""What a variable is set to when `.env` and the environment leave it out."""

PATHS = ("LABELS_URL", "NACE_URL", "PRETRAINED_URL", "REGISTER_URL", "REGISTER_TEST_URL", "QDRANT_PATH")
"""Variables that can hold a path of this machine."""

KNOWN = {
    "LABELS_URL": "labels to learn from (parquet; path, https or s3)",
    "NACE_URL": "nomenclature (tsv with the columns of Eurostat's file)",
    "PRETRAINED_URL": "folder of the pretrained model",
    "REGISTER_URL": "a register of your own to train on (parquet, csv …; path, https or s3)",
    "REGISTER_TEST_URL": "the part of that register to measure on",
    "REGISTER_TEXT": "its columns of texts, with commas between them",
    "REGISTER_CODE": "its column of codes",
    "AWS_S3_ENDPOINT": "S3 server",
    "AWS_ACCESS_KEY_ID": "S3 credentials",
    "AWS_SECRET_ACCESS_KEY": "S3 credentials",
    "AWS_SESSION_TOKEN": "S3 credentials",
    "AWS_DEFAULT_REGION": "S3 region",
    "MLFLOW_TRACKING_URI": "MLflow server",
    "MLFLOW_TRACKING_USERNAME": "MLflow credentials",
    "MLFLOW_TRACKING_PASSWORD": "MLflow credentials",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "retries when MLflow does not answer",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "seconds to wait for MLflow",
    "MLFLOW_LOGGING_LEVEL": "how much MLflow says (DEBUG, INFO, WARNING)",
    "MLFLOW_DISABLE_TELEMETRY": "whether MLflow reports its use to its makers",
    "QDRANT_URL": "Qdrant server",
    "QDRANT_API_KEY": "Qdrant credentials",
    "QDRANT_API_PORT": "port of the Qdrant server",
    "QDRANT_PATH": "folder of the local vector database",
    "LLMLAB_URL": "OpenAI-compatible endpoint, ending in /v1",
    "LLMLAB_API_KEY": "credentials of the endpoint",
    "EMBEDDING_MODEL": "name of the embedding model",
    "CHAT_MODEL": "name of the chat model",
    "ANNOTATORS": "names of chat models that vote in `funathon recode`, with commas between them",
    "FUNATHON_REPOSITORY": "address of the repository that the buttons of the site open",
}
"""The variables the course reads, and what each is for."""


KEYS_OF = {"LLMLAB_URL": "LLMLAB_API_KEY", "QDRANT_URL": "QDRANT_API_KEY"}
"""The key that goes with an address, sent in a header as it is."""
SHOWN = (*KEYS_OF, "AWS_S3_ENDPOINT")
"""Addresses that chapters and libraries show."""


def load_settings() -> None:
    """Read `.env` at the root of the project into the environment, fill in the embedded defaults, and tell fsspec about S3.

    A relative path in `.env` starts at the folder of `.env`, wherever the program runs. The S3 server is AWS_S3_ENDPOINT (SSP
    Cloud writes it without https://). Access is anonymous unless AWS_ACCESS_KEY_ID is set. With this, `fsspec.open("s3://…")`
    works without further arguments. Tracebacks and logs show no secrets from then on.

    Raises FunathonError when `.env` is no text in UTF-8, or a value cannot be used or would show a secret; whatever else is in
    it counts all the same.
    """
    for name, value in read_env().items():
        if name in PATHS and value and "://" not in value:
            # notebooks run in a folder of their own
            value = str(ENV_FILE.parent / value)
        if value is not None:
            os.environ[name] = value
    for name, value in DEFAULTS.items():
        if not os.environ.get(name):
            os.environ[name] = value
    configure_fsspec()
    hide_secrets_in_tracebacks()
    hide_secrets_in_logs()
    take_login_out("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    for name in KEYS_OF.values():
        refuse_unsendable(name)
    for name in SHOWN:
        refuse_secrets_in_address(name)


def read_env() -> dict[str, str | None]:
    """What `.env` says: names and values.

    Raises FunathonError when it is no text in UTF-8.
    """
    try:
        text = ENV_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except ValueError:
        text = "\0"
    except OSError as error:
        raise FunathonError(f".env cannot be read ({error.strerror}).", "Make it a file that you may read.") from None
    if "\0" in text:  # other encodings have NUL in them, and a variable cannot
        raise FunathonError(".env is not plain text in UTF-8.", "Save it as UTF-8, or copy .env.example again.")
    return dotenv_values(stream=StringIO(text))


def configure_fsspec() -> None:
    """Tell fsspec where S3 is and who asks, and how long to wait for S3 and web servers.

    s3fs tries five times, so that a silent server is given up after five times 2.4 seconds.
    """
    patience = {"connect_timeout": 2.4, "read_timeout": 2.4, "retries": {"total_max_attempts": 1}}
    s3: dict = {"anon": not os.environ.get("AWS_ACCESS_KEY_ID"), "config_kwargs": patience}
    endpoint = os.environ.get("AWS_S3_ENDPOINT")
    if endpoint:
        s3["endpoint_url"] = endpoint if "://" in endpoint else f"https://{endpoint}"
    fsspec.config.conf["s3"] = s3
    import aiohttp  # what fsspec reads web addresses with

    timeout = aiohttp.ClientTimeout(total=120, sock_connect=5, sock_read=10)
    for scheme in ("http", "https"):
        fsspec.config.conf[scheme] = {"client_kwargs": {"timeout": timeout}}


def hide_secrets_in_tracebacks() -> None:
    """Let the tracebacks of this program, or of this notebook, go through `without_secrets`: libraries put whole addresses and
    headers into their errors."""

    def show(kind, error, tail) -> None:
        print(without_secrets("".join(traceback.format_exception(kind, error, tail))), end="", file=sys.stderr)

    sys.excepthook = show
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or getattr(shell, "hides_secrets", False):
        return
    original = shell._showtraceback  # what each frontend shows tracebacks with

    def show_in_notebook(kind, error, lines: list[str]) -> None:
        original(kind, without_secrets(str(error)), [without_secrets(line) for line in lines])

    shell._showtraceback, shell.hides_secrets = show_in_notebook, True


def hide_secrets_in_logs() -> None:
    """Let what libraries log go through `without_secrets`, whoever has turned their logs on: httpx logs each address."""
    original = logging.getLogRecordFactory()
    if getattr(original, "hides_secrets", False):
        return

    def make_record(*args, **kwargs) -> logging.LogRecord:
        record = original(*args, **kwargs)
        try:
            said = record.getMessage()
        except Exception:  # a message that does not fit its arguments is the handler's to complain about
            return record
        record.msg, record.args = without_secrets(said), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = without_secrets("".join(traceback.format_exception(*record.exc_info))).rstrip("\n")
        return record

    make_record.hides_secrets = True
    logging.setLogRecordFactory(make_record)


def take_login_out(address: str, user: str, password: str) -> None:
    """Move `user:password@` from the address in one variable to two others: libraries print the address."""
    parts = split_address(address)
    if parts is None or "@" not in parts.netloc:
        return
    login, _, host = parts.netloc.rpartition("@")
    name, _, secret = login.partition(":")
    os.environ[address] = parts._replace(netloc=host).geturl()
    os.environ[user], os.environ[password] = unquote(name), unquote(secret)


def refuse_unsendable(name: str) -> None:
    """Raise FunathonError when a key cannot stand in the header of a request; libraries would show it in their error."""
    value = os.environ.get(name, "")
    if not all("!" <= character <= "~" for character in value):
        raise FunathonError(
            f"{name} holds a blank, a line break or a letter that no key has.",
            "Copy the key again, in one line and without quotes.",
        )


def refuse_secrets_in_address(name: str) -> None:
    """Raise FunathonError when an address that chapters show holds a login or a query."""
    parts = split_address(name)
    if parts is not None and ("@" in parts.netloc or parts.query):
        raise FunathonError(
            f"{name} holds a user name, a password or a query (?), which notebooks and pages would show.",
            f"Write the address alone{f', and the key in {KEYS_OF[name]}' if name in KEYS_OF else ''}.",
        )


def split_address(name: str):
    """The parts of the web address in a variable; None when it holds none."""
    value = os.environ.get(name, "")
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") else None


def is_configured(name: str) -> bool:
    """Whether a variable is set to something else than its embedded default."""
    if name in ("LLMLAB_URL", *EMBEDDED) and os.environ.get("LLMLAB_API_KEY") == EMBEDDED["LLMLAB_API_KEY"]:
        return False
    value = os.environ.get(name)
    return bool(value) and value != DEFAULTS.get(name)


@dataclass(frozen=True)
class EnvProblem:
    """Something odd in a `.env` file: which variable, what, and how to mend it. Never a value."""

    name: str
    problem: str
    cure: str


def env_problems(path: Path = ENV_FILE) -> list[EnvProblem]:
    """What is odd in a `.env` file: quotes, spaces around `=`, unknown or empty variables, lines that are no assignment."""
    if not path.is_file():
        return []
    problems, names = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)(\s*)=(\s*)(.*)$", line)
        if not match:
            problems.append(EnvProblem(f"line {number}", "is no assignment", "Write NAME=value."))
            continue
        name, before, after, value = match.groups()
        names.append(name)
        value = value.strip()
        if before or (after and value):
            problems.append(EnvProblem(name, "has spaces around '='", f"Write {name}=value without spaces."))
        if not value:
            problems.append(EnvProblem(name, "is empty", "Give it a value, or remove the line to use the embedded default."))
        if value[:1] in ("'", '"', "«", "“"):
            problems.append(EnvProblem(name, "has quotes around its value", "Remove the quotes."))
        if name not in KNOWN:
            problems.append(EnvProblem(name, "is not a variable of the course", closest(name)))
    return problems + [EnvProblem(name, "stands there twice", "Keep one line.") for name, n in Counter(names).items() if n > 1]


def closest(name: str) -> str:
    """A cure for an unknown variable: the known one it resembles, if any."""
    from difflib import get_close_matches

    near = get_close_matches(name, KNOWN, n=1)
    return f"Did you mean {near[0]}?" if near else "See .env.example for those it has."
