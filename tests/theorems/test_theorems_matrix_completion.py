"""Theorems of the page `matrix_completion` against linear programs, explicit equations and SymPy."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.optimize import LinearConstraint, linprog, minimize
from tolerances import EXACT, FLOW, SLOPE

import lnn
from lnn.symbolic import commuting

rng_of = np.random.default_rng
SPECTRA = np.array([[0.9, 0.5, 0.2, 0.5, 0.3, 0.4], [0.3, 0.8, 0.9, 0.5, 0.1, 0.6]])
OBSERVED = np.array([2.0, 1.5])


def commuting_problem(spectra=SPECTRA, observed=OBSERVED, *, rotated=True):
    """Loss of commuting measurements with these spectra, and the orthogonal matrix of their common eigenvectors.

    Rounding errors lift the flow off the commuting matrices if the start is small; not if all matrices are diagonal.
    """
    d = spectra.shape[1]
    basis = np.linalg.qr(rng_of(0).standard_normal((d, d)))[0] if rotated else np.eye(d)
    measure = lnn.Products(np.stack([basis @ np.diag(a) @ basis.T for a in spectra]))
    return lnn.LeastSquares(measure, observed), basis


def end_of_flow(loss, depth, alpha, size, method="DOP853"):
    start = lnn.initial.identity([size] * (depth + 1), alpha)
    path = lnn.gradient_flow(start, loss, [0, 1e5], method=method, stop=1e-14)
    assert path.outcome is lnn.Outcome.CONVERGED
    return path


def spectrum_at(s, depth, alpha, spectra):
    """The closed form, typed a second time, one eigenvalue after the other."""
    values = []
    for a in spectra.T:
        u = float(a @ s)
        if depth == 2:
            values.append(alpha**2 * np.exp(2 * u))
        else:
            values.append((alpha ** -(depth - 2) - (depth - 2) * u) ** (-depth / (depth - 2)))
    return np.array(values)


def limit(depth, alpha, spectra=SPECTRA, observed=OBSERVED):
    """Eigenvalues of the limit t → ∞, from the differential equation in k unknowns."""
    answer = solve_ivp(
        lambda t, s: observed - spectra @ spectrum_at(s, depth, alpha, spectra),
        [0, 1e9],
        np.zeros(len(observed)),
        method="LSODA",
        rtol=1e-12,
        atol=1e-14,
    )
    return spectrum_at(answer.y[:, -1], depth, alpha, spectra)


def symmetric_kernel(measure, U, V, rank):
    """Number of independent symmetric S with A(U S V') = 0."""
    pairs = [(i, j) for i in range(rank) for j in range(i, rank)]
    images = []
    for i, j in pairs:
        S = np.zeros((rank, rank))
        S[i, j] = S[j, i] = 1.0
        images.append(measure(U @ S @ V.T))
    return len(pairs) - np.linalg.matrix_rank(np.array(images), tol=1e-10)


def test_thm_candes_recht_many_spread_out_entries_determine_the_matrix_and_coherent_ones_do_not():
    """`thm-candes-recht`: a certificate with |Q| < 1 for random low rank; a lone entry only where it is seen."""
    rng = rng_of(0)
    for _ in range(3):
        truth = lnn.datasets.low_rank((28, 23), 1, rng=rng)
        mask = lnn.datasets.random_mask(truth.shape, 480, rng=rng)
        found = lnn.nuclear.minimize(lnn.Entries(mask), truth[mask], gap=1e-8)
        assert np.abs(found.matrix - truth).max() < 1e-3
        # the least-squares certificate, as a linear system on the observed entries written out by hand
        u, s, vt = np.linalg.svd(truth)
        L, R = np.outer(u[:, 0], u[:, 0]), np.outer(vt[0], vt[0])
        columns = []
        for i, j in np.argwhere(mask):
            E = np.zeros(truth.shape)
            E[i, j] = 1.0
            columns.append((L @ E + E @ R - L @ E @ R).ravel())
        polar = np.outer(u[:, 0], vt[0])
        z = np.linalg.lstsq(np.array(columns).T, polar.ravel(), rcond=1e-10)[0]
        G = np.zeros(truth.shape)
        G[mask] = z
        Q = G - polar
        assert max(np.abs(u[:, 0] @ Q).max(), np.abs(Q @ vt[0]).max()) < 1e-10
        assert np.linalg.norm(Q, 2) < 1
        assert z @ truth[mask] == pytest.approx(s[0])
        assert symmetric_kernel(lnn.Entries(mask), u[:, :1], vt[:1].T, 1) == 0
    lonely = np.zeros((28, 23))
    lonely[3, 5] = 7.0
    for seen in (True, False):
        mask = lnn.datasets.random_mask(lonely.shape, 480, rng=rng)
        mask[3, 5] = seen
        found = lnn.nuclear.minimize(lnn.Entries(mask), lonely[mask])
        assert np.allclose(found.matrix, lonely, atol=1e-6) == seen


def test_thm_candes_recht_a_row_without_entries_is_zero_in_the_minimizer():
    """`thm-candes-recht`: why n log n entries are needed."""
    rng = rng_of(1)
    truth = lnn.datasets.low_rank((9, 7), 2, rng=rng)
    mask = lnn.datasets.random_mask(truth.shape, 40, rng=rng)
    mask[4] = False
    found = lnn.nuclear.minimize(lnn.Entries(mask), truth[mask], gap=1e-10, max_iterations=50_000)
    assert np.abs(found.matrix[4]).max() < 1e-5 < np.abs(truth[4]).max()


def test_prop_nuclear_dual_the_certificate_has_the_form_stated():
    """`prop-nuclear-dual`: A*(z) = UV' + Q, U'Q = 0, QV = 0, |Q| ≤ 1, at a minimizer of any rank."""
    rng = rng_of(2)
    for shape, k in (((8, 5), 12), ((6, 9), 30)):
        measure = lnn.Products(rng.standard_normal((k, *shape)))
        b = measure(lnn.datasets.low_rank(shape, 1, rng=rng))
        found = lnn.nuclear.minimize(measure, b, gap=1e-9, max_iterations=100_000)
        assert found.converged
        u, s, vt = np.linalg.svd(found.matrix)
        rank = int((s > 1e-3 * s[0]).sum())
        U, V = u[:, :rank], vt[:rank].T
        Q = np.einsum("i,ijk->jk", found.dual, measure.A) - U @ V.T
        assert np.abs(U.T @ Q).max() < 1e-3
        assert np.abs(Q @ V).max() < 1e-3
        assert np.linalg.norm(Q, 2) < 1 + 1e-6


def test_prop_nuclear_dual_uniqueness_is_decided_by_symmetric_perturbations():
    """`prop-nuclear-dual`: with |Q| < 1, a symmetric S with A(USV') = 0 is what a second minimizer needs."""
    # tr W = 1 at I/2: G = I, Q = 0, and S = diag(1, -1) keeps observation and nuclear norm.
    trace = lnn.Products([np.eye(2)])
    assert symmetric_kernel(trace, np.eye(2), np.eye(2), 2) == 2
    W = np.eye(2) / 2 + 0.3 * np.diag([1.0, -1.0])
    assert trace(W) == pytest.approx([1.0])
    assert np.linalg.norm(W, "nuc") == pytest.approx(1.0)
    # the off-diagonal entries and the trace: S = diag(1, -1) is still free, the skew part is seen but was never needed.
    off = lnn.Products([np.eye(2), [[0, 1], [1, 0]]])
    assert symmetric_kernel(off, np.eye(2), np.eye(2), 2) == 1
    # add one diagonal entry, and I/2 is the only minimizer, although A is not injective on all U M V'
    all_seen = lnn.Products([np.eye(2), [[0, 1], [1, 0]], [[1, 0], [0, 0]]])
    assert symmetric_kernel(all_seen, np.eye(2), np.eye(2), 2) == 0
    skew = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert np.abs(all_seen(skew)).max() == 0
    for c in (-0.1, 1e-3, 0.1):
        assert np.linalg.norm(np.eye(2) / 2 + c * skew, "nuc") > 1


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_thm_commuting_the_layers_stay_equal_and_follow_the_closed_form(depth):
    """`thm-commuting`, part 1: along the whole path, with s from the residuals of the path itself."""
    loss, basis = commuting_problem()
    alpha, times = 0.2, np.linspace(0, 6, 2001)
    path = lnn.gradient_flow(lnn.initial.identity([6] * (depth + 1), alpha), loss, times)
    residuals = OBSERVED - loss.measure(path.end_to_end)
    s = np.concatenate([np.zeros((1, 2)), np.cumsum((residuals[1:] + residuals[:-1]) / 2, axis=0)]) * times[1]
    for k in (0, 300, 1000, 2000):
        for W in path[k]:
            assert np.abs(W - path[k][0]).max() < FLOW
        inside = basis.T @ path.end_to_end[k] @ basis
        assert np.abs(inside - np.diag(np.diag(inside))).max() < FLOW
        assert np.diag(inside) == pytest.approx(spectrum_at(s[k], depth, alpha, SPECTRA), abs=1e-4)
        assert (np.diag(inside) > 0).all()


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_thm_commuting_sympy_agrees_with_the_equation_and_the_closed_form(depth):
    """`thm-commuting`: dλ/du = N λ^{2-2/N}, λ(0) = α^N, and the eigenvalues of I - A*(z)."""
    assert commuting.eigenvalue_defect(depth) == sp.zeros(2, 1)
    value = sp.lambdify((commuting.alpha, commuting.u), commuting.eigenvalue(depth).value)
    slack = sp.lambdify((commuting.alpha, commuting.lam), commuting.slack(depth))
    alpha = 0.3
    unit = 1 / np.log(1 / alpha) if depth == 2 else (depth - 2) * alpha ** (depth - 2)
    for u in (-2.0, 0.0, 0.5):
        lam = spectrum_at(np.array([u]), depth, alpha, np.ones((1, 1)))[0]
        assert value(alpha, u) == pytest.approx(lam, rel=EXACT)
        assert slack(alpha, lam) == pytest.approx(1 - unit * u, rel=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_thm_commuting_the_divergence_falls_at_twice_the_loss(depth):
    """`thm-commuting`, part 2: d/dt D(X, W) = -2 ℓ(W) for a diagonal solution X, and so the loss is O(1/t)."""
    loss, basis = commuting_problem()
    distance = sp.lambdify((commuting.x, commuting.lam), commuting.potential(depth).divergence)
    solution = linprog(rng_of(3).uniform(1, 2, 6), A_eq=SPECTRA, b_eq=OBSERVED).x + 0.0
    solution = np.maximum(0.5 * solution + 0.5 * limit(depth, 0.5), 1e-12)  # another solution, inside the cone
    assert SPECTRA @ solution == pytest.approx(OBSERVED)
    times = np.linspace(0, 4, 4001)
    path = lnn.gradient_flow(lnn.initial.identity([6] * (depth + 1), 0.2), loss, times)
    eigenvalues = np.einsum("ir,tij,jr->tr", basis, path.end_to_end, basis)
    D = distance(solution, eigenvalues).sum(axis=1)
    speed = (D[2:] - D[:-2]) / (times[2:] - times[:-2])
    assert np.abs(speed + 2 * path.losses[1:-1]).max() < 1e-4 * path.losses[0]
    assert (times * path.losses <= D[0] / 2 + EXACT).all()


@pytest.mark.parametrize(("depth", "alpha"), [(3, 1e-3), (4, 1e-2)])
def test_thm_commuting_the_constant_of_the_bound_on_the_loss_is_sharp(depth, alpha):
    """`thm-commuting`, part 2: t ℓ ≤ D(X, α^N I)/2, and close to equality when a scalar has waited."""
    distance = sp.lambdify((commuting.x, commuting.lam), commuting.potential(depth).divergence)
    D = distance(1.0, alpha**depth)
    wait = (alpha ** (2 - depth) - 0.2 ** (2 - depth)) / (depth - 2)  # m' = m^{N-1} from α to 0.2, at most
    times = np.linspace(0, 1.5 * wait, 400)
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), [1.0])
    products = times * lnn.gradient_flow(lnn.initial.identity([1] * (depth + 1), alpha), loss, times).losses
    assert 0.95 * D / 2 < products.max() < D / 2


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_thm_commuting_the_limit_has_least_trace_by_a_linear_program(depth):
    """`thm-commuting`, part 3: against SciPy's HiGHS, from networks, and at the rate that the dual vector predicts."""
    loss, basis = commuting_problem(rotated=depth < 4)
    program = linprog(np.ones(6), A_eq=SPECTRA, b_eq=OBSERVED)
    excess, alphas = [], (0.1, 0.05, 0.025)
    for alpha in alphas:
        path = end_of_flow(loss, depth, alpha, 6)
        W = path.end_to_end[-1]
        assert np.diag(basis.T @ W @ basis) == pytest.approx(limit(depth, alpha), abs=1e-5)
        excess.append(np.trace(W) - program.fun)
    slack = 1 - program.eqlin.marginals @ SPECTRA
    power = 2 * slack[slack > 1e-9].min() if depth == 2 else depth
    small = {2: 1e-5, 3: 4e-3, 4: 2e-2}[depth]
    closer = [limit(depth, a).sum() - program.fun for a in (small, small / 2)]
    assert np.log2(closer[0] / closer[1]) == pytest.approx(power, abs=SLOPE)
    assert 0 < excess[2] < excess[1] < excess[0]
    assert limit(depth, 1e-7 if depth == 2 else 1e-3) == pytest.approx(program.x, abs=1e-2)
    # the dual vector certifies it for matrices without any sign, and so does the nuclear norm solver
    found = lnn.nuclear.minimize(loss.measure, OBSERVED, gap=1e-8, max_iterations=50_000)
    assert found.value == pytest.approx(program.fun, rel=1e-7)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_commuting_the_limit_in_time_minimizes_trace_plus_potential(depth):
    """`thm-commuting`, boundedness: tr W + ε H(W) ≤ tr X + ε H(X), ε = -1/h'(α^N), for all diagonal solutions X."""
    alpha = 0.1
    W = limit(depth, alpha)
    unit = 1 / np.log(1 / alpha) if depth == 2 else (depth - 2) * alpha ** (depth - 2)
    potential = commuting.potential(depth)
    assert float(potential.slope.subs(commuting.lam, alpha**depth)) == pytest.approx(-1 / unit)
    h = sp.lambdify(commuting.lam, potential.h)
    kernel = np.linalg.svd(SPECTRA)[2][2:]
    for direction in np.concatenate([kernel, -kernel]):
        for step in (1e-3 * W.min(), 0.5 * W.min()):
            X = W + step * direction
            assert SPECTRA @ X == pytest.approx(OBSERVED)
            assert (W + unit * h(W)).sum() < (X + unit * h(X)).sum()


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_commuting_holds_where_the_limit_is_singular(depth):
    """`thm-commuting`, part 2: eigenvalues that must vanish do so slowly, with the loss below D(X, α^N I) / (2 t)."""
    alpha = 0.5
    loss = lnn.LeastSquares(lnn.Products([np.diag([1.0, 0.5, 0.0])]), [0.0])
    times = np.concatenate([[0.0], np.geomspace(0.1, 1e4, 25)])
    path = lnn.gradient_flow(lnn.initial.identity([3] * (depth + 1), alpha), loss, times)
    W = np.einsum("tii->ti", path.end_to_end)
    assert W[:, 2] == pytest.approx(alpha**depth, rel=FLOW)
    assert (W > 0).all()
    assert (np.diff(W[:, :2], axis=0) < 0).all()
    assert W[-1, :2].max() < 5e-3
    distance = alpha**2  # D(0, λ) = λ^{2/N} / 2 for two eigenvalues, with X = diag(0, 0, α^N)
    assert (times * path.losses <= distance / 2).all()


