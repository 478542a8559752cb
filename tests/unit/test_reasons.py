"""The faults that HubSpot writes as JSON at the end of a message are read where they are whole."""

import json

from hubspot_batch.replies._refusals import TakenValue, reasons_in_message
from hubspot_batch.results import Reason
from tests.conftest import case

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


def test_what_is_absent_or_not_text_is_none() -> None:
    cases: list[tuple[dict[str, object], Reason]] = [
        ({}, Reason()),
        ({"error": "INVALID_LONG"}, Reason(code="INVALID_LONG")),
        ({"name": "hs_tax"}, Reason(property="hs_tax")),
        ({"message": "words"}, Reason(message="words")),
        ({"error": None, "name": 5, "message": ["words"]}, Reason()),
        ({"error": {"code": "X"}, "name": "hs_tax"}, Reason(property="hs_tax")),
    ]
    for fault, reason in cases:
        with case(fault, reason):
            assert reasons_in_message(PREFIX + json.dumps([fault])) == [reason]


def test_items_that_are_no_mappings_are_passed_over() -> None:
    items = [None, 1, "text", [TOO_LONG], MISSING, True]
    assert reasons_in_message(PREFIX + json.dumps(items)) == [COLOUR]


def test_what_cannot_be_read_has_no_reasons() -> None:
    unread = {
        "None": None,
        "empty": "",
        "another message": "Unable to infer object type from: butterflies",
        "no prefix": json.dumps([MISSING]),
        "nothing after the prefix": PREFIX,
        "cut off": PREFIX + json.dumps([MISSING, TOO_LONG])[:-30],
        "text after the list": PREFIX + json.dumps([MISSING]) + " and more",
        "no JSON": PREFIX + "[{isValid=false, name=colour}]",
        "NaN": PREFIX + "[NaN]",
        "no list": PREFIX + json.dumps(MISSING),
        "null": PREFIX + "null",
        "number": PREFIX + "1e999999",
        "empty list": PREFIX + "[]",
        "nested for ever": PREFIX + "[" * 100_000,
        "nested deeply": PREFIX + "[" * 100_000 + "]" * 100_000,
        "lone surrogate": PREFIX + '[{"error": "\ud800"}]',
        "escaped lone surrogate": PREFIX + r'[{"error": "\ud800"}]',
    }

    assert [name for name, message in unread.items() if reasons_in_message(message) != []] == []


def test_a_value_that_is_taken_is_not_shown() -> None:
    taken = TakenValue(property="sku", value="s3cr3t", existing="7")

    assert repr(taken) == "TakenValue(property='sku', existing='7')"
