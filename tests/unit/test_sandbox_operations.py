"""Which operation a request means."""

import pytest

from hubspot_batch.contract._operations import operations
from hubspot_batch.sandbox._operations import Target, Unserved, routes, served, target_of


def named(method: str, path: str) -> tuple[str, tuple[str, ...], str]:
    target = target_of(method, path)
    assert isinstance(target, Target)
    return target.route.operation.id, target.object_types, target.version


@pytest.mark.parametrize("name", ["orders", "order", "0-123"])
@pytest.mark.parametrize(
    ("prefix", "version"),
    [
        ("/crm/v3/objects", "v3"),
        ("/crm/objects/2025-09", "2025-09"),
        ("/crm/objects/2026-03", "2026-03"),
        ("/crm/objects/2026-09", "2026-09"),
    ],
)
def test_every_way_to_write_a_path_means_the_same(prefix: str, version: str, name: str) -> None:
    for verb in ("create", "read", "update", "upsert", "archive"):
        expected = (f"{verb}_orders", ("orders",), version)
        assert named("POST", f"{prefix}/{name}/batch/{verb}") == expected
    assert named("GET", f"{prefix}/{name}") == ("list_objects", ("orders",), version)
    assert named("GET", f"{prefix}/{name}/44001") == ("get_object", ("orders",), version)


def test_all_parts_of_the_api_are_found_with_and_without_a_date() -> None:
    for path in ("/crm/v3/properties/0-8", "/crm/properties/2026-09/line_items"):
        assert named("GET", path)[:2] == ("list_properties", ("line_items",))
    for beginning in ("/crm/v4/associations", "/crm/associations/2026-09"):
        path = f"{beginning}/order/contact/batch/create"
        assert named("POST", path)[:2] == ("create_associations", ("orders", "contacts"))
    assert named("POST", "/crm/v3/objects/contacts/batch/read")[:2] == ("read_objects", ("contacts",))


def test_each_operation_of_the_document_is_served() -> None:
    assert {route.operation.id for route in routes()} >= set(operations())
    assert len(served()) == len(set(served()))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/crm/v3/objects"),
        ("GET", "/crm/v4/objects/orders"),
        ("GET", "/crm/objects/2024-09/orders"),
        ("GET", "/crm/objects/v3/orders"),
        ("POST", "/crm/v3/objects/orders/batch/create/"),
        ("POST", "/crm/v3/objects/contacts/batch/create"),
        ("POST", "/crm/v3/objects/tickets/batch/read"),
        ("POST", "/crm/v3/objects/orders/search/more"),
        ("POST", "/crm/v3/objects/contacts/merge"),
        ("PATCH", "/crm/v3/objects/tickets/44001"),
        ("POST", "/crm/v3/properties/orders"),
        ("GET", "/orders"),
    ],
)
def test_what_the_sandbox_does_not_have(method: str, path: str) -> None:
    assert target_of(method, path) == Unserved()


def test_a_batch_has_one_method() -> None:
    assert target_of("GET", "/crm/v3/objects/orders/batch/create") == Unserved(allowed=("POST",))


def test_an_unknown_object_type_is_named() -> None:
    for path in (
        "/crm/v3/objects/butterflies/batch/create",
        "/crm/v4/associations/order/butterflies/batch/create",
    ):
        assert target_of("POST", path) == Unserved(object_type="butterflies")


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("POST", "orders/batch/create", {"crm.objects.orders.write"}),
        ("POST", "0-8/batch/create", {"crm.objects.line_items.write", "e-commerce"}),
        ("POST", "0-101/batch/update", {"crm.objects.commercepayments.write"}),
        ("POST", "cart/batch/read", {"crm.objects.carts.read"}),
        ("POST", "contacts/batch/read", {"crm.objects.contacts.read"}),
        ("GET", "tickets", {"crm.objects.tickets.read"}),
    ],
)
def test_a_token_needs_a_scope_of_the_object_type(method: str, path: str, scopes: set[str]) -> None:
    target = target_of(method, f"/crm/v3/objects/{path}")

    assert isinstance(target, Target)
    assert {scope for scope in target.scopes if scope != "e-commerce" or scope in scopes} == scopes
