"""A stabilized Runge–Kutta method for stiff problems with a real spectrum, as a solver for `solve_ivp`."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import DenseOutput, OdeSolver

Vector = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)


@lru_cache(maxsize=4096)
def coefficients(s: int) -> tuple[float, Vector]:
    """μ̃_1 and the rows (c_{j-1}, 1 - μ_j - ν_j, μ_j, ν_j, μ̃_j, γ̃_j), j = 2, …, s, of the method with s stages [SSV98].

    The stability polynomial is a shifted Chebyshev polynomial of degree s, stable up to h·ρ ≈ 0.65 s².
    """
    w0 = 1 + (2 / 13) / s**2
    T, D, DD = np.zeros((3, s + 1))  # T_j(w0), T_j'(w0), T_j''(w0) by the three-term recurrence
    T[0], T[1], D[1] = 1, w0, 1
    for j in range(2, s + 1):
        T[j] = 2 * w0 * T[j - 1] - T[j - 2]
        D[j] = 2 * w0 * D[j - 1] - D[j - 2] + 2 * T[j - 1]
        DD[j] = 2 * w0 * DD[j - 1] - DD[j - 2] + 4 * D[j - 1]
    w1 = D[s] / DD[s]
    b = np.empty(s + 1)
    b[2:] = DD[2:] / D[2:] ** 2
    b[0], b[1] = b[2], 1 / w0
    a = 1 - b * T
    mu, nu, mut = 2 * w0 * b[2:] / b[1:-1], -b[2:] / b[:-2], 2 * w1 * b[2:] / b[1:-1]
    c = np.append(b[1] * w1, w1 * DD[2:-1] / D[2:-1])
    return float(b[1] * w1), np.stack([c, 1 - mu - nu, mu, nu, mut, -a[1:-1] * mut], axis=1)


def norm(x: Vector) -> float:
    """Euclidean norm of a vector."""
    return float(np.sqrt(x.dot(x)))


class RKC2(OdeSolver):  # type: ignore[misc]
    """Runge–Kutta–Chebyshev method of order two of Sommeijer, Shampine and Verwer [SSV98], a method for `solve_ivp`.

    With s stages it is stable up to h·ρ ≈ 0.65 s², where ρ is the spectral radius of a Jacobian with a real, mostly
    negative spectrum: an evaluation carries as far as 0.65 s of those of a plain explicit method. A gradient flow's
    Jacobian, minus a Hessian, is of that kind. No Jacobian is formed: ρ is found by power iteration on differences of
    the right-hand side. Between steps the solution is the cubic Hermite polynomial.

    Parameters
    ----------
    fun, t0, y0, t_bound, max_step, first_step, vectorized
        As of `scipy.integrate.RK23`; real problems only.
    rtol, atol : float
        A step may err by atol + rtol·‖y‖ in the Euclidean norm of the whole state.

    Raises
    ------
    ValueError
        If `rtol` is below 2.2e-14, `atol` negative, or a given step not positive.

    Notes
    -----
    Pages `matrix_completion` and `speed`.

    >>> from scipy.integrate import solve_ivp
    >>> float(solve_ivp(lambda t, y: -1e4 * (y - np.cos(t)), (0, 1), [0.0], method=RKC2).y[0, -1].round(3))
    0.54
    """

    t: float
    y: Vector
    PATIENCE = 25  # accepted steps after which the spectral radius is estimated anew

    def __init__(
        self,
        fun: Callable[[float, Vector], ArrayLike],
        t0: float,
        y0: ArrayLike,
        t_bound: float,
        max_step: float = np.inf,
        rtol: float = 1e-3,
        atol: float = 1e-6,
        vectorized: bool = False,
        first_step: float | None = None,
    ) -> None:
        super().__init__(fun, t0, y0, t_bound, vectorized)
        if not (rtol >= 100 * EPS and atol >= 0 and max_step > 0 and (first_step is None or first_step > 0)):
            raise ValueError(f"rtol must be at least {100 * EPS:.2g}, atol not negative, and steps positive")
        self.rtol, self.atol, self.max_step = rtol, atol, max_step
        self.most = max(2, min(1000, int(np.sqrt(rtol / (10 * EPS)))))  # stages for which roundings stay small
        self.f = self.fun(self.t, self.y)
        self.rows = np.zeros((6, self.n))  # y, f, the last stage's derivative, and three stages in turn
        self.vector = np.zeros(self.n)  # nearly an eigenvector of the largest eigenvalue
        self.last: tuple[float, float] | None = None  # length and error of the last step, after a good attempt
        self.failed = 0
        self.estimate()
        self.h_abs = self.first() if first_step is None else first_step

    def ratio(self, error: Vector, y: Vector) -> float:
        """Norm of an error over the one allowed: at most 1 in a good step."""
        return norm(error) / (self.atol + self.rtol * max(norm(self.y), norm(y)))

    def first(self) -> float:
        """Length of the first step, from the change of f along an Euler step within the reach of stability."""
        h = min(self.max_step, abs(self.t_bound - self.t), 1 / self.radius if self.radius > 0 else np.inf)
        y = self.y + self.direction * h * self.f
        change = self.ratio(h * (self.fun(self.t + self.direction * h, y) - self.f), y)
        return h if change <= 0.01 else 0.1 * h / np.sqrt(change)

    def estimate(self) -> None:
        """Spectral radius of the Jacobian at y by the power method on differences of f, 1.2 times for safety."""
        v = next(v for v in (self.vector, self.f, np.ones(self.n)) if v.any())
        size, radius = np.sqrt(EPS) * max(norm(self.y), np.sqrt(EPS)), 0.0
        for _ in range(50):
            v = self.fun(self.t, self.y + v * (size / norm(v))) - self.f
            old, radius = radius, norm(v) / size
            if not np.isfinite(radius) or radius == 0 or abs(radius - old) <= 0.01 * radius:
                break
        known = np.isfinite(radius)
        self.vector = v if known else np.zeros(self.n)
        self.radius, self.age = (1.2 * radius if known else np.inf), 0

    def stages(self, h: float) -> int:
        """The least number of stages, at least 2, that is stable for a step h."""
        return max(2, 1 + int(np.sqrt(1 + 1.54 * h * self.radius)))

    def advance(self, h: float) -> Vector:
        """The state at t + h."""
        rows, (first, table) = self.rows, coefficients(self.stages(abs(h)))
        older, old, new = 3, 4, 5
        rows[0], rows[1], rows[older], rows[new] = self.y, self.f, self.y, 0.0
        np.dot([1.0, first * h], rows[:2], out=rows[old])
        weights = np.zeros(6)
        for c, one, mu, nu, mut, gamma in table:
            rows[2] = self.fun(self.t + c * h, rows[old])
            weights[:3] = one, gamma * h, mut * h
            weights[older], weights[old], weights[new] = nu, mu, 0.0
            rows[new] = weights @ rows
            older, old, new = old, new, older
        return rows[old].copy()

    def _step_impl(self) -> tuple[bool, str | None]:
        least = 10 * np.spacing(abs(self.t))
        while True:
            if self.age >= self.PATIENCE:
                self.estimate()
            reach = (self.most**2 - 1) / (1.54 * self.radius) if self.radius > 0 else np.inf
            h = min(self.h_abs, self.max_step, reach)
            if not h > least:
                return False, self.TOO_SMALL_STEP
            h = self.direction * min(h, abs(self.t_bound - self.t))
            t = self.t + h
            y = self.advance(h)
            f = self.fun(t, y)
            error = self.ratio(0.8 * (self.y - y) + (0.4 * h) * (self.f + f), y)  # h³y'''/15 from the ends alone
            if error <= 1:
                break
            self.failed += 1
            self.h_abs = abs(h) * (max(0.1, 0.8 * error ** (-1 / 3)) if np.isfinite(error) else 0.1)
            self.last, self.age = None, self.PATIENCE if self.age else 0
        error = max(error, 1e-10)
        factor = 0.8 * error ** (-1 / 3)
        if self.last is not None:  # the trend of the error's constant counts too
            factor = min(factor, factor * abs(h) / self.last[0] * (self.last[1] / error) ** (1 / 3))
        self.last, self.age = (abs(h), error), self.age + 1
        self.h_abs = abs(h) * min(10.0, max(0.1, factor))
        self.y_old, self.f_old = self.y, self.f
        self.t, self.y, self.f = t, y, f
        return True, None

    def _dense_output_impl(self) -> "Hermite":
        return Hermite(self.t_old, self.t, (self.y_old, self.y), (self.f_old, self.f))


class Hermite(DenseOutput):  # type: ignore[misc]
    """Cubic polynomial through values and slopes at both ends of a step."""

    def __init__(self, t_old: float, t: float, y: tuple[Vector, Vector], f: tuple[Vector, Vector]) -> None:
        super().__init__(t_old, t)
        self.h, self.y, self.f = t - t_old, y, f

    def _call_impl(self, t: Any) -> Vector:
        x = (np.asarray(t) - self.t_old) / self.h
        rest = 1 - x
        weights = rest**2 * (1 + 2 * x), x**2 * (1 + 2 * rest), self.h * x * rest**2, -self.h * x**2 * rest
        return sum(np.multiply.outer(v, w) for v, w in zip((*self.y, *self.f), weights, strict=True))
