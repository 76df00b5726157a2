"""The displays of `other_networks` on margins: networks with one output under the exponential loss."""

import numpy as np

import lnn
from displays import witness

CHAPTER = "other_networks"


def column(weights):
    return np.concatenate([W.reshape(-1, 1) for W in weights])


class Growing:
    """A network with some samples on its side: the gradient, and how fast anything changes along the flow."""

    def __init__(self, weights, samples):
        self.weights, self.samples = weights, samples
        self.loss = lnn.ExponentialLoss(samples.T, np.ones(len(samples)))
        self.slopes = lnn.pullback(weights, self.loss.gradient(lnn.end_to_end(weights)))
        self.theta, self.slope = column(weights), column(self.slopes)
        self.rho, self.value = np.linalg.norm(self.theta), self.objective(weights)

    def objective(self, weights):
        return float(self.loss(lnn.end_to_end(weights)))

    def margin(self, weights):
        """The smoothed margin."""
        return -np.log(self.objective(weights)) / np.linalg.norm(column(weights)) ** len(weights)

    def change(self, quantity):
        h = 2e-5 / np.linalg.norm(self.slope)
        at = lambda s: quantity([W - s * D for W, D in zip(self.weights, self.slopes, strict=True)])
        return (at(h) - at(-h)) / (2 * h)


def grown(draw):
    """A random network with four samples, or with one, by which bounds are attained."""
    weights = [*(draw.matrix(3, 3) for _ in range(draw.depth - 1)), draw.matrix(1, 3)]
    W, samples = lnn.end_to_end(weights), draw.matrix(1 if draw.depth == 3 else 4, 3)
    across = samples - samples @ W.T @ W / np.sum(W**2)
    return Growing(weights, across + draw.between(2, 3, (len(samples), 1)) * W / np.sum(W**2))


def aligned(draw):
    """A balanced network with one sample in its direction: its gradient is radial."""
    W, N = draw.matrix(1, 3), draw.depth
    return Growing(lnn.initial.balanced(W, [3] * N + [1]), draw.between(0.8, 1.2) * W / np.sum(W**2))


@witness("eq-radial", tolerance=1e-6)
@witness("eq-margin-grows", tolerance=1e-6)
def radial(draw):
    run = grown(draw)
    margins = run.samples @ lnn.end_to_end(run.weights).T
    across = run.slope - run.theta * np.sum(run.theta * run.slope) / run.rho**2
    names = {"N": draw.depth, r"\theta": run.theta, r"\nabla\varphi": run.slope, r"\nabla^\perp\varphi": across}
    names |= {r"\varphi": run.value, r"\rho": run.rho, r"\nu": np.sum(margins * np.exp(-margins))}
    names |= {r"\frac{d}{dt}\log\tilde\gamma": run.change(lambda net: np.log(run.margin(net)))}
    names |= {r"\frac{d}{dt}\log\rho": run.change(lambda net: np.log(np.linalg.norm(column(net))))}
    return names | {r"\tight": (0, 1) if draw.depth == 3 else ()}


@witness("thm-direction 5", tight=True, tolerance=1e-6)
def rate(draw):
    run = aligned(draw)
    speed = run.change(lambda net: 1 / run.objective(net))
    names = {"N": draw.depth, r"\dot h": speed, "c": speed, r"\nabla\varphi": run.slope, "h": 1 / run.value}
    return names | {r"\tilde\gamma_0": run.margin(run.weights)}


@witness("thm-direction 6")
def multiplier(draw):
    """One sample; the multiplier is that with which the gradient of its margin has the length 1."""
    weights = grown(draw).weights
    W = lnn.end_to_end(weights)
    run = Growing(weights, W / np.sum(W**2))
    size = np.linalg.norm(run.theta)
    unit = [layer / size for layer in weights]
    slope = column(lnn.pullback(unit, run.samples))
    names = {"N": draw.depth, r"\hat\theta": run.theta / size, r"\nabla\varphi": run.slope, r"\range i": (1,)}
    names |= {r"\nabla q_i(\hat\theta)": slope, r"\lambda_i": 1 / np.linalg.norm(slope), r"\rho": size}
    return names | {r"q_i(\theta)": np.sum(run.samples * W)}


@witness("thm-direction 8")
def stationary(draw):
    """A balanced network and the one sample that makes it stationary."""
    N = draw.depth
    weights = lnn.initial.balanced(draw.matrix(1, 3), [3] * N + [1])
    above = lnn.end_to_end(weights[1:])
    g = np.linalg.lstsq(above.T, weights[0], rcond=None)[0]
    scale = draw.between(0.5, 2)
    names = {"N": N, r"\bar W": lnn.end_to_end(weights), r"\bar A_1": above, r"\bar W_1": weights[0], "g": g}
    return names | {r"\lambda_i": scale, "z_i": g.T / scale, r"\range i": (1,)}
