"""Ctrl-C and SIGTERM during a run."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Two that come as one: from the terminal and from a program that passes it on, or of a nervous finger.
_AS_ONE = 0.5


@contextmanager
def announced() -> Iterator[None]:
    """Make each signal a `KeyboardInterrupt`, the first one with a word on what happens now."""
    deaf_until = float("-inf")

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal deaf_until
        if time.monotonic() < deaf_until:
            return
        if deaf_until < 0:
            # The stream may have ended by the same signal, or be in the middle of a write.
            with suppress(OSError, RuntimeError):
                click.echo("\nStopping: waiting for what is in flight. Once more stops at once.", err=True)
        deaf_until = time.monotonic() + _AS_ONE
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
