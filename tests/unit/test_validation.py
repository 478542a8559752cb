"""`validate` names every fault of a body: the index of its input, a JSON pointer, and what to write."""

import copy
import json
import math
import os
import subprocess
import sys
from collections import OrderedDict
from datetime import date
from types import MappingProxyType
from typing import Any, get_args

import jsonschema_rs
import pytest

import hubspot_batch
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import prepare
from hubspot_batch.contract._operations import OperationId
from hubspot_batch.contract._validation import fault_at, name_of, validate
from hubspot_batch.errors import ConfigurationError, InputIssue
from tests.conftest import case

SECRET = "s3cr3t-7261"

OPERATIONS: tuple[OperationId, ...] = get_args(OperationId)
WITH_INPUTS = tuple(name for name in OPERATIONS if name != "list_properties")
CREATES: tuple[OperationId, ...] = (
    "create_orders",
    "create_line_items",
    "create_commerce_payments",
    "create_carts",
)

LINK: dict[str, Any] = {
    "to": {"id": "301"},
    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}],
}
CREATE: dict[str, Any] = {
    "properties": {"hs_order_name": "A-1001", "hs_tags": ""},
    "associations": [LINK],
    "objectWriteTraceId": "row-1",
}
UPDATE: dict[str, Any] = {
    "id": "44001",
    "idProperty": "hs_external_order_id",
    "properties": {"hs_order_name": "A-1001"},
    "objectWriteTraceId": "row-1",
}

MAPPING = "write a mapping"
LIST = "write a list"
INPUTS = 'write [{"properties": {...}}]'
INPUT = 'write {"properties": {...}}'
TEXT = "write it as text, in quotes"
OPTIONS = "write it as text, with a semicolon between two options"
OF_CHANGES = "create does not take it, only update, upsert do; leave it out"
OF_OTHERS = "create does not take it, only archive, read, update, upsert do; leave it out"
NOT_IN_JSON = "JSON has neither NaN nor infinity"
FINITE = "write a finite number as text, or leave the key out"
WHOLE = "write a whole number, without quotes"
BODY = 'write {"inputs": [...]}'
KEYS = "the keys are properties, associations, objectWriteTraceId"

Line = tuple[int | None, str, str, str]


class Text(str):
    __slots__ = ()


def lines(faults: tuple[InputIssue, ...]) -> list[Line]:
    return [(fault.index, fault.pointer, fault.problem, fault.remedy) for fault in faults]


def changed(node: dict[str, Any], *path: str | int, to: object) -> dict[str, Any]:
    """Return a copy in which one place is something else."""
    copied: Any = copy.deepcopy(node)
    inner = copied
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return copied  # type: ignore[no-any-return]


def test_it_is_public() -> None:
    assert hubspot_batch.validate is validate


def test_a_right_body_of_a_create_has_no_faults() -> None:
    cases: list[dict[str, Any]] = [CREATE, {"properties": {}}, {"properties": {"a": ""}, "associations": []}]
    for operation in CREATES:
        for item in cases:
            with case(operation, item):
                assert validate(operation, {"inputs": [item]}) == ()


@pytest.mark.parametrize("item", [UPDATE, {"id": "1", "properties": {}}])
def test_a_right_body_of_an_update_has_no_faults(item: dict[str, Any]) -> None:
    assert validate("update_orders", {"inputs": [item]}) == ()


PAIR: dict[str, Any] = {"from": {"id": "71001"}, **LINK}
UPSERT: dict[str, Any] = UPDATE
RIGHT: dict[OperationId, dict[str, Any]] = {
    "read_orders": {"inputs": [{"id": "7"}], "properties": ["a"], "propertiesWithHistory": []},
    "read_objects": {"inputs": [{"id": "a@b.c"}], "idProperty": "email"},
    "upsert_carts": {"inputs": [UPSERT]},
    "archive_line_items": {"inputs": [{"id": "7"}, {"id": "8"}]},
    "create_associations": {"inputs": [PAIR]},
}


def test_a_right_body_of_another_kind_has_no_faults() -> None:
    assert {name: validate(name, body) for name, body in RIGHT.items()} == dict.fromkeys(RIGHT, ())
    assert validate("list_properties", None) == ()


def test_an_operation_without_a_body_takes_none() -> None:
    faults = [(None, "", "the operation takes no body", "send none")]
    bodies: list[object] = [{}, {"inputs": []}]

    assert [lines(validate("list_properties", body)) for body in bodies] == [faults] * 2


