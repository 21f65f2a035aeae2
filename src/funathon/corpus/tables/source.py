"""Where a table lies, and what the ending of its name says."""

import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from funathon.errors import FunathonError, without_secrets
from funathon.storage import ending_of, is_remote, read_bytes

TEXT = ("csv", "tsv", "txt")
ENDINGS = ".csv, .tsv, .txt (each also with .gz), .xlsx or .parquet"


@dataclass(frozen=True)
class Source:
    """The bytes of a table, on the disk or in memory."""

    name: str
    kind: str
    """`csv`, `tsv`, `txt`, `xlsx` or `parquet`."""
    zipped: bool
    content: Path | bytes

    def open(self) -> BinaryIO:
        """A stream of the content from its beginning, unpacked."""
        raw = io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")
        return gzip.GzipFile(fileobj=raw) if self.zipped else raw


def kind_of(name: str) -> tuple[str, bool]:
    """What the ending of a file's name or address tells: its format in lower case, and whether it is gzipped on top."""
    ending = ending_of(name)
    return ending.removesuffix(".gz"), ending.endswith(".gz")


def find(path: str, variable: str) -> Source:
    """The table at a local path, or at an address (https, s3), which is read whole.

    Raises FunathonError as `storage.read_bytes` does, and when the ending tells no format.
    """
    remote = is_remote(path)
    shown = without_secrets(path)
    if not remote and not Path(path).is_file():
        if Path(path).exists() and not Path(path).is_dir():  # a pipe or a device, which could be read for ever
            raise FunathonError(f"{shown} is no ordinary file.", "Save what comes from it in one.")
        read_bytes(path, variable)  # says what is wrong with it
    kind, zipped = kind_of(path)
    if kind not in (*TEXT, "xlsx", "parquet") or (zipped and kind not in TEXT):
        raise FunathonError(f"{shown} does not end in {ENDINGS}.", "Save it in one of these formats.")
    return Source(shown, kind, zipped, read_bytes(path, variable) if remote else located(Path(path)))


def located(path: Path) -> Path:
    """The absolute path, in which polars takes `~` and `file:` for names.

    Raises FunathonError when it is no UTF-8, which polars cannot open.
    """
    absolute = path.absolute()
    try:
        str(absolute).encode()
    except UnicodeEncodeError:
        raise FunathonError(f"The name of {path}, or of its folder, is not UTF-8.", "Rename it.") from None
    return absolute
