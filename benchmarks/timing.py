"""Fair times on a machine that others use too: contenders take turns, and the least processor time of each counts.

All contenders run on one thread. On a quiet machine their processor time is the time that passes; on a busy one it
leaves out the waiting, which says nothing about them.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec


def have(package: str) -> bool:
    """Whether a peer is installed."""
    return find_spec(package) is not None


def least_times(contenders: dict[str, Callable[[], object]], rounds: int, turn: float) -> dict[str, float]:
    """Seconds of processor time that a call takes at best, for each contender.

    In every round each contender has one turn of about `turn` seconds, so that noise and changes of the clock hit all
    alike; whatever disturbs a turn only adds to it, so the least of all rounds is nearest to the truth. Two calls
    before the first round warm up: they compile, and fill the caches.
    """
    calls = {}
    for name, contender in contenders.items():
        contender()
        start = time.process_time()
        contender()
        calls[name] = max(1, int(turn / (time.process_time() - start)))
    best = dict.fromkeys(contenders, float("inf"))
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, contender in contenders.items():
                start = time.process_time()
                for _ in range(calls[name]):
                    contender()
                best[name] = min(best[name], (time.process_time() - start) / calls[name])
    finally:
        if collecting:
            gc.enable()
    return best


def seconds(run: Callable[[], object], repeats: int = 1) -> tuple[float, object]:
    """Least processor time of a long run, and what it returned."""
    best, answer = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        answer = run()
        best = min(best, time.process_time() - start)
    return best, answer


def peak_memory(run: Callable[[], object]) -> int:
    """Bytes that a run holds at most, beyond what was there before: as tracemalloc counts NumPy's arrays."""
    run()
    gc.collect()
    tracemalloc.start()
    try:
        answer = run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    del answer
    return peak
