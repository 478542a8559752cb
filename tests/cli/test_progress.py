"""How far a run has come, for people: in a terminal, in a log, and in the words of both."""

import os
import re
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.bulk import Progress
from hubspot_batch.cli import _console, _progress
from hubspot_batch.cli._progress import Samples, drawn, duration, text_of

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

TITLE = "create orders from [red]orders.csv"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (59.4, "59 s"),
        (59.5, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7 * 3600 + 59, "7 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("progress", "share", "text"),
    [
        (Progress(), None, "0 rows, 0/s, quota 0%"),
        (Progress(), 0.0, "0 rows, 0/s, quota 0%"),
        (
            Progress(read=15_000, done=11_000, rejected=900, unknown=100, seconds=10.0, quota_share=0.987),
            0.3125,
            "12,000 rows, 1,200/s, quota 99%, 900 rejected, 100 unknown, 30 s left",
        ),
        (Progress(read=7, done=7, seconds=7.0), 1.0, "7 rows, 1/s, quota 0%, 0.0 s left"),
    ],
)
def test_the_words(progress: Progress, share: float | None, text: str) -> None:
    assert text_of(progress, share) == text


class TestSamples:
    def test_they_are_a_second_apart_and_the_end_is_one(self) -> None:
        samples = Samples()
        for tenth in range(26):
            samples.take(Progress(seconds=tenth / 10, requests=tenth, done=tenth))

        end = samples.end(Progress(seconds=2.5, requests=25, rejected=20, unknown=5))
        assert [sample.seconds for sample in end] == [0.0, 1.0, 2.0, 2.5]
        assert (end[-1].requests, end[-1].settled) == (25, 25)

    def test_there_are_never_many(self) -> None:
        samples = Samples()
        for second in range(20_000):
            samples.take(Progress(seconds=float(second)))

        assert 300 <= len(samples.all) <= 600
        times = [sample.seconds for sample in samples.all]
        assert times[0] == 0
        assert times[-1] > 19_900
        assert times == sorted(times)


class TestWithoutATerminal:
    def test_it_is_a_line_every_ten_seconds(self, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        with drawn(TITLE, lambda: 0.5, quiet=False) as tell:
            for _ in range(70):
                clock.now += 0.5
                tell(Progress(read=100, done=100, seconds=clock.now - 1000))

        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines() == [
            f"{TITLE}: 100 rows, 10/s, quota 0%, 10 s left",
            f"{TITLE}: 100 rows, 5/s, quota 0%, 20 s left",
            f"{TITLE}: 100 rows, 3/s, quota 0%, 30 s left",
        ]

    def test_after_a_long_silence_it_is_one_line(
        self, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with drawn(TITLE, lambda: None, quiet=False) as tell:
            clock.now += 300
            for _ in range(5):
                clock.now += 1
                tell(Progress())

        assert capsys.readouterr().err.count("\n") == 1

    def test_nothing_is_drawn_where_a_program_reads(
        self, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with drawn(TITLE, lambda: None, quiet=True) as tell:
            clock.now += 60
            tell(Progress())

        assert capsys.readouterr() == ("", "")

    def test_it_may_be_closed(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[object] = []

        def closed(text: object, **_: object) -> None:
            tried.append(text)
            raise BrokenPipeError

        monkeypatch.setattr(_console, "click", SimpleNamespace(echo=closed))
        with drawn(TITLE, lambda: None, quiet=False) as tell:
            clock.now += 11
            tell(Progress())

        assert tried


@pytest.mark.posix
@pytest.mark.parametrize("width", ["40", "120"])
def test_in_a_terminal_one_line_is_drawn_and_removed(width: str, write: "Write", shell: "Shell") -> None:
    import pty  # noqa: PLC0415 - Windows has none

    path = write("[red]orders.csv", "hs_order_name\n" + "A\n" * 300)
    shell.box.faults.next(None, "slow=1")
    ours, theirs = pty.openpty()
    shell.set("TERM", "xterm-256color")
    shell.set("COLUMNS", width)
    screen = bytearray()
    color = "always" if width == "120" else "never"
    command = ("create", "orders", path, "--base-url", shell.box.url, "--concurrency", "1", "--color", color)
    shell.set("NO_COLOR", "1")
    with shell.start(*command, stderr=theirs) as process:
        os.close(theirs)
        reader = threading.Thread(target=_read, args=(ours, screen))
        reader.start()
        out, _ = process.communicate(timeout=20)
        reader.join(timeout=20)
    os.close(ours)

    text = screen.decode()
    assert process.returncode == 0
    assert out.startswith("300 of 300 orders created in ")
    assert bool(re.search(r"\x1b\[[\d;]*3\d[\d;]*m", text)) == (color == "always")
    # A narrow terminal has no room for the title.
    assert (TITLE in text) == (width == "120")
    assert re.search(r"100 rows, \d+/s, quota", text)
    assert "\x1b[1A" not in text[: text.rindex("\x1b[?25h")], "a single line is drawn"
    assert "\x1b[?25l" in text, "the cursor is hidden"
    # The last line is erased, and the cursor is back.
    assert text.rstrip("\r\n").endswith("\x1b[2K")
    assert text.rindex("\x1b[?25h") > text.rindex("100 rows")


def _read(terminal: int, screen: bytearray) -> None:
    while True:
        try:
            found = os.read(terminal, 4096)
        except OSError:
            # On Linux, this is how a terminal says that all writers have closed it.
            return
        if not found:
            return
        screen.extend(found)
