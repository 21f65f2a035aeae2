"""What an execution kept goes to the common folder: each array once, each shared answer once, and nothing that is there is lost."""

import numpy as np
import pytest

from funathon.rag.asking import ask_all, read_answers
from funathon.rag.handing_on import ANSWERS, hand_on
from funathon.rag.kept import KEPT, kept_array

ROW = {"code": "10.71", "confidence": 0.5, "outcome": "coded", "detail": "", "seconds": 0.1, "tokens_in": 1, "tokens_out": 1}


@pytest.fixture
def folders(monkeypatch, tmp_path):
    monkeypatch.setenv("CHAT_MODEL", "model")
    own, common = tmp_path / "own", tmp_path / "common"
    monkeypatch.setenv(KEPT, str(own))
    kept_array("notes", "content", lambda: np.arange(3))
    requests = [([{"role": "user", "content": text}], ["10.71"]) for text in ("a bakery", "a mill")]
    ask_all(requests, own / ANSWERS, lambda *_: ROW)
    (own / "answers-of-chapter-7.jsonl").write_text("torn")
    monkeypatch.setenv(KEPT, str(common))
    return own, common


def test_arrays_and_answers_are_there_afterwards_and_stay_when_it_is_done_again(folders):
    own, common = folders
    hand_on(own)
    np.testing.assert_array_equal(kept_array("notes", "content", lambda: np.zeros(3)), np.arange(3))
    assert read_answers(common / ANSWERS) == read_answers(own / ANSWERS)
    before = (common / ANSWERS).read_bytes()
    hand_on(own)
    assert (common / ANSWERS).read_bytes() == before
    assert not (common / "answers-of-chapter-7.jsonl").exists()


def test_an_answer_that_is_there_stays_also_behind_a_torn_line(folders):
    own, common = folders
    key, *_ = read_answers(own / ANSWERS)
    ask_all([([{"role": "user", "content": "a bakery"}], ["10.71"])], common / ANSWERS, lambda *_: ROW | {"seconds": 9.0})
    with (common / ANSWERS).open("ab") as file:
        file.write(b'{"torn')
    hand_on(own)
    answers = read_answers(common / ANSWERS)
    assert len(answers) == 2 and answers[key]["seconds"] == 9.0


def test_an_execution_that_kept_nothing_makes_no_folder(folders, tmp_path):
    hand_on(tmp_path / "nothing")
    assert not folders[1].exists()
