"""What a request costs where one process serves 200 accounts over one pool of connections.

    python benchmarks/many_accounts.py

Each account sends 5 batches of 100 orders, all accounts at the same time: once one batch after the other,
once as a run over 500 rows. The floor is one httpx client that sends as many, as many at a time. The server
answers after 0.2 s. It takes about a minute.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any

import httpx
import orjson
from _batches import BATCH, MAIN, Shape, shape
from _environments import BARE, python, variables
from _measure import Column, Table, show
from _server import serving
from clients.floor import HEADERS, encoded

from hubspot_batch import AsyncHubSpot, Quota

ACCOUNTS, BATCHES, ROUNDS = 200, 5, 3
COLUMNS = (
    Column("client"),
    Column("accounts", "{:d}"),
    Column("CPU per request", "{:.2f} ms"),
    Column("ratio to the floor", "{:.2f}"),
)


async def floor(url: str, batch: Shape) -> float:
    """Send with httpx, and return the processor time."""
    content = encoded(batch)
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as http:

        async def account(_: int) -> None:
            for _batch in range(BATCHES):
                orjson.loads((await http.post(batch.path, content=content)).content)

        return await measured(account)


async def batches(url: str, batch: Shape) -> float:
    """Send one batch after the other for each account, and return the processor time."""
    inputs: Any = batch.inputs
    async with AsyncHubSpot("token", base_url=url) as hub:

        async def account(number: int) -> None:
            own = hub.with_options(access_token=f"token-{number}", quota=Quota())
            for _ in range(BATCHES):
                await own.orders.batch_create(inputs)

        return await measured(account)


async def runs(url: str, batch: Shape) -> float:
    """Do a run for each account, and return the processor time."""
    rows: Any = [*batch.inputs] * BATCHES
    async with AsyncHubSpot("token", base_url=url) as hub:

        async def account(number: int) -> None:
            own = hub.with_options(access_token=f"token-{number}", quota=Quota())
            report = await own.orders.create_all(rows)
            if report.done != BATCH * BATCHES:
                raise SystemExit(str(report))

        return await measured(account)


async def measured(account: Callable[[int], Awaitable[None]]) -> float:
    """Serve all accounts, and return the processor time that it took."""
    began = time.process_time()
    await asyncio.gather(*map(account, range(ACCOUNTS)))
    return time.process_time() - began


METHODS = {"httpx, orjson": floor, "batch_create": batches, "create_all": runs}


def main() -> None:
    """Measure and print a table, or one figure where the arguments name a method and a URL."""
    if arguments := sys.argv[1:]:
        name, url = arguments
        print(json.dumps(asyncio.run(METHODS[name](url, shape(MAIN)))))
        return
    with serving(latency=0.2) as server:
        rounds = [[turn(name, server.url) for name in METHODS] for _ in range(ROUNDS)]
    show(Table("many_accounts", "Many accounts in one process", COLUMNS, list(lines(rounds))))


def turn(name: str, url: str) -> float:
    """Return the processor time of a method in a process of its own."""
    command = [python(BARE), __file__, name, url]
    return float(json.loads(subprocess.run(command, check=True, stdout=-1, env=variables()).stdout))


def lines(rounds: Sequence[Sequence[float]]) -> list[tuple[str, int, float, float]]:
    """Return the lines of the table."""
    requests = ACCOUNTS * BATCHES
    return [
        (
            name,
            ACCOUNTS,
            median(took[place] for took in rounds) / requests * 1000,
            median(took[place] / took[0] for took in rounds),
        )
        for place, name in enumerate(METHODS)
    ]


if __name__ == "__main__":
    main()
