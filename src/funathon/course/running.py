"""Executing chapters headless, once for each content they have."""

import ast
import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from traitlets.config import Config

from funathon.course.chapters import Chapter, read_chapter
from funathon.course.notebooks import solved_notebook, to_json
from funathon.course.verdicts import Verdict
from funathon.errors import FunathonError
from funathon.files import write_text
from funathon.paths import CACHE, DATA, PACKAGE, ROOT
from funathon.rag.handing_on import hand_on
from funathon.rag.kept import KEPT
from funathon.settings import KNOWN, MLFLOW_FILES, is_configured

EXECUTED = CACHE / "executed"
DIGESTS = EXECUTED / "digests.json"


@dataclass(frozen=True)
class Failure:
    """A chapter that broke: the source of the failing cell and its error, as text."""

    chapter: str
    source: str
    error: str


def digest(path: Path) -> str:
    """Hash of all that a chapter's outputs depend on: its source, the cells that are executed, the package's modules it imports,
    the data, the locked packages and the settings."""
    state = hashlib.sha256(to_json(solved_notebook(read_chapter(path))).encode())
    data = [file for file in sorted(DATA.iterdir()) if file.is_file() and file.suffix in (".tsv", ".parquet")]
    pretrained = [file for file in sorted((DATA / "pretrained").glob("*")) if file.is_file()]
    answers = sorted((DATA / "answers").glob("*.jsonl"))
    for file in [path, *imported_modules(path), ROOT / "uv.lock", *data, *pretrained, *answers]:
        state.update(f"{file.relative_to(ROOT)}\0".encode())
        state.update(hashlib.sha256(file.read_bytes()).digest())
    for name in KNOWN:
        if is_configured(name):
            state.update(f"{name}={os.environ[name]}\0".encode())
    return state.hexdigest()


MACHINERY = "funathon.course"
SHAPING = (*(f"{MACHINERY}.{name}" for name in ("verdicts", "checking", "wording", "showing")), "funathon.settings")
"""What shapes the outputs of every chapter when it is executed, whether or not its source names it: the verdicts, and the settings
that say where its data is. The rest of the machinery brings a learner's notebook about (hints, catching up, looking after services)
and changes no output, so that a change in it executes no chapter again."""


def imported_modules(path: Path) -> list[Path]:
    """Files of the package that a Python file imports, directly or through others of them: modules, the `__init__` of the packages
    they lie in, and the data file beside a module that has one. Of the course's machinery only what is SHAPING."""
    found = {file for name in SHAPING if (file := module_file(name))}
    waiting = [path, *found]
    while waiting:
        new = modules_named(waiting.pop()) - found
        found |= new
        waiting += new
    beside = {module.with_suffix(ending) for module in found for ending in (".json", ".npy")}
    return sorted(found | {file for file in beside if file.is_file()})


def modules_named(file: Path) -> set[Path]:
    """Files of the package that the import statements of one file name, wherever in it they stand."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # what is imported from a package may be a module of it
            start = absolute(file, node)
            names |= {start, *(f"{start}.{alias.name}" for alias in node.names)}
    parts = {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}
    ours = [name for name in parts if name.split(".")[0] == "funathon" and not is_bare_machinery(name)]
    return {module for name in ours if (module := module_file(name))}


def absolute(file: Path, node: ast.ImportFrom) -> str:
    """The full name of what an import statement imports from; dots at its start count from the file's package."""
    if not node.level:
        return node.module or ""
    package = file.relative_to(PACKAGE.parent).parts[: -node.level] if file.is_relative_to(PACKAGE) else ()
    return ".".join([*package, *([node.module] if node.module else [])])


def is_bare_machinery(name: str) -> bool:
    """Whether a module is of the machinery and shapes no output."""
    return name.startswith(f"{MACHINERY}.") and ".".join(name.split(".")[:3]) not in SHAPING


