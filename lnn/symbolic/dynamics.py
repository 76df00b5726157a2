"""SymPy derivations of the end-to-end dynamics: the rule, its preconditioner, and the field that is no gradient.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `end_to_end_dynamics`.
"""

import sympy as sp


def _rotation(name: str) -> sp.Matrix:
    """Every rotation of the plane but one, by rational functions of one symbol: no sine to simplify."""
    t = sp.Symbol(name, real=True)
    return sp.Matrix([[1 - t**2, -2 * t], [2 * t, 1 - t**2]]) / (1 + t**2)


def _product(factors: list[sp.Matrix], start: sp.Matrix) -> sp.Matrix:
    result = start
    for factor in factors:
        result = factor * result
    return result


def end_to_end_sides(depth: int) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix]:
    """Velocity of the product from the layers and from the rule, for every balanced network of widths (3, 2, …, 2).

    The layers are W_j = Q_j S Q_{j-1}^T with S = diag(a, b), hidden rotations Q_j, and an input layer padded by
    a column of zeros; the gradient of the loss is a matrix of free symbols. The input basis is the standard one,
    which is no restriction: a rotation of the inputs turns both sides alike.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    W, G : sympy.Matrix, 2 × 3
        End-to-end matrix and gradient.
    by_layers, by_rule : sympy.Matrix, 2 × 3
        dW/dt by the product rule, and by the theorem.

    Notes
    -----
    `thm-end-to-end`, page `end_to_end_dynamics`; [ACH18].
    """
    a, b = sp.symbols("a b", positive=True)
    G = sp.Matrix(2, 3, sp.symbols("g1:7"))
    turns = [_rotation(f"t{j}") for j in range(1, depth + 1)]
    padded = sp.diag(a, b).row_join(sp.zeros(2, 1))
    layers = [turns[0] * padded]
    layers += [turns[j] * sp.diag(a, b) * turns[j - 1].T for j in range(1, depth)]

    by_layers = sp.zeros(2, 3)
    # dW/dt = Σ_j A (dW_j/dt) B with A = W_N ⋯ W_{j+1}, B = W_{j-1} ⋯ W_1, and dW_j/dt = -A^T G B^T.
    for j in range(depth):
        above = _product(layers[j + 1 :], sp.eye(layers[j].rows))
        below = _product(layers[:j], sp.eye(3))
        outer, inner = ((A * A.T).applyfunc(sp.cancel) for A in (above, below.T))
        by_layers -= outer * G * inner

    # W = Q_N [S^N 0], so the k-th root of order N of W W^T is Q_N S^{2k} Q_N^T, and of W^T W it is diag(S^{2k}, 0).
    by_rule = sp.zeros(2, 3)
    for j in range(1, depth + 1):
        left = turns[-1] * sp.diag(a, b) ** (2 * (depth - j)) * turns[-1].T
        right = sp.eye(3) if j == 1 else sp.diag(a, b, 0) ** (2 * (j - 1))
        by_rule -= left * G * right
    return _product(layers, sp.eye(3)), G, by_layers, by_rule


def end_to_end_defect(depth: int) -> sp.Matrix:
    """The difference of the two velocities in `end_to_end_sides`.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    sympy.Matrix, 2 × 3
        Simplified; zero, because the theorem holds.

    Notes
    -----
    `thm-end-to-end`, page `end_to_end_dynamics`; [ACH18].
    """
    _, _, by_layers, by_rule = end_to_end_sides(depth)
    return (by_layers - by_rule).applyfunc(sp.cancel)


def kronecker_defect() -> sp.Matrix:
    """The difference vec(A X B) - (B^T ⊗ A) vec(X) for A 2 × 2, X 2 × 3, B 3 × 3 of free symbols.

    Returns
    -------
    sympy.Matrix, 6 × 1
        Expanded; zero, because the identity holds.

    Notes
    -----
    `prop-preconditioner`, page `end_to_end_dynamics`.
    """
    A = sp.Matrix(2, 2, sp.symbols("a1:5"))
    X = sp.Matrix(2, 3, sp.symbols("x1:7"))
    B = sp.Matrix(3, 3, sp.symbols("b1:10"))
    return ((A * X * B).vec() - sp.kronecker_product(B.T, A) * X.vec()).expand()


