"""The pool of proofs: three for each set, complete, and each fits into the place of the set's own proof."""

import re
import shutil
import tomllib

import jupytext
import pages
import pool
import pytest
import release
import sets
import test_problem_sets as problem_sets

ROOT = sets.ROOT
COURSE = ROOT / "exercises"
SETS = sets.sets(COURSE)
PROOFS = [(name, key) for name in SETS for key in pool.proofs(COURSE, name)]


def own(name):
    """The role of the set's own proof."""
    (found,) = [r for r in sets.roles(COURSE, name) if r.grade and r.solution]
    return found


def test_every_set_has_three_proofs_and_every_file_its_set():
    assert all(len(pool.proofs(COURSE, name)) == 3 for name in SETS)
    assert {page.stem for page in COURSE.glob("pool/*.md")} == set(SETS)


@pytest.mark.parametrize("name, key", PROOFS)
def test_a_proof_has_the_points_of_the_sets_own_and_a_rubric_that_adds_up(name, key):
    proof = pool.proofs(COURSE, name)[key]
    assert proof.points == own(name).points
    model, rubric = proof.model.split("**Rubric**")
    points = re.findall(r"^- (\d+) points?: ", rubric, re.M)
    assert len(points) >= 3 and sum(map(int, points)) == proof.points
    parts = re.findall(r"^\((\w)\) ", proof.text, re.M)
    assert parts and all(f"({part})" in model for part in parts), "the model answers every part"


@pytest.mark.parametrize("name, key", PROOFS)
def test_a_proof_names_statements_of_the_book(name, key):
    proof = pool.proofs(COURSE, name)[key]
    labels = set(pool.LABEL.findall(proof.text + proof.model))
    known = {
        label for chapter in tomllib.loads(pages.read(ROOT / "book" / "results.toml")).values() for label in chapter
    }
    assert pool.LABEL.findall(proof.text) and labels <= known, labels - known


@pytest.mark.parametrize("name, key", PROOFS)
def test_a_proof_can_stand_in_the_place_of_the_sets_own(tmp_path, capsys, name, key):
    shutil.copytree(COURSE / "pool", tmp_path / "pool")
    page = tmp_path / "source" / name / f"{sets.name_of(name)}.md"
    page.parent.mkdir(parents=True)
    shutil.copy(sets.source_of(COURSE, name).with_suffix(".md"), page)
    before = jupytext.read(page, fmt="md:myst").cells
    assert pool.exchange(tmp_path, name, "no-such-proof") == 1
    assert pool.exchange(tmp_path, name, key) == 0
    assert pool.exchange(tmp_path, name, key) == 0, "and again: nothing is lost or doubled"
    after = jupytext.read(page, fmt="md:myst").cells
    changed = [k for k, (old, new) in enumerate(zip(before, after, strict=True)) if old.source != new.source]
    assert changed[-2:] == [len(before) - 2, len(before) - 1] and changed[:-2] in ([], [0])
    headings = [problem_sets.HEADING.findall(cells[-2].source)[-1] for cells in (before, after)]
    assert headings[0] == headings[1], "the number and the points of the task"
    opening = " ".join(after[0].source.split())
    for label in pool.LABEL.findall(after[-1].source + after[-2].source):
        assert opening.count(f"`{label}`, *") == 1
    assert set(after[-1].metadata["nbgrader"]) == set(before[-1].metadata["nbgrader"])
    given = sets.untouched(after[-1].source)
    assert "Rubric" not in given and "SOLUTION" not in given


def test_a_set_with_a_proof_of_the_pool_is_released_without_the_model(tmp_path):
    name = SETS[0]
    key = next(iter(pool.proofs(COURSE, name)))
    shutil.copytree(COURSE / "pool", tmp_path / "pool")
    shutil.copytree(COURSE / "source" / name, tmp_path / "source" / name)
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    assert pool.exchange(tmp_path, name, key) == 0
    assert sets.pair(tmp_path) == 0
    assert release.release(tmp_path) == 0
    text = (tmp_path / "release" / name / f"{sets.name_of(name)}.ipynb").read_text()
    proof = pool.proofs(COURSE, name)[key]
    assert proof.title in text and "Rubric" not in text and "BEGIN SOLUTION" not in text
