"""Right and wrong answers to problem set 9."""


def cp(*, others="[m for m in range(N) if m != n]", tensor="build(factors)", gradients="slopes", G="G"):
    return f"""
def cp(factors, G):
    N = len(factors)
    letters = "abcdefghij"[:N]

    def build(some, names=None):
        names = names or letters
        return np.einsum(",".join(c + "z" for c in names) + "->" + names, *some)

    slopes = []
    for n in range(N):
        rest = {others}
        terms = ",".join([letters] + [letters[m] + "z" for m in rest])
        slopes.append(np.einsum(terms + "->" + letters[n] + "z", {G}, *[factors[m] for m in rest]))
    return {tensor}, {gradients}
"""


def rebalance(
    *,
    common="sizes.prod(0) ** (1 / N)",
    gain="(sizes.prod(0) ** 2 / sizes**2).sum(0) / (N * sizes.prod(0) ** (2 - 2 / N))",
    scaled="W * (common / size)",
):
    return f"""
def rebalance(factors):
    N = len(factors)
    sizes = np.array([np.linalg.norm(W, axis=0) for W in factors])
    dead = (sizes == 0).any(0)
    sizes[:, dead] = 1.0
    common = {common}
    gains = {gain}
    balanced = [{scaled} for W, size in zip(factors, sizes)]
    for W in balanced:
        W[:, dead] = 0.0
    gains[dead] = 1.0
    return balanced, gains
"""


def blow_ups(
    *, exponent="order - 2", front="(order - 2)", rate="lam[k] * c", choice="min", alive="rate > 0", c="Q[:, k] @ w"
):
    return f"""
def blow_ups(Q, lam, starts, order):
    times = []
    for w in starts.T:
        found = [np.inf]
        for k in range(len(lam)):
            c = ({c}) ** ({exponent})
            rate = {rate}
            if {alive}:
                found.append(1 / ({front} * rate))
        times.append({choice}(found))
    return np.array(times), int(np.argmin(times)) if min(times) < np.inf else None
"""


def tree(
    *,
    row="node[r]",
    left="low[:, r]",
    gap="max(squares) - min(squares)",
    norm="np.prod(squares) ** 0.5",
    core="left[r, p]",
    root="(6, 4, 5)",
):
    return f"""
def tree(matrices):
    R = len(matrices[6])
    norms, gaps = np.zeros((3, R)), np.zeros((3, R))
    for k, (a, b, c) in enumerate([(4, 0, 1), (5, 2, 3), {root}]):
        node, low, high = matrices[a], matrices[b], matrices[c]
        for r in range(R):
            squares = [v @ v for v in ({row}, {left}, high[:, r])]
            norms[k, r], gaps[k, r] = {norm}, {gap}

    def join(left, a, b):
        return [
            sum({core} * np.multiply.outer(a[r], b[r]) for r in range(R)) for p in range(left.shape[1])
        ]

    a, b, c, d = [list(W.T) for W in matrices[:4]]
    both = join(matrices[4], a, b), join(matrices[5], c, d)
    return join(matrices[6], *both)[0], norms, gaps
"""


def arrivals(
    *,
    level="0.5",
    goal="[4.0, 3.0, 2.0]",
    clock="t",
    exponents="1, 2",
    entry="(c[k] ** 3).sum()",
    holders="c ** 3",
    step="0.002",
    N=3,
):
    return f"""
goal = np.array({goal})


def slope(c):
    return goal[:, None] * c ** ({N} - 1) - c @ (c.T @ c) ** ({N} - 1)


arrivals = []
for alpha in alphas:
    c, t, times = alpha * starts, 0.0, [None] * 3
    while None in times and t < 1.5 / alpha:
        h = {step} * (20 if np.abs(c).max() < 0.3 else 1)
        k1 = slope(c)
        c, t = c + h * slope(c + h / 2 * k1), t + h
        for k in range(3):
            if times[k] is None and {entry} > {level} * goal[k]:
                times[k] = {clock}
    for _ in range(1000):
        c = c + 0.01 * slope(c)
    arrivals.append([t if x is None else x for x in times])
holders = [int(np.argmax(row)) for row in {holders}]
exponent3, exponent4 = {exponents}
"""


