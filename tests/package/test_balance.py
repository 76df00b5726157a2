import numpy as np
import pytest
from draws import WIDTHS, network, seeds, widths
from hypothesis import given
from tolerances import EXACT

import lnn


@given(seeds, widths)
def test_imbalance_is_the_largest_norm_of_the_differences(seed, widths):
    weights = network(widths, np.random.default_rng(seed))
    norms = [0.0]
    for j, (below, above) in enumerate(zip(weights[:-1], weights[1:], strict=True)):
        D = np.einsum("ki,kj->ij", above, above) - np.einsum("ik,jk->ij", below, below)
        np.testing.assert_allclose(lnn.imbalances(weights)[j], D, atol=EXACT * 100)
        norms.append(np.sqrt((D**2).sum()))
    assert np.isclose(lnn.imbalance(weights), max(norms), rtol=EXACT)


def test_leading_axes_are_free_and_depth_1_is_balanced():
    stacked = network(WIDTHS, np.random.default_rng(0), 4)
    for k in range(4):
        assert np.isclose(lnn.imbalance(stacked)[k], lnn.imbalance(tuple(W[k] for W in stacked)), rtol=EXACT)
    assert np.array_equal(lnn.imbalance(stacked[:1]), np.zeros(4))
    assert lnn.imbalances(stacked[:1]) == ()


def test_a_rotation_of_a_hidden_layer_leaves_the_imbalance_alone():
    rng = np.random.default_rng(1)
    W1, W2, W3 = network(WIDTHS, rng)
    (Q,) = lnn.initial.orthogonal((6, 6), rng=rng)
    assert np.isclose(lnn.imbalance((Q @ W1, W2 @ Q.T, W3)), lnn.imbalance((W1, W2, W3)), rtol=EXACT)


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="layer 2 maps 3 -> 2, but layer 1 ends in 4"):
        lnn.imbalance((np.ones((4, 2)), np.ones((2, 3))))
