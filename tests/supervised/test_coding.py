"""Coding a register: rows out = rows in, or an error; whatever the input, the interruption, the second run."""

import contextlib
import functools
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import quick_coder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quick_coder import QuickCoder, run
from typer.testing import CliRunner

from funathon.cli import app
from funathon.corpus.tables.opening import open_table
from funathon.errors import FunathonError
from funathon.supervised import coding
from funathon.supervised.columns import CODE_COLUMNS
from funathon.supervised.predicting import DOUBTFUL

LABELS = ["bakery", "taxi driver", None, "", "dental practice", "🍞", 'she mends, paints\nand "polishes" boats', "n/a"]
TESTS = Path(__file__).parents[1]


def code(*arguments):
    return CliRunner().invoke(app, ["code", *map(str, arguments)])


def read(path):
    """A file as a table; its text files have commas or tabs."""
    return open_table(str(path), say=lambda line: None).read()


@pytest.fixture
def register(tmp_path):
    def write(name, rows=8, labels=LABELS):
        texts = [labels[i % len(labels)] for i in range(rows)]
        table = pl.DataFrame({"id": [f"{i:05}" for i in range(rows)], "label": pl.Series(texts, dtype=pl.String)})
        path = tmp_path / name
        if path.suffix == ".parquet":
            table.with_columns(size=pl.lit(3, dtype=pl.Int16)).write_parquet(path)
        elif path.suffix == ".xlsx":
            table.write_excel(path)
        else:
            table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
        return path

    return write


