"""Updates: by id, by a unique property, and what is not found."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hubspot_batch.sandbox import Property, Sandbox

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """An account that holds the shop's own numbers unique."""
    with Sandbox(properties={"orders": {"hs_external_order_id": Property("text", unique=True)}}) as box:
        yield box


@pytest.fixture
def ids(send: Send, box: Sandbox) -> list[str]:
    """The ids of three orders, A, B and C, with the shop's own numbers 1, 2 and 3."""
    send(
        "create_orders",
        [
            {"properties": {"hs_order_name": name, "hs_external_order_id": str(number)}}
            for number, name in enumerate("ABC", 1)
        ],
    )
    by_name = {record.properties["hs_order_name"]: record.id for record in box.records("orders")}
    return [by_name[name] for name in "ABC"]


def change(record: str, /, **properties: str) -> dict[str, Any]:
    return {"id": record, "properties": properties or {"hs_tax": None}}


def test_an_update_sets_what_it_names_and_nothing_else(send: Send, box: Sandbox, ids: list[str]) -> None:
    reply = send("update_orders", [change(ids[1], hs_tax="9", hs_order_note="")])

    assert reply.status_code == 200
    (result,) = reply.json()["results"]
    assert result["id"] == ids[1]
    assert result["properties"] == {
        "hs_tax": "9.00",
        "hs_order_note": None,
        "hs_pipeline": "14a2e10e-5471-408a-906e-c51f3b04369e",
        "hs_pipeline_stage": "4b27b500-f031-4927-9811-68a0b525cbae",
        "hs_exchange_rate": "1.0",
        "hs_homecurrency_amount": None,
        "hs_object_source": "INTEGRATION",
        "hs_object_source_id": "1000001",
        "hs_object_source_label": "INTEGRATION",
        "hs_object_id": ids[1],
        "hs_createdate": result["createdAt"],
        "hs_lastmodifieddate": result["updatedAt"],
    }
    assert result["createdAt"] <= result["updatedAt"]
    record = {record.id: record for record in box.records("orders")}[ids[1]]
    assert record.properties == {
        "hs_order_name": "B",
        "hs_external_order_id": "2",
        "hs_tax": "9.00",
        "hs_order_note": None,
    }
    assert record.updated_at == result["updatedAt"]


def test_an_empty_text_clears(send: Send, box: Sandbox, ids: list[str]) -> None:
    send("update_orders", [change(ids[0], hs_tax="9")])
    (result,) = send("update_orders", [change(ids[0], hs_tax="")]).json()["results"]
    assert result["properties"]["hs_tax"] is None
    assert {record.properties.get("hs_tax") for record in box.records("orders")} == {None}


def test_an_order_is_found_by_its_unique_property(send: Send, ids: list[str]) -> None:
    item = {**change("2", hs_tax="9"), "idProperty": "hs_external_order_id"}
    reply = send("update_orders", [item, change(ids[0], hs_tax="1")])
    assert reply.status_code == 200
    assert {result["id"] for result in reply.json()["results"]} == {ids[0], ids[1]}


def test_a_unique_property_that_was_changed_is_found_by_its_new_value(send: Send, ids: list[str]) -> None:
    send("update_orders", [change(ids[0], hs_external_order_id="new")])
    by_number = {"idProperty": "hs_external_order_id"}
    assert send("update_orders", [{**change("new"), **by_number}]).json()["results"][0]["id"] == ids[0]
    assert send("update_orders", [{**change("1"), **by_number}]).status_code == 207


def test_unknown_ids_are_told_together_and_the_others_are_written(
    send: Send, box: Sandbox, ids: list[str]
) -> None:
    unknown = {**change("9", hs_tax="1"), "idProperty": "hs_external_order_id"}
    reply = send(
        "update_orders",
        [change("1", hs_tax="1"), change(ids[2], hs_tax="3"), unknown, change("x@example.com")],
    )

    assert reply.status_code == 207
    body = reply.json()
    assert [result["id"] for result in body["results"]] == [ids[2]]
    assert body["numErrors"] == 1
    assert body["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some ORDER objects, they may be deleted or not exist. "
            "Check that ids are valid.",
            "context": {"ids": ["1", "9"]},
        }
    ]
    taxes = {record.id: record.properties.get("hs_tax") for record in box.records("orders")}
    assert taxes == {ids[0]: None, ids[1]: None, ids[2]: "3.00"}


def test_no_id_is_found_among_the_records_of_another_object_type(send: Send, box: Sandbox) -> None:
    box.add("carts", "7")
    reply = send("update_orders", [change("7")])
    assert reply.status_code == 207
    assert reply.json()["results"] == []


def test_a_repeated_id_refuses_the_whole_request(send: Send, box: Sandbox, ids: list[str]) -> None:
    first, second, third = ids
    reply = send(
        "update_orders",
        [
            *(change(record, hs_tax="1") for record in (first, second, third, second, first)),
            *(change(record) for record in ("8", "9", "8")),
        ],
    )

    assert reply.status_code == 400
    body = reply.json()
    assert list(body) == ["status", "message", "correlationId", "context", "category"]
    assert body["message"] == (
        f"Duplicate IDs found in batch input: [{second}, {first}, 8]. IDs must be unique"
    )
    assert body["category"] == "VALIDATION_ERROR"
    assert body["context"] == {"ids": [second, first, "8"]}
    assert {record.properties.get("hs_tax") for record in box.records("orders")} == {None}


