"""Front and back matter: what is generated is current, what is listed is complete, links lead both ways."""

import ast
import datetime
import html
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache

import pages
import pytest
import reference
import repository
import timing
import yaml
from built import SITE
from inventory import MODULES, module_of, public
from test_book import Page

ROOT = pages.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRIES = dict(re.findall(r"^@\w+\{(\w+),(.*?)^\}", (ROOT / "book" / "references.bib").read_text(), re.M | re.S))


def text(page):
    return (pages.CHAPTERS / f"{page}.md").read_text()


# What is generated


@pytest.mark.parametrize("name", sorted(pages.PAGES))
def test_a_generated_page_is_current(name):
    assert text(name) == pages.PAGES[name](), "run `make pages`"


def drawn():
    """What the cell in the preface draws: title of a chapter, and how often it refers to each earlier one."""
    return ast.literal_eval(re.search(r"^references = (\{\n.*?^\})", text("preface"), re.M | re.S)[1])


def test_the_map_has_every_chapter_and_no_arc_to_a_later_one():
    table = drawn()
    assert list(table) == [pages.short(page) for page in pages.chapters()]
    for number, earlier in enumerate(table.values(), start=1):
        assert all(0 < other < number and count > 0 for other, count in earlier.items())
    assert sum(len(earlier) for earlier in table.values()) >= len(table) - 1


def test_what_a_chapter_says_it_needs_stands_in_an_earlier_one_and_is_on_the_map():
    index = tomllib.loads((ROOT / "book" / "results.toml").read_text())
    home = {label: page for page, labels in index.items() for label in labels}
    table, order = drawn(), pages.chapters()
    for page in order:
        needs = re.search(r"\*\*You need\*\*(.*?)\*\*Time\*\*", text(page), re.S)[1]
        for label in re.findall(r"\{prf:ref\}`([\w-]+)`", needs):
            there = order.index(home[label]) + 1
            assert there in table[pages.short(page)], f"{page} needs {label}, but the map has no arc from {home[label]}"


def test_every_numbered_statement_is_in_the_index_with_the_checks_it_must_have():
    index = tomllib.loads((ROOT / "book" / "results.toml").read_text())
    for page in pages.chapters():
        for label in pages.statements(pages.CHAPTERS / f"{page}.md"):
            line = f'{label} = {{ source = "", checks = "" }}'
            assert label in index.get(page, {}), f"results.toml lacks, under [{page}], a line such as {line}"


def test_theorems_and_propositions_are_tested_numerically():
    for result in pages.results():
        if re.match(r"(thm|prop|cor|lem|claim)-", result.label):
            assert "N" in result.checks, f"{result.label} promises no numerical test in results.toml"


def test_the_index_names_the_derivations_tests_and_exercises_of_every_result():
    index = text("results")
    for result in pages.results():
        start = index.index(f"(`{result.label}`)")
        entry = index[start : index.find("\n- ", start)]
        for found, form in ((result.symbolic, "`lnn.symbolic.{}`"), (result.exercises, "{{ref}}`{}`")):
            assert all(form.format(name) in entry for name in found)
        assert entry.count("::test_") == len(result.tests)


def test_every_experiment_is_on_the_page_with_the_command_that_measures_it():
    page = text("reproductions")
    experiments = sorted(pages.EXPERIMENTS.glob("e*.py"))
    assert len(re.findall(r"^## E\d+: ", page, re.M)) == len(experiments)
    for path in experiments:
        assert f"`tests/experiments/{path.name}`" in page
        assert f".venv/bin/python tools/pages/pages.py {path.stem[:3]}\n" in page


def test_the_command_prints_what_the_page_says(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pages.py", "e03"])
    assert pages.main() == 0
    printed = capsys.readouterr().out
    assert printed.count("\n| ") > 2
    assert printed in text("reproductions")


# Statistics


def test_the_statistics_cover_every_page_that_runs_code():
    measured = json.loads(pages.STATISTICS.read_text())
    assert sorted(measured["notebooks"]) == timing.running(), "run `make statistics` (NAMES=… for the new ones)"
    for name, entry in measured["notebooks"].items():
        assert entry["seconds"] > 0 and 0 < entry["processor"] and 50 < entry["megabytes"] < 4000, name
    datetime.date.fromisoformat(measured["date"])


def test_the_statistics_are_of_the_locked_versions():
    lines = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), re.M)
    packages = json.loads(pages.STATISTICS.read_text())["packages"]
    assert {"numpy", "scipy"} <= set(packages)
    for name, version in packages.items():
        locked = {locked for package, locked in lines if package == name}  # one for every version of Python
        assert version in locked, f"{name} is locked at {locked}: run `make statistics`"


def test_a_measurement_sees_the_memory_and_the_time_of_the_kernel(tmp_path, monkeypatch):
    header = pages.HEADER
    cell = "import time\nheld = bytearray(b'x') * (300 * 2**20)\nend = time.process_time() + 1.5\n"
    cell += "while time.process_time() < end:\n    pass"
    (tmp_path / "heavy.md").write_text(f"{header}\n# Heavy\n\n```{{code-cell}} ipython3\n{cell}\n```\n")
    monkeypatch.setattr(timing.notebooks, "CHAPTERS", tmp_path)
    found = timing.measure("heavy")
    assert 300 < found["megabytes"] < 700
    assert 2 <= found["processor"] <= found["seconds"] + 2


