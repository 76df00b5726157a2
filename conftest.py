"""What needs the extra `lnn[nonlinear]` is skipped by name where it is not installed; everything else runs."""

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

# Without the extra its modules cannot be imported, not even to look for doctests (there are none in them).
collect_ignore_glob = ["lnn/nonlinear/*.py"] if MISSING else []


def pytest_collection_modifyitems(items):
    """Mark what needs the extra, with the command that installs it as the reason."""
    if not MISSING:
        return
    skip = pytest.mark.skip(reason=f"needs {', '.join(MISSING)}: pip install 'lnn[nonlinear]'")
    for item in items:
        if any(part in item.nodeid for part in NEEDING) and "imports_only_from_lower_floors" not in item.nodeid:
            item.add_marker(skip)
