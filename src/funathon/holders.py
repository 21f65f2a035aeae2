"""Who has a file open: the notebook or process that stands in the way."""

import contextlib
import os
import re
from datetime import datetime
from pathlib import Path

import psutil

LOCKED = re.compile(r"Storage folder (.+) is already accessed by another instance of Qdrant client")
"""What Qdrant's client says of a local database that is open."""


def database_holder(error: BaseException) -> str | None:
    """Who has the local vector database open that Qdrant's client could not open; None where the error is another."""
    locked = LOCKED.search(str(error)) if isinstance(error, RuntimeError) else None
    return (holder_of(Path(locked[1]) / ".lock") or "another notebook, or an earlier client in this one,") if locked else None


def holder_of(file: Path) -> str | None:
    """Words for the process of this user that has `file` open, another before this one; None where none is found.

    A kernel that JupyterLab started knows the name of its notebook.
    """
    wanted = str(file.resolve())
    mine = None
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if any(opened.path == wanted for opened in process.open_files()):
                if process.pid != os.getpid():
                    return described(process)
                mine = "an earlier client in this one"
    return mine


def described(process: psutil.Process) -> str:
    """`the notebook 6-vector-database.ipynb (process 4711, started at 10:31)`, or the process where it is no notebook's kernel."""
    since = datetime.fromtimestamp(process.create_time()).strftime("%H:%M")
    command = process.cmdline()
    notebook = process.environ().get("JPY_SESSION_NAME", "")
    if any("ipykernel" in part for part in command):
        what = f"the notebook {Path(notebook).name}" if notebook.endswith(".ipynb") else "another notebook"
    else:
        what = f"the program {process.name()}"
    return f"{what} (process {process.pid}, started at {since})"