def preconditioner_sides(depth: int) -> list[tuple[sp.Matrix, sp.Matrix, sp.Expr]]:
    """The rule applied to the six matrices u_r v_qᵀ of a 2 × 3 matrix W, of rank 2 and with a kernel.

    W = Q [diag(a^N, b^N) 0] Vᵀ with any rotation Q of the plane, and V the one of space about its first axis with
    tangent 4/3. The power [WWᵀ]^{k/N} is taken as Q diag(a^{2k}, b^{2k}) Qᵀ, and [WᵀW]^{k/N} likewise, with 0^0 = 1.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    list of (image, direction, gain), for (r, q) = (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)
        image = Σ_j [WWᵀ]^{(N-j)/N} u_r v_qᵀ [WᵀW]^{(j-1)/N}, direction = u_r v_qᵀ, and gain, their inner product, in
        a and b. That u_r v_qᵀ is an eigenvector says that image = gain · direction.

    Notes
    -----
    `prop-preconditioner`, page `end_to_end_dynamics`; [ACH18].
    """
    a, b = sp.symbols("a b", positive=True)
    Q = _rotation("t1")
    V = sp.diag(1, sp.Matrix([[3, -4], [4, 3]]) / 5)

    def root(frame: sp.Matrix, values: list[sp.Expr], k: int) -> sp.Matrix:
        return frame * sp.diag(*(value ** (2 * k) for value in values)) * frame.T  # SymPy's 0**0 is 1

    powers = [(root(Q, [a, b], depth - j), root(V, [a, b, sp.Integer(0)], j - 1)) for j in range(1, depth + 1)]
    found = []
    for r in range(2):
        for q in range(3):
            direction = Q[:, r] * V[:, q].T
            image = sum((left * direction * right for left, right in powers), sp.zeros(2, 3)).applyfunc(sp.factor)
            found.append((image, direction, sp.cancel((direction.T * image).trace())))
    return found


def gain(depth: int) -> tuple[sp.Symbol, sp.Symbol, sp.Expr]:
    """The eigenvalue Σ_j s^{2(N-j)/N} u^{2(j-1)/N} of the preconditioner that belongs to singular values s and u.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    s, u : sympy.Symbol
        The two singular values, positive.
    eigenvalue : sympy.Expr
        Read off `preconditioner_sides`.

    Notes
    -----
    `prop-preconditioner`, page `end_to_end_dynamics`; [ACH18].
    """
    s, u = sp.symbols("sigma_r sigma_q", positive=True)
    a, b = sp.symbols("a b", positive=True)
    _, _, eigenvalue = preconditioner_sides(depth)[1]
    roots = {a: s ** sp.Rational(1, depth), b: u ** sp.Rational(1, depth)}
    return s, u, sp.expand(eigenvalue).subs(roots, simultaneous=True)


def single_output_fields(depth: int, inputs: int) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix]:
    """The end-to-end rule for one output, from the sum over layers and from the closed form.

    Parameters
    ----------
    depth : int
        N ≥ 1.
    inputs : int
        d_0.

    Returns
    -------
    w, g : sympy.Matrix, d_0 × 1
        Weight vector and gradient, of real symbols.
    from_sum : sympy.Matrix, d_0 × 1
        Transposed row Σ_j [WW^T]^{(N-j)/N} g^T [W^TW]^{(j-1)/N}, with W = w^T.
    closed : sympy.Matrix, d_0 × 1
        ‖w‖^{2-2/N} (g + (N - 1) Pr_w g).

    Notes
    -----
    `cor-single-output`, page `end_to_end_dynamics`; [ACH18].
    """
    w = sp.Matrix(sp.symbols(f"w1:{inputs + 1}", real=True))
    g = sp.Matrix(sp.symbols(f"g1:{inputs + 1}", real=True))
    square = (w.T * w)[0]  # the one eigenvalue of W W^T, and the one of W^T W that is not zero
    from_sum = sp.zeros(inputs, 1)
    for j in range(1, depth + 1):
        left = square ** sp.Rational(depth - j, depth)
        # [W^TW]^k = square^k (w w^T / square) for k > 0, and the identity for k = 0.
        right = sp.eye(inputs) if j == 1 else square ** (sp.Rational(j - 1, depth) - 1) * w * w.T
        from_sum += left * right * g
    along = w * (w.T * g)[0] / square
    return w, g, from_sum, square ** (1 - sp.Rational(1, depth)) * (g + (depth - 1) * along)


