"""An operation and its inputs as a request, and its reply as a result: no network at all."""

import json
import pickle
from typing import Any

import msgspec
import pytest

from hubspot_batch import (
    ApiError,
    BadRequestError,
    BatchResult,
    ConfigurationError,
    InvalidInputError,
    PermissionDeniedError,
    PropertyVersion,
    Reason,
    Record,
    RecordWarning,
    Response,
    UnexpectedReplyError,
)
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch, prepare
from hubspot_batch.results import AssociationResult, PropertyDefinition, PropertyOption
from hubspot_batch.transport._calls import Call, build_call, call_for
from tests.conftest import case

TRACED: dict[str, Any] = {"properties": {"name": "A"}, "objectWriteTraceId": "row-1"}
IN_MESSAGE = "Property values were not valid: "
SUCCESSES = (200, 201, 202, 207, 299)


def call_of(
    *inputs: object, operation: str = "create_line_items", unique_property: str | None = None
) -> Call[BatchResult]:
    return build_call(operation, inputs, api_version="v3", unique_property=unique_property)


def inputs(count: int) -> list[dict[str, Any]]:
    return [{"properties": {"name": f"N-{index}"}} for index in range(count)]


def record(number: int, **fields: object) -> dict[str, Any]:
    """A record of the reply that comes from the input of this number."""
    return {
        "id": f"{44000 + number}",
        "properties": {"name": f"N-{number}"},
        "createdAt": "2026-09-01T08:15:02Z",
        "updatedAt": "2026-09-01T08:15:02Z",
        "archived": False,
    } | fields


def reply(*results: object, status: int = 207, **fields: object) -> Response:
    body = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": "2026-09-01T08:15:02Z",
        "completedAt": "2026-09-01T08:15:02Z",
    }
    return Response(status=status, headers={}, content=json.dumps(body | fields).encode())


def failure(*indexes: int, **fields: object) -> dict[str, Any]:
    """An item of `errors` that names inputs by the trace ids that they were given."""
    return {"context": {"objectWriteTraceId": [f"input-{index}" for index in indexes]}} | fields


def read(count: int, *results: object, status: int = 207, **fields: object) -> BatchResult:
    return call_of(*inputs(count)).decode(reply(*results, status=status, **fields))


def refuse(status: int, body: object) -> ApiError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ApiError) as caught:
        call_of(TRACED).decode(Response(status=status, headers={}, content=content))
    return caught.value


def test_a_call_is_the_request_as_data() -> None:
    call = call_of(TRACED)

    assert (call.operation, call.method) == ("create_line_items", "POST")
    assert call.path == "/crm/v3/objects/line_items/batch/create"
    assert call.headers == {"Content-Type": "application/json"}
    assert json.loads(call.content) == {"inputs": [TRACED]}


@pytest.mark.parametrize(
    ("operation", "item", "unique_property", "resendable"),
    [
        ("create_orders", TRACED, None, False),
        ("create_orders", TRACED, "name", True),
        ("create_carts", TRACED, None, False),
        ("create_carts", TRACED, "name", True),
        ("update_orders", {"id": "1", "properties": {}}, None, True),
    ],
)
def test_only_what_cannot_double_a_record_may_be_sent_again(
    operation: str,
    item: object,
    unique_property: str | None,
    resendable: bool,  # noqa: FBT001
) -> None:
    call = call_of(item, operation=operation, unique_property=unique_property)

    assert call.resendable is resendable


def test_an_operation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        call_of(TRACED, operation="create_deals")

    assert str(caught.value).startswith(
        "there is no operation 'create_deals'; there are: create_orders, read_orders, "
    )


def test_one_call_does_not_change_the_next() -> None:
    first = call_of(TRACED)
    second = call_of(TRACED, TRACED | {"objectWriteTraceId": "row-2"})

    assert len(json.loads(first.content)["inputs"]) == 1
    assert len(json.loads(second.content)["inputs"]) == 2
    assert first.path == second.path


def test_an_endless_iterable_is_not_read_to_its_end() -> None:
    taken: list[int] = []

    def endless() -> Any:  # noqa: ANN401
        while True:
            taken.append(len(taken))
            yield TRACED

    with pytest.raises(InvalidInputError):
        build_call("create_orders", endless(), api_version="v3")

    assert len(taken) == 101


