"""The PDF against the site: the same pages, numbers, statements and pictures, and nothing that did not come out."""

import html
import os
import re
import shutil
import tomllib
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import landing
import pdf
import pytest
import yaml
from built import SITE
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
BARE = re.compile(r"<[^>]+>")
KINDS = "Definition|Theorem|Lemma|Proposition|Corollary|Remark|Example|Algorithm|Assumption|Observation|Conjecture"
HEAD, FOOT = 780.0, 75.0  # points from below: running heads stand above the one, numbers of pages below the other
pytestmark = pytest.mark.skipif(
    shutil.which("latexmk") is None and "GITHUB_ACTIONS" not in os.environ, reason="no LaTeX on this machine"
)


class Thing(NamedTuple):
    """Words on a sheet, or a picture, which has none: height of the foot from below and size of letters, in points."""

    height: float
    size: float
    words: str


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
def sheets(book):
    """For every page its text, and the things on it."""
    found = []
    for page in book.pages:
        things = []

        def write(words, cm, tm, font, size, things=things):
            height = cm[1] * tm[4] + cm[3] * tm[5] + cm[5]
            things += [Thing(height, abs(size * tm[3] * cm[3]), words.strip())] * bool(words.strip())

        def draw(operator, arguments, cm, tm, things=things):
            things += [Thing(cm[5], 0.0, "")] * (operator == b"Do")

        found.append((page.extract_text(visitor_text=write, visitor_operand_before=draw), things))
    return found


@pytest.fixture(scope="module")
def text(sheets):
    return "\n".join(words for words, _ in sheets)


@pytest.fixture(scope="module")
def starts(site, book):
    """For every page of the site the number of the sheet on which it starts; at the end those of the index."""
    marks = [(letters(mark.title), book.get_destination_page_number(mark)) for mark in marked(book.outline)]
    order, place = {}, 0
    for name, page in [*site.items(), ("index", '<h1>Index<a class="headerlink')]:
        place = next(k for k in range(place, len(marks)) if marks[k][0] == letters(heading(page)))
        order[name] = marks[place][1]
    return order