def test_an_operation_without_a_body_has_no_inputs_to_prepare() -> None:
    with pytest.raises(ConfigurationError, match="list_properties takes no inputs"):
        prepare(contract.operation("list_properties"), [{"id": "7"}])


def test_inputs_of_other_kinds_are_refused() -> None:
    kinds = {"create": CREATE, "update": {"id": "7", "properties": {}}, "archive": {"id": "7"}, "pair": PAIR}
    takes = {
        operation: [name for name, item in kinds.items() if not validate(operation, {"inputs": [item]})]
        for operation in (*RIGHT, "create_orders", "update_orders")
    }

    assert takes == {
        "read_orders": ["archive"],
        "read_objects": ["archive"],
        "upsert_carts": [],
        "archive_line_items": ["archive"],
        "create_associations": ["pair"],
        "create_orders": ["create"],
        "update_orders": ["update"],
    }


def many(count: int) -> list[dict[str, str]]:
    return [{"id": str(number)} for number in range(count)]


NOT_UNIQUE = "HubSpot refuses hs_object_id as the name of a unique property"
DIGITS = "a record id has digits only"
BESIDE = "where it is the value of a unique property, name that property as idProperty, beside inputs"
PLAIN = "write it as HubSpot shows it, without point, exponent or space"


@pytest.mark.parametrize(
    ("operation", "body", "pointer", "problem", "remedy"),
    [
        (
            "read_carts",
            {"inputs": many(2), "propertes": []},
            "/propertes",
            "the document knows no such key",
            "did you mean 'properties'?",
        ),
        (
            "read_carts",
            {"inputs": many(2), "properties": "a"},
            "/properties",
            "text stands where a list belongs",
            LIST,
        ),
        (
            "read_carts",
            {"inputs": many(1), "properties": [""]},
            "/properties/0",
            "the text is empty",
            "fill it in",
        ),
        (
            "read_carts",
            {"inputs": many(1), "idProperty": ""},
            "/idProperty",
            "the text is empty",
            "fill it in, or leave the key out",
        ),
        (
            "read_carts",
            {"inputs": [{"id": "a", "idProperty": "n"}]},
            "/inputs/0/idProperty",
            "the document knows no such key",
            "write it beside inputs, once for all",
        ),
        (
            "read_carts",
            {"inputs": many(1), "idProperty": "hs_object_id"},
            "/idProperty",
            NOT_UNIQUE,
            "leave idProperty out where id is the record id",
        ),
        (
            "read_carts",
            {"inputs": [{"id": "x"}]},
            "/inputs/0/id",
            DIGITS,
            f"{PLAIN}; {BESIDE}",
        ),
        (
            "read_carts",
            {"inputs": many(51), "propertiesWithHistory": ["a"]},
            "/inputs",
            "there are more than 50, the most where propertiesWithHistory names any",
            "give at most 50, or ask for no history",
        ),
        (
            "read_carts",
            {"inputs": [*many(1), *many(1)]},
            "/inputs/1/id",
            "it repeats that of inputs[0]",
            "name each record once",
        ),
        ("archive_carts", {"inputs": many(101)}, "/inputs", "there are more than 100", "give at most 100"),
        ("archive_carts", {"inputs": [{"id": "x"}]}, "/inputs/0/id", DIGITS, PLAIN),
        (
            "update_carts",
            {"inputs": [{"id": "1", "properties": {}}], "idProperty": "n"},
            "/idProperty",
            "the document knows no such key",
            "write it into each input",
        ),
        (
            "upsert_carts",
            {"inputs": [{"id": "1", "properties": {}}]},
            "/inputs/0",
            "'idProperty' is missing",
            "add it, or give id_property, for all inputs",
        ),
        (
            "upsert_carts",
            {"inputs": [{"id": "1", "idProperty": "hs_object_id", "properties": {}}]},
            "/inputs/0/idProperty",
            NOT_UNIQUE,
            "name a property whose values are unique; to change records by their ids, update them",
        ),
        (
            "upsert_carts",
            {"inputs": [UPSERT, UPSERT | {"objectWriteTraceId": "row-2"}]},
            "/inputs/1/id",
            "it repeats that of inputs[0], for which HubSpot refuses the whole batch",
            "send the two in two requests",
        ),
        (
            "create_associations",
            {"inputs": [PAIR, PAIR]},
            "/inputs/1",
            "it repeats the pair of inputs[0]",
            "give one input all the types of the pair",
        ),
        (
            "create_associations",
            {"inputs": [changed(PAIR, "from", "id", to="x")]},
            "/inputs/0/from/id",
            DIGITS,
            PLAIN,
        ),
        (
            "create_associations",
            {"inputs": [changed(PAIR, "to", "id", to="x")]},
            "/inputs/0/to/id",
            DIGITS,
            PLAIN,
        ),
        (
            "create_associations",
            {"inputs": [None]},
            "/inputs/0",
            "null stands where a mapping belongs",
            'write {"from": {...}, "to": {...}, "types": [...]}',
        ),
    ],
)
def test_a_fault_of_another_kind_of_body(
    operation: OperationId, body: object, pointer: str, problem: str, remedy: str
) -> None:
    (fault,) = validate(operation, body)

    assert (fault.pointer, fault.problem, fault.remedy) == (pointer, problem, remedy)


