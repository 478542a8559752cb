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
    from ..models.modification_metadata import ModificationMetadata
    from ..models.property_option import PropertyOption


T = TypeVar("T", bound="PropertyDefinition")


@_attrs_define
class PropertyDefinition:
    """What a property is. All but its names and types may be absent.

    Attributes:
        name (str): The internal name, which requests use.
        label (str): The name for people to read.
        type_ (str): The type of its values, such as string, number, bool, date, datetime or enumeration.
        field_type (str): How it is shown in HubSpot, as text, select or checkbox for example.
        group_name (None | str | Unset): The group of properties that it belongs to.
        description (None | str | Unset): What it is for.
        options (list[PropertyOption] | None | Unset): The values that an enumeration takes. Empty for other types.
        display_order (int | None | Unset): Its place among the others; small numbers come first.
        has_unique_value (bool | None | Unset): Whether no two records may have the same value.
        hidden (bool | None | Unset): Whether people do not see it in HubSpot.
        hubspot_defined (bool | None | Unset): Whether HubSpot has made it, not this account.
        calculated (bool | None | Unset): Whether HubSpot works out its values.
        calculation_formula (None | str | Unset): How they are worked out.
        external_options (bool | None | Unset): Whether its options are kept elsewhere, as those of owners are.
        referenced_object_type (None | str | Unset): The kind of thing that its values name.
        form_field (bool | None | Unset): Whether forms can use it.
        data_sensitivity (None | str | Unset): How sensitive its values are.
        sensitive_data_categories (list[str] | None | Unset): What kinds of sensitive data it holds.
        currency_property_name (None | str | Unset): The property that holds the currency of its values.
        show_currency_symbol (bool | None | Unset): Whether they are shown with the symbol of the account's currency.
        date_display_hint (None | str | Unset): How dates are shown.
        number_display_hint (None | str | Unset): How numbers are shown.
        text_display_hint (None | str | Unset): How text is shown.
        modification_metadata (ModificationMetadata | None | Unset):
        archived (bool | None | Unset): Whether the property is archived.
        archived_at (datetime.datetime | None | Unset): When it was archived.
        created_at (datetime.datetime | None | Unset): When it was created.
        updated_at (datetime.datetime | None | Unset): When it was last changed.
        created_user_id (None | str | Unset): The user who created it.
        updated_user_id (None | str | Unset): The user who changed it last.
    """

    name: str
    label: str
    type_: str
    field_type: str
    group_name: None | str | Unset = UNSET
    description: None | str | Unset = UNSET
    options: list[PropertyOption] | None | Unset = UNSET
    display_order: int | None | Unset = UNSET
    has_unique_value: bool | None | Unset = UNSET
    hidden: bool | None | Unset = UNSET
    hubspot_defined: bool | None | Unset = UNSET
    calculated: bool | None | Unset = UNSET
    calculation_formula: None | str | Unset = UNSET
    external_options: bool | None | Unset = UNSET
    referenced_object_type: None | str | Unset = UNSET
    form_field: bool | None | Unset = UNSET
    data_sensitivity: None | str | Unset = UNSET
    sensitive_data_categories: list[str] | None | Unset = UNSET
    currency_property_name: None | str | Unset = UNSET
    show_currency_symbol: bool | None | Unset = UNSET
    date_display_hint: None | str | Unset = UNSET
    number_display_hint: None | str | Unset = UNSET
    text_display_hint: None | str | Unset = UNSET
    modification_metadata: ModificationMetadata | None | Unset = UNSET
    archived: bool | None | Unset = UNSET
    archived_at: datetime.datetime | None | Unset = UNSET
    created_at: datetime.datetime | None | Unset = UNSET
    updated_at: datetime.datetime | None | Unset = UNSET
    created_user_id: None | str | Unset = UNSET
    updated_user_id: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.modification_metadata import ModificationMetadata  # noqa: PLC0415

        name = self.name

        label = self.label

        type_ = self.type_

        field_type = self.field_type

        group_name: None | str | Unset
        if isinstance(self.group_name, Unset):
            group_name = UNSET
        else:
            group_name = self.group_name

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        options: list[dict[str, Any]] | None | Unset
        if isinstance(self.options, Unset):
            options = UNSET
        elif isinstance(self.options, list):
            options = []
            for options_type_0_item_data in self.options:
                options_type_0_item = options_type_0_item_data.to_dict()
                options.append(options_type_0_item)

        else:
            options = self.options

        display_order: int | None | Unset
        if isinstance(self.display_order, Unset):
            display_order = UNSET
        else:
            display_order = self.display_order

        has_unique_value: bool | None | Unset
        if isinstance(self.has_unique_value, Unset):
            has_unique_value = UNSET
        else:
            has_unique_value = self.has_unique_value

        hidden: bool | None | Unset
        if isinstance(self.hidden, Unset):
            hidden = UNSET
        else:
            hidden = self.hidden

        hubspot_defined: bool | None | Unset
        if isinstance(self.hubspot_defined, Unset):
            hubspot_defined = UNSET
        else:
            hubspot_defined = self.hubspot_defined

        calculated: bool | None | Unset
        if isinstance(self.calculated, Unset):
            calculated = UNSET
        else:
            calculated = self.calculated

        calculation_formula: None | str | Unset
        if isinstance(self.calculation_formula, Unset):
            calculation_formula = UNSET
        else:
            calculation_formula = self.calculation_formula

        external_options: bool | None | Unset
        if isinstance(self.external_options, Unset):
            external_options = UNSET
        else:
            external_options = self.external_options

        referenced_object_type: None | str | Unset
        if isinstance(self.referenced_object_type, Unset):
            referenced_object_type = UNSET
        else:
            referenced_object_type = self.referenced_object_type

        form_field: bool | None | Unset
        if isinstance(self.form_field, Unset):
            form_field = UNSET
        else:
            form_field = self.form_field

        data_sensitivity: None | str | Unset
        if isinstance(self.data_sensitivity, Unset):
            data_sensitivity = UNSET
        else:
            data_sensitivity = self.data_sensitivity

        sensitive_data_categories: list[str] | None | Unset
        if isinstance(self.sensitive_data_categories, Unset):
            sensitive_data_categories = UNSET
        elif isinstance(self.sensitive_data_categories, list):
            sensitive_data_categories = self.sensitive_data_categories

        else:
            sensitive_data_categories = self.sensitive_data_categories

        currency_property_name: None | str | Unset
        if isinstance(self.currency_property_name, Unset):
            currency_property_name = UNSET
        else:
            currency_property_name = self.currency_property_name

        show_currency_symbol: bool | None | Unset
        if isinstance(self.show_currency_symbol, Unset):
            show_currency_symbol = UNSET
        else:
            show_currency_symbol = self.show_currency_symbol

        date_display_hint: None | str | Unset
        if isinstance(self.date_display_hint, Unset):
            date_display_hint = UNSET
        else:
            date_display_hint = self.date_display_hint

        number_display_hint: None | str | Unset
        if isinstance(self.number_display_hint, Unset):
            number_display_hint = UNSET
        else:
            number_display_hint = self.number_display_hint

        text_display_hint: None | str | Unset
        if isinstance(self.text_display_hint, Unset):
            text_display_hint = UNSET
        else:
            text_display_hint = self.text_display_hint

        modification_metadata: dict[str, Any] | None | Unset
        if isinstance(self.modification_metadata, Unset):
            modification_metadata = UNSET
        elif isinstance(self.modification_metadata, ModificationMetadata):
            modification_metadata = self.modification_metadata.to_dict()
        else:
            modification_metadata = self.modification_metadata

        archived: bool | None | Unset
        if isinstance(self.archived, Unset):
            archived = UNSET
        else:
            archived = self.archived

        archived_at: None | str | Unset
        if isinstance(self.archived_at, Unset):
            archived_at = UNSET
        elif isinstance(self.archived_at, datetime.datetime):
            archived_at = self.archived_at.isoformat()
        else:
            archived_at = self.archived_at

        created_at: None | str | Unset
        if isinstance(self.created_at, Unset):
            created_at = UNSET
        elif isinstance(self.created_at, datetime.datetime):
            created_at = self.created_at.isoformat()
        else:
            created_at = self.created_at

        updated_at: None | str | Unset
        if isinstance(self.updated_at, Unset):
            updated_at = UNSET
        elif isinstance(self.updated_at, datetime.datetime):
            updated_at = self.updated_at.isoformat()
        else:
            updated_at = self.updated_at

        created_user_id: None | str | Unset
        if isinstance(self.created_user_id, Unset):
            created_user_id = UNSET
        else:
            created_user_id = self.created_user_id

        updated_user_id: None | str | Unset
        if isinstance(self.updated_user_id, Unset):
            updated_user_id = UNSET
        else:
            updated_user_id = self.updated_user_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "label": label,
                "type": type_,
                "fieldType": field_type,
            }
        )
        if group_name is not UNSET:
            field_dict["groupName"] = group_name
        if description is not UNSET:
            field_dict["description"] = description
        if options is not UNSET:
            field_dict["options"] = options
        if display_order is not UNSET:
            field_dict["displayOrder"] = display_order
        if has_unique_value is not UNSET:
            field_dict["hasUniqueValue"] = has_unique_value
        if hidden is not UNSET:
            field_dict["hidden"] = hidden
        if hubspot_defined is not UNSET:
            field_dict["hubspotDefined"] = hubspot_defined
        if calculated is not UNSET:
            field_dict["calculated"] = calculated
        if calculation_formula is not UNSET:
            field_dict["calculationFormula"] = calculation_formula
        if external_options is not UNSET:
            field_dict["externalOptions"] = external_options
        if referenced_object_type is not UNSET:
            field_dict["referencedObjectType"] = referenced_object_type
        if form_field is not UNSET:
            field_dict["formField"] = form_field
        if data_sensitivity is not UNSET:
            field_dict["dataSensitivity"] = data_sensitivity
        if sensitive_data_categories is not UNSET:
            field_dict["sensitiveDataCategories"] = sensitive_data_categories
        if currency_property_name is not UNSET:
            field_dict["currencyPropertyName"] = currency_property_name
        if show_currency_symbol is not UNSET:
            field_dict["showCurrencySymbol"] = show_currency_symbol
        if date_display_hint is not UNSET:
            field_dict["dateDisplayHint"] = date_display_hint
        if number_display_hint is not UNSET:
            field_dict["numberDisplayHint"] = number_display_hint
        if text_display_hint is not UNSET:
            field_dict["textDisplayHint"] = text_display_hint
        if modification_metadata is not UNSET:
            field_dict["modificationMetadata"] = modification_metadata
        if archived is not UNSET:
            field_dict["archived"] = archived
        if archived_at is not UNSET:
            field_dict["archivedAt"] = archived_at
        if created_at is not UNSET:
            field_dict["createdAt"] = created_at
        if updated_at is not UNSET:
            field_dict["updatedAt"] = updated_at
        if created_user_id is not UNSET:
            field_dict["createdUserId"] = created_user_id
        if updated_user_id is not UNSET:
            field_dict["updatedUserId"] = updated_user_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.modification_metadata import ModificationMetadata  # noqa: PLC0415
        from ..models.property_option import PropertyOption  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        label = d.pop("label")

        type_ = d.pop("type")

        field_type = d.pop("fieldType")

        def _parse_group_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group_name = _parse_group_name(d.pop("groupName", UNSET))

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        def _parse_options(data: object) -> list[PropertyOption] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                options_type_0 = []
                _options_type_0 = data
                for options_type_0_item_data in _options_type_0:
                    options_type_0_item = PropertyOption.from_dict(options_type_0_item_data)

                    options_type_0.append(options_type_0_item)

                return options_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[PropertyOption] | None | Unset, data)

        options = _parse_options(d.pop("options", UNSET))

        def _parse_display_order(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        display_order = _parse_display_order(d.pop("displayOrder", UNSET))

        def _parse_has_unique_value(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        has_unique_value = _parse_has_unique_value(d.pop("hasUniqueValue", UNSET))

        def _parse_hidden(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        hidden = _parse_hidden(d.pop("hidden", UNSET))

        def _parse_hubspot_defined(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        hubspot_defined = _parse_hubspot_defined(d.pop("hubspotDefined", UNSET))

        def _parse_calculated(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        calculated = _parse_calculated(d.pop("calculated", UNSET))

        def _parse_calculation_formula(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        calculation_formula = _parse_calculation_formula(d.pop("calculationFormula", UNSET))

        def _parse_external_options(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        external_options = _parse_external_options(d.pop("externalOptions", UNSET))

        def _parse_referenced_object_type(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        referenced_object_type = _parse_referenced_object_type(d.pop("referencedObjectType", UNSET))

        def _parse_form_field(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        form_field = _parse_form_field(d.pop("formField", UNSET))

        def _parse_data_sensitivity(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        data_sensitivity = _parse_data_sensitivity(d.pop("dataSensitivity", UNSET))

        def _parse_sensitive_data_categories(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                sensitive_data_categories_type_0 = cast(list[str], data)

                return sensitive_data_categories_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        sensitive_data_categories = _parse_sensitive_data_categories(
            d.pop("sensitiveDataCategories", UNSET)
        )

        def _parse_currency_property_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        currency_property_name = _parse_currency_property_name(d.pop("currencyPropertyName", UNSET))

        def _parse_show_currency_symbol(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        show_currency_symbol = _parse_show_currency_symbol(d.pop("showCurrencySymbol", UNSET))

        def _parse_date_display_hint(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        date_display_hint = _parse_date_display_hint(d.pop("dateDisplayHint", UNSET))

        def _parse_number_display_hint(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        number_display_hint = _parse_number_display_hint(d.pop("numberDisplayHint", UNSET))

        def _parse_text_display_hint(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        text_display_hint = _parse_text_display_hint(d.pop("textDisplayHint", UNSET))

        def _parse_modification_metadata(data: object) -> ModificationMetadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                modification_metadata_type_0 = ModificationMetadata.from_dict(data)

                return modification_metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModificationMetadata | None | Unset, data)

        modification_metadata = _parse_modification_metadata(d.pop("modificationMetadata", UNSET))

        def _parse_archived(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        archived = _parse_archived(d.pop("archived", UNSET))

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

        def _parse_created_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                created_at_type_0 = datetime.datetime.fromisoformat(data)

                return created_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        created_at = _parse_created_at(d.pop("createdAt", UNSET))

        def _parse_updated_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_at_type_0 = datetime.datetime.fromisoformat(data)

                return updated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        updated_at = _parse_updated_at(d.pop("updatedAt", UNSET))

        def _parse_created_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        created_user_id = _parse_created_user_id(d.pop("createdUserId", UNSET))

        def _parse_updated_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        updated_user_id = _parse_updated_user_id(d.pop("updatedUserId", UNSET))

        property_definition = cls(
            name=name,
            label=label,
            type_=type_,
            field_type=field_type,
            group_name=group_name,
            description=description,
            options=options,
            display_order=display_order,
            has_unique_value=has_unique_value,
            hidden=hidden,
            hubspot_defined=hubspot_defined,
            calculated=calculated,
            calculation_formula=calculation_formula,
            external_options=external_options,
            referenced_object_type=referenced_object_type,
            form_field=form_field,
            data_sensitivity=data_sensitivity,
            sensitive_data_categories=sensitive_data_categories,
            currency_property_name=currency_property_name,
            show_currency_symbol=show_currency_symbol,
            date_display_hint=date_display_hint,
            number_display_hint=number_display_hint,
            text_display_hint=text_display_hint,
            modification_metadata=modification_metadata,
            archived=archived,
            archived_at=archived_at,
            created_at=created_at,
            updated_at=updated_at,
            created_user_id=created_user_id,
            updated_user_id=updated_user_id,
        )

        property_definition.additional_properties = d
        return property_definition

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
