"""A server that is known writes a batch, and its reply is matched: never to a wrong input."""

import html
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from hubspot_batch.replies._matching import (
    Input,
    Written,
    match_by_text,
    match_keyed,
    match_written,
    meaning,
    refused_inputs,
)

# FUZZ_TIMES=5 looks for five times as long.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))

# What a value means, and the ways in which it may be sent and stored. Few, so that inputs are often alike.
WAYS: dict[str, tuple[str, ...]] = {
    "nine": ("9", "9.0", "9.00", "+9"),
    "ten": ("10", "10.0", "010"),
    "ada": ("Ada@Example.com", "ada@example.com"),
    "day": ("2026-09-01", "2026-09-01T00:00:00.000Z", "2026-09-01T02:00:00+02:00", "1788220800000"),
    "options": ("a;b", "b;a", "B;A"),
}
MEANINGS = sorted(WAYS)
# Sent, these do not tell what will be stored.
MUTE = ("", ";a")
NAMES = ("a", "b", "ext")


class Row(NamedTuple):
    """An input, and what its properties mean; None if it is written regardless of what is stored."""

    item: Input
    means: Mapping[str, str | None]


class Reply(NamedTuple):
    """What a server answered, and which inputs it may have meant with each record."""

    written: list[Written]
    owners: list[set[int]]
    refused: set[int]


