"""The document at run time: its operations and versions, and validators for its schemas."""

import pkgutil
from itertools import product
from typing import TYPE_CHECKING, NoReturn, get_args

import msgspec
import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import MAX_INPUTS, ObjectType, Operation, OperationId, Verb, Version
from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema_rs import Draft202012Validator

CREATE_KEYS = frozenset({"properties", "associations", "objectWriteTraceId"})
CHANGE_KEYS = frozenset({"id", "idProperty", "properties", "objectWriteTraceId"})
ORDERS = ("crm.objects.orders.write",)

# One of each kind; the others differ from these in the object type.
OPERATIONS = [
    Operation(
        id="create_orders",
        verb="create",
        object_type="orders",
        method="POST",
        path="/crm/v3/objects/orders/batch/create",
        success=201,
        scopes=ORDERS,
        request_schema="BatchCreateRequest",
        input_keys=CREATE_KEYS,
        reply_schema="BatchReply",
    ),
    Operation(
        id="read_line_items",
        verb="read",
        object_type="line_items",
        method="POST",
        path="/crm/v3/objects/line_items/batch/read",
        query_parameters={"archived": {"type": "boolean"}},
        success=200,
        scopes=("crm.objects.line_items.read", "e-commerce"),
        repeatable=True,
        request_schema="BatchReadRequest",
        input_keys=frozenset({"id"}),
        body_keys=("properties", "propertiesWithHistory", "idProperty"),
        reply_schema="BatchReply",
    ),
    Operation(
        id="update_carts",
        verb="update",
        object_type="carts",
        method="POST",
        path="/crm/v3/objects/carts/batch/update",
        success=200,
        scopes=("crm.objects.carts.write",),
        repeatable=True,
        request_schema="BatchUpdateRequest",
        input_keys=CHANGE_KEYS,
        reply_schema="BatchReply",
    ),
    Operation(
        id="upsert_orders",
        verb="upsert",
        object_type="orders",
        method="POST",
        path="/crm/v3/objects/orders/batch/upsert",
        success=200,
        scopes=ORDERS,
        repeatable=True,
        request_schema="BatchUpsertRequest",
        input_keys=CHANGE_KEYS,
        reply_schema="BatchReply",
    ),
    Operation(
        id="archive_commerce_payments",
        verb="archive",
        object_type="commerce_payments",
        method="POST",
        path="/crm/v3/objects/commerce_payments/batch/archive",
        success=204,
        scopes=("crm.objects.commercepayments.write",),
        repeatable=True,
        request_schema="BatchArchiveRequest",
        input_keys=frozenset({"id"}),
        reply_schema="BatchReply",
        empty_replies=frozenset({204}),
    ),
]


def test_the_document_has_twenty_three_operations() -> None:
    assert tuple(contract.operations()) == get_args(OperationId)
    assert len(contract.operations()) == 4 * 5 + 3
    assert {id_: operation.id for id_, operation in contract.operations().items()} == {
        id_: id_ for id_ in contract.operations()
    }


