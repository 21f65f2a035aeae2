"""What a chapter computed and the next can use again, kept on disk by content: under a hash of all that it was made of.

Whatever changes (a text, a model, the code of the embedded endpoint) makes another file, so nothing that is kept is ever out of
date, and deleting the folder costs time and nothing else. It lies in `.funathon`, which git ignores. An execution of a chapter has a
folder of its own, empty, so that each is like the first; `funathon.rag.handing_on` adds what it computed to the common one.
"""

import hashlib
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from funathon.endpoint.server import fingerprint
from funathon.files import replacing
from funathon.paths import CACHE
from funathon.settings import is_configured

KEPT = "FUNATHON_KEPT"
"""The variable that names another folder, for an execution of a chapter; nobody sets it by hand."""


def kept_folder() -> Path:
    """The folder of what is kept; it need not exist yet."""
    return Path(os.environ.get(KEPT) or CACHE / "kept")


def content_hash(content: object) -> str:
    """A short text that is the same for the same content (anything that JSON can hold), and different for any other."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


@cache
def embedded_code() -> str:
    """Hash of the code of the embedded endpoint, as it was when this process first asked."""
    return fingerprint()


def model_state(variable: str, embedded: str | None = None) -> list[str]:
    """What tells the model that `variable` names, EMBEDDING_MODEL or CHAT_MODEL, from others: its name, and the address of its
    endpoint, or the hash of the code of the embedded one, which keeps its names when it gets better.

    `embedded`: the name of a model that the embedded endpoint is asked for whatever `.env` names; then it is told by that.
    """
    if embedded:
        return [embedded, embedded_code()]
    return [os.environ[variable], os.environ["LLMLAB_URL"] if is_configured("LLMLAB_URL") else embedded_code()]


def kept_array(name: str, content: object, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array that `make` computes from `content`: from disk if it was computed before.

    `name` says what it is, for whoever looks into the folder. A file that cannot be read as an array is made anew.
    """
    path = kept_folder() / f"{name}-{content_hash(content)}.npy"
    try:
        return np.load(path)
    except (OSError, ValueError, EOFError):
        array = make()
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
    return array
