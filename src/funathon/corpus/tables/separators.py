"""What stands between the columns of a text file."""

import contextlib
import csv
import re

from funathon.errors import FunathonError

NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE = 1000
"""Lines that are looked at."""
CONSISTENT = 0.5
"""A character that splits the header must split at least so many of the rows in the same way."""


def usual(kind: str) -> str | None:
    """The separator that an ending promises: comma for `csv`, tab for `tsv`, none for `txt`."""
    return {"csv": ",", "tsv": "\t"}.get(kind)


def said(separator: str) -> str:
    """The character that a person means by `comma`, `,`, `tab` or `\\t`; raises FunathonError for what is none."""
    named = {name: character for character, name in NAMES.items()} | {"\\t": "\t"}
    character = named.get(separator.lower(), separator)
    if len(character) != 1 or character in '"\r\n\0' or not character.isascii():
        raise FunathonError(f"{separator!r} is no separator.", f"Write {', '.join(NAMES.values())}, or one character.")
    return character


def declared(line: str) -> str | None:
    """The separator that a first line such as `sep=;` declares, as Excel writes and reads it; None for any other line."""
    match = re.fullmatch(r'"?sep=(.)"?[\r\n]*', line, re.IGNORECASE | re.DOTALL)
    return match[1] if match and match[1] not in '"\r\n\0' and match[1].isascii() else None


def guess(lines: list[str], kind: str) -> str:
    """The separator that splits the first lines of a file, line ends included, into the most even table.

    What splits the header counts before what does not; then the share of rows as wide as the header; then the width; then what
    the ending promises.
    """
    scores = {}
    for separator in sorted(NAMES, key=lambda character: character != usual(kind)):
        widths = []
        with contextlib.suppress(csv.Error):  # a field beyond the limit of the csv module: what stands above it tells enough
            for row in csv.reader(lines, delimiter=separator):
                if row:
                    widths.append(len(row))
        if widths:
            share = widths.count(widths[0]) / len(widths)
            scores[separator] = (widths[0] > 1 and share >= CONSISTENT, share, widths[0])
    return max(scores, key=scores.get, default=usual(kind) or ",")
