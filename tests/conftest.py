"""Settings for all tests: repeatable random examples, one thread, no network."""

import os
import runpy
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Here and in every Python that is started from here, kernels of notebooks included: see tests/offline/.
OFFLINE = str(Path(__file__).parent / "offline")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
if OFFLINE not in sys.path:  # else this Python, a worker perhaps, was started so already
    runpy.run_path(f"{OFFLINE}/sitecustomize.py")
import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _network(request, monkeypatch):
    """Tests with the marker `network` may connect to other machines."""
    if request.node.get_closest_marker("network"):
        monkeypatch.setenv("TESTS_NETWORK", "allowed")
