"""Run every notebook in an environment made from binder/ alone, and compare what it prints with what is stored.

Usage: python tools/notebooks/bindercheck.py [NAME ...]

A fresh virtual environment with the Python of binder/runtime.txt, a kernel and widgets stands for the base image of
repo2docker; the commands of binder/postBuild run in it, in a fresh copy of what git knows. Then every notebook is
executed from an empty folder, so that nothing is found by lying nearby.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from notebooks import ROOT
from tqdm import tqdm

SANITIZE = re.compile(r"at 0x[0-9a-fA-F]+|<Figure size [^>]*>")


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
    os.environ["JUPYTER_PATH"] = str(environment / "share" / "jupyter")
    return variables


def printed(cell: nbformat.NotebookNode) -> list[str]:
    """What a code cell prints: text, without addresses in memory and sizes of figures."""
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", [])]
    return [SANITIZE.sub("", text) for text in texts]


def differences(page: Path, variables: dict[str, str], folder: Path) -> list[str]:
    """Execute a notebook in the environment; return the cells that print something else than is stored."""
    stored = nbformat.read(page, as_version=4)
    fresh = nbformat.read(page, as_version=4)
    options = {"timeout": 900, "kernel_name": "binder", "coalesce_streams": True}
    client = NotebookClient(fresh, resources={"metadata": {"path": str(folder)}}, **options)
    client.execute(env=variables, stderr=subprocess.DEVNULL)
    pairs = zip(stored.cells, fresh.cells, strict=True)
    return [
        f"{page.stem}:\n{old.source}\nstored: {printed(old)}\nnow: {printed(new)}"
        for old, new in pairs
        if old.cell_type == "code" and "NBVAL_IGNORE_OUTPUT" not in old.source and printed(old) != printed(new)
    ]


def main() -> int:
    names = sys.argv[1:] or sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = make_environment(folder)
        (folder / "empty").mkdir()
        found = []
        for name in tqdm(names, unit="notebook"):
            found += differences(ROOT / "chapters" / f"{name}.ipynb", variables, folder / "empty")
    print("\n\n".join(found) or f"{len(names)} notebooks print in Binder's environment what is stored")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
