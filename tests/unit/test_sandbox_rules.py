"""Which property values the sandbox refuses."""

from collections.abc import Iterator, Mapping

import msgspec
import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._associations import TARGETS
from hubspot_batch.sandbox import _values
from hubspot_batch.sandbox._object_types import OBJECT_TYPES, SCHEMAS, schemas_with
from hubspot_batch.sandbox._schemas import ObjectSchema, Property
from hubspot_batch.sandbox._values import PropertyError


def errors_of(
    schema: ObjectSchema, properties: Mapping[str, str], *, creating: bool
) -> Iterator[PropertyError]:
    """The faults where the account requires nothing of its own."""
    return _values.property_errors(schema, properties, schema.required_by_hubspot, creating=creating)


def codes(object_type: str, name: str, value: str) -> list[str]:
    """The codes for one property of an update, in which nothing is required."""
    return [fault.code for fault in errors_of(SCHEMAS[object_type], {name: value}, creating=False)]


@pytest.mark.parametrize("value", ["0", "9", "-9", "+9", "9.00", ".5", "5.", "0123", "1" * 400, ""])
def test_numbers(value: str) -> None:
    assert codes("orders", "hs_tax", value) == []


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "1,0",
        "1,000.00",
        "$1",
        "1.0.0",
        "1e5",
        " 1",
        "1 ",
        "1\n",
        ".",
        "-",
        "NaN",
        "Infinity",
        "٣",
        "0x1",
    ],
)
def test_what_is_not_a_number(value: str) -> None:
    (fault,) = errors_of(SCHEMAS["orders"], {"hs_tax": value}, creating=False)
    assert fault.name == "hs_tax"
    assert fault.code == "INVALID_LONG"
    assert fault.message == f"{value} was not a valid long."


@pytest.mark.parametrize("value", ["1", "2147483647", ""])
def test_owners(value: str) -> None:
    assert codes("orders", "hubspot_owner_id", value) == []


@pytest.mark.parametrize("value", ["0", "-1", "2147483648", "29947847357121", "1.0", "ann", "9" * 5_000])
def test_what_is_not_an_owner(value: str) -> None:
    assert codes("orders", "hubspot_owner_id", value) == ["INVALID_INTEGER"]


@pytest.mark.parametrize("value", ["true", "false", ""])
def test_booleans(value: str) -> None:
    assert codes("orders", "hs_buyer_accepts_marketing", value) == []


@pytest.mark.parametrize("value", ["yes", "True", "TRUE", "1", "0", " true"])
def test_what_is_not_a_boolean(value: str) -> None:
    (fault,) = errors_of(SCHEMAS["orders"], {"hs_buyer_accepts_marketing": value}, creating=False)
    assert fault.code == "INVALID_OPTION"
    assert fault.message == f"{value} was not one of the allowed options: [true, false]"


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-01T08:15:00.000Z",
        "2026-09-01T08:15:00Z",
        "2026-09-01T08:15:00.5Z",
        "2026-09-01T08:15:00-04:00",
        "2026-09-01",
        "2024-02-29",
        "1788250500000",
        "0",
        "-1",
        "",
    ],
)
def test_moments(value: str) -> None:
    assert codes("orders", "hs_processed_date", value) == []


@pytest.mark.parametrize(
    "value",
    [
        "13/01/1997",
        "2026-09-01T08:15:00",
        "2026-09-01T08:15Z",
        "2019-05-13T12:05:53.602759Z",
        "2026-09-01 08:15:00Z",
        "2026-09-01T08:15:00z",
        "2026-09-01T24:00:00Z",
        "2026-09-01T08:60:00Z",
        "2026-09-01T08:15:00+0400",
        "2026-09-01T08:15:00+99:00",
        "2026-02-30",
        "2026-13-01",
        "0000-01-01",
        "0001-01-01T00:00:00+01:00",
        "20260901T081500Z",
        "2026-W36-2",
        "tomorrow",
        "999999999999999",
        "1" * 5_000,
        "1788250500.0",
        "٢٢٢٦-٩٩-٢٩",
    ],
)
def test_what_is_not_a_moment(value: str) -> None:
    assert codes("orders", "hs_processed_date", value) == ["INVALID_LONG"]