@st.composite
def property_values(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str | None]]:
    values: dict[str, str] = {}
    means: dict[str, str | None] = {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        meaning = draw(st.sampled_from([*MEANINGS[:3], None]) | st.sampled_from(MEANINGS))
        means[name] = meaning
        values[name] = draw(st.sampled_from(MUTE if meaning is None else WAYS[meaning]))
    return values, means


@st.composite
def creates(draw: st.DrawFn) -> list[Row]:
    distinct = draw(st.lists(property_values(), min_size=1, max_size=4))
    repeated = draw(st.lists(st.sampled_from(distinct), max_size=3))
    return [
        Row({"properties": values, "objectWriteTraceId": f"t{n}"}, means)
        for n, (values, means) in enumerate(draw(st.permutations([*distinct, *repeated])))
    ]


# Values of the unique property by which updates may find their record.
UNIQUE: dict[str, tuple[str, ...]] = {
    "first": ("E-1", "e-1"),
    "second": ("0012", "12", "12.00"),
    "third": ("X;Y", "y;x"),
    "fourth": ("2026-09-02", "1788307200000"),
    "fifth": ("Bea@Example.com", "bea@example.com"),
}


@st.composite
def updates(draw: st.DrawFn) -> list[Row]:
    """Updates by record id and by the unique property `ext`, as HubSpot takes them: no record twice.

    Some give `ext` another value, that by which another update of the batch finds its record, for example.
    """
    before = draw(st.permutations(sorted(UNIQUE)))
    after = [*draw(st.permutations(sorted(UNIQUE)))]
    rows = []
    for n, (values, means) in enumerate(draw(st.lists(property_values(), min_size=1, max_size=5))):
        item: dict[str, Any] = {"id": f"4400{n}", "properties": values, "objectWriteTraceId": f"t{n}"}
        finds_by = before[n] if draw(st.booleans()) else None
        if finds_by is not None:
            item |= {"id": draw(st.sampled_from(UNIQUE[finds_by])), "idProperty": "ext"}
        if values.pop("ext", "") or finds_by not in after:
            means["ext"] = given_value = after.pop()
            values["ext"] = draw(st.sampled_from(UNIQUE[given_value]))
        else:
            means["ext"] = finds_by
            after.remove(finds_by)
        rows.append(Row(item, means))
    return rows


def stored(draw: st.DrawFn, row: Row, *, tells_all: bool = False) -> dict[str, str | None]:
    """Return the properties of the record: those that were sent, and those that the service filled in."""
    properties: dict[str, str | None] = {}
    for name in NAMES:
        meaning = row.means.get(name) or draw(st.none() | st.sampled_from(MEANINGS[:3]))
        properties[name] = None if meaning is None else draw(st.sampled_from((WAYS | UNIQUE)[meaning]))
    shown = set(NAMES) if tells_all else draw(st.sets(st.sampled_from(NAMES)) | st.just(set(NAMES)))
    return {name: value for name, value in properties.items() if name in shown}


def content(row: Row) -> object:
    return frozenset(row.item["properties"].items())


def groups_of(draw: st.DrawFn, rows: Sequence[Row], alive: Sequence[int]) -> list[set[int]]:
    """Return the inputs that become one record each; identical ones may be merged, as line items are."""
    if any("id" in row.item for row in rows) or draw(st.booleans()):
        return [{index} for index in alive]
    merged: dict[object, set[int]] = {}
    for index in alive:
        merged.setdefault(content(rows[index]), set()).add(index)
    return list(merged.values())


@st.composite
def replies(draw: st.DrawFn, rows: Sequence[Row], *, complete: bool, tells_all: bool) -> Reply:
    indexes = range(len(rows))
    refused = draw(st.sets(st.sampled_from(indexes)))
    lost = set() if complete else draw(st.sets(st.sampled_from(indexes)))
    groups = groups_of(draw, rows, [index for index in indexes if index not in refused | lost])
    repeats = draw(st.sampled_from([set(), set(indexes)]) | st.sets(st.sampled_from(indexes)))
    written = []
    owners = []
    for number, group in enumerate(draw(st.permutations(groups))):
        row = rows[index := min(group)]
        identified = "id" in row.item and "idProperty" not in row.item
        record = row.item["id"] if identified else f"9000{number}"
        trace = row.item["objectWriteTraceId"] if index in repeats else None
        written.append(Written(record, trace, stored(draw, row, tells_all=tells_all)))
        owners.append(group)
    return Reply(written, owners, refused)


def matched(rows: Sequence[Row], reply: Reply, unique_property: str | None = None) -> list[int | None]:
    inputs = [row.item for row in rows]
    indexes = match_written(inputs, reply.written, reply.refused, unique_property)
    assert len(indexes) == len(reply.written)
    named = [index for index in indexes if index is not None]
    assert len(named) == len(set(named))
    assert not reply.refused.intersection(named)
    for index, owners in zip(indexes, reply.owners, strict=True):
        assert index is None or index in owners
    event(f"{len(named)} of {len(indexes)} named")
    return indexes


def check_never_wrong(data: st.DataObject, strategy: st.SearchStrategy[list[Row]]) -> None:
    rows = data.draw(strategy)
    reply = data.draw(replies(rows, complete=data.draw(st.booleans()), tells_all=False))
    matched(rows, reply)


@given(st.data())
@settings(max_examples=150 * TIMES)
def test_a_record_is_never_given_to_an_input_that_it_does_not_come_from(data: st.DataObject) -> None:
    check_never_wrong(data, creates())


@given(st.data())
@settings(max_examples=150 * TIMES)
def test_an_updated_record_is_never_given_to_another_update(data: st.DataObject) -> None:
    check_never_wrong(data, updates())


@given(st.data())
@settings(max_examples=100 * TIMES)
def test_a_record_of_one_of_several_identical_inputs_is_given_to_none_of_them(data: st.DataObject) -> None:
    rows = data.draw(creates())
    reply = data.draw(replies(rows, complete=data.draw(st.booleans()), tells_all=False))
    untraced = Reply(
        [record._replace(trace_id=None) for record in reply.written], reply.owners, reply.refused
    )
    contents = [content(row) for n, row in enumerate(rows) if n not in reply.refused]
    for index in matched(rows, untraced):
        assert index is None or contents.count(content(rows[index])) == 1


def distinct(rows: Sequence[Row], name: str) -> list[Row]:
    """Give each row a value of one property that none of the others has."""
    ways: list[Callable[[int], str]] = [
        str,
        "Name {}".format,
        "{}@Example.com".format,
        "2026-09-{:02}".format,
    ]
    return [
        Row({**row.item, "properties": {**row.item["properties"], name: ways[n % 4](n + 1)}}, row.means)
        for n, row in enumerate(rows)
    ]


STORED: list[Callable[[str], str]] = [str, str.lower, str.upper, " {} ".format]


@given(st.data(), st.sampled_from(["a", "b", "own"]))
@settings(max_examples=150 * TIMES)
def test_inputs_that_differ_in_one_property_are_all_named_even_where_some_are_missing(
    data: st.DataObject, name: str
) -> None:
    rows = distinct(data.draw(creates() | updates()), name)
    reply = data.draw(replies(rows, complete=data.draw(st.booleans()), tells_all=True))
    for n, (record, owners) in enumerate(zip(reply.written, reply.owners, strict=True)):
        [owner] = owners
        value = data.draw(st.sampled_from(STORED))(rows[owner].item["properties"][name])
        reply.written[n] = record._replace(properties={**record.properties, name: value})
    assert matched(rows, reply) == [owner for [owner] in reply.owners]


@given(st.data(), st.permutations(["one", "two"]))
@settings(max_examples=100 * TIMES)
def test_a_changed_value_is_not_taken_for_that_of_another_input_where_a_second_tells_them_apart(
    data: st.DataObject, names: tuple[str, str]
) -> None:
    rows = distinct(distinct(data.draw(creates()), "one"), "two")
    reply = data.draw(replies(rows, complete=data.draw(st.booleans()), tells_all=True))
    changed = data.draw(st.sampled_from([*range(len(reply.written)), None]))
    for n, (record, [owner]) in enumerate(zip(reply.written, reply.owners, strict=True)):
        told = {name: rows[owner].item["properties"][name] for name in ("one", "two")}
        if n == changed:
            told[names[0]] = data.draw(st.sampled_from(rows)).item["properties"][names[0]]
        reply.written[n] = record._replace(properties={**record.properties, **told})
    matched(rows, reply)


# What a service may make of a value, beside any other text.
REWRITINGS: list[Callable[[str], str | None]] = [
    str.upper,
    str.strip,
    lambda value: " ".join(value.split()),
    html.escape,
    html.unescape,
    lambda value: value[:2],
    lambda value: value[::-1],
    lambda value: f"+1 {value}",
    lambda value: value.replace("\r\n", "\n"),
    lambda _: None,
]
sent_values = st.sampled_from(["", ";a", "9", "9.00", "9.005", "<b>a</b>", "a", "A & B", "a\r\nb", " c  d "])
fresh_values = st.none() | st.text(st.characters(codec="utf-8"), max_size=4)


@st.composite
def rewritten(draw: st.DrawFn, sent: Sequence[str], *, merges: bool) -> Callable[[str], str | None]:
    """Return what the service makes of the values of one property: anything but the value of another input.

    Where it merges, it may store several values as one of them, as it also stores that one.
    """
    kept = {meaning(value): value for value in sent}
    made: dict[Hashable, str | None] = {}
    for meant, value in kept.items():
        change = draw(st.sampled_from(REWRITINGS))
        result = draw(fresh_values | st.just(change(value)))
        made[meant] = value if draw(st.booleans()) or meaning(result) in kept else result
    if merges:
        fixed = [value for value in kept.values() if made[meaning(value)] == value]
        for meant, value in kept.items():
            if fixed and value not in fixed and draw(st.booleans()):
                made[meant] = draw(st.sampled_from(fixed))
    return lambda value: made[meaning(value)]


def check_any_rewriting(data: st.DataObject, *, complete: bool) -> None:
    alike = data.draw(st.dictionaries(st.sampled_from(NAMES), sent_values))
    changes = st.dictionaries(st.sampled_from(NAMES), sent_values, max_size=1)
    contents = [alike | change for change in data.draw(st.lists(changes, min_size=2, max_size=5))]
    rows = [
        Row({"properties": values, "objectWriteTraceId": f"t{n}"}, {}) for n, values in enumerate(contents)
    ]
    sent = {name: [values[name] for values in contents if name in values] for name in NAMES}
    indexes = st.sampled_from(range(len(rows)))
    refused = data.draw(st.sets(indexes, max_size=1))
    lost = set() if complete else data.draw(st.sets(indexes, max_size=2))
    alive = [index for index in data.draw(st.permutations(range(len(rows)))) if index not in refused | lost]
    if complete:
        sent = {name: [contents[n][name] for n in alive if name in contents[n]] for name in NAMES}
    rewrite = {name: data.draw(rewritten(sent[name], merges=complete)) for name in NAMES}
    written = []
    for index in alive:
        stored: dict[str, str | None] = {}
        for name in NAMES:
            value = contents[index].get(name, "")
            filled_in = data.draw(fresh_values | st.sampled_from(["", *sent[name]]))
            stored[name] = filled_in if meaning(value) is None else rewrite[name](value)
        written.append(Written(f"9000{index}", None, stored))
    matched(rows, Reply(written, [{index} for index in alive], refused))


@given(st.data())
@settings(max_examples=300 * TIMES)
def test_whatever_the_service_makes_of_values_no_record_is_given_to_another_input(
    data: st.DataObject,
) -> None:
    check_any_rewriting(data, complete=False)


@given(st.data())
@settings(max_examples=300 * TIMES)
def test_values_that_become_the_same_give_no_record_to_another_input(data: st.DataObject) -> None:
    check_any_rewriting(data, complete=True)


@given(st.data())
@settings(max_examples=100 * TIMES)
def test_a_unique_property_names_every_record_even_where_some_are_missing(data: st.DataObject) -> None:
    rows = distinct(data.draw(creates()), "own")
    reply = data.draw(replies(rows, complete=False, tells_all=True))
    for n, (record, [owner]) in enumerate(zip(reply.written, reply.owners, strict=True)):
        value = data.draw(st.sampled_from(STORED))(rows[owner].item["properties"]["own"])
        reply.written[n] = record._replace(properties={**record.properties, "own": value})
    assert matched(rows, reply, "own") == [owner for [owner] in reply.owners]


@given(st.data())
def test_updates_by_record_id_are_all_named_even_where_some_are_missing(data: st.DataObject) -> None:
    rows = data.draw(updates())
    reply = data.draw(replies(rows, complete=False, tells_all=False))
    for index, record, [owner] in zip(matched(rows, reply), reply.written, reply.owners, strict=True):
        if "idProperty" not in rows[owner].item:
            assert record.id == rows[owner].item["id"]
            assert index == owner


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), st.data())
def test_a_key_that_pairs_all_pairs_them_as_the_long_way_does(keys: list[str], data: st.DataObject) -> None:
    found = data.draw(st.permutations(keys) | st.lists(st.sampled_from("abcd"), max_size=4))
    pairs = match_keyed(keys, found)
    event("pairs" if pairs is not None else "does not pair")
    if pairs is not None:
        traced: list[Input] = [{"objectWriteTraceId": key, "properties": {}} for key in keys]
        named: list[Input] = [{"id": key} for key in keys]
        assert pairs == match_written(traced, [Written(str(n), key, {}) for n, key in enumerate(found)])
        assert pairs == match_written(named, [Written(key, None, {}) for key in found])


