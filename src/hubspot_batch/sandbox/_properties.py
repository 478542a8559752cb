"""The properties that the four object types have, as data (docs/behaviour.md, "Orders" to "Carts")."""

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._currencies import CURRENCIES
from hubspot_batch.sandbox._table import Property, Table

__all__ = ["TABLES", "Property", "Table", "tables_with"]

_NAME = re.compile(r"[a-z0-9_]+", re.ASCII)

TEXT = Property("text")
EMAIL = Property("email")
NUMBER = Property("number")
MONEY = Property("money")
OWNER = Property("owner")
DATE = Property("date")
DATETIME = Property("datetime")
BOOLEAN = Property("boolean")

CURRENCY = Property("enumeration", CURRENCIES)

_SERVER_OWNED = ("hs_lastmodifieddate", "hs_object_id", "hs_object_source*")

_ORDERS = Table(
    type_id="0-123",
    label="ORDER",
    properties={
        "hs_order_name": Property("text", required=True),
        "hs_currency_code": CURRENCY,
        "hs_buyer_accepts_marketing": BOOLEAN,
        "hs_pipeline": Property("enumeration", ("14a2e10e-5471-408a-906e-c51f3b04369e",)),
        "hs_pipeline_stage": Property(
            "enumeration",
            (
                "4b27b500-f031-4927-9811-68a0b525cbae",
                "937ea84d-0a4f-4dcf-9028-3f9c2aafbf03",
                "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
                "3725360f-519b-4b18-a593-494d60a29c9f",
                "3c85a297-e9ce-400b-b42e-9f16853d69d6",
            ),
        ),
        "hubspot_owner_id": OWNER,
        "hs_total_price": MONEY,
        "hs_subtotal_price": MONEY,
        "hs_tax": MONEY,
        "hs_shipping_cost": MONEY,
        "hs_order_discount": MONEY,
        "hs_refund_amount": MONEY,
        "hs_total_weight": NUMBER,
        "hs_external_created_date": DATETIME,
        "hs_external_modified_date": DATETIME,
        "hs_external_canceled_date": DATETIME,
        "hs_processed_date": DATETIME,
        "hs_source_store": TEXT,
        "hs_fulfillment_status": TEXT,
        "hs_payment_status": TEXT,
        "hs_payment_processing_method": TEXT,
        "hs_cancellation_reason": TEXT,
        "hs_discount_codes": TEXT,
        "hs_tags": TEXT,
        "hs_order_note": TEXT,
        "hs_landing_site": TEXT,
        "hs_external_order_id": TEXT,
        "hs_external_order_status": TEXT,
        "hs_external_order_url": TEXT,
        "hs_external_cart_id": TEXT,
        "hs_external_checkout_id": TEXT,
        "hs_shipping_status_url": TEXT,
        "hs_shipping_tracking_number": TEXT,
        "hs_shipping_address_name": TEXT,
        "hs_shipping_address_street": TEXT,
        "hs_shipping_address_city": TEXT,
        "hs_shipping_address_state": TEXT,
        "hs_shipping_address_postal_code": TEXT,
        "hs_shipping_address_country": TEXT,
        "hs_shipping_address_phone": TEXT,
        "hs_billing_address_name": TEXT,
        "hs_billing_address_firstname": TEXT,
        "hs_billing_address_lastname": TEXT,
        "hs_billing_address_email": EMAIL,
        "hs_billing_address_phone": TEXT,
        "hs_billing_address_street": TEXT,
        "hs_billing_address_city": TEXT,
        "hs_billing_address_state": TEXT,
        "hs_billing_address_postal_code": TEXT,
        "hs_billing_address_country": TEXT,
    },
    read_only=(
        *_SERVER_OWNED,
        "hs_createdate",
        "hs_closed_date",
        "hs_is_closed",
        "hs_is_canceled",
        "hs_homecurrency_amount",
        "hs_exchange_rate",
    ),
)

_LINE_ITEMS = Table(
    type_id="0-8",
    label="LINE_ITEM",
    properties={
        "name": TEXT,
        "description": TEXT,
        "hs_sku": TEXT,
        "hs_url": TEXT,
        "hs_images": TEXT,
        "quantity": NUMBER,
        "price": MONEY,
        "amount": MONEY,
        "discount": MONEY,
        "hs_discount_percentage": NUMBER,
        "hs_product_id": NUMBER,
        "hs_tax_rate_group_id": NUMBER,
        "hs_position_on_quote": NUMBER,
        "hs_line_item_currency_code": CURRENCY,
        "recurringbillingfrequency": Property(
            "enumeration",
            (
                *("weekly", "biweekly", "monthly", "quarterly", "per_six_months", "annually"),
                *("per_two_years", "per_three_years", "per_four_years", "per_five_years"),
            ),
        ),
        "hs_recurring_billing_period": TEXT,
        "hs_recurring_billing_start_date": DATE,
        "hs_recurring_billing_end_date": DATE,
        "hs_pricing_model": TEXT,
        "hs_tier_ranges": TEXT,
        "hs_tier_prices": TEXT,
        "hs_external_id": Property("text", unique=True),
    },
    read_only=(
        *_SERVER_OWNED,
        "createdate",
        "hs_recurring_billing_number_of_payments",
        "hs_recurring_billing_terms",
        "hs_mrr",
        "hs_arr",
        "hs_acv",
        "hs_tcv",
        "hs_margin*",
        "hs_total_discount",
        "hs_pre_discount_amount",
        "hs_post_tax_amount",
    ),
    created="createdate",
)

