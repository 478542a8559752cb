"""Every body that the document allows goes through the client into the sandbox and back; no other does.

The bodies are drawn from the request schemas of the document, half of them with properties and records that
exist, for the others mostly end in refusals. `FUZZ_TIMES=5` looks for five times as long, and elsewhere in
each run.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import httpx
import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hubspot_batch import (
    ApiError,
    BadRequestError,
    BatchResult,
    ConflictError,
    HubSpot,
    InvalidInputError,
    Quota,
)
from hubspot_batch.contract._associations import TARGETS
from hubspot_batch.sandbox import Behaviour, Property, Sandbox, StoredRecord

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "openapi" / "hubspot-batch.yaml").read_text("utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
# The operations of the document, by what they write.
CREATES = ["orders", "line_items", "commerce_payments", "carts"]

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
search = settings(
    max_examples=100 * TIMES,
    derandomize=TIMES == 1,
    # What Phase.explain would tell takes longer than the rest.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

OPTIONS = ("new", "Old", "a b")
PROPERTIES = {
    "shop_text": Property("text"),
    "shop_mail": Property("email"),
    "shop_number": Property("number"),
    "shop_money": Property("money"),
    "shop_flag": Property("boolean"),
    "shop_day": Property("date"),
    "shop_moment": Property("datetime"),
    "shop_choice": Property("enumeration", OPTIONS),
    "shop_choices": Property("enumeration", OPTIONS, multiple=True),
    "shop_key": Property("text", unique=True),
}
REQUIRED = {
    "orders": {"hs_order_name": Property("text")},
    "commerce_payments": {"hs_initial_amount": Property("money"), "hs_initiated_date": Property("datetime")},
}
EXISTING = {"deals": ["301", "302"], "contacts": ["401"], "companies": ["501", "502"]}

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.from_regex(r"[+-]?([0-9]{1,9}\.?[0-9]{0,4}|\.[0-9]{1,4})", fullmatch=True)
days = st.dates().map(str)
moments = st.builds(
    lambda moment, zone, precision: f"{moment.isoformat(timespec=precision)}{zone}",
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone comes behind it
    st.sampled_from(["Z", "+02:00", "-11:30"]),
    st.sampled_from(["seconds", "milliseconds"]),
)
several = st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=3, unique=True).map(";".join)
VALUES: Mapping[str, st.SearchStrategy[str]] = {
    "text": texts,
    "email": texts.map("{}@Example.COM".format),
    "number": numbers,
    "money": numbers,
    "boolean": st.sampled_from(["true", "false"]),
    "date": days | st.integers(-(10**4), 10**4).map(lambda day: str(day * 86_400_000)),
    "datetime": days | moments | st.integers(-(10**11), 10**12).map(str),
    "enumeration": st.sampled_from(OPTIONS),
}


# What the document allows.


@cache
def allowed(name: str) -> st.SearchStrategy[Any]:
    """All that a named schema of the document allows, mostly small."""
    return _allowed(SCHEMAS[name])


def _allowed(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    rules = {key: rule for key, rule in schema.items() if key not in {"description", "format"}}
    match rules:
        case {"$ref": str(reference), **others} if not others:
            name = reference.removeprefix("#/components/schemas/")
            return st.deferred(lambda: allowed(name))
        case {"type": "string", "enum": options, **others} if not others:
            return st.sampled_from(options)
        case {"type": "string", **others} if others.keys() <= {"minLength"}:
            return st.text(st.characters(codec="utf-8"), min_size=others.get("minLength", 0))
        case {"type": "integer", "minimum": least, "maximum": most, **others} if not others:
            return st.integers(least, most)
        case {"type": "array", "items": items, **others} if others.keys() <= {"minItems", "maxItems"}:
            return st.lists(
                _allowed(items), min_size=others.get("minItems", 0), max_size=others.get("maxItems", 5)
            )
        case {
            "type": "object",
            "properties": fields,
            "required": required,
            "additionalProperties": False,
            **others,
        } if not others:
            given = {key: _allowed(field) for key, field in fields.items()}
            return st.fixed_dictionaries(
                {key: given[key] for key in required},
                optional={key: value for key, value in given.items() if key not in required},
            )
        case {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": dict(values),
            **others,
        } if not others:
            return st.dictionaries(_allowed(names), _allowed(values), max_size=5)
    raise AssertionError(f"nothing here knows how to draw {sorted(rules)}")


record_ids = st.integers(0, 10**12).map(str)


def is_record_id(text: str) -> bool:
    """Whether a text can be a record id: that the schemas do not say."""
    return text.isascii() and text.isdigit()


def rules_of(object_type: str) -> dict[str, Property]:
    return {**PROPERTIES, **REQUIRED.get(object_type, {})}


@st.composite
def properties(draw: st.DrawFn, object_type: str, *, creating: bool) -> dict[str, str]:
    """Properties that exist; once in a while with a value that is none."""
    rules = rules_of(object_type)
    needed = set(REQUIRED.get(object_type, ())) if creating else set()
    names = needed | set(draw(st.lists(st.sampled_from(sorted(rules)), max_size=5)))
    drawn = {}
    for name in draw(st.permutations(sorted(names))):
        rule = rules[name]
        values = several | several.map(";{}".format) if rule.multiple else VALUES[rule.kind]
        if name in needed:
            values = values.filter(bool)
        strange = draw(st.integers(0, 29))
        drawn[name] = draw(
            texts if strange == 0 else values if strange > 1 or name in needed else st.just("")
        )
    return drawn


@st.composite
def creates(draw: st.DrawFn, object_type: str) -> dict[str, Any]:
    item: dict[str, Any] = draw(allowed("CreateInput"))
    if draw(st.integers(0, 7)):
        item["properties"] = draw(properties(object_type, creating=True))
        if "associations" in item:
            item["associations"] = draw(st.lists(associations(object_type), max_size=3))
    for link in item.get("associations", ()):
        if not is_record_id(link["to"]["id"]):
            link["to"]["id"] = draw(record_ids)
    return item


@st.composite
def associations(draw: st.DrawFn, object_type: str) -> dict[str, Any]:
    """A link with a record that exists; once in a while with one that does not."""
    types = TARGETS[object_type]
    target = draw(st.sampled_from([name for name in EXISTING if name in types.values()]))
    fitting = [number for number, name in types.items() if name == target]
    chosen = draw(st.lists(st.sampled_from(fitting), min_size=1, unique=True))
    return {
        "to": {"id": draw(st.sampled_from([*EXISTING[target] * 5, "1"]))},
        "types": [
            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id} for type_id in chosen
        ],
    }


@st.composite
def updates(draw: st.DrawFn, keys: Mapping[str, str]) -> dict[str, Any]:
    """An update of an order that is there, found by id or by key, or of one that is not."""
    item: dict[str, Any] = draw(allowed("UpdateInput"))
    kind = draw(st.integers(0, 9))
    if kind:
        item["properties"] = draw(properties("orders", creating=False))
        item.pop("idProperty", None)
        item["id"] = draw(st.sampled_from([*keys, "1", "2", "3"]))
    if kind > 6:
        item["idProperty"], item["id"] = "shop_key", draw(st.sampled_from([*keys.values(), "no key"]))
    if "idProperty" not in item and not is_record_id(item["id"]):
        item["id"] = draw(record_ids)
    return item


def batches(items: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Inputs with no repeated trace id and no repeated record: that the schemas cannot say."""
    bounds = SCHEMAS["BatchCreateRequest"]["properties"]["inputs"]
    return (
        (
            st.lists(items, min_size=bounds["minItems"], max_size=6)
            | st.lists(items, min_size=1, max_size=3).map(lambda few: (few * 100)[: bounds["maxItems"]])
        )
        .map(without_repetitions)
        .filter(bool)
    )


