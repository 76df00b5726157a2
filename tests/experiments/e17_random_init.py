"""E17: the probability that a random balanced start has a positive margin, output dimension 1."""

import numpy as np
from scipy.stats import binomtest, ncx2

import lnn
from experiments import Row
from lnn.theory import guarantees

TRIALS = 2000


def estimate(size: int, scale: float, rng: np.random.Generator):
    """Number of positive margins among balanced networks 1 × size of depth 3, for a target of norm 1."""
    target = np.eye(1, size)
    draws = scale * rng.standard_normal((TRIALS, 1, size))
    products = np.stack([lnn.end_to_end(lnn.initial.balanced(A, (size, 2, 2, 1))) for A in draws])
    return int((guarantees.deficiency_margin(products, target) > 0).sum())


def measure() -> list[Row]:
    """Estimates with exact 99.9 % confidence intervals against the noncentral chi-square probability."""
    rng = np.random.default_rng(17)
    rows = []
    for size in (2, 10, 50):
        parts, holds = [], True
        for scale in (0.1, 0.01, 0.001):
            exact = float(ncx2.cdf(scale**-2, size, scale**-2))
            result = binomtest(estimate(size, scale, rng), TRIALS)
            interval = result.proportion_ci(0.999)
            holds &= bool(interval.low <= exact <= interval.high)
            parts.append(f"{result.statistic:.3f} ({exact:.3f})")
        holds &= abs(exact - 0.5) < 0.02 and exact < 0.5
        claim = f"d₀ = {size}: probability of a margin tends to ½ as the scale falls (0.1, 0.01, 0.001)"
        rows.append(Row(claim, "→ 1/2", f"estimated (exact): {', '.join(parts)}", holds))
    return rows
