"""Coding a register by retrieval-augmented generation: rows out = rows in, or an error; and nothing is asked twice."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from fault_server import fault_server, refuses, says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from funathon import paths
from funathon.cli import app
from funathon.corpus.tables.opening import open_table
from funathon.endpoint.errors import error_answer
from funathon.errors import FunathonError
from funathon.minilm import embed
from funathon.rag import coding as rag
from funathon.rag import generator, pipeline, vectors
from funathon.rag.answered import AnsweredTexts, key_of
from funathon.rag.answers import OUTCOMES
from funathon.rag.prompts import isolated
from funathon.rag.results import Result
from funathon.supervised import coding

CLASSES = ["01.11", "10.71", "47.24", "49.41", "62.10", "95.31", "96.21"]
TEXTS = ["bakery making rye bread", None, "we write software for banks", "", "n/a", "bakery making rye bread", "lorry transport"]
ADDED = ["code", "title", "confidence", "outcome", "detail", "candidates", "review", "reason"]
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server():
    embed(["the model is loaded before anybody waits for it"])
    with fault_server() as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A nomenclature of seven classes, labels to learn from, and a vector database, which is filled once."""
    folder = tmp_path_factory.mktemp("world")
    whole = pl.read_csv(paths.DEFAULT_NACE, separator="\t", infer_schema=False)
    codes = {code[:n] for code in CLASSES for n in (2, 4, 5)}
    whole.filter(pl.col("CODE").is_in(list(codes)) | (pl.col("LEVEL") == "1")).write_csv(folder / "nace.tsv", separator="\t")
    pl.read_parquet(paths.DEFAULT_LABELS).filter(pl.col("code").is_in(CLASSES)).write_parquet(folder / "labels.parquet")
    return folder