def warmup_defect() -> sp.Matrix:
    """One step of descent on w = w_1 ω_2, less its exact form (1 - γ)(w - ρ∇).

    Returns
    -------
    sympy.Matrix, 2 × 1
        Expanded; zero, because the form is exact.

    Notes
    -----
    `prop-warmup`, page `end_to_end_dynamics`; [ACH18].
    """
    eta, omega = sp.symbols("eta omega", positive=True)
    layer = sp.Matrix(sp.symbols("a1:3", real=True))
    g = sp.Matrix(sp.symbols("g1:3", real=True))
    slope = (layer.T * g)[0]
    stepped = (layer - eta * omega * g) * (omega - eta * slope)
    rho, gamma = eta * omega**2, eta * slope / omega
    return (stepped - (1 - gamma) * (omega * layer - rho * g)).expand()


def plane_field(depth: sp.Expr) -> tuple[sp.Symbol, sp.Symbol, sp.Matrix]:
    """The field r^{2-2/N} (g + (N - 1) Pr_w g) in the plane, for the constant gradient g = (1, 0).

    Parameters
    ----------
    depth : sympy expression
        N, a number or a symbol.

    Returns
    -------
    x, y : sympy.Symbol
    field : sympy.Matrix, 2 × 1

    Notes
    -----
    `thm-no-regularizer`, page `end_to_end_dynamics`; [ACH18].
    """
    x, y = sp.symbols("x y", real=True)
    square = x**2 + y**2
    g, w = sp.Matrix([1, 0]), sp.Matrix([x, y])
    return x, y, square ** (1 - 1 / sp.sympify(depth)) * (g + (depth - 1) * w * x / square)


def curl() -> tuple[sp.Symbol, sp.Symbol, sp.Symbol, sp.Expr]:
    """Asymmetry ∂_x F_2 - ∂_y F_1 of the Jacobian of `plane_field`, at (r cos θ, r sin θ).

    Returns
    -------
    N, r, theta : sympy.Symbol
    asymmetry : sympy.Expr

    Notes
    -----
    `thm-no-regularizer`, page `end_to_end_dynamics`.
    """
    N, r = sp.symbols("N r", positive=True)
    theta = sp.Symbol("theta", real=True)
    x, y, field = plane_field(N)
    difference = sp.diff(field[1], x) - sp.diff(field[0], y)
    polar = difference.subs({x: r * sp.cos(theta), y: r * sp.sin(theta)})
    return N, r, theta, sp.factor(sp.powsimp(sp.simplify(polar)))


def line_integral() -> tuple[sp.Symbol, sp.Symbol, sp.Symbol, sp.Expr]:
    """Integral of `plane_field` over the closed curve Γ_{r,R}, piece by piece.

    The curve runs from (-R, 0) to (-r, 0), over the upper arc of radius r to (r, 0), on to (R, 0), and back over
    the upper arc of radius R.

    Returns
    -------
    N, r, R : sympy.Symbol
    integral : sympy.Expr
        2 (N - 1)(N - 2)/(3N - 2) (R^{3-2/N} - r^{3-2/N}).

    Notes
    -----
    `thm-no-regularizer`, page `end_to_end_dynamics`; [ACH18].
    """
    N, r, R, s, a = sp.symbols("N r R s a", positive=True)
    angle = sp.Symbol("angle", real=True)
    x, y, field = plane_field(N)
    # Along the rays, and along an arc of radius s, with 2 - 2/N = a in the exponents to integrate.
    along = [sp.powsimp(sp.simplify(field[0].subs({x: point, y: 0}))) for point in (s, -s)]
    circle = {x: s * sp.cos(angle), y: s * sp.sin(angle)}
    turning = sp.simplify((field.subs(circle).T * sp.Matrix([-sp.sin(angle), sp.cos(angle)]))[0])
    along, turning = [part.subs(N, 2 / (2 - a)) for part in along], turning.subs(N, 2 / (2 - a))
    rays = sum(sp.integrate(sp.powsimp(sp.simplify(part)), (s, r, R)) for part in along)
    arc = sp.integrate(sp.powsimp(sp.simplify(turning * s)), (angle, 0, sp.pi))
    whole = sp.factor(rays - arc.subs(s, r) + arc.subs(s, R))
    scale = sp.simplify(whole / (R ** (a + 1) - r ** (a + 1))).subs(a, 2 - 2 / N)
    integral = sp.factor(sp.simplify(scale)) * (R ** (3 - 2 / N) - r ** (3 - 2 / N))
    return N, r, R, integral


