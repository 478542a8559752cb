# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.property_values import PropertyValues


T = TypeVar("T", bound="UpdateInput")


@_attrs_define
class UpdateInput:
    """One record to change.

    Attributes:
        id (str): The record id, or the record's value of the property that `idProperty` names.
        properties (PropertyValues): Internal property names and the values to write. Every value is text: numbers in
            digits with at
            most one period, `true` or `false`, dates in ISO 8601, several options joined by `;`. An empty
            text clears the property.
        id_property (str | Unset): The name of a property whose values are unique. Leave it out when `id` is the record
            id;
            naming `hs_object_id` is refused.
        object_write_trace_id (str | Unset): Any text that no other input of the request carries. It names the input in
            the `context` of an
            error.
    """

    id: str
    properties: PropertyValues
    id_property: str | Unset = UNSET
    object_write_trace_id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        properties = self.properties.to_dict()

        id_property = self.id_property

        object_write_trace_id = self.object_write_trace_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "properties": properties,
            }
        )
        if id_property is not UNSET:
            field_dict["idProperty"] = id_property
        if object_write_trace_id is not UNSET:
            field_dict["objectWriteTraceId"] = object_write_trace_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.property_values import PropertyValues  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        properties = PropertyValues.from_dict(d.pop("properties"))

        id_property = d.pop("idProperty", UNSET)

        object_write_trace_id = d.pop("objectWriteTraceId", UNSET)

        update_input = cls(
            id=id,
            properties=properties,
            id_property=id_property,
            object_write_trace_id=object_write_trace_id,
        )

        return update_input
