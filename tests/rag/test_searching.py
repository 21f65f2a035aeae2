"""The search of the package is the one that the chapters build, and finds what it should on a small nomenclature."""

import ast
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from funathon.course.chapters import find_chapter, read_chapter
from funathon.rag import searching
from funathon.rag.kept import KEPT
from funathon.rag.retrieval import Document
from funathon.rag.searching import BestSearch, Embedder, best_of_class, fuse, note_text

CODES = ["10.71", "47.24", "62.10"]
NOMENCLATURE = pl.DataFrame(
    {
        "code": CODES,
        "heading": ["Manufacture of bread", "Retail sale of bread", "Computer programming"],
        "parent_code": ["10.7", "47.2", "62.1"],
        "level": [4, 4, 4],
        "includes": ["- baking of bread\n- cakes", "- shops", None],
        "includes_also": ["- pretzels", None, "  "],
        "excludes": ["retail sale, see 47.24", None, None],
    }
)


def function_of(chapter: str, name: str, **known) -> Callable:
    """A function as a chapter defines it; `known` are the variables that it uses."""
    for cell in read_chapter(find_chapter(chapter)).cells:
        for node in ast.parse(cell.source).body if cell.type == "code" else []:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                columns = {code: place for place, code in enumerate(CODES)}
                namespace = {"np": np, "rankdata": rankdata, "codes": np.array(CODES), "column_of": columns, **known}
                exec(ast.unparse(node), namespace)
                return namespace[name]
    raise LookupError(name)


def test_the_text_of_a_class_leaves_out_what_it_has_not():
    bread, shops, programming = (note_text(row) for row in NOMENCLATURE.iter_rows(named=True))
    assert bread == "Manufacture of bread\nIncludes:\n- baking of bread\n- cakes\nAlso includes:\n- pretzels"
    assert shops == "Retail sale of bread\nIncludes:\n- shops"
    assert programming == "Computer programming"


def test_chapter_8_builds_the_functions_of_the_package():
    random = np.random.default_rng(1)
    scores = [random.integers(0, 4, (5, 7)).astype(float) for _ in range(2)]
    np.testing.assert_allclose(function_of("8-evaluation", "fuse")(scores, [1, 0.3], 10), fuse(scores, [1, 0.3], 10))
    owners = ["47.24", "10.71", "62.10", "10.71", "47.24"]
    similarities = random.random((4, 5))
    built = function_of("8-evaluation", "best_of_class")
    np.testing.assert_allclose(built(similarities, owners), best_of_class(similarities, owners, CODES))


def test_the_right_class_counts_as_the_last_of_equal_ones():
    ranks = function_of("8-evaluation", "ranks", truth=CODES)
    scores = np.array([[0.0, 0.0, 0.0], [0.1, 0.9, 0.2], [0.5, 0.0, 0.5]])
    assert ranks(scores).tolist() == [3, 1, 2]


class Client:
    """A client whose embeddings are counts of letters, which sends answers after one another."""

    def __init__(self):
        self.sizes = []
        self.embeddings = SimpleNamespace(create=self.create)

    def create(self, *, model, input):
        self.sizes.append(len(input))
        vectors = [[text.count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in input]
        return SimpleNamespace(data=[SimpleNamespace(embedding=vector) for vector in vectors])


@pytest.fixture
def client(monkeypatch, tmp_path):
    monkeypatch.setenv(KEPT, str(tmp_path))
    monkeypatch.setenv("EMBEDDING_MODEL", "letters")
    monkeypatch.setattr(searching, "model_state", lambda variable, embedded=None: [embedded or "letters"])
    return Client()


def test_vectors_come_in_the_order_of_the_texts_in_batches_and_once(client):
    embed = Embedder(client)
    texts = [f"{'ab' * (number % 5)} {number}c" for number in range(70)]
    vectors = embed(texts, keep="texts")
    assert client.sizes and max(client.sizes) <= searching.BATCH and sum(client.sizes) == 70
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(vectors[3], embed([texts[3]])[0])
    sent = len(client.sizes)
    np.testing.assert_array_equal(embed(np.array(texts), keep="texts"), vectors)
    assert len(client.sizes) == sent


def test_the_model_of_the_embedded_endpoint_is_asked_for_whatever_the_settings_name(client, monkeypatch):
    asked = []
    create = client.embeddings.create
    client.embeddings.create = lambda *, model, input: asked.append(model) or create(model=model, input=input)
    embed = Embedder(client, "embedded-letters")
    vectors = embed(["abc"], keep="texts")
    assert asked == ["embedded-letters"]
    # what the model that the settings name has computed is not taken for it
    np.testing.assert_array_equal(embed(["abc"], keep="texts"), vectors)
    Embedder(client)(["abc"], keep="texts")
    assert asked == ["embedded-letters", "letters"]


def test_the_best_search_finds_by_meaning_and_by_the_words_of_labels(client):
    labels = [Document("62.10", "zorblax"), Document("10.71", "loaves")]
    embed = Embedder(client)
    search = BestSearch(NOMENCLATURE, labels, embed)
    texts = ["zorblax", "baking of bread"]
    vectors = embed(texts)
    vectors[0] = 0  # a text that the model makes nothing of: its words decide
    found = search.candidates(texts, vectors, 2)
    assert [row[0] for row in found] == ["62.10", "10.71"]
    assert search.scores(texts, vectors).shape == (2, 3)
