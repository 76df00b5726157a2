"""Right and wrong answers to problem set 6."""

BANNED = {
    "ps6-sense": ["Products"],
    "ps6-completion": ["Entries", "LeastSquares"],
    "ps6-shrink": ["shrink", "nuclear", "minimize"],
    "ps6-gap": ["nuclear", "nuclear_norm", "schatten", "minimize"],
}


def sense(values, matrix):
    return f"def sense(A, W, z):\n    return {values}, {matrix}\n"


def completion(loss, gradient, seen="~np.isnan(table)"):
    return f"""
def completion(W, table):
    filled = np.nan_to_num(table)
    seen = {seen}
    return {loss}, {gradient}
"""


def shrink(values, product="(U * values) @ Vt"):
    return f"""
def shrink(M, tau):
    U, values, Vt = np.linalg.svd(M, full_matrices=False)
    values = {values}
    return {product}
"""


def gap(
    *,
    check="np.linalg.norm(seen - y) > 1e-8 * np.linalg.norm(y)",
    size="np.linalg.norm(image, 2)",
    scaled="z / max(1, size)",
    norm="np.linalg.norm(W, 'nuc')",
    value="norm - scaled @ y",
):
    return f"""
def duality_gap(A, y, W, z):
    seen = np.array([np.sum(a * W) for a in A])
    if {check}:
        raise ValueError
    image = sum(c * a for c, a in zip(z, A))
    size = {size}
    scaled = {scaled}
    norm = {norm}
    return {value}
"""


def limits(
    two=2, three=3, start="0.5", times="[0.0, 100.0]", smallest="[14 / 15, 0.0, 1 / 15]", second="diag([1.0, 2.0, 4.0])"
):
    return f"""
measure = lnn.Products(np.array([np.eye(3), np.{second}]))
loss = lnn.LeastSquares(measure, np.array([1.0, 1.2]))
limit2 = np.diag(lnn.gradient_flow([{start} * np.eye(3)] * {two}, loss, {times}).end_to_end[-1])
limit3 = np.diag(lnn.gradient_flow([{start} * np.eye(3)] * {three}, loss, {times}).end_to_end[-1])
smallest = {smallest}
"""


RIGHT = {
    "ps6-sense": [
        sense("np.einsum('kmn,mn->k', A, W)", "np.einsum('kmn,k->mn', A, z)"),
        """
def sense(A, W, z):
    values, matrix = [], np.zeros(W.shape)
    for a, c in zip(A, z):
        values.append(np.trace(a.T @ W))
        matrix += c * a
    return values, matrix
""",
    ],
    "ps6-completion": [
        """
def completion(W, table):
    m = np.ma.masked_invalid(table)
    R = W - m
    return float(0.5 * (R**2).sum()), R.filled(0)
""",
        completion("0.5 * np.sum((W - table)[seen] ** 2)", "seen * (W - filled)"),
        """
def completion(W, table):
    loss, gradient = 0.0, np.zeros_like(W)
    for place in np.ndindex(*W.shape):
        if table[place] == table[place]:
            gradient[place] = W[place] - table[place]
            loss += gradient[place] ** 2 / 2
    return loss, gradient
""",
    ],
    "ps6-shrink": [
        """
def shrink(M, tau):
    U, values, Vt = np.linalg.svd(M)
    X = np.zeros(M.shape)
    for s, u, v in zip(values, U.T, Vt):
        if s > tau:
            X += (s - tau) * np.outer(u, v)
    return X
""",
        """
def shrink(M, tau):
    if M.shape[0] > M.shape[1]:
        values, V = np.linalg.eigh(M.T @ M)
        s = np.sqrt(np.maximum(values, 1e-300))
        return M @ (V * np.clip(1 - tau / s, 0, 1)) @ V.T
    values, U = np.linalg.eigh(M @ M.T)
    s = np.sqrt(np.maximum(values, 1e-300))
    return (U * np.clip(1 - tau / s, 0, 1)) @ U.T @ M
""",
    ],
    "ps6-gap": [
        gap(),
        """
def duality_gap(A, y, W, z):
    rows = A.reshape(len(A), -1)
    if np.abs(rows @ W.ravel() - y).max() > 1e-8 * np.abs(y).max():
        raise ValueError("no solution")
    top = np.sqrt(np.linalg.eigvalsh((z @ rows).reshape(W.shape) @ (z @ rows).reshape(W.shape).T)[-1])
    if top > 1:
        z = z / top
    gram = W.T @ W if W.shape[0] > W.shape[1] else W @ W.T
    return np.sqrt(np.clip(np.linalg.eigvalsh(gram), 0, None)).sum() - np.dot(z, y)
""",
    ],
    "ps6-limits": [
        limits(start="0.3"),
        """
from scipy.integrate import solve_ivp

B = np.array([[1.0, 1, 1], [1, 2, 4]])
limit2, limit3 = [
    solve_ivp(
        lambda t, v: -N * np.abs(v) ** (2 - 2 / N) * (B.T @ (B @ v - [1, 1.2])),
        (0, 2000), [0.5**N] * 3, method="LSODA", rtol=1e-9, atol=1e-12,
    ).y[:, -1]
    for N in (2, 3)
]
smallest = np.array([14, 0, 1]) / 15
""",
    ],
}

