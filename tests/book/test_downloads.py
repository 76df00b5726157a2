"""What a reader can take along: the zip of the notebooks, and links that are drawn only when they lead somewhere."""

import html
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import downloads
import nbformat
import plain
import pytest
import sitenames
from built import SITE
from nbclient import NotebookClient
from nbconvert.filters import markdown2html

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
PAGE = '<footer>Text.<span class="downloads"></span></footer>'


@pytest.fixture(scope="module")
def names():
    if not (SITE / "notebooks").exists():
        pytest.fail("the built book is missing: run `make book` (or `make test`, which does)")
    return sitenames.read(SITE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("zip") / "notebooks.zip"
    downloads.bundle(path, sitenames.read(SITE))
    return path


@pytest.fixture(scope="module")
def copies(archive):
    """The notebooks in the zip, by their names."""
    with zipfile.ZipFile(archive) as opened:
        texts = {page.stem: opened.read(f"{downloads.NAME}/chapters/{page.name}") for page in CHAPTERS}
    return {name: nbformat.reads(text.decode(), as_version=4) for name, text in texts.items()}


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.fixture
def site(tmp_path, monkeypatch, names):
    monkeypatch.setattr(sitenames, "read", lambda site: names)  # this one has none
    (tmp_path / "site" / "chapters").mkdir(parents=True)
    for name in ("chapters/one.html", "search.html", "404.html"):
        (tmp_path / "site" / name).write_text(PAGE)
    return tmp_path / "site"


def test_the_zip_has_the_same_bytes_every_time(archive, tmp_path):
    downloads.bundle(tmp_path / "again.zip", sitenames.read(SITE))
    assert archive.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_the_zip_holds_every_notebook_and_how_to_start(archive):
    names = zipfile.ZipFile(archive).namelist()
    for page in CHAPTERS:
        assert f"{downloads.NAME}/chapters/{page.name}" in names
    assert {f"{downloads.NAME}/{name}" for name in ("START-HERE.txt", "LICENSE", "pyproject.toml")} <= set(names)
    assert not [name for name in names if "__pycache__" in name or ".venv" in name]


def test_the_package_in_the_zip_is_whole(archive, tmp_path):
    zipfile.ZipFile(archive).extractall(tmp_path)
    code = "import lnn.draw.plots, lnn.symbolic, matplotlib.style as s; s.use('lnn.lnn'); lnn.datasets.auto_mpg()"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; print(lnn.__file__)"],
        cwd=tmp_path / downloads.NAME,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / downloads.NAME), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert str(tmp_path) in ran.stdout


RAW = re.compile(
    r"^ *(?:`{3,}|:{3,})\{|(?<!`)\{[\w:]+\}`|^ *:(?:label|class|pyobject|name):|\$\$ \([\w-]+\)$|^\([\w-]+\)=$", re.M
)


def test_what_is_sought_in_the_copies_is_in_the_chapters():
    found = " ".join(RAW.findall("\n\n".join(prose(nbformat.read(page, as_version=4)) for page in CHAPTERS)))
    for sign in ("```{", "````{", "{cite}`", "{prf:ref}`", ":pyobject:", ":label:", "$$ (", ")="):
        assert sign in found


def test_no_copy_shows_what_only_the_tools_of_this_book_understand(copies):
    on_site = {path.name: nbformat.read(path, as_version=4) for path in SITE.glob("notebooks/*.ipynb")}
    assert on_site
    for name, notebook in (copies | on_site).items():
        nbformat.validate(notebook)
        assert not RAW.findall(prose(notebook)), name


def bare(text):
    """Words and formulas of a title, however they are marked up."""
    text = html.unescape(re.sub(r"<[^>]+>", "", text)).translate(str.maketrans("’“”", '\'""'))
    return " ".join(re.sub(r"\\\(|\\\)|[$*]", "", text).split())


