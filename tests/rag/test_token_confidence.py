"""The probability of a code is that of its tokens, however they split it, and None wherever it is not known."""

import math

import pytest
from openai.types.chat.chat_completion import Choice

from funathon.rag.token_confidence import code_probability


def choice_of(*tokens: tuple[str, float]) -> Choice:
    """A choice whose answer was written in these tokens with these probabilities."""
    content = [{"token": token, "logprob": math.log(p), "top_logprobs": []} for token, p in tokens]
    message = {"role": "assistant", "content": "".join(token for token, _ in tokens)}
    return Choice.model_validate({"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": content}})


BEFORE = [('{"', 0.9), ("cod", 0.9), ('able":', 0.8), (" true", 0.7), (', "code": ', 0.6)]
AFTER = [(', "confidence":', 0.5), (" 0.", 0.5), ("95", 0.1), ("}", 0.5)]


@pytest.mark.parametrize(
    "tokens, expected",
    [
        ([('"', 1.0), ("10.71", 0.8), ('"', 1.0)], 0.8),
        ([('"', 0.5), ("10", 0.9), (".", 1.0), ("71", 0.5), ('"', 0.5)], 0.45),
        # a quote in the token of the first or the last digits
        ([('"1', 0.9), ("0.", 0.9), ("7", 0.9), ('1"', 0.5)], 0.9**3 * 0.5),
        ([('"10.71"', 0.25)], 0.25),
        # a code without quotes, which is repaired elsewhere
        ([("10", 0.5), (".71", 0.5)], 0.25),
    ],
)
def test_the_tokens_of_the_code_count_and_no_others(tokens, expected):
    assert code_probability(choice_of(*BEFORE, *tokens, *AFTER)) == pytest.approx(expected)


def test_the_last_of_several_codes_counts():
    first = [('"code": "', 1.0), ("47.24", 0.3), ('"', 1.0)]
    last = [('\n"code": "', 1.0), ("10.71", 0.6), ('"', 1.0)]
    assert code_probability(choice_of(*first, *last)) == pytest.approx(0.6)


def test_an_answer_without_a_code_has_none():
    assert code_probability(choice_of(*BEFORE, ("null", 0.9), *AFTER)) is None
    assert code_probability(choice_of(("I", 0.9), (" cannot", 0.9), (" say", 0.9))) is None


@pytest.mark.parametrize("logprobs", [None, {"content": None}, {"content": []}, {"content": None, "refusal": []}])
def test_an_endpoint_without_probabilities_gives_none(logprobs):
    message = {"role": "assistant", "content": '{"codable": true, "code": "10.71", "confidence": 0.9}'}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs}
    assert code_probability(Choice.model_validate(choice)) is None


def test_a_gap_in_the_code_gives_none():
    choice = choice_of(*BEFORE, ('"', 1.0), ("10", 0.9), (".71", 0.9), ('"', 1.0), *AFTER)
    choice.logprobs.content[7].logprob = float("nan")
    assert code_probability(choice) is None


def test_a_probability_is_at_most_one():
    choice = choice_of(('"code": "', 1.0), ("10.71", 1.0), ('"', 1.0))
    choice.logprobs.content[1].logprob = 1e-6
    assert code_probability(choice) == 1.0
