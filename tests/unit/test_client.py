"""The clients: how they are set up, what they share, and how they end."""

import gc
import json
import logging
import math
import weakref
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from hubspot_batch import (
    ApiError,
    AsyncHubSpot,
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    CreateInput,
    HubSpot,
    HubSpotBatchError,
    InvalidInputError,
    Quota,
    RateLimitError,
    Retries,
    UpdateInput,
    __version__,
)
from hubspot_batch.transport import _settings
from hubspot_batch.transport._calls import build_call
from hubspot_batch.transport._connections import sync_client
from hubspot_batch.transport._tokens import Bearer
from tests.conftest import case

if TYPE_CHECKING:
    from tests.conftest import Clock, Face

INPUTS: list[CreateInput] = [{"properties": {"hs_order_name": "A-1001"}}]
UPDATES: list[UpdateInput] = [{"id": "44001", "properties": {"hs_order_name": "A-1001"}}]
LIMITED = httpx.Response(429, headers={"Retry-After": "8"})


def test_a_token_that_no_header_can_hold_is_refused(face: "Face") -> None:
    cases: list[tuple[object, str]] = [
        ("", "the access token is empty; give access_token, or set HUBSPOT_ACCESS_TOKEN"),
        *(
            (
                token,
                (
                    "the access token holds a blank, a line end or another character that no token has; "
                    "check what it was copied or read from"
                ),
            )
            for token in (
                "pat\n",
                "pat na1",
                "\tpat",
                "pat\r\nX-Evil: 1",
                "p\u00e4t",
                "pat\x00",
                "pat\x7f",
                " ",
            )
        ),
        (b"pat", "access_token is of type bytes; give a string, or a function that returns one"),
        (12, "access_token is of type int; give a string, or a function that returns one"),
    ]
    for token, text in cases:
        with case(token, text):
            with pytest.raises(ConfigurationError) as caught:
                face.connect(face.wire(), access_token=token)

            assert str(caught.value) == text
            assert not caught.value.maybe_written


def test_the_token_comes_from_the_environment(face: "Face", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "from-environment")
    wire = face.wire()

    face.create(face.connect(wire, access_token=None), INPUTS)

    assert wire.requests[0].headers["Authorization"] == "Bearer from-environment"


def test_a_token_that_is_given_wins_over_the_environment(
    face: "Face", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "from-environment")
    wire = face.wire()

    face.create(face.connect(wire, access_token="given"), INPUTS)

    assert wire.requests[0].headers["Authorization"] == "Bearer given"


@pytest.mark.parametrize("value", [None, ""])
def test_without_any_token_there_is_no_client(
    face: "Face", monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", value)

    with pytest.raises(ConfigurationError, match="set HUBSPOT_ACCESS_TOKEN"):
        face.connect(face.wire(), access_token=None)


def test_an_empty_token_does_not_fall_back_to_the_environment(
    face: "Face", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "from-environment")

    with pytest.raises(ConfigurationError, match="the access token is empty"):
        face.connect(face.wire(), access_token="")


def test_a_token_function_is_called_once_before_each_attempt(face: "Face", clock: "Clock") -> None:
    tokens = iter(["first", "second", "third", "fourth"])
    wire = face.wire(LIMITED, LIMITED, None)
    hub = face.connect(wire, access_token=lambda: next(tokens))

    face.create(hub, INPUTS)
    face.create(hub, INPUTS)

    assert [request.headers["Authorization"] for request in wire.requests] == [
        "Bearer first",
        "Bearer second",
        "Bearer third",
        "Bearer fourth",
    ]
    assert clock.sleeps == [8.0, 8.0]


def test_a_token_function_is_called_when_the_attempt_leaves(face: "Face", clock: "Clock") -> None:
    called: list[float] = []

    def token() -> str:
        called.append(clock.now)
        return "pat"

    face.create(face.connect(face.wire(LIMITED, None), access_token=token), INPUTS)

    assert called == [1000.0, 1008.0]


def test_a_token_function_is_not_called_before_the_first_call(face: "Face") -> None:
    face.connect(face.wire(), access_token=lambda: pytest.fail("called"))


def test_an_expired_token_is_not_tried_twice(face: "Face") -> None:
    wire = face.wire(httpx.Response(401, json={"category": "EXPIRED_AUTHENTICATION"}))

    with pytest.raises(AuthenticationError, match="give access_token a callable that returns a fresh one"):
        face.create(face.connect(wire), INPUTS)

    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("token", "text"),
    [("", "is empty"), (None, "is of type NoneType"), ("pat\n", "holds a blank, a line end")],
)
def test_a_token_function_that_returns_no_token_sends_nothing(face: "Face", token: object, text: str) -> None:
    wire = face.wire()

    with pytest.raises(ConfigurationError, match=text) as caught:
        face.create(face.connect(wire, access_token=lambda: token), INPUTS)

    assert wire.requests == []
    assert not caught.value.maybe_written


