# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.record_id import RecordId


T = TypeVar("T", bound="BatchReadRequest")


@_attrs_define
class BatchReadRequest:
    """The body of every read operation.

    Attributes:
        inputs (list[RecordId]): The records to read, at most 50 where `propertiesWithHistory` names any. No two may
            name the same
            record.
        properties (list[str] | Unset): The properties to return, by their internal names. A few of each type where none
            is named.
        properties_with_history (list[str] | Unset): The properties to return with the values that they have had.
        id_property (str | Unset): The name of a property whose values are unique, where each `id` is such a value.
            Leave it out when
            they are record ids.
    """

    inputs: list[RecordId]
    properties: list[str] | Unset = UNSET
    properties_with_history: list[str] | Unset = UNSET
    id_property: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        inputs = []
        for inputs_item_data in self.inputs:
            inputs_item = inputs_item_data.to_dict()
            inputs.append(inputs_item)

        properties: list[str] | Unset = UNSET
        if not isinstance(self.properties, Unset):
            properties = self.properties

        properties_with_history: list[str] | Unset = UNSET
        if not isinstance(self.properties_with_history, Unset):
            properties_with_history = self.properties_with_history

        id_property = self.id_property

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "inputs": inputs,
            }
        )
        if properties is not UNSET:
            field_dict["properties"] = properties
        if properties_with_history is not UNSET:
            field_dict["propertiesWithHistory"] = properties_with_history
        if id_property is not UNSET:
            field_dict["idProperty"] = id_property

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

        properties = cast(list[str], d.pop("properties", UNSET))

        properties_with_history = cast(list[str], d.pop("propertiesWithHistory", UNSET))

        id_property = d.pop("idProperty", UNSET)

        batch_read_request = cls(
            inputs=inputs,
            properties=properties,
            properties_with_history=properties_with_history,
            id_property=id_property,
        )

        return batch_read_request