@pytest.mark.parametrize(
    "value", ["2026-09-01", "2026-09-01T00:00:00.000Z", "2026-09-01T02:00:00+02:00", "1788220800000", "0", ""]
)
def test_dates(value: str) -> None:
    assert codes("line_items", "hs_recurring_billing_start_date", value) == []


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("1788250500007", "INVALID_DATE", "1788250500007 is at 8:15:0.7 UTC, not midnight!"),
        (
            "2026-09-01T00:00:00+02:00",
            "INVALID_DATE",
            "2026-09-01T00:00:00+02:00 is at 22:0:0.0 UTC, not midnight!",
        ),
        ("-1", "INVALID_DATE", "-1 is at 23:59:59.999 UTC, not midnight!"),
        ("01.09.2026", "INVALID_LONG", "01.09.2026 was not a valid long."),
    ],
)
def test_what_is_not_a_date(value: str, code: str, message: str) -> None:
    properties = {"hs_recurring_billing_start_date": value}
    (fault,) = errors_of(SCHEMAS["line_items"], properties, creating=False)
    assert (fault.code, fault.message) == (code, message)


@pytest.mark.parametrize(
    ("object_type", "name", "value"),
    [
        ("orders", "hs_currency_code", "EUR"),
        ("orders", "hs_pipeline", "14a2e10e-5471-408a-906e-c51f3b04369e"),
        ("orders", "hs_pipeline_stage", "3c85a297-e9ce-400b-b42e-9f16853d69d6"),
        ("line_items", "recurringbillingfrequency", "per_six_months"),
        ("line_items", "hs_line_item_currency_code", "JPY"),
        ("commerce_payments", "hs_latest_status", "disputed_awaiting_decision"),
        ("commerce_payments", "hs_payment_method_type", "wire_transfer"),
        ("commerce_payments", "hs_processor_type", "none"),
        ("carts", "hs_currency_code", "USD"),
    ],
)
def test_options_are_exact(object_type: str, name: str, value: str) -> None:
    assert codes(object_type, name, value) == []
    for other in (value.swapcase(), f"{value} ", f" {value}", f";{value}", f"{value};{value}", "other_one"):
        assert codes(object_type, name, other) == ["INVALID_OPTION"]


@pytest.mark.parametrize(
    ("object_type", "name"),
    [
        ("orders", "hs_object_id"),
        ("orders", "hs_createdate"),
        ("orders", "hs_lastmodifieddate"),
        ("orders", "hs_object_source"),
        ("orders", "hs_object_source_label"),
        ("orders", "hs_closed_date"),
        ("orders", "hs_exchange_rate"),
        ("line_items", "createdate"),
        ("line_items", "hs_margin"),
        ("line_items", "hs_margin_mrr"),
        ("line_items", "hs_recurring_billing_terms"),
        ("commerce_payments", "hs_fees_amount_in_portal_currency"),
        ("commerce_payments", "hs_initial_amount_in_settlement_currency"),
        ("commerce_payments", "hs_platform_fee"),
        ("commerce_payments", "hs_max_refundable_amount"),
        ("commerce_payments", "hs_payment_id"),
        ("carts", "hs_homecurrency_amount"),
    ],
)
@pytest.mark.parametrize("value", ["1", ""])
def test_read_only_properties(object_type: str, name: str, value: str) -> None:
    (fault,) = errors_of(SCHEMAS[object_type], {name: value}, creating=False)
    assert fault.code == "READ_ONLY_VALUE"
    assert fault.message == f'"{name}" is a read only property; its value cannot be set.'


@pytest.mark.parametrize("name", ["colour", "hs_colour", "HS_TAX", "hs_tax ", "createdate", "hs_cart_name"])
@pytest.mark.parametrize("value", ["1", ""])
def test_properties_that_do_not_exist(name: str, value: str) -> None:
    (fault,) = errors_of(SCHEMAS["orders"], {name: value}, creating=False)
    assert fault.code == "PROPERTY_DOESNT_EXIST"
    assert fault.message == f'Property "{name}" does not exist'


