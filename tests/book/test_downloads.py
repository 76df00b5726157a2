"""What a reader can take along: the zip of the notebooks, and links that are drawn only when they lead somewhere."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import downloads
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = '<footer>Text.<span class="downloads"></span></footer>'


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "notebooks.zip"
    downloads.bundle(path)
    return path


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site" / "chapters").mkdir(parents=True)
    for name in ("chapters/one.html", "search.html", "404.html"):
        (tmp_path / "site" / name).write_text(PAGE)
    return tmp_path / "site"


def test_the_zip_has_the_same_bytes_every_time(archive, tmp_path):
    downloads.bundle(tmp_path / "again.zip")
    assert archive.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_the_zip_holds_every_notebook_and_how_to_start(archive):
    names = zipfile.ZipFile(archive).namelist()
    for page in (ROOT / "chapters").glob("*.ipynb"):
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