def test_every_input_is_reported_or_unaccounted() -> None:
    cases: dict[
        str, tuple[list[int], list[list[int]], list[int | None], list[int | None], tuple[int, ...]]
    ] = {
        # The numbers of the records, the inputs that each error names; then whose they are, and who is left.
        "all written, in any order": ([2, 0, 1], [], [2, 0, 1], [], ()),
        "nothing told": ([], [], [], [], (0, 1, 2)),
        "one record is missing": ([0, 2], [], [0, 2], [], (1,)),
        "one refused, the others written": ([0, 2], [[1]], [0, 2], [1], ()),
        "all refused, one by one": ([], [[0], [1], [2]], [], [0, 1, 2], ()),
        "all refused in one item": ([], [[0, 1, 2]], [], [0, 1, 2], ()),
        "an input is not told": ([], [[2, 0]], [], [2, 0], (1,)),
        "an input is refused twice": ([], [[0], [0]], [], [0, 0], (1, 2)),
        "an error without a name, and the input left over": ([0, 2], [[]], [0, 2], [1], ()),
        "the same beside an error with a name": ([0], [[], [1]], [0], [2, 1], ()),
        "two errors without a name": ([0], [[], []], [0], [None, None], ()),
        "an error without a name, and two inputs left over": ([0], [[]], [0], [None], (1, 2)),
        "an error and a record without a name": ([0, 7], [[]], [0, None], [None], ()),
        "an error without a name too many": ([0, 1, 2], [[]], [0, 1, 2], [None], ()),
        "as many errors as inputs": ([], [[], [], []], [], [None, None, None], ()),
        "fewer errors than inputs": ([], [[]], [], [None], (0, 1, 2)),
        "one named, one not, one missing": ([], [[], [1]], [], [None, 1], (0, 2)),
        "more records than inputs": ([0, 1, 2, 3], [], [None] * 4, [], ()),
    }
    for name, (results, errors, indexes, refused, unaccounted) in cases.items():
        with case(name):
            result = read(3, *map(record, results), errors=[failure(*named) for named in errors])

            assert [found.id for found in result.records] == [f"{44000 + number}" for number in results]
            assert [found.index for found in result.records] == indexes
            assert [error.index for error in result.errors] == refused
            assert result.unaccounted == unaccounted
            assert result.ok is (not errors and not unaccounted)


def test_a_trace_id_that_the_reply_repeats_decides() -> None:
    results = [record(0, objectWriteTraceId="input-2"), record(2, objectWriteTraceId="input-0")]

    result = read(3, *results)

    assert [(found.index, found.trace_id) for found in result.records] == [(2, "input-2"), (0, "input-0")]
    assert result.unaccounted == (1,)


@pytest.mark.parametrize(
    "context", [{"objectWriteTraceId": ["row-77"], "ids": ["1"]}, {"ids": []}, {"ids": None}, {}, None]
)
def test_an_error_that_names_no_input_of_the_request_is_about_the_one_that_is_left(context: object) -> None:
    result = read(2, record(0), errors=[{"context": context}])

    assert [found.index for found in result.records] == [0]
    assert [error.index for error in result.errors] == [1]
    assert result.unaccounted == ()


def test_at_most_one_input_owns_a_record_that_the_reply_repeats() -> None:
    assert [found.index for found in read(3, record(0), record(0), record(2)).records] == [0, 2]
    twice = [record(0), record(0, properties={"name": "N-1"})]

    for results in (twice, [twice[0] | {"objectWriteTraceId": "input-0"}, twice[1]]):
        result = read(3, *results, record(2))

        assert [(found.id, found.index) for found in result.records] == [("44000", None), ("44002", 2)]
        assert result.unaccounted == (0, 1)


def test_a_unique_property_ties_records_to_inputs() -> None:
    call = call_of(*inputs(2), unique_property="name")

    result = call.decode(reply(record(1, properties={"name": "n-1"})))

    assert [found.index for found in result.records] == [1]
    assert result.unaccounted == (0,)


def test_inputs_that_are_ids_and_nothing_else_are_reported_of_too() -> None:
    operation = msgspec.structs.replace(contract.operation("update_orders"), input_keys=frozenset({"id"}))
    batch = Batch(inputs=[{"id": "44000"}, {"id": "44001"}, {"id": "44002"}], content=b"")
    call = call_for(operation, batch, api_version="v3")

    result = call.decode(reply(record(1), errors=[{"context": {"ids": ["44002"]}}]))

    assert [record.index for record in result.records] == [1]
    assert [error.index for error in result.errors] == [2]
    assert result.unaccounted == (0,)


