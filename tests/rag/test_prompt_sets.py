"""The recorded answers belong to the prompts of today: labels, notes and searches have not moved away under them."""

import json
import re
from collections import Counter
from dataclasses import asdict

import pytest

from funathon.corpus.labels import read_labels
from funathon.corpus.splitting import split_labels
from funathon.course.chapters import find_chapter
from funathon.endpoint.recorded import answer_files, read_recorded
from funathon.endpoint.server import ensure_endpoint
from funathon.paths import ANSWERS
from funathon.rag.answers import NOT_CODABLE, parse_answer
from funathon.rag.asking import RECORDED, embedded_client
from funathon.rag.prompt_sets import Prompter, all_prompts, draw, excluded_rival
from funathon.rag.recording import hash_of
from funathon.rag.searching import Embedder
from funathon.settings import load_settings


@pytest.fixture(scope="module")
def lines():
    return [json.loads(line) for line in (ANSWERS / f"{RECORDED}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_every_prompt_of_the_chapters_has_a_recorded_answer_and_none_holds_a_truth():
    load_settings()
    ensure_endpoint()
    prompts = list(all_prompts(Prompter(Embedder(embedded_client()))))
    known = read_recorded(ANSWERS / f"{RECORDED}.jsonl")
    lacking = Counter(prompt.set for prompt in prompts if hash_of(prompt.messages) not in known)
    # the vectors of another processor differ in the seventh place, so that nearly equal candidates may change places
    assert lacking.total() <= len(prompts) / 100, f"no recorded answers to {lacking}: has the data changed? Record them again"
    assert set(asdict(prompts[0])) == {"set", "number", "messages", "json"}


def test_each_answer_is_there_once_and_the_repeated_ones_are_of_the_same_prompts(lines):
    assert [path.stem for path in answer_files()] == [RECORDED]
    hashes = [line["prompt"] for line in lines]
    assert len(set(hashes)) == len(hashes) == 4708
    again = [json.loads(line) for line in (ANSWERS / "again.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["prompt"] for line in again} <= set(hashes) and {line["run"] for line in again} == {2, 3}
    assert not any(line["set"].startswith("not codable") for line in again), "their first answers were thrown away"


def test_the_answers_are_of_the_form_that_was_asked_for(lines):
    outcomes = Counter()
    for line in lines:
        assert (line["content"].strip() and line["prompt_tokens"] > line["completion_tokens"] > 0) or line[
            "set"
        ] == "nothing to read"
        if line["set"] != "nothing to read":
            outcomes[parse_answer(line["content"], []).outcome] += 1
    assert set(outcomes) <= {NOT_CODABLE, "not a candidate"}, "without candidates every code is outside of them"


def test_the_wrong_answers_that_chapter_5_speaks_of_are_thirteen(lines):
    split = split_labels(read_labels())
    truth = split.y_test[draw(split.X_test, 500, 7)[:200]]
    naive = {line["number"]: re.findall(r"\b\d\d\.\d\d\b", line["content"]) for line in lines if line["set"] == "nothing to read"}
    wrong = sum(code not in naive[number] for number, code in enumerate(truth))
    prose = find_chapter("5").read_text(encoding="utf-8")
    assert wrong == 13 and len(naive) == 200
    assert "Thirteen in 200 would be 65,000" in prose and "of the thirteen wrong answers" in prose


def test_a_rival_excludes_the_right_class_by_name():
    notes = {"10.71": {"excludes": None}, "47.24": {"excludes": "- bakers (10.71)"}, "56.11": {"excludes": "- bars (56.30)"}}
    assert excluded_rival(notes, "10.71", ["47.24", "10.71"])
    assert not excluded_rival(notes, "10.71", ["47.24", "56.11"]), "the right class is no candidate"
    assert not excluded_rival(notes, "10.71", ["10.71", "56.11"])
