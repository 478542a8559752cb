# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from typing import Literal

KnownBatchStatus = Literal["CANCELED", "COMPLETE", "PENDING", "PROCESSING"]

KNOWN_BATCH_STATUS_VALUES: set[KnownBatchStatus] = {
    "CANCELED",
    "COMPLETE",
    "PENDING",
    "PROCESSING",
}


def check_known_batch_status(value: str) -> KnownBatchStatus:
    if value in KNOWN_BATCH_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KNOWN_BATCH_STATUS_VALUES!r}")
