"""The gas sensor data as UCI publishes them: fetched once into the cache, read from an archive or a folder, checked.

The public verb is `lnn.datasets.gas_sensor`, which standardizes what `read` finds. Gas Sensor Array Drift Dataset at
Different Concentrations, UCI Machine Learning Repository 270; [VVAHRH12], [RFVHH14].
"""

import errno
import os
import zipfile
from pathlib import Path

import numpy as np

from lnn.numerics.checks import Matrix

URL = "https://archive.ics.uci.edu/static/public/270/gas+sensor+array+drift+dataset+at+different+concentrations.zip"
NAME = "gas_sensor_array_drift.zip"
LARGEST = 64 * 2**20  # bytes of one batch: the largest of UCI's has 6 million, and a zip archive may promise anything
GASES = ("Ethanol", "Ethylene", "Ammonia", "Acetaldehyde", "Acetone", "Toluene")  # classes 1, …, 6
_ROWS, _FEATURES, _BATCHES = 13_910, 128, 10


def fetch(download: bool = True, progress: bool = True, sha256: str | None = None) -> Path:
    """Path of UCI's archive in the cache folder, downloaded if it is not there and may be.

    A download goes to a name of its own in that folder, and takes the archive's name when it is whole and verified.

    Parameters
    ----------
    download, progress : bool
        Whether it may be downloaded, and with a bar.
    sha256 : str, optional
        The hash that the archive must have. UCI publishes none: without one, `read` checks the layout instead.

    Returns
    -------
    path

    Raises
    ------
    ConnectionError
        If the download fails.
    FileNotFoundError
        If the archive is not there, with this hash, and `download` is false.
    ImportError
        If pooch is not installed.
    ValueError
        If what was downloaded has another hash: it is not kept.
    """
    try:
        import pooch
    except ImportError as error:
        raise ImportError("the download needs pooch: pip install pooch, or pip install 'lnn[chapters]'") from error
    folder = Path(os.environ.get("LNN_DATA") or pooch.os_cache("lnn"))
    archive = folder / NAME
    if archive.exists() and (sha256 is None or pooch.file_hash(str(archive)) == sha256.lower()):
        return archive
    advice = f"fetch {URL} elsewhere and give its path, or put it at {archive}"
    if not download:
        raise FileNotFoundError(f"the gas sensor data are not at {archive}: call with download=True, or {advice}")
    try:
        pooch.retrieve(URL, known_hash=sha256, fname=archive.name, path=folder, progressbar=progress)
    except OSError as error:  # what requests raises is an OSError
        raise ConnectionError(f"the gas sensor data could not be downloaded ({error}): {advice}") from error
    except ValueError as error:
        raise ValueError(f"what came from {URL} is not what was asked for, and is not kept: {error}") from error
    return archive


def _text(content: bytes, place: str) -> str:
    """Content decoded as text."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{place} is no text: byte {error.start} is {content[error.start]:#04x}") from error


def _members(path: Path, wanted: list[str]) -> dict[str, bytes]:
    """Members of a zip archive, by their names without folders; read in memory, as nothing in it decides on a path."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        entries = {Path(name).name: name for name in archive.namelist()}
        for name in wanted:
            if name in entries:
                with archive.open(entries[name]) as file:
                    found[name] = file.read(LARGEST + 1)
                if len(found[name]) > LARGEST:
                    raise zipfile.BadZipFile(f"{name} unpacks to more than {LARGEST} bytes, which is no batch of UCI's")
    return found


def _batches(path: Path) -> dict[str, str]:
    """Text of batch1.dat, …, batch10.dat, from a folder or a zip archive, wherever in it they are."""
    wanted = [f"batch{k}.dat" for k in range(1, _BATCHES + 1)]
    if path.is_dir():
        files = {found.name: found for found in sorted(path.rglob("batch*.dat"))}
        contents = {name: files[name].read_bytes() for name in wanted if name in files}
    elif path.exists():
        try:
            contents = _members(path, wanted)
        except Exception as error:  # zipfile raises a dozen kinds of errors at damaged archives
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise  # a failure of the disk, not of the archive
            raise ValueError(
                f"{path} is truncated or no zip archive ({error}; {path.stat().st_size} bytes): remove it and "
                "download it again"
            ) from error
    else:
        raise FileNotFoundError(f"there is neither a folder nor an archive at {path}")
    missing = [name for name in wanted if name not in contents]
    if missing:
        raise ValueError(f"{path} must hold batch1.dat to batch{_BATCHES}.dat, {', '.join(missing)} not found")
    return {name: _text(content, f"{name} in {path}") for name, content in contents.items()}


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
