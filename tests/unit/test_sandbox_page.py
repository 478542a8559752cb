"""The page of the sandbox as a text, and the JSON that it reads and writes."""

import re
from typing import Any

import msgspec
import pytest

from hubspot_batch.sandbox._page import (
    HEADERS,
    FaultChange,
    FaultState,
    ObjectTypeEntry,
    QuotaState,
    RecordEntry,
    RequestSummary,
    SecondEntry,
    State,
    page,
    reasons_of,
)

STATE = State(
    url="http://127.0.0.1:8089",
    access_token="sandbox-token",
    version="0.1.0",
    up_seconds=12.5,
    records=[
        ObjectTypeEntry(
            object_type="orders", count=1, latest=[RecordEntry(id="20000000001", name=None, associations=1)]
        )
    ],
    quota=QuotaState(limit=190, window=10, used=7, daily=None, daily_used=42),
    per_second=[SecondEntry(second=59, admitted=3, refused=1)],
    requests=[
        RequestSummary(
            number=7,
            at="2026-09-01T08:15:02.120Z",
            method="POST",
            path="/crm/v3/objects/orders/batch/create",
            operation="create_orders",
            status=0,
            inputs=100,
            written=100,
            refused=0,
            fault="reset-after",
            milliseconds=7.5,
            reasons=["internal error"],
        )
    ],
    faults=[FaultState(name="504-after", description="a gateway gave up waiting", rate=0.02)],
)
ENCODED: dict[str, Any] = {
    "url": "http://127.0.0.1:8089",
    "accessToken": "sandbox-token",
    "version": "0.1.0",
    "upSeconds": 12.5,
    "records": [
        {
            "objectType": "orders",
            "count": 1,
            "latest": [{"id": "20000000001", "name": None, "associations": 1}],
        },
    ],
    "quota": {"limit": 190, "window": 10, "used": 7, "daily": None, "dailyUsed": 42},
    "perSecond": [{"second": 59, "admitted": 3, "refused": 1}],
    "requests": [
        {
            "number": 7,
            "at": "2026-09-01T08:15:02.120Z",
            "method": "POST",
            "path": "/crm/v3/objects/orders/batch/create",
            "operation": "create_orders",
            "status": 0,
            "inputs": 100,
            "written": 100,
            "refused": 0,
            "fault": "reset-after",
            "milliseconds": 7.5,
            "reasons": ["internal error"],
        }
    ],
    "faults": [{"name": "504-after", "description": "a gateway gave up waiting", "rate": 0.02}],
}


def test_the_state_has_this_form_and_can_be_read_again() -> None:
    content = msgspec.json.encode(STATE)

    assert msgspec.json.decode(content) == ENCODED
    assert msgspec.json.decode(content, type=State) == STATE


def test_a_state_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        STATE.url = "http://example.com"  # type: ignore[misc]


@pytest.mark.parametrize("rate", [0, 0.02, 1])
def test_the_page_sets_a_fault_by_name_and_rate(rate: float) -> None:
    content = msgspec.json.encode({"name": "504-after", "rate": rate})

    change = msgspec.json.decode(content, type=FaultChange)

    assert change == FaultChange(name="504-after", rate=rate)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "504-after", "rate": 1.01},
        {"name": "504-after", "rate": -0.01},
        {"name": "504-after", "rate": "0.5"},
        {"name": "504-after", "rate": None},
        {"name": "504-after"},
        {"rate": 0.5},
        {"name": "504-after", "rate": 0.5, "seed": 7},
        [],
    ],
)
def test_what_sets_no_fault_is_refused(change: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(change), type=FaultChange)


def test_the_page_is_whole() -> None:
    html = page()

    assert html.startswith("<!doctype html>\n")
    assert html.endswith("</html>\n")
    assert "<style>\n:root {" in html


def test_the_page_names_no_host() -> None:
    # Names of XML namespaces, which are not fetched.
    html = page().replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"(?:https?:|wss?:)?//\w[^\s'\"]*", html.replace("// ", "")) == []
    assert re.findall(r'(?:src|href|action)="(?!data:)([^"]*)"', html) == ["/openapi.json", "/openapi.json"]
    assert re.findall(r"fetch\(([^,]*),", html) == ["`/_sandbox${path}`"]
    assert re.findall(r"url\(|@import", html) == []


def test_the_script_makes_no_markup_of_data() -> None:
    script = page().partition("<script>")[2]

    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\bFunction\(", script) == []


def test_every_field_of_the_state_is_used_by_the_script() -> None:
    script = page().partition("<script>")[2]
    kinds = (State, QuotaState, RequestSummary, FaultState, SecondEntry, ObjectTypeEntry, RecordEntry)

    names = {name for kind in kinds for name in kind.__struct_encode_fields__}

    assert {name for name in names if not re.search(rf"\b{name}\b", script)} == set()


def test_each_id_that_the_script_looks_for_is_in_the_page_once() -> None:
    markup, _, script = page().partition("<script>")
    ids = re.findall(r'\bid="([^"]+)"', markup)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\$\("([^"]+)"\)', script)) <= set(ids)
    assert set(re.findall(r'aria-labelledby="([^"]+)"', markup)) <= set(ids)


def test_the_page_is_small() -> None:
    assert len(page().encode()) < 30_000


def test_the_headers_keep_the_page_to_itself() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))

    assert policy == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": "'unsafe-inline'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert HEADERS["Cache-Control"] == "no-store"


PROPERTIES = 'Property values were not valid: [{"name": "hs_tax", "message": "x was not a valid long."}]'


@pytest.mark.parametrize(
    ("status", "reply", "reasons"),
    [
        (201, {"message": "x"}, []),
        (401, {"message": "The token expired."}, ["The token expired."]),
        (400, {"message": PROPERTIES, "errors": [{"message": "x"}]}, ["hs_tax: x was not a valid long."]),
        (
            207,
            {
                "message": "y",
                "errors": [{"message": "taken"}, *[{"message": PROPERTIES}] * 2, {"message": "a: [b]"}, {}],
            },
            ["hs_tax: x was not a valid long. (2 times)", "taken", "a: [b]"],
        ),
        (207, {"errors": [{"message": name} for name in "abcd"]}, ["a", "b", "c"]),
        (500, {"message": ""}, []),
        (500, {"message": 7}, []),
        (0, {}, []),
    ],
)
def test_the_reasons_of_a_reply(status: int, reply: dict[str, Any], reasons: list[str]) -> None:
    assert list(reasons_of(status, msgspec.json.encode(reply))) == reasons


def test_the_page_of_a_gateway_has_no_reasons() -> None:
    assert list(reasons_of(502, b"<html>Bad gateway</html>")) == []
