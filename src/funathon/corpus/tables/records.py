"""Counting the records of a text file, apart from the parser, and naming the line of whatever is wrong with one.

The rules are those of RFC 4180 as spreadsheets take them: a field is quoted when it *begins* with a quote; inside it `""` is a
quote, and separators and line ends are text; a quote anywhere else is a character. What follows a closing quote belongs to the
field (`"Old Mill" inn` is `Old Mill inn`), but only on the same line: further down it is the sign of a quote that was never
closed and has met the next one.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from funathon.errors import FunathonError

CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')
QUOTED = re.compile('"' + CLOSING.pattern)
CURE = "A text that holds a separator, a quote or a line break wants quotes around it, and its own quotes twice."


@dataclass
class Survey:
    """What a text file holds."""

    rows: int = 0
    """Records below the header."""
    width: int = 0
    """Fields of the header, and of every row."""
    header_line: int = 0
    """The line that the header begins in, counted from 1; 0 where there is none."""
    blank: int = 0
    """Lines without anything, which are no rows. In a table of one column they are: rows without a text."""
    spilled: int = 0
    """Fields with text behind their closing quote."""
    spilled_line: int = 0
    """The line of the first of them."""
    mixed_line: int = 0
    """The first line that ends otherwise than the first one; 0 where all end alike."""
    borders: list[int] = field(default_factory=list)
    """The lines in which a record ends, one for about every `block` characters: where the file may be cut for the parser."""


def survey(lines: Iterable[str], separator: str, name: str, *, block: int, skip: int = 0) -> Survey:
    """Count the records of a file given as lines with their ends; `skip` lines at its beginning are no records.

    Lines end in `\\n`, `\\r\\n` or (all of them) `\\r`.

    Raises FunathonError, naming the line, for a quote that is never closed, a row with more or fewer fields than the header, and a
    line break of another kind outside quotes, which some programs would take for the end of a row and others not.
    """
    found = Survey()
    ending = ""
    opened = 0  # the line in which a record began that has an open quote
    fields = 0  # of the open record
    size = 0  # characters since the last border
    regular = None
    for number, line in enumerate(lines, 1):
        if number <= skip:
            continue
        if regular and not opened and regular(line):
            found.rows += 1
            size += len(line)
            if size >= block:
                found.borders.append(number)
                size = 0
            continue
        text = line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith(("\n", "\r")) else line
        size += len(line)
        if not opened:
            fields = 1
            begun, at = number, 0
            if '"' not in text:
                if "\r" in text or "\n" in text:
                    refuse_break(name, number)
                if not text:
                    if half_breaks(line, ending):
                        refuse_break(name, number)
                    if found.width == 1:
                        found.rows += 1
                    elif found.width:
                        found.blank += 1
                    continue
                fields, at = text.count(separator) + 1, -1
        else:
            begun = opened
            closing = CLOSING.match(text)
            if closing is None:
                continue
            opened = 0
            at = closing.end()
            if at < len(text):
                if text[at] != separator:
                    raise FunathonError(
                        f"{name}: the quote that opens a text in line {begun:,} is not closed there; the next one stands in the "
                        f"middle of line {number:,}.",
                        CURE,
                    )
                fields, at = fields + 1, at + 1
            else:
                at = -1
        while at >= 0:  # the fields of the line, from the beginning of one at `at`
            start = at
            if text.startswith('"', at):
                quoted = QUOTED.match(text, at)
                if quoted is None:
                    opened = begun
                    break
                at = quoted.end()
                if at < len(text) and text[at] != separator:
                    found.spilled += 1
                    found.spilled_line = found.spilled_line or number
                start = at
            at = text.find(separator, at)
            unquoted = text[start : at if at >= 0 else None]
            if "\r" in unquoted or "\n" in unquoted:
                refuse_break(name, number)
            if at >= 0:
                fields, at = fields + 1, at + 1
        if opened:
            continue
        end = line[len(text) :]
        ending = ending or end
        if half_breaks(end, ending):
            refuse_break(name, number)
        if end and end != ending:
            found.mixed_line = found.mixed_line or number
        if size >= block:
            found.borders.append(number)
            size = 0
        if not found.width:
            found.width, found.header_line = fields, begun
            regular = regular_line(separator, fields, end)
        elif fields != found.width:
            raise FunathonError(
                f"{name}: line {begun:,} has {some_fields(fields)}, the header has {some_fields(found.width)}.",
                CURE + " Or the separator is another one: see --separator.",
            )
        else:
            found.rows += 1
    if opened:
        raise FunathonError(f"{name}: the quote that opens a text in line {opened:,} is never closed.", CURE)
    return found


def regular_line(separator: str, width: int, end: str) -> Callable[[str], object]:
    """A test whether a line is a whole record of `width` fields, as most lines are: one look instead of one a field."""
    one = rf'(?:"[^"\r\n]*+(?:""[^"\r\n]*+)*+"|[^"{re.escape(separator)}\r\n][^{re.escape(separator)}\r\n]*+)?+'
    return re.compile(one + rf"(?:{re.escape(separator)}{one}){{{width - 1}}}+{end}").fullmatch


def half_breaks(end: str, ending: str) -> bool:
    """Whether of the ends of two lines, both there, one is a lone carriage return and the other is not."""
    return bool(end and ending) and end != ending and "\r" in (end, ending)


def refuse_break(name: str, number: int) -> None:
    """Raise FunathonError for a lone carriage return (or a lone line feed, where carriage returns end the lines)."""
    raise FunathonError(f"{name}: line {number:,} has half a line break in a text without quotes.", CURE)


def some_fields(count: int) -> str:
    """`1 field`, `2 fields`."""
    return f"{count:,} field{'' if count == 1 else 's'}"
