"""Inputs become one request, or one error that names every fault; they themselves stay as they are."""

import copy
import enum
import json
from collections import OrderedDict, UserDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import repeat
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest
from hubspot_batch_api import models
from hubspot_batch_models import structs

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch, prepare
from hubspot_batch.errors import InputIssue, InvalidInputError
from tests.conftest import case

SECRET = "s3cr3t-7261"

CREATE = contract.operation("create_orders")
UPDATE = contract.operation("update_orders")
ORDER: dict[str, Any] = {"properties": {"hs_order_name": "A-1001"}}
NAIVE = datetime(2026, 9, 1)  # noqa: DTZ001 - the fault under test

Place = tuple[int | None, str, str]


class Stage(enum.StrEnum):
    NAME = "hs_order_name"
    OPEN = "open"


class Category(enum.StrEnum):
    OURS = "HUBSPOT_DEFINED"


class Meaning(enum.IntEnum):
    CONTACT = 507


class Text(str):
    """What numpy and others hand over: it is a str, but not of the type str."""

    __slots__ = ()


class Number(int):
    """The same for int."""


@dataclass
class Links:
    properties: dict[str, object]
    associations: list[object] | None = None
    objectWriteTraceId: str | None = None  # noqa: N815 - the name that HubSpot gave it


@dataclass
class OrderProperties:
    hs_order_name: str
    hs_total_price: Decimal
    hs_tags: str | None = None


@attrs.define
class AttrsOrder:
    properties: OrderProperties


class PydanticProperties(pydantic.BaseModel):
    name: str = pydantic.Field(serialization_alias="hs_order_name")
    hs_total_price: Decimal
    hs_tags: str | None = None


class PydanticOrder(pydantic.BaseModel):
    properties: PydanticProperties
    associations: list[object] | None = None


class RowOfDatabase(NamedTuple):
    id: int
    hs_order_name: str


class Broken:
    """A model whose fields cannot be told."""

    def model_dump(self, **_: object) -> dict[str, Any]:
        raise RuntimeError("one field is of the wrong type")


class NamesId:
    """An object of another library that knows how to become a mapping."""

    def to_dict(self) -> dict[str, Any]:
        return {"properties": {"hs_order_name": "A-1001"}}


def faults_of(
    inputs: object, operation: contract.Operation = CREATE, unique_property: str | None = None
) -> tuple[InputIssue, ...]:
    with pytest.raises(InvalidInputError) as caught:
        prepare(operation, inputs, unique_property)  # type: ignore[arg-type]
    return caught.value.faults


def places_of(inputs: object, operation: contract.Operation = CREATE) -> list[Place]:
    return [(fault.index, fault.pointer, fault.problem) for fault in faults_of(inputs, operation)]


def body_of(batch: Batch) -> Any:  # noqa: ANN401 - JSON
    body = json.loads(batch.content)
    assert body == {"inputs": batch.inputs}
    return body


def link(to: object = "301", category: object = "HUBSPOT_DEFINED", meaning: object = 507) -> dict[str, Any]:
    return {"to": {"id": to}, "types": [{"associationCategory": category, "associationTypeId": meaning}]}


def test_each_input_gets_a_trace_id_of_its_own() -> None:
    batch = prepare(CREATE, [ORDER, {"properties": {}}])
    assert body_of(batch) == {
        "inputs": [
            {"properties": {"hs_order_name": "A-1001"}, "objectWriteTraceId": "input-0"},
            {"properties": {}, "objectWriteTraceId": "input-1"},
        ]
    }


def test_a_trace_id_that_the_caller_gave_is_kept() -> None:
    batch = prepare(CREATE, [ORDER | {"objectWriteTraceId": "row-17"}, ORDER])
    assert [item["objectWriteTraceId"] for item in batch.inputs] == ["row-17", "input-1"]


def test_the_trace_ids_that_are_added_keep_clear_of_those_that_the_caller_gave() -> None:
    batch = prepare(CREATE, [ORDER | {"objectWriteTraceId": "input-1"}, ORDER, ORDER])
    traces = [item["objectWriteTraceId"] for item in batch.inputs]
    assert traces[0] == "input-1"
    assert len(set(traces)) == 3


def test_values_become_text() -> None:
    properties = {
        "text": "A-1001",
        "empty": "",
        "flag": True,
        "int": 5,
        "float": 2.5,
        "decimal": Decimal("9.90"),
        "date": date(2026, 9, 1),
        "datetime": datetime(2026, 9, 1, 8, 15, tzinfo=UTC),
        "options": ["a", "b"],
        "enum": Stage.OPEN,
        "subclass": Text("x"),
    }
    [item] = prepare(CREATE, [{"properties": properties}]).inputs
    assert item["properties"] == {
        "text": "A-1001",
        "empty": "",
        "flag": "true",
        "int": "5",
        "float": "2.5",
        "decimal": "9.90",
        "date": "2026-09-01",
        "datetime": "2026-09-01T08:15:00.000Z",
        "options": "a;b",
        "enum": "open",
        "subclass": "x",
    }
    assert {type(value) for value in item["properties"].values()} == {str}


