"""Ground truths, observation patterns, whitening, the bundled real data, and the optional download."""

import os
import zipfile
import zlib
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn.checks import Matrix, check_count, check_matrix, check_positive, check_rng


class Regression(NamedTuple):
    """Data of a regression problem: `X`, shape (features, samples), `Y`, shape (outputs, samples), and names."""

    X: Matrix
    Y: Matrix
    features: tuple[str, ...]


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
        If the rank does not fit the shape, the norm is not positive, or `rng` is no generator.
    """
    m, n = check_count(shape[0], "m"), check_count(shape[1], "n")
    rank, rng = check_count(rank, "rank"), check_rng(rng)
    if rank > min(m, n):
        raise ValueError(f"the rank of a {m}×{n} matrix is at most {min(m, n)}, got {rank}")
    norm = np.sqrt(m * n) if norm is None else check_positive(norm, "norm")
    W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    return np.asarray(W * (norm / np.linalg.norm(W)))


def random_mask(shape: tuple[int, int], count: int, *, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Boolean matrix with `count` true entries, drawn uniformly without replacement.

    Parameters
    ----------
    shape : (m, n)
    count : int
        From 1 to m·n.
    rng : numpy.random.Generator

    Returns
    -------
    boolean array, shape (m, n)

    Raises
    ------
    TypeError, ValueError
        If `count` does not fit the shape or `rng` is no generator.
    """
    m, n = check_count(shape[0], "m"), check_count(shape[1], "n")
    count, rng = check_count(count, "count"), check_rng(rng)
    if count > m * n:
        raise ValueError(f"a {m}×{n} matrix has {m * n} entries, got a count of {count}")
    mask = np.zeros(m * n, dtype=bool)
    mask[rng.choice(m * n, size=count, replace=False)] = True
    return mask.reshape(m, n)


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
        If a size is no positive whole number or `rng` is no generator.
    """
    m, n, k = check_count(shape[0], "m"), check_count(shape[1], "n"), check_count(count, "count")
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
        If `X` is no single matrix or has not full row rank.

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
    return U @ Vt, (U / values) @ U.T


def auto_mpg() -> Regression:
    """The UCI Auto MPG table: 392 cars, 7 features, fuel consumption in miles per gallon, all standardized.

    Each feature and the target have mean 0 and mean square 1, so that no bias is needed.

    Returns
    -------
    Regression
        `X` of shape (7, 392), `Y` of shape (1, 392).

    Notes
    -----
    R. Quinlan, Auto MPG, UCI Machine Learning Repository, CC BY 4.0; the six cars without a recorded
    horsepower and the column of names are left out. [Qui93]
    """
    with (resources.files("lnn") / "data" / "auto_mpg.csv").open() as file:
        names = file.readline().strip().split(",")
        table = np.loadtxt(file, delimiter=",")
    return _standardized(table, tuple(names[:-1]))


def _standardized(table: Matrix, features: tuple[str, ...]) -> Regression:
    """Regression of a table's last column on the others, every column with mean 0 and mean square 1."""
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    return Regression(table[:, :-1].T.copy(), table[:, -1:].T.copy(), features)


GAS_SENSOR_URL = (
    "https://archive.ics.uci.edu/static/public/270/gas+sensor+array+drift+dataset+at+different+concentrations.zip"
)
GASES = ("Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene")  # classes 1, …, 6
_ROWS, _FEATURES, _BATCHES = 13_910, 128, 10


