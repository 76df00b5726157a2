"""What makes the site easy to read, in a browser: landing page, previews, citations, search, graph, type."""

import re

import landing
import pytest
from built import CHROMIUM, SITE
from test_browser import open_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
PAGE = "chapters/balancedness.html"
COPIED = "navigator.clipboard.readText()"


@pytest.fixture(params=["file", "server"])
def root(request):
    return SITE.as_uri() if request.param == "file" else request.getfixturevalue("address")


def preview(page):
    page.wait_for_selector("#preview:visible")
    return page.locator("#preview")


# The landing page


def test_the_first_page_says_what_this_is_and_leads_on(browser, address):
    page, complaints = open_page(browser, address, "index.html", 390, reduced_motion="reduce")
    assert page.locator("h1").inner_text() == "Linear neural networks"
    links = page.eval_on_selector_all(".ways a", "all => all.map(e => [e.textContent, e.getAttribute('href')])")
    names = ["Read", "Run", "Teach"] + ["PDF"] * (SITE / "linear-neural-networks.pdf").exists()
    assert [name for name, _ in links] == names
    assert all(link.startswith("https://mybinder.org/") or (SITE / link).exists() for _, link in links)
    assert landing.edition()["version"] in page.locator("article").inner_text()
    assert page.get_by_role("button", name="copy citation").is_visible()
    assert page.locator(".navbar-brand").first.get_attribute("href").endswith(("#", "index.html"))
    assert complaints == []
    page.context.close()


def test_curves_move_once_and_stand_still_where_motion_is_not_wanted(browser, address):
    for wanted, moving in (("no-preference", 3), ("reduce", 0)):
        page, _ = open_page(browser, address, "index.html", 1200, reduced_motion=wanted)
        assert page.locator(".curves polyline").count() == 3 * 8
        running = page.evaluate(
            "document.getAnimations().filter(a => a.animationName === 'time')"
            ".map(a => a.effect.getTiming().iterations * a.effect.getTiming().duration)"
        )
        assert len(running) == moving and all(time <= 5000 for time in running), (
            "longer motion would need a way to stop it"
        )
        page.context.close()


def test_a_citation_is_copied_with_the_address_of_the_page_or_of_the_statement(browser, address):
    page, _ = open_page(browser, address, "index.html", 1200, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="copy citation").click()
    page.wait_for_selector("button:text('copied')")
    assert page.evaluate(COPIED) == f"{landing.cited()} {address}/index.html"
    page.goto(f"{address}/{PAGE}")
    page.locator("#prop-conservation button[data-copy]").click()
    page.wait_for_selector("button:text('copied')")
    number = page.locator("#prop-conservation .caption-number").inner_text().strip()
    copied = page.evaluate(COPIED)
    assert copied.startswith(f"{number} (") and copied.endswith(f"{landing.cited()} {address}/{PAGE}#prop-conservation")
    page.context.close()


# Previews


@pytest.mark.parametrize("there", ["#def-balanced", "#equation-eq-symmetry", "#fig-", "bibliography.html#id"])
def test_a_reference_shows_what_it_leads_to(browser, root, there):
    page, complaints = open_page(browser, root, PAGE, 1200)
    link = page.locator(
        f"article p:visible > a.reference.internal[href*='{there}'], article p:visible span > a[href*='{there}']"
    )
    link.first.hover()
    shown = preview(page)
    assert len(shown.inner_text()) > 20
    assert shown.locator(".math").count() == shown.locator(".math .katex").count()
    assert page.evaluate(
        "[...document.querySelectorAll('#preview img')].every(e => !e.offsetParent || e.complete && e.naturalWidth)"
    )
    page.keyboard.press("Escape")
    assert shown.is_hidden()
    assert complaints == []
    page.context.close()


def test_previews_open_by_keyboard_and_bring_formulas_to_a_page_without(browser, root):
    page, complaints = open_page(browser, root, "chapters/teaching.html", 1200)
    link = page.locator("article a[href*='#thm-'], article a[href*='#prop-']").first
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    shown = preview(page)
    assert link.get_attribute("aria-describedby") == "preview"
    page.wait_for_function("!document.querySelector('#preview .math:not(:has(.katex))')")
    page.keyboard.press("Tab")
    assert shown.is_hidden() or link.get_attribute("aria-describedby") is None
    assert complaints == []
    page.context.close()


def test_a_first_tap_shows_and_a_second_one_follows(browser, address):
    page, _ = open_page(browser, address, PAGE, 390, has_touch=True, is_mobile=True)
    link = page.locator(
        "article p:visible > a.reference.internal[href*='bibliography.html'], article p span > a[href*='bibliography']"
    )
    link.first.tap()
    box = preview(page).bounding_box()
    assert 0 <= box["x"] and box["x"] + box["width"] <= 390
    link.first.tap()
    page.wait_for_url("**/bibliography.html#*")
    page.context.close()


