"""How values are stored, what the server adds, which properties an account has, and how bodies are read."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.replies._matching import Written, match_written
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._object_types import SCHEMAS, schemas_with
from hubspot_batch.sandbox._positions import line_and_column, offset_of
from hubspot_batch.sandbox._requests import read_changes, read_creates
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._values import stored_values

Input = TypeVar("Input")

COLOURS = Property("enumeration", ("red", "green", "blue"), multiple=True)
TABLE = schemas_with({"line_items": {"colours": COLOURS, "mail": Property("email")}})["line_items"]


def stored(name: str, value: str, before: str | None = None, *, normalise: bool = True) -> str | None:
    return stored_values(TABLE, {name: before}, {name: value}, normalise=normalise)[name]


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("price", "9", "9.00"),
        ("price", "9.5", "9.50"),
        ("price", "9.999", "9.999"),
        ("price", "+09.1200", "9.12"),
        ("price", "-.5", "-0.50"),
        ("price", "-0", "0.00"),
        ("price", "1" * 400, "1" * 400 + ".00"),
        ("quantity", "9.00", "9"),
        ("quantity", "9.50", "9.5"),
        ("quantity", "000", "0"),
        ("quantity", "5.", "5"),
        ("hs_recurring_billing_start_date", "2026-09-01T02:00:00+02:00", "2026-09-01"),
        ("hs_recurring_billing_start_date", "1788220800000", "2026-09-01"),
        ("hs_recurring_billing_start_date", "0999-01-01", "0999-01-01"),
        ("mail", "Ann@Example.COM", "ann@example.com"),
        ("name", " Ann@Example.COM ", " Ann@Example.COM "),
        ("recurringbillingfrequency", "weekly", "weekly"),
        ("colours", "blue;red", "red;blue"),
        ("colours", ";blue", "blue"),
        ("price", "", None),
        ("colours", "", None),
    ],
)
def test_a_value_is_stored_in_hubspots_form(name: str, value: str, form: str | None) -> None:
    assert stored(name, value) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2026-09-01T08:15:00.000Z", "2026-09-01T08:15:00Z"),
        ("2026-09-01T08:15:00.07Z", "2026-09-01T08:15:00.070Z"),
        ("2026-09-01T04:15:00-04:00", "2026-09-01T08:15:00Z"),
        ("1788250500007", "2026-09-01T08:15:00.007Z"),
        ("2026-09-01", "2026-09-01T00:00:00Z"),
    ],
)
def test_a_moment_is_stored_in_utc(value: str, form: str) -> None:
    properties = {"hs_processed_date": value}
    assert stored_values(SCHEMAS["orders"], {}, properties, normalise=True) == {"hs_processed_date": form}


@pytest.mark.parametrize(
    ("name", "value"),
    [("price", "9"), ("mail", "A@B"), ("hs_recurring_billing_start_date", "0"), ("colours", "blue;red")],
)
def test_values_can_be_left_as_they_were_sent(name: str, value: str) -> None:
    assert stored(name, value, normalise=False) == value


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("green", ";red", "red;green"),
        ("green", ";green;red", "red;green"),
        ("green", "red", "red"),
        ("green;gone", ";red", "red;green"),
        (None, ";red", "red"),
    ],
)
def test_a_semicolon_at_the_beginning_appends(before: str | None, value: str, after: str) -> None:
    assert stored("colours", value, before) == after
    assert sorted((stored("colours", value, before, normalise=False) or "").split(";")) == sorted(
        after.split(";")
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", ("9", "+9.999", "1" * 60)),
        ("quantity", ("9.00", "10", "0.5")),
        ("hs_recurring_billing_start_date", ("1788220800000", "2026-09-02T00:00:00Z", "2026-09-03")),
        ("mail", ("A@B.example", "C@B.example", "d@B.example")),
        ("colours", ("blue;red", "green", "blue;green")),
    ],
)
def test_a_client_recognises_what_it_has_sent(name: str, values: tuple[str, ...]) -> None:
    inputs: list[dict[str, Any]] = [
        {"properties": {name: value}, "objectWriteTraceId": str(index)} for index, value in enumerate(values)
    ]
    written = [Written(value, None, {name: stored(name, value)}) for value in reversed(values)]
    assert match_written(inputs, written) == [2, 1, 0]


@pytest.mark.parametrize(
    ("stores", "amount"),
    [
        ({}, None),
        ({"price": "9.00"}, "9.00"),
        ({"price": "9.00", "quantity": "3"}, "27.00"),
        ({"price": "9.00", "quantity": "3", "discount": "1.50"}, "22.50"),
        ({"price": "10.00", "quantity": "2", "hs_discount_percentage": "12.5"}, "17.50"),
        ({"price": "9.00", "quantity": None}, "9.00"),
        ({"price": "9.00", "amount": "5.00"}, "5.00"),
    ],
)
def test_the_net_price_of_a_line_item_is_computed(stores: dict[str, str | None], amount: str | None) -> None:
    assert SCHEMAS["line_items"].computed(stores) == {"amount": amount}


def test_an_order_is_in_its_pipeline_and_in_the_home_currency() -> None:
    assert SCHEMAS["orders"].computed({"hs_total_price": "9.00", "hs_pipeline_stage": "x"}) == {
        "hs_pipeline": "14a2e10e-5471-408a-906e-c51f3b04369e",
        "hs_pipeline_stage": "x",
        "hs_exchange_rate": "1.0",
        "hs_homecurrency_amount": "9.00",
    }
    assert SCHEMAS["carts"].computed({}) == {"hs_exchange_rate": "1.0", "hs_homecurrency_amount": None}
    assert SCHEMAS["commerce_payments"].computed({}) == {}


def test_properties_can_be_declared_by_name_or_with_what_they_take() -> None:
    schemas = schemas_with({"orders": ["note"], "carts": {"hs_external_cart_id": Property(unique=True)}})
    assert schemas["orders"].properties["note"] == Property("text")
    assert schemas["orders"].unique == ("hs_unique_creation_key",)
    assert set(schemas["carts"].unique) == {"hs_unique_creation_key", "hs_external_cart_id"}
    assert set(schemas["line_items"].unique) == {"hs_unique_creation_key", "hs_external_id"}


def test_what_only_the_form_requires_is_kept_apart() -> None:
    rules = {"hs_order_name": Property(required=True), "shop": Property(required=True)}
    schema = schemas_with({"orders": rules})["orders"]
    assert set(schema.required) == {"hs_order_name", "shop"}
    assert schema.required_by_hubspot == ("hs_order_name",)


@pytest.mark.parametrize(
    ("name", "rule", "words"),
    [
        ("", Property(), "is not a property name"),
        ("My Field", Property(), "is not a property name"),
        ("x'", Property(unique=True), "is not a property name"),
        ("x", Property("enumeration"), "an enumeration has options"),
        ("x", Property("enumeration", ("a", "b"), labels=("A",)), "as many labels as options"),
        ("x", Property("text", labels=("A",)), "as many labels as options"),
        ("x", Property("text", ("a",)), "an enumeration has options"),
        ("x", Property("text", multiple=True), "an enumeration has options"),
        ("x", Property(read_only=True, required=True), "neither required nor unique"),
        ("x", Property(read_only=True, unique=True), "neither required nor unique"),
    ],
)
def test_an_invalid_declaration_is_refused(name: str, rule: Property, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        schemas_with({"orders": {name: rule}})


def test_the_place_of_a_value() -> None:
    text = b'{"a,]" : [ 1, {"\\u0062": {}, "c": [[], "x\\"]"]} ],\n "d": null}'
    places = {
        (): b"{",
        ("a,]",): b"[ 1",
        ("a,]", 0): b"1",
        ("a,]", 1, "b"): b"{}",
        ("a,]", 1, "c", 0): b"[]",
        ("a,]", 1, "c", 1): b'"x',
        ("d",): b"null",
    }
    for path, beginning in places.items():
        assert text[offset_of(text, path) :].startswith(beginning)
    assert offset_of(text, ("e",)) == 0
    assert line_and_column(text, offset_of(text, ("d",))) == (2, 7)
    assert line_and_column(text, 0) == (1, 1)


def body(*inputs: dict[str, Any]) -> bytes:
    return json.dumps({"inputs": inputs}).encode()


def taken(inputs: Sequence[Input] | Refusal) -> Sequence[Input]:
    assert not isinstance(inputs, Refusal)
    return inputs


def refused(inputs: object) -> str:
    assert isinstance(inputs, Refusal)
    return inputs.message


def test_numbers_and_booleans_become_texts_as_they_were_written_and_null_is_nothing() -> None:
    content = b'{"inputs": [{"properties": {"a": 1.50, "b": -7, "c": false, "d": null, "e": 1e5, "f": "x"}}]}'
    (item,) = taken(read_creates(content))
    assert item.properties == {"a": "1.50", "b": "-7", "c": "false", "e": "1e5", "f": "x"}
    assert item.trace_id is None


def test_ids_can_be_numbers() -> None:
    (item,) = taken(
        read_changes(
            body({"id": 7, "properties": {"name": None}, "objectWriteTraceId": 8, "idProperty": None})
        )
    )
    assert (item.id, item.trace_id, item.id_property) == ("7", "8", None)
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": "507"}]
    content = body({"properties": {}, "associations": [{"to": {"id": 9}, "types": kinds}]})
    (new,) = taken(read_creates(content))
    assert [(link.to_id, link.type_id) for link in new.links] == [("9", 507)]


@pytest.mark.parametrize("associations", [None, []])
def test_a_record_needs_no_associations(associations: list[Any] | None) -> None:
    (item,) = taken(read_creates(body({"properties": {}, "associations": associations})))
    assert item.links == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (body({"id": None, "properties": {}}), "on line 1, column 20: Cannot deserialize"),
        (body({"id": "1", "properties": None}), "column 39: Cannot deserialize"),
        (b'{"inputs": [\n{"id": "1", "properties": {}},\n}]}', "on line 3, column 1: Cannot read"),
        (b'{"inputs": [{"id": "1", "properties": 1}, ', "on line 1, column 43: Cannot read"),
        (b'{"inputs": [{"id": "1", "properties": {"a": %s}}]}' % (b"9" * 5_000), "Invalid input JSON"),
    ],
)
def test_the_place_of_what_is_wrong_is_reported(content: bytes, words: str) -> None:
    assert words in refused(read_changes(content))


def test_an_unknown_category_is_unreadable_and_not_repeated() -> None:
    kinds = [{"associationCategory": "`$.x` Expected `int", "associationTypeId": 507}]
    content = body({"properties": {}, "associations": [{"to": {"id": "9"}, "types": kinds}]})
    message = refused(read_creates(content))
    assert "$.x" not in message
    assert message.endswith("line 1, column 103: Cannot deserialize value of type `java.lang.Object`")
