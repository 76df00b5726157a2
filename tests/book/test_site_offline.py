"""The site without a network: from a file and from a plain server, formulas and search included."""

import re
import urllib.parse

import pytest
from built import CHROMIUM, NAMES, SITE

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
WORDS = "balanced"


@pytest.fixture(params=["file", "server"])
def root(request):
    return SITE.as_uri() if request.param == "file" else request.getfixturevalue("address")


@pytest.fixture
def page(browser):
    context = browser.new_context()
    context.complaints = []
    page = context.new_page()
    page.on("requestfailed", lambda request: context.complaints.append(request.url))
    page.on("pageerror", lambda error: context.complaints.append(str(error)))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    context.asked = asked
    yield page
    context.close()


@pytest.mark.parametrize("name", NAMES[:1] + [name for name in NAMES if name == "convergence"])
def test_a_page_is_whole_and_asks_for_nothing_outside(page, root, name):
    page.goto(f"{root}/chapters/{name}.html")
    page.wait_for_function("!document.querySelector('.math') || document.documentElement.dataset.formulas")
    bare = "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('.katex')).length"
    broken = "[...document.images].filter(e => e.complete && !e.naturalWidth).map(e => e.src)"
    assert (page.evaluate(bare), page.evaluate(broken), page.context.complaints) == (0, [], [])
    outside = [url for url in page.context.asked if not url.startswith((root, "data:", "blob:"))]
    assert not outside


def test_search_finds_pages(page, root):
    page.goto(f"{root}/search.html?q={urllib.parse.quote(WORDS)}")
    page.wait_for_selector("#search-results ul.search li a", timeout=20_000)
    links = page.eval_on_selector_all("#search-results ul.search li a", "all => all.map(e => e.href)")
    assert any("balancedness.html" in link for link in links)
    page.wait_for_load_state("networkidle")  # excerpts are fetched, or, from files, not asked for
    assert not page.context.complaints


def test_nothing_is_resolved_by_name(page):
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):  # or the other tests would prove nothing
        page.goto("https://example.com/")


def test_downloads_are_there(page, root):
    page.goto(f"{root}/chapters/{NAMES[0]}.html")
    links = page.eval_on_selector_all("span.downloads a", "all => all.map(e => e.getAttribute('href'))")
    assert links
    for link in links:
        assert (SITE / "chapters" / link).resolve().stat().st_size > 100_000
        assert re.fullmatch(r"\.\./[\w.-]+\.(pdf|zip)", link)
