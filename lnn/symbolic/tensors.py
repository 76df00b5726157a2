"""SymPy derivations for factorized tensors: balance and speed of components, the time that one waits, border rank.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `beyond_linear`.
"""

from collections.abc import Sequence
from itertools import product

import sympy as sp


def _square_loss(components: Sequence[Sequence[Sequence[sp.Expr]]]) -> sp.Expr:
    """½ Σ (entry of the sum of the components - free symbol)², entry by entry: no tensor algebra."""
    sizes = [len(vector) for vector in components[0]]
    loss = sp.Integer(0)
    for place in product(*map(range, sizes)):
        entry = sum(sp.prod([w[i] for w, i in zip(component, place, strict=True)]) for component in components)
        loss += (entry - sp.Symbol("y" + "".join(map(str, place)))) ** 2 / 2
    return loss


def _vectors(order: int, name: str) -> list[list[sp.Symbol]]:
    """Vectors of free symbols, one a mode, of sizes 2, 1, 2, 1, …: no two modes in a row are alike."""
    return [[sp.Symbol(f"{name}{n}{i}", real=True) for i in range(2 - n % 2)] for n in range(order)]


def imbalance_speed(order: int) -> sp.Matrix:
    """Speeds of ‖w^n‖² - ‖w^{n+1}‖² of the first of two components along gradient flow of a square loss.

    The loss is written out in entries, with free targets, and differentiated with respect to every number.

    Parameters
    ----------
    order : int
        N ≥ 2.

    Returns
    -------
    sympy.Matrix, (N - 1) × 1
        Zero if the differences are conserved.

    Notes
    -----
    `lem-component-balance`, page `beyond_linear`; [RMC21].
    """
    first, second = _vectors(order, "a"), _vectors(order, "b")
    loss = _square_loss([first, second])
    speeds = [sum(-2 * w * sp.diff(loss, w) for w in vector) for vector in first]
    return sp.Matrix([sp.expand(one - other) for one, other in zip(speeds[:-1], speeds[1:], strict=True)])


def component_norm_defect(order: int) -> sp.Expr:
    """Speed of the norm of a balanced component along gradient flow, less N γ ‖⊗ w^n‖^{2-2/N}.

    The vectors are a·(c, s) with c = (1 - t²)/(1 + t²), s = 2t/(1 + t²) and a separate t for every mode, the general
    balanced component of 2 × ⋯ × 2 tensors with a > 0. The speed of the norm comes from that of its square, the
    product of sums of squares, by the product rule; γ from the gradient's entries in the tensor space.

    Parameters
    ----------
    order : int
        N ≥ 2.

    Returns
    -------
    sympy.Expr
        Zero if the theorem holds.

    Notes
    -----
    `thm-component-norms`, page `beyond_linear`; [RMC21].
    """
    a = sp.Symbol("a", positive=True)
    ts = sp.symbols(f"t:{order}", real=True)
    names = [sp.symbols(f"w{n}0 w{n}1", real=True) for n in range(order)]
    places = list(product(range(2), repeat=order))
    G = {place: sp.Symbol("g" + "".join(map(str, place))) for place in places}
    # By the chain rule the flow at one moment is that of the linear loss ⟨G, ·⟩ with G = ∇ℓ there.
    linear = sum(G[place] * sp.prod([names[n][i] for n, i in enumerate(place)]) for place in places)
    square = sp.prod([u**2 + v**2 for u, v in names])
    speed_of_square = sum(-sp.diff(linear, w) * sp.diff(square, w) for pair in names for w in pair)
    units = [((1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)) for t in ts]
    here = {w: a * x for pair, unit in zip(names, units, strict=True) for w, x in zip(pair, unit, strict=True)}
    gamma = -sum(G[place] * sp.prod([units[n][i] for n, i in enumerate(place)]) for place in places)
    norm = a**order
    stated = order * gamma * norm ** (2 - sp.Rational(2, order))
    return sp.cancel(sp.together(speed_of_square.subs(here) / (2 * norm) - stated))


def waiting_time(order: int) -> sp.Expr:
    """Time that a component with constant pull γ takes from norm x to norm 1: ∫ dσ / (N γ σ^{2-2/N}).

    Parameters
    ----------
    order : int
        N ≥ 2.

    Returns
    -------
    sympy.Expr
        In positive symbols x and gamma.

    Notes
    -----
    `prop-frozen-pull`, page `beyond_linear`.
    """
    sigma, x, gamma = sp.symbols("sigma x gamma", positive=True)
    clock = sp.integrate(1 / (order * gamma * sigma ** (2 - sp.Rational(2, order))), sigma)
    return sp.simplify(clock.subs(sigma, 1) - clock.subs(sigma, x))


