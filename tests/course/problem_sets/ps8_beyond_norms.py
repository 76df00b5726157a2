"""Right and wrong answers to problem set 8."""

BANNED = {
    "ps8-schatten": ["schatten", "nuclear_norm"],
    "ps8-determinant-speed": ["precondition", "apply", "end_to_end_flow", "gradient_flow", "end_to_end_step"],
}


def schatten(
    answer, values="np.linalg.svd(W, compute_uv=False)", largest="s.max()", cut="1e-13 * s.max()", unit="s.max()"
):
    return f"""
def schatten(W, p):
    s = {values}
    if np.isinf(p) or not s.any():
        return {largest}
    top = {unit}
    s = s[s > {cut}] / top
    return top * ({answer})
"""


def bound(
    *,
    loss="((b - 1) ** 2 + (c - 1) ** 2 + d**2) / 2",
    sign="a * d > b * c",
    value="1 / (2 * loss) - 2",
    root="max(square, 0) ** 0.5",
):
    return f"""
def entry_bound(W):
    a, b, c, d = W.ravel()
    loss = {loss}
    square = {value}
    return {root} if {sign} else 0.0
"""


def rank(
    *,
    level="0.25",
    q="min(0.5, 2 * loss / np.sqrt(1 - 4 * loss))",
    answer="np.exp(h)",
    h="-q * np.log(q) - (1 - q) * np.log(1 - q)",
):
    return f"""
def rank_bound(loss):
    if loss >= {level}:
        return 2.0
    q = {q}
    h = {h}
    return {answer}
"""


def speed(answer, power="1 - 2 / N", P="(U * s**power) @ Vt"):
    return f"""
def determinant_speed(W, G, depth):
    U, s, Vt = np.linalg.svd(W)
    N, det = depth, np.linalg.det(W)
    power = {power}
    P = {P}
    return {answer}
"""


def five(
    *,
    widths="(2, 2, 2, 2)",
    stop="0.1",
    mask="[[False, True], [True, True]]",
    values="[1.0, 1.0, 0.0]",
    entry="abs(W[0, 0])",
    grows="[True, False, True, False, True]",
):
    return f"""
loss = lnn.LeastSquares(lnn.Entries(np.array({mask})), np.array({values}))
entries = []
for start in starts:
    W = lnn.gradient_flow(lnn.initial.balanced(start, {widths}), loss, [0.0, 200.0], stop={stop}).end_to_end[-1]
    entries.append({entry})
grows = {grows}
"""


RIGHT = {
    "ps8-schatten": [
        """
def schatten(W, p):
    if W.shape[0] > W.shape[1]:
        return schatten(W.T, p)
    s = np.linalg.svd(W)[1]
    if np.isinf(p) or s[0] == 0:
        return max(s)
    return s[0] * sum((x / s[0]) ** p for x in s[: np.linalg.matrix_rank(W)]) ** (1 / p)
""",
        schatten("np.linalg.norm(s, p)"),
        """
from scipy.special import logsumexp


def schatten(W, p):
    s = np.linalg.svd(W)[1]
    s = s[s > 1e-13 * s[0]]
    if not s.size:
        return 0.0
    return s[0] if p == np.inf else np.exp(logsumexp(p * np.log(s)) / p)
""",
    ],
    "ps8-entry-bound": [
        bound(),
        """
def entry_bound(W):
    if np.linalg.det(W) <= 0:
        return 0.0
    target = np.array([[W[0, 0], 1.0], [1.0, 0.0]])
    r = np.linalg.norm(W - target)
    return 0.0 if r * r >= 0.5 else np.sqrt(1 - 2 * r**2) / r
""",
    ],
    "ps8-rank-bound": [
        rank(),
        """
def rank_bound(loss):
    from scipy.stats import entropy

    if 4 * loss >= 1:
        return 2.0
    q = np.minimum(2 * loss / (1 - 4 * loss) ** 0.5, 1 / 2)
    return np.exp(entropy([q, 1 - q]))
""",
    ],
    "ps8-determinant-speed": [
        """
def determinant_speed(W, G, depth):
    U, s, Vt = np.linalg.svd(W)
    V = -sum(
        (U * s ** (2 * (depth - j) / depth)) @ U.T @ G @ (Vt.T * s ** (2 * (j - 1) / depth)) @ Vt
        for j in range(1, depth + 1)
    )
    d = len(W)
    C = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            C[i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(W, i, 0), j, 1)) if d > 1 else 1.0
    return np.sum(C * V)
""",
        speed("-N * det * np.trace(P.T @ G)"),
        """
def determinant_speed(W, G, depth):
    # The derivative of a determinant is the inner product with the cofactors, here of W' by the end-to-end dynamics.
    U, s, Vt = np.linalg.svd(W)
    H = U.T @ G @ Vt.T
    V = np.zeros(H.shape)
    for j in range(1, depth + 1):
        V -= (s ** (2 * (depth - j) / depth))[:, None] * H * s ** (2 * (j - 1) / depth)
    cofactors = np.array([np.prod(np.delete(s, r)) for r in range(len(s))])
    return np.linalg.det(U) * np.linalg.det(Vt) * (cofactors @ np.diag(V))
""",
    ],
    "ps8-starts": [
        five(),
        """
P = np.array([[0.0, 1.0], [1.0, 0.0]])
entries, grows = [], []
for start in starts:
    W1, W2, W3 = lnn.initial.balanced(start, (2, 2, 2, 2))
    for step in range(10**6):
        R = (W3 @ W2 @ W1 - P) * np.array([[0, 1], [1, 1]])
        if (R**2).sum() <= 0.2:
            break
        slopes = (W3 @ W2).T @ R, W3.T @ R @ W1.T, R @ (W2 @ W1).T
        W1, W2, W3 = [W - 1e-3 * D for W, D in zip((W1, W2, W3), slopes)]
    entries.append(np.abs((W3 @ W2 @ W1)[0, 0]))
    grows.append(start[0, 0] * start[1, 1] > start[0, 1] * start[1, 0])
""",
    ],
}