# Proofs, code, search, graph, type


def test_one_button_unfolds_all_proofs_and_folds_them_again(browser, address):
    page, _ = open_page(browser, address, PAGE, 1200)
    folded = page.locator(".admonition.toggle-hidden")
    count = folded.count()
    page.get_by_role("button", name="Unfold all proofs").click()
    assert folded.count() == 0 < count
    page.get_by_role("button", name="Fold all proofs").click()
    assert folded.count() == count
    page.context.close()


def test_code_that_only_plots_is_folded_and_code_that_computes_is_not(browser, address):
    page, _ = open_page(browser, address, PAGE, 1200)
    cells = page.locator("details.code")
    assert 0 < cells.count() < page.locator(".cell").count()
    assert not cells.locator("pre:visible").count() and page.locator(".cell_input pre:visible").count() > 10
    cells.first.locator("summary").click()
    assert "plt" in cells.first.locator("pre").inner_text()
    page.context.close()


@pytest.mark.parametrize(
    ("words", "address_of"), [("balanced", "balancedness.html#def-balanced"), ("definition 2.2", "#def-balanced")]
)
def test_the_search_finds_a_statement_as_itself(browser, root, words, address_of):
    page, _ = open_page(browser, root, f"search.html?q={words}&x=.html", 1200)
    found = page.eval_on_selector_all(".statements li a", "all => all.map(e => e.getAttribute('href'))")
    assert address_of in found[0]
    page.context.close()


@pytest.mark.parametrize(("words", "title"), [("regression with two coordinates", "ℓp regression"), ("lambda", "λI")])
def test_titles_that_the_search_shows_have_no_commands(browser, address, words, title):
    page, _ = open_page(browser, address, f"search.html?q={words}&x=.html", 1200)
    page.wait_for_selector("#search-results ul.search li a")
    page.wait_for_function("t => document.querySelector('main').textContent.includes(t)", arg=title)
    shown = page.eval_on_selector_all("#search-results li a, .statements li", "all => all.map(e => e.textContent)")
    assert not [text for text in shown if re.search(r"[\\$]", text)]
    page.context.close()


def test_in_the_graph_arrows_lead_on_and_every_mark_leads_to_its_statement(browser, address):
    page, _ = open_page(browser, address, "chapters/results.html", 1200)
    marks = page.locator(".dependencies a[data-label]")
    assert marks.count() == page.locator(".dependencies tbody tr").count() > 100
    for link in marks.evaluate_all("all => all.map(e => e.getAttribute('href'))"):
        name, _, label = link.partition("#")
        assert f'id="{label}"' in (SITE / "chapters" / name).read_text()
    marks.first.focus()
    page.keyboard.press("ArrowRight")
    at = page.evaluate("document.activeElement.getAttribute('href')")
    assert at.startswith("balancedness.html#")
    assert marks.evaluate_all("all => all.filter(e => e.tabIndex === 0).length") == 1
    page.keyboard.press("Escape")
    page.locator(".dependencies a[data-label='def-balanced']").hover()
    assert page.locator(".dependencies .lit").count() > 0
    page.context.close()


MEASURE = """[...document.querySelectorAll('article section > p')].filter(p => p.textContent.length > 400
  && !p.querySelector('.math')).map(p => { const range = document.createRange(); range.selectNodeContents(p);
  return p.textContent.length / new Set([...range.getClientRects()].map(r => Math.round(r.bottom / 12))).size; })"""
WEIGHT = """['h1', 'h2', 'h3'].map(h => { const style = getComputedStyle(document.querySelector('article ' + h));
  return [parseFloat(style.fontSize), parseFloat(style.fontWeight)]; })"""


def test_a_line_has_about_seventy_characters_in_a_font_that_is_shipped(browser, address):
    page, _ = open_page(browser, address, "chapters/balancedness.html", 1400)
    lengths = sorted(page.evaluate(MEASURE))
    assert 60 < lengths[len(lengths) // 2] < 80
    loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
    assert any("Source Serif 4" in family for family in loaded)
    sizes, weights = zip(*page.evaluate(WEIGHT), strict=True)
    assert list(sizes) == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    assert list(weights) == sorted(weights, reverse=True) and weights[-1] > 400
    page.context.close()


def test_the_documentation_prints_no_path_of_a_machine():
    for path in (SITE / "book" / "api").glob("*.html"):
        assert not re.search(r"from '/|&lt;module|<module", path.read_text()), path.name
