"""A convergence theorem as a record: which of its hypotheses a network meets, by how much, and what that buys.

The theorem is about gradient descent on ½‖W_N ⋯ W_1 - Φ‖_F². It asks for a positive deficiency margin c and for
layers that are balanced up to some δ, and gives a step size and a geometric rate.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lnn.network import check, end_to_end
from lnn.numerics.checks import Matrix, check_array, check_matrix, check_positive, representable
from lnn.theory.balance import imbalance
from lnn.theory.spectrum import schatten, singular_values


def deficiency_margin(W: ArrayLike, target: ArrayLike) -> Matrix:
    """Largest c with ‖W - Φ‖_F ≤ σ_min(Φ) - c: how far W is from losing as much as a rank-deficient matrix must.

    Parameters
    ----------
    W : array, shape (…, m, n)
        End-to-end matrix, or a trajectory of them.
    target : array, shape (m, n)
        Φ; σ_min is its min(m, n)-th singular value.

    Returns
    -------
    array, shape (…)
        Positive where W has a deficiency margin, and then σ_min(W) is at least this; not positive where it has none.

    Raises
    ------
    TypeError, ValueError
        If `W` or `target` is not a finite real matrix, or the shapes differ.

    Notes
    -----
    `def-margin`, page `convergence`; [ACGH19].

    >>> float(deficiency_margin(np.eye(2), np.diag([2.0, 1.0])))  # off by 1 in one entry, and σ_min(Φ) = 1
    0.0
    """
    target = check_matrix(target, "target")
    if target.ndim != 2:
        raise ValueError(f"target must be a single matrix of shape (m, n), got {target.shape}")
    W = check_matrix(W, "W", target.shape)
    return np.asarray(singular_values(target)[-1] - schatten(singular_values(W - target), 2, axis=-1))


@dataclass(frozen=True, eq=False, repr=False)
class Guarantee:
    """What the convergence theorem for gradient descent says about one network and one target.

    Parameters
    ----------
    depth : int
        The depth N.
    margin : float
        The largest deficiency margin c of the end-to-end matrix; not positive if there is none.
    imbalance : float
        Largest ‖W_{j+1}ᵀW_{j+1} - W_jW_jᵀ‖_F of the network.
    size : float
        ‖Φ‖: the spectral norm, or the Frobenius norm with the published constants.
    loss : float
        ½‖W - Φ‖_F² of the network.
    published : bool
        Whether the constants are those of [ACGH19] instead of those proved in the book.

    Notes
    -----
    `thm-gd`, page `convergence`; [ACGH19].
    """

    depth: int
    margin: float
    imbalance: float
    size: float
    loss: float
    published: bool

    @property
    def allowed_imbalance(self) -> float:
        """δ: c² / (40 N² ‖Φ‖^{2(N-1)/N}), or c² / (256 N³ ‖Φ‖_F^{2(N-1)/N}) as published; 0 without a margin."""
        if not self.margin > 0:
            return 0.0
        N = self.depth
        constant = 256 * N**3 if self.published else 40 * N**2
        return float((self.margin / self.size) ** 2 * self.size ** (2 / N) / constant)  # no square that underflows

    @property
    def holds(self) -> bool:
        """Whether the theorem applies: a positive margin, and no more imbalance than allowed."""
        return self.margin > 0 and self.imbalance <= self.allowed_imbalance

    @property
    def step_size(self) -> float:
        """Largest η that the theorem covers; NaN if it does not apply.

        c² / (60 N² ‖Φ‖^{(4N-2)/N}), or c^{(4N-2)/N} / (6144 N³ ‖Φ‖_F^{(6N-4)/N}) as published.
        """
        if not self.holds:
            return math.nan
        N, c = self.depth, self.margin
        if self.published:
            return float((c / self.size) ** (4 - 2 / N) / self.size ** (2 - 2 / N) / (6144 * N**3))
        return float((c / self.size) ** 2 / self.size ** (2 - 2 / N) / (60 * N**2))

    @property
    def rate(self) -> float:
        """Decay c^{2(N-1)/N} of the logarithm of the loss in a unit of time, η steps of size η; NaN as above."""
        return float(self.margin ** (2 - 2 / self.depth)) if self.holds else math.nan

    def _step_size(self, step_size: float | None) -> float:
        if not self.holds:
            raise ValueError(f"the theorem does not apply: {self._hypotheses()}")
        if step_size is None:
            return self.step_size
        step_size = check_positive(step_size, "step_size")
        if step_size > self.step_size * (1 + 1e-12):
            raise ValueError(f"the theorem covers step sizes up to {self.step_size:.3g}, got {step_size:.3g}")
        return step_size

    def iterations(self, epsilon: float, step_size: float | None = None) -> int:
        """Number of steps after which the loss is certain to be at most `epsilon`.

        Parameters
        ----------
        epsilon : float
        step_size : float, optional
            At most `self.step_size`, which is the default.

        Returns
        -------
        int
            The least T ≥ log(ℓ(0)/ε) / (η c^{2(N-1)/N}); 0 if the loss is that small already.

        Raises
        ------
        TypeError, ValueError
            If `epsilon` is not positive, the step size not covered, or the theorem does not apply.
        """
        epsilon, eta = check_positive(epsilon, "epsilon"), self._step_size(step_size)
        if self.loss <= epsilon:
            return 0
        return math.ceil((math.log(self.loss) - math.log(epsilon)) / (eta * self.rate))

    def bound(self, steps: ArrayLike, step_size: float | None = None) -> Matrix:
        """Upper bound ℓ(0) (1 - η c^{2(N-1)/N})^t on the loss after t steps.

        Parameters
        ----------
        steps : array, any shape
            t, not negative.
        step_size : float, optional
            At most `self.step_size`, which is the default.

        Returns
        -------
        array, shape of `steps`

        Raises
        ------
        TypeError, ValueError
            If a number of steps is negative, the step size not covered, or the theorem does not apply.
        """
        t, eta = check_array(steps, "steps"), self._step_size(step_size)
        if (t < 0).any():
            raise ValueError(f"steps must not be negative, got {t.min()}")
        return np.asarray(self.loss * np.exp(t * math.log1p(-eta * self.rate)))

    def _hypotheses(self) -> str:
        margin = f"margin {self.margin:.3g} {'>' if self.margin > 0 else '<='} 0"
        if not self.margin > 0:
            return margin
        sign = "<=" if self.imbalance <= self.allowed_imbalance else ">"
        shown = "0" if self.imbalance < 1e-9 * self.allowed_imbalance else f"{self.imbalance:.3g}"
        return f"{margin}, imbalance {shown} {sign} {self.allowed_imbalance:.3g}"

    def __repr__(self) -> str:
        if not self.holds:
            return f"Guarantee(depth {self.depth}: FAILS, {self._hypotheses()})"
        buys = f"step size {self.step_size:.3g}, rate {self.rate:.3g}"
        return f"Guarantee(depth {self.depth}: holds, {self._hypotheses()}; {buys})"


def certify(weights: Iterable[ArrayLike], target: ArrayLike, *, published: bool = False) -> Guarantee:
    """Hold a network against the hypotheses of the convergence theorem for ½‖W_N ⋯ W_1 - Φ‖_F².

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where gradient descent would start.
    target : array, shape (d_N, d_0)
        Φ.
    published : bool
        Take the constants of [ACGH19], which ask for more and give less than those that the book proves.

    Returns
    -------
    Guarantee
        Its `holds` says whether the theorem applies, its repr why or why not.

    Raises
    ------
    TypeError, ValueError
        If `weights` is not a single network, `target` does not have the shape of its product, or the loss is
        too large for a float.

    Notes
    -----
    `thm-gd`, page `convergence`; [ACGH19].
    """
    network = check(weights)
    W = end_to_end(network)
    if W.ndim != 2:
        raise ValueError(f"certify takes one network, got leading axes {W.shape[:-2]}")
    target = check_matrix(target, "target", W.shape)
    values = singular_values(target)
    with np.errstate(over="ignore"):
        loss = representable(0.5 * schatten(singular_values(W - target), 2) ** 2, "the loss")
    return Guarantee(
        depth=len(network),
        margin=float(deficiency_margin(W, target)),
        imbalance=float(imbalance(network)),
        size=float(schatten(values, 2) if published else values[0]),
        loss=float(loss),
        published=published,
    )