def test_ids_of_updates_and_of_association_targets_become_text() -> None:
    [update] = prepare(UPDATE, [{"id": 44001, "idProperty": "hs_external_order_id", "properties": {}}]).inputs
    [create] = prepare(CREATE, [ORDER | {"associations": [link(301), link("302")]}]).inputs
    assert (update["id"], update["idProperty"]) == ("44001", "hs_external_order_id")
    assert create["associations"] == [link("301"), link("302")]


def test_other_ways_to_write_an_input_send_the_same() -> None:
    cases: list[tuple[object, dict[str, Any]]] = [
        (
            MappingProxyType(
                {
                    "properties": MappingProxyType({"price": 10}),
                    "associations": (
                        MappingProxyType(
                            {
                                "to": MappingProxyType({"id": 301}),
                                "types": (
                                    MappingProxyType({"associationCategory": "WORK", "associationTypeId": 7}),
                                ),
                            }
                        ),
                    ),
                }
            ),
            {"properties": {"price": "10"}, "associations": [link("301", "WORK", 7)]},
        ),
        (UserDict(properties=UserDict(price=10)), {"properties": {"price": "10"}}),
        (OrderedDict(properties=OrderedDict(price=10)), {"properties": {"price": "10"}}),
        (NamesId(), ORDER),
        ({"properties": {Stage.NAME: Stage.OPEN}}, {"properties": {"hs_order_name": "open"}}),
        ({"properties": {Text("price"): 10}}, {"properties": {"price": "10"}}),
        (ORDER | {"objectWriteTraceId": Text("row-1")}, ORDER | {"objectWriteTraceId": "row-1"}),
        (
            {Text("properties"): {"price": 10}, Text("objectWriteTraceId"): "row-1"},
            {"properties": {"price": "10"}, "objectWriteTraceId": "row-1"},
        ),
        (
            {
                "properties": {},
                Text("associations"): [{Text("to"): {Text("id"): 301}, "types": link()["types"]}],
            },
            {"properties": {}, "associations": [link("301")]},
        ),
        (
            ORDER | {"associations": [link("301", Text("HUBSPOT_DEFINED"), Number(507))]},
            ORDER | {"associations": [link()]},
        ),
        (
            ORDER | {"associations": [link(301, Category.OURS, Meaning.CONTACT)]},
            ORDER | {"associations": [link()]},
        ),
        (ORDER | {"associations": []}, ORDER | {"associations": []}),
    ]
    for given, sent in cases:
        with case(given, sent):
            [item] = body_of(prepare(CREATE, [given]))["inputs"]
            assert item == {"objectWriteTraceId": "input-0"} | sent


def attrs_properties(**values: object) -> models.PropertyValues:
    properties = models.PropertyValues()
    properties.additional_properties = values  # type: ignore[assignment]
    return properties


def attrs_link(to: object) -> models.Association:
    return models.Association(
        to=models.AssociationTarget(id=to),  # type: ignore[arg-type]
        types=[models.AssociationType(association_category="HUBSPOT_DEFINED", association_type_id=507)],
    )


def struct_link() -> structs.Association:
    return structs.Association(
        to=structs.AssociationTarget(id="301"),
        types=[structs.AssociationType(association_category="HUBSPOT_DEFINED", association_type_id=507)],
    )


def test_generated_models_are_inputs() -> None:
    cases: list[tuple[contract.Operation, object, dict[str, Any]]] = [
        (CREATE, models.CreateInput(attrs_properties(a="b")), {"properties": {"a": "b"}}),
        (
            CREATE,
            models.CreateInput(attrs_properties(price=10), [attrs_link(301)], "row-1"),
            {"properties": {"price": "10"}, "associations": [link()], "objectWriteTraceId": "row-1"},
        ),
        (
            UPDATE,
            models.UpdateInput(44001, attrs_properties(a=True), "ext", "row-1"),  # type: ignore[arg-type]
            {"id": "44001", "properties": {"a": "true"}, "idProperty": "ext", "objectWriteTraceId": "row-1"},
        ),
        (CREATE, structs.CreateInput(properties={"a": "b"}), {"properties": {"a": "b"}}),
        (
            CREATE,
            structs.CreateInput(
                properties={"price": 10},  # type: ignore[dict-item]
                associations=[struct_link()],
                object_write_trace_id="row-1",
            ),
            {"properties": {"price": "10"}, "associations": [link()], "objectWriteTraceId": "row-1"},
        ),
        (
            UPDATE,
            structs.UpdateInput(
                id=44001,  # type: ignore[arg-type]
                properties={"a": True},  # type: ignore[dict-item]
                id_property="ext",
                object_write_trace_id="row-1",
            ),
            {"id": "44001", "properties": {"a": "true"}, "idProperty": "ext", "objectWriteTraceId": "row-1"},
        ),
    ]
    for operation, given, sent in cases:
        with case(operation, given, sent):
            before = repr(given)
            [item] = body_of(prepare(operation, [given]))["inputs"]
            assert item == {"objectWriteTraceId": "input-0"} | sent
            assert repr(given) == before


