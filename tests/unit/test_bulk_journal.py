"""What is known of each row lies in one file, which is this run's alone and survives its process."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest

from hubspot_batch.bulk import _lock, read_outcomes
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._journal_file import NAME_YOURS, explained, helps_to_start_again
from hubspot_batch.bulk._outcomes import Action, Outcome
from hubspot_batch.bulk._report import outcomes_of
from hubspot_batch.errors import JournalError, JournalInUseError
from hubspot_batch.results import Reason, Record

REASON = Reason(code="INVALID_OPTION", property="hs_currency_code", message="XYZ is no option")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


@pytest.fixture(params=["a file", "no file"])
def journal(path: Path, request: pytest.FixtureRequest) -> Iterator[Journal]:
    with Journal(path if request.param == "a file" else None) as journal:
        yield journal


def sent(index: int) -> Entry:
    return Entry(index=index, digest=digest(index), sent=True)


def planned(index: int) -> Entry:
    return Entry(index=index, digest=digest(index))


def done(index: int, record: str | None = None) -> Entry:
    return told(Outcome(index=index, status="done", id=record))


def told(outcome: Outcome) -> Entry:
    return Entry(index=outcome.index, digest=digest(outcome.index), outcome=outcome)


def digest(index: int) -> bytes:
    return b"%016d" % index


OUTCOMES = [
    Outcome(index=0, status="done", id="44001"),
    Outcome(index=1, status="done"),
    Outcome(index=2, status="rejected", category="VALIDATION_ERROR", reasons=(REASON, REASON), message="m"),
    Outcome(index=3, status="rejected"),
    Outcome(index=4, status="unknown", category="TIMEOUT"),
]


def opened(path: Path) -> None:
    Journal(path).close()


def refusal(path: Path) -> str:
    with pytest.raises(JournalError) as caught:
        Journal(path)
    return str(caught.value)


# What is written is read.


def test_an_empty_journal_knows_nothing(journal: Journal) -> None:
    assert journal.length == 0
    assert journal.entries(0, 99) == {}
    assert journal.counts() == {}
    assert list(journal.outcomes()) == []
    assert journal.owners(["44001"]) == {}


@pytest.mark.parametrize("entry", [planned(5), sent(5), *map(told, OUTCOMES)])
def test_an_entry_is_read_as_it_was_written(journal: Journal, entry: Entry) -> None:
    journal.write([entry])

    assert journal.entries(0, 99) == {entry.index: entry}
    assert list(journal.outcomes()) == ([] if entry.outcome is None else [entry.outcome])


def test_a_later_entry_of_a_row_takes_the_place_of_the_earlier(journal: Journal) -> None:
    journal.write([sent(1), sent(2), planned(1), told(OUTCOMES[2])])
    journal.write([sent(1)])

    assert journal.entries(0, 9) == {1: sent(1), 2: told(OUTCOMES[2])}


def test_only_the_rows_that_are_asked_for_are_reported(journal: Journal) -> None:
    journal.write(map(sent, range(10)))

    assert list(journal.entries(3, 5)) == [3, 4, 5]


def test_outcomes_come_in_the_order_of_the_rows(journal: Journal) -> None:
    numbers = [*range(250, 0, -2), *range(1, 251, 2)]
    journal.write(map(done, numbers))
    journal.write([sent(300), planned(301)])

    assert [outcome.index for outcome in journal.outcomes()] == sorted(numbers)


def test_outcomes_can_be_read_while_more_are_written(journal: Journal) -> None:
    journal.write(map(done, range(150)))
    found = journal.outcomes()
    first = next(found)
    journal.write(map(done, range(150, 300)))

    assert [outcome.index for outcome in [first, *found]] == list(range(300))


def test_the_length_reaches_to_the_last_row_that_is_known(journal: Journal) -> None:
    journal.write([sent(7), done(3)])

    assert journal.length == 8


def test_rows_are_counted_by_their_state(journal: Journal) -> None:
    journal.write([*map(told, OUTCOMES), sent(5), sent(6), sent(7), planned(8)])

    assert journal.counts() == {"done": 2, "rejected": 2, "unknown": 1, "sent": 3, "planned": 1}


def test_a_record_belongs_to_the_first_row_that_is_done_as_it(journal: Journal) -> None:
    journal.write([done(9, "44001"), done(4, "44001"), done(2, "44002"), done(1), sent(0)])

    assert journal.owners(["44001", "44003", "44002", "44001"]) == {"44001": 4, "44002": 2}
    journal.write([done(3, "44003")])
    assert journal.owners(["44003"]) == {"44003": 3}


def test_what_is_known_of_the_run_as_a_whole_can_be_changed(journal: Journal) -> None:
    before = dict(journal.meta())
    journal.set_meta({"operation": "create_orders", "total": 5})
    journal.set_meta({"total": 7})

    assert journal.meta() == before | {"operation": "create_orders", "total": 7}


def test_a_transaction_is_written_as_a_whole_or_not_at_all(path: Path) -> None:
    def entries() -> Iterator[Entry]:
        yield sent(1)
        raise ZeroDivisionError

    with Journal(path) as journal:
        with pytest.raises(ZeroDivisionError):
            journal.write(entries())
        journal.write([sent(2)])

        assert list(journal.entries(0, 9)) == [2]


@pytest.mark.parametrize("write", [lambda journal: journal.write([sent(0)]), lambda journal: journal.meta()])
def test_a_closed_journal_cannot_be_used(journal: Journal, write: object) -> None:
    journal.close()
    journal.close()

    assert callable(write)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        write(journal)


# The file.


def test_a_journal_without_a_path_is_not_durable() -> None:
    with Journal(None) as journal:
        assert (journal.path, journal.durable) == (None, False)


def test_what_was_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with Journal(path) as journal:
        assert (journal.path, journal.durable) == (path, True)
        journal.write([*map(told, OUTCOMES), sent(7)])
        journal.set_meta({"total": 8})

    with Journal(path) as journal:
        assert list(journal.outcomes()) == OUTCOMES
        assert journal.entries(7, 7) == {7: sent(7)}
        assert journal.meta()["total"] == 8


def test_a_transaction_is_on_the_disk_when_it_returns(path: Path) -> None:
    with Journal(path) as journal:
        (mode,) = journal._connection.execute("pragma journal_mode").fetchone()
        (synchronous,) = journal._connection.execute("pragma synchronous").fetchone()

    assert (mode, synchronous) == ("wal", 2)


def test_each_journal_has_a_salt_of_its_own_that_stays(path: Path) -> None:
    with Journal(path) as journal:
        salt = journal.salt
    with Journal(path) as journal, Journal(path.with_name("other.run")) as other:
        assert len(salt) == 16
        assert journal.salt == salt != other.salt


@pytest.mark.posix
def test_none_but_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with Journal(path) as journal:
            journal.write([sent(0)])
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == {0o600}


def test_a_file_is_left_behind_but_no_other(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([sent(0)])

    assert [file.name for file in path.parent.iterdir()] == ["orders.run"]


# A file that cannot be used.


def test_a_journal_is_open_for_one_run_alone(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([sent(0)])
        with pytest.raises(JournalInUseError, match="another run is using it; wait for that to end"):
            Journal(path)
        journal.write([sent(1)])

    opened(path)


OTHER = """
import sys
from pathlib import Path
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.errors import JournalInUseError
try:
    Journal(Path(sys.argv[1]))
