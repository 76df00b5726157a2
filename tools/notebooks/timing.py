"""Measure how long every notebook runs and how much memory it needs, for the page `statistics`.

Usage: python tools/notebooks/timing.py [NAME ...]

Without names, all pages that run code. A run that was interrupted is taken up where it was. What is measured goes to
statistics.json; `make pages` makes the page of it. The notebooks themselves are not written.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "pages"))
import jupytext
import nbformat
import notebooks  # sets one thread, too
import numpy as np
import pages
import whole
from nbclient import NotebookClient
from tqdm import tqdm

# Those whose version may change what a notebook shows or how long it takes.
PACKAGES = "numpy scipy matplotlib sympy jupyter-book sphinx nbclient jupytext".split()
OPTIONAL = "jax equinox optax".split()
LAST = """import json, resource
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([usage.ru_maxrss, usage.ru_utime + usage.ru_stime]))"""


def measure(name: str) -> dict[str, int]:
    """Run a page in a kernel of its own: wall-clock and processor seconds, and the kernel's peak memory in MB."""
    notebook = jupytext.read(notebooks.CHAPTERS / f"{name}.md", fmt="md:myst")
    notebook.cells.append(nbformat.v4.new_code_cell(LAST))
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(notebooks.CHAPTERS)}})
    start = time.perf_counter()
    client.execute(stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    peak, processor = json.loads(notebook.cells[-1].outputs[0].text)
    peak /= 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return {"seconds": round(seconds), "processor": round(processor), "megabytes": round(peak)}


def machine() -> dict[str, str | int]:
    """What the measurement ran on, without anything that names a place or a person."""
    processor = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            processor = re.search(r"^model name\s*: *(.*)$|\Z", file.read(), re.M)[1] or processor
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": processor,
        "cores": os.cpu_count() or 1,
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": f"Python {platform.python_version()}",
        "blas": f"{blas['name']} {blas['version']}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="pages, without ending; all by default")
    names = parser.parse_args().names or running()
    old = json.loads(pages.STATISTICS.read_text())["notebooks"] if pages.STATISTICS.exists() else {}
    found = {name: entry for name, entry in old.items() if name in running()}
    kept = whole.Unfinished("statistics")
    for name in tqdm(names, unit="page"):
        files = [notebooks.CHAPTERS / f"{name}.md", *whole.package()]
        found[name] = kept(name, files, lambda name=name: measure(name))
    used = PACKAGES + [name for name in OPTIONAL if any(f"import {name}" in text for text in sources())]
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "packages": {name: version(name) for name in used},
        "notebooks": dict(sorted(found.items())),
    }
    whole.write(pages.STATISTICS, json.dumps(record, indent=1) + "\n")
    kept.finish()
    return 0


def sources() -> list[str]:
    """The texts of all pages."""
    return [page.read_text() for page in sorted(notebooks.CHAPTERS.glob("*.md"))]


def running() -> list[str]:
    """The pages that run code."""
    return [page.stem for page in sorted(notebooks.CHAPTERS.glob("*.md")) if "```{code-cell}" in page.read_text()]


if __name__ == "__main__":
    sys.exit(main())
