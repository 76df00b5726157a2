"""Right and wrong answers to problem set 2."""

BANNED = {
    "ps2-balanced-network": ["balanced"],
    "ps2-unbalancedness": ["imbalance", "imbalances"],
}

_KEEPERS = """
def ends(rule, eta):
    rng = np.random.default_rng(3)
    weights = start
    for _ in range(round(1 / eta)):
        weights = tuple(W - eta * D for W, D in zip(weights, directions(rule, weights, rng)))
    return weights

def size(weights):
    return np.linalg.norm(lnn.imbalances(weights)[0] - lnn.imbalances(start)[0])

"""

RIGHT = {
    "ps2-balanced-network": [
        """
def balanced_network(A, widths):
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    g = np.random.default_rng()
    r = len(s)
    Q = [Vt.T] + [np.linalg.qr(g.normal(size=(d, r)))[0] for d in widths[1:-1]] + [U]
    return [Q[j + 1] @ np.diag(s ** (1 / N)) @ Q[j].T for j in range(N)]
""",
        """
def balanced_network(A, widths):
    A, N = np.asarray(A), len(widths) - 1
    U, s, Vt = np.linalg.svd(A)
    rng = np.random.default_rng(1)
    r = min(A.shape)
    frames = [Vt.T[:, :r]]
    frames += [np.linalg.qr(rng.standard_normal((d, r)))[0] for d in widths[1:-1]]
    frames.append(U[:, :r])
    return [np.einsum("ik,k,jk->ij", frames[j], s ** (1 / N), frames[j - 1]) for j in range(1, N + 1)]
""",
        """
from scipy.linalg import sqrtm

def balanced_network(A, widths):
    # peel one layer after the other off: W_N = (A A^T)^(1/2N) and the rest is the pseudo-inverse times A
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    k = (s > 1e-10 * s.max()).sum()
    U, s, Vt = U[:, :k], s[:k], Vt[:k]
    layers, rest = [], U @ np.diag(s) @ Vt
    left = U
    for j in range(N, 1, -1):
        W = np.zeros((widths[j], widths[j - 1]))
        W[:, :k] = left * s ** (1 / N)
        layers.insert(0, W)
        rest = np.linalg.pinv(W, rcond=1e-12) @ rest
        left = np.eye(widths[j - 1], k)
    return (rest, *layers)
""",
    ],
    "ps2-unbalancedness": [
        """
def unbalancedness(weights):
    sizes = [0.0]
    for j in range(len(weights) - 1):
        D = np.einsum("ka,kb->ab", weights[j + 1], weights[j + 1]) - np.einsum("ak,bk->ab", weights[j], weights[j])
        sizes.append(np.sqrt((D * D).sum()))
    return np.max(sizes)
""",
        """
def unbalancedness(weights):
    if len(weights) == 1:
        return 0
    return max(
        np.sqrt((np.linalg.eigvalsh(B.T @ B - A @ A.T) ** 2).sum()) for A, B in zip(weights, weights[1:])
    )
""",
    ],
    "ps2-drift": [
        """
def drift(weights, G, eta):
    after = [W - eta * D for W, D in zip(weights, lnn.pullback(weights, G))]
    return [a - b for a, b in zip(lnn.imbalances(after), lnn.imbalances(weights))]
""",
        """
def drift(weights, G, eta):
    out, slopes = [], []
    for j in range(len(weights)):
        A, B = np.eye(G.shape[0]), np.eye(G.shape[1])
        for W in weights[:j:-1]:
            A = A @ W
        for W in weights[:j]:
            B = W @ B
        slopes.append(eta * A.T @ G @ B.T)
    for j in range(len(weights) - 1):
        out.append(slopes[j + 1].T @ slopes[j + 1] - slopes[j] @ slopes[j].T)
    return tuple(out)
""",
    ],
    "ps2-upper-gram": [
        """
def upper_gram(W, depth, j):
    m, n = W.shape
    k = max(m, n)
    layers = lnn.initial.balanced(W, (n, *[k] * (depth - 1), m))
    A = np.eye(m)
    for layer in reversed(layers[j:]):
        A = A @ layer
    return A @ A.T
""",
        """
def upper_gram(W, depth, j):
    U, s, _ = np.linalg.svd(W)
    s = np.concatenate([s, np.zeros(W.shape[0])])[: W.shape[0]]
    powers = s ** (1 / depth)
    total = np.zeros((W.shape[0], W.shape[0]))
    for p, u in zip(powers, U.T):
        total += np.outer(u, u) * np.prod([p**2] * (depth - j))
    return total
""",
    ],
    "ps2-keepers": [
        _KEEPERS
        + """
drifts = np.array([size(ends("descent", eta)) for eta in (0.02, 0.01)])
conserving = []
for rule in ("descent", "minibatch", "sign", "normalized", "own rates", "decay"):
    sizes = [size(ends(rule, eta)) for eta in (0.02, 0.01, 0.005, 0.0025)]
    if np.polyfit(np.log([8, 4, 2, 1]), np.log(sizes), 1)[0] > 0.6:
        conserving.append(rule)
""",
        """
loss = lnn.LeastSquares(lnn.Samples(X), Y.ravel())
drifts = []
for eta in (0.02, 0.01):
    end = lnn.gradient_descent(start, loss, eta, round(1 / eta))[-1]
    drifts.append(float(np.linalg.norm(lnn.imbalances(end)[0] - lnn.imbalances(start)[0])))
conserving = frozenset(["normalized", "descent", "minibatch"])
""",
    ],
}

