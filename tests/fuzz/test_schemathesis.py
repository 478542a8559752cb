"""Schemathesis makes requests from the document, and checks the replies of the sandbox by it.

`nox -s fuzz` installs it. All its checks are on, but for two that the document cannot promise to keep:

- positive_data_acceptance: a body that the document allows can be refused all the same. Which properties
  there are, what they take, and which records exist is up to the account, not to the document.
- negative_data_rejection: a body that the document does not allow can be accepted. HubSpot takes more than
  the document wants sent: keys that it does not know, a body without `inputs`, numbers for texts.

Where the sandbox goes wrong on purpose, not_a_server_error is off, too: it is what was asked for.
"""

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubspot_batch.sandbox import Property, Sandbox

pytest.importorskip("schemathesis")

DOCUMENT = Path(__file__).parents[2] / "openapi" / "hubspot-batch.yaml"
NOT_PROMISED = ("positive_data_acceptance", "negative_data_rejection")
ALL_PHASES = "examples,coverage,fuzzing"
# FUZZ_TIMES=5 looks for five times as long, and elsewhere in each run.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
NAMES = [
    "hs_cart_name",
    "hs_currency_code",
    "hs_external_created_date",
    "hs_initial_amount",
    "hs_initiated_date",
    "hs_order_name",
    "hs_total_price",
    "name",
    "quantity",
]
# Some are right for some of the properties, none for all.
VALUES = [
    "",
    "A",
    "EUR",
    "9",
    "12,50",
    "2026-09-01",
    "2026-09-01T08:15:00Z",
    "true",
    "a;b",
    ";c",
    "\U0001f4a1",
]
ORDERS = ["44001", "44002", "44003"]
OBJECT_TYPES = ("orders", "line_items", "commerce_payments", "carts")


def run(
    box: Sandbox,
    folder: Path,
    *,
    document: Path = DOCUMENT,
    phases: str = ALL_PHASES,
    mode: str = "all",
    examples: int = 20,
    excluded: Sequence[str] = NOT_PROMISED,
) -> Counter[int]:
    """Let Schemathesis loose; return how many replies of each status there were.

    It is bounded by the number of examples, and draws the same ones in each run, unless FUZZ_TIMES asks for
    more of them.
    """
    options: Mapping[str, object] = {
        "--url": box.url,
        "--header": f"Authorization: Bearer {box.access_token}",
        "--checks": "all",
        "--exclude-checks": ",".join(excluded),
        "--phases": phases,
        "--max-examples": examples * TIMES,
        "--mode": mode,
        "--seed": 7 if TIMES == 1 else secrets.randbelow(2**32),
        "--generation-database": "none",
        "--request-timeout": 10,
        "--suppress-health-check": "all",
        "--warnings": "off",
    }
    # Beside GET, HubSpot has POST where properties are listed, and the sandbox says that it lacks it.
    methods = '["DELETE", "PATCH", "PUT", "TRACE"]'
    (folder / "schemathesis.toml").write_text(f"[phases.coverage]\nunexpected-methods = {methods}\n", "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(document)]
    command += [str(part) for option in options.items() for part in option]
    command += ["--continue-on-failure", "--no-color"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=120 * TIMES, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Counter(request.status for request in box.requests)


def with_what_exists(folder: Path) -> Path:
    """Write a document that names properties, values and ids, so that its requests get further."""
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    schemas["PropertyValues"] |= {
        "propertyNames": {"enum": NAMES},
        "additionalProperties": {"type": "string", "enum": VALUES},
    }
    schemas["UpdateInput"]["properties"]["id"]["enum"] = [*ORDERS, "44004"]
    return write(folder, document)


def with_orders_to_follow(folder: Path) -> Path:
    """Write a document whose creates mostly succeed, with links from what they report to updates.

    The document itself has none: OpenAPI Generator refuses a link whose body is not a text.
    """
    # By way of JSON, as an alias of YAML would be changed in all its places.
    document: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))))
    schemas, responses = document["components"]["schemas"], document["components"]["responses"]
    schemas["PropertyValues"] |= {
        "required": ["hs_order_name"],
        "propertyNames": {"enum": ["hs_order_name", "hs_order_note", "hs_total_price"]},
        "additionalProperties": {"type": "string", "enum": ["9", "12.50", "129.90", "free"]},
    }
    schemas["CreateInput"]["required"].append("objectWriteTraceId")
    del schemas["CreateInput"]["properties"]["associations"]
    del schemas["UpdateInput"]["properties"]["idProperty"]
    body = {"inputs": [{"id": "$response.body#/results/0/id"}]}
    links = {"UpdateOrder": {"operationId": "update_orders", "requestBody": body}}
    for verb, code, done in (("create", "201", "RecordsCreated"), ("update", "200", "RecordsUpdated")):
        replies = document["paths"][f"/crm/v3/objects/orders/batch/{verb}"]["post"]["responses"]
        replies["207"] = responses["PartlyDone"] | {"links": links}
        replies[code] = responses[done] | {"links": links}
    return write(folder, document)


