"""A candidate in a process and an environment of its own, which sends as often as it is told to.

    python benchmarks/_worker.py CLIENT FACE URL SHAPE < COMMANDS

CLIENT is a module of clients/, FACE is `sync` or `async`, SHAPE is one of _batches.py. Each line of the input
says how many requests to send and how many to have in flight, and is answered with the processor time of this
process, and the seconds, that it took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TypeAlias

from _batches import Shape, shape

Push: TypeAlias = Callable[[int, int], None]


def main() -> None:
    """Send as often as each line says."""
    client, face, url, name = sys.argv[1:]
    push = {"sync": in_threads, "async": in_tasks}[face](client, url, shape(name))
    for line in sys.stdin:
        requests, in_flight = map(int, line.split())
        cpu, seconds = time.process_time(), time.perf_counter()
        push(requests, in_flight)
        print(json.dumps([time.process_time() - cpu, time.perf_counter() - seconds]), flush=True)


def in_threads(client: str, url: str, batch: Shape) -> Push:
    """Return what sends with the synchronous client."""
    send: Callable[[], object] = import_module(f"clients.{client}").sender(url, batch)
    pool = ThreadPoolExecutor()

    def repeat(times: int) -> None:
        for _ in range(times):
            send()

    def push(requests: int, in_flight: int) -> None:
        if in_flight == 1:
            repeat(requests)
        else:
            list(pool.map(repeat, [requests // in_flight] * in_flight))

    return push


def in_tasks(client: str, url: str, batch: Shape) -> Push:
    """Return what sends with the asynchronous client."""
    send: Callable[[], Awaitable[object]] = import_module(f"clients.{client}").async_sender(url, batch)
    loop = asyncio.new_event_loop()

    async def repeat(times: int) -> None:
        for _ in range(times):
            await send()

    async def push(requests: int, in_flight: int) -> None:
        await asyncio.gather(*(repeat(requests // in_flight) for _ in range(in_flight)))

    return lambda requests, in_flight: loop.run_until_complete(push(requests, in_flight))


if __name__ == "__main__":
    main()
