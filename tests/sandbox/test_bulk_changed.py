"""Only rows that are new, or differ from what was last sent, are sent: over a socket."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot, Quota
from hubspot_batch.bulk import BulkError, Report, read_outcomes, read_sent
from hubspot_batch.bulk._sent import SentRows
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError
from hubspot_batch.sandbox import Property, Sandbox
from hubspot_batch.transport import _retries

NUMBER = "shop_number"
UNIQUE = {"orders": {NUMBER: Property("text", unique=True)}}
FAST = Quota(100_000, 1.0)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is sent again be sent at once."""
    monkeypatch.setattr(_retries, "_FIRST_BACKOFF", 0.01)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(quota="none", properties=UNIQUE) as box:
        yield box


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "orders.sent"


def row(number: object, total: object = 1, **more: object) -> Any:  # noqa: ANN401
    return {
        "id": str(number),
        "properties": {"hs_order_name": f"A {number}", "hs_total_price": total, **more},
    }


def orders(count: int, total: object = 1) -> list[Any]:
    return [row(number, total) for number in range(count)]


def client(box: Sandbox, token: str | None = None) -> HubSpot:
    return HubSpot(token or box.access_token, base_url=box.url, quota=FAST)


def upserted(box: Sandbox, rows: Iterable[Any], store: Path, **options: Any) -> Report:  # noqa: ANN401
    with client(box) as hub:
        return hub.orders.upsert_all(rows, id_property=NUMBER, changed_only=store, concurrency=1, **options)


def totals(box: Sandbox) -> Mapping[str | None, float]:
    return {
        one.properties[NUMBER]: float(one.properties["hs_total_price"] or 0) for one in box.records("orders")
    }


def writes(box: Sandbox) -> int:
    return sum(request.path.endswith(("upsert", "update")) for request in box.requests)


@pytest.mark.parametrize("kind", [HubSpot, AsyncHubSpot])
def test_rows_that_are_new_or_differ_are_sent(
    box: Sandbox, store: Path, tmp_path: Path, kind: type[HubSpot | AsyncHubSpot]
) -> None:
    first = upserted(box, orders(250), store)
    night = [*orders(240), *(row(number, 2) for number in range(240, 250)), *(row(f"N{n}") for n in range(5))]

    async def push() -> Report:
        async with AsyncHubSpot(box.access_token, base_url=box.url, quota=FAST) as hub:
            return await hub.orders.upsert_all(
                night, id_property=NUMBER, changed_only=store, journal=tmp_path / "night.run"
            )

    second = (
        anyio.run(push)
        if kind is AsyncHubSpot
        else upserted(box, night, store, journal=tmp_path / "night.run")
    )

    assert first.actions == {"created": 250}
    assert second.actions == {"unchanged": 240, "updated": 10, "created": 5}
    assert (second.ok, second.requests) == (True, 1)
    assert [totals(box)[f"{number}"] for number in (239, 240, 249)] == [1, 2, 2]
    ids = {one.properties[NUMBER]: one.id for one in box.records("orders")}
    outcomes = [*read_outcomes(tmp_path / "night.run")]
    assert [outcome.id for outcome in outcomes] == [ids[one["id"]] for one in night]
    assert (read_sent(store).rows, read_sent(store).object_type) == (255, "orders")


def test_the_file_holds_no_value(box: Sandbox, store: Path) -> None:
    upserted(box, [row("SECRET-NUMBER", hs_order_note="SECRET note")], store)

    content = store.read_bytes()
    assert b"SECRET" not in content
    assert box.access_token.encode() not in content
    assert store.stat().st_mode & 0o77 == 0


