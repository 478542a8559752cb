"""Sending, waiting and sending again: the retry table of the design, row by row, through both clients."""

import itertools
import logging
import pickle
import time
from threading import Event, Lock, get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpx
import pytest

from hubspot_batch import (
    ApiError,
    AsyncHubSpot,
    AuthenticationError,
    BadRequestError,
    BatchResult,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CreateInput,
    HubSpot,
    HubSpotBatchError,
    NotFoundError,
    PermissionDeniedError,
    Quota,
    RateLimitError,
    RequestTimeoutError,
    Retries,
    ServerError,
    UnexpectedReplyError,
    UpdateInput,
)
from hubspot_batch.oauth import RefreshToken
from hubspot_batch.transport import _sync as _driver
from hubspot_batch.transport._async import AsyncDriver, AsyncPool
from hubspot_batch.transport._calls import build_call
from tests.conftest import case, written

if TYPE_CHECKING:
    from tests.conftest import Answer, Clock, Face

CREATES: list[CreateInput] = [{"properties": {"shop_number": "A-1001"}}]
UPDATES: list[UpdateInput] = [{"id": "44001", "properties": {"shop_number": "A-1001"}}]
MODES = ["create", "update", "create with a unique property"]


def send(face: "Face", hub: HubSpot | AsyncHubSpot, mode: str) -> BatchResult:
    if mode == "update":
        return face.update(hub, UPDATES)
    return face.create(hub, CREATES, unique_property=None if mode == "create" else "shop_number")


def refusal(face: "Face", hub: HubSpot | AsyncHubSpot, mode: str) -> HubSpotBatchError:
    with pytest.raises(HubSpotBatchError) as caught:
        send(face, hub, mode)
    return caught.value


