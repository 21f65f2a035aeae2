"""Whether each need of the course stands on the embedded default or on `.env`, and whether what is configured works."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from funathon.asking import TIMEOUT, accept, another_service, ask, reach, read_json, says_in_json, web_address
from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.register import look_at_register
from funathon.corpus.splitting import split_labels
from funathon.errors import FunathonError, visible
from funathon.paths import ROOT
from funathon.settings import EMBEDDED, LOCAL_MLFLOW, is_configured, refuse_unsendable
from funathon.supervised.pretrained import read_manifest


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


DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""What MLflow keeps its store in without a server; `+driver` may follow."""


def check_mlflow() -> str:
    """Ask the server at MLFLOW_TRACKING_URI for an experiment, or whether this MLflow reads the store there."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    scheme, mark, _ = uri.partition(":")
    if scheme.split("+")[0] in DATABASES:
        return check_mlflow_database(uri)
    if scheme in ("databricks", "databricks-uc"):
        return f"a store of your own ({scheme}), not asked"
    if scheme == "file" or (not mark and ("/" in uri or "." not in uri)):
        raise FunathonError(
            "MLFLOW_TRACKING_URI names a folder, which MLflow no longer takes.",
            "Use https://… for a server or sqlite:///… for a file.",
        )
    address = web_address("MLFLOW_TRACKING_URI")
    login = (os.environ.get("MLFLOW_TRACKING_USERNAME", ""), os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    answer = ask(
        "MLFLOW_TRACKING_URI",
        lambda: httpx.post(
            f"{address}/api/2.0/mlflow/experiments/search",
            json={"max_results": 1},
            auth=login if any(login) else None,
            timeout=TIMEOUT,
        ),
        credentials="MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    )

    def is_mlflow(found: dict) -> bool:
        # a server leaves an empty list out
        return set(found) <= {"experiments", "next_page_token"} and isinstance(found.get("experiments", []), list)

    if not read_json(answer, "MLFLOW_TRACKING_URI", is_mlflow):
        raise another_service("MLFLOW_TRACKING_URI")
    return "answers"


def check_mlflow_database(uri: str) -> str:
    """Whether this version of MLflow reads a store in a database; a file that is not there yet will be made."""
    if uri == LOCAL_MLFLOW:
        what = f"local store {Path(uri.removeprefix('sqlite:///')).relative_to(ROOT)}"
        cure = "Move the file away to begin a new one"
    else:
        what = "local store of your own" if uri.startswith("sqlite") else "a database of your own"
        cure = "Check MLFLOW_TRACKING_URI in .env"
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        return what
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    except MlflowException as error:
        if "schema" not in str(error):
            raise FunathonError(f"MLflow cannot use the store: {first_line(error)}.", f"{cure}.") from None
        raise FunathonError(
            f"The {what} was made by another version of MLflow.",
            f"{cure}, or keep a copy and bring it up to date with `uv run mlflow db upgrade {uri}`.",
        ) from None
    except (SQLAlchemyError, ImportError) as error:
        raise FunathonError(f"The {what} cannot be read: {first_line(error)}.", f"{cure}.") from None
    return what


def first_line(error: Exception) -> str:
    """The first line of an error, without the point at its end."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def check_pretrained() -> str:
    """Read the manifest of the model at PRETRAINED_URL."""
    manifest = read_manifest(os.environ["PRETRAINED_URL"])
    return f"{len(manifest.files)} files, trained on {manifest.n_train:,} labels"


def check_qdrant() -> str:
    """List the collections of the server at QDRANT_URL and see whether it has the query API, or look at the folder of the
    local mode."""
    if not os.environ.get("QDRANT_URL"):
        return check_local_qdrant(Path(os.environ["QDRANT_PATH"]))
    port = os.environ.get("QDRANT_API_PORT") or "6333"
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise FunathonError("QDRANT_API_PORT is not the number of a port.", "Write the port alone, 443 for instance.")
    refuse_unsendable("QDRANT_API_KEY")
    url = httpx.URL(web_address("QDRANT_URL"))
    # as Qdrant's client does: a port in the address counts more than the variable
    address = url if url.port else url.copy_with(port=int(port))
    headers = {"api-key": os.environ.get("QDRANT_API_KEY", "")}

    def collections() -> httpx.Response:
        return httpx.get(f"{address}/collections", headers=headers, timeout=TIMEOUT)

    def query() -> httpx.Response:
        body = {"query": [0.0], "limit": 1}
        return httpx.post(f"{address}/collections/{NO_COLLECTION}/points/query", json=body, headers=headers, timeout=TIMEOUT)

    answer = ask("QDRANT_URL", collections, credentials="QDRANT_API_KEY")
    found = read_json(answer, "QDRANT_URL", lambda found: len(found["result"]["collections"]))
    answer = reach("QDRANT_URL", query)
    # a server with the query API says in JSON that it has no such collection, one without knows no such address
    if answer.status_code in (404, 405) and not says_in_json(answer, "status"):
        raise FunathonError(
            "The Qdrant at QDRANT_URL has no query API, which came with its version 1.10.",
            "Use a newer server, or remove QDRANT_URL.",
        )
    return f"answers, {found} collections"


