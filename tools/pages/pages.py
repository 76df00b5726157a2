"""Write the generated pages: index of results, reproductions, execution statistics, speed, and the map in the preface.

Usage: python tools/pages/pages.py [--check] [eNN ...]

The index and the map are read off the sources (chapters, lnn/symbolic, tests, results.toml), the statistics off
statistics.json, the page on speed off what `make bench` has stored; the reproductions come from running
tests/experiments. --check writes nothing and exits with 1 if a page is not current, the reproductions excepted. With
numbers of experiments it runs these and prints their tables.
"""

import argparse
import ast
import importlib
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import yaml

sys.path.append(str(Path(__file__).resolve().parents[1]))
import whole

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
EXPERIMENTS = ROOT / "tests" / "experiments"
STATISTICS = ROOT / "book" / "statistics.json"
VERDICTS = {"yes": "yes", "in part": "**in part**", "no": "**no**"}
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
        """What `book/results.toml` promises for this result and the sources do not hold."""
        found = {"S": self.symbolic, "N": self.tests, "E": self.exercises}
        names = {"S": "symbolic derivation", "N": "numerical test", "E": "exercise"}
        lacking = [] if self.title else ["statement"]
        return lacking + [names[letter] for letter in self.checks if not found[letter]]


def statements(page: Path) -> dict[str, str]:
    """Labels of the numbered statements of a page, with their titles."""
    found = re.findall(r"^[`:]{3,}\{prf:\w+\} *([^\n]*)\n:label: *(\S+)", page.read_text(), re.M)
    return {label: title.strip() or label for title, label in found}


def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def exercises(page: Path) -> dict[str, str]:
    """Labels of the exercises of a page, with their texts."""
    text = page.read_text()
    blocks = re.findall(r"^([`:]{3,})\{exercise\}[^\n]*\n:label: *(\S+)\n(.*?)^\1 *$", text, re.M | re.S)
    return {label: body for _, label, body in blocks}


def functions(folder: Path) -> list[tuple[str, str]]:
    """Names of all modules and functions below a folder, each with its name and docstring as one text."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        module, name = ast.parse(path.read_text()), path.relative_to(folder).with_suffix("").as_posix()
        found.append((name, ast.get_docstring(module) or ""))
        for node in module.body:
            if isinstance(node, ast.FunctionDef):
                text = f"{node.name} {ast.get_docstring(node) or ''}"
                found.append((f"{name}.{node.name}", text))
    return found


def results() -> list[Result]:
    """All results of `book/results.toml`, with what the sources hold for each."""
    index = tomllib.loads((ROOT / "book" / "results.toml").read_text())
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


def title(page: str) -> str:
    """The heading of a page."""
    return re.search(r"^# (.*)$", (CHAPTERS / f"{page}.md").read_text(), re.M)[1]


def short(page: str) -> str:
    """The title up to its colon, for the map."""
    return title(page).split(":")[0]


def chapters() -> list[str]:
    """The numbered pages of the book, in their order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    parts = [part for part in contents["parts"] if part.get("numbered")]
    return [Path(chapter["file"]).stem for part in parts for chapter in part["chapters"]]


def results_page() -> str:
    """The page `results`, as MyST text."""
    lines = [
        HEADER,
        "# Index of results",
        "",
        "Every numbered statement of the book, with its label, the paper it comes from and its number there, the",
        "derivation by computer algebra, the tests and the exercises that refer to it. A statement without a source",
        "was worked out for the book, or is too well known to have one. The page is generated from the sources. The",
        "file `book/results.toml` says which checks a statement must have; one that lacks a check turns the tests red.",
    ]
    page = None
    for result in results():
        if result.page != page:
            page = result.page
            lines += ["", f"## {title(page)}", "", f"Page {{doc}}`{page}`.", ""]
        keys = re.findall(r"[A-Z][A-Za-z]*\d\d", result.source)
        place = re.sub(r"[A-Z][A-Za-z]*\d\d(, )?", "", result.source).strip()
        lines.append(f"- []{{#index-{result.label}}}{{prf:ref}}`{result.label}` **{result.title}** (`{result.label}`)")
        if keys:
            lines.append(f"  - Source: {{cite}}`{','.join(keys)}`" + (f", {place}" if place else ""))
        if result.symbolic:
            lines.append("  - Derivation: " + ", ".join(f"`lnn.symbolic.{name}`" for name in result.symbolic))
        if result.tests:
            tests = (name.partition(".") for name in result.tests)
            lines.append("  - Tests: " + ", ".join(f"`tests/{file}.py::{test}`" for file, _, test in tests))
        if result.exercises:
            lines.append("  - Exercises: " + ", ".join(f"{{ref}}`{name}`" for name in result.exercises))
    return "\n".join(lines) + "\n"


def experiment(path: Path) -> list[str]:
    """The lines of the page `reproductions` for one experiment, from running it."""
    module = importlib.import_module(f"experiments.{path.stem}")
    number, _, name = path.stem.partition("_")
    lines = [
        f"## {number.upper().replace('E0', 'E')}: {name.replace('_', ' ')}",
        "",
        re.sub(r"^E\d+: ", "", " ".join((module.__doc__ or "").split())),
        "",
        f"Measured by `tests/experiments/{path.name}`; again with",
        "",
        "```",
        f".venv/bin/python tools/pages/pages.py {number}",
        "```",
        "",
        "| Claim | Published | Measured | Holds |",
        "|---|---|---|---|",
    ]
    for row in module.measure():
        cells = [row.claim, row.published or "no figure given", row.measured, VERDICTS[row.verdict]]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return lines


