# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.association import Association
    from ..models.property_values import PropertyValues


T = TypeVar("T", bound="CreateInput")


@_attrs_define
class CreateInput:
    """One record to create.

    Attributes:
        properties (PropertyValues): Internal property names and the values to write. Every value is text: numbers in
            digits with at
            most one period, `true` or `false`, dates in ISO 8601, several options joined by `;`. An empty
            text clears the property.
        associations (list[Association] | Unset): The existing records to link the new one with.
        object_write_trace_id (str | Unset): Any text that no other input of the request carries. It names the input in
            the `context` of an
            error.
    """

    properties: PropertyValues
    associations: list[Association] | Unset = UNSET
    object_write_trace_id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        properties = self.properties.to_dict()

        associations: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.associations, Unset):
            associations = []
            for associations_item_data in self.associations:
                associations_item = associations_item_data.to_dict()
                associations.append(associations_item)

        object_write_trace_id = self.object_write_trace_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "properties": properties,
            }
        )
        if associations is not UNSET:
            field_dict["associations"] = associations
        if object_write_trace_id is not UNSET:
            field_dict["objectWriteTraceId"] = object_write_trace_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.association import Association  # noqa: PLC0415
        from ..models.property_values import PropertyValues  # noqa: PLC0415

        d = dict(src_dict)
        properties = PropertyValues.from_dict(d.pop("properties"))

        _associations = d.pop("associations", UNSET)
        associations: list[Association] | Unset = UNSET
        if _associations is not UNSET:
            associations = []
            for associations_item_data in _associations:
                associations_item = Association.from_dict(associations_item_data)

                associations.append(associations_item)

        object_write_trace_id = d.pop("objectWriteTraceId", UNSET)

        create_input = cls(
            properties=properties,
            associations=associations,
            object_write_trace_id=object_write_trace_id,
        )

        return create_input
