"""A quota in a file: several processes keep to it together, and no file of another program is changed."""

import gc
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hubspot_batch import (
    BatchResult,
    ClosedError,
    ConfigurationError,
    CreateInput,
    Quota,
    QuotaUnavailableError,
    SharedQuota,
)
from hubspot_batch.sandbox import Sandbox
from hubspot_batch.transport import _shared_quota as shared_quota
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._quota import AttemptReport
from tests.conftest import case

if TYPE_CHECKING:
    from tests.conftest import Clock, Face

INPUTS: list[CreateInput] = [{"properties": {"hs_order_name": "A-1001"}}]
HEADERS = {
    "x-hubspot-ratelimit-max": "190",
    "x-hubspot-ratelimit-interval-milliseconds": "5000",
    "x-hubspot-ratelimit-daily": "250000",
    "x-hubspot-ratelimit-daily-remaining": "249000",
}
REMEDY = "name a new file in a folder that exists and can be written, or one that a SharedQuota has made"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quota.sqlite"


@pytest.fixture
def pair(path: Path) -> Iterator[tuple[SharedQuota, SharedQuota]]:
    """Two quotas over one file, as two processes have them."""
    with SharedQuota(path, 3, 10.0) as one, SharedQuota(path, 3, 10.0) as other:
        yield one, other


Pair = tuple[SharedQuota, SharedQuota]


def known(quota: Quota) -> tuple[object, ...]:
    return (
        *(quota.limit, quota.window, quota.margin, quota.paused_until),
        *(quota.daily_limit, quota.daily_remaining),
    )


def kept(left: Sequence[float], limit: int, window: float) -> bool:
    """Whether no rolling window holds more departures than the limit."""
    ordered = sorted(left)
    pairs = zip(ordered, ordered[limit:], strict=False)
    return all(later - earlier >= window for earlier, later in pairs)


# What one learns, all know.


def test_two_quotas_over_one_file_are_one(pair: Pair) -> None:
    one, other = pair

    left = [quota.reserve(5.0) for quota in (one, other, one, other, one)]

    assert left == [5.0, 5.0, 5.0, 15.1, 15.1]


def test_what_a_reply_to_one_tells_the_other_keeps_to(path: Path) -> None:
    with SharedQuota(path) as one, SharedQuota(path) as other:
        one.learn(HEADERS)

        assert [other.reserve(0.0) for _ in range(191)] == [0.0] * 190 + [5.1]
        assert (other.limit, other.window) == (190, 5.0)
        assert (other.daily_limit, other.daily_remaining) == (250_000, 249_000)


def test_a_limit_that_is_given_is_a_ceiling_for_its_own_process(path: Path) -> None:
    with SharedQuota(path, 2) as careful, SharedQuota(path) as other:
        other.learn({**HEADERS, "x-hubspot-ratelimit-max": "3"})

        left = [quota.reserve(0.0) for quota in (careful, other, other, careful)]

        assert left == [0.0, 0.0, 0.0, 10.1]
        assert (careful.limit, careful.window) == (2, 10.0)
        assert (other.limit, other.window) == (3, 5.0)


def test_what_waits_for_a_guessed_limit_is_not_counted(path: Path) -> None:
    with SharedQuota(path) as one, SharedQuota(path) as other:
        for _ in range(100):
            one.reserve(0.0)
        assert one.reserve(0.0, on_guess=False) == 0.25
        other.learn({**HEADERS, "x-hubspot-ratelimit-max": "101"})

        assert [one.reserve(0.25, on_guess=False) for _ in range(2)] == [0.25, 5.1]


def test_a_reply_to_one_tells_when_the_request_of_the_other_arrived(path: Path) -> None:
    with SharedQuota(path, 2) as one, SharedQuota(path, 2) as other:
        assert [one.reserve(0.0), other.reserve(0.0)] == [0.0, 0.0]
        one.ended(AttemptReport(send_time=0.0, sent=0.1, ended=0.2, headers={}))
        other.ended(AttemptReport(send_time=0.0, sent=0.0, ended=5.0, headers={}))

        assert [one.reserve(5.0), other.reserve(5.0)] == pytest.approx([10.15, 10.15], abs=0.001)


