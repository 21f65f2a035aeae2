"""Coding a whole register: `funathon code`.

The register is read, coded and written piece by piece, so that memory does not grow with it. Beside the output file
`register.csv` a folder `register.csv.part` holds the pieces that are done and a fingerprint of the run (content of the input,
model, options). When the same command is given again after an interruption, the pieces are kept and the run goes on behind the
last one; a folder of another run is refused. When all is done the pieces are put together, and the folder is removed.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from funathon.corpus.nomenclature import first_line
from funathon.errors import FunathonError
from funathon.files import replacing, write_text
from funathon.supervised.predicting import CODE_COLUMNS, load_coder
from funathon.supervised.pretrained import fingerprint as model_fingerprint

ROWS = 16_384
"""Rows of a piece: what an interruption loses at most."""
PREFIX = "predicted_"
FORMATS = ("parquet", "csv", "tsv")
FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True)
class Outcome:
    """How a register was coded: numbers of rows."""

    rows: int
    review: int
    """Rows that a person should look at, those without a code among them."""
    without_code: int
    resumed_after: int
    """Rows that an earlier, interrupted run had done."""


def code_register(source: Path, out: Path, model_url: str, console: Console, *, label: str, threshold: float) -> Outcome:
    """Code the texts in the column `label` of `source` and write them with all columns to `out` (csv, tsv, parquet by ending).

    `out` has the columns of the input, CODE_COLUMNS of the coder and `review`, which is true where the confidence is below
    `threshold` or there is no code. When the input has a column of one of these names, each of them gets the prefix
    `predicted_`. The model is the one at `model_url`. Progress goes to `console`.

    Raises FunathonError when the input cannot be read or has no column `label`, and when `out` exists or cannot be written.
    """
    register = scan(source)
    names = check_columns(source, out, register, label)
    if out.exists():
        raise FunathonError(f"{out} exists.", "Choose another name, or remove it.")
    folder = out.with_name(out.name + ".part")
    start(folder, out, {"input": digest(source), "model": model_fingerprint(model_url), "label": label, "threshold": threshold})
    try:
        done = parts(folder)
        finished = rows_of(done)
        coder = load_coder(model_url)
        with bar(console) as progress:
            task = progress.add_task(source.name, total=rows_of_register(source, register), completed=finished)
            for number, piece in enumerate(pieces(source, register, finished, first=not done), len(done)):
                coded = coder.table(piece[label])
                coded = coded.with_columns(review=(pl.col("confidence") < threshold).fill_null(True))
                table = pl.concat([piece, coded.rename(names)], how="horizontal")
                with writing(out), replacing(folder / f"{number:06}.parquet") as temporary:
                    table.write_parquet(temporary)
                progress.advance(task, len(piece))
    except BaseException:
        if not parts(folder):
            shutil.rmtree(folder)
        raise
    whole = pl.scan_parquet(parts(folder))
    with writing(out), replacing(out) as temporary:
        if ending(out) == "parquet":
            whole.sink_parquet(temporary)
        else:
            whole.sink_csv(temporary, separator=separator(out))
    counts = whole.select(pl.len(), pl.col(names["review"]).sum(), pl.col(names["code"]).null_count().alias("none")).collect()
    shutil.rmtree(folder)
    rows, review, none = counts.row(0)
    return Outcome(rows, review, none, finished)


def ending(path: Path) -> str:
    """The format that a file's name tells."""
    return path.suffix.lstrip(".").lower()


def separator(path: Path) -> str:
    """What stands between the columns of a csv or tsv file."""
    return "\t" if ending(path) == "tsv" else ","


def scan(source: Path) -> pl.LazyFrame:
    """The register at `source`, not read yet; in csv and tsv every column is text.

    Raises FunathonError when there is no such file or its ending tells no format.
    """
    if not source.is_file():
        raise FunathonError(f"There is no file {source}.", "Check the path.")
    if ending(source) not in FORMATS:
        raise FunathonError(f"{source} does not end in .parquet, .csv or .tsv.", "Save it in one of these formats.")
    if ending(source) == "parquet":
        return pl.scan_parquet(source, glob=False)
    return pl.scan_csv(source, separator=separator(source), infer_schema=False, glob=False)


