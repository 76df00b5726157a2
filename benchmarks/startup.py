"""What it costs to start: importing the package beyond NumPy and SciPy, and building the book."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = """
import sys, time
start = time.process_time()
import {modules}
middle = time.process_time()
import lnn
print(middle - start, time.process_time() - middle)
"""


def foreign_modules() -> list[str]:
    """The subpackages of NumPy and SciPy that importing lnn imports."""
    code = "import sys, lnn; print(*(name for name in sys.modules if name.count('.') <= 1))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name for name in answer.stdout.split() if name.split(".")[0] in ("numpy", "scipy")}
    return sorted(name for name in names if "._" not in name)


def importing(repeats: int) -> list[dict]:
    """Seconds for what lnn imports of NumPy and SciPy, and for lnn after it, in a fresh interpreter."""
    code = CODE.format(modules=", ".join(foreign_modules()))
    pairs = []
    for _ in range(1 + repeats):  # the first one warms the disk's cache
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        pairs.append([float(word) for word in answer.stdout.split()])
    foreign, own = (min(column) for column in zip(*pairs[1:], strict=True))
    return [
        {"part": "import", "case": {}, "contender": "NumPy and SciPy", "seconds": foreign},
        {"part": "import", "case": {}, "contender": "lnn", "seconds": own},
    ]


def building() -> list[dict]:
    """Seconds of a build of the whole book from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).parent / "jupyter-book"),
            "build",
            ".",
            "--all",
            "--quiet",
            "--path-output",
            folder,
        ]
        start = time.perf_counter()
        answer = subprocess.run(command, cwd=ROOT, capture_output=True)
        took = time.perf_counter() - start
    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    return [{"part": "book", "case": {}, "contender": "jupyter-book", "seconds": took}]


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    return importing(1) if small else importing(10) + building()