@pytest.mark.parametrize("name", [page.stem for page in CHAPTERS])
def test_statements_formulas_and_figures_are_called_as_on_the_site(copies, name):
    built, copy = (SITE / "chapters" / f"{name}.html").read_text(), prose(copies[name])
    boxes = re.findall(
        r'class="(?:proof \w+|exercise) admonition".*?<p class="admonition-title">(.*?)</p>', built, re.S
    )
    kinds = "Theorem|Lemma|Definition|Proposition|Corollary|Remark|Example|Conjecture|Exercise"
    shown = re.findall(rf"^\*\*((?:{kinds}) \d.*)\.\*\*$", copy, re.M)
    assert [bare(heading) for heading in shown] == [bare(box) for box in boxes]
    assert re.findall(r"\\tag\{(.*)\}", copy) == re.findall(r'class="eqno">\(([^<]*)\)', built)
    figures = re.findall(r'<figcaption>\s*<p><span class="caption-number">(Fig. [\d.]+) ', built)
    assert re.findall(r"^\*\*(Fig. [\d.]+)\.\*\* \S", copy, re.M) == figures


def test_the_copies_run_the_same_code_and_show_the_same_outputs(copies):
    for page in CHAPTERS:
        pair = nbformat.read(page, as_version=4), copies[page.stem]
        one, other = ([cell for cell in book.cells if cell.cell_type == "code"] for book in pair)
        assert [(c.id, c.source, c.outputs) for c in one] == [(c.id, c.source, c.outputs) for c in other]


def test_the_copies_on_the_site_run_the_same_code():
    for path in SITE.glob("notebooks/*.ipynb"):
        copy, page = (nbformat.read(file, as_version=4) for file in (path, ROOT / "chapters" / path.name))
        one, other = ([c.source for c in book.cells if c.cell_type == "code"] for book in (page, copy))
        assert one == [source for source in other if "find_spec" not in source], path.name


def test_a_copy_runs_from_its_first_cell(copies, tmp_path):
    notebook = nbformat.from_dict(copies["balancedness"])
    last = next(k for k, cell in enumerate(notebook.cells) if "balance.flow_rates" in cell.source)
    shown = notebook.cells[last].outputs
    notebook.cells = notebook.cells[: last + 1]
    ran = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert ran.cells[last].outputs == shown != []


def test_a_plain_renderer_shows_a_statement_its_proof_and_what_is_cited(copies):
    cells = [cell.source for cell in copies["balancedness"].cells if "Conservation of balancedness" in cell.source]
    shown = markdown2html(cells[0])
    assert re.search(r"<strong>Theorem 2\.\d+ \(Conservation of balancedness\)\.</strong>", shown)
    assert re.search(r"<details>\s*<summary><b>Proof</b></summary>\s*<p>Insert", shown)
    assert '(<a href="https://arxiv.org/abs/1802.06509">Arora et al., 2018</a>)' in shown
    assert re.search(
        r'<a href="(linear_networks\.ipynb|http[^"]*linear_networks\.html#lem-gradient)">Lemma 1\.\d+</a>', shown
    )


def test_source_is_quoted_as_code(copies):
    text = prose(copies["balancedness"])
    assert "```python\n# lnn/symbolic/balance.py\ndef layer_gradients(" in text


