"""Values show of themselves, to rich as well, what their repr shows, and text of others what prints of it."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import httpx
import pytest
from msgspec import Struct
from rich.pretty import pretty_repr

import hubspot_batch
from hubspot_batch import BatchResult, Quota, Record, RecordError, Response
from hubspot_batch._display import printable
from hubspot_batch.bulk import Outcome, Report
from hubspot_batch.bulk._rows import Row
from hubspot_batch.cli._tables import FileRow
from hubspot_batch.contract._inputs import Batch
from hubspot_batch.errors import ApiError, InputIssue, InvalidInputError
from hubspot_batch.oauth import _Grant
from hubspot_batch.replies._refusals import TakenValue
from hubspot_batch.results import (
    AssociatedPair,
    AssociationResult,
    ErrorBody,
    PropertyVersion,
    Reason,
    RecordWarning,
)
from hubspot_batch.sandbox import OAuthApp, SandboxAccount
from hubspot_batch.transport._calls import Call
from hubspot_batch.transport._retries import Retries
from hubspot_batch.transport._settings import Settings
from hubspot_batch.transport._tokens import Bearer
from tests.conftest import case

SECRET = "s3cr3t-7261"
UNPRINTABLE = "a\x1b[2J\r\nb\x9b\u2028c\u202ed\ud800"

RESPONSE = Response(status=207, headers={"x": SECRET}, content=SECRET.encode())
REASON = Reason(code="INVALID_LONG", property="hs_tax", message=SECRET)
WARNING = RecordWarning(category="ROUNDED", message=SECRET, context={"value": [SECRET]})
VERSION = PropertyVersion(value=SECRET, timestamp="2026-09-01T08:15:02.120Z", source_type="API")
RECORD = Record(
    index=1,
    id="44001",
    properties={"hs_order_name": SECRET},
    created_at="2026-09-01T08:15:02.120Z",
    updated_at="2026-09-01T08:15:02.120Z",
    archived=False,
    history={"hs_order_name": [VERSION]},
    warnings=[WARNING],
)
ERROR = RecordError(
    index=0, category="VALIDATION_ERROR", message=SECRET, context={"v": [SECRET]}, reasons=[REASON]
)
PAIR = AssociatedPair(index=0, from_id="7", to_id="9", labels=[SECRET])
RESULT = BatchResult(records=[RECORD], errors=[ERROR], unaccounted=[2], response=RESPONSE)
FAULT = InputIssue(index=0, pointer="/inputs/0/id", problem="it is missing", remedy="add it")

VALUES: list[Struct] = [
    RESPONSE,
    REASON,
    WARNING,
    VERSION,
    RECORD,
    ERROR,
    RESULT,
    PAIR,
    AssociationResult(pairs=[PAIR], errors=[ERROR], unaccounted=[2], response=RESPONSE),
    ErrorBody(category="VALIDATION_ERROR", message=SECRET, context={"value": [SECRET]}, reasons=(REASON,)),
    Batch(inputs=[{"properties": {"hs_order_name": SECRET}}], content=SECRET.encode()),
    Call(
        operation="create_orders",
        method="POST",
        path="/crm",
        headers={"x": SECRET},
        content=SECRET.encode(),
        resendable=False,
        writes=True,
        decode=lambda _: RESULT,
    ),
    Settings(
        token=Bearer(SECRET),
        base_url="https://api.hubapi.com",
        api_version="v3",
        timeout=httpx.Timeout(30),
        attempt_timeout=60.0,
        max_reply_bytes=1000,
        retries=Retries(),
        quota=Quota(),
    ),
    Row(index=3, wire={"properties": {"n": SECRET}}, content=SECRET.encode(), digest=b"d", faults=[FAULT]),
    Outcome(index=3, status="rejected", category="VALIDATION_ERROR", reasons=[REASON], message=SECRET),
    Outcome(index=3, status="done", id="44001"),
    TakenValue(property="hs_external_order_id", value=SECRET, existing="44001"),
    FileRow(number=4, values={"hs_order_name": SECRET}, line=5, fault=FAULT, original=[SECRET]),
    _Grant(access_token=SECRET, expires_in=1800),
    OAuthApp(client_id="app", client_secret=SECRET, refresh_token=SECRET),
    SandboxAccount(access_token=SECRET, oauth=OAuthApp(client_secret=SECRET)),
]


def classes() -> Iterator[type[Struct]]:
    """Yield the Structs of the package that have a repr of their own."""
    names = [
        module.name
        for module in pkgutil.walk_packages(hubspot_batch.__path__, "hubspot_batch.")
        if module.name != "hubspot_batch.__main__"
    ]
    for name in names:
        for value in vars(import_module(name)).values():
            own = isinstance(value, type) and issubclass(value, Struct) and value.__module__ == name
            if own and value.__repr__ is not Struct.__repr__:
                yield value


def test_all_that_have_a_repr_of_their_own_are_discreet() -> None:
    # That of a report leaves nothing out: it is a report for people.
    found = set(classes()) - {Report}

    assert found == {type(value) for value in VALUES}
    assert {kind.__name__ for kind in found if kind.__rich_repr__ is Struct.__rich_repr__} == set()


def test_rich_shows_what_the_repr_shows() -> None:
    for value in VALUES:
        with case(type(value)):
            shown = pretty_repr(value, max_width=1000)

            assert shown == repr(value)
            assert SECRET not in shown


def test_rich_shows_no_value_inside_of_others() -> None:
    for value in VALUES:
        with case(type(value)):
            assert SECRET not in pretty_repr({"key": [value]}, max_width=20)


def test_what_prints_stays_and_the_rest_is_escaped() -> None:
    assert printable("Größe, 数量 🛒 C:\\orders.csv 'x'") == "Größe, 数量 🛒 C:\\orders.csv 'x'"
    assert printable(UNPRINTABLE) == r"a\x1b[2J\r\nb\x9b\u2028c\u202ed\ud800"
    assert printable("") == ""


@pytest.mark.parametrize("kind", [ApiError, *ApiError.__subclasses__()])
def test_the_text_of_an_error_has_nothing_in_it_that_does_not_print(kind: type[ApiError]) -> None:
    body = ErrorBody(
        category=UNPRINTABLE,
        correlation_id=UNPRINTABLE,
        context={"requiredGranularScopes": [UNPRINTABLE]},
        reasons=[Reason(code=UNPRINTABLE, property=UNPRINTABLE)],
        policy=UNPRINTABLE,
    )

    assert str(kind("create_orders", RESPONSE, body)).isprintable()


def test_the_text_of_a_fault_and_of_a_reason_has_nothing_in_it_that_does_not_print() -> None:
    fault = InputIssue(index=0, pointer=f"/{UNPRINTABLE}", problem=UNPRINTABLE, remedy=UNPRINTABLE)
    outcome = Outcome(index=3, status="rejected", category=UNPRINTABLE)

    assert str(fault).isprintable()
    assert str(Reason(code=UNPRINTABLE)).isprintable()
    assert " ".join(outcome.why).isprintable()
    assert "".join(str(InvalidInputError([fault, fault])).split("\n  ")).isprintable()