@pytest.fixture(autouse=True)
def small_world(server, world, monkeypatch):
    for name, value in {
        "NACE_URL": str(world / "nace.tsv"),
        "LABELS_URL": str(world / "labels.parquet"),
        "QDRANT_PATH": str(world / "qdrant"),
        "LLMLAB_URL": server.url,
        "LLMLAB_API_KEY": "any",
        "EMBEDDING_MODEL": "all-MiniLM-L6-v2",
        "CHAT_MODEL": "offline-stand-in",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(generator, "RETRIES", 0)
    monkeypatch.setattr(generator, "PATIENCE", 20.0)
    vectors.MOST_TEXTS.clear()
    server.chat, server.requests = None, 0


@pytest.fixture
def register(tmp_path):
    def write(texts=TEXTS, name="register.csv", **columns):
        table = pl.DataFrame(
            {"id": [f"{i:03}" for i in range(len(texts))], "label": pl.Series(texts, dtype=pl.String), **columns}
        )
        path = tmp_path / name
        if path.suffix == ".xlsx":
            table.write_excel(path)
        elif path.suffix == ".parquet":
            table.write_parquet(path)
        else:
            table.write_csv(path)
        return path

    return write


def run(path, out, *, retrieval="plain", threshold=0.5, **options):
    return rag.code_register(
        str(path), str(out), retrieval=retrieval, threshold=threshold, console=Console(quiet=True), **options
    )


def command(*arguments):
    return CliRunner().invoke(app, ["rag", "code", *map(str, arguments), "--retrieval", "plain"])


def read(path):
    return open_table(str(path), say=lambda line: None).read()


def answers_in(out):
    file = out.with_name(out.name + ".part") / "answers.jsonl"
    return [json.loads(line) for line in file.read_text().split("\n") if line]


def counting(texts_of_requests, then=None):
    """Answer as `then` says and note the text of each request."""

    async def chat(receive):
        message = await receive()
        prompt = json.loads(message["body"])["messages"][1]["content"]
        texts_of_requests.append(prompt.split("<activity>\n")[1].split("\n</activity>")[0])
        return await (then or says('{"codable": true, "code": "10.71", "confidence": 0.9}'))(receive)

    return chat


@pytest.mark.parametrize("retrieval", ["plain", "best"])
def test_every_row_comes_out_and_equal_texts_are_asked_once(register, tmp_path, server, retrieval):
    outcome = run(register(), tmp_path / "out.csv", retrieval=retrieval)
    table = read(tmp_path / "out.csv")
    assert table.columns == ["id", "label", *ADDED]
    assert table["label"].to_list() == TEXTS and table["id"].to_list() == [f"{i:03}" for i in range(7)]
    assert table["code"].to_list() == ["10.71", None, "62.10", None, None, "10.71", "49.41"]
    assert table["title"][0].startswith("Manufacture of bread") and table["title"][1] is None
    assert table["outcome"].to_list() == ["coded", "not asked", "coded", "not asked", "not asked", "coded", "coded"]
    nothing = "says nothing about an activity"
    assert table["reason"].to_list() == [None, "no label", None, "empty label", nothing, None, None]
    assert [row.split()[0] if row else None for row in table["candidates"]] == table["code"].to_list()
    assert all(len(row.split()) == 5 for row in table["candidates"] if row)
    assert server.requests == 3
    assert (outcome.rows, outcome.without_code) == (7, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"register.csv", "out.csv"}


@pytest.mark.parametrize(("source", "out"), [("r.xlsx", "out.tsv.gz"), ("r.parquet", "out.parquet"), ("r.csv", "out.xlsx")])
def test_every_format(register, tmp_path, source, out):
    path = register(name=source)
    result = command(path, "-o", tmp_path / out)
    assert result.exit_code == 0, result.output
    before, after = read(path), read(tmp_path / out)
    assert after.columns == [*before.columns, *ADDED] and after["id"].to_list() == before["id"].to_list()
    assert after["code"].to_list()[2] == "62.10"
    assert "7 rows" in result.stdout and "3 of them without a code" in result.stdout


def test_the_command_says_first_where_texts_go_and_how_many(register, tmp_path):
    result = command(register(), "-o", tmp_path / "out.csv")
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert lines[0] == "7 rows, 3 texts to ask for, each once: as many requests to the chat model"
    assert lines[1] == "Part 2 sends texts and prompts to 127.0.0.1 (LLMLAB_URL): give it only texts that may be read there."


def test_a_register_of_blanks_sends_nothing_and_needs_no_endpoint(register, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMLAB_URL", "http://127.0.0.1:9/v1")
    for texts in ([None, "", "n/a", " \t", "\x1c\x1f"], []):
        out = tmp_path / f"out{len(texts)}.parquet"
        assert run(register(texts, "r.parquet"), out).without_code == len(texts)
        assert pl.read_parquet(out)["reason"].null_count() == 0


def test_review_below_the_threshold_without_confidence_and_without_code(register, tmp_path, server):
    answers = {
        "sure": '{"codable": true, "code": "10.71", "confidence": 0.7}',
        "less sure": '{"codable": true, "code": "10.71", "confidence": 0.69}',
        "silent": '{"codable": true, "code": "10.71"}',
        "cannot be coded": '{"codable": false, "code": null, "confidence": 0.9}',
        "prose": "I am a teapot.",
        "invented": '{"codable": true, "code": "01.99", "confidence": 0.9}',
        "answered by silence": None,
    }

    async def chat(receive):
        prompt = json.loads((await receive())["body"])["messages"][1]["content"]
        return await says(answers[prompt.split("<activity>\n")[1].split("\n</activity>")[0]])(receive)

    server.chat = chat
    outcome = run(register(list(answers)), tmp_path / "out.csv", threshold=0.7)
    table = read(tmp_path / "out.csv")
    assert table["review"].to_list() == ["false", *["true"] * 6]
    coded, outcomes = ["coded"] * 3, ["not codable", "no JSON", "invented", "empty answer"]
    assert table["outcome"].to_list() == coded + outcomes
    assert table["reason"].to_list() == [None] * 3 + [OUTCOMES[name] for name in outcomes]
    assert table["code"].to_list() == ["10.71"] * 3 + [None] * 4
    assert table["detail"][4] == "'I am a teapot.'" and table["detail"][0] is None
    assert (outcome.review, outcome.without_code) == (6, 4)


def test_only_candidates_that_were_shown_are_listed(register, tmp_path):
    run(register(), tmp_path / "out.csv", k=2)
    assert {len(row.split()) for row in read(tmp_path / "out.csv")["candidates"] if row} == {2}


def test_names_that_clash_get_a_prefix(register, tmp_path):
    run(register(code="x", detail="y"), tmp_path / "out.csv")
    table = read(tmp_path / "out.csv")
    assert table.columns == ["id", "label", "code", "detail", *(f"predicted_{name}" for name in ADDED)]
    assert table["code"].to_list() == ["x"] * 7 and table["predicted_code"][0] == "10.71"
    with pytest.raises(FunathonError, match="'predicted_code'"):
        run(tmp_path / "out.csv", tmp_path / "again.csv")


def test_an_interrupted_run_goes_on_and_asks_nothing_twice(register, tmp_path, server, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 4)
    monkeypatch.setattr(rag, "BATCH", 4)
    monkeypatch.setattr(coding, "ROWS", 5)
    texts = [f"bakery number {i % 12}" for i in range(30)]
    path, out = register(texts), tmp_path / "out.csv"
    keep = AnsweredTexts.keep

    def ctrl_c(self, key, result):
        keep(self, key, result)
        if len(self._places) == 5:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(AnsweredTexts, "keep", ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            run(path, out)
    assert not out.exists()
    answered = answers_in(out)
    assert 5 <= len(answered) < 12
    # a killed run may leave half a line behind
    with (tmp_path / "out.csv.part" / "answers.jsonl").open("ab") as file:
        file.write(b'\n{"text": "00aa", "cand')
    asked = []
    server.chat = counting(asked)
    run(path, out)
    assert len(asked) == 12 - len(answered) and Counter(asked).most_common(1)[0][1] == 1
    assert not {key_of(text).hex() for text in asked} & {row["text"] for row in answered}
    assert read(out)["label"].to_list() == texts and read(out)["outcome"].to_list() == ["coded"] * 30
    assert not (tmp_path / "out.csv.part").exists()


def test_an_endpoint_that_goes_down_midway_is_an_error_and_the_next_run_completes(register, tmp_path, server, monkeypatch):
    monkeypatch.setattr(pipeline, "FAILURES_IN_A_ROW", 4)
    path, out = register([f"bakery number {i}" for i in range(30)]), tmp_path / "out.csv"
    asked = []

    async def chat(receive):
        asked.append(1)
        return error_answer(503, "down") if len(asked) > 10 else None

    server.chat = chat
    result = command(path, "-o", out)
    assert result.exit_code == 1 and not out.exists()
    assert "The last 4 requests to the endpoint failed (HTTP 503" in result.stderr and "Traceback" not in result.output
    # an answer that was under way when the run stopped may be lost, none that was kept
    kept = len(answers_in(out))
    assert 0 < kept <= 10
    server.chat, server.requests = None, 0
    result = command(path, "-o", out)
    assert result.exit_code == 0, result.output
    assert f"{kept} texts were answered by an earlier run" in result.stderr
    assert server.requests == 30 - kept and len(read(out)) == 30


def test_some_failed_requests_are_told_at_the_end_and_asked_again(register, tmp_path, server):
    server.chat = refuses(500, times=2)
    path, out = register(), tmp_path / "out.csv"
    result = command(path, "-o", out)
    assert result.exit_code == 1 and not out.exists()
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("Error: 2 of 3 requests failed (HTTP 500: ") and "the same command asks for what is missing" in error
    server.requests = 0
    assert command(path, "-o", out).exit_code == 0
    assert server.requests == 1 + 1 and len(read(out)) == 7


def test_a_text_that_the_endpoint_refuses_is_a_row_to_review_and_stops_no_other(register, tmp_path, server, monkeypatch):
    embedding = server.app

    async def refuse_long(scope, receive, send):
        message = await receive()
        texts = json.loads(message["body"] or b"{}").get("input", []) if scope["path"].endswith("/embeddings") else []
        again = iter([message])

        async def replay():
            return next(again, None) or await receive()

        long = any("very" in text for text in texts)
        await (error_answer(413, "too long") if long else embedding)(scope, replay, send)

    monkeypatch.setattr(server, "app", refuse_long)
    out = tmp_path / "out.csv"
    run(register([*TEXTS, "a very, very long text"]), out)
    last = read(out).row(-1, named=True)
    assert (last["code"], last["outcome"], last["reason"]) == (None, "refused", "the endpoint refuses the text")
    assert str(last["review"]).lower() == "true" and "embedding: HTTP 413" in last["detail"]
    assert read(out)["code"].null_count() == 4


def test_an_endpoint_that_refuses_every_text_is_at_fault_itself(register, tmp_path, server):
    server.chat = refuses(400)
    with pytest.raises(FunathonError, match=r"3 of 3 requests failed \(HTTP 400"):
        run(register(), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_second_run_at_once_is_refused(register, tmp_path):
    path, out = register(), tmp_path / "out.csv"
    hold = "import filelock, sys, time; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); time.sleep(60)"
    (tmp_path / "out.csv.part").mkdir()
    lock = [sys.executable, "-c", hold, str(tmp_path / "out.csv.part" / "lock")]
    with subprocess.Popen(lock, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        results = [command(path, "-o", out, *more) for more in ([], ["--fresh"])]
        holder.kill()
    for result in results:
        assert result.exit_code == 1 and "Another run is writing" in result.stderr, result.output


@pytest.mark.parametrize("change", ["text", "k", "threshold", "model", "endpoint", "retrieval", "prompt"])
def test_other_input_or_options_are_not_mixed_and_fresh_begins_anew(register, tmp_path, server, monkeypatch, change):
    path, out = register(), tmp_path / "out.csv"
    server.chat = refuses(500, times=1)
    with pytest.raises(FunathonError, match="1 of 3"):
        run(path, out)
    options = {"k": {"k": 3}, "threshold": {"threshold": 0.6}, "retrieval": {"retrieval": "best"}}.get(change, {})
    if change == "text":
        register([*TEXTS, "hairdresser"])
    elif change == "model":
        monkeypatch.setenv("CHAT_MODEL", "another")
    elif change == "endpoint":
        monkeypatch.setenv("LLMLAB_URL", server.url.replace("127.0.0.1", "localhost"))
    elif change == "prompt":
        monkeypatch.setattr(rag, "make_messages", lambda label, blocks: ["another prompt"])
    server.requests = 0
    with pytest.raises(FunathonError, match="the beginning of another run"):
        run(path, out, **options)
    assert server.requests == 0
    server.chat = says("no")
    run(path, out, fresh=True, **options)
    assert server.requests == 3 + (change == "text") and len(read(out)) == 7 + (change == "text")


def test_a_register_that_changes_meanwhile_is_refused(register, tmp_path, server):
    path, out = register(), tmp_path / "out.csv"

    async def chat(receive):
        register([f"other {number}" for number in range(7)])

    server.chat = chat
    with pytest.raises(FunathonError, match="changed"):
        run(path, out)
    assert not out.exists()


def test_bad_input_is_one_line_and_sends_nothing(register, tmp_path, server, monkeypatch):
    good = register()
    (tmp_path / "there.csv").write_text("mine\n")
    (tmp_path / "ragged.csv").write_text("id,label\n1,bakery\n2,taxi,driver,more\n")
    (tmp_path / "foreign.csv.part").mkdir()
    (tmp_path / "foreign.csv.part" / "letter.txt").write_text("mine")
    for arguments, words in [
        ((tmp_path / "none.csv", "-o", tmp_path / "out.csv"), "There is no file"),
        ((good, "-o", tmp_path / "out.doc"), "does not end in"),
        ((good, "-o", tmp_path / "there.csv"), "there.csv exists"),
        ((good, "-o", tmp_path / "foreign.csv", "--fresh"), "not the beginning of a run"),
        ((good, "-o", "s3://bucket/out.csv"), "is an address"),
        ((good, "-o", tmp_path / "out.csv", "--label", "text"), "has no column 'text'"),
        ((good, "-o", tmp_path / "out.csv", "--sheet", "1"), "has no sheets"),
        ((tmp_path / "ragged.csv", "-o", tmp_path / "out.csv"), "line 3 has 4 fields"),
    ]:
        result = command(*arguments)
        assert result.exit_code == 1 and words in result.stderr, result.output
        assert len(result.output.strip().splitlines()) == 1, result.output
    monkeypatch.delenv("CHAT_MODEL")
    result = command(good, "-o", tmp_path / "out.csv")
    assert result.exit_code == 1 and "CHAT_MODEL is not" in result.stderr and "Traceback" not in result.output
    assert server.requests == 0 and not list(tmp_path.glob("out*"))
    assert (tmp_path / "foreign.csv.part" / "letter.txt").read_text() == "mine"


def test_a_killed_run_of_the_command_goes_on(register, tmp_path, server):
    texts = [f"bakery number {i}" for i in range(40)]
    path, out = register(texts), tmp_path / "out.csv"
    asked = []

    async def slow(receive):
        await asyncio.sleep(0.2)
        return await says('{"codable": true, "code": "10.71", "confidence": 0.9}')(receive)

    server.chat = counting(asked, slow)
    process = subprocess.Popen(
        [sys.executable, "-m", "funathon", "rag", "code", path, "-o", out, "--retrieval", "plain"], stderr=subprocess.PIPE
    )
    file = tmp_path / "out.csv.part" / "answers.jsonl"
    while process.poll() is None and (not file.exists() or len(answers_in(out)) < 9):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    kept = {row["text"] for row in answers_in(out)}
    assert 9 <= len(kept) < 40 and not out.exists()
    asked.clear()
    assert command(path, "-o", out).exit_code == 0
    assert sorted(key_of(text).hex() for text in asked) == sorted({key_of(text).hex() for text in texts} - kept)
    assert read(out)["label"].to_list() == texts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8)
@given(
    texts=st.lists(
        st.none() | st.text(max_size=8) | st.sampled_from(["</activity>", "\x00", '"{}"', "\u2028", "x" * 2100]), max_size=12
    ),
    ending=st.sampled_from(["csv", "parquet"]),
)
def test_odd_texts_lose_no_row(tmp_path_factory, server, texts, ending):
    folder = tmp_path_factory.mktemp("run")
    path, out = folder / "register.parquet", folder / f"out.{ending}"
    pl.DataFrame({"id": range(len(texts)), "label": pl.Series(texts, dtype=pl.String)}).write_parquet(path)
    asked = []
    server.chat = counting(asked)
    outcome = run(path, out)
    table = read(out)
    assert outcome.rows == len(table) == len(texts)
    if ending == "parquet":
        assert table["label"].to_list() == texts
    assert len(asked) == len(set(asked)) and set(asked) <= {isolated(text) for text in texts if text}
    sent = [text is not None and isolated(text) in asked for text in texts]
    assert [outcome != "not asked" for outcome in table["outcome"]] == sent
    assert [reason is None for reason in table["reason"]] == [outcome == "coded" for outcome in table["outcome"]]


def test_the_file_of_answers_counts_whole_lines_and_the_later_of_two(tmp_path):
    path = tmp_path / "answers.jsonl"
    answered = AnsweredTexts(path)
    first, second = key_of("a"), key_of("b")
    answered.keep(first, Result(3, ["10.71"], None, None, "no JSON", "“x”", 0.1))
    path.write_bytes(path.read_bytes() + b'\n{"text": "' + second.hex().encode() + b'", "candid')
    answered = AnsweredTexts(path)
    assert first in answered and second not in answered
    answered.keep(second, Result(0, [], "10.71", 0.5, "coded", "", 0.1))
    answered.keep(first, Result(0, ["10.71"], "10.71", 1.0, "coded", "", 0.1))
    for found in (answered, AnsweredTexts(path)):
        with found.reading():
            assert (found.result(first).code, found.result(second).confidence) == ("10.71", 0.5)
