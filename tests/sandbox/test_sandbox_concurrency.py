"""Many requests at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hubspot_batch.sandbox import Sandbox

THREADS, BATCHES, INPUTS = 8, 20, 5


@pytest.mark.parametrize("in_file", [False, True])
def test_no_record_is_lost_or_doubled(tmp_path: Path, *, in_file: bool) -> None:
    with Sandbox(quota="none", store=tmp_path / "box.sqlite" if in_file else None) as box:

        def push(thread: int) -> list[tuple[str, str]]:
            written: list[tuple[str, str]] = []
            headers = {"Authorization": f"Bearer {box.access_token}"}
            with httpx.Client(base_url=box.url, headers=headers, timeout=60) as http:
                for batch in range(BATCHES):
                    names = [f"{thread}-{batch}-{index}" for index in range(INPUTS)]
                    inputs = [{"properties": {"hs_order_name": name}} for name in names]
                    reply = http.post("/crm/v3/objects/orders/batch/create", json={"inputs": inputs})
                    assert reply.status_code == 201
                    results = reply.json()["results"]
                    written += [(result["id"], result["properties"]["hs_order_name"]) for result in results]
                    assert http.get("/crm/v3/objects/orders").status_code == 200
            return written

        with ThreadPoolExecutor(THREADS) as pool:
            written = [pair for pairs in pool.map(push, range(THREADS)) for pair in pairs]

        stored = {record.id: record.properties["hs_order_name"] for record in box.records("orders")}
    assert len(written) == THREADS * BATCHES * INPUTS
    assert dict(written) == stored
    assert len(stored) == len(set(stored.values())) == len(written)


def test_updates_at_once_lose_no_change(box: Sandbox, http: httpx.Client) -> None:
    path = "/crm/v3/objects/orders/batch"
    inputs = [{"properties": {"hs_order_name": "A"}}]
    created = http.post(f"{path}/create", json={"inputs": inputs}).json()["results"][0]["id"]
    names = ["hs_tags", "hs_order_note", "hs_landing_site", "hs_source_store"]

    def change(name: str) -> None:
        for value in range(10):
            change = {"id": created, "properties": {name: str(value)}}
            assert http.post(f"{path}/update", json={"inputs": [change]}).status_code == 200

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(change, names))
    (record,) = box.records("orders")
    assert record.properties == {"hs_order_name": "A", **dict.fromkeys(names, "9")}