ways = st.sampled_from([way for alike in WAYS.values() for way in alike] + [*MUTE])
some_properties = st.dictionaries(st.sampled_from(NAMES), ways)
fields = {"id": ways, "idProperty": st.sampled_from(NAMES), "properties": some_properties}
kinds = [
    st.fixed_dictionaries({key: fields[key] for key in keys})
    for keys in (["properties"], ["id", "properties"], ["id", "idProperty", "properties"])
]
some_inputs = st.one_of([st.lists(kind, min_size=1, max_size=4) for kind in (*kinds, st.one_of(kinds))])


@given(some_inputs, st.sampled_from([None, *NAMES]), st.data())
@settings(max_examples=300 * TIMES)
def test_a_text_that_pairs_all_pairs_them_as_the_long_way_does(
    inputs: list[Input], unique_property: str | None, data: st.DataObject
) -> None:
    stored = [{item.get("idProperty", "c"): item.get("id"), **item["properties"]} for item in inputs]
    records = data.draw(st.permutations(stored) | st.lists(some_properties, max_size=4))
    pairs = match_by_text(inputs, records, unique_property)
    event("pairs" if pairs is not None else "does not pair")
    if pairs is not None:
        written = [Written(str(number), None, told) for number, told in enumerate(records)]
        assert pairs == match_written(inputs, written, unique_property=unique_property)


