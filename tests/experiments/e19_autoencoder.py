"""E19: an autoencoder with linear layers before its code, folded away after training: the code's spectrum falls."""

import numpy as np

import lnn
from experiments import Row
from lnn.nonlinear import autoencoder

LAYERS = (0, 2, 4, 8, 12)


def trained(layers):
    """A trained autoencoder for blobs, as on the page."""
    images = autoencoder.blobs(2500, rng=np.random.default_rng(0))
    net = autoencoder.draw(196, 96, 16, layers, rng=np.random.default_rng(1))
    return autoencoder.fit(net, images, 5000, step_size=2e-3, rng=np.random.default_rng(2)).net


def measure() -> list[Row]:
    """Spectra of the codes of new images, reconstruction errors, and folding."""
    fresh = autoencoder.blobs(500, rng=np.random.default_rng(3))
    ranks, above, errors, gaps = [], [], [], []
    for layers in LAYERS:
        net = trained(layers)
        codes, folded = (autoencoder.codes(n, fresh) for n in (net, autoencoder.fold(net)))
        values = lnn.singular_values(np.cov(codes.T))
        ranks.append(float(lnn.effective_rank(values)))
        above.append(int((values > 1e-3 * values[0]).sum()))
        errors.append(autoencoder.reconstruction_error(net, fresh))
        gaps.append(np.abs(codes - folded).max() / np.abs(codes).max())
    falls = bool((np.diff(ranks) < 0).all())
    kept = [layers for layers, error in zip(LAYERS, errors, strict=True) if error < 0.015]
    return [
        Row(
            "effective rank of the code's covariance with 0, 2, 4, 8, 12 linear layers",
            "falls with their number",
            f"falls at every step, from {ranks[0]:.0f} to {ranks[-1]:.0f}" if falls else f"{ranks}",
            falls,
        ),
        Row(
            "directions of the code with more than 1/1000 of the largest variance; the images have 4 parameters",
            "close to the intrinsic dimension",
            f"without layers {'over 11' if above[0] > 11 else above[0]} of 16, with eight {above[3]}, "
            f"with twelve {above[4]}",
            bool(above[0] > 11 and above[3] == 4),
            in_full=above[4] == 4,
            said="in part",
        ),
        Row(
            "reconstruction error on new images, as a share of their variance",
            "stays",
            f"below 1.5 % with {', '.join(map(str, kept))} layers, with twelve {100 * errors[-1]:.0f} %",
            kept == [0, 2, 4, 8],
            in_full=max(errors) < 0.015,
            said="in part",
        ),
        Row(
            "codes before and after folding the layers into the encoder",
            "equal",
            "equal to single precision" if max(gaps) < 1e-5 else f"apart by {max(gaps):.0e}",
            bool(max(gaps) < 1e-5),
        ),
    ]
