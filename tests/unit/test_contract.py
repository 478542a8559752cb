"""The document at run time: the five operations, and validators for its schemas."""

import pkgutil
from typing import TYPE_CHECKING, NoReturn, get_args

import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import MAX_INPUTS, ObjectType, Operation, OperationId, Verb, Version
from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema_rs import Draft202012Validator

CREATE_KEYS = frozenset({"properties", "associations", "objectWriteTraceId"})
ORDERS = ("crm.objects.orders.write",)

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
    ),
    Operation(
        id="update_orders",
        verb="update",
        object_type="orders",
        method="POST",
        path="/crm/v3/objects/orders/batch/update",
        success=200,
        scopes=ORDERS,
        request_schema="BatchUpdateRequest",
        input_keys=frozenset({"id", "idProperty", "properties", "objectWriteTraceId"}),
    ),
    Operation(
        id="create_line_items",
        verb="create",
        object_type="line_items",
        method="POST",
        path="/crm/v3/objects/line_items/batch/create",
        success=201,
        scopes=("crm.objects.line_items.write", "e-commerce"),
        request_schema="BatchCreateRequest",
        input_keys=CREATE_KEYS,
    ),
    Operation(
        id="create_commerce_payments",
        verb="create",
        object_type="commerce_payments",
        method="POST",
        path="/crm/v3/objects/commerce_payments/batch/create",
        success=201,
        scopes=("crm.objects.commercepayments.write",),
        request_schema="BatchCreateRequest",
        input_keys=CREATE_KEYS,
    ),
    Operation(
        id="create_carts",
        verb="create",
        object_type="carts",
        method="POST",
        path="/crm/v3/objects/carts/batch/create",
        success=201,
        scopes=("crm.objects.carts.write",),
        request_schema="BatchCreateRequest",
        input_keys=CREATE_KEYS,
    ),
]


def test_the_document_has_these_five_operations() -> None:
    assert list(contract.operations().values()) == OPERATIONS
    assert list(contract.operations()) == [operation.id for operation in OPERATIONS]


@pytest.mark.parametrize("expected", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_is_found_by_its_id(expected: Operation) -> None:
    assert contract.operation(expected.id) == expected


def test_the_types_for_users_name_what_the_document_has() -> None:
    assert get_args(OperationId) == tuple(operation.id for operation in OPERATIONS)
    assert set(get_args(ObjectType)) == {operation.object_type for operation in OPERATIONS}
    assert set(get_args(Verb)) == {operation.verb for operation in OPERATIONS}


@pytest.mark.parametrize("name", ["create_deals", "orders", "", "CREATE_ORDERS", None])
def test_an_operation_that_is_not_there_is_an_error_that_names_those_that_are(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        contract.operation(name)
    assert str(caught.value) == (
        f"there is no operation {name!r}; there are: "
        "create_orders, update_orders, create_line_items, create_commerce_payments, create_carts"
    )
    assert caught.value.__suppress_context__


def test_the_document_says_how_the_versions_differ() -> None:
    plain: Mapping[Verb, int] = {"create": 201, "update": 200}
    assert contract.versions() == {
        "v3": Version(path="/crm/v3/objects", success=plain, partial=207, enforces_forms=False),
        "2025-09": Version(
            path="/crm/objects/2025-09", success={"create": 200, "update": 200}, enforces_forms=False
        ),
        "2026-03": Version(path="/crm/objects/2026-03", success=plain, partial=207, enforces_forms=False),
        "2026-09": Version(path="/crm/objects/2026-09", success=plain, enforces_forms=True),
    }


def test_the_paths_of_the_operations_are_those_of_v3() -> None:
    prefix = contract.versions()["v3"].path
    assert all(operation.path.startswith(f"{prefix}/") for operation in OPERATIONS)
    assert all(
        operation.success == contract.versions()["v3"].success[operation.verb] for operation in OPERATIONS
    )


@pytest.mark.parametrize("schema", ["BatchCreateRequest", "BatchUpdateRequest"])
def test_the_document_allows_as_many_inputs_as_the_code(schema: str) -> None:
    inputs = contract.document()["components"]["schemas"][schema]["properties"]["inputs"]
    assert (inputs["minItems"], inputs["maxItems"], MAX_INPUTS) == (1, 100, 100)


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


@pytest.mark.parametrize(
    "operation_id", ["archive_gift_cards", "upsert_orders", "Create_orders", "orders", ""]
)
def test_an_operation_of_another_verb_is_an_error_that_names_it(operation_id: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        contract._operation("/gifts", "post", GIFT_CARDS | {"operationId": operation_id})
    assert str(caught.value) == (
        f"the operation {operation_id!r} of the document begins with none of create, update; "
        "tell contract.Verb of it"
    )


@pytest.mark.parametrize("expected", OPERATIONS, ids=lambda operation: operation.id)
def test_a_batch_may_be_sent_again_where_that_makes_no_double(expected: Operation) -> None:
    assert expected.resendable(None) is (expected.verb == "update")
    assert expected.resendable("shop_number")


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
        Operation("create_orders", "create", "orders", "POST", "/", 201, ORDERS, "BatchCreateRequest")  # type: ignore[call-arg]
