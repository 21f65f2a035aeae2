"""Search by meaning: embeddings from the endpoint, kept in a Qdrant collection."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence

from openai import AsyncOpenAI
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from funathon.errors import FunathonError
from funathon.retrieval import Document

BATCH = 64
"""Texts in one request for embeddings."""
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
        if "already accessed" not in str(error):
            raise
        raise FunathonError(
            f"The local vector database {folder} is open in another process.", "Wait until that has ended, or stop it."
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
    """Vectors of at most BATCH texts by EMBEDDING_MODEL, in the order of the texts."""
    answer = await client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=list(texts))
    return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]


class VectorIndex:
    """Documents in a Qdrant collection, whose name is made of the texts and the model: the same documents are embedded once."""

    def __init__(self, qdrant: QdrantClient, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._qdrant = qdrant
        state = repr([(document.code, document.text) for document in documents]) + os.environ["EMBEDDING_MODEL"]
        self.collection = f"rag-{hashlib.sha256(state.encode()).hexdigest()[:12]}"

    async def fill(self, client: AsyncOpenAI, advance: Callable[[int], None]) -> None:
        """Embed and store the documents that the collection lacks; `advance` is told how many have been done.

        The id of a point is the place of its document, so that an interrupted run is resumed and nothing is stored twice.
        """
        stored = set()
        if self._qdrant.collection_exists(self.collection):
            found, _ = self._qdrant.scroll(self.collection, limit=len(self.documents), with_payload=False)
            stored = {point.id for point in found}
        advance(len(stored))
        missing = [i for i in range(len(self.documents)) if i not in stored]
        # texts of like length share a request, so that the model pads little
        missing.sort(key=lambda i: len(self.documents[i].text))
        at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def add(batch: Sequence[int]) -> None:
            async with at_once:
                vectors = await embed(client, [self.documents[i].text for i in batch])
            # no await in here: what one batch finds out still holds when it writes
            if not self._qdrant.collection_exists(self.collection):
                size = models.VectorParams(size=len(vectors[0]), distance=models.Distance.COSINE)
                self._qdrant.create_collection(self.collection, vectors_config=size)
            points = [
                models.PointStruct(id=i, vector=vector, payload={"code": self.documents[i].code})
                for i, vector in zip(batch, vectors)
            ]
            self._qdrant.upsert(self.collection, points)
            advance(len(batch))

        async with asyncio.TaskGroup() as tasks:
            for start in range(0, len(missing), BATCH):
                tasks.create_task(add(missing[start : start + BATCH]))

    def search(self, vectors: Sequence[Sequence[float]], limit: int) -> list[list[Document]]:
        """The `limit` nearest documents of each vector, nearest first."""
        requests = [models.QueryRequest(query=list(vector), limit=limit, with_payload=False) for vector in vectors]
        answers = self._qdrant.query_batch_points(self.collection, requests)
        return [[self.documents[point.id] for point in answer.points] for answer in answers]
