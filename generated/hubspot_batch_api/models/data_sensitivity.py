# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from typing import Literal

DataSensitivity = Literal["highly_sensitive", "non_sensitive", "sensitive"]

DATA_SENSITIVITY_VALUES: set[DataSensitivity] = {
    "highly_sensitive",
    "non_sensitive",
    "sensitive",
}


def check_data_sensitivity(value: str) -> DataSensitivity:
    if value in DATA_SENSITIVITY_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {DATA_SENSITIVITY_VALUES!r}")