def test_rows_that_are_not_done_are_not_remembered(box: Sandbox, store: Path) -> None:
    upserted(box, orders(3), store)
    refused = upserted(box, [row(0), row(1, "nine"), row(2)], store)
    box.faults.next(None, *["504-before"] * 5)
    unknown = upserted(box, [row(0), row(1, 5), row(2, 5)], store)
    back = upserted(box, orders(3), store)

    assert (refused.actions, refused.rejected) == ({"unchanged": 2}, 1)
    assert (unknown.actions, unknown.unknown) == ({"unchanged": 1}, 2)
    # What HubSpot has of them is not known: they are sent even if they are as they were.
    assert back.actions == {"unchanged": 1, "updated": 2}


def test_a_value_that_returns_is_sent(box: Sandbox, store: Path) -> None:
    for total in (1, 2, 1):
        upserted(box, orders(1, total), store)
    assert totals(box) == {"0": 1}
    assert upserted(box, orders(1, 1), store).actions == {"unchanged": 1}


def test_the_last_of_several_rows_with_one_key_wins_each_night(box: Sandbox, store: Path) -> None:
    rows = [row("a", 1), row("A", 2), *orders(150), row("a", 3)]
    for _ in range(3):
        upserted(box, rows, store)
        assert totals(box)["a"] == 3
    assert upserted(box, [row("A", 3)], store).actions != {"unchanged": 1}


def test_a_number_is_one_key_however_it_is_written(box: Sandbox, store: Path) -> None:
    upserted(box, [row("9", 1)], store)
    upserted(box, [row("9.00", 2)], store)
    assert upserted(box, [row("9", 1)], store).actions != {"unchanged": 1}


def test_other_columns_are_sent(box: Sandbox, store: Path) -> None:
    upserted(box, orders(2), store)
    more = upserted(box, [row(0, hs_order_note="x"), row(1)], store)
    assert more.actions == {"updated": 1, "unchanged": 1}


def test_send_all_sends_and_remembers_all(box: Sandbox, store: Path) -> None:
    upserted(box, orders(3), store)
    assert upserted(box, orders(3, 2), store, send_all=True).actions == {"updated": 3}
    assert upserted(box, orders(3, 2), store, send_all=True).actions == {"updated": 3}
    assert upserted(box, orders(3, 2), store).actions == {"unchanged": 3}


def test_updates_by_record_id(box: Sandbox, store: Path) -> None:
    with client(box) as hub:
        created = hub.orders.batch_create([{"properties": {"hs_order_name": "A"}} for _ in range(2)])
        rows: list[Any] = [{"id": one.id, "properties": {"hs_total_price": "1"}} for one in created.records]
        assert hub.orders.update_all(rows, changed_only=store).actions == {"updated": 2}
        assert hub.orders.update_all(rows, changed_only=store).actions == {"unchanged": 2}


def test_links_are_a_part_of_what_is_sent(box: Sandbox, store: Path, tmp_path: Path) -> None:
    upserted(box, orders(2), store)

    def item(order: int) -> Any:  # noqa: ANN401
        to = {"type": "orders", "property": NUMBER, "value": str(order)}
        return {"id": "i1", "properties": {"name": "Chain"}, "associations": [{"to": to}]}

    told = []
    for order in (0, 0, 1):
        with client(box) as hub:
            told.append(
                hub.line_items.upsert_all(
                    [item(order)], id_property="hs_external_id", changed_only=tmp_path / "items.sent"
                ).actions
            )
    assert told == [{"created": 1}, {"unchanged": 1}, {"updated": 1}]


def test_an_interrupted_run_remembers_what_is_done_and_goes_on(
    box: Sandbox, store: Path, tmp_path: Path
) -> None:
    box.faults.next(None, None, "429-daily")
    with pytest.raises(BulkError):
        upserted(box, orders(300), store, journal=tmp_path / "orders.run")
    assert read_sent(store).rows == 100

    assert upserted(box, orders(300), store).actions == {"unchanged": 100, "created": 200}
    resumed = upserted(box, orders(300), store, journal=tmp_path / "orders.run")
    assert resumed.ok
    assert resumed.actions == {"created": 100, "unchanged": 200}


