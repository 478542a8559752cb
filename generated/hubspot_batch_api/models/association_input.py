# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.association_target import AssociationTarget
    from ..models.association_type import AssociationType


T = TypeVar("T", bound="AssociationInput")


@_attrs_define
class AssociationInput:
    """One pair of records to link.

    Attributes:
        from_ (AssociationTarget): The record at an end of an association.
        to (AssociationTarget): The record at an end of an association.
        types (list[AssociationType]): What the link means, in one or more ways.
    """

    from_: AssociationTarget
    to: AssociationTarget
    types: list[AssociationType]

    def to_dict(self) -> dict[str, Any]:
        from_ = self.from_.to_dict()

        to = self.to.to_dict()

        types = []
        for types_item_data in self.types:
            types_item = types_item_data.to_dict()
            types.append(types_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "from": from_,
                "to": to,
                "types": types,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.association_target import AssociationTarget  # noqa: PLC0415
        from ..models.association_type import AssociationType  # noqa: PLC0415

        d = dict(src_dict)
        from_ = AssociationTarget.from_dict(d.pop("from"))

        to = AssociationTarget.from_dict(d.pop("to"))

        types = []
        _types = d.pop("types")
        for types_item_data in _types:
            types_item = AssociationType.from_dict(types_item_data)

            types.append(types_item)

        association_input = cls(
            from_=from_,
            to=to,
            types=types,
        )

        return association_input