def test_a_read_asks_for_the_property_that_names_its_records() -> None:
    beside = {"properties": ["name"], "propertiesWithHistory": [], "idProperty": "shop_number"}
    call = build_call("read_orders", [{"id": "b"}, {"id": "a"}], api_version="v3", beside=beside)

    result = call.decode(
        reply(record(0, properties={"shop_number": "A"}), errors=[{"context": {"ids": ["b"]}}])
    )

    assert json.loads(call.content)["properties"] == ["name", "shop_number"]
    assert [found.index for found in result.records] == [1]
    assert [error.index for error in result.errors] == [0]
    assert result.unaccounted == ()


def test_records_that_are_read_by_a_property_that_the_reply_leaves_out_belong_to_no_input() -> None:
    call = build_call("read_carts", [{"id": "b"}, {"id": "a"}], api_version="v3", beside={"idProperty": "n"})

    result = call.decode(reply(record(0)))

    assert [found.index for found in result.records] == [None]
    assert result.unaccounted == (0, 1)


def test_a_record_says_whether_an_upsert_has_created_it() -> None:
    item = {"id": "a", "idProperty": "name", "properties": {}}
    call = build_call("upsert_orders", [item], api_version="v3")

    created = [
        call.decode(reply(record(0, **fields))).records[0].created
        for fields in ({"new": True}, {"new": False}, {"new": None}, {})
    ]

    assert created == [True, False, None, None]


def test_parameters_stand_in_path_and_query() -> None:
    call = build_call(
        "list_properties",
        api_version="2026-09",
        arguments={"archived": True, "objectType": "orders", "properties": "a,b c"},
    )

    assert (call.method, call.content, call.headers) == ("GET", b"", {})
    assert call.path == "/crm/properties/2026-09/orders?archived=true&properties=a%2Cb+c"
    read = build_call("read_orders", [{"id": 7}], api_version="v3", arguments={"archived": False})
    assert read.path == "/crm/v3/objects/orders/batch/read?archived=false"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({}, "/objectType: the parameter is missing; add it"),
        ({"objectType": "tickets"}, "/objectType: this is not an option; write one of orders, line_items"),
        ({"objectType": 7}, "/objectType: this is not an option; write one of orders, line_items"),
        ({"objectType": "carts", "archved": True}, "/archved: the document knows no such parameter; did you"),
        (
            {"objectType": "carts", "archived": "no"},
            "/archived: text stands where true or false belongs; wri",
        ),
        ({"objectType": "carts", "locale": ""}, "/locale: the text is empty; write it, or leave it out"),
        ({"objectType": "carts", "locale": "x" * 36}, "/locale: it breaks the rule maxLength; see "),
        ({"objectType": "carts", "locale": object()}, "/locale: a value of type object that JSON cannot exp"),
    ],
)
def test_an_invalid_parameter_is_refused(arguments: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_call("list_properties", api_version="v3", arguments=arguments)

    assert str(caught.value.faults[0]).startswith(fault)


def test_an_operation_whose_reply_has_another_form_is_left_to_the_generated_client() -> None:
    operation = msgspec.structs.replace(contract.operation("list_properties"), reply_schema="Links")

    with pytest.raises(ConfigurationError, match="cannot be read here; call it through hubspot_batch_api"):
        call_for(
            operation, Batch(inputs=(), content=b""), api_version="v3", arguments={"objectType": "orders"}
        )


def pair(one: int, other: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 514}]
    return {"from": {"id": one}, "to": {"id": str(other)}, "types": types}


def link(*pairs: dict[str, Any]) -> Call[AssociationResult]:
    ends = {"fromObjectType": "line_items", "toObjectType": "orders"}
    return build_call("create_associations", pairs, api_version="v3", arguments=ends)


def linked(one: object, other: object, **fields: object) -> dict[str, Any]:
    return {"fromObjectId": one, "toObjectId": other} | fields


