"""The PDF against the site: the same pages, numbers, statements and pictures, and nothing that did not come out."""

import html
import os
import re
import shutil
from pathlib import Path

import pdf
import pytest
import yaml
from built import SITE
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
BARE = re.compile(r"<[^>]+>")
KINDS = "Definition|Theorem|Lemma|Proposition|Corollary|Remark|Example|Algorithm|Assumption|Observation|Conjecture"
pytestmark = pytest.mark.skipif(
    shutil.which("latexmk") is None and "GITHUB_ACTIONS" not in os.environ, reason="no LaTeX on this machine"
)


def files(entries):
    """All pages below entries of the table of contents, in its order."""
    for entry in entries:
        if "file" in entry:
            yield entry["file"]
        yield from files([part for key in ("parts", "chapters", "sections") for part in entry.get(key, [])])


@pytest.fixture(scope="module")
def site():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return {name: (SITE / f"{name}.html").read_text() for name in [toc["root"], *files([toc])]}


@pytest.fixture(scope="module")
def book():
    newest = max(page.stat().st_mtime for page in (ROOT / "chapters").glob("*.ipynb"))
    if not pdf.PDF.exists() or pdf.PDF.stat().st_mtime < newest:
        pytest.fail("the PDF is missing or older than the pages: run `make pdf` (or `make test`, which does)")
    return PdfReader(pdf.PDF)


@pytest.fixture(scope="module")
def text(book):
    return "\n".join(page.extract_text() for page in book.pages)


@pytest.fixture(scope="module")
def labels():
    """What LaTeX numbered: label -> number, without the name of the page."""
    found = re.findall(r"\\newlabel\{([^}]*)\}\{\{([\d.]*)\}", pdf.PDF.with_suffix(".aux").read_text())
    return dict(found)


def titles(outline):
    """Every bookmark, in order."""
    for entry in outline:
        if isinstance(entry, list):
            yield from titles(entry)
        else:
            yield entry.title


def plain(fragment):
    return " ".join(html.unescape(BARE.sub("", fragment)).split())


def letters(words):
    """Text without spaces and signs, which a bookmark and a page may set differently."""
    return re.sub(r"[\W_]+", "", re.sub(r"\\[a-z]+", "", words))


def test_every_page_of_the_site_has_its_bookmark_in_order(site, book):
    marks = iter([letters(title) for title in titles(book.outline)])
    for name, page in site.items():
        heading = plain(re.search(r'<h1>((?:(?!<h1>).)*?)<a class="headerlink', page, re.S)[1])
        assert letters(heading) in marks, f"{name}: no bookmark {heading!r} after those of the pages before"


def test_sections_have_the_numbers_of_the_site(site, labels):
    seen = 0
    for name, page in site.items():
        for key, number in re.findall(r'<section[^>]* id="([^"]+)">\s*(?:<span[^>]*></span>\s*)*<h\d><span '
                                      r'class="section-number">([\d.]+)\. *</span>', page):  # fmt: skip
            assert labels[f"{name}:{key}"] == number, f"{name}: {key}"
            seen += 1
    assert seen > len(site)


def test_figures_have_the_numbers_of_the_site(site, labels):
    seen = 0
    for name, page in site.items():
        figures = re.findall(r'<figure[^>]* id="([^"]+)".*?class="caption-number">Fig\. ([\d.]+)', page, re.S)
        for key, number in figures:
            assert labels[f"{name}:{key}"] == number, f"{name}: {key}"
        seen += len(figures)
    assert seen > len(site)


def test_equations_have_the_numbers_of_the_site(site, labels):
    seen = 0
    for name, page in site.items():
        for key, number in re.findall(r'id="equation-([^"]+)">\s*<span class="eqno">\(([\d.]+)\)?', page):
            assert labels[f"equation:{name}:{key}"] == number, f"{name}: {key}"
            seen += 1
    assert seen > len(site)


def test_statements_and_exercises_stand_in_the_order_and_with_the_numbers_of_the_site(site, text):
    numbered = rf'class="admonition-title"[^>]*><span class="caption-number">((?:{KINDS}|Exercise) [\d.]+)'
    printed = re.findall(rf"^((?:{KINDS}|Exercise) [\d.]+\d)(?: \(|\.?$)", text, re.M)
    for name, page in site.items():
        wanted = re.findall(numbered, page)
        found = [label for label in dict.fromkeys(printed) if label in wanted]
        assert found == wanted, name


def test_solutions_are_gathered_at_the_end_of_each_chapter(site, text):
    for name, page in site.items():
        solved = re.findall(r"Solution to<a[^>]*> (Exercise [\d.]+)", page)
        places = [text.find(f"Solution to {exercise}") for exercise in solved]
        assert -1 not in places, f"{name}: {solved[places.index(-1)]}"
        if solved:
            last = max(text.find(f"\n{exercise} (") for exercise in re.findall(r"Exercise [\d.]+\d", plain(page)))
            assert last < min(places), name


def test_every_proof_is_open(site, text):
    proofs = sum(len(re.findall(r'admonition-title">Proof', page)) for page in site.values())
    assert len(re.findall(r"^Proof\b", text, re.M)) >= proofs > 0


def test_every_picture_of_the_site_is_printed(site, book):
    wanted = sum(len(re.findall(r'<img [^>]*src="[./]*_images/', page)) for page in site.values())
    pictures = 0
    for page in book.pages:
        objects = page["/Resources"].get("/XObject", {})
        pictures += sum(objects[key]["/Subtype"] == "/Image" for key in objects)
    assert pictures == wanted


def test_every_link_within_the_book_leads_somewhere(book):
    names, links = set(book.named_destinations), []
    for page in book.pages:
        actions = [note.get_object().get("/A", {}) for note in page.get("/Annots", [])]
        links += [action["/D"] for action in actions if action.get("/S") == "/GoTo"]
    assert len(links) > len(book.pages)
    assert not set(links) - names


def test_nothing_is_unresolved_or_missing(text):
    assert "??" not in text
    assert "\ufffd" not in text
    assert not pdf.complaints(pdf.PDF.with_suffix(".log").read_text(errors="replace"))


def test_the_title_page_says_who_when_and_under_which_licence(book):
    source = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    first = " ".join(book.pages[0].extract_text().split())
    assert source["version"] in first and f"{source['date-released']:%Y}" in first and "CC BY 4.0" in first
    assert book.metadata.title == "Linear neural networks"


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (r"Overfull \hbox (3.5pt too wide) in paragraph at lines 1--2", 0),
        (r"Overfull \hbox (33.0pt too wide) in paragraph at lines 1--2", 1),
        ("Missing character: There is no x in font y!", 1),
        ("LaTeX Warning: Hyper reference `chapters/x:y' on page 4 undefined on input line 5.", 1),
        ("LaTeX Warning: Reference `equation:x' on page 4 undefined on input line 5.", 1),
        ("LaTeX Font Warning: Some font shapes were not available.", 0),
    ],
)
def test_a_log_is_read_for_what_the_reader_would_see(line, counts):
    assert len(pdf.complaints(f"first\n{line}\nlast")) == counts


def test_without_latex_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    assert pdf.main() == 1
    assert "apt-get install" in capsys.readouterr().err