def test_thm_commuting_needs_positive_semidefinite_solutions():
    """`thm-commuting`: over all matrices the nuclear norm can be less than what the flow finds."""
    measure = lnn.Products([np.diag([1.0, -3.0])])
    path = end_of_flow(lnn.LeastSquares(measure, [1.0]), 3, 0.01, 2)
    assert np.trace(path.end_to_end[-1]) == pytest.approx(1.0, abs=1e-3)
    assert lnn.nuclear.minimize(measure, [1.0]).value == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds")  # SciPy 1.13 steps over a bound by 1e-17
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_selection_entropy_at_depth_two_and_a_schatten_sum_beyond(depth):
    """`prop-selection`: all solutions have trace 1, and a constrained maximization says which one is found."""
    rows, means = np.array([np.ones(5), np.arange(1.0, 6.0)]), np.array([1.0, 2.0])
    loss, basis = commuting_problem(rows, means, rotated=False)
    W = end_of_flow(loss, depth, 0.01, 5, "LSODA").end_to_end[-1]
    found = np.diag(basis.T @ W @ basis)

    def cost(x):
        return (x * np.log(x)).sum() if depth == 2 else -(x ** (2 / depth)).sum()

    best = minimize(
        cost, np.full(5, 0.2), method="SLSQP", bounds=[(1e-9, 1)] * 5, tol=1e-14,
        constraints=LinearConstraint(rows, means, means),
    )  # fmt: skip
    assert best.success
    assert found == pytest.approx(best.x, abs=2e-3)
    other = 2 if depth > 2 else 3  # and the depths do differ
    assert np.abs(limit(other, 0.01, rows, means) - found).max() > 5e-3
    potential = commuting.potential(depth)
    x = 0.37
    step = 1e-5
    h = sp.lambdify(commuting.lam, potential.h)
    second = (h(x + step) - 2 * h(x) + h(x - step)) / step**2
    assert second == pytest.approx(1 / (depth * x ** (2 - 2 / depth)), rel=1e-4)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_prop_schatten_the_flow_ends_at_a_multiple_of_the_identity(depth):
    """`prop-schatten`: from every scale, not only in the limit."""
    for d, alpha in ((3, 0.9), (5, 0.1)):
        path = end_of_flow(lnn.LeastSquares(lnn.Products([np.eye(d)]), [1.0]), depth, alpha, d)
        assert np.abs(path.end_to_end[-1] - np.eye(d) / d).max() < 1e-6