def border_rank() -> dict[str, sp.Expr]:
    """A tensor of rank 3 that tensors of rank 2 approach: e1⊗e1⊗e2 + e1⊗e2⊗e1 + e2⊗e1⊗e1.

    Returns
    -------
    dict
        `distance`: squared distance of ((e1 + εe2)^{⊗3} - e1^{⊗3})/ε, in ε; `norm`: of one of its two components;
        `quotient`: the matrix T_2 T_1^{-1} of the two slices, which rank 2 would make diagonalizable;
        `diagonalizable`: whether it is.

    Notes
    -----
    `prop-border-rank`, page `beyond_linear`; [DSL08].
    """
    eps = sp.Symbol("epsilon", positive=True)
    places = list(product(range(2), repeat=3))
    e1, e2, between = (1, 0), (0, 1), (1, eps)

    def outer(*vectors: Sequence[sp.Expr | int]) -> dict[tuple[int, ...], sp.Expr]:
        return {place: sp.prod([v[i] for v, i in zip(vectors, place, strict=True)]) for place in places}

    summands = [outer(e1, e1, e2), outer(e1, e2, e1), outer(e2, e1, e1)]
    target = {place: sum(summand[place] for summand in summands) for place in places}
    first, second = outer(*[between] * 3), outer(*[e1] * 3)
    gaps = [(first[place] - second[place]) / eps - target[place] for place in places]
    slices = [sp.Matrix(2, 2, lambda j, k, i=i: target[i, j, k]) for i in range(2)]
    quotient = slices[1] * slices[0].inv()
    return {
        "distance": sp.expand(sum(sp.expand(gap) ** 2 for gap in gaps)),
        "norm": sp.sqrt(sp.factor(sum((first[place] / eps) ** 2 for place in places))),
        "quotient": quotient,
        "diagonalizable": sp.sympify(quotient.is_diagonalizable()),
    }


def _tree() -> tuple[sp.Expr, list[list[list[list[sp.Symbol]]]], list[list[sp.Symbol]]]:
    """A linear loss of an order-4 tree with two components a node, leaves of sizes 2, 1, 1, 2, and its parts.

    The tensor is written as a sum over all paths; the loss has free coefficients, which at one moment is general by
    the chain rule. Returned are the loss, the three vectors of each local component by node and component, and for
    each node the row of its matrix that the other component has.
    """
    R, sizes = range(2), (2, 1, 1, 2)
    leaf = [[[sp.Symbol(f"u{n}{i}{r}", real=True) for r in R] for i in range(d)] for n, d in enumerate(sizes)]
    left, right = ([[sp.Symbol(f"{name}{q}{r}", real=True) for r in R] for q in R] for name in "vw")
    top = [sp.Symbol(f"t{r}", real=True) for r in R]
    linear = sp.Integer(0)
    for i, j, k, m in product(*map(range, sizes)):
        entry = sum(
            top[r] * left[p][r] * right[q][r] * leaf[0][i][p] * leaf[1][j][p] * leaf[2][k][q] * leaf[3][m][q]
            for r, p, q in product(R, repeat=3)
        )
        linear += sp.Symbol(f"g{i}{j}{k}{m}", real=True) * entry

    def column(matrix: list[list[sp.Symbol]], r: int) -> list[sp.Symbol]:
        return [row[r] for row in matrix]

    components = [
        [[column(leaf[0], r), column(leaf[1], r), left[r]] for r in R],
        [[column(leaf[2], r), column(leaf[3], r), right[r]] for r in R],
        [[column(left, r), column(right, r), [top[r]]] for r in R],
    ]
    return linear, components, [left[1], right[1], [top[1]]]


def hierarchical_imbalance_speed() -> sp.Matrix:
    """Speeds of differences of squared norms within the local components of an order-4 tree with two a node.

    Returns
    -------
    sympy.Matrix, 12 × 1
        Two differences for each of three nodes and two components; zero if all are conserved.

    Notes
    -----
    `thm-local-components`, page `beyond_linear`; [RMC22].
    """
    linear, components, _ = _tree()
    found = []
    for node in components:
        for vectors in node:
            speeds = [sum(-2 * w * sp.diff(linear, w) for w in vector) for vector in vectors]
            found += [sp.expand(speeds[0] - speeds[1]), sp.expand(speeds[1] - speeds[2])]
    return sp.Matrix(found)


def local_component_defect(node: int) -> sp.Expr:
    """Speed of the norm of a balanced local component of an order-4 tree along gradient flow, less 3 γ σ^{4/3}.

    As in `component_norm_defect`: the three vectors are a times general unit vectors, the speed of the norm comes from
    that of its square by the product rule, and γ is minus the loss with the unit vectors in place and the other row
    of the node's matrix set to zero.

    Parameters
    ----------
    node : int
        0 and 1 for the pairs of leaves, 2 for the root.

    Returns
    -------
    sympy.Expr
        Zero if the theorem holds.

    Notes
    -----
    `thm-local-components`, page `beyond_linear`; [RMC22].
    """
    linear, components, others = _tree()
    vectors, a = components[node][0], sp.Symbol("a", positive=True)
    square = sp.prod([sum(w**2 for w in vector) for vector in vectors])
    speed_of_square = sum(-sp.diff(linear, w) * sp.diff(square, w) for vector in vectors for w in vector)
    units: dict[sp.Symbol, sp.Expr] = {}
    for n, vector in enumerate(vectors):
        t = sp.Symbol(f"s{n}", real=True)
        unit = [(1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)] if len(vector) == 2 else [sp.Integer(1)]
        units |= dict(zip(vector, unit, strict=True))
    here = {w: a * x for w, x in units.items()}
    gamma = -linear.subs(dict.fromkeys(others[node], 0)).subs(units)
    return sp.cancel(sp.together(speed_of_square.subs(here) / (2 * a**3) - 3 * gamma * a**4))