def test_a_token_that_gets_lost_between_attempts_leaves_the_batch_in_doubt(
    face: "Face", clock: "Clock"
) -> None:
    tokens = iter(["pat", ""])
    wire = face.wire(httpx.Response(503))

    with pytest.raises(ConfigurationError, match="is empty") as caught:
        face.update(face.connect(wire, access_token=lambda: next(tokens)), UPDATES)

    assert len(wire.requests) == len(clock.sleeps) == 1
    assert caught.value.maybe_written


def test_what_a_token_function_raises_reaches_the_caller(face: "Face") -> None:
    def token() -> str:
        raise LookupError("the vault is sealed")

    wire = face.wire()

    with pytest.raises(LookupError, match=r"^the vault is sealed$"):
        face.create(face.connect(wire, access_token=token), INPUTS)

    assert wire.requests == []


async def async_token() -> str:
    await anyio.lowlevel.checkpoint()
    return "from-async"


class TokenLater:
    """An awaitable that is not a coroutine."""

    def __await__(self) -> Generator[None, None, str]:
        yield None
        return "from-later"


class AsyncVault:
    async def __call__(self) -> str:
        return "from-vault"


@pytest.mark.parametrize(
    ("token", "header"),
    [
        (async_token, "Bearer from-async"),
        (AsyncVault(), "Bearer from-vault"),
        (TokenLater, "Bearer from-later"),
        (lambda: "from-sync", "Bearer from-sync"),
    ],
)
def test_the_async_client_takes_functions_of_either_kind(
    token: Callable[[], str] | Callable[[], Awaitable[str]], header: str
) -> None:
    seen: list[str] = []

    async def call() -> None:
        async with AsyncHubSpot(token, transport=httpx.MockTransport(answer)) as hub:
            with pytest.raises(ApiError):
                await hub.orders.batch_create(INPUTS)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(400)

    anyio.run(call)

    assert seen == [header]


@pytest.mark.parametrize("token", [async_token, AsyncVault()])
def test_an_async_token_function_is_refused_by_the_sync_client(token: Any) -> None:  # noqa: ANN401
    transport = httpx.MockTransport(lambda _request: pytest.fail("sent"))

    with (
        HubSpot(token, transport=transport) as hub,
        pytest.raises(ConfigurationError, match=r"^access_token is an async function; use AsyncHubSpot$"),
    ):
        hub.orders.batch_create(INPUTS)


def test_another_awaitable_is_not_a_token_for_the_sync_client() -> None:
    transport = httpx.MockTransport(lambda _request: pytest.fail("sent"))
    later: Any = TokenLater

    with (
        HubSpot(later, transport=transport) as hub,
        pytest.raises(ConfigurationError, match="access_token is of type TokenLater"),
    ):
        hub.orders.batch_create(INPUTS)


NO_URL = "base_url must be the URL of a service; write it like https://api.hubapi.com"


