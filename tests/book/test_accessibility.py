"""The built pages for everyone: no serious finding by axe, all by keyboard, figures told in words, light to load.

axe runs once on every page. Its rule on contrast, which takes four fifths of its time, runs apart, in light and dark,
on one text of each kind: same colour, size and weight, same backgrounds behind it. No other rule can tell light from
dark. Before, what KaTeX has drawn is replaced by a word, in the same place and colour: assistive technology reads not
the drawing but the MathML beside it, and the drawing is most of a page's elements and of the time.
"""

import contextlib
import re
from pathlib import Path

import axe_playwright_python
import playwright.sync_api
import pytest
from built import CHROMIUM, SITE
from test_book import CHAPTERS, NAMES, cells
from test_browser import open_page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts)
CALM = "*, *::before, *::after { transition: none !important; animation: none !important; }"
LIGHTEST = 1_500_000  # bytes, uncompressed, figures aside
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

FIND = """async ([contrast, impacts]) => {
  const options = {resultTypes: ['violations'], preload: false};
  const context = contrast ? document.querySelectorAll('[data-sample]') : document;
  options[contrast ? 'runOnly' : 'rules'] = contrast ? ['color-contrast'] : {'color-contrast': {enabled: false}};
  const found = await axe.run(context, options);
  return found.violations.filter(v => impacts.includes(v.impact)).flatMap(v => v.nodes.map(
    node => `${v.id}: ${node.html.slice(0, 150)} ${node.any.concat(node.all, node.none)[0]?.message ?? ''}`));
}"""
SAMPLE = """() => {
  const kinds = new Set(), behind = new Map([[null, '']]);
  const ground = e => {
    if (!behind.has(e)) {
      const s = getComputedStyle(e), own = [s.backgroundColor, s.backgroundImage, s.opacity, s.position].join();
      const above = ground(e.parentElement);
      behind.set(e, own === 'rgba(0, 0, 0, 0),none,1,static' ? above : `${above} ${own}`);
    }
    return behind.get(e);
  };
  for (const e of document.body.querySelectorAll('*')) {
    delete e.dataset.sample;
    const words = [...e.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!(words || e.matches('input, select, textarea')) || !e.checkVisibility({visibilityProperty: true})) continue;
    const s = getComputedStyle(e);
    const kind = [s.color, s.fontSize, s.fontWeight, s.textShadow, s.webkitTextStroke, ground(e)].join();
    if (!kinds.has(kind)) e.dataset.sample = '';
    kinds.add(kind);
  }
  return kinds.size;
}"""
PLAIN = """document.querySelectorAll('.katex').forEach(e => e.replaceChildren('formula'));
document.querySelectorAll('.katex-display').forEach(e => { e.style.overflow = 'visible'; })"""
STUCK = """[...document.querySelectorAll('article :not(.katex, .katex *)')].filter(e => e.clientWidth > 0
  && e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
  && e.tabIndex < 0 && !e.querySelector('a[href], button'))
  .map(e => e.outerHTML.slice(0, 150))"""
OPEN = "document.querySelectorAll('.toggle-hidden').forEach(e => e.classList.remove('toggle-hidden'))"


def stuck(page):
    """The boxes that scroll and cannot have the focus, once the page is laid out: seconds on a busy machine."""
    with contextlib.suppress(playwright.sync_api.TimeoutError):
        page.wait_for_function(f"!({STUCK}).length", timeout=5000)
    return page.evaluate(STUCK)


def findings(page):
    """What axe finds apart from contrast."""
    return page.evaluate(FIND, [False, ["serious", "critical"]])


def pale(page):
    """What axe finds in the contrast of texts, one of each kind."""
    assert page.evaluate(SAMPLE) > 5
    return page.evaluate(FIND, [True, ["serious", "critical"]])


def wear(page, theme):
    page.evaluate("t => Object.assign(document.documentElement.dataset, {theme: t, mode: t})", theme)


