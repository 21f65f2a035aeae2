"""`funathon lab` serves the notebooks with the pictures they show, and a kernel of this Python."""

import os
import shutil
import signal
import subprocess
import sys
import time

import httpx
import pytest
from servers import free_port


@pytest.fixture(scope="module")
def lab():
    port = free_port()
    options = ["--no-browser", "--allow-root", "--ServerApp.token=t", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command = [shutil.which("funathon", path=os.path.dirname(sys.executable)), "lab", *options]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", params={"token": "t"}, timeout=30)
    try:
        for _ in range(120):
            assert server.poll() is None, "JupyterLab stopped"
            try:
                client.get("/api/status").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(1)
        yield client
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def test_it_serves_the_notebooks_and_their_pictures(lab):
    names = {item["name"] for item in lab.get("/api/contents/notebooks").json()["content"]}
    assert "1-data.ipynb" in names
    assert lab.get("/files/site/images/pipeline.svg").status_code == 200


def test_it_opens_on_the_notebooks(lab):
    answer = lab.get("/", follow_redirects=False)
    assert answer.headers["location"].split("?")[0].endswith("/lab/tree/notebooks")


def test_the_kernel_is_there(lab):
    kernel = lab.get("/api/kernelspecs").json()["kernelspecs"]["python3"]["spec"]
    assert kernel["language"] == "python"
