"""The plots that move: their mathematics against the package, and their use by mouse, keyboard, phone and printer.

All in a real browser, on pages opened from files with every name unresolved.
"""

import re
from pathlib import Path

import interactive
import matplotlib.pyplot as plt
import numpy as np
import pytest
from built import CHROMIUM, SITE
from docutils import nodes
from docutils.utils import new_document
from matplotlib.colors import to_hex, to_rgb
from tolerances import EXACT, FLOW

import lnn
from lnn.draw import plots
from lnn.theory import modes

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "theme" / "interactive"
STYLE = (FOLDER / "interactive.css").read_text()
PAGES = list(interactive.PLOTS)
PLOTS = [(page, script, figure) for page, plots in interactive.PLOTS.items() for script, figure in plots.items()]
SCRIPTS = sorted({script for _, script, _ in PLOTS})
RTOLS = (1e-4, 1e-6, 1e-8)  # of the integrator in the page; an error of a hundred times as much is allowed
in_browser = pytest.mark.skipif(
    CHROMIUM is None or not all((SITE / f"{page}.html").exists() for page in PAGES),
    reason="no chromium on this machine" if CHROMIUM is None else "the book is not built: make book",
)


# ---- the files ----


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_file_is_small_calls_nobody_and_moves_nothing_by_itself(path):
    text = path.read_text()
    assert len(text.encode()) < 8_000
    assert not re.findall(r"https?:|//\w+\.|url\(|@import|fetch|XMLHttp|import\(|eval\(", text)
    assert not re.findall(r"setInterval|setTimeout|requestAnimationFrame|transition|animation|@keyframes", text)


def test_every_plot_stands_below_a_figure_of_its_chapter_and_every_script_is_used():
    for page, script, figure in PLOTS:
        assert (FOLDER / f"{script}.js").exists()
        assert f"name: {figure}\n" in (ROOT / f"{page}.md").read_text()
    assert {*SCRIPTS, *interactive.SHARED} == {path.stem for path in FOLDER.glob("*.js")}


def test_a_figure_that_has_gone_is_a_warning_of_the_build(monkeypatch):
    said = []
    monkeypatch.setattr(interactive.logger, "warning", lambda *words: said.append(words))
    page = "chapters/linear_networks"
    interactive.add_plot(None, page, "page.html", {}, new_document("empty"))
    assert len(said) == 1 and interactive.PLOTS[page]["plane"] in said[0]


def test_other_pages_get_no_script():
    class Deaf:  # would raise at any call
        pass

    interactive.add_plot(Deaf(), "chapters/preface", "page.html", {}, new_document("empty"))
    figure = nodes.figure(ids=[interactive.PLOTS["chapters/acceleration"]["layers"]])
    interactive.add_plot(Deaf(), "chapters/notation", "page.html", {}, nodes.document(None, None, figure))


def palette(rule):
    """Colours by name of the light or of the dark theme."""
    block = STYLE[STYLE.index(rule + " {") :].split("}")[0]
    return dict(re.findall(r"--(\w+): (#\w{6})", block))


LIGHT, DARK = palette("\n.lnn-try"), palette('\nhtml[data-theme="dark"] .lnn-try')


def dashes(kind):
    """Dashes of a line in units of its width, 1.8; a solid line has none."""
    found = re.search(rf"\.lnn-try \.{kind} {{[^}}]*stroke-dasharray: ([\d. ]+)", STYLE)
    return [round(float(length) / 1.8, 2) for length in found[1].split()] if found else "-"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_depth_has_the_colour_and_dashes_that_it_has_in_the_figures(depth):
    style = plots.depth_style(depth)
    assert LIGHT[f"d{depth}"] == to_hex(style["color"])
    assert dashes(f"d{depth}") == (list(style["linestyle"][1]) if depth > 1 else "-")


def test_other_colours_are_those_of_the_figures():
    assert [LIGHT[f"m{r + 1}"] for r in range(3)] == [to_hex(plt.get_cmap("viridis")(0.85 * r / 3)) for r in range(3)]
    with plt.style.context("lnn.lnn"):
        cycle = [color.lower() for color in plt.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert [LIGHT[f"c{i}"] for i in range(3)] == [to_hex(color) for color in cycle[:3]]


def contrast(one, other):
    def luminance(color):
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(color)]
        return np.dot((0.2126, 0.7152, 0.0722), parts)

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("colours", "ground"), [(LIGHT, "#ffffff"), (DARK, "#121212")], ids=["light", "dark"])
def test_lines_and_words_stand_out_from_the_page(colours, ground):
    assert len(colours) == 13 and LIGHT.keys() == DARK.keys()
    assert contrast(colours["faint"], ground) < 3  # the grid, which is to stay behind
    assert contrast(colours["ink"], ground) > 7
    assert {name for name, colour in colours.items() if contrast(colour, ground) < 3} == {"faint"}


