# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6
# Document sha256: c770442d240c367e10441b320f6e9b84c5f6306e36d3078c55655cc92d59a928

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
