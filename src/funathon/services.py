"""Whether each need of the course stands on the embedded default or on `.env`, and whether what is configured works."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import split_labels
from funathon.errors import FunathonError
from funathon.paths import ROOT
from funathon.settings import EMBEDDED, LOCAL_MLFLOW, is_configured
from funathon.supervised.pretrained import read_manifest

Found = TypeVar("Found")

TIMEOUT = httpx.Timeout(10, connect=5)
"""Seconds to wait for a service: long enough for a slow network, short enough to sit through."""


@dataclass(frozen=True)
class Service:
    """One need: the variables that configure it, the first of which says where it is, a check that returns what it found or
    raises FunathonError, and the words by which one sees that a chapter needs it."""

    name: str
    variables: tuple[str, ...]
    check: Callable[[], str]
    words: tuple[str, ...]

    @property
    def configured(self) -> bool:
        """Whether `.env` or the environment names the service."""
        return is_configured(self.variables[0])

    def is_needed_by(self, source: str) -> bool:
        """Whether a chapter with this source uses it."""
        return any(word in source for word in self.words)


def check_labels() -> str:
    """Read and validate the labels at LABELS_URL, and split them."""
    labels = read_labels(os.environ["LABELS_URL"])
    split_labels(labels)
    return f"{len(labels):,} labels of {labels['code'].n_unique()} classes"


def check_nomenclature() -> str:
    """Read the nomenclature at NACE_URL."""
    nomenclature = read_nomenclature(os.environ["NACE_URL"])
    return f"{len(nomenclature.filter(level=4))} classes"


def check_mlflow() -> str:
    """Ask the server at MLFLOW_TRACKING_URI for an experiment; a local store needs no asking."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    if uri == LOCAL_MLFLOW:
        return f"local store {Path(uri.removeprefix('sqlite:///')).relative_to(ROOT)}"
    scheme = urlsplit(uri).scheme
    if scheme == "sqlite":
        return "local store of your own"
    if scheme in ("", "file"):
        raise FunathonError(
            "MLFLOW_TRACKING_URI names a folder, which MLflow no longer takes.",
            "Use https://… for a server or sqlite:///… for a file.",
        )
    if scheme not in ("http", "https"):
        return f"a store of your own ({scheme}), not asked"
    login = (os.environ.get("MLFLOW_TRACKING_USERNAME", ""), os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    answer = ask(
        "MLFLOW_TRACKING_URI",
        lambda: httpx.post(
            f"{uri.rstrip('/')}/api/2.0/mlflow/experiments/search",
            json={"max_results": 1},
            auth=login if any(login) else None,
            timeout=TIMEOUT,
        ),
        credentials="MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    )
    read_json(answer, "MLFLOW_TRACKING_URI", lambda found: found.get("experiments"))
    return "answers"


def check_pretrained() -> str:
    """Read the manifest of the model at PRETRAINED_URL."""
    manifest = read_manifest(os.environ["PRETRAINED_URL"])
    return f"{len(manifest.files)} files, trained on {manifest.n_train:,} labels"


def check_qdrant() -> str:
    """List the collections of the server at QDRANT_URL, or look at the folder of the local mode."""
    url = os.environ.get("QDRANT_URL")
    if not url:
        return check_local_qdrant(Path(os.environ["QDRANT_PATH"]))
    port = os.environ.get("QDRANT_API_PORT") or "6333"
    if not port.isdecimal():
        raise FunathonError("QDRANT_API_PORT is not a number.", "Write the port alone, 443 for instance.")

    def collections() -> httpx.Response:
        address = httpx.URL(url.rstrip("/"))
        # as Qdrant's client does: a port in the address counts more than the variable
        address = address.copy_with(port=urlsplit(url).port or int(port))
        return httpx.get(f"{address}/collections", headers={"api-key": os.environ.get("QDRANT_API_KEY", "")}, timeout=TIMEOUT)

    answer = ask("QDRANT_URL", collections, credentials="QDRANT_API_KEY")
    return f"answers, {read_json(answer, 'QDRANT_URL', lambda found: len(found['result']['collections']))} collections"


def check_local_qdrant(folder: Path) -> str:
    """Whether the local vector database can be written to, and which parts of it a notebook has open."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise FunathonError(f"{existing} is no folder that can be written to.", "Set QDRANT_PATH to a folder of yours.")
    held = sorted(lock.parent.name for lock in [*folder.glob(".lock"), *folder.glob("*/.lock")] if is_locked(lock))
    state = f"{', '.join(held)} open in a notebook" if held else "not in use"
    return f"local mode in {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder}, {state}"


def is_locked(file: Path) -> bool:
    """Whether a Qdrant client holds this lock file of a local database."""
    import portalocker  # what Qdrant's client locks with

    try:
        with portalocker.Lock(file, "r+", flags=portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING):
            return False
    except portalocker.exceptions.LockException:
        return True


def check_llm() -> str:
    """List the models of the endpoint at LLMLAB_URL and embed one word, or see whether the embedded endpoint can run."""
    if not is_configured("LLMLAB_URL"):
        return check_embedded_llm()
    url, key = os.environ["LLMLAB_URL"].rstrip("/"), os.environ.get("LLMLAB_API_KEY")
    if not key:
        raise FunathonError("LLMLAB_URL is set and LLMLAB_API_KEY is not.", "Set the key; a server without keys takes any word.")
    headers = {"Authorization": f"Bearer {key}"}
    answer = ask(
        "LLMLAB_URL",
        lambda: httpx.get(f"{url}/models", headers=headers, timeout=TIMEOUT),
        credentials="LLMLAB_API_KEY",
        not_found="It should end in /v1.",
    )
    names = read_json(answer, "LLMLAB_URL", lambda found: [str(model["id"]) for model in found["data"]])
    for variable in ("EMBEDDING_MODEL", "CHAT_MODEL"):
        if not os.environ.get(variable):
            raise FunathonError(f"LLMLAB_URL is set and {variable} is not.", f"The endpoint has {', '.join(names)}.")
    # which models a key may use, and whether they are loaded, only shows in using one
    ask(
        "LLMLAB_URL",
        lambda: httpx.post(
            f"{url}/embeddings",
            json={"model": os.environ["EMBEDDING_MODEL"], "input": "bakery"},
            headers=headers,
            timeout=TIMEOUT,
        ),
        credentials="whether LLMLAB_API_KEY may use EMBEDDING_MODEL",
        not_found=f"It has no EMBEDDING_MODEL of this name; its models are {', '.join(names)}.",
    )
    return f"answers, {len(names)} models"


def check_embedded_llm() -> str:
    """Whether the embedded endpoint runs, or else whether its weights are the published ones."""
    from funathon.endpoint.server import find_server

    server = find_server()
    if server is not None:
        return f"MiniLM and an offline stand-in for chat, running at {server.url}"
    from funathon.minilm import minilm_folder

    minilm_folder()
    return "MiniLM (weights verified) and an offline stand-in for chat; started when a chapter needs it"


SERVICES = [
    Service("labels", ("LABELS_URL",), check_labels, ("LABELS_URL", "read_labels")),
    Service("nomenclature", ("NACE_URL",), check_nomenclature, ("NACE_URL", "read_nomenclature", "read_labels")),
    Service(
        "MLflow", ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"), check_mlflow, ("mlflow.",)
    ),
    Service("pretrained model", ("PRETRAINED_URL", "AWS_S3_ENDPOINT"), check_pretrained, ("PRETRAINED_URL",)),
    Service("vector database", ("QDRANT_URL", "QDRANT_API_PORT", "QDRANT_API_KEY"), check_qdrant, ("QDRANT_URL",)),
    Service("embeddings and chat", ("LLMLAB_URL", *EMBEDDED), check_llm, ("LLMLAB_URL",)),
]


def ask(variable: str, request: Callable[[], httpx.Response], *, credentials: str, not_found: str = "") -> httpx.Response:
    """Send a request to the service that `variable` names; raise FunathonError unless it answers with success."""
    cure = f"Check {variable} in .env, or remove it to use the embedded default."
    try:
        response = request()
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise FunathonError(f"{variable} is not a web address.", "Write it as https://host.") from error
    except httpx.TimeoutException as error:
        raise FunathonError(f"The service at {variable} does not answer in time.", cure) from error
    except httpx.HTTPError as error:
        raise FunathonError(f"The service at {variable} cannot be reached ({error}).", cure) from error
    if response.status_code in (401, 403):
        raise FunathonError(f"The service at {variable} refuses the credentials.", f"Check {credentials} in .env.")
    if response.status_code == 404:
        raise FunathonError(f"The address in {variable} leads to no such service (404).", not_found or cure)
    if response.is_redirect:
        raise FunathonError(f"The address in {variable} leads elsewhere ({response.status_code}), to a login page perhaps.", cure)
    if response.is_error:
        raise FunathonError(f"The service at {variable} answers with an error ({response.status_code}).", "Try again later.")
    return response


def read_json(response: httpx.Response, variable: str, read: Callable[[dict], Found]) -> Found:
    """What `read` finds in the JSON of an answer; raise FunathonError when it is no JSON, as from a login page, or another."""
    cure = f"Check {variable} in .env."
    try:
        return read(response.json())
    except ValueError as error:
        raise FunathonError(f"The address in {variable} is a web page, not the service.", cure) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise FunathonError(f"What answers at {variable} is another service.", cure) from error


def refuse_broken_settings(chapters: list[Path]) -> None:
    """Raise FunathonError for the first thing that the chapters at these paths need and that does not work."""
    sources = [path.read_text(encoding="utf-8") for path in chapters]
    for service in SERVICES:
        if any(service.is_needed_by(source) for source in sources):
            service.check()