except JournalInUseError:
    print("in use")
"""


def in_another_process(program: str, *arguments: object) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_looks_at_a_journal_that_is_in_use_are_refused_and_change_nothing(path: Path) -> None:
    with Journal(path, lasting=True) as journal:
        for look in range(20):
            with pytest.raises(JournalInUseError):
                list(read_outcomes(path))
            journal.write([sent(look)])
        # Nor do those of a program that is not ours.
        path.read_bytes()
        assert path.with_name("orders.run-lock").read_bytes() == b"run"

        assert in_another_process(OTHER, path) == "in use"
        (path.parent / "link.run").symlink_to(path)
        assert in_another_process(OTHER, path.parent / "link.run") == "in use"
        journal.write([sent(20)])

    with Journal(path) as journal:
        assert journal.counts() == {"sent": 21}
    assert in_another_process(OTHER, path) == ""


def test_a_run_waits_for_those_that_take_a_look_but_not_for_another_run(path: Path) -> None:
    look = Journal(path)
    timer = threading.Timer(0.1, look.close)
    timer.start()
    with Journal(path, lasting=True):
        timer.join()
        began = time.monotonic()
        with pytest.raises(JournalInUseError):
            Journal(path)
        assert time.monotonic() - began < 0.5


@pytest.mark.posix
def test_a_forked_process_leaves_the_journal_to_its_parent(path: Path) -> None:
    assert in_another_process(FORKED, path).splitlines() == ["child: [], in use", "parent: [0, 1]"]
    with Journal(path) as journal:
        assert list(journal.entries(0, 9)) == [0, 1]


def test_when_a_row_has_left_is_kept_and_need_not_be_known(path: Path) -> None:
    with Journal(path) as journal:
        journal.write(
            [
                Entry(index=0, digest=b"a", sent=True, departed=1788249600.25),
                Entry(index=1, digest=b"b", sent=True),
                Entry(index=2, digest=b"c", departed=1.0),
            ]
        )
    with Journal(path) as journal:
        assert {n: entry.departed for n, entry in journal.entries(0, 9).items()} == {
            0: 1788249600.25,
            1: None,
            2: None,
        }
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update rows set why = x'61' where number = 0")
        connection.commit()
    with Journal(path) as journal, pytest.raises(JournalError, match="of row 0"):
        journal.entries(0, 9)


FORKED = """
import os, sys
from pathlib import Path
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.errors import JournalInUseError
journal = Journal(Path(sys.argv[1]), lasting=True)
journal.write([Entry(index=0, digest=b"zero", sent=True)])
closed, without_a_file = Journal(Path(sys.argv[1] + "-other")), Journal(None)
closed.close()
if os.fork() == 0:
    print("child:", list(journal.outcomes()), end=", ")
    try:
        Journal(Path(sys.argv[1]))
    except JournalInUseError:
        print("in use")
    journal.close()
    sys.exit()