def test_a_fast_reply_to_one_corrects_what_slow_replies_told_the_other(path: Path) -> None:
    with SharedQuota(path, 2) as one, SharedQuota(path, 2) as other:
        assert [one.reserve(0.0), other.reserve(0.0)] == [0.0, 0.0]
        other.ended(AttemptReport(send_time=0.0, sent=0.0, ended=0.5, headers={}))
        one.ended(AttemptReport(send_time=0.0, sent=0.0, ended=0.1, headers={}))

        assert [one.reserve(5.0), other.reserve(5.0)] == pytest.approx([10.05, 10.45], abs=0.001)


def test_a_pause_of_one_is_a_pause_of_the_other(pair: Pair) -> None:
    one, other = pair
    assert other.reserve(1.0) == 1.0

    one.refused(8.0, 1.0)

    assert other.paused_until == 8.0
    assert other.reserve(2.0) == 8.0


def test_refusals_of_both_during_one_pause_make_the_margin_grow_once(pair: Pair) -> None:
    one, other = pair

    one.refused(8.0, 1.0)
    other.refused(9.0, 1.5)

    assert one.paused_until == other.paused_until == 9.0
    assert one.margin == other.margin == pytest.approx(0.15)


def test_a_quota_that_is_made_later_begins_with_what_is_known(path: Path) -> None:
    with SharedQuota(path, 3) as first:
        assert (first.limit, first.window) == (3, 10.0)
        first.learn(HEADERS)
        first.reserve(7.0)
        first.refused(8.0, 7.0)

    with SharedQuota(path) as later:
        assert known(later) == (190, 5.0, pytest.approx(0.15), 8.0, 250_000, 249_000)
        assert later.reserve(0.0) == 8.0


def test_without_arguments_it_is_the_smallest_quota_of_any_account(path: Path) -> None:
    with SharedQuota(path) as quota:
        assert known(quota) == known(Quota())


def test_old_departures_leave_the_file(path: Path) -> None:
    with SharedQuota(path, 50, 1.0) as quota:
        for number in range(500):
            quota.reserve(number / 10)
        assert rows(path) == 500
        for number in range(1000):
            quota.reserve(100.0 + number)
        assert rows(path) == 63


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        ((count,),) = database.execute("SELECT count(*) FROM departures").fetchall()
    return int(count)


def test_clients_keep_to_it_and_to_a_pause_that_another_process_runs_into(
    face: "Face", clock: "Clock", pair: Pair
) -> None:
    mine, theirs = pair
    hub = face.connect(face.wire(), quota=mine)
    for _ in range(2):
        face.create(hub, INPUTS)
    theirs.reserve(clock.now)

    def they_are_refused() -> None:
        clock.on_sleep = lambda: None
        theirs.refused(1050.0, clock.now)

    clock.on_sleep = they_are_refused
    face.create(hub, INPUTS)

    assert clock.sleeps[0] == pytest.approx(10.05)
    assert clock.now == pytest.approx(1050.0)


@pytest.mark.parametrize("shared", [False, True])
def test_what_is_reported_of_a_departure_that_is_forgotten_changes_no_other(
    path: Path, *, shared: bool
) -> None:
    with ExitStack() as stack:
        quota = stack.enter_context(SharedQuota(path, 1)) if shared else Quota(1)
        quota.reserve(0.0)
        quota.ended(AttemptReport(send_time=-99.0, sent=50.0, ended=50.0))

        assert quota.reserve(0.0, held=-99.0) == 10.1


# Threads and processes.


def test_many_threads_get_what_one_would_get(path: Path) -> None:
    with SharedQuota(path, 19, 10.0) as quota, ThreadPoolExecutor(8) as pool:
        left = list(pool.map(quota.reserve, [0.0] * 800))

    alone = Quota(19, 10.0)
    assert sorted(left) == [alone.reserve(0.0) for _ in range(800)]


