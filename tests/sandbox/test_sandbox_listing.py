"""The list of what is stored."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hubspot_batch.sandbox import Sandbox

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]

ORDERS = "/crm/v3/objects/orders"


def test_nothing_is_stored_at_first(http: httpx.Client) -> None:
    reply = http.get(ORDERS)
    assert reply.status_code == 200
    assert reply.json() == {"results": []}


def test_a_record_is_listed_as_it_was_written(send: Send, http: httpx.Client) -> None:
    (created,) = send("create_orders", [{"properties": {"hs_order_name": "A", "hs_tax": ""}}]).json()[
        "results"
    ]
    (listed,) = http.get(ORDERS, params={"properties": ",".join(created["properties"])}).json()["results"]
    assert listed == created


def test_an_update_shows_in_the_list(send: Send, http: httpx.Client) -> None:
    (created,) = send("create_orders", [{"properties": {"hs_order_name": "A"}}]).json()["results"]
    send("update_orders", [{"id": created["id"], "properties": {"hs_tax": "9"}}])
    (listed,) = http.get(ORDERS, params={"properties": ["hs_order_name", "hs_tax"]}).json()["results"]
    assert listed["properties"]["hs_order_name"] == "A"
    assert listed["properties"]["hs_tax"] == "9.00"


@pytest.mark.parametrize(("limit", "pages"), [(None, 3), ("10", 3), ("100", 1), ("25", 1), ("24", 2)])
def test_pages_follow_one_another(send: Send, http: httpx.Client, limit: str | None, pages: int) -> None:
    send("create_orders", [{"properties": {"hs_order_name": str(index)}} for index in range(25)])
    send("create_carts", [{"properties": {}}] * 5)
    shown: list[str] = []
    parameters = {"properties": "hs_order_name"} | ({} if limit is None else {"limit": limit})
    for page in range(1, pages + 1):
        body = http.get(ORDERS, params=parameters).json()
        shown += [result["properties"]["hs_order_name"] for result in body["results"]]
        if page < pages:
            assert list(body) == ["results", "paging"]
            parameters["after"] = body["paging"]["next"]["after"]
    assert list(body) == ["results"]
    assert sorted(shown, key=int) == [str(index) for index in range(25)]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.0", "1e1", "٣", "²", "9" * 5_000])
def test_a_limit_that_cannot_be_is_refused(http: httpx.Client, limit: str) -> None:
    reply = http.get(ORDERS, params={"limit": limit})
    assert reply.status_code == 400
    assert reply.json()["category"] == "VALIDATION_ERROR"
    assert reply.json()["message"] == "Invalid value for parameter limit"


@pytest.mark.parametrize("after", ["", "x", "-1", str(2**63), "9" * 5_000])
def test_a_cursor_that_cannot_be_is_refused(http: httpx.Client, after: str) -> None:
    reply = http.get(ORDERS, params={"after": after})
    assert reply.status_code == 400
    assert reply.json()["message"] == "Invalid value for parameter after"


def test_a_cursor_beyond_the_end_gives_nothing(http: httpx.Client) -> None:
    assert http.get(ORDERS, params={"after": str(2**63 - 1)}).json() == {"results": []}


def test_a_record_that_was_added_is_listed(box: Sandbox, http: httpx.Client) -> None:
    box.add("tickets", "301", {"subject": "A"})
    (result,) = http.get("/crm/v3/objects/tickets").json()["results"]
    assert result["id"] == "301"
    assert result["properties"] == {
        "subject": "A",
        "hs_object_id": "301",
        "createdate": result["createdAt"],
        "hs_lastmodifieddate": result["updatedAt"],
    }


def test_an_unknown_object_type_is_refused(http: httpx.Client) -> None:
    reply = http.get("/crm/v3/objects/butterflies")
    assert reply.status_code == 400
    assert list(reply.json()) == ["status", "message", "correlationId"]
    assert reply.json()["message"] == "Unable to infer object type from: butterflies"


def test_a_token_is_needed(box: Sandbox) -> None:
    reply = httpx.get(box.url + ORDERS)
    assert reply.status_code == 401
    assert reply.json()["category"] == "INVALID_AUTHENTICATION"