NO_COLLECTION = "funathon-doctor"
"""A collection that no server has, to ask about."""


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
    url, key = web_address("LLMLAB_URL"), os.environ.get("LLMLAB_API_KEY")
    if not key:
        raise FunathonError("LLMLAB_URL is set and LLMLAB_API_KEY is not.", "Set the key; a server without keys takes any word.")
    refuse_unsendable("LLMLAB_API_KEY")
    headers = {"Authorization": f"Bearer {key}"}
    answer = reach("LLMLAB_URL", lambda: httpx.get(f"{url}/models", headers=headers, timeout=TIMEOUT))
    names: list[str] | None = None
    # some endpoints do not list their models; whether they are endpoints at all then shows in the next request
    if answer.status_code not in (404, 405, 501):
        accept("LLMLAB_URL", answer, credentials="LLMLAB_API_KEY")
        names = read_json(answer, "LLMLAB_URL", lambda found: [str(model["id"]) for model in found["data"]])
    for variable in ("EMBEDDING_MODEL", "CHAT_MODEL"):
        if not os.environ.get(variable):
            cure = (
                f"The endpoint has {', '.join(names)}."
                if names is not None
                else "The endpoint does not list its models; its page may."
            )
            raise FunathonError(f"LLMLAB_URL is set and {variable} is not.", cure)
    # which models a key may use, and whether they are loaded, only shows in using one
    answer = ask(
        "LLMLAB_URL",
        lambda: httpx.post(
            f"{url}/embeddings",
            json={"model": os.environ["EMBEDDING_MODEL"], "input": "bakery"},
            headers=headers,
            timeout=TIMEOUT,
        ),
        credentials="whether LLMLAB_API_KEY may use EMBEDDING_MODEL",
        not_found=f"It has no EMBEDDING_MODEL of this name; its models are {', '.join(names)}."
        if names is not None
        else "It should end in /v1, or it has no EMBEDDING_MODEL of this name.",
    )
    read_json(answer, "LLMLAB_URL", lambda found: found["data"][0]["embedding"])
    return f"answers, {len(names)} models" if names is not None else "answers, and does not list its models"


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
    # a section of chapter 3 uses it where it can be reached and is skipped where it cannot, so no chapter needs it
    Service("register", ("REGISTER_URL",), look_at_register, ()),
    Service("embeddings and chat", ("LLMLAB_URL", *EMBEDDED), check_llm, ("LLMLAB_URL",)),
]


SENT = {"LLMLAB_URL": "texts and prompts", "QDRANT_URL": "vectors"}
"""What part 2 sends to a service, by the variable that names it."""


def where_texts_go() -> str:
    """One sentence on what leaves this program, and for which host: empty when `.env` names no such service.

    A vector is told too, since much of a text can be read from it. Only the host is shown: an address may hold a password.
    Raises FunathonError when one of the variables holds no web address.
    """
    told = [
        f"{what} to {visible(urlsplit(web_address(variable)).hostname)} ({variable})"
        for variable, what in SENT.items()
        if is_configured(variable)
    ]
    return f"Part 2 sends {' and '.join(told)}: give it only texts that may be read there." if told else ""


def refuse_broken_settings(chapters: list[Path]) -> None:
    """Raise FunathonError for the first thing that the chapters at these paths need and that does not work."""
    sources = [path.read_text(encoding="utf-8") for path in chapters]
    for service in SERVICES:
        if any(service.is_needed_by(source) for source in sources):
            service.check()
