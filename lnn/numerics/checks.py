"""Input validation: real, finite numbers of the right shape, and refusals that say what came and what was needed."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import ddot

Matrix = NDArray[np.float64]
Weights = tuple[Matrix, ...]


class ReadOnly:
    """What keeps arrays, alone or in tuples, that nobody may write to, not even after pickling and copying."""

    def __post_init__(self) -> None:
        for value in vars(self).values():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        ReadOnly.__post_init__(self)


def offers(value: object, *methods: str) -> bool:
    """Whether it is an object, or a module, with these methods; a class is not: it has to be called first."""
    return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in methods)


def finite(array: Matrix) -> bool:
    """Whether all entries are finite."""
    # The sum of squares is five times faster than a look at every entry; it may overflow where they do not. SciPy's
    # product does so without a warning; large ones are left to NumPy's BLAS, which may use several threads.
    flat = array.ravel()
    if 0 < flat.size <= 4096:
        return isfinite(ddot(flat, flat)) or bool(np.isfinite(flat).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return isfinite(flat.dot(flat)) or bool(np.isfinite(flat).all())


def check_array(values: ArrayLike, name: str) -> Matrix:
    """Return `values` as a non-empty, finite float64 array.

    Raises
    ------
    TypeError
        If the entries are complex or not numbers, or some are masked out.
    ValueError
        If the array is empty or ragged, or an entry is not finite.
    """
    if type(values) is np.ndarray and values.dtype == np.float64 and values.size and finite(values):
        return values
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers, got rows of different lengths") from error
    if array.dtype.kind not in "fiub":
        alone = array.dtype.kind == "O" and array.ndim == 0
        got = f"an object of type {type(values).__name__}" if alone else f"dtype {array.dtype}"
        raise TypeError(f"{name} must hold real numbers, got {got}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise TypeError(f"{name} must be a plain array, got one with {values.mask.sum()} entries masked out")
    with np.errstate(over="ignore"):  # a number too large for 64 bits is refused below
        array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        bad = array.size - int(np.isfinite(array).sum())
        raise ValueError(f"{name} must be finite, got {bad} of {array.size} entries that are NaN or infinite")
    return array


def no_network(values: ArrayLike, name: str) -> ArrayLike:
    """Return `values`, unless they are a tuple of matrices: of equal widths, one could be taken for a stack.

    Raises
    ------
    TypeError
        If they are.
    """
    if isinstance(values, tuple) and values and isinstance(values[0], np.ndarray) and values[0].ndim > 1:
        raise TypeError(
            f"{name} must be one array, got a tuple of {len(values)} matrices: of a network take end_to_end"
        )
    return values


def check_matrix(matrix: ArrayLike, name: str = "matrix", shape: tuple[int, ...] | None = None) -> Matrix:
    """Return `matrix` as a finite float64 array of shape (…, m, n), with (m, n) = `shape` where that is given.

    Raises
    ------
    TypeError, ValueError
        As `check_array` does, or if the shape is not that of a matrix, or not the one needed.
    """
    array = check_array(no_network(matrix, name), name)
    if array.ndim < 2:
        raise ValueError(f"{name} must be a matrix (2 axes or more), got shape {array.shape}")
    if shape is not None and array.shape[-2:] != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def check_number(value: Any, name: str) -> float:
    """Return `value` as a finite float.

    Raises
    ------
    TypeError, ValueError
        If it is no single finite real number.
    """
    if np.asarray(value).dtype.kind == "b":
        raise TypeError(f"{name} must be a real number, got {value!r}")
    number = check_array(value, name)
    if number.ndim != 0:
        raise ValueError(f"{name} must be a single number, got shape {number.shape}")
    return float(number)


def check_positive(value: Any, name: str, *, or_zero: bool = False) -> float:
    """Return `value` as a positive, finite float; as 0, where that is allowed and it is 0.

    Raises
    ------
    TypeError
        If it is not a real number.
    ValueError
        If it is zero and that is not allowed, negative, NaN or infinite.
    """
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "fiuO":
        raise TypeError(f"{name} must be a real number, got {value!r}")
    try:
        number = float(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a real number, got {value!r}") from error
    except OverflowError:  # a whole number of more than 308 digits
        number = np.inf
    if or_zero and number == 0:
        return 0.0
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive and finite{', or 0' if or_zero else ''}, got {number}")
    return number


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return `value` as an integer that is at least `least`.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is smaller than `least`.
    """
    value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Return `widths` (d_0, …, d_N) as a tuple of positive integers, at least two of them.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two widths (depth 0) or one is not a positive whole number.
    """
    got = tuple(widths) if np.ndim(widths) else (widths,)
    if len(got) < 2:
        raise ValueError(f"widths must hold d_0, …, d_N for a depth N of at least 1, got {got}")
    return tuple(check_count(d, f"width d_{j}") for j, d in enumerate(got))


def check_rng(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a generator of random numbers.

    Raises
    ------
    TypeError
        If it is anything else, a seed included: randomness has one visible source.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, e.g. np.random.default_rng(0), got {rng!r}")
    return rng


def representable(result: Matrix, name: str) -> Matrix:
    """Return `result` if it is finite.

    Raises
    ------
    ValueError
        If it is not: finite arguments gave numbers that are too large for a float.
    """
    if not finite(result):
        lost = result.size - int(np.isfinite(result).sum())
        raise ValueError(f"{name} has {lost} of {result.size} entries that leave the range of floats, 1e308")
    return result