dates = st.from_regex(r"\d{4}-\d\d-\d\d(T[\d:.]{0,16}(Z|[+-]\d\d:\d\d))?", fullmatch=True)
texts = st.text(st.characters(codec=None)) | dates | st.from_regex(r"[+-]?[\d.]*", fullmatch=True)


@given(texts, texts)
@settings(max_examples=150 * TIMES)
def test_any_texts_are_compared_without_an_error(one: str, other: str) -> None:
    inputs: list[Input] = [
        {"properties": {"a": one}, "objectWriteTraceId": "t0"},
        {"properties": {"a": other}, "objectWriteTraceId": "t1"},
    ]
    written = [Written("1", None, {"a": other}), Written("2", None, {"a": one})]
    assert match_written(inputs, written) in ([1, 0], [None, None])
    assert match_written(inputs, written, unique_property="a") in ([1, 0], [None, None])


names = st.sampled_from(["t0", "t1", "t2", "4400", "4401", "x"])
contexts = st.lists(
    st.dictionaries(st.sampled_from(["objectWriteTraceId", "ids", "existingId"]), st.lists(names)), max_size=4
)


@given(contexts)
def test_an_error_names_only_inputs_that_its_context_tells(contexts: list[dict[str, list[str]]]) -> None:
    inputs = [{"id": f"440{n}", "properties": {}, "objectWriteTraceId": f"t{n}"} for n in range(2)]
    named = refused_inputs(inputs, contexts)
    assert len(named) == len(contexts)
    for indexes, context in zip(named, contexts, strict=True):
        traced = {n for n in range(2) if f"t{n}" in context.get("objectWriteTraceId", ())}
        listed = {n for n in range(2) if f"440{n}" in context.get("ids", ())}
        assert len(set(indexes)) == len(indexes)
        assert (traced or listed) <= set(indexes) <= traced | listed
