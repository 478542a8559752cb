"""The issues of any payload are those that an independent reading of the document finds."""

import copy
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch, prepare
from hubspot_batch.contract._validation import validate
from hubspot_batch.errors import InputIssue, InvalidInputError

# FUZZ_TIMES=5 looks for five times as long.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))

CREATE = contract.operation("create_line_items")
UPDATE = contract.operation("update_orders")
UPSERT = contract.operation("upsert_carts")
READ = contract.operation("read_orders")
ARCHIVE = contract.operation("archive_orders")
LINK = contract.operation("create_associations")
CATEGORIES = ("HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK")
SECRET = "s3cr3t-7261"
NAIVE = datetime(2026, 9, 1)  # noqa: DTZ001 - the fault under test

# The names of the document, and some that it has not.
KEYS = st.sampled_from(
    [
        "inputs",
        "properties",
        "associations",
        "objectWriteTraceId",
        "id",
        "idProperty",
        "to",
        "types",
        "a/b~c",
        "",
    ]
)
names = st.sampled_from(["name", "price", "a/b~c"])
texts = st.sampled_from(["1", "x", "hs_object_id"]) | st.text(max_size=3)
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | texts
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)

properties = st.dictionaries(names, texts, max_size=3)
links = st.fixed_dictionaries(
    {
        "to": st.fixed_dictionaries({"id": st.text("0123456789", min_size=1, max_size=3)}),
        "types": st.lists(
            st.fixed_dictionaries(
                {
                    "associationCategory": st.sampled_from(CATEGORIES),
                    "associationTypeId": st.integers(1, 2**31 - 1),
                }
            ),
            min_size=1,
            max_size=2,
        ),
    }
)
trace_ids = st.text("abc", min_size=1, max_size=2)
creates = st.fixed_dictionaries(
    {"properties": properties},
    optional={"associations": st.lists(links, max_size=2), "objectWriteTraceId": trace_ids},
)
updates = st.fixed_dictionaries(
    {"id": st.text("12", min_size=1, max_size=2), "properties": properties},
    optional={
        "idProperty": st.sampled_from(["ext", "cart", "hs_object_id"]),
        "objectWriteTraceId": trace_ids,
    },
)

record_ids = st.fixed_dictionaries({"id": st.text("12x", min_size=1, max_size=2) | st.integers(1, 3)})
upserts = st.fixed_dictionaries(
    {
        "id": st.text("12x", min_size=1, max_size=2),
        "idProperty": st.sampled_from(["ext", "cart", "hs_object_id"]),
        "properties": properties,
    },
    optional={"objectWriteTraceId": trace_ids},
)
pairs = links.flatmap(
    lambda link: st.fixed_dictionaries(
        {"from": record_ids, "to": record_ids, "types": st.just(link["types"])}
    )
)