def test_what_has_another_shape_is_reported_once() -> None:
    bodies: list[object] = [
        {"inputs": [{"from": "1", "to": {"id": "2"}, "types": []}]},
        {"inputs": [{"from": {"id": 1}, "to": {"id": "2"}, "types": LINK["types"]}]},
    ]

    assert [[fault.pointer for fault in validate("create_associations", body)] for body in bodies] == [
        ["/inputs/0/from", "/inputs/0/types"],
        ["/inputs/0/from/id"],
    ]


def test_an_unknown_operation_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no operation 'create_deals'.*create_orders, read_orders"):
        validate("create_deals", {"inputs": [CREATE]})  # type: ignore[arg-type]


def test_a_body_of_the_wrong_shape() -> None:
    cases: list[tuple[object, list[Line]]] = [
        (None, [(None, "", "null stands where a mapping belongs", BODY)]),
        ([CREATE], [(None, "", "a list stands where a mapping belongs", BODY)]),
        ("{}", [(None, "", "text stands where a mapping belongs", BODY)]),
        (1, [(None, "", "a number stands where a mapping belongs", BODY)]),
        (False, [(None, "", "a bool stands where a mapping belongs", BODY)]),
        ({}, [(None, "", "'inputs' is missing", "add it")]),
        ({"inputs": {}}, [(None, "/inputs", "a mapping stands where a list belongs", INPUTS)]),
        ({"inputs": CREATE}, [(None, "/inputs", "a mapping stands where a list belongs", INPUTS)]),
        ({"inputs": "A-1001"}, [(None, "/inputs", "text stands where a list belongs", INPUTS)]),
        ({"inputs": 1}, [(None, "/inputs", "a number stands where a list belongs", INPUTS)]),
        ({"inputs": True}, [(None, "/inputs", "a bool stands where a list belongs", INPUTS)]),
        ({"inputs": None}, [(None, "/inputs", "null stands where a list belongs", INPUTS)]),
        ({"inputs": []}, [(None, "/inputs", "the list is empty", "give at least 1")]),
        ({"inputs": [None]}, [(0, "/inputs/0", "null stands where a mapping belongs", INPUT)]),
        ({"inputs": [[CREATE]]}, [(0, "/inputs/0", "a list stands where a mapping belongs", INPUT)]),
        ({"inputs": ["A-1001"]}, [(0, "/inputs/0", "text stands where a mapping belongs", INPUT)]),
        ({"inputs": [0.5]}, [(0, "/inputs/0", "a number stands where a mapping belongs", INPUT)]),
    ]
    for operation in CREATES:
        for payload, expected in cases:
            with case(operation, payload, expected):
                assert lines(validate(operation, payload)) == expected


def test_a_misspelt_key_beside_the_inputs() -> None:
    assert lines(validate("create_carts", {"input": [CREATE]})) == [
        (None, "/input", "the document knows no such key", "did you mean 'inputs'?"),
        (None, "", "'inputs' is missing", "add it"),
    ]


@pytest.mark.parametrize(
    ("inputs", "faults"),
    [
        (100, []),
        (101, [(None, "/inputs", "there are more than 100", "give at most 100")]),
        (250, [(None, "/inputs", "there are more than 100", "give at most 100")]),
    ],
)
def test_a_body_has_at_most_100_inputs(inputs: int, faults: list[Line]) -> None:
    assert lines(validate("create_orders", {"inputs": [{"properties": {}}] * inputs})) == faults


