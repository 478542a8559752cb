# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_batch_status import KnownBatchStatus, check_known_batch_status
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.associated_pair import AssociatedPair
    from ..models.batch_error import BatchError
    from ..models.links import Links


T = TypeVar("T", bound="AssociationReply")


@_attrs_define
class AssociationReply:
    """The result of a batch of links.

    Attributes:
        status (KnownBatchStatus | str): How far the processing of the batch is. Only COMPLETE has been seen.
        results (list[AssociatedPair]): The pairs that are linked, in any order.
        started_at (datetime.datetime): When the processing of the batch began.
        completed_at (datetime.datetime): When it ended.
        errors (list[BatchError] | None | Unset): Why pairs were refused. Absent or empty where none was.
        num_errors (int | None | Unset): How many errors there are.
        requested_at (datetime.datetime | None | Unset): When the batch was asked for.
        links (Links | None | Unset):
    """

    status: KnownBatchStatus | str
    results: list[AssociatedPair]
    started_at: datetime.datetime
    completed_at: datetime.datetime
    errors: list[BatchError] | None | Unset = UNSET
    num_errors: int | None | Unset = UNSET
    requested_at: datetime.datetime | None | Unset = UNSET
    links: Links | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.links import Links  # noqa: PLC0415

        status: str
        if isinstance(self.status, str):
            status = self.status
        else:
            status = self.status

        results = []
        for results_item_data in self.results:
            results_item = results_item_data.to_dict()
            results.append(results_item)

        started_at = self.started_at.isoformat()

        completed_at = self.completed_at.isoformat()

        errors: list[dict[str, Any]] | None | Unset
        if isinstance(self.errors, Unset):
            errors = UNSET
        elif isinstance(self.errors, list):
            errors = []
            for errors_type_0_item_data in self.errors:
                errors_type_0_item = errors_type_0_item_data.to_dict()
                errors.append(errors_type_0_item)

        else:
            errors = self.errors

        num_errors: int | None | Unset
        if isinstance(self.num_errors, Unset):
            num_errors = UNSET
        else:
            num_errors = self.num_errors

        requested_at: None | str | Unset
        if isinstance(self.requested_at, Unset):
            requested_at = UNSET
        elif isinstance(self.requested_at, datetime.datetime):
            requested_at = self.requested_at.isoformat()
        else:
            requested_at = self.requested_at

        links: dict[str, Any] | None | Unset
        if isinstance(self.links, Unset):
            links = UNSET
        elif isinstance(self.links, Links):
            links = self.links.to_dict()
        else:
            links = self.links

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "results": results,
                "startedAt": started_at,
                "completedAt": completed_at,
            }
        )
        if errors is not UNSET:
            field_dict["errors"] = errors
        if num_errors is not UNSET:
            field_dict["numErrors"] = num_errors
        if requested_at is not UNSET:
            field_dict["requestedAt"] = requested_at
        if links is not UNSET:
            field_dict["links"] = links

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.associated_pair import AssociatedPair  # noqa: PLC0415
        from ..models.batch_error import BatchError  # noqa: PLC0415
        from ..models.links import Links  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_status(data: object) -> KnownBatchStatus | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_batch_status_type_0 = check_known_batch_status(data)

                return componentsschemas_batch_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(KnownBatchStatus | str, data)

        status = _parse_status(d.pop("status"))

        results = []
        _results = d.pop("results")
        for results_item_data in _results:
            results_item = AssociatedPair.from_dict(results_item_data)

            results.append(results_item)

        started_at = datetime.datetime.fromisoformat(d.pop("startedAt"))

        completed_at = datetime.datetime.fromisoformat(d.pop("completedAt"))

        def _parse_errors(data: object) -> list[BatchError] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                errors_type_0 = []
                _errors_type_0 = data
                for errors_type_0_item_data in _errors_type_0:
                    errors_type_0_item = BatchError.from_dict(errors_type_0_item_data)

                    errors_type_0.append(errors_type_0_item)

                return errors_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[BatchError] | None | Unset, data)

        errors = _parse_errors(d.pop("errors", UNSET))

        def _parse_num_errors(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        num_errors = _parse_num_errors(d.pop("numErrors", UNSET))

        def _parse_requested_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                requested_at_type_0 = datetime.datetime.fromisoformat(data)

                return requested_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        requested_at = _parse_requested_at(d.pop("requestedAt", UNSET))

        def _parse_links(data: object) -> Links | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                links_type_0 = Links.from_dict(data)

                return links_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Links | None | Unset, data)

        links = _parse_links(d.pop("links", UNSET))

        association_reply = cls(
            status=status,
            results=results,
            started_at=started_at,
            completed_at=completed_at,
            errors=errors,
            num_errors=num_errors,
            requested_at=requested_at,
            links=links,
        )

        association_reply.additional_properties = d
        return association_reply

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