# ---- in the browser ----


def visit(browser, name, **options):
    """A page of the book, opened as a file, and what it complains of; its formulas, which take long, are left unset."""
    page = browser.new_context(viewport={"width": 1200, "height": 900}, **options).new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/katex/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto((SITE / f"{name}.html").as_uri(), wait_until="domcontentloaded")
    return page, complaints


class Pages(dict):
    """Pages by their name, or by the script of their plot, opened when first asked for."""

    def __init__(self, browser):
        self.browser, self.complaints = browser, {}

    def __missing__(self, key):
        name = next(name for name, script, _ in PLOTS if key in (name, script))
        if name not in self:
            self[name], self.complaints[name] = visit(self.browser, name, color_scheme="light")
        return self[name]


@pytest.fixture(scope="module")
def pages(browser):
    return Pages(browser)


def gap(found, wanted):
    """Largest deviation, over the largest value."""
    return np.abs(np.asarray(found) - wanted).max() / np.abs(wanted).max()


def fits(errors):
    """Each error is below a hundred times its tolerance, and as that falls by 1e4 the error falls by 100 at least.

    Where the integrator is exact (a mode of depth 2 is linear in its coordinate) there is nothing left to fall.
    """
    bounded = all(e < 100 * r for e, r in zip(errors, RTOLS, strict=True))
    return bounded and (errors[-1] < errors[0] / 100 or max(errors) < EXACT)


@in_browser
@pytest.mark.parametrize("seed", range(6))
def test_modes_follow_the_solution_of_the_package(pages, seed):
    rng = np.random.default_rng(seed)
    depth, start, targets = seed + 1, 10 ** rng.uniform(-4, -1.5), rng.uniform(0.5, 4, 3)
    end = modes.time_to_reach(0.9 * targets.min(), start, targets.min(), depth)
    times = np.linspace(0, 1.3 * float(end), 40)
    wanted = np.stack([modes.trajectory(times, start, target, depth) for target in targets])
    given = {"depth": depth, "start": start, "targets": targets.tolist(), "times": times.tolist()}
    errors = [gap(pages["modes"].evaluate("v => lnnPlots.modes.solve(v)", given | {"rtol": r}), wanted) for r in RTOLS]
    assert fits(errors), errors


@in_browser
def test_modes_are_the_singular_values_of_a_network(pages):
    rng, targets, times = np.random.default_rng(0), np.array([3.0, 2.0, 1.0]), np.linspace(0, 5, 30)
    U, V = (np.linalg.qr(rng.standard_normal((n, 3)))[0] for n in (4, 6))
    loss = lnn.LeastSquares(lnn.Everything((4, 6)), ((U * targets) @ V.T).ravel())
    path = lnn.gradient_flow(lnn.initial.balanced(0.01 * U @ V.T, (6, 5, 7, 4)), loss, times)
    given = {"depth": 3, "start": 0.01, "targets": targets.tolist(), "times": times.tolist()}
    found = pages["modes"].evaluate("v => lnnPlots.modes.solve(v)", given)
    assert gap(np.transpose(found), path.singular_values[:, :3]) < FLOW


@in_browser
@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_times_to_learn_are_those_of_the_package(pages, depth):
    given = {"depth": depth, "start": 1e-3, "target": 2.5, "values": [0.25, 1.25, 2.25]}
    wanted = modes.time_to_reach(given["values"], 1e-3, 2.5, depth)
    assert gap(pages["modes"].evaluate("v => lnnPlots.modes.reach(v)", given), wanted) < FLOW


@in_browser
def test_effective_ranks_are_those_of_the_package(pages):
    values = np.sort(np.random.default_rng(0).uniform(0, 2, 3))[::-1]
    assert np.isclose(
        pages["modes"].evaluate("v => lnnPlots.modes.rank(v)", values.tolist()), lnn.effective_rank(values)
    )
    two = pages["completion"].evaluate("v => lnnPlots.completion.rank(v)", [2.0, -0.3])
    assert np.isclose(two, lnn.effective_rank(np.array([2.0, 0.3])), rtol=EXACT)


