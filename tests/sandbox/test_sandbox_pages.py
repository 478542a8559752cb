"""The page, its state, and the document, as the sandbox serves them."""

import re

import httpx
import pytest

from hubspot_batch import HubSpot
from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Sandbox


def test_the_page_names_no_other_host() -> None:
    with Sandbox() as box:
        reply = httpx.get(f"{box.url}/")

    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|href)="(?:https?:)?//', reply.text) == []


def test_the_document_is_served_as_it_is() -> None:
    with Sandbox() as box:
        reply = httpx.get(f"{box.url}/openapi.json")

    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json() == contract.document()


def test_the_state_tells_what_was_stored_and_asked() -> None:
    with Sandbox(quota="100/10,5000") as box, HubSpot(box.access_token, base_url=box.url) as hub:
        inputs = [{"properties": {"hs_order_name": f"A-{number}"}} for number in range(6)]
        hub.orders.batch_create([*inputs, {"properties": {}}])  # type: ignore[list-item]
        hub.carts.batch_create([{"properties": {}}])
        box.faults.set("slow=0.5", 0.25)
        state = httpx.get(f"{box.url}/_sandbox/state").json()

    assert (state["url"], state["accessToken"]) == (box._url, "sandbox-token")
    assert [(entry["objectType"], entry["count"]) for entry in state["records"]] == [
        ("orders", 6),
        ("line_items", 0),
        ("commerce_payments", 0),
        ("carts", 1),
    ]
    assert len(state["records"][0]["latest"]) == 5
    assert {entry["name"] for entry in state["records"][0]["latest"]} <= {f"A-{n}" for n in range(6)}
    assert state["records"][3]["latest"][0]["name"] is None
    assert state["quota"] == {"limit": 100, "window": 10.0, "used": 2, "daily": 5000, "dailyUsed": 2}
    assert sum(second["admitted"] for second in state["perSecond"]) == 2
    newest, oldest = state["requests"]
    assert (oldest["operation"], oldest["status"], oldest["written"], oldest["refused"]) == (
        "create_orders",
        207,
        6,
        1,
    )
    assert newest["operation"] == "create_carts"
    rates = {fault["name"]: fault["rate"] for fault in state["faults"]}
    assert rates["slow=0.5"] == 0.25
    assert rates["504-after"] == 0.0


def test_a_switch_of_the_page_sets_a_fault() -> None:
    with Sandbox() as box:
        url = f"{box.url}/_sandbox/faults"
        assert httpx.post(url, json={"name": "503", "rate": 0.5}).status_code == 200
        assert box.faults.rates == {"503": 0.5}
        assert httpx.post(url, json={"name": "503", "rate": 0}).status_code == 200
        assert box.faults.rates == {}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"name": "503", "rate": 0.5}', "text/plain", 415),
        (b'{"name": "503", "rate": 2}', "application/json", 400),
        (b'{"name": "505", "rate": 0.1}', "application/json", 400),
        (b'{"name": "503"}', "application/json", 400),
        (b"", "application/json; charset=utf-8", 400),
        (b"\xff", "application/json", 400),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(content: bytes, kind: str, status: int) -> None:
    with Sandbox() as box:
        reply = httpx.post(f"{box.url}/_sandbox/faults", content=content, headers={"Content-Type": kind})

        assert reply.status_code == status
        assert reply.json()["message"]
        assert box.faults.rates == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/butterflies", 501),
        ("GET", "/docs", 501),
        ("POST", "/openapi.json", 405),
        ("GET", "/oauth/v3/token", 405),
    ],
)
def test_what_the_sandbox_does_not_serve(method: str, path: str, status: int) -> None:
    with Sandbox() as box:
        reply = httpx.request(method, f"{box.url}{path}")

    assert reply.status_code == status
    assert reply.json()["status"] == "error"


@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_batch_of_an_unknown_object_type_is_refused_without_a_category(verb: str) -> None:
    with Sandbox() as box:
        reply = httpx.post(
            f"{box.url}/crm/v3/objects/butterflies/batch/{verb}",
            json={"inputs": []},
            headers={"Authorization": f"Bearer {box.access_token}"},
        )

    assert reply.status_code == 400
    assert reply.json()["message"] == "Unable to infer object type from: butterflies"
    assert "category" not in reply.json()
