"""`funathon register`: two networks on a small register, measured alike; the section of chapter 3 that does the same."""

import contextlib
import io
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_register import BUSINESSES, COLUMNS, made_register
from servers import free_port
from typer.testing import CliRunner

from funathon.cli import app
from funathon.corpus.splitting import Split
from funathon.course.chapters import find_chapter, read_chapter
from funathon.errors import FunathonError
from funathon.settings import KNOWN, load_settings
from funathon.supervised.register_figures import judge, seen
from funathon.supervised.register_training import REPORT, WEIGHTINGS, Settings, compare, fit_tokenizer, lifting_weights

CODED = sum(count for count, _ in BUSINESSES.values())


@pytest.fixture
def register(tmp_path, monkeypatch):
    """The made register in the settings; its path."""
    for name in KNOWN:
        monkeypatch.setenv(name, "")
    path = tmp_path / "train.parquet"
    made_register().write_parquet(path)
    for name, value in (COLUMNS | {"REGISTER_URL": str(path)}).items():
        monkeypatch.setenv(name, value)
    load_settings()
    return path


def split_of(y_train, y_test, X_train=None, X_test=None) -> Split:
    """A split of which only the codes matter, unless texts are given."""
    y_train, y_test = np.array(y_train, dtype=object), np.array(y_test, dtype=object)
    X_train = np.array(X_train if X_train is not None else [f"a {n}" for n in range(len(y_train))], dtype=object)
    X_test = np.array(X_test if X_test is not None else [f"b {n}" for n in range(len(y_test))], dtype=object)
    return Split(X_train, y_train, X_train[:0], y_train[:0], X_test, y_test)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["47.11", "68.20", "96.21", "03.21"]), min_size=1, max_size=300))
def test_weights_add_up_and_lift_rare_classes(codes):
    codes = np.array(codes)
    weights = lifting_weights(codes)
    assert weights.sum() == pytest.approx(len(codes)) and (weights > 0).all()
    classes, counts = np.unique(codes, return_counts=True)
    of_class = np.array([weights[codes == code][0] for code in classes])
    assert all(len(set(weights[codes == code])) == 1 for code in classes)
    # a class with a hundred times as many texts counts ten times as much
    assert of_class * counts / np.sqrt(counts) == pytest.approx((of_class * counts / np.sqrt(counts))[0])


def test_a_hundred_times_as_many_texts_count_ten_times_as_much():
    codes = np.array(["47.11"] * 400 + ["03.21"] * 4)
    weights = lifting_weights(codes)
    assert weights[:400].sum() / weights[400:].sum() == pytest.approx(10)


def test_rows_are_as_long_as_nearly_all_texts_need_and_no_longer_than_the_limit():
    texts = np.array(["utleie av bolig"] * 99 + ["utleie " * 500], dtype=object)
    short = fit_tokenizer(texts)
    assert short.output_dim == len(short.tokenizer("utleie av bolig")["input_ids"])
    assert fit_tokenizer(texts, Settings(reach=1)).output_dim == Settings().longest
    with_rows = short.tokenize(["utleie av bolig", "utleie " * 500])
    assert with_rows.input_ids.shape == (2, short.output_dim)


def test_figures_tell_common_and_rare_classes_apart():
    common = [code for n in range(21) for code in [f"{10 + n}.11"] * (30 + n)]
    split = split_of([*common, *["03.21"] * 3], ["30.11", "30.11", "03.21", "10.11"], X_test=["a 0", "new", "newer", "newest"])
    figures = judge(np.array(["30.11", "30.11", "30.11", "10.11"]), split)
    assert (figures.accuracy.value, figures.accuracy.n) == (0.75, 4)
    assert (figures.commonest.value, figures.commonest.n) == (1, 2), "10.11 is the 21st class"
    assert (figures.rare.value, figures.rare.n) == (0, 1)
    assert seen(split).tolist() == [True, False, False, False] and figures.new.n == 3
    assert figures.macro_f1 == pytest.approx((0.8 + 0 + 1) / 3)


def test_figures_of_nothing_are_none_and_say_so():
    figures = judge(np.array(["30.11"]), split_of(["30.11"] * 40, ["30.11"], ["x"] * 40, ["x"]))
    assert figures.rare is None and figures.new is None
    assert [value for _, value in figures.rows()].count("no such text to measure on") == 2
    assert json.loads(json.dumps(figures.as_dict()))["rare"] is None