def places(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner: Iterator[tuple[Any, object]] = iter(())
    if isinstance(node, dict):
        inner = iter(node.items())
    elif isinstance(node, list):
        inner = iter(enumerate(node))
    for part, value in inner:
        yield from places(value, (*path, part))


@st.composite
def payloads(draw: st.DrawFn, items: st.SearchStrategy[dict[str, Any]]) -> Any:  # noqa: ANN401 - JSON
    """Return a payload that is right or nearly so: up to two of its places hold junk."""
    payload: Any = {"inputs": draw(st.lists(items, min_size=1, max_size=4))}
    for _ in range(draw(st.integers(0, 2))):
        payload = replaced(payload, draw(st.sampled_from(list(places(payload)))), draw(junk), draw(KEYS))
    return payload


def replaced(payload: Any, path: tuple[str | int, ...], value: object, key: str) -> Any:  # noqa: ANN401 - JSON
    """Return a copy in which the place holds the value; a mapping there gets it under a key."""
    copied = copy.deepcopy(payload)
    holder, target = None, copied
    for part in path:
        holder, target = target, target[part]
    if isinstance(target, dict):
        target[key] = value
    elif holder is None:
        return value
    else:
        holder[path[-1]] = value
    return copied


# The document in other words. Written apart from it on purpose.


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_filled(value: object) -> bool:
    return isinstance(value, str) and value != ""


def is_record_id(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def is_mapping(value: object, required: set[str], optional: Sequence[str] = ()) -> bool:
    return isinstance(value, dict) and required <= set(value) <= required.union(optional)


def are_properties(value: object) -> bool:
    return isinstance(value, dict) and all(name and is_text(text) for name, text in value.items())


def is_type(value: Any) -> bool:  # noqa: ANN401 - JSON
    if not is_mapping(value, {"associationCategory", "associationTypeId"}):
        return False
    number = value["associationTypeId"]
    whole = isinstance(number, int | float) and not isinstance(number, bool) and number % 1 == 0
    return value["associationCategory"] in CATEGORIES and whole and 1 <= number < 2**31


def is_link(value: Any) -> bool:  # noqa: ANN401 - JSON
    return (
        is_mapping(value, {"to", "types"})
        and is_mapping(value["to"], {"id"})
        and is_record_id(value["to"]["id"])
        and isinstance(value["types"], list)
        and bool(value["types"])
        and all(map(is_type, value["types"]))
    )


def is_create(value: Any) -> bool:  # noqa: ANN401 - JSON
    if not is_mapping(value, {"properties"}, ("associations", "objectWriteTraceId")):
        return False
    links = value.get("associations", [])
    return (
        are_properties(value["properties"])
        and isinstance(links, list)
        and all(map(is_link, links))
        and is_filled(value.get("objectWriteTraceId", "x"))
    )


def is_update(value: Any) -> bool:  # noqa: ANN401 - JSON
    if not is_mapping(value, {"id", "properties"}, ("idProperty", "objectWriteTraceId")):
        return False
    return (
        (is_filled(value["id"]) if "idProperty" in value else is_record_id(value["id"]))
        and are_properties(value["properties"])
        and is_filled(value.get("idProperty", "x"))
        and value.get("idProperty") != "hs_object_id"
        and is_filled(value.get("objectWriteTraceId", "x"))
    )


def is_right(operation: contract.Operation, payload: Any) -> bool:  # noqa: ANN401 - JSON
    if not is_mapping(payload, {"inputs"}) or not isinstance(payload["inputs"], list):
        return False
    inputs = payload["inputs"]
    if not 1 <= len(inputs) <= 100 or not all(map(is_update if operation is UPDATE else is_create, inputs)):
        return False
    traces = [item["objectWriteTraceId"] for item in inputs if "objectWriteTraceId" in item]
    records = [(item["id"], item.get("idProperty")) for item in inputs if "id" in item]
    return len(set(traces)) == len(traces) and len(set(records)) == len(records)


def exists(payload: Any, pointer: str) -> bool:  # noqa: ANN401 - JSON
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            payload = payload[int(key) if isinstance(payload, list) else key]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return True


def check(operation: contract.Operation, payload: Any) -> None:  # noqa: ANN401 - JSON
    before = repr(payload)
    faults = validate(operation.id, payload)  # type: ignore[arg-type]
    assert (not faults) == is_right(operation, payload)
    assert repr(payload) == before
    for fault in faults:
        assert exists(payload, fault.pointer)
        assert fault.problem
        assert fault.remedy
        assert fault.index == index_in(fault.pointer, payload)


def index_in(pointer: str, payload: Any) -> int | None:  # noqa: ANN401 - JSON
    match pointer.split("/"):
        case ["", "inputs", index, *_] if isinstance(payload["inputs"], list):
            return int(index)
    return None


@given(payloads(creates))
@settings(max_examples=150 * TIMES)
def test_a_create_has_faults_exactly_where_it_is_not_as_the_document_says(payload: object) -> None:
    check(CREATE, payload)


@given(payloads(updates))
@settings(max_examples=150 * TIMES)
def test_an_update_has_faults_exactly_where_it_is_not_as_the_document_says(payload: object) -> None:
    check(UPDATE, payload)


@given(junk)
def test_junk_has_faults(payload: object) -> None:
    check(CREATE, payload)
    check(UPDATE, payload)


def outcome_of(
    operation: contract.Operation, inputs: list[Any], unique_property: str | None = None
) -> Batch | InvalidInputError:
    try:
        return prepare(operation, inputs, unique_property)
    except InvalidInputError as error:
        return error


# What Python code has instead of text.
values = (
    texts
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-5))))
    | st.lists(st.integers(0, 9) | st.sampled_from(["a", "b"]), min_size=1, max_size=3)
)
typed = st.fixed_dictionaries(
    {"properties": st.dictionaries(names, values, max_size=3)},
    optional={"id": st.integers(0, 10**12), "objectWriteTraceId": trace_ids},
)

# What no JSON holds, and what a caller may still hand over.
any_text = st.text(st.characters(codec=None), max_size=3)
strange = (
    st.floats()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=3)
    | any_text
    | st.just(object())
    | st.sets(st.integers(), max_size=2)
    | st.just(int)
)
strange_keys = (
    KEYS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.binary(max_size=3)
    | any_text
)
anything = st.recursive(
    scalars | strange,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(strange_keys, inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3).map(MappingProxyType)
        | st.fixed_dictionaries({"properties": st.dictionaries(strange_keys, inner, max_size=3)})
        | st.fixed_dictionaries({"id": inner, "properties": st.dictionaries(names, inner, max_size=3)})
        | st.fixed_dictionaries({"properties": properties, "associations": inner})
    ),
    max_leaves=8,
)


@given(anything, st.sampled_from([CREATE, UPDATE]))
@settings(max_examples=150 * TIMES)
def test_no_payload_at_all_ends_in_another_error(payload: object, operation: contract.Operation) -> None:
    for body in (payload, {"inputs": payload}, {"inputs": [payload]}):
        faults = validate(operation.id, body)  # type: ignore[arg-type]
        assert all(isinstance(fault, InputIssue) and fault.problem and fault.remedy for fault in faults)
        if not faults:
            assert validate(operation.id, json.loads(msgspec.json.encode(body))) == ()  # type: ignore[arg-type]


