"""What a published site says of itself: Open Graph, sitemap, 404 page, descriptions, only where an address is known."""

import io
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import publishing
import pytest
import repository
from built import SITE
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).resolve().parents[2]
TEXT = 'Home\n====\n\nThe map :math:`x \\mapsto Wx` is "linear" & short.\n\nA second paragraph.\n'


def build(folder):
    """The 404 page, the index page and what else a site of one page has, with the extension as the book uses it."""
    (folder / "index.rst").write_text(TEXT)
    (folder / "conf.py").write_text("project = 'Book'\nextensions = ['publishing']\n")
    out = folder / "html"
    with docutils_namespace():
        Sphinx(folder, folder, out, folder / "trees", "html", status=None, warning=io.StringIO()).build()
    return out


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LNN_SITE", "https://owner.github.io/book")
        return build(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "site", lambda: None)
        return build(tmp_path_factory.mktemp("local"))


def meta(page):
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', page.read_text()))


def test_a_shared_link_shows_title_description_and_picture(published):
    tags = meta(published / "index.html")
    assert tags["og:title"] == "Home"
    assert tags["og:description"] == "The map x ↦ Wx is “linear” &amp; short."
    assert tags["og:image"] == "https://owner.github.io/book/_static/social.png"
    assert tags["og:image:alt"].replace("&quot;", '"') == publishing.PICTURE_SHOWS
    assert tags["og:url"] == "https://owner.github.io/book/index.html"
    assert tags["twitter:card"] == "summary_large_image"


def test_the_landing_page_which_no_document_makes_shows_itself_too(monkeypatch):
    monkeypatch.setenv("LNN_SITE", "https://owner.github.io/book")
    config = SimpleNamespace(html_title="Book", ogp_image_alt="", notfound_context=None)
    publishing.set_addresses(None, config)
    tags = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', publishing.tags(config, "Short.")))
    assert tags["og:site_name"] == tags["og:title"] == "Book"
    assert tags["og:description"] == tags["description"] == "Short."
    assert tags["og:image"] == "https://owner.github.io/book/_static/social.png"
    assert tags["twitter:card"] == "summary_large_image"


def test_the_sitemap_names_the_pages_and_no_other(published):
    found = re.findall(r"<loc>(.*?)</loc>", (published / "sitemap.xml").read_text())
    assert found == ["https://owner.github.io/book/index.html"]


def test_the_404_page_finds_its_parts_from_any_address(published):
    text = (published / "404.html").read_text()
    assert "Not here" in text
    own = re.findall(r'(?:src|href)="([^"#]+)"', text)
    ours = [link for link in own if not re.match(r"https?:", link)]
    assert ours and all(link.startswith("/book/") for link in ours)


def test_without_an_address_there_is_nothing_that_would_have_to_name_it(local):
    tags = meta(local / "index.html")
    assert not [name for name in tags if name.startswith("og:")]
    assert tags["description"] == "The map x ↦ Wx is “linear” &amp; short."
    assert not (local / "sitemap.xml").exists()
    assert (local / "404.html").exists()


def test_a_long_description_ends_at_a_word():
    page = nodes.section("", nodes.paragraph("", "word " * 100))
    text = publishing.first_sentences(page)
    assert len(text) <= publishing.LENGTH + 2 and text.endswith("word …")


def test_every_page_of_the_book_describes_itself_without_markup():
    for page in SITE.glob("chapters/*.html"):
        description = meta(page).get("description", "")
        assert len(description) > 20, page.name
        assert not re.search(r"\\[a-z]|\{|\$", description), f"{page.name}: {description}"


def test_the_picture_has_the_size_that_previews_ask_for():
    path = ROOT / "book" / "theme" / "social.png"
    with Image.open(path) as picture:
        assert picture.size == (1200, 630)
    assert path.stat().st_size < 150_000


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://github.com/Owner/book.git", "https://owner.github.io/book/"),
        ("https://github.com/owner/owner.github.io", "https://owner.github.io/"),
        ("https://gitlab.example/owner/book", None),
    ],
)
def test_the_site_is_where_pages_of_the_repository_are(monkeypatch, address, site):
    monkeypatch.delenv("LNN_SITE", raising=False)
    monkeypatch.setenv("LNN_REPOSITORY", address)
    assert repository.site() == site


def test_every_action_is_pinned_to_a_commit_with_its_version_beside():
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in re.findall(r"uses: .*", workflow.read_text()):
            assert re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), f"{workflow.name}: {line}"


def test_the_shell_scripts_of_continuous_integration_parse():
    for script in (ROOT / ".ci").iterdir():
        assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
