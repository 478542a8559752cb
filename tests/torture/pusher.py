"""Push the rows of a file over a journal, in a process that is killed again and again."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hubspot_batch import AsyncHubSpot, HubSpot, Quota, Retries

AT_ONCE = 2


def rows(source: str) -> Iterator[Any]:
    with Path(source).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main(client: str, url: str, mode: str, source: str, journal: str) -> None:
    options: dict[str, Any] = {
        "base_url": url,
        "quota": Quota(1000, 1.0),
        "timeout": 1.0,
        "retries": Retries(limit=12, budget=600),
    }
    if client == "HubSpot":
        with HubSpot("token-1", **options) as hub:
            push(hub, mode, source, journal)
    else:
        asyncio.run(push_async(options, mode, source, journal))


def push(hub: HubSpot | AsyncHubSpot, mode: str, source: str, journal: str) -> Any:  # noqa: ANN401
    options: dict[str, Any] = {"journal": journal, "concurrency": AT_ONCE}
    match mode:
        case "line items":
            return hub.line_items.create_all(rows(source), **options)
        case "updates":
            return hub.orders.update_all(rows(source), **options)
        case "unique":
            options |= {"unique_property": "hs_external_order_id", "settle_after": 0.4}
            return hub.orders.create_all(rows(source), **options)
        case _:
            return hub.orders.create_all(rows(source), **options)


async def push_async(options: dict[str, Any], mode: str, source: str, journal: str) -> None:
    async with AsyncHubSpot("token-1", **options) as hub:
        await push(hub, mode, source, journal)


if __name__ == "__main__":
    main(*sys.argv[1:])
