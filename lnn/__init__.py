"""Linear neural networks: their networks, losses, dynamics, and the theory beside them.

The verbs and nouns of the book stand here; the rest is in the modules. Importing `lnn` costs NumPy and SciPy only:
`lnn.draw` (matplotlib), `lnn.symbolic` (SymPy) and `lnn.nonlinear` (JAX) are imported by name.
"""

from importlib import import_module
from typing import Any

from lnn import initial
from lnn.classification import CrossEntropy, ExponentialLoss, LogisticLoss, margin
from lnn.convex import nuclear, unfolding
from lnn.convex.nuclear import NuclearSolution
from lnn.data import datasets
from lnn.descent import Rule, end_to_end_descent, end_to_end_step, gradient_descent, gradient_step
from lnn.flow import end_to_end_flow, gradient_flow
from lnn.losses import Batches, HuberLoss, LeastSquares, Loss, PowerLoss, check_gradient
from lnn.measurements import Entries, Everything, Measurement, Products, Samples
from lnn.models import Model, convolution, diagonal, hierarchical, residual, tensor, tied
from lnn.network import check, end_to_end, pack, pullback, unpack, widths
from lnn.numerics.rkc2 import RKC2
from lnn.runs.ensembles import Ensemble, ensemble_descent
from lnn.runs.optimizers import adadelta, adagrad, adam, momentum, sgd
from lnn.runs.recording import record
from lnn.search import Runs, grid
from lnn.theory import guarantees, modes, preconditioner
from lnn.theory.balance import alignment, imbalance, imbalances
from lnn.theory.kernel import tangent_kernel
from lnn.theory.preconditioner import precondition
from lnn.theory.sharpness import hessian_vector, sharpness
from lnn.theory.spectrum import (
    effective_rank,
    nuclear_norm,
    schatten,
    shrink,
    singular_values,
    soft_threshold,
    stable_rank,
)
from lnn.trajectory import Effort, Outcome, Trajectory

__all__ = [  # noqa: RUF022, the plain order
    "Batches",
    "CrossEntropy",
    "Effort",
    "Ensemble",
    "Entries",
    "Everything",
    "ExponentialLoss",
    "HuberLoss",
    "LeastSquares",
    "LogisticLoss",
    "Loss",
    "Measurement",
    "Model",
    "NuclearSolution",
    "Outcome",
    "PowerLoss",
    "Products",
    "RKC2",
    "Rule",
    "Runs",
    "Samples",
    "Trajectory",
    "adadelta",
    "adagrad",
    "adam",
    "alignment",
    "check",
    "check_gradient",
    "convolution",
    "datasets",
    "diagonal",
    "effective_rank",
    "end_to_end",
    "end_to_end_descent",
    "end_to_end_flow",
    "end_to_end_step",
    "ensemble_descent",
    "gradient_descent",
    "gradient_flow",
    "gradient_step",
    "grid",
    "guarantees",
    "hessian_vector",
    "hierarchical",
    "imbalance",
    "imbalances",
    "initial",
    "margin",
    "modes",
    "momentum",
    "nuclear",
    "nuclear_norm",
    "pack",
    "precondition",
    "preconditioner",
    "pullback",
    "record",
    "residual",
    "schatten",
    "sgd",
    "sharpness",
    "shrink",
    "singular_values",
    "soft_threshold",
    "stable_rank",
    "tangent_kernel",
    "tensor",
    "tied",
    "unfolding",
    "unpack",
    "widths",
]


def __getattr__(name: str) -> Any:
    """What is loaded when it is asked for: `plots` and `animate`, which need matplotlib, and the version."""
    if name == "__version__":
        return import_module("importlib.metadata").version("lnn")
    if name in ("plots", "animate"):
        return import_module(f"lnn.draw.{name}")
    raise AttributeError(f"module 'lnn' has no attribute {name!r}")