@pytest.mark.parametrize(
    "given",
    [
        Links({"hs_order_name": "A", "hs_total_price": Decimal("9.90")}),
        Links(OrderProperties("A", Decimal("9.90"))),  # type: ignore[arg-type]
        AttrsOrder(OrderProperties("A", Decimal("9.90"))),
        PydanticOrder(properties=PydanticProperties(name="A", hs_total_price=Decimal("9.90"))),
    ],
)
def test_dataclasses_and_models_of_attrs_and_pydantic_are_inputs_without_what_is_not_set(
    given: object,
) -> None:
    batch = prepare(CREATE, [given])

    assert [item["properties"] for item in batch.inputs] == [{"hs_order_name": "A", "hs_total_price": "9.90"}]
    assert [sorted(item) for item in batch.inputs] == [["objectWriteTraceId", "properties"]]


def test_a_model_that_fails_to_tell_its_fields_is_a_fault_of_its_input() -> None:
    assert places_of([Broken()]) == [(0, "/inputs/0", "a value of type Broken that JSON cannot express")]


def test_a_flat_row_is_one_fault_that_says_how_to_make_inputs_of_rows() -> None:
    cases: list[object] = [
        {"id": 7, "hs_order_name": "A"},
        MappingProxyType({"hs_order_name": "A", "hs_total_price": Decimal("9.90"), "paid": None}),
        {"hs_order_name": NAIVE, 5: b"x", "\ud800": "x"},
        OrderProperties("A", Decimal(1)),
        PydanticProperties(name="A", hs_total_price=Decimal(1)),
        RowOfDatabase(7, "A"),
    ]
    for row in cases:
        with case(row):
            for operation in (CREATE, UPDATE):
                assert list(faults_of([row], operation)) == [
                    InputIssue(
                        index=0,
                        pointer="/inputs/0",
                        problem="a flat row stands where an input belongs",
                        remedy='write {"properties": {...}}; of rows in Python, '
                        f'hubspot_batch.bulk.inputs_from(rows, verb="{operation.verb}") makes inputs',
                    )
                ]


def test_values_in_generated_models_become_the_same_text_as_in_mappings() -> None:
    cases: list[tuple[Any, str]] = [
        (True, "true"),
        (2.5, "2.5"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 9, 1), "2026-09-01"),
        (datetime(2026, 9, 1, 8, 15, 30, 123456, tzinfo=UTC), "2026-09-01T08:15:30.123Z"),
        (["a", "b"], "a;b"),
    ]
    for value, text in cases:
        with case(value, text):
            givens = [{"properties": {"a": value}}, models.CreateInput(attrs_properties(a=value))]
            for given in (*givens, structs.CreateInput(properties={"a": value})):
                [item] = prepare(CREATE, [given]).inputs
                assert item["properties"] == {"a": text}


def test_values_in_generated_models_are_refused_as_in_mappings() -> None:
    cases: list[Any] = [None, NAIVE, float("nan"), Decimal("NaN"), b"bytes", object()]
    for value in cases:
        with case(value):
            givens = [{"properties": {"a": value}}, models.CreateInput(attrs_properties(a=value))]
            for given in (*givens, structs.CreateInput(properties={"a": value})):
                [fault] = faults_of([ORDER, given])
                assert (fault.index, fault.pointer) == (1, "/inputs/1/properties/a")


NO_INPUT = (1, "/inputs/1", "a value of type CreateInput that JSON cannot express")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        pytest.param(
            models.CreateInput({"a": "b"}),  # type: ignore[arg-type]
            NO_INPUT,
            id="a mapping in an attrs model",
        ),
        pytest.param(models.CreateInput(None), NO_INPUT, id="None in an attrs model"),  # type: ignore[arg-type]
        pytest.param(
            models.CreateInput,
            (1, "/inputs/1", "a value of type type that JSON cannot express"),
            id="an attrs model itself",
        ),
        pytest.param(
            structs.CreateInput,
            (1, "/inputs/1", "a value of type StructMeta that JSON cannot express"),
            id="a struct itself",
        ),
        pytest.param(
            structs.CreateInput(properties=None),  # type: ignore[arg-type]
            (1, "/inputs/1/properties", "null stands where a mapping belongs"),
            id="None in a struct",
        ),
    ],
)
def test_a_malformed_generated_model_is_a_fault_of_its_input(given: object, place: Place) -> None:
    assert places_of([ORDER, given]) == [place]


