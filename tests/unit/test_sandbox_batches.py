"""What an account answers: versions, unique values, and the points that are options."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubspot_batch.contract._operations import operation, validator
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._account import Account, Call, Reply
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._bodies import taken_value_forms
from hubspot_batch.sandbox._object_types import schemas_with
from hubspot_batch.sandbox._operations import Target, target_of
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._store import Store

Item = dict[str, Any]
UNIQUE: Mapping[str, Mapping[str, Property]] = {
    "orders": {
        "hs_external_order_id": Property("text", unique=True),
        "email": Property("email", unique=True),
        "shop": Property("text", required=True),
    }
}


OPEN: list[Store] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close the stores of a test."""
    yield
    while OPEN:
        OPEN.pop().close()


class Box:
    """An account without HTTP around it."""

    def __init__(self, *, custom: Mapping[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401
        schemas = schemas_with(custom or {})
        self.store = Store(None, sorted({name for schema in schemas.values() for name in schema.unique}))
        OPEN.append(self.store)
        self._account = Account(self.store, schemas, 1, behaviour=Behaviour(**options), number=7)

    def send(self, name: str, *inputs: Item, version: str = "v3") -> Reply:
        content = msgspec.json.encode({"inputs": inputs})
        target = target_of("POST", operation(name).path)
        assert isinstance(target, Target)
        target = msgspec.structs.replace(target, version=version)
        reply = self._account.run(Call(target=target, content=content))
        schema = "BatchReply" if reply.status < 300 else "ErrorReply"
        validator(schema).validate(msgspec.to_builtins(reply.body))
        return reply

    def names(self) -> list[str]:
        return sorted(record.properties["hs_order_name"] or "" for record in self.store.page("orders"))


def order(name: str, trace: str | None = None, **properties: str) -> Item:
    item: Item = {"properties": {"hs_order_name": name, "shop": "x", **properties}}
    return item if trace is None else {**item, "objectWriteTraceId": trace}


@pytest.mark.parametrize(
    ("version", "full", "partial", "updated", "some_updated"),
    [
        ("v3", 201, 207, 200, 207),
        ("2025-09", 200, 200, 200, 200),
        ("2026-03", 201, 207, 200, 207),
        ("2026-09", 201, 207, 200, 207),
    ],
)
def test_the_status_follows_the_version(
    version: str, full: int, partial: int, updated: int, some_updated: int
) -> None:
    box = Box()
    carts = [
        {"properties": {}, "objectWriteTraceId": "1"},
        {"properties": {"x": ""}, "objectWriteTraceId": "2"},
    ]
    assert box.send("create_carts", carts[0], version=version).status == full
    reply = box.send("create_carts", *carts, version=version)
    assert reply.status == partial
    assert reply.body["numErrors"] == len(reply.body["errors"]) == len(reply.body["results"]) == 1
    new = {"properties": {"hs_order_name": "A"}}
    (created,) = box.send("create_orders", new).body["results"]
    change: Item = {"id": created["id"], "properties": {"hs_tags": "x"}}
    assert box.send("update_orders", change, version=version).status == updated
    reply = box.send("update_orders", change, {**change, "id": "1"}, version=version)
    assert reply.status == some_updated
    assert reply.body["errors"][0]["category"] == "OBJECT_NOT_FOUND"


def test_the_number_of_the_account_stands_in_bodies() -> None:
    box = Box()
    (result,) = box.send("create_carts", {"properties": {}}).body["results"]
    assert result["url"] == f"https://app.hubspot.com/contacts/7/record/0-142/{result['id']}"
    assert '"portalId":7}' in box.send("create_carts", {"properties": {"x": "1"}}).body["message"]
    bad = {"id": "1", "idProperty": "hs_object_id", "properties": {"hs_tax": None}}
    assert box.send("update_orders", bad).body["message"].endswith("hs_object_id in portal ID 7")


def test_a_value_that_is_taken_is_reported_for_its_input_alone() -> None:
    box = Box(custom=UNIQUE, taken_values=("conflict with context",))
    (first,) = box.send("create_orders", order("A", hs_external_order_id="1")).body["results"]
    reply = box.send(
        "create_orders",
        order("B", "b", hs_external_order_id="1", email="x@b"),
        order("C", "c", hs_external_order_id="2"),
        order("D", "d", hs_external_order_id="2"),
        order("E", "e", hs_external_order_id="", email="X@B"),
        order("F", "f", hs_tax="?"),
        order("G", "g", email="x@B"),
    )
    assert reply.status == 207
    assert box.names() == ["A", "C", "E"]
    b, d, f, g = reply.body["errors"]
    assert b == {
        "status": "error",
        "category": "CONFLICT",
        "message": "Order already exists",
        "context": {"existingId": [first["id"]], "objectWriteTraceId": ["b"]},
    }
    # The record that has the value is of the same request: no form that names it fits.
    assert (d["context"], d["message"]) == ({"objectWriteTraceId": ["d"]}, "Order already exists")
    assert f["category"] == "VALIDATION_ERROR"
    assert g["context"] == {"objectWriteTraceId": ["g"]}
    assert g["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"


def test_a_value_that_is_taken_refuses_the_batch_without_trace_ids_in_every_form_in_turn() -> None:
    box = Box(custom=UNIQUE)
    (first,) = box.send("create_orders", order("A", hs_external_order_id="1")).body["results"]
    for form in taken_value_forms() * 2:
        reply = box.send("create_orders", order("B"), order("C", hs_external_order_id="1"))
        assert (reply.status, reply.body.get("category")) == (form.status, form.body.get("category"))
        told = msgspec.json.encode(reply.body.get(form.existing)) if form.existing else b""
        assert (first["id"].encode() in told) == (form.existing is not None)
        assert b"<" not in msgspec.json.encode(reply.body)
    assert box.names() == ["A"]


def test_line_items_have_a_unique_number_of_their_own() -> None:
    box = Box()
    item = {"properties": {"hs_external_id": "1"}}
    assert len(box.send("create_line_items", item, item).body["results"]) == 1
    reply = box.send("create_line_items", {"properties": {"hs_external_id": "1", "name": "x"}})
    assert reply.status == 400
    assert reply.body["message"] == (
        "Cannot set PropertyValueCoordinates{portalId=7, "
        "objectTypeId=ObjectTypeId{legacyObjectType=LINE_ITEM}, "
        "propertyName=hs_external_id, value=1} on 20000000002. 20000000001 already has that value."
    )


def test_updates_keep_values_unique() -> None:
    box = Box(custom=UNIQUE, taken_values=("conflict with context",))
    box.send("create_orders", order("A", hs_external_order_id="1"), order("B", hs_external_order_id="2"))
    ids = {record.properties["hs_order_name"]: record.id for record in box.store.page("orders")}

    def change(name: str, number: str, trace: str) -> Item:
        values = {"hs_external_order_id": number}
        return {"id": ids[name], "properties": values, "objectWriteTraceId": trace}

    assert box.send("update_orders", change("A", "1", "a")).status == 200
    reply = box.send("update_orders", change("A", "2", "a"), change("B", "3", "b"))
    assert reply.status == 207
    (error,) = reply.body["errors"]
    assert error["context"] == {"existingId": [ids["B"]], "objectWriteTraceId": ["a"]}
    found = {"id": "3", "idProperty": "hs_external_order_id", "properties": {"hs_tags": "x"}}
    assert box.send("update_orders", found).body["results"][0]["id"] == ids["B"]
    both = [change("A", "9", "a"), change("B", "9", "b")]
    assert len(box.send("update_orders", *both).body["errors"]) == 1
    reply = box.send("update_orders", {"id": ids["B"], "properties": {"hs_external_order_id": "9"}})
    assert reply.status == 409


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_what_the_form_requires(version: str, *, everywhere: bool) -> None:
    box = Box(custom=UNIQUE, form_in_all_versions=everywhere)
    item = {"properties": {"hs_order_name": "A"}}
    reply = box.send("create_orders", item, version=version)
    if everywhere or version == "2026-09":
        assert reply.status == 400
        assert reply.body["category"] == "VALIDATION_ERROR"
        (error,) = reply.body["errors"]
        assert error["code"] == "MISSING_REQUIRED_PROPERTY"
        assert error["context"] == {"propertyName": ["shop"]}
    else:
        assert len(reply.body["results"]) == 1


def test_the_form_does_not_bind_an_update() -> None:
    box = Box(custom=UNIQUE)
    (created,) = box.send("create_orders", order("A")).body["results"]
    change = {"id": created["id"], "properties": {"shop": ""}}
    assert box.send("update_orders", change, version="2026-09").status == 200


def test_results_can_be_in_order() -> None:
    box = Box(shuffle=False)
    names = [f"{index:02}" for index in range(20)]
    results = box.send("create_orders", *({"properties": {"hs_order_name": name}} for name in names)).body
    assert [result["properties"]["hs_order_name"] for result in results["results"]] == names
    assert [record.properties["hs_order_name"] for record in box.store.page("orders")] == names


@pytest.mark.parametrize("trace", ["t", None])
def test_trace_ids_can_be_echoed(trace: str | None) -> None:
    box = Box(echo_trace_ids=True)
    (result,) = box.send("create_carts", {"properties": {}, "objectWriteTraceId": trace}).body["results"]
    assert result.get("objectWriteTraceId") == trace


def test_values_can_come_back_as_they_were_sent() -> None:
    box = Box(normalise_values=False)
    (result,) = box.send("create_carts", {"properties": {"hs_tax": "9"}}).body["results"]
    assert result["properties"]["hs_tax"] == "9"


@pytest.mark.parametrize(("distinguishes", "count"), [(False, 1), (True, 2)])
def test_a_trace_id_can_keep_line_items_apart(*, distinguishes: bool, count: int) -> None:
    box = Box(trace_id_distinguishes=distinguishes)
    items = [{"properties": {"name": "x"}, "objectWriteTraceId": trace} for trace in "ab"]
    assert len(box.send("create_line_items", *items).body["results"]) == count


def test_other_records_can_be_merged_and_line_items_not() -> None:
    box = Box(merge_identical=("carts",))
    assert len(box.send("create_carts", *[{"properties": {}}] * 3).body["results"]) == 1
    assert len(box.send("create_line_items", *[{"properties": {}}] * 3).body["results"]) == 3


@pytest.mark.parametrize(("partial", "traced"), [(True, True), (True, False), (False, True)])
def test_a_bad_property_of_an_update_can_cost_only_its_input(*, partial: bool, traced: bool) -> None:
    box = Box(partial_update_with_trace_ids=partial)
    created = box.send("create_orders", *[{"properties": {"hs_order_name": "A"}}] * 2).body["results"]
    changes: list[Item] = [
        {"id": result["id"], "properties": {"hs_tax": tax}, "objectWriteTraceId": trace if traced else None}
        for result, tax, trace in zip(created, ("1", "x"), "01", strict=True)
    ]
    reply = box.send("update_orders", *changes)
    if partial and traced:
        assert reply.status == 207
        assert reply.body["errors"][0]["context"] == {"objectWriteTraceId": ["1"]}
        assert [result["id"] for result in reply.body["results"]] == [created[0]["id"]]
    else:
        assert reply.status == 400


def test_what_is_not_an_id_can_be_reported_as_not_found() -> None:
    change = {"id": "x@example.com", "properties": {"hs_tax": None}}
    assert Box().send("update_orders", change).body["results"] == []
    reply = Box(silent_unknown_ids=False).send("update_orders", change)
    assert reply.status == 207
    assert reply.body["errors"][0]["context"] == {"ids": ["x@example.com"]}


def test_targets_need_not_exist_where_that_is_an_option() -> None:
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 587}]
    item: Item = {"properties": {}, "associations": [{"to": {"id": "1"}, "types": kinds}]}
    box = Box(check_targets=False)
    assert box.send("create_carts", item).status == 400
    kinds[0]["associationTypeId"] = 586
    assert box.send("create_carts", item).status == 201
    assert Box().send("create_carts", item).status == 400


def test_an_empty_list_of_inputs_can_be_refused() -> None:
    assert Box().send("create_carts").body["results"] == []
    reply = Box(accept_empty_inputs=False).send("create_carts")
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")
    assert Box(accept_empty_inputs=False).send("update_orders").status == 400


def test_null_neither_sets_nor_clears() -> None:
    box = Box()
    item: Item = {"properties": {"hs_order_name": "A", "hs_tax": "1", "hs_tags": None}}
    (created,) = box.send("create_orders", item).body["results"]
    assert "hs_tags" not in created["properties"]
    box.send("update_orders", {"id": created["id"], "properties": {"hs_tax": None, "colour": None}})
    assert box.store.page("orders")[0].properties == {"hs_order_name": "A", "hs_tax": "1.00"}
    assert box.send("create_orders", {"properties": {"hs_order_name": None}}).status == 400


def test_a_store_counts_and_tells_its_latest_records() -> None:
    box = Box(shuffle=False)
    box.send("create_orders", *({"properties": {"hs_order_name": name}} for name in "ABC"))
    assert (box.store.count("orders"), box.store.count("carts")) == (3, 0)
    assert [record.properties["hs_order_name"] for record in box.store.latest("orders", 2)] == ["C", "B"]


def test_many_targets_are_looked_for_in_parts(tmp_path: Path) -> None:
    store = Store(tmp_path / "box.sqlite", ())
    for number in (1, 1200):
        store.add("contacts", str(number), {}, "2026-09-01T00:00:00.000Z")
    wanted = [str(number) for number in range(1, 1201)]
    assert store.existing([*wanted, "x"]) == {("contacts", "1"), ("contacts", "1200")}
    assert set(store.get("contacts", wanted)) == {"1", "1200"}
    assert store.get("orders", wanted) == {}
    store.close()


def test_a_store_that_cannot_be_indexed_is_refused_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "box.sqlite"
    with pytest.raises(ConfigurationError, match=r"box\.sqlite cannot be used: near"):
        Store(path, ["not a name"])
    assert [file.name for file in tmp_path.iterdir()] == ["box.sqlite"]
