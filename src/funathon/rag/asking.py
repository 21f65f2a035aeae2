"""Asking a chat model for many labels, as chapter 7 does it: a request that fails is a row, and no answer is lost.

The file of answers has one JSON object a line: the keys of COLUMNS, as `ask` returns them, and `fingerprint`, which says of which
request it is the answer. Lines of any other form, such as one that was cut short, are left where they are and count for nothing.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import openai
from openai import OpenAI
from openai.types.chat import ChatCompletion
from tqdm.auto import tqdm

from funathon.endpoint.server import embedded_endpoint
from funathon.rag.adapting import REFUSALS, with_less
from funathon.rag.answers import NaceAnswer, parse_answer
from funathon.rag.kept import content_hash, model_state
from funathon.settings import EMBEDDED, is_configured

TEMPERATURE = 0
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "nace_answer", "schema": NaceAnswer.model_json_schema()}}
TAKEN: dict[tuple, dict] = {}
"""The options that are left for models whose endpoints have refused some, by the state of the model and whether JSON was wanted."""
RECORDED = "recorded-claude"
"""The recorded model that the chapters ask."""
FAILED = "request failed"
"""The outcome of a request that failed; the others are those of `funathon.rag.answers`."""
COLUMNS = {
    "code": (str, type(None)),
    "confidence": (int, float, type(None)),
    "outcome": (str,),
    "detail": (str,),
    "seconds": (int, float),
    "tokens_in": (int,),
    "tokens_out": (int,),
}
"""The keys of a row and the types of their values."""

Messages = list[dict[str, str]]
Request = tuple[Messages, Sequence[str]]
"""Messages, and the codes of the candidates that they show."""


def generator_name(recorded: str | None = None) -> str:
    """The chat model in words, for figures: its name, and what it is where it is an embedded one.

    `recorded`: the name of a recorded model, here and below; without one it is CHAT_MODEL.
    """
    if recorded:
        return f"{recorded} (recorded answers of a language model)"
    name = os.environ["CHAT_MODEL"]
    return name if is_configured("LLMLAB_URL") else f"{name} (a ranker fitted on labels)"


def embedded_client() -> OpenAI:
    """A client of the embedded endpoint, which has the recorded models, whatever endpoint `.env` names; it is started if need be.

    Raises FunathonError when it does not start.
    """
    return OpenAI(base_url=embedded_endpoint().url, api_key=EMBEDDED["LLMLAB_API_KEY"], timeout=120, max_retries=5)


def ask(messages: Messages, candidates: Sequence[str], client: OpenAI, recorded: str | None = None) -> dict:
    """Ask the chat model to choose among candidates: a row with the keys of COLUMNS, also when the request failed.

    Question 7.7 builds it. Whatever the service does, nothing is raised; `seconds` are those of this request.
    """
    started = time.perf_counter()
    row = {"code": None, "confidence": None, "tokens_in": 0, "tokens_out": 0}
    try:
        completion = complete(messages, client, recorded)
        read = parse_answer(completion.choices[0].message.content, candidates)
        row |= {"code": read.code, "confidence": read.confidence, "outcome": read.outcome, "detail": read.detail}
        if completion.usage:
            row |= {"tokens_in": completion.usage.prompt_tokens, "tokens_out": completion.usage.completion_tokens}
    except (openai.APIError, AttributeError, IndexError, TypeError, ValueError) as error:
        row |= {"outcome": FAILED, "detail": f"{type(error).__name__}: {error}"}
    return row | {"seconds": time.perf_counter() - started}


def complete(messages: Messages, client: OpenAI, recorded: str | None = None, as_json: bool = True) -> ChatCompletion:
    """The model's completion, asked for with the options that its endpoint takes: what it refused once is left out from then on.

    Raises openai.APIError when the request fails, and the first refusal when leaving options out does not help.
    """
    options = options_taken(recorded, as_json)
    first = None
    while True:
        try:
            completion = client.chat.completions.create(model=recorded or os.environ["CHAT_MODEL"], messages=messages, **options)
        except REFUSALS as error:
            first = first or error
            less = with_less(options, str(error))
            if less is None:
                raise first from None
            options = less
        else:
            if first is not None:
                TAKEN[*model_state("CHAT_MODEL", recorded), as_json] = options
            return completion


def options_taken(recorded: str | None = None, as_json: bool = True) -> dict:
    """The options that requests to the chat model are sent with: all of them, or what its endpoint has not refused."""
    wanted = {"temperature": TEMPERATURE} | ({"response_format": RESPONSE_FORMAT} if as_json else {})
    return TAKEN.get((*model_state("CHAT_MODEL", recorded), as_json), wanted)


def fingerprint(messages: Messages, recorded: str | None = None) -> str:
    """A short text that is the same for the same model and messages, and different for others."""
    return content_hash([model_state("CHAT_MODEL", recorded), messages])


def read_answers(path: Path) -> dict[str, dict]:
    """The rows in a file of answers, by the fingerprint of their request; of two for one request the later counts."""
    kept = {}
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:  # empty, cut short when the program was stopped, or no text at all
            continue
        if isinstance(row, dict) and is_answer(row):
            kept[row["fingerprint"]] = row
    return kept


def is_answer(row: dict) -> bool:
    """Whether a JSON object has the form that this module writes, and is not a failure."""
    typed = all(name in row and isinstance(row[name], types) for name, types in COLUMNS.items())
    return typed and isinstance(row.get("fingerprint"), str) and row["outcome"] != FAILED


def ask_all(
    requests: Sequence[Request],
    path: Path,
    ask: Callable[[Messages, Sequence[str]], dict],
    workers: int = 4,
    recorded: str | None = None,
) -> list[dict]:
    """Rows for all requests, in their order; those that the file `path` answers are not sent again."""
    keys = [fingerprint(messages, recorded) for messages, _ in requests]
    rows = read_answers(path)
    missing = {key: request for key, request in zip(keys, requests) if key not in rows}
    print(f"{len(set(keys)) - len(missing):,} answers kept from before, {len(missing):,} to ask for")
    if not missing:
        return [rows[key] for key in keys]
    path.parent.mkdir(parents=True, exist_ok=True)
    writing = threading.Lock()

    def work(key: str, request: Request) -> None:
        row = rows[key] = ask(*request) | {"fingerprint": key}
        if row["outcome"] != FAILED:  # a failure is not written, so the next run tries again
            with writing, path.open("ab") as file:
                # the line break comes first too: it ends a line that was cut short
                file.write(b"\n" + json.dumps(row).encode() + b"\n")

    pool = ThreadPoolExecutor(workers)
    try:
        futures = [pool.submit(work, key, request) for key, request in missing.items()]
        for future in tqdm(as_completed(futures), total=len(futures), desc="asking"):
            future.result()
    finally:
        # when interrupted, nothing more is sent; what is under way is waited for and kept
        pool.shutdown(cancel_futures=True)
    return [rows[key] for key in keys]