@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_light_and_dark_and_the_page_is_light_to_load(browser, address, name):
    loaded = []
    page, complaints = open_page(browser, address, name, 1200, reduced_motion="reduce", seen=loaded.append)
    weight = sum(len(answer.body()) for answer in loaded if answer.request.resource_type != "image")
    assert weight < LIGHTEST, f"{weight:,} bytes"
    page.add_style_tag(content=CALM)
    page.evaluate(OPEN)
    for width in (390, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        assert stuck(page) == [], f"boxes that scroll and cannot have the focus, at {width} px"
    page.evaluate(PLAIN)
    page.evaluate(AXE)
    wear(page, "light")
    assert findings(page) + pale(page) == []
    wear(page, "dark")
    assert pale(page) == []
    assert complaints == []
    page.context.close()


@in_browser
def test_formulas_that_scroll_have_the_focus_also_where_the_page_began_narrow(browser, address):
    page, _ = open_page(browser, address, "chapters/linear_networks.html", 390)
    page.evaluate(OPEN)
    assert page.evaluate(
        "[...document.querySelectorAll('.katex-display')].some(e => e.scrollWidth > e.clientWidth + 1)"
    )
    assert stuck(page) == []
    page.context.close()


@in_browser
def test_axe_sees_what_it_should(browser, address):
    page, _ = open_page(browser, address, "chapters/notation.html", 1200)
    page.evaluate(AXE)
    wear(page, "light")
    faulty = """<img src=x><p style=color:#aaa>too pale<p>well<div style=background:#777><p>on grey</div>
      <p style=opacity:0.4>faint<pre class=highlight><span class=k style=color:#0b0>for</span></pre>"""
    page.evaluate("faulty => document.querySelector('article').insertAdjacentHTML('beforeend', faulty)", faulty)
    assert {found.split(":")[0] for found in findings(page)} == {"image-alt"}
    found = pale(page)
    for words in ("too pale", "on grey", "faint", "for<"):
        assert any(words in line for line in found), (words, found)
    assert len(found) == 4 and all(line.startswith("color-contrast:") for line in found)
    page.context.close()


REACHED = """() => { const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
  e.dataset.reached = 'yes';
  return [e.tagName, e.outerHTML.slice(0, 120), shown, box.width > 0 && box.height > 0]; }"""
CAN = """[...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')].filter(e =>
  !e.dataset.reached && e.checkVisibility({visibilityProperty: true, opacityProperty: true})
  && !e.closest('dialog:not([open])') && e.tabIndex >= 0).map(e => e.outerHTML.slice(0, 120))"""


def walk(page, most=3000):
    """Press Tab until the page is left; return what had the focus on the way."""
    way = []
    for _ in range(most):
        page.keyboard.press("Tab")
        tag, text, shown, there = page.evaluate(REACHED)
        if tag == "BODY" or (way and text == way[0][1] and len(way) > 1):
            return way
        way.append((tag, text, shown, there))
    raise AssertionError(f"Tab does not leave the page: {way[-3:]}")


@in_browser
@pytest.mark.parametrize("width", [1200, 390])
def test_the_keyboard_reaches_everything_and_one_sees_where_it_is(browser, address, width):
    page, _ = open_page(browser, address, "chapters/linear_networks.html", width, reduced_motion="reduce")
    way = walk(page)
    assert "main-content" in way[0][1], "the first stop skips the navigation"
    assert not [text for _, text, shown, there in way if not (shown and there)]
    assert page.evaluate(CAN) == []
    page.context.close()


def focus(page, selector):
    """Press Tab until the first element that a selector names has the focus."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement === document.querySelector(s)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


@in_browser
def test_skipping_toggling_searching_and_the_theme_work_by_keyboard_alone(browser, address):
    page, _ = open_page(browser, address, "chapters/linear_networks.html", 1200, reduced_motion="reduce")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    focus(page, "nav.launch a")
    focus(page, ".admonition.dropdown button.toggle-button")
    hidden = page.locator(".admonition.toggle-hidden").count()
    for key, count in (("Enter", hidden - 1), ("Space", hidden)):
        page.keyboard.press(key)
        assert page.locator(".admonition.toggle-hidden").count() == count, key
        expanded = page.locator(".admonition.dropdown button.toggle-button").first.get_attribute("aria-expanded")
        assert expanded == ("true" if key == "Enter" else "false")
    page.keyboard.press("Control+k")
    page.keyboard.type("balanced")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=balanced*")
    page.wait_for_selector("ul.search li a")
    focus(page, ".theme-switch-button")
    before = page.evaluate("document.documentElement.dataset.mode")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.mode") != before
    page.context.close()


@in_browser
def test_on_a_phone_the_contents_open_and_close_by_keyboard(browser, address):
    page, _ = open_page(browser, address, "chapters/linear_networks.html", 390, reduced_motion="reduce")
    focus(page, ".primary-toggle")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pst-primary-sidebar-modal[open] nav a >> visible=true")
    page.keyboard.press("Escape")
    page.wait_for_selector("#pst-primary-sidebar-modal:not([open])", state="attached")
    page.context.close()


@in_browser
def test_toggles_say_what_they_open(browser, address):
    page, _ = open_page(browser, address, "chapters/linear_networks.html", 1200)
    page.wait_for_function("document.readyState === 'complete'")
    labels = page.eval_on_selector_all("button.toggle-button", "all => all.map(e => e.ariaLabel)")
    titles = page.eval_on_selector_all(
        ".admonition.dropdown > .admonition-title", "all => all.map(e => e.textContent.trim())"
    )
    assert labels == titles and all(labels)
    page.context.close()


@in_browser
def test_on_paper_everything_is_open_and_nothing_is_cut(browser, address):
    page, _ = open_page(browser, address, "chapters/balancedness.html", 700)  # the width of a page of A4
    page.emulate_media(media="print")
    shown = "e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.offsetHeight > 0"
    bodies = ".admonition.dropdown > :not(.admonition-title)"
    assert page.eval_on_selector_all(bodies, f"all => all.filter(e => !({shown})).length") == 0
    assert page.eval_on_selector_all(".bd-sidebar-primary, nav.launch", f"all => all.filter({shown}).length") == 0
    worn = "document.documentElement.dataset.theme"
    wear(page, "dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(worn) == "light", "paper is white"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(worn) == "dark"
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 60))"
    assert page.eval_on_selector_all("pre", cut) == []
    page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_alternative_texts_say_what_a_figure_shows(name):
    for cell in cells(name, "code"):
        shown = cell.metadata.get("mystnb", {})
        if "figure" not in shown:
            continue
        text, caption = shown["image"]["alt"], shown["figure"]["caption"]
        assert len(text) >= 60, f"{shown['figure']['name']}: {text}"
        assert not re.match(r"(an? )?(figure|plot|graph|image|picture|chart)s? (of|show)", text, re.I), text
        assert text.strip() != caption.strip() and "$" not in text and "{" not in text, text
        assert text.rstrip().endswith("."), f"{shown['figure']['name']}: no sentence: {text}"


def test_figures_embedded_in_text_have_an_alternative_text_too():
    for page in sorted(CHAPTERS.glob("*.md")):
        for text in re.findall(r"!\[([^\]]*)\]\(", page.read_text()):
            assert len(text) >= 60, f"{page.name}: {text}"