def test_solutions_are_named_and_over_several_cells_folded_in_each(copies):
    for name, notebook in copies.items():
        for cell in notebook.cells:
            folds = re.findall(r"</?details>", cell.source) if cell.cell_type == "markdown" else []
            assert folds == ["<details>", "</details>"] * (len(folds) // 2), (name, cell.id)
    assert "Solution, continued" in prose(copies["acceleration"])
    for page in CHAPTERS:
        typed = prose(nbformat.read(page, as_version=4)).count("{solution-start}")
        assert len(re.findall(r"(?:<b>|\*\*)Solution to Exercise [\d.]+", prose(copies[page.stem]))) == typed


def test_references_lead_to_the_site_where_its_address_is_known_and_to_notebooks_that_are_there(names):
    text = "{prf:ref}`prop-conservation`, {eq}`eq-gradient`, {ref}`here <ex-balancedness-2>`"
    statement, equation = names.parts["prop-conservation"][0], names.parts["eq-gradient"][0]
    writer = plain.Writer(names, "balancedness", "https://example.org/", set())
    assert writer.write(text) == (
        f"[{statement}](https://example.org/chapters/balancedness.html#prop-conservation), "
        f"[{equation}](https://example.org/chapters/linear_networks.html#equation-eq-gradient), "
        "[here](https://example.org/chapters/balancedness.html#ex-balancedness-2)"
    )
    writer = plain.Writer(names, "balancedness", None, {"balancedness", "linear_networks"})
    assert writer.write(text) == f"{statement}, [{equation}](linear_networks.ipynb), here"


def test_a_plain_copy_stays_as_it_is(copies, names):
    beside = {page.stem for page in CHAPTERS}
    for name, copy in copies.items():
        assert plain.convert(copy, plain.Writer(names, name, None, beside)) == copy, name


@pytest.mark.parametrize("text", ["{doc}`nowhere`", "{cite}`Nobody99`", "{unknown}`x`", "```{unknown} x\n```"])
def test_what_has_no_plain_form_is_an_error(names, text):
    with pytest.raises((KeyError, ValueError)):
        plain.Writer(names, "preface", None, set()).write(text)


def test_links_are_drawn_for_what_is_there_and_lead_there_from_every_depth(site, tmp_path):
    there = tmp_path / "site" / "book.pdf"
    there.write_bytes(b"x" * 2_500_000)
    downloads.offer(site, {"the book as a PDF": there})
    assert '<a href="../book.pdf">the book as a PDF</a> (2.5 MB)' in (site / "chapters/one.html").read_text()
    assert '<a href="book.pdf">' in (site / "search.html").read_text()
    assert "href" not in (site / "404.html").read_text()


def test_a_link_goes_away_with_its_file(site, tmp_path, monkeypatch):
    printed = tmp_path / "book.pdf"
    printed.write_bytes(b"x")
    monkeypatch.setattr(downloads, "PDF", printed)
    downloads.main(site)
    assert "book.pdf" in (site / "chapters/one.html").read_text()
    assert (site / "book.pdf").exists()
    printed.unlink()
    downloads.main(site)
    text = (site / "chapters/one.html").read_text()
    assert "book.pdf" not in text and "-notebooks.zip" in text
    assert not (site / "book.pdf").exists()


def test_a_pdf_older_than_the_notebooks_is_not_offered(site, tmp_path, monkeypatch):
    printed = tmp_path / "book.pdf"
    printed.write_bytes(b"x")
    os.utime(printed, (0, 0))
    monkeypatch.setattr(downloads, "PDF", printed)
    downloads.main(site)
    assert "book.pdf" not in (site / "chapters/one.html").read_text()


def test_slides_are_offered_if_they_were_made_from_these_notebooks(site, tmp_path, monkeypatch):
    first = tmp_path / "slides" / "index.html"
    (first.parent / ".doctrees").mkdir(parents=True)
    (first.parent / "deck.html").write_text("a deck")
    (first.parent / ".doctrees" / "deck.doctree").write_text("not to be carried")
    first.write_text("all decks")
    monkeypatch.setattr(downloads, "SLIDES", first)
    downloads.main(site)
    assert f"../{downloads.NAME}-slides.zip" in (site / "chapters/one.html").read_text()
    names = zipfile.ZipFile(site / f"{downloads.NAME}-slides.zip").namelist()
    assert names == [f"{downloads.NAME}-slides/{name}" for name in ("deck.html", "index.html")]
    os.utime(first, (0, 0))
    downloads.main(site)
    assert "slides" not in (site / "chapters/one.html").read_text()
