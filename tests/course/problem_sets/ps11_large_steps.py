"""Right and wrong answers to problem set 11."""

BANNED = {"ps11-sharpness": ["sharpness", "hessian_vector"]}


def sharpness(*, slope="A.T @ (A @ W @ B - Phi) @ B.T", last="np.linalg.eigvalsh(H)[-1]", layers="range(N)"):
    return f"""
def sharpness(factors, Phi):
    from functools import reduce

    N, (m, n) = len(factors), Phi.shape
    sizes = [W.size for W in factors]

    def gradient(theta):
        parts = [p.reshape(W.shape) for p, W in zip(np.split(theta, np.cumsum(sizes)[:-1]), factors)]
        found = []
        for j, W in enumerate(parts):
            A = reduce(lambda P, V: P @ V, parts[:j:-1], np.eye(m))
            B = reduce(lambda P, V: V @ P, parts[:j], np.eye(n))
            found.append(({slope}).ravel() * (j in {layers}))
        return np.concatenate(found)

    theta = np.concatenate([W.ravel() for W in factors]).astype(complex)
    H = np.array([gradient(theta + 1e-40j * e).imag / 1e-40 for e in np.eye(len(theta))])
    H = (H + H.T) / 2
    return {last}
"""


def settle(*, trace="(A**2).sum() * (B**2).sum()", power="0.5", mean="np.exp(np.log(t).mean())", out="c * W"):
    return f"""
def settle(factors):
    N = len(factors)
    above, below = [np.eye(factors[-1].shape[0])], [np.eye(factors[0].shape[1])]
    for W in factors[:0:-1]:
        above.insert(0, above[0] @ W)
    for W in factors[:-1]:
        below.append(W @ below[-1])
    t = np.array([{trace} for A, B in zip(above, below)])
    scales = (t / {mean}) ** {power}
    return tuple({out} for c, W in zip(scales, factors))
"""


def orbit(
    *,
    along="slope(w) * slope(v)",
    across="aside(w) * aside(v)",
    pair="min(w, v), max(w, v)",
    move="eta * w ** (N - 1) * (w**N - 1)",
    slope="1 - eta * ((N - 1) * w ** (N - 2) * (w**N - 1) + N * w ** (2 * N - 2))",
    aside="1 + eta * w ** (N - 2) * (w**N - 1)",
    find="fsolve(lambda z: z[0] - step(step(z[0])), [w], xtol=1e-15)[0]",
):
    return f"""
def orbit(eta, depth):
    from scipy.optimize import fsolve

    N = depth

    def step(w):
        return w - {move}

    def slope(w):
        return {slope}

    def aside(w):
        return {aside}

    grid = np.linspace(0.5, 0.9999, 4001)
    back = step(step(grid)) - grid
    w = grid[np.flatnonzero(back > 0)[-1]]
    w = {find}
    v = step(w)
    return np.array([{pair}, {along}, {across}])
"""


def batch(
    *,
    factor="(k - b) / (b * (k - 1)) if k > 1 else 0.0",
    first="np.mean([G @ G.T for G in all_G], axis=0)",
    second="np.mean([G.T @ G for G in all_G], axis=0)",
    rate="eta**2",
    sign="+",
    start="W2.T @ W2 - W1 @ W1.T",
    residual="W2 @ W1 @ x - y",
    mean="np.mean(all_G, axis=0)",
):
    return f"""
def mean_imbalance(W1, W2, X, Y, eta, batch):
    k, b = X.shape[1], batch
    all_G = np.array([np.outer({residual}, x) for x, y in zip(X.T, Y.T)])
    G0 = {mean}
    share = {factor}
    left = (1 - share) * G0 @ G0.T + share * {first}
    right = (1 - share) * G0.T @ G0 + share * {second}
    return {start} {sign} {rate} * (W1 @ right @ W1.T - W2.T @ left @ W2)
"""


