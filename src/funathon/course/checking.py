"""What the checks of the chapters are written with: an answer is taken for what it says, and told in words when it is refused.

A check imports from here inside its function, so that the digest of its chapter knows it. Each helper takes the name of the variable
first and raises AssertionError, whose message becomes the verdict:

    def check(n_classes, unseen_codes, *, y_train, y_test):
        from funathon.course.checking import as_int, equal, same_set

        equal("n_classes", as_int("n_classes", n_classes), len(set(y_train)), "the number of different codes")
        same_set("unseen_codes", unseen_codes, set(y_test) - set(y_train))

The `as_…` return the answer in one form, so that what follows need not ask again: a number of numpy is a number, a `Path` is a
path as good as its text, a list of different things is a set.
"""

import math
import numbers
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from funathon.course.wording import article, count, in_words, plain, plural, shown

ITEMS = {
    "text": lambda item: isinstance(item, str),
    "whole number": lambda item: isinstance(item, numbers.Integral) and not isinstance(item, bool),
    "number": lambda item: isinstance(item, numbers.Real) and not isinstance(item, bool),
    "truth value": lambda item: isinstance(item, bool),
    "dictionary": lambda item: isinstance(item, Mapping),
}
"""What `as_list` and `as_set` can be asked for, and how an item of each is known."""


def refuse(name: str, expected: str, value: Any, how: str = "") -> None:
    """Raise AssertionError: what the variable `name` should be, what it is, and how to make the one of the other."""
    raise AssertionError(f"`{name}` should be {expected}; it is {in_words(value)}.{f' {how}' if how else ''}")


def as_int(name: str, value: Any, how: str = "") -> int:
    """A whole number as Python's: int, numpy's integers, a tensor that holds one, a float without a fraction."""
    given = plain(value)
    whole = isinstance(given, numbers.Integral) or (isinstance(given, float) and given.is_integer())
    if isinstance(given, bool) or not whole:
        refuse(name, "a whole number", value, how or ("Call the function." if callable(value) else ""))
    return int(given)


def as_number(name: str, value: Any, how: str = "") -> float:
    """A finite number as a float: int, float, those of numpy, a tensor that holds one."""
    given = plain(value)
    if isinstance(given, bool) or not isinstance(given, numbers.Real):
        refuse(name, "one number", value, how or ("Call the function." if callable(value) else ""))
    assert math.isfinite(given), f"`{name}` should be a number; it is {float(given)}."
    return float(given)


def as_share(name: str, value: Any) -> float:
    """A number from 0 to 1; a percentage is told as such."""
    share = as_number(name, value)
    assert 0 <= share <= 1, (
        f"`{name}` should be a share, from 0 to 1; it is {share:.6g}.{' Is it a percentage?' if share > 1 else ''}"
    )
    return share


def as_bool(name: str, value: Any, how: str = "") -> bool:
    """True or False, numpy's too; 1 and 'True' are not."""
    given = plain(value)
    if not isinstance(given, bool):
        refuse(name, "True or False", value, how)
    return given


def as_text(name: str, value: Any, how: str = "") -> str:
    """A text, numpy's too."""
    given = plain(value)
    if not isinstance(given, str):
        refuse(name, "a text", value, how)
    return str(given)


