"""The built pages in a real browser: formulas are set, nothing complains, nothing scrolls sideways on a phone."""

import pytest
from built import CHROMIUM, NAMES, SITE

ALL = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


CUT = """[...document.querySelectorAll('article span.math .katex-base')].filter(
  e => e.getBoundingClientRect().right > innerWidth - 1).map(e => e.closest('.math').textContent)"""
PARTED = """[...document.querySelectorAll('article span.math')].filter(
  e => e.nextSibling?.nodeType === Node.TEXT_NODE && /^[,.;:!?)]/.test(e.nextSibling.data)).map(e => e.textContent)"""


def open_page(browser, address, name, width, seen=None, **options):
    """Open a page and wait until its formulas are set; return it with what it complained of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
    if seen:
        page.on("response", lambda answer: None if answer.url.startswith("blob:") else seen(answer))
    page.goto(f"{address}/{name}" if name.endswith(".html") else f"{address}/chapters/{name}.html")
    page.wait_for_function("!document.querySelector('.math') || document.documentElement.dataset.formulas")
    return page, complaints


@pytest.fixture(scope="module", params=NAMES)
def opened(request, browser, address):
    """A page on a desk, opened once for all that is looked at there, and what it complained of."""
    page, complaints = open_page(browser, address, request.param, 1200)
    yield page, complaints
    page.context.close()


def test_all_formulas_are_set_and_nothing_complains(opened):
    page, complaints = opened
    bare = "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('.katex')).length"
    unset = page.evaluate(bare)
    wrong = page.evaluate("[...document.querySelectorAll('.katex-error')].map(e => e.textContent)")
    assert (unset, wrong, complaints, page.evaluate(PARTED)) == (0, [], [], [])
    took = page.evaluate("document.documentElement.dataset.formulas || 'set in 0 ms'").split()[2]
    assert int(took) < 4000, "milliseconds for all formulas, on a machine that does other things; a quiet one takes 600"


def test_as_many_toggles_work_as_there_are_dropdowns(opened):
    page, _ = opened
    dropdowns = page.locator("div.admonition.dropdown").count()
    assert page.locator("div.admonition.dropdown button.toggle-button").count() == dropdowns
    hidden = page.locator("div.admonition.toggle-hidden").count()
    assert hidden == dropdowns
    if dropdowns:
        page.locator("div.admonition.dropdown .admonition-title").first.click()
        assert page.locator("div.admonition.toggle-hidden").count() == dropdowns - 1


@pytest.mark.parametrize("name", ALL)
def test_nothing_scrolls_sideways_at_the_widths_of_phones(browser, address, name):
    page, _ = open_page(browser, address, name, 390)
    page.evaluate("document.querySelectorAll('.toggle-hidden').forEach(e => e.classList.remove('toggle-hidden'))")
    for width in (390, 360):
        page.set_viewport_size({"width": width, "height": 844})
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wide = page.evaluate(
            """[...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
               && !e.closest('pre, .katex-display, table, .pst-scrollable-table-container, .math'))
               .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
        )
        assert excess <= 0, (width, wide)
        assert page.evaluate(CUT) == [], f"formulas that leave the line, at {width} px"
    page.context.close()
