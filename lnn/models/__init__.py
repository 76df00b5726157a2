"""Models other than layers: other ways to write one matrix or tensor by a tuple of matrices, its factors."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import Matrix, Weights, check_matrix, offers


class Model(Protocol):
    """A way to write a matrix or a tensor by factors: a module or an object with three functions.

    The factors are matrices, of shape (…, m_j, n_j), with leading axes that are the same for all. `lnn.network`, whose
    factors are layers, is what every function of the package takes where no model is given.

    A run calls `check` once, and then the other two at every step, where numbers may have stopped being finite. If
    `pullback` validates its arguments, the model may offer the same without validation under the name `gradients`. A
    trajectory has `component_norms` if the model has.
    """

    def check(self, factors: Iterable[ArrayLike], /) -> Weights:
        """The factors as float64 matrices, if they fit each other."""
        ...

    def product(self, factors: Weights, /) -> Matrix:
        """End-to-end matrix or tensor of factors that have been checked, shape (…, *shape)."""
        ...

    def pullback(self, factors: Weights, G: Matrix, /) -> Weights:
        """Gradients with respect to every factor, from the gradient G of a loss at the product."""
        ...


def check_model(model: Any) -> Model:
    """Return a model if it is one.

    Raises
    ------
    TypeError
        If it has no `check`, `product` and `pullback`, or is a class.
    """
    if not offers(model, "check", "product", "pullback"):
        raise TypeError(f"a model must be a module or an object with check, product and pullback, got {model!r}")
    found: Model = model
    return found


def gradients(model: Model) -> Callable[[Weights, Matrix], Weights]:
    """The pullback of a model for inner loops."""
    found: Callable[[Weights, Matrix], Weights] = getattr(model, "gradients", model.pullback)
    return found


def fitting(G: Matrix, shape: tuple[int, ...]) -> Matrix:
    """Return a gradient at the product, which has this shape: NumPy would spread a smaller one over it.

    Raises
    ------
    ValueError
        If it has another one.
    """
    if np.shape(G) != shape:
        raise ValueError(f"G must have the shape {shape} of the end-to-end matrix, got {np.shape(G)}")
    return G


def name_of(model: Model) -> str:
    """Name of a module, without those of its packages, or of an object's class."""
    return str(getattr(model, "__name__", type(model).__name__)).rpartition(".")[2]


def describe(model: Model) -> dict[str, Any]:
    """What a file says of a model: its module; of an object of a dataclass also the class, and its fields."""
    if isinstance(model, ModuleType):
        return {"module": model.__name__}
    fields: dict[str, Any] = asdict(model) if is_dataclass(model) and not isinstance(model, type) else {}
    return {"module": type(model).__module__, "class": type(model).__name__, "fields": fields}


def model_from(description: dict[str, Any]) -> Model:
    """The model of the package that `describe` describes.

    Raises
    ------
    ValueError
        If it is none of the package's: a file is to import nothing else.
    """
    name, kind = str(description["module"]), description.get("class")
    if name == "lnn.network" or name.startswith("lnn.models."):
        with suppress(ImportError):  # one of a later edition, perhaps
            module: Any = import_module(name)
            if kind is None:
                return module
            if is_dataclass(getattr(module, kind, None)):
                return getattr(module, kind)(**description["fields"])
    raise ValueError(f"the model {kind or name} is not one of the package: say which it is, model=…")


def check_factors(factors: Iterable[ArrayLike], model: Model, *, least: int = 1) -> Weights:
    """Return `factors` as finite float64 matrices with the same leading axes; those of a trajectory of this model, too.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than `least`, one is no finite real matrix, or their leading axes differ.
    """
    if hasattr(factors, "read_by"):
        factors = factors.read_by(model)
    if not isinstance(factors, Iterable):
        raise TypeError(f"factors must be a tuple of matrices, got an object of type {type(factors).__name__}")
    found = tuple(check_matrix(W, f"factor {j}") for j, W in enumerate(factors, start=1))
    if len(found) < least:
        raise ValueError(f"the model {name_of(model)} needs {least} factors or more, got {len(found)}")
    for j, W in enumerate(found[1:], start=2):
        if W.shape[:-2] != found[0].shape[:-2]:
            raise ValueError(f"factor {j} has leading axes {W.shape[:-2]}, but factor 1 has {found[0].shape[:-2]}")
    return found


def check_same_shape(factors: Iterable[ArrayLike], model: Model, *, least: int = 1) -> Weights:
    """`check_factors` for models whose factors have one shape.

    Raises
    ------
    TypeError, ValueError
        As `check_factors` does, or if two shapes differ.
    """
    found = check_factors(factors, model, least=least)
    for j, W in enumerate(found[1:], start=2):
        if W.shape != found[0].shape:
            raise ValueError(f"factor {j} has shape {W.shape}, but factor 1 has {found[0].shape}")
    return found
