# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.record_id import RecordId


T = TypeVar("T", bound="BatchArchiveRequest")


@_attrs_define
class BatchArchiveRequest:
    """The body of every archive operation.

    Attributes:
        inputs (list[RecordId]): The records to archive. No two may name the same record.
    """

    inputs: list[RecordId]

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
        from ..models.record_id import RecordId  # noqa: PLC0415

        d = dict(src_dict)
        inputs = []
        _inputs = d.pop("inputs")
        for inputs_item_data in _inputs:
            inputs_item = RecordId.from_dict(inputs_item_data)

            inputs.append(inputs_item)

        batch_archive_request = cls(
            inputs=inputs,
        )

        return batch_archive_request
