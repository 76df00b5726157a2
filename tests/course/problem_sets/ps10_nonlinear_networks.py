"""Right and wrong answers to problem set 10."""


def gains(*, above="A @ A.T", below="B.T @ B", values="np.linalg.eigvalsh(total)", layers="range(N)", order="sorted"):
    return f"""
def gains(factors):
    from functools import reduce

    N, m, n = len(factors), factors[-1].shape[0], factors[0].shape[1]
    total = np.zeros((m * n, m * n))
    for j in {layers}:
        A = reduce(lambda P, W: P @ W, factors[:j:-1], np.eye(m))
        B = reduce(lambda P, W: W @ P, factors[:j], np.eye(n))
        for k in range(m * n):
            G = np.eye(m * n)[k].reshape(m, n)
            total[k] += ({above} @ G @ {below}).ravel()
    return np.array({order}({values}))
"""


def fold(*, flip="", place="a : a + s, b : b + t", channels="B[j, i, a, b] * A[i]", size="s + x - 1, t + y - 1"):
    return f"""
def fold(A, B):
    (c, p, s, t), (q, _, x, y) = A.shape, B{flip}.shape
    B = B{flip}
    K = np.zeros((q, p, {size}))
    for j in range(q):
        for i in range(c):
            for a in range(x):
                for b in range(y):
                    K[j, :, {place}] += {channels}
    return K
"""


def decayed(*, lam="lam", power="2 / N", zero="True", root="largest", start="v", values="values"):
    return f"""
def decayed(Y, lam, depth):
    N = depth

    def cost(s, v):
        return (s - v) ** 2 / 2 + {lam} * N / 2 * s ** ({power})

    def best(v):
        s = {start}
        for _ in range(5000):  # the larger zero of the slope is a fixed point that attracts from above
            new = v - {lam} * s ** ({power} - 1) if s > 0 else 0.0
            if new <= 0:
                s = 0.0
                break
            if abs(new - s) < 1e-16 * v:
                break
            s = new
        return s if not {zero} or cost(s, v) < cost(0.0, v) else 0.0

    U, values, Vt = np.linalg.svd(Y, full_matrices=False)
    return U @ np.diag([best(v) if v > 1e-13 * values[0] else 0.0 for v in {values}]) @ Vt
"""


def race(
    *,
    mean="(W2**2).sum() / 10 + (W1**2).sum() / 6",
    loss="0.5 * np.mean(e**2)",
    count="k",
    start="W2 @ W1",
    top="eta",
    slope="(1 - h**2)",
    order="0, 1, 2, 3",
    ahead="1",
):
    return f"""
def run(maps, move):
    a, k = v, 0
    while True:
        M = maps[0] if len(maps) == 1 else maps[1] @ maps[0]
        h = np.tanh(X @ M.T)
        e = h @ a - y
        if {loss} <= 0.02:
            return {count}
        D = ((e[:, None] * a) * {slope}).T @ X / 40
        maps, a, k = move(maps, D), a - {top} * (e @ h) / 40, k + 1


mean_gain = {mean}
single = lambda rate: lambda maps, D: [maps[0] - rate * D]
double = lambda maps, D: [maps[0] - eta * maps[1].T @ D, maps[1] - eta * {ahead} * D @ maps[0].T]
all_four = [
    run([W], single(eta)), run([{start}], single(eta)), run([{start}], single(eta * mean_gain)), run([W1, W2], double)
]
counts = [all_four[i] for i in ({order})]
"""


