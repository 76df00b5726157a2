"""E22: the direction of linear networks on separable data, by depth. Page `other_networks`."""

import numpy as np
from scipy.optimize import nnls
from scipy.special import logsumexp

import lnn
from experiments import Row

CLOCK = np.r_[0, np.geomspace(1e-2, 1e4, 200)]
HIDDEN: dict[int, tuple[int, ...]] = {1: (), 2: (5,), 3: (5, 3)}


class Slow:
    """-log log(n/φ) for the exponential loss φ: the curves of its gradient flow, at another speed."""

    def __init__(self, Z):
        self.Z = Z

    def height(self, W):
        return np.log(self.Z.shape[1]) - logsumexp(-(W @ self.Z)[..., 0, :], axis=-1)

    def __call__(self, W):
        return -np.log(self.height(W))

    def gradient(self, W):
        scores = -(W @ self.Z)
        shares = np.exp(scores - logsumexp(scores, axis=-1, keepdims=True))
        return -shares @ self.Z.T / self.height(W)


def hard_margin(Z):
    """The least vector with ⟨w, z_i⟩ ≥ 1."""
    rows = np.vstack([Z, np.ones(Z.shape[1])])
    goal = np.r_[np.zeros(len(Z)), 1.0]
    rest = rows @ nnls(rows, goal)[0] - goal
    return -rest[:-1] / rest[-1]


def problem(seed):
    """Eight separable samples and, for each depth, a random network with loss below 8."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((4, 8)) + np.array([[1.5], [0], [0], [0]])
    slow, nets = Slow(Z), {}
    for depth, hidden in HIDDEN.items():
        sizes = [4, *hidden, 1]
        while depth not in nets:
            net = [rng.standard_normal((m, n)) / 2 for n, m in zip(sizes, sizes[1:], strict=False)]
            if slow.height(lnn.end_to_end(net)) > 0:
                nets[depth] = net
    return slow, nets


def measure() -> list[Row]:
    """Margins, rank and alignment at the end of long flows, over three problems."""
    ratios, second, lacking, rises = {N: [] for N in HIDDEN}, [], [], []
    for seed in (3, 5, 9):
        slow, nets = problem(seed)
        labels = np.ones(8)
        largest = lnn.margin(hard_margin(slow.Z)[None], slow.Z, labels)
        for depth, net in nets.items():
            path = lnn.gradient_flow(net, slow, CLOCK, method="LSODA", rtol=1e-8)
            ratios[depth].append(float(lnn.margin(path, slow.Z, labels)[-1] / largest))
            norms = np.sqrt(sum((W**2).sum(axis=(1, 2)) for W in path.weights))
            above = slow.height(path.end_to_end) - np.log(8)  # log(1/φ)
            smooth = (above / norms**depth)[above > 0]
            rises.append((np.diff(smooth) > -1e-6 * smooth[1:]).all())
            if depth > 1:
                values = np.linalg.svd(path.weights[0], compute_uv=False)
                second.append((values[-1, 1] / values[-1, 0], values[0, 1] / values[0, 0]))
                lacking.append(1 - lnn.alignment(path)[-1].min())
    low = {depth: min(found) for depth, found in ratios.items()}
    last, first = np.array(second).T
    return [
        Row(
            "the product finds the direction of the largest margin, at depths 1, 2, 3",
            "converges to it (Ji, Telgarsky 2019, for deep networks)",
            f"margin over the largest one, least of three problems: {', '.join(f'{x:.2f}' for x in low.values())}",
            min(low.values()) > 0.9 and max(map(max, ratios.values())) < 1 + 1e-9,
        ),
        Row(
            "layers become rank one",
            "asymptotically equal to their rank-one approximations (Ji, Telgarsky 2019)",
            f"σ_2/σ_1 of the first layer falls from {first.min():.2f}–{first.max():.2f} to at most {last.max():.2f}",
            bool((last < first / 4).all()),
        ),
        Row(
            "neighbouring layers align",
            "inner products of leading singular vectors tend to 1 (Ji, Telgarsky 2019)",
            f"1 minus the least of them: at most {max(lacking):.0e}",
            max(lacking) < 1e-2,
        ),
        Row(
            "the smoothed margin log(1/φ)/|θ|^N does not decrease once φ < 1",
            "increases (Lyu, Li 2020)",
            "at every recorded moment of all nine flows" if all(rises) else "it decreases",
            bool(all(rises)),
        ),
    ]
