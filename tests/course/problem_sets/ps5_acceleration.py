"""Right and wrong answers to problem set 5."""


def limit(formula):
    return f"""
def step_limit(w, X, y, p):
    e = X @ w - y
    return {formula}
"""


def best(
    *,
    size="np.sqrt(y @ y)",
    power="2 - 2 / N",
    more="N - 1",
    direction="np.outer(y, y) / (y @ y)",
    values="np.sort(np.linalg.eigvals(P @ H).real)",
    eta="2 / (v[0] + v[-1])",
    K="v[-1] / v[0]",
):
    return f"""
def best_step(H, y, depth):
    N = depth
    P = {size} ** ({power}) * (np.eye(len(y)) + ({more}) * {direction})
    v = {values}
    return {eta}, {K}
"""


def unaimed(*, a="2 - 2 / N", b="p - 2", eta="k / (N * y ** (p - 2 / N))", factor="k / (2 * N)"):
    return f"""
def unaimed(y, p, depth):
    N = depth
    a, b = {a}, {b}
    k = (a + b) ** (a + b) / (a**a * b**b)
    return {eta}, {factor}
"""


def race(
    *,
    eta="r**-4.0",
    omega="2 / r**3",
    aimed="1 / (2 * omega * (r - omega) ** 4)",
    depth=2,
    level="0.5",
    errors="abs(w - y).max()",
    exponents="4, 0",
    p=6,
    count="0",
):
    return f"""
def steps(move, w, y):
    k = {count}
    while {errors} > {level} and k < 3 * 10**5:
        w, k = move(w), k + 1
    return k


def slope(w, y):
    return (w - y) ** ({p} - 1)


def deep(w, y, eta, N):
    g, size = slope(w, y), np.sqrt(w @ w)
    return w - eta * size ** (2 - 2 / N) * (g + (N - 1) * (w @ g) * w / size**2)


gd_steps, deep_steps = [], []
for r in ratios:
    y, omega = np.array([r, 1.0]), {omega}
    eta, aimed = {eta}, {aimed}
    gd_steps.append(steps(lambda w: w - eta * slope(w, y), np.zeros(2), y))
    deep_steps.append(steps(lambda w: deep(w, y, aimed, {depth}), np.array([omega, 0.0]), y))
gd_exponent, deep_exponent = {exponents}
"""


RIGHT = {
    "ps5-step-limit": [
        limit("2 * np.linalg.norm(e, np.inf) ** (2 - p)"),
        """
def step_limit(w, X, y, p):
    limits = [2 / (sum(a * b for a, b in zip(x, w)) - t) ** (p - 2) for x, t in zip(X, y)]
    return min(limits)
""",
    ],
    "ps5-best-step": [
        best(),
        """
from scipy.linalg import eigh


def best_step(H, y, depth):
    # P H x = v x says H x = v P^-1 x, with P^-1 = |y|^-a (I - (1 - 1/N) y y^T / |y|^2)
    n = y @ y
    inverse = n ** (1 / depth - 1) * (np.eye(len(y)) - (1 - 1 / depth) * np.outer(y, y) / n)
    v = eigh(H, inverse, eigvals_only=True)
    return [2 / (min(v) + max(v)), max(v) / min(v)]
""",
        """
def best_step(H, y, depth):
    # a root of P is known as well: it stretches y by the root of N
    n = np.linalg.norm(y)
    u = y / n
    root = n ** (1 - 1 / depth) * (np.eye(len(u)) + (np.sqrt(depth) - 1) * np.outer(u, u))
    v = np.linalg.svd(root @ H @ root)[1]
    return 2 / (v[0] + v[-1]), v[0] / v[-1]
""",
    ],
    "ps5-unaimed": [
        """
def unaimed(y, p, depth):
    w = (2 - 2 / depth) / (p - 2 / depth)  # where w^a (1 - w)^b is largest
    top = w ** (2 - 2 / depth) * (1 - w) ** (p - 2)
    eta = y ** (2 / depth - p) / (depth * top)
    return eta, eta * y ** (p - 2 / depth) / 2
""",
        """
from scipy.optimize import minimize_scalar


def unaimed(y, p, depth):
    top = minimize_scalar(
        lambda w: -(2 - 2 / depth) * np.log(w) - (p - 2) * np.log(1 - w), bounds=(1e-6, 1 - 1e-6), method="bounded"
    ).fun
    return np.exp(top) / depth / y ** (p - 2 / depth), np.exp(top) / depth / 2
""",
        unaimed(),
    ],
    "ps5-race": [
        race(),
        """
gd_steps = []
for r in ratios:
    u, k = 1.0, 0  # the error of the second coordinate; the first one arrives in one step
    while u > 0.5:
        u, k = u - u**5 / r**4, k + 1
    gd_steps.append(k)
deep_steps = []
for r in ratios:
    w = 2 / r**3
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([float(r), 1.0]), 6)
    path = lnn.end_to_end_descent([[w, 0.0]], loss, 2, 1 / (2 * w * (r - w) ** 4), 400)
    good = np.abs(path.end_to_end[:, 0] - [r, 1]).max(axis=1) <= 0.5
    deep_steps.append(int(np.argmax(good)))
gd_exponent = round(np.log2(gd_steps[2] / gd_steps[1]))
deep_exponent = round(np.log2(deep_steps[2] / deep_steps[1]))
""",
    ],
}

