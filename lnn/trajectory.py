"""The record of a run: where the factors were, when, at what loss, and how it ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, overload

import numpy as np

from lnn import network
from lnn.models import Model, describe, model_from, name_of
from lnn.numerics import archive
from lnn.numerics.checks import Matrix, Weights, check_array
from lnn.theory.spectrum import singular_values


class Outcome(Enum):
    """How a run ended; the value is the sentence that says so."""

    FINISHED = "went to the end of its steps or times"
    CONVERGED = "stopped at the loss asked for"
    DIVERGED = "left every bound: the numbers stopped being finite, or the integrator's step fell to zero"
    EXHAUSTED = "spent the steps that the integrator was allowed"


class Effort(NamedTuple):
    """What an integrator spent: evaluations of the gradient, accepted steps and failed ones (None: it does not say)."""

    evaluations: int
    steps: int | None = None
    failed: int | None = None


class State(NamedTuple):
    """What the next step of a descent needs besides the weights: the type of its rule, the steps made, the memory."""

    rule: str
    steps: int
    memory: Any = None


NOTHING: Mapping[str, Matrix] = MappingProxyType({})


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """A network, or the factors of another model, with a time axis in front, and the loss along it.

    Parameters
    ----------
    times : array, shape (T,)
        In flow units: step k of a descent with step size η stands at η·k.
    weights : tuple of arrays, shape (T, …) each
        Of layers, N arrays, the j-th of shape (T, d_j, d_{j-1}); the factors of any other model.
    losses : array, shape (T,)
    outcome : Outcome
    effort : Effort, optional
        What a flow cost.
    model : Model
        What the weights are factors of: layers (`lnn.network`), `lnn.tensor`, and so on.
    observed : mapping from names to arrays, shape (T, …) each
        What the run was asked to `observe`; only here numbers may be NaN or infinite.
    state : State, optional
        With what a descent goes on that starts from this trajectory.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not finite, or the shapes do not fit.

    Notes
    -----
    All arrays are read-only, and finite: a diverging run keeps its finite part. `path[k]` is the network at `times[k]`,
    `path[a:b]` a trajectory; every function of `lnn` that takes weights takes `path.weights` too, and answers for all
    times. A run with `keep="last"` has all times, losses and observations, but its `weights`, and what is computed from
    them, have a time axis of length 1: the last one.
    """

    times: Matrix
    weights: Weights
    losses: Matrix
    outcome: Outcome
    effort: Effort | None = None
    model: Model = network
    observed: Mapping[str, Matrix] = field(default_factory=dict)
    state: State | None = None

    def __post_init__(self) -> None:
        weights = self.model.check(self.weights)
        if not isinstance(self.outcome, Outcome):
            raise TypeError(f"outcome must be an Outcome, as Outcome.FINISHED, got {self.outcome!r}")
        for name in ("times", "losses"):
            array = check_array(getattr(self, name), name)
            for W in weights:
                if array.ndim != 1 or W.ndim != 3 or len(W) not in (1, len(array)):
                    raise ValueError(f"{name} have shape {array.shape}, but the weights {W.shape}")
            object.__setattr__(self, name, _read_only(array.copy()))
        if len(self.times) != len(self.losses):
            raise ValueError(f"losses have shape {self.losses.shape}, but times {self.times.shape}")
        observed = {name: np.array(values, dtype=np.float64) for name, values in self.observed.items()}
        for name, values in observed.items():
            if values.shape[:1] != self.times.shape:
                raise ValueError(f"observed {name!r} has shape {values.shape}, but times {self.times.shape}")
        object.__setattr__(self, "observed", _all_read_only(observed))
        object.__setattr__(self, "weights", tuple(_read_only(W.copy()) for W in weights))

    def __reduce__(self) -> tuple[Any, ...]:
        # Modules cannot be pickled, and arrays come out of a pickle or a copy writable.
        model = self.model.__name__ if isinstance(self.model, ModuleType) else self.model
        observed = dict(self.observed)
        return sealed, (self.times, self.weights, self.losses, self.outcome, self.effort, model, observed, self.state)

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, k: int) -> Weights: ...
    @overload
    def __getitem__(self, k: slice) -> "Trajectory": ...
    def __getitem__(self, k: int | slice) -> "Weights | Trajectory":
        """Network at the k-th recorded time, or the trajectory over a slice of them.

        Raises
        ------
        IndexError, ValueError
            If there is no such time, or the run kept its last network alone and that is not the one asked for.
        """
        chosen = range(len(self))[k]
        end = (chosen if isinstance(chosen, int) else chosen[-1] if chosen else -1) == len(self) - 1
        if not end and len(self.weights[0]) < len(self):
            raise ValueError(f"the run kept the last network alone, of {len(self)} times: take path[-1]")
        at = (slice(None) if isinstance(k, slice) else 0) if len(self.weights[0]) < len(self) else k
        weights = tuple(W[at] for W in self.weights)
        if not isinstance(k, slice):
            return weights
        if not chosen:
            raise ValueError(f"an empty slice of a trajectory of {len(self)} times: {k.start}:{k.stop}")
        observed = {name: values[k] for name, values in self.observed.items()}
        state = self.state if end else None
        return sealed(self.times[k], weights, self.losses[k], self.outcome, self.effort, self.model, observed, state)

    def __iter__(self) -> Iterator[Weights]:
        return (self[k] for k in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> Matrix:
        raise TypeError("a Trajectory is no array: take its end_to_end, or its weights")

    def read_by(self, model: Model) -> Weights:
        """The weights, for a function of `model` that was given the trajectory in their place.

        Raises
        ------
        TypeError
            If they are factors of another model.
        """
        if self.model != model:
            wanted, got = name_of(model), name_of(self.model)
            raise TypeError(f"this function reads trajectories of the model {wanted}, got one of {got}")
        return self.weights

    @property
    def depth(self) -> int:
        """Number of layers N, or of factors."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, …, d_N), input first; layers have them."""
        layers = self.read_by(network)
        return (layers[0].shape[-1], *(W.shape[-2] for W in layers))

    @cached_property
    def end_to_end(self) -> Matrix:
        """End-to-end matrices, shape (T, d_N, d_0), or tensors, shape (T, d_1, …, d_N)."""
        return _read_only(self.model.product(self.weights))

    @cached_property
    def singular_values(self) -> Matrix:
        """Singular values of the end-to-end matrices, falling: shape (T, min(d_0, d_N)).

        Raises
        ------
        ValueError
            If the model gives tensors.
        """
        if self.end_to_end.ndim != 3:
            raise ValueError(f"matrices have singular values, got tensors of shape {self.end_to_end.shape[1:]}")
        return _read_only(singular_values(self.end_to_end))

    @cached_property
    def component_norms(self) -> Matrix:
        """Norms of the components, where the model has any: shape (T, R) of a tensor, (T, N - 1, R) of a tree."""
        return _read_only(self.model.component_norms(self.weights))  # type: ignore[attr-defined]

    def save(self, file: str | Path) -> None:
        """Write everything to a file, in the format npz of NumPy, without pickles.

        Parameters
        ----------
        file : str or path
            Its name, as it stands; it is written over.

        Raises
        ------
        TypeError
            If the memory of a rule is no tuple of arrays, as that of the package's rules is, or the fields of a model
            are no numbers and words. A trajectory has no memory after `dataclasses.replace(path, state=None)`.
        """
        about: dict[str, Any] = {"outcome": self.outcome.name, "effort": self.effort, "model": describe(self.model)}
        about["observed"], memory = list(self.observed), None
        if self.state is not None:
            memory = self.state.memory
            if memory is not None and type(memory) is not tuple:
                raise TypeError(f"the memory of {self.state.rule} is no tuple of arrays, and cannot be saved")
            about["state"] = [self.state.rule, self.state.steps, memory is not None]
        arrays = {"times": [self.times], "losses": [self.losses], "weights": self.weights, "memory": memory or ()}
        archive.write(file, about, {**arrays, "observed": list(self.observed.values())})

    @classmethod
    def load(cls, file: str | Path, *, model: Model | None = None) -> "Trajectory":
        """The trajectory that `save` wrote to a file: no code in it is run.

        Parameters
        ----------
        file : str or path
        model : Model, optional
            What the weights are factors of, where that is no model of the package, which the file names.

        Raises
        ------
        ValueError
            If the file does not hold a trajectory, or its model is not one of the package and none is given.
        """
        about, arrays = archive.read(file)
        (times,), (losses,), weights = arrays["times"], arrays["losses"], arrays["weights"]
        outcome, effort, state = Outcome[about["outcome"]], about["effort"] and Effort(*about["effort"]), None
        if "state" in about:
            rule, steps, remembers = about["state"]
            state = State(rule, steps, arrays["memory"] if remembers else None)
        observed = dict(zip(about["observed"], arrays["observed"], strict=True))
        return cls(times, weights, losses, outcome, effort, model or model_from(about["model"]), observed, state)

    def __repr__(self) -> str:
        if self.model is network:
            what = f"depth {self.depth}, widths {'-'.join(map(str, self.widths))}"
        else:
            shape = "x".join(map(str, np.shape(self.model.product(self[-1]))))
            what = f"{name_of(self.model)}, {shape}, {self.depth} factors"
        losses = f"loss {self.losses[0]:.3g} -> {self.losses[-1]:.3g}"
        return f"Trajectory({what}, {len(self)} times, {losses}, {self.outcome.name})"


def _read_only(array: Matrix) -> Matrix:
    array.flags.writeable = False
    return array


def _all_read_only(arrays: dict[str, Matrix]) -> Mapping[str, Matrix]:
    return MappingProxyType({name: _read_only(array) for name, array in arrays.items()})


def sealed(
    times: Matrix,
    weights: Weights,
    losses: Matrix,
    outcome: Outcome,
    effort: Effort | None,
    model: Model | str,
    observed: dict[str, Matrix] | None = None,
    state: State | None = None,
) -> Trajectory:
    """A trajectory of arrays that nobody else holds and that are known to fit: neither checked nor copied."""
    path = object.__new__(Trajectory)
    for array in (times, losses, *weights):
        array.flags.writeable = False
    vars(path).update(
        times=times,
        weights=weights,
        losses=losses,
        outcome=outcome,
        effort=effort,
        model=import_module(model) if isinstance(model, str) else model,
        observed=_all_read_only(observed) if observed else NOTHING,
        state=state,
    )
    return path