def test_a_base_url_that_names_no_service_is_refused(face: "Face") -> None:
    cases: list[object] = [
        "api.hubapi.com",
        "//api.hubapi.com",
        "api.hubapi.com:443",
        "ftp://api.hubapi.com",
        "https://",
        "https:///crm",
        "https://api.hubapi.com?x=1",
        "https://api.hubapi.com?",
        "https://api.hubapi.com#x",
        "https://api.hubapi.com#",
        "https://user:secret@api.hubapi.com",
        "https://api.hubapi.com:port",
        "https://api.hubapi.com:99999",
        "https://api.hub api.com",
        " https://api.hubapi.com",
        "https://api.hubapi.com ",
        "https://api.hubapi.com\n",
        "https://xn--a",
        "",
        None,
        5,
        b"https://api.hubapi.com",
        httpx.URL("https://api.hubapi.com"),
    ]
    for base_url in cases:
        with case(base_url):
            with pytest.raises(ConfigurationError) as caught:
                face.connect(face.wire(), base_url=base_url)

            assert str(caught.value) == NO_URL


def test_a_secret_in_a_base_url_is_not_repeated(face: "Face") -> None:
    with pytest.raises(ConfigurationError) as caught:
        face.connect(face.wire(), base_url="https://user:secret@api.hubapi.com")

    assert "secret" not in str(caught.value)


def test_the_versions_that_hubspot_releases_are_known(face: "Face") -> None:
    for version in ("v3", "2025-09", "2026-03", "2026-09", "2027-03", "2030-09", "2099-03"):
        with case(version):
            hub = face.connect(face.wire(), api_version=version)

            assert (
                repr(hub)
                == f"{face.kind.__name__}(base_url='https://api.hubapi.com', api_version={version!r})"
            )


def test_any_other_version_is_refused(face: "Face") -> None:
    cases: list[object] = [
        *("", "3", "V3", "v1", "v4", "v3 ", "v3\n", "2026-9", "2026-06", "2025-03", "2019-03", "2026-09-01"),
        *("latest", "../v3", "\uff12\uff10\uff12\uff16-\uff10\uff19"),
        *(None, 3, b"v3"),
    ]
    for version in cases:
        with case(version):
            with pytest.raises(ConfigurationError) as caught:
                face.connect(face.wire(), api_version=version)

            assert str(caught.value) == (
                f'there is no API version {version!r}; write "v3" or a dated one such as "2026-09"'
            )


BAD_TIMEOUTS = [0, -1, 0.0, math.nan, math.inf, True, "30", (5.0, 30.0)]
BAD_RETRIES: list[object] = [
    *(-1, True, 1.5, "4"),
    *(Retries(limit=-1), Retries(limit=True), Retries(budget=-1.0), Retries(budget=math.nan)),
    Retries(budget="120"),  # type: ignore[arg-type]
    Retries(limit=1.5),  # type: ignore[arg-type]
]
NO_TIMEOUT = "timeout must be a positive number; write seconds, or an httpx.Timeout"
NO_RETRIES = "retries has a negative limit or budget; write Retries(limit=4, budget=120.0)"


def test_a_timeout_that_is_not_a_positive_number_is_refused(face: "Face") -> None:
    cases: list[object] = [*BAD_TIMEOUTS, None]
    for timeout in cases:
        with case(timeout):
            with pytest.raises(ConfigurationError) as caught:
                face.connect(face.wire(), timeout=timeout)

            assert str(caught.value) == NO_TIMEOUT


def test_retries_that_are_negative_or_no_numbers_are_refused(face: "Face") -> None:
    cases: list[object] = [*BAD_RETRIES, None]
    for retries in cases:
        with case(retries):
            with pytest.raises(ConfigurationError) as caught:
                face.connect(face.wire(), retries=retries)

            assert str(caught.value) == NO_RETRIES


@pytest.mark.parametrize(
    ("option", "values", "text"),
    [("timeout", BAD_TIMEOUTS, NO_TIMEOUT), ("retries", BAD_RETRIES, NO_RETRIES)],
)
def test_with_options_refuses_the_same(face: "Face", option: str, values: list[object], text: str) -> None:
    hub = face.connect(face.wire())

    for value in values:
        options: Any = {option: value}
        with pytest.raises(ConfigurationError) as caught:
            hub.with_options(**options)
        assert str(caught.value) == text