def test_a_fault_inside_an_input() -> None:
    cases: list[tuple[tuple[str | int, ...], object, list[tuple[str, str, str]]]] = [
        (("properties",), None, [("/properties", "null stands where a mapping belongs", MAPPING)]),
        (("properties",), [], [("/properties", "a list stands where a mapping belongs", MAPPING)]),
        (("properties", "a"), 1, [("/properties/a", "a number stands where text belongs", TEXT)]),
        (("properties", "a"), 10**400, [("/properties/a", "a number stands where text belongs", TEXT)]),
        (("properties", "a"), True, [("/properties/a", "a bool stands where text belongs", TEXT)]),
        (("properties", "a"), ["x"], [("/properties/a", "a list stands where text belongs", OPTIONS)]),
        (("properties", "a"), {}, [("/properties/a", "a mapping stands where text belongs", TEXT)]),
        (
            ("properties", "a"),
            None,
            [
                (
                    "/properties/a",
                    "null stands where text belongs",
                    'write "" to clear a property, or leave the key out',
                )
            ],
        ),
        (("properties", ""), "x", [("/properties", "a property has an empty name", "name the property")]),
        (("properties", "a/b"), 1, [("/properties/a~1b", "a number stands where text belongs", TEXT)]),
        (("properties", "~"), 1, [("/properties/~0", "a number stands where text belongs", TEXT)]),
        (("properties", "~1/"), 1, [("/properties/~01~1", "a number stands where text belongs", TEXT)]),
        (
            ("associatons",),
            [],
            [("/associatons", "the document knows no such key", "did you mean 'associations'?")],
        ),
        (
            ("objectWriteTraceID",),
            "x",
            [
                (
                    "/objectWriteTraceID",
                    "the document knows no such key",
                    "did you mean 'objectWriteTraceId'?",
                )
            ],
        ),
        (("hs_order_name",), "x", [("/hs_order_name", "the document knows no such key", KEYS)]),
        (("a/b~c",), "x", [("/a~1b~0c", "the document knows no such key", KEYS)]),
        (("objectWriteTraceId",), 5, [("/objectWriteTraceId", "a number stands where text belongs", TEXT)]),
        (
            ("objectWriteTraceId",),
            "",
            [("/objectWriteTraceId", "the text is empty", "fill it in, or leave the key out")],
        ),
        (
            ("associations",),
            None,
            [("/associations", "null stands where a list belongs", f"{LIST}, or leave the key out")],
        ),
        (
            ("associations", 0, "to", "id"),
            None,
            [("/associations/0/to/id", "null stands where text belongs", TEXT)],
        ),
        (("idProperty",), "x", [("/idProperty", "the document knows no such key", OF_CHANGES)]),
        (("id",), "x", [("/id", "the document knows no such key", OF_OTHERS)]),
        (("properties", "a"), math.nan, [("/properties/a", NOT_IN_JSON, FINITE)]),
        (("objectWriteTraceId",), -math.inf, [("/objectWriteTraceId", NOT_IN_JSON, FINITE)]),
        (("associations",), {}, [("/associations", "a mapping stands where a list belongs", LIST)]),
        (("associations", 0), [], [("/associations/0", "a list stands where a mapping belongs", MAPPING)]),
        (
            ("associations", 0, "to"),
            "301",
            [("/associations/0/to", "text stands where a mapping belongs", MAPPING)],
        ),
        (
            ("associations", 0, "to", "id"),
            301,
            [("/associations/0/to/id", "a number stands where text belongs", TEXT)],
        ),
        (
            ("associations", 0, "types"),
            [],
            [("/associations/0/types", "the list is empty", "give at least 1")],
        ),
        (
            ("associations", 0, "types", 0),
            507,
            [("/associations/0/types/0", "a number stands where a mapping belongs", MAPPING)],
        ),
        (
            ("associations", 0, "types", 0, "associationCategory"),
            "MINE",
            [
                (
                    "/associations/0/types/0/associationCategory",
                    "this is not an option",
                    "write one of HUBSPOT_DEFINED, INTEGRATOR_DEFINED, USER_DEFINED, WORK",
                )
            ],
        ),
        (
            ("associations", 0, "types", 0, "associationTypeId"),
            "507",
            [
                (
                    "/associations/0/types/0/associationTypeId",
                    "text stands where a whole number belongs",
                    WHOLE,
                )
            ],
        ),
        (
            ("associations", 0, "types", 0, "associationTypeId"),
            507.5,
            [
                (
                    "/associations/0/types/0/associationTypeId",
                    "a number stands where a whole number belongs",
                    WHOLE,
                )
            ],
        ),
        (
            ("associations", 0, "types", 0, "associationTypeId"),
            True,
            [
                (
                    "/associations/0/types/0/associationTypeId",
                    "a bool stands where a whole number belongs",
                    WHOLE,
                )
            ],
        ),
        (
            ("associations", 0, "types", 0, "associationTypeld"),
            507,
            [
                (
                    "/associations/0/types/0/associationTypeld",
                    "the document knows no such key",
                    "did you mean 'associationTypeId'?",
                )
            ],
        ),
    ]
    for path, value, expected in cases:
        with case(path):
            payload = {"inputs": [{"properties": {}}, changed(CREATE, *path, to=value)]}
            assert lines(validate("create_orders", payload)) == [
                (1, f"/inputs/1{pointer}", problem, remedy) for pointer, problem, remedy in expected
            ]


