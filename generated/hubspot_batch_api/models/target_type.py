# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from typing import Literal

TargetType = Literal["companies", "contacts", "deals", "products"]

TARGET_TYPE_VALUES: set[TargetType] = {
    "companies",
    "contacts",
    "deals",
    "products",
}


def check_target_type(value: str) -> TargetType:
    if value in TARGET_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {TARGET_TYPE_VALUES!r}")
