# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from typing import Literal

ObjectType = Literal[
    "carts",
    "commerce_payments",
    "companies",
    "contacts",
    "deals",
    "line_items",
    "orders",
    "products",
]

OBJECT_TYPE_VALUES: set[ObjectType] = {
    "carts",
    "commerce_payments",
    "companies",
    "contacts",
    "deals",
    "line_items",
    "orders",
    "products",
}


def check_object_type(value: str) -> ObjectType:
    if value in OBJECT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {OBJECT_TYPE_VALUES!r}")
