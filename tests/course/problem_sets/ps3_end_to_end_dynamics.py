"""Right and wrong answers to problem set 3."""

BANNED = {
    "ps3-velocity": ["precondition", "preconditioner"],
    "ps3-stretch": ["precondition", "preconditioner", "gains"],
    "ps3-row-velocity": ["precondition", "preconditioner"],
}

_CIRCLE = """
def integral(f, points):
    steps = np.roll(points, -1, axis=0) - points
    middles = (np.roll(points, -1, axis=0) + points) / 2
    return sum(f(w) @ step for w, step in zip(middles, steps))

def field(w, N):
    g, size = np.array([0.0, 1.0]), np.hypot(*w)
    return size ** (2 - 2 / N) * (g + (N - 1) * (w @ g) * w / size**2)

a = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
circle = np.stack([1 + np.cos(a) / 2, np.sin(a) / 2], axis=1)
"""

_GAPS = """
def last(eta, steps=None, first=start, N=3):
    loss = lnn.LeastSquares(lnn.Everything((3, 4)), Phi.ravel())
    steps = round(1 / eta) if steps is None else steps
    layers = lnn.gradient_descent(first, loss, eta, steps)
    rule = lnn.end_to_end_descent(lnn.end_to_end(first), loss, N, eta, steps)
    return layers.end_to_end[-1], rule.end_to_end[-1]

"""

RIGHT = {
    "ps3-velocity": [
        """
def velocity(W, G, depth):
    # along a balanced network with this product
    m, n = W.shape
    k = max(m, n)
    net = lnn.initial.balanced(W, (n, *[k] * (depth - 1), m))
    total = np.zeros((m, n))
    for j, D in enumerate(lnn.pullback(net, G)):
        changed = [*net[:j], -D, *net[j + 1 :]]
        total = total + lnn.end_to_end(changed)
    return total
""",
        """
def velocity(W, G, depth):
    m, n = W.shape
    U, s, Vt = np.linalg.svd(W)
    a, b = np.zeros(m), np.zeros(n)
    a[: s.size], b[: s.size] = s, s
    powers = np.arange(depth) * 2 / depth
    A = np.power.outer(a, powers[::-1])
    B = np.power.outer(b, powers)
    return -np.einsum("ir,rj,qj,rk,kl,ql,qp->ip", U, A, B, U.T, G, Vt, Vt, optimize=True)
""",
    ],
    "ps3-stretch": [
        """
def gains(s, N):
    return [s ** (2 * k / N) for k in range(N)]


def stretch(W, depth):
    s = np.linalg.svd(W)[1]
    m, n = W.shape
    a = gains(np.r_[s, np.zeros(m - len(s))], depth)
    b = gains(np.r_[s, np.zeros(n - len(s))], depth)
    return sum(np.outer(a[depth - 1 - k], b[k]) for k in range(depth))
""",
        """
def stretch(W, depth):
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    out = np.zeros((m, n))
    for r in range(m):
        for q in range(n):
            a = s[r] if r < s.size else 0.0
            b = s[q] if q < s.size else 0.0
            for j in range(1, depth + 1):
                out[r, q] += a ** (2 * (depth - j) / depth) * b ** (2 * (j - 1) / depth)
    return out
""",
        """
def stretch(W, depth):
    # the sum is geometric: (x^N - y^N) / (x - y) with x, y = sigma^(2/N)
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    x, y = np.zeros((m, 1)), np.zeros((1, n))
    x[: s.size, 0], y[0, : s.size] = s ** (2 / depth), s ** (2 / depth)
    equal = np.abs(x - y) < 1e-6
    quotient = (x**depth - y**depth) / np.where(equal, 1, x - y)
    return np.where(equal, depth * ((x + y) / 2) ** (depth - 1), quotient)
""",
    ],
    "ps3-row-velocity": [
        """
def row_velocity(w, g, depth):
    squared = float(w @ w)
    if squared == 0:
        return -g * (depth == 1)
    P = np.outer(w, w) / squared
    return -(squared ** (1 - 1 / depth)) * (np.eye(len(w)) + (depth - 1) * P) @ g
""",
        """
def row_velocity(w, g, depth):
    out = []
    size = np.sqrt(sum(x**2 for x in w))
    if size == 0 and depth > 1:
        return np.zeros_like(w)
    inner = sum(x * y for x, y in zip(w, g))
    for x, y in zip(w, g):
        across = y - (inner * x / size**2 if size else 0)
        along = inner * x / size**2 if size else 0
        out.append(-(size ** (2 - 2 / depth)) * (across + depth * along))
    return np.array(out)
""",
    ],
    "ps3-circle": [
        _CIRCLE
        + """
circulations = np.array([integral(lambda w: field(w, N), circle) for N in (1, 2, 3, 4)])
excluded = [3, 4]
""",
        """
from scipy.integrate import quad

def speed(a, N):
    w = np.array([1 + np.cos(a) / 2, np.sin(a) / 2])
    size2 = w @ w
    f = size2 ** (1 - 1 / N) * (np.array([0, 1]) + (N - 1) * w[1] * w / size2)
    return f @ [-np.sin(a) / 2, np.cos(a) / 2]

circulations = [quad(speed, 0, 2 * np.pi, args=(N,))[0] for N in range(1, 5)]
excluded = {N for N in range(1, 5) if abs(circulations[N - 1]) > 1e-4}
""",
    ],
    "ps3-gaps": [
        """
gaps = []
for eta in (0.02, 0.01, 0.005):
    net, W = start, lnn.end_to_end(start)
    for _ in range(round(1 / eta)):
        net = tuple(A - eta * D for A, D in zip(net, lnn.pullback(net, lnn.end_to_end(net) - Phi)))
        W = W - eta * lnn.precondition(W, W - Phi, 3)
    gaps.append(float(np.sqrt(((lnn.end_to_end(net) - W) ** 2).sum())))
order = 1
""",
        _GAPS
        + """
gaps = np.array([np.linalg.norm(np.subtract(*last(eta))) for eta in (0.02, 0.01, 0.005)])
order = int(np.polyfit(np.log([4, 2, 1]), np.log(gaps), 1)[0].round())
""",
    ],
}

