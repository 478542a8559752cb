"""The object types and their properties, as data (docs/behaviour.md, "Orders" to "Carts")."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TypeAlias

from msgspec.structs import replace

from hubspot_batch.contract._associations import OBJECT_TYPES as ASSOCIATED
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._currencies import CURRENCIES
from hubspot_batch.sandbox._formats import write_number
from hubspot_batch.sandbox._schemas import ObjectSchema, Property, Values

CustomProperties: TypeAlias = Mapping[str, Collection[str] | Mapping[str, Property]]

_NAME = re.compile(r"[a-z0-9_]+", re.ASCII)
_MOST_UNIQUE = 10

TEXT = Property("text")
EMAIL = Property("email")
NUMBER = Property("number")
MONEY = Property("money")
OWNER = Property("owner")
DATE = Property("date")
DATETIME = Property("datetime")
BOOLEAN = Property("boolean")

CURRENCY = Property("enumeration", CURRENCIES)

TEXT_READ = Property("text", read_only=True)
NUMBER_READ = Property("number", read_only=True)
MONEY_READ = Property("money", read_only=True)
DATETIME_READ = Property("datetime", read_only=True)
BOOLEAN_READ = Property("boolean", read_only=True)

PIPELINE = Property("enumeration", ("14a2e10e-5471-408a-906e-c51f3b04369e",), labels=("Order Pipeline",))
STAGE = Property(
    "enumeration",
    (
        "4b27b500-f031-4927-9811-68a0b525cbae",
        "937ea84d-0a4f-4dcf-9028-3f9c2aafbf03",
        "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
        "3725360f-519b-4b18-a593-494d60a29c9f",
        "3c85a297-e9ce-400b-b42e-9f16853d69d6",
    ),
    labels=("Open", "Processed", "Shipped", "Delivered", "Cancelled"),
)

_SERVER_OWNED = {
    "hs_object_id": NUMBER_READ,
    "hs_lastmodifieddate": DATETIME_READ,
    "hs_object_source": TEXT_READ,
    "hs_object_source_id": TEXT_READ,
    "hs_object_source_label": TEXT_READ,
    # Unique, and still no key of a caller's: HubSpot alone writes it.
    "hs_unique_creation_key": Property("text", unique=True, read_only=True),
}

_DEFAULT_STAGE = {"hs_pipeline": PIPELINE.options[0], "hs_pipeline_stage": STAGE.options[0]}


def _of_an_order(stored: Values) -> Values:
    return {**_DEFAULT_STAGE, **_of_a_cart(stored)}


def _of_a_cart(stored: Values) -> Values:
    return {"hs_exchange_rate": "1.0", "hs_homecurrency_amount": stored.get("hs_total_price")}


def _of_a_line_item(stored: Values) -> Values:
    return {"amount": _net_price(stored)}


def _net_price(stored: Values) -> str | None:
    price = stored.get("price")
    if price is None:
        return None
    # The discount is one for each unit.
    unit = Decimal(price) - Decimal(stored.get("discount") or 0)
    share = 1 - Decimal(stored.get("hs_discount_percentage") or 0) / 100
    net = unit * share * Decimal(stored.get("quantity") or 1)
    return write_number(f"{net:f}", 2)


_ORDERS = ObjectSchema(
    name="orders",
    singular="order",
    type_id="0-123",
    scope="orders",
    title="hs_order_name",
    properties={
        "hs_order_name": Property("text", required=True),
        "hs_currency_code": CURRENCY,
        "hs_buyer_accepts_marketing": BOOLEAN,
        "hs_pipeline": PIPELINE,
        "hs_pipeline_stage": STAGE,
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
        **_SERVER_OWNED,
        "hs_createdate": DATETIME_READ,
        "hs_closed_date": DATETIME_READ,
        "hs_is_closed": BOOLEAN_READ,
        "hs_is_canceled": BOOLEAN_READ,
        "hs_homecurrency_amount": MONEY_READ,
        "hs_exchange_rate": NUMBER_READ,
    },
    read_only=("hs_object_source*",),
    compute=_of_an_order,
)

_LINE_ITEMS = ObjectSchema(
    name="line_items",
    singular="line_item",
    type_id="0-8",
    scope="line_items",
    title="name",
    defaults=("quantity", "amount", "price"),
    properties={
        "name": TEXT,
        "description": TEXT,
        "hs_sku": TEXT,
        "hs_url": TEXT,
        "hs_images": TEXT,
        "quantity": NUMBER,
        "price": Property("money", minimum=0),
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
        **_SERVER_OWNED,
        "createdate": DATETIME_READ,
        "hs_recurring_billing_number_of_payments": NUMBER_READ,
        "hs_recurring_billing_terms": TEXT_READ,
        "hs_mrr": MONEY_READ,
        "hs_arr": MONEY_READ,
        "hs_acv": MONEY_READ,
        "hs_tcv": MONEY_READ,
        "hs_total_discount": MONEY_READ,
        "hs_pre_discount_amount": MONEY_READ,
        "hs_post_tax_amount": MONEY_READ,
    },
    read_only=(
        "hs_object_source*",
        "hs_margin*",
    ),
    created="createdate",
    compute=_of_a_line_item,
)

_COMMERCE_PAYMENTS = ObjectSchema(
    name="commerce_payments",
    singular="commerce_payment",
    type_id="0-101",
    scope="commercepayments",
    title="hs_reference_number",
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
        **_SERVER_OWNED,
        "hs_createdate": DATETIME_READ,
        "hs_digital_wallet_type": TEXT_READ,
        "hs_order_discount_code": TEXT_READ,
        "hs_order_discount_amount": MONEY_READ,
        "hs_order_discount_percentage": NUMBER_READ,
        "hs_payment_id": TEXT_READ,
        "hs_payment_method": TEXT_READ,
        "hs_payment_source_app": TEXT_READ,
        "hs_payment_source_id": TEXT_READ,
        "hs_payment_source_name": TEXT_READ,
        "hs_payment_source_url": TEXT_READ,
        "hs_payment_type": TEXT_READ,
        "hs_settlement_currency_code": TEXT_READ,
        "hs_total_discounts_amount": MONEY_READ,
    },
    read_only=(
        "hs_object_source*",
        "*_in_settlement_currency",
        "*_in_portal_currency",
        "hs_platform_fee*",
        "hs_max_refundable_*",
    ),
)

_CARTS = ObjectSchema(
    name="carts",
    singular="cart",
    type_id="0-142",
    scope="carts",
    title="hs_cart_name",
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
        **_SERVER_OWNED,
        "hs_createdate": DATETIME_READ,
        "hs_exchange_rate": NUMBER_READ,
        "hs_homecurrency_amount": MONEY_READ,
    },
    read_only=("hs_object_source*",),
    compute=_of_a_cart,
)

_CONTACTS = ObjectSchema(
    name="contacts",
    singular="contact",
    type_id="0-1",
    scope="contacts",
    title="email",
    defaults=("email", "firstname", "lastname"),
    properties={
        "email": Property("email", unique=True),
        "firstname": TEXT,
        "lastname": TEXT,
        "phone": TEXT,
        "mobilephone": TEXT,
        "company": TEXT,
        "jobtitle": TEXT,
        "website": TEXT,
        "address": TEXT,
        "city": TEXT,
        "state": TEXT,
        "zip": TEXT,
        "country": TEXT,
        "hubspot_owner_id": OWNER,
        **_SERVER_OWNED,
        "createdate": DATETIME_READ,
        "lastmodifieddate": DATETIME_READ,
    },
    read_only=("hs_object_source*",),
    created="createdate",
    modified="lastmodifieddate",
)

_COMPANIES = ObjectSchema(
    name="companies",
    singular="company",
    type_id="0-2",
    scope="companies",
    title="name",
    defaults=("name", "domain"),
    properties={
        "name": TEXT,
        "domain": TEXT,
        "website": TEXT,
        "description": TEXT,
        "phone": TEXT,
        "address": TEXT,
        "address2": TEXT,
        "city": TEXT,
        "state": TEXT,
        "zip": TEXT,
        "country": TEXT,
        "industry": TEXT,
        "annualrevenue": MONEY,
        "numberofemployees": NUMBER,
        "hubspot_owner_id": OWNER,
        **_SERVER_OWNED,
        "createdate": DATETIME_READ,
    },
    read_only=("hs_object_source*",),
    created="createdate",
)

_DEALS = ObjectSchema(
    name="deals",
    singular="deal",
    type_id="0-3",
    scope="deals",
    title="dealname",
    defaults=("dealname", "amount", "closedate", "pipeline", "dealstage"),
    properties={
        "dealname": TEXT,
        "amount": MONEY,
        "closedate": DATETIME,
        "dealstage": TEXT,
        "pipeline": TEXT,
        "dealtype": TEXT,
        "description": TEXT,
        "deal_currency_code": CURRENCY,
        "hubspot_owner_id": OWNER,
        **_SERVER_OWNED,
        "createdate": DATETIME_READ,
    },
    read_only=("hs_object_source*",),
    created="createdate",
)

_PRODUCTS = ObjectSchema(
    name="products",
    singular="product",
    type_id="0-7",
    scope="products",
    title="name",
    defaults=("name", "description", "price"),
    properties={
        "name": TEXT,
        "description": TEXT,
        "price": Property("money", minimum=0),
        "hs_sku": TEXT,
        "hs_url": TEXT,
        "hs_images": TEXT,
        "hs_cost_of_goods_sold": MONEY,
        "hs_recurring_billing_period": TEXT,
        **_SERVER_OWNED,
        "createdate": DATETIME_READ,
    },
    read_only=("hs_object_source*",),
    created="createdate",
)

SCHEMAS: Mapping[str, ObjectSchema] = {
    schema.name: schema
    for schema in (
        *(_ORDERS, _LINE_ITEMS, _COMMERCE_PAYMENTS, _CARTS),
        *(_CONTACTS, _COMPANIES, _DEALS, _PRODUCTS),
    )
}
"""The object types whose records can be written or read."""

OBJECT_TYPES = ASSOCIATED | frozenset(SCHEMAS)
"""Every object type that a record of the sandbox can be."""


def schemas_with(custom: CustomProperties) -> dict[str, ObjectSchema]:
    """Return the object types with the properties of an account added.

    Args:
        custom: By object type, the names of properties that accept any text, or a `Property` by name.
            A name alone leaves a property of HubSpot's as it is; a `Property` replaces it.

    Raises:
        ConfigurationError: If a declaration is invalid.
    """
    if unknown := set(custom) - set(SCHEMAS):
        raise ConfigurationError(
            f"properties are declared for {', '.join(sorted(unknown))}; declare them for {', '.join(SCHEMAS)}"
        )
    return {name: _schema_with(schema, custom.get(name, ())) for name, schema in SCHEMAS.items()}


def _schema_with(schema: ObjectSchema, custom: Collection[str] | Mapping[str, Property]) -> ObjectSchema:
    if isinstance(custom, Mapping):
        return _declared(schema, custom)
    names = (custom,) if isinstance(custom, str) else tuple(custom)
    if isinstance(custom, str) or not all(names):
        raise ConfigurationError('declare properties as a list of names: {"orders": ["my_field"]}')
    for name in names:
        check_name(name)
    return defined(schema, {name: TEXT for name in names if name not in schema.properties})


def _declared(schema: ObjectSchema, custom: Mapping[str, Property]) -> ObjectSchema:
    for name, rule in custom.items():
        _check(name, rule)
    if sum(rule.unique for rule in custom.values()) > _MOST_UNIQUE:
        raise ConfigurationError(f"{schema.name} can have at most {_MOST_UNIQUE} unique properties")
    by_hubspot = set(schema.required)
    form = frozenset(name for name, rule in custom.items() if rule.required) - by_hubspot
    return replace(defined(schema, custom), form=form)


def defined(schema: ObjectSchema, properties: Mapping[str, Property]) -> ObjectSchema:
    """Return an object type with more properties, or with others in their place."""
    known = {**schema.properties, **properties}
    custom = frozenset(known) - frozenset(SCHEMAS[schema.name].properties)
    return replace(schema, properties=known, custom=custom)


def check_name(name: str) -> None:
    """Refuse the name of a property that HubSpot does not take.

    Raises:
        ConfigurationError: If it is one.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is not a property name; use small letters, digits and underscores"
        )


def _check(name: str, rule: Property) -> None:
    check_name(name)
    if bool(rule.options) != (rule.kind == "enumeration") or rule.multiple > (rule.kind == "enumeration"):
        raise ConfigurationError(f"{name}: an enumeration has options, and nothing else has them")
    if rule.labels and len(rule.labels) != len(rule.options):
        raise ConfigurationError(f"{name}: there are as many labels as options, or none")
    if rule.read_only and (rule.required or rule.unique):
        raise ConfigurationError(f"{name} cannot be written, so it is neither required nor unique")