@in_browser
@pytest.mark.parametrize("p", [2, 4, 6])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_two_coordinates_take_the_steps_of_the_package(pages, p, depth):
    rng = np.random.default_rng(10 * p + depth)
    y, start = np.array([rng.uniform(3, 6), 1.0]), rng.standard_normal(2)
    size = 0.2 / (depth * np.abs(y - start).max() ** (p - 2) * np.linalg.norm(y) ** (2 - 2 / depth))
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), y, p)
    path = lnn.end_to_end_descent(start[None], loss, depth, size, 200)
    given = {"start": start.tolist(), "y": y.tolist(), "p": p, "depth": depth, "size": size, "steps": 200}
    found = pages["acceleration"].evaluate(
        "v => lnnPlots.acceleration.run({ ...v, accuracy: 0, every: () => true }).kept", given
    )
    assert np.array_equal(np.array(found)[:, 0], np.arange(201))
    assert gap(np.array(found)[:, 1:], path.end_to_end[:, 0]) < EXACT * 100  # two hundred steps' roundings
    far = np.abs(path.end_to_end[:, 0] - y).max(axis=1) > 0.5
    count = pages["acceleration"].evaluate("v => lnnPlots.acceleration.run(v).count", given)
    assert count == (np.inf if far.all() else np.argmin(far))


@in_browser
@pytest.mark.parametrize(("p", "ratio"), [(4, 5), (4, 13), (4, 24), (6, 5), (6, 11)])
def test_the_theorem_of_acceleration_holds_in_the_page(pages, p, ratio):
    page, given = pages["acceleration"], {"p": p, "ratio": ratio, "depth": 3}
    R = ratio - 1
    bound = (1 - 2 / R ** (p - 2)) ** (p - 1) * (0.5 ** (2 - p) - 1) / (2 * (p - 2)) * R ** (p - 2)
    assert np.isclose(page.evaluate("v => lnnPlots.acceleration.bound(v)", given), bound, rtol=EXACT)
    assert bound <= page.evaluate("v => lnnPlots.acceleration.plain(v).count", given) < 2 * bound
    landed = page.evaluate(
        "v => lnnPlots.acceleration.step([1, 0], [v.ratio, 1], { ...v, size: lnnPlots.acceleration.landing(v) })", given
    )
    assert np.isclose(landed[0], ratio, rtol=EXACT)


@in_browser
@pytest.mark.parametrize("p", [3, 4, 5, 6])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_layers_take_the_steps_of_the_package(pages, p, depth):
    y, omega = np.array([3.0 + p, 1.0]), 0.4
    given = {"p": p, "depth": depth, "ratio": y[0], "omega": omega}
    size = pages["layers"].evaluate("v => lnnPlots.layers.landing(v)", given)
    start = omega ** (1 / depth)
    weights = [np.array([[start, 0.0]]), *[np.array([[start]])] * (depth - 1)]
    path = lnn.gradient_descent(weights, lnn.PowerLoss(lnn.Everything((1, 2)), y, p), size, 60)
    states = pages["layers"].evaluate(
        "v => lnnPlots.layers.run({ ...v, accuracy: 0 }).states.map(({ u, v, z }) => [u, v, z])",
        given | {"y": y.tolist(), "size": size, "steps": 60},
    )
    found = np.array(states)
    assert gap(found[:, :2], path.weights[0][:, 0]) < EXACT * 100  # sixty steps' roundings
    assert gap(found[:, 2], path.weights[1][:, 0, 0]) < EXACT * 100
    assert np.isclose(path.end_to_end[1, 0, 0], y[0], rtol=EXACT)  # the first step lands
    far = np.abs(path.end_to_end[:, 0] - y).max(axis=1) > 0.5
    count = "v => lnnPlots.layers.run(v).count"
    taken = pages["layers"].evaluate(count, given | {"y": y.tolist(), "size": size, "steps": 60})
    assert taken == (np.inf if far.all() else np.argmin(far))