@pytest.mark.parametrize("quota", [190, "190", (190, 10.0), Quota])
def test_what_is_not_a_quota_is_refused(face: "Face", quota: object) -> None:
    hub = face.connect(face.wire())
    options: Any = {"quota": quota}

    with pytest.raises(ConfigurationError, match="quota"):
        face.connect(face.wire(), quota=quota)
    with pytest.raises(ConfigurationError, match="quota"):
        hub.with_options(**options)


def test_transport_and_http_client_exclude_each_other(face: "Face") -> None:
    with pytest.raises(ConfigurationError) as caught:
        face.connect(face.wire(), http_client=http_client(face, face.wire()))

    assert str(caught.value) == "transport and http_client exclude each other; give one of them"


def test_an_http_client_of_the_other_kind_is_refused(face: "Face") -> None:
    kinds = {HubSpot: ("Client", httpx.AsyncClient), AsyncHubSpot: ("AsyncClient", httpx.Client)}
    right, wrong = kinds[face.kind]

    with pytest.raises(ConfigurationError) as caught:
        face.connect(None, http_client=wrong())

    assert str(caught.value) == f"http_client must be an httpx.{right}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 30.0}),
        ({"timeout": 60}, {"connect": 5.0, "read": 60, "write": 60, "pool": 60}),
        ({"timeout": 2.5}, {"connect": 2.5, "read": 2.5, "write": 2.5, "pool": 2.5}),
        (
            {"timeout": httpx.Timeout(9.0, connect=None)},
            {"connect": 18.0, "read": 9.0, "write": 9.0, "pool": 9.0},
        ),
    ],
)
def test_the_timeout_reaches_httpx(
    face: "Face", options: dict[str, Any], expected: dict[str, float | None]
) -> None:
    wire, other = face.wire(), face.wire()

    face.create(face.connect(wire, **options), INPUTS)
    face.create(face.connect(None, http_client=http_client(face, other), **options), INPUTS)

    assert wire.requests[0].extensions["timeout"] == expected
    assert other.requests[0].extensions["timeout"] == expected


def test_requests_name_this_package(face: "Face") -> None:
    wire = face.wire()

    face.create(face.connect(wire), INPUTS)

    assert wire.requests[0].headers["User-Agent"] == f"hubspot-batch/{__version__}"


def test_redirects_are_never_followed(face: "Face") -> None:
    for status in (301, 302, 303, 307, 308):
        with case(status):
            wire = face.wire(httpx.Response(status, headers={"Location": "https://elsewhere.example.com/"}))
            following = http_client(face, wire, follow_redirects=True)

            for hub in (face.connect(wire), face.connect(None, http_client=following)):
                with pytest.raises(ApiError) as caught:
                    face.create(hub, INPUTS)
                assert caught.value.status == status
                assert not caught.value.maybe_written

            assert [request.url.host for request in wire.requests] == ["api.hubapi.com"] * 2


def test_a_redirect_to_nowhere_is_an_error_of_ours(face: "Face") -> None:
    for location in ("mailto:x", "http:x", "https://xn--/", "http://[", "http://a:b", "\x00"):
        for status in (301, 308):
            with case(location, status):
                wire = face.wire(httpx.Response(status, headers={"Location": location}))

                with pytest.raises(HubSpotBatchError):
                    face.create(face.connect(wire), INPUTS)