def as_path(name: str, value: Any, how: str = "") -> Path:
    """The path that a text or a `Path` names, absolute, so that two ways to write one place are equal."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        refuse(name, "a path", value, how)
    return Path(value).resolve()


def as_list(name: str, value: Any, of: str = "", length: int | None = None, how: str = "") -> list:
    """The items of a list, tuple, one-dimensional array or tensor, or column of a table, as Python's own values.

    `of` is a key of ITEMS, or nothing where any item will do; `length` the number that is asked for, if any.
    """
    expected = f"a list of {plural(of or 'item') if length is None else count(length, of or 'item')}"
    sequence = not isinstance(value, (str, bytes, Mapping)) and (isinstance(value, Sequence) or hasattr(value, "tolist"))
    column = hasattr(value, "to_list") and not hasattr(value, "columns")
    if not (sequence or column) or len(getattr(value, "shape", (0,))) != 1:
        refuse(name, expected, value, how)
    found = [plain(item) for item in (value.to_list() if column else value)]
    refuse_items(name, found, expected, of, value, how)
    if length is not None and len(found) != length:
        refuse(name, expected, value, how)
    return found


def as_set(name: str, value: Any, of: str = "", how: str = "") -> set:
    """The members of a set, or of a list, tuple, array or column in which nothing stands twice.

    `of` is a key of ITEMS, or nothing where any member will do.
    """
    expected = f"a set of {plural(of or 'item')}"
    if isinstance(value, Set):
        found = [plain(item) for item in value]
        refuse_items(name, found, expected, of, value, how)
        return set(found)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        refuse(name, expected, value, how)
    found = as_list(name, value, of, how=how)
    twice = [item for item, times in Counter(found).items() if times > 1]
    assert not twice, f"`{name}` should be {expected}, each once; {shown(twice[0])} stands there more than once."
    return set(found)


def refuse_items(name: str, found: Sequence, expected: str, of: str, value: Any, how: str) -> None:
    """Raise AssertionError for the first item that is not `of` the kind that was asked for."""
    for place, item in enumerate(found, 1):
        if of and not ITEMS[of](item):
            raise AssertionError(
                f"`{name}` should be {expected}; number {place} of its items is {in_words(item)}.{f' {how}' if how else ''}"
            )


def as_dict(name: str, value: Any, keys: Iterable = (), how: str = "") -> dict:
    """A dictionary that has at least `keys`."""
    if not isinstance(value, Mapping):
        refuse(name, "a dictionary", value, how)
    absent = [key for key in keys if key not in value]
    assert not absent, f"`{name}` lacks the key {absent[0]!r}." + (f" {how}" if how else "")
    return dict(value)


def as_array(name: str, value: Any, shape: tuple[int | None, ...] | None = None, how: str = "") -> np.ndarray:
    """Numbers or texts as an array: from an array, a tensor, nested lists or a column. `shape` has None where any size will do."""
    if isinstance(value, (str, Mapping)) or value is None or callable(value) or isinstance(value, Set):
        refuse(name, "an array", value, how)
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except (ValueError, TypeError):
        array = np.empty(0, dtype=object)
    if (array.dtype == object and not all(isinstance(item, str) for item in array.flat)) or array.size == 0:
        refuse(name, "an array of numbers or texts, with rows of one length", value, how)
    fits = shape is None or (len(shape) == array.ndim and all(n in (None, m) for n, m in zip(shape, array.shape)))
    wanted = f"({', '.join('any' if n is None else str(n) for n in shape or ())}{',' if shape and len(shape) == 1 else ''})"
    assert fits, f"`{name}` should have the shape {wanted}; it has {array.shape}.{f' {how}' if how else ''}"
    return array


def as_table(name: str, value: Any, columns: Iterable[str] = (), rows: int | None = None, how: str = "") -> Any:
    """A polars table with at least `columns`, and `rows` rows where that is given; a table of pandas is turned into one."""
    import polars

    if type(value).__module__.startswith("pandas") and hasattr(value, "columns"):
        value = polars.from_pandas(value)
    if not isinstance(value, polars.DataFrame):
        refuse(name, "a table of polars", value, how or ("Collect it." if isinstance(value, polars.LazyFrame) else ""))
    absent = [column for column in columns if column not in value.columns]
    assert not absent, (
        f"`{name}` lacks the column {absent[0]!r}; it has {', '.join(value.columns) or 'none'}.{f' {how}' if how else ''}"
    )
    assert rows in (None, len(value)), (
        f"`{name}` should have {count(rows or 0, 'row')}; it has {len(value):,}.{f' {how}' if how else ''}"
    )
    return value


def as_function(name: str, value: Any, how: str = "") -> Callable:
    """Something that can be called."""
    if not callable(value):
        refuse(name, "a function", value, how or f"Define it: `def {name}(…)`.")
    return value


def as_instance(name: str, value: Any, kind: type, how: str = "") -> Any:
    """An object of the class `kind`; the class itself, given by mistake, is told as such."""
    if not isinstance(value, kind):
        refuse(name, f"{article(kind.__name__)} {kind.__name__}", value, how)
    return value


def equal(name: str, given: Any, expected: Any, what: str = "") -> None:
    """The answer `given` is `expected`, whichever of the usual forms it has: numpy's numbers, a `Path`, a tuple for a list.

    `what` says in words what the expected value is. Never says "should be X, not X": what prints alike is told by its kind.
    """
    left, right = comparable(given), comparable(expected)
    if isinstance(left, bool) == isinstance(right, bool) and left == right:
        return
    meaning = f", {what}" if what else ""
    if shown(given) == shown(expected) or noun_of(left) != noun_of(right):
        refuse(name, in_words(expected) + meaning, given)
    if isinstance(left, list) and len(left) == len(right):
        place = next(i for i, (one, other) in enumerate(zip(left, right)) if one != other)
        raise AssertionError(
            f"number {place + 1} of `{name}` should be {shown(right[place])}{meaning}; it is {shown(left[place])}."
        )
    raise AssertionError(f"`{name}` should be {shown(expected)}{meaning}; it is {shown(given)}.")


def comparable(value: Any) -> Any:
    """A value in the form in which it is compared: paths as text, tuples, arrays and columns as lists, numbers as Python's."""
    value = plain(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    if isinstance(value, Mapping):
        return {plain(key): comparable(item) for key, item in value.items()}
    if isinstance(value, Set):
        return {plain(item) for item in value}
    for method in ("tolist", "to_list"):
        if hasattr(value, method) and not hasattr(value, "columns"):
            return getattr(value, method)()
    return value


def noun_of(value: Any) -> type:
    """The kind by which two values are compared: all numbers are of one."""
    return float if isinstance(value, numbers.Real) and not isinstance(value, bool) else type(value)


def close(name: str, given: Any, expected: float, within: float, what: str = "", digits: int = 4) -> float:
    """One number within `within` of `expected`; returns it. `digits` after the point are shown, `what` says what is expected."""
    value = as_number(name, given)
    meaning = f", {what}" if what else ""
    assert abs(value - expected) <= within, f"`{name}` should be {expected:.{digits}f}{meaning}; it is {value:.{digits}f}."
    return value


def same_set(name: str, given: Any, expected: Collection, what: str = "") -> None:
    """The members of `given`, a set or a list without repetitions, are those of `expected`."""
    members, wanted = as_set(name, given), {plain(item) for item in expected}
    meaning = f" ({what})" if what else ""
    lacking, surplus = sorted(wanted - members, key=str), sorted(members - wanted, key=str)
    if lacking and surplus and len(members & wanted) == 0 and len(wanted) <= 5:
        raise AssertionError(f"`{name}` should be {shown(wanted)}{meaning}; it is {shown(members)}.")
    assert not lacking, f"`{name}` should hold {count(len(wanted), 'item')}{meaning}; it lacks {shown(lacking[0])}."
    assert not surplus, f"`{name}` should hold {count(len(wanted), 'item')}{meaning}; {shown(surplus[0])} is not one of them."


def drawn(name: str, value: Any, how: str = "") -> list:
    """The axes of a figure in which something has been drawn (bars, lines, points, an image), at least one.

    `value` is a matplotlib figure, axes, several axes, or what a method that draws returned. A figure that has been shown is closed,
    but still holds what was drawn: ask for it in a variable (`figure = plt.figure(…)` or `ax = plt.gca()` before `plt.show()`).
    """
    parts = list(np.ravel(np.asarray(value, dtype=object))) if isinstance(value, (list, tuple, np.ndarray)) else [value]
    axes: list = []
    for part in parts:
        children = list(getattr(part, "patches", ())) if not hasattr(part, "axes") else []
        found = [child.axes for child in children] or getattr(part, "axes", None) or []
        axes += [one for one in (found if isinstance(found, list) else [found]) if hasattr(one, "lines") and one not in axes]
    if not axes and not any(hasattr(part, "add_subplot") for part in parts):
        refuse(name, "a figure of matplotlib, or its axes", value, how or "Keep it before it is shown: `figure = plt.gcf()`.")
    full = [one for one in axes if one.lines or one.patches or one.collections or one.images]
    assert full, f"`{name}` is empty: nothing has been drawn in it.{f' {how}' if how else ''}"
    return full


def labelled(name: str, axes: Any) -> None:
    """One axes of `drawn` says what its x or y axis shows, or has a title."""
    words = (axes.get_xlabel(), axes.get_ylabel(), axes.get_title())
    assert any(words), f"`{name}` does not say what it shows: name an axis, or give it a title."


def shows(name: str, axes: Sequence, x: Iterable, y: Iterable, what: str) -> None:
    """Among the lines, points or bars of `axes`, as of `drawn`, are those with these x and y (shares may be in per cent).

    `what` says it in words.
    """
    wanted = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    for one in axes:
        lines = [np.asarray(line.get_xydata(), dtype=float) for line in one.lines]
        dots = [np.asarray(dots.get_offsets(), dtype=float) for dots in one.collections]
        bars = [[bar.get_x() + bar.get_width() / 2, bar.get_height()] for bar in one.patches if hasattr(bar, "get_height")]
        for found in filter(len, [*lines, *dots, np.array(bars)]):
            if any(has_points(found / scales, wanted) for scales in ((1, 1), (1, 100), (100, 100))):
                return
    raise AssertionError(f"`{name}` should show {what}.")


def has_points(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether each of the points of `wanted` is near one of `found`, both of shape (n, 2)."""
    return bool((np.abs(wanted[:, None] - found[None]).max(axis=2).min(axis=1) < 1e-3).all())