RIGHT = {
    "ps10-gains": [
        gains(),
        """
def gains(factors):
    # the gains are the squared singular values of the Jacobian of the product, filled up with zeros
    m, n = len(factors[-1]), factors[0].shape[1]
    columns = []
    for j, W in enumerate(factors):
        for k in range(W.size):
            E = np.eye(W.size)[k].reshape(W.shape)
            product = np.eye(n)
            for i, V in enumerate(factors):
                product = (E if i == j else V) @ product
            columns.append(product.ravel())
    values = np.linalg.svd(np.array(columns), compute_uv=False) ** 2
    return np.sort(np.append(values, np.zeros(m * n - len(values))))
""",
    ],
    "ps10-fold": [
        fold(),
        """
def fold(A, B):
    from scipy.signal import convolve2d

    return np.array(
        [[sum(convolve2d(A[i, k], b[i]) for i in range(len(A))) for k in range(A.shape[1])] for b in B]
    )
""",
    ],
    "ps10-decayed": [
        decayed(),
        """
from scipy.optimize import brentq


def decayed(Y, lam, depth):
    U, values, Vt = np.linalg.svd(Y, full_matrices=False)
    found = []
    for v in values:
        if v <= 1e-13 * values[0] or v == 0:
            found.append(0.0)
            continue
        # for s = x v, relative to v: x - 1 + c x^(2/N - 1)
        c, power = lam * v ** (2 / depth - 2), 2 / depth - 1
        low = max((-power * c) ** (1 / (1 - power)), 1e-300)
        if low >= 1 or low - 1 + c * low**power >= 0:
            found.append(0.0)
            continue
        x = brentq(lambda x: x - 1 + c * x**power, low, 1.0, xtol=1e-16, rtol=1e-15)
        better = (x - 1) ** 2 + c * depth * x ** (2 / depth) < 1
        found.append(x * v * better)
    return (U * np.array(found)) @ Vt
""",
    ],
    "ps10-race": [
        race(),
        """
def steps(parts, rates):
    parts = [p.copy() for p in parts]
    for k in range(10**5):
        M = parts[0] if len(parts) == 2 else parts[1] @ parts[0]
        out = np.tanh(M @ X.T)
        rest = parts[-1] @ out - y
        if rest @ rest <= 2 * 40 * 0.02:
            return k
        G = np.einsum("j,ji,i,ik->jk", parts[-1], 1 - out**2, rest, X) / 40
        slopes = [G] if len(parts) == 2 else [parts[1].T @ G, G @ parts[0].T]
        slopes.append(out @ rest / 40)
        parts = [p - r * s for p, r, s in zip(parts, rates, slopes)]


mean_gain = np.trace(W2 @ W2.T) / len(W2) + np.trace(W1.T @ W1) / W1.shape[1]
counts = [
    steps([W, v], [eta, eta]), steps([W2 @ W1, v], [eta, eta]),
    steps([W2 @ W1, v], [eta * mean_gain, eta]), steps([W1, W2, v], [eta] * 3),
]
""",
    ],
}

