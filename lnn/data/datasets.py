"""Ground truths, observation patterns, whitening, and real data: one set bundled, one to be downloaded."""

import math
import os
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn.data.gas_sensor import fetch, read
from lnn.measurements import Everything
from lnn.numerics.checks import Matrix, check_count, check_matrix, check_positive, check_rng, representable


class Regression(NamedTuple):
    """Data of a regression problem: `X`, shape (features, samples), `Y`, shape (outputs, samples), and names."""

    X: Matrix
    Y: Matrix
    features: tuple[str, ...]


def _sizes(shape: tuple[int, ...], order: int | None = None) -> tuple[int, ...]:
    """Return `shape` as that of a matrix, or of a tensor where no `order` is given."""
    sizes = Everything(shape).shape
    if order is not None and len(sizes) != order:
        raise ValueError(f"shape must be a pair (m, n), got {sizes}")
    return sizes


def low_rank(shape: tuple[int, int], rank: int, *, norm: float | None = None, rng: np.random.Generator) -> Matrix:
    """Random matrix of a given rank: a product of two Gaussian factors, scaled to a Frobenius norm.

    Parameters
    ----------
    shape : (m, n)
    rank : int
        From 1 to min(m, n).
    norm : float, optional
        Frobenius norm; by default √(mn), a mean square entry of 1.
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (m, n)

    Raises
    ------
    TypeError, ValueError
        If the rank does not fit the shape, the norm is not positive, or `rng` is not a generator.
    """
    m, n = _sizes(shape, 2)
    rank, rng = check_count(rank, "rank"), check_rng(rng)
    if rank > min(m, n):
        raise ValueError(f"the rank of a {m}×{n} matrix is at most {min(m, n)}, got {rank}")
    norm = np.sqrt(m * n) if norm is None else check_positive(norm, "norm")
    W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    return np.asarray(W * (norm / np.linalg.norm(W)))