os.wait()
journal.write([Entry(index=1, digest=b"one", sent=True)])
print("parent:", list(journal.entries(0, 9)))
"""


def test_a_journal_that_was_not_closed_is_released_with_its_last_reference(path: Path) -> None:
    journal = Journal(path)
    del journal

    opened(path)


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 2")
    before = path.read_bytes()

    assert refusal(path) == (
        f"the journal {path} cannot be used: a newer version of hubspot-batch has written it; "
        "install that version"
    )
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table rows (number integer)")
    before = path.read_bytes()

    assert refusal(path).endswith(f"it is another program's database; {NAME_YOURS}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"index,status\n" * 100, b"short"])
def test_a_file_that_is_not_a_database_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert refusal(path).endswith(f"file is not a database; {NAME_YOURS}")
    assert path.read_bytes() == content


def test_a_journal_that_is_damaged_is_refused(path: Path) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table rows")

    assert "cannot be used: no such table: rows; the file is damaged: " in refusal(path)


ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select i as"


@pytest.mark.parametrize(
    "hostile",
    [
        f"drop table rows; create view rows as {ENDLESS} number, x'' as digest, 'done' as state, 1 as record",
        f"drop table meta; create view meta as {ENDLESS} name, 1 as value from n",
        f"create trigger t after insert on meta begin select * from ({ENDLESS} i); end",  # noqa: S608 - a constant
        "create table more (a)",
    ],
)
def test_a_journal_with_more_in_it_than_its_tables_is_refused_at_once(path: Path, hostile: str) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(hostile)

    assert "its tables are not those of a journal" in refusal(path)


@pytest.mark.parametrize(
    "hostile",
    [
        "insert into rows values (0, x'00', 'done', x'44', null)",
        "insert into rows values (0, x'00', 'gone', null, null)",
        "insert into rows values (0, x'00', 'rejected', null, 7)",
        "insert into rows values (0, x'00', 'rejected', null, cast('{' as blob))",
        """insert into rows values (0, x'00', 'rejected', null, cast('{"reasons": 7}' as blob))""",
    ],
)
def test_invalid_outcomes_are_refused(path: Path, hostile: str) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(hostile)

    with pytest.raises(JournalError, match="the file is damaged: put back a whole copy"):
        list(read_outcomes(path))
    with Journal(path) as journal, pytest.raises(JournalError, match="the file is damaged"):
        journal.entries(-9, 9)


@pytest.mark.parametrize(("name", "value"), [("salt", "text"), ("total", "many"), ("account", 7)])
def test_facts_of_another_type_are_refused(path: Path, name: str, value: object) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("insert or replace into meta values (?, ?)", (name, value))

    with Journal(path) as journal, pytest.raises(JournalError, match=f"'{name}' is of type "):
        journal.meta()


def test_rows_that_go_round_in_a_circle_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        journal.write(map(done, range(100)))
        monkeypatch.setattr(journal, "_page", lambda _last: [(0, "done", None, None)])

        with pytest.raises(JournalError, match="its rows are in no order"):
            list(journal.outcomes())


def test_a_query_that_takes_more_steps_than_a_sound_file_needs_is_ended(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(sqlite3.OperationalError, match="interrupted") as caught:
            journal._connection.execute(f"{ENDLESS} i from n").fetchall()

        assert not helps_to_start_again(caught.value)
        assert journal.counts() == {}


@pytest.mark.posix
@pytest.mark.parametrize("ending", ["", "-wal", "-journal"])
def test_a_pipe_is_refused_and_not_waited_for(path: Path, ending: str) -> None:
    if ending:
        opened(path)
    os.mkfifo(f"{path}{ending}")

    assert f"{path}{ending} is not a file" in refusal(path)


@pytest.mark.posix
def test_the_file_of_another_user_is_not_believed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path)
    os.chown(path, os.geteuid() or 4711, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 4712)

    assert "belongs to another user, who decides what it says; run as that user" in refusal(path)


# A file that was taken apart.

LEFT_OPEN = """
import os, sys
from pathlib import Path
from hubspot_batch.bulk._journal import Entry, Journal
journal = Journal(Path(sys.argv[1]))
for index in range(int(sys.argv[2])):
    journal.write([Entry(index=index, digest=b"d", sent=True)])
