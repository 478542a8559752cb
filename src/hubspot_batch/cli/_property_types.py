"""The types of HubSpot's own properties that are not text (docs/behaviour.md, "Orders" to "Carts").

An account's definitions say more: they know its own properties and the options.
"""

from collections.abc import Mapping

from hubspot_batch.cli._cells import Kind

_NAMES: Mapping[str, Mapping[Kind, str]] = {
    "orders": {
        "bool": "hs_buyer_accepts_marketing",
        "datetime": (
            "hs_external_created_date hs_external_modified_date hs_external_canceled_date hs_processed_date"
        ),
        "enumeration": "hs_currency_code hs_pipeline hs_pipeline_stage",
        "number": (
            "hs_total_price hs_subtotal_price hs_tax hs_shipping_cost hs_order_discount hs_refund_amount "
            "hs_total_weight"
        ),
    },
    "line_items": {
        "date": "hs_recurring_billing_start_date hs_recurring_billing_end_date",
        "enumeration": "hs_line_item_currency_code recurringbillingfrequency",
        "number": (
            "quantity price amount discount hs_discount_percentage hs_product_id hs_tax_rate_group_id "
            "hs_position_on_quote"
        ),
    },
    "commerce_payments": {
        "datetime": "hs_initiated_date hs_payout_date",
        "enumeration": "hs_currency_code hs_latest_status hs_payment_method_type hs_processor_type",
        "number": "hs_initial_amount hs_fees_amount hs_refunds_amount hs_line_item_discounts_amount",
    },
    "carts": {
        "enumeration": "hs_currency_code",
        "number": "hs_total_price hs_subtotal_price hs_cart_discount hs_tax hs_shipping_cost",
    },
}
PROPERTY_TYPES: Mapping[str, Mapping[str, Kind]] = {
    object_type: {name: kind for kind, names in kinds.items() for name in names.split()}
    for object_type, kinds in _NAMES.items()
}
"""Object type to the properties that take something else than text, each with its type."""