_VELOCITY = """
def velocity(W, G, depth):
    N = depth
    U, s, Vt = np.linalg.svd(W)
    m, n = W.shape
    a, b = np.zeros(m), np.zeros(n)
    a[: len(s)], b[: len(s)] = s, s
    total = np.zeros((m, n))
    for j in {range}:
        total += np.outer(a ** ({left}), b ** ({right})) * ({inside})
    return {sign}U @ total @ Vt
"""


def _velocity(
    left="2 * (N - j) / N", right="2 * (j - 1) / N", range="range(1, N + 1)", inside="U.T @ G @ Vt.T", sign="-"
):
    return _VELOCITY.format(left=left, right=right, range=range, inside=inside, sign=sign)


_STRETCH = """
def stretch(W, depth):
    N = depth
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    a = np.concatenate([s, np.zeros(m - len(s))])
    b = np.concatenate([s, np.zeros(n - len(s))])
    return {answer}
"""

WRONG = {
    "ps3-velocity": {
        "cuts eigenvalues below 1e 10": """
def velocity(W, G, depth):
    def P(S, p):
        l, U = np.linalg.eigh(S)
        l[l < 1e-10] = 0
        return (U * l**p) @ U.T

    return -sum(P(W @ W.T, (depth - j) / depth) @ G @ P(W.T @ W, (j - 1) / depth) for j in range(1, depth + 1))
""",
        "cuts eigenvalues below 1e 12 of the largest": """
def velocity(W, G, depth):
    def P(S, p):
        l, U = np.linalg.eigh(S)
        l[l < 1e-12 * l.max()] = 0
        return (U * l**p) @ U.T

    return -sum(P(W @ W.T, (depth - j) / depth) @ G @ P(W.T @ W, (j - 1) / depth) for j in range(1, depth + 1))
""",
        "sums a geometric series that is 0 by 0 for equal values": """
def velocity(W, G, depth):
    U, s, Vt = np.linalg.svd(W)
    m, n = W.shape
    x, y = np.zeros((m, 1)), np.zeros((1, n))
    x[: len(s), 0], y[0, : len(s)] = s ** (2 / depth), s ** (2 / depth)
    gain = np.where(np.arange(m)[:, None] == np.arange(n), depth * (x + 0 * y) ** (depth - 1), 0.0)
    for r in range(m):
        for q in range(n):
            if r != q:
                gain[r, q] = (x[r, 0] ** depth - y[0, q] ** depth) / (x[r, 0] - y[0, q])
    return -U @ (gain * (U.T @ G @ Vt.T)) @ Vt
""",
        "exchanges the sides where W is square": """
def velocity(W, G, depth):
    U, s, Vt = np.linalg.svd(W)
    m, n = W.shape
    if m == n:
        U, Vt = Vt.T, U.T
    a, b = np.r_[s, np.zeros(m - len(s))], np.r_[s, np.zeros(n - len(s))]
    total = sum(np.outer(a ** (2 * (depth - j) / depth), b ** (2 * (j - 1) / depth)) for j in range(1, depth + 1))
    return -U @ (total * (U.T @ G @ Vt.T)) @ Vt
""",
        "calls the package by another name": """
from lnn import precondition as f


def velocity(W, G, depth):
    return -f(W, G, depth)
""",
        "forgets the sign": _velocity(sign=""),
        "takes half of the exponents": _velocity("(N - j) / N", "(j - 1) / N"),
        "counts from zero on the left side": _velocity("2 * (N - j + 1) / N"),
        "stops one layer too early": _velocity(range="range(1, max(N, 2))"),
        "divides by N minus one": _velocity("2 * (N - j) / max(N - 1, 1)", "2 * (j - 1) / max(N - 1, 1)"),
        "takes the mean over the layers": _velocity(inside="U.T @ G @ Vt.T / N"),
        "takes the same power on both sides": _velocity("(N - 1) / N", "(N - 1) / N"),
        "forgets that the power zero is the identity": """
def velocity(W, G, depth):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    total = np.zeros((len(s), len(s)))
    for j in range(1, depth + 1):
        total += np.outer(s ** (2 * (depth - j) / depth), s ** (2 * (j - 1) / depth)) * (U.T @ G @ Vt.T)
    return -U @ total @ Vt if depth > 1 else -G
""",
        "takes powers of eigenvalues": """
def velocity(W, G, depth):
    def power(A, p):
        values, Q = np.linalg.eigh(A)
        return (Q * np.clip(values, 0, None) ** p) @ Q.T

    return -sum(
        power(W @ W.T, (depth - j) / depth) @ G @ power(W.T @ W, (j - 1) / depth) for j in range(1, depth + 1)
    )
""",
        "calls the package": """
def velocity(W, G, depth):
    return -lnn.precondition(W, G, depth)
""",
    },
    "ps3-stretch": {
        "takes roots of eigenvalues": """
def stretch(W, depth):
    m, n = W.shape
    a = np.sqrt(np.clip(np.linalg.eigvalsh(W @ W.T)[::-1], 0, None))
    b = np.sqrt(np.clip(np.linalg.eigvalsh(W.T @ W)[::-1], 0, None))
    return sum(np.outer(a ** (2 * (depth - j) / depth), b ** (2 * (j - 1) / depth)) for j in range(1, depth + 1))
""",
        "cuts small singular values": """
def stretch(W, depth):
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    s[s < 1e-5] = 0
    a, b = np.r_[s, np.zeros(m - len(s))], np.r_[s, np.zeros(n - len(s))]
    return sum(np.outer(a ** (2 * (depth - j) / depth), b ** (2 * (j - 1) / depth)) for j in range(1, depth + 1))
""",
        "sums a geometric series that is 0 by 0 for equal values": """
def stretch(W, depth):
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    x, y = np.r_[s, np.zeros(m - len(s))] ** (2 / depth), np.r_[s, np.zeros(n - len(s))] ** (2 / depth)
    out = np.empty((m, n))
    for r in range(m):
        for q in range(n):
            same = depth * x[r] ** (depth - 1)
            out[r, q] = same if r == q else (x[r] ** depth - y[q] ** depth) / (x[r] - y[q])
    return out
""",
        "takes half of the exponents": _STRETCH.format(
            answer="sum(np.outer(a ** ((N - j) / N), b ** ((j - 1) / N)) for j in range(1, N + 1))"
        ),
        "adds over one layer too many": _STRETCH.format(
            answer="sum(np.outer(a ** (2 * (N - j) / N), b ** (2 * j / N)) for j in range(0, N + 1)) "
            "if N > 1 else np.ones((m, n))"
        ),
        "takes the mean over the layers": _STRETCH.format(
            answer="sum(np.outer(a ** (2 * (N - j) / N), b ** (2 * (j - 1) / N)) for j in range(1, N + 1)) "
            "* 2 / max(N, 2) if N > 1 else np.ones((m, n))"
        ),
        "multiplies the two singular values": _STRETCH.format(
            answer="N * np.outer(a, b) ** (1 - 1 / N) if N > 1 else np.ones((m, n))"
        ),
        "takes zero to the power zero as zero": _STRETCH.format(
            answer="sum(np.outer(np.where(a > 0, a ** (2 * (N - j) / N), 0), "
            "np.where(b > 0, b ** (2 * (j - 1) / N), 0)) for j in range(1, N + 1)) if N > 1 else np.ones((m, n))"
        ),
        "knows the diagonal only": _STRETCH.format(
            answer="(N * a[:, None] ** (2 - 2 / N) + 0 * b) if N > 1 else np.ones((m, n))"
        ),
        "returns the transpose": """
def stretch(W, depth):
    m, n = W.shape
    s = np.linalg.svd(W, compute_uv=False)
    a = np.concatenate([s, np.zeros(m - len(s))])
    b = np.concatenate([s, np.zeros(n - len(s))])
    return sum(np.outer(b ** (2 * (depth - j) / depth), a ** (2 * (j - 1) / depth)) for j in range(1, depth + 1))
""",
        "leaves out the vectors beyond the smaller side": """
def stretch(W, depth):
    s = np.linalg.svd(W, compute_uv=False)
    return sum(np.outer(s ** (2 * (depth - j) / depth), s ** (2 * (j - 1) / depth)) for j in range(1, depth + 1))
""",
        "calls the package": """
def stretch(W, depth):
    m, n = W.shape
    s = np.zeros(max(m, n))
    s[: min(m, n)] = lnn.singular_values(W)
    return lnn.preconditioner.gains(s, depth)[:m, :n]
""",
    },
    "ps3-row-velocity": {
        "forgets the sign": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    if r == 0:
        return g * (depth == 1)
    return r ** (2 - 2 / depth) * (g + (depth - 1) * (w @ g) * w / r**2)
""",
        "counts along w one time too often": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    if r == 0:
        return -g * (depth == 1)
    return -(r ** (2 - 2 / depth)) * (g + depth * (w @ g) * w / r**2)
""",
        "does not normalize the projection": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    return -(r ** (2 - 2 / depth)) * (g + (depth - 1) * (w @ g) * w)
""",
        "has the exponent of one layer": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    if r == 0:
        return -g * (depth == 1)
    return -(r ** (1 - 1 / depth)) * (g + (depth - 1) * (w @ g) * w / r**2)
""",
        "divides by zero at the origin": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    return -(r ** (2 - 2 / depth)) * (g + (depth - 1) * (w @ g) * w / r**2)
""",
        "rests at the origin also at depth one": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    if r == 0:
        return np.zeros(len(w))
    return -(r ** (2 - 2 / depth)) * (g + (depth - 1) * (w @ g) * w / r**2)
""",
        "projects across in place of along": """
def row_velocity(w, g, depth):
    r = np.linalg.norm(w)
    if r == 0:
        return -g * (depth == 1)
    return -(r ** (2 - 2 / depth)) * (g + (depth - 1) * (g - (w @ g) * w / r**2))
""",
        "calls the package": """
def row_velocity(w, g, depth):
    return -lnn.precondition(w[None], g[None], depth)[0]
""",
    },
    "ps3-circle": {
        "goes clockwise": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle[::-1]) for N in (1, 2, 3, 4)]