def test_a_fault_inside_an_update() -> None:
    cases: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
        ({}, [("", "'id' is missing", "add it"), ("", "'properties' is missing", "add it")]),
        (changed(UPDATE, "id", to=44001), [("/id", "a number stands where text belongs", TEXT)]),
        (changed(UPDATE, "id", to=""), [("/id", "the text is empty", "fill it in")]),
        (changed(UPDATE, "id", to=None), [("/id", "null stands where text belongs", TEXT)]),
        (
            changed(UPDATE, "idProperty", to=None),
            [("/idProperty", "null stands where text belongs", f"{TEXT}, or leave the key out")],
        ),
        (
            changed(UPDATE, "idProperty", to="hs_object_id"),
            [
                (
                    "/idProperty",
                    "HubSpot refuses hs_object_id as the name of a unique property",
                    "leave idProperty out where id is the record id",
                )
            ],
        ),
        (
            changed(UPDATE, "associations", to=[]),
            [
                (
                    "/associations",
                    "the document knows no such key",
                    "update does not take it, only create does; leave it out",
                )
            ],
        ),
    ]
    for item, expected in cases:
        with case(item, expected):
            assert lines(validate("update_orders", {"inputs": [item]})) == [
                (0, f"/inputs/0{pointer}", problem, remedy) for pointer, problem, remedy in expected
            ]


def test_an_association_type_id_out_of_range_is_a_fault_that_names_the_bound() -> None:
    for number in (
        0,
        -1,
        2**31,
        10**30,
        -(10**30),
    ):
        with case(number):
            item = changed(CREATE, "associations", 0, "types", 0, "associationTypeId", to=number)
            [fault] = validate("create_orders", {"inputs": [item]})
            problem, remedy = (
                ("the number is below 1", "write 1 or more")
                if number < 1
                else ("the number is above 2147483647", "write 2147483647 or less")
            )
            assert fault == InputIssue(
                index=0,
                pointer="/inputs/0/associations/0/types/0/associationTypeId",
                problem=problem,
                remedy=remedy,
            )


def test_a_rule_that_has_no_words_of_its_own_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = jsonschema_rs.Draft202012Validator({"properties": {"inputs": {"uniqueItems": True}}})
    monkeypatch.setattr(contract, "validator", lambda _name: strict)
    monkeypatch.setattr(contract, "quick_validator", lambda _name: strict)

    assert lines(validate("create_orders", {"inputs": [{"properties": {}}, {"properties": {}}]})) == [
        (
            None,
            "/inputs",
            "it breaks the rule uniqueItems",
            "see properties/inputs/uniqueItems of the document",
        )
    ]


@pytest.mark.parametrize("number", [1, 507, 2**31 - 1])
def test_an_association_type_id_in_range_is_not_a_fault(number: int) -> None:
    item = changed(CREATE, "associations", 0, "types", 0, "associationTypeId", to=number)
    assert validate("create_orders", {"inputs": [item]}) == ()


REPEATS = "for which HubSpot refuses the whole batch"


@pytest.mark.parametrize("inputs", [list, tuple])
def test_a_repeated_trace_id(inputs: type[list[Any]] | type[tuple[Any, ...]]) -> None:
    traces = ("a", "b", "a", "b", "a")
    items = inputs({"properties": {}, "objectWriteTraceId": trace} for trace in traces)
    assert lines(validate("create_orders", {"inputs": items})) == [
        (
            index,
            f"/inputs/{index}/objectWriteTraceId",
            f"it repeats that of inputs[{first}], {REPEATS}",
            "give each input one of its own",
        )
        for index, first in ((2, 0), (3, 1), (4, 0))
    ]


