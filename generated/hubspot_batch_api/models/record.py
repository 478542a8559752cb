# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.property_histories import PropertyHistories
    from ..models.record_properties import RecordProperties
    from ..models.record_warning import RecordWarning


T = TypeVar("T", bound="Record")


@_attrs_define
class Record:
    """A record as it stands, after the write where there was one.

    Attributes:
        id (str): The record id.
        properties (RecordProperties): Property names and values. Values come back as HubSpot stores them, not as they
            were sent: 9 may
            be 9.00.
        created_at (datetime.datetime): When the record was created.
        updated_at (datetime.datetime): When it was last changed.
        archived (bool): Whether the record is in the recycle bin.
        properties_with_history (None | PropertyHistories | Unset):
        new (bool | None | Unset): Whether an upsert has created the record. Other operations do not send it.
        archived_at (datetime.datetime | None | Unset): When it was put there.
        url (None | str | Unset): Where a person can look at the record.
        object_write_trace_id (None | str | Unset): The trace id of the input. Replies have been seen without it.
        warnings (list[RecordWarning] | None | Unset): What HubSpot wants to say of a write that it accepted.
    """

    id: str
    properties: RecordProperties
    created_at: datetime.datetime
    updated_at: datetime.datetime
    archived: bool
    properties_with_history: None | PropertyHistories | Unset = UNSET
    new: bool | None | Unset = UNSET
    archived_at: datetime.datetime | None | Unset = UNSET
    url: None | str | Unset = UNSET
    object_write_trace_id: None | str | Unset = UNSET
    warnings: list[RecordWarning] | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.property_histories import PropertyHistories  # noqa: PLC0415

        id = self.id

        properties = self.properties.to_dict()

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        archived = self.archived

        properties_with_history: dict[str, Any] | None | Unset
        if isinstance(self.properties_with_history, Unset):
            properties_with_history = UNSET
        elif isinstance(self.properties_with_history, PropertyHistories):
            properties_with_history = self.properties_with_history.to_dict()
        else:
            properties_with_history = self.properties_with_history

        new: bool | None | Unset
        if isinstance(self.new, Unset):
            new = UNSET
        else:
            new = self.new

        archived_at: None | str | Unset
        if isinstance(self.archived_at, Unset):
            archived_at = UNSET
        elif isinstance(self.archived_at, datetime.datetime):
            archived_at = self.archived_at.isoformat()
        else:
            archived_at = self.archived_at

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        object_write_trace_id: None | str | Unset
        if isinstance(self.object_write_trace_id, Unset):
            object_write_trace_id = UNSET
        else:
            object_write_trace_id = self.object_write_trace_id

        warnings: list[dict[str, Any]] | None | Unset
        if isinstance(self.warnings, Unset):
            warnings = UNSET
        elif isinstance(self.warnings, list):
            warnings = []
            for warnings_type_0_item_data in self.warnings:
                warnings_type_0_item = warnings_type_0_item_data.to_dict()
                warnings.append(warnings_type_0_item)

        else:
            warnings = self.warnings

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "properties": properties,
                "createdAt": created_at,
                "updatedAt": updated_at,
                "archived": archived,
            }
        )
        if properties_with_history is not UNSET:
            field_dict["propertiesWithHistory"] = properties_with_history
        if new is not UNSET:
            field_dict["new"] = new
        if archived_at is not UNSET:
            field_dict["archivedAt"] = archived_at
        if url is not UNSET:
            field_dict["url"] = url
        if object_write_trace_id is not UNSET:
            field_dict["objectWriteTraceId"] = object_write_trace_id
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.property_histories import PropertyHistories  # noqa: PLC0415
        from ..models.record_properties import RecordProperties  # noqa: PLC0415
        from ..models.record_warning import RecordWarning  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        properties = RecordProperties.from_dict(d.pop("properties"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updatedAt"))

        archived = d.pop("archived")

        def _parse_properties_with_history(data: object) -> None | PropertyHistories | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                properties_with_history_type_0 = PropertyHistories.from_dict(data)

                return properties_with_history_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PropertyHistories | Unset, data)

        properties_with_history = _parse_properties_with_history(
            d.pop("propertiesWithHistory", UNSET)
        )

        def _parse_new(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        new = _parse_new(d.pop("new", UNSET))

        def _parse_archived_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                archived_at_type_0 = datetime.datetime.fromisoformat(data)

                return archived_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        archived_at = _parse_archived_at(d.pop("archivedAt", UNSET))

        def _parse_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        url = _parse_url(d.pop("url", UNSET))

        def _parse_object_write_trace_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        object_write_trace_id = _parse_object_write_trace_id(d.pop("objectWriteTraceId", UNSET))

        def _parse_warnings(data: object) -> list[RecordWarning] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                warnings_type_0 = []
                _warnings_type_0 = data
                for warnings_type_0_item_data in _warnings_type_0:
                    warnings_type_0_item = RecordWarning.from_dict(warnings_type_0_item_data)

                    warnings_type_0.append(warnings_type_0_item)

                return warnings_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[RecordWarning] | None | Unset, data)

        warnings = _parse_warnings(d.pop("warnings", UNSET))

        record = cls(
            id=id,
            properties=properties,
            created_at=created_at,
            updated_at=updated_at,
            archived=archived,
            properties_with_history=properties_with_history,
            new=new,
            archived_at=archived_at,
            url=url,
            object_write_trace_id=object_write_trace_id,
            warnings=warnings,
        )

        record.additional_properties = d
        return record

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
