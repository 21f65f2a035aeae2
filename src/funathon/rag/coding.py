"""Coding a whole register by retrieval-augmented generation: `funathon rag code`.

First every text that differs from the others is asked for, and its answer kept in the folder of the run as soon as it is there; when
all have one, `supervised.coding` puts the codes beside the rows, as it does with those of the network. So an interruption loses the
requests that were under way, and no row is written before all can be.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
from rich.console import Console

from funathon.corpus.blanks import EMPTY, why_blank
from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.tables.table import GUESSED, Reading, Table
from funathon.errors import FunathonError
from funathon.rag import retrievers
from funathon.rag.answered import AnsweredTexts, key_of
from funathon.rag.answers import CODED, OUTCOMES
from funathon.rag.kept import content_hash, embedded_code
from funathon.rag.pipeline import code_batches, ready_retriever
from funathon.rag.prompts import candidate_block, isolated, make_messages
from funathon.rag.results import Result
from funathon.rag.vectors import BATCH
from funathon.settings import EMBEDDED, is_configured
from funathon.supervised import coding
from funathon.supervised.columns import REVIEW
from funathon.supervised.unfinished import ANSWERS, writing

NOT_ASKED = "not asked"
"""The outcome of a text that is blank; the others are those of `funathon.rag.answers`, and REFUSED."""
REFUSED = "refused"
"""The outcome of a text that the endpoint does not take, where it takes others: too long for it, or held back by a filter of content."""
REFUSALS = ("HTTP 400", "HTTP 413", "HTTP 422")
"""The ways in which a request fails that will fail again."""
REASONS = OUTCOMES | {REFUSED: "the endpoint refuses the text"}
SCHEMA = {
    "code": pl.String,
    "title": pl.String,
    "confidence": pl.Float64,
    "outcome": pl.String,
    "detail": pl.String,
    "candidates": pl.String,
    REVIEW: pl.Boolean,
    "reason": pl.String,
}
"""The columns that are added to a register, and their types."""


def code_register(
    source: str,
    out: str,
    reading: Reading = GUESSED,
    *,
    label: str = "label",
    retrieval: str = "best",
    k: int = 5,
    threshold: float,
    fresh: bool = False,
    console: Console,
) -> coding.Outcome:
    """Code the texts in the column `label` of `source` and write them with all columns, and those of SCHEMA, to `out`.

    `retrieval` is a key of `retrievers.RETRIEVERS`, `k` the number of candidates that the chat model chooses from. With `fresh` the
    answers of an earlier run are thrown away. Progress goes to `console`, and before anything is sent a line that says where texts go.

    Raises FunathonError as `supervised.coding.code_register` does; for a service that does not work; and when requests have failed,
    after all others were made: then nothing is written, and what was answered is kept.
    """
    nomenclature = read_nomenclature()
    coder = RagCoder(Path(out), nomenclature, retrieval, k, console)
    return coding.code_register(
        source,
        out,
        lambda: coder,
        state(nomenclature, retrieval, k),
        console,
        label=label,
        threshold=threshold,
        reading=reading,
        columns=SCHEMA,
        prepare=coder.ask_for_all,
        fresh=fresh,
    )


def state(nomenclature: pl.DataFrame, retrieval: str, k: int) -> dict:
    """What the answers depend on, beside the texts: endpoint, models, prompt, and what is searched."""
    blocks = [candidate_block(row) for row in nomenclature.filter(level=4).iter_rows(named=True)]
    if is_configured("LLMLAB_URL"):
        endpoint, models = os.environ["LLMLAB_URL"], [os.environ.get(name) for name in ("EMBEDDING_MODEL", "CHAT_MODEL")]
    else:
        # the embedded endpoint has another port each time, and keeps the names of its models when it gets better
        endpoint, models = embedded_code(), [EMBEDDED["EMBEDDING_MODEL"], EMBEDDED["CHAT_MODEL"]]
    found = {"method": "rag", "retrieval": retrieval, "k": k, "endpoint": endpoint, "models": models}
    found |= {"prompt": content_hash(make_messages("text", ["candidate"])), "notes": content_hash(blocks)}
    if retrieval == "best":
        learnt = read_labels(os.environ["LABELS_URL"], say=lambda line: None).select("code", "label").rows()
        found["searched"] = content_hash([learnt, retrievers.PASSAGES, retrievers.CLASSES, retrievers.EXAMPLES])
    return found


class RagCoder:
    """Asks for the texts of a register, and says afterwards what came of each: a `supervised.coding.Labeller`."""

    def __init__(self, out: Path, nomenclature: pl.DataFrame, retrieval: str, k: int, console: Console) -> None:
        """`out` is where the result will be, for messages; the others are as in `code_register`."""
        self._out, self._nomenclature, self._retrieval, self._k, self._console = out, nomenclature, retrieval, k, console
        self._titles = dict(nomenclature.filter(level=4).select("code", "heading").iter_rows())
        self._answered: AnsweredTexts | None = None

    def ask_for_all(self, folder: Path, table: Table, label: str) -> None:
        """Ask for each text in the column `label` that has no answer in `folder`, and keep its answer there.

        Raises FunathonError when a service does not work, when FAILURES_IN_A_ROW requests have failed after one another, and at the end
        when any has.
        """
        with writing(self._out):
            self._answered = answered = AnsweredTexts(folder / ANSWERS)
        missing, before = set(), set()
        for text in texts_of(table, label):
            key = key_of(text)
            (before if key in answered else missing).add(key)
        if before:
            self._console.print(f"{len(before):,} texts were answered by an earlier run", highlight=False)
        del before
        if not missing:
            return
        total = len(missing)
        self._console.print(
            f"{table.rows:,} rows, {total:,} texts to ask for, each once: as many requests to the chat model", highlight=False
        )
        failures = Failures()
        refused: dict[bytes, Result] = {}
        under_way: dict[int, bytes] = {}

        def keep(result: Result) -> None:
            key = under_way.pop(result.row)
            if result.answered:
                with writing(self._out):
                    answered.keep(key, result)
            elif result.outcome.removeprefix("embedding: ") in REFUSALS:
                refused[key] = result
            else:
                failures.add(result)

        with ready_retriever(self._retrieval, self._nomenclature, self._console) as (retriever, _):
            batches = batches_of(texts_of(table, label), missing, under_way)
            asyncio.run(code_batches(batches, total, 0, retriever, self._nomenclature, self._k, keep, self._console))
        for key, result in refused.items():
            if len(answered):
                with writing(self._out):
                    answered.keep(key, replace(result, outcome=REFUSED, detail=f"{result.outcome}: {result.detail}"))
            else:  # an endpoint that takes no text at all is at fault itself
                failures.add(result)
        if failures.counts:
            raise FunathonError(
                f"{failures.counts.total():,} of {total:,} requests failed ({failures}), so that {self._out} is not written.",
                "All answers are kept; the same command asks for what is missing.",
            )

    def table(self, labels: pl.Series) -> pl.DataFrame:
        """What came of some labels: a row with the columns of SCHEMA but `review` for each.

        A blank label has the outcome NOT_ASKED and a `reason`; a bad answer has no code and, as `reason`, what REASONS says of it.
        """
        with self._answered.reading():
            rows = [self._row(text, reason) for text, reason in zip(*texts_and_reasons(labels))]
        return pl.DataFrame(rows, schema={name: kind for name, kind in SCHEMA.items() if name != REVIEW}, orient="row")

    def _row(self, text: str | None, reason: str | None) -> tuple:
        if text is None:
            return None, None, None, NOT_ASKED, None, None, reason
        try:
            found = self._answered.result(key_of(text))
        except KeyError:
            raise FunathonError(
                "The register has a text that it had not when they were asked for: it was changed meanwhile.",
                "Undo the change and give the same command again.",
            ) from None
        reason = None if found.outcome == CODED else REASONS[found.outcome]
        shown = " ".join(found.candidates[: self._k])
        title = self._titles.get(found.code)
        return found.code, title, found.confidence, found.outcome, found.detail or None, shown, reason


class Failures:
    """The requests that failed, by how they did."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._details: dict[str, str] = {}

    def add(self, result: Result) -> None:
        """Count one."""
        self.counts[result.outcome] += 1
        self._details.setdefault(result.outcome, result.detail)

    def __str__(self) -> str:
        """Each kind with its number, if there are several, and the words of the first of it."""
        several = len(self.counts) > 1
        kinds = self.counts.most_common()
        return "; ".join(
            f"{f'{count:,} × ' if several else ''}{outcome}: {self._details[outcome].rstrip('.')}" for outcome, count in kinds
        )


