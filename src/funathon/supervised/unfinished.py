"""The folder of a run that is not finished: `register.csv.part` beside `register.csv`.

It holds the pieces that are done, or the answers that have come, a fingerprint of the run (content of the input, model, options) and
a lock, which a process loses only by ending. Whatever was being written when a run was killed begins with a full stop and is removed by the next run.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import polars as pl

from funathon.corpus.nomenclature import first_line
from funathon.errors import FunathonError
from funathon.files import replacing, write_text

FINGERPRINT = "fingerprint.json"
LOCK = "lock"
ANSWERS = "answers.jsonl"
"""What a chat model has answered, where one is asked."""


@contextlib.contextmanager
def unfinished(out: Path, run: dict, *, fresh: bool = False) -> Iterator[Path]:
    """The folder for the pieces of `out`, ours alone while the block lasts. When the block fails before anything is done, the folder
    is removed.

    `run` says what the pieces depend on; with `fresh` those of an earlier run, whatever it was, are removed first. Raises FunathonError when the folder belongs to another run, is in use, or cannot be
    written.
    """
    folder = out.with_name(out.name + ".part")
    refuse_foreign(folder)
    with writing(out):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise FunathonError(
                f"Another run is writing {out}.", "Wait for its end, or stop it; or choose another name for the output."
            ) from None
        except NotImplementedError:
            raise FunathonError(
                f"The file system of {out} cannot lock files, so that two runs could not be told apart.", "Write to another one."
            ) from None
    try:
        content = json.dumps(run, indent=1, ensure_ascii=True) + "\n"
        known = folder / FINGERPRINT
        if fresh:
            with writing(out):
                # the fingerprint last, so that a folder of which something is left is still known for ours
                for path in [*folder.glob("*.parquet"), folder / ANSWERS, known]:
                    path.unlink(missing_ok=True)
        with writing(out):
            foreign = known.exists() and known.read_bytes() != content.encode()
        if foreign:
            raise FunathonError(
                f"{folder} holds the beginning of another run: the input, the model or the options were different.",
                "Remove the folder, or choose another name for the output.",
            )
        with writing(out):
            sweep(folder)
            if not known.exists():
                write_text(known, content)
        try:
            yield folder
        except BaseException:
            if not any(folder.glob("*.parquet")) and not (folder / ANSWERS).exists():
                shutil.rmtree(folder)
            raise
    finally:
        lock.release()


def refuse_foreign(folder: Path) -> None:
    """Raise FunathonError when a folder is there that is not the beginning of a run."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise FunathonError(f"{folder} is in the way: it is no folder of ours.", "Choose another name for the output.")
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {LOCK}
    if names and FINGERPRINT not in names:
        raise FunathonError(f"{folder} exists and is not the beginning of a run.", "Choose another name for the output.")


def sweep(folder: Path) -> None:
    """Remove what a killed run was writing."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            path.unlink()


def piece_path(folder: Path, number: int) -> Path:
    """Where a piece lies, counted from 0; as an absolute path, in which polars takes `~` and `file:` for names."""
    return folder.absolute() / f"{number:07}.parquet"


def kept(path: Path, piece: pl.DataFrame, schema: pl.Schema) -> bool:
    """Whether an earlier run has coded `piece` and written it to `path`: whole, with the result's `schema` and exactly these rows."""
    try:
        found = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return found.schema == schema and found[piece.columns].equals(piece)


def keep(path: Path, table: pl.DataFrame) -> None:
    """Write a piece, whole or not at all."""
    with replacing(path) as temporary:
        table.write_parquet(temporary)


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn the errors of writing `out` into one line that names it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FunathonError(
            f"{out} cannot be written: {first_line(error)}.",
            "Check the folder, its rights and the space on the disk; the same command then goes on where it stopped.",
        ) from error