def check_columns(source: Path, out: Path, register: pl.LazyFrame, label: str) -> dict[str, str]:
    """The names that the new columns get in `out`; raise FunathonError when the columns or the ending of `out` do not fit."""
    if ending(out) not in FORMATS:
        raise FunathonError(f"{out} does not end in .parquet, .csv or .tsv.", "Choose a name that tells the format.")
    with reading(source):
        schema = register.collect_schema()
    if label not in schema:
        raise FunathonError(f"{source} has no column '{label}'; it has {', '.join(schema)}.", "Name the column with --label.")
    nested = [name for name, kind in schema.items() if kind.is_nested() or kind == pl.Object]
    if label in nested or (nested and ending(out) != "parquet"):
        name = label if label in nested else nested[0]
        raise FunathonError(f"The column '{name}' of {source} holds lists, not texts.", "Leave it out, or make it text.")
    new = [*CODE_COLUMNS, "review"]
    prefix = PREFIX if set(new) & set(schema) else ""
    names = {name: prefix + name for name in new}
    taken = [name for name in names.values() if name in schema]
    if taken:
        raise FunathonError(f"{source} has a column '{taken[0]}', which the result should get.", "Rename the column.")
    return names


def start(folder: Path, out: Path, run: dict) -> None:
    """Make the folder of the pieces, or make sure that it belongs to this `run`.

    Raises FunathonError when it belongs to another or cannot be written.
    """
    known = folder / FINGERPRINT
    content = json.dumps(run, indent=1) + "\n"
    if known.is_file():
        if known.read_text() != content:
            raise FunathonError(
                f"{folder} holds the beginning of another run: the input, the model or the options were different.",
                "Remove the folder, or choose another name for the output.",
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise FunathonError(f"{folder} exists and is not the beginning of a run.", "Choose another name for the output.")
    with writing(out):
        write_text(known, content)


def digest(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parts(folder: Path) -> list[Path]:
    """The pieces that are done, in order."""
    return sorted(folder.glob("[0-9]*.parquet"))


def rows_of(files: list[Path]) -> int:
    """Number of rows in parquet files."""
    return pl.scan_parquet(files).select(pl.len()).collect().item() if files else 0


def rows_of_register(source: Path, register: pl.LazyFrame) -> int:
    """Number of rows of the register; raise FunathonError when it cannot be read."""
    with reading(source):
        return register.select(pl.len()).collect().item()


def pieces(source: Path, register: pl.LazyFrame, skip: int, *, first: bool) -> Iterator[pl.DataFrame]:
    """The register behind its first `skip` rows, ROWS at a time; a register without rows is one empty piece when `first`."""
    found = not first
    batches = register.slice(skip).collect_batches(chunk_size=ROWS)
    while True:
        with reading(source):
            piece = next(batches, None)
        if piece is None:
            break
        if len(piece):
            found = True
            yield piece
    if not found:
        yield register.collect_schema().to_frame()


@contextlib.contextmanager
def reading(source: Path) -> Iterator[None]:
    """Turn the errors of reading `source` into one line that names it."""
    try:
        yield
    except PermissionError as error:
        raise FunathonError(f"Access to {source} is refused.", "Ask for the right to read it.") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FunathonError(
            f"{source} is not a readable {ending(source)} file, it may be truncated: {first_line(error)}.",
            "Check how it was written (UTF-8, one header line, the same number of columns in every row).",
        ) from error


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn the errors of writing `out` into one line that names it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FunathonError(
            f"{out} cannot be written: {first_line(error)}.",
            "Check the folder, its rights and the space on the disk; the same command then goes on where it stopped.",
        ) from error


class Rate(ProgressColumn):
    """Labels a second."""

    def render(self, task: Task) -> Text:
        """The rate of the last moments, once there is one."""
        return Text(f"{task.speed:,.0f} labels/s" if task.speed else "")


def bar(console: Console) -> Progress:
    """A progress bar with rate and remaining time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
