"""Right and wrong answers to problem set 7."""

BANNED = {
    "ps7-erank": ["effective_rank"],
    "ps7-speeds": ["precondition", "apply", "end_to_end_flow", "gradient_flow", "end_to_end_step"],
}


def erank(values="np.linalg.svd(W, compute_uv=False)", total="s.sum()", answer="np.exp(-np.sum(p * np.log(p)))"):
    return f"""
def erank(W):
    s = {values}
    s = s[s > 0]
    p = s / {total}
    return {answer}
"""


def speeds(speed, pulls="np.diag(U.T @ G @ Vt.T)"):
    return f"""
def speeds(W, G, depth):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    c = {pulls}
    N = depth
    return {speed}
"""


def second(
    one="s2 + alpha * (x - s1)",
    two="s2 * (x / s1) ** alpha",
    more="(s2**-p + alpha * (x**-p - s1**-p)) ** (-1 / p)",
    p="1 - 2 / N",
):
    return f"""
def second_value(sigma1, s1, s2, alpha, depth):
    x, N = np.asarray(sigma1), depth
    if N == 1:
        return {one}
    if N == 2:
        return {two}
    p = {p}
    return {more}
"""


def halfway(
    *,
    start="1e-3",
    depths="(1, 2, 3)",
    level="1",
    measure="np.exp(-np.sum(p * np.log(p)))",
    tends="[False, True, True]",
):
    return f"""
from scipy.integrate import solve_ivp

phi = np.array([2, 1, 0.5])
eranks = []
for N in {depths}:
    arrived = lambda t, s: s[0] - {level}
    arrived.terminal = True
    field = lambda t, s: N * np.abs(s) ** (2 - 2 / N) * (phi - s)
    s = solve_ivp(field, (0, 500), [{start}] * 3, events=arrived, rtol=1e-9, atol=1e-12).y[:, -1]
    p = s / s.sum()
    eranks.append({measure})
tends_to_one = {tends}
"""


def turning(
    *,
    power="2 / depth",
    gap="p[q] - p[r]",
    left="s[q] * C[r, q] + s[r] * C[q, r]",
    right="s[r] * C[r, q] + s[q] * C[q, r]",
    sign="-",
    answer="U @ A, V @ B",
):
    return f"""
def turning(U, sigma, V, G, depth):
    n, s, C = len(sigma), sigma, U.T @ G @ V
    p = s ** ({power})
    A, B = np.zeros((n, n)), np.zeros((n, n))
    for r in range(n):
        for q in range(n):
            if r != q:
                A[r, q] = {sign}({left}) / ({gap})
                B[r, q] = {sign}({right}) / ({gap})
    return {answer}
"""