def test_a_repeated_id_of_an_update() -> None:
    items = [
        {"id": "5", "properties": {}},
        {"id": "6", "properties": {}},
        {"id": "5", "properties": {"a": "b"}},
        {"id": "5", "idProperty": "x", "properties": {}},
        {"id": "5", "idProperty": "y", "properties": {}},
        {"id": "5", "idProperty": "y", "properties": {}},
    ]
    assert lines(validate("update_orders", {"inputs": items})) == [
        (2, "/inputs/2/id", f"it repeats that of inputs[0], {REPEATS}", "send the two in two requests"),
        (5, "/inputs/5/id", f"it repeats that of inputs[4], {REPEATS}", "send the two in two requests"),
    ]


def test_two_inputs_that_name_hs_object_id_are_reported_so_and_no_more() -> None:
    item = {"id": "5", "idProperty": "hs_object_id", "properties": {}}
    pointers = [fault.pointer for fault in validate("update_orders", {"inputs": [item, item]})]
    assert pointers == ["/inputs/0/idProperty", "/inputs/1/idProperty"]


def test_ids_and_trace_ids_of_the_wrong_type_are_not_compared() -> None:
    item = {"id": 5, "idProperty": 6, "properties": {}, "objectWriteTraceId": 7}
    unlike = {"id": "5", "idProperty": 6, "properties": {}}
    pointers = [
        fault.pointer for fault in validate("update_orders", {"inputs": [item, item, unlike, unlike]})
    ]
    assert sorted(pointers) == [
        "/inputs/0/id",
        "/inputs/0/idProperty",
        "/inputs/0/objectWriteTraceId",
        "/inputs/1/id",
        "/inputs/1/idProperty",
        "/inputs/1/objectWriteTraceId",
        "/inputs/2/idProperty",
        "/inputs/3/idProperty",
    ]


def test_every_fault_of_every_input_is_named() -> None:
    payload = {
        "inputs": [
            {"properties": {"a": 1, "b": None}, "x": 1, "y": 2},
            CREATE,
            {"associations": [{}, {"to": {}, "types": [{}]}]},
            CREATE,
        ],
        "extra": 1,
    }
    assert sorted((fault.pointer, fault.problem) for fault in validate("create_line_items", payload)) == [
        ("/extra", "the document knows no such key"),
        ("/inputs/0/properties/a", "a number stands where text belongs"),
        ("/inputs/0/properties/b", "null stands where text belongs"),
        ("/inputs/0/x", "the document knows no such key"),
        ("/inputs/0/y", "the document knows no such key"),
        ("/inputs/2", "'properties' is missing"),
        ("/inputs/2/associations/0", "'to' is missing"),
        ("/inputs/2/associations/0", "'types' is missing"),
        ("/inputs/2/associations/1/to", "'id' is missing"),
        ("/inputs/2/associations/1/types/0", "'associationCategory' is missing"),
        ("/inputs/2/associations/1/types/0", "'associationTypeId' is missing"),
        ("/inputs/3/objectWriteTraceId", f"it repeats that of inputs[1], {REPEATS}"),
    ]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"inputs": [object()]}, [(0, "/inputs/0", "a value of type object that JSON cannot express")]),
        ({"inputs": {1, 2}}, [(None, "/inputs", "a value of type set that JSON cannot express")]),
        (b"{}", [(None, "", "a value of type bytes that JSON cannot express")]),
        (MappingProxyType({"inputs": []}), [(None, "", "a mapping that JSON cannot express")]),
        (
            {"inputs": [{"properties": {"a": date(2026, 9, 1)}}]},
            [(0, "/inputs/0/properties/a", "a value of type date that JSON cannot express")],
        ),
        (
            {"inputs": [{"properties": {"a": "\ud800", "b": "\udc00x"}}]},
            [
                (0, "/inputs/0/properties/a", "text that JSON cannot express"),
                (0, "/inputs/0/properties/b", "text that JSON cannot express"),
            ],
        ),
        (
            {"inputs": [{"properties": {"\ud800": "x"}}]},
            [(0, "/inputs/0/properties", "a key is not Unicode text")],
        ),
        ({"inputs": [{"properties": {1: "x"}}]}, [(0, "/inputs/0/properties", "a key is not Unicode text")]),
        ({"inputs": [{"properties": {}, None: 1}]}, [(0, "/inputs/0", "a key is not Unicode text")]),
        ({1: 2, "inputs": [CREATE]}, [(None, "", "a key is not Unicode text")]),
    ],
)
def test_what_json_cannot_express(payload: object, expected: list[tuple[int | None, str, str]]) -> None:
    faults = validate("create_orders", payload)
    assert [(fault.index, fault.pointer, fault.problem) for fault in faults] == expected
    remedies = {"a key is not Unicode text": "write the key as text"}
    for fault in faults:
        assert fault.remedy == remedies.get(fault.problem, "write it as Unicode text")


