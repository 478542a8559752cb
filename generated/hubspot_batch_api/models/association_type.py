# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.association_category import AssociationCategory, check_association_category

T = TypeVar("T", bound="AssociationType")


@_attrs_define
class AssociationType:
    """The meaning of a link, which also fixes its direction.

    Attributes:
        association_category (AssociationCategory): Who defined the meaning of an association.
        association_type_id (int): The number of the meaning, 507 for order to contact.
    """

    association_category: AssociationCategory
    association_type_id: int

    def to_dict(self) -> dict[str, Any]:
        association_category: str = self.association_category

        association_type_id = self.association_type_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "associationCategory": association_category,
                "associationTypeId": association_type_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        association_category = check_association_category(d.pop("associationCategory"))

        association_type_id = d.pop("associationTypeId")

        association_type = cls(
            association_category=association_category,
            association_type_id=association_type_id,
        )

        return association_type
