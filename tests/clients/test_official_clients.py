"""HubSpot's own clients against the sandbox. `nox -s clients` installs them.

`hubspot-api-client` speaks v3, `hubspot-sdk` the dated paths of 2026-03. What arrives is looked up in the
sandbox, not in what the client says of it.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch.sandbox import Property, Sandbox

hubspot = pytest.importorskip("hubspot")
models = pytest.importorskip("hubspot.crm.objects")
line_items = pytest.importorskip("hubspot.crm.line_items")
associations = pytest.importorskip("hubspot.crm.associations.v4")
sdk = pytest.importorskip("hubspot_sdk")

Properties = Mapping[str, str]

# Each object type with two records, and with a change to the first of them.
CASES: dict[str, tuple[list[Properties], Properties]] = {
    "orders": (
        [
            {"hs_order_name": "A-1001", "hs_total_price": "129.90", "hs_currency_code": "EUR"},
            {"hs_order_name": "A-1002", "hs_order_note": "gift"},
        ],
        {"hs_shipping_tracking_number": "TRACK-77"},
    ),
    "line_items": (
        [
            {"name": "Desk lamp", "quantity": "2", "hs_external_id": "1001-1"},
            {"name": "Desk", "quantity": "1", "hs_external_id": "1001-2"},
        ],
        {"hs_sku": "LAMP-3"},
    ),
    "commerce_payments": (
        [
            {"hs_initial_amount": "129.90", "hs_initiated_date": "2026-09-01T08:16:30.000Z"},
            {"hs_initial_amount": "42.50", "hs_initiated_date": "2026-09-02T08:16:30.000Z"},
        ],
        {"hs_reference_number": "R-77"},
    ),
    "carts": (
        [
            {"hs_cart_name": "Basket 7", "hs_external_cart_id": "basket-7"},
            {"hs_cart_name": "Basket 8", "hs_external_cart_id": "basket-8"},
        ],
        {"hs_cart_url": "https://shop.example/basket/7"},
    ),
}
# A property that has another value in each record of a case.
NAMES = {
    "orders": "hs_order_name",
    "line_items": "name",
    "commerce_payments": "hs_initial_amount",
    "carts": "hs_cart_name",
}
SCRIPT = Path(__file__).with_name("official_client.cjs")
each_type = pytest.mark.parametrize("object_type", CASES)


# A unique property that each object type has: by it records are read and upserted.
KEY = "shop_key"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    custom = {name: {KEY: Property(unique=True)} for name in CASES}
    contacts = [{"id": "301", "email": "ada@example.com"}]
    with Sandbox(quota="none", properties=custom, records={"contacts": contacts}) as box:
        yield box


def names_by_id(object_type: str, results: Any) -> dict[str, str]:  # noqa: ANN401 - of untyped clients
    return {result.id: result.properties[NAMES[object_type]] for result in results}


def stored(box: Sandbox, object_type: str) -> dict[str, str | None]:
    return {record.id: record.properties[NAMES[object_type]] for record in box.records(object_type)}


def assert_changed(box: Sandbox, object_type: str, record_id: str) -> None:
    (name, value), *_ = CASES[object_type][1].items()
    assert {record.id: record.properties.get(name) for record in box.records(object_type)} == {
        record.id: value if record.id == record_id else None for record in box.records(object_type)
    }


class TestApiClient:
    """`hubspot-api-client`, the generic batch API of `crm.objects`."""

    @pytest.fixture
    def batches(self, box: Sandbox) -> Any:  # noqa: ANN401
        return hubspot.HubSpot(access_token=box.access_token, host=box.url).crm.objects.batch_api

    def create(
        self,
        batches: Any,  # noqa: ANN401
        object_type: str,
        records: list[Properties],
        *,
        trace_ids: bool = False,
        associations: Any = (),  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        inputs = [
            models.SimplePublicObjectBatchInputForCreate(
                properties=record,
                associations=list(associations),
                object_write_trace_id=f"row-{index}" if trace_ids else None,
            )
            for index, record in enumerate(records)
        ]
        body = models.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        return batches.create_with_http_info(object_type, body)

    def update(self, batches: Any, object_type: str, changes: Mapping[str, Properties]) -> Any:  # noqa: ANN401
        inputs = [
            models.SimplePublicObjectBatchInput(id=record_id, properties=properties)
            for record_id, properties in changes.items()
        ]
        body = models.BatchInputSimplePublicObjectBatchInput(inputs=inputs)
        return batches.update_with_http_info(object_type, body)

    @each_type
    def test_it_creates_and_updates(self, box: Sandbox, batches: Any, object_type: str) -> None:  # noqa: ANN401
        records, change = CASES[object_type]

        reply, status, headers = self.create(batches, object_type, records)

        assert (status, reply.status, len(reply.results)) == (201, "COMPLETE", 2)
        assert headers["Content-Type"].startswith("application/json")
        assert names_by_id(object_type, reply.results) == stored(box, object_type)
        assert len(box.records(object_type)) == 2

        changed = reply.results[0].id
        reply, status, _ = self.update(batches, object_type, {changed: change})

        assert (status, [result.id for result in reply.results]) == (200, [changed])
        assert reply.results[0].updated_at >= reply.results[0].created_at
        assert_changed(box, object_type, changed)
        assert {entry.path for entry in box.requests} == {
            f"/crm/v3/objects/{object_type}/batch/create",
            f"/crm/v3/objects/{object_type}/batch/update",
        }

    @each_type
    def test_it_upserts_reads_and_archives(self, box: Sandbox, batches: Any, object_type: str) -> None:  # noqa: ANN401
        key, (first, second) = KEY, CASES[object_type][0]
        for records in ((first,), (first, second)):
            inputs = [
                models.SimplePublicObjectBatchInputUpsert(id=f"K-{index}", id_property=key, properties=record)
                for index, record in enumerate(records)
            ]
            body = models.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)
            upserted = batches.upsert(object_type, body)
        assert sorted(result.new for result in upserted.results) == [False, True]

        request = models.BatchReadInputSimplePublicObjectId(
            inputs=[models.SimplePublicObjectId(id=text) for text in ("K-0", "K-1", "K-2")],
            id_property=key,
            properties=[NAMES[object_type]],
            properties_with_history=[key],
        )
        read, status, _ = batches.read_with_http_info(object_type, request)
        assert (status, names_by_id(object_type, read.results)) == (207, stored(box, object_type))
        assert read.errors[0].context["ids"] == ["K-2"]
        history = [result.properties_with_history[key] for result in read.results]
        assert sorted(entry.value for (entry,) in history) == ["K-0", "K-1"]

        gone = read.results[0].id
        ids = models.BatchInputSimplePublicObjectId(inputs=[models.SimplePublicObjectId(id=gone)])
        assert batches.archive_with_http_info(object_type, ids)[1] == 204
        assert gone not in stored(box, object_type)
        request = models.BatchReadInputSimplePublicObjectId(
            inputs=ids.inputs, properties=[], properties_with_history=[]
        )
        (archived,) = batches.read(object_type, request, archived=True).results
        assert (archived.id, archived.archived) == (gone, True)

    @each_type
    def test_it_reads_definitions(self, box: Sandbox, object_type: str) -> None:
        properties = hubspot.HubSpot(access_token=box.access_token, host=box.url).crm.properties.core_api

        found = {result.name: result for result in properties.get_all(object_type).results}

        assert found[KEY].has_unique_value
        assert found["hs_object_id"].modification_metadata.read_only_value

    def test_it_reads_contacts_by_e_mail(self, batches: Any) -> None:  # noqa: ANN401
        request = models.BatchReadInputSimplePublicObjectId(
            inputs=[models.SimplePublicObjectId(id="ada@example.com")],
            id_property="email",
            properties=["email"],
            properties_with_history=[],
        )

        (contact,) = batches.read("contacts", request).results

        assert (contact.id, contact.properties["email"]) == ("301", "ada@example.com")

    def test_it_associates_after_the_fact(self, box: Sandbox, batches: Any) -> None:  # noqa: ANN401
        client = hubspot.HubSpot(access_token=box.access_token, host=box.url)
        order = self.create(batches, "orders", CASES["orders"][0][:1])[0].results[0].id
        pair = associations.PublicAssociationMultiPost(
            _from=associations.PublicObjectId(id=order),
            to=associations.PublicObjectId(id="301"),
            types=[associations.AssociationSpec("HUBSPOT_DEFINED", 507)],
        )
        body = associations.BatchInputPublicAssociationMultiPost(inputs=[pair])

        reply, status, _ = client.crm.associations.v4.batch_api.create_with_http_info(
            "orders", "contacts", body
        )

        assert (status, reply.results[0].to_object_id) == (201, "301")
        (contact,) = box.records("contacts")
        assert [link.to_id for link in contact.associations] == [order]

    def test_line_items_have_an_api_of_their_own(self, box: Sandbox) -> None:
        batches = hubspot.HubSpot(access_token=box.access_token, host=box.url).crm.line_items.batch_api
        records, change = CASES["line_items"]
        create = line_items.BatchInputSimplePublicObjectBatchInputForCreate(
            inputs=[
                line_items.SimplePublicObjectBatchInputForCreate(properties=record, associations=[])
                for record in records
            ]
        )

        reply = batches.create(batch_input_simple_public_object_batch_input_for_create=create)

        assert names_by_id("line_items", reply.results) == stored(box, "line_items")
        changed = reply.results[1].id
        update = line_items.BatchInputSimplePublicObjectBatchInput(
            inputs=[line_items.SimplePublicObjectBatchInput(id=changed, properties=change)]
        )
        batches.update(batch_input_simple_public_object_batch_input=update)
        assert_changed(box, "line_items", changed)

    def test_an_association_arrives(self, box: Sandbox, batches: Any) -> None:  # noqa: ANN401
        association = models.PublicAssociationsForObject(
            to=models.PublicObjectId(id="301"),
            types=[models.AssociationSpec("HUBSPOT_DEFINED", 507)],
        )

        self.create(batches, "orders", CASES["orders"][0][:1], associations=[association])

        (record,) = box.records("orders")
        assert [(link.to_type, link.to_id, link.type_id) for link in record.associations] == [
            ("contacts", "301", 507)
        ]

    def test_a_207_comes_through(self, box: Sandbox, batches: Any) -> None:  # noqa: ANN401
        bad = {"hs_order_name": "A-1003", "hs_total_price": "12,50"}

        reply, status, _ = self.create(batches, "orders", [*CASES["orders"][0], bad], trace_ids=True)

        assert (status, reply.num_errors, len(reply.results)) == (207, 1, 2)
        assert isinstance(reply, models.BatchResponseSimplePublicObjectWithErrors)
        (error,) = reply.errors
        assert error.context["objectWriteTraceId"] == ["row-2"]
        assert "hs_total_price" in error.message
        assert set(stored(box, "orders").values()) == {"A-1001", "A-1002"}

    def test_a_207_of_an_update_names_the_ids_that_are_not_there(self, box: Sandbox, batches: Any) -> None:  # noqa: ANN401
        reply, _, _ = self.create(batches, "orders", CASES["orders"][0])
        change = CASES["orders"][1]
        changed = reply.results[0].id

        reply, status, _ = self.update(batches, "orders", {changed: change, "99": change})

        assert (status, [result.id for result in reply.results]) == (207, [changed])
        assert [error.context["ids"] for error in reply.errors] == [["99"]]
        assert_changed(box, "orders", changed)

    def test_a_refused_batch_is_an_exception(self, box: Sandbox, batches: Any) -> None:  # noqa: ANN401
        with pytest.raises(models.ApiException) as caught:
            self.create(batches, "orders", [{"hs_order_name": "A-1"}, {"no_such_property": "x"}])

        assert caught.value.status == 400
        assert "no_such_property" in caught.value.body
        assert box.records("orders") == []

    def test_a_wrong_token_is_a_401(self, box: Sandbox) -> None:
        batches = hubspot.HubSpot(access_token="wrong", host=box.url).crm.objects.batch_api

        with pytest.raises(models.ApiException) as caught:
            self.create(batches, "orders", CASES["orders"][0])

        assert caught.value.status == 401
        assert "EXPIRED_AUTHENTICATION" in caught.value.body
        assert box.records("orders") == []

    def test_single_records_and_searches(self, box: Sandbox) -> None:
        crm = hubspot.HubSpot(access_token=box.access_token, host=box.url).crm
        basic = crm.objects.basic_api
        for object_type, (records, change) in CASES.items():
            name = NAMES[object_type]
            made = [
                basic.create(
                    object_type,
                    models.SimplePublicObjectInputForCreate(properties=record, associations=[]),
                ).id
                for record in records
            ]
            assert set(made) == stored(box, object_type).keys()
            basic.update(object_type, made[0], models.SimplePublicObjectInput(properties=change))
            assert_changed(box, object_type, made[0])
            read = basic.get_by_id(object_type, made[0], properties=[name, *change])
            assert read.properties[name] == stored(box, object_type)[made[0]]
            page = basic.get_page(object_type, limit=1, properties=[name])
            rest = basic.get_page(object_type, after=page.paging.next.after, properties=[name])
            assert names_by_id(object_type, [*page.results, *rest.results]) == stored(box, object_type)

            request = models.PublicObjectSearchRequest(
                filter_groups=[
                    {"filters": [{"propertyName": name, "operator": "EQ", "value": read.properties[name]}]}
                ],
                properties=[name],
                limit=200,
                sorts=[],
                after="0",
            )
            found = crm.objects.search_api.do_search(object_type, request)
            assert (found.total, [result.id for result in found.results]) == (1, [made[0]])

            basic.archive(object_type, made[0])
            with pytest.raises(models.ApiException) as caught:
                basic.get_by_id(object_type, made[0])
            assert caught.value.status == 404
            assert basic.get_by_id(object_type, made[0], archived=True).archived

    def test_contacts_are_paged_and_known_by_e_mail(self, box: Sandbox) -> None:
        contacts = hubspot.HubSpot(access_token=box.access_token, host=box.url).crm.contacts
        of_contacts = pytest.importorskip("hubspot.crm.contacts")

        with pytest.raises(of_contacts.ApiException) as caught:
            contacts.basic_api.create(
                of_contacts.SimplePublicObjectInputForCreate(
                    properties={"email": "ada@example.com"}, associations=[]
                )
            )

        assert (caught.value.status, "Existing ID: 301" in caught.value.body) == (409, True)
        box.seed({"contacts": [{"id": str(number)} for number in range(1001, 1151)]})
        assert len(contacts.get_all(properties=["email"])) == 151
        read = contacts.basic_api.get_by_id("ada@example.com", id_property="email")
        assert read.id == "301"


class TestSdk:
    """`hubspot-sdk`, generated by Stainless. Its types know nothing of a 207, but let its fields through."""

    @pytest.fixture
    def hub(self, box: Sandbox) -> Iterator[Any]:
        with sdk.HubSpot(access_token=box.access_token, base_url=box.url, max_retries=0) as hub:
            yield hub

    @each_type
    def test_it_creates_and_updates(self, box: Sandbox, hub: Any, object_type: str) -> None:  # noqa: ANN401
        records, change = CASES[object_type]
        batches = getattr(hub.crm.objects, object_type).batch

        reply = batches.create(inputs=[{"properties": record, "associations": []} for record in records])

        assert (reply.status, len(reply.results)) == ("COMPLETE", 2)
        assert reply.completed_at >= reply.started_at
        assert names_by_id(object_type, reply.results) == stored(box, object_type)

        changed = reply.results[0].id
        reply = batches.update(inputs=[{"id": changed, "properties": change}])

        assert [result.id for result in reply.results] == [changed]
        assert reply.results[0].updated_at >= reply.results[0].created_at
        assert_changed(box, object_type, changed)
        assert [(entry.path, entry.status) for entry in box.requests] == [
            (f"/crm/objects/2026-03/{object_type}/batch/create", 201),
            (f"/crm/objects/2026-03/{object_type}/batch/update", 200),
        ]

    @each_type
    def test_it_upserts_reads_and_archives(self, box: Sandbox, hub: Any, object_type: str) -> None:  # noqa: ANN401
        key, (first, second) = KEY, CASES[object_type][0]
        batches = getattr(hub.crm.objects, object_type).batch
        for records in ((first,), (first, second)):
            upserted = batches.upsert(
                inputs=[
                    {"id": f"K-{index}", "id_property": key, "properties": record}
                    for index, record in enumerate(records)
                ]
            )
        assert sorted(result.new for result in upserted.results) == [False, True]

        read = batches.get(
            inputs=[{"id": text} for text in ("K-0", "K-1", "K-2")],
            id_property=key,
            properties=[NAMES[object_type]],
            properties_with_history=[key],
        )
        assert names_by_id(object_type, read.results) == stored(box, object_type)
        assert read.errors[0]["context"]["ids"] == ["K-2"]
        history = [result.properties_with_history[key] for result in read.results]
        assert sorted(entry.value for (entry,) in history) == ["K-0", "K-1"]

        gone = read.results[0].id
        batches.delete(inputs=[{"id": gone}])
        assert gone not in stored(box, object_type)
        (archived,) = batches.get(
            inputs=[{"id": gone}], properties=[], properties_with_history=[], archived=True
        ).results
        assert (archived.id, archived.archived) == (gone, True)

    @each_type
    def test_it_reads_definitions(self, hub: Any, object_type: str) -> None:  # noqa: ANN401
        found = {result.name: result for result in hub.crm.properties.list(object_type).results}

        assert found[KEY].has_unique_value
        assert found["hs_object_id"].modification_metadata.read_only_value

    def test_it_reads_contacts_by_e_mail(self, hub: Any) -> None:  # noqa: ANN401
        (contact,) = hub.crm.objects.contacts.batch.get(
            inputs=[{"id": "ada@example.com"}],
            id_property="email",
            properties=["email"],
            properties_with_history=[],
        ).results

        assert (contact.id, contact.properties["email"]) == ("301", "ada@example.com")

    def test_it_associates_after_the_fact(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        (order,) = hub.crm.objects.orders.batch.create(
            inputs=[{"properties": CASES["orders"][0][0], "associations": []}]
        ).results
        types = [{"association_category": "HUBSPOT_DEFINED", "association_type_id": 507}]

        reply = hub.crm.associations.batch.create(
            "contacts",
            from_object_type="orders",
            inputs=[{"from": {"id": order.id}, "to": {"id": "301"}, "types": types}],
        )

        assert [result.to_object_id for result in reply.results] == ["301"]
        (contact,) = box.records("contacts")
        assert [link.to_id for link in contact.associations] == [order.id]

    def test_an_association_arrives(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        types = [{"association_category": "HUBSPOT_DEFINED", "association_type_id": 507}]

        hub.crm.objects.orders.batch.create(
            inputs=[
                {
                    "properties": {"hs_order_name": "A-1"},
                    "associations": [{"to": {"id": "301"}, "types": types}],
                }
            ]
        )

        (record,) = box.records("orders")
        assert [(link.to_type, link.to_id, link.type_id) for link in record.associations] == [
            ("contacts", "301", 507)
        ]

    def test_a_207_comes_through(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        records = [*CASES["orders"][0], {"hs_order_name": "A-1003", "hs_total_price": "12,50"}]

        raw = hub.crm.objects.orders.batch.with_raw_response.create(
            inputs=[
                {"properties": record, "associations": [], "object_write_trace_id": f"row-{index}"}
                for index, record in enumerate(records)
            ]
        )

        reply = raw.parse()
        assert (raw.status_code, len(reply.results)) == (207, 2)
        (error,) = reply.errors
        assert reply.numErrors == 1
        assert error["context"]["objectWriteTraceId"] == ["row-2"]
        assert "hs_total_price" in error["message"]
        assert set(stored(box, "orders").values()) == {"A-1001", "A-1002"}

    def test_a_refused_batch_is_an_exception(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        with pytest.raises(sdk.BadRequestError, match="no_such_property"):
            hub.crm.objects.carts.batch.create(
                inputs=[{"properties": {"no_such_property": "x"}, "associations": []}]
            )

        assert box.records("carts") == []

    def test_a_wrong_token_is_a_401(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        with pytest.raises(sdk.AuthenticationError) as caught:
            hub.with_options(access_token="wrong").crm.objects.orders.batch.create(
                inputs=[{"properties": {"hs_order_name": "A-1"}, "associations": []}]
            )

        assert caught.value.status_code == 401
        assert caught.value.body["category"] == "EXPIRED_AUTHENTICATION"
        assert box.records("orders") == []

    def test_single_records_and_searches(self, box: Sandbox, hub: Any) -> None:  # noqa: ANN401
        orders = hub.crm.objects.orders
        made = orders.create(properties=CASES["orders"][0][0], associations=[])
        orders.update(made.id, properties=CASES["orders"][1])
        assert_changed(box, "orders", made.id)
        read = orders.get(made.id, properties=["hs_order_name"])
        assert read.properties["hs_order_name"] == "A-1001"
        box.seed({"orders": [{"id": str(number), "hs_order_name": "A"} for number in range(1001, 1031)]})
        assert len(list(orders.list(limit=10))) == 31
        found = orders.search(
            filter_groups=[
                {"filters": [{"property_name": "hs_order_name", "operator": "EQ", "value": "A-1001"}]}
            ],
            properties=["hs_order_name"],
            limit=10,
            after="0",
            sorts=["hs_order_name"],
        )
        assert [result.id for result in found.results] == [made.id]
        orders.delete(made.id)
        assert len(box.records("orders")) == 30


class TestNodeClient:
    """`@hubspot/api-client`, in Node."""

    def test_it_goes_through_the_whole_family(self, box: Sandbox) -> None:
        cases: Mapping[str, Any] = {
            name: {"records": records, "change": change, "name": NAMES[name], "key": KEY}
            for name, (records, change) in CASES.items()
        }
        node = shutil.which("node")
        command = [node or "", "-e", "require('@hubspot/api-client')"]
        if node is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("Node or @hubspot/api-client is not installed")

        done = subprocess.run(
            [node, SCRIPT, box.url, box.access_token, json.dumps(cases)],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        for name in CASES:
            found = seen[name]
            first = min(found["created"])
            assert sorted(found["created"].values()) == sorted(
                record[NAMES[name]] for record in cases[name]["records"]
            )
            assert (found["updated"], found["archived"]) == ([first], [[first, True]])
            assert (found["new"], found["read"], found["history"]) == ([True, True], ["K-0", "K-1"], [1, 1])
            assert found["missing"] == [["K-2"]]
            assert {KEY, "hs_unique_creation_key"} <= set(found["unique"])
            assert set(stored(box, name)) == set(found["upserted"])
            assert found["singles"] == {"read": True, "found": [True], "paged": True, "missing": 404}
        assert seen["contacts"] == ["301"]
        ((order, contact),) = seen["associated"]
        assert contact == "301"
        assert [link.to_id for link in box.records("contacts")[0].associations] == [order]
