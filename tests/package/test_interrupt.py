"""Ctrl-C inside `lnn.interruptible()` gives back what was recorded; outside of it, it is what it always was."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext

import numpy as np
import pytest
from tolerances import EXACT

import lnn
from lnn.numerics.integrate import METHODS
from lnn.numerics.interrupt import asked
from lnn.trajectory import Outcome

START = tuple(np.random.default_rng(0).standard_normal(shape) for shape in ((6, 7), (5, 6)))


class Interrupting:
    """Least squares to zero that presses Ctrl-C when its gradient is asked for the k-th time."""

    def __init__(self, k):
        self.k, self.count = k, 0

    def __call__(self, W):
        return 0.5 * (W**2).sum(axis=(-2, -1))

    def gradient(self, W):
        self.count += 1
        if self.count == self.k:
            signal.raise_signal(signal.SIGINT)
        return W


DESCENTS = {
    "gradient_descent": lambda loss: lnn.gradient_descent(START, loss, 1e-3, 1000, every=10),
    "end_to_end_descent": lambda loss: lnn.end_to_end_descent(np.ones((5, 7)), loss, 2, 1e-3, 1000, every=10),
    "momentum": lambda loss: lnn.momentum(START, loss, 1e-3, 1000, every=10),
    "adagrad": lambda loss: lnn.adagrad(START, loss, 1e-3, 1000, every=10),
    "adadelta": lambda loss: lnn.adadelta(START, loss, 1e-3, 1000, every=10),
    "adam": lambda loss: lnn.adam(START, loss, 1e-3, 1000, every=10),
}


@pytest.mark.parametrize("name", DESCENTS)
def test_a_descent_gives_back_the_steps_until_ctrl_c(name):
    whole = DESCENTS[name](Interrupting(None))
    before = signal.getsignal(signal.SIGINT)
    with lnn.interruptible():
        path = DESCENTS[name](Interrupting(25))  # the first gradient is asked for at the door
    assert path.outcome is Outcome.INTERRUPTED and "INTERRUPTED" in repr(path)
    assert path.times.tolist() == pytest.approx([0, 0.01, 0.02, 0.024])  # the kept ones, and the last
    for k in range(3):
        assert np.array_equal(path.end_to_end[k], whole.end_to_end[k])
    assert signal.getsignal(signal.SIGINT) is before and not asked()


@pytest.mark.parametrize("method", METHODS)
def test_a_flow_gives_back_the_times_until_ctrl_c(method):
    def run(loss):
        times = np.linspace(0, 5, 2001)
        return lnn.gradient_flow(START, loss, times, method=method, rtol=1e-6, stop=1e-9)

    whole = run(Interrupting(None))
    with lnn.interruptible():
        path = run(Interrupting(40))
    assert path.outcome is Outcome.INTERRUPTED
    assert 0 < path.times[-1] < whole.times[-1] and path.losses[-1] < path.losses[0]
    np.testing.assert_allclose(path.losses[:-1], whole.losses[: len(path) - 1], rtol=EXACT)


@pytest.mark.parametrize("name", ["gradient_descent", "flow", "nuclear", "grid"])
def test_without_the_block_ctrl_c_raises(name):
    runs = {
        "gradient_descent": lambda: DESCENTS["gradient_descent"](Interrupting(5)),
        "flow": lambda: lnn.gradient_flow(START, Interrupting(5), [0, 1.0]),
        "nuclear": lambda: lnn.nuclear.minimize(Pressing((6, 4), 5), np.ones(24)),
        "grid": lambda: lnn.grid(press_at_two, {"x": range(5)}),
    }
    with pytest.raises(KeyboardInterrupt):
        runs[name]()


def test_a_second_ctrl_c_raises_even_in_the_block():
    with pytest.raises(KeyboardInterrupt), lnn.interruptible():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert not asked()


def test_the_rest_of_the_block_is_carried_out_and_its_runs_end_at_once():
    with lnn.interruptible():
        with lnn.interruptible():  # the outer block is the one that listens
            first = DESCENTS["adam"](Interrupting(5))
        second = DESCENTS["adam"](Interrupting(None))
    third = DESCENTS["adam"](Interrupting(None))
    assert [p.outcome for p in (first, second, third)] == [Outcome.INTERRUPTED, Outcome.INTERRUPTED, Outcome.FINISHED]
    assert len(second) == 1


class Pressing(lnn.Products):
    """All entries as products, with Ctrl-C at the k-th measurement."""

    def __init__(self, shape, k):
        super().__init__(np.eye(shape[0] * shape[1]).reshape(-1, *shape))
        object.__setattr__(self, "left", k)

    def __call__(self, W):
        object.__setattr__(self, "left", self.left - 1)
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return super().__call__(W)


def test_the_nuclear_norm_gives_back_its_best_matrix():
    rng = np.random.default_rng(0)
    target = lnn.datasets.low_rank((9, 8), 2, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(target.shape, 40, rng=rng))
    whole = lnn.nuclear.minimize(seen, seen(target), gap=1e-9, max_iterations=50_000)
    with lnn.interruptible():
        signal.raise_signal(signal.SIGINT)
        found = lnn.nuclear.minimize(seen, seen(target), gap=1e-9)
    assert not found.converged and found.iterations == 1 and found.residual < 1e-12
    assert found.bound <= whole.value * (1 + 1e-9) <= found.value * (1 + 2e-9)


def press_at_two(x):
    if x == 2:
        signal.raise_signal(signal.SIGINT)
    return x * 1.0


def test_a_grid_gives_back_the_runs_that_were_done():
    with lnn.interruptible():
        runs = lnn.grid(press_at_two, {"x": range(5)})
    assert runs.missing.tolist() == [False, False, False, True, True] and not runs.diverged.any()
    assert "2 not carried out" in repr(runs)
    assert runs.best() == ({"x": 0}, 0.0) and np.isinf(runs.table()[3:]).all()


class Relayed:
    """A backend whose worker hears Ctrl-C as well, and hands it back as what its run raised."""

    def __init__(self, *, presses):
        self.presses = presses

    def __call__(self, calls):
        yield 1.0
        for _ in range(self.presses):
            signal.raise_signal(signal.SIGINT)
        raise KeyboardInterrupt


@pytest.mark.parametrize(("presses", "raises"), [(0, True), (1, False), (2, True)])
def test_a_worker_that_hears_ctrl_c_does_not_lose_the_grid(monkeypatch, presses, raises):
    monkeypatch.setattr("joblib.Parallel", lambda **_: Relayed(presses=presses))
    with pytest.raises(KeyboardInterrupt) if raises else nullcontext(), lnn.interruptible():
        runs = lnn.grid(press_at_two, {"x": range(3)}, jobs=2)
        assert runs.missing.tolist() == [False, True, True] and runs.results[0] == 1.0
    assert not asked()


def test_only_the_main_thread_can_listen():
    said = []

    def enter():
        try:
            with lnn.interruptible():
                pass
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=enter, name="a worker")
    thread.start()
    thread.join()
    assert said == ["interruptible() works in the main thread only, which hears of Ctrl-C: this is a worker"]


RUN = """
import sys, time, numpy as np, lnn
loss = lnn.LeastSquares(lnn.Everything((5, 7)), np.zeros(35))
def endless(x):
    return lnn.gradient_descent((np.ones((5, 7)),), loss, 1e-9, 10**9, every=1000)
def slow(x):
    time.sleep(0.2 if x < 4 else 60)
    return x
print("ready", flush=True)
try:
    with lnn.interruptible():
        print(eval(sys.argv[1]), flush=True)
    print("went on", flush=True)
except KeyboardInterrupt:
    print("raised", flush=True)
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("endless(0)", "INTERRUPTED"),
        ("lnn.grid(slow, {'x': range(6)}, jobs=2)", "not carried out"),
    ],
)
def test_a_real_ctrl_c_in_a_terminal(code, said):
    """SIGINT to the whole process group, workers included, as a terminal sends it."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(2.5)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, err
    assert said in out and "went on" in out, out + err