def curl_formula_defect(depth: int) -> sp.Expr:
    """Asymmetry of the field's Jacobian less its formula, for a loss in the plane left undetermined.

    With H the Hessian of the loss, g its gradient, r the norm of w, and the asymmetry ∂_x F_2 - ∂_y F_1, the
    formula is (N - 1) r^{-2/N} (v_1 y - v_2 x), where v = (N - 2)/N g + H w.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    sympy.Expr
        Simplified; zero, because the formula holds.

    Notes
    -----
    `prop-when-regularizer`, page `end_to_end_dynamics`.
    """
    x, y = sp.symbols("x y", real=True)
    loss = sp.Function("ell")(x, y)
    N, w, square = sp.Integer(depth), sp.Matrix([x, y]), x**2 + y**2
    g = sp.Matrix([loss.diff(x), loss.diff(y)])
    field = square ** (1 - 1 / N) * (g + (N - 1) * w * (w.T * g)[0] / square)
    v = (N - 2) / N * g + sp.hessian(loss, (x, y)) * w
    asymmetry = field[1].diff(x) - field[0].diff(y)
    return sp.simplify(asymmetry - (N - 1) * square ** (-1 / N) * (v[0] * y - v[1] * x))


def potential_defect() -> sp.Matrix:
    """At N = 2 and with a constant gradient g in space: field less ∇(‖w‖⟨g, w⟩).

    Returns
    -------
    sympy.Matrix, 3 × 1
        Simplified; zero, because the field is that gradient.

    Notes
    -----
    `thm-no-regularizer`, page `end_to_end_dynamics`.
    """
    w, g, _, field = single_output_fields(2, 3)
    potential = sp.sqrt((w.T * w)[0]) * (g.T * w)[0]
    return (field - sp.Matrix([potential.diff(v) for v in w])).applyfunc(sp.simplify)


def quadratic_curl() -> sp.Expr:
    """At N = 2 and for ℓ(w) = ½(p x² + 2q xy + s y²) - ⟨b, w⟩: asymmetry ∂_x F_2 - ∂_y F_1 of the Jacobian.

    Returns
    -------
    sympy.Expr
        ((p - s) x y + q (y² - x²)) / ‖w‖: zero everywhere only if p = s and q = 0.

    Notes
    -----
    `thm-no-regularizer`, page `end_to_end_dynamics`.
    """
    x, y = sp.symbols("x y", real=True)
    p, q, s, b, c = sp.symbols("p q s b_1 b_2", real=True)
    radius = sp.sqrt(x**2 + y**2)
    g = sp.Matrix([p * x + q * y - b, q * x + s * y - c])
    w = sp.Matrix([x, y])
    field = radius * g + w * (w.T * g)[0] / radius
    return sp.factor(sp.simplify(field[1].diff(x) - field[0].diff(y)))


def lambda_balanced_sides(outputs: int) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix]:
    """Velocity of W = W_2 W_1 from the layers and from the rule, when W_2ᵀW_2 - W_1W_1ᵀ = λI with λ > 0.

    The layers have widths (3, 2, outputs): W_1 = R diag(a, b) and W_2 = Q diag(√(a² + λ), √(b² + λ)) Rᵀ, with
    rotations Q, R of the plane, W_1 padded by a column of zeros and W_2 by a row of zeros if there are three outputs.
    Inputs are taken in the singular basis, and three outputs as well, which turns both sides alike.

    Parameters
    ----------
    outputs : {2, 3}
        d_2: as many as hidden units, or one more.

    Returns
    -------
    imbalance : sympy.Matrix, 2 × 2
        W_2ᵀW_2 - W_1W_1ᵀ.
    W, G : sympy.Matrix, outputs × 3
        Product and gradient, the latter of free symbols.
    by_layers, by_rule : sympy.Matrix, outputs × 3
        dW/dt by the product rule, and
        -√(λ²/4 + WWᵀ) G - G √(λ²/4 + WᵀW) + λ (I - Π) G with Π the projection onto the range of W_2.

    Notes
    -----
    `thm-lambda-balanced`, page `end_to_end_dynamics`; [DAPBKMS25].
    """
    if outputs not in (2, 3):
        raise ValueError(f"outputs must be 2 or 3, got {outputs}")
    a, b, lam = sp.symbols("a b lambda", positive=True)
    G = sp.Matrix(outputs, 3, sp.symbols(f"g1:{3 * outputs + 1}"))
    R = _rotation("t1")
    low, high = sp.diag(a, b), sp.diag(sp.sqrt(a**2 + lam), sp.sqrt(b**2 + lam))
    inner = R * low.row_join(sp.zeros(2, 1))
    frame = _rotation("t2") if outputs == 2 else sp.eye(2).col_join(sp.zeros(1, 2))
    outer = frame * high * R.T

    def root(singular: list[sp.Expr]) -> sp.Matrix:
        return sp.diag(*(sp.sqrt(sp.factor(lam**2 / 4 + value**2)) for value in singular))

    values = [high[0, 0] * a, high[1, 1] * b]  # of W, in the frames of its singular vectors
    left, right = root(values), root([*values, sp.Integer(0)])
    left = frame * left * frame.T + (lam / 2) * (sp.eye(outputs) - frame * frame.T)
    by_rule = -left * G - G * right + lam * (sp.eye(outputs) - frame * frame.T) * G
    by_layers = -outer * outer.T * G - G * inner.T * inner
    difference = outer.T * outer - inner * inner.T
    imbalance, left_hand, right_hand = (M.applyfunc(sp.cancel) for M in (difference, by_layers, by_rule))
    return imbalance, outer * inner, G, left_hand, right_hand


