"""Reading, upserting, archiving, definitions and associations, over HTTP."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hubspot_batch import HubSpot
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import AssociationResult, BatchResult, PropertyDefinition
from hubspot_batch.sandbox import Behaviour, Property, Sandbox, SandboxAccount

if TYPE_CHECKING:
    from tests.conftest import Face

ORDERS = "/crm/v3/objects/orders"
Json = dict[str, Any]
Post = Callable[..., httpx.Response]


@pytest.fixture
def box() -> Any:  # noqa: ANN401 - a generator of sandboxes
    custom = {"orders": {"number": Property(unique=True), "colours": Property("enumeration", ("a", "b"))}}
    records: Mapping[str, Any] = {
        "contacts": [{"id": "301", "email": "Ada@Example.com", "shop": "7"}, "302"],
        "companies": {"401": {"name": "Analytical Engines"}},
        "deals": [{"id": 501, "properties": {"dealname": "Engine", "amount": 9, "dealtype": None}}],
        "products": [{"name": "Lamp"}, {"name": "Desk"}],
    }
    with Sandbox(properties=custom, records=records, quota="none") as box:
        yield box


@pytest.fixture
def post(http: httpx.Client) -> Post:
    def post(path: str, *inputs: Json, **body: object) -> httpx.Response:
        return http.post(path, json={"inputs": inputs, **body})

    return post


def created(post: Post, *names: str) -> list[str]:
    inputs = [{"properties": {"hs_order_name": name, "number": name}} for name in names]
    reply = post(f"{ORDERS}/batch/create", *inputs).json()
    ids = {result["properties"]["number"]: result["id"] for result in reply["results"]}
    return [ids[name] for name in names]


def read(post: Post, *ids: str, path: str = f"{ORDERS}/batch/read", **body: object) -> httpx.Response:
    return post(
        path, *({"id": text} for text in ids), **{"properties": [], "propertiesWithHistory": [], **body}
    )


def test_a_read_returns_the_properties_that_are_asked_for(post: Post) -> None:
    first, second = created(post, "A", "B")

    reply = read(post, first, second, first, properties=["hs_order_name", "hs_tax", "no_such_property"])

    assert reply.status_code == 200
    results = {result["id"]: result["properties"] for result in reply.json()["results"]}
    assert set(results) == {first, second}
    asked = {"hs_order_name", "hs_tax", "hs_object_id", "hs_createdate", "hs_lastmodifieddate"}
    assert set(results[first]) == asked
    assert (results[first]["hs_order_name"], results[first]["hs_tax"]) == ("A", None)


@pytest.mark.parametrize("path", [f"{ORDERS}/batch/read", "/crm/objects/2026-03/0-123/batch/read"])
def test_what_is_missing_is_told_together_in_a_207(post: Post, path: str) -> None:
    (first,) = created(post, "A")

    reply = read(post, "9", first, "301", "x", path=path)

    assert reply.status_code == 207
    assert [result["id"] for result in reply.json()["results"]] == [first]
    (error,) = reply.json()["errors"]
    assert (error["category"], error["context"]) == ("OBJECT_NOT_FOUND", {"ids": ["9", "301", "x"]})


def test_a_read_by_a_unique_property(post: Post) -> None:
    (first,) = created(post, "A")

    reply = read(post, "A", "C", idProperty="number")

    assert [result["id"] for result in reply.json()["results"]] == [first]
    assert reply.json()["errors"][0]["context"] == {"ids": ["C"]}
    refused = read(post, "A", idProperty="hs_order_name")
    assert refused.status_code == 400
    assert "read by non-unique 0-123 property hs_order_name" in refused.json()["message"]


def test_the_history_of_a_property_begins_with_its_last_value(post: Post) -> None:
    (first,) = created(post, "A")
    for note in ("one", "two", ""):
        post(f"{ORDERS}/batch/update", {"id": first, "properties": {"hs_order_note": note}})

    (result,) = read(post, first, propertiesWithHistory=["hs_order_note", "hs_tax"]).json()["results"]

    history = result["propertiesWithHistory"]
    assert [entry["value"] for entry in history["hs_order_note"]] == ["", "two", "one"]
    assert history["hs_tax"] == []
    assert result["properties"]["hs_order_note"] is None
    assert all(entry["sourceType"] and entry["timestamp"] for entry in history["hs_order_note"])


def test_fewer_records_are_read_with_history(post: Post) -> None:
    ids = [str(number) for number in range(1, 52)]
    assert read(post, *ids, propertiesWithHistory=["hs_tax"]).status_code == 400
    assert read(post, *ids[1:], propertiesWithHistory=["hs_tax"]).status_code == 207


def test_an_archived_record_is_read_as_such_only(post: Post, box: Sandbox, http: httpx.Client) -> None:
    first, second = created(post, "A", "B")

    reply = post(f"{ORDERS}/batch/archive", {"id": first}, {"id": first}, {"id": "9"}, {"id": "301"})

    assert (reply.status_code, reply.content) == (204, b"")
    assert "content-length" not in reply.headers
    assert [result["id"] for result in read(post, first, second).json()["results"]] == [second]
    (result,) = read(post, first, second, path=f"{ORDERS}/batch/read?archived=true").json()["results"]
    assert (result["id"], result["archived"]) == (first, True)
    assert result["archivedAt"] >= result["createdAt"]
    assert [record.id for record in box.records("orders")] == [second]
    assert [record.id for record in box.records("orders", archived=True)] == [first]
    assert len(box.records("contacts")) == 2
    assert [entry["id"] for entry in http.get(ORDERS, params={"archived": "true"}).json()["results"]] == [
        first
    ]
    assert (box.requests[1].inputs, box.requests[1].written) == (4, 1)


def test_the_values_of_an_archived_record_are_free_and_its_id_is_not(post: Post) -> None:
    (first,) = created(post, "A")
    post(f"{ORDERS}/batch/archive", {"id": first})

    (again,) = created(post, "A")

    assert again != first
    assert read(post, "A", idProperty="number").json()["results"][0]["id"] == again
    assert post(f"{ORDERS}/batch/update", {"id": first, "properties": {"hs_tax": "9"}}).status_code == 207


def test_an_upsert_says_what_is_new(post: Post, box: Sandbox) -> None:
    (first,) = created(post, "A")
    inputs = [
        {"id": "A", "idProperty": "number", "properties": {"hs_tax": "9"}},
        {"id": "B", "idProperty": "number", "properties": {"hs_order_name": "b"}},
    ]

    reply = post(f"{ORDERS}/batch/upsert", *inputs)

    assert reply.status_code == 200
    results = {result["new"]: result for result in reply.json()["results"]}
    assert results[False]["id"] == first
    assert results[False]["properties"]["hs_tax"] == "9.00"
    assert results[True]["properties"]["number"] == "B"
    assert {record.properties["number"] for record in box.records("orders")} == {"A", "B"}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([{"id": "A", "properties": {"hs_tax": "1"}}], "non-unique 0-123 property hs_object_id"),
        (
            [{"id": "A", "idProperty": "hs_tax", "properties": {"hs_tax": "1"}}],
            "non-unique 0-123 property hs_tax",
        ),
        ([{"id": "N", "idProperty": "number", "properties": {"hs_order_name": "A"}}] * 2, "Duplicate IDs"),
        ([{"id": "N", "idProperty": "number", "properties": {"hs_tax": "1"}}], "hs_order_name"),
        ([{"id": "", "idProperty": "number", "properties": {"hs_order_name": "A"}}], "is required"),
        (
            [{"id": "N", "idProperty": "hs_unique_creation_key", "properties": {"hs_order_name": "A"}}],
            "read only property",
        ),
    ],
)
def test_an_upsert_is_refused_as_a_whole(post: Post, box: Sandbox, inputs: list[Json], words: str) -> None:
    reply = post(f"{ORDERS}/batch/upsert", *inputs)

    assert (reply.status_code, box.records("orders")) == (400, [])
    assert words in reply.json()["message"]


def test_with_trace_ids_an_upsert_is_partial(post: Post) -> None:
    good = {
        "id": "A",
        "idProperty": "number",
        "properties": {"hs_order_name": "A"},
        "objectWriteTraceId": "1",
    }
    bad = {"id": "B", "idProperty": "number", "properties": {"no": "A"}, "objectWriteTraceId": "2"}

    reply = post(f"{ORDERS}/batch/upsert", good, bad)

    assert (reply.status_code, len(reply.json()["results"])) == (207, 1)
    assert reply.json()["errors"][0]["context"] == {"objectWriteTraceId": ["2"]}


def test_the_easy_side_is_closed(post: Post) -> None:
    items = "/crm/v3/objects/line_items/batch/create"
    for properties in (
        {"price": "-0.01"},
        {"name": "x" * 65_537},
        {"quantity": "1" * 5_000},
        {"quantity": "-" + "1" * 5_000},
    ):
        assert post(items, {"properties": properties}).status_code == 400
    assert post(items, {"properties": {"price": "-0"}}).status_code == 201
    (first,) = created(post, "A")
    refused = post(f"{ORDERS}/batch/update", {"id": first, "properties": {}})
    assert (refused.status_code, refused.json()["message"]) == (400, "No properties found to update")
    assert post(f"{ORDERS}/batch/update", {"id": first, "properties": {"hs_tax": None}}).status_code == 200


def test_contacts_are_found_by_their_e_mail_address(post: Post) -> None:
    path = "/crm/v3/objects/contacts/batch/read"

    reply = read(post, "ADA@example.com", "x", path=path, idProperty="email", properties=["email", "shop"])

    (result,) = reply.json()["results"]
    assert (result["id"], result["properties"]["email"]) == ("301", "ada@example.com")
    assert result["properties"]["shop"] == "7"
    assert reply.json()["errors"][0]["context"] == {"ids": ["x"]}


@pytest.mark.parametrize(
    ("object_type", "name", "values"),
    [
        ("companies", "name", ["Analytical Engines"]),
        ("deals", "amount", ["9.00"]),
        ("products", "name", ["Desk", "Lamp"]),
    ],
)
def test_the_records_to_begin_with_are_read(
    post: Post, box: Sandbox, object_type: str, name: str, values: list[str]
) -> None:
    ids = [record.id for record in box.records(object_type)]
    path = f"/crm/v3/objects/{object_type}/batch/read"

    results = read(post, *ids, path=path, properties=[name]).json()["results"]

    assert sorted(result["properties"][name] for result in results) == values


def test_one_record_is_read(post: Post, http: httpx.Client) -> None:
    (first,) = created(post, "A")

    by_id = http.get(f"{ORDERS}/{first}", params={"properties": "number,hs_tax"}).json()
    by_number = http.get(
        f"{ORDERS}/A", params={"idProperty": "number", "propertiesWithHistory": "number"}
    ).json()

    assert (by_id["id"], by_id["properties"]["number"], by_id["properties"]["hs_tax"]) == (first, "A", None)
    assert "hs_order_name" not in by_id["properties"]
    assert [entry["value"] for entry in by_number["propertiesWithHistory"]["number"]] == ["A"]
    for path, status in (
        (f"{ORDERS}/9", 404),
        (f"{ORDERS}/{first}?archived=true", 404),
        (f"{ORDERS}/A?idProperty=hs_tax", 400),
        ("/crm/v3/objects/tickets/9", 404),
        ("/crm/v3/objects/tickets/9?idProperty=subject", 404),
    ):
        assert http.get(path).status_code == status, path


@pytest.mark.parametrize("path", ["/crm/v3/properties/0-123", "/crm/properties/2026-09/orders"])
def test_the_definitions_of_properties(http: httpx.Client, path: str) -> None:
    results = {result["name"]: result for result in http.get(path).json()["results"]}

    number, key, stage = results["number"], results["hs_unique_creation_key"], results["hs_pipeline_stage"]
    assert (number["type"], number["hasUniqueValue"], number["hubspotDefined"]) == ("string", True, False)
    assert number["modificationMetadata"]["readOnlyValue"] is False
    assert (key["hasUniqueValue"], key["modificationMetadata"]["readOnlyValue"]) == (True, True)
    assert stage["type"] == "enumeration"
    assert [option["label"] for option in stage["options"]] == [
        *("Open", "Processed", "Shipped", "Delivered", "Cancelled")
    ]
    assert stage["options"][0]["value"] == "4b27b500-f031-4927-9811-68a0b525cbae"
    assert [option["label"] for option in results["hs_pipeline"]["options"]] == ["Order Pipeline"]
    assert [option["value"] for option in results["hs_buyer_accepts_marketing"]["options"]] == [
        "true",
        "false",
    ]
    assert results["hubspot_owner_id"]["referencedObjectType"] == "OWNER"
    assert {result["type"] for result in results.values()} == {
        *("string", "number", "bool", "datetime", "enumeration")
    }
    assert http.get(f"{path}?archived=true").json() == {"results": []}
    assert http.get(f"{path}?dataSensitivity=sensitive").json() == {"results": []}


@pytest.mark.parametrize("path", ["/crm/v4/associations", "/crm/associations/2026-09"])
def test_associations_after_the_fact_are_seen_from_both_sides(
    post: Post, box: Sandbox, http: httpx.Client, path: str
) -> None:
    first, second = created(post, "A", "B")
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}
    pairs = [{"from": {"id": text}, "to": {"id": "301"}, "types": [kind]} for text in (first, second, first)]

    for _ in range(2):
        reply = post(f"{path}/order/contacts/batch/create", *pairs)
        assert reply.status_code == 201
        assert len(reply.json()["results"]) == 3

    assert reply.json()["results"][0]["toObjectTypeId"] == "0-1"
    for record in box.records("orders"):
        assert [(link.to_type, link.to_id, link.type_id) for link in record.associations] == [
            ("contacts", "301", 507)
        ]
    shown = http.get(f"{ORDERS}/{first}", params={"associations": "contacts,0-142"}).json()
    assert shown["associations"] == {"contacts": {"results": [{"id": "301", "type": "type_507"}]}}
    (listed, _) = http.get("/crm/v3/objects/contacts", params={"associations": "orders"}).json()["results"]
    assert {link["id"] for link in listed["associations"]["orders"]["results"]} == {first, second}
    found = post(f"{path}/contact/order/batch/read", {"id": "301"}, {"id": "9"}).json()
    assert {target["toObjectId"] for target in found["results"][0]["to"]} == {first, second}
    assert found["errors"][0]["subCategory"] == "crm.associations.FROM_OBJECT_NOT_FOUND"
    post(f"{ORDERS}/batch/archive", {"id": second})
    (contact, _) = box.records("contacts")
    assert [link.to_id for link in contact.associations] == [first]


def test_associations_with_missing_records_and_wrong_types_are_refused(post: Post, box: Sandbox) -> None:
    (first,) = created(post, "A")
    path = "/crm/associations/2026-03/orders/companies/batch/create"

    def pair(from_id: str, to_id: str, type_id: int) -> Json:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
        return {"from": {"id": from_id}, "to": {"id": to_id}, "types": [kind]}

    partial = post(path, pair(first, "401", 934), pair(first, "9", 934), pair("8", "401", 509))
    wrong = post(path, pair(first, "401", 507))

    assert (partial.status_code, len(partial.json()["results"])) == (207, 1)
    sides = {(error["subCategory"], *error["context"]["id"]) for error in partial.json()["errors"]}
    assert sides == {
        ("crm.associations.FROM_OBJECT_NOT_FOUND", "8"),
        ("crm.associations.TO_OBJECT_NOT_FOUND", "9"),
    }
    assert (wrong.status_code, wrong.json()["category"]) == (400, "VALIDATION_ERROR")
    assert [link.type_id for link in box.records("orders")[0].associations] == [934]
    assert post(path, *[pair(first, "401", 934)] * 101).status_code == 400


def test_the_body_of_each_operation_is_judged(http: httpx.Client) -> None:
    for path in (
        f"{ORDERS}/batch/read",
        f"{ORDERS}/batch/archive",
        f"{ORDERS}/batch/upsert",
        "/crm/v4/associations/orders/contacts/batch/create",
        "/crm/v4/associations/orders/contacts/batch/read",
    ):
        assert http.post(path, content=b"{").status_code == 400
        assert http.post(path, json={"inputs": [{}] * 101}).status_code == 400
        assert http.post(path, json={"inputs": [{"id": ["x"]}]}).status_code == 400


def test_reads_need_scopes_meet_faults_and_use_the_quota() -> None:
    scopes = ["crm.objects.orders.write", "crm.objects.contacts.read"]
    with (
        Sandbox(scopes=scopes, quota="4/60", records={"contacts": ["301"]}) as box,
        httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http,
    ):
        body = {"inputs": [{"id": "301"}]}
        assert http.post(f"{ORDERS}/batch/read", json=body).json()["category"] == "MISSING_SCOPES"
        assert http.get("/crm/v3/properties/orders").status_code == 200
        box.faults.next("503", "truncated")
        assert http.post("/crm/v3/objects/contacts/batch/read", json=body).status_code == 503
        assert not http.get("/crm/v3/objects/contacts").text.endswith("}")
        assert http.get("/crm/v3/objects/contacts").status_code == 429


def test_a_fault_leaves_a_reply_without_a_body_as_it_is() -> None:
    with (
        Sandbox() as box,
        httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http,
    ):
        for fault in ("truncated", "invalid-utf8", "gzip", "200", "requested-at-null", "unknown-status"):
            box.faults.next(fault)
            reply = http.post(f"{ORDERS}/batch/archive", json={"inputs": [{"id": "1"}]})
            assert (reply.status_code, reply.content) == (204, b"")


def test_a_late_index_hides_a_record_from_its_unique_properties_only(post: Post, box: Sandbox) -> None:
    box.faults.next("late-index=86400")
    (first,) = created(post, "A")

    assert read(post, first).status_code == 200
    assert read(post, "A", idProperty="number").json()["results"] == []
    again = post(f"{ORDERS}/batch/create", {"properties": {"hs_order_name": "A", "number": "A"}})
    assert again.status_code in {400, 409}
    assert created(post, "B")
    assert read(post, "B", idProperty="number").status_code == 200


def test_an_account_can_be_behind_with_its_index() -> None:
    behaviour = Behaviour(index_delay=86_400.0)
    custom = {"orders": {"number": Property(unique=True)}}
    with (
        Sandbox(behaviour=behaviour, properties=custom) as box,
        httpx.Client(base_url=box.url, headers={"Authorization": "Bearer sandbox-token"}) as http,
    ):
        inputs = [{"properties": {"hs_order_name": "A", "number": "A"}}]
        assert http.post(f"{ORDERS}/batch/create", json={"inputs": inputs}).status_code == 201
        body = {"inputs": [{"id": "A"}], "idProperty": "number"}
        assert http.post(f"{ORDERS}/batch/read", json=body).status_code == 207


def test_each_account_has_records_of_its_own_to_begin_with() -> None:
    other = SandboxAccount(access_token="other", number=2, records={"contacts": [{"id": "7"}]})
    with Sandbox(accounts=[other], records={"contacts": {"8": {}}}) as box:
        box.add("contacts", 9, {"email": "X@y.example", "active": True}, access_token="other")
        assert [record.id for record in box.records("contacts")] == ["8"]
        seven, nine = box.records("contacts", access_token="other")
        assert (seven.id, nine.properties) == ("7", {"email": "x@y.example", "active": "true"})


def test_records_without_an_id_are_written_once(tmp_path: Any) -> None:  # noqa: ANN401
    for _ in range(2):
        with Sandbox(store=tmp_path / "box.sqlite", records={"contacts": [{"email": "a@b.example"}]}) as box:
            assert len(box.records("contacts")) == 1


def test_records_may_have_properties_that_nothing_defines(http: httpx.Client) -> None:
    custom: Mapping[str, Any] = {"contacts": {"shop": Property(unique=True)}, "deals": ["shop"]}
    records: Mapping[str, Any] = {
        "contacts": [{"id": 1, "shop": 7, "size": "XL"}],
        "deals": [{"id": 2, "shop": "x"}],
        "tickets": [{"id": 3, "subject": "A"}],
    }
    with Sandbox(properties=custom, records=records) as box:
        reply = httpx.get(f"{box.url}/crm/v3/properties/contacts", headers=http.headers)
        definitions = {result["name"]: result for result in reply.json()["results"]}
        assert (definitions["shop"]["hasUniqueValue"], definitions["size"]["hasUniqueValue"]) == (True, False)
        assert not definitions["size"]["hubspotDefined"]
        assert box.records("deals")[0].properties == {"shop": "x"}
        assert box.records("tickets")[0].properties == {"subject": "A"}


def test_records_and_properties_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="neither a text nor a number"):
        Sandbox(records={"contacts": [{"id": 1.5}]})
    with pytest.raises(ConfigurationError, match="is not a record id"):
        Sandbox(records={"contacts": ["x"]})
    with pytest.raises(ConfigurationError, match="there is no object type 'contact'"):
        Sandbox(records={"contact": ["1"]})
    with pytest.raises(ConfigurationError, match="orders can have at most 10 unique properties"):
        Sandbox(properties={"orders": {f"key_{number}": Property(unique=True) for number in range(11)}})


def test_an_association_whose_other_direction_is_not_known_is_seen_from_one_side(
    post: Post, box: Sandbox
) -> None:
    box.add("tickets", "601")
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 525}]
    links = [{"to": {"id": "601"}, "types": kinds}]

    post(f"{ORDERS}/batch/create", {"properties": {"hs_order_name": "A"}, "associations": links})

    assert [link.to_type for link in box.records("orders")[0].associations] == ["tickets"]
    assert box.records("tickets")[0].associations == ()


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_both_clients_go_through_the_family(box: Sandbox, face: "Face", version: str) -> None:
    # Each call of the asynchronous client has an event loop of its own, which no connection outlives.
    kind = httpx.Client if face.kind is HubSpot else httpx.AsyncClient
    http_client = kind(limits=httpx.Limits(max_keepalive_connections=0))
    options = {"base_url": box.url, "api_version": version, "http_client": http_client}
    hub = face.connect(None, access_token=box.access_token, **options)

    def call(operation: str, *inputs: Json, **more: object) -> Any:  # noqa: ANN401 - what it has for a result
        return face.call(hub, operation, inputs, **more)

    upserts = [{"id": name, "idProperty": "number", "properties": {"hs_order_name": name}} for name in "ab"]
    first: BatchResult = call("upsert_orders", upserts[0])
    second: BatchResult = call("upsert_orders", *upserts)
    ids = {record.index: record.id for record in second.records}
    assert [record.created for record in first.records] == [True]
    assert {record.index: record.created for record in second.records} == {0: False, 1: True}

    beside = {"properties": ["hs_order_name"], "propertiesWithHistory": [], "idProperty": "number"}
    found: BatchResult = call("read_orders", {"id": "b"}, {"id": "c"}, {"id": "a"}, beside=beside)
    assert {record.index: record.properties["hs_order_name"] for record in found.records} == {0: "b", 2: "a"}
    assert [error.index for error in found.errors] == [1]

    ends = {"fromObjectType": "orders", "toObjectType": "contacts"}
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}]
    pairs = [{"from": {"id": ids[index]}, "to": {"id": 301}, "types": types} for index in (0, 1)]
    linked: AssociationResult = call("create_associations", *pairs, arguments=ends)
    assert (linked.ok, sorted(pair.index or 0 for pair in linked.pairs)) == (True, [0, 1])

    archived: BatchResult = call("archive_orders", {"id": ids[0]}, {"id": "9"})
    assert (archived.ok, archived.response.status) == (True, 204)
    live, binned = (
        call("read_orders", {"id": ids[0]}, {"id": ids[1]}, beside={}, arguments={"archived": flag})
        for flag in (False, True)
    )
    assert [record.index for record in live.records] == [1]
    assert [(record.index, record.archived) for record in binned.records] == [(0, True)]

    contacts: BatchResult = call(
        "read_objects",
        {"id": "ada@example.com"},
        beside={"idProperty": "email", "properties": ["shop"]},
        arguments={"objectType": "contacts"},
    )
    assert [(record.index, record.id) for record in contacts.records] == [(0, "301")]

    definitions: tuple[PropertyDefinition, ...] = call("list_properties", arguments={"objectType": "orders"})
    known = {each.name: each for each in definitions}
    assert known["number"].has_unique_value
    assert [option.value for option in known["colours"].options] == ["a", "b"]
    assert known["hs_object_id"].read_only