def test_two_names_of_one_record_are_a_repetition(send: Send, ids: list[str]) -> None:
    by_number = {**change("1"), "idProperty": "hs_external_order_id"}
    reply = send("update_orders", [change(ids[0]), by_number])
    assert reply.status_code == 400
    assert reply.json()["context"] == {"ids": ["1"]}


def test_the_same_text_in_two_properties_is_no_repetition(send: Send, ids: list[str]) -> None:
    box_id = ids[0]
    send("update_orders", [change(ids[1], hs_external_order_id=box_id)])
    by_number = {**change(box_id), "idProperty": "hs_external_order_id"}
    assert send("update_orders", [change(box_id), by_number]).status_code == 200


@pytest.mark.parametrize("name", ["hs_object_id", "hs_order_name", "colour"])
def test_a_property_that_is_not_unique_is_refused_as_a_key(send: Send, ids: list[str], name: str) -> None:
    reply = send("update_orders", [{**change(ids[0]), "idProperty": name}])
    assert reply.status_code == 400
    assert list(reply.json()) == ["status", "message", "correlationId", "category"]
    assert reply.json()["message"].startswith(
        f"Unable to perform update/upsert by non-unique 0-123 property {name} in portal ID "
    )


def test_only_a_property_that_is_declared_unique_is_a_key() -> None:
    with Sandbox() as box:
        item = {**change("1"), "idProperty": "hs_external_order_id"}
        reply = httpx.post(
            f"{box.url}/crm/v3/objects/orders/batch/update",
            json={"inputs": [item]},
            headers={"Authorization": f"Bearer {box.access_token}"},
        )
    assert reply.status_code == 400
    assert "non-unique 0-123 property hs_external_order_id" in reply.json()["message"]


def test_what_is_no_record_id_changes_nothing_and_says_nothing(send: Send, ids: list[str]) -> None:
    reply = send("update_orders", [change("x@example.com", hs_tax="1"), change(ids[0], hs_tax="2")])
    assert reply.status_code == 200
    assert [result["id"] for result in reply.json()["results"]] == [ids[0]]
    assert "errors" not in reply.json()


def test_a_value_of_another_record_refuses_the_whole_request(
    send: Send, box: Sandbox, ids: list[str]
) -> None:
    before = box.records("orders")
    reply = send("update_orders", [change(ids[0], hs_external_order_id="2"), change(ids[2], hs_tax="1")])
    assert reply.status_code == 400
    assert list(reply.json()) == ["status", "message", "correlationId", "category"]
    assert reply.json()["category"] == "VALIDATION_ERROR"
    assert reply.json()["message"].endswith("already has that value.")
    assert box.records("orders") == before


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("colour", "red", "PROPERTY_DOESNT_EXIST"),
        ("hs_tax", "1,0", "INVALID_LONG"),
        ("hs_closed_date", "", "READ_ONLY_VALUE"),
        ("hs_order_name", "", "MISSING_REQUIRED_PROPERTY"),
    ],
)
@pytest.mark.parametrize("traced", [True, False])
def test_a_bad_property_refuses_the_whole_request(
    send: Send,
    box: Sandbox,
    ids: list[str],
    name: str,
    value: str,
    code: str,
    *,
    traced: bool,
) -> None:
    inputs = [change(ids[0], hs_tax="1"), change(ids[1], **{name: value}), change("1")]
    if traced:
        inputs = [{**item, "objectWriteTraceId": str(index)} for index, item in enumerate(inputs)]

    reply = send("update_orders", inputs)
    assert reply.status_code == 400
    assert [error["code"] for error in reply.json()["errors"]] == [code]
    assert {record.properties.get("hs_tax") for record in box.records("orders")} == {None}


def test_results_of_updates_are_shuffled(send: Send, box: Sandbox) -> None:
    send("create_orders", [{"properties": {"hs_order_name": str(index)}} for index in range(50)])
    ids = [record.id for record in box.records("orders")]
    results = send("update_orders", [change(record, hs_tax="1") for record in ids]).json()["results"]
    shown = [result["id"] for result in results]
    assert sorted(shown) == ids
    assert shown != ids


@pytest.mark.parametrize("text", ["\U0001f6d2", '"', "'; DROP TABLE records", "%"])
def test_any_text_can_be_a_key(send: Send, text: str) -> None:
    properties = {"hs_order_name": "A", "hs_external_order_id": text}
    (result,) = send("create_orders", [{"properties": properties}]).json()["results"]
    key = {"id": text, "idProperty": "hs_external_order_id", "properties": {"hs_tax": None}}
    (found,) = send("update_orders", [key]).json()["results"]
    assert found["id"] == result["id"]
