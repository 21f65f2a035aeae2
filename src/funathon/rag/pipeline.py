"""The pipeline of chapter 7 on a whole file: retrieve candidates, ask the chat model, read its answers, measure.

Each label becomes one row of a file of results, also when its request failed; an interrupted run is resumed from there.
"""

import asyncio
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import openai
import polars as pl
from openai import AsyncOpenAI
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from funathon.corpus.labels import read_judged, read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import SEED, split_labels
from funathon.corpus.tables.table import GUESSED, Reading
from funathon.errors import FunathonError
from funathon.measures import Share, share
from funathon.paths import CACHE
from funathon.rag.answers import CODED, OUTCOMES, NaceAnswer, parse_answer
from funathon.rag.prompts import SYSTEM, candidate_block, isolated, make_messages
from funathon.rag.responses import read_response
from funathon.rag.retrieval import (
    Document,
    WordIndex,
    class_documents,
    class_passages,
    class_readings,
    codes_of,
    reciprocal_rank_fusion,
    with_examples,
)
from funathon.rag.vectors import BATCH, VectorIndex, embed, open_qdrant
from funathon.services import check_llm, check_qdrant
from funathon.settings import is_configured

PATIENCE = 60.0
"""Seconds to wait for an answer before the request counts as failed and is sent again."""
RETRIES = 4
"""Times that a request is sent again after a 429, a 5xx or no answer; the client waits in between, as long as Retry-After says."""
CHATS_AT_ONCE = 8
"""Requests to the chat model under way at a time."""
FAILURES_IN_A_ROW = 20
"""Failed requests after one another that stop the run: the endpoint is down then, and each further label would cost minutes."""
PASSAGES, CLASSES = 150, 50
"""Passages, and classes by words, that go into the fusion; what whole lists would bring stands in `funathon.rag.retrieval`."""
EXAMPLES = 3
"""Labelled examples shown with each candidate."""


@dataclass(frozen=True)
class Result:
    """What came of one label: its row in the table (from 0), the candidates, the answer, and the seconds it added to the run.

    `outcome` is one of OUTCOMES, or names the way in which the request failed.
    """

    row: int
    candidates: list[str]
    code: str | None
    confidence: float | None
    outcome: str
    detail: str
    seconds: float

    @property
    def answered(self) -> bool:
        """Whether the models answered, well or badly; a request that failed is sent again by the next run."""
        return self.outcome in OUTCOMES


def failure_of(error: openai.OpenAIError) -> tuple[str, str]:
    """How a request failed, in one or two words and in the server's.

    Raises FunathonError instead when every other request would fail as well: wrong credentials, wrong address or model.
    """
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        raise FunathonError(
            f"The endpoint at LLMLAB_URL refuses the credentials ({error.status_code}).",
            "Check LLMLAB_API_KEY in .env. What was finished is kept.",
        ) from error
    if isinstance(error, openai.NotFoundError):
        raise FunathonError(
            f"The endpoint at LLMLAB_URL does not know what it is asked for (404: {shorten(error.message)}).",
            "Check CHAT_MODEL and EMBEDDING_MODEL in .env, and that LLMLAB_URL ends in /v1.",
        ) from error
    if isinstance(error, openai.APIStatusError):
        return f"HTTP {error.status_code}", shorten(error.message)
    if isinstance(error, openai.APITimeoutError):
        return "no answer in time", f"within {PATIENCE:g} s, {RETRIES + 1} times"
    if isinstance(error, openai.APIConnectionError):
        return "no connection", shorten(str(error.__cause__ or error))
    return "unreadable response", shorten(str(error))


def shorten(text: str, most: int = 200) -> str:
    """A text on one line, cut to `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


class Generator:
    """The chat model at the endpoint, asked for JSON of the schema of NaceAnswer."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client
        self._at_once = asyncio.Semaphore(CHATS_AT_ONCE)
        schema = {
            "name": "NaceAnswer",
            "strict": True,
            "schema": openai.pydantic_function_tool(NaceAnswer)["function"]["parameters"],
        }
        self._format: dict = {"type": "json_schema", "json_schema": schema}

    async def ask(self, messages: Sequence[dict[str, str]]) -> str | None:
        """The content of the answer to a conversation.

        A server that refuses a JSON schema (400 or 422) is asked for any JSON object instead, and from then on if it takes that.
        """
        async with self._at_once:
            wanted = self._format
            try:
                return await self._send(messages, wanted)
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                if wanted["type"] == "json_object":
                    raise
                content = await self._send(messages, {"type": "json_object"})
                self._format = {"type": "json_object"}
                return content

    async def _send(self, messages: Sequence[dict[str, str]], response_format: dict) -> str | None:
        request = self._client.chat.completions.create(
            model=os.environ["CHAT_MODEL"], messages=messages, response_format=response_format, temperature=0
        )
        return await read_response(request, lambda answer: answer.choices[0].message.content)