RIGHT = {
    "ps7-erank": [
        """
from scipy.stats import entropy


def erank(W):
    return np.exp(entropy(np.linalg.svd(W, compute_uv=False)))
""",
        """
def erank(W):
    from scipy.special import xlogy

    s = np.linalg.svd(W)[1]
    total = sum(s)
    return total / np.exp(xlogy(s, s).sum() / total)
""",
        """
def erank(W):
    from scipy.stats import entropy

    return np.e ** entropy(np.linalg.svd(W, compute_uv=False))
""",
    ],
    "ps7-speeds": [
        speeds("-N * (s**2) ** (1 - 1 / N) * c"),
        """
def speeds(W, G, depth):
    # By the end-to-end dynamics: W' = -sum over j of (W W^T)^((N - j) / N) G (W^T W)^((j - 1) / N).
    U, s, Vt = np.linalg.svd(W)
    left, right = np.zeros(len(U)), np.zeros(len(Vt))
    left[: len(s)] = right[: len(s)] = s
    H = U.T @ G @ Vt.T
    velocity = np.zeros(W.shape)
    for j in range(1, depth + 1):
        velocity -= left[:, None] ** (2 * (depth - j) / depth) * H * right ** (2 * (j - 1) / depth)
    return np.array([velocity[r, r] for r in range(len(s))])
""",
    ],
    "ps7-second-value": [
        second(),
        """
def second_value(sigma1, s1, s2, alpha, depth):
    def h(s):
        return np.log(s) if depth == 2 else s ** (2 / depth - 1) / (2 / depth - 1)

    z = h(s2) + alpha * (h(np.asarray(sigma1, float)) - h(s1))
    return np.exp(z) if depth == 2 else (z * (2 / depth - 1)) ** (1 / (2 / depth - 1))
""",
    ],
    "ps7-halfway": [
        halfway(),
        """
target, start, eranks = Phi, 1e-3 * U @ V.T, []
loss = lnn.LeastSquares(lnn.Everything(target.shape), target.ravel())
for N in (1, 2, 3):
    path = lnn.gradient_descent(lnn.initial.balanced(start, (3,) * N + (5,)), loss, 0.002, 8000, every=2)
    k = np.searchsorted(path.singular_values[:, 0], 1)
    eranks.append(float(lnn.effective_rank(path.singular_values[k])))
tends_to_one = np.array([False, True, True])
""",
    ],
    "ps7-turning": [
        turning(),
        """
def turning(U, sigma, V, G, depth):
    # the velocity of W in its singular vectors, and a system of two equations for each pair of them
    n, C = len(sigma), U.T @ G @ V
    M = np.zeros((n, n))
    for j in range(1, depth + 1):
        M -= np.outer(sigma ** (2 * (depth - j) / depth), sigma ** (2 * (j - 1) / depth)) * C
    A, B = np.zeros((n, n)), np.zeros((n, n))
    for r in range(n):
        for q in range(r):
            a, b = sigma[r], sigma[q]
            A[r, q], B[r, q] = np.linalg.solve([[b, -a], [-a, b]], [M[r, q], M[q, r]])
    return [U @ (A - A.T), V @ (B - B.T)]
""",
    ],
}

