"""What came of each text of a register, in a file that only grows: `answers.jsonl` in the folder of the run.

A text is known by a hash, so that equal ones are asked once. In memory there is the place of each answer in the file, some 130 bytes
a text; the answers themselves stay on the disk.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from funathon.rag.results import Result


def key_of(text: str) -> bytes:
    """The 16 bytes that stand for a text."""
    return hashlib.sha256(text.encode()).digest()[:16]


class AnsweredTexts:
    """The results of texts by their key, in a file of JSON lines. A line that is no result, such as one that was cut short when a run
    was killed, stays where it is and counts for nothing; of two for one text the later counts."""

    def __init__(self, path: Path) -> None:
        """Read the file at `path`, if there is one. Raises OSError when it cannot be read."""
        self._path = path
        self._places: dict[bytes, int] = {}
        if not path.exists():
            return
        place = 0
        with path.open("rb") as file:
            for line in file:
                if found := read_line(line):
                    self._places[found[0]] = place
                place += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: bytes) -> bool:
        return key in self._places

    def keep(self, key: bytes, result: Result) -> None:
        """Add a result to the file. Raises OSError when it cannot be written; nothing is then known of it."""
        row = asdict(result)
        del row["row"]
        # the line break comes first too: it ends a line that was cut short
        line = b"\n" + json.dumps({"text": key.hex(), **row}).encode() + b"\n"
        with self._path.open("ab") as file:
            place = file.tell() + 1
            file.write(line)
        self._places[key] = place

    def result(self, key: bytes) -> Result:
        """The result of a text, while `reading` lasts. Raises KeyError when there is none."""
        self._reader.seek(self._places[key])
        found = read_line(self._reader.readline())
        if found is None or found[0] != key:
            raise KeyError(key)
        return found[1]

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Open the file for `result` while the block lasts: some systems do not remove an open file."""
        with self._path.open("rb") if self._places else io.BytesIO() as self._reader:
            yield


def read_line(line: bytes) -> tuple[bytes, Result] | None:
    """The key and the result in a line of the file; None when it is no such line."""
    try:
        row = json.loads(line)
        return bytes.fromhex(row.pop("text")), Result(row=0, **row)
    except (ValueError, AttributeError, KeyError, TypeError):  # cut short, or not ours
        return None
