"""The gas sensor data as UCI publishes them: fetched once into the cache, read from an archive or a folder, checked.

The public verb is `lnn.datasets.gas_sensor`, which standardizes what `read` finds. Gas Sensor Array Drift Dataset at
Different Concentrations, UCI Machine Learning Repository 270; [VVAHRH12], [RFVHH14].
"""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from lnn.checks import Matrix

URL = "https://archive.ics.uci.edu/static/public/270/gas+sensor+array+drift+dataset+at+different+concentrations.zip"
GASES = ("Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene")  # classes 1, …, 6
_ROWS, _FEATURES, _BATCHES = 13_910, 128, 10


def fetch(download: bool = True, progress: bool = True) -> Path:
    """Path of UCI's archive in the cache folder, downloaded if it is not there and may be.

    Parameters
    ----------
    download, progress : bool
        Whether it may be downloaded, and with a bar.

    Returns
    -------
    path

    Raises
    ------
    ConnectionError
        If the download fails.
    FileNotFoundError
        If the archive is not there and `download` is false.
    ImportError
        If pooch is not installed.
    """
    try:
        import pooch
    except ImportError as error:
        raise ImportError("the download needs pooch: pip install pooch, or pip install 'lnn[chapters]'") from error
    folder = Path(os.environ.get("LNN_DATA") or pooch.os_cache("lnn"))
    archive = folder / "gas_sensor_array_drift.zip"
    if archive.exists():
        return archive
    advice = f"fetch {URL} elsewhere and give its path, or put it at {archive}"
    if not download:
        raise FileNotFoundError(f"the gas sensor data are not at {archive}: call with download=True, or {advice}")
    try:
        # UCI publishes no checksum: the layout, its 13,910 rows included, is checked instead.
        pooch.retrieve(URL, known_hash=None, fname=archive.name, path=folder, progressbar=progress)
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


def read(path: Path) -> tuple[Matrix, tuple[str, ...]]:
    """The measurements of ethanol, as published, from UCI's archive or a folder with its ten batches.

    Parameters
    ----------
    path : path

    Returns
    -------
    table : array, shape (samples, 129)
        The 128 features, and last the concentration, in UCI's order.
    names : 128 strings
        Of the features.

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path.
    ValueError
        If the archive is truncated or the layout is not UCI's.
    """
    rows = [
        _parse_line(line, f"{name}, line {number}")
        for name, text in _batches(path).items()
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]
    if len(rows) != _ROWS:
        raise ValueError(f"{path} must hold {_ROWS} measurements, got {len(rows)}: is it complete?")
    table = np.array(rows)
    ethanol = table[table[:, 0] == 1 + GASES.index("Ethanol")]
    if len(ethanol) < 2:
        raise ValueError(f"{path} holds {len(ethanol)} measurements of ethanol (class 1)")
    names = tuple(f"sensor {k // 8 + 1}, feature {k % 8 + 1}" for k in range(_FEATURES))
    return np.column_stack([ethanol[:, 2:], ethanol[:, 1]]), names