os._exit(0)
"""


@pytest.mark.parametrize("resumed", [False, True])
def test_a_journal_whose_wal_is_missing_is_refused_until_it_is_back(path: Path, *, resumed: bool) -> None:
    if resumed:
        with Journal(path) as journal:
            journal.write([done(index) for index in range(9)])
    in_another_process(LEFT_OPEN, path, 20)
    wal = path.with_name("orders.run-wal")
    content = wal.read_bytes()

    for lacking in (wal.unlink, wal.touch):
        lacking()
        before = path.read_bytes()
        assert refusal(path) == (
            f"the journal {path} cannot be used: {wal} is missing, which holds the latest of what its run "
            "has written down; put it beside the journal again: without it, rows would be sent again"
        )
        assert path.read_bytes() == before

    wal.write_bytes(content)
    assert list(read_outcomes(path)) == []
    # A look has put both together.
    assert not wal.exists()
    with Journal(path) as journal:
        assert journal.counts() == {"sent": 20}


def test_a_wal_whose_journal_is_missing_is_refused_and_left_as_it_is(path: Path) -> None:
    in_another_process(LEFT_OPEN, path, 3)
    moved = path.rename(path.with_name("moved.run"))
    wal = path.with_name("orders.run-wal")
    before = wal.read_bytes()

    assert f"it is empty, but {wal} is there, which is a part of it" in refusal(path)
    assert (wal.read_bytes(), path.exists()) == (before, False)
    moved.rename(path)
    with Journal(path) as journal:
        assert journal.counts() == {"sent": 3}


def test_a_journal_that_has_ended_needs_no_other_file(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([sent(0)])
    moved = path.rename(path.with_name("moved.run"))

    with Journal(moved) as journal:
        assert journal.counts() == {"sent": 1}


def test_a_mark_that_no_transaction_can_remove_is_removed_anyway(path: Path) -> None:
    class Full:
        """A connection that writes no more."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def execute(self, _statement: str) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        def close(self) -> None:
            self.connection.close()

    journal = Journal(path)
    journal.write([sent(0)])
    journal._file.connection = Full(journal._connection)  # type: ignore[assignment]
    journal.close()

    assert [file.name for file in path.parent.iterdir()] == ["orders.run"]
    with Journal(path) as journal:
        assert journal.counts() == {"sent": 1}


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).endswith("; name a file in a folder that can be written")