@in_browser
@pytest.mark.parametrize(("p", "depth", "ratio"), [(4, 2, 12), (4, 3, 24), (6, 2, 8), (6, 3, 10)])
def test_the_theorem_of_the_layers_holds_in_the_page(pages, p, depth, ratio):
    """With γ = 1/(2N), found by bisection, the bounds of both methods are kept."""
    page = pages["layers"]
    gamma = "v => lnnPlots.layers.gamma(v)"
    low, high = 1e-6, ratio / 2
    for _ in range(60):
        omega = np.sqrt(low * high)
        given = {"p": p, "depth": depth, "ratio": ratio, "omega": float(omega)}
        low, high = (omega, high) if page.evaluate(gamma, given) > 1 / (2 * depth) else (low, omega)
    size = page.evaluate("v => lnnPlots.layers.landing(v)", given)
    bound = 1 + np.ceil(4 * depth * (2 ** (p - 2) - 1) / (p - 2))
    run = given | {"y": [ratio, 1], "size": size, "steps": 1000}
    assert page.evaluate("v => lnnPlots.layers.run(v).count", run) <= bound
    plain = page.evaluate("v => [lnnPlots.acceleration.plain(v).count, lnnPlots.acceleration.bound(v)]", given)
    assert plain[1] <= plain[0] < 2 * plain[1]
    landed = page.evaluate(
        "v => lnnPlots.acceleration.step([v.omega, 0], [v.ratio, 1], { ...v, size: lnnPlots.acceleration.landing(v) })",
        given,
    )
    assert np.isclose(landed[0], ratio, rtol=EXACT)


@in_browser
@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("values", [[2.0, 1.0, 0.1], [3.0, 0.0, 0.0], [0.5, 0.5, 2.5]])
def test_gains_are_those_of_the_package(pages, depth, values):
    wanted = lnn.preconditioner.gains(np.pad(values, (0, 1)), depth)[:3]
    found = pages["gains"].evaluate("v => lnnPlots.gains.gains(v)", {"values": values, "depth": depth})
    assert gap(found, wanted) < EXACT


COMPLETION = lnn.LeastSquares(lnn.Entries(np.array([[False, True], [True, True]])), np.array([1.0, 1.0, 0.0]))


@in_browser
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("place", [0.15, 0.45, 0.7, 0.95])
def test_the_completion_follows_the_end_to_end_flow_of_the_package(pages, depth, place):
    scale, times = 0.1 + 0.2 * depth, np.linspace(0, 12, 25)
    start = scale * np.array([[1 - place, place], [place, 1 - place]])
    wanted = lnn.end_to_end_flow(start, COMPLETION, depth, times, rtol=1e-11, atol=1e-14)
    given = {"depth": depth, "scale": scale, "place": place, "times": times.tolist()}
    errors, losses = [], []
    for rtol in RTOLS:
        path = pages["completion"].evaluate(
            "v => lnnPlots.completion.solve(v).map(({ w }) => [...w, lnnPlots.completion.loss(w)])",
            given | {"rtol": rtol},
        )
        W = np.array(path)[:, [0, 1, 1, 2]].reshape(-1, 2, 2)
        errors.append(gap(W, wanted.end_to_end))
        losses.append(gap(np.array(path)[:, 3], wanted.losses))
    assert fits(errors), errors
    assert losses[-1] < FLOW


@in_browser
@pytest.mark.parametrize(("place", "sign"), [(0.2, 1), (0.5, 0), (0.8, -1)])
def test_the_determinant_keeps_its_sign_where_no_integration_of_the_layers_could(pages, place, sign):
    given = {"depth": 2, "scale": 0.3, "place": place, "times": [0, 1, 300], "rtol": 1e-6}
    path = pages["completion"].evaluate("v => lnnPlots.completion.solve(v).map((at) => at.values)", given)
    assert [np.sign(one) * np.sign(two) for one, two in path] == [sign] * 3
    if sign < 0:  # settled at a completion: determinant -1
        assert np.isclose(np.prod(path[-1]), -1, atol=1e-4)
    else:  # N/(2N+2) is the exponent of growth at depth N, rem-rate
        assert np.isclose(path[-1][0], (6 * 300) ** (1 / 3), rtol=0.1)


ONE = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
STARTS = [(-1.2, 0.1), (1.9, -1.5), (0.3, -1.7), (1.5, 1.45)]


@in_browser
@pytest.mark.parametrize("start", STARTS)
def test_the_flow_in_the_plane_is_that_of_the_package_and_conserves(pages, start):
    times = np.linspace(0, 12, 30)
    wanted = lnn.gradient_flow(np.reshape(start, (2, 1, 1)), ONE, times, rtol=1e-12, atol=1e-14)
    given = {"start": start, "times": times.tolist()}
    run = "v => lnnPlots.flow(lnnPlots.plane.field, v.start, v.times, { rtol: v.rtol, atol: v.rtol / 100 })"
    found = [np.array(pages["plane"].evaluate(run, given | {"rtol": r})) for r in RTOLS]
    assert fits([gap(path, lnn.pack(wanted.weights)) for path in found])
    drifts = [np.ptp(path[:, 1] ** 2 - path[:, 0] ** 2) for path in found]
    assert fits(drifts), drifts


