"""Old names, kept for one edition: flow and descent over the factors of a tensor, which now take a `model`."""

from typing import Any

from lnn import descent, flow
from lnn.models import tensor
from lnn.trajectory import Trajectory


def gradient_flow(*arguments: Any, **options: Any) -> Trajectory:
    """Flow over the factors of a tensor: `lnn.gradient_flow` with `model=lnn.tensor`, unless another one is given."""
    return flow.gradient_flow(*arguments, **{"model": tensor} | options)


def gradient_descent(*arguments: Any, **options: Any) -> Trajectory:
    """Descent over the factors of a tensor: `lnn.gradient_descent` with `model=lnn.tensor`, unless one is given."""
    return descent.gradient_descent(*arguments, **{"model": tensor} | options)
