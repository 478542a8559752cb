"""The signals that ask a command to stop: Ctrl-C, SIGTERM, and a terminal that is closed."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

import click

# SIGHUP: the terminal was closed. SIGBREAK: Ctrl-Break, the only one that a program can send on Windows.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
# Two that come as one: from the terminal and from a program that passes it on, or of a nervous finger.
_AS_ONE = 0.5
_STOPPING = "\nStopping: waiting for what is in flight. Once more stops at once."


class Interrupts:
    """Makes each signal a `KeyboardInterrupt` as long as its `with` block lasts."""

    def __init__(self) -> None:
        self._deaf_until = float("-inf")
        self._word: str | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in _signals()}
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Let the first signal during the block say that what is in flight is waited for."""
        self._word = _STOPPING
        try:
            yield
        finally:
            self._word = None

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if time.monotonic() < self._deaf_until:
            return
        if self._word is not None:
            # The stream may have ended by the same signal, or be in the middle of a write.
            with suppress(OSError, RuntimeError):
                click.echo(self._word, err=True)
            self._word = None
        self._deaf_until = time.monotonic() + _AS_ONE
        raise KeyboardInterrupt


def _signals() -> list[signal.Signals]:
    """Return those that there are here, without SIGHUP where `nohup` has the command ignore it."""
    found = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    return [
        number
        for number in found
        if number.name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN
    ]
