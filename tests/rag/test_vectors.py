"""Vectors of endpoints that take few texts a request, and collections of another model of the same name."""

import asyncio
from types import SimpleNamespace

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from funathon.rag import vectors
from funathon.rag.retrieval import Document
from funathon.rag.vectors import BATCH, VectorIndex, embed


class Endpoint:
    """A client whose endpoint takes at most `most` texts a request, and no text that is `bad`; vectors are of `length`."""

    def __init__(self, most=BATCH, bad=None, length=3, status=400):
        self.base_url = "http://endpoint"
        self.sizes = []
        self.embeddings = self
        self.most, self.bad, self.length, self.status = most, bad, length, status

    async def create(self, model, input):
        self.sizes.append(len(input))
        if len(input) > self.most or self.bad in input:
            response = httpx.Response(self.status, request=httpx.Request("POST", self.base_url))
            raise openai.APIStatusError("refused", response=response, body=None)
        return SimpleNamespace(
            data=[SimpleNamespace(index=i, embedding=[float(text)] * self.length) for i, text in enumerate(input)]
        )


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch):
    vectors.MOST_TEXTS.clear()
    monkeypatch.setenv("EMBEDDING_MODEL", "m")


@given(most=st.integers(1, BATCH), n=st.integers(1, BATCH))
def test_an_endpoint_that_takes_few_texts_gets_few(most, n):
    vectors.MOST_TEXTS.clear()
    endpoint = Endpoint(most)
    texts = [str(i) for i in range(n)]
    expected = [[float(i)] * 3 for i in range(n)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDING_MODEL", "m")
        assert asyncio.run(embed(endpoint, texts)) == expected
        endpoint.sizes.clear()
        assert asyncio.run(embed(endpoint, texts)) == expected
    assert max(endpoint.sizes) <= most, "the second time no request is too large"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_bad_text_is_an_error_and_makes_no_later_request_small(status):
    endpoint = Endpoint(bad="7", status=status)
    with pytest.raises(openai.APIStatusError):
        asyncio.run(embed(endpoint, [str(i) for i in range(20)]))
    endpoint.sizes.clear()
    asyncio.run(embed(endpoint, [str(i) for i in range(10, 60)]))
    assert endpoint.sizes == [50]


@pytest.mark.parametrize("status", [401, 404, 500])
def test_other_refusals_are_not_about_the_number(status):
    endpoint = Endpoint(most=1, status=status)
    with pytest.raises(openai.APIStatusError):
        asyncio.run(embed(endpoint, ["1", "2"]))
    assert endpoint.sizes == [2]


def test_a_collection_of_another_length_is_made_anew():
    qdrant = QdrantClient(":memory:")
    index = VectorIndex(qdrant, [Document("a", "1"), Document("b", "2")])
    asyncio.run(index.fill(Endpoint(length=3), lambda done: None))
    index.forget_other_lengths(3)
    assert qdrant.count(index.collection).count == 2
    index.forget_other_lengths(4)
    asyncio.run(index.fill(Endpoint(length=4), lambda done: None))
    assert qdrant.count(index.collection).count == 2
    assert index.search([[1.0] * 4], 2) in ([["a", "b"]], [["b", "a"]])