@pytest.mark.parametrize(
    ("object_type", "required"),
    [
        ("orders", ["hs_order_name"]),
        ("line_items", []),
        ("commerce_payments", ["hs_initial_amount", "hs_initiated_date"]),
        ("carts", []),
    ],
)
def test_what_a_new_record_needs(object_type: str, required: list[str]) -> None:
    schema = SCHEMAS[object_type]
    for properties in ({}, dict.fromkeys(required, "")):
        faults = list(errors_of(schema, properties, creating=True))
        assert [(fault.name, fault.code) for fault in faults] == [
            (name, "MISSING_REQUIRED_PROPERTY") for name in required
        ]
    assert list(errors_of(schema, {}, creating=False)) == []
    cleared = errors_of(schema, dict.fromkeys(required, ""), creating=False)
    assert [fault.name for fault in cleared] == required


def test_every_fault_of_an_input_is_reported() -> None:
    properties = {"hs_tax": "x", "colour": "red", "hs_object_id": "1", "hs_tags": "fine"}
    faults = list(errors_of(SCHEMAS["orders"], properties, creating=True))
    assert [fault.name for fault in faults] == ["hs_tax", "colour", "hs_object_id", "hs_order_name"]


COLOURS = Property("enumeration", ("red", "green", "blue"), multiple=True)


@pytest.mark.parametrize("value", ["red", "red;blue", "blue;red", ";red", ";red;blue", ""])
def test_several_options(value: str) -> None:
    schema = schemas_with({"carts": {"colours": COLOURS}})["carts"]
    assert list(errors_of(schema, {"colours": value}, creating=True)) == []


@pytest.mark.parametrize(
    "value", [";", "red;", "red;;blue", ";;red", "red; blue", "pink", "red;pink", "red,blue"]
)
def test_what_are_no_several_options(value: str) -> None:
    schema = schemas_with({"carts": {"colours": COLOURS}})["carts"]
    (fault,) = errors_of(schema, {"colours": value}, creating=True)
    assert fault.code == "INVALID_OPTION"
    assert fault.message == f"{value} was not one of the allowed options: [red, green, blue]"


def test_a_custom_property_can_be_read_only() -> None:
    schema = schemas_with({"carts": {"score": Property("number", read_only=True)}})["carts"]
    (fault,) = errors_of(schema, {"score": "1"}, creating=True)
    assert fault.code == "READ_ONLY_VALUE"


def test_no_property_is_both_writable_and_read_only() -> None:
    for schema in SCHEMAS.values():
        patterns = msgspec.structs.replace(schema, properties={})
        writable = [name for name, rule in schema.properties.items() if not rule.read_only]
        assert [name for name in writable if patterns.is_read_only(name)] == []
        assert schema.is_read_only(schema.created)


def test_the_schemas_are_those_of_the_document() -> None:
    written = {name.partition("_")[2] for name in contract.operations() if name.startswith("create_")}
    assert written - {"associations"} == set(TARGETS) < set(SCHEMAS) < OBJECT_TYPES


def test_there_are_no_repeated_options() -> None:
    for schema in SCHEMAS.values():
        for rule in schema.properties.values():
            assert len(set(rule.options)) == len(rule.options)
            assert bool(rule.options) == (rule.kind == "enumeration")


@pytest.mark.parametrize(
    ("object_type", "type_id", "target"),
    [
        ("orders", 507, "contacts"),
        ("orders", 509, "companies"),
        ("orders", 523, "commerce_payments"),
        ("line_items", 514, "orders"),
        ("commerce_payments", 524, "orders"),
        ("commerce_payments", 542, "invoices"),
        ("carts", 592, "orders"),
    ],
)
def test_association_types(object_type: str, type_id: int, target: str) -> None:
    assert TARGETS[object_type][type_id] == target


def test_an_association_type_starts_at_one_object_type() -> None:
    numbers = [number for row in TARGETS.values() for number in row]
    assert len(set(numbers)) == len(numbers) == 55
