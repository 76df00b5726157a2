"""How the package hangs together: no circle of imports, two folders apart, and what is public is documented."""

import inspect
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest
from inventory import MODULES, PACKAGE, imports, module_of, name_of, public

import lnn

GRAPH = {name_of(path): {name for name in imports(path) if name.startswith("lnn.")} for path in MODULES}


def test_there_is_no_circle_of_imports():
    known = {name: {other for other in others if other in GRAPH} for name, others in GRAPH.items()}
    assert len(list(TopologicalSorter(known).static_order())) == len(MODULES)  # a circle raises CycleError


@pytest.mark.parametrize("room", ["symbolic", "nonlinear"])
def test_nothing_imports_the_isolated_folders(room):
    for name, others in GRAPH.items():
        apart = name.startswith(f"lnn.{room}")
        assert apart or not any(other.startswith(f"lnn.{room}") for other in others), name


def test_symbolic_imports_sympy_alone():
    for path in (PACKAGE / "symbolic").glob("*.py"):
        names = imports(path)
        assert {name.split(".")[0] for name in names} <= {"sympy", "lnn", *sys.stdlib_module_names}, path
        assert all(name.startswith("lnn.symbolic") for name in names if name.startswith("lnn")), path


def test_numerics_imports_nothing_above_it():
    for name, others in GRAPH.items():
        if name.startswith("lnn.numerics"):
            assert all(other.startswith("lnn.numerics") for other in others), name


def test_importing_lnn_costs_numpy_and_scipy_only():
    heavy = "matplotlib sympy joblib pooch tqdm IPython jax equinox optax mlxtend torch".split()
    code = f"import sys, lnn; print([name for name in {heavy!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_public_is_documented(path):
    module = module_of(path)
    assert module.__doc__, f"{path.name} does not say what lives in it"
    protocols = {"Measurement", "Loss"}
    for name, value in public(module):
        if any(f".{protocol}." in name for protocol in protocols):
            continue
        assert inspect.getdoc(value), f"{name} has no docstring"


def test_all_names_what_is_there():
    assert sorted(lnn.__all__) == list(lnn.__all__)
    for name in lnn.__all__:
        assert hasattr(lnn, name), name


def test_docstrings_cite_keys_of_the_bibliography():
    keys = set(re.findall(r"^@\w+\{(\w+),", (PACKAGE.parent / "book" / "references.bib").read_text(), re.M))
    for path in MODULES:
        for key in re.findall(r"\[([A-Z][A-Za-z]*\d\d)\]", path.read_text()):
            assert key in keys, f"{path.name} cites [{key}], which references.bib does not have"


def test_the_package_knows_its_version():
    """That of pyproject.toml and of CITATION.cff."""
    root = PACKAGE.parent
    assert f'version = "{lnn.__version__}"' in (root / "pyproject.toml").read_text()
    assert f"version: {lnn.__version__}\n" in (root / "CITATION.cff").read_text()
    with pytest.raises(AttributeError, match="no attribute 'version'"):
        lnn.version  # noqa: B018


def test_the_readme_counts_the_modules_that_a_newcomer_meets():
    numbers = "zero one two three four five six seven eight nine ten eleven twelve".split()
    flat = numbers[len(list(PACKAGE.glob("[!_]*.py")))]
    assert f"{flat} modules to begin with" in (PACKAGE.parent / "README.md").read_text()
    assert f"{flat.capitalize()} modules are what" in (PACKAGE.parent / "book" / "api" / "index.rst").read_text()