class PlainRetriever:
    """The notes alone, found by meaning: a class stands at the mean of the vectors of its notes."""

    learnt: frozenset[str] = frozenset()
    """Labels that this retriever searches: none."""

    def __init__(self, qdrant, nomenclature: pl.DataFrame) -> None:
        self.index = VectorIndex(qdrant, class_readings(nomenclature), one_point_a_class=True)

    def candidates(self, texts: Sequence[str], vectors: Sequence[Sequence[float]], k: int) -> list[list[str]]:
        """Codes of the `k` best classes of each text, best first."""
        return self.index.search(vectors, k)

    def examples(self, text: str, codes: Sequence[str]) -> list[list[str]]:
        """No examples: this retriever knows no labels."""
        return [[] for _ in codes]


class BestRetriever:
    """The best combination of chapter 7: passages found by meaning, and notes with the labels of the training set found by
    words, fused by reciprocal rank fusion. The table in `funathon.rag.retrieval` says how it was chosen."""

    def __init__(self, qdrant, nomenclature: pl.DataFrame) -> None:
        self.index = VectorIndex(qdrant, class_passages(nomenclature))
        split = split_labels(read_labels(os.environ["LABELS_URL"]))
        labelled = [Document(code, text) for code, text in zip(split.y_train.tolist(), split.X_train.tolist())]
        self.learnt = frozenset(split.X_train)
        """Labels that this retriever searches."""
        self._words = WordIndex(with_examples(class_documents(nomenclature), labelled))
        self._labelled = WordIndex(labelled)
        self._rows_of = pl.DataFrame({"code": split.y_train}).with_row_index().group_by("code").agg("index")
        self._rows_of = {code: np.array(rows) for code, rows in self._rows_of.iter_rows()}

    def candidates(self, texts: Sequence[str], vectors: Sequence[Sequence[float]], k: int) -> list[list[str]]:
        """Codes of the `k` best classes of each text, best first."""
        by_meaning = self.index.search(vectors, PASSAGES)
        by_words = [codes_of(self._words.search(text, CLASSES)) for text in texts]
        return [reciprocal_rank_fusion(lists)[:k] for lists in zip(by_meaning, by_words)]

    def examples(self, text: str, codes: Sequence[str]) -> list[list[str]]:
        """For each class the training labels, EXAMPLES at most, that share most words with a text, best first."""
        scores = self._labelled.scores([text])[0]
        found = []
        for code in codes:
            rows = self._rows_of.get(code, np.array([], dtype=int))
            best = rows[np.argsort(-scores[rows], kind="stable")[:EXAMPLES]]
            found.append([self._labelled.documents[i].text for i in best])
        return found


Retriever = PlainRetriever | BestRetriever
RETRIEVERS = {"plain": PlainRetriever, "best": BestRetriever}


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

    async def code(self, rows: Sequence[int], labels: Sequence[str], keep: Callable[[Result], None]) -> None:
        """Code some labels, at most BATCH; `keep` is called with the result of each as soon as it is there.

        Raises FunathonError when the credentials are refused, a model is unknown or too many requests fail one after another.
        """
        labels = [isolated(label) for label in labels]
        try:
            vectors = await embed(self._client, labels)
        except openai.OpenAIError as error:
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


class Results:
    """Results in a file of JSON lines, one line each. What is written stays written; of two lines on one row the later counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_row: dict[int, Result] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # the last line broke off when the run did
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            result = Result(**json.loads(line))
            self.by_row[result.row] = result

    def keep(self, result: Result) -> None:
        """Add a result to the file."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        self.by_row[result.row] = result

    def missing(self, n: int) -> list[int]:
        """The rows below `n` that have no result, or whose request failed."""
        return [row for row in range(n) if row not in self.by_row or not self.by_row[row].answered]


@dataclass(frozen=True)
class Evaluation:
    """Measures of the pipeline on one set of labels.

    `conditional` is the share of right answers among the labels whose right class was among the k candidates, and null when
    there is none; `pipeline` is that among all labels, where a failure counts as wrong. `failures` counts the labels without a
    code by outcome. The seconds are of the whole run divided by the labels.
    """

    n: int
    k: int
    retriever: dict[int, Share]
    conditional: Share | None
    pipeline: Share
    seconds_per_label: float
    failures: dict[str, int] = field(default_factory=dict)

    def shares(self) -> dict[str, Share]:
        """The shares by the name they have in the JSON."""
        named = {f"retriever@{k}": value for k, value in sorted(self.retriever.items())}
        if self.conditional is not None:
            named["conditional"] = self.conditional
        return named | {"pipeline": self.pipeline}

    def as_dict(self) -> dict:
        """What `--json` prints: the figures as shares of 1, and their 95 % intervals."""
        shares = self.shares()
        return {
            "n": self.n,
            "retriever@1": shares["retriever@1"].value,
            "retriever@5": shares["retriever@5"].value,
            "conditional": self.conditional.value if self.conditional else None,
            "pipeline": self.pipeline.value,
            "failures": self.failures,
            "seconds_per_label": self.seconds_per_label,
            "k": self.k,
            "intervals": {name: [value.low, value.high] for name, value in shares.items()},
        }

    def table(self, title: str) -> Table:
        """The figures for the terminal."""
        drawn = Table("measure", "value", title=title, caption="In brackets: 95 % Wilson intervals.")
        drawn.add_row("labels", f"{self.n:,}")
        explained = {"conditional": f"right, given that the class is among the {self.k} candidates", "pipeline": "right, of all"}
        for name, value in self.shares().items():
            drawn.add_row(explained.get(name, name.replace("retriever", "right class retrieved ")), str(value))
        for outcome, count in self.failures.items():
            drawn.add_row(f"no code: {outcome}", f"{count:,}")
        drawn.add_row("seconds a label", f"{self.seconds_per_label:.3f}")
        return drawn