_COMMERCE_PAYMENTS = Table(
    type_id="0-101",
    label="COMMERCE_PAYMENT",
    properties={
        "hs_initial_amount": Property("money", required=True),
        "hs_initiated_date": Property("datetime", required=True),
        "hs_payout_date": DATETIME,
        "hs_currency_code": CURRENCY,
        "hs_fees_amount": MONEY,
        "hs_refunds_amount": MONEY,
        "hs_line_item_discounts_amount": MONEY,
        "hs_latest_status": Property(
            "enumeration",
            (
                *("processing", "succeeded", "failed", "partially_refunded", "refunded"),
                *("processing_refund", "disputed_won", "disputed_lost"),
                *("disputed_action_required", "disputed_awaiting_decision"),
            ),
        ),
        "hs_payment_method_type": Property(
            "enumeration",
            ("card", "ach", "cash", "check", "wire_transfer", "other", "sepa", "bacs", "pads"),
        ),
        "hs_processor_type": Property(
            "enumeration", ("hs_payments", "byo_stripe", "none", "quickbooks", "xero")
        ),
        "hs_customer_email": EMAIL,
        "hs_internal_comment": TEXT,
        "hs_reference_number": TEXT,
        "hs_payment_method_bank_or_issuer": TEXT,
        "hs_payment_method_last_4": TEXT,
        "hs_billing_address_city": TEXT,
        "hs_billing_address_country": TEXT,
        "hs_billing_address_line_1": TEXT,
        "hs_billing_address_line_2": TEXT,
        "hs_billing_address_state": TEXT,
        "hs_billing_address_zip": TEXT,
        "hs_shipping_address_city": TEXT,
        "hs_shipping_address_country": TEXT,
        "hs_shipping_address_line_1": TEXT,
        "hs_shipping_address_line_2": TEXT,
        "hs_shipping_address_state": TEXT,
        "hs_shipping_address_zip": TEXT,
        "hs_shipping_ship_to_name": TEXT,
    },
    read_only=(
        *_SERVER_OWNED,
        "hs_createdate",
        "hs_digital_wallet_type",
        "*_in_settlement_currency",
        "*_in_portal_currency",
        "hs_order_discount_code",
        "hs_order_discount_amount",
        "hs_order_discount_percentage",
        "hs_payment_id",
        "hs_payment_method",
        "hs_payment_source_app",
        "hs_payment_source_id",
        "hs_payment_source_name",
        "hs_payment_source_url",
        "hs_payment_type",
        "hs_platform_fee*",
        "hs_settlement_currency_code",
        "hs_total_discounts_amount",
        "hs_max_refundable_*",
    ),
)

_CARTS = Table(
    type_id="0-142",
    label="CART",
    properties={
        "hs_cart_name": TEXT,
        "hs_external_cart_id": TEXT,
        "hs_source_store": TEXT,
        "hs_external_status": TEXT,
        "hs_cart_url": TEXT,
        "hs_tags": TEXT,
        "hs_total_price": MONEY,
        "hs_subtotal_price": MONEY,
        "hs_cart_discount": MONEY,
        "hs_tax": MONEY,
        "hs_shipping_cost": MONEY,
        "hs_currency_code": CURRENCY,
    },
    read_only=(*_SERVER_OWNED, "hs_createdate", "hs_exchange_rate", "hs_homecurrency_amount"),
)

TABLES: Mapping[str, Table] = {
    "orders": _ORDERS,
    "line_items": _LINE_ITEMS,
    "commerce_payments": _COMMERCE_PAYMENTS,
    "carts": _CARTS,
}
"""The object types that can be written."""


def tables_with(custom: Mapping[str, Iterable[str] | Mapping[str, Property]]) -> dict[str, Table]:
    """Return the tables with the properties of an account added.

    Args:
        custom: By object type, the names of properties that take any text, or each name with what it takes.
            A name alone leaves a property that HubSpot sets up as it is; what it takes replaces it.

    Raises:
        ConfigurationError: If a declaration cannot be.
    """
    if unknown := set(custom) - set(TABLES):
        raise ConfigurationError(
            f"properties are declared for {', '.join(sorted(unknown))}; "
            f"object types that have some are {', '.join(TABLES)}"
        )
    return {name: _table_with(table, custom.get(name, ())) for name, table in TABLES.items()}


def _table_with(table: Table, custom: Iterable[str] | Mapping[str, Property]) -> Table:
    if isinstance(custom, Mapping):
        return _declared(table, custom)
    names = (custom,) if isinstance(custom, str) else tuple(custom)
    if isinstance(custom, str) or not all(names):
        raise ConfigurationError('declare properties as a list of names: {"orders": ["my_field"]}')
    return replace(table, properties={**dict.fromkeys(names, TEXT), **table.properties})


def _declared(table: Table, custom: Mapping[str, Property]) -> Table:
    for name, rule in custom.items():
        _check(name, rule)
    by_hubspot = set(table.required)
    form = frozenset(name for name, rule in custom.items() if rule.required) - by_hubspot
    return replace(table, properties={**table.properties, **custom}, form=form)


def _check(name: str, rule: Property) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name of a property; use small letters, digits and underscores"
        )
    if bool(rule.options) != (rule.kind == "enumeration") or rule.multiple > (rule.kind == "enumeration"):
        raise ConfigurationError(f"{name}: an enumeration has options, and nothing else has them")
    if rule.read_only and (rule.required or rule.unique):
        raise ConfigurationError(f"{name} cannot be written, so it is neither required nor unique")
