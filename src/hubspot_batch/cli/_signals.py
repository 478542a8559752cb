"""Signals that ask a command to stop: Ctrl-C, SIGTERM, and the end of the terminal."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

import click

# SIGHUP: the terminal was closed. SIGBREAK: Ctrl-Break, the only signal that a program can send on Windows.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
# Debounce: a terminal and a program that passes signals on may both deliver one.
_DEBOUNCE_SECONDS = 0.5
_STOPPING = "\nStopping: waiting for what is in flight. Once more stops at once."


class Interrupts:
    """Turns each signal into a `KeyboardInterrupt` while its `with` block runs."""

    def __init__(self) -> None:
        self._ignored_until = float("-inf")
        self._message: str | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in _signals()}
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Say, at the first signal during the block, that requests in flight are waited for."""
        self._message = _STOPPING
        try:
            yield
        finally:
            self._message = None

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if time.monotonic() < self._ignored_until:
            return
        if self._message is not None:
            # The stream may have ended by the same signal, or be in the middle of a write.
            with suppress(OSError, RuntimeError):
                click.echo(self._message, err=True)
            self._message = None
        self._ignored_until = time.monotonic() + _DEBOUNCE_SECONDS
        raise KeyboardInterrupt


def _signals() -> list[signal.Signals]:
    """Return the signals of this system, without SIGHUP if `nohup` has made the command ignore it."""
    found = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    return [
        number
        for number in found
        if number.name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN
    ]