@given(st.lists(anything, max_size=4), st.sampled_from([CREATE, UPDATE]), st.sampled_from([None, "name"]))
@settings(max_examples=150 * TIMES)
def test_what_is_sent_is_right_and_what_is_not_is_told(
    inputs: list[object], operation: contract.Operation, unique_property: str | None
) -> None:
    before = repr(inputs)
    outcome = outcome_of(operation, inputs, unique_property)
    assert repr(inputs) == before
    if isinstance(outcome, InvalidInputError):
        assert outcome.faults
        return
    body = json.loads(outcome.content)
    assert body == {"inputs": outcome.inputs}
    assert is_right(operation, body)
    assert all("objectWriteTraceId" in item for item in body["inputs"])
    if unique_property:
        values = [item["properties"][unique_property] for item in body["inputs"]]
        assert all(values)
        assert len(set(values)) == len(values)


def told(outcome: Batch | InvalidInputError) -> object:
    if isinstance(outcome, InvalidInputError):
        return outcome.faults
    return outcome.content, outcome.inputs


@given(
    st.one_of(
        st.lists(st.one_of(creates, updates, anything), min_size=1, max_size=4),
        st.lists(typed, min_size=1, max_size=4),
    ),
    st.sampled_from([CREATE, UPDATE]),
    st.sampled_from([None, "name"]),
)
@settings(max_examples=150 * TIMES)
def test_plain_inputs_become_what_any_other_mappings_become(
    inputs: list[object], operation: contract.Operation, unique_property: str | None
) -> None:
    others = [MappingProxyType(item) if isinstance(item, dict) else item for item in inputs]

    plain = outcome_of(operation, inputs, unique_property)

    assert told(plain) == told(outcome_of(operation, others, unique_property))


def outcome_beside(
    operation: contract.Operation, inputs: Sequence[object], beside: Mapping[str, object]
) -> Batch | InvalidInputError:
    try:
        return prepare(operation, inputs, beside=beside)
    except InvalidInputError as error:
        return error


@given(
    st.lists(st.one_of(upserts, record_ids, pairs, anything), min_size=1, max_size=4),
    st.sampled_from([UPSERT, READ, ARCHIVE, LINK]),
    st.dictionaries(
        st.sampled_from(["properties", "propertiesWithHistory", "idProperty"]),
        st.lists(names) | names,
        max_size=3,
    ),
)
@example([{"id": 7, "properties": None}], READ, {})
@example([{"id": "7", "properties": {"price": 1}}], READ, {})
@example([{"id": 7, "properties": [1], "from": 1, "associations": {"to": 1}}], ARCHIVE, {})
@example([{"from": None, "to": [7], "types": "7", "properties": 7}], LINK, {})
@settings(max_examples=150 * TIMES)
def test_plain_inputs_of_every_verb_become_what_any_other_mappings_become(
    inputs: list[object], operation: contract.Operation, beside: Mapping[str, object]
) -> None:
    beside = beside if operation is READ else {}
    others = [MappingProxyType(item) if isinstance(item, dict) else item for item in inputs]
    before = repr(inputs)

    plain = outcome_beside(operation, inputs, beside)

    assert repr(inputs) == before
    assert told(plain) == told(outcome_beside(operation, others, beside))


@given(st.lists(creates, min_size=1, max_size=4))
def test_inputs_that_are_right_are_sent_as_they_are(inputs: list[dict[str, Any]]) -> None:
    given_traces = [item["objectWriteTraceId"] for item in inputs if "objectWriteTraceId" in item]
    outcome = outcome_of(CREATE, inputs)
    if isinstance(outcome, InvalidInputError):
        assert len(set(given_traces)) < len(given_traces)
        assert {fault.pointer.rpartition("/")[2] for fault in outcome.faults} == {"objectWriteTraceId"}
        return
    for sent, item in zip(outcome.inputs, inputs, strict=True):
        assert sent == {"objectWriteTraceId": sent["objectWriteTraceId"]} | item


def holders(value: object) -> list[Mapping[str, object]]:
    return [
        {"properties": {"a": value}},
        {"properties": {"a": [value, ""]}},
        {"properties": {"a": {"b": value}}},
        {"properties": {}, "objectWriteTraceId": [value]},
        {"properties": {}, "associations": [{"to": {"id": [value]}, "types": value}]},
        {"properties": value, "id": value, "idProperty": {"c": value}},
        {"unknown": value},
    ]


@given(
    st.sampled_from([SECRET, SECRET + "\ud800", f"{SECRET};", SECRET.encode(), [SECRET], {"a": SECRET}]),
    st.sampled_from([None, date.min, NAIVE, Decimal("NaN"), float("inf"), object(), "\ud800", 10**500]),
    st.sampled_from([CREATE, UPDATE]),
)
def test_no_value_occurs_in_what_is_told(
    secret: object, other: object, operation: contract.Operation
) -> None:
    inputs = [*holders(secret), {"properties": {"a": other}, "id": other}]
    error = outcome_of(operation, inputs)
    assert isinstance(error, InvalidInputError)
    assert SECRET not in f"{error} {error!r} {error.faults!r}"
    assert SECRET not in repr(validate(operation.id, {"inputs": inputs}))  # type: ignore[arg-type]
