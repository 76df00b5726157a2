"""E25: label noise and mini-batches drive the layers to balance: imbalance over steps against the proved drift.

Page `large_steps`.
"""

import numpy as np

import lnn
from experiments import Row


def scalars(eta, sigma, steps, runs=2000, start=(0.6, 1 / 0.6)):
    """Mean of D_k/D_0 over runs with noise ±σ on the label of two scalars with target 1."""
    rng = np.random.default_rng(25)
    w1, w2 = (np.full(runs, v) for v in start)
    D0, means = start[1] ** 2 - start[0] ** 2, [1.0]
    for _ in range(steps):
        g = w1 * w2 - 1 - sigma * rng.choice([-1, 1], runs)
        w1, w2 = w1 - eta * g * w2, w2 - eta * g * w1
        means.append(float((w2**2 - w1**2).mean() / D0))
    return np.array(means)


def batches(kind, steps=20_000, eta=0.02, samples=40):
    """Imbalance at the start and the end of descent on 3×5×3 networks, from a minimizer out of balance."""
    rng = np.random.default_rng(26)
    X = rng.standard_normal((3, samples))
    X = np.linalg.qr(X.T)[0].T  # whitened
    Phi = rng.standard_normal((3, 3))
    noise = rng.standard_normal((3, samples))
    Y = Phi @ X + (0 if kind == "fits" else noise - noise @ X.T @ X)  # the least squares solution is Φ
    if kind == "whole":
        loss = lnn.LeastSquares(lnn.Samples(X), Y)
    else:
        loss = lnn.Batches(X, Y, 10, rng=np.random.default_rng(27))
    W1, W2 = lnn.initial.balanced(Phi, (3, 5, 3))
    start = 1.5 * W1, W2 / 1.5
    path = lnn.gradient_descent(start, loss, eta, steps, every=steps)
    return lnn.imbalance(path[-1]) / lnn.imbalance(start)


def measure() -> list[Row]:
    """Two scalars over step size and noise; batches of data that fit, and of data that do not."""
    rates, inside = [], []
    for eta, sigma in ((0.05, 0.5), (0.1, 0.25), (0.1, 0.5)):
        steps = round(1 / (eta * sigma) ** 2)
        means = scalars(eta, sigma, steps)
        k = np.arange(steps + 1)
        upper, lower = (1 - (eta * sigma) ** 2) ** k, (1 - 2 * (eta * sigma) ** 2) ** k
        inside.append(bool((means <= upper + 0.01).all() and (means >= lower - 0.01).all()))
        rates.append(-np.log(means[-1]) / steps / (eta * sigma) ** 2)
    ends = {kind: batches(kind) for kind in ("whole", "fits", "noisy")}
    return [
        Row(
            "two scalars with labels ±σ: the mean imbalance falls like (1 - η²σ²)^k at least",
            "noise drives towards flat minima (no figure for this problem)",
            f"at three pairs (η, σ) the rate is {min(rates):.2f} to {max(rates):.2f} times η²σ², "
            f"{'within' if all(inside) else 'not within'} the bounds at every step",
            bool(all(inside) and min(rates) > 1),
        ),
        Row(
            "… first order in the noise's variance: half the noise, a quarter of the rate",
            None,
            f"{rates[2] / rates[1] * 4:.1f} times slower",
            bool(abs(rates[2] / rates[1] - 1) < 0.1),
        ),
        Row(
            "matrices 3×5×3, batches of 10 of 40 samples with residuals: the imbalance falls",
            "noise induced by mini-batches or label perturbation regularizes",
            f"to {ends['noisy']:.2f} of its start; with all samples it stays at {ends['whole']:.2f}",
            bool(ends["noisy"] < 0.5 and abs(ends["whole"] - 1) < 1e-6),
        ),
        Row(
            "… batches of data that a linear map fits: at a minimizer there is no noise, and the imbalance stays",
            None,
            f"{ends['fits']:.2f} of its start",
            bool(abs(ends["fits"] - 1) < 1e-6),
        ),
    ]