def lambda_gain() -> tuple[sp.Symbol, sp.Symbol, sp.Symbol, sp.Expr]:
    """The gain of the direction u_r v_qᵀ at imbalance λI, from the two quadratic equations that define it.

    W_2W_2ᵀ has the eigenvalue x with x² - λx = s², and W_1ᵀW_1 the eigenvalue y with y² + λy = u²; the gain is the
    sum of the positive solutions.

    Returns
    -------
    s, u, lam : sympy.Symbol
        The singular values σ_r and σ_q, positive, and λ, real.
    gain : sympy.Expr

    Notes
    -----
    `thm-lambda-balanced`, page `end_to_end_dynamics`; [DAPBKMS25].
    """
    s, u = sp.symbols("sigma_r sigma_q", positive=True)
    lam = sp.Symbol("lambda", real=True)
    x = sp.Symbol("x", real=True)
    left = max(sp.solve(x**2 - lam * x - s**2, x), key=lambda root: root.subs({lam: 1, s: 1}))
    right = max(sp.solve(x**2 + lam * x - u**2, x), key=lambda root: root.subs({lam: 1, u: 1}))
    return s, u, lam, sp.expand(left + right)


def lambda_scalar_path() -> tuple[sp.Symbol, sp.Symbol, sp.Symbol, sp.Symbol, sp.Expr, sp.Expr]:
    """A product w of two scalars with w_2² - w_1² = ±λ, λ > 0, along gradient flow on ½(w - φ)², in closed form.

    With w = λ(z - 1/z)/4, z > 0, the equation dw/dt = √(λ² + 4w²) (φ - w) becomes a Riccati equation with constant
    coefficients, dz/dt = 2φz - λ(z² - 1)/2; its solution is written down by its two rest points.

    Returns
    -------
    t, lam, phi, start : sympy.Symbol
        Time, λ, the target φ, and w(0).
    path : sympy.Expr
        w(t).
    defect : sympy.Expr
        dz/dt less the right-hand side of the equation for z, along the solution; zero, because it solves it.

    Notes
    -----
    `thm-lambda-balanced`, page `end_to_end_dynamics`; [DAPBKMS25].
    """
    t, phi, start = sp.symbols("t phi w_0", real=True)
    lam, z = sp.symbols("lambda z", positive=True)
    w = lam * (z - 1 / z) / 4
    root = sp.sqrt(sp.factor(lam**2 + 4 * w**2))
    speed = sp.cancel(sp.simplify(root * (phi - w) / sp.diff(w, z)))
    x = sp.Symbol("x", real=True)
    low, high = (point.subs(x, z) for point in sp.solve(speed.subs(z, x), x))
    first = (2 * start + sp.sqrt(lam**2 + 4 * start**2)) / lam
    rate = sp.factor(sp.simplify((high - low) * lam / 2))
    share = (first - high) / (first - low) * sp.exp(-rate * t)
    solution = (high - low * share) / (1 - share)
    defect = sp.simplify(sp.diff(solution, t) - speed.subs(z, solution))
    return t, lam, phi, start, w.subs(z, solution), defect
