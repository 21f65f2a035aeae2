"""Where a table lies, and what the ending of its name says."""

import gzip
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from funathon.errors import FunathonError
from funathon.storage import read_bytes

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


def is_remote(path: str) -> bool:
    """Whether a path is an address: `s3://…`, `https://…`."""
    return "://" in path


def kind_of(name: str) -> tuple[str, bool]:
    """What the ending of a file's name tells: its format in lower case, and whether it is gzipped on top."""
    stem, ending = os.path.splitext(name.lower())
    zipped = ending == ".gz"
    return (os.path.splitext(stem)[1] if zipped else ending).removeprefix("."), zipped


def find(path: str, variable: str) -> Source:
    """The table at a local path, or at an address (https, s3), which is read whole.

    Raises FunathonError as `storage.read_bytes` does, and when the ending tells no format.
    """
    address = urlsplit(path) if is_remote(path) else None
    shown = f"{address.scheme}://{address.hostname or ''}{address.path}" if address else path
    local = not address and Path(path).is_file()
    if not address and not local:
        read_bytes(path, variable)  # says what is wrong with it
    kind, zipped = kind_of(address.path if address else path)
    if kind not in (*TEXT, "xlsx", "parquet") or (zipped and kind not in TEXT):
        raise FunathonError(f"{shown} does not end in {ENDINGS}.", "Save it in one of these formats.")
    return Source(shown, kind, zipped, Path(path) if local else read_bytes(path, variable))
