"""What continuous integration runs is pinned, and has no more rights than it needs."""

import re
from pathlib import Path

import pytest
import yaml

WORKFLOWS = sorted((Path(__file__).resolve().parents[2] / ".github" / "workflows").glob("*.yml"))
PIN = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_beside(path):
    used = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert used and [line for line in used if not PIN.match(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_its_rights(path):
    assert "permissions" in yaml.safe_load(path.read_text()), "without it a job may have the right to write"


def test_the_lock_is_audited_every_week_and_whenever_it_changes():
    audit = yaml.safe_load(next(path for path in WORKFLOWS if path.name == "audit.yml").read_text())
    starts = audit[True]  # YAML's word for `on`
    assert "constraints.txt" in starts["push"]["paths"] and len(starts["schedule"]) == 1
    (command,) = [s["run"] for s in audit["jobs"]["audit"]["steps"] if s.get("run", "").startswith("pip-audit")]
    assert "--requirement constraints.txt" in command and "--strict" in command
