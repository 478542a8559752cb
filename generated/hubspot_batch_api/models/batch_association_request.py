# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.association_input import AssociationInput


T = TypeVar("T", bound="BatchAssociationRequest")


@_attrs_define
class BatchAssociationRequest:
    """The body of the operation that links records.

    Attributes:
        inputs (list[AssociationInput]): The pairs to link. No pair may occur twice.
    """

    inputs: list[AssociationInput]

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
        from ..models.association_input import AssociationInput  # noqa: PLC0415

        d = dict(src_dict)
        inputs = []
        _inputs = d.pop("inputs")
        for inputs_item_data in _inputs:
            inputs_item = AssociationInput.from_dict(inputs_item_data)

            inputs.append(inputs_item)

        batch_association_request = cls(
            inputs=inputs,
        )

        return batch_association_request
