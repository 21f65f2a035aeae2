"""The pipeline of part 2 on a whole file: retrieve candidates, ask the chat model, read its answers, measure.

Each label becomes one row of a file of results, also when its request failed; an interrupted run is resumed from there.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import openai
import polars as pl
from openai import AsyncOpenAI
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from funathon.corpus.labels import read_judged
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import SEED
from funathon.corpus.tables.table import GUESSED, Reading
from funathon.errors import FunathonError
from funathon.paths import CACHE
from funathon.rag.answers import OUTCOMES, parse_answer
from funathon.rag.generator import Generator, Tokens, failure_of, make_client
from funathon.rag.prompts import SYSTEM, candidate_block, isolated, make_messages
from funathon.rag.results import Evaluation, Result, Results, measure
from funathon.rag.retrievers import RETRIEVERS, Retriever
from funathon.rag.vectors import BATCH, UNFIT, embed, open_qdrant
from funathon.services import check_llm, check_qdrant, where_texts_go
from funathon.settings import is_configured

FAILURES_IN_A_ROW = 20
"""Failed requests after one another that stop the run: the endpoint is down then, and each further label would cost minutes."""


def make_prompt(label: str, codes: Sequence[str], retriever: Retriever, notes: dict[str, dict]) -> list[dict[str, str]]:
    """The messages that ask for a choice among the classes `codes`, best first; `notes` has a row of the nomenclature a class."""
    examples = retriever.examples(label, codes)
    return make_messages(label, [candidate_block(notes[code], some) for code, some in zip(codes, examples)])


class Pipeline:
    """Retriever and generator, with the notes that the prompt shows."""

    def __init__(self, client: AsyncOpenAI, retriever: Retriever, nomenclature: pl.DataFrame, k: int) -> None:
        self._client = client
        self._retriever = retriever
        self._generator = Generator(client)
        self._notes = {row["code"]: row for row in nomenclature.filter(level=4).iter_rows(named=True)}
        self._k = k
        self._failures = 0
        self._last = time.perf_counter()

    @property
    def tokens(self) -> Tokens:
        """What the chat model's answers have cost."""
        return self._generator.tokens

    async def code(self, rows: Sequence[int], labels: Sequence[str], keep: Callable[[Result], None]) -> None:
        """Code some labels, at most BATCH; `keep` is called with the result of each as soon as it is there.

        When the endpoint makes no vectors of them because it refuses one of the texts, the others are coded all the same.

        Raises FunathonError when the credentials are refused, a model is unknown or too many requests fail one after another.
        """
        labels = [isolated(label) for label in labels]
        try:
            vectors = await embed(self._client, labels)
        except openai.OpenAIError as error:
            if getattr(error, "status_code", None) in UNFIT and len(rows) > 1:
                half = len(rows) // 2
                await self.code(rows[:half], labels[:half], keep)
                await self.code(rows[half:], labels[half:], keep)
                return
            outcome, detail = failure_of(error)
            for row in rows:
                keep(self._result(row, [], f"embedding: {outcome}", detail))
            return
        found = self._retriever.candidates(labels, vectors, max(self._k, 5))
        async with asyncio.TaskGroup() as tasks:
            for row, label, candidates in zip(rows, labels, found):
                tasks.create_task(self._choose(row, label, candidates, keep))

    async def _choose(self, row: int, label: str, candidates: list[str], keep: Callable[[Result], None]) -> None:
        """Let the generator choose among the first k candidates."""
        shown = candidates[: self._k]
        messages = make_prompt(label, shown, self._retriever, self._notes)
        try:
            answer = parse_answer(await self._generator.ask(messages), shown)
        except openai.OpenAIError as error:
            keep(self._result(row, candidates, *failure_of(error)))
        else:
            keep(self._result(row, candidates, answer.outcome, answer.detail, answer.code, answer.confidence))

    def _result(self, row, candidates, outcome, detail, code=None, confidence=None) -> Result:
        """A result with the time that has passed since the one before; stop after too many failures."""
        self._failures = 0 if outcome in OUTCOMES else self._failures + 1
        if self._failures == FAILURES_IN_A_ROW:
            raise FunathonError(
                f"The last {FAILURES_IN_A_ROW} requests to the endpoint failed ({outcome}: {detail}).",
                "Run the same command again when it works; what was finished is kept.",
            )
        now = time.perf_counter()
        result = Result(row, candidates, code, confidence, outcome, detail, round(now - self._last, 6))
        self._last = now
        return result


def results_path(name: str, labels: Sequence[str], settings: Sequence[object]) -> Path:
    """Where the results of these labels under these settings are kept."""
    state = json.dumps([list(labels), SYSTEM, *settings])
    return CACHE / "rag" / f"{Path(name).stem}-{hashlib.sha256(state.encode()).hexdigest()[:12]}.jsonl"


