import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from draws import WIDTHS, network

import lnn
from lnn.draw import animate


class Reader(HTMLParser):
    """Start tags with their attributes, and what follows them as text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in {"input", "line", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def paths():
    rng = np.random.default_rng(0)
    loss = lnn.LeastSquares(lnn.Everything((5, 7)), rng.standard_normal(35))
    make = [lnn.gradient_descent(network(WIDTHS, rng), loss, 1e-4, steps) for steps in (40, 90)]
    return dict(zip(["one & <only>", "other"], make, strict=True))


@pytest.fixture(scope="module")
def page(paths):
    return Reader(animate.spectra(paths, count=3, frames=10, target=[2.0, 1.0])._repr_html_())


def data(page):
    return json.loads(page.all("div")[0]["data-panels"])


def test_all_that_opens_closes(page):
    assert page.open == []


def test_the_data_are_the_recorded_singular_values_to_a_thousandth_of_the_axis(paths, page):
    top = 1.05 * max(*(path.singular_values[:, 0].max() for path in paths.values()), 2.0)
    for panel, (label, path) in zip(data(page)["panels"], paths.items(), strict=True):
        kept = np.linspace(0, len(path) - 1, 10).round().astype(int)
        heights = np.array(panel["heights"]) * top / animate.UNITS
        np.testing.assert_allclose(heights, path.singular_values[kept, :3], atol=0.51 * top / animate.UNITS)
        assert panel["label"] == label
        assert panel["times"] == [f"{t:.3g}" for t in path.times[kept]]


def test_without_script_it_is_a_picture_of_the_last_moment(page):
    state = data(page)
    drawn = [float(bar["height"]) for bar in page.all("rect")]
    last = [h * state["height"] / state["units"] for panel in state["panels"] for h in panel["heights"][-1]]
    np.testing.assert_allclose(drawn, last, atol=0.01)
    feet = [float(bar["y"]) + float(bar["height"]) for bar in page.all("rect")]
    np.testing.assert_allclose(feet, state["base"], atol=0.02)


def test_the_script_finds_what_it_looks_for(page):
    classes = {attributes.get("class") for _, attributes in page.tags}
    for wanted in set(re.findall(r'"\.([\w-]+)["\):]', animate.SCRIPT)) | {"lnn-spectra"}:
        assert wanted in classes, wanted
    slider = page.all("input")[0]
    assert (slider["type"], slider["max"]) == ("range", "9") and slider["aria-label"]
    assert [b["type"] for b in page.all("button")] == ["button"]


def test_it_moves_only_when_asked_and_calmly_where_calm_is_asked_for():
    assert "prefers-reduced-motion" in animate.SCRIPT and "@media print" in animate.STYLE
    outside = re.sub(r"function \w+\(.*?\n  }\n", "", animate.SCRIPT, flags=re.S)
    assert "setInterval" in animate.SCRIPT and "setInterval" not in outside


def test_every_picture_says_in_words_what_it_shows(paths, page):
    animation = animate.spectra(paths, count=3)
    for picture, (label, path) in zip(page.all("svg"), paths.items(), strict=True):
        assert picture["role"] == "img"
        middle = np.linspace(0, len(path) - 1, 10).round().astype(int)[5]
        for moment in (0, middle, -1):  # how it starts, where it is halfway, how it ends
            shown = ", ".join(f"{x:.2g}" for x in path.singular_values[moment, :3])
            assert f"{shown} at t = {path.times[moment]:.3g}" in picture["aria-label"]
        assert label in picture["aria-label"]
        assert label in repr(animation)


def test_it_has_no_id_that_a_second_one_could_repeat_and_nothing_from_outside(page):
    assert not any("id" in attributes for _, attributes in page.tags)
    assert not re.search(r"https?:|@import|\burl\(", animate.SCRIPT + animate.STYLE)


def test_the_same_paths_give_the_same_bytes_and_few_of_them(paths):
    first, second = (animate.spectra(paths)._repr_html_() for _ in range(2))
    assert first == second and len(first.encode()) < 50_000


@pytest.mark.parametrize("top", [0.013, 0.99, 1.0, 1.05, 4.9, 17.0, 20.0, 999.0])
def test_ticks_are_round_and_few(top):
    ticks = animate._ticks(top)
    assert 3 <= len(ticks) <= 6 and ticks[0] == 0 and ticks[-1] <= top * (1 + 1e-9)
    lead = ticks[1] / 10.0 ** np.floor(np.log10(ticks[1]) + 1e-9)
    assert min(abs(lead - d) for d in (1, 2, 5)) < 1e-9


def test_misuse_is_refused(paths):
    with pytest.raises(ValueError, match="none"):
        animate.spectra({})
    with pytest.raises(ValueError, match="frames"):
        animate.spectra(paths, frames=1)
    still = lnn.gradient_descent(paths["other"][0], lnn.LeastSquares(lnn.Everything((5, 7)), np.zeros(35)), 0.1, 0)
    with pytest.raises(ValueError, match="2 recorded"):
        animate.spectra({"still": still})
