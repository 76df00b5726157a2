"""Right and wrong answers to problem set 12."""


def growth(
    *,
    height="-logsumexp(-q)",
    shares="np.exp(-q - logsumexp(-q))",
    margin="height / size ** (N / 2)",
    mean="(p * q).sum()",
    minus="- N",
    size="sum((W**2).sum() for W in factors)",
    layers="range(N)",
    slope="square * size / (height * N * mean)",
):
    return f"""
def growth(factors, Z):
    from functools import reduce

    from scipy.special import logsumexp

    N = len(factors)
    row = reduce(lambda P, W: W @ P, factors)
    q = (row @ Z).ravel()
    height, p = {height}, {shares}
    size, mean, square = {size}, {mean}, 0.0
    for j in {layers}:
        A = reduce(lambda P, W: P @ W, factors[:j:-1], np.eye(1))
        B = reduce(lambda P, W: W @ P, factors[:j], np.eye(len(Z)))
        square += (A**2).sum() * ((B @ Z @ p) ** 2).sum()
    return np.array([{margin}, {slope} {minus}])
"""


def settled(*, first="a**2", second="b**2", rate="4", goal="y"):
    return f"""
def settled(X, y, a, b):
    from scipy.integrate import solve_ivp

    def product(s):
        z = {rate} * X.T @ s
        return {first} * np.exp(z) - {second} * np.exp(-z)

    def slope(s):
        z = {rate} * X.T @ s
        return -(X * ({rate} * ({first} * np.exp(z) + {second} * np.exp(-z)))) @ X.T

    # the flow itself, in the variable s; Newton's method at its end
    path = solve_ivp(lambda t, s: {goal} - X @ product(s), [0, 1e4], np.zeros(len(y)), method="BDF",
                     jac=lambda t, s: slope(s), rtol=1e-6, atol=1e-8)
    s = path.y[:, -1]
    for _ in range(20):
        s = s - np.linalg.lstsq(slope(s), {goal} - X @ product(s), rcond=1e-12)[0]
    return product(s)
"""


def kernels(
    *,
    size="np.abs(hat) ** (1 / N)",
    phase="angle / N",
    real="True",
    back="np.fft.irfft(found, d)",
    mend="1",
    out="found",
):
    return f"""
def kernels(w, depth):
    N, d = depth, len(w)
    hat = np.fft.rfft(w)
    angle = np.angle(hat)
    found = np.array([{size} * np.exp(1j * {phase})] * N)
    ends = [0, d // 2] if d % 2 == 0 else [0]
    for f in ends:
        if {real}:
            sign = 1.0 if hat[f].real >= 0 else -1.0
            found[:, f] = np.abs(found[:, f])
            found[: N if N % 2 else {mend}, f] *= sign
    found = {out}
    return {back}
"""


def loop(*, sign="", pairs="i != j", order="X(A), X(B)", push="above(j) @ D @ below(j)", half=""):
    return f"""
def left_over(factors, A, B):
    N = len(factors)

    def chain(layers, width):
        P = np.eye(width)
        for W in layers:
            P = W @ P
        return P

    def above(j):
        return chain(factors[j + 1 :], factors[j].shape[0])

    def below(j):
        return chain(factors[:j], factors[0].shape[1])

    def X(C):
        return [-above(j).T @ C @ below(j).T for j in range(N)]

    def along(C, V, j):
        # layer j of the derivative of the field of C: one of the other layers is exchanged
        D = np.zeros(factors[j].shape)
        for i in range(N):
            if {pairs}:
                if i < j:
                    middle = chain(factors[i + 1 : j], factors[i].shape[0])
                    D -= above(j).T @ C @ below(i).T @ V[i].T @ middle.T
                elif i > j:
                    middle = chain(factors[j + 1 : i], factors[j].shape[0])
                    D -= middle.T @ V[i].T @ above(i).T @ C @ below(j).T
        return D

    one, two = {order}
    total = np.zeros(A.shape)
    for j in range(N):
        D = along(B, one, j) - along(A, two, j)
        total += {push}
    return {sign}total{half}
"""


