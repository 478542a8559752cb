"""The example file: 492 orders arrive, and the eight wrong ones are refused for what is wrong with them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from hubspot_batch.sandbox import Sandbox

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]

ORDERS = Path(__file__).parents[2] / "examples" / "orders.csv"
REFUSED = {
    27: ("hs_pipeline_stage", "INVALID_OPTION"),
    60: ("hs_currency_code", "INVALID_OPTION"),
    117: ("hs_total_price", "INVALID_LONG"),
    200: ("hs_order_name", "MISSING_REQUIRED_PROPERTY"),
    228: ("hs_total_price", "INVALID_LONG"),
    281: ("hs_external_created_date", "INVALID_LONG"),
    310: ("hs_pipeline_stage", "INVALID_OPTION"),
    389: ("hs_buyer_accepts_marketing", "INVALID_OPTION"),
}


def test_the_example_file_ends_as_its_readme_says(send: Send, box: Sandbox) -> None:
    with ORDERS.open(encoding="utf-8", newline="") as file:
        inputs: list[dict[str, Any]] = [
            {
                "objectWriteTraceId": str(row),
                "properties": {name: value for name, value in cells.items() if value},
            }
            for row, cells in enumerate(csv.DictReader(file), 1)
        ]
    replies = [send("create_orders", inputs[start : start + 100]) for start in range(0, len(inputs), 100)]

    assert [reply.status_code for reply in replies] == [207, 207, 207, 207, 201]
    assert sum(len(reply.json()["results"]) for reply in replies) == 492
    assert len(box.records("orders")) == 492
    refused: dict[int, tuple[str, str]] = {}
    for reply in replies:
        for error in reply.json().get("errors", ()):
            (row,) = error["context"]["objectWriteTraceId"]
            (fault,) = json.loads(error["message"].partition(": ")[2])
            refused[int(row)] = fault["name"], fault["error"]
    assert refused == REFUSED
