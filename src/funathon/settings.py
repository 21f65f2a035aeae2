"""The settings in `.env` and the embedded defaults that stand in for what it leaves out."""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import fsspec
from dotenv import dotenv_values

from funathon.errors import FunathonError
from funathon.paths import DEFAULT_LABELS, DEFAULT_NACE, PRETRAINED, ROOT

ENV_FILE = ROOT / ".env"
LOCAL_MLFLOW = f"sqlite:///{ROOT / 'mlflow.db'}"

EMBEDDED = {"LLMLAB_API_KEY": "embedded", "EMBEDDING_MODEL": "all-MiniLM-L6-v2", "CHAT_MODEL": "offline-stand-in"}
"""What `funathon.endpoint.server.ensure_endpoint` sets beside LLMLAB_URL; the key tells its settings from a learner's own."""

DEFAULTS = {
    "LABELS_URL": str(DEFAULT_LABELS),
    "NACE_URL": str(DEFAULT_NACE),
    "PRETRAINED_URL": str(PRETRAINED),
    "MLFLOW_TRACKING_URI": LOCAL_MLFLOW,
    "QDRANT_PATH": str(ROOT / "qdrant"),
    # one retry and short waits: a tracking server that is down is noticed in seconds instead of minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # the first run on a new store would print how its tables are made
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""What a variable is set to when `.env` and the environment leave it out."""

PATHS = ("LABELS_URL", "NACE_URL", "PRETRAINED_URL", "QDRANT_PATH")
"""Variables that can hold a path of this machine."""

KNOWN = {
    "LABELS_URL": "labels to learn from (parquet; path, https or s3)",
    "NACE_URL": "nomenclature (tsv with the columns of Eurostat's file)",
    "PRETRAINED_URL": "folder of the pretrained model",
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
    "FUNATHON_REPOSITORY": "address of the repository that the buttons of the site open",
}
"""The variables the course reads, and what each is for."""


def load_settings() -> None:
    """Read `.env` at the root of the project into the environment, fill in the embedded defaults, and tell fsspec about S3.

    A relative path in `.env` starts at the folder of `.env`, wherever the program runs. The S3 server is AWS_S3_ENDPOINT (SSP
    Cloud writes it without https://). Access is anonymous unless AWS_ACCESS_KEY_ID is set. With this, `fsspec.open("s3://…")`
    works without further arguments.

    Raises FunathonError when `.env` is no text in UTF-8.
    """
    try:
        written = dotenv_values(ENV_FILE)
    except ValueError as error:
        raise FunathonError(".env is not plain text in UTF-8.", "Save it as UTF-8, or copy .env.example again.") from error
    for name, value in written.items():
        if name in PATHS and value and "://" not in value:
            # notebooks run in a folder of their own
            value = str(ENV_FILE.parent / value)
        if value is not None:
            os.environ[name] = value
    for name, value in DEFAULTS.items():
        if not os.environ.get(name):
            os.environ[name] = value
    s3: dict = {"anon": not os.environ.get("AWS_ACCESS_KEY_ID"), "config_kwargs": {"connect_timeout": 10, "read_timeout": 60}}
    endpoint = os.environ.get("AWS_S3_ENDPOINT")
    if endpoint:
        s3["endpoint_url"] = endpoint if "://" in endpoint else f"https://{endpoint}"
    fsspec.config.conf["s3"] = s3


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
