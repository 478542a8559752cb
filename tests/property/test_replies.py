"""Every answer of a server ends in a result or in an error of ours, and neither tells a secret."""

import gzip
import json
import os
import pickle
import traceback
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubspot_batch import (
    ApiError,
    BatchResult,
    ConnectionFailedError,
    HubSpotBatchError,
    Retries,
    UnexpectedReplyError,
)
from hubspot_batch.results import AssociationResult

if TYPE_CHECKING:
    from tests.conftest import Clock, Face

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "openapi" / "hubspot-batch.yaml").read_text(encoding="utf-8"))
BODIES: list[Any] = [
    example["value"] for name, example in DOCUMENT["components"]["examples"].items() if name.endswith("Reply")
]
SUCCESSES = [
    body for body in BODIES if "results" in body and all("properties" in result for result in body["results"])
]

# FUZZ_TIMES=5 looks for five times as long, and elsewhere in each run.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))

TOKEN = "pat-na1-5ec2e7-t0ken"
VALUE = "va1ue-0f-a-pr0perty"
INPUTS: list[Any] = [
    {"id": "44001", "properties": {"hs_order_name": VALUE}, "objectWriteTraceId": "row-1"},
    {"id": "44002", "properties": {"hs_order_name": "A-1002"}, "objectWriteTraceId": "row-2"},
]
CREATES: list[Any] = [{key: value for key, value in item.items() if key != "id"} for item in INPUTS]

# Both clients are the same below the loop that sends, so the fixture may outlive an example.
each_face = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=100 * TIMES,
    derandomize=TIMES == 1,
)