def test_a_link_is_tied_to_the_pair_that_asked_for_it() -> None:
    call = link(pair(1, 9), pair(2, 9), pair(3, 8))

    # Numbers where the document has texts; a pair twice; one that was not asked for.
    result = call.decode(
        reply(
            linked("3", "8", labels=["Gift"], fromObjectTypeId="0-8", toObjectTypeId="0-123"),
            linked(1, 9, labels=None),
            linked("1", "9"),
            linked("7", "9"),
        )
    )

    assert call.path == "/crm/associations/2026-09/line_items/orders/batch/create"
    assert [(found.index, found.from_id, found.to_id) for found in result.pairs] == [
        (2, "3", "8"),
        (0, "1", "9"),
        (None, "7", "9"),
    ]
    assert (result.pairs[0].from_type, result.pairs[0].to_type, result.pairs[0].labels) == (
        "0-8",
        "0-123",
        ("Gift",),
    )
    assert (result.ok, result.unaccounted) == (True, ())
    assert link(pair(1, 9), pair(2, 9)).decode(reply(linked("1", "9"))).unaccounted == (1,)


@pytest.mark.parametrize(
    ("error", "indexes"),
    [
        ({"context": {"fromObjectId": ["2"], "toObjectId": ["9"]}}, [1]),
        ({"context": {"fromObjectId": ["3"]}}, [2, 3]),
        ({"context": {"toObjectId": ["9"]}}, [1, 3]),
        ({"context": {"id": ["3"]}, "subCategory": "crm.associations.FROM_OBJECT_NOT_FOUND"}, [2, 3]),
        ({"context": {"id": ["8"]}, "subCategory": "crm.associations.TO_OBJECT_NOT_FOUND"}, [2]),
        ({"context": {"id": ["3"]}}, [None]),
        ({}, [None]),
    ],
)
def test_a_refused_link_is_tied_to_the_pairs_that_the_error_names(
    error: dict[str, Any], indexes: list[int | None]
) -> None:
    result = link(pair(1, 9), pair(2, 9), pair(3, 8), pair(3, 9)).decode(
        reply(linked("1", "9"), errors=[error])
    )

    assert [found.index for found in result.errors] == indexes
    assert sorted({0, *filter(None, indexes), *result.unaccounted}) == [0, 1, 2, 3]


def test_the_one_refused_link_is_the_one_that_is_left() -> None:
    result = link(pair(1, 9), pair(2, 9)).decode(reply(linked("1", "9"), errors=[{"category": "CONFLICT"}]))

    assert [(error.index, error.category) for error in result.errors] == [(1, "CONFLICT")]
    assert (result.ok, result.unaccounted) == (False, ())


def definitions(*results: dict[str, Any]) -> tuple[PropertyDefinition, ...]:
    call: Call[tuple[PropertyDefinition, ...]] = build_call(
        "list_properties", api_version="v3", arguments={"objectType": "orders"}
    )
    content = json.dumps({"results": results}).encode()
    return call.decode(Response(status=200, headers={}, content=content))


def test_a_definition_says_what_can_be_written() -> None:
    names = {"name": "n", "label": "N", "type": "enumeration", "fieldType": "select"}
    full = names | {
        "options": [{"value": "a", "label": "A", "displayOrder": 2, "hidden": True, "description": "d"}],
        "hasUniqueValue": True,
        "hidden": True,
        "calculated": True,
        "hubspotDefined": True,
        "externalOptions": True,
        "archived": True,
        "groupName": "g",
        "description": "d",
        "referencedObjectType": "OWNER",
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True},
        "displayOrder": "first",
    }

    assert definitions(full, names, names | {"hasUniqueValue": None, "options": None}) == (
        PropertyDefinition(
            name="n",
            label="N",
            type="enumeration",
            field_type="select",
            options=(PropertyOption(value="a", label="A", description="d", display_order=2, hidden=True),),
            has_unique_value=True,
            read_only=True,
            calculated=True,
            hidden=True,
            hubspot_defined=True,
            external_options=True,
            archived=True,
            group_name="g",
            description="d",
            referenced_object_type="OWNER",
        ),
        *[PropertyDefinition(name="n", label="N", type="enumeration", field_type="select")] * 2,
    )
    assert definitions({"name": "n"}) == (PropertyDefinition(name="n", label="", type="", field_type=""),)


@pytest.mark.parametrize("definition", [{"label": "N"}, {"name": "n", "hasUniqueValue": "yes"}])
def test_a_definition_that_does_not_decide_is_unreadable(definition: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedReplyError):
        definitions(definition)


