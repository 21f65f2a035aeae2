"""Coding a register: formats, resuming, and everything that can be wrong with input and output."""

import functools
import random
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from typer.testing import CliRunner

from funathon.cli import app
from funathon.supervised.predicting import CODE_COLUMNS

LABELS = ["bakery", "taxi driver", None, "", "dental practice", "🍞", 'she mends, paints\nand "polishes" boats', "sheep"]


@pytest.fixture(autouse=True, scope="module")
def loaded_once():
    """Loading and verifying the model takes longer than most of these tests."""
    from funathon.supervised import coding

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "load_coder", functools.cache(coding.load_coder))
        yield


def code(*arguments):
    return CliRunner().invoke(app, ["code", *map(str, arguments)])


def read(path):
    """A result as a table of texts."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema=False)


@pytest.fixture
def register(tmp_path):
    def write(name, rows=8):
        labels = [LABELS[i % len(LABELS)] for i in range(rows)]
        table = pl.DataFrame({"id": [f"{i:05}" for i in range(rows)], "label": pl.Series(labels, dtype=pl.String)})
        path = tmp_path / name
        if path.suffix == ".parquet":
            table.with_columns(size=pl.lit(3, dtype=pl.Int16)).write_parquet(path)
        else:
            table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
        return path

    return write


@pytest.mark.parametrize("source", ["register.csv", "register.tsv", "register.parquet"])
@pytest.mark.parametrize("out", ["out.csv", "out.tsv", "out.parquet"])
def test_every_format_keeps_all_rows_and_columns(register, tmp_path, source, out):
    path = register(source)
    result = code(path, "-o", tmp_path / out)
    assert result.exit_code == 0, result.output
    before, after = read(path), read(tmp_path / out)
    assert after.columns == [*before.columns, *CODE_COLUMNS, "review"]
    assert after["id"].to_list() == before["id"].to_list()
    assert after["label"].to_list() == before["label"].to_list()
    assert after["code"].to_list()[:2] == ["10.71", "49.33"]
    reasons = dict(zip(LABELS, after["reason"]))
    assert reasons[None] == "no label" and reasons[""] == "empty label" and reasons["🍞"] == "no word that the model knows"
    assert reasons["bakery"] is None
    assert all((c is None) == (r is not None) for c, r in zip(after["code"], after["reason"]))
    if source == out.replace("out", "register") == "register.parquet":
        assert after.schema["size"] == pl.Int16 and after.schema["code"] == pl.String
    assert not (tmp_path / f"{out}.part").exists()
    assert "8 rows" in result.output and "3 of them without a code" in result.output


def test_the_review_flag_is_set_below_the_threshold_and_without_a_code(register, tmp_path):
    code(register("register.csv"), "-o", tmp_path / "out.parquet", "--threshold", "0.9")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table["review"].to_list() == [c is None or c < 0.9 for c in table["confidence"]]
    assert 0 < table["review"].sum() < len(table)


def test_new_columns_make_way_for_those_of_the_input(tmp_path):
    path = tmp_path / "labels.csv"
    pl.DataFrame({"code": ["06.10"], "text": ["crude oil extraction"]}).write_csv(path)
    result = code(path, "-o", tmp_path / "out.csv", "--label", "text")
    assert result.exit_code == 0, result.output
    table = read(tmp_path / "out.csv")
    assert table["code"].to_list() == ["06.10"] and table["predicted_code"].to_list() == ["06.10"]
    result = code(tmp_path / "out.csv", "-o", tmp_path / "again.csv", "--label", "text")
    assert result.exit_code == 1 and "predicted_code" in result.output


def test_a_killed_run_goes_on_without_losing_or_repeating_rows(tmp_path):
    rows, piece = 4000, 200
    chooser = random.Random(0)
    labels = [
        f"{chooser.choice(['bakery', 'taxi', 'sheep', 'dentist'])} {chooser.choice(['shop', 'repair', 'farm'])}"
        for _ in range(rows)
    ]
    path, out = tmp_path / "register.csv", tmp_path / "out.csv"
    pl.DataFrame({"id": range(rows), "label": labels}).write_csv(path)
    small = f"from funathon import cli\nfrom funathon.supervised import coding\ncoding.ROWS = {piece}\ncli.app(['code', {str(path)!r}, '-o', {str(out)!r}])"
    running = subprocess.Popen([sys.executable, "-c", small], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    folder = tmp_path / "out.csv.part"
    while not (folder / "000001.parquet").exists() and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL, running.stderr.read()
    done = len(list(folder.glob("[0-9]*.parquet")))
    assert done >= 2 and not out.exists()

    result = code(path, "-o", out)
    assert result.exit_code == 0, result.output
    assert f"went on after the {done * piece:,} rows" in result.output
    assert code(path, "-o", tmp_path / "whole.csv").exit_code == 0
    resumed = read(out)
    assert resumed["id"].to_list() == [str(i) for i in range(rows)]
    assert resumed.drop("id").select("label", "code").equals(read(tmp_path / "whole.csv").select("label", "code"))
    assert not folder.exists()


def interrupt(monkeypatch, path, out):
    """Start coding and stop with Ctrl-C after the first piece."""
    from funathon.supervised import coding

    monkeypatch.setattr(coding, "ROWS", 4)
    pieces = coding.pieces

    def stopping(*args, **kwargs):
        for i, piece in enumerate(pieces(*args, **kwargs)):
            if i:
                raise KeyboardInterrupt
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(coding, "pieces", stopping)
        result = code(path, "-o", out)
    assert result.exit_code == 130 and "run the same command again" in result.output
    assert not out.exists()


@pytest.mark.parametrize("change", ["input", "threshold"])
def test_a_run_with_other_input_or_options_is_not_mixed_with_an_interrupted_one(monkeypatch, register, tmp_path, change):
    path, out = register("register.csv"), tmp_path / "out.csv"
    interrupt(monkeypatch, path, out)
    if change == "input":
        register("register.csv", rows=7)
    result = code(path, "-o", out, "--threshold", "0.7" if change == "threshold" else "0.5")
    assert result.exit_code == 1
    assert "the beginning of another run" in result.output and len(result.output.strip().splitlines()) == 1
    assert not out.exists()


def test_an_interrupted_run_can_be_finished(monkeypatch, register, tmp_path):
    path, out = register("register.parquet"), tmp_path / "out.parquet"
    interrupt(monkeypatch, path, out)
    result = code(path, "-o", out)
    assert result.exit_code == 0, result.output
    assert pl.read_parquet(out)["id"].to_list() == pl.read_parquet(path)["id"].to_list()


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet"])
def test_a_register_without_rows_gives_a_table_without_rows(register, tmp_path, name):
    result = code(register(name, rows=0), "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert read(tmp_path / "out.csv").columns == [
        "id",
        "label",
        *(["size"] if "parquet" in name else []),
        *CODE_COLUMNS,
        "review",
    ]


def test_numbers_as_labels_are_no_crash(tmp_path):
    pl.DataFrame({"label": [1, None]}).write_parquet(tmp_path / "numbers.parquet")
    assert code(tmp_path / "numbers.parquet", "-o", tmp_path / "out.csv").exit_code == 0
    assert read(tmp_path / "out.csv")["reason"].to_list() == ["no word that the model knows", "no label"]


def test_bad_input_and_output_are_one_line_and_write_nothing(register, tmp_path):
    good = register("register.csv")
    (tmp_path / "there.csv").write_text("mine\n")
    (tmp_path / "nothing.csv").write_text("")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "latin.csv").write_bytes("label\nbäckerei\n".encode("latin-1"))
    (tmp_path / "ragged.csv").write_text("id,label\n1,bakery\n2,taxi,driver,more\n")
    pl.DataFrame({"label": [["a"]]}).write_parquet(tmp_path / "lists.parquet")
    (tmp_path / "foreign.csv.part").mkdir()
    (tmp_path / "foreign.csv.part" / "letter.txt").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for source, out, words in [
        (tmp_path / "none.csv", "out.csv", "There is no file"),
        (tmp_path, "out.csv", "There is no file"),
        (good, "out.xlsx", "does not end in"),
        (good, "there.csv", "there.csv exists"),
        (good, "foreign.csv", "not the beginning of a run"),
        (good, "there.csv/out.csv", "cannot be written"),
        (good, "/proc/out.csv", "cannot be written"),
        (tmp_path / "nothing.csv", "out.csv", "not a readable csv"),
        (tmp_path / "cut.parquet", "out.csv", "not a readable parquet"),
        (tmp_path / "latin.csv", "out.csv", "not a readable csv"),
        (tmp_path / "ragged.csv", "out.csv", "not a readable csv"),
        (tmp_path / "lists.parquet", "out.csv", "holds lists"),
    ]:
        result = code(source, "-o", tmp_path / out)
        assert result.exit_code == 1, (source, out, result.output)
        assert words in result.output, result.output
        assert len(result.output.strip().splitlines()) == 1, result.output
        assert "Traceback" not in result.output
    result = code(good, "-o", tmp_path / "out.csv", "--label", "text")
    assert result.exit_code == 1 and "has no column 'text'; it has id, label" in result.output
    assert not list(tmp_path.glob("out*"))
    assert {path: path.read_bytes() for path in before} == before