def without_repetitions(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    traces: set[str] = set()
    records: set[tuple[str | None, str]] = set()
    kept = []
    for item in items:
        own = dict(item)
        if own.get("objectWriteTraceId") in traces:
            del own["objectWriteTraceId"]
        record = own.get("idProperty"), own.get("id", "")
        if record in records or own.get("idProperty") == "hs_object_id":
            continue
        traces |= {own["objectWriteTraceId"]} if "objectWriteTraceId" in own else set()
        records |= {record} if "id" in own else set()
        kept.append(own)
    return kept


# What the client is held against.


class Attempts(NamedTuple):
    """A request as the sandbox got it, and what it answered."""

    inputs: list[dict[str, Any]]
    status: int
    reply: dict[str, Any]

    def written(self) -> dict[str, int]:
        """Record ids and the inputs that they come from. The client does not see them."""
        traces = {item["objectWriteTraceId"]: index for index, item in enumerate(self.inputs)}
        return {item["id"]: traces[item["objectWriteTraceId"]] for item in self.reply.get("results", [])}


class Eavesdropper(httpx.BaseTransport):
    """Keeps what goes to the sandbox and what comes back, and takes the trace ids out of the results."""

    def __init__(self) -> None:
        self._socket = httpx.HTTPTransport()
        self.exchanges: list[Attempts] = []
        self.hushed = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._socket.handle_request(request)
        reply = json.loads(response.read())
        body = json.loads(request.read())
        schema = {"$ref": f"#/components/schemas/{request_schema(request.url.path)}", **DOCUMENT}
        jsonschema_rs.Draft202012Validator(schema).validate(body)
        self.exchanges.append(Attempts(body["inputs"], response.status_code, deepcopy(reply)))
        for result in reply.get("results", []) if self.hushed else ():
            del result["objectWriteTraceId"]
        return httpx.Response(response.status_code, json=reply)

    def close(self) -> None:
        self._socket.close()


def request_schema(path: str) -> str:
    body = DOCUMENT["paths"][path]["post"]["requestBody"]["$ref"].rpartition("/")[2]
    reference: str = DOCUMENT["components"]["requestBodies"][body]["content"]["application/json"]["schema"][
        "$ref"
    ]
    return reference.rpartition("/")[2]


class World:
    """A sandbox, a client that talks with it over a socket, and what goes between the two."""

    def __init__(self, box: Sandbox, wire: Eavesdropper, hub: HubSpot) -> None:
        self.box, self.wire, self.hub = box, wire, hub
        self._numbers = count()

    def orders(self) -> dict[str, str]:
        """Create three orders; return their ids, each with its key."""
        keys = [f"key-{next(self._numbers)}" for _ in range(3)]
        inputs: list[Any] = [{"properties": {"hs_order_name": "A", "shop_key": key}} for key in keys]
        result = self.hub.orders.batch_create(inputs, unique_property="shop_key")
        assert result.ok
        return {record.id: keys[record.index or 0] for record in result.records}

    def records(self, object_type: str) -> dict[str, StoredRecord]:
        return {record.id: record for record in self.box.records(object_type)}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    box = Sandbox(
        quota="none",
        properties=dict.fromkeys(CREATES, PROPERTIES),
        behaviour=Behaviour(echo_trace_ids=True),
    )
    with box, Eavesdropper() as wire:
        for target, ids in EXISTING.items():
            for id_ in ids:
                box.add(target, id_)
        with HubSpot(
            access_token=box.access_token,
            base_url=box.url,
            transport=wire,
            retries=0,
            quota=Quota(10_000, 1.0),
        ) as hub:
            yield World(box, wire, hub)


def moment(value: str) -> datetime:
    if value.removeprefix("-").isdigit():
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def is_same(rule: Property, sent: str, stored: str | None) -> bool:
    """Whether a value is stored as docs/behaviour.md, "Property values", tells."""
    if not sent or stored is None:
        return not sent and stored is None
    if rule.multiple:
        chosen = sent.removeprefix(";").split(";")
        kept = stored.split(";")
        return set(chosen) <= set(kept) if sent[0] == ";" else Counter(chosen) == Counter(kept)
    match rule.kind:
        case "number" | "money":
            return Decimal(sent) == Decimal(stored)
        case "date" | "datetime":
            return moment(sent) == moment(stored)
        case "email":
            return sent.lower() == stored
        case _:
            return sent == stored


def check_written(rules: Mapping[str, Property], item: Mapping[str, Any], record: StoredRecord) -> None:
    for name, value in item["properties"].items():
        assert is_same(rules[name], value, record.properties[name])
    # An association that is given twice is there once.
    links = {
        (link["to"]["id"], kind["associationCategory"], kind["associationTypeId"])
        for link in item.get("associations", ())
        for kind in link["types"]
    }
    kept = [(link.to_id, link.category, link.type_id) for link in record.associations]
    assert sorted(kept) == sorted(links)


def check_accounted(result: BatchResult, attempts: Attempts, refused: set[int]) -> None:
    """Every input is told of once: as a record, as an error, or as one that the reply does not mention."""
    owners = attempts.written()
    for record in result.records:
        assert record.index in {None, owners[record.id]}
    assert sorted(record.id for record in result.records) == sorted(owners)
    assert {error.index for error in result.errors} - {None} <= refused
    told = [record.index for record in result.records] + [error.index for error in result.errors]
    named = [index for index in told if index is not None]
    assert len(set(named)) == len(named)
    everything = set(range(len(attempts.inputs)))
    untold = everything - set(named)
    missing = everything - set(owners.values()) - refused
    assert missing <= untold
    assert set(result.unaccounted) == (untold if missing else set())


@search
@given(data=st.data(), object_type=st.sampled_from(CREATES), hushed=st.booleans())
def test_what_is_created_is_what_was_given(
    world: World, data: st.DataObject, object_type: str, *, hushed: bool
) -> None:
    inputs = data.draw(batches(creates(object_type)))
    world.wire.hushed = hushed
    before = world.records(object_type)

    result = getattr(world.hub, object_type).batch_create(inputs)

    attempts = world.wire.exchanges[-1]
    assert [item | {"objectWriteTraceId": None} for item in attempts.inputs] == [
        item | {"objectWriteTraceId": None} for item in inputs
    ]
    after, owners = world.records(object_type), attempts.written()
    assert after == before | {record.id: after[record.id] for record in result.records}
    for id_, index in owners.items():
        assert id_ not in before
        assert set(after[id_].properties) == set(inputs[index]["properties"])
        check_written(rules_of(object_type), inputs[index], after[id_])
    traces = {item["objectWriteTraceId"]: index for index, item in enumerate(attempts.inputs)}
    errors = attempts.reply.get("errors", [])
    refused = {traces[error["context"]["objectWriteTraceId"][0]] for error in errors}
    check_accounted(result, attempts, refused)
    # A create that names its inputs is told of each that is refused.
    assert {error.index for error in result.errors} == refused
    assert all(record.index is not None for record in result.records) or hushed
    if object_type != "line_items":
        assert len(result.records) + len(result.errors) == len(inputs)
        assert not result.unaccounted


@search
@given(data=st.data(), hushed=st.booleans())
def test_what_is_updated_is_what_was_given(world: World, data: st.DataObject, *, hushed: bool) -> None:
    world.wire.hushed = hushed
    inputs: list[Any] = data.draw(batches(updates(world.orders())))
    before = world.records("orders")

    outcome: BatchResult | ApiError
    try:
        outcome = world.hub.orders.batch_update(inputs)
    except (BadRequestError, ConflictError) as error:
        outcome = error

    attempts, after = world.wire.exchanges[-1], world.records("orders")
    assert [
        {key: sent[key] for key in item} for sent, item in zip(attempts.inputs, inputs, strict=True)
    ] == inputs
    if isinstance(outcome, ApiError):
        assert after == before
        assert not outcome.maybe_written
        return
    owners = attempts.written()
    assert {id_ for id_, record in after.items() if record != before[id_]} <= set(owners)
    for id_, index in owners.items():
        item = inputs[index]
        wanted = before[id_].properties["shop_key"] if "idProperty" in item else id_
        assert item["id"] == wanted
        assert set(after[id_].properties) == set(before[id_].properties) | set(item["properties"])
        check_written(rules_of("orders"), item, after[id_])
    contexts = [error["context"] for error in attempts.reply.get("errors", [])]
    unknown = {id_ for context in contexts for id_ in context.get("ids", [])}
    taken = {trace for context in contexts for trace in context.get("objectWriteTraceId", [])}
    refused = {
        index
        for index, item in enumerate(attempts.inputs)
        if item["id"] in unknown or item["objectWriteTraceId"] in taken
    }
    check_accounted(outcome, attempts, refused)
    # The id of a record names its input, even where another one is passed over in silence.
    by_id = {id_ for id_, index in owners.items() if "idProperty" not in inputs[index]}
    assert all(record.index is not None for record in outcome.records if record.id in by_id)


# What the document does not allow.

Place: TypeAlias = tuple[str | int, ...]
ABSENT = object()


def violations(schema: Mapping[str, Any], value: Any, place: Place) -> Iterator[tuple[Place, object]]:  # noqa: ANN401 - JSON
    """Yield the places of a body, each with all kinds of things that must not stand there."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    for wrong in WRONG[schema["type"]](schema, value):
        # Of an id and a property value, the client makes text.
        if not (is_lenient(place) and (isinstance(wrong, int | list) or wrong == 1.5)):
            yield place, wrong
    match schema["type"]:
        case "object":
            yield from (((*place, key), ABSENT) for key in schema.get("required", ()))
            yield (*place, ""), "x"
            if schema["additionalProperties"] is False:
                yield (*place, "unknown"), "x"
            for key, inner in value.items():
                rule = schema.get("properties", {}).get(key) or schema["additionalProperties"]
                yield from violations(rule, inner, (*place, key))
        case "array":
            for index, inner in enumerate(value):
                yield from violations(schema["items"], inner, (*place, index))


def is_lenient(place: Place) -> bool:
    return place[-1:] == ("id",) or place[-2:-1] == ("properties",)


def wrong_texts(schema: Mapping[str, Any], _value: object) -> list[object]:
    wrong: list[object] = [None, {}, {"x": "y"}, b"x", "\ud800", float("nan"), object(), 1, True, ["x"], 1.5]
    wrong += [""] if "enum" in schema or schema.get("minLength") else []
    return wrong + (["x"] if "enum" in schema else [])


def wrong_lists(schema: Mapping[str, Any], value: list[object]) -> list[object]:
    wrong: list[object] = [None, "x", b"x", 1, {"0": value}]
    wrong += [[]] if "minItems" in schema else []
    return wrong + ([value[:1] * (schema["maxItems"] + 1)] if "maxItems" in schema else [])


WRONG: Mapping[str, Callable[[Mapping[str, Any], Any], list[object]]] = {
    "object": lambda _, value: [None, "x", 1, [value]],
    "array": wrong_lists,
    "string": wrong_texts,
    "integer": lambda schema, _: [
        None,
        "1",
        1.5,
        True,
        [1],
        {},
        float("inf"),
        schema["minimum"] - 1,
        schema["maximum"] + 1,
    ],
}


def replaced(node: Any, place: Place, wrong: object) -> Any:  # noqa: ANN401 - JSON
    """Return a copy of a body with one place changed; what is beside the way to it is the same."""
    if not place:
        return wrong
    key, *way = place
    copied: Any = dict(node) if isinstance(node, dict) else list(node)
    if not way and wrong is ABSENT:
        del copied[key]
    else:
        copied[key] = replaced(copied[key] if way else None, tuple(way), wrong)
    return copied


@search
@given(data=st.data(), object_type=st.sampled_from([*CREATES, "update"]))
def test_nothing_is_sent_of_a_body_with_one_fault(
    world: World, data: st.DataObject, object_type: str
) -> None:
    if object_type == "update":
        schema, items = "BatchUpdateRequest", allowed("UpdateInput")
        send: Callable[[Any], BatchResult] = world.hub.orders.batch_update
    else:
        schema, items = "BatchCreateRequest", creates(object_type)
        send = getattr(world.hub, object_type).batch_create
    inputs = data.draw(batches(items))
    faulty = list(violations(SCHEMAS[schema]["properties"]["inputs"], inputs, ("inputs",)))
    place, wrong = data.draw(st.sampled_from(faulty))
    sent, received = len(world.wire.exchanges), len(world.box.requests)

    with pytest.raises(InvalidInputError) as caught:
        send(replaced(inputs, place[1:], wrong))

    assert (len(world.wire.exchanges), len(world.box.requests)) == (sent, received)
    assert not caught.value.maybe_written
    way = [str(part).replace("~", "~0").replace("/", "~1") for part in place]
    assert any(is_near(fault.pointer.split("/")[1:], way) for fault in caught.value.faults)


def is_near(found: Sequence[str], place: Sequence[str]) -> bool:
    """Whether a fault is told of at the place, in it, or of what it is missing from."""
    return [*found[: len(place)]] == [*place[: len(found)]]