@pytest.mark.parametrize(
    "unwritten",
    [
        pytest.param({"properties": {"a": 1}}, id="create"),
        pytest.param(
            {
                "properties": {"a": ["x", "y"], "b": 2.5},
                "associations": [{"to": {"id": 301}, "types": [{"associationCategory": "WORK"}]}],
                "unknown": [{"id": 1}],
            },
            id="everything, with faults",
        ),
        pytest.param({"id": 44001, "idProperty": "ext", "properties": {"a": None}}, id="update"),
    ],
)
def test_inputs_are_not_changed(unwritten: dict[str, Any]) -> None:
    inputs = [unwritten, copy.deepcopy(unwritten)]
    before = copy.deepcopy(inputs)
    for operation in (CREATE, UPDATE):
        with pytest.raises(InvalidInputError):
            prepare(operation, [*inputs, "no input"])
    assert inputs == before


def test_the_caller_can_change_neither_what_is_sent_nor_what_records_are_matched_with() -> None:
    order = copy.deepcopy(ORDER) | {"associations": [link()]}
    batch = prepare(CREATE, [order])
    matched_with = copy.deepcopy(batch.inputs[0]["properties"])
    order["properties"]["hs_order_name"] = "changed"
    order["associations"][0]["to"]["id"] = "changed"
    order["associations"].append(link("302"))
    assert batch.inputs[0]["properties"] == matched_with
    (sent,) = json.loads(batch.content)["inputs"]
    assert sent == {**ORDER, "associations": [link()], "objectWriteTraceId": "input-0"}


@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        pytest.param([ORDER], 1, id="list"),
        pytest.param((ORDER, ORDER), 2, id="tuple"),
        pytest.param({"a": ORDER}.values(), 1, id="view"),
        pytest.param(repeat(ORDER, 100), 100, id="iterator"),
        pytest.param((ORDER for _ in range(100)), 100, id="generator"),
    ],
)
def test_any_iterable_of_1_to_100_inputs_is_taken(inputs: Iterable[object], count: int) -> None:
    assert len(body_of(prepare(CREATE, inputs))["inputs"]) == count


def test_what_is_not_a_list_of_inputs_is_one_fault() -> None:
    cases: list[tuple[object, str]] = [
        (None, "null"),
        (5, "a number"),
        (True, "a bool"),
        ("[]", "text"),
        (b"[]", "a value of type bytes"),
        ({}, "a mapping"),
        ({"inputs": [ORDER]}, "a mapping"),
        (ORDER, "a mapping"),
        (MappingProxyType(ORDER), "a mapping"),
        (structs.CreateInput(properties={}), "a value of type CreateInput"),
        (structs.BatchCreateRequest(inputs=[]), "a value of type BatchCreateRequest"),
        (models.BatchCreateRequest(inputs=[]), "a value of type BatchCreateRequest"),
        (object(), "a value of type object"),
    ]
    for inputs, name in cases:
        with case(inputs, name):
            assert faults_of(inputs) == (
                InputIssue(
                    index=None,
                    pointer="/inputs",
                    problem=f"{name} stands where a list of inputs belongs",
                    remedy='write [{"properties": {...}}]',
                ),
            )


@pytest.mark.parametrize("inputs", [[], (), iter(()), set()])
def test_no_inputs_are_a_fault(inputs: object) -> None:
    assert faults_of(inputs) == (
        InputIssue(index=None, pointer="/inputs", problem="the list is empty", remedy="give at least 1"),
    )


def test_101_inputs_are_a_fault() -> None:
    assert faults_of([ORDER] * 101) == (
        InputIssue(
            index=None, pointer="/inputs", problem="there are more than 100", remedy="give at most 100"
        ),
    )


def test_of_an_endless_generator_no_more_than_101_inputs_are_taken() -> None:
    taken = []

    def orders() -> Iterator[dict[str, Any]]:
        while True:
            taken.append(1)
            yield ORDER

    assert places_of(orders()) == [(None, "/inputs", "there are more than 100")]
    assert len(taken) == 101


def test_an_error_of_the_callers_own_generator_reaches_the_caller() -> None:
    def orders() -> Iterator[dict[str, Any]]:
        yield ORDER
        raise LookupError("row 2")

    with pytest.raises(LookupError, match="row 2"):
        prepare(CREATE, orders())