def _cached_archive(download: bool, progress: bool) -> Path:
    """Path of UCI's archive in the cache folder, downloaded if it is not there and may be."""
    try:
        import pooch
    except ImportError as error:
        raise ImportError("the download needs pooch: pip install pooch, or pip install 'lnn[chapters]'") from error
    folder = Path(os.environ.get("LNN_DATA") or pooch.os_cache("lnn"))
    archive = folder / "gas_sensor_array_drift.zip"
    if archive.exists():
        return archive
    advice = f"fetch {GAS_SENSOR_URL} elsewhere and give its path, or put it at {archive}"
    if not download:
        raise FileNotFoundError(f"the gas sensor data are not at {archive}: call with download=True, or {advice}")
    try:
        # UCI publishes no checksum: the layout, its 13,910 rows included, is checked instead.
        pooch.retrieve(GAS_SENSOR_URL, known_hash=None, fname=archive.name, path=folder, progressbar=progress)
    except (OSError, ValueError) as error:  # what requests raises is an OSError
        raise ConnectionError(f"the gas sensor data could not be downloaded ({error}): {advice}") from error
    return archive


def _batches(path: Path) -> dict[str, str]:
    """Text of batch1.dat, …, batch10.dat, from a folder or a zip archive, wherever in it they are."""
    wanted = [f"batch{k}.dat" for k in range(1, _BATCHES + 1)]
    if path.is_dir():
        files = {found.name: found for found in sorted(path.rglob("batch*.dat"))}
        texts = {name: files[name].read_text() for name in wanted if name in files}
    elif path.exists():
        try:
            with zipfile.ZipFile(path) as archive:
                entries = {Path(name).name: name for name in archive.namelist()}
                texts = {name: archive.read(entries[name]).decode() for name in wanted if name in entries}
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(
                f"{path} is truncated or no zip archive ({error}; {path.stat().st_size} bytes): remove it and "
                "download it again"
            ) from error
    else:
        raise FileNotFoundError(f"there is neither a folder nor an archive at {path}")
    missing = [name for name in wanted if name not in texts]
    if missing:
        raise ValueError(f"{path} must hold batch1.dat to batch{_BATCHES}.dat, {', '.join(missing)} not found")
    return texts


def _parse_line(line: str, place: str) -> list[float]:
    """Class, concentration and the 128 features of one line `class;concentration 1:v 2:v …`."""
    try:
        head, *cells = line.split()
        gas, concentration = head.split(";")
        pairs = [cell.split(":") for cell in cells]
        values = [float(gas), float(concentration), *(float(value) for _, value in pairs)]
        numbers = [int(number) for number, _ in pairs]
    except ValueError as error:
        raise ValueError(f"{place} must read 'class;concentration 1:v 2:v …', got {line[:40]!r} ({error})") from error
    if numbers != list(range(1, _FEATURES + 1)):
        raise ValueError(f"{place} must hold the features 1 to {_FEATURES} in order, got {len(numbers)} features")
    if values[0] not in range(1, len(GASES) + 1) or not np.isfinite(values).all():
        raise ValueError(f"{place} must hold finite numbers and a class from 1 to {len(GASES)}, got class {gas}")
    return values


def gas_sensor(
    path: str | os.PathLike[str] | None = None, *, download: bool = True, progress: bool = True
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
        If the archive is truncated (a downloaded one is removed from the cache) or its layout is not UCI's.

    Notes
    -----
    Gas Sensor Array Drift Dataset at Different Concentrations, UCI Machine Learning Repository 270, for research
    purposes only; class 1 of its six gases. [VVAHRH12]
    """
    source = _cached_archive(download, progress) if path is None else Path(path)
    try:
        rows = [
            _parse_line(line, f"{name}, line {number}")
            for name, text in _batches(source).items()
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        ]
        if len(rows) != _ROWS:
            raise ValueError(f"{source} must hold {_ROWS} measurements, got {len(rows)}: is it complete?")
    except ValueError:
        if path is None:
            source.unlink()  # what cannot be read must not be found again
        raise
    table = np.array(rows)
    ethanol = table[table[:, 0] == 1 + GASES.index("Ethanol")]
    if len(ethanol) < 2:
        raise ValueError(f"{source} holds {len(ethanol)} measurements of ethanol (class 1)")
    features = tuple(f"sensor {k // 8 + 1}, feature {k % 8 + 1}" for k in range(_FEATURES))
    return _standardized(np.column_stack([ethanol[:, 2:], ethanol[:, 1]]), features)