def flatter(
    *,
    loss="0.5 * (R**2).sum()",
    stop="1e-12",
    sharp="np.linalg.norm(J, 2) ** 2",
    rise="now > before",
    order="0.1, 0.2, 0.3",
    step="eta",
    start="W1, W2, W3",
    third="W[2] - rate * R @ (W[1] @ W[0]).T",
):
    return f"""
ends, rises = [], []
for eta in ({order}):
    W, up, before, rate = [{start}], 0, np.inf, {step}
    while True:
        R = W[2] @ W[1] @ W[0] - Phi
        now = {loss}
        up += int({rise})
        if now <= {stop}:
            break
        new = [W[0] - rate * (W[2] @ W[1]).T @ R, W[1] - rate * W[2].T @ R @ W[0].T, {third}]
        W, before = new, now
    # the residual is about 1e-6: the Hessian is, to more than six digits, that of a minimizer
    columns = []
    for j in range(3):
        for E in np.eye(W[j].size):
            V = [E.reshape(W[j].shape) if i == j else W[i] for i in range(3)]
            columns.append((V[2] @ V[1] @ V[0]).ravel())
    J = np.array(columns)
    H = J @ J.T
    ends.append({sharp})
    rises.append(up)
"""


RIGHT = {
    "ps11-sharpness": [
        sharpness(),
        """
def sharpness(factors, Phi):
    # the quadratic form on pairs of unit matrices: the second derivative of half the square of the residual
    N, shapes = len(factors), [W.shape for W in factors]

    def chain(swapped):
        P = np.eye(Phi.shape[1])
        for j, W in enumerate(factors):
            P = swapped.get(j, W) @ P
        return P

    units = [(j, E.reshape(shapes[j])) for j in range(N) for E in np.eye(shapes[j][0] * shapes[j][1])]
    G = chain({}) - Phi
    first = [chain({j: E}) for j, E in units]
    H = np.zeros((len(units), len(units)))
    for a, (i, E) in enumerate(units):
        for b, (j, F) in enumerate(units):
            H[a, b] = np.vdot(first[a], first[b])
            if i != j:
                H[a, b] += np.vdot(G, chain({i: E, j: F}))
    return np.linalg.eigvalsh(H).max()
""",
    ],
    "ps11-settle": [
        settle(),
        """
def settle(factors):
    # layer by layer: the best exchange of a scale between two neighbours, again and again
    factors = list(factors)

    def trace(j):
        A, B = np.eye(len(factors[-1])), np.eye(factors[0].shape[1])
        for W in factors[:j:-1]:
            A = A @ W
        for W in factors[:j]:
            B = W @ B
        return np.linalg.norm(A) ** 2 * np.linalg.norm(B) ** 2

    for _ in range(400):
        for j in range(len(factors) - 1):
            c = (trace(j) / trace(j + 1)) ** 0.25
            factors[j], factors[j + 1] = c * factors[j], factors[j + 1] / c
    return tuple(factors)
""",
    ],
    "ps11-orbit": [
        orbit(),
        """
def orbit(eta, depth):
    N = depth
    move = lambda w: w - eta * w ** (N - 1) * (w**N - 1)
    low, high = 0.5, 1 - 1e-4
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if move(move(middle)) > middle else (low, middle)
    w, v = low, move(low)
    J = np.eye(N)
    for x in (w, v):  # the matrix of one step at equal factors
        H = np.full((N, N), x ** (2 * N - 2) + (x**N - 1) * x ** (N - 2))
        np.fill_diagonal(H, x ** (2 * N - 2))
        J = (np.eye(N) - eta * H) @ J
    ones, other = np.ones(N) / N, np.eye(N)[0] - np.eye(N)[1]
    return np.array([w, v, np.ones(N) @ J @ ones, other @ J @ other / 2])
""",
    ],
    "ps11-batch": [
        batch(),
        """
def mean_imbalance(W1, W2, X, Y, eta, batch):
    # pairs of samples: both are in a batch with probability b (b - 1) / (k (k - 1)), one is with b / k
    k, b = X.shape[1], batch
    R = W2 @ W1 @ X - Y
    weights = np.full((k, k), (b - 1) / (b * k * max(k - 1, 1)))
    np.fill_diagonal(weights, 1 / (b * k))
    left = R @ (weights * (X.T @ X)) @ R.T
    right = X @ (weights * (R.T @ R)) @ X.T
    return W2.T @ (np.eye(len(R)) - eta**2 * left) @ W2 - W1 @ (np.eye(len(X)) - eta**2 * right) @ W1.T
""",
    ],
    "ps11-flatter": [
        flatter(),
        """
def slopes(W):
    R = W[2] @ W[1] @ W[0] - Phi
    return [W[1].T @ W[2].T @ R, W[2].T @ R @ W[0].T, R @ W[0].T @ W[1].T], np.einsum("ab,ab", R, R) / 2


ends, rises = [], []
for eta in etas:
    W, losses = [W1, W2, W3], []
    while not losses or losses[-1] > 1e-12:
        if losses:
            W = [A - eta * D for A, D in zip(W, slopes(W)[0])]
        losses.append(slopes(W)[1])
    # power iteration with differences of the gradient
    D = [np.cos(np.arange(A.size)).reshape(A.shape) for A in W]
    for _ in range(3000):
        size = np.sqrt(sum((E**2).sum() for E in D))
        D = [E / size for E in D]
        up, down = (slopes([A + h * E for A, E in zip(W, D)])[0] for h in (1e-5, -1e-5))
        moved = [(a - b) / 2e-5 for a, b in zip(up, down)]
        value = sum((E * M).sum() for E, M in zip(D, moved))
        D = moved
    ends.append(value)
    rises.append(sum(b > a for a, b in zip(losses, losses[1:])))
""",
    ],
}

