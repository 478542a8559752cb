"""HubSpot's own properties that can be written, and their types (docs/behaviour.md, "Orders" to "Carts").

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
            "hs_total_price hs_subtotal_price hs_tax hs_shipping_cost hs_order_discount "
            "hs_refund_amount hs_total_weight"
        ),
        "string": (
            "hs_order_name hs_source_store hs_fulfillment_status hs_payment_status "
            "hs_payment_processing_method hs_cancellation_reason hs_discount_codes hs_tags "
            "hs_order_note hs_landing_site hs_external_order_id hs_external_order_status "
            "hs_external_order_url hs_external_cart_id hs_external_checkout_id hs_shipping_status_url "
            "hs_shipping_tracking_number hs_shipping_address_name hs_shipping_address_street "
            "hs_shipping_address_city hs_shipping_address_state hs_shipping_address_postal_code "
            "hs_shipping_address_country hs_shipping_address_phone hs_billing_address_name "
            "hs_billing_address_firstname hs_billing_address_lastname hs_billing_address_email "
            "hs_billing_address_phone hs_billing_address_street hs_billing_address_city "
            "hs_billing_address_state hs_billing_address_postal_code hs_billing_address_country"
        ),
    },
    "line_items": {
        "date": "hs_recurring_billing_start_date hs_recurring_billing_end_date",
        "enumeration": "hs_line_item_currency_code recurringbillingfrequency",
        "number": (
            "quantity price amount discount hs_discount_percentage hs_product_id hs_tax_rate_group_id "
            "hs_position_on_quote"
        ),
        "string": (
            "name description hs_sku hs_url hs_images hs_recurring_billing_period hs_pricing_model "
            "hs_tier_ranges hs_tier_prices hs_external_id"
        ),
    },
    "commerce_payments": {
        "datetime": "hs_initiated_date hs_payout_date",
        "enumeration": "hs_currency_code hs_latest_status hs_payment_method_type hs_processor_type",
        "number": "hs_initial_amount hs_fees_amount hs_refunds_amount hs_line_item_discounts_amount",
        "string": (
            "hs_customer_email hs_internal_comment hs_reference_number "
            "hs_payment_method_bank_or_issuer hs_payment_method_last_4 hs_billing_address_city "
            "hs_billing_address_country hs_billing_address_line_1 hs_billing_address_line_2 "
            "hs_billing_address_state hs_billing_address_zip hs_shipping_address_city "
            "hs_shipping_address_country hs_shipping_address_line_1 hs_shipping_address_line_2 "
            "hs_shipping_address_state hs_shipping_address_zip hs_shipping_ship_to_name"
        ),
    },
    "carts": {
        "enumeration": "hs_currency_code",
        "number": "hs_total_price hs_subtotal_price hs_cart_discount hs_tax hs_shipping_cost",
        "string": "hs_cart_name hs_external_cart_id hs_source_store hs_external_status hs_cart_url hs_tags",
    },
}
PROPERTY_TYPES: Mapping[str, Mapping[str, Kind]] = {
    object_type: {name: kind for kind, names in kinds.items() for name in names.split()}
    for object_type, kinds in _NAMES.items()
}
"""Object type to HubSpot's own properties, each with its type. Owners are left out."""

_ADDRESS = {
    "name": "name kundenname kunde customer customername rechnungsname empfaenger",
    "street": "strasse street address adresse",
    "city": "ort stadt city",
    "postal_code": "plz postleitzahl zip postcode postalcode",
    "country": "land country",
    "phone": "telefon telefonnummer phone",
}
_MONEY = {
    "hs_total_price": "gesamtbetrag gesamtsumme gesamtpreis summe betrag total ordertotal grandtotal brutto",
    "hs_subtotal_price": "zwischensumme subtotal netto",
    "hs_tax": "mwst mehrwertsteuer ust steuer tax vat",
    "hs_shipping_cost": "versandkosten versand porto shipping shippingcost",
    "hs_currency_code": "waehrung currency currencycode",
    "hs_source_store": "shop store laden filiale",
}
_ORDER_NUMBER = "bestellnummer bestellnr auftragsnummer auftragsnr ordernumber orderno ordernr orderid"
_OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "orders": {
        **_MONEY,
        **{f"hs_billing_address_{name}": words for name, words in _ADDRESS.items()},
        "hs_external_order_id": f"{_ORDER_NUMBER} belegnummer number nummer",
        "hs_external_created_date": "bestelldatum auftragsdatum orderdate createdat created datum date",
        "hs_order_discount": "rabatt discount",
        "hs_billing_address_email": "email mail kundenemail customeremail emailadresse",
        "hs_buyer_accepts_marketing": "newsletter marketing acceptsmarketing",
        "hs_pipeline_stage": "status bestellstatus auftragsstatus orderstatus stage",
        "hs_order_note": "bemerkung bemerkungen notiz kommentar note notes comment",
        "hs_shipping_tracking_number": "sendungsnummer trackingnumber",
    },
    "line_items": {
        "name": "artikel artikelname bezeichnung produkt produktname product productname title",
        "hs_sku": "sku artikelnummer artikelnr artnr",
        "quantity": "menge anzahl qty",
        "price": "preis einzelpreis stueckpreis unitprice",
        "discount": "rabatt",
        "hs_external_id": "positionsnummer position itemnumber itemid",
    },
    "commerce_payments": {
        "hs_initial_amount": "betrag amount total summe zahlbetrag",
        "hs_initiated_date": "zahlungsdatum datum date paidat paymentdate",
        "hs_currency_code": "waehrung currency",
        "hs_customer_email": "email mail kundenemail customeremail",
        "hs_payment_method_type": "zahlungsart zahlart paymentmethod",
        "hs_reference_number": "transaktionsnummer referenz zahlungsnummer paymentnumber transactionid",
        "hs_latest_status": "status zahlungsstatus",
    },
    "carts": {
        **_MONEY,
        "hs_cart_name": "name cartname warenkorb",
        "hs_external_cart_id": "warenkorbnummer cartid cartnumber",
        "hs_cart_discount": "rabatt discount",
        "hs_external_status": "status",
    },
}


def likely_property(object_type: str, column: str) -> str | None:
    """Return the property of HubSpot's own that the name of a column may mean, in English or German."""
    word = _word_of(column)
    known = _OTHER_NAMES.get(object_type, {})
    return next((name for name, words in known.items() if word in words.split()), None)


def names_order(column: str) -> bool:
    """Return whether the values of a column may be numbers of orders, by its name."""
    return _word_of(column) in _ORDER_NUMBER.split()


def _word_of(column: str) -> str:
    plain = column.casefold().translate(_UMLAUTS)
    return "".join(character for character in plain if character.isalnum())


_UMLAUTS = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00df": "ss"})
