"""The faults that HubSpot writes as JSON at the end of a message are read where they are whole."""

import json

import pytest

from hubspot_batch.replies._refusals import TakenValue, reasons_in_message
from hubspot_batch.results import Reason

PREFIX = "Property values were not valid: "

# The shape of a real message (docs/behaviour.md, "Partial success").
MISSING = {
    "isValid": False,
    "message": 'Property "colour" does not exist',
    "error": "PROPERTY_DOESNT_EXIST",
    "name": "colour",
    "localizedErrorMessage": 'Property "colour" does not exist',
    "portalId": 62515,
}
TOO_LONG = {
    "isValid": False,
    "message": "9e9 was not a valid long.",
    "error": "INVALID_LONG",
    "name": "hs_tax",
}

COLOUR = Reason(code="PROPERTY_DOESNT_EXIST", property="colour", message='Property "colour" does not exist')
TAX = Reason(code="INVALID_LONG", property="hs_tax", message="9e9 was not a valid long.")


def test_each_fault_of_the_list_becomes_a_reason() -> None:
    assert reasons_in_message(PREFIX + json.dumps([MISSING, TOO_LONG])) == [COLOUR, TAX]


def test_text_before_the_prefix_is_passed_over() -> None:
    assert reasons_in_message(f"Something else. {PREFIX}{json.dumps([TOO_LONG])}") == [TAX]


def test_a_value_that_holds_the_prefix_and_quotes_is_read_as_a_value() -> None:
    fault = TOO_LONG | {"message": f'"{PREFIX}[]" was not a valid long.'}
    [reason] = reasons_in_message(PREFIX + json.dumps([fault]))
    assert reason.message == f'"{PREFIX}[]" was not a valid long.'


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({}, Reason()),
        ({"error": "INVALID_LONG"}, Reason(code="INVALID_LONG")),
        ({"name": "hs_tax"}, Reason(property="hs_tax")),
        ({"message": "words"}, Reason(message="words")),
        ({"error": None, "name": 5, "message": ["words"]}, Reason()),
        ({"error": {"code": "X"}, "name": "hs_tax"}, Reason(property="hs_tax")),
    ],
)
def test_what_is_absent_or_no_text_is_none(fault: dict[str, object], reason: Reason) -> None:
    assert reasons_in_message(PREFIX + json.dumps([fault])) == [reason]


def test_items_that_are_no_mappings_are_passed_over() -> None:
    items = [None, 1, "text", [TOO_LONG], MISSING, True]
    assert reasons_in_message(PREFIX + json.dumps(items)) == [COLOUR]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(None, id="None"),
        pytest.param("", id="empty"),
        pytest.param("Unable to infer object type from: butterflies", id="another message"),
        pytest.param(json.dumps([MISSING]), id="no prefix"),
        pytest.param(PREFIX, id="nothing after the prefix"),
        pytest.param(PREFIX + json.dumps([MISSING, TOO_LONG])[:-30], id="cut off"),
        pytest.param(PREFIX + json.dumps([MISSING]) + " and more", id="text after the list"),
        pytest.param(PREFIX + "[{isValid=false, name=colour}]", id="no JSON"),
        pytest.param(PREFIX + "[NaN]", id="NaN"),
        pytest.param(PREFIX + json.dumps(MISSING), id="no list"),
        pytest.param(PREFIX + "null", id="null"),
        pytest.param(PREFIX + "1e999999", id="number"),
        pytest.param(PREFIX + "[]", id="empty list"),
        pytest.param(PREFIX + "[" * 100_000, id="nested for ever"),
        pytest.param(PREFIX + "[" * 100_000 + "]" * 100_000, id="nested deeply"),
        pytest.param(PREFIX + '[{"error": "\ud800"}]', id="lone surrogate"),
        pytest.param(PREFIX + r'[{"error": "\ud800"}]', id="escaped lone surrogate"),
    ],
)
def test_what_cannot_be_read_has_no_reasons(message: str | None) -> None:
    assert reasons_in_message(message) == []


def test_a_value_that_is_taken_is_not_shown() -> None:
    taken = TakenValue(property="sku", value="s3cr3t", existing="7")

    assert repr(taken) == "TakenValue(property='sku', existing='7')"
