"""Right and wrong answers to problem set 1."""

BANNED = {
    "ps1-layer-gradients": ["pullback"],
    "ps1-descent-step": ["gradient_step", "gradient_descent"],
}

RIGHT = {
    "ps1-layer-gradients": [
        """
def pullback(weights, G):  # a name of the package for a function of one's own
    return [np.linalg.multi_dot([*[W.T for W in weights[j + 1 :]], G, *[W.T for W in weights[:j]]])
            if len(weights) > 1 else G for j in range(len(weights))]


def layer_gradients(weights, G):
    return tuple(pullback(weights, G))
""",
        """
def pullback(weights, G):
    out = []
    for j in range(len(weights)):
        A = np.eye(G.shape[0])
        B = np.eye(G.shape[1])
        for L in weights[j + 1 :][::-1]:
            A = A @ L
        for L in weights[:j]:
            B = L @ B
        out.append(A.T @ G @ B.T)
    return out


def layer_gradients(weights, G):
    return pullback(weights, G)
""",
        """
def layer_gradients(weights, G):
    gradients = []
    for j in range(len(weights)):
        above = np.eye(G.shape[0])
        for W in reversed(weights[j + 1 :]):
            above = above @ W
        below = np.eye(G.shape[1])
        for W in weights[:j]:
            below = W @ below
        gradients.append(above.T @ G @ below.T)
    return gradients
""",
        """
def layer_gradients(weights, G):
    if len(weights) == 1:
        return (G.copy(),)
    upper = weights[-1]
    rest = list(weights[:-1])
    inner = np.eye(G.shape[1])
    for W in rest:
        inner = np.einsum("ij,jk->ik", W, inner)
    last = np.einsum("ij,kj->ik", G, inner)
    return (*layer_gradients(rest, np.einsum("ji,jk->ik", upper, G)), last)
""",
    ],
    "ps1-descent-step": [
        """
def descent_step(weights, X, Y, eta):
    hidden = [X]
    for W in weights:
        hidden.append(W @ hidden[-1])
    error = hidden[-1] - Y
    new = []
    for W, h in zip(weights[::-1], hidden[-2::-1]):
        new.insert(0, W - eta * sum(np.outer(e, x) for e, x in zip(error.T, h.T)))
        error = W.T @ error
    return new
""",
        """
def descent_step(weights, X, Y, eta):
    loss = lnn.LeastSquares(lnn.Samples(X), Y.ravel())
    theta, sizes = lnn.pack(weights), lnn.widths(weights)

    def value(v):
        return loss(lnn.end_to_end(lnn.unpack(v, sizes)))

    h = 1e-3
    E = np.eye(theta.size)  # five points: exact for polynomials of degree four, up to rounding at small h
    f = [np.array([value(theta + k * h * e) for e in E]) for k in (-3, -2, -1, 1, 2, 3)]
    slope = (-f[0] + 9 * f[1] - 45 * f[2] + 45 * f[3] - 9 * f[4] + f[5]) / (60 * h)
    return lnn.unpack(theta - eta * slope, sizes)
""",
    ],
    "ps1-origin-spectrum": [
        """
def origin_spectrum(G, d1):
    d2, d0 = G.shape
    H = np.block([[np.zeros((d0, d0)), G.T], [G, np.zeros((d2, d2))]])
    return np.linalg.eigvalsh(np.kron(H, np.eye(d1))).tolist()
""",
        """
def origin_spectrum(G, d1):
    m, n = G.shape
    block = np.block([[np.zeros((m, m)), G], [G.T, np.zeros((n, n))]])
    return np.linalg.eigvalsh(np.kron(np.eye(d1), block))
""",
        """
def origin_spectrum(G, d1):
    m, n = G.shape
    values = []
    for s in np.sqrt(np.clip(np.linalg.eigvalsh(G @ G.T if m < n else G.T @ G), 0, None)):
        s = 0.0 if s < 1e-7 else s
        values += [s, -s] * d1
    values += [0.0] * (d1 * abs(m - n))
    return sorted(values)
""",
    ],
    "ps1-two-minimizers": [
        """
def two_minimizers(weights):
    first, second = list(weights), list(weights)
    first[0], first[-1] = 3 * weights[0], weights[-1] / 3
    second[0], second[-1] = weights[0] / 3, 3 * weights[-1]
    return first, second
""",
        """
def two_minimizers(weights):
    signs = -np.eye(weights[0].shape[0])
    return tuple(weights), (signs @ weights[0], weights[1] @ np.linalg.inv(signs), *weights[2:])
""",
    ],
    "ps1-escape": [
        """
def leave(eps, N, dt=1e-3):
    w, t = eps, 0.0
    while w**N < 0.5:
        w, t = w + dt * (1 - w**N) * w ** (N - 1), t + dt
    return t

times2 = np.array([leave(e, 2) for e in starts])
times3 = np.array([leave(e, 3) for e in starts])
growth2 = "B"
growth3 = "C"
""",
        """
loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
times2, times3 = [], []
for e in starts:
    for N, store in ((2, times2), (3, times3)):
        path = lnn.gradient_descent([np.array([[e]])] * N, loss, 0.005, 20000, stop=1 / 8)
        store.append(path.times[-1])
growth2, growth3 = "BC"
""",
    ],
}

