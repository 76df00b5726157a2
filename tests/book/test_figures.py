"""Figures: the drawings that the site shows, against the pictures that the notebooks store."""

import base64
import io

import drawings
import figures
import numpy as np
import pytest
from built import CHROMIUM, SITE
from PIL import Image
from test_browser import open_page
from test_interactive import contrast

PAGES = sorted((SITE.parents[1] / "chapters").glob("*.ipynb"))
PAGE = "chapters/balancedness.html"
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def test_every_picture_has_its_drawing_and_every_drawing_its_picture():
    wanted = set().union(*map(drawings.pictures, PAGES))
    assert {path.stem for path in drawings.FOLDER.iterdir()} == wanted, "execute the pages anew that lack one"
    assert max(path.stat().st_size for path in drawings.FOLDER.iterdir()) < 500_000


def ink(image):
    """How dark a picture is, on squares of 16 pixels."""
    small = image.convert("L").resize([n // 16 for n in image.size], Image.Resampling.BOX)
    return 255 - np.asarray(small, dtype=float)


@in_browser
@pytest.mark.parametrize("page", [page for page in PAGES if drawings.pictures(page)], ids=lambda page: page.stem)
def test_a_drawing_shows_what_the_picture_shows(browser, page):
    tab, others = browser.new_page(), []
    for name, png in drawings.pictures(page).items():
        picture = Image.open(io.BytesIO(base64.b64decode(png)))
        width, height = picture.size
        tab.set_viewport_size({"width": width, "height": height})
        drawing = (drawings.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
        style = f"body {{ margin: 0 }} svg {{ display: block; width: {width}px; height: {height}px }}"
        tab.set_content(f"<style>{style}</style>{drawing}")
        seen, wanted = ink(Image.open(io.BytesIO(tab.screenshot()))), ink(picture)
        # The layout moves by a pixel or two, as the two ways of drawing measure letters a little differently.
        assert np.abs(seen - wanted).sum() < 0.5 * wanted.sum(), name
        others += [wanted]
        if len(others) > 1 and others[-2].shape == seen.shape:
            assert np.abs(seen - others[-2]).sum() > 0.5 * others[-2].sum(), "another picture would pass"
    tab.close()


def test_on_dark_pages_all_can_be_seen_and_colours_keep_their_names():
    paper = "#{:02x}{:02x}{:02x}".format(*figures.PAPER)
    for colour in ("#000000", "#0072b2", "#440154", "#5c4ac7", "#808080", "#d55e00"):
        assert contrast(figures.night(colour), paper) >= figures.LEAST, colour
    assert figures.night("#d55e00") == "#d55e00"
    assert figures.dark('style="fill: #ffffff; stroke: #000000"') == 'style="fill: #121212; stroke: #ced6dd"'


@in_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_shows_the_drawing_of_its_theme_without_a_card_and_a_click_enlarges_it(browser, address, theme):
    page, complaints = open_page(browser, address, PAGE, 390, color_scheme=theme)
    image = page.locator("figure img:visible").first
    assert image.get_attribute("src").endswith(f"-{theme}.svg")
    assert image.evaluate("e => [getComputedStyle(e).filter, getComputedStyle(e).backgroundColor]") == [
        "none", "rgba(0, 0, 0, 0)"
    ]  # fmt: skip
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if theme == "light" else "rgb({}, {}, {})".format(*figures.PAPER))
    assert page.locator("figure figcaption:visible").count() == page.locator("figure:visible:has(a.vector)").count() > 5
    image.scroll_into_view_if_needed()
    assert image.evaluate("e => e.decode().then(() => e.naturalWidth > 0)")
    page.locator("figure a:visible").first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Figure, enlarged")
    large = box.locator("img")
    assert large.bounding_box()["width"] >= int(large.get_attribute("width")) > 390
    page.keyboard.press("Escape")
    assert page.locator("dialog.enlarged").count() == 0
    assert complaints == []
    page.context.close()
