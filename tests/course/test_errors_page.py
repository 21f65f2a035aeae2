import json
import re
from collections import Counter

import polars as pl
import pytest

from funathon.corpus.nomenclature import class_codes
from funathon.course.building import markdown_notebook
from funathon.course.error_kinds import KINDS
from funathon.course.errors_page import (
    ERRORS,
    EXAMPLES,
    ORIGIN,
    WrongAnswer,
    errors_page,
    examples,
    of_today,
    read_errors,
)
from funathon.course.results import HARD_FIRST, cell_text
from funathon.measures import share
from funathon.paths import DESCRIPTIONS, ENTRIES, FIELD_TEST
from funathon.supervised.review import REVIEW_BELOW

ROWS = read_errors()
COUNTS = json.loads(ORIGIN.read_text(encoding="utf-8"))
PAGE = errors_page()
TESTS = dict(zip(HARD_FIRST, (DESCRIPTIONS, ENTRIES, FIELD_TEST)))


@pytest.mark.parametrize("test", HARD_FIRST)
def test_every_row_is_a_text_of_its_test_with_that_right_code(test):
    table = pl.read_parquet(TESTS[test])
    texts = set(table.select("code", "label").iter_rows())
    rows = [row for row in ROWS if row.test == test]
    assert len(rows) == len({row.text for row in rows}) == 80
    assert all((row.code, row.text) in texts for row in rows)
    assert COUNTS["tests"][test]["texts"] == len(table) and 80 <= COUNTS["tests"][test]["wrong"] < len(table)


def test_no_row_is_of_another_test():
    assert {row.test for row in ROWS} == set(HARD_FIRST) == set(COUNTS["tests"])


def test_codes_are_classes_and_answers_are_wrong():
    assert {code for row in ROWS for code in (row.code, row.predicted, row.second, row.third)} <= class_codes()
    assert all(row.predicted != row.code and len({row.predicted, row.second, row.third}) == 3 for row in ROWS)
    assert all(0 < row.confidence <= 1 for row in ROWS)


def test_kinds_are_the_known_ones_and_all_are_used():
    assert {row.kind for row in ROWS} == {kind.name for kind in KINDS}
    assert 6 <= len(KINDS) <= 10


def test_the_file_is_read_as_it_stands():
    lines = ERRORS.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t")[:6] == ["test", "code", "predicted", "confidence", "kind", "text"]
    assert [line.split("\t")[5] for line in lines[1:]] == [row.text for row in ROWS]


def test_the_answers_are_those_of_the_model_of_today():
    assert of_today(COUNTS), "the pretrained model has changed: read wrong answers of the new one, or leave the page to say so"
    assert "another model" not in PAGE


def test_the_page_says_so_when_the_model_has_changed():
    page = errors_page(origin=COUNTS | {"manifest_sha256": "0" * 64})
    assert page.index("These are the answers of another model") < page.index("| wrong answers in the test")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_has_each_kind_with_its_count_and_its_shares(kind):
    rows = [row for row in ROWS if row.kind == kind.name]
    section = PAGE.split(f"\n## {kind.name.capitalize()}\n")[1].split("\n## ")[0]
    assert f"**{len(rows)} of {len(ROWS)}.**" in section
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| [{kind.name}](#{kind.anchor})"))
    cells = line.strip("| ").replace("\N{NO-BREAK SPACE}", " ").split(" | ")[1:]
    for test, cell in zip(HARD_FIRST, cells):
        flags = [row.kind == kind.name for row in ROWS if row.test == test]
        assert cell == f"{sum(flags)}: {share(flags)}"
    assert cells[-1] == str(len(rows))
    assert 3 <= section.count("\n- “") <= 5
    assert "Where it comes from" in section and "What helps" in section


def test_the_figures_of_all_kinds_stand_first():
    assert sum(row.code in (row.second, row.third) for row in ROWS) == last_cell("the right class is second or third")
    assert sum(row.confidence < REVIEW_BELOW for row in ROWS) == last_cell(f"confidence below {REVIEW_BELOW}: for review")
    assert PAGE.index("second or third") < PAGE.index("## ")


def last_cell(name: str) -> int:
    return int(re.search(rf"^\| {re.escape(name)} \|.* (\d+) \|$", PAGE, flags=re.MULTILINE)[1])


def test_the_page_says_who_read_and_that_the_tests_are_synthetic():
    assert "**One reader** gave the kinds, a language model" in PAGE and "**The texts are synthetic.**" in PAGE


def answer(test: str, text: str, remark: str = "why") -> WrongAnswer:
    return WrongAnswer(test, "01.11", "01.12", 0.4, "scene", text, "01.13", "01.14", remark)


def test_examples_come_from_each_test_in_turn_the_shortest_first():
    rows = [answer("entries", "bbb"), answer("entries", "a"), answer("field test", "cc"), answer("entries", "", remark="")]
    assert [row.text for row in examples(rows)] == ["a", "cc", "bbb"]
    assert len(examples(rows * 3)) == EXAMPLES


def test_an_example_shows_both_classes_and_is_not_read_as_markdown():
    kinds = Counter(row.kind for row in ROWS)
    odd = answer("entries", "a *b* [c]")
    page = errors_page([*ROWS, odd])
    assert "“" + cell_text(odd.text) + "” (entries)" in page
    assert (
        "Right: **01.11 Growing of cereals, other than rice" in page
        and "Answered: 01.12 Growing of rice, confidence 0.40." in page
    )
    assert f"**{kinds['scene'] + 1} of {len(ROWS) + 1}.**" in page


def test_the_preview_can_show_the_page():
    node = markdown_notebook(PAGE, {})
    assert node.cells[0].source.startswith("# What the model gets wrong")
