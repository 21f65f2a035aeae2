"""A register of one's own at REGISTER_URL: its texts and codes, from columns that settings name.

*Read in place*: of a parquet file on the disk or on S3, polars fetches the columns that are needed and nothing else. Other files, and
those behind https, are read whole, as everywhere in the course.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

from funathon.corpus import codes
from funathon.corpus.blanks import says_nothing
from funathon.corpus.labels import refuse_types
from funathon.corpus.nomenclature import first_line
from funathon.corpus.splitting import LEAST, SEED, Split, split_labels
from funathon.corpus.tables.columns import find_column, listed
from funathon.corpus.tables.opening import open_table, tell
from funathon.corpus.tables.source import find, kind_of
from funathon.errors import FunathonError, without_secrets
from funathon.storage import Read, Unreachable, is_remote, patiently, polars_options, unreachable

BETWEEN = ". "
"""What stands between the texts of several columns."""
NO_DIVISION = r"^[0.\s]*$"
"""Codes such as 00.000, by which registers say that they have none: there is no division 00."""
LOOK, FETCH = 5, 60
"""Seconds that S3 has for a request: to tell what a file holds, and to send a part of it."""


@dataclass(frozen=True)
class Mapping:
    """Names of columns: those of the texts, which are joined, and the one of the codes."""

    texts: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class Part:
    """One file of a register."""

    name: str
    labels: pl.DataFrame
    """Columns `code` and `label`, both text: the rows that have both."""
    rows: int
    no_code: int
    no_text: int
    """Rows that have a code and no text."""

    def __str__(self) -> str:
        left_out = f"{self.no_code:,} without a code and {self.no_text:,} without a text are left out"
        drawn = self.rows - self.no_code - self.no_text - len(self.labels)
        return f"{self.name}: {self.rows:,} rows, {left_out}{f', {len(self.labels):,} are drawn' if drawn else ''}"


@dataclass(frozen=True)
class Register:
    """What is learnt from and, if REGISTER_TEST_URL names it, what is measured on."""

    train: Part
    test: Part | None


def mapping() -> Mapping:
    """The columns that REGISTER_TEXT and REGISTER_CODE name; `label` and `code`, as in the course's own files, if they do not.

    Raises FunathonError when REGISTER_TEXT names a column twice or the one of the codes.
    """
    code = os.environ.get("REGISTER_CODE", "").strip() or "code"
    texts = tuple(name for part in os.environ.get("REGISTER_TEXT", "").split(",") if (name := part.strip())) or ("label",)
    if len(set(texts)) < len(texts):
        raise FunathonError("REGISTER_TEXT names a column twice.", "Write each column once, with commas between them.")
    if code in texts:
        raise FunathonError(f"REGISTER_TEXT and REGISTER_CODE both name the column {code!r}.", "Name two different columns.")
    return Mapping(texts, code)


def read_register(rows: int | None = None, say: Callable[[str], None] = tell) -> Register:
    """Read the register at REGISTER_URL, and its part to measure on at REGISTER_TEST_URL if that is set; S3 wants `load_settings`
    before. Of each file `rows` rows are drawn at random, if that is fewer than it has; the same ones each time.

    Raises Unreachable when REGISTER_URL is not set or a file cannot be reached, and other FunathonErrors when it has not the columns,
    no row with a code and a text, or codes that are no classes of the nomenclature at NACE_URL.
    """
    url = register_url()
    test = os.environ.get("REGISTER_TEST_URL")
    named = mapping()
    train = read_part(url, "REGISTER_URL", named, rows, say)
    return Register(train, read_part(test, "REGISTER_TEST_URL", named, rows, say) if test else None)


def register_url() -> str:
    """The address of the register. Raises Unreachable when there is none."""
    url = os.environ.get("REGISTER_URL")
    if not url:
        raise Unreachable("REGISTER_URL is not set.", 'The page "A register of your own" tells how to set it.')
    return url


def read_part(url: str, variable: str, named: Mapping, rows: int | None = None, say: Callable[[str], None] = tell) -> Part:
    """Read one file of a register; `variable` is the setting that names it. The rest is as in `read_register`."""
    name, schema, fetch = opened(url, variable, say)
    *texts, code = needed_columns(name, schema, named, say)
    return part_of(name, fetch([*texts, code]), texts, code, rows, say)


def needed_columns(name: str, schema: pl.Schema, named: Mapping, say: Callable[[str], None]) -> list[str]:
    """The columns of a file that a mapping names: those of the texts, then the one of the codes.

    Raises FunathonError when one is missing, named twice, or of a type that holds no texts.
    """
    columns = schema.names()
    found = [find_column(name, columns, text, "REGISTER_TEXT", say) for text in named.texts]
    found.append(find_column(name, columns, named.code, "REGISTER_CODE", say))
    if len(set(found)) < len(found):
        raise FunathonError(f"REGISTER_TEXT and REGISTER_CODE name one column of {name} twice.", "Name different columns.")
    refuse_types(name, schema, found, found[-1])
    return found


def opened(url: str, variable: str, say: Callable[[str], None]) -> tuple[str, pl.Schema, Callable[[list[str]], pl.DataFrame]]:
    """The name of a file as people are told of it, its columns, and a function that reads some of them.

    Raises FunathonError when the file cannot be read: Unreachable when it is not there or its place does not answer.
    """
    remote = is_remote(url)
    if kind_of(url) != ("parquet", False) or (remote and not url.startswith("s3://")):
        table = open_table(url, variable=variable, say=say)
        return table.name, table.schema, lambda columns: table.read().select(columns)
    name = without_secrets(url)
    content = url if remote else find(url, variable).content

    def scan(seconds: int) -> pl.LazyFrame:
        if not remote:
            return pl.scan_parquet(content, glob=False)
        return pl.scan_parquet(content, glob=False, storage_options=polars_options(seconds), credential_provider=None)

    def fetched(columns: list[str]) -> pl.DataFrame:
        return lazily(lambda: scan(FETCH).select(columns).collect(), url, variable)

    return name, lazily(lambda: scan(LOOK).collect_schema(), url, variable), fetched


def lazily(read: Callable[[], Read], url: str, variable: str) -> Read:
    """What polars reads of the parquet file at `url`.

    Raises Unreachable when the file is not there or its place does not answer, another FunathonError when it is no parquet.
    """
    try:
        return patiently(read, url)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise FunathonError(
            f"{url} is not a readable parquet file: {first_line(error)}.", "It may be truncated: write or fetch it again."
        ) from None
    except Exception as error:
        # polars tells a refused connection and a silent server in several lines about itself
        silent = isinstance(error, ConnectionError | TimeoutError) and "object-store" in str(error)
        raise unreachable(url, variable, OSError("its server does not answer") if silent else error) from None


def part_of(name: str, table: pl.DataFrame, texts: list[str], code: str, rows: int | None, say: Callable[[str], None]) -> Part:
    """The part of a register that a table holds, whose columns `texts` and `code` are what their names say.

    Raises FunathonError when no row has a code and a text, or a code is no class of the nomenclature at NACE_URL.
    """
    # a cell such as `n/a` says nothing, nor does the same text again in the next column
    cells = [pl.col(text).cast(pl.String).str.strip_chars() for text in texts]
    told = [pl.when(cell.str.contains(r"\p{L}") & ~says_nothing(cell)).then(cell) for cell in cells]
    joined = pl.concat_list(told).list.drop_nulls().list.unique(maintain_order=True).list.join(BETWEEN)
    found = table.select(code=codes.trimmed(pl.col(code).cast(pl.String)), label=joined).with_row_index("row", 1)
    coded = found.filter(~codes.is_missing(pl.col("code")) & ~pl.col("code").str.contains(NO_DIVISION))
    labels = coded.filter(pl.col("label") != "")
    if not len(labels):
        raise FunathonError(
            f"{name}: none of {len(found):,} rows has a code and a text.", "Check REGISTER_TEXT and REGISTER_CODE in .env."
        )
    codes.refuse_bad(name, labels)
    if doubt := codes.doubt(labels):
        say(f"{name}: {doubt}.")
    if rows is not None and rows < len(labels):
        labels = labels.sample(rows, seed=SEED)
    return Part(
        name, labels.select("code", "label"), len(found), len(found) - len(coded), len(coded.filter(pl.col("label") == ""))
    )


def split_register(register: Register) -> Split:
    """The sets that a network is trained, stopped and measured on, stratified by code.

    With a file to measure on, 15 % of the other are for validation; without one, 15 % are for validation and 15 % to measure on, as
    in the course. Classes with fewer than LEAST texts in the file that is split are in the training set only.

    Raises FunathonError when fewer than two classes have enough texts.
    """
    labels = register.train.labels
    few = pl.col("code").len().over("code") < LEAST
    enough, rest = labels.filter(~few), labels.filter(few)
    if enough["code"].n_unique() < 2:
        raise FunathonError(
            f"Fewer than two classes of {register.train.name} have {LEAST} texts, too few to train on and to measure.",
            "Take more rows.",
        )
    if register.test is None:
        split = split_labels(enough)
    else:
        X, y = enough["label"].to_numpy(), enough["code"].to_numpy()
        X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.15, random_state=SEED, stratify=y)
        test = register.test.labels
        split = Split(X_train, y_train, X_val, y_val, test["label"].to_numpy(), test["code"].to_numpy())
    return replace(
        split,
        X_train=np.concatenate([split.X_train, rest["label"].to_numpy()]),
        y_train=np.concatenate([split.y_train, rest["code"].to_numpy()]),
    )


def look_at_register() -> str:
    """What `funathon doctor` tells: whether there is a register, and whether its files have the columns.

    Raises FunathonError when they have not, or cannot be read.
    """
    if not os.environ.get("REGISTER_URL"):
        return "none; only the last section of chapter 3 and `funathon register` want one"
    named = mapping()
    for variable in ("REGISTER_URL", "REGISTER_TEST_URL"):
        if url := os.environ.get(variable):
            name, schema, _ = opened(url, variable, tell)
            needed_columns(name, schema, named, tell)
    return f"{'two files' if os.environ.get('REGISTER_TEST_URL') else 'a file'} with the columns {listed([*named.texts, named.code])}"
