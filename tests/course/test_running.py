"""Executing chapters: once for each content, with the failing cell named, and nothing lost when it is cut short."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from funathon.course import running
from funathon.course.chapters import find_chapter, read_chapter
from funathon.rag.kept import KEPT
from funathon.settings import load_settings

CHAPTER = """# %% [markdown]
# # 9. A title

# %%
from funathon.course.exercise import start

check, hint, solution, catch_up = start("{name}")

# %% [markdown] tags=["question"] question="9.1"
# Question 9.1: add
#
# Put two in `x`.

# %% [markdown] tags=["hint"] question="9.1"
# One and one.

# %% tags=["solution"] question="9.1"
{solution}

# %% tags=["check"] question="9.1"
def check(x):
    assert x == 2, "x should be 2"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with chapters of its own; returns a function that writes one."""
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    monkeypatch.setattr("funathon.course.chapters.CHAPTERS", chapters)
    monkeypatch.setattr(running, "EXECUTED", tmp_path / "executed")
    monkeypatch.setattr(running, "DIGESTS", tmp_path / "executed" / "digests.json")
    monkeypatch.setattr(running, "digest", lambda path: path.read_text())
    load_settings()

    def write(solution, name="9-test"):
        path = chapters / f"{name}.py"
        # the kernel does not see what is patched here, so it starts from a real chapter's name
        text = CHAPTER.replace("9.1", f"{name.split('-')[0]}.1")
        path.write_text(text.format(name="1-data", solution=solution))
        return path

    return write


def run(*paths, fresh=False):
    console = Console(quiet=True)
    return running.run_chapters(list(paths), console, fresh=fresh)


@pytest.fixture
def plain_checks(monkeypatch):
    """Check cells that need no question of a real chapter."""
    import funathon.course.notebooks

    monkeypatch.setattr(
        funathon.course.notebooks,
        "check_call",
        lambda question: f"from funathon.course.verdicts import verdict\nverdict({CHECK!r}, globals())",
    )


CHECK = 'def check(x):\n    assert x == 2, "x should be 2"'


@pytest.mark.slow
def test_a_chapter_is_executed_once_for_each_content(project, plain_checks):
    path = project("x = 2")
    assert run(path) == []
    first = running.executed_path(path).stat().st_mtime_ns
    assert "image" not in running.executed_path(path).read_text()
    assert run(path) == []
    assert running.executed_path(path).stat().st_mtime_ns == first
    project("x = 1 + 1")
    assert run(path) == []
    assert running.executed_path(path).stat().st_mtime_ns > first


@pytest.mark.slow
def test_fresh_executes_it_again(project, plain_checks):
    path = project("x = 2")
    run(path)
    first = running.executed_path(path).stat().st_mtime_ns
    run(path, fresh=True)
    assert running.executed_path(path).stat().st_mtime_ns > first


@pytest.mark.slow
def test_the_failing_cell_and_its_error_are_reported_and_the_next_chapter_runs(project, plain_checks):
    broken, good = project("x = 2\nx / 0", "8-broken"), project("x = 2")
    (failure,) = run(broken, good)
    assert failure.chapter == "8-broken"
    assert failure.source == "x = 2\nx / 0"
    assert "ZeroDivisionError" in failure.error
    assert not running.executed_path(broken).exists()
    assert running.executed_path(good).exists()


@pytest.mark.slow
def test_a_solution_that_its_check_refuses_is_a_failure(project, plain_checks):
    (failure,) = run(project("x = 3"))
    assert "x should be 2" in failure.error


@pytest.mark.slow
def test_executed_notebooks_do_not_change_from_one_execution_to_the_next(project, plain_checks):
    path = project("x = 2\nprint(x)")
    run(path)
    first = running.executed_path(path).read_text()
    run(path, fresh=True)
    assert running.executed_path(path).read_text() == first
    nbformat.validate(running.read_executed(path))


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_written(project, plain_checks, monkeypatch):
    path = project("x = 2")
    run(path)
    executed = running.executed_path(path)
    before, digests = executed.read_text(), running.DIGESTS.read_text()
    written_digests = running.DIGESTS

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OSError, match="No space"):
        run(path, fresh=True)
    monkeypatch.undo()
    assert executed.read_text() == before
    assert written_digests.read_text() == digests
    assert sorted(p.name for p in executed.parent.iterdir()) == ["9-test.ipynb", "digests.json"]


IMPORTS = {
    "from funathon.corpus import labels": "corpus/labels.py",
    "from funathon.corpus.labels import read_labels": "corpus/labels.py",
    "import funathon.corpus.labels": "corpus/labels.py",
    "import funathon.corpus.labels as shelf": "corpus/labels.py",
    "def check(x):\n    from funathon.measures import share": "measures.py",
    "if True:\n    from funathon.corpus import notes": "corpus/__init__.py",
    "from funathon.endpoint.server import ensure_endpoint": "endpoint/server.py",
    "from funathon.corpus.notes import note_rows": "corpus/nomenclature.py",
    "from funathon.course.exercise import start": "course/verdicts.py",
    "from funathon.course.checking import as_int": "course/wording.py",
}
"""A line of a chapter, and a file of the package that it brings along, directly or through others."""


@pytest.mark.parametrize("line", IMPORTS)
def test_the_digest_follows_imports_however_they_are_written(tmp_path, line):
    path = tmp_path / "9-test.py"
    path.write_text(line)
    assert running.PACKAGE / IMPORTS[line] in running.imported_modules(path)


def test_the_digest_leaves_out_what_a_chapter_does_not_import_and_machinery_that_shapes_no_output(tmp_path):
    path = tmp_path / "9-test.py"
    path.write_text("from funathon.course.exercise import start\nfrom funathon.corpus.labels import read_labels")
    names = {file.relative_to(running.PACKAGE).as_posix() for file in running.imported_modules(path)}
    assert not names & {"course/catching_up.py", "course/exercise.py", "services.py", "supervised/pretrained.py", "cli/course.py"}
    assert {"course/verdicts.py", "corpus/labels.py"} <= names


def test_relative_imports_are_followed(monkeypatch, tmp_path):
    package = tmp_path / "funathon"
    (package / "wing").mkdir(parents=True)
    files = {
        "wing/__init__.py": "",
        "wing/one.py": "from . import two\nfrom ..ground import x",
        "wing/two.py": "",
        "ground.py": "x = 1",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    monkeypatch.setattr(running, "PACKAGE", package)
    monkeypatch.setattr(running, "SHAPING", ())
    (package / "__init__.py").touch()
    path = tmp_path / "9-test.py"
    path.write_text("from funathon.wing import one")
    assert {file.relative_to(package).as_posix() for file in running.imported_modules(path)} == {*files, "__init__.py"}


CHANGES = {
    "corpus/notes.py": True,
    "settings.py": True,
    "corpus/__init__.py": True,
    "course/verdicts.py": True,
    "course/catching_up.py": False,
}
"""Files of the package, and whether a change of each executes chapter 3 again."""


@pytest.mark.parametrize("file", CHANGES)
def test_a_chapter_is_executed_again_for_what_it_imports_only(monkeypatch, file):
    path, read = find_chapter("3"), Path.read_bytes
    before = running.digest(path)
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + (b"#" if self == running.PACKAGE / file else b""))
    assert (running.digest(path) != before) is CHANGES[file]


@pytest.mark.parametrize(
    "file", ["labels.parquet", "pretrained/manifest.json", "answers/recorded-claude.jsonl", "answers/again.jsonl"]
)
def test_a_chapter_is_executed_again_for_other_data(monkeypatch, file):
    path, read = find_chapter("9"), Path.read_bytes
    before = running.digest(path)
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + (b"#" if self == running.DATA / file else b""))
    assert running.digest(path) != before


def test_the_digest_changes_with_a_setting(monkeypatch):
    path = find_chapter("1")
    load_settings()
    before = running.digest(path)
    monkeypatch.setenv("LABELS_URL", "https://example.org/labels.parquet")
    assert running.digest(path) != before


@pytest.mark.slow
def test_ctrl_c_says_one_line_and_leaves_no_kernel():
    command = [sys.executable, "-c", "from funathon.cli import app; app()", "run", "1", "--fresh"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    time.sleep(8)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Interrupted" in output
    assert "Traceback" not in output
    assert subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True).stdout == b""


def test_read_chapter_is_what_is_executed(project):
    assert read_chapter(project("x = 2")).name == "9-test"


@pytest.mark.slow
def test_each_execution_gets_an_empty_vector_database_of_its_own(project, plain_checks):
    assert running.DATA.parent / "qdrant" == Path(os.environ["QDRANT_PATH"])
    source = (
        "import os\nfrom pathlib import Path\nfolder = Path(os.environ['QDRANT_PATH'])\n"
        "x = 2 if folder.parent.name.startswith('funathon-run-') and not folder.exists() else folder\n"
        "folder.mkdir()"
    )
    assert run(project(source)) == []
    assert run(project(source), fresh=True) == []


@pytest.mark.slow
def test_what_an_execution_kept_is_handed_on_unless_a_cell_breaks(project, plain_checks, monkeypatch, tmp_path):
    monkeypatch.setenv(KEPT, str(tmp_path / "kept"))
    source = (
        "import numpy as np\nfrom funathon.rag.kept import kept_array, kept_folder\nassert not kept_folder().exists()\n"
        "kept_array('notes', 'content', lambda: np.ones(2))\nx = {}"
    )
    assert run(project(source.format("1 / 0"))) != []
    assert not (tmp_path / "kept").exists()
    assert run(project(source.format(2))) == []
    assert [file.name.split("-")[0] for file in (tmp_path / "kept").iterdir()] == ["notes"]
    assert run(project(source.format(2)), fresh=True) == []


@pytest.mark.slow
def test_an_execution_leaves_nothing_in_the_stores_of_notebooks(project, plain_checks, monkeypatch):
    path = project("import os\nprint(os.environ['MLFLOW_TRACKING_URI'], os.environ['QDRANT_PATH'], sep='\\n')\nx = 2")
    assert run(path) == []
    outputs = [
        output.text for cell in running.read_executed(path).cells for output in cell.get("outputs", []) if "text" in output
    ]
    uri, qdrant = outputs[0].split()
    assert uri != os.environ["MLFLOW_TRACKING_URI"] and qdrant != os.environ["QDRANT_PATH"]
    assert not Path(uri.removeprefix("sqlite:///")).parent.exists() and not Path(qdrant).parent.exists()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert "MLFLOW_TRACKING_URI" not in running.own_stores(path.parent)