# Glossary, bibliography, editions


def glossary():
    block = re.search(r"```\{glossary\}\n(.*?)\n```", text("glossary"), re.S)[1]
    return re.findall(r"^(\S[^\n]*)\n((?:  \S[^\n]*\n?)+)", block + "\n", re.M)


def test_the_glossary_defines_each_term_once_in_order_and_links_it():
    terms = [term for term, _ in glossary()]
    assert len(terms) >= 40
    assert terms == sorted(set(terms), key=lambda term: term.replace("δ", "delta").lower())
    for term, definition in glossary():
        assert len(definition.split()) >= 6 and definition.rstrip().endswith((".", "`")), term


def test_most_terms_lead_to_a_statement():
    linked = [term for term, definition in glossary() if "{prf:ref}" in definition]
    assert len(linked) > 0.6 * len(glossary())


@pytest.mark.parametrize("key", sorted(ENTRIES))
def test_an_entry_of_the_bibliography_can_be_followed(key):
    fields = dict(re.findall(r"(\w+) = \{(.*?)\}[,\n]", ENTRIES[key] + "\n"))
    assert {"author", "title", "year"} <= set(fields)
    assert fields.get("doi") or fields.get("url"), f"{key} has neither doi nor url"
    if "eprint" in fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", fields["eprint"])
        assert fields["url"] == f"https://arxiv.org/abs/{fields['eprint']}"
    if "doi" in fields:
        assert re.fullmatch(r"10\.\d{4,9}/\S+", fields["doi"])
    if "url" in fields:
        assert fields["url"].startswith("https://")


def test_entries_do_not_share_an_address():
    addresses = re.findall(r"^\s*(?:doi|url) = \{(.*?)\}", (ROOT / "book" / "references.bib").read_text(), re.M)
    assert len(addresses) == len(set(addresses))


def test_the_epilogue_cites_what_came_after_the_lecture():
    groups = re.findall(r"\{cite(?::\w)?\}`([^`]+)`", text("epilogue"))
    keys = {key.strip() for group in groups for key in group.split(",")}
    recent = [key for key in keys if int(re.search(r"year = \{(\d+)\}", ENTRIES[key])[1]) >= 2021]
    assert len(recent) >= 12


def test_the_version_is_one_everywhere():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    editions = re.findall(r"^## ([\d.]+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert cff["version"] == PROJECT["version"] == editions[0][0]
    assert str(cff["date-released"]) == editions[0][1]
    assert [edition[1] for edition in editions] == sorted((edition[1] for edition in editions), reverse=True)


def test_the_citation_file_has_what_its_format_asks_for():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cff["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cff)
    known = "abstract authors cff-version commit contact date-released doi identifiers keywords license license-url"
    known += (
        " message preferred-citation references repository repository-artifact repository-code title type url version"
    )
    assert set(cff) <= set(known.split())
    assert cff["type"] == "software" and all({"name", "family-names"} & set(author) for author in cff["authors"])
    assert all({"type", "title", "authors"} <= set(entry) for entry in cff["references"])


def test_commands_that_pages_tell_the_reader_to_type_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)) | {"pdf"}
    for page in ("troubleshooting", "preface", "teaching", "statistics", "reproductions"):
        for target in re.findall(r"`make ([a-z]+)\b", text(page)):
            assert target in targets, f"{page}: make {target}"


# The package's documentation, as built


@pytest.fixture(scope="module")
def documentation():
    found = {path.stem: path.read_text() for path in (SITE / "book" / "api").glob("*.html")}
    if not found:
        pytest.fail("the documentation is not built: run `make book`")
    return found


def test_every_public_thing_is_documented_in_one_place(documentation):
    ids = [name for page in documentation.values() for name in re.findall(r'<dt class="sig[^>]* id="([\w.]+)"', page)]
    assert len(ids) == len(set(ids))
    for path in MODULES:
        if path.name != "__init__.py":
            for name, _ in public(module_of(path)):
                assert name in ids, f"{name} is in no page under book/api/"


def section(documentation, name):
    """The HTML of the entry of one function."""
    for page in documentation.values():
        if f'id="{name}"' in page:
            entry = page[page.index(f'id="{name}"') :]
            return entry[: entry.find('<dl class="py function', 10)]
    raise AssertionError(f"{name} is not documented")


def test_labels_in_docstrings_lead_to_their_statements(documentation):
    count = 0
    for path in MODULES:
        for name, value in public(module_of(path)) if path.name != "__init__.py" else ():
            for label in re.findall(rf"`({reference.LABEL})`", (value.__doc__ or "").partition("Notes")[2]):
                links = re.findall(r'href="\.\./\.\./chapters/\w+\.html#([\w-]+)"', section(documentation, name))
                assert label in links, f"{name} mentions {label}"
                count += 1
    assert count > 40


