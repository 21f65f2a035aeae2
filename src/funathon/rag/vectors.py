"""Search by meaning: embeddings from the endpoint, kept in a Qdrant collection."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import openai
from openai import AsyncOpenAI
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from funathon.errors import FunathonError
from funathon.holders import database_holder
from funathon.rag.responses import read_response
from funathon.rag.retrieval import Document, codes_of

BATCH = 64
"""Texts in one request for embeddings."""
UNFIT = (400, 413, 422)
"""How endpoints refuse texts that are too long, too many or not to their mind."""
REQUESTS_AT_ONCE = 4
"""Requests for embeddings under way at a time."""


@contextlib.contextmanager
def open_qdrant(folder: str) -> Iterator[QdrantClient]:
    """The server at QDRANT_URL, or the local mode in `folder` under QDRANT_PATH.

    Raises FunathonError when somebody else has the folder open or the server stops answering.
    """
    try:
        if url := os.environ.get("QDRANT_URL"):
            port = int(os.environ.get("QDRANT_API_PORT") or 6333)
            client = QdrantClient(url=url, port=port, api_key=os.environ.get("QDRANT_API_KEY"), timeout=60)
        else:
            client = QdrantClient(path=f"{os.environ['QDRANT_PATH']}/{folder}")
    except RuntimeError as error:
        holder = database_holder(error)
        if not holder:
            raise
        raise FunathonError(
            f"{holder} has the local vector database {folder} open.", "Wait until that has ended, or stop it."
        ) from error
    try:
        yield client
    except (ResponseHandlingException, UnexpectedResponse) as error:
        reason = str(error).strip().splitlines()[0]
        raise FunathonError(
            f"The vector database at QDRANT_URL fails: {reason}.", "Check it with `uv run funathon doctor`."
        ) from error
    finally:
        client.close()


async def embed(client: AsyncOpenAI, texts: Sequence[str]) -> list[list[float]]:
    """Vectors of at most BATCH texts by EMBEDDING_MODEL, in the order of the texts.

    An endpoint that takes fewer texts a request, or fewer characters, refuses them (400, 413, 422): each half is then sent by
    itself, and later requests to it are not larger.
    """
    most = MOST_TEXTS.setdefault(str(client.base_url), BATCH)
    if len(texts) > most:
        parts = [await embed(client, texts[start : start + most]) for start in range(0, len(texts), most)]
        return [vector for part in parts for vector in part]
    try:
        request = client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=list(texts))
        return await read_response(
            request, lambda answer: [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        )
    except openai.APIStatusError as error:
        if error.status_code not in UNFIT or len(texts) == 1:
            raise
    half = (len(texts) + 1) // 2
    vectors = await embed(client, texts[:half]) + await embed(client, texts[half:])
    # only now: that both halves are taken says that it was their number, and not one text among them
    MOST_TEXTS[str(client.base_url)] = min(MOST_TEXTS[str(client.base_url)], half)
    return vectors


MOST_TEXTS: dict[str, int] = {}
"""How many texts an endpoint has been seen to take in one request, by its address."""


class VectorIndex:
    """Documents in a Qdrant collection, one point each, or one point a class, at the mean of its documents' vectors.

    The collection is named after the texts and the model, so that the same documents are embedded once.
    """

    def __init__(self, qdrant: QdrantClient, documents: Sequence[Document], *, one_point_a_class: bool = False) -> None:
        groups: dict[object, list[Document]] = {}
        for number, document in enumerate(documents):
            groups.setdefault(document.code if one_point_a_class else number, []).append(document)
        self.points = list(groups.values())
        self._qdrant = qdrant
        texts = [(document.code, document.text) for document in documents]
        state = repr((texts, one_point_a_class, os.environ["EMBEDDING_MODEL"]))
        self.collection = f"rag-{hashlib.sha256(state.encode()).hexdigest()[:12]}"

    def forget_other_lengths(self, dimensions: int) -> None:
        """Drop the collection if its vectors have another length than the model's: they come from another model of its name."""
        if not self._qdrant.collection_exists(self.collection):
            return
        stored = self._qdrant.get_collection(self.collection).config.params.vectors
        if stored.size != dimensions:
            self._qdrant.delete_collection(self.collection)

    async def fill(self, client: AsyncOpenAI, advance: Callable[[int], None]) -> None:
        """Embed and store the points that the collection lacks; `advance` is told how many have been done.

        The id of a point is its place, so that an interrupted run is resumed and nothing is stored twice.
        """
        stored = set()
        if self._qdrant.collection_exists(self.collection):
            found, _ = self._qdrant.scroll(self.collection, limit=len(self.points), with_payload=False)
            stored = {point.id for point in found}
        advance(len(stored))
        missing = [i for i in range(len(self.points)) if i not in stored]
        # texts of like length share a request, so that the model pads little
        missing.sort(key=lambda i: max(len(document.text) for document in self.points[i]))
        at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def add(batch: Sequence[int]) -> None:
            async with at_once:
                vectors = await embed(client, [document.text for i in batch for document in self.points[i]])
            self.store(batch, vectors)
            advance(len(batch))

        async with asyncio.TaskGroup() as tasks:
            for batch in batches_of(missing, [len(point) for point in self.points]):
                tasks.create_task(add(batch))

    def store(self, points: Sequence[int], vectors: Sequence[Sequence[float]]) -> None:
        """Store some points, given by their places, from the vectors of their documents one after another."""
        if not self._qdrant.collection_exists(self.collection):
            size = models.VectorParams(size=len(vectors[0]), distance=models.Distance.COSINE)
            self._qdrant.create_collection(self.collection, vectors_config=size)
        rest = iter(vectors)
        means = [np.mean([next(rest) for _ in self.points[i]], axis=0).tolist() for i in points]
        self._qdrant.upsert(
            self.collection,
            [models.PointStruct(id=i, vector=mean, payload={"code": self.points[i][0].code}) for i, mean in zip(points, means)],
        )

    def search(self, vectors: Sequence[Sequence[float]], limit: int) -> list[list[str]]:
        """Codes of the classes of the `limit` nearest points of each vector, nearest first, each class once."""
        requests = [models.QueryRequest(query=list(vector), limit=limit, with_payload=False) for vector in vectors]
        answers = self._qdrant.query_batch_points(self.collection, requests)
        return [codes_of(self.points[point.id][0] for point in answer.points) for answer in answers]


def batches_of(points: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Points in batches of at most BATCH texts; `sizes` says how many texts each point has."""
    batch, texts = [], 0
    for point in points:
        if batch and texts + sizes[point] > BATCH:
            yield batch
            batch, texts = [], 0
        batch.append(point)
        texts += sizes[point]
    if batch:
        yield batch