@pytest.mark.slow
def test_the_command_trains_both_and_keeps_them(register, tmp_path):
    from torchTextClassifiers import torchTextClassifiers

    out = tmp_path / "folder" / "out"
    for _ in range(2):  # a folder of an earlier run is replaced
        done = CliRunner().invoke(app, ["register", "--out", str(out), "--json"])
        assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["counts"]["rows"] == CODED + 7 and found["counts"]["without_code"] == 4
    assert list(found["figures"]) == list(WEIGHTINGS)
    for figures in found["figures"].values():
        assert figures["accuracy"]["value"] > 0.4, "the commonest class alone is 28 %"
        assert figures["accuracy"]["low"] < figures["accuracy"]["value"] < figures["accuracy"]["high"]
    assert found["commonest"][0]["code"] == "68.20" and "real estate" in found["commonest"][0]["title"]
    kept = json.loads((out / REPORT).read_text())
    assert kept["figures"] == found["figures"] and kept["settings"]["epochs"] == Settings().epochs
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"], "nothing half-written is left"
    network = torchTextClassifiers.load(out / "rare-classes-lifted")
    assert set(network.predict(np.array(["frisørsalong i Oslo"]))["prediction"][0]) <= set(BUSINESSES)
    assert "4 without a code and 3 without a text are left out" in done.stderr
    assert "the 20 commonest hold 100% of the texts" in done.stderr


@pytest.mark.slow
def test_the_table_for_people_and_a_try_with_few_rows(register):
    done = CliRunner().invoke(app, ["register", "--rows", "150"])
    assert done.exit_code == 0, done.output
    assert "macro-F1" in done.stdout and "rare classes lifted" in done.stdout and "150 are drawn" in done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REGISTER_URL": ""}, "REGISTER_URL is not set"),
        ({"REGISTER_URL": "/nowhere/r.parquet"}, "There is no file"),
        ({"REGISTER_URL": "s3://bucket/r.parquet", "AWS_S3_ENDPOINT": "http://127.0.0.1:9"}, "does not answer"),
        ({"REGISTER_TEXT": "company_activty"}, "Did you mean 'company_activity'"),
        ({"REGISTER_TEST_URL": "/nowhere/t.parquet"}, "Check REGISTER_TEST_URL in .env, or remove it."),
    ],
)
def test_what_is_wrong_is_one_line(register, monkeypatch, settings, words):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["register"])
    assert done.exit_code == 1 and words in done.output and "Traceback" not in done.output
    assert len(done.output.strip().splitlines()) == 1, done.output


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FunathonError, match="is no folder of `funathon register`"):
        compare(None, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def section() -> list[str]:
    """The code cells of chapter 3 from the heading of its last section on."""
    cells = read_chapter(find_chapter("3")).cells
    first = next(number for number, cell in enumerate(cells) if cell.source.startswith("## On a real register"))
    return [cell.source for cell in cells[first:] if cell.type == "code"]


def run_section(names: dict) -> str:
    """Run the section with these variables; what it prints and displays."""
    shown = io.StringIO()
    names["display"] = lambda thing: print(thing, file=shown)
    with contextlib.redirect_stdout(shown):
        for source in section():
            exec(source, names)
    return shown.getvalue()


@pytest.mark.parametrize("url", ["", "/nowhere/r.parquet", "s3://bucket/r.parquet"])
def test_the_section_is_skipped_with_one_sentence(register, monkeypatch, url):
    monkeypatch.setenv("REGISTER_URL", url)
    monkeypatch.setenv("AWS_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    shown = run_section({"pl": pl})
    assert shown.startswith("There is no register here, so this section is skipped: ")
    assert len(shown.splitlines()) == 1 and ("REGISTER_URL" in shown)


@pytest.mark.slow
def test_the_section_runs_on_a_register(register, tmp_path, monkeypatch):
    import logging

    import mlflow
    import torch
    from pytorch_lightning.loggers import CSVLogger
    from sklearn.preprocessing import LabelEncoder
    from torchTextClassifiers import TrainingConfig
    from torchTextClassifiers.value_encoder import ValueEncoder

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

    def predict_codes(model, texts):
        with torch.no_grad():
            return model.predict(texts)["prediction"][:, 0]

    names = {"pl": pl, "np": np, "mlflow": mlflow, "torch": torch, "folder": tmp_path, "predict_codes": predict_codes}
    names |= {"LabelEncoder": LabelEncoder, "ValueEncoder": ValueEncoder, "TrainingConfig": TrainingConfig}
    names["trainer_params"] = {"logger": CSVLogger(tmp_path / "lightning"), "enable_progress_bar": False}
    shown = run_section(names)
    assert f"{CODED + 7} rows, 4 without a code" in shown and "of 9 classes hold 100%" in shown
    assert "macro-F1" in shown and "rare classes lifted" in shown
    weigh = names["weigh"]  # that of the second network
    weights = np.array([weigh(code) for code in names["register_split"].y_train])
    assert weights == pytest.approx(lifting_weights(names["register_split"].y_train)), "the chapter's weights are the command's"


@pytest.mark.slow
def test_an_interruption_leaves_the_folder_as_it_was(register, tmp_path, monkeypatch):
    from funathon.corpus.register import read_register

    out = tmp_path / "out"
    out.mkdir()
    (out / REPORT).write_text("earlier")

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("funathon.supervised.register_training.judge", stop)
    with pytest.raises(KeyboardInterrupt):
        compare(read_register(), out, Settings(epochs=1))
    assert (out / REPORT).read_text() == "earlier"
    assert list(tmp_path.glob(".register.*")) == []
