"""What is kept by content is computed once for the same content, anew for any other, and never read from a damaged file."""

import numpy as np
import pytest

from funathon.paths import CACHE
from funathon.rag.kept import KEPT, content_hash, kept_array, kept_folder, model_state


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(KEPT, str(tmp_path / "kept"))
    return tmp_path


class Counted:
    def __init__(self, array):
        self.array, self.calls = array, 0

    def __call__(self):
        self.calls += 1
        return self.array


def test_it_lies_in_the_cache_of_the_checkout(monkeypatch):
    monkeypatch.delenv(KEPT)
    assert kept_folder() == CACHE / "kept"


def test_the_same_content_is_computed_once():
    make = Counted(np.arange(6, dtype=np.float32).reshape(2, 3))
    first, second = (kept_array("notes", ["model", ["a", "b"]], make) for _ in range(2))
    assert make.calls == 1
    assert second.dtype == np.float32
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("other", [["model", ["a", "c"]], ["another", ["a", "b"]], ["model", ["b", "a"]], ["model", ["a"]]])
def test_other_content_is_computed_anew(other):
    kept_array("notes", ["model", ["a", "b"]], Counted(np.zeros(2)))
    make = Counted(np.ones(2))
    assert kept_array("notes", other, make)[0] == 1 and make.calls == 1


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: b"", lambda data: b"no array", lambda data: data[:20]])
def test_a_damaged_file_is_made_anew(damage):
    kept_array("notes", "content", Counted(np.arange(5)))
    (file,) = kept_folder().iterdir()
    file.write_bytes(damage(file.read_bytes()))
    make = Counted(np.arange(5))
    np.testing.assert_array_equal(kept_array("notes", "content", make), np.arange(5))
    assert make.calls == 1
    kept_array("notes", "content", make)
    assert make.calls == 1


def test_nothing_is_kept_when_the_computation_fails():
    def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept_array("notes", "content", fail)
    assert not kept_folder().exists() or not list(kept_folder().iterdir())


def test_a_lone_surrogate_has_a_hash_of_its_own():
    assert content_hash(["\udc80"]) != content_hash(["?"])


def test_a_model_is_told_from_one_of_its_name_elsewhere(monkeypatch):
    monkeypatch.setenv("CHAT_MODEL", "model")
    monkeypatch.setenv("LLMLAB_URL", "https://one.example/v1")
    monkeypatch.setenv("LLMLAB_API_KEY", "key")
    one = model_state("CHAT_MODEL")
    monkeypatch.setenv("LLMLAB_URL", "https://other.example/v1")
    assert model_state("CHAT_MODEL") != one
