"""For all tests: repeatable random examples, one thread, no network; a browser and a server of the built book.

Without the extra `lnn[nonlinear]` what needs it is skipped by name; what reads the built pages can be left out, and
what takes long. At the end three lines say what was skipped and why.
"""

import os
import runpy
import sys
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Here and in every Python that is started from here, kernels of notebooks included: see tests/offline/.
OFFLINE = str(Path(__file__).parent / "offline")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
if OFFLINE not in sys.path:  # else this Python, a worker perhaps, was started so already
    runpy.run_path(f"{OFFLINE}/sitecustomize.py")
import pytest
import seconds
from built import CHROMIUM, SITE
from hypothesis import Phase, settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")
# A mutant is killed by the first failure: no simpler one is looked for.
settings.register_profile("mutants", settings.get_profile("repeatable"), phases=[Phase.explicit, Phase.generate])

EXTRA = ("jax", "equinox", "optax", "mlxtend")
MISSING = [name for name in EXTRA if find_spec(name) is None]
# Parts of the ids of the tests that import lnn.nonlinear: its notebook, its experiments, its documentation.
NEEDING = (
    "chapters/nonlinear_networks.ipynb",
    "[e09_convnet]",
    "[e19_autoencoder]",
    "[nonlinear/",
    "test_every_public_thing_is_documented",
    "test_labels_in_docstrings_lead",
)

# Tests of the built pages, which --without-pages leaves out.
PAGES = ("accessibility", "book", "browser", "downloads", "pdf", "publishing", "reading", "site_offline")


def pytest_addoption(parser):
    """Add --without-pages, --quick and --measure."""
    parser.addoption("--without-pages", action="store_true", help="leave out the tests of the built pages")
    parser.addoption("--quick", action="store_true", help="leave out these, and what took more than a second")
    parser.addoption("--measure", action="store_true", help="keep how long the tests take in tests/seconds.json")


def pytest_configure(config):
    """Measure where the reports arrive: not in the workers."""
    if config.getoption("measure") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(seconds.Measured())


def pytest_ignore_collect(collection_path, config):
    """Whether it is one of the files with tests of the pages, if these are not wanted."""
    without = config.getoption("without_pages") or config.getoption("quick")
    unwanted = without and collection_path.name in {f"test_{name}.py" for name in PAGES}
    return True if unwanted else None


def pytest_collection_modifyitems(config, items):
    """Order the files for the workers; drop what takes long, if only the rest is wanted; mark what needs the extra."""
    if hasattr(config, "workerinput"):
        seconds.longest_first(items)
    if config.getoption("quick"):
        items[:], long = seconds.parted(items)
        config.hook.pytest_deselected(items=long)
    if not MISSING:
        return
    skip = pytest.mark.skip(reason=f"needs {', '.join(MISSING)}: pip install 'lnn[nonlinear]'")
    for item in items:
        if any(part in item.nodeid for part in NEEDING):
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter):
    """Say in three lines what was skipped and why: the two commonest reasons, and all others on the third."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports).most_common()
    lines = [f"{count}: {reason}" for reason, count in reasons]
    for line in [*lines[:2], *filter(None, ["; ".join(lines[2:])])]:
        terminalreporter.write_line(f"skipped {line}")


@pytest.fixture(autouse=True)
def _network(request, monkeypatch):
    """Tests with the marker `network` may connect to other machines."""
    if request.node.get_closest_marker("network"):
        monkeypatch.setenv("TESTS_NETWORK", "allowed")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no name is resolved: all is on board
            ],
        )
        yield chromium
        chromium.close()
