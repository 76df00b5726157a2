"""Seals: what was checked is what stands. `book/seals.toml` keeps a digest of every piece of text as last checked.

Usage: python tools/pages/seals.py [NAME ...]

A piece is a statement with its proof, an exercise with hint and solution, the caption and the alternative text of a
figure, or the prose of a section. Without names, those whose text has changed are listed. With names (a label, or
PAGE for all of a page), each is shown as it was and as it is, with the tests that check it, and sealed again: to be
typed after the check has been made again, by the tests for its statement and by a reader for every sentence of it.
"""

import difflib
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pages
import whole
import yaml

SEALS = pages.ROOT / "book" / "seals.toml"
GENERATED = {"results", "reproductions", "statistics", "speed"}  # written from what was measured, and compared with it
HEADER = """\
# Digests of the texts as they stood when they were last checked: statements with their proofs, exercises with their
# solutions, captions with alternative texts, and the prose of every section. `make seal` lists what has changed since;
# `make seal NAMES="prop-x fig-y"` shows the change and the tests to look at, and seals it again.
"""
FENCE = re.compile(r"([`:]{3,})\{([\w:-]+)\} *(.*)")


def blocks(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """The directives of a page with kind, argument and lines; all else line by line, of the kind "prose"."""
    k = 0
    while k < len(lines):
        found = FENCE.fullmatch(lines[k])
        if found:
            end = next((j for j in range(k + 1, len(lines)) if lines[j].rstrip() == found[1]), len(lines) - 1)
            yield found[2], found[3], lines[k : end + 1]
            k = end + 1
        else:
            yield "prose", "", [lines[k]]
            k += 1


def option(block: list[str], name: str) -> str:
    """An option of a directive, such as its label; empty if it has none."""
    return next((line.split(":", 2)[2].strip() for line in block if line.startswith(f":{name}:")), "")


def figure(block: list[str]) -> tuple[str, str]:
    """Name of the figure that a code cell draws, with its caption and alternative text; empty if it draws none."""
    if "---" not in block:
        return "", ""
    first = block.index("---")
    shown = (yaml.safe_load("\n".join(block[first + 1 : block.index("---", first + 1)])) or {}).get("mystnb", {})
    words = [shown.get("figure", {}).get("caption", ""), shown.get("image", {}).get("alt", "")]
    return shown.get("figure", {}).get("name", ""), "\n".join(filter(None, words))


def pieces(text: str) -> dict[str, str]:
    """The pieces of a page, by label; those of prose by "section" and the heading."""
    found: dict[str, list[str]] = {}
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    section, last, solution = "section", "", ""
    for kind, argument, block in blocks(text.splitlines()):
        heading = re.match(r"#+ (.*)", block[0]) if kind == "prose" else None
        if heading and not solution:
            section, last = f"section {heading[1].strip()}", ""
            while section in found:
                section += "'"
        if kind == "solution-start":
            solution = argument.strip()
        elif kind == "solution-end":
            solution = last = ""
            continue
        label = section
        if solution:
            label = solution
        elif kind.startswith("prf:") or kind == "exercise":
            label = last = option(block, "label") or section
        elif kind == "admonition" and last and argument.startswith(("Proof", "Hint")):
            label = last
        elif kind == "code-cell":
            name, words = figure(block)
            if not words:
                continue
            label, block = name or section, [words]
        found.setdefault(label, []).extend(block)
    joined = {label: "\n".join(lines) for label, lines in found.items()}
    return {label: words for label, words in joined.items() if words.strip()}


def digest(piece: str) -> str:
    """Twelve hexadecimal digits that stand for a text, whatever its white space."""
    return hashlib.sha256(" ".join(piece.split()).encode()).hexdigest()[:12]


def sources() -> list[Path]:
    """The pages that are written by hand."""
    return [page for page in sorted(pages.CHAPTERS.glob("*.md")) if page.stem not in GENERATED]


def sealed() -> dict[str, dict[str, str]]:
    """The digests of `book/seals.toml`, by page and label."""
    return tomllib.loads(SEALS.read_text(encoding="utf-8")) if SEALS.exists() else {}


def changed(page: Path) -> list[str]:
    """Labels of a page whose text is not what was sealed, and those that were sealed and are gone."""
    now = {label: digest(piece) for label, piece in pieces(pages.read(page)).items()}
    then = sealed().get(page.stem, {})
    return [label for label in dict.fromkeys([*now, *then]) if now.get(label) != then.get(label)]


def before(page: Path, label: str) -> str:
    """The piece as it was sealed, from the history of the repository; empty if that does not have it."""
    wanted, name = sealed().get(page.stem, {}).get(label), page.relative_to(pages.ROOT).as_posix()
    log = ["git", "log", "--format=%H", "-n", "200", "--", name]
    try:
        commits = subprocess.run(log, cwd=pages.ROOT, capture_output=True, text=True, check=True).stdout.split()
        for commit in commits if wanted else []:
            show = ["git", "show", f"{commit}:{name}"]
            text = subprocess.run(show, cwd=pages.ROOT, capture_output=True, encoding="utf-8", check=True).stdout
            piece = pieces(text).get(label, "")
            if piece and digest(piece) == wanted:
                return piece
    except (OSError, subprocess.CalledProcessError):  # no git, or no repository
        pass
    return ""


def show(page: Path, label: str, checks: dict[str, list[str]]) -> None:
    """Print what has changed in a piece, and the tests and exercises to look at."""
    new = pieces(pages.read(page)).get(label, "")
    print(f"\n{page.stem}: {label}")
    for line in difflib.unified_diff(
        before(page, label).splitlines(), new.splitlines(), "sealed", "now", n=1, lineterm=""
    ):
        print("   ", line)
    for check in checks.get(label, []):
        print("    look at", check)


def write(renewed: dict[str, set[str]]) -> None:
    """Write `book/seals.toml` with new digests for the labels named, by page."""
    then, lines = sealed(), [HEADER]
    for page in sources():
        kept = dict(then.get(page.stem, {}))
        now = {label: digest(piece) for label, piece in pieces(pages.read(page)).items()}
        for label in renewed.get(page.stem, set()):
            kept.pop(label, None)
            if label in now:
                kept[label] = now[label]
        order = [*(label for label in now if label in kept), *(label for label in kept if label not in now)]
        escaped = {label: label.replace("\\", "\\\\").replace('"', '\\"') for label in order}
        lines += [f"[{page.stem}]", *(f'"{escaped[label]}" = "{kept[label]}"' for label in order), ""]
    whole.write(SEALS, "\n".join(lines))


def main() -> int:
    names = set(sys.argv[1:])
    checks = {result.label: [*result.tests, *result.symbolic, *result.exercises] for result in pages.results()}
    found = {page: changed(page) for page in sources()}
    if not names:
        print("\n".join(f"{page.stem}: {label}" for page, labels in found.items() for label in labels) or "all sealed")
        return any(found.values())
    renewed: dict[str, set[str]] = {}
    for page, labels in found.items():
        for label in labels:
            if names & {label, page.stem}:
                show(page, label, checks)
                renewed.setdefault(page.stem, set()).add(label)
    write(renewed)
    print(f"\n{sum(map(len, renewed.values()))} sealed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
