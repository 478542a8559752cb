"""Creates: what is written, what is refused, and what the reply says."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hubspot_batch.sandbox import Sandbox, StoredAssociation

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PREFIX = "Property values were not valid: "


def order(name: str, trace: str | None = None, **properties: str) -> dict[str, Any]:
    item: dict[str, Any] = {"properties": {"hs_order_name": name, **properties}}
    return item if trace is None else {**item, "objectWriteTraceId": trace}


def linked(type_id: int, target: str, category: str = "HUBSPOT_DEFINED") -> list[dict[str, Any]]:
    kind = {"associationCategory": category, "associationTypeId": type_id}
    return [{"to": {"id": target}, "types": [kind]}]


def details(message: str) -> list[dict[str, Any]]:
    assert message.startswith(PREFIX)
    faults: list[dict[str, Any]] = json.loads(message.removeprefix(PREFIX))
    return faults


def test_a_created_record_comes_back_with_what_the_server_adds(send: Send, box: Sandbox) -> None:
    reply = send("create_orders", [order("A-1", hs_tax="9")])

    assert reply.status_code == 201
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    body = reply.json()
    assert list(body) == ["status", "results", "startedAt", "completedAt"]
    assert body["status"] == "COMPLETE"
    assert re.fullmatch(MOMENT, body["startedAt"])
    assert body["startedAt"] <= body["completedAt"]
    (result,) = body["results"]
    created = result["createdAt"]
    assert re.fullmatch(MOMENT, created)
    assert result == {
        "id": result["id"],
        "properties": {
            "hs_order_name": "A-1",
            "hs_tax": "9.00",
            "hs_pipeline": "14a2e10e-5471-408a-906e-c51f3b04369e",
            "hs_pipeline_stage": "4b27b500-f031-4927-9811-68a0b525cbae",
            "hs_exchange_rate": "1.0",
            "hs_homecurrency_amount": None,
            "hs_object_source": "INTEGRATION",
            "hs_object_source_id": "1000001",
            "hs_object_source_label": "INTEGRATION",
            "hs_object_id": result["id"],
            "hs_createdate": created,
            "hs_lastmodifieddate": created,
        },
        "createdAt": created,
        "updatedAt": created,
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/100000001/record/0-123/{result['id']}",
    }
    (record,) = box.records("orders")
    assert record.id == result["id"]
    assert record.object_type == "orders"
    assert record.properties == {"hs_order_name": "A-1", "hs_tax": "9.00"}
    assert record.created_at == record.updated_at == created


@pytest.mark.parametrize(
    ("operation", "properties"),
    [
        ("create_orders", {"hs_order_name": "A"}),
        ("create_line_items", {"name": "Lamp"}),
        (
            "create_commerce_payments",
            {"hs_initial_amount": "1", "hs_initiated_date": "2026-09-01T08:15:00Z"},
        ),
        ("create_carts", {}),
    ],
)
def test_every_object_type_can_be_created(
    send: Send, box: Sandbox, operation: str, properties: dict[str, str]
) -> None:
    reply = send(operation, [{"properties": properties}])
    assert reply.status_code == 201
    assert len(box.records(operation.removeprefix("create_"))) == 1


def test_line_items_keep_the_moment_of_creation_under_another_name(send: Send) -> None:
    (result,) = send("create_line_items", [{"properties": {}}]).json()["results"]
    assert "createdate" in result["properties"]
    assert "hs_createdate" not in result["properties"]


def test_ids_are_decimal_and_unique_over_all_object_types(send: Send) -> None:
    ids: list[str] = []
    for _ in range(3):
        ids += [result["id"] for result in send("create_carts", [{"properties": {}}] * 5).json()["results"]]
        ids += [result["id"] for result in send("create_orders", [order("A")] * 5).json()["results"]]
    assert len(set(ids)) == 30
    assert all(re.fullmatch(r"[1-9][0-9]{10,}", number) for number in ids)


def test_an_empty_text_leaves_a_property_empty(send: Send) -> None:
    (result,) = send("create_orders", [order("A", hs_order_note="", hs_tax="")]).json()["results"]
    assert result["properties"]["hs_order_note"] is None
    assert result["properties"]["hs_tax"] is None


def test_results_are_in_neither_the_order_of_inputs_nor_that_of_ids(send: Send) -> None:
    names = [f"A-{index:03}" for index in range(100)]
    results = send("create_orders", [order(name) for name in names]).json()["results"]

    shown = [result["properties"]["hs_order_name"] for result in results]
    assert sorted(shown) == names
    assert shown != names
    by_id = [
        result["properties"]["hs_order_name"]
        for result in sorted(results, key=lambda result: int(result["id"]))
    ]
    assert by_id not in (names, shown)


def test_the_same_seed_gives_the_same_order() -> None:
    def names(seed: int) -> list[str]:
        with Sandbox(seed=seed) as box, httpx.Client() as http:
            reply = http.post(
                f"{box.url}/crm/v3/objects/orders/batch/create",
                json={"inputs": [order(str(index)) for index in range(50)]},
                headers={"Authorization": f"Bearer {box.access_token}"},
            )
        return [result["properties"]["hs_order_name"] for result in reply.json()["results"]]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_a_bad_input_costs_only_itself_where_each_has_a_trace_id(send: Send, box: Sandbox) -> None:
    reply = send(
        "create_orders",
        [order("A", "1"), order("B", "2", hs_pipeline_stage="Shipped", colour="red"), order("C", "3")],
    )

    assert reply.status_code == 207
    body = reply.json()
    assert list(body) == ["status", "results", "numErrors", "errors", "startedAt", "completedAt"]
    assert {result["properties"]["hs_order_name"] for result in body["results"]} == {"A", "C"}
    assert "objectWriteTraceId" not in json.dumps(body["results"])
    assert body["numErrors"] == 1
    (error,) = body["errors"]
    assert list(error) == ["status", "category", "message", "context"]
    assert error["status"] == "error"
    assert error["category"] == "VALIDATION_ERROR"
    assert error["context"] == {"objectWriteTraceId": ["2"]}
    stage, colour = details(error["message"])
    assert stage["error"] == "INVALID_OPTION"
    assert stage["message"].startswith("Shipped was not one of the allowed options: [")
    assert colour == {
        "isValid": False,
        "message": 'Property "colour" does not exist',
        "error": "PROPERTY_DOESNT_EXIST",
        "name": "colour",
        "localizedErrorMessage": 'Property "colour" does not exist',
        "portalId": colour["portalId"],
    }
    assert len(box.records("orders")) == 2


def test_each_bad_input_has_an_error_of_its_own(send: Send) -> None:
    inputs = [order("A", str(index), hs_tax="" if index % 2 else "?") for index in range(10)]
    body = send("create_orders", inputs).json()
    traces = [error["context"]["objectWriteTraceId"] for error in body["errors"]]
    assert traces == [["0"], ["2"], ["4"], ["6"], ["8"]]
    assert body["numErrors"] == len(body["results"]) == 5


def test_a_batch_that_is_all_bad_is_a_207_without_results(send: Send, box: Sandbox) -> None:
    reply = send("create_orders", [order("", "1"), order("", "2")])
    assert reply.status_code == 207
    assert reply.json()["results"] == []
    assert reply.json()["numErrors"] == 2
    assert box.records("orders") == []


def test_trace_ids_change_nothing_where_all_inputs_are_good(send: Send) -> None:
    reply = send("create_orders", [order("A", "1"), order("B", "2")])
    assert reply.status_code == 201
    assert "errors" not in reply.json()


@pytest.mark.parametrize("traces", [(None, None, None), ("1", None, "3"), ("1", "2", "1"), (None, "2", None)])
def test_one_bad_input_refuses_the_whole_batch_otherwise(
    send: Send, box: Sandbox, traces: tuple[str | None, ...]
) -> None:
    names = ("A", "", "C")
    reply = send("create_orders", [order(name, trace) for name, trace in zip(names, traces, strict=True)])

    assert reply.status_code == 400
    body = reply.json()
    assert list(body) == ["status", "message", "correlationId", "errors", "category"]
    assert body["status"] == "error"
    assert re.fullmatch(UUID, body["correlationId"])
    assert body["category"] == "VALIDATION_ERROR"
    assert body["errors"] == [
        {
            "message": 'Property "hs_order_name" is required',
            "code": "MISSING_REQUIRED_PROPERTY",
            "context": {"propertyName": ["hs_order_name"]},
        }
    ]
    assert [fault["name"] for fault in details(body["message"])] == ["hs_order_name"]
    assert box.records("orders") == []


def test_a_fault_that_two_inputs_share_stands_once_in_errors_and_twice_in_the_text(send: Send) -> None:
    body = send("create_orders", [order("A", a="1", b="1"), order("B", a="1", c="1")]).json()
    assert [fault["name"] for fault in details(body["message"])] == ["a", "b", "a", "c"]
    assert [error["context"]["propertyName"] for error in body["errors"]] == [["a"], ["b"], ["c"]]


def test_good_inputs_without_trace_ids_are_all_written(send: Send, box: Sandbox) -> None:
    assert send("create_orders", [order("A"), order("B", "2"), order("C", "2")]).status_code == 201
    assert len(box.records("orders")) == 3


def test_a_property_can_be_declared() -> None:
    with Sandbox(properties={"orders": ["my_field"]}) as box, httpx.Client() as http:
        reply = http.post(
            f"{box.url}/crm/v3/objects/orders/batch/create",
            json={"inputs": [order("A", my_field="any text")]},
            headers={"Authorization": f"Bearer {box.access_token}"},
        )
    assert reply.json()["results"][0]["properties"]["my_field"] == "any text"


def test_a_required_property_of_payments_can_be_missing_twice(send: Send) -> None:
    reply = send("create_commerce_payments", [{"properties": {}, "objectWriteTraceId": "1"}])
    (error,) = reply.json()["errors"]
    names = [fault["name"] for fault in details(error["message"])]
    assert names == ["hs_initial_amount", "hs_initiated_date"]


def test_identical_line_items_become_one(send: Send, box: Sandbox) -> None:
    lamp = {"name": "Lamp", "price": "9"}
    reply = send(
        "create_line_items",
        [
            {"properties": lamp, "objectWriteTraceId": "1"},
            {"properties": dict(reversed(lamp.items())), "objectWriteTraceId": "2", "associations": []},
            {"properties": {**lamp, "price": "9.0"}, "objectWriteTraceId": "3"},
            {"properties": {"name": "Lamp", "price": "x"}, "objectWriteTraceId": "4"},
            {"properties": {"name": "Lamp", "price": "x"}, "objectWriteTraceId": "5"},
        ],
    )
    assert reply.status_code == 207
    assert len(reply.json()["results"]) == len(box.records("line_items")) == 2
    assert reply.json()["numErrors"] == 2


def test_line_items_that_differ_in_an_association_stay_two(send: Send, box: Sandbox) -> None:
    box.add("orders", "7")
    reply = send(
        "create_line_items", [{"properties": {}}, {"properties": {}, "associations": linked(514, "7")}]
    )
    assert reply.status_code == 201
    assert len(box.records("line_items")) == 2


def test_identical_orders_stay_two(send: Send, box: Sandbox) -> None:
    assert len(send("create_orders", [order("A"), order("A")]).json()["results"]) == 2
    assert len(box.records("orders")) == 2


def test_an_association_is_kept(send: Send, box: Sandbox) -> None:
    box.add("contacts", "301")
    reply = send("create_orders", [{**order("A"), "associations": linked(507, "301")}])
    assert reply.status_code == 201
    assert box.records("orders")[0].associations == (
        StoredAssociation(to_type="contacts", to_id="301", category="HUBSPOT_DEFINED", type_id=507),
    )


def test_a_record_of_the_sandbox_can_be_linked_with(send: Send, box: Sandbox) -> None:
    send("create_orders", [order("A")])
    (parent,) = box.records("orders")
    item = {"properties": {"name": "Lamp"}, "associations": linked(514, parent.id)}
    assert send("create_line_items", [item]).status_code == 201


@pytest.mark.parametrize("target", ["302", "abc", "0301", "9" * 30, "٣٠١", "-301"])
def test_a_target_that_does_not_exist_is_refused(send: Send, box: Sandbox, target: str) -> None:
    box.add("contacts", "301")
    bad = {**order("A", "1"), "associations": linked(507, target)}

    reply = send("create_orders", [bad, order("B", "2")])
    assert reply.status_code == 207
    assert len(reply.json()["results"]) == 1
    assert reply.json()["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.TO_OBJECT_NOT_FOUND",
            "message": f"one or more associations are not valid: no record of contacts has the id {target}",
            "context": {"objectWriteTraceId": ["1"], "id": [target]},
        }
    ]

    reply = send("create_orders", [bad, order("B")])
    assert reply.status_code == 400
    body = reply.json()
    assert body["category"] == "OBJECT_NOT_FOUND"
    assert body["subCategory"] == "crm.associations.TO_OBJECT_NOT_FOUND"
    assert body["context"] == {"id": [target]}
    assert len(box.records("orders")) == 1


def test_a_target_of_another_object_type_does_not_count(send: Send, box: Sandbox) -> None:
    box.add("companies", "301")
    assert send("create_orders", [{**order("A"), "associations": linked(507, "301")}]).status_code == 400


@pytest.mark.parametrize(
    ("type_id", "category"),
    [(508, "HUBSPOT_DEFINED"), (586, "HUBSPOT_DEFINED"), (1, "HUBSPOT_DEFINED"), (507, "USER_DEFINED")],
)
def test_an_association_type_that_does_not_start_at_orders_is_refused(
    send: Send, box: Sandbox, type_id: int, category: str
) -> None:
    box.add("contacts", "301")
    bad = {**order("A", "1"), "associations": linked(type_id, "301", category)}

    (error,) = send("create_orders", [bad]).json()["errors"]
    assert error == {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": "one or more associations are not valid: "
        f"type {type_id} of {category} does not start at orders",
        "context": {"objectWriteTraceId": ["1"]},
    }

    reply = send("create_orders", [{**bad, "objectWriteTraceId": "1"}] * 2)
    assert reply.status_code == 400
    assert list(reply.json()) == ["status", "message", "correlationId", "category"]
    assert box.records("orders") == []


def test_properties_are_judged_before_associations(send: Send) -> None:
    bad = {**order("", "1"), "associations": linked(507, "1")}
    (error,) = send("create_orders", [bad]).json()["errors"]
    assert details(error["message"])[0]["name"] == "hs_order_name"
    other = {**order("B"), "associations": linked(507, "1")}
    assert send("create_orders", [other, order("")]).json()["message"].startswith(PREFIX)