def test_prop_schatten_the_end_is_a_maximum_and_no_local_minimum():
    """`prop-schatten`: along the path stated, among random solutions, and at the two ends."""
    rng = rng_of(5)
    d = 4
    for p in (0.1, 0.5, 0.9):
        sums = []
        for t in np.linspace(0, 1 / d, 60):
            W = np.eye(d) / d + t * (np.diag([1.0, -1, 0, 0]))
            assert np.trace(W) == pytest.approx(1)
            sums.append((np.linalg.svd(W, compute_uv=False) ** p).sum())
        assert (np.diff(sums) < 0).all()
        most = float(lnn.schatten(np.full(d, 1 / d), p))
        assert most == pytest.approx(d ** (1 / p - 1))
        for _ in range(100):
            B = rng.standard_normal((d, d))
            X = B @ B.T / np.trace(B @ B.T)
            assert 1 < float(lnn.schatten(lnn.singular_values(X), p)) < most


def test_prop_schatten_sympy_agrees_with_differences_of_the_numerical_function():
    """`prop-schatten`: first and second derivative of the Schatten sum at I/d."""
    p, d = sp.symbols("p d", positive=True)
    path = commuting.schatten_path(p, d)
    assert path.first == 0
    for exponent, size in ((0.3, 4), (0.8, 3), (2.0, 5)):

        def total(t, exponent=exponent, size=size):
            spectrum = np.full(size, 1 / size)
            spectrum[:2] += t, -t
            return float(lnn.schatten(spectrum, exponent)) ** exponent

        step = 1e-4
        second = (total(step) - 2 * total(0) + total(-step)) / step**2
        found = float(path.second.subs({p: exponent, d: size}))
        assert found == pytest.approx(second, rel=1e-4)
        assert (found < 0) == (exponent < 1)
        assert float(path.value.subs({p: exponent, d: size, commuting.t: 0.05})) == pytest.approx(total(0.05))
