import numpy as np
import pytest

from funathon.measures import accuracy_at, automatic, calibration_error, codes_at, macro_f1, ranked, share, threshold_for

CLASSES = np.array(["01.11", "01.12", "10.71"])


def test_wilson_interval_of_a_textbook_case():
    # 10 of 100, as in Newcombe 1998 (Statistics in Medicine 17), method 3
    found = share(np.arange(100) < 10)
    assert found.value == pytest.approx(0.1)
    assert (found.low, found.high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))


def test_ranked_puts_the_likeliest_first():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    assert ranked(probabilities, CLASSES, 2).tolist() == [["01.12", "10.71"], ["10.71", "01.11"]]
    assert ranked(probabilities, CLASSES, 9).shape == (2, 3)


def test_accuracy_among_the_first_k():
    candidates = np.array([["01.12", "10.71"], ["10.71", "01.11"]])
    truth = np.array(["10.71", "10.71"])
    assert accuracy_at(candidates, truth, 1).value == 0.5
    assert accuracy_at(candidates, truth, 2).value == 1.0


def test_codes_at_every_level():
    codes = np.array([["01.11", "10.71"]])
    sections = {"01": "A", "10": "C"}
    assert [codes_at(level, codes, sections).tolist() for level in (1, 2, 3, 4)] == [
        [["A", "C"]],
        [["01", "10"]],
        [["01.1", "10.7"]],
        [["01.11", "10.71"]],
    ]


def test_macro_f1_counts_rare_classes_like_frequent_ones():
    truth = np.array(["a"] * 8 + ["b"] * 2)
    assert macro_f1(np.array(["a"] * 10), truth) == pytest.approx((2 * 0.8 / 1.8 + 0) / 2)


def test_calibration_error():
    assert calibration_error(np.full(10, 0.75), np.arange(10) < 5) == pytest.approx(0.25)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0


def test_a_threshold_for_a_precision():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    assert threshold_for(confidence, right, 0.75) == 0.6
    assert threshold_for(confidence, right, 0.9) == 0.8
    assert threshold_for(confidence, np.zeros(4, bool), 0.9) is None
    # equal confidences stand or fall together
    assert threshold_for(np.array([0.9, 0.9]), np.array([True, False]), 0.9) is None


def test_a_threshold_is_chosen_on_some_texts_and_measured_on_others():
    chosen = threshold_for(np.array([0.9, 0.8, 0.7]), np.array([True, True, False]), 1)
    found = automatic(np.array([0.95, 0.85, 0.8, 0.2]), np.array([True, False, True, True]), chosen)
    assert found.threshold == 0.8
    assert (found.coverage.value, found.coverage.n) == (0.75, 4)
    assert (found.precision.value, found.precision.n) == (2 / 3, 3)
    assert automatic(np.array([0.2]), np.array([True]), chosen).precision is None


def test_a_higher_threshold_can_have_a_lower_precision():
    confidence, right = np.array([0.9, 0.8, 0.7]), np.array([False, True, True])
    low, high = (automatic(confidence, right, threshold).precision.value for threshold in (0.7, 0.85))
    assert low > high == 0


def test_a_share_reads_alike_alone_and_in_a_dictionary():
    found = share(np.arange(100) < 10)
    assert str({"pipeline": found}) == "{'pipeline': 10.0% [5.5%, 17.4%]}"