def measure(results: Sequence[Result], truth: Sequence[str], k: int) -> Evaluation:
    """Measure results, one a label, against the right codes, in the same order."""
    first = {place: np.array([code in result.candidates[:place] for result, code in zip(results, truth)]) for place in {1, 5, k}}
    right = np.array([result.code == code for result, code in zip(results, truth)])
    failed = Counter(result.outcome for result in results if result.outcome != CODED)
    return Evaluation(
        n=len(results),
        k=k,
        retriever={place: share(hits) for place, hits in first.items()},
        conditional=share(right[first[k]]) if first[k].any() else None,
        pipeline=share(right),
        failures=dict(failed.most_common()),
        seconds_per_label=sum(result.seconds for result in results) / len(results),
    )


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
    or failed is asked for; with `fresh` everything is. Progress goes to `console`.

    Raises FunathonError for a file that cannot be read, a service that does not work, or an endpoint that goes away.
    """
    from funathon.endpoint.server import ensure_endpoint, fingerprint

    table = read_judged(file, reading, code=code, label=label)
    if sample is not None and sample < len(table):
        table = table.sample(sample, seed=SEED)
    labels, truth = table[label].to_list(), table[code].to_list()
    ensure_endpoint()
    check_llm()
    check_qdrant()
    nomenclature = read_nomenclature()
    with open_qdrant("rag") as qdrant:
        retriever = RETRIEVERS[retrieval](qdrant, nomenclature)
        if known := sum(text in retriever.learnt for text in labels):
            console.print(
                f"{known:,} of {len(labels):,} labels are in the training set, which this retrieval searches: the figures flatter it.",
                style="yellow",
            )
        # the embedded endpoint keeps the names of its models when it gets better
        chat = os.environ["CHAT_MODEL"] if is_configured("LLMLAB_URL") else fingerprint()
        settings = [retrieval, k, retriever.index.collection, os.environ["EMBEDDING_MODEL"], chat]
        path = results_path(file, labels, settings)
        if fresh:
            path.unlink(missing_ok=True)
        results = Results(path)
        asyncio.run(fill(results, labels, retriever, nomenclature, k, console))
    return measure([results.by_row[row] for row in range(len(labels))], truth, k)


async def fill(
    results: Results,
    labels: Sequence[str],
    retriever: Retriever,
    nomenclature: pl.DataFrame,
    k: int,
    console: Console,
) -> None:
    """Get the results that are missing, two batches of labels at a time: one is embedded while the other is answered."""
    missing = results.missing(len(labels))
    if not missing:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    client = AsyncOpenAI(
        base_url=os.environ["LLMLAB_URL"], api_key=os.environ["LLMLAB_API_KEY"], timeout=PATIENCE, max_retries=RETRIES
    )
    async with client:
        with Progress(*columns, console=console) as progress:
            embedded = progress.add_task("notes", total=len(retriever.index.points))
            coded = progress.add_task("labels", total=len(labels), completed=len(labels) - len(missing))
            try:
                await retriever.index.fill(client, lambda done: progress.advance(embedded, done))
                pipeline = Pipeline(client, retriever, nomenclature, k)

                def keep(result: Result) -> None:
                    results.keep(result)
                    progress.advance(coded)

                batches = iter([missing[start : start + BATCH] for start in range(0, len(missing), BATCH)])

                async def work() -> None:
                    for batch in batches:
                        await pipeline.code(batch, [labels[row] for row in batch], keep)

                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(work())
                    tasks.create_task(work())
            except* FunathonError as errors:
                raise first_of(errors) from None
            except* (ResponseHandlingException, UnexpectedResponse, OSError) as errors:
                raise first_of(errors) from None
            except* openai.OpenAIError as errors:
                outcome, detail = failure_of(first_of(errors))
                raise FunathonError(
                    f"The notes could not be embedded ({outcome}: {detail}).",
                    "Run the same command again when the endpoint works.",
                ) from None


def first_of(errors: BaseExceptionGroup) -> BaseException:
    """The first error in a group of groups."""
    error = errors.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
