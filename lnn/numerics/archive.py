"""Arrays, and a few words about them, in one file of NumPy's format npz: without pickles, so without any code."""

import json
from collections.abc import Mapping, Sequence
from os import fspath
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lnn.numerics.checks import Matrix


def write(file: str | Path, about: Mapping[str, Any], arrays: Mapping[str, Sequence[Matrix]]) -> None:
    """Write words, as JSON, and lists of arrays by name.

    Raises
    ------
    TypeError
        If the words are no JSON, or something else than real numbers would be written.
    """
    flat = {f"{name} {j}": np.asarray(array) for name, listed in arrays.items() for j, array in enumerate(listed)}
    for name, array in flat.items():
        if array.dtype.kind not in "fiub":
            raise TypeError(f"only real numbers can be saved, {name} has dtype {array.dtype}")
    lengths = {name: len(listed) for name, listed in arrays.items()}
    contents: dict[str, Any] = {"about": np.array(json.dumps({"about": about, "lengths": lengths})), **flat}
    with open(fspath(file), "wb") as stream:  # NumPy would add .npz to a name
        np.savez(stream, **contents)


def read(file: str | Path) -> tuple[dict[str, Any], dict[str, tuple[Matrix, ...]]]:
    """The words and the arrays that `write` wrote.

    Raises
    ------
    ValueError
        If they are not in the file.
    """
    try:
        with open(fspath(file), "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            words = json.loads(str(stored["about"]))
            arrays = {name: tuple(stored[f"{name} {j}"] for j in range(n)) for name, n in words["lengths"].items()}
        return words["about"], arrays
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise ValueError(f"{file} is no file that was saved here, or not all of it") from error