_BALANCED = """
def balanced_network(A, widths):
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    r = len(s)
    s = {power}
    if N == 1:
        return (A,)
    layers = [np.zeros((m, n)) for m, n in zip(widths[1:], widths[:-1])]
    layers[0][:r] = np.diag({first}) @ {right}
    for W in layers[1:-1]:
        W[:r, :r] = np.diag({middle})
    layers[-1][:, :r] = {left} @ np.diag({last})
    return tuple(layers)
"""


def _balanced(power="s ** (1 / N)", first="s", right="Vt", middle="s", left="U", last="s"):
    return _BALANCED.format(power=power, first=first, right=right, middle=middle, left=left, last=last)


WRONG = {
    "ps2-balanced-network": {
        "takes the wrong singular vectors where A is square": """
def balanced_network(A, widths):
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    V = Vt if A.shape[0] == A.shape[1] else Vt.T
    Q = [V, *[np.eye(d, len(s)) for d in widths[1:-1]], U]
    return [(Q[j + 1] * s ** (1 / N)) @ Q[j].T for j in range(N)]
""",
        "drops small singular values": """
def balanced_network(A, widths):
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    s[s < 1e-4] = 0
    Q = [Vt.T, *[np.eye(d, len(s)) for d in widths[1:-1]], U]
    return [(Q[j + 1] * s ** (1 / N)) @ Q[j].T for j in range(N)]
""",
        "forgets the Nth root": _balanced(power="s"),
        "takes square roots at every depth": _balanced(power="np.sqrt(s)"),
        "counts one layer too few": _balanced(power="s ** (1 / max(N - 1, 1))"),
        "puts all singular values into the last layer": _balanced(
            power="s", first="np.ones(r)", middle="np.ones(r)", last="s"
        ),
        "forgets to transpose the right singular vectors": _balanced(
            right="(Vt.T if Vt.shape[0] == Vt.shape[1] else Vt)"
        ),
        "takes eigenvalues of A times its transpose": """
def balanced_network(A, widths):
    N = len(widths) - 1
    if N == 1:
        return (A,)
    r = min(A.shape)
    s, U = np.linalg.eigh(A @ A.T)
    s, U = s[::-1][:r], U[:, ::-1][:, :r]
    Vt = (A.T @ U / s).T
    layers = [np.zeros((m, n)) for m, n in zip(widths[1:], widths[:-1])]
    layers[0][:r] = np.diag(s ** (1 / N)) @ Vt
    for W in layers[1:-1]:
        W[:r, :r] = np.diag(s ** (1 / N))
    layers[-1][:, :r] = U @ np.diag(s ** (1 / N))
    return tuple(layers)
""",
        "right for a full rank only": """
def balanced_network(A, widths):
    N = len(widths) - 1
    if N == 1:
        return (A,)
    r = min(A.shape)
    s2, U = np.linalg.eigh(A @ A.T)
    s, U = np.sqrt(s2[::-1][:r]), U[:, ::-1][:, :r]
    Vt = (A.T @ U / s).T
    layers = [np.zeros((m, n)) for m, n in zip(widths[1:], widths[:-1])]
    layers[0][:r] = np.diag(s ** (1 / N)) @ Vt
    for W in layers[1:-1]:
        W[:r, :r] = np.diag(s ** (1 / N))
    layers[-1][:, :r] = U @ np.diag(s ** (1 / N))
    return tuple(layers)
""",
        "makes all hidden layers as narrow as possible": """
def balanced_network(A, widths):
    N = len(widths) - 1
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    root = np.diag(s ** (1 / N))
    return (A,) if N == 1 else (root @ Vt, *[root] * (N - 2), U @ root)
""",
        "calls the package": """
def balanced_network(A, widths):
    return lnn.initial.balanced(A, widths)
""",
    },
    "ps2-unbalancedness": {
        "swaps the transposes where layers are square": """
def unbalancedness(weights):
    largest = 0.0
    for A, B in zip(weights[:-1], weights[1:]):
        square = A.shape == B.shape and A.shape[0] == A.shape[1]
        D = B @ B.T - A.T @ A if square else B.T @ B - A @ A.T
        largest = max(largest, np.linalg.norm(D))
    return largest
""",
        "calls the package by another name": """
measure = getattr(lnn, "imbalance")


def unbalancedness(weights):
    return measure(weights)
""",
        "looks at the first pair only": """
def unbalancedness(weights):
    if len(weights) < 2:
        return 0.0
    a, b = weights[:2]
    return np.linalg.norm(b.T @ b - a @ a.T)
""",
        "takes the nuclear norm": """
def unbalancedness(weights):
    v = [np.linalg.norm(b.T @ b - a @ a.T, "nuc") for a, b in zip(weights, weights[1:])]
    return max(v, default=0.0)
""",
        "takes the norm of all differences together": """
def unbalancedness(weights):
    v = [np.linalg.norm(b.T @ b - a @ a.T) for a, b in zip(weights, weights[1:])]
    return float(np.linalg.norm(v)) if v else 0.0
""",
        "takes the spectral norm": """
def unbalancedness(weights):
    return max([0.0] + [np.linalg.norm(B.T @ B - A @ A.T, 2) for A, B in zip(weights, weights[1:])])
""",
        "adds the norms up": """
def unbalancedness(weights):
    return sum(np.linalg.norm(B.T @ B - A @ A.T) for A, B in zip(weights, weights[1:]))
""",
        "forgets the last pair": """
def unbalancedness(weights):
    pairs = list(zip(weights, weights[1:]))
    return max([0.0] + [np.linalg.norm(B.T @ B - A @ A.T) for A, B in pairs[: max(1, len(pairs) - 1)]])
""",
        "squares the norm": """
def unbalancedness(weights):
    return max([0.0] + [np.linalg.norm(B.T @ B - A @ A.T) ** 2 for A, B in zip(weights, weights[1:])])
""",
        "takes the largest entry": """
def unbalancedness(weights):
    return max([0.0] + [np.abs(B.T @ B - A @ A.T).max() for A, B in zip(weights, weights[1:])])
""",
        "puts the transposes on the wrong side": """
def unbalancedness(weights):
    return max([0.0] + [np.linalg.norm(B @ B.T - A.T @ A) for A, B in zip(weights, weights[1:])])
""",
        "compares the norms of the layers": """
def unbalancedness(weights):
    return max([0.0] + [abs((B**2).sum() - (A**2).sum()) for A, B in zip(weights, weights[1:])])
""",
        "fails for one layer": """
def unbalancedness(weights):
    return max(np.linalg.norm(B.T @ B - A @ A.T) for A, B in zip(weights, weights[1:]))
""",
        "calls the package": """
def unbalancedness(weights):
    return lnn.imbalance(weights)
""",
    },
    "ps2-drift": {
        "transposes a gradient where it is square": """
def drift(weights, G, eta):
    slopes = lnn.pullback(weights, G.T if G.shape[0] == G.shape[1] else G)
    return [eta**2 * (B.T @ B - A @ A.T) for A, B in zip(slopes[:-1], slopes[1:])]
""",
        "says that descent conserves": """
def drift(weights, G, eta):
    return [np.zeros((len(W), len(W))) for W in weights[:-1]]
""",
        "has the first power of the step size": """
def drift(weights, G, eta):
    S = lnn.pullback(weights, G)
    return [eta * (b.T @ b - a @ a.T) for a, b in zip(S, S[1:])]
""",
        "has the wrong sign": """
def drift(weights, G, eta):
    S = lnn.pullback(weights, G)
    return [eta**2 * (a @ a.T - b.T @ b) for a, b in zip(S, S[1:])]
""",
        "keeps a term of first order": """
def drift(weights, G, eta):
    S = lnn.pullback(weights, G)
    return [
        -2 * eta * (W.T @ b) + eta**2 * (b.T @ b - a @ a.T) for W, a, b in zip(weights[1:], S, S[1:])
    ]
""",
        "puts G in the place of the layers' gradients": """
def drift(weights, G, eta):
    return [eta**2 * (W.shape[0] and np.trace(G.T @ G) - np.trace(G @ G.T)) * np.eye(len(W)) for W in weights[:-1]]
""",
        "uses the weights in the place of their gradients": """
def drift(weights, G, eta):
    return [eta**2 * (b.T @ b - a @ a.T) for a, b in zip(weights, weights[1:])]
""",
        "moves one layer after the other": """
def drift(weights, G, eta):
    new = list(weights)
    for j in range(len(new)):
        new[j] = new[j] - eta * lnn.pullback(new, G)[j]
    return [a - b for a, b in zip(lnn.imbalances(new), lnn.imbalances(weights))]
""",
        "returns the new differences": """
def drift(weights, G, eta):
    return list(lnn.imbalances([W - eta * D for W, D in zip(weights, lnn.pullback(weights, G))]))
""",
    },
    "ps2-upper-gram": {
        "cuts eigenvalues below 1e 10": """
def upper_gram(W, depth, j):
    l, U = np.linalg.eigh(W @ W.T)
    l[l < 1e-10] = 0
    return U @ np.diag(l ** ((depth - j) / depth)) @ U.T
""",
        "cuts eigenvalues below 1e 4": """
def upper_gram(W, depth, j):
    l, U = np.linalg.eigh(W @ W.T)
    l[l < 1e-4] = 0
    return U @ np.diag(l ** ((depth - j) / depth)) @ U.T
""",
        "cuts eigenvalues below 1e 12 of the largest": """
def upper_gram(W, depth, j):
    l, U = np.linalg.eigh(W @ W.T)
    l[l < 1e-12 * l.max()] = 0
    return U @ np.diag(l ** ((depth - j) / depth)) @ U.T
""",
        "takes the other side where W is square": """
def upper_gram(W, depth, j):
    if j == depth:
        return np.eye(len(W))
    U, s, _ = np.linalg.svd(W.T if W.shape[0] == W.shape[1] else W, full_matrices=False)
    return (U * s ** (2 * (depth - j) / depth)) @ U.T
""",
        "has half of the exponent": """
def upper_gram(W, depth, j):
    U, s, _ = np.linalg.svd(W, full_matrices=False)
    return np.eye(len(W)) if j == depth else (U * s ** ((depth - j) / depth)) @ U.T
""",
        "counts the layers below": """
def upper_gram(W, depth, j):
    U, s, _ = np.linalg.svd(W, full_matrices=False)
    return np.eye(len(W)) if j == depth else (U * s ** (2 * j / depth)) @ U.T
""",
        "is off by one layer": """
def upper_gram(W, depth, j):
    U, s, _ = np.linalg.svd(W, full_matrices=False)
    return np.eye(len(W)) if j == depth else (U * s ** (2 * (depth - j + 1) / depth)) @ U.T
""",
        "takes powers of the eigenvalues of W times its transpose": """
def upper_gram(W, depth, j):
    values, U = np.linalg.eigh(W @ W.T)
    return (U * values ** ((depth - j) / depth)) @ U.T
""",
        "the same, with negative eigenvalues cut off": """
def upper_gram(W, depth, j):
    values, U = np.linalg.eigh(W @ W.T)
    return (U * np.clip(values, 0, None) ** ((depth - j) / depth)) @ U.T
""",
        "takes the other side": """
def upper_gram(W, depth, j):
    _, s, Vt = np.linalg.svd(W, full_matrices=False)
    return np.eye(len(W)) if j == depth else (Vt.T * s ** (2 * (depth - j) / depth)) @ Vt
""",
        "has no identity for the empty product": """
def upper_gram(W, depth, j):
    U, s, _ = np.linalg.svd(W, full_matrices=False)
    s = np.where(s > 1e-12, s, 0)
    power = np.where(s > 0, s ** (2 * (depth - j) / depth), 0)
    return (U * power) @ U.T
""",
        "takes the power entry by entry": """
def upper_gram(W, depth, j):
    return np.eye(len(W)) if j == depth else np.abs(W @ W.T) ** ((depth - j) / depth)
""",
    },
    "ps2-keepers": {
        "believes that only descent does": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent"}
""",
        "believes that noise destroys balance": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent", "normalized"}
""",
        "believes that normalizing destroys balance": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent", "minibatch"}
""",
        "takes all that decrease the loss": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent", "minibatch", "sign", "normalized", "own rates", "decay"}
""",
        "takes small for conserved": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent", "minibatch", "normalized", "decay"}
""",
        "measures unbalancedness and not its change": _KEEPERS
        + """
drifts = [lnn.imbalance(ends("descent", eta)) for eta in (0.02, 0.01)]
conserving = {"descent", "minibatch", "normalized"}
""",
        "runs as many steps with both step sizes": _KEEPERS
        + """
def run(eta, steps):
    weights = start
    for _ in range(steps):
        weights = tuple(W - eta * D for W, D in zip(weights, directions("descent", weights, np.random.default_rng(0))))
    return size(weights)

drifts = [run(0.02, 50), run(0.01, 50)]
conserving = {"descent", "minibatch", "normalized"}
""",
        "gives the drifts in the other order": _KEEPERS
        + """
drifts = [size(ends("descent", eta)) for eta in (0.01, 0.02)]
conserving = {"descent", "minibatch", "normalized"}
""",
    },
}