def test_any_success_without_errors_is_one() -> None:
    for status in SUCCESSES:
        for none in ({}, {"errors": None, "numErrors": None}, {"errors": [], "numErrors": 0}):
            with case(status, none):
                result = read(1, record(0), status=status, **none)

                assert result.ok
                assert result.response.status == status


def test_a_reply_without_a_body_reports_neither_records_nor_errors() -> None:
    operation = msgspec.structs.replace(contract.operation("create_carts"), empty_replies=frozenset({204}))
    call = call_for(operation, prepare(operation, inputs(2)), api_version="v3")

    result = call.decode(Response(status=204, headers={}, content=b""))

    assert (result.ok, result.records, result.errors, result.unaccounted) == (True, (), (), ())
    with pytest.raises(UnexpectedReplyError):
        call.decode(Response(status=201, headers={}, content=b""))


@pytest.mark.parametrize("status", [200, 204])
def test_an_archive_is_answered_with_nothing(status: int) -> None:
    call = build_call("archive_orders", [{"id": 1}, {"id": 2}], api_version="v3")

    result = call.decode(Response(status=status, headers={}, content=b""))

    assert (result.ok, result.records, result.errors, result.unaccounted) == (True, (), (), ())
    assert [e.index for e in call.decode(reply(errors=[{"context": {"ids": ["2"]}}])).errors] == [1]


def test_any_success_may_hold_errors() -> None:
    for status in SUCCESSES:
        with case(status):
            result = read(2, record(0), status=status, errors=[failure(1)])

            assert not result.ok
            assert [error.index for error in result.errors] == [1]


def test_a_record_has_none_for_what_is_left_out_and_for_what_is_null() -> None:
    optional = ("archivedAt", "url", "objectWriteTraceId", "propertiesWithHistory", "warnings")

    bare = read(1, record(0)).records
    null = read(1, record(0, **dict.fromkeys(optional))).records

    assert bare == null
    (found,) = bare
    assert (found.archived_at, found.url, found.trace_id, found.history, found.warnings) == (
        *(None, None, None),
        {},
        (),
    )


def test_a_record_has_all_that_the_reply_says_of_it() -> None:
    told = {
        "properties": {"name": "N-0", "empty": None},
        "createdAt": "2026-09-01T08:00:00Z",
        "updatedAt": "2026-09-02T08:00:00.5+02:00",
        "archived": True,
        "archivedAt": "2026-09-03T08:00:00Z",
        "url": "https://app.hubspot.com/contacts/1/record/0-8/44000",
        "objectWriteTraceId": "input-0",
    }

    assert read(1, record(0, **told)).records == (
        Record(
            index=0,
            id="44000",
            properties={"name": "N-0", "empty": None},
            created_at="2026-09-01T08:00:00Z",
            updated_at="2026-09-02T08:00:00.5+02:00",
            archived=True,
            archived_at="2026-09-03T08:00:00Z",
            url="https://app.hubspot.com/contacts/1/record/0-8/44000",
            trace_id="input-0",
        ),
    )


def test_a_record_keeps_its_history_and_its_warnings() -> None:
    version = {"value": None, "timestamp": "2026-09-01", "sourceType": "API"}
    full = version | {"value": "x", "sourceId": "7", "sourceLabel": "Shop", "updatedByUserId": 77}

    (found,) = read(
        1,
        record(
            0,
            propertiesWithHistory={"name": [full, version], "empty": []},
            warnings=[{"category": "C", "message": "M", "context": {"a": "b"}}, {}],
        ),
    ).records

    assert found.history == {
        "name": (
            PropertyVersion(
                value="x",
                timestamp="2026-09-01",
                source_type="API",
                source_id="7",
                source_label="Shop",
                updated_by_user_id=77,
            ),
            PropertyVersion(value=None, timestamp="2026-09-01", source_type="API"),
        ),
        "empty": (),
    }
    assert found.warnings == (
        RecordWarning(category="C", message="M", context={"a": ("b",)}),
        RecordWarning(),
    )


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"ids": ["1", "2"]}, {"ids": ("1", "2")}),
        ({"propertyName": "colour"}, {"propertyName": ("colour",)}),
        ({"existingId": None}, {"existingId": ()}),
        ({"none": [], "": ""}, {"none": (), "": ("",)}),
        ({}, {}),
        (None, {}),
    ],
)
def test_a_context_is_a_list_of_texts_for_each_key(context: object, expected: dict[str, object]) -> None:
    (item,) = read(1, errors=[{"context": context}]).errors

    assert item.context == refuse(400, {"context": context}).context == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("crm.NOT_FOUND", "crm.NOT_FOUND"), ({}, None), ({"any": ["thing"]}, None), (None, None)],
)
def test_a_sub_category_is_text_or_nothing(value: object, expected: str | None) -> None:
    (item,) = read(1, errors=[{"subCategory": value}]).errors

    assert item.sub_category == refuse(400, {"subCategory": value}).sub_category == expected


