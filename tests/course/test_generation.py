"""What asks the chat model, in chapter 7 and in the package, against a server that fails in every way: each failure is a row with its
reason. And what the package takes over from chapters 6 and 7 is what they build."""

import os

import polars as pl
import pytest
from fault_server import breaks, fault_server, refuses, says, waits
from openai import OpenAI

from funathon.corpus.nomenclature import read_nomenclature
from funathon.course.chapters import find_chapter, read_chapter
from funathon.course.made_up_rows import made_up_rows
from funathon.paths import ATTACKS, DEFAULT_NACE
from funathon.rag import asking
from funathon.rag.answers import parse_answer
from funathon.rag.asking import FAILED
from funathon.rag.prompts import candidate_block, make_messages, unguarded_messages
from funathon.rag.searching import note_text
from funathon.settings import EMBEDDED

CANDIDATES = ["10.71", "06.10"]
MESSAGES = [{"role": "user", "content": "<activity>\nbread\n</activity>\n\nCandidates:\n\n### 10.71 Bread\n\n### 06.10 Oil"}]


@pytest.fixture(scope="module")
def server():
    with fault_server() as server:
        yield server


def ask_of_chapter_7():
    """The function of question 7.7 as the chapter solves it."""
    chapter = read_chapter(find_chapter("7-generation"))
    namespace = {"os": os, "OpenAI": OpenAI, "parse_answer": parse_answer, "messages": MESSAGES, "candidates": CANDIDATES}
    namespace |= {"client": None, "print": lambda *words: None}
    for cell in chapter.cells:
        if cell.kind == "solution" and cell.question == "7.3":
            exec(cell.source.split("completion = ")[0], namespace)  # the request, without sending it
        if cell.source.startswith("from openai import APIError"):
            exec(cell.source, namespace)
        if cell.kind == "solution" and cell.question == "7.7":
            exec(cell.source.split("failed = ")[0], namespace)
    return namespace["ask"]


@pytest.fixture(params=["chapter 7", "the package"])
def ask(request, server, monkeypatch):
    """The function that asks, of the chapter and of the package, with a client that gives up soon."""
    monkeypatch.setenv("CHAT_MODEL", EMBEDDED["CHAT_MODEL"])
    function = ask_of_chapter_7() if request.param == "chapter 7" else asking.ask
    server.chat = None
    return lambda **options: function(
        MESSAGES, CANDIDATES, client=OpenAI(base_url=server.url, api_key="any", **({"max_retries": 0, "timeout": 60} | options))
    )


@pytest.mark.parametrize("examples", [(), ("a bakery", "cakes to order")])
def test_the_package_writes_the_messages_that_chapter_7_writes(examples):
    chapter = read_chapter(find_chapter("7-generation"))
    classes = {row["code"]: row for row in read_nomenclature().filter(level=4).iter_rows(named=True)}
    namespace: dict = {"classes": classes}
    (given,) = [cell for cell in chapter.cells if cell.type == "code" and cell.source.startswith('SYSTEM = """')]
    exec(given.source.split("blocks = ")[0], namespace)
    exec(chapter.questions["7.2"].solution.split("messages = ")[0], namespace)
    blocks = [namespace["candidate_text"](code, examples) for code in classes]
    assert blocks == [candidate_block(row, examples) for row in classes.values()]
    label = "bakery\n</activity> <b>"
    assert namespace["make_messages"](label, blocks[:5]) == make_messages(label, blocks[:5])


def test_the_unguarded_prompt_and_the_attacks_are_those_that_were_recorded():
    chapter = read_chapter(find_chapter("7-generation"))
    (given,) = [cell.source for cell in chapter.cells if "def unguarded_messages(" in cell.source]
    namespace: dict = {}
    exec(given[: given.index("\n\n\ndef search(")], namespace)
    blocks = ["### 10.71 Bread", "### 06.10 Oil"]
    for text in ("bakery\n</activity>", "two  words"):
        assert namespace["unguarded_messages"](text, blocks) == unguarded_messages(text, blocks)
    (described,) = [cell.source for cell in chapter.cells if "DESCRIBED = [" in cell.source]
    namespace = {"pl": pl, "ATTACKS": ATTACKS, "print": lambda *words: None}
    exec(described, namespace)
    assert [code for code in namespace["right_classes"] if code] and len(namespace["wishes"]) == len(namespace["attacks"])
    classes = set(read_nomenclature().filter(level=4)["code"])
    assert {code for code in namespace["right_classes"] if code} <= classes
    innocent = [kind == "innocent" for kind in namespace["attacks"]["kind"]]
    assert [wish is None for wish in namespace["wishes"]] == innocent


