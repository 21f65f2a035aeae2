"""Rows of a made-up run, with every kind of outcome that a generator can have: checks try a learner's functions on them.

The stand-in answers nearly every request, so on its rows a wrong denominator (a failure left out, an answer without a code taken
for right) gives the same figure as the right one. On these it does not.
"""

import polars as pl

from funathon.rag.asking import COLUMNS, FAILED

_KINDS = [
    # right code, candidates, code of the answer, confidence, outcome
    ("10.71", ["10.71", "47.24", "10.72", "56.11", "10.61"], "10.71", 0.92, "coded"),
    ("10.71", ["47.24", "10.72", "56.11", "10.71", "10.61"], "10.71", 0.61, "coded"),
    ("47.24", ["10.71", "47.24", "10.72", "56.11", "10.61"], "10.71", 0.83, "coded"),
    ("10.72", ["10.71", "47.24", "10.72", "56.11", "10.61"], "10.71", 0.34, "coded"),
    ("56.11", ["56.11", "56.12", "56.21", "56.22", "56.30"], None, 0.97, "not codable"),
    ("96.21", ["96.22", "96.21", "96.23", "96.10", "96.30"], None, None, FAILED),
    ("96.22", ["96.21", "96.22", "96.23", "96.10", "96.30"], None, None, "no JSON"),
    ("01.11", ["01.12", "01.13", "01.14", "10.61", "46.21"], "01.12", 0.47, "coded"),
    ("62.10", ["58.29", "62.20", "63.10", "95.10", "26.20"], None, 0.2, "not codable"),
    ("49.41", ["52.10", "53.20", "77.12", "95.31", "52.25"], None, None, FAILED),
    ("86.21", ["86.21", "86.22", "86.23", "86.10", "86.91"], "86.21", None, "coded"),
    ("86.22", ["86.22", "86.21", "86.23", "86.10", "86.91"], "86.22", 0.73, "coded"),
]


def made_up_rows() -> tuple[pl.DataFrame, list[list[str]]]:
    """Twelve rows with the columns `label`, `code`, `coded` and those of an answer, and the five candidates of each."""
    rows = pl.DataFrame(
        [
            {"label": f"a made-up label, {number}", "code": right, "coded": coded, "confidence": confidence, "outcome": outcome}
            | {"detail": "", "seconds": 0.1, "tokens_in": 900, "tokens_out": 20}
            for number, (right, _, coded, confidence, outcome) in enumerate(_KINDS)
        ]
    )
    assert set(COLUMNS) - {"code"} <= set(rows.columns)
    return rows, [candidates for _, candidates, *_ in _KINDS]
