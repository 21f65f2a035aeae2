"""The site in a real browser: the one Quarto renders where Quarto is on PATH, else the preview pages.

The chapters come with their outputs where they have been executed (`funathon run`), else with their code only. The name of each
test says which site it ran on.
"""

import functools
import http.server
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page, sync_playwright

from funathon.course.building import find_quarto, page_of, render_with_quarto, write_preview
from funathon.course.chapters import chapter_paths, read_chapter
from funathon.course.notebooks import solved_notebook
from funathon.course.pages import sections, write_pages
from funathon.course.running import is_up_to_date, read_executed
from funathon.paths import ROOT

pytestmark = pytest.mark.slow
KIND = "quarto" if find_quarto() else "preview"
CHAPTERS = [read_chapter(path) for path in chapter_paths()]
PAGES = [page_of(source) for sources in sections(CHAPTERS).values() for source in sources]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
HEAVIEST = 1.5e6
"""Bytes that a chapter's page and its pictures may have together."""
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@dataclass(frozen=True)
class Site:
    """A site that is served on localhost: its folder and its address, which ends in a slash."""

    folder: Path
    url: str

    def read(self, page: str) -> BeautifulSoup:
        """A page as parsed HTML."""
        return BeautifulSoup((self.folder / page).read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module", params=[KIND])
def site(request, tmp_path_factory):
    """The site, built in a folder of its own and served on localhost."""
    project = tmp_path_factory.mktemp("project")
    course = [
        (chapter, read_executed(chapter.path) if is_up_to_date(chapter.path) else solved_notebook(chapter))
        for chapter in CHAPTERS
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNATHON_REPOSITORY", "https://github.com/owner/course")
        if request.param == "preview":
            write_preview(project / "_site", course)
        else:
            for name in ("_quarto.yml", "index.qmd"):
                shutil.copy(ROOT / name, project / name)
            for name in ("site", "notebooks", "chapters"):
                shutil.copytree(ROOT / name, project / name)
            write_pages(project, course)
            render_with_quarto(find_quarto(), project)
    handler = functools.partial(QuietHandler, directory=str(project / "_site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(project / "_site", f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system, or the one that `playwright install chromium` fetched."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser):
    """A function that gives the browser context of a width and a colour scheme; each is made once."""
    contexts = {}

    def context(width: int, scheme: str) -> BrowserContext:
        if (width, scheme) not in contexts:
            viewport = {"width": width, "height": 900}
            contexts[width, scheme] = browser.new_context(viewport=viewport, color_scheme=scheme)
        return contexts[width, scheme]

    return context


@pytest.fixture
def open_page(site, context):
    """A function that opens a page of the site at a width and in a colour scheme."""
    tabs = []

    def open_page(page: str, width: int = 1024, scheme: str = "light") -> Page:
        tab = context(width, scheme).new_page()
        tabs.append(tab)
        tab.goto(site.url + page)
        return tab

    yield open_page
    for tab in tabs:
        tab.close()


def unfold(tab: Page) -> None:
    """Open every folded block of a page."""
    tab.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")


def test_every_internal_link_and_anchor_resolves(site):
    parsed = {page: site.read(page) for page in PAGES}
    ids = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in parsed.items()}
    seen = 0
    for page, soup in parsed.items():
        for tag in soup.find_all(["a", "img", "link", "script"]):
            target = urlsplit(tag.get("href") or tag.get("src") or "")
            if target.scheme or target.netloc or not (target.path or target.fragment):
                continue
            file = (site.folder / page).parent / unquote(target.path) if target.path else site.folder / page
            assert file.is_file(), f"{page} links to {target.path}, which is not there"
            if target.fragment and file.suffix == ".html":
                name = file.resolve().relative_to(site.folder.resolve()).as_posix()
                assert unquote(target.fragment) in ids[name], f"{page} links to {target.path}#{target.fragment}"
            seen += 1
    assert seen > 10 * len(PAGES)


def test_there_is_no_page_that_the_menu_lacks(site):
    assert sorted(path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*.html")) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_clean(site, context, page):
    """Nothing from elsewhere, no error in the console, no leftovers of the sources, a title and one heading."""
    complaints, outside = [], []
    with context(1024, "light").new_page() as tab:
        tab.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: outside.append(request.url) if not is_ours(request.url) else None)
        tab.goto(site.url + page, wait_until="networkidle")
        unfold(tab)
        text = tab.inner_text("body")
        # code shows such marks on purpose: the prompts of part 2 hold tags, and a chat model may answer in a code fence
        tab.evaluate("document.querySelectorAll('pre, code').forEach(element => element.remove())")
        prose = tab.inner_text("body")
        title, headings = tab.title(), tab.locator("h1:visible").count()
    assert complaints == []
    assert outside == []
    for leftover in (":::", "{{<", "#|", "{=html}", "Traceback (most recent call last)"):
        assert leftover not in without_code_examples(text, page), f"{leftover} is visible"
    for leftover in ("```", "<div", "</"):
        assert leftover not in prose, f"{leftover} is visible"
    assert "Automatic coding" in title
    assert headings == 1


def is_ours(url: str) -> bool:
    """Whether a request stays on this machine."""
    address = urlsplit(url)
    return address.scheme == "data" or address.hostname == "127.0.0.1"


def without_code_examples(text: str, page: str) -> str:
    """The text of a page; for instructors, without the sentence that shows how to write a description."""
    return text.replace("#| fig-alt: Two histograms. …", "") if page == "site/instructors.html" else text


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_needs_no_scrolling_to_the_side(open_page, page):
    tab = open_page(page, width=360)
    unfold(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious(open_page, page, scheme):
    tab = open_page(page, scheme=scheme)
    unfold(tab)
    tab.add_script_tag(path=AXE)
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    serious = [
        f"{rule['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert serious == []


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_is_described(site, page):
    for picture in site.read(page).select("main img"):
        assert len(picture.get("alt", "")) > 20, picture.get("src", "")[:80]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_is_light(site, chapter):
    """Its page and its pictures, as they lie on the disk; scripts and styles, which all pages share, are not counted."""
    page = site.folder / "site" / f"{chapter.name}.html"
    pictures = {
        (page.parent / unquote(picture["src"])).resolve()
        for picture in site.read(f"site/{chapter.name}.html").find_all("img")
        if not picture["src"].startswith("data:")
    }
    weight = page.stat().st_size + sum(path.stat().st_size for path in pictures)
    assert weight < HEAVIEST, f"{weight / 1e6:.2f} MB"


def test_answers_and_hints_unfold(open_page):
    tab = open_page("site/1-data.html")
    for block in (".answer details", "details.hint"):
        folded = tab.locator(block).first
        inside = folded.locator("pre, p").first
        assert not inside.is_visible()
        folded.locator("summary").click()
        assert inside.is_visible()
        folded.locator("summary").click()
        assert not inside.is_visible()


def test_a_printed_chapter_has_its_title_and_whole_lines(open_page):
    page = open_page("site/4-prediction.html", 700, "light")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1, name="4. Predict and explain").first.is_visible()
    cut = page.evaluate("[...document.querySelectorAll('pre')].filter(e => e.scrollWidth > e.clientWidth + 1).length")
    page.emulate_media(media="screen")
    assert cut == 0


def test_the_page_follows_the_reader_s_system(open_page):
    def brightness(scheme: str) -> float:
        colour = open_page("site/1-data.html", scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 3

    assert brightness("light") > 240
    assert brightness("dark") < 40


def test_search_finds_wordpiece(site, open_page):
    tab = open_page("index.html")
    if KIND == "preview":
        # the preview has no search, and no box that would promise one
        assert tab.locator("input").count() == 0
        return
    tab.get_by_role("button", name="Search").first.click()
    tab.locator("input[type=search], input.aa-Input").first.fill("WordPiece")
    hit = tab.locator(".search-result-title, .search-result-text", has_text="WordPiece").first
    hit.wait_for(timeout=10_000)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/*.html?q=WordPiece*")
    assert "WordPiece" in tab.inner_text("main")


def test_the_copy_button_copies_the_code(open_page):
    tab = open_page("site/1-data.html")
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = tab.locator(".code-copy-button, .copy").first
    button.scroll_into_view_if_needed()
    button.click()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.strip().splitlines()[0] == "from funathon.course.exercise import start"


def test_everything_can_be_reached_by_keyboard(open_page):
    tab = open_page("site/1-data.html")
    reached = set()
    for _ in range(120):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.closest('.launch, details.hint, .answer, .table-scroll')?.className"))
        if tab.evaluate("document.activeElement.matches('.answer summary')"):
            break
    assert {"launch", "hint"} <= reached
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.parentElement.open")


def test_pages_lead_to_the_next_and_back(open_page):
    tab = open_page("site/1-data.html")
    tab.locator("a", has_text="From text to numbers").last.click()
    tab.wait_for_url("**/site/2-tokenizer.html")
    tab.locator("a", has_text="Meet the data").last.click()
    tab.wait_for_url("**/site/1-data.html")


@pytest.mark.parametrize("width", [360, 1600])
def test_the_menu_leads_from_any_page_to_a_chapter(open_page, width):
    tab = open_page("site/glossary.html", width=width)
    link = tab.locator("nav a:visible", has_text="From text to numbers")
    if not link.count():
        tab.locator(".menu summary, .quarto-btn-toggle").first.click()
    link.first.click()
    tab.wait_for_url("**/site/2-tokenizer.html")


def test_each_chapter_offers_to_launch_and_download_its_notebook(site):
    for chapter in CHAPTERS:
        bar = site.read(f"site/{chapter.name}.html").select_one("nav.launch")
        addresses = [link["href"] for link in bar.find_all("a")]
        assert sum("datalab.sspcloud.fr" in address for address in addresses) == 4
        assert f"https://github.com/owner/course/blob/main/chapters/{chapter.name}.py" in addresses
        assert f"../notebooks/{chapter.name}.ipynb" in addresses
        assert (site.folder / "notebooks" / f"{chapter.name}.ipynb").is_file()