def test_a_fault_of_a_create_is_named_with_its_place() -> None:
    cases: list[tuple[object, list[Place]]] = [
        (None, [(0, "/inputs/0", "null stands where a mapping belongs")]),
        ("A-1001", [(0, "/inputs/0", "text stands where a mapping belongs")]),
        (5, [(0, "/inputs/0", "a number stands where a mapping belongs")]),
        ([ORDER], [(0, "/inputs/0", "a list stands where a mapping belongs")]),
        (object(), [(0, "/inputs/0", "a value of type object that JSON cannot express")]),
        ({}, [(0, "/inputs/0", "'properties' is missing")]),
        ({"properties": None}, [(0, "/inputs/0/properties", "null stands where a mapping belongs")]),
        ({"properties": []}, [(0, "/inputs/0/properties", "a list stands where a mapping belongs")]),
        (
            {"properties": [("a", "b")]},
            [(0, "/inputs/0/properties", "a list stands where a mapping belongs")],
        ),
        (
            {"propertees": {}},
            [
                (0, "/inputs/0/propertees", "the document knows no such key"),
                (0, "/inputs/0", "'properties' is missing"),
            ],
        ),
        ({"properties": {"": "x"}}, [(0, "/inputs/0/properties", "a property has an empty name")]),
        ({"properties": {1: "x"}}, [(0, "/inputs/0/properties", "a key is not Unicode text")]),
        ({"properties": {None: "x"}}, [(0, "/inputs/0/properties", "a key is not Unicode text")]),
        ({"properties": {b"a": "x"}}, [(0, "/inputs/0/properties", "a key is not Unicode text")]),
        ({"properties": {"\ud800": "x"}}, [(0, "/inputs/0/properties", "a key is not Unicode text")]),
        ({"properties": {"a": "\ud800"}}, [(0, "/inputs/0/properties/a", "text that JSON cannot express")]),
        (
            {"properties": {"a": "x\udfff", "b": "\ud83d\ude00"}},
            [
                (0, "/inputs/0/properties/a", "text that JSON cannot express"),
                (0, "/inputs/0/properties/b", "text that JSON cannot express"),
            ],
        ),
        ({"properties": {"a": ["\ud800"]}}, [(0, "/inputs/0/properties/a", "text that JSON cannot express")]),
        (ORDER | {1: 2}, [(0, "/inputs/0", "a key is not Unicode text")]),
        (
            ORDER | {"objectWriteTraceId": None},
            [(0, "/inputs/0/objectWriteTraceId", "null stands where text belongs")],
        ),
        (
            ORDER | {"objectWriteTraceId": 1},
            [(0, "/inputs/0/objectWriteTraceId", "a number stands where text belongs")],
        ),
        (ORDER | {"objectWriteTraceId": ""}, [(0, "/inputs/0/objectWriteTraceId", "the text is empty")]),
        (
            ORDER | {"objectWriteTraceId": "\ud800"},
            [(0, "/inputs/0/objectWriteTraceId", "text that JSON cannot express")],
        ),
        (
            {"properties": {"a": None}},
            [(0, "/inputs/0/properties/a", "None does not clear a property")],
        ),
        (
            {"properties": {"a": float("nan")}},
            [(0, "/inputs/0/properties/a", "HubSpot takes neither NaN nor infinity as a number")],
        ),
        (
            {"properties": {"a/b~c": float("-inf")}},
            [(0, "/inputs/0/properties/a~1b~0c", "HubSpot takes neither NaN nor infinity as a number")],
        ),
        (
            {"properties": {"a": NAIVE}},
            [(0, "/inputs/0/properties/a", "a datetime without a time zone names no instant")],
        ),
        (
            {"properties": {"a": datetime.max.replace(tzinfo=UTC), "b": {"c": "d"}}},
            [(0, "/inputs/0/properties/b", "a value of type dict has no text that HubSpot takes")],
        ),
        (
            {"properties": {"a": ["b;c"]}},
            [(0, "/inputs/0/properties/a", "an option is empty, holds a semicolon or is itself a list")],
        ),
        (ORDER | {"associations": None}, [(0, "/inputs/0/associations", "null stands where a list belongs")]),
        (
            ORDER | {"associations": link()},
            [(0, "/inputs/0/associations", "a mapping stands where a list belongs")],
        ),
        (
            ORDER | {"associations": [link(None)]},
            [(0, "/inputs/0/associations/0/to/id", "None is not an id")],
        ),
        (
            ORDER | {"associations": [link(), link(to=True)]},
            [(0, "/inputs/0/associations/1/to/id", "a value of type bool is not an id")],
        ),
        (ORDER | {"associations": [link("")]}, [(0, "/inputs/0/associations/0/to/id", "the text is empty")]),
        (
            ORDER | {"associations": [link(meaning="507")]},
            [
                (
                    0,
                    "/inputs/0/associations/0/types/0/associationTypeId",
                    "text stands where a whole number belongs",
                )
            ],
        ),
        (
            ORDER | {"associations": [link(category="MINE")]},
            [(0, "/inputs/0/associations/0/types/0/associationCategory", "this is not an option")],
        ),
        (
            ORDER | {"associations": [link() | {1: 2}]},
            [(0, "/inputs/0/associations/0", "a key is not Unicode text")],
        ),
        (
            ORDER | {"associations": [{"to": 301, "types": []}]},
            [
                (0, "/inputs/0/associations/0/to", "a number stands where a mapping belongs"),
                (0, "/inputs/0/associations/0/types", "the list is empty"),
            ],
        ),
    ]
    for item, places in cases:
        with case(item, places):
            assert sorted(places_of([item]), key=str) == sorted(places, key=str)


