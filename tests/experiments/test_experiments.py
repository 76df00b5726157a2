"""Every published finding that the book reproduces: its claim holds, and the page says what came out."""

import importlib
from pathlib import Path

import pages
import pytest

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("e*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_the_claims_hold_and_the_page_shows_what_was_measured(name):
    rows = importlib.import_module(f"experiments.{name}").measure()
    assert rows
    page = (pages.CHAPTERS / "reproductions.md").read_text()
    for row in rows:
        assert row.holds, f"{row.claim}: measured {row.measured}, published {row.published}"
        assert row.measured.replace("|", r"\|") in page, f"{row.claim}: {row.measured} is not on the page: make pages"
