"""The associations that a new record can have, as data (docs/behaviour.md, "Associations")."""

from collections.abc import Mapping

TARGETS: Mapping[str, Mapping[int, str]] = {
    "orders": {
        507: "contacts",
        934: "companies",
        509: "companies",
        512: "deals",
        513: "line_items",
        593: "carts",
        523: "commerce_payments",
        518: "invoices",
        516: "subscriptions",
        519: "discounts",
        521: "discount_codes",
        730: "quotes",
        525: "tickets",
        726: "tasks",
        764: "notes",
        768: "meetings",
        772: "calls",
        776: "emails",
        784: "communications",
        789: "postal_mail",
        1168: "feedback_submissions",
    },
    "line_items": {
        20: "deals",
        514: "orders",
        591: "carts",
        571: "abandoned_carts",
        68: "quotes",
        410: "invoices",
        396: "commerce_payments",
        759: "payment_links",
        302: "subscriptions",
        565: "subscriptions",
        368: "discounts",
        1345: "projects",
    },
    "commerce_payments": {
        387: "contacts",
        389: "companies",
        391: "deals",
        542: "invoices",
        395: "line_items",
        524: "orders",
        476: "payment_links",
        397: "quotes",
        393: "subscriptions",
        428: "discounts",
        1326: "fees",
        1354: "tickets",
        1170: "feedback_submissions",
    },
    "carts": {
        586: "contacts",
        1347: "deals",
        588: "discounts",
        590: "line_items",
        592: "orders",
        732: "quotes",
        728: "tasks",
        594: "tickets",
        1158: "feedback_submissions",
    },
}
"""For each object type that can be written: association type ids, and what they lead to."""

OBJECT_TYPES = frozenset(TARGETS) | {name for row in TARGETS.values() for name in row.values()}
"""Every object type of which the sandbox can hold records."""
