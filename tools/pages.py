"""Write the generated pages: the index of results, and published against measured figures.

Usage: python tools/pages.py [--check]

The index is read off the sources (chapters, lnn/symbolic, tests, results.toml); the table of reproductions comes from
running tests/experiments. --check writes nothing and exits with 1 if the index is not current.
"""

import ast
import importlib
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
HEADER = (CHAPTERS / "preface.md").read_text().split("\n# ")[0]


@dataclass(frozen=True)
class Result:
    """One result of the book and what was found beside it."""

    label: str
    page: str
    source: str
    checks: str
    title: str
    symbolic: list[str]
    tests: list[str]
    exercises: list[str]

    def missing(self) -> list[str]:
        """What `results.toml` promises for this result and the sources do not hold."""
        found = {"S": self.symbolic, "N": self.tests, "E": self.exercises}
        names = {"S": "symbolic derivation", "N": "numerical test", "E": "exercise"}
        lacking = [] if self.title else ["statement"]
        return lacking + [names[letter] for letter in self.checks if not found[letter]]


def statements(page: Path) -> dict[str, str]:
    """Labels of the numbered statements of a page, with their titles."""
    found = re.findall(r"^[`:]{3,}\{prf:\w+\} *([^\n]*)\n:label: *(\S+)", page.read_text(), re.M)
    return {label: title.strip() or label for title, label in found}


def exercises(page: Path) -> dict[str, str]:
    """Labels of the exercises of a page, with their texts."""
    text = page.read_text()
    blocks = re.findall(r"^([`:]{3,})\{exercise\}[^\n]*\n:label: *(\S+)\n(.*?)^\1 *$", text, re.M | re.S)
    return {label: body for _, label, body in blocks}


def functions(folder: Path) -> list[tuple[str, str]]:
    """Names of all modules and functions below a folder, each with its name and docstring as one text."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        module = ast.parse(path.read_text())
        found.append((path.stem, ast.get_docstring(module) or ""))
        for node in module.body:
            if isinstance(node, ast.FunctionDef):
                text = f"{node.name} {ast.get_docstring(node) or ''}"
                found.append((f"{path.stem}.{node.name}", text))
    return found


def results() -> list[Result]:
    """All results of `results.toml`, with what the sources hold for each."""
    index = tomllib.loads((ROOT / "results.toml").read_text())
    symbolic = functions(ROOT / "lnn" / "symbolic")
    tests = [(name, text) for name, text in functions(ROOT / "tests") if ".test_" in name]
    tasks = [item for page in sorted(CHAPTERS.glob("*.md")) for item in exercises(page).items()]

    def holding(label: str, texts: list[tuple[str, str]]) -> list[str]:
        pattern = re.compile(rf"(?<![\w-])({re.escape(label)}|test_{label.replace('-', '_')}(?=_| |$))(?![\w-]*-)")
        names = [name for name, text in texts if pattern.search(text)]
        return [name for name in names if not any(other.startswith(f"{name}.") for other in names)]

    found = []
    for page, promised in index.items():
        titles = statements(CHAPTERS / f"{page}.md")
        for label in [*titles, *(label for label in promised if label not in titles)]:
            entry = promised.get(label, {"source": "", "checks": ""})  # a lemma of our own: nothing is promised
            found.append(
                Result(
                    label=label,
                    page=page,
                    source=entry["source"],
                    checks=entry["checks"],
                    title=titles.get(label, ""),
                    symbolic=holding(label, symbolic),
                    tests=holding(label, tests),
                    exercises=holding(label, tasks),
                )
            )
    return found


def results_page() -> str:
    """The page `results`, as MyST text."""
    lines = [
        HEADER,
        "# Index of results",
        "",
        "Every definition, theorem and proposition of the book, with its source, the SymPy derivation in",
        "`lnn/symbolic`, the numerical tests in `tests`, and the exercises that use it. The page is generated from",
        "these sources; a result that lacks one of its checks turns the tests red.",
    ]
    page = None
    for result in results():
        if result.page != page:
            page = result.page
            title = re.search(r"^# (.*)$", (CHAPTERS / f"{page}.md").read_text(), re.M)
            head = [
                "",
                f"## {title[1] if title else page}",
                "",
                f"Page {{doc}}`{page}`.",
                "",
                "| Statement | Source | Derivation | Tests | Exercises |",
            ]
            lines += [*head, "|---|---|---|---|---|"]
        keys = re.findall(r"[A-Z][A-Za-z]*\d\d", result.source)
        place = re.sub(r"[A-Z][A-Za-z]*\d\d(, )?", "", result.source).strip()
        source = f"{{cite}}`{','.join(keys)}`" if keys else ""
        source += f", {place}" if place else ""
        cells = [
            f"{{prf:ref}}`{result.label}` {result.title}",
            source,
            ", ".join(f"`{name}`" for name in result.symbolic),
            str(len(result.tests)) if result.tests else "",
            ", ".join(f"{{ref}}`{name}`" for name in result.exercises),
        ]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def reproductions_page() -> str:
    """The page `reproductions`, as MyST text, from running every experiment."""
    lines = [
        HEADER,
        "# Reproductions",
        "",
        "What was claimed or published, and what the experiments of this book measure. The table is generated: each",
        "row comes from one module of `tests/experiments`, whose claim is a test; nothing here is typed by hand.",
        "`make pages` writes it anew, and `python -m pytest tests/test_experiments.py -k eNN` checks one experiment.",
    ]
    for path in sorted((ROOT / "tests" / "experiments").glob("e*.py")):
        module = importlib.import_module(f"experiments.{path.stem}")
        number, _, name = path.stem.partition("_")
        lines += ["", f"## {number.upper().replace('E0', 'E')}: {name.replace('_', ' ')}", ""]
        lines += [
            re.sub(r"^E\d+: ", "", " ".join((module.__doc__ or "").split())),
            "",
            "| Claim | Published | Measured | Holds |",
            "|---|---|---|---|",
        ]
        for row in module.measure():
            cells = [row.claim, row.published or "no figure given", row.measured, "yes" if row.holds else "**no**"]
            lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    index = CHAPTERS / "results.md"
    if "--check" in sys.argv:
        current = index.read_text() == results_page()
        print("the index of results is current" if current else "chapters/results.md is not current: run `make pages`")
        return not current
    index.write_text(results_page())
    (CHAPTERS / "reproductions.md").write_text(reproductions_page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
