"""What the title page of the PDF says and shows, as commands of LaTeX; book/extensions/paper.sty sets it.

It comes from CITATION.cff, pyproject.toml and the picture of the landing page; nothing of it is typed here.
"""

import re
import tomllib

import landing
from repository import ROOT
from sphinx.util import texescape


def curves() -> str:
    """The picture of the landing page, for TikZ: panels of curves with a name below, the two largest drawn last."""
    panels = []
    for panel in (ROOT / "book" / "templates" / "curves.html").read_text(encoding="utf-8").split("<div>")[1:]:
        lines = [re.sub(r"(\S+)", r"(\1)", points) for points in re.findall(r'points="([^"]+)"', panel)]
        styles = ["papercurve"] * (len(lines) - 2) + ["paperlarge"] * 2
        drawn = [rf"\draw[{style}] plot coordinates {{{line}}};" for style, line in zip(styles, lines, strict=True)]
        panels.append(rf"\paperpanel{{{re.search('<p>(.+?)</p>', panel)[1]}}}{{{''.join(drawn)}}}")
    return r"\hfill ".join(panels)


def commands() -> str:
    """Definitions for authors, version, licences, how to cite, and the picture."""
    source, project = landing.edition(), tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    title, _, subtitle = source["title"].partition(", ")
    text = next(licence for licence in source["license"] if licence != project["license"])  # as in CC-BY-4.0
    kind, number = text.removeprefix("CC-").rsplit("-", 1)
    parts = [(who.get("given-names"), who.get("family-names"), who.get("name")) for who in source["authors"]]
    authors = [" ".join(filter(None, names)) for names in parts]
    texescape.init()
    words = {
        "papername": title,
        "papersubtitle": subtitle.capitalize(),
        "paperauthors": " and ".join(authors),
        "paperdate": f"{source['date-released']:%d %B %Y}".lstrip("0"),
        "paperversion": project["version"],
        "paperabstract": source["abstract"].strip(),
        "papercited": landing.cited(),
        "paperlicence": f"CC {kind} {number}",
        "papercodelicence": project["license"],
    }
    made = {name: texescape.escape(text, "xelatex") for name, text in words.items()}
    made["paperlicenceaddress"] = f"https://creativecommons.org/licenses/{kind.lower()}/{number}/"
    made["papercurves"] = curves()
    return "".join(rf"\newcommand{{\{name}}}{{{text}}}" + "\n" for name, text in made.items())
