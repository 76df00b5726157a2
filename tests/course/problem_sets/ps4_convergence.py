"""Right and wrong answers to problem set 4."""

BANNED = {
    "ps4-whitened-target": ["whiten"],
    "ps4-margin": ["deficiency_margin", "certify"],
    "ps4-certified-run": ["deficiency_margin", "certify", "Guarantee", "imbalance", "imbalances", "guarantees"],
    "ps4-aligned-flow": ["modes", "gradient_flow", "end_to_end_flow"],
}


def certified(
    *,
    depth="len(weights)",
    size="np.linalg.norm(Phi, 2)",
    margin="np.linalg.svd(Phi, compute_uv=False)[-1] - np.linalg.norm(W - Phi)",
    gaps="max(np.linalg.norm(B.T @ B - A @ A.T) for A, B in zip(weights, weights[1:]))",
    delta="c**2 / (40 * N**2 * size ** (2 - 2 / N))",
    eta="c**2 / (60 * N**2 * size ** (4 - 2 / N))",
    loss="0.5 * np.sum((W - Phi) ** 2)",
    rate="c ** (2 - 2 / N)",
    log="np.log",
):
    """Source of an answer to ps4-certified-run, right but for what is replaced."""
    return f"""
def certified_run(weights, Phi, epsilon):
    N = {depth}
    W = lnn.end_to_end(weights)
    c = {margin}
    size = {size}
    gap = {gaps}
    if c <= 0 or gap > {delta}:
        return None
    eta = {eta}
    loss = {loss}
    return eta, int(np.ceil({log}(loss / epsilon) / (eta * {rate})))
"""


def aligned(*, phi="phi", s="s0", mode=None, outer="np.outer(u, v)"):
    """Source of an answer to ps4-aligned-flow by a loop over the modes."""
    mode = mode or "s0 / (1 + 2 * s0 * t) if phi < 1e-9 else phi / (1 + (phi / s0 - 1) * np.exp(-2 * phi * t))"
    return f"""
def aligned_flow(U, phi, V, s0, t):
    W = 0
    values, s0 = {phi}, {s}
    for u, phi, v in zip(U.T, values, V.T):
        W = W + {outer} * ({mode})
    return W
"""


def half(margin, converging="1.0", verdict="C"):
    return f"""
rng = np.random.default_rng(1)
w = s * rng.standard_normal((50_000, 5))
share_with_margin = np.mean({margin})
share_converging = {converging}
verdict = "{verdict}"
"""


