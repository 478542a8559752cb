"""Tokens of an OAuth app: got when they are needed, kept as long as they live, shown nowhere."""

import json
import pickle
import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from hubspot_batch import oauth
from hubspot_batch.errors import (
    ApiError,
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.oauth import RefreshToken
from hubspot_batch.transport import _sync as _driver
from hubspot_batch.transport._tokens import Bearer

APP: dict[str, Any] = {
    "client_id": "app-4711",
    "client_secret": "secret-58e2",
    "refresh_token": "refresh-93aa",
}
TOKEN = "token-77aa"


class HubSpot:
    """What answers for `/oauth/v3/token`, and the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lifetime: float = 1800
        self.answer: httpx.Response | Exception | None = None
        self.answers: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []
        self.sleeps: list[float] = []

    def sleep(self, delay: float) -> None:
        self.sleeps.append(delay)
        self.now += delay

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.extensions["timeout"]["connect"] == 5.0
        answer = self.answers.pop(0) if self.answers else self.answer
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        body = {
            "token_type": "bearer",
            "access_token": f"{TOKEN}-{len(self.requests)}",
            "expires_in": self.lifetime,
        }
        return httpx.Response(200, json=body)


@pytest.fixture
def hubspot(monkeypatch: pytest.MonkeyPatch) -> HubSpot:
    service = HubSpot()
    monkeypatch.setattr(
        _driver, "sync_client", lambda _url: httpx.Client(transport=httpx.MockTransport(service.serve))
    )
    clock = SimpleNamespace(monotonic=lambda: service.now, sleep=service.sleep)
    monkeypatch.setattr(oauth, "time", clock)
    monkeypatch.setattr(_driver, "time", clock)
    monkeypatch.setattr(_driver, "random", SimpleNamespace(random=lambda: 1.0))
    return service


def error_of(call: Callable[[], object]) -> HubSpotBatchError:
    with pytest.raises(HubSpotBatchError) as caught:
        call()
    return caught.value


class TestToken:
    def test_it_is_asked_for_with_a_form(self, hubspot: HubSpot) -> None:
        assert RefreshToken(**APP, base_url="https://api.hubapi.com/")() == f"{TOKEN}-1"

        (request,) = hubspot.requests
        assert str(request.url) == "https://api.hubapi.com/oauth/v3/token"
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        assert form == {"grant_type": "refresh_token", **APP}

    def test_it_is_kept_until_a_minute_before_its_end(self, hubspot: HubSpot) -> None:
        token = RefreshToken(**APP)

        assert token() == f"{TOKEN}-1"
        hubspot.now += 1739
        assert token() == f"{TOKEN}-1"
        hubspot.now += 1
        assert token() == f"{TOKEN}-2"
        assert len(hubspot.requests) == 2

    def test_one_that_lives_for_a_minute_is_good_for_one_call(self, hubspot: HubSpot) -> None:
        hubspot.lifetime = 60
        token = RefreshToken(**APP)

        assert [token(), token()] == [f"{TOKEN}-1", f"{TOKEN}-2"]

    def test_after_a_failure_it_is_asked_for_again(self, hubspot: HubSpot) -> None:
        token = RefreshToken(**APP)
        hubspot.answer = httpx.Response(503)
        error_of(token)
        asked = len(hubspot.requests)
        hubspot.answer = None

        assert token() == f"{TOKEN}-{asked + 1}"

    def test_threads_that_need_it_at_once_ask_once(self, hubspot: HubSpot) -> None:
        token, found = RefreshToken(**APP), list[str]()
        threads = [threading.Thread(target=lambda: found.append(token())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert found == [f"{TOKEN}-1"] * 8
        assert len(hubspot.requests) == 1

    def test_it_tells_whether_it_has_to_be_asked_for(self, hubspot: HubSpot) -> None:
        token = RefreshToken(**APP)

        assert token.cached is None
        assert token() == token.cached
        hubspot.now += 1740
        assert token.cached is None

    def test_one_that_was_refused_is_got_anew_unless_it_has_been(self, hubspot: HubSpot) -> None:
        token = RefreshToken(**APP)
        first = Bearer(token())

        token.discard(first)
        assert token.cached is None
        assert token() == f"{TOKEN}-2"
        token.discard(first)
        assert token.cached == f"{TOKEN}-2"
        assert len(hubspot.requests) == 2


class TestRetries:
    @pytest.mark.parametrize(
        ("answer", "wait"),
        [
            (httpx.Response(503), 1.0),
            (httpx.Response(429, headers={"Retry-After": "7"}), 7.0),
            (httpx.ConnectError("refused"), 1.0),
            (httpx.ReadTimeout("late"), 1.0),
            (httpx.Response(200, content=b"<html>"), 1.0),
        ],
    )
    def test_it_is_asked_for_again(
        self, answer: httpx.Response | Exception, wait: float, hubspot: HubSpot
    ) -> None:
        hubspot.answers = [answer]

        assert RefreshToken(**APP)() == f"{TOKEN}-2"
        assert hubspot.sleeps == [wait]

    def test_it_lives_from_when_it_was_asked_for_last(self, hubspot: HubSpot) -> None:
        hubspot.answers = [httpx.Response(503)]
        token = RefreshToken(**APP)
        token()

        hubspot.now += 1739
        assert token.cached is not None
        hubspot.now += 1
        assert token.cached is None

    def test_not_more_than_four_times(self, hubspot: HubSpot) -> None:
        hubspot.answer = httpx.Response(503)

        error_of(RefreshToken(**APP))

        assert hubspot.sleeps == [1.0, 2.0, 4.0, 8.0]
        assert len(hubspot.requests) == 5

    def test_not_for_longer_than_thirty_seconds(self, hubspot: HubSpot) -> None:
        hubspot.answer = httpx.Response(429, headers={"Retry-After": "16"})

        error_of(RefreshToken(**APP))

        assert hubspot.sleeps == [16.0]

    def test_not_where_the_app_gets_none(self, hubspot: HubSpot) -> None:
        hubspot.answer = httpx.Response(400)

        error_of(RefreshToken(**APP))

        assert hubspot.sleeps == []

    def test_threads_that_wait_for_it_share_its_failure(
        self, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hubspot.answer = httpx.Response(503)
        token, errors = RefreshToken(**APP), list[HubSpotBatchError]()
        called = threading.Semaphore(0)

        def now() -> float:
            called.release()
            return hubspot.now

        monkeypatch.setattr(oauth, "time", SimpleNamespace(monotonic=now))
        with token._lock:
            threads = [threading.Thread(target=lambda: errors.append(error_of(token))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for _ in threads:
                assert called.acquire(timeout=10)
        for thread in threads:
            thread.join()

        assert len(hubspot.requests) == 5
        assert len({str(error) for error in errors}) == 1
        assert len(set(map(id, errors))) == 8


class TestFailure:
    @pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 422])
    def test_a_refusal_is_none_of_a_batch(self, status: int, hubspot: HubSpot) -> None:
        body = {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}
        hubspot.answer = httpx.Response(status, json=body)

        error = error_of(RefreshToken(**APP))

        assert isinstance(error, ConfigurationError)
        assert not isinstance(error, ApiError)
        assert str(error) == (
            f"refresh_token: HTTP {status}: HubSpot gives this app no token; "
            "check its client id, client secret and refresh token"
        )
        assert isinstance(error.__cause__, ApiError)
        assert error.__cause__.message == "missing or invalid refresh token"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (302, ApiError),
            (404, NotFoundError),
            (429, RateLimitError),
            (477, ApiError),
            (500, ServerError),
            (504, ServerError),
        ],
    )
    def test_any_other_refusal_is_reported_as_what_it_is(
        self, status: int, kind: type[ApiError], hubspot: HubSpot
    ) -> None:
        hubspot.answer = httpx.Response(status, text="<html>")

        error = error_of(RefreshToken(**APP))

        assert isinstance(error, kind)
        assert str(error).startswith(f"refresh_token: HTTP {status}: ")
        assert not error.maybe_written

    @pytest.mark.parametrize("cause", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.ReadError("x")])
    def test_no_reply(self, cause: Exception, hubspot: HubSpot) -> None:
        hubspot.answer = cause

        error = error_of(RefreshToken(**APP))

        assert isinstance(error, ConnectionFailedError)
        assert str(error) == f"refresh_token: no reply ({type(cause).__name__}); check network and proxy"
        assert error.__cause__ is cause
        assert not error.maybe_written

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            b"\xff",
            json.dumps({"access_token": TOKEN}).encode(),
            json.dumps({"access_token": TOKEN, "expires_in": "soon"}).encode(),
            json.dumps([TOKEN]).encode(),
        ],
    )
    def test_a_success_without_a_token(self, content: bytes, hubspot: HubSpot) -> None:
        hubspot.answer = httpx.Response(200, content=content)

        error = error_of(RefreshToken(**APP))

        assert isinstance(error, UnexpectedReplyError)
        assert str(error).startswith("refresh_token: HTTP 200, but there is no token in it")
        assert not error.maybe_written
        assert TOKEN.encode() not in pickle.dumps(error)


class TestSecrets:
    @pytest.mark.parametrize(
        "answer",
        [
            None,
            httpx.Response(400, json={"message": "no"}),
            httpx.Response(200, json={}),
            httpx.ReadError("x"),
        ],
    )
    def test_they_stand_in_no_text(self, answer: httpx.Response | Exception | None, hubspot: HubSpot) -> None:
        hubspot.answer = answer
        token = RefreshToken(**APP)
        texts = [repr(token), str(token)]
        try:
            token()
        except HubSpotBatchError as error:
            texts += [repr(error), str(error), str(pickle.dumps(error))]

        assert repr(token) == "RefreshToken(...)"
        for secret in (APP["client_secret"], APP["refresh_token"], TOKEN):
            assert not [text for text in texts if secret in text]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"client_secret": ""}, "client_secret is empty; a token needs all three"),
        (
            {"client_id": "", "refresh_token": ""},
            "client_id, refresh_token is empty; a token needs all three",
        ),
        ({"base_url": "hubapi"}, "base_url must be the URL of a service"),
    ],
)
def test_invalid_arguments_are_refused_at_once(given: Mapping[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RefreshToken(**{**APP, **given})
