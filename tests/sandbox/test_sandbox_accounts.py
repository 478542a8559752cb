"""Accounts, tokens, scopes and the token endpoint."""

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import OAuthApp, Property, QuotaLimit, Sandbox, SandboxAccount

CREATE = "/crm/v3/objects/orders/batch/create"
ORDER = {"inputs": [{"properties": {"hs_order_name": "A-1"}}]}
GRANT = {
    "grant_type": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh",
}

Post = Callable[..., httpx.Response]


def post(box: Sandbox, token: str, path: str = CREATE) -> httpx.Response:
    return httpx.post(f"{box.url}{path}", json=ORDER, headers={"Authorization": f"Bearer {token}"})


def granted(box: Sandbox, path: str = "/oauth/v3/token", **changes: str) -> httpx.Response:
    return httpx.post(f"{box.url}{path}", data={**GRANT, **changes})


class TestAccounts:
    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        other = SandboxAccount(
            access_token="other",
            number=7,
            quota=QuotaLimit(1, 60.0),
            properties={"orders": {"shop_number": Property("text", unique=True)}},
        )
        with Sandbox(accounts=[other]) as box:
            yield box

    def test_each_has_its_records(self, box: Sandbox) -> None:
        assert post(box, "other").status_code == 201

        assert box.records("orders") == []
        (record,) = box.records("orders", access_token="other")
        assert record.properties["hs_order_name"] == "A-1"

    def test_each_has_its_quota(self, box: Sandbox) -> None:
        assert [post(box, "other").status_code for _ in range(2)] == [201, 429]
        assert post(box, "sandbox-token").status_code == 201

    def test_each_has_its_properties(self, box: Sandbox) -> None:
        body = {"inputs": [{"properties": {"hs_order_name": "A", "shop_number": "1"}}]}
        statuses = [
            httpx.post(
                f"{box.url}{CREATE}", json=body, headers={"Authorization": f"Bearer {token}"}
            ).status_code
            for token in ("sandbox-token", "other")
        ]
        assert statuses == [400, 201]

    def test_each_has_its_number(self, box: Sandbox) -> None:
        post(box, "other")
        limited = post(box, "other").json()
        assert limited["groupName"].endswith(":7")

    def test_records_to_link_with_are_added_to_one(self, box: Sandbox) -> None:
        box.add("contacts", 301, access_token="other")
        assert [record.id for record in box.records("contacts", access_token="other")] == ["301"]
        assert box.records("contacts") == []

    def test_an_unknown_one_is_an_error(self, box: Sandbox) -> None:
        with pytest.raises(ConfigurationError, match="no account of the sandbox has this access token"):
            box.records("orders", access_token="nobody")

    def test_each_keeps_its_records_in_a_file_of_its_own(self, tmp_path: object) -> None:
        store = f"{tmp_path}/box.sqlite"
        accounts = [SandboxAccount(access_token="other", number=7)]
        for expected in (1, 2):
            with Sandbox(store=store, accounts=accounts) as box:
                post(box, "other")
                assert len(box.records("orders", access_token="other")) == expected
                assert len(box.records("orders")) == 0


@pytest.mark.parametrize(
    ("account", "text"),
    [
        (SandboxAccount(number=7), "two accounts have the same access token; give each one of its own"),
        (SandboxAccount(access_token="x"), "two accounts have the same number; give each one of its own"),
        (SandboxAccount(access_token="a b", number=7), "access_token is empty or has characters"),
    ],
)
def test_accounts_that_cannot_be_told_apart_are_refused(account: SandboxAccount, text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        Sandbox(accounts=[account])


class TestScopes:
    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        with Sandbox(scopes=["crm.objects.carts.write", "e-commerce"], quota="none") as box:
            yield box

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/crm/v3/objects/carts/batch/create", 400),
            ("/crm/v3/objects/line_items/batch/create", 400),
            (CREATE, 403),
            ("/crm/objects/2026-09/0-101/batch/update", 403),
        ],
    )
    def test_a_token_may_do_what_one_of_its_scopes_allows(self, box: Sandbox, path: str, status: int) -> None:
        assert post(box, box.access_token, path).status_code == status

    def test_the_missing_scopes_stand_in_either_place(self, box: Sandbox) -> None:
        places = set()
        for _ in range(20):
            body = post(box, box.access_token).json()
            assert body["category"] == "MISSING_SCOPES"
            place = "errors" if "errors" in body else "context"
            context = body["errors"][0]["context"] if place == "errors" else body["context"]
            assert context == {"requiredGranularScopes": ["crm.objects.orders.write"]}
            places.add(place)
        assert places == {"errors", "context"}


class TestOAuth:
    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        with Sandbox(oauth=OAuthApp(lifetime=1.0, quota=QuotaLimit(2, 60.0, None))) as box:
            yield box

    @pytest.mark.parametrize("version", ["v1", "v3", "2026-03"])
    def test_the_refresh_grant_gives_a_token_that_opens_the_account(self, box: Sandbox, version: str) -> None:
        reply = granted(box, f"/oauth/{version}/token")

        assert reply.status_code == 200
        body = reply.json()
        assert (body["token_type"], body["expires_in"], body["refresh_token"]) == (
            "bearer",
            1,
            "sandbox-refresh",
        )
        assert post(box, body["access_token"]).status_code == 201
        assert len(box.records("orders")) == 1

    def test_a_token_ends_and_the_reply_says_when_it_did(self, box: Sandbox) -> None:
        token = granted(box).json()["access_token"]
        time.sleep(1.05)

        reply = post(box, token)

        assert reply.status_code == 401
        body = reply.json()
        assert body["category"] == "EXPIRED_AUTHENTICATION"
        assert re.search(r"expired \d second\(s\) ago", body["message"])
        assert list(body["context"]) == ["expire time"]

    def test_the_tokens_of_an_app_share_its_quota_and_are_not_told_of_the_day(self, box: Sandbox) -> None:
        tokens = [granted(box).json()["access_token"] for _ in range(3)]

        replies = [post(box, token) for token in tokens]

        assert [reply.status_code for reply in replies] == [201, 201, 429]
        assert "X-HubSpot-RateLimit-Max" in replies[0].headers
        assert "X-HubSpot-RateLimit-Daily" not in replies[0].headers
        assert "X-HubSpot-RateLimit-Daily" in post(box, box.access_token).headers

    @pytest.mark.parametrize(
        "changes",
        [
            {"grant_type": "authorization_code"},
            {"client_id": "x"},
            {"client_secret": "x"},
            {"refresh_token": "x"},
        ],
    )
    def test_a_wrong_grant_gives_none(self, box: Sandbox, changes: dict[str, str]) -> None:
        reply = granted(box, **changes)

        assert reply.status_code == 400
        assert "access_token" not in reply.json()

    def test_a_body_that_is_too_large_gives_none(self, box: Sandbox) -> None:
        reply = httpx.post(f"{box.url}/oauth/v3/token", content=b"x" * (33 << 20))

        assert reply.status_code == 413

    def test_an_app_shows_no_secret(self) -> None:
        shown = repr(OAuthApp()) + repr(SandboxAccount(oauth=OAuthApp()))
        assert "secret" not in shown
        assert "sandbox-token" not in shown
