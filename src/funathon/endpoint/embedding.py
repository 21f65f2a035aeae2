"""Embeddings of all-MiniLM-L6-v2, for several clients at a time.

On a processor one thread a text batch is quickest: threads that share a batch wait for each other, and where another program
wants the cores too they wait for long. So each core computes a batch of its own, and a request of many texts is divided among
them.
"""

import base64
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from funathon.endpoint import stand_in
from funathon.endpoint.errors import ApiError

CORES = min(4, os.cpu_count() or 1)
"""Batches that are computed at the same time. A container may show cores that it must not use, hence the 4."""
BATCH = 32
"""Texts in one batch at most."""
ALIKE = 0.8
"""Length of the shortest text of a batch, compared with the longest: the shorter ones are filled up with padding, which takes
as long to compute as text does."""


class Loader:
    """MiniLM, loaded in a thread of its own, so that the server answers while it loads."""

    def __init__(self) -> None:
        self.error: str | None = None
        self._done = threading.Event()
        threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        try:
            # first texts, so that the next take no longer than any other
            embed([f"{'a longer ' * 9 * number}text" for number in range(CORES)])
            stand_in.load()
        except Exception as error:  # whatever it is, it is told to each client and by /health
            self.error = str(error)
        self._done.set()

    @property
    def ready(self) -> bool:
        """Whether embeddings can be computed now."""
        return self._done.is_set() and self.error is None

    def wait(self) -> None:
        """Wait until the model is there; raise ApiError when it cannot be loaded."""
        self._done.wait()
        if self.error:
            raise ApiError(500, f"The embedding model cannot be loaded: {self.error}")


def use_one_thread() -> None:
    """Keep torch from dividing a batch among threads."""
    import torch

    torch.set_num_threads(1)


POOL = ThreadPoolExecutor(CORES, "embedding", initializer=use_one_thread)
"""The threads that compute."""


def embed(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of texts, float32 array of shape (texts, 384).

    A request has CORES batches computed at a time and then queues again: a short request does not wait for a long one to end,
    and few batches are in memory at once.
    """
    from funathon import minilm

    rows = minilm.token_rows(texts)
    vectors = np.empty((len(texts), minilm.DIMENSIONS), dtype=np.float32)

    def compute(batch: Sequence[int]) -> None:
        vectors[batch] = minilm.embed_tokens([rows[i] for i in batch])

    batches = list(batches_of([len(row) for row in rows]))
    for start in range(0, len(batches), CORES):
        for done in [POOL.submit(compute, batch) for batch in batches[start : start + CORES]]:
            done.result()
    return vectors


def batches_of(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts of like length, given by their places: BATCH at most, none shorter than ALIKE of the longest among them."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) == BATCH or lengths[i] < ALIKE * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def count_tokens(texts: Sequence[str], *, cut: bool) -> int:
    """Number of MiniLM's tokens in the texts; with `cut`, only those that an embedding reads (256 a text)."""
    from funathon.minilm import sentence_tokenizer

    encodings = sentence_tokenizer().encode_batch(list(texts))
    beyond = 0 if cut else sum(len(rest.ids) for encoding in encodings for rest in encoding.overflowing)
    return sum(len(encoding.ids) for encoding in encodings) + beyond


def encoded(vector: np.ndarray, encoding: str) -> list[float] | str:
    """A vector as a list of numbers, or as base64 of its little-endian float32 bytes."""
    if encoding == "float":
        return vector.tolist()
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