DETAIL = {"code": "INVALID_LONG", "message": "Not a number", "context": {"propertyName": ["price"]}}
LISTED = '[{"isValid":false,"message":"No such","error":"PROPERTY_DOESNT_EXIST","name":"colour"},{}]'
FROM_DETAIL = Reason(code="INVALID_LONG", property="price", message="Not a number")
FROM_MESSAGE = Reason(code="PROPERTY_DOESNT_EXIST", property="colour", message="No such")


def test_reasons_come_from_the_list_or_else_from_the_message() -> None:
    uncoded, taken = {"message": "?"}, {"code": "TAKEN", "in": "hs_sku"}
    listed, at_sku = IN_MESSAGE + LISTED, Reason(code="TAKEN", property="hs_sku")
    cases: dict[str, tuple[dict[str, Any], tuple[Reason, ...]]] = {
        "from the list": ({"errors": [DETAIL]}, (FROM_DETAIL,)),
        "from the message": ({"message": listed}, (FROM_MESSAGE, Reason())),
        "list first": ({"errors": [DETAIL], "message": listed}, (FROM_DETAIL,)),
        "a list without codes": ({"errors": [uncoded], "message": listed}, (FROM_MESSAGE, Reason())),
        "a part without code": ({"errors": [DETAIL, uncoded]}, (FROM_DETAIL,)),
        "in": ({"errors": [taken]}, (at_sku,)),
        "an empty context": ({"errors": [taken | {"context": {"propertyName": []}}]}, (at_sku,)),
        "no property": ({"errors": [{"code": "TAKEN"}]}, (Reason(code="TAKEN"),)),
        "nulls": ({"errors": None, "message": None}, ()),
        "another message": ({"errors": [], "message": "Something else: []"}, ()),
        "cut off": ({"message": listed[:-9]}, ()),
        "nothing": ({}, ()),
    }
    for name, (body, expected) in cases.items():
        with case(name):
            (item,) = read(1, errors=[body]).errors

            assert item.reasons == refuse(400, body).reasons == expected


def test_the_text_of_a_400_names_properties_and_codes_once_and_no_words_of_hubspot() -> None:
    error = refuse(400, {"errors": [DETAIL, DETAIL, {"code": "TAKEN"}], "message": "secret"})

    assert isinstance(error, BadRequestError)
    assert str(error) == "create_line_items: HTTP 400: price: INVALID_LONG, TAKEN"
    assert error.message == "secret"


SCOPES = ["crm.objects.line_items.write", "e-commerce"]


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"context": {"requiredGranularScopes": SCOPES}}]},
        {"context": {"requiredGranularScopes": SCOPES}},
        {"errors": [{"context": {"requiredGranularScopes": [scope]}} for scope in SCOPES]},
        {"errors": [{"message": "?"}, {"context": None}], "context": {"requiredGranularScopes": SCOPES}},
    ],
)
def test_missing_scopes_are_found_in_either_place(body: dict[str, object]) -> None:
    error = refuse(403, body | {"category": "MISSING_SCOPES", "message": "secret"})

    assert isinstance(error, PermissionDeniedError)
    assert list(error.missing_scopes) == SCOPES
    assert str(error) == (
        "create_line_items: HTTP 403 MISSING_SCOPES: the token needs one of these scopes: "
        "crm.objects.line_items.write, e-commerce"
    )


def test_a_403_that_names_no_scopes_has_none() -> None:
    error = refuse(403, {"message": "This user does not have proper permissions"})

    assert isinstance(error, PermissionDeniedError)
    assert error.missing_scopes == ()
    assert str(error) == "create_line_items: HTTP 403: the token may not do this"


