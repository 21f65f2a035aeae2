"""The names of columns: made unique, and found again as a person writes them."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from funathon.errors import FunathonError

MOST_NAMES = 20
"""Names that a message lists."""
LONG = 60
"""Characters of a name in a list."""


def unique(header: Sequence[str | None], first: int = 1) -> tuple[list[str], list[str]]:
    """Names for the columns of a header, each different, and what is to be said about them.

    A name stays as it is, to the last space, when it stands there once. One that stands there several times is numbered each time
    (`label_1`, `label_2`), so that nobody takes the first for the only one; a column without a name is called `column_3` after its
    place, which is counted from `first`.
    """
    given = [name or f"column_{place}" for place, name in enumerate(header, first)]
    counts = Counter(given)
    taken = set(given)
    names, seen = [], Counter()
    for name in given:
        if counts[name] > 1:
            number = seen[name] + 1
            while (numbered := f"{name}_{number}") in taken:
                number += 1
            seen[name] = number
            taken.add(numbered)
            name = numbered
        names.append(name)
    notes = []
    if nameless := [name for name, old in zip(names, header) if not old]:
        notes.append(f"columns without a name are called {listed(nameless)}")
    if repeated := [name for name, count in counts.items() if count > 1]:
        numbered = [new for new, old in zip(names, given) if old == repeated[0]]
        notes.append(f"columns of one name are numbered: {listed(numbered)}")
    return names, notes


def plain(name: str) -> str:
    """A name without case, surrounding space and differences that nobody sees."""
    return unicodedata.normalize("NFKC", name).casefold().strip("\ufeff\u200b \t\r\n")


def find_column(table: str, columns: Sequence[str], wanted: str, option: str, say: Callable[[str], None]) -> str:
    """The column that a person calls `wanted`: the one of exactly this name, else the only one that differs in case or padding.

    The latter goes to `say`. `table` is the name of the file, `option` the one that names the column.

    Raises FunathonError when there is none, or there are several.
    """
    if wanted in columns:
        return wanted
    close = [name for name in columns if plain(name) == plain(wanted)]
    if len(close) == 1:
        say(f"{table}: the column {close[0]!r} is taken for {wanted!r}.")
        return close[0]
    close = close or [name for name in columns if plain(name).startswith(plain(wanted) + "_")]
    close = close or difflib.get_close_matches(wanted, columns, n=3)
    problem = f"{table} has no column {wanted!r}; it has {listed(columns)}."
    if close:
        raise FunathonError(problem, f"Did you mean {' or '.join(map(repr, close[:3]))}? Name the column with {option}.")
    raise FunathonError(problem, f"Name the column with {option}.")


def listed(names: Sequence[str]) -> str:
    """Names in a row, the first MOST_NAMES of them."""
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(repr(name if len(name) <= LONG else name[: LONG - 1] + "…") for name in names[:MOST_NAMES]) + more