def test_a_file_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "runs" / "orders.run").endswith("; name a file in a folder that can be written")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="it needs rights to be without")
def test_a_file_in_a_folder_that_cannot_be_written_is_refused(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        assert refusal(path).endswith("; name a file in a folder that can be written")
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("name", ["x" * 300, "orders.run/x"])
def test_a_name_that_no_file_can_have_is_refused(path: Path, name: str) -> None:
    path.touch()
    wrong = path.parent / name

    assert refusal(wrong).endswith("; name a file in a folder that can be written")
    with pytest.raises(JournalError, match="there is no journal"):
        list(read_outcomes(wrong))


@pytest.mark.parametrize("opener", ["os.open", "pathlib.Path.open"])
def test_a_journal_that_is_there_is_to_be_made_writable_and_not_to_be_left(
    path: Path, monkeypatch: pytest.MonkeyPatch, opener: str
) -> None:
    opened(path)
    before: Any = {"os.open": os.open, "pathlib.Path.open": Path.open}[opener]

    def denied(file: Path, *arguments: object, **options: object) -> object:
        if file == path:
            raise PermissionError(13, "Permission denied")
        return before(file, *arguments, **options)

    monkeypatch.setattr(opener, denied)

    assert refusal(path).endswith("Permission denied; let it, and its folder, be written by this user")


def test_a_journal_that_another_program_has_open_is_in_use(path: Path) -> None:
    opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma locking_mode=exclusive")
        connection.execute("begin exclusive")

        with pytest.raises(JournalInUseError):
            Journal(path)


def test_a_journal_that_is_damaged_in_its_middle_is_refused_where_it_is_read(path: Path) -> None:
    with Journal(path) as journal:
        journal.write(map(done, range(3000)))
    content = bytearray(path.read_bytes())
    content[8 * 4096 : 9 * 4096] = b"\xff" * 4096
    path.write_bytes(content)

    with pytest.raises(JournalError, match=r"malformed; the file is damaged: put back a whole copy"):
        list(read_outcomes(path))


def test_a_lock_whose_file_was_removed_is_taken_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = _lock._taken
    removals: list[int] = []

    def removed(descriptor: int) -> bool:
        if not removals:
            path.unlink()
            removals.append(descriptor)
        return taken(descriptor)

    monkeypatch.setattr(_lock, "_taken", removed)
    lock = _lock.FileLock(path, lasting=True)
    assert path.read_bytes() == b"run"
    path.unlink()
    lock.release()


def test_a_file_that_cannot_be_opened_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)

    assert "Permission denied; name a file in a folder that can be written" in refusal(path)


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.touch()

    with Journal(path) as journal:
        assert journal.length == 0


def test_a_journal_whose_disk_is_full_writes_nothing_and_says_so(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([sent(0)])
        (pages,) = journal._connection.execute("pragma page_count").fetchone()
        journal._connection.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            journal.write(map(sent, range(1, 1000)))

        assert journal.length == 1


def test_what_a_full_disk_did_not_take_is_known_and_written_when_there_is_room(path: Path) -> None:
    entries = [planned(7), sent(8), *map(done, range(9, 3000))]
    with Journal(path) as journal:
        journal.write([done(20, "44001"), sent(21)])
        (pages,) = journal._connection.execute("pragma page_count").fetchone()
        journal._connection.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            journal.write(entries)
        journal.keep([*entries[:2], *(done(index, f"55{index}") for index in range(9, 3000))])

        assert len(journal.unwritten) == 2991
        assert [outcome.id for outcome in outcomes_of(journal)] == [f"55{index}" for index in range(9, 3000)]
        assert journal.owners(["55700", "552999"]) == {"55700": 700, "552999": 2999}
        journal._connection.execute("pragma max_page_count = 10000")

    assert journal.unwritten == {}
    with Journal(path) as journal:
        assert journal.counts() == {"done": 2991, "planned": 1}


def test_answers_are_written_in_parts_where_they_cannot_be_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(path) as journal:
        write_kept = journal._write_kept

        def limited(count: int) -> None:
            if count > 130:
                raise sqlite3.OperationalError("database or disk is full")
            write_kept(count)

        monkeypatch.setattr(journal, "_write_kept", limited)
        journal.keep(map(done, range(250)))

    with Journal(path) as journal:
        assert journal.counts() == {"done": 250}


def test_a_run_holds_room_back_for_answers_until_the_disk_is_full(path: Path) -> None:
    reserve = path.with_name("orders.run-reserve")
    with Journal(path, lasting=True) as journal:
        assert not reserve.exists()
        journal.write([sent(0)])
        assert reserve.stat().st_size == 2**19
        journal.keep([done(0)])
    with Journal(path, lasting=True) as journal:
        assert journal.counts() == {"done": 1}
        journal.write([sent(1)])
    assert [file.name for file in path.parent.iterdir()] == ["orders.run"]


@pytest.mark.parametrize(
    ("code", "remedy", "helps"),
    [
        ("SQLITE_FULL", "make room on the disk of the journal", True),
        ("SQLITE_IOERR_WRITE", "see that the disk of the journal works, and has room", True),
        ("SQLITE_READONLY_DBMOVED", "let the journal, and its folder, be written by this user", True),
        ("SQLITE_BUSY", "end the other program that uses the journal", True),
        ("SQLITE_CORRUPT", "the file is damaged: put back a whole copy of it", False),
    ],
)
def test_what_helps_depends_on_what_is_wrong_and_is_never_another_journal(
    code: str, remedy: str, *, helps: bool
) -> None:
    error = sqlite3.OperationalError("problem")
    error.sqlite_errorname = code

    assert explained(error).startswith(f"problem; {remedy}")
    assert helps_to_start_again(error) is helps


# The process ends at any instant.

KILLED = """
import os, signal, sys
from pathlib import Path
from hubspot_batch.bulk._journal import Entry, Journal

def entries():
    yield Entry(index=2, digest=b"two", sent=True)
    os.kill(os.getpid(), signal.SIGKILL)
    yield Entry(index=3, digest=b"three", sent=True)

journal = Journal(Path(sys.argv[1]))
journal.write([Entry(index=0, digest=b"zero", sent=True)])
journal.write([Entry(index=1, digest=b"one", sent=True)])
if sys.argv[2] == "between":
    os.kill(os.getpid(), signal.SIGKILL)
journal.write(entries())
"""


@pytest.mark.posix
@pytest.mark.parametrize("instant", ["between", "inside"])
def test_what_was_written_survives_the_kill_of_the_process_and_nothing_else(path: Path, instant: str) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), instant], check=False)

    assert killed.returncode == -9
    with Journal(path) as journal:
        assert list(journal.entries(0, 99)) == [0, 1]
        journal.write([sent(2)])
        assert journal.length == 3


