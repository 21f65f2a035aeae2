"""Reading files from local paths, web servers and S3 that are silent, slow or refuse."""

import contextlib
import socket
import threading

import pytest
from servers import http_server

from funathon import storage
from funathon.errors import FunathonError
from funathon.settings import load_settings
from funathon.storage import ending_of, file_in, read_bytes


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("labels.parquet", "parquet"),
        ("/a.b/Labels.CSV", "csv"),
        ("register.csv.gz", "csv.gz"),
        ("register.2026.csv", "csv"),
        ("register.2026.csv.gz", "csv.gz"),
        ("what?.csv", "csv"),
        ("a#b.tsv", "tsv"),
        ("labels", ""),
        ("https://host.org/labels.parquet?X-Amz-Signature=a.b&x=y.csv#z.tsv", "parquet"),
        ("https://host.org/a%20b.xlsx?x", "xlsx"),
        ("https://host.org", ""),
        ("s3://bucket.name/folder/l.csv.gz", "csv.gz"),
        ("http://[/x].csv", ""),
    ],
)
def test_the_ending_is_that_of_the_path(url, ending):
    assert ending_of(url) == ending


def test_a_file_in_a_folder_keeps_the_query():
    assert file_in("https://host/model/?sig=1", "manifest.json") == "https://host/model/manifest.json?sig=1"
    assert file_in("/what?/model", "manifest.json") == "/what?/model/manifest.json"
    assert file_in("s3://bucket/model/", "manifest.json") == "s3://bucket/model/manifest.json"


def test_a_local_name_is_no_pattern(tmp_path):
    (tmp_path / "results1.csv").write_text("another file")
    with pytest.raises(FunathonError, match="There is no file"):
        read_bytes(str(tmp_path / "results?.csv"), "LABELS_URL")
    (tmp_path / "[a]*?.csv").write_text("this")
    assert read_bytes(str(tmp_path / "[a]*?.csv"), "LABELS_URL") == b"this"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 500, 503])
def test_no_answer_of_a_server_shows_the_signature(status):
    with http_server({"/labels.parquet": (status, b"no")}) as address:
        url = address.replace("://", "://us3r:p4ssword@") + "/labels.parquet?X-Amz-Signature=pl4nted"
        with pytest.raises(FunathonError) as caught:
            read_bytes(url, "LABELS_URL")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "labels.parquet" in str(caught.value)
    for secret in ("us3r", "p4ssword", "pl4nted"):
        assert secret not in str(caught.value)


@contextlib.contextmanager
def dripping_server(pause: float):
    """A server that sends a byte of the head of an answer every `pause` seconds, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip(connection):
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not stop.wait(pause):
                connection.sendall(b"x")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()


@pytest.mark.parametrize("form", ["http://{}/l.csv?sig=pl4nted", "s3://bucket/l.csv"])
def test_what_trickles_is_told_of_and_given_up(monkeypatch, capsys, form):
    monkeypatch.setattr(storage, "WORD", 0.5)
    monkeypatch.setattr(storage, "LIMIT", 2.0)
    with dripping_server(0.1) as host:
        monkeypatch.setenv("AWS_S3_ENDPOINT", f"http://{host}")
        load_settings()
        with pytest.raises(FunathonError, match="not come within 2 seconds"):
            read_bytes(form.format(host), "LABELS_URL")
    said = capsys.readouterr().err
    assert said.count("Still reading") == 3 and "pl4nted" not in said


def test_s3_is_given_up_soon_by_plain_fsspec_too():
    """What chapters use: s3fs tries several times, and waits as long as it is told each time."""
    import fsspec
    from s3fs import S3FileSystem

    load_settings()
    patience = fsspec.config.conf["s3"]["config_kwargs"]
    pauses = sum(1.7**i * 0.1 for i in range(S3FileSystem.retries))
    assert patience["retries"] == {"total_max_attempts": 1}
    for limit in ("connect_timeout", "read_timeout"):
        assert patience[limit] * S3FileSystem.retries + pauses < 15
    assert fsspec.config.conf["https"]["client_kwargs"]["timeout"].sock_read < 15
