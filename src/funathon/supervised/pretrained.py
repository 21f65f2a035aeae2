"""The pretrained model: fetching it, verifying it, loading it.

A model of torchTextClassifiers is a folder of pickles, and a pickle runs code when it is loaded. So every file is compared
with the checksums of `manifest.json` before any of it is read, and a file that the manifest does not name is refused.
"""

import hashlib
import json
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.storage import file_in, is_remote, read_bytes

MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"
UNLISTED = (MANIFEST, CARD)
"""Files of the folder that the manifest does not list: itself, and the card, which is written after it."""


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says: size in bytes and sha256 of each file, the number of labels trained on, the settings, and
    the processor seconds of the training and the sha256 of the training set (None in manifests that do not say)."""

    files: dict[str, dict]
    n_train: int
    settings: dict
    training_seconds: float | None
    training_digest: str | None


def read_manifest(url: str) -> Manifest:
    """Read the manifest of the model in the folder `url` (local, https or s3).

    Raises FunathonError when there is none or it is not what it should be.
    """
    content = read_bytes(file_in(url, MANIFEST), "PRETRAINED_URL")
    try:
        parsed = json.loads(content)
        files = {str(name): {"bytes": int(f["bytes"]), "sha256": str(f["sha256"])} for name, f in parsed["files"].items()}
        manifest = Manifest(
            files,
            int(parsed["data"]["n_train"]),
            dict(parsed["settings"]),
            parsed.get("training_seconds"),
            parsed["data"].get("sha256_train"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FunathonError(f"{file_in(url, MANIFEST)} is not the manifest of a model.", "Fetch the model again.") from error
    strange = [name for name in files if Path(name).name != name]
    if strange:
        raise FunathonError(f"{file_in(url, MANIFEST)} names {strange[0]!r}, outside its folder.", "Do not use this model.")
    return manifest


def fingerprint(url: str) -> str:
    """sha256 of the manifest of the model at `url`, which tells it from any other model."""
    return hashlib.sha256(read_bytes(file_in(url, MANIFEST), "PRETRAINED_URL")).hexdigest()


def fetch_model(url: str, folder: Path) -> Path:
    """Copy the model at `url` into `folder`, each file verified before the next is fetched; return `folder`.

    Raises FunathonError when a file is missing or is not the one that the manifest names.
    """
    manifest = read_manifest(url)
    folder.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        content = read_bytes(file_in(url, name), "PRETRAINED_URL")
        verify_bytes(name, content, manifest)
        (folder / name).write_bytes(content)
    write_text(folder / MANIFEST, read_bytes(file_in(url, MANIFEST), "PRETRAINED_URL").decode())
    return folder


def verify_bytes(name: str, content: bytes, manifest: Manifest) -> None:
    """Raise FunathonError unless `content` has the size and the sha256 that the manifest gives for `name`."""
    expected = manifest.files[name]
    if len(content) != expected["bytes"] or hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise FunathonError(
            f"{name} is not the file that the manifest of the model names: it was changed or cut short.",
            "Fetch the model again, and do not load it before.",
        )


def verify_model(folder: Path) -> Manifest:
    """Verify every file of a model in a local folder; nothing is unpickled.

    Raises FunathonError naming a file that is missing, changed or not in the manifest.
    """
    manifest = read_manifest(str(folder))
    for name in manifest.files:
        if not (folder / name).is_file():
            raise FunathonError(f"The model in {folder} lacks {name}.", "Fetch the model again.")
        verify_bytes(name, (folder / name).read_bytes(), manifest)
    foreign = sorted(p.name for p in folder.iterdir() if p.name not in manifest.files and p.name not in UNLISTED)
    if foreign:
        raise FunathonError(f"The model in {folder} holds {foreign[0]}, which its manifest does not name.", "Remove the file.")
    return manifest


def load_model(url: str):
    """Load the torchTextClassifiers model in the folder `url` (local, https or s3), once all its files are verified.

    Raises FunathonError as `verify_model` and `fetch_model` do.
    """
    from torchTextClassifiers import torchTextClassifiers

    # it tells that it has loaded a model
    logging.getLogger("torchTextClassifiers").setLevel(logging.WARNING)
    if not is_remote(url):
        verify_model(Path(url))
        return torchTextClassifiers.load(url, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        return torchTextClassifiers.load(fetch_model(url, Path(folder)), device="cpu")


def write_manifest(folder: Path, about: dict) -> None:
    """Write `manifest.json` for the files in `folder`; `about` is what else it says (versions, data, seed, settings)."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.name not in UNLISTED
    }
    write_text(folder / MANIFEST, json.dumps({"files": files} | about, indent=1) + "\n")
