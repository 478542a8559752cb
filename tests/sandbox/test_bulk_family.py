"""Runs that read, upsert, archive and link, over a socket, with lost answers and kills."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubspot_batch import AsyncHubSpot, HubSpot, Retries, UpdateInput
from hubspot_batch.bulk import Report, read_outcomes
from hubspot_batch.errors import ConfigurationError, InvalidInputError, JournalError
from hubspot_batch.sandbox import Property, Sandbox
from hubspot_batch.transport import _retries as policy

NUMBER = "shop_number"
# Whether HubSpot has written the batch or not, its answer is lost.
LOST = ["504-after", "504-before", "reset-after", "reset-before", "520", "truncated"]

Client: TypeAlias = type[HubSpot] | type[AsyncHubSpot]


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(properties={"orders": {NUMBER: Property("text", unique=True)}}) as box:
        yield box


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox() as box:
        yield box


@pytest.fixture(params=[HubSpot, AsyncHubSpot])
def client(request: pytest.FixtureRequest) -> Client:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_FIRST_BACKOFF", 0.001)


def run(
    client: Client,
    box: Sandbox,
    namespace: str,
    method: str,
    *arguments: object,
    **options: Any,  # noqa: ANN401
) -> Report:
    """Run a method of one of the clients to its end."""
    if issubclass(client, HubSpot):
        with client(box.access_token, base_url=box.url, retries=Retries(limit=9)) as hub:
            return getattr(getattr(hub, namespace), method)(*arguments, **options)  # type: ignore[no-any-return]

    async def main() -> Report:
        async with client(box.access_token, base_url=box.url, retries=Retries(limit=9)) as hub:
            return await getattr(getattr(hub, namespace), method)(*arguments, **options)  # type: ignore[no-any-return]

    return asyncio.run(main())


def upserts(numbers: Iterable[str | int]) -> list[UpdateInput]:
    return [
        {"id": number, "properties": {"hs_order_name": f"{place}"}} for place, number in enumerate(numbers)
    ]


def created(box: Sandbox, count: int) -> list[str]:
    report = run(
        HubSpot,
        box,
        "orders",
        "create_all",
        [{"properties": {"hs_order_name": f"x-{number}"}} for number in range(count)],
    )
    return [id_ for _, id_ in report.ids]


def test_any_number_of_ids_becomes_as_many_records(client: Client, box: Sandbox) -> None:
    ids = created(box, 230)

    # An id may occur twice, and HubSpot does not know the last one.
    report = run(client, box, "orders", "read_all", [*ids, ids[0], "999"], properties=["hs_order_name"])

    assert [record.id for record in report.records] == [*ids, ids[0]]
    assert [record.index for record in report.records] == list(range(231))
    assert {record.properties["hs_order_name"] for record in report.records} == {f"x-{n}" for n in range(230)}
    assert report.actions == {"read": 231}
    assert [(outcome.index, outcome.why) for outcome in report.outcomes if not outcome.ok] == [
        (231, ("OBJECT_NOT_FOUND",))
    ]


def test_records_are_a_table(client: Client, box: Sandbox) -> None:
    pytest.importorskip("pyarrow")
    ids = created(box, 3)

    table = run(client, box, "orders", "read_all", ids, properties=["hs_order_name", "hs_tax"]).to_arrow()

    assert table["id"].to_pylist() == ids
    assert table["archived"].to_pylist() == [False] * 3
    assert table["hs_order_name"].to_pylist() == ["x-0", "x-1", "x-2"]
    assert table["hs_tax"].to_pylist() == [None] * 3


def test_with_history_a_request_has_at_most_fifty_ids(client: Client, box: Sandbox) -> None:
    ids = created(box, 60)

    report = run(client, box, "orders", "read_all", ids, history=["hs_order_name"])

    assert report.requests == 2
    assert all(record.history["hs_order_name"] for record in report.records)


def test_an_upsert_creates_and_updates_in_the_order_of_the_rows(client: Client) -> None:
    with sandbox() as box:
        # Each of the last hundred has the number of an earlier one.
        report = run(
            client, box, "orders", "upsert_all", upserts([*range(150), *range(100)]), id_property=NUMBER
        )

        assert report.ok
        assert report.actions == {"created": 150, "updated": 100}
        names = {
            record.properties[NUMBER]: record.properties["hs_order_name"] for record in box.records("orders")
        }
        assert names == {str(number): str(number + 150 if number < 100 else number) for number in range(150)}


def test_records_read_by_a_unique_property_can_be_archived(client: Client, box: Sandbox) -> None:
    assert run(HubSpot, box, "orders", "upsert_all", upserts(["A", "B"]), id_property=NUMBER).ok

    found = run(client, box, "orders", "read_all", ["A", "B"], id_property=NUMBER)
    report = run(client, box, "orders", "archive_all", found.records)

    assert report.actions == {"archived": 2}
    ids = [record.id for record in found.records]
    assert not run(client, box, "orders", "read_all", ids).records
    assert all(
        record.archived for record in run(client, box, "orders", "read_all", ids, archived=True).records
    )


def test_an_archive_does_not_tell_what_was_not_there(client: Client, box: Sandbox) -> None:
    report = run(client, box, "orders", "archive_all", ["999"])

    assert [(outcome.ok, outcome.id, outcome.action) for outcome in report.outcomes] == [
        (True, "999", "archived")
    ]


def test_an_id_that_cannot_be_one_costs_only_itself(client: Client, box: Sandbox) -> None:
    (good,) = created(box, 1)

    report = run(client, box, "orders", "archive_all", [good, "x-1", None])

    assert [outcome.category for outcome in report.outcomes] == [None, "INVALID_INPUT", "INVALID_INPUT"]


def test_pairs_are_linked_in_any_number(client: Client, box: Sandbox, tmp_path: Path) -> None:
    orders = created(box, 3)
    items = run(
        HubSpot,
        box,
        "line_items",
        "create_all",
        [{"properties": {"name": f"{number}", "quantity": 1}} for number in range(120)],
    )
    pairs = [(id_, orders[index % 3]) for index, id_ in items.ids]
    journal = tmp_path / "links.run"

    given = [*pairs, pairs[0], ("999", orders[0])]
    report = run(client, box, "associations", "create_all", "line_items", "order", given, journal=journal)

    assert report.actions == {"created": 121}
    assert [outcome.index for outcome in report.outcomes if not outcome.ok] == [121]
    with pytest.raises(JournalError, match="belongs to another pair of object types"):
        run(client, box, "associations", "create_all", "orders", "contacts", pairs, journal=journal)


def test_pairs_may_arrive_one_by_one(box: Sandbox) -> None:
    order, other = created(box, 2)

    async def pairs() -> AsyncIterator[tuple[str, str]]:
        yield order, "999"

    async def main() -> list[str]:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            return [
                outcome.status
                async for outcome in hub.associations.stream_create("orders", "contacts", pairs())
            ]

    assert asyncio.run(main()) == ["rejected"]
    with HubSpot(box.access_token, base_url=box.url) as hub:
        assert [o.status for o in hub.associations.stream_create("orders", "contacts", [(other, "9")])] == [
            "rejected"
        ]


def test_what_cannot_be_is_refused_before_anything_is_sent(client: Client, box: Sandbox) -> None:
    before = len(box.requests)

    with pytest.raises(InvalidInputError, match="properties/0"):
        run(client, box, "orders", "read_all", ["1"], properties=["a, b"])
    with pytest.raises(InvalidInputError, match="toObjectType"):
        run(client, box, "associations", "create_all", "orders", "unicorns", [])
    with pytest.raises(ConfigurationError, match="stands where rows belong"):
        run(client, box, "associations", "create_all", "orders", "contacts", {"1": "2"})
    with pytest.raises(ConfigurationError, match="stands where rows belong"):
        run(client, box, "orders", "read_all", "44001")

    assert len(box.requests) == before


def test_streams_tell_each_outcome(box: Sandbox) -> None:
    ids = created(box, 3)
    with HubSpot(box.access_token, base_url=box.url) as hub:
        assert {outcome.record.id for outcome in hub.orders.stream_read(ids) if outcome.record} == {*ids}
        assert {outcome.action for outcome in hub.orders.stream_archive(ids)} == {"archived"}
        row: UpdateInput = {"id": "S", "properties": {"hs_order_name": "s"}}
        rows = hub.orders.stream_upsert([row], id_property=NUMBER)
        assert [outcome.action for outcome in rows] == ["created"]


def test_what_links_lead_to_can_be_read(client: Client) -> None:
    emails = [f"customer{number}@example.com" for number in range(120)]
    contacts = [{"id": str(301 + number), "email": email} for number, email in enumerate(emails)]
    with Sandbox(records={"contacts": contacts}) as box:
        report = run(
            client, box, "contacts", "read_all", [*emails, "who"], id_property="email", properties=["email"]
        )

        assert [record.id for record in report.records] == [contact["id"] for contact in contacts]
        assert [(o.index, o.category) for o in report.outcomes if not o.ok] == [(120, "OBJECT_NOT_FOUND")]
        assert report.operation == "read_objects"
        with HubSpot(box.access_token, base_url=box.url) as hub:
            assert hub.contacts.batch_read(["302"]).records[0].id == "302"
            assert hub.contacts.batch_read(["302"], archived=True).errors[0].index == 0
            assert "email" in {each.name for each in hub.contacts.properties()}
            assert [o.status for o in hub.deals.stream_read(["1"])] == ["rejected"]
            assert repr(hub.deals) == "ReadOnlyObjects('deals')"


def test_a_journal_keeps_what_was_read(client: Client, tmp_path: Path) -> None:
    journal = tmp_path / "read.run"
    texts = [f"{number}: " + "a long name, " * 9 for number in range(250)]
    with sandbox() as box:
        rows = [
            {"properties": {NUMBER: str(number), "hs_order_name": text}} for number, text in enumerate(texts)
        ]
        ids = [id_ for _, id_ in run(HubSpot, box, "orders", "create_all", rows).ids]
        options: dict[str, Any] = {"properties": ["hs_order_name"], "history": [NUMBER], "journal": journal}
        with HubSpot(box.access_token, base_url=box.url) as hub:
            stream = hub.orders.stream_read([*ids, "999"], **options)
            first = next(stream)
            stream.close()
        assert first.record is not None
        before = {outcome.index: outcome for outcome in read_outcomes(journal)}
        assert 0 < len(before) < 250
        assert json.dumps(before[first.index].to_dict()) == json.dumps(first.to_dict())

        report = run(client, box, "orders", "read_all", [*ids, "999"], **options)
        asked = len(box.requests)
        again = run(client, box, "orders", "read_all", [*ids, "999"], **options)

        assert (report.done, report.rejected) == (250, 1)
        assert report.requests < 6
        assert [record.properties["hs_order_name"] for record in report.records] == texts
        assert [record.history[NUMBER][0].value for record in report.records] == [*map(str, range(250))]
        # What is finished reads nothing again.
        assert [record.id for record in again.records] == ids
        assert len(box.requests) == asked
        assert journal.stat().st_size < 200_000
        others: list[dict[str, Any]] = [{"properties": []}, {"archived": True}, {"id_property": NUMBER}]
        for changed in others:
            with pytest.raises(JournalError, match="belongs to another request; ask with it for the same"):
                run(client, box, "orders", "read_all", ids, **{**options, **changed})


def test_a_property_that_is_not_unique_stops_a_read(client: Client, box: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="does not hold hs_order_name unique"):
        run(client, box, "orders", "read_all", ["x"], id_property="hs_order_name")


@given(
    client=st.sampled_from([HubSpot, AsyncHubSpot]),
    numbers=st.lists(st.integers(0, 150), min_size=1, max_size=260),
    faults=st.lists(st.sampled_from(LOST), max_size=4),
    taken=st.integers(0, 120),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_upsert_and_no_archive_is_lost_or_doubled(
    client: Client,
    numbers: list[int],
    faults: list[str],
    taken: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    rows = upserts(numbers)
    with sandbox() as box:
        # The definitions come, and the rest is in doubt.
        box.faults.next(None, *faults)
        with HubSpot(box.access_token, base_url=box.url, retries=Retries(limit=0)) as hub:
            # Without repetitions, and left early: what is in flight has no outcome, or is unknown.
            stream = hub.orders.stream_upsert(rows, id_property=NUMBER, journal=folder / "upsert")
            for _ in zip(range(taken), stream, strict=False):
                pass
            stream.close()
        report = run(client, box, "orders", "upsert_all", rows, id_property=NUMBER, journal=folder / "upsert")

        assert report.finished
        assert report.rejected == 0
        assert [outcome.index for outcome in report.outcomes] == list(range(len(rows)))
        held = [record.properties[NUMBER] for record in box.records("orders")]
        assert len(held) == len(set(held))
        done = {str(numbers[outcome.index]) for outcome in report.outcomes if outcome.ok}
        assert done <= set(held) <= {str(number) for number in numbers}

        ids = [record.id for record in box.records("orders")]
        box.faults.next("504-after")
        box.faults.next("reset-before")
        archived = run(client, box, "orders", "archive_all", ids, journal=folder / "archive")

        assert archived.done == len(ids)
        assert not run(HubSpot, box, "orders", "read_all", ids).records
