"""Writing files so that a reader never meets half of one, nor a power cut leaves one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, rename it to `path`.

    The rename is atomic on one file system, and the content is on the disk before it, so `path` holds the old content or the whole
    new one, also after a power cut. When the block raises (a full disk, Ctrl-C), the temporary file is removed and `path` is as it
    was. A process that is killed leaves the temporary file, whose name begins with a full stop.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        finish(temporary)
        temporary.replace(path)
        sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish(finished: Path, path: Path) -> None:
    """Give a file, which lies on the same file system, the name `path`; what has that name already stays.

    Raises FileExistsError when there is something of that name, were it made a moment ago.
    """
    finish(finished)
    try:
        os.link(finished, path)  # unlike a rename, it never replaces
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(None, "File exists", str(path)) from None
        finished.rename(path)
    else:
        finished.unlink()
    sync(path.parent)


def finish(temporary: Path) -> None:
    """Give a new file the rights that an ordinary one gets (mkstemp lets only its owner read) and see it onto the disk."""
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """See the names in a folder onto the disk, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8, newlines as they are) to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def set_aside(path: Path) -> Path:
    """Rename a file so that its name is free, `answers.jsonl` to `answers.aside-1.jsonl`, and return the new path; nothing is lost."""
    number = 1
    while (free := path.with_name(f"{path.stem}.aside-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(free)