def test_a_fault_of_an_update_is_named_with_its_place() -> None:
    cases: list[tuple[object, list[Place]]] = [
        ({"properties": {}}, [(0, "/inputs/0", "'id' is missing")]),
        ({"id": "1"}, [(0, "/inputs/0", "'properties' is missing")]),
        ({"id": None, "properties": {}}, [(0, "/inputs/0/id", "None is not an id")]),
        ({"id": True, "properties": {}}, [(0, "/inputs/0/id", "a value of type bool is not an id")]),
        ({"id": 5.0, "properties": {}}, [(0, "/inputs/0/id", "a value of type float is not an id")]),
        ({"id": "", "properties": {}}, [(0, "/inputs/0/id", "the text is empty")]),
        (
            {"id": "1", "idProperty": 5, "properties": {}},
            [(0, "/inputs/0/idProperty", "a number stands where text belongs")],
        ),
        ({"id": "1", "idProperty": "", "properties": {}}, [(0, "/inputs/0/idProperty", "the text is empty")]),
        (
            {"id": "1", "idProperty": "hs_object_id", "properties": {}},
            [(0, "/inputs/0/idProperty", "HubSpot refuses hs_object_id as the name of a unique property")],
        ),
        (
            {"id": "1", "properties": {}, "associations": []},
            [(0, "/inputs/0/associations", "the document knows no such key")],
        ),
        (
            {"id": "1", "idProprety": "ext", "properties": {}},
            [(0, "/inputs/0/idProprety", "the document knows no such key")],
        ),
    ]
    for item, places in cases:
        with case(item, places):
            assert places_of([item], UPDATE) == places


def test_an_id_in_a_create_is_named_once_for_each_input() -> None:
    unknown = "the document knows no such key"
    assert places_of([ORDER | {"id": 1}, ORDER | {"id": "1"}]) == [
        (0, "/inputs/0/id", unknown),
        (1, "/inputs/1/id", unknown),
    ]


def test_two_ids_that_cannot_be_sent_do_not_repeat_each_other() -> None:
    inputs = [{"id": None, "properties": {}}, {"id": True, "properties": {}}, {"id": "7", "properties": {}}]
    assert places_of(inputs, UPDATE) == [
        (0, "/inputs/0/id", "None is not an id"),
        (1, "/inputs/1/id", "a value of type bool is not an id"),
    ]


def test_a_repeated_trace_id_is_a_fault() -> None:
    first, *others = ("a", "b", "a", "a")
    faults = faults_of([ORDER | {"objectWriteTraceId": trace} for trace in (first, *others)])
    repeated = InputIssue(
        index=2,
        pointer="/inputs/2/objectWriteTraceId",
        problem="it repeats that of inputs[0], for which HubSpot refuses the whole batch",
        remedy="give each input one of its own",
    )
    assert faults[0] == repeated
    assert [fault.index for fault in faults] == [2, 3]


def test_a_repeated_id_is_a_fault_whether_text_or_int() -> None:
    faults = faults_of([{"id": 5, "properties": {}}, {"id": "5", "properties": {"a": "b"}}], UPDATE)
    assert faults == (
        InputIssue(
            index=1,
            pointer="/inputs/1/id",
            problem="it repeats that of inputs[0], for which HubSpot refuses the whole batch",
            remedy="send the two in two requests",
        ),
    )


def test_the_same_id_under_another_unique_property_is_not_a_repetition() -> None:
    inputs = [
        {"id": "5", "properties": {}},
        {"id": "5", "idProperty": "hs_external_order_id", "properties": {}},
        {"id": "5", "idProperty": "hs_external_cart_id", "properties": {}},
    ]
    assert len(prepare(UPDATE, inputs).inputs) == 3
    assert places_of([*inputs, inputs[1]], UPDATE) == [
        (3, "/inputs/3/id", "it repeats that of inputs[1], for which HubSpot refuses the whole batch")
    ]


def test_all_faults_of_all_inputs_are_named_in_the_order_of_the_inputs() -> None:
    inputs = [
        {"propertees": {}},
        ORDER,
        {"properties": {"a": None, "b": NAIVE}},
        {"properties": {"c": 5}, "objectWriteTraceId": "row-4"},
        "no input",
    ]
    assert [(fault.index, fault.pointer) for fault in faults_of(inputs)] == [
        (0, "/inputs/0/propertees"),
        (0, "/inputs/0"),
        (2, "/inputs/2/properties/a"),
        (2, "/inputs/2/properties/b"),
        (4, "/inputs/4"),
    ]


def test_a_fault_of_the_whole_list_is_named_before_those_of_the_inputs() -> None:
    faults = faults_of([{"properties": {"a": None}}] * 101)
    assert [fault.index for fault in faults] == [None, *range(101)]


def test_thousands_of_faults_are_all_named() -> None:
    inputs = [{"properties": {f"p{m}": None for m in range(50)}} for _ in range(100)]
    pointers = [fault.pointer for fault in faults_of(inputs)]
    assert pointers == [f"/inputs/{n}/properties/p{m}" for n in range(100) for m in range(50)]