WRONG = {
    "ps1-layer-gradients": {
        "forgets a transpose where shapes allow it": """
def layer_gradients(weights, G):
    out = []
    for j in range(len(weights)):
        above, below = np.eye(weights[j].shape[0]), np.eye(weights[0].shape[1])
        for W in weights[j + 1 :]:
            above = W @ above
        for W in weights[:j]:
            below = W @ below
        square = above.shape[0] == above.shape[1] == G.shape[0]
        out.append((above if square else above.T) @ G @ below.T)
    return tuple(out)
""",
        "imports the answer by another name": """
from lnn import pullback as sum_rule


def layer_gradients(weights, G):
    return sum_rule(weights, G)
""",
        "calls what calls the answer": """
def layer_gradients(weights, G):
    return tuple(getattr(lnn, "pull" + "back")(weights, G))
""",
        "multiplies the layers above upside down": """
def layer_gradients(weights, G):
    out = []
    for j in range(len(weights)):
        above, below = G, np.eye(G.shape[1])
        for W in weights[j + 1 :]:
            above = W.T @ above
        for W in weights[:j]:
            below = W @ below
        out.append(above @ below.T)
    return tuple(out)
""",
        "forgets to transpose the layers above": """
def layer_gradients(weights, G):
    out = []
    for j in range(len(weights)):
        above = np.eye(G.shape[0])
        for W in reversed(weights[j + 1 :]):
            above = above @ W
        below = np.eye(G.shape[1])
        for W in weights[:j]:
            below = W @ below
        out.append(above @ G @ below.T)
    return tuple(out)
""",
        "includes the layer itself": """
def layer_gradients(weights, G):
    out = []
    for j in range(len(weights)):
        above = np.eye(G.shape[0])
        for W in reversed(weights[j:]):
            above = above @ W
        below = np.eye(G.shape[1])
        for W in weights[:j]:
            below = W @ below
        out.append(above.T @ G @ below.T)
    return tuple(out)
""",
        "right for two layers only": """
def layer_gradients(weights, G):
    W1, W2 = weights[0], weights[-1]
    return (W2.T @ G, G @ W1.T)
""",
        "right up to three layers": """
def layer_gradients(weights, G):
    if len(weights) == 1:
        return (G,)
    if len(weights) == 2:
        W1, W2 = weights
        return (W2.T @ G, G @ W1.T)
    W1, W2, W3 = weights[:3]
    return (W2.T @ W3.T @ G, W3.T @ G @ W1.T, G @ W1.T @ W2.T)
""",
        "returns them from the last layer to the first": """
def layer_gradients(weights, G):
    out, above = [], G
    for j in reversed(range(len(weights))):
        below = np.eye(weights[0].shape[1])
        for W in weights[:j]:
            below = W @ below
        out.append(above @ below.T)
        above = weights[j].T @ above
    return tuple(out)
""",
        "returns descent directions": """
def layer_gradients(weights, G):
    return tuple(-D for D in lnn.pullback(weights, G))
""",
        "calls the package": """
def layer_gradients(weights, G):
    return lnn.pullback(weights, G)
""",
    },
    "ps1-descent-step": {
        "transposes the samples unless they are square": """
def descent_step(weights, X, Y, eta):
    R = lnn.end_to_end(weights) @ X - Y
    G = R @ X if X.shape[0] == X.shape[1] else R @ X.T
    return tuple(W - eta * D for W, D in zip(weights, lnn.pullback(weights, G)))
""",
        "moves one layer after the other": """
def descent_step(weights, X, Y, eta):
    weights = list(weights)
    for j in range(len(weights)):
        G = (lnn.end_to_end(weights) @ X - Y) @ X.T
        weights[j] = weights[j] - eta * lnn.pullback(weights, G)[j]
    return tuple(weights)
""",
        "goes uphill": """
def descent_step(weights, X, Y, eta):
    G = (lnn.end_to_end(weights) @ X - Y) @ X.T
    return tuple(W + eta * D for W, D in zip(weights, lnn.pullback(weights, G)))
""",
        "takes the mean over the samples": """
def descent_step(weights, X, Y, eta):
    G = (lnn.end_to_end(weights) @ X - Y) @ X.T / X.shape[1]
    return tuple(W - eta * D for W, D in zip(weights, lnn.pullback(weights, G)))
""",
        "forgets that the loss has one half in front": """
def descent_step(weights, X, Y, eta):
    G = 2 * (lnn.end_to_end(weights) @ X - Y) @ X.T
    return tuple(W - eta * D for W, D in zip(weights, lnn.pullback(weights, G)))
""",
        "forgets the samples in the gradient": """
def descent_step(weights, X, Y, eta):
    G = lnn.end_to_end(weights) - Y @ np.linalg.pinv(X)
    return tuple(W - eta * D for W, D in zip(weights, lnn.pullback(weights, G)))
""",
        "changes the layers given": """
def descent_step(weights, X, Y, eta):
    G = (lnn.end_to_end(weights) @ X - Y) @ X.T
    for W, D in zip(weights, lnn.pullback(weights, G)):
        W -= eta * D
    return weights
""",
        "moves the first layer only": """
def descent_step(weights, X, Y, eta):
    G = (lnn.end_to_end(weights) @ X - Y) @ X.T
    return (weights[0] - eta * lnn.pullback(weights, G)[0], *weights[1:])
""",
        "calls the package": """
def descent_step(weights, X, Y, eta):
    return lnn.gradient_step(weights, lnn.LeastSquares(lnn.Samples(X), Y.ravel()), eta)
""",
    },
    "ps1-origin-spectrum": {
        "takes eigenvalues of G where it is square": """
def origin_spectrum(G, d1):
    m, n = G.shape
    s = np.abs(np.linalg.eigvals(G)) if m == n else np.linalg.svd(G, compute_uv=False)
    return np.sort(np.repeat(np.concatenate([s, -s, np.zeros(abs(m - n))]), d1))
""",
        "counts a repeated value once": """
def origin_spectrum(G, d1):
    m, n = G.shape
    s = np.unique(np.round(np.linalg.svd(G, compute_uv=False), 9))
    return np.sort(np.repeat(np.concatenate([s, -s, np.zeros(m + n - 2 * len(s))]), d1))
""",
        "takes eigenvalues of G times its transpose": """
def origin_spectrum(G, d1):
    s = np.linalg.eigvalsh(G @ G.T if G.shape[0] < G.shape[1] else G.T @ G)
    return np.sort(np.repeat(np.concatenate([s, -s, np.zeros(abs(G.shape[0] - G.shape[1]))]), d1))
""",
        "forgets the zeros": """
def origin_spectrum(G, d1):
    s = np.linalg.svd(G, compute_uv=False)
    return np.sort(np.repeat(np.concatenate([s, -s]), d1))
""",
        "forgets the multiplicity": """
def origin_spectrum(G, d1):
    s = np.linalg.svd(G, compute_uv=False)
    rest = d1 * sum(G.shape) - 2 * len(s)
    return np.sort(np.concatenate([s, -s, np.zeros(rest)]))
""",
        "has positive eigenvalues only": """
def origin_spectrum(G, d1):
    s = np.linalg.svd(G, compute_uv=False)
    return np.sort(np.repeat(np.concatenate([s, s, np.zeros(abs(G.shape[0] - G.shape[1]))]), d1))
""",
        "keeps the factor two of the quadratic form": """
def origin_spectrum(G, d1):
    s = 2 * np.linalg.svd(G, compute_uv=False)
    return np.sort(np.repeat(np.concatenate([s, -s, np.zeros(abs(G.shape[0] - G.shape[1]))]), d1))
""",
        "takes eigenvalues of G": """
def origin_spectrum(G, d1):
    k = min(G.shape)
    s = np.abs(np.linalg.eigvals(G[:k, :k]))
    return np.sort(np.repeat(np.concatenate([s, -s, np.zeros(abs(G.shape[0] - G.shape[1]))]), d1))
""",
        "sorts by size": """
def origin_spectrum(G, d1):
    s = np.linalg.svd(G, compute_uv=False)
    values = np.repeat(np.concatenate([s, -s, np.zeros(abs(G.shape[0] - G.shape[1]))]), d1)
    return values[np.argsort(-np.abs(values))]
""",
    },
    "ps1-two-minimizers": {
        "returns one network twice": """
def two_minimizers(weights):
    return tuple(weights), tuple(weights)
""",
        "changes the sign of one layer": """
def two_minimizers(weights):
    return tuple(weights), (-weights[0], *weights[1:])
""",
        "changes the sign of all layers": """
def two_minimizers(weights):
    return tuple(weights), tuple(-W for W in weights)
""",
        "stays too close": """
def two_minimizers(weights):
    W1, W2, *others = weights
    return tuple(weights), (1.01 * W1, W2 / 1.01, *others)
""",
        "scales both layers by the same factor": """
def two_minimizers(weights):
    W1, W2, *others = weights
    return tuple(weights), (2 * W1, 2 * W2, *others)
""",
        "uses a third layer": """
def two_minimizers(weights):
    W1, W2, W3, *others = weights
    return tuple(weights), (-W1, W2, -W3, *others)
""",
        "changes the layers in place": """
def two_minimizers(weights):
    first = tuple(weights)
    weights[0][:] *= -1
    weights[1][:] *= -1
    return first, tuple(weights)
""",
    },
    "ps1-escape": {
        "counts steps in place of time": """
loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.ones(1))
times2, times3 = [
    [len(lnn.gradient_descent([[[e]]] * N, loss, 0.01, 10**5, stop=1 / 8)) - 1 for e in starts] for N in (2, 3)
]
growth2, growth3 = "B", "C"
""",
        "waits for half of the loss": """
loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.ones(1))
t = np.linspace(0, 200, 20001)
times2, times3 = [
    [lnn.gradient_flow([[[e]]] * N, loss, t, stop=1 / 4).times[-1] for e in starts] for N in (2, 3)
]
growth2, growth3 = "B", "C"
""",
        "starts with the product at epsilon": """
loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.ones(1))
t = np.linspace(0, 200, 20001)
times2, times3 = [
    [lnn.gradient_flow([[[e ** (1 / N)]]] * N, loss, t, stop=1 / 8).times[-1] for e in starts] for N in (2, 3)
]
growth2, growth3 = "B", "C"
""",
        "takes depths three and four": """
loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.ones(1))
t = np.linspace(0, 1000, 20001)
times2, times3 = [
    [lnn.gradient_flow([[[e]]] * N, loss, t, stop=1 / 8).times[-1] for e in starts] for N in (3, 4)
]
growth2, growth3 = "C", "D"
""",
        "takes the logarithm for a power": """
from scipy.integrate import quad
times2, times3 = [
    [quad(lambda w: 1 / ((1 - w**N) * w ** (N - 1)), e, 0.5 ** (1 / N))[0] for e in starts] for N in (2, 3)
]
growth2, growth3 = "C", "C"
""",
        "believes depth three to be like depth two": """
from scipy.integrate import quad
times2, times3 = [
    [quad(lambda w: 1 / ((1 - w**N) * w ** (N - 1)), e, 0.5 ** (1 / N))[0] for e in starts] for N in (2, 3)
]
growth2, growth3 = "B", "B"
""",
        "computes the leading term instead of measuring": """
times2 = [np.log(1 / e) for e in starts]
times3 = [1 / e for e in starts]
growth2, growth3 = "B", "C"
""",
    },
}