excluded = {3, 4}
""",
        "puts the circle round the origin": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle - [1, 0]) for N in (1, 2, 3, 4)]
excluded = set()
""",
        "takes radius one": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), 2 * circle - [1, 0]) for N in (1, 2, 3, 4)]
excluded = {3, 4}
""",
        "forgets the length of the steps": _CIRCLE
        + """
circulations = [2 * integral(lambda w: field(w, N), circle) for N in (1, 2, 3, 4)]
excluded = {3, 4}
""",
        "takes rounding for a circulation": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle) for N in (1, 2, 3, 4)]
excluded = {N for N in (1, 2, 3, 4) if circulations[N - 1] != 0}
""",
        "believes that depth two is excluded too": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle) for N in (1, 2, 3, 4)]
excluded = {2, 3, 4}
""",
        "gives the depths that are not excluded": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle) for N in (1, 2, 3, 4)]
excluded = {1, 2}
""",
        "has too few points": _CIRCLE
        + """
circulations = [integral(lambda w: field(w, N), circle[::200]) for N in (1, 2, 3, 4)]
excluded = {3, 4}
""",
    },
    "ps3-gaps": {
        "runs one step": _GAPS
        + """
gaps = [np.linalg.norm(np.subtract(*last(eta, 1))) for eta in (0.02, 0.01, 0.005)]
order = 2
""",
        "runs as many steps with each step size": _GAPS
        + """
gaps = [np.linalg.norm(np.subtract(*last(eta, 50))) for eta in (0.02, 0.01, 0.005)]
order = 1
""",
        "starts from another network": _GAPS
        + """
near = lnn.initial.gaussian((4, 5, 6, 3), 0.5, rng=np.random.default_rng(0))
gaps = [np.linalg.norm(np.subtract(*last(eta, first=near))) for eta in (0.02, 0.01, 0.005)]
order = 1
""",
        "uses the rule of depth two": _GAPS
        + """
gaps = [np.linalg.norm(np.subtract(*last(eta, N=2))) for eta in (0.02, 0.01, 0.005)]
order = 1
""",
        "takes the largest entry": _GAPS
        + """
gaps = [np.abs(np.subtract(*last(eta))).max() for eta in (0.02, 0.01, 0.005)]
order = 1
""",
        "reports the order of one step": _GAPS
        + """
gaps = [np.linalg.norm(np.subtract(*last(eta))) for eta in (0.02, 0.01, 0.005)]
order = 2
""",
        "believes that there is no gap": """
gaps = [0.0, 0.0, 0.0]
order = 0
""",
    },
}
