"""The association types of a new record (docs/behaviour.md, "Associations")."""

import difflib
from collections.abc import Mapping
from functools import cache

from hubspot_batch.contract._inputs import AssociationType
from hubspot_batch.errors import ConfigurationError

TARGETS: Mapping[str, Mapping[int, str]] = {
    "orders": {
        507: "contacts",
        934: "companies",
        509: "companies",
        512: "deals",
        513: "line_items",
        593: "carts",
        523: "commerce_payments",
        518: "invoices",
        516: "subscriptions",
        519: "discounts",
        521: "discount_codes",
        730: "quotes",
        525: "tickets",
        726: "tasks",
        764: "notes",
        768: "meetings",
        772: "calls",
        776: "emails",
        784: "communications",
        789: "postal_mail",
        1168: "feedback_submissions",
    },
    "line_items": {
        20: "deals",
        514: "orders",
        591: "carts",
        571: "abandoned_carts",
        68: "quotes",
        410: "invoices",
        396: "commerce_payments",
        759: "payment_links",
        302: "subscriptions",
        565: "subscriptions",
        368: "discounts",
        1345: "projects",
    },
    "commerce_payments": {
        387: "contacts",
        389: "companies",
        391: "deals",
        542: "invoices",
        395: "line_items",
        524: "orders",
        476: "payment_links",
        397: "quotes",
        393: "subscriptions",
        428: "discounts",
        1326: "fees",
        1354: "tickets",
        1170: "feedback_submissions",
    },
    "carts": {
        586: "contacts",
        1347: "deals",
        588: "discounts",
        590: "line_items",
        592: "orders",
        732: "quotes",
        728: "tasks",
        594: "tickets",
        1158: "feedback_submissions",
    },
}
"""Association type ids and their target types, by object type.

If several ids have the same target type, the first is the plain link.
"""

OBJECT_TYPES = frozenset(TARGETS) | {name for row in TARGETS.values() for name in row.values()}
"""Every object type of a record or an association target."""

_OTHER_NAMES = {
    "payment": "commerce_payments",
    "payments": "commerce_payments",
    "feedback": "feedback_submissions",
}


def association_type(object_type: str, target: str, type_id: int | None = None) -> AssociationType:
    """Return the type of an association of a new record.

    Args:
        object_type: The object type of the record, orders for example.
        target: The object type of the target, contact or contacts for example.
        type_id: The type id, if it is not the plain link. An id that HubSpot has not defined counts as
            user-defined.

    Raises:
        ConfigurationError: If there is no such association.
    """
    types = TARGETS[object_type]
    if type_id is not None and type_id not in types:
        return {"associationCategory": "USER_DEFINED", "associationTypeId": type_id}
    found = object_type_of(target)
    fitting = [number for number, name in types.items() if name == found]
    if not fitting:
        raise ConfigurationError(_no_pair(object_type, target))
    chosen = fitting[0] if type_id is None else type_id
    if chosen not in fitting:
        raise ConfigurationError(
            f"association type {chosen} leads from {object_type} to {types[chosen]}, not to {target}; "
            f"for {target} write one of {', '.join(map(str, fitting))}"
        )
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": chosen}


def object_type_of(name: str) -> str | None:
    """Return the object type of a name in singular or plural; None if there is none."""
    return _names().get(name.strip().lower().replace("-", "_").replace(" ", "_"))


@cache
def _names() -> Mapping[str, str]:
    singular = {_singular(name): name for name in OBJECT_TYPES}
    return {**singular, **{name: name for name in OBJECT_TYPES}, **_OTHER_NAMES}


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _no_pair(object_type: str, target: str) -> str:
    known = [_singular(name) for name in dict.fromkeys(TARGETS[object_type].values())]
    close = difflib.get_close_matches(target, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
    return f"there is no association from {object_type} to {target!r}; {hint}"
