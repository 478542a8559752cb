"""Quotas and faults over a real socket."""

from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot, CreateInput, HubSpot, ServerError
from hubspot_batch.errors import ApiError, ConfigurationError
from hubspot_batch.sandbox import FAULTS, Sandbox
from hubspot_batch.types import AttemptReport, FailedAttempt, Pacer, RetryPolicy

CREATE = "/crm/v3/objects/orders/batch/create"
ORDERS = "/crm/v3/objects/orders"
ORDER = {"inputs": [{"properties": {"hs_order_name": "A-1"}}]}
HEADERS = {"Authorization": "Bearer sandbox-token"}


def post(box: Sandbox, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{box.url}{CREATE}", json=ORDER, headers={**HEADERS, **named}, timeout=5)


def test_not_one_request_above_the_limit_passes() -> None:
    with Sandbox(quota="25/60") as box, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(box).status_code, range(40)))

        assert sorted(statuses) == [201] * 25 + [429] * 15
        assert len(box.records("orders")) == 25
        assert sorted(request.status for request in box.requests) == sorted(statuses)


def test_a_429_names_its_policy_and_has_no_category() -> None:
    with Sandbox(quota="1/60", retry_after=True) as box:
        first, second = post(box), httpx.get(f"{box.url}{ORDERS}", headers=HEADERS)

    assert (first.status_code, second.status_code) == (201, 429)
    body = second.json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert "category" not in body
    assert 55 <= int(second.headers["Retry-After"]) <= 60
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "60000"


def test_the_day_is_used_up_before_the_window() -> None:
    with Sandbox(quota="100/10,1") as box:
        assert post(box).status_code == 201
        refused = post(box)

    assert refused.json()["policyName"] == "DAILY"
    assert "Retry-After" not in refused.headers


def test_faults_by_header_script_and_rate() -> None:
    with Sandbox(faults={"503": 1.0}) as box:
        box.faults.next("504-before", None)
        statuses = [
            post(box, X_Sandbox_Fault="423").status_code,
            post(box).status_code,
            post(box).status_code,
            post(box).status_code,
        ]
        box.faults.clear()
        assert [*statuses, post(box).status_code] == [423, 504, 201, 503, 201]
        assert [request.fault for request in box.requests] == ["423", "504-before", None, "503", None]


@pytest.mark.parametrize(
    ("fault", "status", "written"),
    [("504-after", 504, 1), ("504-before", 504, 0), ("520", 520, 1), ("200", 200, 1)],
)
def test_a_fault_strikes_before_or_after_the_batch_is_written(fault: str, status: int, written: int) -> None:
    with Sandbox() as box:
        assert post(box, X_Sandbox_Fault=fault).status_code == status
        assert len(box.records("orders")) == written
        (request,) = box.requests
        assert (request.fault, request.status, request.inputs, request.written) == (fault, status, 1, written)


def test_a_connection_that_is_reset_is_remembered_without_a_status() -> None:
    with Sandbox() as box:
        with pytest.raises(httpx.ReadError):
            post(box, X_Sandbox_Fault="reset-after")
        assert [(request.status, request.written) for request in box.requests] == [(0, 1)]


def test_a_header_that_names_no_fault_is_refused_and_nothing_is_written() -> None:
    with Sandbox() as box:
        reply = post(box, X_Sandbox_Fault="504-aftr")

        assert reply.status_code == 400
        assert "did you mean 504-after" in reply.json()["message"]
        assert box.records("orders") == []


