import errno

import pytest

from funathon.files import replacing, set_aside, write_text


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="No space"), replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_leaves_the_old_file_too(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), replacing(path):
        raise KeyboardInterrupt
    assert path.read_text() == "old"


def test_what_is_set_aside_keeps_its_content_and_takes_no_other_s_place(tmp_path):
    path = tmp_path / "answers.jsonl"
    for text in ("first", "second"):
        path.write_text(text)
        moved = set_aside(path)
        assert moved.read_text() == text and not path.exists()
    assert {file.read_text() for file in tmp_path.iterdir()} == {"first", "second"}