class TestWithTheModel:
    """The command as people call it."""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def loaded_once(cls):
        """Loading and verifying the model takes longer than most of these tests."""
        from funathon.supervised import predicting

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(predicting, "load_coder", functools.cache(predicting.load_coder))
            yield

    @pytest.mark.parametrize("source", ["register.csv", "register.tsv", "register.parquet", "register.xlsx"])
    @pytest.mark.parametrize("out", ["out.csv", "out.tsv", "out.parquet", "out.xlsx", "out.csv.gz"])
    def test_every_format_keeps_all_rows_and_columns(self, register, tmp_path, source, out):
        path = register(source)
        result = code(path, "-o", tmp_path / out)
        assert result.exit_code == 0, result.output
        before, after = read(path), read(tmp_path / out)
        assert after.columns == [*before.columns, *CODE_COLUMNS, "review"]
        assert after["id"].to_list() == before["id"].to_list()
        assert [v or "" for v in after["label"]] == [v or "" for v in before["label"]]
        assert after["code"].to_list()[:2] == ["10.71", "49.33"]
        reasons = dict(zip(LABELS, after["reason"]))
        if "xlsx" not in source:
            assert reasons[None] == "no label" and reasons[""] == "empty label"
            assert "4 of them without a code" in result.output
        assert reasons["🍞"] == "no word that the model knows" and reasons["n/a"] == "says nothing about an activity"
        assert reasons["taxi driver"] is None and reasons["dental practice"] is None
        # a text of one word may be in doubt; it has its code all the same
        assert all((c is None) == (r not in (None, DOUBTFUL)) for c, r in zip(after["code"], after["reason"]))
        if source == out.replace("out", "register") == "register.parquet":
            assert after.schema["size"] == pl.Int16 and after.schema["code"] == pl.String
        assert not (tmp_path / f"{out}.part").exists()
        assert "8 rows" in result.output

    @pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "empty.xlsx"])
    def test_a_register_without_rows_gives_a_table_without_rows(self, register, tmp_path, name):
        path = register(name, rows=0)
        result = code(path, "-o", tmp_path / "out.csv")
        assert result.exit_code == 0, result.output
        size = ["size"] if "parquet" in name else []
        assert read(tmp_path / "out.csv").columns == ["id", "label", *size, *CODE_COLUMNS, "review"]

    def test_numbers_as_labels_are_no_crash(self, tmp_path):
        pl.DataFrame({"label": [1, None]}).write_parquet(tmp_path / "numbers.parquet")
        assert code(tmp_path / "numbers.parquet", "-o", tmp_path / "out.csv").exit_code == 0
        assert read(tmp_path / "out.csv")["reason"].to_list() == ["no word that the model knows", "no label"]

    def test_what_was_guessed_is_one_line_on_standard_error(self, tmp_path):
        (tmp_path / "register.csv").write_bytes("id; Label \n1;Bäckerei\n".encode("latin-1"))
        result = code(tmp_path / "register.csv", "-o", tmp_path / "out.csv")
        assert result.exit_code == 0, result.output
        first, second = result.stderr.strip().splitlines()
        assert "cp1252" in first and "semicolon" in first and "'Bäckerei'" in first
        assert "the column ' Label ' is taken for 'label'" in second
        assert read(tmp_path / "out.csv")[" Label "].to_list() == ["Bäckerei"]

    def test_bad_input_and_output_are_one_line_and_write_nothing(self, register, tmp_path):
        good = register("register.csv")
        (tmp_path / "there.csv").write_text("mine\n")
        (tmp_path / "nowhere.csv").symlink_to(tmp_path / "not there")
        (tmp_path / "nothing.csv").write_text("")
        (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
        (tmp_path / "ragged.csv").write_text("id,label\n1,bakery\n2,taxi,driver,more\n")
        (tmp_path / "open.csv").write_text('id,label\n1,"bakery\n' + "2,taxi\n" * 999)
        (tmp_path / "ansi.csv").write_text("id,\x1b[31mtext\x1b[0m\n1,bakery\n")
        pl.DataFrame({"label": [["a"]]}).write_parquet(tmp_path / "lists.parquet")
        pl.DataFrame({"label": [b"bakery"]}).write_parquet(tmp_path / "binary.parquet")
        pl.DataFrame({"label": ["a"], "x": [b"a"]}).write_parquet(tmp_path / "other.parquet")
        pl.DataFrame({"label": ["a"], "age": pl.Series([1], dtype=pl.Duration("ms"))}).write_parquet(tmp_path / "age.parquet")
        (tmp_path / "foreign.csv.part").mkdir()
        (tmp_path / "foreign.csv.part" / "letter.txt").write_text("mine")
        (tmp_path / "file.csv.part").write_text("mine")
        (tmp_path / "bytes.csv.part").mkdir()
        (tmp_path / "bytes.csv.part" / "fingerprint.json").write_bytes(b"\xff\xfe")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        for source, out, words in [
            (tmp_path / "none.csv", "out.csv", "There is no file"),
            (tmp_path, "out.csv", "There is no file"),
            ("s3://bucket/register.csv", "out.csv", "s3://… is an address; this command reads and writes local files only"),
            (good, "s3://bucket/out.csv", "s3://… is an address"),
            (good, "out.doc", "does not end in"),
            (good, "there.csv", "there.csv exists"),
            (good, "nowhere.csv", "nowhere.csv exists"),
            (good, "register.csv", "register.csv exists"),
            (good, "foreign.csv", "not the beginning of a run"),
            (good, "file.csv", "is in the way"),
            (good, "bytes.csv", "the beginning of another run"),
            (good, "there.csv/out.csv", "cannot be written"),
            (good, "/proc/out.csv", "cannot be written"),
            (good, "x" * 252 + ".csv", "cannot be written"),
            (tmp_path / "nothing.csv", "out.csv", "is empty"),
            (tmp_path / "cut.parquet", "out.csv", "not a readable parquet"),
            (tmp_path / "ragged.csv", "out.csv", "line 3 has 4 fields"),
            (tmp_path / "open.csv", "out.csv", "line 2 is never closed"),
            (tmp_path / "ansi.csv", "out.csv", r"it has 'id', '\x1b[31mtext\x1b[0m'"),
            (tmp_path / "lists.parquet", "out.csv", "holds List(String), not texts"),
            (tmp_path / "binary.parquet", "out.csv", "holds Binary, not texts"),
            (tmp_path / "other.parquet", "out.csv", "'x' of"),
            (tmp_path / "age.parquet", "out.csv", "'age' of"),
        ]:
            target = out if "://" in out else tmp_path / out
            result = code(source, "-o", target)
            assert result.exit_code == 1, (source, out, result.output)
            assert words in result.output, result.output
            assert len(result.output.strip().splitlines()) == 1, result.output
            assert "Traceback" not in result.output and "\x1b" not in result.output
        result = code(good, "-o", tmp_path / "out.csv", "--label", "text")
        assert result.exit_code == 1 and "has no column 'text'; it has 'id', 'label'" in result.output
        assert not list(tmp_path.glob("out*"))
        assert {path: path.read_bytes() for path in before} == before

    def test_a_file_whose_name_is_markup(self, register, tmp_path):
        folder = tmp_path / "[a]"
        folder.mkdir()
        path = register("[a]/[red]x[b].csv")
        result = code(path, "-o", folder / "results?[/x].csv")
        assert result.exit_code == 0, result.output
        assert len(read(folder / "results?[/x].csv")) == 8


def test_the_review_flag_is_set_below_the_threshold_and_without_a_code(register, tmp_path):
    run(register("register.csv"), tmp_path / "out.parquet", threshold=0.4)
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table["review"].to_list() == [c is None or c < 0.4 for c in table["confidence"]]
    assert 0 < table["review"].sum() < len(table)


def test_new_columns_make_way_for_those_of_the_input(tmp_path):
    path = tmp_path / "labels.csv"
    pl.DataFrame({"code": ["06.10"], "text": ["crude oil extraction"]}).write_csv(path)
    run(path, tmp_path / "out.csv", label="text")
    table = read(tmp_path / "out.csv")
    assert table["code"].to_list() == ["06.10"] and "predicted_code" in table.columns
    with pytest.raises(FunathonError, match="predicted_code"):
        run(tmp_path / "out.csv", tmp_path / "again.csv", label="text")


class Failing(QuickCoder):
    """Gives up after some pieces, as a person does with Ctrl-C."""

    def __init__(self, pieces):
        self.pieces = pieces

    def table(self, labels):
        if not self.pieces:
            raise KeyboardInterrupt
        self.pieces -= 1
        return super().table(labels)


def interrupted(path, out, pieces, **options):
    with pytest.raises(KeyboardInterrupt):
        run(path, out, load=lambda: Failing(pieces), **options)
    assert not out.exists()
    return out.with_name(out.name + ".part")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(coding, "ROWS", 4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    texts=st.lists(st.none() | st.text(alphabet='ab ",;\n\ré', max_size=6), min_size=1, max_size=30),
    stops=st.lists(st.integers(0, 3), max_size=3),
    ending=st.sampled_from(["csv", "parquet", "tsv.gz", "xlsx"]),
)
def test_any_interruption_any_second_run(tmp_path_factory, small, texts, stops, ending):
    folder = tmp_path_factory.mktemp("run")
    path, out = folder / "register.csv", folder / f"out.{ending}"
    pl.DataFrame({"id": range(len(texts)), "label": pl.Series(texts, dtype=pl.String)}).write_csv(path)
    for stop in stops:
        with contextlib.suppress(KeyboardInterrupt):
            run(path, out, load=lambda stop=stop: Failing(stop))
            out.unlink()
    outcome = run(path, out)
    assert outcome.rows == len(texts)
    run(path, folder / f"whole.{ending}")
    assert out.read_bytes() == (folder / f"whole.{ending}").read_bytes()
    if ending != "xlsx":
        assert read(out)["label"].to_list() == texts
    assert len(read(out)) == len(texts)
    assert {p.name for p in folder.iterdir()} == {"register.csv", out.name, f"whole.{ending}"}
    with pytest.raises(FunathonError, match="exists"):
        run(path, out)


@pytest.mark.parametrize("at", [0, 1, 16_383, 16_384, 16_385, 49_999])
def test_a_stray_quote_in_any_row_loses_none(tmp_path, at):
    lines = [f"{number},bakery" for number in range(50_000)]
    lines[at] = f'{at},tyres 16" and rims'
    (tmp_path / "register.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    assert run(tmp_path / "register.csv", tmp_path / "out.csv").rows == 50_000
    assert read(tmp_path / "out.csv")["label"][at] == 'tyres 16" and rims'


def test_an_unclosed_quote_is_refused_the_second_time_too(tmp_path):
    lines = [f"{number},bakery" for number in range(50_000)]
    lines[16_385] = '16385,"bakery'
    (tmp_path / "register.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    for _ in range(2):
        with pytest.raises(FunathonError, match="line 16,387 is never closed"):
            run(tmp_path / "register.csv", tmp_path / "out.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"register.csv"}


@pytest.mark.parametrize("change", ["input", "threshold", "label", "model", "encoding"])
def test_a_run_with_other_input_or_options_is_not_mixed_with_an_interrupted_one(register, tmp_path, small, change):
    path, out = register("register.csv"), tmp_path / "out.csv"
    folder = interrupted(path, out, 1)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    other = {"threshold": 0.7, "label": "id", "model": "another", "encoding": "latin-1"}
    if change == "input":
        register("register.csv", rows=7)
    with pytest.raises(FunathonError, match="the beginning of another run"):
        run(path, out, **({change: other[change]} if change in other else {}))
    assert not out.exists() and {p.name: p.read_bytes() for p in folder.iterdir()} == before


@pytest.mark.parametrize("damage", ["cut", "empty", "other rows", "swapped", "other columns", "folder"])
def test_a_damaged_piece_is_named_and_coded_again(register, tmp_path, small, capfd, damage):
    path, out = register("register.csv", rows=20), tmp_path / "out.csv"
    folder = interrupted(path, out, 3)
    first, second, _ = pieces = sorted(folder.glob("*.parquet"))
    content = first.read_bytes()
    if damage == "swapped":
        first.write_bytes(second.read_bytes())
    elif damage == "other rows":
        pl.read_parquet(first).with_columns(label=pl.lit("x")).write_parquet(first)
    elif damage == "other columns":
        pl.read_parquet(first).drop("title").write_parquet(first)
    elif damage == "folder":
        first.unlink()
    else:
        first.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    outcome = run(path, out)
    assert outcome.rows == 20 and outcome.resumed == 8 and len(pieces) == 3
    assert (f"{first} is cut" in capfd.readouterr().err.replace("\n", "")) == (damage != "folder")
    run(path, tmp_path / "whole.csv")
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_what_a_killed_run_was_writing_is_removed(register, tmp_path, small):
    path, out = register("register.csv"), tmp_path / "out.csv"
    folder = interrupted(path, out, 1)
    for name in (".0000001.parquet.abc", ".whole", ".fingerprint.json.x"):
        (folder / name).write_bytes(b"half")
    run(path, out)
    assert {p.name for p in tmp_path.iterdir()} == {"register.csv", "out.csv"}


@pytest.mark.parametrize(("name", "other"), [("results?.csv", "results1.csv"), ("[a]/o.csv", "a/o.csv"), ("*.csv", "x.csv")])
def test_names_that_are_patterns_mix_nothing(register, tmp_path, small, name, other):
    for folder in ("a", "[a]"):
        (tmp_path / folder).mkdir(exist_ok=True)
    foreign = register("foreign.csv", rows=20, labels=["foreign"])
    interrupted(foreign, tmp_path / other, 3)
    run(register("register.csv"), tmp_path / name)
    assert "foreign" not in read(tmp_path / name)["label"].to_list()
    assert len(read(tmp_path / name)) == 8


@pytest.mark.parametrize("column", ["*", "^.*$", "^l"])
@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_names_of_columns_are_no_patterns(tmp_path, small, column, ending):
    path, out = tmp_path / "register.csv", tmp_path / f"out.{ending}"
    pl.DataFrame({"id": LABELS, column: "x", "label": LABELS}).write_csv(path)
    interrupted(path, out, 1)
    assert run(path, out).resumed
    assert read(out)[column].to_list() == ["x"] * len(LABELS)


@pytest.mark.parametrize("name", ["~/o.csv", "~/o.parquet", "file:o.xlsx"])
def test_names_are_no_addresses_and_no_home(register, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    run(register("register.csv"), name)
    again = "again-" + name.replace("/", "-")
    run(name, again)
    assert len(read(name)) == len(read(again)) == 8


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_names_in_another_encoding_are_refused(register, tmp_path, kind):
    path = register(f"register.{kind}")
    with pytest.raises(FunathonError, match="is not UTF-8"):
        run(path, tmp_path / f"cod\udce9.{kind}")
    moved = path.rename(tmp_path / f"r\udce9.{kind}")
    with pytest.raises(FunathonError, match="is not UTF-8"):
        run(moved, tmp_path / f"out.{kind}")
    assert list(tmp_path.iterdir()) == [moved]


def test_a_result_that_was_made_meanwhile_stays(register, tmp_path):
    path, out = register("register.csv"), tmp_path / "out.csv"

    class Slow(QuickCoder):
        def table(self, labels):
            out.write_text("another's")
            return super().table(labels)

    with pytest.raises(FunathonError, match="exists by now"):
        run(path, out, load=Slow)
    assert out.read_text() == "another's"
    out.unlink()
    assert run(path, out).resumed == 8


def test_a_register_that_changes_meanwhile_is_refused(register, tmp_path):
    path, out = register("register.csv"), tmp_path / "out.csv"

    class Slow(QuickCoder):
        def table(self, labels):
            register("register.csv", labels=["other"])
            return super().table(labels)

    with pytest.raises(FunathonError, match="was changed while it was coded"):
        run(path, out, load=Slow)
    assert not out.exists()


def test_a_result_that_is_short_does_not_get_its_name(register, tmp_path, monkeypatch):
    real = coding.tables.write
    monkeypatch.setattr(coding.tables, "write", lambda pieces, *rest: real(pieces[:-1], *rest))
    monkeypatch.setattr(coding, "ROWS", 4)
    for name in ("out.csv", "out.parquet", "out.xlsx"):
        with pytest.raises(FunathonError, match="8 rows were read, but 4 would be written"):
            run(register("register.csv"), tmp_path / name)
        assert not (tmp_path / name).exists() and len(list((tmp_path / f"{name}.part").glob("*.parquet"))) == 2


@pytest.mark.parametrize("kind", [OSError(28, "No space left on device"), pl.exceptions.ComputeError("disk")])
def test_a_full_disk_keeps_what_is_done(register, tmp_path, small, monkeypatch, kind):
    path, out = register("register.csv", rows=12), tmp_path / "out.csv"
    with monkeypatch.context() as patch:

        def full(*arguments):
            raise kind

        patch.setattr(coding.tables, "write", full)
        with pytest.raises(FunathonError, match=r"cannot be written.*goes on where it stopped"):
            run(path, out)
    assert run(path, out).resumed == 12


def quick(source, out):
    """A run in a process of its own."""
    command = [sys.executable, quick_coder.__file__, str(source), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TESTS)


def wait_for_pieces(process, out, count=1):
    folder = out.with_name(out.name + ".part")
    while process.poll() is None and len(list(folder.glob("*.parquet"))) < count:
        time.sleep(0.001)


def test_a_run_that_is_paused_keeps_another_out(tmp_path):
    path, out = tmp_path / "register.csv", tmp_path / "out.csv"
    pl.DataFrame({"id": range(200_000), "label": ["bakery"] * 200_000}).write_csv(path)
    first = quick(path, out)
    wait_for_pieces(first, out)
    first.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(FunathonError, match="Another run is writing"):
            run(path, out)
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait() == 0, first.stderr.read()
    assert len(read(out)) == 200_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_300_000_rows_killed_at_random_points_are_byte_identical(tmp_path, name):
    chooser = random.Random(name)
    path, out = tmp_path / "register.csv", tmp_path / name
    rows = 300_000
    labels = [f"{chooser.choice(LABELS)} {chooser.choice([16, '16', 'a,b', 'é'])}" for _ in range(rows)]
    pl.DataFrame({"id": [f"{number:06}" for number in range(rows)], "label": labels}).write_csv(path)
    killed = 0
    while True:
        process = quick(path, out)
        if killed < 6:
            wait_for_pieces(process, out, chooser.randint(0, 3) + 3 * killed)
            time.sleep(chooser.random() * 0.1)
            process.kill()
        status = process.wait()
        assert status in (0, -signal.SIGKILL), process.stderr.read()
        killed += status != 0
        if out.exists():  # also when it was killed behind the last step, the rename, and left its pieces
            shutil.rmtree(tmp_path / f"{name}.part", ignore_errors=True)
            break
    assert killed >= 3, "it is to be killed while it works"
    assert quick(path, tmp_path / f"whole.{name}").wait() == 0
    assert out.read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    assert read(out)["id"].to_list() == [f"{number:06}" for number in range(rows)]
    assert {p.name for p in tmp_path.iterdir()} == {"register.csv", name, f"whole.{name}"}
