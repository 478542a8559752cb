# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AssociatedPair")


@_attrs_define
class AssociatedPair:
    """Two records that are linked.

    Attributes:
        from_object_id (str): The id of the first record.
        to_object_id (str): The id of the second record.
        from_object_type_id (None | str | Unset): The id of the object type of the first record, 0-8 for example.
        to_object_type_id (None | str | Unset): The id of the object type of the second record.
        labels (list[str] | None | Unset): The labels of the link that a person has defined.
    """

    from_object_id: str
    to_object_id: str
    from_object_type_id: None | str | Unset = UNSET
    to_object_type_id: None | str | Unset = UNSET
    labels: list[str] | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from_object_id = self.from_object_id

        to_object_id = self.to_object_id

        from_object_type_id: None | str | Unset
        if isinstance(self.from_object_type_id, Unset):
            from_object_type_id = UNSET
        else:
            from_object_type_id = self.from_object_type_id

        to_object_type_id: None | str | Unset
        if isinstance(self.to_object_type_id, Unset):
            to_object_type_id = UNSET
        else:
            to_object_type_id = self.to_object_type_id

        labels: list[str] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, list):
            labels = self.labels

        else:
            labels = self.labels

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "fromObjectId": from_object_id,
                "toObjectId": to_object_id,
            }
        )
        if from_object_type_id is not UNSET:
            field_dict["fromObjectTypeId"] = from_object_type_id
        if to_object_type_id is not UNSET:
            field_dict["toObjectTypeId"] = to_object_type_id
        if labels is not UNSET:
            field_dict["labels"] = labels

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        from_object_id = d.pop("fromObjectId")

        to_object_id = d.pop("toObjectId")

        def _parse_from_object_type_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        from_object_type_id = _parse_from_object_type_id(d.pop("fromObjectTypeId", UNSET))

        def _parse_to_object_type_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        to_object_type_id = _parse_to_object_type_id(d.pop("toObjectTypeId", UNSET))

        def _parse_labels(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                labels_type_0 = cast(list[str], data)

                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))

        associated_pair = cls(
            from_object_id=from_object_id,
            to_object_id=to_object_id,
            from_object_type_id=from_object_type_id,
            to_object_type_id=to_object_type_id,
            labels=labels,
        )

        associated_pair.additional_properties = d
        return associated_pair

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