WRONG = {
    "ps11-sharpness": {
        "forgets the residual": sharpness(slope="A.T @ ((A @ W @ B) - (A @ W @ B).real) @ B.T"),
        "takes the largest modulus": sharpness(last="np.abs(np.linalg.eigvalsh(H)).max()"),
        "takes the least eigenvalue": sharpness(last="np.linalg.eigvalsh(H)[0]"),
        "takes the trace": sharpness(last="np.trace(H)"),
        "leaves out the last layer": sharpness(layers="range(max(N - 1, 1))"),
        "takes the largest entry of the diagonal": sharpness(last="H.diagonal().max()"),
        "looks at one layer at a time": """
def sharpness(factors, Phi):
    best = 0
    for j in range(len(factors)):
        A, B = np.eye(Phi.shape[0]), np.eye(Phi.shape[1])
        for W in factors[:j:-1]:
            A = A @ W
        for W in factors[:j]:
            B = W @ B
        best = max(best, np.linalg.norm(A, 2) ** 2 * np.linalg.norm(B, 2) ** 2)
    return max(best, np.linalg.norm(Phi, 2) * (best == 0))
""",
        "forgets the one half of the loss": sharpness(slope="2 * A.T @ (A @ W @ B - Phi) @ B.T"),
        "takes the bound by spectral norms": """
def sharpness(factors, Phi):
    norms = np.array([np.linalg.norm(W, 2) for W in factors])
    return max(sum(np.delete(norms, j).prod() ** 2 for j in range(len(norms))), 6.0 * (norms.max() == 0))
""",
    },
    "ps11-settle": {
        "makes the norms of the layers equal": """
def settle(factors):
    norms = np.array([np.linalg.norm(W) for W in factors])
    return tuple(W * np.exp(np.log(norms).mean()) / c for c, W in zip(norms, factors))
""",
        "makes the spectral norms equal": """
def settle(factors):
    norms = np.array([np.linalg.norm(W, 2) for W in factors])
    return tuple(W * np.exp(np.log(norms).mean()) / c for c, W in zip(norms, factors))
""",
        "scales by the trace itself": settle(power="1.0"),
        "scales the other way": settle(power="-0.5"),
        "takes the arithmetic mean": settle(mean="t.mean()"),
        "takes spectral norms of what is around a layer": settle(
            trace="np.linalg.norm(A, 2) ** 2 * np.linalg.norm(B, 2) ** 2"
        ),
        "forgets the layers below": settle(trace="(A**2).sum()"),
        "forgets the layers above": settle(trace="(B**2).sum()"),
        "leaves the network as it is": settle(out="W"),
        "divides by the dimensions": settle(trace="(A**2).mean() * (B**2).mean()"),
    },
    "ps11-orbit": {
        "takes the points of first order": orbit(
            find="1 - np.sqrt(2 * (eta * N - 2) / (8 / 3 * (N - 1) * (5 * N - 4)))"
        ),
        "has the formulas of depth two": """
def orbit(eta, depth):
    s, p = np.sqrt(1 + 3 / eta), 1 / eta
    d = np.sqrt(1 - 1 / eta)
    return np.array([(s - d) / 2, (s + d) / 2, 9 - 2 * (1 + eta) ** 2, 3 - 2 * eta])
""",
        "iterates and hopes": """
def orbit(eta, depth):
    N = depth
    w = 0.9
    for _ in range(20000):
        w = w - eta * w ** (N - 1) * (w**N - 1)
    v = w - eta * w ** (N - 1) * (w**N - 1)
    w, v = min(w, v), max(w, v)
    f = lambda w: 1 - eta * ((2 * N - 1) * w ** (2 * N - 2) - (N - 1) * w ** (N - 2))
    g = lambda w: 1 + eta * w ** (N - 2) * (w**N - 1)
    return np.array([w, v, f(w) * f(v), g(w) * g(v)])
""",
        "squares the factor of the first step": orbit(along="slope(w) ** 2", across="aside(w) ** 2"),
        "takes one step": orbit(along="slope(w)", across="aside(w)"),
        "swaps along and across": orbit(along="aside(w) * aside(v)", across="slope(w) * slope(v)"),
        "has the larger point first": orbit(pair="max(w, v), min(w, v)"),
        "moves the other way across": orbit(aside="1 - eta * w ** (N - 2) * (w**N - 1)"),
        "leaves the others out of the slope": orbit(slope="1 - eta * w ** (2 * N - 2)"),
        "takes products for points": orbit(pair="min(w, v) ** N, max(w, v) ** N"),
        "forgets the residual across": orbit(across="1.0"),
    },
    "ps11-batch": {
        "draws with replacement": batch(factor="1 / b"),
        "forgets that one sample is always the same": batch(factor="(k - b) / (b * k) if k > 1 else 0.0"),
        "takes the mean of all samples": batch(factor="0.0"),
        "takes single samples": batch(factor="1.0"),
        "turns the sign": batch(sign="-"),
        "forgets the square of the step size": batch(rate="eta"),
        "sums over the batch": batch(rate="(b * eta) ** 2"),
        "leaves the imbalance as it is": batch(rate="0 * eta"),
        "swaps the two products": batch(start="W1 @ W1.T - W2.T @ W2"),
        "treats the noise as that of labels": batch(
            first="np.eye(len(G0)) * (all_G**2).mean()", second="np.eye(len(G0.T)) * (all_G**2).mean()"
        ),
        "tries a few batches": """
def mean_imbalance(W1, W2, X, Y, eta, batch):
    draw, total = np.random.default_rng(0), 0
    for _ in range(2000):
        some = draw.permutation(X.shape[1])[:batch]
        G = (W2 @ W1 @ X[:, some] - Y[:, some]) @ X[:, some].T / batch
        low, high = W1 - eta * W2.T @ G, W2 - eta * G @ W1.T
        total = total + (high.T @ high - low @ low.T) / 2000
    return total
""",
    },
    "ps11-flatter": {
        "forgets the one half of the loss": flatter(loss="(R**2).sum()"),
        "takes the mean over the entries": flatter(loss="0.5 * (R**2).mean()"),
        "stops too early": flatter(stop="1e-4"),
        "states the threshold": flatter(sharp="2 / eta * 0.99"),
        "states the least sharpness": flatter(sharp="3 * 1.5 ** (4 / 3)"),
        "takes the trace": flatter(sharp="np.trace(H) * 0.2"),
        "counts steps that go down": flatter(rise="now < before"),
        "has another order": flatter(order="0.1, 0.15, 0.3"),
        "takes steps half as large": flatter(step="eta / 2"),
        "uses the new layers for the last": flatter(
            third="W[2] - rate * R @ (W[1] @ (W[0] - rate * (W[2] @ W[1]).T @ R)).T"
        ),
        "adds up the bound by norms": flatter(
            sharp="min(2 / eta, sum(np.prod([np.linalg.norm(A, 2) ** 2 for i, A in enumerate(W) if i != j])"
            " for j in range(3)))"
        ),
    },
}
