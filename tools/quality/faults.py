"""Plant faults on the pages, as a slip of an author would leave them, and say what notices each.

Usage: python tools/quality/faults.py [COUNT] [SEED]

A fault changes one thing on one page: a number in prose, a sign or an exponent in a displayed formula of a statement, a
proof or a solution, a word of a caption or an alternative text, a reference to another statement or figure, a citation
of another paper. Nothing is written; what would be red is told apart: a claim whose sentence is no longer on its page,
or a seal that no longer fits.
"""

import random
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "pages"))
import claims
import pages
import seals

DISPLAY = re.compile(r"^\$\$\n(.*?)^\$\$", re.M | re.S)
WORDS = {
    "rises": "falls", "falls": "rises", "above": "below", "below": "above", "largest": "smallest",
    "smallest": "largest", "left": "right", "right": "left", "first": "second", "second": "third", "two": "three",
    "three": "four", "all": "most", "both": "one", "increasing": "decreasing", "faster": "slower", "before": "after",
}  # fmt: skip


def at(text: str, found: re.Match[str], new: str, group: int = 0) -> str:
    """The text with what a match found replaced."""
    return text[: found.start(group)] + new + text[found.end(group) :]


def swapped(draw: random.Random, text: str, pattern: str, others: list[str]) -> str | None:
    """The text with one label, the pattern's group, replaced by another of the same kind."""
    found = list(re.finditer(pattern, text))
    if not found or len(others) < 2:
        return None
    one = draw.choice(found)
    return at(text, one, draw.choice([other for other in others if other != one[1]]), 1)


def formula(draw: random.Random, text: str, kinds: tuple[str, ...]) -> str | None:
    """The text with a sign or an exponent changed in a displayed formula of a directive of one of these kinds."""
    places = []
    labels = {label: piece for label, piece in seals.pieces(text).items() if label.startswith(kinds)}
    for piece in labels.values():
        for display in DISPLAY.finditer(piece):
            if text.count(display[1]) == 1:
                start = text.index(display[1])
                places += [
                    (start, mark) for mark in re.finditer(r"(?<=[\w})] )[-+](?= )|(?<=\^)\d|(?<=\^\{)\d", display[1])
                ]
    if not places:
        return None
    start, mark = draw.choice(places)
    new = {"+": "-", "-": "+"}.get(mark[0]) or str((int(mark[0]) + 1) % 10)
    return text[: start + mark.start()] + new + text[start + mark.end() :]


def number(draw: random.Random, text: str) -> str | None:
    """The text with a number changed in a line of prose."""
    lines = [
        k for k, line in enumerate(text.splitlines()) if re.match(r"[A-Z][a-z]", line) and re.search(r" \d+\b", line)
    ]
    if not lines:
        return None
    rows, k = text.splitlines(keepends=True), draw.choice(lines)
    rows[k] = re.sub(r" (\d+)\b", lambda found: f" {int(found[1]) + 1}", rows[k], count=1)
    return "".join(rows)


def word(draw: random.Random, text: str, field: str) -> str | None:
    """The text with a word of a caption or an alternative text turned into its opposite."""
    lines = [found for found in re.finditer(rf"^ +{field}: (.*(?:\n      +.*)*)", text, re.M)]
    marks = [(line, mark) for line in lines for mark in re.finditer(rf"\b({'|'.join(WORDS)})\b", line[1])]
    if not marks:
        return None
    line, mark = draw.choice(marks)
    return text[: line.start(1) + mark.start()] + WORDS[mark[0]] + text[line.start(1) + mark.end() :]


def kinds() -> dict[str, Callable[[random.Random, str], str | None]]:
    """The kinds of fault: functions from a page to the page with one fault, or None where there is no place for it."""
    statements = [result.label for result in pages.results()]
    figures = re.findall(
        r"^ +name: (fig-[\w-]+)", "\n".join(p.read_text(encoding="utf-8") for p in seals.sources()), re.M
    )
    keys = re.findall(r"^@\w+\{(\w+),", (pages.ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.M)
    return {
        "number in prose": number,
        "formula of a statement or proof": lambda draw, text: formula(
            draw, text, ("thm-", "prop-", "lem-", "cor-", "claim-")
        ),
        "formula of an exercise or solution": lambda draw, text: formula(draw, text, ("ex-",)),
        "word of a caption": lambda draw, text: word(draw, text, "caption"),
        "word of an alternative text": lambda draw, text: word(draw, text, "alt"),
        "reference to another statement": lambda draw, text: swapped(draw, text, r"\{prf:ref\}`([\w-]+)`", statements),
        "reference to another figure": lambda draw, text: swapped(draw, text, r"\{numref\}`(fig-[\w-]+)`", figures),
        "citation of another paper": lambda draw, text: swapped(draw, text, r"\{cite\}`(\w+)`", keys),
    }


def noticed(page: Path, text: str) -> list[str]:
    """What is red if this were the text of the page, beyond what is red already."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / page.name
        copy.write_text(text, encoding="utf-8")
        red = ["claim"] if len(claims.complaints(copy)) > len(claims.complaints(page)) else []
        return [*red, "seal"] if len(seals.changed(copy)) > len(seals.changed(page)) else red


def plant(count: int, seed: int) -> list[tuple[str, str, str, list[str]]]:
    """Faults of all kinds in turn: kind, page, the line as it is with the fault, and what notices it."""
    draw, found, known = random.Random(seed), [], kinds()
    while len(found) < count:
        kind = list(known)[len(found) % len(known)]
        page = draw.choice(seals.sources())
        text = page.read_text(encoding="utf-8")
        faulty = known[kind](draw, text)
        if faulty is not None and faulty != text:
            line = next(b for a, b in zip(text.splitlines(), faulty.splitlines(), strict=False) if a != b)
            found.append((kind, page.stem, line.strip(), noticed(page, faulty)))
    return found


def main() -> int:
    given = [int(value) for value in sys.argv[1:]]
    count, seed = [*given, *(30, 0)[len(given) :]]
    found = plant(count, seed)
    for kind, page, line, red in found:
        print(f"{' and '.join(red) or 'NOTHING':14} {kind}, {page}: {line[:100]}")
    caught, held = sum(bool(red) for *_, red in found), sum("claim" in red for *_, red in found)
    print(f"{caught} of {count} turn something red, {held} of them a claim")
    return caught < count * 14 // 15


if __name__ == "__main__":
    sys.exit(main())
