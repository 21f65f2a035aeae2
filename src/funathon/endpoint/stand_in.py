"""The offline stand-in for a chat model: no language model, but a ranker of the candidates it finds in a prompt.

It lets the chapters on retrieval-augmented generation run without any account. Given a prompt with a text to code and
candidate classes, it ranks the candidates by how well their notes fit the text and answers in the JSON that was asked for.
To any other prompt it answers what it is. It reads nothing but the prompt: it does not know the true codes, cannot name a
code that is not among the candidates, and does not follow instructions.

The ranker is a conditional logit (McFadden 1974): a candidate's score is a weighted sum of its features, and the softmax of
the scores says how likely each is. `funathon.rag.stand_in_training` fits it on the training and the validation set of the labels;
what comes of it lies in `stand_in.json` and `stand_in.npy`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from funathon.endpoint.passages import Passages, rarities, terms_of
from funathon.endpoint.prompt_reading import Candidate, read_prompt
from funathon.endpoint.schema_filling import fill_schema

DESCRIPTION = (
    "No language model: an offline stand-in that ranks the candidate classes found in the prompt, by embedding similarity, word "
    "overlap and, if there are examples, their words and the order of the candidates, and answers in the requested JSON with a confidence. It cannot write, reason or follow instructions."
)
FITTED = Path(__file__).with_name("stand_in.json")
MOST_LEAD = 10.0


# Features

FEATURES = (
    "best line",
    "adapted mean",
    "words in notes",
    "letters in best line",
    "letters in best example",
    "words in examples",
    "place",
)


def features(activity: str, candidates: Sequence[Candidate], passages: Passages, matrix: np.ndarray) -> np.ndarray:
    """What the ranker knows of each candidate: array of shape (candidates, len(FEATURES)).

    Similarities are cosines between the activity's embedding q and those of the lines of a candidate's notes (as
    "title: line"). The adapted mean is the similarity of q + qA to the mean over the lines, where A, the `matrix` of shape
    (dimensions, dimensions), has been fitted so that labels come near the notes of their class. Overlaps are shares of the
    activity's words, or groups of four letters, weighed by rarity. The place is -ln r for the candidate named at place r of
    the prompt: whoever searched for candidates names the likeliest first. On the validation set it made no difference to look
    at what a candidate excludes, and at the embeddings of the examples beside their words and letters.
    """
    notes = [[c.title or c.code] + [f"{c.title}: {line}" for line in c.includes] for c in candidates]
    known = passages.read([activity, *(line for lines in notes for line in lines)])
    label = known[activity]
    adapted = label.vector + label.vector @ matrix
    words, letters = rarities()
    rows = []
    for place, (candidate, lines) in enumerate(zip(candidates, notes), 1):
        own = [known[text] for text in lines]
        examples = [terms_of(text) for text in candidate.examples]
        vectors = np.array([passage.vector for passage in own])
        mean = vectors.mean(axis=0)
        rows.append(
            (
                (vectors @ label.vector).max(),
                mean @ adapted / np.linalg.norm(mean),
                words.overlap(label.stems, set().union(*(passage.stems for passage in own))),
                max(letters.overlap(label.grams, passage.grams) for passage in own),
                max((letters.overlap(label.grams, grams) for _, grams in examples), default=0.0),
                words.overlap(label.stems, set().union(*(stems for stems, _ in examples))),
                -math.log(place),
            )
        )
    return np.array(rows)


# Ranking


@dataclass(frozen=True)
class Ranking:
    """The candidates from best to worst, and how likely the first is right: 0 to 1.

    `codable` is false when not even the nearest line of the candidates has anything to do with the text.
    """

    candidates: list[Candidate]
    confidence: float
    codable: bool


@cache
def fitted() -> dict:
    """What `funathon.rag.stand_in_training` has fitted, but for the adaptation."""
    return json.loads(FITTED.read_text(encoding="utf-8"))


@cache
def adaptation() -> np.ndarray:
    """The matrix A of `features`, float32 of shape (dimensions, dimensions)."""
    return np.load(FITTED.with_suffix(".npy")).astype(np.float32)


def load() -> None:
    """Read all that ranking needs, so that the first prompt takes no longer than the next."""
    fitted(), adaptation(), rarities()


def rank(activity: str, candidates: Sequence[Candidate], passages: Passages) -> Ranking:
    """Rank the candidates of an activity."""
    table = features(activity, candidates, passages, adaptation())
    with_examples = any(candidate.examples for candidate in candidates)
    chosen = fitted()["with examples" if with_examples else "without examples"]
    scores = table @ np.array(chosen["weights"])
    constant, of_lead, of_support = chosen["calibration"]
    log_odds = constant + of_lead * lead(scores) + of_support * support(table)
    order = np.argsort(-scores, kind="stable")
    return Ranking(
        [candidates[i] for i in order],
        float(1 / (1 + np.exp(-log_odds))),
        bool(support(table) >= fitted()["codable from"]),
    )


def lead(scores: np.ndarray) -> np.ndarray:
    """Log odds of the best candidate against all others under the softmax of the scores, MOST_LEAD at most: array of shape
    (…) from scores of shape (…, candidates). A lone candidate leads by MOST_LEAD."""
    ordered = np.sort(scores, axis=-1)
    if ordered.shape[-1] == 1:
        return np.full(ordered.shape[:-1], MOST_LEAD)
    return np.minimum(ordered[..., -1] - np.logaddexp.reduce(ordered[..., :-1], axis=-1), MOST_LEAD)


def support(table: np.ndarray) -> np.ndarray:
    """How much any candidate has to do with the activity at most, similarity and shared letters added up: array of shape
    (…), 2 at most, from features of shape (…, candidates, features)."""
    column = FEATURES.index
    letters = np.maximum(table[..., column("letters in best line")], table[..., column("letters in best example")])
    return (table[..., column("best line")] + letters).max(axis=-1)


# Answering


def answer(messages: Sequence[tuple[str, str]], response_format: dict | None, passages: Passages) -> str:
    """What the stand-in says to a conversation of (role, text) pairs, given OpenAI's `response_format`."""
    activity, candidates = read_prompt(messages)
    kind = (response_format or {"type": "text"})["type"]
    if activity and candidates:
        known = findings(rank(activity, candidates, passages))
    elif kind == "text":
        return DESCRIPTION
    else:
        known = {"codable": False, "code": None, "confidence": 0.0, "title": None, "explanation": DESCRIPTION, "nearest": ""}
    if kind == "json_schema":
        return json.dumps(fill_schema(response_format["json_schema"]["schema"], known))
    shown = ["codable", "code", "confidence"] if candidates and activity else ["codable", "code", "confidence", "explanation"]
    return json.dumps({name: known[name] for name in shown})


def findings(ranking: Ranking) -> dict:
    """What can be said about a ranking, by the kind of field that asks for it (see `funathon.endpoint.schema_filling`)."""
    best, n = ranking.candidates[0], len(ranking.candidates)
    found = f"{best.code} {best.title} fits best of {n} candidates, by meaning and words"
    nothing = f"none of {n} candidates has a title, note or example near the text"
    return {
        "codable": ranking.codable,
        "code": best.code if ranking.codable else None,
        "confidence": round(ranking.confidence, 3),
        "title": best.title if ranking.codable else None,
        "explanation": f"Offline stand-in, no language model: {found if ranking.codable else nothing}.",
        "nearest": best.code,
    }
