"""The drawings of the site: no writing leaves the box it stands in."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from funathon.paths import ROOT

pytestmark = pytest.mark.slow  # a browser starts
DRAWINGS = sorted((ROOT / "site" / "images").glob("*.svg"))

OVERFLOWING = """() => {
    const sheet = document.documentElement.getBBox();
    const inside = (rect, x, y) => x > rect.x && x < rect.x + rect.width && y > rect.y && y < rect.y + rect.height;
    const boxes = [...document.querySelectorAll("rect")].map(rect => rect.getBBox());
    return [...document.querySelectorAll("text")].filter(text => {
        const written = text.getBBox();
        const around = boxes
            .filter(box => inside(box, written.x + written.width / 2, written.y + written.height / 2))
            .sort((a, b) => a.width * a.height - b.width * b.height);
        const box = around[0] || sheet;
        return written.x < box.x + 3 || written.x + written.width > box.x + box.width - 3;
    }).map(text => text.textContent.trim());
}"""
"""Texts that come nearer than 3 pixels to the left or right edge of the smallest box around their middle."""


@pytest.fixture(scope="module")
def page():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_writing_stays_in_its_box(page, drawing: Path):
    page.goto(drawing.as_uri())
    assert page.evaluate(OVERFLOWING) == []