def test_what_json_cannot_express_does_not_hide_what_the_document_refuses() -> None:
    payload = {
        "inputs": [{"properties": {"a": "\ud800"}}, {"properties": {"b": object()}}, {"propertees": {}}]
    }
    pointers = {fault.pointer for fault in validate("create_orders", payload)}
    assert pointers == {
        "/inputs/0/properties/a",
        "/inputs/1/properties/b",
        "/inputs/2/propertees",
        "/inputs/2",
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "path",
    [("properties", "a"), ("associations", 0, "types", 0, "associationTypeId"), ("objectWriteTraceId",)],
)
def test_nan_and_infinity_are_faults_wherever_they_stand(number: float, path: tuple[str | int, ...]) -> None:
    [fault] = validate("create_orders", {"inputs": [changed(CREATE, *path, to=number)]})
    assert fault.pointer == "".join(f"/{part}" for part in ("inputs", 0, *path))


@pytest.mark.parametrize(
    "unlike",
    [
        pytest.param({"properties": {Text("a"): "x"}}, id="key"),
        pytest.param({"properties": {}, "objectWriteTraceId": Text("x")}, id="trace id"),
        pytest.param({Text("properties"): {}}, id="key of the input"),
    ],
)
def test_a_str_of_a_subclass_hides_no_fault(unlike: dict[str, Any]) -> None:
    faults = validate("create_orders", {"inputs": [unlike, {"propertees": {}}], "extra": 1})
    assert {"/extra", "/inputs/1", "/inputs/1/propertees"} <= {fault.pointer for fault in faults}


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_subclasses_of_dict_are_checked_as_dicts_are(kind: type[dict[str, Any]]) -> None:
    payload = kind(inputs=[kind(properties=kind(a=1))])
    assert [fault.pointer for fault in validate("create_orders", payload)] == ["/inputs/0/properties/a"]


@pytest.mark.parametrize("payload", [{"inputs": [CREATE, CREATE]}, {"inputs": [{"properties": {"a": None}}]}])
def test_the_payload_is_not_changed(payload: dict[str, Any]) -> None:
    before = json.dumps(payload)
    validate("create_orders", payload)
    assert json.dumps(payload) == before


def test_a_mapping_that_holds_itself_is_a_fault() -> None:
    payload: dict[str, Any] = {"inputs": []}
    payload["inputs"].append(payload)
    assert {fault.index for fault in validate("create_orders", payload)} == {0}


def test_a_list_that_holds_itself_is_a_fault() -> None:
    inputs: list[Any] = []
    inputs.append(inputs)
    assert {fault.index for fault in validate("create_orders", {"inputs": inputs})} == {0}


# In a process of its own: where this goes wrong, all the memory of the machine is used up.
HOLDS_ITSELF = """
import resource
from hubspot_batch import validate
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
node = {}
node.update({str(number): node for number in range(30)})
print([fault.index for fault in validate("create_orders", {"inputs": [node]})])
"""


@pytest.mark.posix
def test_a_payload_that_holds_itself_many_times_is_a_fault_and_does_not_use_up_the_memory() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDS_ITSELF]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {0}


@pytest.mark.parametrize("depth", [3, 19, 5000])
def test_a_deep_payload_ends_in_a_fault(depth: int) -> None:
    node: list[Any] = []
    for _ in range(depth):
        node = [node]
    assert validate("create_orders", {"inputs": [node]})


DEEP = "the payload is nested too deeply"


def nested(depth: int) -> object:
    node: object = b"x"
    for _ in range(depth):
        node = [node]
    return node