RIGHT = {
    "ps9-cp": [
        cp(),
        """
def cp(factors, G):
    from functools import reduce

    N, R = len(factors), factors[0].shape[1]
    W, slopes = 0, [np.zeros(V.shape) for V in factors]
    for r in range(R):
        vectors = [V[:, r] for V in factors]
        W = W + reduce(np.multiply.outer, vectors)
        for n in range(N):
            left = G
            for m in reversed(range(N)):
                if m != n:
                    left = np.tensordot(left, vectors[m], axes=(m, 0))
            slopes[n][:, r] = left
    return W, tuple(slopes)
""",
    ],
    "ps9-rebalance": [
        rebalance(),
        """
def rebalance(factors):
    factors = [np.array(W, dtype=float) for W in factors]
    N, gains = len(factors), []
    for r in range(factors[0].shape[1]):
        sizes = [np.sqrt(sum(x * x for x in W[:, r])) for W in factors]
        if min(sizes) == 0:
            for W in factors:
                W[:, r] = 0
            gains.append(1.0)
            continue
        y = np.prod(np.array(sizes) ** (1 / N))
        for W, size in zip(factors, sizes):
            W[:, r] *= y / size
        gains.append(np.mean([(y / size) ** 2 for size in sizes]))
    return tuple(factors), np.array(gains)
""",
    ],
    "ps9-blow-ups": [
        blow_ups(),
        """
def blow_ups(Q, lam, starts, order):
    power = lam @ np.diag(np.ones(len(lam)))
    speed = np.max(power[:, None] * (Q.T @ starts) ** (order - 2), axis=0) * (order - 2)
    times = np.array([1 / v if v > 0 else np.inf for v in speed])
    return times, None if np.isinf(times).all() else times.tolist().index(times.min())
""",
    ],
    "ps9-tree": [
        tree(),
        """
def tree(matrices):
    a, b, c, d, left, right, root = matrices
    R = len(root)

    def up(x, y, m):
        joined = x[:, None, :] * y[None, :, :]
        return joined.reshape(-1, R) @ m

    shape = [len(x) for x in matrices[:4]]
    W = (up(up(a, b, left), up(c, d, right), root)).reshape(shape)
    n = np.linalg.norm
    triples = [[n(m, axis=1), n(x, axis=0), n(y, axis=0)] for m, x, y in
               ((left, a, b), (right, c, d), (root, left, right))]
    triples = np.array(triples)
    return W, np.prod(triples, axis=1), (triples**2).max(1) - (triples**2).min(1)
""",
    ],
    "ps9-arrivals": [
        arrivals(),
        """
target = np.zeros((3, 3, 3))
for k, value in enumerate((4, 3, 2)):
    target[k, k, k] = value
loss = lnn.LeastSquares(lnn.Everything((3, 3, 3)), target.ravel())
arrivals = []
for alpha in alphas:
    steps = int(1.4 / alpha / 0.004)
    path = lnn.gradient_descent([alpha * starts for _ in range(3)], loss, 0.004, steps, every=10, model=tensor)
    diagonal = np.einsum("tiii->ti", path.end_to_end)
    arrivals.append([np.interp(1, diagonal[:, k] / (2 - k / 2), path.times) for k in range(3)])
holders = [np.abs(path.weights[0][-1, k]).argmax() for k in range(3)]
exponent3 = round(np.log2(arrivals[2][2] / arrivals[1][2]))
exponent4 = exponent3 + 1
""",
    ],
}