WRONG = {
    "ps7-erank": {
        "drops small values, whatever the scale": """
def erank(W):
    s = np.linalg.svd(W)[1]
    s = s[s > 1e-6]
    p = s / s.sum()
    return np.exp(-np.sum(p * np.log(p)))
""",
        "drops small shares": """
def erank(W):
    s = np.linalg.svd(W)[1]
    p = s / s.sum()
    p = p[p > 1e-3]
    return np.exp(-np.sum(p * np.log(p)))
""",
        "takes squares": erank(values="np.linalg.svd(W, compute_uv=False) ** 2"),
        "takes eigenvalues of the Gram matrix": erank(values="np.maximum(np.linalg.eigvalsh(W.T @ W), 0)"),
        "returns the entropy": erank(answer="-np.sum(p * np.log(p))"),
        "mixes two logarithms": erank(answer="np.exp(-np.sum(p * np.log2(p)))"),
        "divides by the Frobenius norm": erank(total="np.linalg.norm(s)"),
        "does not normalize": erank(total="1.0"),
        "lets nan through": """
def erank(W):
    s = np.linalg.svd(W, compute_uv=False)
    p = s / s.sum()
    return np.exp(-np.sum(p * np.log(p)))
""",
        "adds a constant under the logarithm": erank(answer="np.exp(-np.sum(p * np.log(p + 1e-3)))"),
        "returns the stable rank": erank(answer="(s**2).sum() / s.max() ** 2"),
        "returns the rank": erank(answer="float(np.linalg.matrix_rank(W))"),
        "returns the ratio of two norms": erank(answer="s.sum() / s.max()"),
        "calls the package": erank(answer="float(lnn.effective_rank(s))"),
    },
    "ps7-speeds": {
        "lets every value fall": """
def speeds(W, G, depth):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return -depth * s ** (2 - 2 / depth) * np.abs(np.einsum("ir,ij,rj->r", U, G, Vt))
""",
        "sums over all pairs of singular vectors": """
def speeds(W, G, depth):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return -depth * s ** (2 - 2 / depth) * np.sum(U.T @ G @ Vt.T, axis=1)
""",
        "forgets N": speeds("-(s ** (2 - 2 / N)) * c"),
        "forgets the sign": speeds("N * s ** (2 - 2 / N) * c"),
        "takes half of the exponent": speeds("-N * s ** (1 - 1 / N) * c"),
        "takes twice the exponent": speeds("-N * s ** (4 - 4 / N) * c"),
        "counts one layer too few": speeds("-max(N - 1, 1) * s ** (2 - 2 / max(N - 1, 1)) * c"),
        "counts one layer too many": speeds("-(N + 1) * s ** (2 - 2 / (N + 1)) * c"),
        "takes the rule of depth two": speeds("-N * s ** (1 if N > 1 else 0) * c"),
        "forgets the singular values": speeds("-N * c"),
        "takes singular values of the gradient": speeds(
            "-N * s ** (2 - 2 / N) * c", pulls="np.linalg.svd(G, compute_uv=False)"
        ),
        "takes rows for columns": speeds(
            "-N * s ** (2 - 2 / N) * c", pulls="np.diag(U[: len(s)] @ G[: len(s)] @ Vt.T)"
        ),
        "sorts the speeds": speeds("np.sort(-N * s ** (2 - 2 / N) * c)"),
        "goes from the smallest to the largest": speeds("(-N * s ** (2 - 2 / N) * c)[::-1]"),
        "calls the package": speeds("-np.diag(U.T @ lnn.precondition(W, G, N) @ Vt.T)"),
    },
    "ps7-second-value": {
        "comes near depth two and is not there": """
def second_value(x, s1, s2, alpha, depth):
    p = 2 / depth - 1 + 1e-3
    return (s2**p + alpha * (x**p - s1**p)) ** (1 / p)
""",
        "takes the line at every depth": second(two="s2 + alpha * (x - s1)", more="s2 + alpha * (x - s1)"),
        "takes the power at every depth beyond one": second(more="s2 * (x / s1) ** alpha"),
        "forgets the pulls at the start": second(more="(s2**-p + alpha * x**-p - s1**-p) ** (-1 / p)"),
        "takes the exponent of the speed": second(p="2 - 2 / N"),
        "forgets the sign of the exponent": second(more="(s2**p + alpha * (x**p - s1**p)) ** (1 / p)"),
        "exchanges the starts": second(two="s1 * (x / s2) ** alpha"),
        "draws a line through the origin": second(one="s2 + alpha * x"),
        "inverts the ratio": second(two="s2 * (x / s1) ** (1 / alpha)"),
        "takes one layer too many": second(p="1 - 2 / (N + 1)"),
        "forgets the outer power": second(more="s2**-p + alpha * (x**-p - s1**-p)"),
        "answers for a single number": """
def second_value(sigma1, s1, s2, alpha, depth):
    import math

    if depth == 2:
        return s2 * math.pow(sigma1 / s1, alpha)
    p = 1 - 2 / depth
    return math.pow(s2**-p + alpha * (math.pow(sigma1, -p) - s1**-p), -1 / p)
""",
    },
    "ps7-halfway": {
        "starts with the layers at epsilon": halfway(start="1e-3 ** N"),
        "starts with larger values": halfway(start="1e-2"),
        "takes depths two to four": halfway(depths="(2, 3, 4)"),
        "waits for the end": halfway(level="1.95"),
        "waits for half of the last value": halfway(level="0.25"),
        "measures the stable rank": halfway(measure="(s**2).sum() / s.max() ** 2"),
        "measures the entropy": halfway(measure="max(1.0, -np.sum(p * np.log(p)))"),
        "takes squares for shares": halfway(measure="np.exp(-np.sum((q := s**2 / (s @ s)) * np.log(q)))"),
        "believes small starts to do it at every depth": halfway(tends="[True, True, True]"),
        "believes that depth three is needed": halfway(tends="[False, False, True]"),
        "believes that no depth does it": halfway(tends="[False, False, False]"),
    },
    "ps7-turning": {
        "climbs": turning(sign="+"),
        "takes the squares of the singular values": turning(power="2"),
        "takes the roots": turning(power="1 / depth"),
        "has the gap the other way round": turning(gap="p[r] - p[q]"),
        "stays in the frame of the vectors": turning(answer="A, B"),
        "exchanges U and V": turning(answer="U @ B, V @ A"),
        "forgets the second term": turning(left="s[q] * C[r, q]", right="s[r] * C[r, q]"),
        "forgets the transpose": turning(left="(s[q] + s[r]) * C[r, q]", right="(s[q] + s[r]) * C[r, q]"),
        "weights with the wrong value": turning(left="s[r] * C[r, q] + s[q] * C[q, r]"),
        "is right at depth two": turning(power="1"),
    },
}