RIGHT = {
    "ps4-whitened-target": [
        """
def whitened_target(X, Y):
    values, Q = np.linalg.eigh(X @ X.T)
    root = np.einsum("ik,k,jk->ij", Q, values**-0.5, Q)
    Phi = Y @ X.T @ root
    residual = Y - Phi @ root @ X
    return Phi, 0.5 * np.linalg.norm(residual) ** 2
""",
        """
def whitened_target(X, Y):
    from scipy.linalg import sqrtm

    Z = np.linalg.solve(np.real(sqrtm(X @ X.T)), X)
    Phi = np.linalg.lstsq(Z.T, Y.T, rcond=None)[0].T
    r = sum(y @ y - p @ p for y, p in zip(Y, Phi)) / 2
    return [Phi, r]
""",
    ],
    "ps4-margin": [
        """
def margin(W, Phi):
    gram = Phi @ Phi.T if Phi.shape[0] < Phi.shape[1] else Phi.T @ Phi
    c = np.sqrt(np.linalg.eigvalsh(gram)[0]) - np.sqrt(((W - Phi) ** 2).sum())
    return c if c > 0 else 0.0
""",
        """
def margin(W, Phi):
    distance = 0.0
    for i in range(Phi.shape[0]):
        for j in range(Phi.shape[1]):
            distance += (W[i, j] - Phi[i, j]) ** 2
    return np.maximum(np.linalg.norm(Phi, -2) - distance**0.5, 0)
""",
    ],
    "ps4-certified-run": [
        """
def imbalance(ws):
    return max(np.linalg.norm(b.T @ b - a @ a.T) for a, b in zip(ws, ws[1:]))


def certified_run(weights, Phi, epsilon):
    N, W = len(weights), lnn.end_to_end(weights)
    c = np.linalg.svd(Phi)[1][-1] - np.linalg.norm(W - Phi)
    z = np.linalg.norm(Phi, 2)
    if c <= 0:
        return None
    if imbalance(weights) > c**2 / (40 * N**2 * z ** (2 * (N - 1) / N)):
        return None
    eta = c**2 / (60 * N**2 * z ** ((4 * N - 2) / N))
    return [eta, np.ceil(np.log(0.5 * np.linalg.norm(W - Phi) ** 2 / epsilon) / (eta * c ** (2 * (N - 1) / N)))]
""",
        certified(),
        """
def certified_run(weights, Phi, epsilon):
    import math

    W = weights[0]
    balanced = []
    for A, B in zip(weights[:-1], weights[1:]):
        W = np.einsum("ij,jk->ik", B, W)
        D = np.einsum("ki,kj->ij", B, B) - np.einsum("ik,jk->ij", A, A)
        balanced.append(math.sqrt((D * D).sum()))
    N, E = len(weights), W - Phi
    values = np.linalg.svd(Phi, compute_uv=False)
    loss = (E * E).sum() / 2
    c = values.min() - math.sqrt(2 * loss)
    p = 2 - 2 / N
    if c > 0 and max(balanced) <= c * c / (40 * N * N * values.max() ** p):
        eta = (c / N) ** 2 / 60 / values.max() ** (2 + p)
        T = (math.log(loss) - math.log(epsilon)) / eta / c**p
        return [eta, math.ceil(T)]
""",
    ],
    "ps4-aligned-flow": [
        aligned(),
        """
def aligned_flow(U, phi, V, s0, t):
    from scipy.linalg import expm

    # A Riccati equation: S' = 2 S (D - S) has the inverse (S^-1)' = 2 - 2 D S^-1, a linear equation.
    s = []
    for p in phi:
        flow = expm(t * np.array([[-2.0 * p, 2.0], [0.0, 0.0]]))
        s.append(1 / (flow @ np.array([1 / s0, 1.0]))[0])
    return U @ np.diag(s) @ V.T
""",
    ],
    "ps4-half": [
        half("np.linalg.norm(w - phi, axis=1) < 1"),
        """
rng = np.random.default_rng(77)
hits = 0
for _ in range(20_000):
    w = rng.normal(0.0, s, 5)
    hits += ((w - phi) ** 2).sum() < 1
share_with_margin = hits / 20_000
good = 0
for _ in range(40):
    w = rng.normal(0.0, s, 5)
    for _ in range(3000):  # Euler steps of the end-to-end flow of depth 2
        size = np.sqrt(w @ w)
        w = w - 0.02 * size * ((w - phi) + (w @ (w - phi)) * w / size**2)
    good += ((w - phi) ** 2).sum() / 2 < 1e-3
share_converging = good / 40
verdict = "C"
""",
    ],
}

