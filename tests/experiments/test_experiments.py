"""Every published finding that the book reproduces: its claim holds, and the page says what came out."""

import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import pages
import pytest

from experiments import Row

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("e*.py"))


def section(name):
    """What the page says about an experiment, heading and all."""
    found = re.split(r"\n(?=## )", (pages.CHAPTERS / "reproductions.md").read_text())
    (lines,) = (part for part in found if f"`tests/experiments/{name}.py`" in part)
    return lines.rstrip().splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_the_claims_hold_as_far_as_is_said_and_the_page_shows_what_was_measured(name, monkeypatch):
    module = importlib.import_module(f"experiments.{name}")
    rows = module.measure()
    assert rows
    for row in rows:
        assert row.verdict == row.said, f"{row.claim}: measured {row.measured}, published {row.published}"
    monkeypatch.setattr(module, "measure", lambda: rows)  # once is enough
    assert section(name) == pages.experiment(FOLDER / f"{name}.py"), "run `make pages`"


def test_a_claim_holds_in_part_when_its_published_size_does_not_come_out(monkeypatch):
    rows = [Row("a | b", None, "1", holds, in_full) for holds in (True, False) for in_full in (True, False)]
    assert [row.verdict for row in rows] == ["yes", "in part", "no", "no"]
    monkeypatch.setattr(pages.importlib, "import_module", lambda name: SimpleNamespace(measure=lambda: rows))
    lines = pages.experiment(Path("e00_test.py"))[-4:]
    assert lines[:2] == [r"| a \| b | no figure given | 1 | yes |", r"| a \| b | no figure given | 1 | **in part** |"]
    assert all(line.endswith("| **no** |") for line in lines[2:])
