"""Recording a language model's answers to a file of prompts: `funathon llm record`.

Prompts and answers are JSON lines. A prompt has `messages`, and may have `set`, `number` and `json`, which asks for JSON. An answer is kept
as it came, with the hash of its prompt, the name of the model, the date, the settings and the tokens as the endpoint counts them.
"""

import datetime
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import openai
from filelock import FileLock, Timeout
from openai import OpenAI

from funathon.endpoint.recorded import prompt_hash
from funathon.errors import FunathonError
from funathon.files import replacing
from funathon.rag.asking import Messages, complete, options_taken
from funathon.rag.generator import failure_of
from funathon.rag.prompt_sets import Prompt
from funathon.supervised.unfinished import writing

WORKERS = 4
"""Requests under way at a time."""
FAILURES = 20
"""Failed requests after which a run stops: the endpoint is down then."""


def write_prompts(prompts: Iterable[Prompt], path: Path) -> int:
    """Write prompts as JSON lines; returns how many."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for prompt in prompts:
            file.write(json.dumps(asdict(prompt), ensure_ascii=False) + "\n")
            count += 1
    return count


def read_prompts(path: Path) -> list[dict]:
    """The prompts of a file of JSON lines.

    Raises FunathonError, naming the line, for one that is no JSON object with messages of roles and texts.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # a text may hold other breaks
    except (OSError, UnicodeDecodeError) as error:
        raise FunathonError(f"{path} cannot be read ({error}).", "`funathon llm prompts -o FILE` writes such a file.") from error
    prompts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompt = json.loads(line)
            said = [(message["role"], message["content"]) for message in prompt["messages"]]
            fits = bool(said) and all(isinstance(part, str) for pair in said for part in pair)
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise FunathonError(
                f"{path}, line {number}: no prompt.", 'A line is {"messages": [{"role": "user", "content": "…"}]}, on one line.'
            )
        prompts.append(prompt)
    if not prompts:
        raise FunathonError(f"{path} holds no prompts.", "`funathon llm prompts -o FILE` writes those of the course.")
    return prompts


def hash_of(messages: Messages) -> str:
    """The hash of a prompt under which its answer is kept."""
    return prompt_hash((message["role"], message["content"]) for message in messages)


def recorded_prompts(path: Path, model: str) -> set[str]:
    """The hashes of the prompts that a file has a whole answer to.

    Raises FunathonError when one of its answers is another model's.
    """
    known = set()
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            row = json.loads(line)
            found, prompt = row["model"], row["prompt"]
        except (ValueError, KeyError, TypeError):  # empty, or cut short when a run was stopped
            continue
        if found != model:
            raise FunathonError(f"{path} holds answers of {found}, not of {model}.", "Choose another file for each model.")
        known.add(prompt)
    return known


def record(
    prompts: Sequence[dict], path: Path, client: OpenAI, tell: Callable[[int, int], None] = lambda done, all_of_them: None
) -> int:
    """Let CHAT_MODEL answer the prompts that `path` has no answer to, and add its answers there; returns how many were missing.

    Each answer is on the disk before the next is waited for. `tell` hears how many of the missing ones are done.

    Raises FunathonError when the file cannot be written or another run writes to it, its answers are another model's, the endpoint refuses the credentials
    or the model, or requests fail: then what was answered is kept, and the next run asks for the rest.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FunathonError(f"Another run is writing to {path}.", "Wait for it, or choose another file.") from None
    try:
        return _record(prompts, path, client, tell)
    finally:
        lock.release()


def _record(prompts: Sequence[dict], path: Path, client: OpenAI, tell: Callable[[int, int], None]) -> int:
    model = os.environ["CHAT_MODEL"]
    known = recorded_prompts(path, model)
    missing = {key: prompt for prompt in prompts if (key := hash_of(prompt["messages"])) not in known}
    one_at_a_time, failures = threading.Lock(), []

    def work(key: str, prompt: dict) -> None:
        try:
            as_json = prompt.get("json", True)
            completion = complete(prompt["messages"], client, as_json=as_json)
            options = options_taken(as_json=as_json)
            choice = completion.choices[0]
            answer = {
                "prompt": key,
                "set": prompt.get("set"),
                "number": prompt.get("number"),
                "model": model,
                "date": datetime.date.today().isoformat(),
                "settings": {name: value["type"] if name == "response_format" else value for name, value in options.items()},
                "content": choice.message.content or "",
                "finish_reason": choice.finish_reason or "stop",
                "prompt_tokens": completion.usage.prompt_tokens if completion.usage else 0,
                "completion_tokens": completion.usage.completion_tokens if completion.usage else 0,
            }
        except openai.OpenAIError as error:
            failures.append(failure_of(error))
            return
        except (AttributeError, IndexError, TypeError) as error:
            failures.append(("unreadable response", f"{type(error).__name__}: {error}"))
            return
        with one_at_a_time, writing(path), path.open("ab") as file:
            # the line break comes first too: it ends a line that was cut short
            file.write(b"\n" + json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    pool = ThreadPoolExecutor(WORKERS)
    try:
        futures = [pool.submit(work, key, prompt) for key, prompt in missing.items()]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            tell(done, len(missing))
            if len(failures) >= FAILURES:
                break
    finally:
        # when interrupted, nothing more is sent; what is under way is waited for and kept
        pool.shutdown(cancel_futures=True)
    if failures:
        outcome, detail = failures[0]
        raise FunathonError(
            f"{len(failures):,} of {len(missing):,} requests failed ({outcome}: {detail}).",
            "Run the same command again; what was answered is kept.",
        )
    return len(missing)
