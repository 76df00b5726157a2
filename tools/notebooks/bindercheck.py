"""Run every notebook in an environment made from binder/ alone, and compare what it prints with what is stored.

Usage: python tools/notebooks/bindercheck.py [NAME ...]

A fresh virtual environment with the Python of binder/runtime.txt, a kernel and widgets stands for the base image of
repo2docker; the commands of binder/postBuild run in it, in a fresh copy of what git knows. Then pytest with nbval
executes every notebook in an empty folder, so that nothing is found by lying nearby.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from notebooks import ROOT


def copy_sources(folder: Path) -> None:
    """Copy the files that git lists, as they are now, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def make_environment(folder: Path) -> dict[str, str]:
    """Make a virtual environment as binder/ says, and return the variables with which its kernel starts."""
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    uv, environment, sources = Path(sys.executable).parent / "uv", folder / "environment", folder / "sources"
    subprocess.run([uv, "venv", "--quiet", "--seed", "--python", version, environment], check=True)
    variables = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    variables["PATH"] = f"{environment / 'bin'}{os.pathsep}{variables['PATH']}"
    python = environment / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "ipykernel", "ipywidgets"], check=True)
    # A kernel of its own name: Jupyter would start `python3` with the Python that runs this script.
    subprocess.run([python, "-m", "ipykernel", "install", "--prefix", environment, "--name", "binder"], check=True)
    copy_sources(sources)
    subprocess.run(["bash", "binder/postBuild"], cwd=sources, env=variables, check=True)
    return variables | {"JUPYTER_PATH": str(environment / "share" / "jupyter")}


def main() -> int:
    names = sys.argv[1:] or [path.stem for path in (ROOT / "chapters").glob("*.ipynb")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = make_environment(folder)
        empty = folder / "empty"
        empty.mkdir()
        for name in names:
            shutil.copy(ROOT / "chapters" / f"{name}.ipynb", empty)
        options = ["-c", "pyproject.toml", "--nbval-kernel-name=binder", "--nbval-cell-timeout=900"]
        return subprocess.run([sys.executable, "-m", "pytest", *options, empty], cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main())
