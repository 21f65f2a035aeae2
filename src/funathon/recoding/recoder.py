"""Recoding the rows of a register: by the table where an old code has one successor, by annotators where it has several."""

from collections.abc import Mapping, Sequence

import polars as pl

from funathon.corpus.blanks import why_blank
from funathon.recoding.annotators import Annotator
from funathon.recoding.votes import weighted_vote
from funathon.supervised.columns import REVIEW

SCHEMA = {
    "code": pl.String,
    "title": pl.String,
    "method": pl.String,
    "candidates": pl.String,
    "votes": pl.String,
    "agreement": pl.Float64,
    "confidence": pl.Float64,
    "reason": pl.String,
    REVIEW: pl.Boolean,
}
"""The columns that are added to a register, and their types."""

TABLE, ANNOTATED = "table", "annotators"
NO_OLD_CODE, UNKNOWN_OLD_CODE, LOST = (
    "no old code",
    "the old code is no class of the old nomenclature",
    "no class succeeds the old one",
)
SEVERAL = "the old code has several successors"


class Recoder:
    """A `supervised.coding.Labeller` that reads structs of a `label` and an `old` code."""

    def __init__(
        self,
        successors: Mapping[str, Sequence[str]],
        titles: Mapping[str, str],
        annotators: Sequence[Annotator],
        weights: Mapping[str, float],
    ) -> None:
        """`successors` of each class of the old nomenclature, `titles` of those of the new one. Without annotators only the table decides.
        `weights` has the weight of each annotator's vote by its name."""
        self._successors, self._titles = successors, titles
        self._annotators, self._weights = annotators, weights

    def table(self, labels: pl.Series) -> pl.DataFrame:
        """What becomes of each row: the columns of SCHEMA but `review`.

        A row whose old code has one successor gets that, with the confidence 1: nothing was asked. One with several, and a text, gets the
        annotators' vote; without a text, or without annotators, it gets no code and a `reason`, but its candidates.
        """
        old = labels.struct.field("old").str.strip_chars().to_list()
        texts = labels.struct.field("label").to_list()
        blank = pl.select(label=labels.struct.field("label")).select(why=why_blank(pl.col("label")))["why"].to_list()
        candidates = [tuple(self._successors.get(code or "", ())) for code in old]
        rows: list[tuple | None] = [
            self._without_annotators(code, choices, why) for code, choices, why in zip(old, candidates, blank)
        ]
        asked = [place for place, row in enumerate(rows) if row is None]
        if asked:
            for place, row in zip(asked, self._annotated(*([each[i] for i in asked] for each in (texts, old, candidates)))):
                rows[place] = row
        return pl.DataFrame(rows, schema={name: kind for name, kind in SCHEMA.items() if name != REVIEW}, orient="row")

    def _without_annotators(self, old: str | None, choices: Sequence[str], blank: str | None) -> tuple | None:
        """The row of one for which nobody has to be asked, else None."""
        if len(choices) == 1:
            return self._row(choices[0], TABLE, choices, None, None, 1.0, None)
        if not choices:
            known = NO_OLD_CODE if not old else LOST if old in self._successors else UNKNOWN_OLD_CODE
            return self._row(None, None, (), None, None, None, known)
        if blank or not self._annotators:
            return self._row(None, None, choices, None, None, None, f"{SEVERAL}, and {blank}" if blank else SEVERAL)
        return None

    def _annotated(self, texts: list[str], old: list[str], candidates: list[tuple[str, ...]]) -> list[tuple]:
        shares = {each.name: each.shares(texts, old, candidates) for each in self._annotators}
        rows = []
        for place, vote in enumerate(weighted_vote(shares, self._weights)):
            choices = candidates[place]
            chosen = {name: choices[int(said[place].argmax())] for name, said in shares.items()}
            votes = "; ".join(f"{name}: {code}" for name, code in chosen.items())
            rows.append(self._row(choices[vote.place], ANNOTATED, choices, votes, vote.agreement, vote.confidence, None))
        return rows

    def _row(self, code, method, candidates, votes, agreement, confidence, reason) -> tuple:
        shown = " ".join(candidates) or None
        return code, self._titles.get(code), method, shown, votes, agreement, confidence, reason