@in_browser
@pytest.mark.parametrize("size", [0.05, 0.35])
@pytest.mark.parametrize("start", STARTS)
def test_descent_in_the_plane_is_that_of_the_package(pages, start, size):
    wanted = lnn.gradient_descent(np.reshape(start, (2, 1, 1)), ONE, size, 60)
    found = pages["plane"].evaluate("v => lnnPlots.plane.descent(...v)", [start, size, 60])
    assert gap(found, lnn.pack(wanted.weights)) < EXACT
    losses = pages["plane"].evaluate("v => v.map(lnnPlots.plane.loss)", found)
    assert gap(losses, wanted.losses) < EXACT


@in_browser
def test_descent_in_the_plane_ends_where_it_diverges(pages):
    found = np.array(pages["plane"].evaluate("lnnPlots.plane.descent([2, 2], 1.2, 50)"))
    assert len(found) < 51 and np.isfinite(found).all()


@in_browser
def test_the_integrator_stops_at_a_blow_up(pages):
    found = pages["plane"].evaluate("lnnPlots.flow(([x]) => [x * x], [1], [0, 0.5, 2])")  # x = 1 / (1 - t)
    assert len(found) == 2 and np.isclose(found[1][0], 2, rtol=FLOW)


@in_browser
def test_the_integrator_is_of_order_five(pages):
    """At a fixed tolerance of 1 in one step of length h the error against e^h falls like h^6."""
    step = "h => lnnPlots.flow(([x]) => [x], [1], [0, h], { rtol: 1, atol: 1 })[1][0] - Math.exp(h)"
    coarse, fine = (abs(pages["plane"].evaluate(step, h)) for h in (0.1, 0.05))
    assert abs(np.log2(coarse / fine) - 6) < 0.1


@in_browser
@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (-0.25, "−0.25"), (1234.5, "1235"), (2e-5, "2·10⁻⁵"), (1e-3, "0.001"), (1e7, "10⁷"), (0.12345, "0.123")],
)
def test_numbers_are_rounded_for_people(pages, number, words):
    assert pages["plane"].evaluate("v => lnnPlots.show(v)", number) == words


# ---- in a reader's hands ----


@in_browser
@pytest.mark.parametrize(("name", "script", "figure"), PLOTS)
def test_every_slider_is_reached_by_tab_and_moved_by_arrows(pages, name, script, figure):
    page = pages[name]
    root = page.locator(f"#try-{script}-frame")
    words, title, figure = root.locator(".words"), root.locator(".title"), page.locator(f"#{figure}")
    assert root.count() == 1 and figure.bounding_box()["y"] < root.bounding_box()["y"]
    title.evaluate("e => { e.tabIndex = -1; e.focus(); }")
    for i in range(root.locator("input").count()):
        page.keyboard.press("Tab")
        slider = root.locator("input").nth(i)
        assert slider.evaluate("e => e === document.activeElement")
        assert slider.evaluate("e => e.labels.length === 1 && e.labels[0].textContent.length > 0")
        assert slider.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth) >= 3")
        before = slider.input_value(), slider.get_attribute("aria-valuetext"), words.inner_text()
        page.keyboard.press("ArrowLeft")
        after = slider.input_value(), slider.get_attribute("aria-valuetext"), words.inner_text()
        assert all(b != a for b, a in zip(before, after, strict=True)), (before, after)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    moved = words.inner_text()
    page.keyboard.press("Enter")
    assert words.inner_text() != moved
    assert pages.complaints[name] == []


@in_browser
@pytest.mark.parametrize(("name", "script", "figure"), PLOTS)
def test_the_caption_of_the_figure_announces_the_plot_and_leads_to_it(pages, name, script, figure):
    page = pages[name]
    link = page.locator(f"#{figure} figcaption .lnn-moves a[href='#try-{script}-frame']")
    said, title = link.inner_text(), page.locator(f"#try-{script}-title").inner_text()
    assert said.lower() == title.lower()
    link.click()
    # The theme scrolls smoothly: the jump takes its time.
    top = "id => document.getElementById(id).getBoundingClientRect().y"
    page.wait_for_function(f"id => 0 <= ({top})(id) && ({top})(id) < 900", arg=f"try-{script}-frame")