def write(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "document.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_no_reply_contradicts_the_document(tmp_path: Path) -> None:
    properties = {"orders": {"shop_order_number": Property("text", unique=True)}}
    with Sandbox(quota="none", properties=properties) as box:
        box.add("contacts", 301)
        box.add("orders", 44001)
        statuses = run(box, tmp_path)

    # All kinds of replies that there are without a quota have been held against it.
    assert {200, 201, 207, 400, 401, 405} <= set(statuses)


def test_no_reply_to_what_exists_contradicts_it(tmp_path: Path) -> None:
    with Sandbox(quota="none", properties=dict.fromkeys(OBJECT_TYPES, NAMES)) as box:
        for order in ORDERS:
            box.add("orders", order)
        document = with_what_exists(tmp_path)
        statuses = run(box, tmp_path, document=document, phases="fuzzing", mode="positive", examples=40)
        written = sum(len(box.records(object_type)) for object_type in OBJECT_TYPES)

    assert {200, 201, 207, 400} <= set(statuses)
    assert written > 40


def test_no_reply_to_an_order_that_was_created_before_contradicts_it(tmp_path: Path) -> None:
    with Sandbox(quota="none") as box:
        document = with_orders_to_follow(tmp_path)
        statuses = run(box, tmp_path, document=document, phases="stateful", mode="positive", examples=40)
        requests, orders = box.requests, box.records("orders")

    # There were no orders before, so the reply to a create has named each order that was changed.
    changes = [request for request in requests if request.operation == "update_orders" and request.written]
    assert {200, 201, 207} <= set(statuses)
    assert {request.status for request in changes} <= {200, 207}
    assert len(changes) > 10
    assert sum(order.updated_at > order.created_at for order in orders) > 5


@pytest.mark.parametrize("quota", ["5/1", "190/10,25"])
def test_no_reply_at_a_quota_contradicts_it(tmp_path: Path, quota: str) -> None:
    with Sandbox(quota=quota, retry_after=True) as box:
        statuses = run(box, tmp_path, phases="examples,fuzzing", mode="positive", examples=10)

    assert statuses[429]


def test_no_reply_of_a_token_that_may_do_nothing_contradicts_it(tmp_path: Path) -> None:
    with Sandbox(quota="none", scopes=()) as box:
        statuses = run(box, tmp_path, phases="examples,fuzzing", mode="positive", examples=5)

    assert statuses[403]
    assert not statuses[201]


@pytest.mark.parametrize("fault", ["429-secondly=3", "423=2", "477=1", "200", "requested-at-null"])
def test_no_reply_of_a_fault_contradicts_it(tmp_path: Path, fault: str) -> None:
    with Sandbox(quota="none", faults={fault: 1.0}) as box:
        run(box, tmp_path, phases="examples", excluded=[*NOT_PROMISED, "not_a_server_error"])
        assert {request.fault for request in box.requests} >= {fault}
