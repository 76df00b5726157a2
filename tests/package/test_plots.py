import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from draws import WIDTHS, network

import lnn
from lnn.draw import plots


@pytest.fixture(scope="module")
def path():
    rng = np.random.default_rng(0)
    loss = lnn.LeastSquares(lnn.Everything((5, 7)), rng.standard_normal(35))
    return lnn.gradient_descent(network(WIDTHS, rng), loss, 1e-4, 20)


@pytest.fixture(autouse=True)
def figures():
    yield
    plt.close("all")


def test_losses_draws_the_loss_over_time(path):
    line = plots.losses(path).lines[0]
    assert np.array_equal(line.get_xdata(), path.times) and np.array_equal(line.get_ydata(), path.losses)
    lifted = plots.losses(path, excess_over=1.0).lines[0]
    np.testing.assert_allclose(lifted.get_ydata(), path.losses - 1)


def test_singular_values_draws_one_line_each(path):
    ax = plots.singular_values(path, count=3)
    np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], path.singular_values[:, :3].T)


def test_imbalances_draws_the_imbalance(path):
    np.testing.assert_array_equal(plots.imbalances(path).lines[0].get_ydata(), lnn.imbalance(path.weights))


def test_order_draws_a_line_of_the_slope_through_the_last_point():
    ax = plots.order([0.1, 0.2, 0.4], [1.0, 4.0, 16.0], slope=2)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [1, 4, 16])


def test_plane_draws_level_lines_on_a_square():
    ax = plots.plane(lambda x, y: x**2 + y, 2.0)
    assert ax.get_xlim() == (-2, 2) and ax.collections


def test_all_draw_on_the_axes_given_and_label_them(path):
    for draw in (plots.losses, plots.singular_values, plots.imbalances):
        ax = plt.subplots()[1]
        assert draw(path, ax=ax) is ax
        assert ax.get_xlabel() and ax.get_ylabel()


def test_depths_differ_in_colour_and_up_to_5_in_dashes():
    styles = [plots.depth_style(depth) for depth in (1, 2, 3, 4, 8)]
    assert len({style["color"] for style in styles}) == 5
    assert len({str(style["linestyle"]) for style in styles}) == 5


def test_the_style_file_is_found_by_name():
    with plt.style.context("lnn.lnn"):
        assert plt.rcParams["figure.facecolor"] == "white"
