import errno
import os

import pytest

from funathon import files
from funathon.files import publish, replacing, set_aside, write_text


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


def test_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: done.append(os.readlink(f"/proc/self/fd/{handle}")))
    monkeypatch.setattr(files.Path, "replace", lambda self, path: done.append("rename") or os.replace(self, path))
    write_text(tmp_path / "file.txt", "new")
    assert len(done) == 3 and done[0].startswith(f"{tmp_path}/.file.txt.") and done[1:] == ["rename", str(tmp_path)]


def test_publish_replaces_nothing(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "there").write_text("old")
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    for name in ("there", "nowhere"):
        with pytest.raises(FileExistsError):
            publish(tmp_path / "new", tmp_path / name)
    publish(tmp_path / "new", tmp_path / "free")
    assert (tmp_path / "free").read_text() == "new" and (tmp_path / "there").read_text() == "old"
    assert not (tmp_path / "new").exists()


def test_publish_without_hard_links(tmp_path, monkeypatch):
    def link(*arguments):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", link)
    test_publish_replaces_nothing(tmp_path)
