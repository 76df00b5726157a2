"""Ctrl-C as a wish instead of an accident: inside `interruptible()`, a run that is stopped gives back what it has."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Wish:
    """Whether runs may be stopped, whether that was asked for, and whether it was asked for twice."""

    active = False
    asked = False
    insisted = False


def asked() -> bool:
    """Whether Ctrl-C was pressed in the `interruptible` block that is running: runs ask it at every step."""
    return _Wish.asked


def insisted() -> bool:
    """Whether Ctrl-C was pressed a second time, which raises KeyboardInterrupt."""
    return _Wish.insisted


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C (SIGINT, a notebook's stop button) end runs early with what they recorded: `with interruptible(): …`.

    Every run of the package listens: descents and optimizers (`record`) and flows end as INTERRUPTED with what was
    recorded, `nuclear.minimize` and `unfolding.minimize` return the best so far with `converged` False, and `grid` the
    runs that were done. What comes after it in the block is carried out, other runs ending as soon as they begin. A
    second Ctrl-C raises KeyboardInterrupt at once, as the first does outside of such a block.

    Raises
    ------
    RuntimeError
        If it is not entered in the main thread, the only one that Python tells of Ctrl-C.
    """
    if _Wish.active:
        yield  # the outer block listens already
        return
    if threading.current_thread() is not threading.main_thread():
        name = threading.current_thread().name
        raise RuntimeError(f"interruptible() works in the main thread only, which hears of Ctrl-C: this is {name}")

    def ask(*_: Any) -> None:
        if _Wish.asked:
            _Wish.insisted = True
            raise KeyboardInterrupt
        _Wish.asked = True

    before = signal.signal(signal.SIGINT, ask)
    _Wish.active = True
    try:
        yield
    finally:
        _Wish.active = _Wish.asked = _Wish.insisted = False
        signal.signal(signal.SIGINT, before)