def module_file(name: str) -> Path | None:
    """The file of a module or the `__init__` of a package of ours; None where the name is of something within a module."""
    place = PACKAGE.parent.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def known_digests() -> dict[str, str]:
    """Digest of each chapter when it was last executed with success."""
    try:
        return json.loads(DIGESTS.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def executed_path(path: Path) -> Path:
    """Where the executed notebook of a chapter is kept."""
    return EXECUTED / f"{path.stem}.ipynb"


def is_up_to_date(path: Path) -> bool:
    """Whether the executed notebook of a chapter exists and nothing it depends on has changed since."""
    return executed_path(path).is_file() and known_digests().get(path.stem) == digest(path)


def run_chapters(paths: list[Path], console: Console, *, fresh: bool = False) -> list[Failure]:
    """Execute the chapters at `paths` that are not up to date (all of them if `fresh`), with a progress bar.

    Each executed notebook is written when its chapter ends, so that an interruption loses one chapter at most. A chapter
    that breaks does not stop the next. Returns the failures.
    """
    failures = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("cell {task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console) as progress:
        for path in paths:
            chapter = read_chapter(path)
            if not fresh and is_up_to_date(path):
                progress.add_task(chapter.name, total=1, completed=1, state="unchanged")
                continue
            node = solved_notebook(chapter)
            code_cells = sum(cell.cell_type == "code" for cell in node.cells)
            task = progress.add_task(chapter.name, total=code_cells, state="")
            started = digest(path)
            failure = execute(chapter, node, lambda task=task: progress.advance(task))
            if failure:
                failures.append(failure)
                progress.update(task, state="failed")
                continue
            write_text(executed_path(path), to_json(node))
            write_text(DIGESTS, json.dumps(known_digests() | {path.stem: started}, indent=1) + "\n")
            progress.update(task, state="done")
    return failures


def execute(chapter: Chapter, node: nbformat.NotebookNode, on_cell) -> Failure | None:
    """Execute a solved notebook in place, in a kernel of this Python; call `on_cell` after each code cell.

    A check that does not answer "right" is a failure too: it means that a solution and its check have drifted apart.
    """
    client = NotebookClient(
        node,
        timeout=None,
        kernel_name="python3",
        # without it each kernel warns that others on this machine could listen in
        config=Config(KernelManager={"transport_encryption": "auto"}),
        resources={"metadata": {"path": str(chapter.path.parent)}},
        on_cell_executed=lambda **_: on_cell(),
    )
    try:
        with tempfile.TemporaryDirectory(prefix="funathon-run-", ignore_cleanup_errors=True) as folder:
            # what a cell prints comes as a message; the kernel's own stderr holds only its complaints about being interrupted
            client.execute(stderr=subprocess.DEVNULL, env=os.environ | own_stores(Path(folder)))
            # so that catch_up takes seconds, not a minute
            hand_on(Path(folder) / "kept")
    except CellExecutionError as error:
        return Failure(chapter.name, failing_source(node), f"{error.ename}: {error.evalue}")
    except (AssertionError, DeadKernelError) as error:
        # on Ctrl-C nbclient shuts the kernel down, and then stumbles in one way or another over the kernel it no longer has
        if client._async_cleanup_kernel_future is not None:
            raise KeyboardInterrupt from error
        if isinstance(error, AssertionError):
            raise
        return Failure(chapter.name, failing_source(node), "The kernel died; the machine may be out of memory.")
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_progress_bar(output)]
        # when and how long a cell ran would make each execution differ from the last
        cell.metadata.pop("execution", None)
        if cell.metadata.get("role") == "check" and Verdict.MARKS["right"] not in str(cell.outputs):
            said = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
            return Failure(chapter.name, cell.source, f"The check does not accept the solution: {said}")
    node.metadata.pop("widgets", None)
    return None


def own_stores(folder: Path) -> dict[str, str]:
    """Variables that give an execution a vector database, a folder of what is kept and an MLflow of its own in `folder`: empty, so
    that each execution is like the first, not those of an open notebook, and gone afterwards. An MLflow that is configured is used
    as it is."""
    stores = {"QDRANT_PATH": str(folder / "qdrant"), KEPT: str(folder / "kept")}
    if not is_configured("MLFLOW_TRACKING_URI"):
        stores |= {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", MLFLOW_FILES: str(folder / "mlruns")}
    return stores


def is_progress_bar(output: nbformat.NotebookNode) -> bool:
    """Whether an output is a widget, or the empty line that ends one; a page shows only an empty frame of it."""
    data = output.get("data", {})
    return "application/vnd.jupyter.widget-view+json" in data or (
        data.get("text/plain") == "" and "></pre>" in data.get("text/html", "")
    )


def failing_source(node: nbformat.NotebookNode) -> str:
    """Source of the last cell that was started."""
    started = [cell for cell in node.cells if cell.cell_type == "code" and (cell.execution_count or cell.outputs)]
    return started[-1].source if started else ""


def read_executed(path: Path) -> nbformat.NotebookNode:
    """The executed notebook of a chapter.

    Raises FunathonError when the chapter has not been executed.
    """
    try:
        return nbformat.read(executed_path(path), as_version=4)
    except FileNotFoundError as error:
        raise FunathonError(f"Chapter {path.stem} has not been executed.", "Run `uv run funathon run`.") from error
