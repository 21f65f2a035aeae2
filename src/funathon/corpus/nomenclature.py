"""Reading NACE Rev. 2.1: our file, or the official one of Eurostat, through the same reader."""

import os
from collections.abc import Iterable
from functools import cache

import polars as pl

from funathon.errors import FunathonError
from funathon.paths import DEFAULT_NACE
from funathon.storage import read_bytes

COLUMNS = {
    "CODE": "code",
    "HEADING": "heading",
    "PARENT_CODE": "parent_code",
    "LEVEL": "level",
    "Implementation_rule": "rule",
    "Includes": "includes",
    "IncludesAlso": "includes_also",
    "Excludes": "excludes",
}
"""Columns of the official file that are used, and the names given to them."""

OPTIONAL = ("Implementation_rule",)
"""Columns that files made before lack: they are read as if empty."""

NOTES = ("rule", "includes", "includes_also", "excludes")
"""Columns of the table that hold notes."""


def read_nomenclature(source: str | None = None) -> pl.DataFrame:
    """Read the nomenclature from a path or a URL (default: NACE_URL, else `data/nace_rev2_1.tsv`).

    Returns one row a code, in the order of the file: `code`, `heading`, `parent_code` (null for sections), `level` (1 to 4)
    and the notes `rule`, `includes`, `includes_also`, `excludes` (text with real line breaks, null where there is none).
    `rule` holds the implementation rules that decide between a code and its neighbours: its own and those of the codes above it,
    since the rule of a division holds for all its classes. The official file writes a line break as the two characters backslash and n; so does ours.

    Raises FunathonError when the source cannot be read, lacks a column, or its codes do not form a tree of four levels.
    """
    name = str(source or os.environ.get("NACE_URL") or DEFAULT_NACE)
    cure = "Set NACE_URL to the official tsv of Eurostat, or remove it to use data/nace_rev2_1.tsv."
    try:
        table = pl.read_csv(read_bytes(name, "NACE_URL"), separator="\t", infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise FunathonError(f"{name} is not a tab-separated file: {first_line(error)}.", cure) from error
    table = table.with_columns(pl.lit(None, pl.String).alias(column) for column in OPTIONAL if column not in table.columns)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise FunathonError(f"{name} has no column {', '.join(missing)}.", cure)
    table = table.select(pl.col(old).alias(new) for old, new in COLUMNS.items()).with_columns(
        pl.col("level").cast(pl.Int8, strict=False),
        pl.col(NOTES).str.replace_all("\\n", "\n", literal=True),
    )
    orphans = table.filter(
        ~pl.col("level").is_between(1, 4).fill_null(False)
        | ((pl.col("level") > 1) & ~pl.col("parent_code").is_in(table["code"].implode()).fill_null(False))
    )
    if len(orphans):
        raise FunathonError(f"{name}: the codes {some(orphans['code'])} have no valid level or parent.", cure)
    return table.with_columns(rules_that_hold(table))


def class_codes() -> frozenset[str]:
    """The codes of all classes of the nomenclature at NACE_URL, read once for each place that it names."""
    return classes_at(str(os.environ.get("NACE_URL") or DEFAULT_NACE))


@cache
def classes_at(source: str) -> frozenset[str]:
    """The codes of all classes of the nomenclature at a path or a URL."""
    return frozenset(read_nomenclature(source).filter(level=4)["code"])


def rules_that_hold(table: pl.DataFrame) -> pl.Series:
    """The column `rule` with the rules of the codes above each code before its own, null where there is none."""
    own = {code: (parent, rule) for code, parent, rule in table.select("code", "parent_code", "rule").iter_rows()}

    def rules(code: str | None) -> list[str]:
        if code not in own:
            return []
        parent, rule = own[code]
        return [*rules(parent), *filter(None, [rule])]

    return pl.Series("rule", ["\n".join(rules(code)) or None for code in table["code"]], pl.String)


def refuse_foreign_classes(classes: Iterable[str], known: Iterable[str]) -> None:
    """Raise FunathonError when one of the `classes` of a model is not among the nomenclature's, `known`."""
    foreign = set(classes) - set(known)
    if foreign:
        raise FunathonError(
            f"The nomenclature has no class {min(foreign)}, which the model knows.",
            "Set NACE_URL to the nomenclature that the model was trained with.",
        )


def ancestors(nomenclature: pl.DataFrame) -> pl.DataFrame:
    """One row a class: its `class`, `group`, `division` and `section` codes, and its `heading`."""
    parents = dict(nomenclature.select("code", "parent_code").iter_rows())
    classes = nomenclature.filter(level=4)
    group = [parents[code] for code in classes["code"]]
    division = [parents[code] for code in group]
    section = [parents[code] for code in division]
    return pl.DataFrame(
        {"class": classes["code"], "group": group, "division": division, "section": section, "heading": classes["heading"]}
    )


def some(values: pl.Series, most: int = 3) -> str:
    """The first values of a series, for a message: `'01.1', '01.2', '01.3' and 7 more`."""
    head = ", ".join(repr(value) for value in values.head(most))
    return head if len(values) <= most else f"{head} and {len(values) - most} more"


def first_line(error: Exception) -> str:
    """First line of an error's text, without its final full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