def random_mask(shape: tuple[int, ...], count: int, *, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Boolean matrix, or tensor, with `count` true entries, drawn uniformly without replacement.

    Parameters
    ----------
    shape : (m, n)
        Or (d_1, …, d_N).
    count : int
        From 1 to the number of entries.
    rng : numpy.random.Generator

    Returns
    -------
    boolean array of this shape

    Raises
    ------
    TypeError, ValueError
        If `count` does not fit the shape or `rng` is not a generator.
    """
    sizes = _sizes(shape)
    count, rng, entries = check_count(count, "count"), check_rng(rng), math.prod(sizes)
    if count > entries:
        kind = "matrix" if len(sizes) == 2 else "tensor"
        raise ValueError(f"a {'×'.join(map(str, sizes))} {kind} has {entries} entries, got a count of {count}")
    mask = np.zeros(entries, dtype=bool)
    mask[rng.choice(entries, size=count, replace=False)] = True
    return mask.reshape(sizes)


def sensing(shape: tuple[int, int], count: int, *, rng: np.random.Generator) -> Matrix:
    """Measurement matrices A_1, …, A_k with independent entries N(0, 1/(mn)), so that E⟨A_i, W⟩² is the mean of W².

    Parameters
    ----------
    shape : (m, n)
    count : int
        k ≥ 1.
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (k, m, n)

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive whole number or `rng` is not a generator.
    """
    (m, n), k = _sizes(shape, 2), check_count(count, "count")
    return np.asarray(check_rng(rng).standard_normal((k, m, n)) / np.sqrt(m * n))


def whiten(X: ArrayLike) -> tuple[Matrix, Matrix]:
    """Whitened samples C^{-1/2} X, with C = XXᵀ, and the whitening transform C^{-1/2}.

    The whitened samples Z satisfy ZZᵀ = I, so that ½‖WZ - Y‖_F² is ½‖W - YZᵀ‖_F² up to a constant.

    Parameters
    ----------
    X : array, shape (features, samples)
        Of full row rank.

    Returns
    -------
    Z : array, shape (features, samples)
    transform : array, shape (features, features)

    Raises
    ------
    TypeError, ValueError
        If `X` is not a single matrix, has not full row rank, or is so small that its inverse is too large for a float.

    Notes
    -----
    `def-margin`, page `convergence`; [ACGH19].
    """
    X = check_matrix(X, "X")
    if X.ndim != 2:
        raise ValueError(f"X must have shape (features, samples), got {X.shape}")
    U, values, Vt = np.linalg.svd(X, full_matrices=False)
    rank = int((values > values[0] * max(X.shape) * np.finfo(float).eps).sum())
    if rank < len(X):
        raise ValueError(f"whitening needs full row rank: {len(X)} features, but X has rank {rank}")
    with np.errstate(over="ignore", invalid="ignore"):
        return U @ Vt, representable((U / values) @ U.T, "the whitening transform")


def auto_mpg() -> Regression:
    """The UCI Auto MPG table: 392 cars, 7 features, fuel consumption in miles per gallon, all standardized.

    Each feature and the target have mean 0 and mean square 1, so that no bias is needed.

    Returns
    -------
    Regression
        `X` of shape (7, 392), `Y` of shape (1, 392).

    Raises
    ------
    ValueError
        If the bundled file is damaged.

    Notes
    -----
    R. Quinlan, Auto MPG, UCI Machine Learning Repository, CC BY 4.0; the six cars without a recorded
    horsepower and the column of names are left out. [Qui93]
    """
    with (resources.files("lnn") / "data" / "auto_mpg.csv").open() as file:
        names = file.readline().strip().split(",")
        rows = [line.strip().split(",") for line in file]
    try:
        table = np.array(rows, dtype=np.float64)
    except ValueError:  # a word, or rows of different lengths
        table = np.zeros(0)
    if table.shape != (392, 8) or len(names) != 8 or not np.isfinite(table).all():
        raise ValueError(
            f"auto_mpg.csv must hold 392 rows of 8 finite numbers, got {len(rows)} rows and {len(names)} names: the "
            "file is damaged, install lnn again"
        )
    return _standardized(table, tuple(names[:-1]))


def _standardized(table: Matrix, features: tuple[str, ...]) -> Regression:
    """Regression of a table's last column on the others, every column with mean 0 and mean square 1."""
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    return Regression(table[:, :-1].T.copy(), table[:, -1:].T.copy(), features)


def gas_sensor(
    path: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: bool = True,
    sha256: str | None = None,
) -> Regression:
    """The concentration of ethanol from 128 features of 16 gas sensors, all standardized: 2,565 samples.

    The data set of [ACH18]'s experiments, of 10 MB, downloaded once into the cache folder of the system, or into
    the one that the environment variable LNN_DATA names.

    Parameters
    ----------
    path : path, optional
        A local copy: UCI's zip archive, or a folder with its batch1.dat, …, batch10.dat.
    download : bool
        Without a path: whether the archive may be downloaded if it is not in the cache.
    progress : bool
        Show a bar during the download (needs tqdm).
    sha256 : str, optional
        The hash that a downloaded archive must have, if you know it from elsewhere; UCI publishes none.

    Returns
    -------
    Regression
        `X` of shape (128, samples), `Y` of shape (1, samples), the samples in UCI's order.

    Raises
    ------
    ConnectionError
        If the download fails.
    FileNotFoundError
        If there is nothing at the path, or nothing in the cache and `download` is false.
    ImportError
        If pooch is not installed and no path is given.
    ValueError
        If the archive is truncated or damaged, or its layout is not UCI's (a downloaded one is then removed from the
        cache, and a file of yours left alone), or it has another hash.

    Notes
    -----
    Gas Sensor Array Drift Dataset at Different Concentrations, UCI Machine Learning Repository 270, for research
    purposes only; class 1 of its six gases. [VVAHRH12], [RFVHH14]
    """
    source = fetch(download, progress, sha256) if path is None else Path(path)
    try:
        table, features = read(source)
    except ValueError:
        if path is None:
            source.unlink()  # an unreadable archive must not stay in the cache
        raise
    return _standardized(table, features)