def test_many_may_make_the_file_at_once(path: Path) -> None:
    together = threading.Barrier(8)

    def work(_number: int) -> list[float]:
        together.wait(timeout=60)
        with SharedQuota(path, 5, 10.0) as quota:
            return [quota.reserve(0.0) for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        left = [send_time for part in pool.map(work, range(8)) for send_time in part]

    assert len(left) == 80
    assert kept(left, 5, 10.0)


RESERVES = """
import sys, time
from hubspot_batch import SharedQuota

print("ready", flush=True)
sys.stdin.readline()
with SharedQuota(sys.argv[1], 25, 0.5) as quota:
    for number in range(300):
        now = time.monotonic()
        send_time = quota.reserve(now)
        assert send_time >= now
        print(send_time)
        if number == 150:
            quota.refused(send_time + 3, time.monotonic())
"""


def test_two_processes_keep_to_one_quota_together(path: Path) -> None:
    command = [sys.executable, "-c", RESERVES, str(path)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    # Only now, so that both reserve at the same time.
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    lists = [[float(line) for line in process.communicate(timeout=60)[0].split()] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert [len(left) for left in lists] == [300, 300]
    assert all(left == sorted(left) for left in lists)
    assert kept(lists[0] + lists[1], 25, 0.5)
    with SharedQuota(path, 25, 0.5) as quota:
        assert quota.reserve(time.monotonic()) >= max(*lists[0], *lists[1], quota.paused_until)


FORKS = """
import gc, os, sys, warnings
from hubspot_batch import Quota, SharedQuota

warnings.simplefilter("ignore")
unused, used, alone = SharedQuota(sys.argv[1], 2, 10.0), SharedQuota(sys.argv[1], 2, 10.0), Quota(2, 10.0)
assert used.reserve(5.0) == 5.0
# A thread that does not exist in the child.
alone._lock.acquire()
used._lock.acquire()
if child := os.fork():
    used._lock.release()
    assert os.waitpid(child, 0)[1] == 0
    print(*(round(quota.reserve(5.0), 6) for quota in (used, used, unused)))
else:
    assert alone.reserve(0.0) == 0.0
    assert used.reserve(5.0) == 5.0
    del used
    gc.collect()
    with unused:
        assert unused.paused_until < 0.0
"""


@pytest.mark.posix
def test_a_process_that_forks_goes_on_with_a_connection_of_its_own(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, path], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout, done.stderr) == ("15.1 15.1 25.2\n", "")


# The event loop.


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_event_loop_goes_on_while_another_program_holds_the_file(
    path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_quota, "_PATIENCE", 60.0)
    free = threading.Event()

    def hold(held: threading.Event) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            held.set()
            free.wait(timeout=60)
            database.execute("ROLLBACK")

    async def main(quota: SharedQuota) -> list[float]:
        departures = []

        async def reserve() -> None:
            departures.append(await quota.reserve_async(1.0))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(reserve)
            for _ in range(100):
                await checkpoint()
            assert departures == []
            free.set()
        await quota.ended_async(AttemptReport(send_time=1.0, sent=3.0, ended=3.0))
        return departures

    with SharedQuota(path, 2, 10.0) as quota:
        held = threading.Event()
        holder = threading.Thread(target=hold, args=(held,))
        quota.reserve(0.0)
        holder.start()
        held.wait()
        assert sorted(anyio.run(main, quota, backend=backend)) == [1.0, 10.1, 11.1]
        holder.join()
        assert quota.reserve(10.1, held=10.1) == 10.1
        assert quota.reserve(11.1, held=11.1) == pytest.approx(13.1)


def test_no_client_reads_or_writes_the_file_in_its_event_loop(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops, workers = set(), set()

    async def loop_of(*given: Any) -> BatchResult:  # noqa: ANN401
        loops.add(threading.get_ident())
        return await send(*given)

    def worker_of(*given: Any) -> AbstractContextManager[sqlite3.Connection]:  # noqa: ANN401
        workers.add(threading.get_ident())
        return transaction(*given)

    send, transaction = AsyncDriver.send, SharedQuota._transaction
    monkeypatch.setattr(SharedQuota, "_transaction", worker_of)
    monkeypatch.setattr(AsyncDriver, "send", loop_of)
    with SharedQuota(path) as quota:
        report = face.finish(face.connect(face.wire(), quota=quota).orders.create_all(INPUTS))

    assert report.done == 1
    assert len(loops) == 1
    assert workers
    assert workers.isdisjoint(loops)


# A restart of the machine, and what is none.


@pytest.fixture
def boot_id(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(shared_quota, "_boot_id", lambda: text)


def test_after_a_restart_of_the_machine_the_log_begins_anew(
    path: Path, boot_id: Callable[[str], None]
) -> None:
    boot_id("first")
    with SharedQuota(path, 1) as before:
        before.learn(HEADERS)
        before.refused(9.0, 5.0)
        assert before.reserve(5.0) == 9.0

    boot_id("second")
    with SharedQuota(path, 7) as after:
        assert known(after) == known(Quota(7))
        assert after.reserve(3.0) == 3.0
        assert rows(path) == 1


@pytest.mark.parametrize("jump", [-1e9, -61.0, 61.0, 1e9])
def test_a_time_of_day_that_is_set_and_a_machine_that_sleeps_are_no_restart(
    path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    with SharedQuota(path, 1) as before:
        now = time.monotonic()
        before.reserve(now)

    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    with SharedQuota(path, 1) as after:
        assert after.reserve(now) == pytest.approx(now + 10.1)


def test_where_the_system_gives_no_id_a_clock_that_began_anew_tells_a_restart(
    path: Path, boot_id: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    boot_id("")
    with SharedQuota(path, 1) as before:
        before.reserve(500_000.0)

    monkeypatch.setattr(shared_quota, "time", SimpleNamespace(monotonic=lambda: 500_001.0))
    with SharedQuota(path, 1) as after:
        assert after.reserve(500_001.0) == pytest.approx(500_010.1)
    monkeypatch.setattr(shared_quota, "time", SimpleNamespace(monotonic=lambda: 30.0))
    with SharedQuota(path, 1) as after:
        assert after.reserve(30.0) == 30.0


@pytest.mark.parametrize("error", [FileNotFoundError, UnicodeDecodeError("ascii", b"", 0, 1, "")])
def test_a_system_without_an_id_of_the_boot_gives_none(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def read(*_given: object, **_named: object) -> str:
        raise error

    monkeypatch.setattr(Path, "read_text", read)

    assert shared_quota._boot_id() == ""


# Files that cannot be used.


def refusal(path: Any) -> str:  # noqa: ANN401
    with pytest.raises(ConfigurationError) as caught:
        SharedQuota(path)
    return str(caught.value)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "quota.sqlite"

    text = refusal(path)

    assert text.startswith(f"the quota file {path} cannot be used: ")
    assert text.endswith(f"; {REMEDY}")
    assert not path.parent.exists()


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"the quota file {tmp_path} cannot be used: ")


def without_writing(path: Path) -> None:
    path.chmod(0o500)
    if os.access(path, os.W_OK):
        pytest.skip("permissions do not bind this user")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    without_writing(tmp_path)

    assert refusal(tmp_path / "quota.sqlite").endswith(f"; {REMEDY}")


def test_a_file_that_cannot_be_written_is_refused(path: Path) -> None:
    SharedQuota(path).close()
    without_writing(path)

    assert refusal(path).endswith(f"; {REMEDY}")


@pytest.mark.parametrize("path", [None, 5, b"quota.sqlite", ["quota.sqlite"]])
def test_what_is_not_a_path_is_refused(path: object) -> None:
    assert (
        refusal(path) == 'the path of a quota must be the path of a file; write SharedQuota("quota.sqlite")'
    )


def test_a_path_that_no_file_can_have_is_refused() -> None:
    assert "cannot be used: " in refusal("quota\0sqlite")


def test_a_limit_that_makes_no_sense_makes_no_file(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a quota is at least one request"):
        SharedQuota(path, limit=0)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"\n", b"order,amount\n", b"SQLite format 3\0", b"\0" * 8192])
def test_a_file_that_is_not_a_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert str(path) in refusal(path)

    assert path.read_bytes() == content


def database_of(path: Path, *statements: str) -> bytes:
    """Have another program make a database, and return its bytes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
    return path.read_bytes()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE orders (id INTEGER)"],
        ["CREATE TABLE figures (epoch REAL)", "CREATE TABLE departures (number INTEGER, at REAL)"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE orders (id INTEGER)", "PRAGMA user_version = 1"],
    ],
)
def test_the_database_of_another_program_is_refused_and_left_alone(path: Path, statements: list[str]) -> None:
    content = database_of(path, *statements)

    assert refusal(path) == f"the quota file {path} cannot be used: another program has made it; {REMEDY}"

    assert path.read_bytes() == content
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_the_store_of_a_sandbox_is_not_a_quota(path: Path) -> None:
    with Sandbox(store=path):
        pass

    assert "another program has made it" in refusal(path)


@pytest.mark.parametrize("version", [0, 1, 99])
def test_the_file_of_another_version_is_refused_and_left_alone(path: Path, version: int) -> None:
    SharedQuota(path).close()
    content = database_of(path, f"PRAGMA user_version = {version}")

    assert "cannot be used: another version of hubspot-batch has made it; " in refusal(path)

    assert path.read_bytes() == content


def test_a_file_that_another_program_holds_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_quota, "_PATIENCE", 0.0)
    SharedQuota(path).close()

    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert "database is locked" in refusal(path)


class Hasty(sqlite3.Connection):
    """A connection that fails to choose WAL, as happens where several processes begin at once."""

    code = "SQLITE_BUSY"

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:  # noqa: ANN401
        if "WAL" in sql:
            error = sqlite3.OperationalError("no WAL")
            error.sqlite_errorname = self.code
            raise error
        return super().execute(sql, *given)


@pytest.mark.parametrize("code", ["SQLITE_BUSY", "SQLITE_IOERR"])
def test_two_processes_may_begin_at_once(path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(Hasty, "code", code)
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Hasty))

    if code == "SQLITE_BUSY":
        with SharedQuota(path, 1) as quota:
            assert [quota.reserve(1.0), quota.reserve(1.0)] == [1.0, 11.1]
    else:
        assert "cannot be used: no WAL; " in refusal(path)


def test_a_quota_is_made_in_an_empty_file(path: Path) -> None:
    path.touch()

    with SharedQuota(path) as quota:
        assert quota.reserve(1.0) == 1.0


# Files that say what no quota says.


LIES = [
    "UPDATE figures SET margin = 'much'",
    "UPDATE figures SET margin = 1e9",
    "UPDATE figures SET margin = 9e999",
    "UPDATE figures SET paused_until = 'for ever'",
    "UPDATE figures SET paused_until = x'00'",
    'UPDATE figures SET "limit" = \'all\', "window" = 10.0',
    'UPDATE figures SET "limit" = 0, "window" = 10.0',
    'UPDATE figures SET "limit" = 190',
    'UPDATE figures SET "window" = 10.0',
    'UPDATE figures SET "limit" = 190, "window" = 0.0',
    'UPDATE figures SET "limit" = 190, "window" = 1e12',
    "UPDATE figures SET latency = -1.0",
    "UPDATE figures SET latency = 'long'",
    "UPDATE figures SET saved = 1e9",
    "UPDATE figures SET daily_limit = 'many'",
    "UPDATE figures SET daily_remaining = -5",
]


def test_values_that_no_quota_writes_are_refused(tmp_path: Path) -> None:
    for number, lie in enumerate([*LIES, "INSERT INTO departures (at, waits) VALUES ('late', 0)"]):
        path = tmp_path / f"{number}.sqlite"
        SharedQuota(path).close()
        database_of(path, lie)

        with case(lie):
            assert "cannot be used: it holds what no SharedQuota writes" in refusal(path)


def test_values_that_no_quota_writes_are_refused_later_too(tmp_path: Path) -> None:
    late = "INSERT INTO departures (at, waits) VALUES ('late', 1)"
    for number, lie in enumerate([*LIES, "DELETE FROM figures", late]):
        with case(lie), SharedQuota(tmp_path / f"{number}.sqlite") as quota:
            quota.reserve(0.0)
            database_of(tmp_path / f"{number}.sqlite", lie)

            with pytest.raises(QuotaUnavailableError, match="it holds what no SharedQuota writes"):
                quota.reserve(1.0)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER later AFTER INSERT ON departures BEGIN UPDATE figures SET margin = 2.0; END",
        "CREATE VIEW everything AS SELECT * FROM departures",
        "DROP INDEX by_time",
        "ALTER TABLE figures ADD COLUMN more TEXT",
    ],
)
def test_a_file_with_more_or_fewer_tables_is_refused(path: Path, statement: str) -> None:
    SharedQuota(path).close()
    database_of(path, statement)

    assert "cannot be used: it holds what no SharedQuota writes" in refusal(path)


def test_a_file_without_tables_is_refused(path: Path) -> None:
    database_of(path, f"PRAGMA application_id = {0x48534251}", "PRAGMA user_version = 2")

    assert "cannot be used: it holds what no SharedQuota writes" in refusal(path)


@pytest.mark.parametrize("years", [1, 31_700])
@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE figures SET paused_until = {}",
        "INSERT INTO departures (at, waits) VALUES ({}, 1)",
        "UPDATE departures SET at = {}, waits = 1",
    ],
)
def test_a_time_that_no_reply_and_no_queue_can_have_made_is_ignored(path: Path, lie: str, years: int) -> None:
    with SharedQuota(path, 2) as quota:
        now = time.monotonic()
        quota.reserve(now)
        database_of(path, lie.format(now + years * 365 * 86_400.0))

        assert quota.reserve(now) == now


def test_a_long_queue_and_a_long_pause_are_believed(path: Path) -> None:
    with SharedQuota(path, 1, 60.0) as quota:
        left = [quota.reserve(0.0) for _ in range(40)]
        assert left[-1] == pytest.approx(39 * 60.1)
        quota.refused(80_000.0, 0.0)

        assert quota.reserve(0.0) == 80_000.0


def test_a_page_that_is_damaged_is_refused(path: Path) -> None:
    SharedQuota(path).close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    assert refusal(path).startswith(f"the quota file {path} cannot be used: ")


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SharedQuota(path).close()
    monkeypatch.setattr(os, "lstat", lambda _name: SimpleNamespace(st_mode=stat.S_IFREG, st_uid=4321))
    monkeypatch.setattr(os, "geteuid", lambda: 1234, raising=False)

    assert f"cannot be used: {path} belongs to another user; " in refusal(path)


def test_where_files_have_no_owner_none_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "geteuid", raising=False)

    SharedQuota(path).close()


@pytest.mark.posix
@pytest.mark.parametrize("name", ["quota.sqlite-journal", "quota.sqlite-wal", "quota.sqlite-shm"])
def test_a_link_in_place_of_a_file_that_sqlite_keeps_is_refused(path: Path, name: str) -> None:
    SharedQuota(path).close()
    aim = path.with_name("aim")
    aim.write_text("mine")
    path.with_name(name).symlink_to(aim)

    assert f"cannot be used: {path.with_name(name)} is not a regular file; " in refusal(path)

    assert aim.read_text() == "mine"


@pytest.mark.posix
def test_a_link_of_the_user_leads_to_the_file(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)

    with SharedQuota(link, 1) as one, SharedQuota(path, 1) as other:
        assert [one.reserve(0.0), other.reserve(0.0)] == [0.0, 10.1]

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Files that fail later.


@pytest.fixture
def held(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedQuota]:
    """A quota whose file another program has locked since it was used."""
    monkeypatch.setattr(shared_quota, "_PATIENCE", 0.0)
    with (
        SharedQuota(path, 3) as quota,
        closing(sqlite3.connect(path, isolation_level=None)) as database,
    ):
        quota.reserve(1.0)
        quota.refused(2.0, 1.0)
        database.execute("BEGIN EXCLUSIVE")
        yield quota


def test_nothing_is_reserved_in_a_file_that_is_held(held: SharedQuota, path: Path) -> None:
    with pytest.raises(QuotaUnavailableError) as caught:
        held.reserve(3.0)

    assert not caught.value.maybe_written
    assert str(caught.value) == (
        f"the quota file {path} cannot be used any more: database is locked; "
        "make room on its disk, end what holds it, or name another file"
    )


def test_what_a_reply_tells_is_not_worth_the_reply(held: SharedQuota) -> None:
    before = known(held)

    held.learn(HEADERS)
    held.refused(90.0, 80.0)

    assert known(held) == before


def test_a_file_that_comes_free_again_is_used_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_quota, "_PATIENCE", 0.0)
    with SharedQuota(path, 1) as quota, closing(sqlite3.connect(path, isolation_level=None)) as database:
        assert quota.reserve(0.0) == 0.0
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(QuotaUnavailableError, match="database is locked"):
            quota.reserve(0.0)
        database.execute("ROLLBACK")

        assert quota.reserve(0.0) == 10.1


def test_a_file_that_fails_sends_nothing(face: "Face", held: SharedQuota) -> None:
    wire = face.wire()

    with pytest.raises(QuotaUnavailableError, match="cannot be used any more"):
        face.create(face.connect(wire, quota=held), INPUTS)

    assert wire.requests == []


def test_a_file_that_is_gone_before_its_first_use_is_made_again(path: Path) -> None:
    with SharedQuota(path, 2) as quota:
        path.unlink()

        assert [quota.reserve(0.0) for _ in range(3)] == [0.0, 0.0, 10.1]
        assert path.exists()


def test_a_file_that_turns_into_another_before_its_first_use_is_refused(path: Path) -> None:
    with SharedQuota(path) as quota:
        path.write_bytes(b"order,amount\n" * 100)

        with pytest.raises(ConfigurationError, match="file is not a database"):
            quota.reserve(0.0)


# Open and closed.


@pytest.mark.posix
def test_the_file_is_its_owners_only(path: Path) -> None:
    with SharedQuota(path) as quota:
        quota.reserve(0.0)

        files = list(path.parent.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_quota_that_is_closed_reserves_nothing(path: Path) -> None:
    with SharedQuota(path) as quota:
        quota.reserve(0.0)
    quota.close()

    with pytest.raises(ClosedError) as caught:
        quota.reserve(0.0)

    assert str(caught.value) == "the quota is closed; make another one"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_quota_that_is_closed_disturbs_no_call_that_ends_later(path: Path) -> None:
    quota = SharedQuota(path)
    quota.reserve(0.0)
    quota.refused(9.0, 0.0)
    before = known(quota)
    quota.close()

    quota.learn(HEADERS)
    quota.refused(20.0, 10.0)

    assert known(quota) == before


def test_a_quota_that_was_never_used_can_be_closed(path: Path) -> None:
    SharedQuota(path).close()

    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_quota_without_references_closes_its_file(path: Path) -> None:
    quota = SharedQuota(path)
    quota.reserve(0.0)
    assert len(list(path.parent.iterdir())) == 3

    del quota
    gc.collect()

    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_relative_path_is_one_of_the_folder_at_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with SharedQuota("quota.sqlite") as quota:
        (tmp_path / "deep").mkdir()
        monkeypatch.chdir(tmp_path / "deep")
        quota.reserve(0.0)

        assert list((tmp_path / "deep").iterdir()) == []


def test_the_repr_of_one_that_is_half_made_does_not_raise() -> None:
    assert repr(SharedQuota.__new__(SharedQuota)) == "<SharedQuota, not initialized>"


def test_its_repr_shows_path_limit_and_window(path: Path) -> None:
    with SharedQuota(path, 190) as quota:
        assert repr(quota) == f"SharedQuota({str(path)!r}, limit=190, window=10.0)"
