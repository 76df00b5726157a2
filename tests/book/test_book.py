"""The pages: notebooks that agree with their text, everything executed, everything linked, nothing left over."""

import json
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import notebooks
import pytest
import repository
import yaml
from built import SITE

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
PAGES = sorted(CHAPTERS.glob("*.md"))
NAMES = [page.stem for page in PAGES]


def cells(name, kind):
    notebook = nbformat.read(CHAPTERS / f"{name}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def toc():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [contents["root"]]
    for part in contents["parts"]:
        files += [chapter["file"] for chapter in part["chapters"]]
    return [name for name in files if name.startswith("chapters/")]


def test_every_page_is_in_the_table_of_contents_once():
    assert sorted(toc()) == [f"chapters/{name}" for name in NAMES]
    assert sorted(path.stem for path in CHAPTERS.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_notebook_and_text_agree_and_every_cell_was_executed_in_order(page):
    assert notebooks.agrees(page), f"{page.name} has changed since its notebook was executed: run `make notebooks`"


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_printed_a_warning_or_an_error(name):
    for cell in cells(name, "code"):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\nprinted\n{output.text}"
            assert "Warning" not in output.get("text", ""), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_at_most_a_twentieth_of_the_cells_escapes_the_comparison_of_outputs(name):
    code = cells(name, "code")
    escaping = [c for c in code if any("NBVAL_IGNORE_OUTPUT" in line for line in c.source.splitlines())]
    assert len(escaping) <= 0.05 * len(code)
    assert not any("NBVAL_SKIP" in cell.source for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_enough_to_read(name):
    for cell in cells(name, "code"):
        lines = cell.source.splitlines()
        assert len(lines) <= 20, f"{len(lines)} lines:\n{cell.source}"
        if "claims" not in cell.metadata.get("tags", []):  # these are folded, and carry whole sentences of the page
            assert max(map(len, lines), default=0) <= 88, cell.source


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_caption_a_name_and_an_alternative_text_and_is_small(name):
    for cell in cells(name, "code"):
        pictures = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
        for picture in pictures:
            assert len(picture) * 3 / 4 < 150_000, cell.source
        if pictures:
            shown = cell.metadata.get("mystnb", {})
            assert len(shown.get("image", {}).get("alt", "")) > 20, f"no alternative text:\n{cell.source}"
            assert shown.get("figure", {}).get("caption"), f"no caption:\n{cell.source}"
            assert shown.get("figure", {}).get("name", "").startswith("fig-"), cell.source


def test_labels_are_unique_and_have_no_colon():
    labels = Counter()
    for page in PAGES:
        labels.update(re.findall(r"^:label: *(\S+)", page.read_text(), re.M))
        labels.update(re.findall(r"^\$\$ *\((\S+?)\)", page.read_text(), re.M))
    assert not [label for label, count in labels.items() if count > 1]
    assert not [label for label in labels if ":" in label]


def test_every_citation_resolves_and_every_entry_of_the_bibliography_has_a_place_to_read_it():
    entries = dict(re.findall(r"^@\w+\{(\w+),(.*?)^\}", (ROOT / "book" / "references.bib").read_text(), re.M | re.S))
    for page in PAGES:
        for group in re.findall(r"\{cite(?::\w)?\}`([^`]+)`", page.read_text()):
            for key in group.split(","):
                assert key.strip() in entries, f"{page.name} cites {key}"
    for key, fields in entries.items():
        assert re.search(r"^\s*(doi|url|howpublished|booktitle|journal) =", fields, re.M), key


def test_no_page_proves_in_a_dropdown_that_breaks_the_toggles():
    for page in PAGES:
        assert not re.search(r"\{prf:proof\}[^\n]*\n:class:[^\n]*dropdown", page.read_text()), page.name


def test_every_exercise_has_a_solution():
    for page in PAGES:
        text = page.read_text()
        exercises = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n:label: *(\S+)", text)
        solutions = re.findall(r"\{solution(?:-start)?\} *(\S+)", text)
        assert exercises == solutions, page.name


def test_no_large_file_and_no_path_of_a_machine_is_committed():
    listed = repository.git("ls-files", "-z")
    if not listed:
        pytest.skip("no git, or no repository: nobody knows what is committed")
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.exists():
            continue
        assert path.stat().st_size < 1_000_000, f"{name} is larger than 1 MB"
        if path.suffix in {".md", ".ipynb", ".py", ".yml", ".toml", ".txt", ".cfg"}:
            found = re.findall(r"(?<![\w.])/(?:home|root|Users|work)/\w+", path.read_text(encoding="utf-8"))
            assert not found, f"{name} names {found[0]}"


# What follows reads the built pages.


class Page(HTMLParser):
    """Ids, links, images and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.images, self.text = [], [], [], []
        self.hidden = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag == "img":
            self.images.append(attributes)
        classes = attributes.get("class") or ""
        if tag in {"script", "style", "pre", "code"} or "math" in classes.split():
            self.hidden.append(tag)
        elif self.hidden and tag == self.hidden[-1]:
            self.hidden.append(tag)

    def handle_endtag(self, tag):
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


@pytest.fixture(scope="module")
def site():
    built = max((path.stat().st_mtime for path in SITE.rglob("*.html")), default=0.0)
    newest = max(path.stat().st_mtime for path in CHAPTERS.glob("*.ipynb"))
    pages = {path.stem: Page(path.read_text()) for path in SITE.glob("chapters/*.html")}
    if built < newest:
        pytest.fail("the built book is missing or older than its pages: run `make book` (or `make test`, which does)")
    return pages


def test_every_page_was_built(site):
    assert set(NAMES) <= set(site)


def test_no_markup_is_left_over_in_the_text(site):
    for name, page in site.items():
        text = "".join(page.text)
        for leftover in (
            "{eq}",
            "{prf:",
            "{cite",
            "{num",
            "{doc}",
            "{ref}",
            "$$",
            ":label:",
            "```",
            ":class:",
            r"\begin",
        ):
            assert leftover not in text, f"{name}: …{text[text.find(leftover) - 60 : text.find(leftover) + 60]}…"
        stray = re.search(r".{0,40}(?<![\w\\])\$[^$\n]{1,80}\$.{0,20}", text)
        assert not stray, f"{name}: {stray[0]}"


def test_no_image_without_an_alternative_text(site):
    for name, page in site.items():
        for image in page.images:
            assert (image.get("alt") or "").strip(), f"{name}: {image.get('src')}"


def test_no_id_stands_twice_on_a_page(site):
    for name, page in site.items():
        twice = [key for key, count in Counter(page.ids).items() if count > 1]
        assert not twice, f"{name}: {twice}"


def test_no_internal_link_is_dead(site):
    anchors = cache(lambda path: set(Page(path.read_text(encoding="utf-8")).ids))  # each page is read once
    for name, page in site.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link) or link.startswith("//"):
                continue
            target, _, anchor = link.partition("#")
            path = (SITE / "chapters" / target).resolve() if target else SITE / "chapters" / f"{name}.html"
            assert path.exists(), f"{name} links to {link}"
            if anchor and path.suffix == ".html":
                assert anchor in anchors(path), f"{name} links to {link}"


def test_no_page_loads_anything_from_outside(site):
    for path in SITE.glob("chapters/*.html"):
        loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"((?:https?:)?//[^\"]+)", path.read_text())
        assert not loaded, f"{path.name}: {loaded}"


def test_the_stored_notebooks_hold_no_widget_state_and_no_timing():
    for name in NAMES:
        raw = json.loads((CHAPTERS / f"{name}.ipynb").read_text())
        assert "widgets" not in raw["metadata"] and "language_info" not in raw["metadata"]
        assert not any("execution" in cell["metadata"] for cell in raw["cells"])