def evaluate(
    file: str,
    reading: Reading = GUESSED,
    *,
    code: str = "code",
    label: str = "label",
    sample: int | None = None,
    retrieval: str = "best",
    k: int = 5,
    fresh: bool = False,
    console: Console,
) -> Evaluation:
    """Run the pipeline on a file of labels (all of them, or a random sample, the same each time) and measure it.

    Results are kept in `.funathon/rag/` under a name made of the labels and the settings: called again, only what is missing
    or failed is asked for; with `fresh` everything is. Progress goes to `console`, and before anything is sent a line that says
    where texts go, if `.env` names an endpoint.

    Raises FunathonError for a file that cannot be read, a service that does not work, or an endpoint that goes away.
    """
    from funathon.endpoint.server import fingerprint

    table = read_judged(file, reading, code=code, label=label)
    if sample is not None and sample < len(table):
        table = table.sample(sample, seed=SEED)
    labels, truth = table[label].to_list(), table[code].to_list()
    nomenclature = read_nomenclature()
    with ready_retriever(retrieval, nomenclature, console) as (retriever, dimensions):
        if known := sum(text in retriever.learnt for text in labels):
            console.print(
                f"{known:,} of {len(labels):,} labels are in the training set, which this retrieval searches: the figures flatter it.",
                style="yellow",
            )
        # the embedded endpoint keeps the names of its models when it gets better
        chat = os.environ["CHAT_MODEL"] if is_configured("LLMLAB_URL") else fingerprint()
        shown = [candidate_block(row) for row in nomenclature.filter(level=4).iter_rows(named=True)]
        notes = hashlib.sha256("\n".join(shown).encode()).hexdigest()
        settings = [retrieval, k, retriever.index.collection, os.environ["EMBEDDING_MODEL"], dimensions, chat, notes]
        path = results_path(file, labels, settings)
        if fresh:
            path.unlink(missing_ok=True)
        results = Results(path)
        asyncio.run(fill(results, labels, retriever, nomenclature, k, console))
    return measure([results.by_row[row] for row in range(len(labels))], truth, k)


@contextlib.contextmanager
def ready_retriever(retrieval: str, nomenclature: pl.DataFrame, console: Console) -> Iterator[tuple[Retriever, int]]:
    """The retriever of this name, and the length of its vectors, once the services have been seen to work. Before anything is sent,
    `console` gets a line that says where texts go, if `.env` names an endpoint.

    Raises FunathonError for a service that does not work.
    """
    from funathon.endpoint.server import ensure_endpoint

    if sentence := where_texts_go():
        console.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
    ensure_endpoint()
    check_llm()
    check_qdrant()
    dimensions = asyncio.run(vector_length())
    with open_qdrant("rag") as qdrant:
        retriever = RETRIEVERS[retrieval](qdrant, nomenclature)
        retriever.index.forget_other_lengths(dimensions)
        yield retriever, dimensions


async def vector_length() -> int:
    """The length of the vectors of EMBEDDING_MODEL: one name can stand for models of several lengths.

    Raises FunathonError when the endpoint does not answer.
    """
    async with make_client() as client:
        try:
            return len((await embed(client, ["bakery"]))[0])
        except openai.OpenAIError as error:
            raise cannot_embed(error) from None


def cannot_embed(error: openai.OpenAIError) -> FunathonError:
    """What to say when the endpoint makes no vectors."""
    outcome, detail = failure_of(error)
    return FunathonError(
        f"The notes could not be embedded ({outcome}: {detail}).", "Run the same command again when the endpoint works."
    )


async def fill(
    results: Results,
    labels: Sequence[str],
    retriever: Retriever,
    nomenclature: pl.DataFrame,
    k: int,
    console: Console,
) -> None:
    """Get the results that are missing."""
    missing = results.missing(len(labels))
    if not missing:
        return
    some = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
    batches = ((rows, [labels[row] for row in rows]) for rows in some)
    await code_batches(batches, len(labels), len(labels) - len(missing), retriever, nomenclature, k, results.keep, console)


async def code_batches(
    batches: Iterator[tuple[Sequence[int], Sequence[str]]],
    total: int,
    done: int,
    retriever: Retriever,
    nomenclature: pl.DataFrame,
    k: int,
    keep: Callable[[Result], None],
    console: Console,
) -> None:
    """Code labels in batches, their numbers and as many texts, at most BATCH: two batches at a time, so that one is embedded while the
    other is answered. `keep` is called with each result; the bar on `console` begins at `done` of `total`.

    Raises FunathonError when the endpoint refuses everything or goes away.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[cost]}"),
    )
    async with make_client() as client:
        with Progress(*columns, console=console) as progress:
            embedded = progress.add_task("notes", total=len(retriever.index.points), cost="")
            coded = progress.add_task("labels", total=total, completed=done, cost="")
            try:
                await retriever.index.fill(client, lambda done: progress.advance(embedded, done))
                pipeline = Pipeline(client, retriever, nomenclature, k)

                def keep_and_tell(result: Result) -> None:
                    keep(result)
                    progress.update(coded, advance=1, cost=pipeline.tokens.mean())

                async def work() -> None:
                    for numbers, labels in batches:
                        await pipeline.code(numbers, labels, keep_and_tell)

                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(work())
                    tasks.create_task(work())
            except* FunathonError as errors:
                raise first_of(errors) from None
            except* (ResponseHandlingException, UnexpectedResponse, OSError) as errors:
                raise first_of(errors) from None
            except* openai.OpenAIError as errors:
                raise cannot_embed(first_of(errors)) from None


def first_of(errors: BaseExceptionGroup) -> BaseException:
    """The first error in a group of groups."""
    error = errors.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