@pytest.mark.parametrize("expected", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_is_found_by_its_id(expected: Operation) -> None:
    assert contract.operation(expected.id) == expected


def test_an_operation_may_have_parameters_and_no_body() -> None:
    listing = contract.operation("list_properties")

    assert (listing.method, listing.path) == ("GET", "/crm/v3/properties/{objectType}")
    assert [*listing.path_parameters] == ["objectType"]
    assert [*listing.query_parameters] == ["archived", "dataSensitivity", "locale", "properties"]
    assert (listing.request_schema, listing.input_keys, listing.body_keys) == (None, frozenset(), ())
    assert listing.reply_schema == "PropertyDefinitions"
    assert [*contract.operation("create_associations").path_parameters] == ["fromObjectType", "toObjectType"]


def test_the_types_for_users_name_what_the_document_has() -> None:
    records = [o for o in contract.operations().values() if o.object_type in get_args(ObjectType)]

    assert {o.verb for o in records} == set(get_args(Verb))
    assert {(o.verb, o.object_type) for o in records} == set(product(get_args(Verb), get_args(ObjectType)))


@pytest.mark.parametrize("name", ["create_deals", "orders", "", "CREATE_ORDERS", None])
def test_an_unknown_operation_is_an_error_that_names_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        contract.operation(name)
    known = ", ".join(get_args(OperationId))
    assert str(caught.value) == f"there is no operation {name!r}; there are: {known}"
    assert caught.value.__suppress_context__


def paths(version: str) -> dict[str, str]:
    return {name: f"/crm/{name}/{version}" for name in ("objects", "properties", "associations")}


def test_the_document_says_how_the_versions_differ() -> None:
    v3 = {
        "objects": "/crm/v3/objects",
        "properties": "/crm/v3/properties",
        "associations": "/crm/associations/2026-09",
    }
    assert contract.versions() == {
        "v3": Version(paths=v3, partial=207, enforces_forms=False),
        "2025-09": Version(paths=paths("2025-09"), success={"create": 200}, enforces_forms=False),
        "2026-03": Version(paths=paths("2026-03"), partial=207, enforces_forms=False),
        "2026-09": Version(paths=paths("2026-09"), partial=207, enforces_forms=True),
    }


def test_a_version_that_the_document_does_not_know_is_as_the_last_one() -> None:
    assert contract.version("2026-03") is contract.versions()["2026-03"]
    assert contract.version("2031-09") == Version(paths=paths("2031-09"), partial=207, enforces_forms=True)


def test_the_status_of_a_reply_depends_on_the_version() -> None:
    create, update = contract.operation("create_orders"), contract.operation("update_orders")
    archive = contract.operation("archive_orders")
    statuses = {
        name: [
            version.status_of(create),
            version.status_of(create, failed=True),
            version.status_of(update),
            version.status_of(archive),
        ]
        for name, version in contract.versions().items()
    }

    assert statuses == {
        "v3": [201, 207, 200, 204],
        "2025-09": [200, 200, 200, 204],
        "2026-03": [201, 207, 200, 204],
        "2026-09": [201, 207, 200, 204],
    }


def test_a_path_has_its_place_in_each_version() -> None:
    assert all(operation.path_in("v3") == operation.path for operation in contract.operations().values())
    dated = {
        id_: contract.operation(id_).path_in("2031-09")
        for id_ in ("archive_carts", "list_properties", "read_objects", "create_associations")
    }
    assert dated == {
        "archive_carts": "/crm/objects/2031-09/carts/batch/archive",
        "list_properties": "/crm/properties/2031-09/{objectType}",
        "read_objects": "/crm/objects/2031-09/{objectType}/batch/read",
        "create_associations": "/crm/associations/2031-09/{fromObjectType}/{toObjectType}/batch/create",
    }
    elsewhere = msgspec.structs.replace(OPERATIONS[0], path="/account-info/v3/details")
    assert elsewhere.path_in("2031-09") == "/account-info/v3/details"


def test_the_document_allows_as_many_inputs_as_the_code() -> None:
    assert {o.max_inputs for o in contract.operations().values()} == {MAX_INPUTS} == {100}


def test_a_validator_follows_the_references_of_the_document() -> None:
    validator = contract.validator("BatchUpdateRequest")
    assert validator.is_valid({"inputs": [{"id": "1", "properties": {"a": "b"}}]})
    assert not validator.is_valid({"inputs": [{"id": "1", "properties": {"a": 5}}]})


@pytest.mark.parametrize("validator", [contract.validator, contract.quick_validator])
@pytest.mark.parametrize(
    ("properties", "expected"),
    [({}, True), ({"a": "b"}, True), ({"a": ""}, True), ({"": "b"}, False), ({"a": 5}, False)],
)
def test_both_validators_find_the_same_valid(
    validator: "Callable[[str], Draft202012Validator]", properties: dict[str, object], *, expected: bool
) -> None:
    payload = {"inputs": [{"properties": properties}]}

    assert validator("BatchCreateRequest").is_valid(payload) is expected


def test_both_validators_know_the_names_that_another_document_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"type": "string", "minLength": 2}
    schemas = {"Name": names, "Properties": {"type": "object", "propertyNames": names}}
    monkeypatch.setattr(contract, "document", lambda: {"components": {"schemas": schemas}})

    for kind in (contract.validator, contract.quick_validator):
        validator = kind.__wrapped__("Properties")
        assert [validator.is_valid({name: "b"}) for name in ("", "a", "ab")] == [False, False, True]


