"""The association types of a new record (docs/behaviour.md, "Associations")."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeGuard

from hubspot_batch.contract._inputs import AssociationType
from hubspot_batch.contract._operations import operation
from hubspot_batch.contract._validation import argument_faults, fault_at, name_of
from hubspot_batch.errors import ConfigurationError, InvalidInputError

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

# What the types are called that do not have the name of their target.
_OTHER_TYPES = {509: "primary company", 565: "upcoming subscription"}
_TYPE_ID = re.compile("[0-9]{1,18}")
_TWO_ENDS = 2

OBJECT_TYPES = frozenset(TARGETS) | {name for row in TARGETS.values() for name in row.values()}
"""Every object type of a record or an association target."""

_OTHER_NAMES = {
    "payment": "commerce_payments",
    "payments": "commerce_payments",
    "feedback": "feedback_submissions",
    # No record here is created with links to these.
    "product": "products",
    "products": "products",
    # The ids of object types.
    "0_1": "contacts",
    "0_2": "companies",
    "0_3": "deals",
    "0_7": "products",
    "0_8": "line_items",
    "0_101": "commerce_payments",
    "0_123": "orders",
    "0_142": "carts",
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


def link_type(from_type: str, to_type: str, kind: int | str | None = None) -> AssociationType:
    """Return the type of a link between records that exist.

    Args:
        from_type: The object type that the link begins at.
        to_type: The object type that it leads to.
        kind: The type id or its name, if it is not the plain link: `primary company`, or in full
            `order to primary company`. An id that HubSpot has not defined counts as user-defined.

    Raises:
        ConfigurationError: If there is no such type, or those of the two object types are not known here.
    """
    begin, end = object_type_of(from_type) or from_type, object_type_of(to_type) or to_type
    if isinstance(kind, str) and _TYPE_ID.fullmatch(kind):
        kind = int(kind)
    if begin not in TARGETS:
        remedy = "give inputs with from, to and types instead of pairs"
        if begin in TARGETS.get(end, {}).values():
            remedy = f"link the other way round, from {end} to {begin}, or {remedy}"
        raise ConfigurationError(
            f"the type ids of associations that begin at {begin} are not known here; {remedy}"
        )
    return association_type(begin, end, _type_named(begin, end, kind) if isinstance(kind, str) else kind)


def _type_named(from_type: str, to_type: str, name: str) -> int:
    words = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    words = words.removeprefix(f"{_singular(from_type)} to ".replace("_", " "))
    known = {
        _OTHER_TYPES.get(number, _singular(target).replace("_", " ")): number
        for number, target in TARGETS[from_type].items()
        if target == to_type
    }
    if words in known:
        return known[words]
    if not known:
        raise ConfigurationError(_no_pair(from_type, to_type))
    raise ConfigurationError(
        f"there is no association type {name!r} from {from_type} to {to_type}; "
        f"there are: {', '.join(known)}, and the ids of the account's own labels"
    )


def association_inputs(
    from_type: object, to_type: object, pairs: Iterable[object], type_id: int | str | None
) -> Iterator[object]:
    """Return the inputs that link pairs of ids. What is not a pair is left for the document to judge.

    Args:
        from_type: What the links begin at, by its name in paths.
        to_type: What they lead to, by its name in paths.
        pairs: Pairs of record ids or of what names records by a property, or inputs with types of their own.
        type_id: The type id or its name, where it is not the plain one of the two.

    Raises:
        InvalidInputError: If they are not pairs, or the two object types have no such association.
    """
    if isinstance(pairs, Mapping | str | bytes) or not isinstance(pairs, Iterable):
        problem = f"{name_of(pairs)} stands where a list of pairs belongs"
        raise InvalidInputError([fault_at(("inputs",), problem, "write [(from_id, to_id), ...]")])
    first = pairs[0] if isinstance(pairs, Sequence) and pairs else None
    # That no type is known is said before the first pair leaves, if it is clear that one is needed.
    is_needed = type_id is not None or _is_pair(first)
    types_of_objects = {"fromObjectType": from_type, "toObjectType": to_type}
    if is_needed and (faults := argument_faults(operation("create_associations"), types_of_objects)):
        raise InvalidInputError(faults)
    types = [_type_of_link(str(from_type), str(to_type), type_id)] if is_needed else []
    return _each(pairs, lambda: types or [_type_of_link(str(from_type), str(to_type), type_id)])


def _each(pairs: Iterable[object], types: Callable[[], list[AssociationType]]) -> Iterator[object]:
    for pair in pairs:
        if _is_pair(pair):
            yield {"from": _end(pair[0]), "to": _end(pair[1]), "types": types()}
        else:
            yield pair


def _is_pair(pair: object) -> TypeGuard[Sequence[object]]:
    return isinstance(pair, tuple | list) and len(pair) == _TWO_ENDS


def _end(record: object) -> object:
    return record if isinstance(record, Mapping) else {"id": record}


def _type_of_link(from_type: str, to_type: str, kind: int | str | None) -> AssociationType:
    try:
        return link_type(from_type, to_type, kind)
    except ConfigurationError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InvalidInputError([fault_at(("toObjectType",), problem, remedy)]) from None


def in_paths(name: object) -> object:
    """Return the name of an object type in paths, or the value as it is, for the document to refuse."""
    return (object_type_of(name) if isinstance(name, str) else None) or name


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
