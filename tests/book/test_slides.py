"""The decks: long enough for a lecture, nothing copied by hand, and in a browser nothing runs over the edge."""

import io
import re
import subprocess
import sys

import pytest
from built import CHROMIUM, SITE
from pypdf import PdfReader

ROOT = SITE.parents[1]

SLIDES = ROOT / "book" / "slides"
DECKS = sorted(page.stem for page in SLIDES.glob("*.md") if page.stem not in ("index", "README"))


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The decks, built anew, warnings being errors; no browser and no network is needed for it."""
    place = tmp_path_factory.mktemp("slides")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "revealjs", str(SLIDES), str(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return place


def slides_of(deck):
    """The texts of the slides of a deck."""
    return re.split(r"^## ", (SLIDES / f"{deck}.md").read_text(), flags=re.M)[1:]


def test_there_are_seven_decks_and_the_first_page_lists_them():
    assert len(DECKS) == 7
    index = (SLIDES / "index.md").read_text()
    assert all(f"\n{deck}\n" in index for deck in DECKS)


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_has_25_to_35_slides_that_come_from_the_chapters(deck):
    slides = slides_of(deck)
    assert 25 <= len(slides) + 1 <= 35  # with the first page
    taken = [slide for slide in slides if "{statement}" in slide or "{figure-of}" in slide]
    assert len(taken) >= 15
    labels = re.findall(r"\{(?:statement|figure-of)\} (\S+)", "".join(slides))
    assert len(labels) == len(set(labels)), "shown twice"


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_repeats_no_formula_of_a_statement_by_hand(deck):
    text = (SLIDES / f"{deck}.md").read_text()
    assert "$$" not in text and "{prf:" not in text and ".png" not in text


@pytest.mark.parametrize("deck", DECKS)
def test_every_statement_of_a_built_deck_is_that_of_its_chapter(decks, deck):
    page = (decks / f"{deck}.html").read_text()
    shown = set(re.findall(r'class="[^"]*statement', page))
    assert shown and page.count('<aside class="notes">') >= 15
    for label in re.findall(r"\{statement\} (\S+)", (SLIDES / f"{deck}.md").read_text()):
        assert f">{label}<" in page, "the notes say where it stands"


EDGES = """() => {
  const slide = Reveal.getCurrentSlide(), found = [];
  const shown = (e) => !e.closest('aside') && !e.closest('.katex-mathml') && !e.closest('svg');
  for (const e of [slide, ...slide.querySelectorAll('h1, h2, p, li, img, svg, .katex-display > .katex, .statement')]) {
    if (e.tagName.toLowerCase() !== 'svg' && !shown(e)) continue;
    const box = e.getBoundingClientRect();
    const over = box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    if (over && box.width) found.push(`${e.tagName}: ${Math.round(box.right)} x ${Math.round(box.bottom)}`);
  }
  for (const f of slide.querySelectorAll('.katex-display'))
    if (shown(f) && f.scrollWidth > f.clientWidth + 1) found.push('a formula is cut');
  const size = parseFloat(getComputedStyle(slide).fontSize);
  if (size < 15) found.push(`letters of ${size} pixels`);
  return found;
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("deck", DECKS)
def test_nothing_runs_over_the_edge_and_nothing_complains(decks, browser, deck):
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
    page.goto((decks / f"{deck}.html").as_uri())
    page.wait_for_function("document.documentElement.dataset.deck", timeout=60_000)
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count == len(slides_of(deck)) + 1
    over = {}
    for k in range(count):
        page.evaluate(f"Reveal.slide({k})")
        if found := page.evaluate(EDGES):
            over[page.evaluate("Reveal.getCurrentSlide().querySelector('h1, h2').textContent")] = found
    wrong = page.evaluate("[...document.querySelectorAll('.katex-error')].map(e => e.textContent)")
    context.close()
    assert (over, wrong, complaints) == ({}, [], [])


CUT = """() => [...document.querySelectorAll('.pdf-page')].flatMap((page) => {
  const sheet = page.getBoundingClientRect(), found = [];
  for (const e of page.querySelectorAll('h1, h2, p, li, img, svg, .katex-display > .katex, .statement')) {
    if (e.closest('aside') || e.closest('.katex-mathml') || e.parentElement.closest('svg')) continue;
    const box = e.getBoundingClientRect();
    const wide = box.left >= sheet.left - 1 && box.right <= sheet.right + 1;
    const inside = wide && box.top >= sheet.top - 1 && box.bottom <= sheet.bottom + 1;
    if (box.width && !inside) found.push(`${page.textContent.trim().slice(0, 30)}: ${e.tagName}`);
  }
  for (const f of page.querySelectorAll('.katex-display'))
    if (f.clientWidth && f.scrollWidth > f.clientWidth + 1) found.push('a formula is cut');
  return found;
})"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_prints_one_page_a_slide_with_all_that_is_on_it(decks, browser, deck):
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    page = context.new_page()
    page.goto((decks / f"{deck}.html").as_uri() + "?print-pdf")
    page.wait_for_function("document.documentElement.dataset.deck", timeout=60_000)
    cut = page.evaluate(CUT)
    titles = page.evaluate("[...document.querySelectorAll('h1, h2')].map(e => e.textContent)")
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    context.close()
    texts = ["".join(sheet.extract_text().split()) for sheet in printed.pages]
    assert cut == [] and len(texts) == len(titles) == len(slides_of(deck)) + 1
    for k, (title, text) in enumerate(zip(titles, texts, strict=True)):
        ligatures = text.replace("ﬁ", "fi").replace("ﬂ", "fl").replace("ﬀ", "ff")
        assert ligatures.startswith("".join(title.replace("¶", "").split())) and ligatures.endswith(str(k + 1))
        assert r"\(" not in text and r"\[" not in text, "a formula is not set"