# Why rows are not done.

OPTIONS = ", ".join(f"option {number}" for number in range(500))


def wordy(index: int, value: str = "x", name: str = "hs_currency_code") -> Outcome:
    message = f"{value} was not one of the allowed options: [{OPTIONS}]"
    reason = Reason(code="INVALID_OPTION", property=name, message=message)
    return Outcome(
        index=index,
        status="rejected",
        category="VALIDATION_ERROR",
        reasons=(reason,),
        message=f"no: {message}",
    )


def test_long_words_are_stored_once_for_many_rows(path: Path) -> None:
    outcomes = [wordy(index, f"value {index}", f"name_{index % 3}") for index in range(1000)]
    with Journal(path) as journal:
        for outcome in outcomes:
            journal.write([told(outcome)])

    assert path.stat().st_size < 1000 * 400
    assert list(read_outcomes(path)) == outcomes
    with Journal(path) as journal:
        entries = journal.entries(400, 499)
        journal.write([told(wordy(1000))])
    assert [entry.outcome for entry in entries.values()] == outcomes[400:500]
    assert list(read_outcomes(path))[-1] == wordy(1000)


def test_words_of_many_kinds_are_all_read_again(journal: Journal) -> None:
    outcomes = [wordy(index, name=f"name_{index}") for index in range(600)]
    journal.write(map(told, outcomes))

    assert list(journal.outcomes()) == outcomes


def test_words_of_a_transaction_that_failed_are_stored_with_the_next_one(path: Path) -> None:
    def failing() -> Iterator[Entry]:
        yield told(wordy(0))
        raise EOFError

    with Journal(path) as journal:
        with pytest.raises(EOFError):
            journal.write(failing())
        journal.write([told(wordy(1))])

    assert list(read_outcomes(path)) == [wordy(1)]


@pytest.mark.parametrize(
    "damage",
    [
        "delete from reasons",
        "update reasons set why = 'text'",
        "update rows set why = substr(why, 1, 9)",
        "update rows set why = 7",
    ],
)
def test_words_that_cannot_be_read_are_reported(path: Path, damage: str) -> None:
    with Journal(path) as journal:
        journal.write([told(wordy(0))])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(damage)

    with pytest.raises(JournalError, match="of row 0 it cannot be read what became of it"):
        list(read_outcomes(path))


def test_a_record_that_cannot_be_read_is_reported(path: Path) -> None:
    record = Record(index=0, id="44001", properties={}, created_at="", updated_at="", archived=False)
    with Journal(path) as journal:
        journal.write([told(Outcome(index=0, status="done", id="44001", action="read", record=record))])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("update rows set why = cast('text' as blob)")

    with pytest.raises(JournalError, match="of row 0 it cannot be read what became of it"):
        list(read_outcomes(path))


def test_what_was_done_is_kept_and_counted_as_done(journal: Journal) -> None:
    outcomes = [
        Outcome(index=index, status="done", id=str(index), action=action)
        for index, action in enumerate([*get_args(Action), None])
    ]

    journal.write(told(outcome) for outcome in outcomes)

    assert list(journal.outcomes()) == outcomes
    assert journal.counts() == {"done": len(outcomes)}
