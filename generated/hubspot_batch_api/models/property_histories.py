# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.property_version import PropertyVersion


T = TypeVar("T", bound="PropertyHistories")


@_attrs_define
class PropertyHistories:
    """Property names and the values that each has had."""

    additional_properties: dict[str, list[PropertyVersion]] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = []
            for componentsschemas_property_history_item_data in prop:
                componentsschemas_property_history_item = (
                    componentsschemas_property_history_item_data.to_dict()
                )
                field_dict[prop_name].append(componentsschemas_property_history_item)

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.property_version import PropertyVersion  # noqa: PLC0415

        d = dict(src_dict)
        property_histories = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = []
            _additional_property = prop_dict
            for componentsschemas_property_history_item_data in _additional_property:
                componentsschemas_property_history_item = PropertyVersion.from_dict(
                    componentsschemas_property_history_item_data
                )

                additional_property.append(componentsschemas_property_history_item)

            additional_properties[prop_name] = additional_property

        property_histories.additional_properties = additional_properties
        return property_histories

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> list[PropertyVersion]:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: list[PropertyVersion]) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