statuses = st.one_of(
    st.sampled_from([200, 201, 207]),
    st.sampled_from([400, 401, 403, 404, 409, 423, 429, 477, 500, 502, 520]),
    st.integers(100, 999),
    st.integers(-(2**31), 2**31),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("9" * 5000), st.just(10**400)
)
junk = st.recursive(
    scalars, lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper), max_leaves=5
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Every container of a body with every key or index in it."""
    for key in list(node if isinstance(node, dict) else range(len(node))):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


@st.composite
def mutated(draw: st.DrawFn, bodies: list[Any]) -> bytes:
    """A reply of the document in which some places are gone, null, of another kind or far too deep."""
    body = deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(0, 3))):
        if not (found := list(places(body))):
            break
        parent, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            parent[key] = draw(junk)
        else:
            del parent[key]
    content = json.dumps(body).encode()
    if draw(st.booleans()):
        return content
    at = draw(st.integers(0, len(content)))
    return draw(
        st.sampled_from(
            [
                content[:at],
                content[:at] + b"\xff\xfe" + content[at:],
                content[:at] + b"\\ud800" + content[at:],
                content[:at] + b"[" * 20_000 + content[at:],
                content.replace(b'"2026', b"2026", 1),
                content * 2,
                zlib.compress(content),
            ]
        )
    )


contents = st.one_of(
    mutated(BODIES), mutated(SUCCESSES), st.binary(), st.builds(lambda node: json.dumps(node).encode(), junk)
)
# A header takes what latin-1 can write; h11 would refuse the rest.
header_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0")).map(
    lambda text: text.encode("latin-1")
)
locations = st.lists(
    st.sampled_from(
        [
            b"http:",
            b"mailto:",
            b"//",
            b"/",
            b"[",
            b"]",
            b"@",
            b":",
            b"xn--",
            b"%",
            b"a",
            b"99999",
            b"\xe9",
            b" ",
        ]
    )
).map(b"".join)
codings = st.lists(
    st.sampled_from([b"gzip", b"deflate", b"br", b"zstd", b"identity", b"x", b"", b"\xff"])
).map(b", ".join)
headers = st.lists(
    st.one_of(
        st.tuples(st.just(b"Content-Encoding"), codings | header_values),
        st.tuples(
            st.sampled_from(
                [
                    b"Content-Type",
                    b"Retry-After",
                    b"Set-Cookie",
                    b"X-HubSpot-Correlation-Id",
                    b"X-HubSpot-RateLimit-Max",
                    b"X-HubSpot-RateLimit-Interval-Milliseconds",
                ]
            ),
            st.one_of(header_values, st.floats().map(lambda n: str(n).encode()), st.just(b"9" * 5000)),
        ),
    ),
    max_size=4,
)


class Server:
    """Answers with chunks, so that a body is read and decoded where that of a socket would be."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self._reply = (status, headers, content)

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        status, headers, content = self._reply
        return httpx.Response(status, headers=headers, stream=Chunks(content))

    def __repr__(self) -> str:
        return f"Server{self._reply!r:.300}"


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._halves = [content[: len(content) // 2], content[len(content) // 2 :]]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._halves)

    async def __aiter__(self) -> Any:  # noqa: ANN401 - an async generator
        for half in self._halves:
            yield half


servers = st.builds(Server, statuses, headers, contents)


def outcome_of(
    face: "Face",
    answer: Callable[[httpx.Request], httpx.Response],
    *,
    creating: bool = False,
    **options: object,
) -> BatchResult | HubSpotBatchError:
    """What a call ends in. Any other exception than ours ends the test."""
    hub = face.connect(face.wire(answer), access_token=TOKEN, **{"retries": 0} | options)
    try:
        result = face.create(hub, CREATES) if creating else face.update(hub, INPUTS)
    except HubSpotBatchError as error:
        return error
    assert type(result) is BatchResult
    return result


@each_face
@given(server=servers)
def test_any_reply_ends_in_a_result_or_in_an_error_of_ours(face: "Face", server: Server) -> None:
    outcome = outcome_of(face, server)

    assert isinstance(outcome, BatchResult | ApiError | UnexpectedReplyError | ConnectionFailedError)
    if isinstance(outcome, BatchResult):
        assert 200 <= outcome.response.status < 300
    if isinstance(outcome, ApiError):
        assert not 200 <= outcome.status < 300


# What the operations send whose replies are not about records, or may have no body.
OTHERS: dict[str, tuple[list[Any], dict[str, str]]] = {
    "archive_orders": ([{"id": "44001"}, {"id": "44002"}], {}),
    "list_properties": ([], {"objectType": "orders"}),
    "create_associations": (
        [
            {
                "from": {"id": number},
                "to": {"id": "44001"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 514}],
            }
            for number in ("71001", "71002")
        ],
        {"fromObjectType": "line_items", "toObjectType": "orders"},
    ),
}


@each_face
@given(operation=st.sampled_from(sorted(OTHERS)), server=servers)
def test_any_reply_to_another_operation_does_so_too(face: "Face", operation: str, server: Server) -> None:
    inputs, arguments = OTHERS[operation]
    hub = face.connect(face.wire(server), access_token=TOKEN, retries=0)
    try:
        result = face.call(hub, operation, inputs, arguments=arguments)
    except (ApiError, UnexpectedReplyError, ConnectionFailedError):
        return
    if isinstance(result, AssociationResult):
        # Each input is told of, by itself or as one of those that come into question.
        owners = [*(pair.index for pair in result.pairs), *(error.index for error in result.errors)]
        told = {*owners, *result.unaccounted}
        assert told >= {0, 1} or None in owners


@each_face
@given(status=st.sampled_from([201, 301, 302, 303, 307, 308]), location=locations | header_values)
def test_any_redirect_ends_in_an_error_of_ours(face: "Face", status: int, location: bytes) -> None:
    outcome = outcome_of(face, Server(status, [(b"Location", location)], b""))

    assert isinstance(outcome, HubSpotBatchError)


@each_face
@given(status=statuses.filter(lambda status: not 200 <= status < 300), content=contents)
def test_any_refusal_keeps_its_status_and_its_bytes(face: "Face", status: int, content: bytes) -> None:
    outcome = outcome_of(face, Server(status, [], content))

    assert isinstance(outcome, ApiError)
    assert (outcome.status, outcome.response.content) == (status, content)


names = st.lists(st.sampled_from(["row-1", "row-2", "row-3"]), max_size=2)
ids = st.sampled_from(["44001", "44002", "44003"])
records = st.fixed_dictionaries(
    {
        "id": ids,
        "properties": st.dictionaries(
            st.sampled_from(["hs_order_name", "hs_object_id"]),
            st.sampled_from([VALUE, "A-1002", "a-1003", None]),
        ),
        "createdAt": st.just("2026-09-01T08:15:02Z"),
        "updatedAt": st.just("2026-09-01T08:15:02Z"),
        "archived": st.booleans(),
    },
    optional={"objectWriteTraceId": st.sampled_from(["row-1", "row-2", "row-3", "", None])},
)
contexts = st.fixed_dictionaries({}, optional={"objectWriteTraceId": names, "ids": st.lists(ids, max_size=2)})
failures = st.fixed_dictionaries({}, optional={"context": contexts | st.none()})
believable = st.fixed_dictionaries(
    {
        "status": st.just("COMPLETE"),
        "results": st.lists(records, max_size=3),
        "startedAt": st.just("2026-09-01T08:15:02Z"),
        "completedAt": st.just("2026-09-01T08:15:02Z"),
    },
    optional={"errors": st.lists(failures, max_size=3)},
)


@each_face
@given(body=believable)
def test_whatever_a_success_tells_each_input_is_told_of_or_unaccounted(
    face: "Face", body: dict[str, Any]
) -> None:
    result = outcome_of(face, Server(207, [], json.dumps(body).encode()))

    assert isinstance(result, BatchResult)
    told: list[int | None] = [record.index for record in result.records]
    refused: list[int | None] = [error.index for error in result.errors]
    written = [index for index in told if index is not None]
    untold = {0, 1} - {*told, *refused}
    nameless = (told + refused).count(None)
    ids = [record["id"] for record in body["results"]]
    assert [record.id for record in result.records] == list(dict.fromkeys(ids))
    assert len(refused) >= len(body.get("errors", []))
    assert len(written) == len(set(written))
    assert set(result.unaccounted) == (untold if len(untold) > nameless else set())
    assert result.ok is not bool(result.errors or result.unaccounted)


INFORMS = ["createdAt", "updatedAt", "archived", "archivedAt", "url", "warnings", "propertiesWithHistory"]
INFORMS_OF_ALL = ["status", "startedAt", "completedAt", "numErrors", "requestedAt", "links"]


@each_face
@given(body=st.sampled_from(SUCCESSES), data=st.data())
def test_no_field_that_only_informs_hides_what_became_of_an_input(
    face: "Face", body: dict[str, Any], data: st.DataObject
) -> None:
    odd = deepcopy(body)
    for part, names in [(odd, INFORMS_OF_ALL), *((record, INFORMS) for record in odd["results"])]:
        for name in data.draw(st.sets(st.sampled_from(names))):
            part[name] = data.draw(junk)
        for name in data.draw(st.sets(st.sampled_from(names))):
            part.pop(name, None)

    plain, found = (
        outcome_of(face, Server(207, [], json.dumps(content).encode())) for content in (body, odd)
    )

    assert isinstance(plain, BatchResult)
    assert isinstance(found, BatchResult)
    assert [(r.index, r.id, r.properties) for r in found.records] == [
        (r.index, r.id, r.properties) for r in plain.records
    ]
    assert (found.errors, found.unaccounted) == (plain.errors, plain.unaccounted)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


@st.composite
def spoilt(draw: st.DrawFn) -> Server:
    """A success of the document as a broken wire delivers it: bytes changed, added, lost or repeated.

    What is compressed is spoilt before or after.
    """
    content = json.dumps(draw(st.sampled_from(SUCCESSES))).encode()
    coding = draw(st.sampled_from(["", "", "gzip", "deflate"]))
    late = draw(st.booleans())
    if not late:
        content = draw(edited(content))
    if coding:
        content = gzip.compress(content, mtime=0) if coding == "gzip" else zlib.compress(content)
    if late:
        content = draw(edited(content))
    return Server(
        draw(st.sampled_from([200, 201, 207, 299])), [(b"Content-Encoding", coding.encode())], content
    )


@st.composite
def edited(draw: st.DrawFn, content: bytes) -> bytes:
    edited = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(edited))), draw(st.integers(0, 40))
        match draw(st.sampled_from(["change", "add", "lose", "repeat", "end"])):
            case "change":
                edited[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "add":
                edited[at:at] = draw(
                    st.binary(max_size=4) | st.sampled_from([b"{", b"]", b'"', b",", b"9" * 400])
                )
            case "lose":
                del edited[at : at + length]
            case "repeat":
                edited[at:at] = edited[at : at + length]
            case _:
                del edited[at:]
    return bytes(edited)


@each_face
@given(server=spoilt(), creating=st.booleans())
def test_of_a_spoilt_success_no_more_is_told_than_was_sent(
    face: "Face", server: Server, *, creating: bool
) -> None:
    outcome = outcome_of(face, server, creating=creating)

    assert isinstance(outcome, BatchResult | ConnectionFailedError | UnexpectedReplyError)
    if not isinstance(outcome, BatchResult):
        assert outcome.maybe_written
        return
    written = [record.index for record in outcome.records if record.index is not None]
    refused = [error.index for error in outcome.errors if error.index is not None]
    assert len(written) == len(set(written))
    assert {*written, *refused, *outcome.unaccounted} <= {0, 1}
    assert not {*written, *refused} & set(outcome.unaccounted)
    assert outcome.ok is not bool(outcome.errors or outcome.unaccounted)


def told(outcome: BatchResult | HubSpotBatchError) -> str:
    """All that a log, a traceback or a debugger shows of an outcome."""
    shown = [f"{outcome}", repr(outcome)]
    if isinstance(outcome, BatchResult):
        shown += map(repr, (*outcome.records, *outcome.errors, outcome.response))
    else:
        shown += [*traceback.format_exception(outcome), *map(repr, outcome.args)]
        shown += [repr(getattr(outcome, name, None)) for name in ("response", "reasons")]
    return "\n".join(shown)


@each_face
@given(server=servers)
def test_no_reply_brings_a_secret_to_light(face: "Face", server: Server) -> None:
    outcome = outcome_of(face, server)

    for secret in (TOKEN, VALUE):
        assert secret not in told(outcome)
        assert secret.encode() not in pickle.dumps(outcome)


def echo(node: Any) -> Any:  # noqa: ANN401 - JSON
    """A body in which HubSpot's own words, contexts and stored values repeat what was sent."""
    if isinstance(node, list):
        return [echo(item) for item in node]
    if not isinstance(node, dict):
        return node
    repeated = {key: echo(value) for key, value in node.items()}
    if "message" in node:
        fault = {"message": VALUE, "error": "INVALID_LONG", "name": "hs_total_price"}
        repeated["message"] = f"Property values were not valid: {json.dumps([fault])}"
        repeated["context"] = (repeated.get("context") or {}) | {"value": [VALUE], "token": [TOKEN]}
    if "properties" in node:
        repeated["properties"] = dict.fromkeys(node["properties"], VALUE)
    return repeated


echoes = st.one_of(
    st.sampled_from([json.dumps(echo(body)).encode() for body in BODIES]),
    st.sampled_from(
        [
            f"<html>{VALUE} Authorization: Bearer {TOKEN}</html>".encode(),
            f'{{"status": {{"{VALUE}": "{TOKEN}"}}}}'.encode(),
            f'{{"results": [{{"id": {{"{VALUE}": 1}}, "properties": {{"{TOKEN}": 1}}}}]}}'.encode(),
            f'"{VALUE} {TOKEN}'.encode(),
        ]
    ),
)


@each_face
@given(server=st.builds(Server, statuses, headers, echoes))
def test_a_server_that_repeats_a_secret_is_not_repeated(face: "Face", server: Server) -> None:
    outcome = outcome_of(face, server)

    for secret in (TOKEN, VALUE):
        assert secret not in told(outcome)
    if isinstance(outcome, HubSpotBatchError):
        again = pickle.loads(pickle.dumps(outcome))  # noqa: S301 - our own
        assert (type(again), str(again)) == (type(outcome), str(outcome))


def test_what_a_server_repeats_is_there_for_those_who_ask(face: "Face") -> None:
    body = echo(DOCUMENT["components"]["examples"]["InvalidPropertiesReply"]["value"])

    outcome = outcome_of(face, Server(400, [], json.dumps(body).encode()))

    assert isinstance(outcome, ApiError)
    assert VALUE in str(outcome.message)
    assert VALUE.encode() in outcome.response.content
    assert outcome.context["value"] == (VALUE,)


NOT_SENT: list[Exception] = [
    kind("boom") for kind in (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
]
IN_DOUBT: list[Exception] = [
    kind("boom")
    for kind in (httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError)
]
replies = st.builds(
    lambda status, wait, policy: httpx.Response(
        status,
        headers={"Retry-After": f"{wait}"} if wait else {},
        json={"policyName": policy} if policy else {},
    ),
    st.sampled_from([200, 400, 401, 408, 409, 423, 429, 429, 477, 499, 500, 502, 520]),
    st.sampled_from([0, 0, 1, 50, 500]),
    st.sampled_from([None, "TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY"]),
)
runs = st.lists(
    st.one_of(st.none(), replies, st.sampled_from(NOT_SENT), st.sampled_from(IN_DOUBT)), min_size=1
)


def in_doubt(answer: httpx.Response | Exception | None) -> bool:
    if isinstance(answer, httpx.Response):
        return answer.status_code < 300 or answer.status_code >= 500 or answer.status_code in {408, 499}
    return answer in IN_DOUBT


@each_face
@given(
    run=runs,
    mode=st.sampled_from(["create", "unique", "update"]),
    retries=st.builds(Retries, limit=st.integers(0, 5), budget=st.sampled_from([0.0, 10.0, 120.0])),
)
def test_no_run_of_replies_doubles_a_record_or_waits_beyond_the_budget(
    face: "Face", clock: "Clock", run: list[httpx.Response | Exception | None], mode: str, retries: Retries
) -> None:
    clock.sleeps.clear()
    wire = face.wire(*run)
    hub = face.connect(wire, retries=retries)
    outcome: BatchResult | HubSpotBatchError
    try:
        if mode == "update":
            outcome = face.update(hub, INPUTS)
        else:
            unique_property = "hs_order_name" if mode == "unique" else None
            outcome = face.create(hub, CREATES, unique_property=unique_property)
    except HubSpotBatchError as error:
        outcome = error

    answers = (run + run[-1:] * len(wire.requests))[: len(wire.requests)]
    doubts = [in_doubt(answer) for answer in answers]
    limited = [isinstance(answer, httpx.Response) and answer.status_code == 429 for answer in answers]
    assert sum(clock.sleeps) <= retries.budget
    assert limited[:-1].count(False) <= retries.limit
    if mode == "create":
        assert not any(doubts[:-1])
    if isinstance(outcome, BatchResult):
        assert answers[-1] is None
        assert outcome.response.attempts == len(wire.requests)
    else:
        assert answers[-1] is not None
        assert outcome.maybe_written is any(doubts)
