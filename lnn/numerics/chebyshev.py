"""A stabilized Runge–Kutta formula for stiff flows with a real spectrum, and its union with a plain pair."""

from functools import lru_cache

import numpy as np

from lnn.numerics.runge_kutta import EPS, DormandPrince, Ends, Formula, Vector, norm


@lru_cache(maxsize=4096)
def chebyshev_coefficients(s: int) -> tuple[float, Vector]:
    """First coefficient μ̃_1 and rows (1 - μ_j - ν_j, μ_j, ν_j, μ̃_j, γ̃_j), j = 2, …, s, of RKC2 with s stages [SSV98].

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
    return float(b[1] * w1), np.stack([1 - mu - nu, mu, nu, mut, -a[1:-1] * mut], axis=1)


class Chebyshev(Formula):
    """RKC2, the stabilized method of order two of Sommeijer, Shampine and Verwer [SSV98].

    With s stages it is stable up to h·ρ ≈ 0.65 s², where ρ is the spectral radius of a Jacobian with a real, mostly
    negative spectrum: an evaluation carries as far as 0.65 s of those of a plain method. A gradient flow's Jacobian,
    minus a Hessian, is of that kind.

    Parameters
    ----------
    ends : Ends
    caution : float
        Factor on the estimated error.
    """

    order = 3
    PATIENCE = 25  # accepted steps after which the spectral radius is estimated anew

    def __init__(self, ends: Ends, caution: float = 1.0) -> None:
        super().__init__(ends)
        self.caution = caution
        n = ends.y.size
        self.rows = np.zeros((6, n))  # y, f, the last stage's derivative, and three stages in turn
        self.scratch, self.direction = np.zeros(n), np.zeros(n)
        self.radius, self.age = np.inf, self.PATIENCE
        self.stage_limit = max(2, min(1000, int(np.sqrt(ends.rtol / (10 * EPS)))))

    def stages(self, h: float) -> int:
        """The least number of stages, at least 2, that is stable for a step h."""
        return max(2, 1 + int(np.sqrt(1 + 1.54 * h * self.radius)))

    def longest(self) -> float:
        """The step that needs the largest number of stages for which roundings stay small."""
        if self.age >= self.PATIENCE:
            self.estimate()
        return (self.stage_limit**2 - 1) / (1.54 * self.radius) if self.radius > 0 else np.inf

    def estimate(self) -> None:
        """Spectral radius of the Jacobian at y by the power method on differences of f, 1.2 times for safety."""
        ends = self.ends
        v = self.direction if self.direction.any() else ends.f.copy()
        if not v.any():
            v = np.ones_like(v)
        size = np.sqrt(EPS) * max(norm(ends.y), np.sqrt(EPS))
        radius = 0.0
        for _ in range(50):
            np.multiply(v, size / norm(v), out=v)
            ends.evaluate(np.add(ends.y, v, out=self.scratch), self.rows[2])
            v = self.rows[2] - ends.f
            old, radius = radius, norm(v) / size
            if not np.isfinite(radius) or radius == 0 or abs(radius - old) <= 0.01 * radius:
                break
        self.direction[:] = v if np.isfinite(radius) else 0.0
        self.radius, self.age = (1.2 * radius if np.isfinite(radius) else np.inf), 0

    def attempt(self, h: float) -> float:
        """Try a step of length h."""
        ends, rows = self.ends, self.rows
        first, table = chebyshev_coefficients(self.stages(h))
        rows[0], rows[1] = ends.y, ends.f
        older, old, new = 3, 4, 5
        rows[older], rows[new] = ends.y, 0.0
        np.dot(np.array([1.0, first * h]), rows[:2], out=rows[old])
        weights = np.zeros(6)
        for one, mu, nu, mut, gamma in table:
            ends.evaluate(rows[old], rows[2])
            weights[:3] = one, gamma * h, mut * h
            weights[older], weights[old], weights[new] = nu, mu, 0.0
            np.dot(weights, rows, out=self.scratch)
            rows[new] = self.scratch
            older, old, new = old, new, older
        ends.y_next[:] = rows[old]
        ends.evaluate(ends.y_next, ends.f_next)
        return self.caution * ends.ratio(ends.curvature(h))

    def propose(self, h: float, ratio: float) -> float:
        """As every formula; and a failed step calls for a new estimate of the spectral radius."""
        self.age = self.age + 1 if ratio <= 1 else (self.PATIENCE if self.age else 0)
        return super().propose(h, ratio)


class Switch(Formula):
    """The pair where accuracy limits the step, the stabilized formula where stability does.

    After each step the two are compared by the time that they cover per evaluation. While the pair runs, the error
    estimate of RKC2, which needs nothing but the ends of a step, tells how far that formula would go, and h·ρ ≤ 3.3
    how many stages it would take. While RKC2 runs, the spectral radius tells how far the pair could go at most.
    """

    PATIENCE = 10  # steps that a formula is given before the comparison is made again
    # The pair estimates the error of its fourth-order companion and is itself better than that by one order; RKC2
    # estimates its own. So that both deliver alike, RKC2 is held to a tenth of the tolerance.
    CAUTION = 10.0

    def __init__(self, ends: Ends) -> None:
        super().__init__(ends)
        self.pair, self.stabilized = DormandPrince(ends), Chebyshev(ends, self.CAUTION)
        self.active: Formula = self.pair
        self.stay = 0

    @property
    def order(self) -> int:  # type: ignore[override]
        """Power of h in the error estimate of the formula in use."""
        return self.active.order

    def attempt(self, h: float) -> float:
        """Try a step of length h."""
        return self.active.attempt(h)

    def longest(self) -> float:
        """The longest step that the formula in use may try now."""
        return self.active.longest()

    def bump(self) -> Vector | None:
        """As of the formula in use."""
        return self.active.bump()

    def propose(self, h: float, ratio: float) -> float:
        """As the formula in use proposes, or a step for the other one, if that covers more time per evaluation."""
        proposed = self.active.propose(h, ratio)
        self.stay -= 1
        if ratio > 1 or self.stay > 0:
            return proposed
        if self.active is self.pair:
            error = max(self.CAUTION * self.ends.ratio(self.ends.curvature(h)), 1e-10)
            reach = 0.8 * h * min(10.0, error ** (-1 / 3))
            stages = max(2.0, 1 + np.sqrt(1 + 1.54 * self.pair.REACH * reach / h))
            if reach / stages <= h / 6:
                return proposed
            self.stabilized.age = self.stabilized.PATIENCE
            self.active, proposed = self.stabilized, reach
        else:
            reach = self.pair.REACH / self.stabilized.radius if self.stabilized.radius > 0 else np.inf
            if proposed / self.stabilized.stages(proposed) >= reach / 6:
                return proposed
            self.active, proposed = self.pair, min(reach, proposed)
        self.active.last, self.stay = None, self.PATIENCE
        return proposed
