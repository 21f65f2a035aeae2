"""Reading labelled activities: a table with a code and a free text a row."""

import re
import unicodedata
from collections.abc import Callable, Sequence

import polars as pl

from funathon.corpus import codes
from funathon.corpus.tables.columns import find_column
from funathon.corpus.tables.opening import open_table, tell
from funathon.corpus.tables.table import GUESSED, Reading
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_LABELS


def fold(text: str) -> str:
    """Lower case, with gaps for accents and punctuation, single spaces: what two texts must share to count as the same."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return " ".join(re.findall(r"[a-z0-9]+", decomposed)) or text.strip()


def read_labels(
    source: str | None = None,
    reading: Reading = GUESSED,
    *,
    variable: str = "LABELS_URL",
    code: str = "code",
    label: str = "label",
    say: Callable[[str], None] = tell,
) -> pl.DataFrame:
    """Read labels from a path or URL (default: `data/labels.parquet`) and refuse a table that is not fit to learn from.

    Returns the table as it is (columns `code`, `label` and any others), both columns text, codes without space around them.
    What is guessed goes to `say`.

    Raises FunathonError, naming the first rows at fault (counted from 1, without a header), when a column is missing or no text, a
    code is missing or none of the nomenclature's classes, a label is null or empty, or the same text stands twice under one code.
    """
    name = str(source or DEFAULT_LABELS)
    table = read_columns(name, reading, variable, code, label, say)
    rows = numbered(table, code, label)
    codes.refuse_none(name, rows)
    check(name, rows)
    twice = rows.filter(pl.struct("code", "label").is_first_distinct().not_())
    codes.refuse(name, twice, "a label that stands there already under its code", "Keep one of them.")
    return table


def read_judged(
    source: str, reading: Reading = GUESSED, *, code: str = "code", label: str = "label", say: Callable[[str], None] = tell
) -> pl.DataFrame:
    """Read labels to be judged by, as `read_labels` does, from a path or URL that a person gives.

    The same text may stand there several times under one code, as it does in registers. Rows without a code, which registers have
    too, are left out, and their number goes to `say`.

    Raises FunathonError as `read_labels` does, and when no row has a code.
    """
    table = read_columns(source, reading, "the path", code, label, say)
    rows = numbered(table, code, label)
    coded = rows.filter(~codes.is_missing(pl.col("code")))
    if left_out := len(rows) - len(coded):
        first = ", ".join(f"{row:,}" for row in rows.filter(codes.is_missing(pl.col("code")))["row"].head(3))
        say(f"{source}: {left_out:,} of {len(rows):,} rows have no code and are left out, the first of them row {first}.")
    if not len(coded):
        raise FunathonError(f"{source} has no row with a code.", "Name the column with the codes with --code.")
    check(source, coded)
    if doubt := codes.doubt(coded):
        say(f"{source}: {doubt}.")
    return table[(coded["row"] - 1).to_list()]


def read_texts(source: str, reading: Reading = GUESSED, *, label: str = "label", say: Callable[[str], None] = tell) -> pl.Series:
    """The column of texts of a table that needs no codes, from a path or URL that a person gives; a missing text is null.

    Raises FunathonError when the table cannot be read, has no such column or no rows.
    """
    opened = open_table(source, reading, variable="the path", say=say)
    column = find_column(opened.name, opened.schema.names(), label, "--label", say)
    if not opened.rows:
        raise FunathonError(f"{opened.name} has no rows.", "Check how it was written.")
    return opened.read()[column].cast(pl.String)


def read_columns(name: str, reading: Reading, variable: str, code: str, label: str, say: Callable[[str], None]) -> pl.DataFrame:
    """The table `name` with its columns of codes and texts called `code` and `label`, both text, codes trimmed.

    Raises FunathonError when it has no rows, one of the columns is missing, both are one, or they hold no text.
    """
    opened = open_table(name, reading, variable=variable, say=say)
    columns = opened.schema.names()
    found = {
        wanted: find_column(opened.name, columns, wanted, option, say)
        for wanted, option in ((code, "--code"), (label, "--label"))
    }
    if len(set(found.values())) == 1:
        raise FunathonError(
            f"The codes and the texts of {opened.name} cannot both be in the column {label!r}.",
            "Name two with --code and --label.",
        )
    refuse_types(opened.name, opened.schema, list(found.values()), found[code])
    if not opened.rows:
        raise FunathonError(f"{opened.name} has no rows.", "Check how it was written.")
    table = opened.read().rename({old: new for new, old in found.items()})
    pair = pl.DataFrame({"code": table[code].cast(pl.String), "label": table[label].cast(pl.String)})
    pair = pair.with_columns(codes.trimmed(pl.col("code")))
    return table.with_columns(pair["code"].alias(code), pair["label"].alias(label))


def refuse_types(name: str, schema: pl.Schema, columns: Sequence[str], code: str) -> None:
    """Raise FunathonError when one of the `columns` of a table holds no texts, or the one of codes, `code`, holds numbers."""
    for column in columns:
        kind = schema[column]
        if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
            raise FunathonError(
                f"The column {column!r} of {name} holds {kind}, not texts.", "Make it text when you write the file."
            )
    if schema[code].is_numeric():
        raise FunathonError(
            f"{name}: the codes were read as numbers, so that 06.10 became 6.1.",
            f"Read the column {code!r} as text when you write the file.",
        )


def numbered(table: pl.DataFrame, code: str, label: str) -> pl.DataFrame:
    """Columns `row` (from 1), `code` and `label` of a table."""
    return pl.DataFrame({"code": table[code], "label": table[label]}).with_row_index("row", 1)


def check(name: str, rows: pl.DataFrame) -> None:
    """Raise FunathonError when a code of `rows` (columns row, code, label) is no class, or a label says nothing."""
    codes.refuse_bad(name, rows)
    empty = rows.filter(pl.col("label").is_null() | (pl.col("label").str.strip_chars() == ""))
    codes.refuse(name, empty, "an empty label", "Remove these rows or write the text.")
