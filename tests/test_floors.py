"""The house has floors: a module of lnn imports only from strictly lower ones. And what is public is documented."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lnn

PACKAGE = Path(lnn.__file__).parent
FLOORS = {
    "checks": 0,
    "interrupt": 0,
    "scale": 0,
    "field": 1,
    "gas_sensor": 1,
    "initial": 1,
    "measurements": 1,
    "modes": 1,
    "network": 1,
    "runge_kutta": 1,
    "spectrum": 1,
    "symbolic": 1,
    "tensor": 1,
    "balance": 2,
    "chebyshev": 2,
    "datasets": 2,
    "hierarchical": 2,
    "losses": 2,
    "nuclear": 2,
    "preconditioner": 2,
    "sweep": 2,
    "trajectory": 2,
    "unfolding": 2,
    "descent": 3,
    "guarantees": 3,
    "integrate": 3,
    "search": 3,
    "animate": 4,
    "flow": 4,
    "optimizers": 4,
    "plots": 4,
    "factored": 5,
    "nonlinear": 6,
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """The name under which a file stands in FLOORS: its own, or that of its folder."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            found.add(node.module)
            if node.module == "lnn":
                found |= {f"lnn.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_floors(path):
    assert room(path) in FLOORS, f"{path.name} has no floor yet: give it one"
    for name in imports(path):
        if name.startswith("lnn."):
            other = name.split(".")[1]
            if other == room(path) and other in ("symbolic", "nonlinear"):
                continue
            assert FLOORS[other] < FLOORS[room(path)], f"{path.name} imports {name}"


def test_symbolic_derivations_import_sympy_alone_and_nothing_imports_them():
    for path in MODULES:
        names = {name.split(".")[0] for name in imports(path)}
        if room(path) == "symbolic":
            assert names <= {"sympy", "lnn", *sys.stdlib_module_names}, path
            assert all(n.startswith("lnn.symbolic") for n in imports(path) if n.startswith("lnn")), path
        else:
            assert not any(name.startswith("lnn.symbolic") for name in imports(path)), path


def test_importing_lnn_costs_numpy_and_scipy_only():
    heavy = "matplotlib sympy joblib pooch tqdm IPython jax equinox optax mlxtend torch".split()
    code = f"import sys, lnn; print([name for name in {heavy!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def public(module):
    """Public functions and classes that a module defines itself, and the public methods of those classes."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{module.__name__}.{name}.{method}", function


def module_of(path: Path):
    dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    return importlib.import_module(dotted)


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
    keys = set(re.findall(r"^@\w+\{(\w+),", (PACKAGE.parent / "references.bib").read_text(), re.M))
    for path in MODULES:
        for key in re.findall(r"\[([A-Z][A-Za-z]*\d\d)\]", path.read_text()):
            assert key in keys, f"{path.name} cites [{key}], which references.bib does not have"