def test_functions_say_which_pages_use_them(documentation):
    entry = section(documentation, "lnn.theory.guarantees.certify")
    assert "Used on the page" in entry and 'href="../../chapters/convergence.html"' in entry


def test_pages_lead_to_functions_in_text_and_in_code():
    page = (SITE / "chapters" / "convergence.html").read_text()
    assert re.search(
        r'<a class="reference internal" href="\.\./book/api/theory\.html#lnn\.theory\.guarantees\.certify"', page
    )
    assert re.search(r'<a class="code-link" href="\.\./book/api/\w+\.html#lnn\.theory\.guarantees\.certify"', page)


def test_the_index_leads_to_every_derivation():
    page = html.unescape((SITE / "chapters" / "results.html").read_text())
    for result in pages.results():
        for name in result.symbolic:
            full = f"lnn.symbolic.{name}"
            assert f'href="../book/api/symbolic.html#{full}"' in page or f'symbolic.html#module-{full}"' in page, full


def test_no_markup_is_left_over_and_no_link_is_dead_in_the_documentation(documentation):
    anchors = cache(lambda path: set(Page(path.read_text(encoding="utf-8")).ids))  # each page is read once
    for name, source in {**documentation, "../../CHANGELOG": (SITE / "CHANGELOG.html").read_text()}.items():
        page = Page(source)
        visible = "".join(page.text)
        for leftover in (":prf:", ":cite:", ":py:obj:", "`", ">>> ", "::"):
            assert leftover not in visible, f"{name}: …{visible[visible.find(leftover) - 60 :][:120]}…"
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            target, _, anchor = link.partition("#")
            if not re.match(r"[a-z]+:", link) and target:
                there = (SITE / "book" / "api" / f"{name}.html").parent / target
                assert there.exists(), f"{name} links to {link}"
                assert not anchor or anchor in anchors(there), f"{name} links to {link}"


def test_the_bibliography_shows_a_link_for_every_entry():
    page = (SITE / "chapters" / "bibliography.html").read_text()
    shown = re.findall(r'<div class="citation".*?</div>', page, re.S)
    assert len(shown) == len(ENTRIES)
    assert all('href="https://' in entry for entry in shown)


# The links, by themselves


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("lnn.gradient_flow", "lnn.flow.gradient_flow"),
        ("flow.gradient_flow", "lnn.flow.gradient_flow"),
        ("end_to_end(weights)", "lnn.network.end_to_end"),
        ("Trajectory", "lnn.trajectory.Trajectory"),
        ("lnn.symbolic.norms.completion", "lnn.symbolic.norms.completion"),
        ("widths", None),  # a variable, more often than the function
        ("W @ x", None),
        ("np.linalg.norm(A)", None),
    ],
)
def test_code_on_a_page_means_what_the_package_exports(code, name):
    assert reference.meant(code) == name


def test_other_names_given_at_import_are_understood():
    assert reference.in_code("derive.mode_equation", "convergence") == "lnn.symbolic.convergence.mode_equation"
    assert reference.in_code("derive.mode_equation", "balancedness") is None
    assert reference.in_code("plots.plane", "convergence") == "lnn.draw.plots.plane"


def test_a_docstring_becomes_text_in_which_only_what_is_meant_is_markup():
    line = "The last d_ of `weights`, |x| * y; `thm-gd`, page `convergence`; [ACGH19], as `lnn.gradient_flow` does."
    found = reference.as_rst(line, "lnn.x")
    assert r"d\_ of ``weights``, \|x\| \* y;" in found
    assert ":prf:ref:`thm-gd`, page :doc:`/chapters/convergence`; :cite:`ACGH19`" in found
    assert ":py:obj:`lnn.gradient_flow <lnn.flow.gradient_flow>` does." in found


@pytest.mark.parametrize("home", ["https://github.com/owner/name", ""])
def test_files_of_the_repository_are_links_where_its_address_is_known(home, tmp_path):
    name = "tests/book/test_matter.py::test_files_of_the_repository_are_links_where_its_address_is_known"
    (tmp_path / "conf.py").write_text("extensions = ['reference']\n")
    (tmp_path / "index.rst").write_text(f"Page\n====\n\n``{name}`` and ``tests/none.py``\n")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "book" / "extensions"), str(ROOT / "tools" / "pages")]),
        "LNN_REPOSITORY": home,
    }
    if not home:
        pytest.skip("the clone has an address") if repository.address() else None
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(tmp_path), str(tmp_path / "out")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    built = (tmp_path / "out" / "index.html").read_text()
    links = re.findall(r'href="(https://github[^"]+)"', built)
    lines = (ROOT / "tests" / "book" / "test_matter.py").read_text().splitlines()
    line = 1 + next(k for k, line in enumerate(lines) if line.startswith(f"def {name.partition('::')[2]}("))
    assert links == ([f"{home}/blob/main/tests/book/test_matter.py#L{line}"] if home else [])
    assert "tests/none.py" in built
