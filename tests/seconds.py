"""How long tests took when last measured: in what order workers take files, and what `--quick` leaves out.

seconds.json has the sum over each file and, by itself, every test that took more than LONG. `make seconds` measures
everything; a run of some files with `--measure` brings theirs up to date.
"""

import json
from pathlib import Path

STORED = Path(__file__).with_name("seconds.json")
LONG = 1.0  # seconds, set-up included


def load():
    """Seconds by file, and by test for those that took long."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    return stored["files"], stored["long"]


def longest_first(items):
    """Tests file by file, those files first that take longest: the workers end together. New files come before all."""
    files, _ = load()
    items.sort(key=lambda item: -files.get(item.nodeid.partition("::")[0], float("inf")))


def parted(items):
    """Tests that took up to LONG when they were last measured, or are new, and the others."""
    _, long = load()
    return [item for item in items if item.nodeid not in long], [item for item in items if item.nodeid in long]


class Measured:
    """What the tests of one run take, written to seconds.json at its end."""

    def __init__(self):
        self.tests = {}

    def pytest_runtest_logreport(self, report):
        self.tests[report.nodeid] = self.tests.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self):
        files, long = load() if STORED.exists() else ({}, {})
        seen = {nodeid.partition("::")[0] for nodeid in self.tests}
        files = {name: seconds for name, seconds in files.items() if name not in seen}
        long = {nodeid: seconds for nodeid, seconds in long.items() if nodeid.partition("::")[0] not in seen}
        for nodeid, seconds in self.tests.items():
            name = nodeid.partition("::")[0]
            files[name] = files.get(name, 0.0) + seconds
            if seconds > LONG:
                long[nodeid] = round(seconds, 1)
        root = STORED.parents[1]
        files = {name: round(seconds, 1) for name, seconds in files.items() if (root / name).exists()}
        long = {nodeid: seconds for nodeid, seconds in long.items() if nodeid.partition("::")[0] in files}
        stored = {"files": dict(sorted(files.items())), "long": dict(sorted(long.items()))}
        STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