@pytest.mark.parametrize(
    "path",
    [
        ("associations", 0, "types", 0, "associationTypeId"),
        ("associations", 0, "types", 0, "associationCategory"),
        ("associations", 0, "to", "id"),
        ("properties", "a"),
        ("objectWriteTraceId",),
    ],
)
def test_every_place_that_the_document_has_is_looked_at(path: tuple[str | int, ...]) -> None:
    [fault] = validate("create_orders", {"inputs": [changed(CREATE, *path, to=b"x")]})
    assert fault.pointer == "".join(f"/{part}" for part in ("inputs", 0, *path))
    assert fault.problem == "a value of type bytes that JSON cannot express"


@pytest.mark.parametrize("depth", [30, 100_000])
def test_a_place_that_no_document_has_is_nested_too_deeply(depth: int) -> None:
    faults = validate("create_orders", {"inputs": [{"properties": {"a": nested(depth)}}]})
    assert (DEEP, "write plain mappings and lists") in [(fault.problem, fault.remedy) for fault in faults]


def test_a_fault_has_the_pointer_and_the_index_of_its_path() -> None:
    cases: list[tuple[tuple[str | int, ...], int | None, str]] = [
        ((), None, ""),
        (("inputs",), None, "/inputs"),
        (("inputs", 7), 7, "/inputs/7"),
        (("inputs", 7, "properties", "a~b/c"), 7, "/inputs/7/properties/a~0b~1c"),
        (("inputs", "7"), None, "/inputs/7"),
        (("others", 7), None, "/others/7"),
        (("",), None, "/"),
    ]
    for path, index, pointer in cases:
        with case(path, index, pointer):
            assert fault_at(path, "a problem", "a remedy") == InputIssue(
                index=index, pointer=pointer, problem="a problem", remedy="a remedy"
            )


def test_a_value_is_named_as_in_json() -> None:
    cases: list[tuple[object, str]] = [
        (None, "null"),
        (True, "a bool"),
        (0, "a number"),
        (0.5, "a number"),
        ("", "text"),
        ({}, "a mapping"),
        (MappingProxyType({}), "a mapping"),
        ([], "a list"),
        ((), "a list"),
        (b"", "a value of type bytes"),
        (set(), "a value of type set"),
    ]
    for value, name in cases:
        with case(value, name):
            assert name_of(value) == name


def test_no_value_occurs_in_a_fault() -> None:
    cases: list[object] = [
        SECRET,
        [SECRET],
        {"properties": SECRET},
        {"properties": {"a": [SECRET]}},
        {"properties": {"a": {SECRET: SECRET}}},
        {"properties": {"a": SECRET + "\ud800"}},
        {"properties": {"a": SECRET.encode()}},
        {"properties": {"a": SECRET, "": SECRET, "b": 1}},
        {"unknown": SECRET},
        {"properties": {}, "associations": [SECRET]},
        changed(CREATE, "associations", 0, "to", to=SECRET),
        changed(CREATE, "associations", 0, "to", "id", to=[SECRET]),
        changed(CREATE, "associations", 0, "types", 0, "associationCategory", to=SECRET),
        changed(CREATE, "associations", 0, "types", 0, "associationTypeId", to=SECRET),
        {
            "properties": {"a": SECRET},
            "objectWriteTraceId": SECRET,
            "id": SECRET,
            "idProperty": "hs_object_id",
        },
    ]
    for operation in WITH_INPUTS:
        for item in cases:
            with case(operation, item):
                faults = validate(operation, {"inputs": [item, item, None]})
                assert faults
                assert SECRET not in repr(faults)
                assert SECRET not in "".join(map(str, faults))


def test_an_id_that_no_record_has() -> None:
    for record in (
        "2E+10",
        "20000000058.0",
        " 7",
        "-7",
        "7,0",
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "x@example.com",
    ):
        with case(record):
            update: dict[str, Any] = {"id": record, "properties": {}}
            link = LINK | {"to": {"id": record}}

            (fault,) = validate("update_orders", {"inputs": [update]})
            assert (fault.pointer, fault.problem) == ("/inputs/0/id", "a record id has digits only")
            assert validate("update_orders", {"inputs": [update | {"idProperty": "shop_key"}]}) == ()
            (fault,) = validate(
                "create_orders", {"inputs": [{"properties": {}, "associations": [LINK, link]}]}
            )
            assert (fault.pointer, fault.problem) == (
                "/inputs/0/associations/1/to/id",
                "a record id has digits only",
            )


def test_a_property_called_by_digits_is_a_property() -> None:
    (fault,) = validate("create_carts", {"inputs": [{"properties": {"0": None}}]})

    assert (fault.pointer, fault.problem) == ("/inputs/0/properties/0", "null stands where text belongs")
