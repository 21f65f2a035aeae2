"""The command as people call it: one clear line for bad input, the right exit status, no traceback."""

import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

from funathon.cli import app
from funathon.doctor import Finding


def funathon(*arguments):
    return CliRunner().invoke(app, arguments)


def test_help_is_quick_because_it_imports_no_torch():
    code = "import sys\nfrom funathon.cli import app\nassert 'torch' not in sys.modules and 'mlflow' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_notebooks_check_lists_what_is_out_of_date(monkeypatch, tmp_path):
    monkeypatch.setattr("funathon.course.notebooks.NOTEBOOKS", tmp_path)
    result = funathon("notebooks", "--check")
    assert result.exit_code == 1
    assert "notebooks/1-data.ipynb" in result.output
    assert not list(tmp_path.iterdir())
    assert funathon("notebooks").exit_code == 0
    assert funathon("notebooks", "--check").exit_code == 0


def test_data_check_is_clean():
    assert funathon("data", "--check").exit_code == 0


def test_a_chapter_that_does_not_exist():
    result = funathon("run", "99")
    assert result.exit_code == 1
    assert "There is no chapter '99'" in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.fixture
def labels_url(monkeypatch):
    def set_url(url):
        monkeypatch.setenv("LABELS_URL", str(url))

    return set_url


def test_labels_that_are_missing_unreachable_or_bad_stop_a_run_with_one_line(labels_url, tmp_path):
    truncated = tmp_path / "truncated.parquet"
    truncated.write_bytes(b"PAR1 and then nothing")
    numbers = tmp_path / "numbers.parquet"
    pl.DataFrame({"code": [6.1], "label": ["oil"]}).write_parquet(numbers)
    for url, words in [
        (tmp_path / "none.parquet", "There is no file"),
        ("http://127.0.0.1:9/labels.parquet", "cannot be read"),
        (truncated, "truncated"),
        (numbers, "read as numbers"),
    ]:
        labels_url(url)
        result = funathon("run", "1")
        assert result.exit_code == 1
        assert words in result.output
        assert "Traceback" not in result.output
        assert len(result.output.strip().splitlines()) == 1, result.output


def test_a_full_disk_is_one_line(monkeypatch):
    import errno

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("funathon.course.notebooks.write_notebooks", full)
    result = funathon("notebooks")
    assert result.exit_code == 1
    assert "The disk is full" in result.output


@pytest.mark.parametrize(("state", "status"), [("failed", 1), ("note", 0), ("ok", 0)])
def test_doctor_fails_when_something_does(monkeypatch, state, status):
    monkeypatch.setattr("funathon.doctor.examine", lambda: [Finding("MLflow", state, "found", "the cure")])
    result = funathon("doctor")
    assert result.exit_code == status
    assert "MLflow" in result.output and "the cure" in result.output


@pytest.mark.parametrize(("address", "told"), [("https://llm.example.org/v1", True), ("nonsense", False), ("", False)])
def test_doctor_says_on_standard_error_where_texts_go(monkeypatch, address, told):
    monkeypatch.setattr("funathon.doctor.examine", lambda: [])
    monkeypatch.setenv("LLMLAB_URL", address)
    result = funathon("doctor")
    assert result.exit_code == 0
    assert ("texts and prompts to llm.example.org" in result.stderr) == told
    assert "llm.example.org" not in result.stdout


def test_doctor_on_this_machine_finds_every_need():
    result = funathon("doctor")
    assert result.exit_code == 0, result.output
    for name in ("Python", "packages", "device", "Quarto", "disk", "labels", "nomenclature", "MLflow", "pretrained model"):
        assert name in result.output


def test_an_older_python_is_refused_in_one_line():
    code = "import sys, types\nsys.version_info = (3, 10, 0)\nimport funathon"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr
    assert "Traceback" not in done.stderr