def limited(policy: str | None = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(429, headers=names, json={"policyName": policy} if policy else {})


class Row(NamedTuple):
    """One outcome that comes again and again: what it is, and how long each mode waits between attempts.

    The dice of the driver always show 1, so that a back-off is 1, 2, 4, 8 s.
    """

    name: str
    outcome: "Answer"
    kind: type[HubSpotBatchError]
    maybe_written: bool
    create: list[float]
    update: list[float]

    def waits(self, mode: str) -> list[float]:
        return self.create if mode == "create" else self.update


def refused(name: str, outcome: "Answer", kind: type[HubSpotBatchError], waits: list[float]) -> Row:
    """Nothing was written: all modes wait alike."""
    return Row(name, outcome, kind, maybe_written=False, create=waits, update=waits)


def doubtful(name: str, outcome: "Answer", kind: type[HubSpotBatchError], waits: list[float]) -> Row:
    """The batch may be written: a create is never sent again."""
    return Row(name, outcome, kind, maybe_written=True, create=NEVER, update=waits)


def asking(status: int, retry_after: str) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": retry_after})


NEVER: list[float] = []
BACKOFF = [1.0, 2.0, 4.0, 8.0]
INTERVAL = {"X_HubSpot_RateLimit_Interval_Milliseconds": "5000"}

TABLE = [
    # 429: not processed, always again, until the budget of 120 s is spent.
    refused("ten seconds", limited("TEN_SECONDLY_ROLLING"), RateLimitError, [10.0] * 12),
    refused("one second", limited("SECONDLY"), RateLimitError, [1.0] * 120),
    refused("unnamed", limited(), RateLimitError, [10.0] * 12),
    refused("interval", limited(**INTERVAL), RateLimitError, [5.0] * 24),
    refused("policy before interval", limited("SECONDLY", **INTERVAL), RateLimitError, [1.0] * 120),
    refused("429, 7 s, one second", limited("SECONDLY", Retry_After="7"), RateLimitError, [7.0] * 17),
    refused("daily", limited("DAILY"), RateLimitError, NEVER),
    refused("daily, 1 s", limited("DAILY", Retry_After="1"), RateLimitError, NEVER),
    # 423: a documented lock of 2 s.
    refused("423", httpx.Response(423), ApiError, [2.0, 2.0, 4.0, 8.0]),
    refused("423, 16 s", asking(423, "16"), ApiError, [16.0] * 4),
    # 477: only as long as it says.
    refused("477", httpx.Response(477), ApiError, NEVER),
    refused("477, 32 s", asking(477, "32"), ApiError, [32.0] * 3),
    refused("477, a day", asking(477, "86400"), ApiError, NEVER),
    # Nothing was sent.
    refused("ConnectError", httpx.ConnectError("boom"), ConnectionFailedError, BACKOFF),
    refused("ProxyError", httpx.ProxyError("boom"), ConnectionFailedError, BACKOFF),
    refused("UnsupportedProtocol", httpx.UnsupportedProtocol("boom"), ConnectionFailedError, BACKOFF),
    refused("ConnectTimeout", httpx.ConnectTimeout("boom"), RequestTimeoutError, BACKOFF),
    refused("PoolTimeout", httpx.PoolTimeout("boom"), RequestTimeoutError, BACKOFF),
    # The batch may be written.
    doubtful("ReadTimeout", httpx.ReadTimeout("boom"), RequestTimeoutError, BACKOFF),
    doubtful("WriteTimeout", httpx.WriteTimeout("boom"), RequestTimeoutError, BACKOFF),
    doubtful("TimeoutException", httpx.TimeoutException("boom"), RequestTimeoutError, BACKOFF),
    doubtful("ReadError", httpx.ReadError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("WriteError", httpx.WriteError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("CloseError", httpx.CloseError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("NetworkError", httpx.NetworkError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("RemoteProtocolError", httpx.RemoteProtocolError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("LocalProtocolError", httpx.LocalProtocolError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("ProtocolError", httpx.ProtocolError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("DecodingError", httpx.DecodingError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("TooManyRedirects", httpx.TooManyRedirects("boom"), ConnectionFailedError, BACKOFF),
    doubtful("TransportError", httpx.TransportError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("RequestError", httpx.RequestError("boom"), ConnectionFailedError, BACKOFF),
    doubtful("HTTPError", httpx.HTTPError("boom"), ConnectionFailedError, BACKOFF),
    doubtful(
        "HTTPStatusError",
        httpx.HTTPStatusError("boom", request=httpx.Request("POST", "x:"), response=httpx.Response(500)),
        ConnectionFailedError,
        BACKOFF,
    ),
    *(
        doubtful(f"{status}", httpx.Response(status), ServerError, BACKOFF)
        for status in (500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 599, 600, 999)
    ),
    *(
        doubtful(f"{status}", httpx.Response(status), ApiError, BACKOFF)
        for status in (0, 99, 100, 101, 199, 408, 499)
    ),
    doubtful("503, 20 s", asking(503, "20"), ServerError, [20.0] * 4),
    doubtful("503, less than the back-off", asking(503, "3"), ServerError, [3.0, 3.0, 4.0, 8.0]),
    *(
        doubtful(f"503, senseless {text!r}", asking(503, text), ServerError, BACKOFF)
        for text in ("", "soon", "-5", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT")
    ),
    *(
        doubtful(f"{status}, unreadable", httpx.Response(status), UnexpectedReplyError, BACKOFF)
        for status in (200, 201, 204, 207, 299)
    ),
    # Anything else is an answer.
    refused("400", httpx.Response(400), BadRequestError, NEVER),
    refused("401", httpx.Response(401), AuthenticationError, NEVER),
    refused("403", httpx.Response(403), PermissionDeniedError, NEVER),
    refused("404", httpx.Response(404), NotFoundError, NEVER),
    refused("409", httpx.Response(409), ConflictError, NEVER),
    *(
        refused(f"{status}", httpx.Response(status), ApiError, NEVER)
        for status in (300, 302, 304, 402, 405, 414, 415, 422, 451, 498)
    ),
]
each_mode = pytest.mark.parametrize("mode", MODES)


def test_the_table_has_every_error_that_httpx_raises_for_a_request() -> None:
    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    theirs = {kind for kind in below(httpx.HTTPError) if kind.__module__ == "httpx"}

    assert theirs <= {type(row.outcome) for row in TABLE}


@each_mode
def test_an_outcome_that_stays_is_tried_so_often_and_no_more(face: "Face", clock: "Clock", mode: str) -> None:
    for row in TABLE:
        clock.sleeps.clear()
        wire = face.wire(row.outcome)
        with case(row.name):
            error = refusal(face, face.connect(wire), mode)

            assert clock.sleeps == row.waits(mode)
            assert len(wire.requests) == 1 + len(row.waits(mode))
            assert type(error) is row.kind
            assert error.maybe_written is row.maybe_written
            assert str(error).endswith("; the batch may have been written") is row.maybe_written


@each_mode
def test_an_outcome_that_passes_is_got_over_where_it_is_tried_again(
    face: "Face", clock: "Clock", mode: str
) -> None:
    for row in TABLE:
        clock.sleeps.clear()
        wire = face.wire(row.outcome, None)
        hub = face.connect(wire)
        with case(row.name):
            if row.waits(mode):
                result = send(face, hub, mode)

                assert result.ok
                assert clock.sleeps == row.waits(mode)[:1]
                assert result.response.attempts == len(wire.requests) == 2
                assert wire.requests[0].content == wire.requests[1].content
            else:
                assert type(refusal(face, hub, mode)) is row.kind
                assert len(wire.requests) == 1


@each_mode
def test_without_retries_there_is_one_attempt(face: "Face", clock: "Clock", mode: str) -> None:
    once = (0, Retries(limit=0), Retries(limit=4, budget=0.0))
    for row, retries in itertools.product(TABLE, once):
        wire = face.wire(row.outcome)
        with case(row.name, retries):
            error = refusal(face, face.connect(wire, retries=retries), mode)

            assert (type(error), error.maybe_written) == (row.kind, row.maybe_written)
            assert (len(wire.requests), clock.sleeps) == (1, [])


@pytest.mark.usefixtures("clock")
def test_every_error_pickles_with_its_text(face: "Face") -> None:
    for row in TABLE:
        with case(row.name):
            error = refusal(face, face.connect(face.wire(row.outcome)), "create")

            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

            assert (type(again), str(again)) == (type(error), str(error))
            assert again.maybe_written is error.maybe_written
            assert vars(again) == vars(error)


def test_limit_and_budget_end_a_call(face: "Face", clock: "Clock") -> None:
    expected: dict[int | Retries, list[float]] = {
        1: [1.0],
        Retries(limit=2): [1.0, 2.0],
        Retries(limit=9): [1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 16.0, 16.0],
        Retries(limit=9, budget=15.0): [1.0, 2.0, 4.0, 8.0],
        Retries(limit=9, budget=14.5): [1.0, 2.0, 4.0],
        Retries(limit=9, budget=0.5): [],
    }
    for retries, waits in expected.items():
        clock.sleeps.clear()
        wire = face.wire(httpx.Response(500))
        with case(retries):
            refusal(face, face.connect(wire, retries=retries), "update")

            assert clock.sleeps == waits
            assert len(wire.requests) == 1 + len(waits)


def test_the_wait_is_spread_by_chance(face: "Face", clock: "Clock", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspot_batch.transport._attempts.random.random", lambda: 0.0)

    refusal(face, face.connect(face.wire(httpx.Response(500))), "update")

    assert clock.sleeps == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("between", [1, 3])
def test_a_429_counts_against_the_budget_and_not_against_the_limit(
    face: "Face", clock: "Clock", between: int
) -> None:
    failures: list[Answer] = [httpx.Response(500), httpx.Response(500)]
    limits: list[Answer] = [limited("SECONDLY")] * between
    wire = face.wire(*limits, failures[0], *limits, failures[1], *limits, None)

    result = send(face, face.connect(wire, retries=2), "update")

    assert result.ok
    assert result.response.attempts == 3 * between + 3
    # The back-off grows with the attempts.
    backoff = {1: [2.0, 8.0], 3: [8.0, 16.0]}[between]
    assert clock.sleeps == [
        *([1.0] * between),
        backoff[0],
        *([1.0] * between),
        backoff[1],
        *([1.0] * between),
    ]


def test_429s_and_other_waits_share_the_budget(face: "Face", clock: "Clock") -> None:
    wire = face.wire(httpx.Response(423), limited("TEN_SECONDLY_ROLLING"), httpx.Response(423), None)

    error = refusal(face, face.connect(wire, retries=Retries(budget=15.0)), "create")

    assert clock.sleeps == [2.0, 10.0]
    assert isinstance(error, ApiError)
    assert (error.status, error.response.attempts) == (423, 3)


def test_a_429_that_fits_the_budget_only_by_itself_ends_the_call(face: "Face", clock: "Clock") -> None:
    wire = face.wire(limited(Retry_After="10"))

    error = refusal(face, face.connect(wire, retries=Retries(budget=19.0)), "create")

    assert clock.sleeps == [10.0]
    assert isinstance(error, RateLimitError)
    assert error.response.attempts == 2


def test_with_a_budget_without_end_a_429_is_waited_for(face: "Face", clock: "Clock") -> None:
    wire = face.wire(*[limited(Retry_After="100")] * 20, None)

    assert send(face, face.connect(wire, retries=Retries(limit=1, budget=float("inf"))), "create").ok

    assert clock.sleeps == [100.0] * 20


def test_a_429_pauses_all_that_share_the_quota(face: "Face", clock: "Clock") -> None:
    quota = Quota()
    refused, other = face.wire(limited(Retry_After="7")), face.wire()

    refusal(face, face.connect(refused, quota=quota, retries=0), "create")
    send(face, face.connect(other, quota=quota), "create")

    assert clock.sleeps == [7.0]
    assert len(other.requests) == 1


def test_a_429_that_lasts_too_long_does_not_stall_the_next_call(face: "Face", clock: "Clock") -> None:
    hub = face.connect(face.wire(limited(Retry_After="86400"), None))

    refusal(face, hub, "create")
    assert send(face, hub, "create").ok

    assert clock.sleeps == []


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "5"}])
def test_a_daily_429_does_not_stall_the_next_call(
    face: "Face", clock: "Clock", headers: dict[str, str]
) -> None:
    hub = face.connect(face.wire(limited("DAILY", **headers), None))

    error = refusal(face, hub, "create")
    assert send(face, hub, "create").ok

    assert isinstance(error, RateLimitError)
    assert error.daily
    assert clock.sleeps == []


def test_a_pause_that_begins_during_a_wait_is_kept_too(face: "Face", clock: "Clock") -> None:
    quota = Quota(limit=1, window=10.0)
    wire = face.wire(None)
    hub = face.connect(wire, quota=quota)
    send(face, hub, "create")

    def another_client_is_refused() -> None:
        clock.on_sleep = lambda: None
        quota.refused(1050.0, clock.now)

    clock.on_sleep = another_client_is_refused
    send(face, hub, "create")

    assert clock.sleeps[0] == pytest.approx(10.05)
    assert clock.now >= 1050.0
    assert len(wire.requests) == 2


def test_a_pause_that_begins_during_a_slow_watcher_is_kept(face: "Face", clock: "Clock") -> None:
    quota, wire = Quota(), face.wire()

    class Slow:
        async def before_send(self) -> None:
            quota.refused(clock.now + 7.0, clock.now)

        def after_reply(self, error: HubSpotBatchError | None) -> None:
            assert error is None

        def not_sent(self) -> None:
            raise AssertionError

    async def main() -> None:
        async with AsyncHubSpot("token-1", transport=wire, quota=quota) as hub:
            call = build_call("create_orders", CREATES, api_version="v3")
            await AsyncDriver(AsyncPool(hub._pool), hub._settings).send(call, Slow())

    anyio.run(main)

    assert (clock.sleeps, len(wire.requests)) == ([7.0], 1)


def test_requests_keep_to_the_quota(face: "Face", clock: "Clock") -> None:
    times: list[float] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        times.append(clock.now)
        return httpx.Response(400)

    hub = face.connect(face.wire(answer), quota=Quota(limit=3, window=10.0))

    for _ in range(7):
        refusal(face, hub, "create")

    assert times == pytest.approx([1000.0] * 3 + [1010.05] * 3 + [1020.1])


def test_the_quota_is_learned_from_replies_of_any_status(face: "Face") -> None:
    quota = Quota()
    headers = {"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Interval-Milliseconds": "5000"}

    refusal(face, face.connect(face.wire(httpx.Response(400, headers=headers)), quota=quota), "create")

    assert (quota.limit, quota.window) == (190, 5.0)


def test_a_resent_request_takes_a_place_in_the_quota(face: "Face", clock: "Clock") -> None:
    wire = face.wire(httpx.Response(500), None)

    send(face, face.connect(wire, quota=Quota(limit=1, window=10.0)), "update")

    assert clock.sleeps == [1.0, pytest.approx(9.05)]


def test_calls_that_run_together_share_the_pause(face: "Face", clock: "Clock") -> None:
    wire = face.wire(limited(Retry_After="7"), None)

    async def main() -> None:
        async with AsyncHubSpot("token-1", transport=wire) as hub, anyio.create_task_group() as group:
            group.start_soon(hub.orders.batch_create, CREATES)
            group.start_soon(hub.orders.batch_create, CREATES)

    anyio.run(main)

    assert len(wire.requests) == 3
    assert clock.sleeps == [7.0]


class SlowToken:
    """A token that comes when something else has happened."""

    def __init__(self) -> None:
        self.happened = Event()

    def __call__(self) -> str:
        assert self.happened.wait(10), "it blocks the other work"
        return "token-1"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_slow_token_function_holds_up_nothing_else(face: "Face", backend: str) -> None:
    token, wire = SlowToken(), face.wire()

    async def main() -> None:
        async with AsyncHubSpot(token, transport=wire) as hub, anyio.create_task_group() as group:
            group.start_soon(hub.orders.batch_create, CREATES)
            await anyio.sleep(0.01)
            token.happened.set()

    anyio.run(main, backend=backend)

    assert [request.headers["Authorization"] for request in wire.requests] == ["Bearer token-1"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_function_for_tokens_runs_in_no_event_loop_and_once_at_a_time(face: "Face", backend: str) -> None:
    wire, lock, threads = face.wire(), Lock(), list[int]()

    def token() -> str:
        assert lock.acquire(blocking=False), "two calls at a time"
        threads.append(get_ident())
        time.sleep(0.02)
        lock.release()
        return "token-1"

    async def main() -> None:
        async with AsyncHubSpot(token, transport=wire) as hub, anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(hub.orders.batch_create, CREATES)

    anyio.run(main, backend=backend)

    assert len(wire.requests) == 20
    assert len(threads) < 20, "attempts that leave together share a call"
    assert get_ident() not in threads


def test_a_function_for_tokens_that_fails_fails_all_that_wait_for_it(face: "Face") -> None:
    calls: list[str] = []

    def token() -> str:
        calls.append("call")
        time.sleep(0.02)
        raise LookupError("vault")

    async def create(hub: AsyncHubSpot) -> None:
        with pytest.raises(LookupError, match="vault"):
            await hub.orders.batch_create(CREATES)

    async def main() -> None:
        async with AsyncHubSpot(token, transport=face.wire()) as hub, anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(create, hub)

    anyio.run(main)

    assert len(calls) < 5


def test_a_call_for_a_token_that_is_cancelled_is_made_again(face: "Face") -> None:
    began, ended, calls = Event(), Event(), list[int]()

    def token() -> str:
        calls.append(len(calls))
        if len(calls) == 1:
            began.set()
            assert ended.wait(10)
        return "token-1"

    async def main() -> None:
        async with AsyncHubSpot(token, transport=face.wire()) as hub, anyio.create_task_group() as group:
            scope = anyio.CancelScope()

            async def first() -> None:
                with scope:
                    await hub.orders.batch_create(CREATES)

            group.start_soon(first)
            await anyio.to_thread.run_sync(began.wait)
            group.start_soon(hub.orders.batch_create, CREATES)
            await anyio.sleep(0.02)
            scope.cancel()
            await anyio.sleep(0.02)
            ended.set()

    anyio.run(main)

    assert calls == [0, 1]


def test_a_run_hardly_waits_for_a_slow_function_for_tokens(face: "Face") -> None:
    wire = face.wire()

    def token() -> str:
        time.sleep(0.05)
        return "token-1"

    with HubSpot(token, transport=wire, quota=Quota(1000, 1.0)) as hub:
        began = time.monotonic()
        hub.orders.create_all([{"properties": {}}] * 8000)

    assert len(wire.requests) == 80
    assert time.monotonic() - began < 80 * 0.05


class Expiring:
    """HubSpot, which takes one token only."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.sent: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.sent[-1] == self.good:
            return written(request)
        return httpx.Response(401, json={"category": "EXPIRED_AUTHENTICATION"})


@pytest.mark.parametrize("mode", MODES)
def test_a_token_that_has_expired_is_asked_for_once_more(face: "Face", clock: "Clock", mode: str) -> None:
    service, tokens = Expiring("new"), iter(["old", "new"])

    assert send(face, face.connect(face.wire(service), access_token=lambda: next(tokens)), mode).ok

    assert (service.sent, clock.sleeps) == (["old", "new"], [])


@pytest.mark.parametrize(("retries", "attempts"), [(4, 2), (0, 1)])
def test_a_function_that_has_no_better_token_is_blamed(face: "Face", retries: int, attempts: int) -> None:
    service = Expiring("new")
    hub = face.connect(face.wire(service), access_token=lambda: "old", retries=retries)

    error = refusal(face, hub, "create")

    assert service.sent == ["old"] * attempts
    assert str(error) == (
        "create_orders: HTTP 401 EXPIRED_AUTHENTICATION: the token is invalid or expired; "
        "check where the function given as access_token gets its tokens"
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert str(again) == str(error)


def test_another_401_is_not_about_the_age_of_the_token(face: "Face") -> None:
    wire = face.wire(httpx.Response(401, json={"category": "INVALID_AUTHENTICATION"}))

    error = refusal(face, face.connect(wire, access_token=lambda: "old"), "create")

    assert len(wire.requests) == 1
    assert str(error).endswith(
        "the token was not accepted; check where the function given as access_token gets its tokens"
    )


def test_an_app_gets_another_token_where_its_own_has_expired_early(
    face: "Face", monkeypatch: pytest.MonkeyPatch
) -> None:
    grants = iter(["old", "new"])

    def grant(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": next(grants), "expires_in": 1800})

    transport = httpx.MockTransport(grant)
    monkeypatch.setattr(_driver, "sync_client", lambda _url: httpx.Client(transport=transport))
    service, source = Expiring("new"), RefreshToken(client_id="a", client_secret="b", refresh_token="c")
    hub = face.connect(face.wire(service), access_token=source)

    assert send(face, hub, "create").ok
    assert send(face, hub, "create").ok

    assert service.sent == ["old", "new", "new"]


def test_variants_of_a_client_serve_many_accounts_over_its_connections(face: "Face") -> None:
    service = Expiring("account-2")
    hub = face.connect(face.wire(service), access_token="account-1")

    other = hub.with_options(access_token="account-2")
    third = hub.with_options(access_token=lambda: "account-2")

    assert send(face, other, "create").ok
    assert send(face, third, "create").ok
    assert isinstance(refusal(face, hub, "create"), AuthenticationError)
    assert len({id(client._settings.quota) for client in (hub, other, third)}) == 3
    assert other._settings.quota is hub.with_options(access_token="account-2")._settings.quota
    assert other._pool is hub._pool
    with pytest.raises(ConfigurationError, match="access_token is of type int"):
        hub.with_options(access_token=5)  # type: ignore[arg-type]


def test_requests_of_all_accounts_wait_for_a_connection_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspot_batch.transport._async.MAX_CONNECTIONS", 3)
    busy, most, order = 0, 0, []

    class Service(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            order.append(request.headers["authorization"])
            await anyio.sleep(0.001)
            busy -= 1
            return httpx.Response(400)

    async def main() -> None:
        async with AsyncHubSpot("token-0", transport=Service()) as hub, anyio.create_task_group() as tasks:
            for account in range(10):
                tasks.start_soon(one, hub.with_options(access_token=f"token-{account}"))

    async def one(hub: AsyncHubSpot) -> None:
        for _ in range(2):
            with pytest.raises(HubSpotBatchError):
                await hub.orders.batch_create(CREATES)

    anyio.run(main)

    assert most == 3
    assert len(set(order[:10])) == len(set(order[10:])) == 10


def test_a_call_that_is_cancelled_is_not_sent_again(clock: "Clock") -> None:
    sent: list[httpx.Request] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:

            async def answer(request: httpx.Request) -> httpx.Response:
                sent.append(request)
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                return httpx.Response(500)

            async with AsyncHubSpot("token-1", transport=httpx.MockTransport(answer)) as hub:
                await hub.orders.batch_update(UPDATES)

        assert scope.cancelled_caught

    anyio.run(main)

    assert (len(sent), clock.sleeps) == (1, [])


@pytest.mark.parametrize("mode", MODES[1:])
def test_doubt_about_one_attempt_outlasts_the_next(face: "Face", clock: "Clock", mode: str) -> None:
    timeout, reset = httpx.ReadTimeout("late"), httpx.ReadError("reset")
    doubts: list[Answer] = [timeout, reset, httpx.Response(504), httpx.Response(200)]
    ends: dict[Answer, type[HubSpotBatchError]] = {
        httpx.Response(400): BadRequestError,
        httpx.Response(409): ConflictError,
        httpx.Response(429, headers={"Retry-After": "999"}): RateLimitError,
        httpx.ConnectError("refused"): ConnectionFailedError,
    }
    for first, (last, kind) in itertools.product(doubts, ends.items()):
        clock.sleeps.clear()
        with case(repr(first), repr(last)):
            error = refusal(face, face.connect(face.wire(first, last)), mode)

            assert type(error) is kind
            assert error.maybe_written
            assert str(error).endswith("; the batch may have been written")
            assert clock.sleeps[0] == 1.0


def test_there_is_no_doubt_where_nothing_was_sent_or_processed(face: "Face", clock: "Clock") -> None:
    answers = (httpx.ConnectError("refused"), limited("SECONDLY"), httpx.Response(423), httpx.Response(400))

    error = refusal(face, face.connect(face.wire(*answers)), "update")

    assert isinstance(error, BadRequestError)
    assert error.response.attempts == 4
    assert not error.maybe_written
    assert clock.sleeps == [1.0, 1.0, 4.0]


def test_doubt_does_not_reach_the_next_call(face: "Face", clock: "Clock") -> None:
    hub = face.connect(face.wire(httpx.ReadTimeout("late"), httpx.Response(400)))

    assert refusal(face, hub, "create").maybe_written
    assert not refusal(face, hub, "create").maybe_written
    assert clock.sleeps == []


def test_a_create_that_was_in_doubt_once_is_not_sent_a_third_time(face: "Face", clock: "Clock") -> None:
    wire = face.wire(httpx.ConnectError("refused"), httpx.ReadTimeout("late"), None)

    error = refusal(face, face.connect(wire), "create")

    assert isinstance(error, RequestTimeoutError)
    assert error.attempts == len(wire.requests) == 2
    assert clock.sleeps == [1.0]


@pytest.mark.usefixtures("clock")
def test_an_error_says_what_failed_and_what_to_do(face: "Face") -> None:
    expected: dict[httpx.Response | Exception, str] = {
        httpx.ReadTimeout("boom"): (
            "create_orders: no reply came in time; timeout sets how long to wait (ReadTimeout); "
            "the batch may have been written"
        ),
        httpx.ReadError("boom"): (
            "create_orders: the connection broke before the reply was complete (ReadError); "
            "the batch may have been written"
        ),
        httpx.ConnectError("boom"): (
            "create_orders: no connection to http://127.0.0.1:1; check base_url, network and proxy "
            "(ConnectError)"
        ),
        httpx.ConnectTimeout("boom"): (
            "create_orders: no connection to http://127.0.0.1:1; check base_url, network and proxy "
            "(ConnectTimeout)"
        ),
        httpx.PoolTimeout("boom"): (
            "create_orders: no connection became free in time; let the HTTP client have more, "
            "or send less at a time (PoolTimeout)"
        ),
        httpx.Response(502, text="<html>secret</html>"): (
            "create_orders: HTTP 502: a gateway before HubSpot got no valid answer from it "
            "(the body is a web page, see .response.content); "
            "the batch may have been written"
        ),
        httpx.Response(200, text="<html>secret</html>"): (
            "create_orders: HTTP 200, but the body is a web page, of a proxy or a login perhaps; "
            "check base_url and the proxy; "
            "the bytes are in .response.content; the batch may have been written"
        ),
        httpx.Response(
            400, json={"category": "VALIDATION_ERROR", "message": "secret", "correlationId": "c-1"}
        ): (
            "create_orders: HTTP 400 VALIDATION_ERROR: HubSpot's own words are in .message "
            "(correlation id c-1)"
        ),
        limited("TEN_SECONDLY_ROLLING"): (
            "create_orders: HTTP 429: the quota TEN_SECONDLY_ROLLING is used up; "
            "raise Retries.budget to wait longer"
        ),
        limited("DAILY"): (
            "create_orders: HTTP 429: the account's requests of the day are used up; "
            "they are reset at midnight in the account's time zone"
        ),
    }
    for answer, text in expected.items():
        hub = face.connect(face.wire(answer), base_url="http://127.0.0.1:1", retries=0)
        with case(repr(answer)):
            assert str(refusal(face, hub, "create")) == text


def test_an_error_without_reply_counts_the_attempts_and_keeps_the_cause(face: "Face", clock: "Clock") -> None:
    cause = httpx.ReadTimeout("late")

    error = refusal(face, face.connect(face.wire(cause)), "update")

    assert isinstance(error, RequestTimeoutError)
    assert error.attempts == 5
    assert error.__cause__ is cause
    assert sum(clock.sleeps) == 15.0


def test_the_reply_says_how_long_the_attempt_took_that_brought_it(face: "Face", clock: "Clock") -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += 0.25
        return face.wire().handle_request(request)

    wire = face.wire(limited("TEN_SECONDLY_ROLLING"), slow)

    response = send(face, face.connect(wire), "create").response

    assert (response.seconds, response.attempts) == (0.25, 2)


SECRET = "pat-na1-5ec2e7"
VALUE = "va1ue-0f-a-pr0perty"


def log_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    own = [record for record in caplog.records if record.name.startswith("hubspot_batch")]
    assert {record.levelno for record in own} <= {logging.DEBUG}
    return [record.getMessage() for record in own]


def test_each_attempt_is_one_line_of_the_log(
    face: "Face", clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hubspot_batch")

    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += 0.0625
        reply = face.wire().handle_request(request)
        reply.headers["X-HubSpot-Correlation-Id"] = "c-3"
        return reply

    busy = httpx.Response(503, json={"correlationId": "c-1"})
    wire = face.wire(busy, httpx.ReadTimeout("late"), httpx.Response(502), httpx.Response(200), slow)

    send(face, face.connect(wire), "update")

    assert log_of(caplog) == [
        "update_orders: attempt 1: HTTP 503 after 0.000 s, correlation id 'c-1'",
        "update_orders: attempt 2: no reply (ReadTimeout) after 0.000 s, correlation id None",
        "update_orders: attempt 3: HTTP 502 after 0.000 s, correlation id None",
        "update_orders: attempt 4: HTTP 200 after 0.000 s, correlation id None",
        "update_orders: attempt 5: HTTP 200 after 0.062 s, correlation id 'c-3'",
    ]


@pytest.mark.parametrize("status", [200, 400, 502])
def test_the_log_takes_a_correlation_id_from_the_headers_where_the_body_has_none(
    face: "Face", caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG, "hubspot_batch")
    page = httpx.Response(status, headers={"X-HubSpot-Correlation-Id": "c-4"}, text="<html>")

    refusal(face, face.connect(face.wire(page), retries=0), "create")

    (line,) = log_of(caplog)
    assert line.endswith(", correlation id 'c-4'")


def test_a_correlation_id_cannot_forge_a_line_of_the_log(
    face: "Face", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hubspot_batch")

    refusal(face, face.connect(face.wire(httpx.Response(400, json={"correlationId": "c\nforged"}))), "create")

    (line,) = log_of(caplog)
    assert "\n" not in line


def test_neither_token_nor_value_is_logged(
    face: "Face", clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for row in TABLE:
        caplog.clear()
        clock.sleeps.clear()
        wire = face.wire(row.outcome)
        hub = face.connect(wire, access_token=SECRET)
        with case(row.name):
            with pytest.raises(HubSpotBatchError) as caught:
                face.update(hub, [{"id": "44001", "properties": {"a": VALUE}}])

            assert len(log_of(caplog)) == len(wire.requests) == 1 + len(clock.sleeps)
            assert SECRET not in caplog.text + str(caught.value) + repr(caught.value)
            assert VALUE not in caplog.text + str(caught.value) + repr(caught.value)


def test_nothing_is_logged_where_nothing_is_sent(face: "Face", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "hubspot_batch")
    empty: list[Any] = []

    with pytest.raises(HubSpotBatchError):
        face.create(face.connect(face.wire()), empty)

    assert log_of(caplog) == []


def test_a_hook_hears_of_a_quota_that_fails_after_it(face: "Face", monkeypatch: pytest.MonkeyPatch) -> None:
    wire, told, quota = face.wire(), list[str](), Quota()

    class Hooks:
        async def before_send(self) -> None:
            monkeypatch.setattr(quota, "_lock", None)

        def after_reply(self, error: HubSpotBatchError | None) -> None:
            raise AssertionError(error)

        def not_sent(self) -> None:
            told.append("not sent")

    async def main() -> None:
        async with AsyncHubSpot("token-1", transport=wire, quota=quota) as hub:
            call = build_call("create_orders", CREATES, api_version="v3")
            with pytest.raises(TypeError):
                await AsyncDriver(AsyncPool(hub._pool), hub._settings).send(call, Hooks())

    anyio.run(main)

    assert (told, wire.requests) == (["not sent"], [])
