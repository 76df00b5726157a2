"""The index of results is complete and current: each statement has the checks that results.toml promises."""

import re

import pages
import pytest

RESULTS = pages.results()


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.label)
def test_a_result_has_its_statement_and_the_checks_promised(result):
    assert not result.missing(), f"{result.label} lacks its {', '.join(result.missing())}"


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.label)
def test_sources_are_in_the_bibliography(result):
    keys = re.findall(r"[A-Z][A-Za-z]*\d\d", result.source)
    bibliography = (pages.ROOT / "book" / "references.bib").read_text()
    assert keys or not result.source
    assert all(f"{{{key}," in bibliography for key in keys)


def test_the_page_of_results_is_current():
    assert (pages.CHAPTERS / "results.md").read_text() == pages.results_page(), "run `make pages`"
