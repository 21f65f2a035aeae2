"""`funathon lab`: it serves the notebooks, and a browser shows them readably in JupyterLab's light and dark theme."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright
from servers import free_port

from funathon.course import notebooks
from funathon.course.chapters import find_chapter, read_chapter
from funathon.course.progress import Report
from funathon.course.verdicts import Verdict, Verdicts
from funathon.paths import ROOT

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
ENOUGH = 4.5
"""Contrast of text with its ground that WCAG 2.2 asks for."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A client of a running `funathon lab`, whose settings and workspaces are nobody's."""
    port = free_port()
    home = tmp_path_factory.mktemp("jupyter")
    options = ["--no-browser", "--allow-root", "--ServerApp.token=t", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command = [shutil.which("funathon", path=os.path.dirname(sys.executable)), "lab", *options]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data")}
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment
    )
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
    assert "1-data.ipynb" in names and "colab" not in names
    assert lab.get("/files/site/images/pipeline.svg").status_code == 200


def test_it_opens_on_the_notebooks(lab):
    answer = lab.get("/", follow_redirects=False)
    assert answer.headers["location"].split("?")[0].endswith("/lab/tree/notebooks")


def test_the_kernel_is_there(lab):
    kernel = lab.get("/api/kernelspecs").json()["kernelspecs"]["python3"]["spec"]
    assert kernel["language"] == "python"


@pytest.fixture(scope="module")
def specimen():
    """A notebook with a question and its folded blocks, a verdict in each state, all verdicts, and what catch_up shows; its path in
    the project."""
    chapter = read_chapter(find_chapter("1"))
    question = next(iter(chapter.questions.values()))
    asked = f"#### {question.title}\n\nWith `code`, *stress*, **weight** and [a link](https://example.org).\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    shown = [Verdict(state, "the variable `labels` should be a table of polars.") for state in Verdict.MARKS]
    shown.append(Verdicts({state: state for state in Verdict.MARKS}, {verdict.state: verdict for verdict in shown}))
    shown.append(Report(["Catching up to question 1.3, 4 s", "1.1 `labels`: done (3 s)"]))
    cells = [
        new_markdown_cell("# A chapter", id="title"),
        new_markdown_cell(notebooks.box(asked), id="question"),
        *notebooks.answering_cells(question),
    ]
    for number, one in enumerate(shown):
        cell = new_code_cell("check()", id=f"shown-{number}", execution_count=1)
        cell.outputs = [new_output("display_data", one.bundle())]
        cells.append(cell)
    node = new_notebook(cells=cells, metadata={"kernelspec": notebooks.KERNEL, "language_info": {"name": "python"}})
    # within the project, which is what is served, in a folder that git ignores; Jupyter serves no hidden one
    (ROOT / "runs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "runs", prefix="specimen-") as folder:
        path = Path(folder) / "specimen.ipynb"
        nbformat.write(node, path)
        yield path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system, or the one that `playwright install chromium` fetched."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS.split())
        yield browser
        browser.close()


CONTRASTS = """
root => {
  const number = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const over = (top, below) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
  };
  const ground = element => {
    if (!element) return [255, 255, 255];
    const own = number(getComputedStyle(element).backgroundColor);
    return own.length === 4 && own[3] === 0 ? ground(element.parentElement) : over(own, ground(element.parentElement));
  };
  const light = colour => {
    const [r, g, b] = colour.map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.getClientRects().length) continue;
    // the colours of code that is written, the numbers of cells and the button below them are JupyterLab's own
    if (!element.closest('.jp-Cell') || element.closest('.cm-editor, .jp-InputPrompt, .jp-OutputPrompt')) continue;
    const behind = ground(element), colour = over(number(getComputedStyle(element).color), behind);
    const [a, b] = [light(colour), light(behind)].sort((x, y) => y - x);
    found.push({text: text.slice(0, 50), tag: element.tagName, contrast: (a + 0.05) / (b + 0.05)});
  }
  return found;
}
"""


@pytest.mark.parametrize("theme", THEMES)
def test_every_box_is_readable_and_no_news_pop_up(lab, browser, specimen, theme, tmp_path):
    settings = {"raw": f'{{"theme": "{THEMES[theme]}"}}'}
    lab.put("/lab/api/settings/@jupyterlab/apputils-extension:themes", json=settings).raise_for_status()
    page = browser.new_page(viewport={"width": 1100, "height": 1800})
    try:
        outside = []
        page.on("request", lambda request: outside.append(request.url) if "127.0.0.1" not in request.url else None)
        page.goto(f"{lab.base_url}/lab/tree/{quote(specimen)}?token=t&reset")
        page.locator(".jp-RenderedMarkdown h4").first.wait_for(timeout=60_000)
        page.locator(".verdict-service").first.wait_for(timeout=60_000)
        page.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")
        assert page.evaluate("document.body.dataset.jpThemeLight") == ("true" if theme == "light" else "false")
        page.wait_for_timeout(1500)  # a pop-up comes after the page
        folder = os.environ.get("FUNATHON_SCREENSHOTS")
        if folder:
            page.screenshot(path=f"{folder}/lab-{theme}.png")
        pop_ups = page.locator(".Toastify__toast, .jp-Notification, .jp-Dialog").all_inner_texts()
        assert pop_ups == []
        assert not [url for url in outside if not url.startswith(("data:", "blob:"))]
        seen = page.locator(".jp-Notebook").first.evaluate(CONTRASTS)
        question = page.locator(".jp-RenderedMarkdown div[style]").first
        ground = question.evaluate("element => getComputedStyle(element).backgroundColor")
    finally:
        page.close()
    assert ground.startswith("rgba(59, 130, 196"), "JupyterLab has taken the style out"
    texts = " ".join(one["text"] for one in seen)
    for state in Verdict.MARKS.values():
        assert state in texts
    assert "Click to see the answer" in texts and "stress" in texts
    assert [one for one in seen if one["contrast"] < ENOUGH] == []
