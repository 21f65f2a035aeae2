import subprocess
import sys

from funathon.holders import holder_of

HOLDER = "import sys, time\nfile = open(sys.argv[1], 'a')\nprint('open', flush=True)\ntime.sleep(60)"


def test_the_process_that_has_a_file_open_is_named(tmp_path):
    file = tmp_path / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        assert f"(process {process.pid}, started at " in holder_of(file)
    finally:
        process.kill()
        process.wait()
    assert holder_of(file) is None


def test_a_kernel_is_named_by_its_notebook(tmp_path, monkeypatch):
    file = tmp_path / ".lock"
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/notebooks/6-vector-database.ipynb")
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(file), "ipykernel_launcher"], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        assert holder_of(file).startswith(f"the notebook 6-vector-database.ipynb (process {process.pid}")
    finally:
        process.kill()
        process.wait()


def test_one_s_own_process_is_told_apart(tmp_path):
    with (tmp_path / ".lock").open("w"):
        assert holder_of(tmp_path / ".lock") == "an earlier client in this one"
