"""One step of y' = f(y) on a long vector: what all explicit formulas share, and a Runge–Kutta pair.

The error of a step is measured by one norm of the whole vector, and the buffers are made once. What a field of
30,000 unknowns costs is its evaluations; what a solver adds to them here is a fraction of that.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dnrm2

Vector = NDArray[np.float64]
Field = Callable[[Vector, Vector], None]
EPS = float(np.finfo(np.float64).eps)


class Ends:
    """Both ends of a step: `y` and `f` = f(y) on the left, `y_next` and `f_next` on the right.

    Parameters
    ----------
    field : callable
        `field(y, out)` writes f(y) into `out`.
    y : array, shape (n,)
        Where to start.
    rtol, atol : float
        A step may err by atol + rtol·‖y‖ in the Euclidean norm.
    """

    def __init__(self, field: Field, y: Vector, rtol: float, atol: float) -> None:
        self.field, self.rtol, self.atol = field, rtol, atol
        self.evaluations = 0
        self.y, self.y_next, self.f, self.f_next = (np.zeros_like(y) for _ in range(4))
        self.y[:] = y
        self.evaluate(self.y, self.f)

    def evaluate(self, y: Vector, out: Vector) -> None:
        """Write f(y) into `out`, and count."""
        self.evaluations += 1
        self.field(y, out)

    def ratio(self, error: Vector) -> float:
        """Norm of an error over the one allowed; infinite if anything is not finite."""
        allowed = self.atol + self.rtol * max(norm(self.y), norm(self.y_next))
        ratio = norm(error) / allowed
        return ratio if np.isfinite(ratio) and np.isfinite(norm(self.f_next)) else np.inf

    def curvature(self, h: float) -> Vector:
        """Estimate h³ y'''/15 of the local error of a method of order two, from the ends alone [SSV98]."""
        return np.asarray(0.8 * (self.y - self.y_next) + (0.4 * h) * (self.f + self.f_next))

    def advance(self) -> None:
        """Make the right end the left one."""
        self.y, self.y_next = self.y_next, self.y
        self.f, self.f_next = self.f_next, self.f


def norm(x: Vector) -> float:
    """Euclidean norm of a vector, of any scale."""
    size = float(np.sqrt(np.dot(x, x)))
    if 1e-140 < size < 1e150 or not x.any():
        return size
    return float(dnrm2(x))  # slower; the squares have left the range of floats, or come near its ends


class Formula:
    """A formula that tries steps on shared `ends`; `order` is the power of h in its error estimate.

    `last` holds length and error ratio of the last good step, `failed` counts the others.
    """

    order: int

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.last: tuple[float, float] | None = None
        self.failed = 0

    def attempt(self, h: float) -> float:
        """Compute the right end of a step of length h; its estimated error over the one allowed."""
        raise NotImplementedError

    def longest(self) -> float:
        """The longest step that may be tried now."""
        return np.inf

    def bump(self) -> Vector | None:
        """What the interpolant adds, times θ²(1 - θ)², to the cubic Hermite polynomial of the last step."""
        return None

    def propose(self, h: float, ratio: float) -> float:
        """Length of the next attempt after one of length h with this error ratio (failed if above 1).

        The error ought to come out as C·h^order; after two good steps the trend of C counts too [SSV98].
        """
        power = 1 / self.order
        if ratio > 1:
            self.last = None
            return float(h * max(0.1, 0.8 * ratio**-power))
        ratio = max(ratio, 1e-10)
        factor = 0.8 * ratio**-power
        if self.last is not None:
            old_h, old_ratio = self.last
            factor = min(factor, factor * (h / old_h) * (old_ratio / ratio) ** power)
        self.last = (h, ratio)
        return float(h * min(10.0, max(0.1, factor)))


class DormandPrince(Formula):
    """The pair of orders 5 and 4 of Dormand and Prince [HNW93]: seven stages, the last one the next step's first.

    For steps that accuracy limits. On the negative axis it is stable up to h·ρ = 3.3 only.
    """

    order = 5
    REACH = 3.3

    _A = (
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    )
    _ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
    _DENSE = np.array(
        [
            -12715105075 / 11282082432,
            0,
            87487479700 / 32700410799,
            -10690763975 / 1880347072,
            701980252875 / 199316789632,
            -1453857185 / 822651844,
            69997945 / 29380423,
        ]
    )

    def __init__(self, ends: Ends) -> None:
        super().__init__(ends)
        self.rows = np.zeros((8, ends.y.size))  # y and the seven stages: every sum of the formula is one product
        self.h = 0.0

    def attempt(self, h: float) -> float:
        """Try a step of length h."""
        ends, rows, self.h = self.ends, self.rows, h
        rows[0], rows[1] = ends.y, ends.f
        for i, coefficients in enumerate(self._A, start=2):
            np.dot(np.array([1.0, *(h * a for a in coefficients)]), rows[:i], out=ends.y_next)
            ends.evaluate(ends.y_next, rows[i])
        ends.f_next[:] = rows[7]
        return ends.ratio((h * self._ERROR) @ rows[1:])

    def bump(self) -> Vector:
        """The fourth-order interpolant of Shampine's."""
        return np.asarray((self.h * self._DENSE) @ self.rows[1:])