def test_bad_input_sends_nothing_and_asks_for_no_token(face: "Face") -> None:
    cases: list[tuple[Any, str]] = [
        ([], "/inputs: the list is empty; give at least 1"),
        ([INPUTS[0]] * 101, "/inputs: there are more than 100; give at most 100"),
        (
            [{"propertis": {}, "properties": {}}],
            "/inputs/0/propertis: the document knows no such key; did you mean 'properties'?",
        ),
        (
            [{"properties": []}],
            "/inputs/0/properties: a list stands where a mapping belongs; write a mapping",
        ),
        (
            [INPUTS[0], {"properties": {"a": None}}],
            (
                '/inputs/1/properties/a: None does not clear a property; write "" to clear it, '
                "or leave the property out"
            ),
        ),
        (
            [{"properties": {"a": math.nan}}],
            (
                "/inputs/0/properties/a: HubSpot takes neither NaN nor infinity as a number; "
                'leave the property out, or write ""'
            ),
        ),
        (
            [{"properties": {"a": datetime(2026, 9, 1)}}],  # noqa: DTZ001 - naive on purpose
            (
                "/inputs/0/properties/a: a datetime without a time zone names no instant; "
                "give it one: value.replace(tzinfo=...) or datetime.now(UTC)"
            ),
        ),
        (
            [{"properties": {}, "objectWriteTraceId": "row-1"}] * 2,
            (
                "/inputs/1/objectWriteTraceId: it repeats that of inputs[0], for which HubSpot refuses the "
                "whole batch; give each input one of its own"
            ),
        ),
        (
            {"inputs": INPUTS},
            '/inputs: a mapping stands where a list of inputs belongs; write [{"properties": {...}}]',
        ),
    ]
    for inputs, fault in cases:
        with case(fault):
            wire = face.wire()
            hub = face.connect(wire, access_token=lambda: pytest.fail("asked"))

            with pytest.raises(InvalidInputError) as caught:
                face.create(hub, inputs)

            assert [str(found) for found in caught.value.faults] == [fault]
            assert str(caught.value) == f"1 fault(s), nothing was sent\n  {fault}"
            assert wire.requests == []
            assert not caught.value.maybe_written


def test_an_int_is_an_id_and_a_bool_is_not(face: "Face") -> None:
    wire = face.wire()
    hub = face.connect(wire)

    with pytest.raises(InvalidInputError, match="/inputs/0/id: a value of type bool is not an id"):
        face.update(hub, [{"id": True, "properties": {}}])
    face.update(hub, [{"id": 44001, "properties": {}}])

    (request,) = wire.requests
    assert json.loads(request.content)["inputs"][0]["id"] == "44001"


def test_a_unique_property_that_is_missing_sends_nothing(face: "Face") -> None:
    wire = face.wire()

    with pytest.raises(InvalidInputError, match="the unique property 'shop_number' is missing or empty"):
        face.create(face.connect(wire), INPUTS, unique_property="shop_number")

    assert wire.requests == []


def http_client(face: "Face", transport: httpx.MockTransport, **options: Any) -> Any:  # noqa: ANN401
    kind = httpx.Client if face.kind is HubSpot else httpx.AsyncClient
    return kind(transport=transport, **options)


def assert_closed(face: "Face", hub: HubSpot | AsyncHubSpot) -> None:
    with pytest.raises(ClosedError) as caught:
        face.create(hub, INPUTS)
    assert str(caught.value) == "the client is closed; make another one"


def test_with_options_shares_the_connections(face: "Face") -> None:
    wire = face.wire()
    hub = face.connect(wire)
    patient = hub.with_options(timeout=300)

    face.create(hub, INPUTS)
    face.create(patient, INPUTS)

    assert type(patient) is face.kind
    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [30.0, 300]
    face.finish(patient.close())
    assert wire.closed
    assert_closed(face, hub)


def test_with_options_changes_only_what_it_is_told(face: "Face", clock: "Clock") -> None:
    wire = face.wire(httpx.Response(500))
    hub = face.connect(wire, retries=2, base_url="http://127.0.0.1:1", api_version="2026-09")
    once = hub.with_options(retries=0)
    patient = once.with_options(timeout=300)

    for each in (hub, once, patient):
        with pytest.raises(HubSpotBatchError):
            face.update(each, UPDATES)

    assert len(wire.requests) == 3 + 1 + 1
    assert clock.sleeps == [1.0, 2.0]
    assert {str(request.url) for request in wire.requests} == {
        "http://127.0.0.1:1/crm/objects/2026-09/orders/batch/update"
    }
    assert wire.requests[-1].extensions["timeout"]["read"] == 300


