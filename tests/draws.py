"""What the property tests draw: a seed and widths; the matrices come from NumPy's generator."""

import numpy as np
from hypothesis import strategies as st

WIDTHS = (7, 6, 8, 5)  # pairwise distinct: no square matrix hides a transpose

seeds = st.integers(0, 2**32 - 1)
widths = st.lists(st.integers(1, 6), min_size=2, max_size=5).map(tuple)
depths = st.integers(1, 5)


def network(widths, rng, *leading):
    """Random network of these widths, with leading axes in front of every layer."""
    return tuple(rng.standard_normal((*leading, m, n)) for m, n in zip(widths[1:], widths[:-1], strict=True))


def slope(sizes, errors):
    """Slope of log(errors) over log(sizes): the measured order."""
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]
