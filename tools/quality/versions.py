"""Run the tests on the oldest or the newest versions that pyproject.toml admits: bounds that nobody tests are wishes.

Usage: python tools/quality/versions.py oldest|newest [--python PATH] [PYTEST ARGUMENT ...]

`oldest` takes every lower bound of what lnn and the chapters import as the exact version, and the lock for the rest;
`newest` takes no notice of the lock, but for the tools that pyproject.toml pins. Each makes its own environment,
`.venv-oldest` or `.venv-newest`, and runs the package's tests and all notebooks, whose stored text has to come out.
On the newest versions deprecations are errors; on the oldest they are what newer tools say of older ones.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# They hold the pages, what leads to them, and the problem sets, all made and read with the locked versions alone.
OTHERS = (
    "course/test_grading", "course/test_formulas", "course/test_pool", "course/test_problem_sets",
    "book/test_launch", "book/test_matter",
)  # fmt: skip
LOCKED = ["--without-pages", *(f"--ignore=tests/{name}.py" for name in OTHERS)]


def oldest() -> list[str]:
    """Every lower bound `name>=version` of the dependencies, and of the chapters' extras, made exact.

    >>> oldest()[0]
    'numpy==2.0'
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["chapters"], *extras["nonlinear"]]
    return [f"{found[1]}=={found[2]}" for item in wanted if (found := re.fullmatch(r"([\w-]+)>=([\d.]+)", item))]


def rest_of_lock(exact: list[str]) -> list[str]:
    """The lock without hashes and without the packages that `exact` names; nor jaxlib, which goes with jax."""
    lines = re.findall(r"^[A-Za-z0-9][^\\\n]*==[^\\\n]*", (ROOT / "constraints.txt").read_text(), re.M)
    leave = {line.split("==")[0] for line in exact} | {"jaxlib"}
    return [line.strip() for line in lines if line.split("==")[0] not in leave]


def install(which: str, python: str) -> Path:
    """Make the environment and return its interpreter."""
    folder = ROOT / f".venv-{which}"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", python, str(folder)], check=True)
    command = [*uv, "pip", "install", "--quiet", "--python", str(folder), "-e", f"{ROOT}[test]"]
    if which == "oldest":
        exact = oldest()
        (folder / "exact.txt").write_text("\n".join(exact))
        (folder / "rest.txt").write_text("\n".join(rest_of_lock(exact)))
        command += ["--constraints", str(folder / "rest.txt"), "--overrides", str(folder / "exact.txt")]
    subprocess.run(command, check=True)
    return folder / "bin" / "python"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["oldest", "newest"])
    parser.add_argument("--python", default=sys.executable, help="the interpreter, by default the one that runs this")
    options, arguments = parser.parse_known_args()
    python = install(options.which, options.python)
    show = "import sys, numpy, scipy, sympy, matplotlib as m; print('Python', sys.version.split()[0], *(f'{x.__name__} {x.__version__}' for x in (numpy, scipy, sympy, m)))"  # noqa: E501
    subprocess.run([python, "-c", show], check=True)
    command = [python, "-m", "pytest", "--dist", "loadfile", *LOCKED, *(arguments or ["-n", "2"])]
    if options.which == "oldest":
        command += ["-W", "ignore::DeprecationWarning"]
    kernels = {"JUPYTER_PREFER_ENV_PATH": "1", "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=ROOT, env=os.environ | kernels).returncode


if __name__ == "__main__":
    sys.exit(main())
