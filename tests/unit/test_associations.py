"""The types of associations, by the names that people use."""

import re

import pytest

from hubspot_batch.contract._associations import (
    OBJECT_TYPES,
    TARGETS,
    association_inputs,
    association_type,
    link_type,
    object_type_of,
)
from hubspot_batch.errors import ConfigurationError, InvalidInputError


@pytest.mark.parametrize(
    ("object_type", "target", "type_id"),
    [
        ("orders", "contact", 507),
        ("orders", "contacts", 507),
        ("orders", "company", 934),
        ("orders", "line_item", 513),
        ("orders", "line-items", 513),
        ("orders", "Line Item", 513),
        ("orders", "payment", 523),
        ("orders", "postal_mail", 789),
        ("line_items", "subscription", 302),
        ("carts", "feedback", 1158),
    ],
)
def test_the_plain_type_of_a_pair(object_type: str, target: str, type_id: int) -> None:
    assert association_type(object_type, target) == {
        "associationCategory": "HUBSPOT_DEFINED",
        "associationTypeId": type_id,
    }


def test_another_type_of_a_pair() -> None:
    assert association_type("orders", "company", 509) == {
        "associationCategory": "HUBSPOT_DEFINED",
        "associationTypeId": 509,
    }


def test_a_type_that_hubspot_has_not_defined_is_one_of_the_user() -> None:
    assert association_type("orders", "p_warehouse", 4711) == {
        "associationCategory": "USER_DEFINED",
        "associationTypeId": 4711,
    }


@pytest.mark.parametrize(
    ("target", "type_id", "message"),
    [
        ("contcat", None, "there is no association from carts to 'contcat'; did you mean contact?"),
        ("company", None, "there is no association from carts to 'company'; there are: contact, deal, "),
        (
            "contact",
            1347,
            "association type 1347 leads from carts to deals, not to contact; for contact write one of 586",
        ),
        ("wagon", 1347, "there is no association from carts to 'wagon'; there are: "),
    ],
)
def test_a_pair_without_an_association(target: str, type_id: int | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        association_type("carts", target, type_id)


def test_every_object_type_is_known_by_its_name() -> None:
    assert [object_type_of(name) for name in sorted(OBJECT_TYPES)] == sorted(OBJECT_TYPES)
    assert object_type_of("wagon") is None


@pytest.mark.parametrize("object_type", sorted(TARGETS))
def test_every_type_of_a_pair_can_be_named(object_type: str) -> None:
    for type_id, target in TARGETS[object_type].items():
        assert association_type(object_type, target, type_id)["associationTypeId"] == type_id


def test_the_type_of_a_link_by_its_name() -> None:
    for name in (
        "primary company",
        "Primary_Company",
        "order to primary company",
        "ORDER_TO_PRIMARY_COMPANY",
    ):
        assert link_type("order", "companies", name)["associationTypeId"] == 509
    assert link_type("line_items", "subscription", "upcoming subscription")["associationTypeId"] == 565
    assert link_type("orders", "companies", "company") == link_type("orders", "companies")
    assert link_type("orders", "deals", "77")["associationCategory"] == "USER_DEFINED"
    for ends, name, message in (
        (("orders", "companies"), "secondary", "there are: company, primary company, and the ids"),
        (("orders", "products"), "product", "no association from orders to 'products'"),
        (("orders", "companies"), "9" * 5000, "there is no association type"),
        (("contacts", "orders"), "508", "link the other way round, from orders to contacts, or give inputs"),
        (("contacts", "deals"), "4", "not known here; give inputs with from, to and types"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            link_type(*ends, name)


def test_pairs_without_a_known_type_are_refused_before_the_first_of_them_leaves() -> None:
    for pairs, kind in (([("1", "2")], None), (iter([("1", "2")]), "508"), ([], 508)):
        with pytest.raises(
            InvalidInputError, match=r"toObjectType: the type ids of .* contacts are not known"
        ):
            association_inputs("contacts", "orders", pairs, kind)
    # An iterator is not read before its rows are needed, and inputs may have types of their own.
    later = association_inputs("contacts", "orders", iter([("1", "2")]), None)
    with pytest.raises(InvalidInputError, match="link the other way round"):
        next(later)
    item = {"from": {"id": "1"}, "to": {"id": "2"}, "types": []}
    assert [*association_inputs("contacts", "orders", [item], None)] == [item]
