"""Coding a whole register: `funathon code`, and what `funathon rag code` does in the same way.

The register is read, coded and written piece by piece, so that memory does not grow with it. Rows are counted before, and what is
written is counted again before it gets its name: a result has all rows of the register, or there is none. When the same command is
given again after an interruption, the pieces that are done are compared with the register and kept (`unfinished`).
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from funathon.corpus.tables import writing as tables
from funathon.corpus.tables.columns import find_column
from funathon.corpus.tables.opening import open_table, tell
from funathon.corpus.tables.source import located
from funathon.corpus.tables.table import GUESSED, Reading, Table
from funathon.errors import FunathonError, visible
from funathon.files import publish
from funathon.storage import is_remote
from funathon.supervised.columns import RESULT_SCHEMA, REVIEW, new_names
from funathon.supervised.unfinished import keep, kept, piece_path, unfinished, writing

ROWS = 16_384
"""Rows of a piece: what an interruption loses at most."""


class Labeller(Protocol):
    """What codes labels; `predicting.Coder` is one."""

    def table(self, labels: pl.Series) -> pl.DataFrame:
        """A row with the new columns but `review`, those of CODE_SCHEMA for instance, for each of the labels: texts, or structs of a `label` and
        the fields that were asked for `beside` it, all texts."""


@dataclass(frozen=True)
class Outcome:
    """How a register was coded: numbers of rows."""

    rows: int
    review: int
    """Rows that a person should look at, those without a code among them."""
    without_code: int
    resumed: int
    """Rows that an earlier, interrupted run had done."""


def code_register(
    source: str,
    out: str,
    load: Callable[[], Labeller],
    model: str | dict,
    console: Console,
    *,
    label: str,
    threshold: float,
    reading: Reading = GUESSED,
    columns: Mapping[str, pl.DataType] = RESULT_SCHEMA,
    beside: Mapping[str, tuple[str, str]] | None = None,
    prepare: Callable[[Path, Table, str], None] | None = None,
    fresh: bool = False,
) -> Outcome:
    """Code the texts in the column `label` of `source` and write them with all columns to `out`, in the format of its ending.

    `out` has the columns of the input and the new `columns`, `review` among them, which is true where the confidence is missing or
    below `threshold`, or there is a `reason`; `columns.new_names` says how they are called. `load` gives what codes, and is called
    when there is something to code; `model` is its fingerprint, anything that JSON can hold. Progress goes to `console`.

    `beside` names other columns that the labeller reads: for each field of its structs the column, and the option that names it.
    `prepare` is called before the first piece, with the folder of the run, the register and its column of texts: it may keep there
    what takes long, and raise FunathonError when it cannot be had. With `fresh` what an earlier run has kept is thrown away.

    Raises FunathonError when the input cannot be read without doubt, has no column `label`, or changes meanwhile; and when `out`
    exists, is being written by another run, cannot hold the columns or cannot be written.
    """
    refuse_remote(source, out)
    result, register = Path(out), Path(source)
    output = tables.output_of(result)
    located(result)
    before = state(register)
    table = open_table(source, reading)
    column = find_column(table.name, table.schema.names(), label, "--label", tell)
    refuse_no_text(table, column)
    fields = {
        field: find_column(table.name, table.schema.names(), wanted, option, tell)
        for field, (wanted, option) in (beside or {}).items()
    }
    names = new_names(table.schema.names(), table.name, columns)
    schema = pl.Schema({**table.schema, **{names[name]: kind for name, kind in columns.items()}})
    tables.check(output, schema, table.rows, table.name)
    refuse_taken(result)
    run = {"input": digest(register), "reading": asdict(reading), "model": model, "label": column, "threshold": threshold}
    if fields:
        run["beside"] = fields
    with unfinished(result, run | {"rows": table.rows, "piece": ROWS}, fresh=fresh) as folder:
        refuse_taken(result)  # another run may have ended since
        read_through(table, output)
        if prepare is not None:
            prepare(folder, table, column)
        worker = Worker(load, column, threshold, names, fields)
        with bar(console) as progress:
            task = progress.add_task(visible(register.name), total=table.rows)
            for number, piece in enumerate(pieces(table)):
                path = piece_path(folder, number)
                if kept(path, piece, schema):
                    worker.resumed += len(piece)
                else:
                    if path.exists():
                        line = f"{path} is cut, or of other rows: these are coded again."
                        console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
                    coded = worker.code(piece)
                    with writing(result):
                        keep(path, coded)
                progress.advance(task, len(piece))
        if state(register) != before:
            raise FunathonError(f"{source} was changed while it was coded.", f"Remove {folder} and give the command again.")
        paths = [piece_path(folder, place) for place in range(number + 1)]
        counts = finish(paths, schema, table.rows, folder, result, output, names)
        shutil.rmtree(folder)
    return Outcome(table.rows, *counts, worker.resumed)


class Worker:
    """Codes pieces, and loads what codes them with the first one."""

    def __init__(
        self, load: Callable[[], Labeller], label: str, threshold: float, names: dict[str, str], beside: dict[str, str]
    ) -> None:
        self.resumed = 0
        self._beside = beside
        self._load = load
        self._labeller: Labeller | None = None
        self._label, self._threshold, self._names = label, threshold, names

    def code(self, piece: pl.DataFrame) -> pl.DataFrame:
        """A piece of the register with the new columns."""
        self._labeller = self._labeller or self._load()
        coded = self._labeller.table(self._read(piece))
        coded = coded.with_columns(
            (pl.col("confidence").lt(self._threshold).fill_null(True) | pl.col("reason").is_not_null()).alias(REVIEW)
        )
        return pl.concat([piece, coded.select(list(self._names)).rename(self._names)], how="horizontal")

    def _read(self, piece: pl.DataFrame) -> pl.Series:
        """What the labeller reads of a piece."""
        if not self._beside:
            return piece[self._label].cast(pl.String)
        fields = {"label": self._label, **self._beside}
        return piece.select(pl.col(column).cast(pl.String).alias(field) for field, column in fields.items()).to_struct()


def refuse_remote(*paths: str) -> None:
    """Raise FunathonError when one of the paths is an address."""
    for path in paths:
        if is_remote(path):
            scheme = path.split("://")[0]
            raise FunathonError(
                f"{scheme}://… is an address; this command reads and writes local files only.", "Fetch the file first."
            )


def refuse_no_text(table: Table, label: str) -> None:
    """Raise FunathonError when the column of the labels holds what is no text and has no form as text."""
    kind = table.schema[label]
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
        raise FunathonError(
            f"The column {label!r} of {table.name} holds {kind}, not texts.", "Make it text when you write the file."
        )


def refuse_taken(out: Path) -> None:
    """Raise FunathonError when there is something called `out`, were it a link to nowhere."""
    if os.path.lexists(out):
        raise FunathonError(f"{out} exists.", "Choose another name, or remove it.")


def read_through(table: Table, output: tables.Output) -> None:
    """Read the register once before anything is coded: what is wrong in its last row is told now, not after an hour."""
    done = 0
    for piece in table.pieces(ROWS):
        tables.check_texts(output, piece, done)
        done += len(piece)


def pieces(table: Table):
    """The pieces of a table; one without rows, where there are none."""
    return table.pieces(ROWS) if table.rows else iter([table.schema.to_frame()])


def finish(
    paths: list[Path],
    schema: pl.Schema,
    rows: int,
    folder: Path,
    out: Path,
    output: tables.Output,
    names: dict[str, str],
) -> tuple[int, int]:
    """Put the pieces together under the name `out`; return how many rows are for review, and how many have no code.

    Raises FunathonError, and keeps everything, when what is written has not `rows` rows, or somebody has taken the name.
    """
    whole = folder.absolute() / ".whole"
    with writing(out):
        tables.write(paths, schema, whole, output)
        written = tables.count_rows(whole, output)
        if written != rows:
            raise FunathonError(
                f"{rows:,} rows were read, but {written:,} would be written to {out}: it is not.",
                f"All that was coded is kept in {folder}; write .parquet instead, and tell us about it.",
            )
        flags = pl.scan_parquet(paths, glob=False).select(pl.col(names[REVIEW]).sum(), pl.col(names["code"]).null_count())
        review, without_code = flags.collect().row(0)
        try:
            publish(whole, out)
        except FileExistsError:
            raise FunathonError(f"{out} exists by now.", f"Remove it; all that was coded is kept in {folder}.") from None
    return review, without_code


def state(path: Path) -> tuple[int, int, int]:
    """What changes when a file does: number, size and time. Raises FunathonError when there is none."""
    if not path.is_file():
        raise FunathonError(f"There is no file {path}.", "Check the path.")
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def digest(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Rate(ProgressColumn):
    """Labels a second."""

    def render(self, task: Task) -> Text:
        """The rate of the last moments, once there is one."""
        return Text(f"{task.speed:,.0f} labels/s" if task.speed else "")


def bar(console: Console) -> Progress:
    """A progress bar with rate and remaining time."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
