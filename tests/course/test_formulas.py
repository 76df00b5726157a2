"""Pages of feedback and handouts show their formulas on a machine without a network."""

import re
import shutil

import formulas
import pytest
import small_course
from nbformat.v4 import new_markdown_cell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The feedback on a notebook with formulas."""
    course = small_course.make(tmp_path_factory.mktemp("course"))
    notebook = small_course.filled(
        course, proof=r"As $2 \cdot x = x + x$ and $$\sum_{k=1}^2 x = 2x ,$$ it is. A price: 5 dollars."
    )
    notebook.cells.append(new_markdown_cell("`$not$` a formula"))
    small_course.hand_in(course, "ada", notebook)
    assert small_course.grade(course) == 0
    return small_course.page(course, "ada")


def test_a_page_of_feedback_asks_nobody_for_anything(page):
    text = page.read_text()
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text) and "cdnjs" not in text
    assert text.count("katex.render(") == 1 and text.count("data:font/woff2") >= 10


def test_a_page_stays_small_enough_for_a_mail(page):
    assert page.stat().st_size < 2_000_000


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_the_formulas_are_set_without_a_network(page):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chromium.new_context(offline=True)
        tab, complaints = context.new_page(), []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("requestfailed", lambda request: complaints.append(request.url))
        tab.goto(page.as_uri())
        tab.wait_for_function("document.documentElement.dataset.formulas")
        assert tab.locator(".katex-display").count() == 1 and tab.locator(".katex").count() == 2
        assert tab.locator(".katex-error").count() == 0 and complaints == []
        assert "$not$" in tab.locator("code", has_text="not").first.inner_text()
        chromium.close()


def test_a_page_with_a_script_from_elsewhere_loses_it():
    foreign = '<script src="https://cdn.example/MathJax.js"></script><script>window.MathJax = {};</script>'
    head = f"<head>{foreign}<script>keep()</script>"
    cleaned = formulas.offline(f"{head}</head><body></body>").replace(formulas.header(), "")
    assert "example" not in cleaned and "MathJax" not in cleaned and "keep()" in cleaned
