# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.upsert_input import UpsertInput


T = TypeVar("T", bound="BatchUpsertRequest")


@_attrs_define
class BatchUpsertRequest:
    """The body of every upsert operation.

    Attributes:
        inputs (list[UpsertInput]): The records to update or to create. No two may name the same record.
    """

    inputs: list[UpsertInput]

    def to_dict(self) -> dict[str, Any]:
        inputs = []
        for inputs_item_data in self.inputs:
            inputs_item = inputs_item_data.to_dict()
            inputs.append(inputs_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "inputs": inputs,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upsert_input import UpsertInput  # noqa: PLC0415

        d = dict(src_dict)
        inputs = []
        _inputs = d.pop("inputs")
        for inputs_item_data in _inputs:
            inputs_item = UpsertInput.from_dict(inputs_item_data)

            inputs.append(inputs_item)

        batch_upsert_request = cls(
            inputs=inputs,
        )

        return batch_upsert_request
