"""Other forms of a text: its own words are in each, a side activity is one of another division, and what cannot take one gets none."""

import random

from hypothesis import given
from hypothesis import strategies as st

from funathon.corpus import varying
from funathon.corpus.varying import Varying, is_plain
from funathon.paths import SIDE_ACTIVITIES

TEXTS = {"bakery": "10.71", "tea room": "56.30", "we mend shoes, bags and belts of all kinds.": "95.23", "oat flakes": "10.61"}


def test_each_pattern_has_one_main_and_one_side_activity():
    patterns = SIDE_ACTIVITIES.read_text(encoding="utf-8").splitlines()
    assert len(patterns) > 50 and len(set(patterns)) == len(patterns)
    assert all(pattern.count("{main}") == pattern.count("{side}") == 1 for pattern in patterns)


@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 10**6))
def test_a_form_has_the_words_of_the_text_and_sides_only_of_other_divisions(text, seed):
    form = Varying(list(TEXTS), list(TEXTS.values()))(text, random.Random(seed))
    assert text in form
    others = [other for other in TEXTS if other != text and other in form]
    assert all(TEXTS[other][:2] != TEXTS[text][:2] for other in others)
    assert len(others) <= (1 if is_plain(text, varying.MOST_WORDS_OF_MAIN) else 0)


def test_a_share_of_the_short_texts_gets_one():
    vary = Varying(list(TEXTS), list(TEXTS.values()))
    chooser = random.Random(0)
    with_side = sum("tea room" in vary("bakery", chooser) for _ in range(4000)) / 4000
    assert 0.03 < with_side < varying.SHARE


def test_braces_in_a_text_stay():
    text = "{side} {main} 5"
    assert all(text in Varying([text, "bakery"], ["01.11", "10.71"])(text, random.Random(seed)) for seed in range(50))