WRONG = {
    "ps9-cp": {
        "forgets that a component's own vector is left out": cp(
            others="[m for m in range(N) if m != 0]", tensor="build(factors)"
        ),
        "has the gradients in reverse order": cp(gradients="slopes[::-1]"),
        "forgets G": cp(G="np.ones(G.shape)"),
        "is right for order three only": """
def cp(factors, G):
    a, b, c = factors
    W = np.einsum("ir,jr,kr->ijk", a, b, c)
    first, second = np.einsum("ijk,jr,kr->ir", G, b, c), np.einsum("ijk,ir,kr->jr", G, a, c)
    return W, [first, second, np.einsum("ijk,ir,jr->kr", G, a, b)]
""",
        "takes the tensor for the gradient": cp(G="build(factors)"),
        "gives descent directions": cp(gradients="[-g for g in slopes]"),
        "returns the mean of the components": cp(tensor="build(factors) / factors[0].shape[1]"),
        "sums the columns first": """
def cp(factors, G):
    N = len(factors)
    W = 1.0
    for V in factors:
        W = np.multiply.outer(W, V.sum(axis=1))
    slopes = []
    for n in range(N):
        left = G
        for m in reversed(range(N)):
            if m != n:
                left = np.tensordot(left, factors[m].sum(axis=1), axes=(m, 0))
        slopes.append(np.tile(left[:, None], factors[n].shape[1]))
    return W, slopes
""",
        "calls lnn": "def cp(factors, G):\n    return tensor.end_to_end(factors), list(tensor.pullback(factors, G))",
    },
    "ps9-rebalance": {
        "gives all vectors the component norm": rebalance(common="sizes.prod(0)"),
        "takes the arithmetic mean of the norms": rebalance(common="sizes.mean(0)"),
        "takes the square root at every order": rebalance(common="sizes.prod(0) ** 0.5"),
        "balances over all components at once": rebalance(
            common="np.full(sizes.shape[1], sizes.prod() ** (1 / sizes.size))"
        ),
        "forgets N in the factor": rebalance(
            gain="(sizes.prod(0) ** 2 / sizes**2).sum(0) / sizes.prod(0) ** (2 - 2 / N)"
        ),
        "has the factor upside down": rebalance(
            gain="N * sizes.prod(0) ** (2 - 2 / N) / (sizes.prod(0) ** 2 / sizes**2).sum(0)"
        ),
        "takes the upper bound": rebalance(
            gain="((sizes.prod(0) ** (2 / N) + np.ptp(sizes**2, axis=0)) / sizes.prod(0) ** (2 / N)) ** (N - 1)"
        ),
        "takes the sum of squares": rebalance(gain="(sizes**2).sum(0) / (N * common**2)"),
        "divides by squares": rebalance(scaled="W * (common / size**2)"),
        "turns vectors to positive entries": rebalance(scaled="np.abs(W) * (common / size)"),
        "divides by zero": """
def rebalance(factors):
    sizes = np.array([np.linalg.norm(W, axis=0) for W in factors])
    common = sizes.prod(0) ** (1 / len(factors))
    return [W * common / size for W, size in zip(factors, sizes)], (common**2 / sizes**2).mean(0)
""",
        "balances each vector to one": rebalance(common="np.ones(sizes.shape[1])"),
    },
    "ps9-blow-ups": {
        "forgets the order in front": blow_ups(front="1"),
        "takes the power N - 1": blow_ups(exponent="order - 1"),
        "takes the power of order three": blow_ups(exponent="1"),
        "takes the latest direction": blow_ups(choice="max"),
        "forgets the sign": blow_ups(rate="abs(lam[k] * c)"),
        "forgets that lambda may be negative": blow_ups(alive="c > 0"),
        "takes coordinates in place of directions": blow_ups(c="w[k]"),
        "follows the largest part alone": """
def blow_ups(Q, lam, starts, order):
    c = Q.T @ starts
    k = np.argmax(lam[:, None] * np.abs(c), axis=0)
    rate = lam[k] * c[k, range(c.shape[1])] ** (order - 2) * (order - 2)
    times = np.array([1 / v if v > 0 else np.inf for v in rate])
    return times, int(np.argmin(times)) if np.isfinite(times).any() else None
""",
        "takes the upper bound of the proposition": """
def blow_ups(Q, lam, starts, order):
    y = np.linalg.norm(starts, axis=0)
    pull = lam @ (Q.T @ (starts / y)) ** order
    times = np.array([1 / ((order - 2) * g * s ** (order - 2)) if g > 0 else np.inf for g, s in zip(pull, y)])
    return times, int(np.argmin(times)) if np.isfinite(times).any() else None
""",
        "names a first one where there is none": """
def blow_ups(Q, lam, starts, order):
    rates = (order - 2) * np.max(lam[:, None] * (Q.T @ starts) ** (order - 2), axis=0)
    times = np.array([1 / v if v > 0 else np.inf for v in rates])
    return times, int(np.argmin(times))
""",
    },
    "ps9-tree": {
        "takes columns of the node": tree(row="node[:, r % node.shape[1]]"),
        "takes rows of the children": tree(left="low[r % len(low)]"),
        "forgets the children": tree(norm="squares[0] ** 0.5"),
        "forgets the root": tree(norm="np.prod(squares) ** (1 / 3)"),
        "compares two of the three": tree(gap="abs(squares[0] - squares[1])"),
        "compares norms in place of squares": tree(gap="max(squares) ** 0.5 - min(squares) ** 0.5"),
        "has the differences with a sign": tree(gap="squares[0] - max(squares)"),
        "transposes the nodes": tree(core="(left[p, r] if left.shape[0] == left.shape[1] else left[r, p])"),
        "joins the leaves at the root": tree(root="(6, 0, 1)"),
        "returns squared norms": tree(norm="np.prod(squares)"),
        "calls lnn": """
def tree(matrices):
    norms = hierarchical.component_norms(matrices)
    return hierarchical.end_to_end(matrices), norms, np.zeros(norms.shape)
""",
    },
    "ps9-arrivals": {
        "waits for nine tenths": arrivals(level="0.9"),
        "waits for one tenth": arrivals(level="0.1"),
        "takes the square root of the strengths": arrivals(goal="[2.0, 3.0**0.5, 2.0**0.5]"),
        "scales time by the start": arrivals(clock="t * alpha"),
        "takes order two": arrivals(N=2),
        "believes that the waiting time is logarithmic": arrivals(exponents="0, 0"),
        "takes the order for the exponent": arrivals(exponents="3, 4"),
        "believes that both orders wait alike": arrivals(exponents="1, 1"),
        "takes twice the gradient": arrivals(clock="t / 2"),
        "looks for holders along the wrong axis": arrivals(holders="c.T ** 3"),
        "looks at the start": arrivals(holders="starts"),
    },
}
