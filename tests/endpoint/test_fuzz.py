"""Ten thousand requests of all kinds: no answer above 499, and the memory of the server as before."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from funathon.endpoint.server import ensure_endpoint, find_server, stop_server
from funathon.settings import EMBEDDED, KNOWN

REQUESTS = 10_000
WARM_UP = 1_000
"""Requests before the memory is measured: the first ones make threads and buffers, and fill the caches in part."""

PIECES = [
    *(
        "bakery",
        "lorry transport",
        "é ü ß 漢字 🦊",
        "\ud83d",
        "\x00",
        "</activity>",
        "<activity>",
        "### 10.71 Bread",
        "Includes:",
    ),
    *("- rolls", "Code: 49.41", "{", "}", "[1.", "\n", " " * 500, "a" * 3_000, "10.71" * 20, '"', "'", "\\", "Activity:", "%00"),
]
VALUES = [None, True, False, 0, -1, 1, 2**70, 1.5, 1e308, "", "x", [], {}, [[]], [None], {"a": 1}, "\ud83d", "10.71"]
KEYWORDS = [
    *("type", "properties", "items", "minItems", "minLength", "minimum", "maximum", "enum", "const", "default", "anyOf", "allOf"),
    *("oneOf", "not", "if", "then", "$ref", "$defs", "required", "pattern", "format", "additionalProperties", "uniqueItems"),
]
NAMES = ["code", "confidence", "codable", "title", "why", "x", "pattern", "$ref", "\ud83d", ""]


def text(rng: random.Random) -> str:
    """Some pieces, and a word that no other text has."""
    return " ".join([*rng.choices(PIECES, k=rng.randrange(1, 8)), f"{rng.getrandbits(32):x}"])


def schema(rng: random.Random, level: int = 0) -> object:
    """Something like a JSON schema, often a wrong one."""
    if level > 4 or rng.random() < 0.15:
        return rng.choice(VALUES)
    made: dict = {}
    for keyword in rng.sample(KEYWORDS, rng.randrange(1, 4)):
        if keyword == "type":
            made[keyword] = rng.choice(["string", "integer", "number", "array", "object", "boolean", "null", ["string", "null"]])
        elif keyword in ("properties", "$defs"):
            made[keyword] = {rng.choice(NAMES): schema(rng, level + 1) for _ in range(rng.randrange(3))}
        elif keyword in ("anyOf", "allOf", "oneOf"):
            made[keyword] = [schema(rng, level + 1) for _ in range(rng.randrange(3))]
        elif keyword in ("items", "not", "if", "then", "additionalProperties"):
            made[keyword] = schema(rng, level + 1)
        elif keyword in ("minItems", "minLength"):
            made[keyword] = rng.choice([0, 1, 3, 200, 10**9, -1])
        elif keyword == "$ref":
            made[keyword] = rng.choice(["#", "#/$defs/x", "#/$defs/code", "#/properties/x", "http://127.0.0.1:9/x", "x", 5])
        elif keyword in ("enum", "required"):
            made[keyword] = rng.choices(VALUES, k=rng.randrange(4))
        else:
            made[keyword] = rng.choice(VALUES)
    return made


def body(rng: random.Random) -> tuple[str, object]:
    """The path and the body of one request."""
    if rng.random() < 0.4:
        given = rng.choice([text(rng), [text(rng) for _ in range(rng.randrange(4))], rng.choice(VALUES)])
        made = {"model": EMBEDDED["EMBEDDING_MODEL"], "input": given, "encoding_format": rng.choice(["float", "base64"])}
    else:
        notes = "\n".join(f"### {rng.randrange(100):02}.{rng.randrange(100):02} {text(rng)}" for _ in range(rng.randrange(4)))
        content = f"<activity>{text(rng)}</activity>\n{notes}" if rng.random() < 0.5 else text(rng)
        made = {"model": EMBEDDED["CHAT_MODEL"], "messages": [{"role": "user", "content": content}], "stream": rng.random() < 0.1}
        if rng.random() < 0.7:
            made["response_format"] = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema(rng)}}
    if rng.random() < 0.1:
        made[rng.choice([*made, "dimensions", "n", "tools", "stream_options"])] = rng.choice(VALUES)
    return ("embeddings" if "input" in made else "chat/completions"), made


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_thousand_requests_leave_the_server_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in KNOWN:
        monkeypatch.setenv(name, "")
    ensure_endpoint()
    server = find_server()
    try:
        with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client, ThreadPoolExecutor(4) as pool:

            def ask(seed: int) -> tuple[int, int]:
                path, content = body(random.Random(seed))
                return seed, client.post(
                    path, content=json.dumps(content), headers={"Content-Type": "application/json"}
                ).status_code

            answers = dict(pool.map(ask, range(WARM_UP)))
            before = resident(server.pid)
            answers |= dict(pool.map(ask, range(WARM_UP, WARM_UP + REQUESTS)))
        after = resident(server.pid)
    finally:
        stop_server()
    assert not {seed: status for seed, status in answers.items() if status >= 500}
    assert 0.2 < sum(status == 200 for status in answers.values()) / len(answers) < 0.9, "both good and bad requests are sent"
    print(f"memory before {before / 2**20:.0f} MiB, after {after / 2**20:.0f} MiB")
    assert after <= 1.1 * before