def test_every_fault_can_be_asked_for() -> None:
    quick = {"slow": "slow=0.01", "slow-tail": "slow-tail=0.001"}
    with Sandbox(quota="none") as box:
        for name in FAULTS:
            try:
                httpx.post(
                    f"{box.url}{CREATE}",
                    json=ORDER,
                    headers={**HEADERS, "X-Sandbox-Fault": quick.get(name, name)},
                    timeout=0.3,
                )
            except (httpx.ReadError, httpx.ReadTimeout):
                assert name.startswith(("reset", "never"))
        assert [(request.fault or "").split("=")[0] for request in box.requests] == list(FAULTS)


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("0.0.0.0", "others could reach the sandbox at 0.0.0.0"),  # noqa: S104 - it is to be refused
        ("::", "others could reach the sandbox at ::"),
        ("::ffff:10.0.0.1", "others could reach the sandbox"),
        ("example.com", "'example.com' is not an IP address; choose 127.0.0.1"),
        ("[::1]", "is not an IP address"),
    ],
)
def test_it_listens_on_loopback_unless_told_so_explicitly(host: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        Sandbox(host=host)


def test_it_listens_elsewhere_when_it_is_told_so() -> None:
    with Sandbox(host="0.0.0.0", expose=True) as box:  # noqa: S104 - what is tested
        assert httpx.get(f"{box.url}{ORDERS}", headers={**HEADERS, "Host": "elsewhere"}).status_code == 200


def test_a_page_of_another_site_that_calls_this_machine_by_a_name_of_its_own_learns_nothing() -> None:
    with Sandbox() as box:
        reply = httpx.get(f"{box.url}/_sandbox/state", headers={"Host": "evil.example"})

    assert reply.status_code == 400
    assert "sandbox-token" not in reply.text


class Spaced:
    """A pacer of the caller's own: one request every 50 ms."""

    limit, window, limit_known, daily_remaining = 20, 1.0, True, None

    def __init__(self) -> None:
        self.reports: list[AttemptReport] = []
        self.slots = [0.0]

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:  # noqa: ARG002
        if held is None:
            held = max(now, self.slots[-1] + 0.05)
            self.slots.append(held)
        return max(now, held)

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        return self.reserve(now, held=held, on_guess=on_guess)

    def ended(self, attempt: AttemptReport) -> None:
        self.reports.append(attempt)

    async def ended_async(self, attempt: AttemptReport) -> None:
        self.ended(attempt)


class Twice:
    """A retry policy of the caller's own: one retry after each kind of failure, at once."""

    def __init__(self) -> None:
        self.asked: list[FailedAttempt] = []

    def wait_after(self, attempt: FailedAttempt) -> float | None:
        self.asked.append(attempt)
        return 0.0 if attempt.attempts < 2 else None


def test_a_pacer_of_the_callers_own_paces_calls_and_runs_and_learns_from_replies() -> None:
    pacer: Pacer = (spaced := Spaced())
    rows: list[CreateInput] = [{"properties": {"hs_order_name": f"A-{row}"}} for row in range(500)]

    async def push(box: Sandbox) -> None:
        async with AsyncHubSpot(box.access_token, base_url=box.url, quota=pacer) as hub:
            assert (await hub.orders.create_all(rows)).ok

    with Sandbox(quota="100/10") as box:
        with HubSpot(box.access_token, base_url=box.url, quota=pacer) as hub:
            assert hub.orders.create_all(rows).ok
            hub.orders.batch_create(rows[:1])
        anyio.run(push, box)

    departures = sorted(report.send_time for report in spaced.reports)
    assert len(departures) == 11
    assert all(send_time >= slot for send_time, slot in zip(departures, spaced.slots[1:], strict=True))
    assert all((report.headers or {})["x-hubspot-ratelimit-max"] == "100" for report in spaced.reports)


ONE: list[CreateInput] = [{"properties": {"hs_order_name": "A-1"}}]


def test_a_retry_policy_of_the_callers_own_decides_where_no_double_can_come_of_it() -> None:
    policy: RetryPolicy = (twice := Twice())

    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url, retries=policy) as hub:
        box.faults.next("423", None, "429-secondly", "429-secondly", "504-after")
        assert hub.orders.batch_create(ONE).ok
        with pytest.raises(ApiError):
            hub.orders.batch_create(ONE)
        with pytest.raises(ServerError) as caught:
            hub.orders.batch_create(ONE)

    assert caught.value.maybe_written
    asked = [(type(attempt.error).__name__, attempt.attempts, attempt.resent) for attempt in twice.asked]
    assert asked == [("ApiError", 1, 0), ("RateLimitError", 1, 0), ("RateLimitError", 2, 0)]
    assert all(attempt.wait is not None and attempt.wait >= 1 for attempt in twice.asked)
