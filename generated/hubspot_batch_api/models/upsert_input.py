# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.property_values import PropertyValues


T = TypeVar("T", bound="UpsertInput")


@_attrs_define
class UpsertInput:
    """One record to update, or to create where there is none.

    Attributes:
        id (str): The record's value of the property that `idProperty` names.
        id_property (str): The name of a property whose values are unique; not `hs_object_id`.
        properties (PropertyValues): Internal property names and the values to write. Every value is text: numbers in
            digits with at
            most one period, `true` or `false`, dates in ISO 8601, several options joined by `;`. An empty
            text clears the property.
        object_write_trace_id (str | Unset): Any text that no other input of the request carries. It names the input in
            the `context` of an
            error.
    """

    id: str
    id_property: str
    properties: PropertyValues
    object_write_trace_id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        id_property = self.id_property

        properties = self.properties.to_dict()

        object_write_trace_id = self.object_write_trace_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "idProperty": id_property,
                "properties": properties,
            }
        )
        if object_write_trace_id is not UNSET:
            field_dict["objectWriteTraceId"] = object_write_trace_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.property_values import PropertyValues  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        id_property = d.pop("idProperty")

        properties = PropertyValues.from_dict(d.pop("properties"))

        object_write_trace_id = d.pop("objectWriteTraceId", UNSET)

        upsert_input = cls(
            id=id,
            id_property=id_property,
            properties=properties,
            object_write_trace_id=object_write_trace_id,
        )

        return upsert_input
