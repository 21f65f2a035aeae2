"""The encoding of a text file: what it says of itself, what it can only be, and what is likeliest."""

import codecs
import io
import re
from typing import BinaryIO

import charset_normalizer

from funathon.errors import FunathonError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks. That of UTF-16 is the beginning of one of UTF-32, which therefore stands first."""
USUAL = ("cp1252", "cp1250")
"""What offices west and east of the middle of Europe have; Latin-1 texts are cp1252 texts too."""
POSSIBLE = [*USUAL, "cp1253", "cp1251", "cp1254", "cp1257", "cp850"]
TOLERANCE = 0.12
"""How much less tidy (0 to 1, by charset-normalizer's measure of mess) a usual encoding may look than the tidiest one."""
SAMPLE = 1 << 16
"""Bytes of text beyond ASCII that are looked at."""
CHUNK = 1 << 20


def known(name: str) -> str:
    """`name`, if Python knows such an encoding of text; raises FunathonError otherwise."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError) as error:
        raise FunathonError(f"There is no encoding {name!r}.", "Write utf-8, cp1252, latin-1, utf-16 or another one.") from error
    return codecs.lookup(name).name


def marked(stream: BinaryIO) -> str | None:
    """The encoding that a byte order mark at the beginning of a file tells, or None."""
    start = stream.read(4)
    return next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)


def as_said(encoding: str, mark: str | None, bytewise: str | None) -> str:
    """The encoding a person named, in the form that takes the byte order mark off where there is one; without one, in the order of
    bytes that the zeros tell (`bytewise`), or that of Windows."""
    if not mark and encoding in ("utf-16", "utf-32"):
        return bytewise if bytewise and bytewise.startswith(encoding) else f"{encoding}-le"
    family = mark.removesuffix("-sig") if mark else None
    return mark if family and encoding.startswith(family) else encoding


def without_mark(stream: BinaryIO) -> str | None:
    """UTF-16 without its mark, told by the zeros that every second byte is in Latin letters; None for anything else."""
    start = stream.read(4096)
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if max(even, odd) < 0.7 * len(start) / 2 or min(even, odd) > 0:
        return None
    return "utf-16-be" if even else "utf-16-le"


def is_utf8(stream: BinaryIO) -> bool:
    """Whether all of a file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def likeliest(stream: BinaryIO, name: str) -> tuple[str, str]:
    """The likeliest encoding of a file that is not UTF-8, and a text from it, so that a person can see whether it is right.

    Raises FunathonError when half of the texts beyond ASCII or more are UTF-8: then one of them is broken, and reading all of them in
    another encoding would garble the others.
    """
    good, bad, number = 0, 0, 0
    first = None
    sample = bytearray()
    while line := stream.readline(CHUNK):
        number += 1
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
            first = first or (number, line)
            if len(sample) < SAMPLE:
                sample += line[:SAMPLE]
    if good >= bad:
        raise FunathonError(
            f"{name}: line {first[0]:,} is not UTF-8, though {good:,} other{'s are' if good > 1 else ' is'}.",
            "Mend that line, or name the encoding of the file with --encoding.",
        )
    matches = charset_normalizer.from_bytes(bytes(sample), cp_isolation=POSSIBLE)
    # a match stands for all encodings in which the sample says the same
    tidy = [name for match in matches if match.chaos <= matches[0].chaos + TOLERANCE for name in match.could_be_from_charset]
    encoding = next((usual for usual in USUAL if usual in tidy), next(iter(tidy), USUAL[0]))
    return encoding, specimen(first[1].decode(encoding, "replace"))


def specimen(line: str) -> str:
    """The first word of a line that is not ASCII, at most 40 characters of it."""
    word = re.search(r"[\w'’-]{0,20}[^\x00-\x7f][\w'’-]{0,20}", line)
    return word[0] if word else ""
