"""Values in words, as verdicts tell them: what kind of thing it is, how large, with its article."""

import inspect
import numbers
from collections.abc import Iterable, Mapping, Set
from pathlib import PurePath
from types import GeneratorType, ModuleType
from typing import Any

LONGEST = 60
"""Characters of a value that are shown; the rest is cut."""
FEWEST = 3
"""Items that are looked at to say of what a list is; the rest is of the same kind or not, which costs time to find out."""


def shown(value: Any) -> str:
    """A value as Python writes it, without numpy's names of its numbers, cut to LONGEST characters."""
    text = " ".join(repr(plain(value)).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def in_words(value: Any) -> str:
    """What a value is, with its article: `the whole number 3`, `a list of 5 texts`, `a polars table of 3 rows and 2 columns`."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"the whole number {value:,}"
    if isinstance(value, numbers.Real):
        return f"the number {float(value):.6g}"
    if isinstance(value, str):
        return f"the text {shown(value)}" if value else "an empty text"
    if isinstance(value, PurePath):
        return f"the path {shown(str(value))}"
    if inspect.isclass(value):
        return f"the class {value.__name__}, not an object made with it"
    if inspect.isroutine(value):
        return "a function"
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, GeneratorType):
        return "a generator, which gives its items once only"
    return of_many(value)


def of_many(value: Any) -> str:
    """The words for what holds several things; for anything else, the name of its class."""
    package, name = type(value).__module__.split(".")[0], type(value).__name__
    shape = getattr(value, "shape", None)
    if package in ("polars", "pandas"):
        if name == "LazyFrame":
            return "a query of polars that has not been collected"
        if name == "DataFrame":
            return f"a {package} table of {count(shape[0], 'row')} and {count(shape[1], 'column')}"
        return f"a column of {package} with {count(len(value), 'value')}"
    if package in ("numpy", "torch") and isinstance(shape, tuple):
        return f"{'an array' if package == 'numpy' else 'a tensor'} of shape {tuple(shape)}"
    if isinstance(value, Mapping):
        return f"a dictionary with {count(len(value), 'key')}" if value else "an empty dictionary"
    if isinstance(value, (list, tuple, Set)):
        kind = {"dict_keys": "view of keys", "dict_items": "view of items"}.get(name, name)
        kind = "set" if isinstance(value, (set, frozenset)) else kind
        return f"a {kind} of {items(value)}" if value else f"an empty {kind}"
    return f"{article(name)} {name}"


def items(value: Iterable) -> str:
    """How many things of which kind: `3 texts`."""
    value = list(value)
    kinds = {noun(item) for item in value[:FEWEST]}
    return count(len(value), kinds.pop() if len(kinds) == 1 else "thing")


def noun(item: Any) -> str:
    """What one item of a list is called."""
    item = plain(item)
    for kinds, word in (
        (bool, "truth value"),
        (numbers.Integral, "whole number"),
        (numbers.Real, "number"),
        (str, "text"),
        (PurePath, "path"),
        (Mapping, "dictionary"),
        (list, "list"),
        (tuple, "tuple"),
        (type(None), "None"),
    ):
        if isinstance(item, kinds):
            return word
    return {"ndarray": "array"}.get(type(item).__name__, type(item).__name__)


def count(n: int, word: str) -> str:
    """A number and its noun: `1 row`, `3 dictionaries`."""
    return f"{n:,} {word if n == 1 else plural(word)}"


def plural(word: str) -> str:
    """The plural of a noun: `rows`, `keys`, `dictionaries`, `classes`."""
    if word == "None":
        return word
    if word.endswith("y") and word[-2:-1] not in (*"aeiou", ""):
        return f"{word[:-1]}ies"
    return f"{word}{'es' if word.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def article(word: str) -> str:
    """`a` or `an`, by the first letter of a word."""
    return "an" if word[:1] in "AEIOaeio" else "a"


def plain(value: Any) -> Any:
    """A single number, truth value or text of numpy, or a tensor that holds one number, as Python's own; all else unchanged."""
    is_one = type(value).__module__.split(".")[0] in ("numpy", "torch") and getattr(value, "shape", None) == ()
    return value.item() if is_one else value
