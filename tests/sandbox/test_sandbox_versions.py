"""Each version of the API that the document knows, through both clients: another path, the same results."""

from collections.abc import Callable, Sequence

import anyio
import pytest

from hubspot_batch import AsyncHubSpot, BatchResult, CreateInput, HubSpot, UpdateInput
from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Sandbox

VERSIONS = contract.versions()
CREATES: list[CreateInput] = [
    {"properties": {"hs_order_name": name, "hs_total_price": name}} for name in ("9", "x", "7")
]
UPDATES: list[UpdateInput] = [{"id": number, "properties": {"hs_order_name": "A"}} for number in (1, 44001)]


def by_hub(box: Sandbox, version: str) -> Sequence[BatchResult]:
    with HubSpot(box.access_token, base_url=box.url, api_version=version) as hub:
        return (
            hub.orders.batch_create(CREATES[:1]),
            hub.orders.batch_create(CREATES),
            hub.orders.batch_update(UPDATES[1:]),
            hub.orders.batch_update(UPDATES),
        )


def by_async_hub(box: Sandbox, version: str) -> Sequence[BatchResult]:
    async def main() -> Sequence[BatchResult]:
        async with AsyncHubSpot(box.access_token, base_url=box.url, api_version=version) as hub:
            return (
                await hub.orders.batch_create(CREATES[:1]),
                await hub.orders.batch_create(CREATES),
                await hub.orders.batch_update(UPDATES[1:]),
                await hub.orders.batch_update(UPDATES),
            )

    return anyio.run(main)


@pytest.mark.parametrize("push", [by_hub, by_async_hub])
@pytest.mark.parametrize("name", VERSIONS)
def test_the_results_are_the_same_in_each_version(
    push: Callable[[Sandbox, str], Sequence[BatchResult]], name: str
) -> None:
    with Sandbox() as box:
        box.add("orders", 44001)
        results = push(box, name)
        paths = [request.path for request in box.requests]

    assert [sorted(record.index or 0 for record in result.records) for result in results] == [
        [0],
        [0, 2],
        [0],
        [1],
    ]
    assert [[error.index for error in result.errors] for result in results] == [[], [1], [], [0]]
    assert not any(result.unaccounted for result in results)
    version = VERSIONS[name]
    create, update = contract.operation("create_orders"), contract.operation("update_orders")
    assert [result.response.status for result in results] == [
        version.status_of(create),
        version.status_of(create, failed=True),
        version.status_of(update),
        version.status_of(update, failed=True),
    ]
    assert paths == [operation.path_in(name) for operation in (create, create, update, update)]