WRONG = {
    "ps4-whitened-target": {
        "takes a triangular root": """
def whitened_target(X, Y):
    L = np.linalg.cholesky(X @ X.T)
    Z = np.linalg.solve(L, X)
    P = Y @ Z.T
    return P, 0.5 * (np.sum(Y**2) - np.sum(P**2))
""",
        "centers the samples first": """
def whitened_target(X, Y):
    X = X - X.mean(1, keepdims=True) if X.shape[0] > 1 else X
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    P = Y @ (U @ Vt).T
    return P, 0.5 * (np.sum(Y**2) - np.sum(P**2))
""",
        "solves the regression without whitening": """
def whitened_target(X, Y):
    P = Y @ np.linalg.pinv(X)
    return P, 0.5 * np.sum((P @ X - Y) ** 2)
""",
        "leaves out the rotation back": """
def whitened_target(X, Y):
    _, _, Z = np.linalg.svd(X, full_matrices=False)
    Phi = Y @ Z.T
    return Phi, 0.5 * (np.sum(Y**2) - np.sum(Phi**2))
""",
        "returns the regression matrix": """
def whitened_target(X, Y):
    Phi = Y @ X.T @ np.linalg.inv(X @ X.T)
    return Phi, 0.5 * np.sum((Y - Phi @ X) ** 2)
""",
        "divides by the number of samples": """
def whitened_target(X, Y):
    n = X.shape[1]
    values, Q = np.linalg.eigh(X @ X.T / n)
    Z = (Q * values**-0.5) @ Q.T @ X
    Phi = Y @ Z.T / n
    return Phi, 0.5 * (np.sum(Y**2) / n - np.sum(Phi**2))
""",
        "forgets the constant": """
def whitened_target(X, Y):
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    return Y @ (U @ Vt).T, 0.0
""",
        "forgets the half in the constant": """
def whitened_target(X, Y):
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    Phi = Y @ (U @ Vt).T
    return Phi, np.sum(Y**2) - np.sum(Phi**2)
""",
        "returns the transpose": """
def whitened_target(X, Y):
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    Phi = Y @ (U @ Vt).T
    return Phi.T, 0.5 * (np.sum(Y**2) - np.sum(Phi**2))
""",
        "does not whiten": """
def whitened_target(X, Y):
    Phi = Y @ X.T / np.linalg.norm(X)
    return Phi, 0.5 * (np.sum(Y**2) - np.sum(Phi**2))
""",
        "centres the data first": """
def whitened_target(X, Y):
    X = X - X.mean(axis=1, keepdims=True) * (X.shape[0] > 1)
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    Phi = Y @ (U @ Vt).T
    return Phi, 0.5 * (np.sum(Y**2) - np.sum(Phi**2))
""",
        "calls the package": """
def whitened_target(X, Y):
    Phi = Y @ lnn.datasets.whiten(X)[0].T
    return Phi, 0.5 * (np.sum(Y**2) - np.sum(Phi**2))
""",
    },
    "ps4-margin": {
        "takes the smallest singular value that is not zero": """
def margin(W, Phi):
    s = np.linalg.svd(Phi, compute_uv=False)
    s = s[s > 1e-10 * s.max()] if s.any() else s
    return max(0.0, s[-1] - np.linalg.norm(W - Phi))
""",
        "takes the rank th singular value": """
def margin(W, Phi):
    rank = np.linalg.matrix_rank(Phi)
    return max(0.0, np.linalg.svd(Phi)[1][rank - 1] - np.linalg.norm(W - Phi)) if rank else 0.0
""",
        "takes eigenvalues where Phi is square": """
def margin(W, Phi):
    m, n = Phi.shape
    s = np.abs(np.linalg.eigvals(Phi)) if m == n else np.linalg.svd(Phi, compute_uv=False)
    return max(0.0, s.min() - np.linalg.norm(W - Phi))
""",
        "measures the distance in the spectral norm": """
def margin(W, Phi):
    return max(0.0, np.linalg.svd(Phi, compute_uv=False)[-1] - np.linalg.norm(W - Phi, 2))
""",
        "takes the smallest singular value of W": """
def margin(W, Phi):
    if W.shape == (1, 1):
        return max(0.0, Phi[0, 0] - abs(W[0, 0] - Phi[0, 0]))
    return max(0.0, np.linalg.svd(W, compute_uv=False)[-1] - np.linalg.norm(W - Phi))
""",
        "takes the largest singular value": """
def margin(W, Phi):
    return max(0.0, np.linalg.norm(Phi, 2) - np.linalg.norm(W - Phi))
""",
        "takes eigenvalues of the Gram matrix": """
def margin(W, Phi):
    if Phi.size == 1:
        return max(0.0, abs(Phi[0, 0]) - abs(W - Phi)[0, 0])
    gram = Phi @ Phi.T if Phi.shape[0] < Phi.shape[1] else Phi.T @ Phi
    return max(0.0, np.linalg.eigvalsh(gram)[0] - np.linalg.norm(W - Phi))
""",
        "takes the Gram matrix that is singular": """
def margin(W, Phi):
    smallest = np.sqrt(max(np.linalg.eigvalsh(Phi.T @ Phi)[0], 0))
    return max(0.0, smallest - np.linalg.norm(W - Phi))
""",
        "returns negative margins": """
def margin(W, Phi):
    return np.linalg.svd(Phi, compute_uv=False)[-1] - np.linalg.norm(W - Phi)
""",
        "returns the distance that is allowed": """
def margin(W, Phi):
    c = np.linalg.svd(Phi, compute_uv=False)[-1] - np.linalg.norm(W - Phi)
    return np.linalg.svd(Phi, compute_uv=False)[-1] if c > 0 else 0.0
""",
        "compares with a loss": """
def margin(W, Phi):
    smallest = np.linalg.svd(Phi, compute_uv=False)[-1]
    return np.sqrt(max(0.0, smallest**2 - np.linalg.norm(W - Phi) ** 2))
""",
        "calls the package": """
def margin(W, Phi):
    return max(0.0, float(lnn.guarantees.deficiency_margin(W, Phi)))
""",
    },
    "ps4-certified-run": {
        "takes the smallest singular value that is not zero": certified(
            margin="(lambda s: s[s > 1e-10][-1])(np.linalg.svd(Phi, compute_uv=False)) - np.linalg.norm(W - Phi)"
        ),
        "takes eigenvalues where the target is square": certified(
            margin="(np.abs(np.linalg.eigvals(Phi)).min() if Phi.shape[0] == Phi.shape[1] "
            "else np.linalg.svd(Phi)[1][-1]) - np.linalg.norm(W - Phi)"
        ),
        "measures balance in the spectral norm": """
def certified_run(weights, Phi, epsilon):
    N, W = len(weights), lnn.end_to_end(weights)
    c = np.linalg.svd(Phi)[1][-1] - np.linalg.norm(W - Phi)
    z = np.linalg.norm(Phi, 2)
    if c <= 0:
        return None
    d = c**2 / (40 * N**2 * z ** (2 * (N - 1) / N))
    if max(np.linalg.norm(B.T @ B - A @ A.T, 2) for A, B in zip(weights, weights[1:])) > d:
        return None
    eta = c**2 / (60 * N**2 * z ** ((4 * N - 2) / N))
    return eta, int(np.ceil(np.log(0.5 * np.linalg.norm(W - Phi) ** 2 / epsilon) / (eta * c ** (2 * (N - 1) / N))))
""",
        "takes the Frobenius norm of the target": certified(size="np.linalg.norm(Phi)"),
        "does not look at the balance": certified(gaps="0"),
        "does not look at the margin": certified().replace("c <= 0 or ", ""),
        "counts the hidden layers": certified(depth="max(len(weights) - 1, 1)"),
        "counts the widths": certified(depth="len(weights) + 1"),
        "forgets the half of the loss": certified(loss="np.sum((W - Phi) ** 2)"),
        "adds up the imbalances": certified(
            gaps="sum(np.linalg.norm(B.T @ B - A @ A.T) for A, B in zip(weights, weights[1:]))"
        ),
        "looks at the first two layers only": certified(
            gaps="np.linalg.norm(weights[1].T @ weights[1] - weights[0] @ weights[0].T)"
        ),
        "multiplies the layers the wrong way round": certified(
            gaps="max(np.linalg.norm(B @ B.T - A.T @ A) for A, B in zip(weights, weights[1:]))"
        ),
        "compares traces": certified(
            gaps="max(abs(np.trace(B.T @ B) - np.trace(A @ A.T)) for A, B in zip(weights, weights[1:]))"
        ),
        "takes decimal logarithms": certified(log="np.log10"),
        "forgets N in the rate": certified(rate="c"),
        "takes twice the rate": certified(rate="(2 * c ** (2 - 2 / N))"),
        "takes N once": certified(eta="c**2 / (60 * N * size ** (4 - 2 / N))"),
        "takes the published constants": certified(
            size="np.linalg.norm(Phi)",
            delta="c**2 / (256 * N**3 * size ** (2 - 2 / N))",
            eta="c ** (4 - 2 / N) / (6144 * N**3 * size ** (6 - 4 / N))",
        ),
        "calls the package": """
def certified_run(weights, Phi, epsilon):
    found = lnn.guarantees.certify(weights, Phi)
    return (found.step_size, found.iterations(epsilon)) if found.holds else None
""",
    },
    "ps4-aligned-flow": {
        "forgets the two at the target zero": """
def aligned_flow(U, phi, V, s0, t):
    s = np.array([p / (1 + (p / s0 - 1) * np.exp(-2 * p * t)) if p > 0 else s0 / (1 + s0 * t) for p in phi])
    return (U * s) @ V.T
""",
        "lets no mode fall": """
def aligned_flow(U, phi, V, s0, t):
    s = np.array([p / (1 + max(p / s0 - 1, 0) * np.exp(-2 * p * t)) if p > 0 else s0 / (1 + 2 * s0 * t) for p in phi])
    return (U * s) @ V.T
""",
        "sorts the targets": """
def aligned_flow(U, phi, V, s0, t):
    phi = np.sort(phi)[::-1]
    s = np.array([p / (1 + (p / s0 - 1) * np.exp(-2 * p * t)) if p > 0 else s0 / (1 + 2 * s0 * t) for p in phi])
    return (U * s) @ V.T
""",
        "forgets the factor two": aligned(
            mode="s0 / (1 + s0 * t) if phi < 1e-9 else phi / (1 + (phi / s0 - 1) * np.exp(-phi * t))"
        ),
        "forgets the target in the exponent": aligned(
            mode="s0 / (1 + 2 * s0 * t) if phi < 1e-9 else phi / (1 + (phi / s0 - 1) * np.exp(-2 * t))"
        ),
        "divides by zero": aligned(mode="phi / (1 + (phi / s0 - 1) * np.exp(-2 * phi * t))"),
        "lets a mode without target rest": aligned(
            mode="s0 if phi < 1e-9 else phi / (1 + (phi / s0 - 1) * np.exp(-2 * phi * t))"
        ),
        "sets a mode without target to zero": aligned(
            mode="0.0 if phi < 1e-9 and t > 0 else phi / (1 + (phi / s0 - 1) * np.exp(-2 * phi * t))"
        ),
        "uses the formula of depth one": aligned(mode="phi - (phi - s0) * np.exp(-t)"),
        "takes the start for that of a layer": aligned(s="s0**2"),
        "lets modes above their target rest": aligned(
            mode="s0 if phi < s0 else phi / (1 + (phi / s0 - 1) * np.exp(-2 * phi * t))"
        ),
        "returns the transpose": aligned(outer="np.outer(v, u)"),
        "sorts the singular values": aligned(phi="np.sort(phi)[::-1]"),
        "takes squares of singular values": aligned(phi="phi**2"),
        "calls the package": aligned(mode="float(lnn.modes.trajectory(t, s0, phi, 2))"),
    },
    "ps4-half": {
        "takes the variance for the standard deviation": half("np.linalg.norm(w / s * np.sqrt(s) - phi, axis=1) < 1"),
        "believes the limit": half("0.5"),
        "compares with the start": half("np.linalg.norm(w - phi, axis=1) < np.linalg.norm(w, axis=1)"),
        "looks for an acute angle": half("w @ phi > 0"),
        "measures the length of the start": half("np.linalg.norm(w, axis=1) < 1"),
        "takes the squared distance for the loss": half("0.5 * np.sum((w - phi) ** 2, axis=1) < 1"),
        "believes the margin to be necessary": half("np.linalg.norm(w - phi, axis=1) < 1", verdict="A"),
        "believes in bad starts": half("np.linalg.norm(w - phi, axis=1) < 1", verdict="B"),
        "stops too early": half("np.linalg.norm(w - phi, axis=1) < 1", converging="0.6"),
    },
}