WRONG = {
    "ps5-step-limit": {
        "takes the norm of the residuals": """
def step_limit(w, X, y, p):
    return 2 / np.linalg.norm(X @ w - y) ** (p - 2)
""",
        "forgets the absolute value": """
def step_limit(w, X, y, p):
    return 2 / np.max(X @ w - y) ** (p - 2)
""",
        "takes coordinates in place of residuals": """
def step_limit(w, X, y, p):
    return 2 / np.max(np.abs(w - X.T @ y)) ** (p - 2)
""",
        "forgets the two": limit("1 / np.max(np.abs(e)) ** (p - 2)"),
        "takes the power of the gradient": limit("2 / np.max(np.abs(e)) ** (p - 1)"),
        "takes the power of the loss": limit("2 / np.max(np.abs(e)) ** p"),
        "takes the curvature for the quotient": limit("2 / ((p - 1) * np.max(np.abs(e)) ** (p - 2))"),
        "takes the smallest error": limit("2 / np.min(np.abs(e)) ** (p - 2)"),
        "takes the largest error with its sign": limit("2 / np.max(e) ** (p - 2)"),
        "takes the length of the error": limit("2 / np.linalg.norm(e) ** (p - 2)"),
        "starts at the origin": limit("2 / np.max(np.abs(y if w.size > 1 else e)) ** (p - 2)"),
        "compares in the wrong coordinates": limit("2 / np.max(np.abs(w - X.T @ y)) ** (p - 2)"),
        "takes the mean": limit("2 / np.mean(np.abs(e)) ** (p - 2)"),
    },
    "ps5-best-step": {
        "takes the largest stable step": best(eta="2 / v[-1]"),
        "takes one over the curvature": best(eta="1 / v[-1]"),
        "takes the mean of all eigenvalues": best(eta="1 / v.mean()"),
        "has the condition number of H": best(K="np.linalg.cond(H)"),
        "has the spectral radius": best(K="(v[-1] - v[0]) / (v[-1] + v[0])"),
        "takes half of the exponent": best(power="1 - 1 / N"),
        "adds N projections": best(more="N"),
        "forgets the projection": best(more="0"),
        "forgets to normalize the projection": best(direction="np.outer(y, y)"),
        "forgets the length of y": best(size="1.0"),
        "takes the eigenvalues of P": best(values="np.linalg.eigvalsh(P)"),
        "multiplies the eigenvalues of P and H": best(values="np.sort(np.linalg.eigvalsh(P) * np.linalg.eigvalsh(H))"),
        "takes P H for symmetric": best(values="np.linalg.eigvalsh(P @ H)"),
        "takes singular values of P H": best(values="np.linalg.svd(P @ H)[1][::-1]"),
        "is right at depth two": best(power="1", more="1"),
    },
    "ps5-unaimed": {
        "looks at the middle of the way": unaimed(
            eta="2**(a + b) / (N * y ** (p - 2 / N))", factor="2**(a + b) / (2 * N)"
        ),
        "forgets N": unaimed(eta="k / y ** (p - 2 / N)", factor="k / 2"),
        "takes the exponent of the gradient": unaimed(b="p - 1"),
        "takes half of the exponent of the rule": unaimed(a="1 - 1 / N"),
        "forgets y": unaimed(eta="k / N"),
        "scales with the exponent of gradient descent": unaimed(eta="k / (N * y ** (p - 2))"),
        "forgets the two of gradient descent": unaimed(factor="k / N"),
        "has the factor depend on y": unaimed(factor="k / (2 * N) * y ** (2 - 2 / N)"),
        "compares the step sizes alone": unaimed(factor="k / (N * y ** (p - 2 / N)) / (2 / y ** (p - 2))"),
        "is right at depth two": unaimed(a="1"),
        "looks on a coarse grid": """
def unaimed(y, p, depth):
    w = np.linspace(0, 1, 101)
    k = 1 / np.max(w ** (2 - 2 / depth) * (1 - w) ** (p - 2))
    return k / (depth * y ** (p - 2 / depth)), k / (2 * depth)
""",
    },
    "ps5-race": {
        "takes the limit as step size": race(eta="1.9 * r**-4.0"),
        "takes the step size of the fourth power": race(eta="r**-2.0"),
        "asks for a quarter": race(level="0.25"),
        "waits for the second coordinate at one half of r": race(errors="abs(w[0] - y[0])"),
        "counts from one": race(count="2"),
        "takes depth three": race(depth=3),
        "starts depth two at one": race(omega="1.0"),
        "forgets N in the step size": race(aimed="0.5 / (2 * omega * (r - omega) ** 4)"),
        "stops one step too late": race(count="1"),
        "takes the exponent of the loss": race(exponents="6, 0"),
        "believes in a gain by a constant factor": race(exponents="4, 4"),
        "believes in a square root": race(exponents="4, 2"),
        "runs depth two with the step size of descent": race(aimed="r**-4.0"),
    },
}