def margins(
    *,
    steps="3000",
    length="0.003",
    start="0.3",
    slope="N * u ** (N - 1) * g, -N * v ** (N - 1) * g",
    norm="np.sqrt((du**2).sum() + (dv**2).sum())",
    pair="m / np.sqrt((w**2).sum()), m / np.abs(w).sum()",
    depths="1, 2, 3",
    shares="np.exp(q.min() - q)",
):
    return f"""
margins = []
for N in ({depths}):
    u = np.full(6, {start})
    v = u.copy()
    for k in range({steps}):
        q = (u**N - v**N) @ Z
        p = {shares}
        g = Z @ (p / p.sum())
        du, dv = {slope}
        size = {norm}
        u, v = u + {length} * du / size, v + {length} * dv / size
    w = u**N - v**N
    m = (w @ Z).min()
    margins.append(({pair}))
"""


RIGHT = {
    "ps12-growth": [
        growth(),
        """
def growth(factors, Z):
    # the tangent of the angle between the gradient and the radius, from the gradient itself
    N, (W, parts) = len(factors), (factors[0], [])
    for V in factors[1:]:
        W = V @ W
    q = W[0] @ Z
    p = np.exp(q.min() - q)
    height = q.min() - np.log(p.sum())
    p = p / p.sum()
    for j in range(N):
        G = (Z @ p)[None]
        for V in reversed(factors[j + 1 :]):
            G = V.T @ G
        for V in factors[:j]:
            G = G @ V.T
        parts.append(G.ravel())
    gradient, theta = np.concatenate(parts), np.concatenate([V.ravel() for V in factors])
    rho = np.linalg.norm(theta)
    radial = gradient @ theta / rho
    return np.array([height / rho**N, (gradient @ gradient) * rho / (height * radial) - N])
""",
    ],
    "ps12-settled": [
        settled(),
        """
def settled(X, y, a, b):
    from scipy.optimize import minimize

    # the dual function, in an orthonormal basis of the range of X^T
    U, values, Vt = np.linalg.svd(X, full_matrices=False)
    keep = values > 1e-12 * values[0]
    V, goal = Vt[keep], (U[:, keep].T @ y) / values[keep]
    up = lambda s: a**2 * np.exp(np.minimum(V.T @ s, 300.0))
    down = lambda s: b**2 * np.exp(np.minimum(-V.T @ s, 300.0))
    found = minimize(
        lambda s: (up(s) + down(s)).sum() - goal @ s,
        np.zeros(len(goal)),
        jac=lambda s: V @ (up(s) - down(s)) - goal,
        hess=lambda s: (V * (up(s) + down(s))) @ V.T,
        method="trust-exact",
        options={"gtol": 1e-11, "maxiter": 5000},
    )
    s = found.x
    for _ in range(10):
        s = s - np.linalg.solve((V * (up(s) + down(s))) @ V.T, V @ (up(s) - down(s)) - goal)
    return up(s) - down(s)
""",
    ],
    "ps12-kernels": [
        kernels(),
        """
def kernels(w, depth):
    d = len(w)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(d), np.arange(d)) / d)
    hat = waves @ w
    found = np.zeros((depth, d))
    for f in range(d // 2 + 1):
        single = 2 * f % d == 0
        root = complex(hat[f]) ** (1 / depth)
        roots = [root] * depth
        if single:
            size, sign = abs(hat[f]) ** (1 / depth), np.sign(hat[f].real)
            roots = [size * sign] * depth if depth % 2 else [size * sign] + [size] * (depth - 1)
        for j, r in enumerate(roots):
            found[j] += (1 if single else 2) * (r * waves[f].conj()).real / d
    return found
""",
    ],
    "ps12-loop": [
        loop(),
        """
def left_over(factors, A, B):
    # in coordinates: second derivatives of <A, W> and <B, W>, with unit matrices in the place of layers
    m, n = A.shape
    units = [(j, E.reshape(W.shape)) for j, W in enumerate(factors) for E in np.eye(W.size)]

    def chain(swapped):
        P = np.eye(n)
        for j, W in enumerate(factors):
            P = swapped.get(j, W) @ P
        return P

    J = np.array([chain({j: E}).ravel() for j, E in units])
    second = np.zeros((len(units), len(units), m * n))
    for a, (i, E) in enumerate(units):
        for b, (j, F) in enumerate(units):
            if i != j:
                second[a, b] = chain({i: E, j: F}).ravel()
    HA, HB = second @ A.ravel(), second @ B.ravel()
    return ((HB @ J @ A.ravel() - HA @ J @ B.ravel()) @ J).reshape(m, n)
""",
    ],
    "ps12-margins": [
        margins(),
        """
margins = []
for N in (1, 2, 3):
    theta, sign = np.full(12, 0.3), np.repeat([1.0, -1.0], 6)
    double = np.vstack([Z, -Z])
    for _ in range(3000):
        losses = np.exp(-(theta**N) @ double)
        gradient = -N * theta ** (N - 1) * (double @ losses)
        theta = theta - 0.003 * gradient / np.linalg.norm(gradient)
    w = (theta**N * sign).reshape(2, 6).sum(axis=0)
    margins.append([min(w @ Z) / np.linalg.norm(w, 2), min(w @ Z) / np.linalg.norm(w, 1)])
""",
    ],
}

