"""How HubSpot writes the values that it stores, and what it adds (docs/behaviour.md, "Property values").

A value changes its form, never its meaning.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from hubspot_batch.sandbox._rules import moment_of
from hubspot_batch.sandbox._table import Property, Table

Values: TypeAlias = Mapping[str, str | None]

_PIPELINE = {
    "hs_pipeline": "14a2e10e-5471-408a-906e-c51f3b04369e",
    "hs_pipeline_stage": "4b27b500-f031-4927-9811-68a0b525cbae",
}
"""Where an order is that was put nowhere else."""


def settled(
    table: Table, before: Values, submitted: Mapping[str, str], *, normalise: bool
) -> dict[str, str | None]:
    """Return what a record stores of the properties that are submitted.

    Args:
        table: The properties of the object type.
        before: Those of the record, empty for a new one.
        submitted: Those to write; each can be.
        normalise: Whether values are written in HubSpot's way.
    """
    rules = table.properties
    return {
        name: _settled(rules[name], before.get(name), value, normalise=normalise) if value else None
        for name, value in submitted.items()
    }


def _settled(rule: Property, before: str | None, value: str, *, normalise: bool) -> str:
    if rule.multiple:
        return _chosen(rule, before, value, in_order=normalise)
    if rule.kind == "text" or not normalise:
        return value
    return _written(rule, value)


def _written(rule: Property, value: str) -> str:
    match rule.kind:
        case "money":
            return _number(value, 2)
        case "number":
            return _number(value, 0)
        case "email":
            return value.lower()
        case "date" | "datetime" if moment := moment_of(value):
            return moment.date().isoformat() if rule.kind == "date" else _moment(moment)
        case _:
            return value


def _number(value: str, decimals: int) -> str:
    whole, _, fraction = value.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    digits = f"{whole.lstrip('0') or '0'}{'.' if fraction else ''}{fraction}"
    return f"-{digits}" if value.startswith("-") and digits.strip("0.") else digits


def _moment(moment: datetime) -> str:
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _chosen(rule: Property, before: str | None, value: str, *, in_order: bool) -> str:
    """Return several options; a leading `;` appends to those that are there."""
    chosen = value.removeprefix(";").split(";")
    if value.startswith(";") and before:
        kept = [option for option in before.split(";") if option in rule.options]
        chosen = kept + [option for option in chosen if option not in kept]
    return ";".join(sorted(chosen, key=rule.options.index) if in_order else chosen)


def computed(object_type: str, stored: Values) -> dict[str, str | None]:
    """Return the properties that the server works out for a record, unless it stores them."""
    worked_out = _worked_out(object_type, stored)
    return {name: stored.get(name) or value for name, value in worked_out.items()}


def _worked_out(object_type: str, stored: Values) -> dict[str, str | None]:
    match object_type:
        case "orders":
            return {**_PIPELINE, **_in_home_currency(stored)}
        case "carts":
            return _in_home_currency(stored)
        case "line_items":
            return {"amount": _net_price(stored)}
        case _:
            return {}


def _in_home_currency(stored: Values) -> dict[str, str | None]:
    return {"hs_exchange_rate": "1.0", "hs_homecurrency_amount": stored.get("hs_total_price")}


def _net_price(stored: Values) -> str | None:
    price = stored.get("price")
    if price is None:
        return None
    # The discount is one for each unit.
    unit = Decimal(price) - Decimal(stored.get("discount") or 0)
    share = 1 - Decimal(stored.get("hs_discount_percentage") or 0) / 100
    net = unit * share * Decimal(stored.get("quantity") or 1)
    return _number(f"{net:f}", 2)