ODD: list[bytes] = [
    *(b"", b" ", b"null", b"[]", b"{}", b'""', b"0", b"true", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf{}"),
    *(b'{"status": 1}', b'{"status": "\xff"}', b'{"status": "\\ud800"}', b'{"status": NaN}'),
    b"[" * 100_000,
    b'{"a":' * 100_000,
]
WRONG: list[bytes] = [
    b'{"status":"COMPLETE","startedAt":"","completedAt":"",%s}' % part
    for part in (
        b'"results":{}',
        b'"results":[null]',
        b'"results":[{}]',
        b'"results":[{"id":null}]',
        b'"results":[{"id":true}]',
        b'"results":[{"id":1.5}]',
        b'"results":[{"id":"\\ud800"}]',
        b'"results":[],"errors":{}',
        b'"results":[],"errors":[null]',
        b'"results":[],"errors":[{"context":[]}]',
        b'"results":[],"errors":[{"context":{"ids":[{}]}}]',
        b'"results":[],"errors":[{"category":[]}]',
        b'"results":[],"errors":[{"errors":"text"}]',
        b'"results":[],"errors":[{"errors":[{"code":{}}]}]',
    )
]


@pytest.mark.parametrize("status", [200, 201, 207, 299])
def test_a_success_that_cannot_be_read_is_an_error_that_keeps_the_bytes(status: int) -> None:
    for content in (*ODD, *WRONG):
        response = Response(status=status, headers={}, content=content)
        with case(content[:100]):
            with pytest.raises(UnexpectedReplyError) as caught:
                call_of(TRACED).decode(response)

            assert caught.value.response is response
            assert caught.value.operation == "create_line_items"
            assert caught.value.maybe_written
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "there is no body"),
        (
            b"\n<html>Log in</html>",
            (
                "the body is a web page, of a proxy or a login perhaps; check base_url and the proxy; "
                "the bytes are in .response.content"
            ),
        ),
        (b"[]", "the body is not what the document describes; the bytes are in .response.content"),
    ],
)
def test_the_text_says_what_stands_in_the_place_of_a_success(content: bytes, problem: str) -> None:
    with pytest.raises(UnexpectedReplyError) as caught:
        call_of(TRACED).decode(Response(status=200, headers={}, content=content))

    assert str(caught.value) == (
        f"create_line_items: HTTP 200, but {problem}; the batch may have been written"
    )


@pytest.mark.parametrize("status", [100, 302, 400, 401, 403, 404, 409, 429, 477, 500, 520, 999])
def test_a_refusal_that_cannot_be_read_is_an_error_by_its_status(status: int) -> None:
    for content in ODD:
        with case(content[:100]):
            error = refuse(status, content)

            assert (error.status, error.response.content) == (status, content)
            told = (error.category, error.sub_category, error.message, error.correlation_id, error.policy)
            assert told == (None,) * 5
            assert (error.context, error.reasons) == ({}, ())


BARE = record(0, properties={}, createdAt="", updatedAt="")
FULL_ERROR = failure(0, category="VALIDATION_ERROR", message="wrong", errors=[{"code": "INVALID_LONG"}])


def test_a_record_with_an_id_is_written_even_if_other_fields_are_odd() -> None:
    plain = read(1, record(0)).records[0]
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"id": 44000}, {}),
        (
            {"properties": {"name": 9, "price": 1.50, "paid": True, "no": None}},
            {"properties": {"name": "9", "price": "1.5", "paid": "true", "no": None}},
        ),
        (
            {"properties": {"name": "N-0", "odd": ["x"], "\ud800": 1, "text": "\ud800"}},
            {"properties": {"name": "N-0"}},
        ),
        ({"properties": None}, {"properties": {}}),
        ({"properties": []}, {"properties": {}}),
        ({"createdAt": 1767225600000}, {"created_at": "1767225600000"}),
        ({"createdAt": None, "updatedAt": {}}, {"created_at": "", "updated_at": ""}),
        ({"archived": None}, {}),
        ({"archived": "false"}, {}),
        ({"archivedAt": []}, {}),
        ({"url": 7, "objectWriteTraceId": 8}, {"url": "7", "trace_id": "8"}),
        ({"objectWriteTraceId": ["input-0"]}, {}),
        ({"warnings": "none"}, {}),
        (
            {"warnings": [{"category": 3, "context": {"a": [1], "b": {}}}]},
            {"warnings": (RecordWarning(category="3", context={"a": ("1",)}),)},
        ),
        ({"propertiesWithHistory": {"name": 3}}, {}),
        (
            {"propertiesWithHistory": {"name": [{"value": 5, "updatedByUserId": "x"}]}},
            {"history": {"name": (PropertyVersion(value="5", timestamp="", source_type=""),)}},
        ),
        (
            {"propertiesWithHistory": {"name": [{"updatedByUserId": 77, "sourceType": 1.5}]}},
            {
                "history": {
                    "name": (
                        PropertyVersion(value=None, timestamp="", source_type="", updated_by_user_id=77),
                    )
                }
            },
        ),
    ]
    for odd, expected in cases:
        with case(odd):
            (found,) = read(1, record(0, **odd)).records

            assert found == msgspec.structs.replace(plain, **expected)


