import numpy as np
import polars as pl

from funathon.corpus.nomenclature import read_nomenclature
from funathon.rag.retrieval import (
    Document,
    WordIndex,
    class_documents,
    class_passages,
    class_readings,
    codes_of,
    points,
    reciprocal_rank_fusion,
    with_examples,
)

BREAD = {"level": 4, "code": "10.71", "heading": "Bread", "includes": "- loaves\n- fresh cakes\n", "includes_also": None}


def nomenclature(**fields) -> pl.DataFrame:
    return pl.DataFrame(
        [BREAD | {"excludes": "- biscuits (10.72)"} | fields, BREAD | {"level": 3, "code": "10.7", "excludes": ""}]
    )


def test_points_of_a_note():
    assert points("- loaves\n-  fresh - or frozen - cakes\n\n - \nalso a line without dash") == [
        "loaves",
        "fresh - or frozen - cakes",
        "also a line without dash",
    ]
    assert points(None) == []


def test_a_class_is_one_text_and_groups_are_none():
    assert class_documents(nomenclature()) == [Document("10.71", "Bread. loaves. fresh cakes")]
    assert class_documents(nomenclature(includes_also="- pies")) == [Document("10.71", "Bread. loaves. fresh cakes. pies")]


def test_passages_carry_their_heading_and_leave_exclusions_out():
    assert [passage.text for passage in class_passages(nomenclature(includes_also="- pies"))] == [
        "Bread",
        "Bread: loaves",
        "Bread: fresh cakes",
        "Bread: pies",
    ]


def test_every_class_of_the_nomenclature_has_a_document_and_passages():
    table = read_nomenclature()
    classes = table.filter(level=4)["code"].to_list()
    assert [document.code for document in class_documents(table)] == classes
    assert codes_of(class_passages(table)) == classes


def test_examples_are_added_to_their_class():
    documents = [Document("10.71", "Bread"), Document("10.72", "Biscuits")]
    added = with_examples(documents, [Document("10.72", "rusks"), Document("10.72", "crackers"), Document("99.99", "?")])
    assert added == [Document("10.71", "Bread"), Document("10.72", "Biscuits\nrusks\ncrackers")]


def test_words_are_found_whatever_their_ending():
    index = WordIndex(
        [Document("10.71", "baking of bread"), Document("45.20", "repairing cars"), Document("47.24", "bakery shop")]
    )
    assert codes_of(index.search("car repairs", 5)) == ["45.20"]
    assert codes_of(index.search("BAKED goods", 5)) == ["10.71"]
    assert index.search("the of !", 5) == [] and index.search("", 5) == []
    assert len(index.search("bread shop for cars", 2)) == 2


def test_word_scores_have_a_row_a_text():
    index = WordIndex([Document("10.71", "baking of bread"), Document("45.20", "repairing cars")])
    scores = index.scores(["bread", "", "cars"])
    assert scores.shape == (3, 2)
    assert (scores > 0).tolist() == [[True, False], [False, False], [False, True]]
    assert index.scores([]).shape == (0, 2)


def test_a_class_stands_where_its_best_document_stands():
    assert codes_of([Document("b", "1"), Document("a", "2"), Document("b", "3")]) == ["b", "a"]


def test_fusion_of_a_case_worked_by_hand():
    # a: 1/11 + 1/13; b: 1/12 + 1/11; c: 1/12
    assert reciprocal_rank_fusion([["a", "b"], ["b", "c", "a"]]) == ["b", "a", "c"]
    # being second twice is better than being first once
    assert reciprocal_rank_fusion([["a", "b"], ["c", "b"]])[0] == "b"


def test_fusion_prefers_what_two_searches_agree_on():
    rng = np.random.default_rng(0)
    codes = [f"{i:02}" for i in range(40)]
    lists = [["07", *rng.permutation([code for code in codes if code != "07"])] for _ in range(3)]
    assert reciprocal_rank_fusion(lists)[0] == "07"


def test_readings_give_each_point_with_and_without_heading():
    assert [reading.text for reading in class_readings(nomenclature())] == [
        "Bread: loaves",
        "Bread: fresh cakes",
        "loaves",
        "fresh cakes",
    ]
    assert class_readings(nomenclature(includes=None)) == [Document("10.71", "Bread")]


def test_an_index_is_built_without_a_word(caplog):
    WordIndex([Document("10.71", "baking of bread")]).scores(["bread"])
    assert not caplog.records