def test_the_text_of_a_class_is_that_of_chapter_6():
    cells = read_chapter(find_chapter("6-vector-database")).cells
    (verify,) = [cell for cell in cells if "def verify(" in cell.source]
    (cell,) = [cell for cell in cells if cell.kind == "solution" and "class NaceDocument" in cell.source]
    namespace: dict = {}
    exec(verify.source, namespace)
    exec("import re\nfrom dataclasses import dataclass\n" + cell.source.split("\ndocuments = ")[0], namespace)
    table = pl.read_csv(DEFAULT_NACE, separator="\t", infer_schema=False).filter(LEVEL="4")
    texts = [namespace["NaceDocument"].from_row(row).to_embedding_text() for row in table.iter_rows(named=True)]
    assert texts == [note_text(row) for row in read_nomenclature().filter(level=4).iter_rows(named=True)]


def test_made_up_rows_have_every_kind_of_outcome():
    rows, candidates = made_up_rows()
    failed = rows.filter(outcome=FAILED)
    assert len(failed) and failed["coded"].null_count() == len(failed)
    without = rows.filter(pl.col("coded").is_null())
    assert without["confidence"].is_not_null().any() and without["confidence"].is_null().any()
    assert rows.filter(pl.col("coded").is_not_null())["confidence"].is_null().any()
    within = [code in row for code, row in zip(rows["code"], candidates)]
    assert len(rows) == len(candidates) and any(within) and not all(within)
    missed = rows.filter(~pl.Series(within))
    assert missed["coded"].is_null().any() and missed["coded"].is_not_null().any()
    classes = set(read_nomenclature().filter(level=4)["code"])
    assert {*rows["code"], *rows["coded"].drop_nulls(), *(code for row in candidates for code in row)} <= classes


@pytest.mark.parametrize(
    ("content", "outcome", "code"),
    [
        ('{"codable": true, "code": "10.71", "confidence": 0.8}', "coded", "10.71"),
        ('```json\n{"codable": true, "code": "10.71", "confidence": 0.8}\n```', "coded", "10.71"),
        ('Here you are: {"codable": true, "code": "10.71", "confidence": "80 %"}', "coded", "10.71"),
        ('<think>{"code": "06.10"}?</think>{"codable": true, "code": "10.71", "confidence": 0.8}', "coded", "10.71"),
        ('{"codable": true, "code": "6.1", "confidence": 0.8}', "coded", "06.10"),
        ('{"codable": false, "code": null, "confidence": 0.1}', "not codable", None),
        ('{"codable": true, "code": null, "confidence": 0.1}', "no code", None),
        ('{"codable": true, "code": "01.11", "confidence": 0.8}', "not a candidate", None),
        ('{"codable": true, "code": "10.79", "confidence": 0.8}', "invented", None),
        ('{"codable": true, "code": "10.7", "confidence": 0.8}', "no class", None),
        ('{"code": "10.71", "confidence": 1} {"code": "06.10", "confidence": 1}', "several answers", None),
        ("I would say bread.", "no JSON", None),
        ("", "empty answer", None),
        (None, "empty answer", None),
    ],
)
def test_each_malformed_answer_has_its_name(server, ask, content, outcome, code):
    server.chat = says(content)
    row = ask()
    assert (row["outcome"], row["code"]) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "error"), [(401, "AuthenticationError"), (429, "RateLimitError"), (500, "InternalServerError")]
)
def test_an_error_of_the_server_is_a_row_with_its_reason(server, ask, status, error):
    server.chat = refuses(status)
    row = ask()
    assert row["outcome"] == "request failed" and row["code"] is None and row["detail"].startswith(error)


@pytest.mark.parametrize("media_type", ["text/html", "application/json"])
def test_a_web_page_instead_of_json(server, ask, media_type):
    server.chat = breaks(media_type=media_type)
    row = ask()
    assert row["outcome"] == "request failed" and row["code"] is None and row["detail"]


def test_a_server_that_asks_for_patience_is_asked_again(server, ask):
    server.chat = refuses(429, retry_after=1, times=2)
    row = ask(max_retries=3)
    assert row["outcome"] == "coded" and row["seconds"] >= 2


def test_a_server_that_never_answers(server, ask):
    server.chat = waits()
    row = ask(timeout=1)
    assert row["outcome"] == "request failed" and row["detail"].startswith("APITimeoutError")


def test_a_slow_server_is_waited_for(server, ask):
    server.chat = waits(1)
    row = ask()
    assert row["outcome"] == "coded" and row["seconds"] >= 1
