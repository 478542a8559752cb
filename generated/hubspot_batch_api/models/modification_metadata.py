# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ModificationMetadata")


@_attrs_define
class ModificationMetadata:
    """What of a property cannot be changed. Any field may be absent.

    Attributes:
        archivable (bool | None | Unset): Whether the property can be archived.
        read_only_definition (bool | None | Unset): Whether its definition cannot be changed.
        read_only_options (bool | None | Unset): Whether its options cannot be changed.
        read_only_value (bool | None | Unset): Whether its values cannot be written.
    """

    archivable: bool | None | Unset = UNSET
    read_only_definition: bool | None | Unset = UNSET
    read_only_options: bool | None | Unset = UNSET
    read_only_value: bool | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        archivable: bool | None | Unset
        if isinstance(self.archivable, Unset):
            archivable = UNSET
        else:
            archivable = self.archivable

        read_only_definition: bool | None | Unset
        if isinstance(self.read_only_definition, Unset):
            read_only_definition = UNSET
        else:
            read_only_definition = self.read_only_definition

        read_only_options: bool | None | Unset
        if isinstance(self.read_only_options, Unset):
            read_only_options = UNSET
        else:
            read_only_options = self.read_only_options

        read_only_value: bool | None | Unset
        if isinstance(self.read_only_value, Unset):
            read_only_value = UNSET
        else:
            read_only_value = self.read_only_value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if archivable is not UNSET:
            field_dict["archivable"] = archivable
        if read_only_definition is not UNSET:
            field_dict["readOnlyDefinition"] = read_only_definition
        if read_only_options is not UNSET:
            field_dict["readOnlyOptions"] = read_only_options
        if read_only_value is not UNSET:
            field_dict["readOnlyValue"] = read_only_value

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_archivable(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        archivable = _parse_archivable(d.pop("archivable", UNSET))

        def _parse_read_only_definition(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        read_only_definition = _parse_read_only_definition(d.pop("readOnlyDefinition", UNSET))

        def _parse_read_only_options(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        read_only_options = _parse_read_only_options(d.pop("readOnlyOptions", UNSET))

        def _parse_read_only_value(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        read_only_value = _parse_read_only_value(d.pop("readOnlyValue", UNSET))

        modification_metadata = cls(
            archivable=archivable,
            read_only_definition=read_only_definition,
            read_only_options=read_only_options,
            read_only_value=read_only_value,
        )

        modification_metadata.additional_properties = d
        return modification_metadata

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