@pytest.fixture(scope="module")
def parts(book):
    """The sheets that bear the title of a part, by number."""
    captions = tuple(part["caption"] for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"])
    marks = [mark for mark in book.outline if not isinstance(mark, list) and mark.title.endswith(captions)]
    assert len(marks) == len(captions)
    return {book.get_destination_page_number(mark) for mark in marks}


@pytest.fixture(scope="module")
def chapters(sheets, starts, parts):
    """For every page of the site what is printed on the sheets from its start up to that of the next page."""
    found, places = {}, [*starts.values(), len(sheets)]
    for name, start, end in zip(starts, places, places[1:], strict=False):
        found[name] = "\n".join(sheets[k][0] for k in range(start, max(start + 1, end)) if k not in parts)
    return found


@pytest.fixture(scope="module")
def labels():
    """What LaTeX numbered: label -> number, without the name of the page."""
    found = re.findall(r"\\newlabel\{([^}]*)\}\{\{([\d.]*)\}", pdf.PDF.with_suffix(".aux").read_text())
    return dict(found)


def marked(outline):
    """Every bookmark, in order."""
    for entry in outline:
        if isinstance(entry, list):
            yield from marked(entry)
        else:
            yield entry


def plain(fragment):
    return " ".join(html.unescape(BARE.sub("", fragment)).split())


def heading(page):
    """The title of a page of the site."""
    return plain(re.search(r'<h1>((?:(?!<h1>).)*?)<a class="headerlink', page, re.S)[1])


def letters(words):
    """Text without spaces and signs, which a bookmark and a page may set differently."""
    return re.sub(r"[\W_]+", "", re.sub(r"\\[a-z]+", "", words))


def ascii_letters(words):
    """The same, a formula's letters as plain ones."""
    return re.sub("[^A-Za-z0-9]+", "", letters(unicodedata.normalize("NFKC", words.replace(r"\ell", "l"))))


def test_every_page_of_the_site_has_its_bookmark_in_order(site, book):
    marks = iter([letters(mark.title) for mark in marked(book.outline)])
    for name, page in site.items():
        assert letters(heading(page)) in marks, f"{name}: no bookmark {heading(page)!r} after those of the pages before"


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


def test_exercises_are_named_as_often_and_with_the_numbers_as_on_the_site(site, chapters):
    named, seen = re.compile(r"Exercise\s+(\d+\.\d+)"), 0
    for name, page in site.items():
        article = plain(page[page.index("<article") : page.index("</article>")])
        assert Counter(named.findall(chapters[name])) == Counter(named.findall(article)), name
        seen += len(named.findall(article))
    assert seen > 300


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
    images = [
        address for page in site.values() for address in re.findall(r'<img [^>]*src="([^"]*_images/[^"]*)"', page)
    ]
    vector = sum(address.endswith("-light.svg") for address in images)
    stored = len(images) - 2 * vector
    assert vector > 0
    if shutil.which("rsvg-convert") is None:
        vector, stored = 0, vector + stored
    kinds = Counter()
    for page in book.pages:
        objects = page["/Resources"].get("/XObject", {})
        kinds.update(objects[key]["/Subtype"] for key in objects)
    assert (kinds["/Form"], kinds["/Image"]) == (vector, stored)


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


def test_what_is_held_is_counted_once(site, text):
    counted = re.compile(r"checked: \d+ statements?")
    assert Counter(counted.findall(" ".join(text.split()))) == Counter(counted.findall("".join(site.values())))


def test_parts_are_numbered_from_the_first_one_on_and_only_where_chapters_are():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    listed = pdf.PDF.with_suffix(".toc").read_text()
    found = re.findall(r"\\contentsline \{part\}\{(?:([IVX]+)\\hspace \{1em\})?([^}]*)\}", listed)
    numbers = iter(["I", "II", "III", "IV", "V", "VI", "VII", "VIII"])
    assert found == [(next(numbers) if part.get("numbered") else "", part["caption"]) for part in toc]


def test_numbers_of_pages_are_roman_up_to_the_first_part(book, sheets, starts, parts):
    first = min(parts)
    assert starts["chapters/preface"] < first < starts["chapters/linear_networks"]
    assert book.page_labels[first] == "1" and all(re.fullmatch("[ivxl]+", label) for label in book.page_labels[1:first])
    for label, (_, things) in list(zip(book.page_labels, sheets, strict=True))[1:]:
        assert label in [thing.words for thing in things if thing.height < FOOT], label


def test_running_heads_name_chapter_and_section(site, sheets, starts, parts):
    seen = 0
    for name, start in starts.items():
        if name == "index" or (name.startswith("book/api/") and name != "book/api/index"):
            continue  # pages of the API are sections of the chapter "The package"
        chapter = ascii_letters(heading(site[name]))
        sections = [
            ascii_letters(plain(title)) for title in re.findall(r"<h2>(.*?)<a class=\"headerlink", site[name], re.S)
        ]
        sections += [ascii_letters(heading(page)) for other, page in site.items() if name == "book/api/index" != other]
        for number in range(start + 1, len(sheets)):
            head = ascii_letters("".join(thing.words for thing in sheets[number][1] if thing.height > HEAD))
            if not head:  # the next chapter, or part, starts here
                break
            assert head.startswith(chapter), f"page {number + 1}: {head}"
            assert head[len(chapter) :] in ["", "Solutions", *sections], f"page {number + 1}: {head}"
            seen += 1
    assert seen > len(sheets) / 2


def test_the_index_lists_the_terms_of_the_glossary_and_the_statements(site, chapters):
    index = letters(chapters["index"]).lower()
    terms = re.findall(r'<dt id="term-[^"]*">(.*?)<a', site["chapters/glossary"], re.S)
    titles = re.findall(
        rf'<span class="caption-number">(?:{KINDS}) [\d.]+ *</span> \((.*?)\)</p>', "".join(site.values())
    )
    named = [re.sub("^(?:The|An?) ", "", plain(title)) for title in titles if "<" not in title]
    assert len(terms) > 30 < len(named)
    for entry in [*map(plain, terms), *named]:
        assert letters(entry).lower() in index, entry


def test_no_page_is_less_than_half_full(book, sheets, parts):
    """But for the title page, those of parts, and ends of chapters."""
    middle = book.pages[0].mediabox.height / 2
    for number, (words, things) in enumerate(sheets[:-1]):
        ends = not any(thing.height > HEAD for thing in sheets[number + 1][1])  # a chapter starts without running head
        lowest = min(thing.height for thing in things if thing.height > FOOT)
        assert lowest < middle or ends or number in {0, *parts}, f"page {number + 1}: {words[:80]}"


def test_no_page_ends_with_a_heading(sheets, parts):
    for number, (_, things) in enumerate(sheets):
        last = min(thing for thing in things if thing.height > FOOT)
        heading = last.size > 11 or last.words in ("Parameters", "Returns", "Raises", "Attributes", "Notes")
        assert not heading or number in parts, f"page {number + 1}: {last.words}"


def test_the_title_page_says_who_when_how_to_cite_and_under_which_licences(book, sheets):
    source = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first = " ".join(sheets[0][0].split())
    for said in (f"Version {project['version']}", f"{source['date-released']:%d %B %Y}".lstrip("0"), "CC BY 4.0",
                 project["license"], source["authors"][0]["name"], landing.cited()):  # fmt: skip
        assert letters(said) in letters(first), said
    assert book.metadata.title == "Linear neural networks"


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (r"Overfull \hbox (2.5pt too wide) in paragraph at lines 1--2", 0),
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