def test_what_a_record_leaves_out_is_empty() -> None:
    assert read(1, {"id": "44000"}).records == read(1, BARE).records


@pytest.mark.parametrize(
    "envelope",
    [
        {"startedAt": 5, "completedAt": [], "links": float("nan")},
        {"numErrors": "1", "links": [], "requestedAt": 7.5},
        {
            "errors": [
                FULL_ERROR | {"status": 207, "subCategory": 5, "links": 1, "id": {}, "message": "wrong"}
            ]
        },
    ],
)
def test_an_odd_envelope_hides_neither_records_nor_errors(envelope: dict[str, Any]) -> None:
    told = read(2, record(1), errors=[FULL_ERROR])

    found = read(2, record(1), **{"errors": [FULL_ERROR]} | envelope)

    assert (found.records, found.unaccounted) == (told.records, ())
    assert [(error.index, error.reasons) for error in found.errors] == [(0, (Reason(code="INVALID_LONG"),))]


def test_null_stands_for_an_empty_list() -> None:
    assert read(1, results=None, errors=[FULL_ERROR]).errors == read(1, errors=[FULL_ERROR]).errors
    assert read(2, results=None, errors=None).unaccounted == (0, 1)


def test_an_error_names_an_update_by_an_id_that_is_a_number() -> None:
    call = call_of(
        {"id": "44000", "properties": {}}, {"id": "44001", "properties": {}}, operation="update_orders"
    )

    result = call.decode(reply(errors=[{"context": {"ids": [44001]}}, {"context": {"ids": 44000}}]))

    assert [error.index for error in result.errors] == [1, 0]


def test_a_reply_may_begin_with_a_byte_order_mark() -> None:
    plain = reply(record(0))

    result = call_of(*inputs(1)).decode(
        msgspec.structs.replace(plain, content=b"\xef\xbb\xbf" + plain.content)
    )

    assert result.ok
    error = refuse(429, b'\xef\xbb\xbf{"policyName": "DAILY", "status": 429, "context": {"a": [{}], "b": 1}}')
    assert (error.policy, error.context) == ("DAILY", {"b": ("1",)})


def test_a_number_of_any_length_can_be_read() -> None:
    content = reply(record(0)).content.replace(b'"COMPLETE"', b"9" * 5000)

    assert call_of(*inputs(1)).decode(Response(status=201, headers={}, content=content)).ok


def test_unknown_fields_are_ignored() -> None:
    news: dict[str, Any] = {"new": [{"deep": {"er": None}}], "2": 3}

    result = read(
        1, record(0, **news), errors=[failure(0, **news) | {"links": {}, "status": "error"}], **news
    )

    assert [found.index for found in result.records] == [None]
    assert [error.index for error in result.errors] == [0]
    assert refuse(400, news | {"category": "C"}).category == "C"


def test_nothing_that_is_unset_leaves_a_reply() -> None:
    result = read(2, record(0), errors=[failure(1, errors=[{"code": "C"}])])
    error = refuse(400, {"errors": [{"code": "C"}]})

    again = pickle.loads(pickle.dumps((result, error)))  # noqa: S301 - our own

    assert again[0] == result
    assert vars(again[1]) == vars(error)
    assert b"UNSET" not in pickle.dumps((result, vars(error)))
    assert msgspec.UNSET not in [*vars(error).values(), *values_of(result)]


def values_of(thing: object) -> list[object]:
    """All values that a Struct holds, and those of the Structs in it."""
    if isinstance(thing, msgspec.Struct):
        return [deep for value in msgspec.structs.asdict(thing).values() for deep in values_of(value)]
    if isinstance(thing, tuple):
        return [deep for value in thing for deep in values_of(value)]
    return [thing]