WRONG = {
    "ps12-growth": {
        "underflows": growth(height="-np.log(np.exp(-q).sum())", shares="np.exp(-q) / np.exp(-q).sum()"),
        "takes the normalized margin": growth(height="q.min()"),
        "divides by the norm once": growth(margin="height / np.sqrt(size)"),
        "forgets that the norm grows": growth(minus=""),
        "takes the mean of log(1/phi)": growth(mean="height"),
        "takes uniform shares": growth(shares="np.ones(len(q)) / len(q)"),
        "leaves out the last layer": growth(layers="range(max(N - 1, 1))"),
        "takes the product for the network": growth(size="(row**2).sum()"),
        "divides by the time": growth(slope="square / height"),
        "subtracts one": growth(minus="- 1"),
        "takes the mean over the samples": growth(height="-logsumexp(-q) + np.log(len(q))"),
    },
    "ps12-settled": {
        "takes the start with equal parts": settled(first="(a * b)", second="(a * b)"),
        "swaps the two parts": settled(first="b**2", second="a**2"),
        "forgets the squares": settled(first="a", second="b"),
        "adds the start": """
def settled(X, y, a, b):
    w = a**2 - b**2
    return w + np.linalg.pinv(X) @ (y - X @ w)
""",
        "takes the least Euclidean norm": "def settled(X, y, a, b):\n    return np.linalg.pinv(X) @ y",
        "takes the least l1 norm": """
def settled(X, y, a, b):
    from scipy.optimize import linprog

    found = linprog(np.ones(2 * X.shape[1]), A_eq=np.hstack([X, -X]), b_eq=y).x
    return found[: X.shape[1]] - found[X.shape[1] :]
""",
        "stays where it is": "def settled(X, y, a, b):\n    return a**2 - b**2",
        "has one scale for all": settled(first="(a**2).mean()", second="(b**2).mean()"),
        "stops the flow early": """
def settled(X, y, a, b):
    from scipy.integrate import solve_ivp

    w = lambda s: a**2 * np.exp(4 * X.T @ s) - b**2 * np.exp(-4 * X.T @ s)
    return w(solve_ivp(lambda t, s: y - X @ w(s), [0, 1.0], np.zeros(len(y)), method="BDF").y[:, -1])
""",
        "forgets the second part": settled(second="0 * b"),
    },
    "ps12-kernels": {
        "puts all into the first kernel": """
def kernels(w, depth):
    found = np.zeros((depth, len(w)))
    found[:, 0] = 1.0
    found[0] = w
    return found
""",
        "takes roots of the entries": """
def kernels(w, depth):
    found = np.array([np.abs(w) ** (1 / depth)] * depth)
    found[0] *= np.sign(w)
    return found
""",
        "forgets the phase": kernels(phase="0 * angle"),
        "has the whole phase in every kernel": kernels(phase="angle"),
        "throws imaginary parts away": kernels(real="False"),
        "takes square roots at every depth": kernels(size="np.abs(hat) ** 0.5"),
        "puts a sign into two kernels": kernels(mend="2"),
        "has the phase in one kernel": kernels(
            phase="0 * angle", out="found * np.array([np.exp(1j * angle)] + [1 + 0 * angle] * (N - 1))", real="False"
        ),
        "scales with the unitary transform": kernels(back='np.fft.irfft(found, d, norm="ortho")'),
        "scales unequally": kernels(
            out="found * np.array([[2.0]] + [[0.5 ** (1 / max(N - 1, 1))]] * (N - 1)) if N > 1 else found"
        ),
    },
    "ps12-loop": {
        "has the other sign": loop(sign="-"),
        "takes half of it": loop(half=" / 2"),
        "forgets the layers above": loop(pairs="i < j"),
        "forgets the layers below": loop(pairs="i > j"),
        "swaps the two directions": loop(order="X(B), X(A)"),
        "forgets the layers around the change": loop(push="D if D.shape == A.shape else 0.0"),
        "has the formula at the identity": """
def left_over(factors, A, B):
    N = len(factors)
    if A.shape[0] != A.shape[1]:
        return np.zeros(A.shape)
    return N * (N - 1) / 2 * (A.T @ B - B.T @ A + B @ A.T - A @ B.T)
""",
        "takes the end-to-end rule of balanced layers": """
def left_over(factors, A, B):
    N, W = len(factors), factors[0]
    for V in factors[1:]:
        W = V @ W
    U, values, Vt = np.linalg.svd(W)
    u, v = np.zeros(len(U)), np.zeros(len(Vt))
    u[: len(values)] = v[: len(values)] = values

    def X(W, C):
        P, Q = W @ W.T, W.T @ W
        p, E = np.linalg.eigh(P)
        q, F = np.linalg.eigh(Q)
        p, q = np.maximum(p, 0), np.maximum(q, 0)
        return -sum(
            (E * p ** ((N - j) / N)) @ E.T @ C @ (F * q ** ((j - 1) / N)) @ F.T for j in range(1, N + 1)
        )

    h = 1e-6
    ahead = lambda C, D: (X(W + h * D, C) - X(W - h * D, C)) / (2 * h)
    return ahead(B, X(W, A)) - ahead(A, X(W, B))
""",
        "finds that everything commutes": "def left_over(factors, A, B):\n    return np.zeros(A.shape)",
        "takes the commutator of the losses": """
def left_over(factors, A, B):
    return A.T @ B - B.T @ A if A.shape[0] == A.shape[1] else np.zeros(A.shape)
""",
    },
    "ps12-margins": {
        "does not normalize": margins(norm="1.0"),
        "normalizes the two parts one by one": margins(
            slope="[N * u ** (N - 1) * g / np.linalg.norm(u ** (N - 1) * g), "
            "-N * v ** (N - 1) * g / np.linalg.norm(v ** (N - 1) * g)]"
        ),
        "normalizes the gradient in w": margins(norm="np.linalg.norm(g)"),
        "trains for 1000 steps": margins(steps="1000"),
        "takes longer steps": margins(length="0.01"),
        "starts lower": margins(start="0.1"),
        "takes the norm of the parameters": margins(pair="m / np.sqrt((u**2 + v**2).sum()), m / (u**2 + v**2).sum()"),
        "takes the mean instead of the least": margins(
            pair="np.mean(w @ Z) / np.linalg.norm(w), np.mean(w @ Z) / np.abs(w).sum()"
        ),
        "swaps the norms": margins(pair="m / np.abs(w).sum(), m / np.linalg.norm(w)"),
        "starts at depth two": margins(depths="2, 3, 4"),
        "weighs all samples alike": margins(shares="np.ones(4)"),
        "has the slope of depth two": margins(slope="u * g, -v * g"),
    },
}