def texts_and_reasons(labels: pl.Series) -> tuple[list[str | None], list[str | None]]:
    """For each label (of any type) the text that is sent, as the prompt will show it, and null; or null, and why it is not sent."""
    labels = labels.cast(pl.String)
    reasons = pl.select(label=labels).select(reason=why_blank(pl.col("label")))["reason"].to_list()
    texts: list[str | None] = []
    for place, label in enumerate(labels):
        text = None if reasons[place] else isolated(label)
        if text == "":  # nothing but characters that only Python takes for space, such as the separators of ASCII
            text, reasons[place] = None, EMPTY
        texts.append(text)
    return texts, reasons


def texts_of(table: Table, label: str) -> Iterator[str]:
    """The texts of a register that are sent, in its order, equal ones as often as they are there."""
    for piece in table.pieces(coding.ROWS):
        texts, _ = texts_and_reasons(piece[label])
        yield from (text for text in texts if text is not None)


def batches_of(texts: Iterator[str], missing: set[bytes], under_way: dict[int, bytes]) -> Iterator[tuple[list[int], list[str]]]:
    """The texts whose keys are `missing`, each once, in batches of at most BATCH with a number each.

    A key moves from `missing` to `under_way`, by the number, when its batch is given.
    """
    numbers: list[int] = []
    batch: list[str] = []
    number = 0
    for text in texts:
        key = key_of(text)
        if key not in missing:
            continue
        missing.remove(key)
        under_way[number] = key
        numbers.append(number)
        batch.append(text)
        number += 1
        if len(batch) == BATCH:
            yield numbers, batch
            numbers, batch = [], []
    if batch:
        yield numbers, batch
