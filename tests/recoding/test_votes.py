"""Votes among annotators, on shares that somebody made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funathon.recoding.votes import cascade, choices, cohen_kappa, fleiss_kappa, log_odds, weighted_vote

shares_of_texts = st.integers(1, 5).flatmap(
    lambda texts: st.lists(
        st.lists(
            st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda row: np.array(row) / sum(row)),
            min_size=texts,
            max_size=texts,
        ),
        min_size=1,
        max_size=5,
    )
)


@given(shares_of_texts)
def test_a_vote_goes_to_a_candidate_that_somebody_chose_and_its_agreement_is_the_share_of_its_voters(said):
    shares = {f"a{number}": row for number, row in enumerate(said)}
    votes = weighted_vote(shares, dict.fromkeys(shares, 1.0))
    for text, vote in enumerate(votes):
        chosen = [int(row[text].argmax()) for row in said]
        assert vote.place in chosen
        assert vote.agreement == pytest.approx(chosen.count(vote.place) / len(said))
        assert chosen.count(vote.place) == max(map(chosen.count, chosen))
        assert 0 < vote.confidence <= 1


@given(shares_of_texts)
def test_one_with_more_weight_than_all_others_decides(said):
    shares = {f"a{number}": row for number, row in enumerate(said)}
    weights = dict.fromkeys(shares, 0.1) | {"a0": 1.0}
    assert [vote.place for vote in weighted_vote(shares, weights)] == choices(said[0]).tolist()


def test_a_tie_goes_to_the_more_confident():
    shares = {"a": [np.array([0.6, 0.4])], "b": [np.array([0.1, 0.9])]}
    assert weighted_vote(shares, {"a": 1, "b": 1})[0].place == 1


def test_a_cascade_asks_the_next_where_one_is_unsure():
    shares = {"a": [np.array([0.9, 0.1]), np.array([0.6, 0.4])], "b": [np.array([0.2, 0.8]), np.array([0.2, 0.8])]}
    assert cascade(shares, ["a", "b"], 0.8).tolist() == [0, 1]
    assert cascade(shares, ["a", "b"], 0.95).tolist() == [1, 1]


def test_weights_are_log_odds_and_never_negative():
    assert log_odds(np.array([True] * 9 + [False])) == pytest.approx(np.log(10 / 2))
    assert log_odds(np.array([False] * 9)) == 0.0


def test_kappa_is_one_for_the_same_codes_and_that_of_fleiss_for_his_own_example():
    same = ["a", "b", "a", "c"]
    assert fleiss_kappa([same, same, same]) == pytest.approx(1) == cohen_kappa(same, same)
    assert fleiss_kappa([["a"] * 3, ["a"] * 3]) == 1.0
    # ten subjects, fourteen raters, five categories: the table of Fleiss's worked example, kappa .210
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    by_subject = [[category for category, n in enumerate(row) for _ in range(n)] for row in table]
    assert fleiss_kappa([list(row) for row in zip(*by_subject)]) == pytest.approx(0.210, abs=0.001)
