"""A confidence that a language model computes, where its endpoint gives the probabilities of the tokens of an answer."""

import math
import re

from openai.types.chat.chat_completion import Choice

WRITTEN_CODE = re.compile(r"""["']code["']\s*:\s*["']?(?P<code>[0-9][0-9.]*)""", re.IGNORECASE)
"""A code in an answer, as `funathon.rag.prompts` asks for it; null is none."""


def code_probability(choice: Choice) -> float | None:
    """The probability with which the model wrote the code of its answer, token by token, asked for with `logprobs=True`.

    It is the product of the probabilities of all tokens that hold a part of the code, given all that the model had written
    before: `"codable": true`, if that stands first, is not in it. Of several codes in an answer the last counts, as a model
    that thinks aloud comes to it at the end.

    None where the endpoint gives no probabilities, or none for every token of the code, and where the answer has no code.
    """
    tokens = choice.logprobs.content if choice.logprobs else None
    if not tokens:
        return None
    written = list(WRITTEN_CODE.finditer("".join(token.token for token in tokens)))
    if not written:
        return None
    start, end = written[-1].span("code")
    total, position = 0.0, 0
    for token in tokens:
        # a token can hold only a part of the code, or a quote besides
        if position < end and position + len(token.token) > start:
            if token.logprob is None or math.isnan(token.logprob):
                return None
            total += token.logprob
        position += len(token.token)
    # rounding of an endpoint can leave it a little above 1
    return min(math.exp(total), 1.0)
