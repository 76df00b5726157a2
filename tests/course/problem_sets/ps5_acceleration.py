"""Right and wrong answers to problem set 5."""

BANNED = {
    "ps5-rule": ["end_to_end_step", "end_to_end_descent", "precondition", "apply"],
}


def limit(formula):
    return f"""
def step_limit(w, X, y, p):
    e = X @ w - y
    return {formula}
"""


def rule(
    *,
    size="np.linalg.norm(w)",
    power="2 - 2 / N",
    more="N - 1",
    along="(w @ g) * w / (w @ w)",
    sign="-",
    zero="w - eta * g if N == 1 else w.copy()",
):
    return f"""
def rule(w, g, depth, eta):
    N = depth
    if not w.any():
        return {zero}
    return w {sign} eta * {size} ** ({power}) * (g + ({more}) * {along})
"""


def adam(
    *,
    first="m / (1 - beta1**t)",
    second="v / (1 - beta2**t)",
    step="np.sqrt(b) + epsilon",
    square="g**2",
    order="12",
    betas="beta1, beta2",
):
    update = ["m = beta1 * m + (1 - beta1) * g", f"v = beta2 * v + (1 - beta2) * {square}"]
    return f"""
def adam(gradient, w, eta, steps, beta1, beta2, epsilon):
    beta1, beta2 = {betas}
    m = v = np.zeros(w.shape)
    for t in range(1, steps + 1):
        g = gradient(w)
        {update[0]}
        {update[1]}
        a, b = {first}, {second}
        w = w - eta * a / ({step})
    return w
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
    "ps5-rule": [
        """
def rule(w, g, depth, eta):
    n = np.dot(w, w)
    if n == 0:
        return (w - eta * g) if depth == 1 else w.copy()
    P = np.eye(len(w)) + (depth - 1) * np.outer(w, w) / n
    return list(w - eta * n ** (1 - 1 / depth) * P @ g)
""",
        rule(),
        """
def rule(w, g, depth, eta):
    # Layers of a balanced network: w = s^N u. To first order in eta the product of the layers moves like this.
    s2 = np.sqrt(np.sum(w * w)) ** (2 / depth)
    step = np.zeros(len(w))
    for j in range(1, depth + 1):
        if j == 1:
            step += s2 ** (depth - 1) * g
        elif s2 > 0:
            step += s2 ** (depth - j) * s2 ** (j - 1) * np.einsum("i,j,j->i", w, w, g) / s2**depth
    return w - eta * step
""",
    ],
    "ps5-adam": [
        """
def adam(gradient, w, eta, steps, beta1, beta2, epsilon):
    w = np.array(w, dtype=float)
    m = np.zeros(w.shape)
    v = np.zeros(w.shape)
    for t in range(steps):
        g = gradient(w)
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g**2
        w -= eta * (m / (1 - beta1 ** (t + 1))) / (np.sqrt(v / (1 - beta2 ** (t + 1))) + epsilon)
    return w
""",
        adam(),
        """
def adam(gradient, w, eta, steps, beta1, beta2, epsilon):
    x, past = w.copy(), []
    for t in range(steps):
        past.append(gradient(x))
        k = np.arange(t, -1, -1)
        a, b = (beta ** k / (beta**k).sum() for beta in (float(beta1), float(beta2)))
        x -= eta * np.tensordot(a, past, 1) / (epsilon + np.sqrt(np.tensordot(b, np.square(past), 1)))
    return x
""",
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
    "ps5-rule": {
        "takes half of the exponent": rule(power="1 - 1 / N"),
        "takes the exponent at infinite depth": rule(power="2 if N > 1 else 0"),
        "adds N projections": rule(more="N"),
        "forgets the projection": rule(more="0"),
        "forgets the number of layers": rule(more="min(N - 1, 1)"),
        "does not normalize the projection": rule(along="(w @ g) * w"),
        "normalizes by the length": rule(along="(w @ g) * w / np.linalg.norm(w)"),
        "projects on the gradient": rule(along="(w @ g) * g / (g @ g)"),
        "projects across": rule(along="(g - (w @ g) * w / (w @ w))"),
        "goes uphill": rule(sign="+"),
        "takes the length of the gradient": rule(size="np.linalg.norm(g)"),
        "divides by zero": rule().replace("not w.any()", "False"),
        "moves away from the origin": rule(zero="w - eta * g"),
        "stays at the origin at every depth": rule(zero="w.copy()"),
        "changes the vector": rule().replace("return w - eta", "w -= eta") + "    return w\n",
        "calls the package": """
def rule(w, g, depth, eta):
    return w - eta * lnn.precondition(w[None], g[None], depth)[0]
""",
    },
    "ps5-adam": {
        "adds epsilon before the correction": """
def adam(gradient, w, eta, steps, b1, b2, e):
    m = v = 0 * w
    for t in range(1, steps + 1):
        g = gradient(w)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        w = w - eta * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + e)
    return w
""",
        "has one mean of squares for all entries": """
def adam(gradient, w, eta, steps, b1, b2, e):
    m = 0 * w
    v = 0.0
    for t in range(1, steps + 1):
        g = gradient(w)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * np.mean(g * g)
        w = w - eta * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + e)
    return w
""",
        "feeds the corrected means back": """
def adam(gradient, w, eta, steps, b1, b2, e):
    m = v = 0 * w
    for t in range(1, steps + 1):
        g = gradient(w)
        m = (b1 * m + (1 - b1) * g) / (1 - b1**t)
        v = (b2 * v + (1 - b2) * g * g) / (1 - b2**t)
        w = w - eta * m / (np.sqrt(v) + e)
    return w
""",
        "does not correct the means": adam(first="m", second="v"),
        "corrects the first mean only": adam(second="v"),
        "corrects with the first step's factor": adam(first="m / (1 - beta1)", second="v / (1 - beta2)"),
        "counts steps from zero": adam().replace("range(1, steps + 1)", "range(steps)"),
        "counts steps from two": adam(first="m / (1 - beta1 ** (t + 1))", second="v / (1 - beta2 ** (t + 1))"),
        "adds epsilon under the root": adam(step="np.sqrt(b + epsilon)"),
        "forgets the root": adam(step="b + epsilon"),
        "forgets epsilon": adam(step="np.sqrt(b)"),
        "exchanges the decays": adam(betas="beta2, beta1"),
        "does not square": adam(square="np.abs(g)"),
        "takes the norm of the gradient": adam(square="np.sum(g**2)"),
        "goes without the first mean": adam(first="g"),
        "takes one step more": adam().replace("steps + 1", "steps + 2"),
        "takes the gradient at the start": adam()
        .replace("    for t", "    g = gradient(w)\n    for t")
        .replace("        g = gradient(w)\n", ""),
        "changes the array": adam().replace("w = w - eta", "w -= eta"),
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
        "takes the exponent of the loss": race(exponents="6, 0"),
        "believes in a gain by a constant factor": race(exponents="4, 4"),
        "believes in a square root": race(exponents="4, 2"),
        "runs depth two with the step size of descent": race(aimed="r**-4.0"),
    },
}