def test_a_property_that_is_misspelt_still_stops_the_run(box: Sandbox, store: Path) -> None:
    upserted(box, orders(50), store)
    wrong = [*orders(50), *(row(f"W{n}", hs_ordr_note="x") for n in range(600))]

    with pytest.raises(BulkError, match="one reason"):
        upserted(box, wrong, store)


def test_it_is_for_one_account_service_and_object_type(box: Sandbox, store: Path) -> None:
    upserted(box, orders(1), store)
    before = len(box.requests)

    with client(box, "another") as hub, pytest.raises(JournalError, match="another account"):
        hub.orders.upsert_all(orders(1), id_property=NUMBER, changed_only=store)
    with client(box) as hub, pytest.raises(JournalError, match="another object type"):
        hub.carts.upsert_all(orders(1), id_property=NUMBER, changed_only=store)
    with Sandbox() as other, client(other, box.access_token) as hub:
        with pytest.raises(JournalError, match="another service"):
            hub.orders.upsert_all(orders(1), id_property=NUMBER, changed_only=store)
        assert not other.requests
    assert len(box.requests) == before


def test_one_run_at_a_time_uses_it(box: Sandbox, store: Path, tmp_path: Path) -> None:
    held = SentRows(store)
    try:
        with pytest.raises(JournalInUseError, match="another run"):
            upserted(box, orders(1), store, journal=tmp_path / "orders.run")
    finally:
        held.close()
    assert not box.requests
    assert not [*tmp_path.iterdir()]


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version=2")
    connection.close()


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("create table other (x)")
    connection.close()


def _with_a_trigger(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create trigger t after insert on sent begin delete from sent; end")
    connection.close()


def _overwritten(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"x" * (len(content) - 4096))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _text(path: Path) -> None:
    path.write_text("id,name\n" * 100)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_newer, "newer version"),
        (_foreign, "another program"),
        (_with_a_trigger, "damaged"),
        (_overwritten, "runs --delete"),
        (_cut, "runs --delete"),
        (_text, "not a database"),
        (_folder, "cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_stops_before_anything_is_sent(
    box: Sandbox,
    store: Path,
    spoil: Callable[[Path], None],
    told: str,
) -> None:
    upserted(box, orders(3), store)
    before = len(box.requests)
    spoil(store)

    with pytest.raises(JournalError, match=told):
        upserted(box, orders(3), store)
    assert len(box.requests) == before


@pytest.mark.parametrize("name", ["", "a\0b", 7, "missing/folder/x.sent"])
def test_what_is_not_a_path_is_refused(box: Sandbox, name: Any) -> None:  # noqa: ANN401
    with client(box) as hub, pytest.raises((ConfigurationError, JournalError)):
        hub.orders.upsert_all(orders(1), id_property=NUMBER, changed_only=name)
    assert not box.requests
    with pytest.raises(ConfigurationError):
        read_sent(name)


def test_a_file_that_breaks_in_the_middle_stops_the_run(
    box: Sandbox, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_sent: SentRows, *_: object) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(SentRows, "_sift", full)
    with pytest.raises(BulkError, match="the disk is full"):
        upserted(box, orders(3), store)
    assert writes(box) == 0
    monkeypatch.undo()
    monkeypatch.setattr(SentRows, "_remember", full)
    with pytest.raises(BulkError, match="the disk is full") as error:
        upserted(box, orders(3), store)
    assert error.value.report.done == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SQLITE_FULL", "make room"),
        ("SQLITE_BUSY", "end the other program"),
        ("SQLITE_READONLY", "be written by this user"),
        ("SQLITE_CORRUPT", "runs --delete"),
    ],
)
def test_each_failure_of_the_file_has_its_remedy(store: Path, name: str, told: str) -> None:
    error = sqlite3.OperationalError("it went wrong")
    error.sqlite_errorname = name
    sent = SentRows(store)
    with pytest.raises(JournalError, match=told), sent._working():
        raise error
    sent.close()