WRONG = {
    "ps6-sense": {
        "multiplies the matrices": sense(
            "np.array([np.trace(a @ W.reshape(W.shape[::-1])) for a in A])", "np.tensordot(z, A, 1)"
        ),
        "adds up over the wrong axes": sense("(A * W).sum(axis=(0, 1))", "np.tensordot(z, A, 1)"),
        "takes the mean over the measurements": sense(
            "np.einsum('kmn,mn->k', A, W)", "np.einsum('kmn,k->mn', A, z) / len(z)"
        ),
        "takes the mean over the entries": sense("(A * W).mean(axis=(1, 2))", "np.tensordot(z, A, 1)"),
        "forgets the weights": sense("np.einsum('kmn,mn->k', A, W)", "A.sum(axis=0) * z[0]"),
        "returns a flat adjoint": sense("np.einsum('kmn,mn->k', A, W)", "z @ A.reshape(len(z), -1)"),
        "returns the transpose": sense("np.einsum('kmn,mn->k', A, W)", "np.einsum('kmn,k->nm', A, z)"),
        "takes the pseudo-inverse for the adjoint": sense(
            "np.einsum('kmn,mn->k', A, W)", "(np.linalg.pinv(A.reshape(len(A), -1)) @ z).reshape(W.shape)"
        ),
        "reads the entries column by column": sense(
            "A.reshape(len(A), -1) @ W.ravel(order='F')", "np.einsum('kmn,k->mn', A, z)"
        ),
        "calls the package": sense("lnn.Products(A)(W)", "lnn.Products(A).adjoint(z)"),
    },
    "ps6-completion": {
        "lets nan through": completion("0.5 * np.nansum((W - table) ** 2)", "W - table"),
        "multiplies nan by zero": completion("0.5 * np.nansum((W - table) ** 2)", "seen * (W - table)"),
        "takes hidden entries for zeros": completion("0.5 * np.sum((W - filled) ** 2)", "W - filled"),
        "forgets the half": completion("np.sum(seen * (W - filled) ** 2)", "seen * (W - filled)"),
        "keeps the factor two in the gradient": completion(
            "0.5 * np.sum(seen * (W - filled) ** 2)", "2 * seen * (W - filled)"
        ),
        "takes the mean": completion("0.5 * np.mean((W - table)[seen] ** 2)", "seen * (W - filled) / seen.sum()"),
        "takes observed zeros for hidden": completion(
            "0.5 * np.sum(seen * (W - filled) ** 2)", "seen * (W - filled)", seen="(filled != 0)"
        ),
        "returns the descent direction": completion("0.5 * np.sum(seen * (W - filled) ** 2)", "seen * (filled - W)"),
        "returns observed entries only": completion("0.5 * np.sum(seen * (W - filled) ** 2)", "(W - table)[seen]"),
        "fills the table": """
def completion(W, table):
    hidden = np.isnan(table)
    table[hidden] = W[hidden]
    return 0.5 * np.sum((W - table) ** 2), W - table
""",
        "calls the package": """
def completion(W, table):
    seen = ~np.isnan(table)
    loss = lnn.LeastSquares(lnn.Entries(seen), table[seen])
    return loss(W), loss.gradient(W)
""",
    },
    "ps6-shrink": {
        "shrinks all values by the same factor": """
def shrink(M, tau):
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return (U * np.maximum(s * (1 - tau / s[0]), 0)) @ Vt
""",
        "thresholds hard": shrink("np.where(values > tau, values, 0)"),
        "lets singular values become negative": shrink("values - tau"),
        "shrinks the entries": "def shrink(M, tau):\n    return np.sign(M) * np.maximum(np.abs(M) - tau, 0)\n",
        "shrinks squares": shrink("np.sqrt(np.maximum(values**2 - tau, 0))"),
        "shrinks by twice the threshold": shrink("np.maximum(values - 2 * tau, 0)"),
        "scales all values alike": shrink("values * max(1 - tau / values[0], 0)"),
        "does not transpose": shrink("np.maximum(values - tau, 0)", product="(U * values) @ Vt.T"),
        "returns singular values": shrink("np.maximum(values - tau, 0)", product="values"),
        "multiplies the wrong side": shrink("np.maximum(values - tau, 0)", product="(U.T * values).T @ Vt"),
        "removes what is large": shrink("np.minimum(values, tau)"),
        "calls the package": shrink("lnn.shrink(values, tau)"),
    },
    "ps6-gap": {
        "refuses only what is far off": """
def duality_gap(A, y, W, z):
    if np.linalg.norm(np.tensordot(A, W, 2) - y) > 0.05 * np.linalg.norm(y):
        raise ValueError
    t = np.linalg.norm(np.tensordot(z, A, 1), 2)
    return np.linalg.norm(W, "nuc") - z @ y / max(1, t)
""",
        "takes the absolute value of the bound": """
def duality_gap(A, y, W, z):
    if np.linalg.norm(np.tensordot(A, W, 2) - y) > 1e-8 * np.linalg.norm(y):
        raise ValueError
    t = np.linalg.norm(np.tensordot(z, A, 1), 2)
    return np.linalg.norm(W, "nuc") - abs(z @ y) / max(1, t)
""",
        "does not ask for a solution": gap(check="False"),
        "asks for an exact solution": gap(check="not np.array_equal(seen, y)"),
        "asks for a sum of residuals": gap(check="np.sum(seen - y) > 1e-8 * np.linalg.norm(y)"),
        "does not ask for feasibility": gap(scaled="z"),
        "measures feasibility in the Frobenius norm": gap(size="np.linalg.norm(image)"),
        "measures the dual vector itself": gap(size="np.linalg.norm(z)"),
        "always scales to the boundary": gap(scaled="z / size if len(z) > 1 else z"),
        "takes the Frobenius norm of W": gap(norm="np.linalg.norm(W)"),
        "takes the trace of W": gap(norm="np.trace(W)"),
        "takes eigenvalues of the Gram matrix": gap(norm="np.trace(W @ W.T) if W.size > 1 else abs(W[0, 0])"),
        "returns the relative gap": gap(value="(norm - scaled @ y) / (norm if len(y) > 1 else 1)"),
        "returns the absolute value of a product": gap(value="norm - abs(scaled @ y)"),
    },
    "ps6-limits": {
        "exchanges the depths": limits(two=3, three=2),
        "takes depth two twice": limits(three=2),
        "takes depth four": limits(three=4),
        "stops too early": limits(times="[0.0, 2.0]"),
        "believes depth three to minimize the quasi-norm": limits() + "limit3 = smallest\n",
        "believes the limit to minimize the quasi-norm": limits() + "smallest = limit3\n",
        "finds the other end": limits(smallest="[0.8, 0.2, 0.0]"),
        "sorts the eigenvalues": limits() + "limit2, limit3 = np.sort(limit2), np.sort(limit3)\n",
        "ignores a constraint": limits(smallest="[1.0, 0.0, 0.0]"),
        "runs over a single layer": limits(two=1, three=1),
    },
}
