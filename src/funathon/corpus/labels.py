"""Reading labelled activities: parquet, csv or tsv with a code and a free text a row."""

import io
import re
import unicodedata

import polars as pl

from funathon.corpus.nomenclature import first_line, read_nomenclature
from funathon.errors import FunathonError
from funathon.paths import DEFAULT_LABELS
from funathon.storage import read_bytes


def fold(text: str) -> str:
    """Lower case, with gaps for accents and punctuation, single spaces: what two texts must share to count as the same."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return " ".join(re.findall(r"[a-z0-9]+", decomposed)) or text.strip()


def read_table(source: str, variable: str) -> pl.DataFrame:
    """Read a parquet, csv or tsv file (told by its ending); in csv and tsv every column is text.

    Raises FunathonError when it cannot be read or is not what its ending says.
    """
    ending = source.rsplit(".", 1)[-1].lower()
    if ending not in ("parquet", "csv", "tsv"):
        raise FunathonError(f"{source} does not end in .parquet, .csv or .tsv.", "Save it in one of these formats.")
    content = io.BytesIO(read_bytes(source, variable))
    try:
        if ending == "parquet":
            return pl.read_parquet(content)
        return pl.read_csv(content, separator="\t" if ending == "tsv" else ",", infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FunathonError(
            f"{source} is not a readable {ending} file, it may be truncated: {first_line(error)}.",
            "Fetch it again, or check how it was written (csv and tsv: UTF-8, one header line).",
        ) from error


def read_labels(
    source: str | None = None,
    *,
    variable: str = "LABELS_URL",
    code: str = "code",
    label: str = "label",
    repeats: bool = False,
) -> pl.DataFrame:
    """Read labels from a path or URL (default: `data/labels.parquet`) and refuse a table that is not fit to learn from.

    Returns the table as it is (columns `code`, `label` and any others), both columns text. With `repeats` the same text may
    stand there several times under one code, as it does in registers: fit to be judged by.

    Raises FunathonError, naming the first rows at fault (counted from 1, without a header), when a column is missing, a
    code is null, was read as a number, has lost a zero, is unknown or no class (level 4), a label is null or empty, or
    the same text stands twice under one code.
    """
    name = str(source or DEFAULT_LABELS)
    table = read_table(name, variable)
    for column in (code, label):
        if column not in table.columns:
            raise FunathonError(
                f"{name} has no column '{column}'; it has {', '.join(table.columns)}.",
                "Rename the column, or name it with the options of the command where it has them.",
            )
    if table.schema[code].is_numeric():
        raise FunathonError(
            f"{name}: the codes were read as numbers, so that 06.10 became 6.1.",
            f"Read the column '{code}' as text when you write the file.",
        )
    if not len(table):
        raise FunathonError(f"{name} has no rows.", "Check how it was written.")
    numbered = table.select(code=pl.col(code).cast(pl.String), label=pl.col(label).cast(pl.String)).with_row_index("row", 1)
    nomenclature = read_nomenclature()
    classes = nomenclature.filter(level=4)["code"]
    known = pl.col("code").is_in(classes.implode())
    refuse(name, numbered.filter(pl.col("code").is_null()), "no code", "Give each row the code of a class, such as 01.11.")
    lost = numbered.filter(~known & (restore_zeros(pl.col("code"))).is_in(classes.implode()))
    refuse(name, lost, "a code that lost a zero", "Write codes as text: 06.10, not 6.1.")
    upper = numbered.filter(pl.col("code").is_in(nomenclature.filter(pl.col("level") < 4)["code"].implode()))
    refuse(name, upper, "a code that is no class", "Use classes only (four digits, 01.11); a group or a division is too broad.")
    refuse(
        name,
        numbered.filter(~known),
        "an unknown code",
        "Use the classes of the nomenclature at NACE_URL, or else of data/nace_rev2_1.tsv.",
    )
    empty = numbered.filter(pl.col("label").is_null() | (pl.col("label").str.strip_chars() == ""))
    refuse(name, empty, "an empty label", "Remove these rows or write the text.")
    twice = numbered.filter(pl.struct("code", "label").is_first_distinct().not_() & ~pl.lit(repeats))
    refuse(name, twice, "a label that stands there already under its code", "Keep one of them.")
    return table.with_columns(pl.col(code).cast(pl.String), pl.col(label).cast(pl.String))


def restore_zeros(code: pl.Expr) -> pl.Expr:
    """`6.1` as `06.10`: two digits before the point and two after, as every class has."""
    parts = code.str.splitn(".", 2)
    before, after = parts.struct.field("field_0"), parts.struct.field("field_1")
    return before.str.pad_start(2, "0") + "." + after.fill_null("").str.pad_end(2, "0")


def refuse(name: str, rows: pl.DataFrame, problem: str, cure: str) -> None:
    """Raise FunathonError naming the first of `rows` (columns row, code, label), if there are any."""
    if not len(rows):
        return
    first = "; ".join(
        f"row {row} ({code if code is not None else 'null'}: {shorten(text)})" for row, code, text in rows.head(3).iter_rows()
    )
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    raise FunathonError(f"{name} has {problem} in {first}{more}.", cure)


def shorten(text: str | None, most: int = 40) -> str:
    """`text` in quotes, cut to `most` characters."""
    if text is None:
        return "null"
    return repr(text if len(text) <= most else text[: most - 1] + "…")