@pytest.mark.parametrize(
    "unsendable",
    [
        pytest.param(object(), id="object"),
        pytest.param({"properties": {1: "x"}}, id="key that is not a text"),
        pytest.param({"properties": {"a": "\ud800"}}, id="lone surrogate"),
    ],
)
def test_what_json_cannot_express_hides_no_other_fault(unsendable: object) -> None:
    twice = ORDER | {"objectWriteTraceId": "a"}
    places = [
        (index, pointer) for index, pointer, _ in places_of([{"propertees": {}}, unsendable, twice, twice])
    ]
    assert (0, "/inputs/0/propertees") in places
    assert (0, "/inputs/0") in places
    assert 1 in {index for index, _ in places}
    assert (3, "/inputs/3/objectWriteTraceId") in places


@pytest.mark.parametrize(
    "unlike",
    [
        pytest.param({"properties": {Text("a"): "x"}}, id="key of a str subclass"),
        pytest.param(ORDER | {"objectWriteTraceId": Text("row-1")}, id="trace id of a str subclass"),
        pytest.param(ORDER | {"associations": [link("301", Text("WORK"))]}, id="category of a str subclass"),
        pytest.param(
            ORDER | {"associations": [link("301", "WORK", Number(7))]}, id="type id of an int subclass"
        ),
        pytest.param({"properties": {Stage.NAME: "x"}}, id="enum key"),
    ],
)
def test_a_subclass_in_one_input_does_not_let_faults_of_another_through(unlike: dict[str, Any]) -> None:
    assert places_of([unlike, ORDER | {"associatons": []}]) == [
        (1, "/inputs/1/associatons", "the document knows no such key")
    ]
    assert places_of([unlike | {"objectWriteTraceId": str(n)} for n in range(101)]) == [
        (None, "/inputs", "there are more than 100")
    ]


@pytest.mark.parametrize("value", [date(2026, 9, 1), Decimal(5), {1}, object(), "\ud800", [b"x"]])
def test_an_unknown_key_is_named_with_any_value(value: object) -> None:
    unknown = (0, "/inputs/0/hs_created", "the document knows no such key")
    assert unknown in places_of([ORDER | {"hs_created": value}])


def test_a_misspelt_key_gets_the_right_spelling() -> None:
    [fault] = faults_of([ORDER | {"associatons": []}])
    assert fault.remedy == "did you mean 'associations'?"


class Looked(dict[str, Any]):
    """A mapping that counts how often somebody goes through it."""

    looks = 0

    def items(self) -> Any:  # noqa: ANN401 - a type that dict does not name
        self.looks += 1
        if self.looks > 10_000:
            pytest.fail("the work grows with the power of the depth")
        return super().items()


@pytest.mark.parametrize("key", ["associations", "objectWriteTraceId", "unknown"])
def test_an_input_that_holds_itself_many_times_is_not_gone_through_for_ever(key: str) -> None:
    item = Looked(properties={})
    item[key] = [item] * 30
    assert {fault.index for fault in faults_of([item])} == {0}


def test_inputs_that_hold_themselves_are_a_fault_and_no_endless_loop() -> None:
    order: dict[str, Any] = {"properties": {}}
    order["associations"] = [order]
    properties: dict[str, Any] = {}
    properties["itself"] = properties
    inputs: list[object] = [{"properties": properties}, order]
    inputs.append(inputs)
    assert {fault.index for fault in faults_of(inputs)} == {0, 1, 2}


@pytest.mark.parametrize(
    "properties", [{}, {"u": ""}, {"other": "1"}], ids=["no properties", "empty value", "another property"]
)
def test_an_input_without_the_unique_property_is_a_fault(properties: dict[str, str]) -> None:
    faults = faults_of([{"properties": {"u": "1"}}, {"properties": properties}], unique_property="u")
    assert faults == (
        InputIssue(
            index=1,
            pointer="/inputs/1/properties",
            problem="the unique property 'u' is missing or empty",
            remedy="fill it in, or do not name it as unique_property",
        ),
    )


def test_a_unique_property_that_every_input_has_is_sent_as_any_other() -> None:
    batch = prepare(CREATE, [{"properties": {"u": 1}}, {"properties": {"u": "b"}}], "u")
    assert [item["properties"] for item in batch.inputs] == [{"u": "1"}, {"u": "b"}]


def test_a_value_of_the_unique_property_that_an_input_before_has_is_a_fault() -> None:
    inputs = [{"properties": {"u/": value}} for value in (5, "b", "5", 5.5, "b", True)]
    faults = faults_of(inputs, unique_property="u/")
    assert faults == tuple(
        InputIssue(
            index=index,
            pointer=f"/inputs/{index}/properties/u~1",
            problem=f"the unique property 'u/' repeats the value of inputs[{first}]",
            remedy="give each input a value of its own, or do not name it as unique_property",
        )
        for index, first in ((2, 0), (4, 1))
    )


