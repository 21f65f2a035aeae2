"""Texts without a class: their files, and sentences around a text."""

import random

from hypothesis import given
from hypothesis import strategies as st

from funathon.corpus.labels import fold, read_labels
from funathon.corpus.not_codable import among_sentences, read_form_sentences, read_not_codable
from funathon.paths import DESCRIPTIONS, ENTRIES, FIELD_TEST, NOT_CODABLE, NOT_CODABLE_LABELS

LEAST = 20
"""Texts of each kind."""


def test_what_looks_like_a_missing_value_or_a_quotation_is_a_text(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('kind\ttext\ngibberish\tn/a\ngibberish\tNaN\ngoods\tpipe 3"\nname\t"Orion\n')
    assert read_not_codable(path)["text"].to_list() == ["n/a", "NaN", 'pipe 3"', '"Orion']


def test_both_files_have_all_kinds_and_no_text_in_common():
    test, learnt = read_not_codable(NOT_CODABLE), read_not_codable(NOT_CODABLE_LABELS)
    assert len(test) >= 500 and len(learnt) >= 500
    for table in (test, learnt):
        counts = table["kind"].value_counts()
        assert len(counts) == 11 and counts["count"].min() >= LEAST
        assert table["text"].str.strip_chars().str.len_chars().min() > 0
    folded = [{fold(text) for text in table["text"]} for table in (test, learnt)]
    assert not folded[0] & folded[1]
    assert not folded[0] & {fold(sentence) for sentence in read_form_sentences()}


def test_no_text_has_a_class_in_one_file_and_none_in_another():
    without = {fold(text) for path in (NOT_CODABLE, NOT_CODABLE_LABELS) for text in read_not_codable(path)["text"]}
    for path in (None, FIELD_TEST, ENTRIES, DESCRIPTIONS):
        shared = {text for text in read_labels(path and str(path))["label"] if fold(text) in without}
        assert not shared, path


def test_form_sentences_are_many_and_different():
    sentences = read_form_sentences()
    assert len(sentences) >= 300 and len({fold(sentence) for sentence in sentences}) == len(sentences)


@given(st.text("§¶", min_size=1), st.integers())
def test_a_text_stands_whole_among_its_sentences(text, seed):
    sentences = ["We are proud.", "Since 1990", "Ask us!"]
    found = among_sentences(text, sentences, random.Random(seed))
    before, _, after = found.partition(text)
    rest = (before + after).replace("Since 1990.", "").replace("We are proud.", "").replace("Ask us!", "")
    assert text in found and not rest.strip(" .")
