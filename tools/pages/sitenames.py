"""How the built site calls what can be referred to: the kinds, numbers and titles that copies for elsewhere repeat."""

import functools
import html
import re
from dataclasses import dataclass, field
from pathlib import Path

from pybtex.database import parse_file

ROOT = Path(__file__).resolve().parents[2]

# Where a built page says how its parts are called.
PARTS = (
    re.compile(r'<div class="(?:proof \w+|exercise) admonition" id="([^"]+)">\s*<p[^>]*><span[^>]*>([^<]+?)\s*</span>'),
    re.compile(r'id="equation-([^"]+)">\s*<span class="eqno">(\([^<]+\))'),
    re.compile(r'<figure[^>]* id="([^"]+)">(?:(?!</figure>).)*?<span class="caption-number">([^<]+?)\s*</span>', re.S),
    re.compile(
        r'<span id="([\w-]+)"></span><h\d>(?:<span class="section-number">[^<]*</span>)?((?:(?!</h).)*?)<a class="head'
    ),
)
HEAD = re.compile(r'<h1>(?:<span class="section-number">[^<]*</span>)?((?:(?!</h).)*?)<a class="head')
ENTRY = re.compile(r'<div class="citation" id="id\d+"[^>]*>\s*<span.*?</span>([^<]+)<span.*?<p>(.*?)</p>', re.S)


def words(text: str) -> str:
    """The text of a piece of HTML, without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


@dataclass
class Site:
    """How a built site calls what can be referred to, and where it stands."""

    parts: dict[str, tuple[str, str]] = field(default_factory=dict)  # by label: name, and page#id
    titles: dict[str, str] = field(default_factory=dict)  # by page
    entries: list[tuple[str, str]] = field(default_factory=list)  # of the bibliography: label, and HTML


def read(site: Path) -> Site:
    """Read all names and numbers off the pages of a built site."""
    found = Site()
    for path in sorted(site.glob("chapters/*.html")):
        page, text = path.stem, path.read_text()
        if head := HEAD.search(text):
            found.titles[page] = words(head[1])
        for k, pattern in enumerate(PARTS):
            for label, name in pattern.findall(text):
                found.parts[label] = (words(name), f"{page}.html#{'equation-' * (k == 1)}{label}")
        found.entries += [(key, re.sub(' class="[^"]*"', "", entry)) for key, entry in ENTRY.findall(text)]
    return found


@functools.cache
def works() -> dict[str, tuple[str, str, str]]:
    """Authors, year and address of every work that can be cited, by its key."""
    found = {}
    for key, entry in parse_file(ROOT / "book" / "references.bib", "bibtex").entries.items():
        names = ["".join(map(str, person.rich_last_names)) for person in entry.persons["author"]]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        fields = entry.fields
        address = fields.get("url") or (f"https://doi.org/{fields['doi']}" if "doi" in fields else "")
        found[key] = (who, fields["year"], address)
    return found