@in_browser
@pytest.mark.parametrize("script", SCRIPTS)
def test_at_both_ends_of_every_slider_all_is_drawn_and_said(pages, script):
    page = pages[script]
    said = page.evaluate(
        """(script) => {
          const root = document.getElementById(`try-${script}-frame`), said = [];
          for (const slider of root.querySelectorAll("input")) {
            const middle = slider.value;
            for (const end of [slider.min, slider.max, middle]) {
              slider.value = end;
              slider.dispatchEvent(new Event("input"));
              const lines = root.querySelectorAll("svg .line").length;
              said.push([root.querySelector(".words").textContent, lines, root.innerHTML]);
            }
          }
          return said;
        }""",
        script,
    )
    assert len({words for words, *_ in said}) > len(said) // 2
    for words, lines, everything in said:
        assert len(words) > 20 and lines >= 3
        assert not re.search(r"NaN|undefined|Infinity", everything)
    assert not any(pages.complaints.values())


@in_browser
def test_the_start_in_the_plane_follows_clicks_and_arrow_keys(pages):
    page = pages["chapters/linear_networks"]
    words, area = page.locator(".lnn-try .words"), page.locator(".lnn-try svg.map")
    area.scroll_into_view_if_needed()
    frame = area.bounding_box()
    scale = frame["width"] / 340  # inside the margins of core.js: 54 left, 10 right, 10 above, 42 below
    for a, b in ((-1.0, 0.5), (1.5, -1.25)):
        x = frame["x"] + scale * (54 + (a + 2.1) / 4.2 * 276)
        y = frame["y"] + scale * (10 + (2.1 - b) / 4.2 * 282)
        page.mouse.click(x, y)
        assert words.inner_text().startswith(f"From ({a:g}, {b:g})".replace("-", "−"))
        dot = area.locator("circle.start").bounding_box()
        assert np.hypot(dot["x"] + dot["width"] / 2 - x, dot["y"] + dot["height"] / 2 - y) < 5
    area.focus()
    assert area.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth) >= 3")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert words.inner_text().startswith("From (1.05, −1.35)")
    assert page.locator(".lnn-try input").first.input_value() == "1.05"


@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_the_dark_theme_recolours_and_paper_shows_the_figure_alone(pages, name):
    page = pages[name]
    colours = """() => ["stroke", "fill"].map((kind) => getComputedStyle(
      document.querySelector(kind === "fill" ? ".lnn-try svg text" : ".lnn-try svg .line:not(.target)"))[kind])"""
    light = page.evaluate(colours)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = page.evaluate(colours)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    page.emulate_media(media="print")
    assert not any(plot.is_visible() for plot in page.locator(":is(.lnn-try, .lnn-moves)").all())
    for figure in interactive.PLOTS[name].values():
        assert page.locator(f"#{figure} img:visible").count() == 1
    page.emulate_media(media="screen")
    page.evaluate("document.documentElement.dataset.theme = 'light'")


@in_browser
def test_without_scripts_the_figure_stands_alone(browser):
    page, _ = visit(browser, "chapters/acceleration", java_script_enabled=False)
    assert page.locator("#fig-acc-speedup img:visible").count() == 1
    assert page.locator(":is(.lnn-try, .lnn-moves)").count() == 0
    page.context.close()


@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_nothing_scrolls_sideways_and_fingers_find_the_sliders(pages, name):
    page = pages[name]
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate("document.querySelectorAll('.lnn-try details').forEach((e) => { e.open = true; })")
    wide = page.evaluate(
        """[...document.querySelectorAll(".lnn-try *")].filter((e) => !e.closest("table, svg svg")
           && e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 60))"""
    )
    assert wide == []
    for control in page.locator(".lnn-try :is(input, button)").all():
        box = control.bounding_box()
        assert box["height"] >= 36 and box["width"] >= 60
    assert page.locator(".lnn-try svg text").first.evaluate("e => e.getBoundingClientRect().height") >= 11
    page.set_viewport_size({"width": 1200, "height": 900})


@in_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_axe_finds_nothing_wrong_with_a_plot(pages, script, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = pages[script]
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    page.evaluate("script => { document.querySelector(`#try-${script}-frame details`).open = true; }", script)
    found = Axe().run(page, context=f"#try-{script}-frame").response["violations"]
    assert [(v["id"], [node["html"][:80] for node in v["nodes"]]) for v in found] == []
