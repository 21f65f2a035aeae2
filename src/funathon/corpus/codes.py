"""What can be wrong with a column of codes, told for what it is."""

import polars as pl

from funathon.corpus.blanks import says_nothing
from funathon.corpus.correspondence import read_correspondence
from funathon.corpus.nomenclature import read_nomenclature
from funathon.errors import FunathonError

SHOWN = 3
"""Rows that a message quotes."""
MANY = 20
"""Rows after which it is no chance that none has one of the 146 classes, of 651, that only Rev. 2.1 has: 0.78 ** 20 is 0.7 %."""
MONTHS = "jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]"
DATE = (
    rf"(?i)^(\d{{1,2}}[ .\-/]*({MONTHS})[a-z]*\.?|({MONTHS})[a-z]*[ .\-/]*\d{{1,2}})([ .\-/]*\d{{2,4}})?$"
    r"|^\d{4}-\d\d-\d\d([ T][\d:.]+)?$|^\d{1,2}/\d{1,2}/\d{2,4}$|^\d{1,2}\.\d{1,2}\.(19|20)\d\d$"
)
"""What a spreadsheet makes of a code that it takes for a day: 01.Nov, Nov-01, 2025-11-01 00:00:00, 1/11/2025."""


def trimmed(code: pl.Expr) -> pl.Expr:
    """Codes without spaces around them, those that nobody sees included (no-break, zero-width, byte order mark)."""
    return code.str.replace(r"^[\s\p{Z}\p{C}]+", "").str.replace(r"[\s\p{Z}\p{C}]+$", "")


def is_missing(code: pl.Expr) -> pl.Expr:
    """Whether there is no code: null, empty, punctuation, or a word such as `unknown`."""
    return code.is_null() | ~code.str.contains(r"[\p{L}\p{N}]") | says_nothing(code)


def restore_zeros(code: pl.Expr) -> pl.Expr:
    """`6.1` as `06.10`: two digits before the point and two after, as every class has."""
    parts = code.str.splitn(".", 2)
    before, after = parts.struct.field("field_0"), parts.struct.field("field_1")
    return before.str.pad_start(2, "0") + "." + after.fill_null("").str.pad_end(2, "0")


def refuse_none(name: str, rows: pl.DataFrame) -> None:
    """Raise FunathonError when a row (columns row, code, label) has no code."""
    refuse(name, rows.filter(is_missing(pl.col("code"))), "no code", "Give each row the code of a class, such as 01.11.")


def refuse_bad(name: str, rows: pl.DataFrame) -> None:
    """Raise FunathonError when a code of `rows` (columns row, code, label) is no class of the nomenclature at NACE_URL, and say what
    it seems to be instead."""
    nomenclature = read_nomenclature()
    code = pl.col("code")
    classes = nomenclature.filter(level=4)["code"].implode()
    bad = rows.filter(~code.is_in(classes))
    if not len(bad):
        return
    digits = code.str.extract(r"(\d[\d.,]*)$").str.replace_all(r"\D", "")
    bad = bad.with_columns(
        dotted=digits.str.pad_start(4, "0").str.slice(0, 2) + "." + digits.str.pad_start(4, "0").str.slice(2, 2),
        code_of_old=code.str.replace_all(r"^(\d\d)\.?(\d\d)$", "$1.$2"),
    )
    old = pl.Series(list(read_correspondence().successors))
    only_old = old.filter(~old.is_in(classes)).implode()
    anywhere = pl.col("dotted").is_in(pl.concat([nomenclature.filter(level=4)["code"], old]).implode())
    upper = nomenclature.filter(pl.col("level") < 4)["code"].implode()
    for wrong, problem, cure in (
        (
            code.str.contains(DATE),
            "a date for a code, into which a spreadsheet turned it",
            "Format the column as text before the codes go into it, and fill it again: 10.11 and 11.10 may look the same now.",
        ),
        (code.str.contains(r"^\d{1,2},\d{1,2}$"), "a code with a comma", "Write a point: 10.71, not 10,71."),
        (
            code.str.contains(r"^[A-Va-v][ .\-]?\d") & anywhere,
            "a code with the letter of its section before it",
            "Write the four digits only: 10.71, not C10.71.",
        ),
        (
            code.str.contains(r"^\d\d\.?\d\d[. ]?\d+$|^\d\d\.\d\d[. ]?[A-Za-z]+$"),
            "a code that is longer than that of a class, of a national classification perhaps",
            "Write its first four digits: 10.71, not 10.71.0.",
        ),
        (
            pl.col("code_of_old").is_in(only_old),
            "a code of NACE Rev. 2 that Rev. 2.1 does not have",
            "These are codes of the older revision: recode the whole table to Rev. 2.1 first, for a code that both have may mean "
            "something else. data/correspondence.tsv lists what became of each class; where it has several successors, the text "
            "decides.",
        ),
        (code.str.contains(r"^\d{3,4}$") & anywhere, "a code without its point", "Write codes as text: 06.10, not 0610."),
        (restore_zeros(code).is_in(classes), "a code that lost a zero", "Write codes as text: 06.10, not 6.1."),
        (
            code.is_in(upper),
            "a code that is no class",
            "Use classes only (four digits, 01.11); a group or a division is too broad.",
        ),
    ):
        refuse(name, bad.filter(wrong), problem, cure)
    refuse(name, bad, "an unknown code", "Use the classes of the nomenclature at NACE_URL, or else of data/nace_rev2_1.tsv.")


def doubt(rows: pl.DataFrame) -> str | None:
    """Half a sentence of doubt about codes (column `code`) that are all classes of Rev. 2.1, but might be meant as Rev. 2: many rows,
    some with a class that went to others, and none of the classes that only Rev. 2.1 has. None where there is no such doubt.
    """
    pairs = read_correspondence()
    new = pl.Series([code for code in pairs.predecessors if code not in pairs.successors], dtype=pl.String)
    elsewhere = pl.Series([old for old, codes in pairs.successors.items() if any(code != old for code in codes)], dtype=pl.String)
    moved = rows.filter(pl.col("code").is_in(elsewhere.implode()))["code"]
    if len(rows) < MANY or not len(moved) or rows["code"].is_in(new.implode()).any():
        return None
    return (
        f"none of the {len(rows):,} codes is one that only NACE Rev. 2.1 has, and {moved.mode().sort()[0]} meant something else in "
        "Rev. 2: if these are codes of Rev. 2, recode them first (data/correspondence.tsv)"
    )


def refuse(name: str, rows: pl.DataFrame, problem: str, cure: str) -> None:
    """Raise FunathonError quoting the first of `rows` (columns row, code, label), if there are any."""
    if not len(rows):
        return
    first = "; ".join(
        f"row {row} ({shorten(code)}: {shorten(text)})"
        for row, code, text in rows.select("row", "code", "label").head(SHOWN).iter_rows()
    )
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    raise FunathonError(f"{name} has {problem} in {first}{more}.", cure)


def shorten(text: str | None, most: int = 40) -> str:
    """`text` in quotes, cut to `most` characters; what cannot be seen is written out."""
    if text is None:
        return "null"
    return repr(text if len(text) <= most else text[: most - 1] + "…")
