"""E16: the convergence certificate, how conservative it is, and both counterexamples of `prop-necessity`."""

import numpy as np

import lnn
from experiments import Row
from lnn.theory import guarantees

EPSILON = 1e-6


def instance(depth: int):
    """A 4×5 target with singular values 1 to 1.3, and a slightly unbalanced start at distance 0.2 from it."""
    rng = np.random.default_rng(16)
    U, V = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.linalg.qr(rng.standard_normal((5, 5)))[0]
    target = U @ np.diag([1.3, 1.2, 1.1, 1.0]) @ V[:4]
    direction = rng.standard_normal(target.shape)
    start = target + 0.2 * direction / np.linalg.norm(direction)
    weights = lnn.initial.balanced(start, (5, *[6] * (depth - 1), 4))
    return target, tuple(W + 1e-6 * rng.standard_normal(W.shape) for W in weights)


def largest_step_size(weights, loss) -> float:
    """Largest step size of a grid, 5 % apart, with which 400 steps bring the loss to EPSILON."""
    grid = 1.05 ** np.arange(-60, 20)
    paths = (lnn.gradient_descent(weights, loss, eta, 400, every=400, stop=EPSILON) for eta in grid)
    return max(eta for eta, path in zip(grid, paths, strict=True) if path.losses[-1] <= EPSILON)


def certificate_row(depth: int) -> Row:
    target, weights = instance(depth)
    loss = lnn.LeastSquares(lnn.Everything(target.shape), target.ravel())
    record = guarantees.certify(weights, target)
    published = guarantees.certify(weights, target, published=True)
    T = record.iterations(EPSILON)
    path = lnn.gradient_descent(weights, loss, record.step_size, T)
    steps = np.rint(path.times / record.step_size)
    under = bool((path.losses <= record.bound(steps) * (1 + 1e-12)).all())
    needed = int(steps[np.argmax(path.losses <= EPSILON)])
    practical = largest_step_size(weights, loss)
    measured = (
        f"loss {'under the bound at every step' if under else 'not under the bound'}; "
        f"needed {needed / T:.0%} of the {T:.1e} steps promised; "
        f"step size could be {practical / record.step_size:.0e} times larger "
        f"({practical / published.step_size:.0e} times the published one)"
    )
    holds = record.holds and published.holds and under and path.losses[-1] <= EPSILON
    holds = holds and practical > record.step_size > published.step_size
    return Row(f"depth {depth}: the loss stays under the certified bound", "the theorem (no figure)", measured, holds)


def margin_row() -> Row:
    size, rows = 3, []
    loss = lnn.LeastSquares(lnn.Everything((size, size)), -np.eye(size).ravel())
    # At depth 2 zero is a strict saddle: descent arrives exponentially fast, and rounding errors leave as fast, so that
    # after a time of 40 nothing is seen of the theorem any more. At greater depth both take forever.
    steps = {2: 400, 3: 4000, 4: 4000}
    for depth in steps:
        weights = lnn.initial.identity([size] * (depth + 1))
        path = lnn.gradient_descent(weights, loss, 0.05, steps[depth], every=steps[depth])
        rows.append((float(path.losses[-1]), float(path.singular_values[-1, 0])))
    final, largest = np.array(rows).T
    counts = ", ".join(f"{count:,}" for count in steps.values())
    measured = f"losses after {counts} steps at depths 2, 3, 4: {', '.join(f'{x:.3f}' for x in final)}"
    holds = bool(np.allclose(final, size / 2, atol=1e-2) and (largest < 0.01).all())
    return Row(
        "without a margin: Φ = -I from the identity ends at W = 0, loss ½‖Φ‖² = 1.5",
        "convergence failure (no figure)",
        measured,
        holds,
    )


def balance_row() -> Row:
    eta, target = 0.01, 1.0
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([target]))
    ends = {}
    for product in (1.5, 20.0):
        w1 = np.sqrt(product / eta)
        weights = (np.array([[w1]]), np.array([[(target + 0.01) / w1]]))
        ends[product] = lnn.gradient_descent(weights, loss, eta, 2000, every=2000)
    flow = lnn.gradient_flow(weights, loss, [0.0, 0.05], method="LSODA")
    balanced = lnn.gradient_descent((np.ones((1, 1)), 1.01 * np.ones((1, 1))), loss, eta, 2000, every=2000)
    others = max(flow.losses[-1], balanced.losses[-1])
    diverged = ends[20.0].outcome is lnn.Outcome.DIVERGED
    measured = (
        f"at η = 0.01: loss {'< 1e-12' if ends[1.5].losses[-1] < 1e-12 else 'not small'} for η w₁² = 1.5, "
        f"{'diverged' if diverged else 'did not diverge'} for η w₁² = 20; "
        f"flow and balanced start {'converge' if others < 1e-12 else 'do not both converge'}"
    )
    holds = diverged and ends[1.5].losses[-1] < 1e-12 and others < 1e-12
    return Row(
        "without balance: two scalars near their target, w₁ huge, diverge",
        "convergence failure (no figure)",
        measured,
        bool(holds),
    )


def measure() -> list[Row]:
    """Certificates at depths 2 and 3, and what happens without each hypothesis."""
    return [certificate_row(2), certificate_row(3), margin_row(), balance_row()]