WRONG = {
    "ps10-gains": {
        "adds squared singular values of all layers": """
def gains(factors):
    m, n = len(factors[-1]), factors[0].shape[1]
    above, below = np.zeros(m), np.zeros(n)
    for place, W in ((above, factors[-1]), (below, factors[0])):
        values = np.linalg.svd(W, compute_uv=False)[: len(place)] ** 2
        place[: len(values)] = values
    return np.sort(np.add.outer(above, below).ravel()) if len(factors) > 1 else np.ones(m * n)
""",
        "takes the formula of balanced chains": """
def gains(factors):
    N, W = len(factors), np.linalg.multi_dot(factors[::-1]) if len(factors) > 1 else factors[0]
    u, v = np.zeros(W.shape[0]), np.zeros(W.shape[1])
    values = np.linalg.svd(W, compute_uv=False)
    u[: len(values)] = v[: len(values)] = values
    powers = [np.outer(u ** (2 * (N - j) / N), v ** (2 * (j - 1) / N)) for j in range(1, N + 1)]
    return np.sort(sum(powers).ravel())
""",
        "leaves out the first layer": gains(layers="range(1, N) if N > 1 else range(N)"),
        "leaves out the last layer": gains(layers="range(max(N - 1, 1))"),
        "has the gains in falling order": gains(
            order="-np.sort(-total.diagonal()) * 0 + -np.sort", values="-total.diagonal()"
        ),
        "takes the diagonal": gains(values="total.diagonal()"),
        "takes square roots": gains(values="np.sqrt(np.abs(np.linalg.eigvalsh(total)))"),
        "forgets what is above": gains(above="np.eye(m)"),
        "forgets what is below": gains(below="np.eye(n)"),
        "returns different gains once": gains(values="np.unique(np.linalg.eigvalsh(total).round(10))"),
        "takes the mean over the layers": gains(values="np.linalg.eigvalsh(total) / N"),
    },
    "ps10-fold": {
        "correlates the kernels": fold(flip="[:, :, ::-1, ::-1]"),
        "puts every part in the corner": fold(place=":s, :t"),
        "mixes up the two axes of the image": fold(channels="B[j, i, a, b] * A[i, :, ::-1]"),
        "forgets all channels but one": fold(channels="(i == 0) * B[j, i, a, b] * A[i]"),
        "has kernels one too large": fold(size="s + x, t + y"),
        "sums the second kernel": fold(channels="B[j, i].sum() * A[i] / (x * y)"),
        "multiplies kernels entry by entry": """
def fold(A, B):
    q, p = B.shape[0], A.shape[1]
    K = np.zeros((q, p, A.shape[2] + B.shape[2] - 1, A.shape[3] + B.shape[3] - 1))
    s, t = min(A.shape[2], B.shape[2]), min(A.shape[3], B.shape[3])
    K[:, :, :s, :t] = np.einsum("qcst,cpst->qpst", B[:, :, :s, :t], A[:, :, :s, :t])
    return K
""",
        "is right for kernels of one pixel": """
def fold(A, B):
    return np.einsum("qc,cpst->qpst", B[:, :, 0, 0], A)
""",
        "swaps the layers": """
def fold(A, B):
    K = np.zeros((B.shape[0], A.shape[1], A.shape[2] + B.shape[2] - 1, A.shape[3] + B.shape[3] - 1))
    for a in range(B.shape[2]):
        for b in range(B.shape[3]):
            K[:, :, a : a + A.shape[2], b : b + A.shape[3]] += np.einsum("cq,cpst->qpst", B[..., a, b].T[::-1], A)
    return K
""",
    },
    "ps10-decayed": {
        "takes the nuclear norm at every depth": """
def decayed(Y, lam, depth):
    U, values, Vt = np.linalg.svd(Y, full_matrices=False)
    return (U * np.maximum(values - lam, 0)) @ Vt
""",
        "takes weight decay on one matrix": "def decayed(Y, lam, depth):\n    return Y / (1 + lam)",
        "forgets to compare with zero": decayed(zero="False"),
        "cuts where nothing has to be cut": decayed(values="np.where(values < 0.5 * values[0], 0, values)"),
        "forgets the two of the penalty": decayed(lam="2 * lam"),
        "takes half of the penalty": decayed(lam="0.5 * lam"),
        "divides the penalty by the depth": decayed(lam="(lam / N)"),
        "takes the exponent one over N": decayed(power="1 / N"),
        "stops after one step": """
def decayed(Y, lam, depth):
    U, values, Vt = np.linalg.svd(Y, full_matrices=False)
    some = np.where(values > 0, values, 1)
    return (U * np.maximum(values - lam * some ** (2 / depth - 1), 0)) @ Vt
""",
        "cuts hard": """
def decayed(Y, lam, depth):
    U, values, Vt = np.linalg.svd(Y, full_matrices=False)
    keep = values**2 / 2 > lam * depth / 2 * values ** (2 / depth)
    return (U * values * keep) @ Vt
""",
    },
    "ps10-race": {
        "forgets the one half of the loss": race(loss="np.mean(e**2)"),
        "sums the loss": race(loss="0.5 * np.sum(e**2)"),
        "counts from one": race(count="k + 1"),
        "takes the product of the mean gains": race(mean="(W2**2).sum() / 10 * (W1**2).sum() / 6"),
        "divides by the inner width": race(mean="((W2**2).sum() + (W1**2).sum()) / 12"),
        "takes spectral norms": race(mean="np.linalg.norm(W2, 2) ** 2 + np.linalg.norm(W1, 2) ** 2"),
        "starts at the original": race(start="W"),
        "leaves the last layer as it is": race(top="0.5 * eta"),
        "forgets the derivative of tanh": race(slope="(1 - 0.5 * h**2)"),
        "has another order": race(order="0, 3, 2, 1"),
        "trains one factor alone": race(ahead="0"),
        "scales the steps of the original": race(order="0, 1, 0, 3"),
    },
}
