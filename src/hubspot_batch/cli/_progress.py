"""Progress on standard error: a bar in a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, TextIO, TypeAlias, cast

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch import printable
from hubspot_batch.bulk import Progress
from hubspot_batch.cli._console import say

Color: TypeAlias = Literal["auto", "always", "never"]
ShareRead: TypeAlias = Callable[[], float | None]

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_SAMPLES = 1.0
_MOST_SAMPLES = 600
_WIDTH_WITH_BAR = 80
_WIDTH_WITH_TITLE = 120


class Sample(Struct, frozen=True):
    """The progress of a run at one time."""

    seconds: float
    requests: int
    settled: int


class Samples:
    """The progress of a run over time, in at most 600 samples."""

    def __init__(self) -> None:
        self.all: list[Sample] = [Sample(0.0, 0, 0)]
        self._apart = _SECONDS_BETWEEN_SAMPLES

    def take(self, progress: Progress) -> None:
        """Take a sample, unless the last one is too recent."""
        if progress.seconds - self.all[-1].seconds >= self._apart:
            self.all.append(_sample(progress))
            if len(self.all) > _MOST_SAMPLES:
                self.all = self.all[::2]
                self._apart *= 2

    def end(self, progress: Progress) -> list[Sample]:
        """Return all samples, and one of the end."""
        return [*self.all, _sample(progress)]


def _sample(progress: Progress) -> Sample:
    settled = progress.done + progress.rejected + progress.unknown
    return Sample(progress.seconds, progress.requests, settled)


@contextmanager
def drawn(
    title: str, share_read: ShareRead, *, quiet: bool, color: Color = "auto"
) -> Iterator[Callable[[Progress], None]]:
    """Draw progress while the block runs, and yield the function that takes it.

    Args:
        title: What the run does.
        share_read: Returns the share of the source that was read, from 0 to 1.
        quiet: Whether to draw nothing.
        color: Whether there are colours at a terminal: `auto` leaves it to NO_COLOR.
    """
    if quiet:
        yield lambda _: None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _bar(title, share_read, color) as tell:
            yield tell
    else:
        yield _Lines(title, share_read).tell


class _Lines:
    def __init__(self, title: str, share_read: ShareRead) -> None:
        self._title = title
        self._share_read = share_read
        self._next = time.monotonic() + _SECONDS_BETWEEN_LINES

    def tell(self, progress: Progress) -> None:
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + _SECONDS_BETWEEN_LINES
        # The run goes on even if nothing reads standard error any more.
        with suppress(OSError):
            say(f"{self._title}: {text_of(progress, self._share_read())}", err=True)


@contextmanager
def _bar(title: str, share_read: ShareRead, color: Color) -> Iterator[Callable[[Progress], None]]:
    from rich import progress as rich  # noqa: PLC0415 - only where a terminal is drawn to
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    last, share, told = Progress(), share_read(), time.monotonic()

    class Figures(rich.ProgressColumn):
        def render(self, task: rich.Task) -> Text:  # noqa: ARG002
            # Time passes even while a run waits for its quota and reports nothing.
            seconds = last.seconds + time.monotonic() - told
            return Text(text_of(replace(last, seconds=seconds), share))

    # Without a choice, NO_COLOR decides.
    no_color = None if color == "auto" else color == "never"
    console = Console(file=cast("TextIO", _ClosableTerminal(sys.stderr)), no_color=no_color)
    # One line, however narrow the terminal is: what wraps is not erased when something else is printed.
    columns: list[rich.ProgressColumn] = [
        rich.TaskProgressColumn(table_column=Column(no_wrap=True, min_width=4)),
        Figures(table_column=Column(no_wrap=True, overflow="ellipsis")),
    ]
    if console.width >= _WIDTH_WITH_BAR:
        columns.insert(0, rich.BarColumn(bar_width=24))
    if console.width >= _WIDTH_WITH_TITLE:
        columns.insert(
            0, rich.TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
        )
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(printable(title), total=1.0)

        def tell(progress: Progress) -> None:
            nonlocal last, share, told
            last, share, told = progress, share_read(), time.monotonic()
            bar.update(task, completed=_share_settled(progress, share))

        yield tell


class _ClosableTerminal:
    """A terminal that may be closed. The run goes on, and what it writes is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def text_of(progress: Progress, share_read: float | None) -> str:
    """Return the progress of a run in one line.

    Args:
        progress: The figures.
        share_read: The share of the source that was read.
    """
    settled = progress.done + progress.rejected + progress.unknown
    parts = [f"{settled:,} rows", f"{settled / max(progress.seconds, 0.001):,.0f}/s"]
    parts.append(f"quota {progress.quota_share:.0%}")
    if progress.rejected:
        parts.append(f"{progress.rejected:,} rejected")
    if progress.unknown:
        parts.append(f"{progress.unknown:,} unknown")
    if share := _share_settled(progress, share_read):
        parts.append(f"{duration(progress.seconds * (1 - share) / share)} left")
    return ", ".join(parts)


def _share_settled(progress: Progress, share_read: float | None) -> float:
    """Return the share of the source that has outcomes; 0 if it is not known."""
    settled = progress.done + progress.rejected + progress.unknown
    return (share_read or 0.0) * settled / max(progress.read, 1)


def duration(seconds: float) -> str:
    """Return a time span for people: `0.3 s`, `45 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 9.95:  # noqa: PLR2004 - what is rounded to ten seconds is
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute, and so on
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