def test_the_document_is_read_and_each_validator_compiled_once() -> None:
    assert contract.document() is contract.document()
    assert contract.operations() is contract.operations()
    assert contract.validator("BatchReply") is contract.validator("BatchReply")


GIFT_CARDS = {
    "operationId": "create_gift_cards",
    "requestBody": {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BatchCreateRequest"}}}
    },
    "security": [{"oauth2": ["b", "a"]}, {"accessToken": ["a"]}, {}],
    "responses": {"207": {"content": {}}, "201": {"content": {}}, "204": {}, "2XX": {}, "default": {}},
}


def test_only_a_create_may_not_be_sent_again() -> None:
    not_repeatable = {o.id for o in contract.operations().values() if not o.resendable(None)}

    assert not_repeatable == {f"create_{object_type}" for object_type in get_args(ObjectType)}
    assert all(o.resendable("shop_number") for o in contract.operations().values())


@pytest.mark.parametrize(
    "operation",
    [
        {"responses": {"default": {}}},
        {"responses": {"200": {"content": {"text/csv": {}}}}, "security": []},
        {"responses": {"2XX": {"content": {"application/json": {"schema": {"type": "array"}}}}}},
        {"responses": {"201": {}}, "requestBody": {"content": {"text/plain": {"schema": {}}}}},
        {
            "responses": {"201": {}},
            "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        },
        {
            "responses": {"201": {}},
            "requestBody": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TraceId"}}}
            },
        },
    ],
)
def test_an_operation_of_any_form_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch, operation: dict[str, object]
) -> None:
    known = contract.document()
    shared = {"name": "giftType", "in": "path", "schema": {"type": "string"}}
    item = {"parameters": [shared], "patch": {"operationId": "wrap", **operation}, "summary": "Gifts"}
    monkeypatch.setattr(
        contract, "document", lambda: known | {"paths": {**known["paths"], "/gifts/{giftType}": item}}
    )

    found = contract.operations.__wrapped__()

    assert {**contract.operations(), "wrap": found["wrap"]} == found
    assert (found["wrap"].verb, found["wrap"].object_type) == ("wrap", "")
    assert [*found["wrap"].path_parameters] == ["giftType"]
    assert found["wrap"].reply_schema is None


def test_a_request_body_may_stand_in_the_operation_itself() -> None:
    path = "/crm/v3/objects/gifts/batch/create"
    assert contract._operation(path, "put", GIFT_CARDS) == Operation(
        id="create_gift_cards",
        verb="create",
        object_type="gift_cards",
        method="PUT",
        path=path,
        success=201,
        scopes=("b", "a"),
        request_schema="BatchCreateRequest",
        input_keys=CREATE_KEYS,
        empty_replies=frozenset({204}),
    )


def no_loader(_package: str, _resource: str) -> None:
    """Answer as pkgutil does for a package whose loader cannot read files."""


def no_file(_package: str, resource: str) -> NoReturn:
    """Answer as pkgutil does for a package that lacks the file."""
    raise FileNotFoundError(resource)


@pytest.mark.parametrize("get_data", [no_loader, no_file])
def test_a_package_without_the_document_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, get_data: object
) -> None:
    monkeypatch.setattr(pkgutil, "get_data", get_data)
    with pytest.raises(ConfigurationError, match=r"lacks document\.json; install hubspot-batch again$"):
        contract.document.__wrapped__()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_cannot_be_changed(operation: Operation) -> None:
    with pytest.raises(AttributeError):
        operation.path = "/"  # type: ignore[misc]


def test_the_fields_of_an_operation_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        Operation("create_orders")  # type: ignore[call-arg]
