"""Every run of the package takes the same options and means the same by them."""

import numpy as np
import pytest

import lnn
from lnn.models import tensor

RNG = np.random.default_rng(12)
W = RNG.standard_normal((2, 3))
WEIGHTS = (RNG.standard_normal((4, 3)), RNG.standard_normal((2, 4)))
FACTORS = tensor.gaussian((2, 3, 2), 2, 0.5, rng=RNG)
LOSS = lnn.LeastSquares(lnn.Everything((2, 3)), 2 * np.ones(6))
CUBE = lnn.LeastSquares(lnn.Everything((2, 3, 2)), np.ones(12))
STEP = 0.01

DESCENTS = {
    "gradient_descent": lambda steps, **o: lnn.gradient_descent(WEIGHTS, LOSS, STEP, steps, **o),
    "end_to_end_descent": lambda steps, **o: lnn.end_to_end_descent(W, LOSS, 2, STEP, steps, **o),
    "momentum": lambda steps, **o: lnn.momentum(WEIGHTS, LOSS, STEP, steps, **o),
    "adagrad": lambda steps, **o: lnn.adagrad(WEIGHTS, LOSS, STEP, steps, **o),
    "adadelta": lambda steps, **o: lnn.adadelta(WEIGHTS, LOSS, STEP, steps, **o),
    "adam": lambda steps, **o: lnn.adam(WEIGHTS, LOSS, STEP, steps, **o),
    "tensor": lambda steps, **o: lnn.gradient_descent(FACTORS, CUBE, STEP, steps, model=tensor, **o),
    "tensor, adam": lambda steps, **o: lnn.adam(FACTORS, CUBE, STEP, steps, model=tensor, **o),
}
TIMES = np.linspace(0, 0.5, 6)
FLOWS = {
    "gradient_flow": lambda **o: lnn.gradient_flow(WEIGHTS, LOSS, TIMES, **o),
    "end_to_end_flow": lambda **o: lnn.end_to_end_flow(W, LOSS, 2, TIMES, **o),
    "tensor flow": lambda **o: lnn.gradient_flow(FACTORS, CUBE, TIMES, model=tensor, **o),
}
RUNS = {**{name: lambda run=run, **o: run(20, **o) for name, run in DESCENTS.items()}, **FLOWS}


@pytest.mark.parametrize("name", DESCENTS)
def test_a_run_of_no_steps_is_its_start(name):
    path = DESCENTS[name](0)
    assert path.times.tolist() == [0.0] and path.outcome is lnn.Outcome.FINISHED
    assert np.array_equal(path.end_to_end[0], DESCENTS[name](3).end_to_end[0])


@pytest.mark.parametrize("name", DESCENTS)
def test_every_step_is_kept_unless_something_else_is_asked_for(name):
    run = DESCENTS[name]
    whole = run(7)
    assert whole.times.tolist() == pytest.approx([STEP * k for k in range(8)], rel=1e-12)
    for every, kept in ((3, [0, 3, 6, 7]), ([2, 5], [0, 2, 5, 7])):
        thin = run(7, every=every)
        assert thin.times.tolist() == whole.times[kept].tolist()
        assert np.array_equal(thin.end_to_end, whole.end_to_end[kept])


@pytest.mark.parametrize("name", RUNS)
def test_a_run_stops_at_the_loss_asked_for(name):
    whole = RUNS[name]()
    assert whole.outcome is lnn.Outcome.FINISHED and whole.losses[-1] < whole.losses[0]
    stop = float(whole.losses[len(whole) // 2])
    path = RUNS[name](stop=stop)
    assert path.outcome is lnn.Outcome.CONVERGED and path.losses[-1] <= stop * (1 + 1e-9)
    assert 0 < path.times[-1] <= whole.times[len(whole) // 2] * (1 + 1e-6)
    with pytest.raises(ValueError, match=r"^stop must be finite"):
        RUNS[name](stop=np.nan)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_silent_unless_a_bar_is_asked_for(name, capsys):
    quiet = RUNS[name]()
    assert capsys.readouterr() == ("", "")
    shown = RUNS[name](progress=True)
    err = capsys.readouterr().err
    assert ("/0.5 [" if name in FLOWS else "/21 [") in err  # flow time, or the start and 20 steps
    assert err.endswith(" \r")  # wiped away at the end
    assert np.array_equal(shown.losses, quiet.losses)
