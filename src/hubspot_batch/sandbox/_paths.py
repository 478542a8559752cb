"""Which operation a path means, for HubSpot's several ways to write it (docs/behaviour.md, "Operations")."""

import re
from collections.abc import Mapping
from functools import cache

import msgspec
from msgspec import Struct

from hubspot_batch.contract._operations import Operation, operations, versions

_PATH = re.compile(
    r"/crm/(?:v3/objects|objects/(?P<version>\d[^/]*))/(?P<object_type>[^/]+)(?:/batch/(?P<verb>create|update))?"
)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "orders": ("orders", "order", "0-123"),
    "line_items": ("line_items", "line_item", "0-8"),
    "commerce_payments": ("commerce_payments", "commerce_payment", "0-101"),
    "carts": ("carts", "cart", "0-142"),
}


class Target(Struct, frozen=True, kw_only=True):
    """What a path names.

    Attributes:
        object_type: The plural name of the object type, or the text in its place where there is none.
        version: The version of the API.
        verb: `create` or `update`; None for the list of records.
    """

    object_type: str
    version: str
    verb: str | None

    def operation(self) -> Operation | None:
        """Return the operation; None where the object type is none that can be written."""
        return _writes().get(f"{self.verb}_{self.object_type}")


def target_of(path: str) -> Target | None:
    """Return what a path names, or None if it is no path of the API."""
    match = _PATH.fullmatch(path)
    if match is None or (match["version"] or "v3") not in versions():
        return None
    name = match["object_type"]
    plural = next((plural for plural, names in _NAMES.items() if name in names), name)
    return Target(object_type=plural, version=match["version"] or "v3", verb=match["verb"])


@cache
def _writes() -> Mapping[str, Operation]:
    """Return the operations of the document, and the updates that HubSpot has beside them."""
    known = dict(operations())
    for object_type in _NAMES:
        create, update = known[f"create_{object_type}"], known["update_orders"]
        known.setdefault(
            f"update_{object_type}",
            msgspec.structs.replace(
                update,
                id=f"update_{object_type}",
                object_type=object_type,
                path=create.path.replace("/create", "/update"),
                scopes=create.scopes,
            ),
        )
    return known