def test_with_options_keeps_the_class_of_a_client() -> None:
    class Shop(HubSpot):
        pass

    assert type(Shop("token-1").with_options(retries=0)) is Shop


def test_with_options_shares_the_quota_unless_it_is_given_one(face: "Face", clock: "Clock") -> None:
    hub = face.connect(face.wire(LIMITED, None), retries=0)
    same, other = hub.with_options(timeout=60), hub.with_options(quota=Quota())

    with pytest.raises(RateLimitError):
        face.create(hub, INPUTS)
    face.create(other, INPUTS)
    assert clock.sleeps == []
    face.create(same, INPUTS)

    assert clock.sleeps == [8.0]


# Who shares a quota without being given one.


def token_one() -> str:
    return "token-1"


def token_two() -> str:
    return "token-2"


class Vault:
    def token(self) -> str:
        return "token-1"


class ForgetfulVault:
    """A function that no dictionary can hold."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> str:
        return "token-1"


VAULT, FORGETFUL = Vault(), ForgetfulVault()


def shared(face: "Face", one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = (face.connect(face.wire(), **{"quota": None} | options) for options in (one, other))
    return first._settings.quota is second._settings.quota


def test_clients_with_the_same_token_pace_themselves_together(face: "Face", clock: "Clock") -> None:
    hub, other = (face.connect(face.wire(LIMITED, None), retries=0, quota=None) for _ in range(2))

    with pytest.raises(RateLimitError):
        face.create(hub, INPUTS)
    with pytest.raises(RateLimitError):
        face.create(other, INPUTS)

    assert clock.sleeps == [8.0]


def test_clients_of_both_kinds_share_a_quota() -> None:
    assert HubSpot("token-1")._settings.quota is AsyncHubSpot("token-1")._settings.quota


def test_clients_with_the_same_token_share_a_quota(face: "Face", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "from-environment")
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"access_token": "a"}, {"access_token": "a"}),
        ({"access_token": "from-environment"}, {"access_token": None}),
        ({"base_url": "http://127.0.0.1:1"}, {"base_url": "http://127.0.0.1:1/"}),
        ({"api_version": "v3"}, {"api_version": "2026-09", "timeout": 9, "retries": 0}),
        ({"access_token": token_one}, {"access_token": token_one}),
        ({"access_token": VAULT.token}, {"access_token": VAULT.token}),
    ]
    for one, other in cases:
        with case(one, other):
            assert shared(face, one, other)


def test_clients_with_different_tokens_or_services_share_none(face: "Face") -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"access_token": "a"}, {"access_token": "b"}),
        ({"base_url": "http://127.0.0.1:1"}, {"base_url": "http://127.0.0.1:2"}),
        ({"access_token": token_one}, {"access_token": token_two}),
        ({"access_token": token_one}, {"access_token": "token-1"}),
        ({"access_token": VAULT.token}, {"access_token": Vault().token}),
        (
            {"access_token": token_one, "base_url": "http://127.0.0.1:1"},
            {"access_token": token_one, "base_url": "http://127.0.0.1:2"},
        ),
        ({"access_token": FORGETFUL}, {"access_token": FORGETFUL}),
        ({"quota": Quota()}, {}),
    ]
    for one, other in cases:
        with case(one, other):
            assert not shared(face, one, other)


def test_a_client_that_is_given_a_quota_keeps_it(face: "Face") -> None:
    quota = Quota()

    assert shared(face, {"quota": quota, "access_token": "a"}, {"quota": quota, "access_token": "b"})


def test_threads_that_make_clients_get_one_quota() -> None:
    together = Barrier(8)

    def connect(_number: int) -> HubSpot:
        together.wait(timeout=10)
        return HubSpot("token-1")

    with ThreadPoolExecutor(8) as pool:
        hubs = list(pool.map(connect, range(8)))

    assert len({id(hub._settings.quota) for hub in hubs}) == 1


def test_a_shared_quota_lives_as_long_as_one_of_its_clients(face: "Face") -> None:
    first, second = (face.connect(face.wire(), quota=None) for _ in range(2))
    face.create(first, INPUTS)
    known = weakref.ref(first._settings.quota)

    del first
    gc.collect()
    assert known() is second._settings.quota

    del second
    gc.collect()
    assert known() is None


def test_an_error_without_references_keeps_no_quota(face: "Face") -> None:
    hub = face.connect(face.wire(httpx.Response(400)), quota=None)
    known = weakref.ref(hub._settings.quota)
    with pytest.raises(ApiError):
        face.create(hub, INPUTS)

    del hub
    gc.collect()

    assert known() is None


def test_a_token_is_not_to_be_seen_where_quotas_are_shared(face: "Face") -> None:
    hub = face.connect(face.wire(), access_token=SECRET, quota=None)

    assert any(hub._settings.quota is quota for quota in _settings._quotas.values())
    assert SECRET not in repr(dict(_settings._quotas))


def test_a_client_that_is_closed_sends_no_more(face: "Face") -> None:
    wire = face.wire()
    hub = face.connect(wire)
    face.create(hub, INPUTS)

    face.finish(hub.close())
    face.finish(hub.close())

    assert wire.closed
    assert_closed(face, hub)
    assert_closed(face, hub.with_options(timeout=1))
    assert len(wire.requests) == 1


def test_a_client_that_was_never_used_can_be_closed(face: "Face") -> None:
    hub = face.connect(face.wire())

    face.finish(hub.close())

    assert_closed(face, hub)


def test_closing_while_a_call_waits_ends_the_call(face: "Face", clock: "Clock") -> None:
    wire = face.wire(LIMITED)
    hub = face.connect(wire)
    clock.on_sleep = hub.close

    assert_closed(face, hub)

    assert len(wire.requests) == 1


def test_a_client_closes_at_the_end_of_a_with_block(face: "Face") -> None:
    wire = face.wire()

    with HubSpot("token-1", transport=wire) as hub:
        hub.orders.batch_create(INPUTS)
        assert not wire.closed

    assert wire.closed
    with pytest.raises(ClosedError, match="closed"):
        hub.orders.batch_create(INPUTS)


def test_an_async_client_closes_at_the_end_of_an_async_with_block(face: "Face") -> None:
    wire = face.wire()

    async def block() -> None:
        async with AsyncHubSpot("token-1", transport=wire) as hub:
            await hub.orders.batch_create(INPUTS)
            assert not wire.closed

        assert wire.closed
        with pytest.raises(ClosedError, match="closed"):
            await hub.orders.batch_create(INPUTS)

    anyio.run(block)


def test_a_with_block_lets_errors_through_and_closes() -> None:
    hub = HubSpot("token-1", transport=httpx.MockTransport(lambda _request: pytest.fail("sent")))

    with pytest.raises(LookupError, match="mine"), hub:
        raise LookupError("mine")

    with pytest.raises(ClosedError, match="closed"):
        hub.orders.batch_create(INPUTS)


def test_an_http_client_stays_the_callers_to_close(face: "Face") -> None:
    wire = face.wire()
    http = http_client(face, wire)
    hub = face.connect(None, http_client=http)
    face.create(hub, INPUTS)

    face.finish(hub.close())

    assert not http.is_closed
    assert not wire.closed
    assert_closed(face, hub)
    face.create(face.connect(None, http_client=http), INPUTS)
    assert len(wire.requests) == 2


def test_an_http_client_keeps_its_headers_but_not_its_token(face: "Face") -> None:
    wire = face.wire()
    http = http_client(
        face,
        wire,
        base_url="https://elsewhere.example.com/deep",
        headers={"Via": "proxy", "Authorization": "Bearer theirs", "Content-Type": "text/plain"},
        auth=("user", "password"),
    )

    face.create(face.connect(None, http_client=http), INPUTS)

    (request,) = wire.requests
    assert request.headers["Via"] == "proxy"
    assert request.headers.get_list("Authorization") == ["Bearer token-1"]
    assert request.headers.get_list("Content-Type") == ["application/json"]
    assert request.url.host == "api.hubapi.com"


def test_connections_are_made_once_and_not_before_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    together, rivals = Barrier(8), Barrier(2)

    def counted(base_url: str, transport: httpx.BaseTransport | None) -> object:
        made.append(base_url)
        with suppress(BrokenBarrierError):
            rivals.wait(timeout=0.05)  # time for another thread to make one, too
        return sync_client(base_url, transport)

    monkeypatch.setattr("hubspot_batch.client.sync_client", counted)
    hub = HubSpot("token-1", transport=httpx.MockTransport(lambda _request: httpx.Response(400)))
    assert made == []

    def call(_number: int) -> None:
        together.wait(timeout=10)
        with pytest.raises(ApiError):
            hub.orders.batch_create(INPUTS)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [None] * 8
    assert len(made) == 1


def test_threads_get_their_own_results(face: "Face") -> None:
    wire = face.wire()
    hub = HubSpot("token-1", transport=wire)
    names = [f"A-{number}" for number in range(40)]

    def call(name: str) -> list[object]:
        result = hub.orders.batch_create([{"properties": {"hs_order_name": name}}])
        return [record.properties["hs_order_name"] for record in result.records]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, names))

    assert results == [[name] for name in names]
    assert len(wire.requests) == 40


def test_tasks_get_their_own_results(face: "Face") -> None:
    wire = face.wire()
    results: dict[str, list[object]] = {}

    async def main() -> None:
        async with AsyncHubSpot("token-1", transport=wire) as hub, anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(call, hub, f"A-{number}")

    async def call(hub: AsyncHubSpot, name: str) -> None:
        result = await hub.orders.batch_create([{"properties": {"hs_order_name": name}}])
        results[name] = [record.properties["hs_order_name"] for record in result.records]

    anyio.run(main)

    assert results == {f"A-{number}": [f"A-{number}"] for number in range(40)}


SECRET = "pat-na1-5ec2e7"
VALUE = "va1ue-0f-a-pr0perty"


def test_the_token_is_in_no_repr(face: "Face", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire = face.wire(None, httpx.Response(403, json={}))
    hub = face.connect(wire, access_token=SECRET, retries=0)
    result = face.create(hub, [{"properties": {"a": VALUE}}])
    with pytest.raises(ApiError) as caught:
        face.create(hub, INPUTS)

    things: list[object] = [
        *(hub, hub.orders, hub.line_items, hub.commerce_payments, hub.carts),
        *(hub._settings, hub._settings.token, hub._settings.quota, hub._settings.retries, hub._pool),
        *(result, result.response, *result.records, caught.value, caught.value.response),
        *vars(hub).values(),
        *wire.requests,
    ]
    shown = "\n".join(f"{thing!r} {thing!s}" for thing in things)

    assert wire.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in shown + caplog.text
    assert VALUE not in shown + caplog.text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: HubSpot("t"), "HubSpot(base_url='https://api.hubapi.com', api_version='v3')"),
        (lambda: AsyncHubSpot("t"), "AsyncHubSpot(base_url='https://api.hubapi.com', api_version='v3')"),
        (lambda: HubSpot("t").orders, "Objects('orders')"),
        (lambda: AsyncHubSpot("t").carts, "AsyncObjects('carts')"),
        (lambda: HubSpot("t")._settings, "Settings(base_url='https://api.hubapi.com', api_version='v3')"),
        (lambda: Bearer("t"), "Bearer(...)"),
        (
            lambda: build_call("create_carts", [{"properties": {"a": VALUE}}], api_version="v3"),
            "Call(create_carts, 86 bytes)",
        ),
    ],
)
def test_a_repr_tells_what_a_thing_is(make: Callable[[], object], text: str) -> None:
    assert repr(make()) == text


def test_the_package_is_silent_unless_asked(face: "Face", capfd: pytest.CaptureFixture[str]) -> None:
    face.create(face.connect(face.wire()), INPUTS)

    assert capfd.readouterr() == ("", "")
    assert [type(handler) for handler in logging.getLogger("hubspot_batch").handlers] == [logging.NullHandler]
