"""What a published site needs and a local one does not: what a shared link shows, a sitemap, a 404 page.

Named as an extension in _config.yml. The address of the site comes from `repository.py`. Without one there are no Open
Graph tags and no sitemap, which would have to name it; descriptions and the 404 page are there all the same.
"""

import re
from typing import Any
from urllib.parse import urlparse

import repository
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

PICTURE = "_static/social.png"  # drawn by tools/pages/social.py
PICTURE_SHOWS = (
    "Eight singular values over time for products of one, two and three matrices fitted to the same entries: with one "
    "matrix all rise, with three only two do."
)
LENGTH = 200  # characters of a description: what search engines and previews show
APART = ["search.html", "genindex.html", "404.html", "prf-prf.html"]  # not pages to find


def set_addresses(app: Sphinx, config: Config) -> None:
    """Tell the extensions where the site is."""
    site = repository.site()
    config.notfound_urls_prefix = urlparse(site).path if site else "/"
    config.notfound_context = {
        "title": "Not here",
        "body": "<h1>Not here</h1>\n<p>There is no page at this address. The search, and the list of chapters beside "
        "this text, lead to what there is.</p>",
    }
    if site:
        config.html_baseurl = config.ogp_site_url = site
        config.ogp_site_name = config.html_title or config.project
        config.ogp_image, config.ogp_image_alt = site + PICTURE, PICTURE_SHOWS
        config.ogp_custom_meta_tags = [
            '<meta property="og:image:width" content="1200" />',
            '<meta property="og:image:height" content="630" />',
            '<meta name="twitter:card" content="summary_large_image" />',
        ]
        config.ogp_description_length, config.ogp_enable_meta_description = LENGTH, False
        config.sitemap_url_scheme, config.sitemap_excludes = "{link}", APART


def first_sentences(doctree: nodes.document) -> str:
    """The beginning of a page's first paragraph, formulas in plain letters."""
    section = doctree.next_node(nodes.section) or doctree
    found = next((child for child in section.children if isinstance(child, nodes.paragraph)), None)
    paragraph = found.deepcopy() if found else nodes.paragraph()
    for formula in list(paragraph.findall(nodes.math)):
        plain = formula.astext()
        for command, sign in (("\\mapsto", "↦"), ("\\cdots", "⋯"), ("\\times", "×"), ("\\ell", "ℓ")):
            plain = plain.replace(command, sign)
        plain = re.sub(r"\{([^{}]*)\}", r"(\1)", plain).replace("\\", "")
        formula.replace_self(nodes.Text(plain))
    text = " ".join(paragraph.astext().split())
    return text if len(text) <= LENGTH else text[: text.rindex(" ", 0, LENGTH)].rstrip(" ,;:") + " …"


def tags(config: Config, description: str) -> str:
    """The tags of the landing page, which is made of no document that the extensions could read."""
    found = f'<meta name="description" content="{description}" />\n'
    site = repository.site()
    if site:
        shown = {"title": config.html_title, "type": "website", "url": site, "site_name": config.ogp_site_name}
        shown |= {"description": description, "image": config.ogp_image, "image:alt": config.ogp_image_alt}
        found += "".join(f'<meta property="og:{name}" content="{text}" />\n' for name, text in shown.items())
        found += "\n".join(config.ogp_custom_meta_tags)
    return found


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Give the page its first sentences as a description, site or no site."""
    text = first_sentences(doctree) if doctree else ""
    if text:
        quoted = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        context["metatags"] += f'<meta name="description" content="{quoted}" />\n'
        context["meta"] = {**(context["meta"] or {}), "og:description": quoted}  # in place of its own, with LaTeX in it


def setup(app: Sphinx) -> dict[str, bool]:
    """Load what there is use for."""
    app.setup_extension("notfound.extension")
    if repository.site():
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
    app.connect("config-inited", set_addresses)
    app.connect("html-page-context", describe, priority=400)  # before the Open Graph tags are made
    return {"parallel_read_safe": True, "parallel_write_safe": True}
