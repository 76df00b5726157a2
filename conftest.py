"""Without the extra `lnn[nonlinear]` what needs it is skipped by name; what reads the built pages can be left out."""

from importlib.util import find_spec

import pytest

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
PAGES = ("accessibility", "book", "browser", "downloads", "pdf", "publishing", "site_offline")

# Without the extra its modules cannot be imported, not even to look for doctests (there are none in them).
collect_ignore_glob = ["lnn/nonlinear/*.py"] if MISSING else []


def pytest_addoption(parser):
    """Add --without-pages."""
    parser.addoption("--without-pages", action="store_true", help="leave out the tests of the built pages")


def pytest_ignore_collect(collection_path, config):
    """Whether it is one of the files with tests of the pages, if these are not wanted."""
    unwanted = config.getoption("without_pages") and collection_path.name in {f"test_{name}.py" for name in PAGES}
    return True if unwanted else None


def pytest_collection_modifyitems(items):
    """Mark what needs the extra, with the command that installs it as the reason."""
    if not MISSING:
        return
    skip = pytest.mark.skip(reason=f"needs {', '.join(MISSING)}: pip install 'lnn[nonlinear]'")
    for item in items:
        if any(part in item.nodeid for part in NEEDING) and "imports_only_from_lower_floors" not in item.nodeid:
            item.add_marker(skip)