def test_values_of_the_unique_property_are_compared_as_they_are_sent() -> None:
    values = ["a", "A", "a ", "9", "9.0", "09", "true", "2026-09-01", "2026-09-01T00:00:00.000Z"]
    inputs = [{"properties": {"u": value, "other": "x"}} for value in values]
    assert len(prepare(CREATE, inputs, "u").inputs) == len(values)
    places = [(fault.index, fault.pointer) for fault in faults_of([*inputs, *inputs], unique_property="u")]
    assert places == [(index, f"/inputs/{index}/properties/u") for index in range(9, 18)]


def test_a_property_that_is_not_named_as_unique_may_repeat_its_value() -> None:
    inputs = [{"properties": {"u": number, "same": "x"}} for number in range(2)]
    assert len(prepare(CREATE, inputs).inputs) == 2
    assert len(prepare(CREATE, inputs, "u").inputs) == 2


def test_inputs_that_lack_the_unique_property_do_not_repeat_each_other() -> None:
    inputs = [{"properties": properties} for properties in ({}, {}, {"u": ""}, {"u": ""}, {"u": None})]
    assert [
        (fault.index, fault.problem) for fault in faults_of([*inputs, inputs[-1]], unique_property="u")
    ] == [
        *((index, "the unique property 'u' is missing or empty") for index in range(4)),
        *((index, "None does not clear a property") for index in (4, 5)),
    ]


def test_an_input_that_is_wrong_in_itself_is_not_also_said_to_lack_the_unique_property() -> None:
    inputs = [{"properties": {"u": None}}, {"properties": 3}, 4, {}]
    assert [(fault.index, fault.problem) for fault in faults_of(inputs, unique_property="u")] == [
        (0, "None does not clear a property"),
        (1, "a number stands where a mapping belongs"),
        (2, "a number stands where a mapping belongs"),
        (3, "'properties' is missing"),
    ]


def test_no_value_occurs_in_the_error() -> None:
    cases: list[object] = [
        SECRET,
        [SECRET],
        SECRET.encode(),
        {"properties": SECRET},
        {"properties": [SECRET]},
        {"properties": {"a": {"b": SECRET}}},
        {"properties": {"a": [SECRET, ""]}},
        {"properties": {"a": [f"{SECRET};"]}},
        {"properties": {"a": SECRET + "\ud800"}},
        {"properties": {"a": SECRET.encode()}},
        {"properties": {"a": SECRET, "": SECRET, "b": None}},
        {"properties": {"a": Exception(SECRET)}},
        {"properties": {1: SECRET}},
        {"propertees": {"a": SECRET}},
        {"properties": {}, "associations": SECRET},
        {"properties": {}, "associations": [link([SECRET])]},
        {"properties": {}, "associations": [link(category=SECRET)]},
        {"properties": {}, "associations": [link(meaning=SECRET)]},
        {"properties": {}, "objectWriteTraceId": [SECRET]},
        {"properties": {}, "id": [SECRET]},
        {"properties": {"u": SECRET}, "id": SECRET, "idProperty": [SECRET]},
        structs.CreateInput(properties={"a": Exception(SECRET)}),  # type: ignore[dict-item]
        models.CreateInput(attrs_properties(a=Exception(SECRET))),
    ]
    for operation in (CREATE, UPDATE):
        for item in cases:
            with case(operation, item):
                with pytest.raises(InvalidInputError) as caught:
                    prepare(operation, [item, item, "no input"], "u")
                error = caught.value
                for shown in (
                    str(error),
                    repr(error),
                    repr(error.faults),
                    repr(error.args),
                    *map(str, error.faults),
                ):
                    assert SECRET not in shown


def test_a_batch_cannot_be_changed_and_its_fields_are_given_by_name() -> None:
    with pytest.raises(AttributeError):
        prepare(CREATE, [ORDER]).content = b""  # type: ignore[misc]
    with pytest.raises(TypeError):
        Batch([], b"")  # type: ignore[call-arg]


def test_the_repr_of_a_batch_shows_no_value() -> None:
    batch = prepare(CREATE, [{"properties": {"a": SECRET}}])
    assert SECRET.encode() in batch.content
    assert repr(batch) == f"Batch(1 inputs, {len(batch.content)} bytes)"


def test_text_of_any_script_is_sent_as_it_is() -> None:
    text = "Größe 😀 \x00 \u2028 漢字 \U0010ffff"
    [item] = body_of(prepare(CREATE, [{"properties": {text: text}, "objectWriteTraceId": text}]))["inputs"]
    assert item == {"properties": {text: text}, "objectWriteTraceId": text}


def test_no_trace_id_is_added_where_the_operation_takes_none() -> None:
    operation = msgspec.structs.replace(CREATE, input_keys=frozenset({"properties"}))

    batch = prepare(operation, [{"properties": {"name": "A"}}, MappingProxyType({"properties": {}})])

    assert json.loads(batch.content) == {"inputs": [{"properties": {"name": "A"}}, {"properties": {}}]}