def reproductions_page() -> str:
    """The page `reproductions`, as MyST text, from running every experiment."""
    lines = [
        HEADER,
        "# Reproductions",
        "",
        "What was claimed or published, and what the experiments of this book measure. The table is generated: each",
        "row comes from one module of `tests/experiments`, whose claim is a test. The numbers measured are computed",
        "when the page is written, but for the long runs of E9, which are read off a kept file; some are the bounds",
        "that the test asks for. Each section names the command that prints its rows anew; `make pages` does so for",
        "all of them, and `make test` checks that the claims hold and that this page says what comes out, row by row",
        "and word by word.",
        "",
        "*Holds* has three values. *Yes*: what is claimed comes out here, also in size where the source gives one,",
        "within the margin that the module states; an error of recovery may be smaller as well. *In part*: the claim",
        "comes out, its published size or extent does not. *No*: it does not come out.",
    ]
    kept, files = whole.Unfinished("reproductions"), [*EXPERIMENTS.glob("*.py"), *whole.package()]
    for path in sorted(EXPERIMENTS.glob("e*.py")):
        lines += ["", *kept(path.stem, files, lambda path=path: experiment(path))]
    kept.finish()
    return "\n".join(lines) + "\n"


def statistics_page() -> str:
    """The page `statistics`, as MyST text, from what `make statistics` has measured."""
    measured = json.loads(STATISTICS.read_text())
    machine, packages, notebooks = measured["machine"], measured["packages"], measured["notebooks"]
    order = [name for name in ["preface", *chapters()] if name in notebooks]
    order += sorted(set(notebooks) - set(order))
    total = sum(notebooks[name]["seconds"] for name in order)
    largest = max(order, key=lambda name: notebooks[name]["megabytes"])
    lines = [
        HEADER,
        "# Execution statistics",
        "",
        "How long every page takes to run from top to bottom, start of the kernel included, and how much memory it",
        f"needs: measured on {measured['date']} by `make statistics`, one page after the other, with one thread for",
        "linear algebra. Wall-clock time also counts what else the machine did; the processor's time does not.",
        "",
        "| Page | Wall clock | Processor | Peak memory |",
        "|---|---:|---:|---:|",
    ]
    for name in order:
        entry = notebooks[name]
        cells = [f"{{doc}}`{name}`", f"{entry['seconds']} s", f"{entry['processor']} s", f"{entry['megabytes']} MB"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"All together {total // 60} min {total % 60} s of wall-clock time. The page with the largest memory is",
        f"{{doc}}`{largest}`; mybinder.org gives a session 1 to 2 GB.",
        "",
        "## The machine",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} GB of memory; {machine['system']};",
        f"{machine['python']}; NumPy with {machine['blas']}.",
        "",
        "## The packages",
        "",
        "What the notebooks were run with, as fixed by `constraints.txt`:",
        "",
        "| Package | Version |",
        "|---|---|",
    ]
    lines += [f"| {name} | {version} |" for name, version in packages.items()]
    return "\n".join(lines) + "\n"


def dependencies() -> dict[str, dict[str, int]]:
    """How often the text of each chapter, exercises aside, refers to statements of each other chapter."""
    home = {label: page for page in chapters() for label in statements(CHAPTERS / f"{page}.md")}
    found: dict[str, dict[str, int]] = {}
    for page in chapters():
        text = (CHAPTERS / f"{page}.md").read_text().split("\n## Exercises")[0]
        pages = [home[label] for label in re.findall(r"\{prf:ref\}`([^`<]+)`", text) if home.get(label, page) != page]
        found[page] = {other: pages.count(other) for other in chapters() if other in pages}
    return found


def preface_page() -> str:
    """The preface with the data of its map, and the list that says the same in words, brought up to date."""
    text = (CHAPTERS / "preface.md").read_text()
    order, table, items = chapters(), ["references = {"], []
    for page, others in dependencies().items():
        before = order[: order.index(page)]
        back = {order.index(other) + 1: count for other, count in others.items() if other in before}
        table.append(f'    "{short(page)}": {back},')
        needs = [f"{{doc}}`{order[number - 1]}`" for number in back]
        items.append(f"- {{doc}}`{page}`" + (": builds on " + ", ".join(needs) if needs else ": start here") + ".")
    table.append("}")
    text = re.sub(r"^references = \{\n.*?^\}", lambda _: "\n".join(table), text, flags=re.M | re.S)
    between = re.compile(r"(?<=<!-- map: begin -->\n)\n.*?(?=\n<!-- map: end -->)", re.S)
    return between.sub(lambda _: "\n" + "\n".join(items) + "\n", text)


def speed_page() -> str:
    """The page `speed`, as MyST text, from the stored results of the benchmarks."""
    page, stored = (importlib.import_module(f"benchmarks.{name}") for name in ("page", "results"))
    return page.speed_page(stored.load())


PAGES = {"results": results_page, "statistics": statistics_page, "speed": speed_page, "preface": preface_page}


def main() -> int:
    known = {path.stem[:3]: path for path in sorted(EXPERIMENTS.glob("e[0-9]*.py"))}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", metavar="eNN", help="run these instead")
    parser.add_argument("--check", action="store_true", help="only say which pages are not current")
    options = parser.parse_args()
    if unknown := {*options.experiments} - {*known}:
        parser.error(f"no experiment is called {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    for name in options.experiments:
        print("\n".join(experiment(known[name])))
    if options.experiments:
        return 0
    stale = [name for name, make in PAGES.items() if (CHAPTERS / f"{name}.md").read_text() != make()]
    if options.check:
        print(f"not current: {', '.join(stale)}: run `make pages`" if stale else "the generated pages are current")
        return bool(stale)
    for name in stale:
        whole.write(CHAPTERS / f"{name}.md", PAGES[name]())
    whole.write(CHAPTERS / "reproductions.md", reproductions_page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