WRONG = {
    "ps8-schatten": {
        "adds up powers of entries": "def schatten(W, p):\n    return np.linalg.norm(W.ravel(), p)\n",
        "takes singular values squared": schatten("np.sum(s ** (2 * p)) ** (1 / p)"),
        "forgets the root": schatten("np.sum(s**p) if p != 2 else np.sqrt(np.sum(s**p))"),
        "divides by the number of values": schatten("np.mean(s**p) ** (1 / p)"),
        "takes the root before the sum": schatten("np.sum((s**p) ** (1 / p))"),
        "leaves the range of numbers": schatten("np.sum(s**p) ** (1 / p)", unit="1.0"),
        "counts errors of rounding": schatten("np.sum(s**p) ** (1 / p)", cut="0"),
        "cuts below a fixed number": schatten("np.sum(s**p) ** (1 / p)", cut="1e-10"),
        "cuts too much": schatten("np.sum(s**p) ** (1 / p)", cut="1e-5 * s.max()"),
        "knows no infinity": "def schatten(W, p):\n    return np.sum(np.linalg.svd(W)[1] ** p) ** (1 / p)\n",
        "takes eigenvalues": schatten(
            "np.sum(s**p) ** (1 / p)", values="np.abs(np.linalg.eigvals(W[: min(W.shape), : min(W.shape)]))"
        ),
        "takes eigenvalues of the Gram matrix": schatten(
            "np.sum(s**p) ** (1 / p)", values="np.linalg.eigvalsh(W @ W.T if len(W) < len(W.T) else W.T @ W)"
        ),
        "believes norms to begin at one": schatten("np.sum(s ** max(p, 1)) ** (1 / max(p, 1))"),
        "takes the smallest value at infinity": schatten("np.sum(s**p) ** (1 / p)", largest="s.min()"),
        "calls the package": schatten("float(lnn.schatten(s, p))"),
    },
    "ps8-entry-bound": {
        "forgets the sign of the determinant": bound(sign="True"),
        "is content with a determinant of zero": bound(sign="a * d >= b * c"),
        "asks for a negative determinant": bound(sign="a * d < b * c"),
        "forgets the half of the loss": bound(loss="(b - 1) ** 2 + (c - 1) ** 2 + d**2"),
        "forgets the root": bound(root="max(square, 0)"),
        "lets nan through": bound(root="np.sqrt(square)"),
        "forgets the two": bound(value="1 / (2 * loss)"),
        "counts the hidden entry": bound(loss="(a**2 + (b - 1) ** 2 + (c - 1) ** 2 + d**2) / 2"),
        "observes zeros off the diagonal": bound(loss="(b**2 + c**2 + d**2) / 2"),
        "expects a one in the corner": bound(loss="((b - 1) ** 2 + (c - 1) ** 2 + (d - 1) ** 2) / 2"),
        "takes the bound of part two": bound(value="max(1 / np.sqrt(2 * loss) - 2**0.5, 0) ** 2"),
        "asks for a positive hidden entry": bound(sign="a * d > b * c and a > 0"),
        "returns the entry": "def entry_bound(W):\n    return abs(W[0, 0]) if np.linalg.det(W) > 0 else 0.0\n",
    },
    "ps8-rank-bound": {
        "returns the entropy": rank(answer="h"),
        "mixes two logarithms": rank(h="-q * np.log2(q) - (1 - q) * np.log2(1 - q)"),
        "forgets one half of the entropy": rank(h="-q * np.log(q)"),
        "forgets the root": rank(q="min(0.5, 2 * loss / (1 - 4 * loss))"),
        "forgets the denominator": rank(q="2 * loss"),
        "does not stop at one half": rank(q="min(1 - 1e-12, 2 * loss / np.sqrt(1 - 4 * loss))"),
        "takes the root of the loss": rank(q="min(0.5, np.sqrt(2 * loss))"),
        "gives up too early": rank(level="0.125"),
        "takes the bound of a positive hidden entry": rank(q="min(0.5, loss / np.sqrt(1 - 4 * loss))"),
        "loses the digits of small numbers": rank(q="min(0.5, 2 * loss / np.sqrt(1 - 4 * loss) + 1e-9)"),
        "takes the first order": rank(answer="1 + h"),
        "forgets the case of a large loss": rank(level="10", q="np.minimum(0.5, 2 * loss / np.sqrt(1 - 4 * loss))"),
    },
    "ps8-determinant-speed": {
        "forgets N": speed("-det * np.sum(P * G)"),
        "forgets the determinant": speed("-N * np.sum(P * G)"),
        "forgets the sign of the determinant": speed("-N * abs(det) * np.sum(P * G)"),
        "forgets the sign": speed("N * det * np.sum(P * G)"),
        "takes the rule of depth two": speed("-N * det * np.sum(P * G)", power="0"),
        "takes the exponent of the speeds": speed("-N * det * np.sum(P * G)", power="2 - 2 / N"),
        "takes half of the exponent": speed("-N * det * np.sum(P * G)", power="0.5 - 1 / N"),
        "takes W for its orthogonal factor": speed("-N * det * np.sum(W * G)"),
        "transposes the gradient": speed("-N * det * np.sum(P * G.T)"),
        "does not transpose the factor": speed("-N * det * np.sum(P * G)", P="(U * s**power) @ Vt.T"),
        "goes without layers": speed("-det * np.trace(np.linalg.solve(W, G))"),
        "divides by zero": """
def determinant_speed(W, G, depth):
    U, s, Vt = np.linalg.svd(W)
    V = -depth * s ** (2 - 2 / depth) * np.diag(U.T @ G @ Vt.T)
    s = np.where(s < 1e-12, 0, s)
    return np.linalg.det(W) * np.sum(V / s)
""",
        "calls the package": """
def determinant_speed(W, G, depth):
    return -np.linalg.det(W) * np.trace(np.linalg.pinv(W) @ lnn.precondition(W, G, depth))
""",
    },
    "ps8-starts": {
        "takes depth two": five(widths="(2, 2, 2)"),
        "stops at a hundredth": five(stop="0.01"),
        "stops at a loss without its half": five(stop="0.05"),
        "hides the other corner": five(mask="[[True, True], [True, False]]", values="[0.0, 1.0, 1.0]"),
        "observes the wrong values": five(values="[1.0, 1.0, 1.0]"),
        "measures another entry": five(entry="abs(W[1, 1])"),
        "measures the spectral norm": five(entry="np.linalg.norm(W, 2)"),
        "computes the bound": five(entry="np.sqrt(3.0) if np.linalg.det(start) > 0 else abs(W[0, 0])"),
        "believes all norms to grow": five(grows="[True] * 5"),
        "looks at the trace": five(grows="[bool(np.trace(W) > 0) for W in starts]"),
        "looks at the hidden entry": five(grows="[bool(W[0, 0] > 0) for W in starts]"),
        "believes norms to be minimized": five(grows="[False] * 5"),
    },
}
