"""Which operation a path means."""

import pytest

from hubspot_batch.sandbox._paths import Target, target_of


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
    for verb, path in ((None, ""), ("create", "/batch/create"), ("update", "/batch/update")):
        expected = Target(object_type="orders", version=version, verb=verb)
        assert target_of(f"{prefix}/{name}{path}") == expected


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects",
        "/crm/v4/objects/orders",
        "/crm/objects/2024-09/orders",
        "/crm/objects/v3/orders",
        "/crm/v3/objects/orders/batch/archive",
        "/crm/v3/objects/orders/batch/create/",
        "/orders",
    ],
)
def test_what_is_no_path_of_the_api(path: str) -> None:
    assert target_of(path) is None


@pytest.mark.parametrize(
    ("path", "operation", "scopes"),
    [
        ("orders/batch/create", "create_orders", ("crm.objects.orders.write",)),
        ("0-8/batch/create", "create_line_items", ("crm.objects.line_items.write", "e-commerce")),
        ("0-101/batch/update", "update_commerce_payments", ("crm.objects.commercepayments.write",)),
        ("cart/batch/update", "update_carts", ("crm.objects.carts.write",)),
    ],
)
def test_all_four_object_types_can_be_created_and_updated(
    path: str, operation: str, scopes: tuple[str, ...]
) -> None:
    target = target_of(f"/crm/v3/objects/{path}")

    assert target is not None
    found = target.operation()
    assert found is not None
    assert (found.id, found.scopes) == (operation, scopes)
    assert found.path == f"/crm/v3/objects/{target.object_type}/batch/{target.verb}"


def test_an_unknown_object_type_has_no_operation() -> None:
    target = target_of("/crm/v3/objects/butterflies/batch/create")

    assert target == Target(object_type="butterflies", version="v3", verb="create")
    assert target.operation() is None
