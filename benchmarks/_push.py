"""A run over a CSV file in a process of its own; prints what it took.

    python benchmarks/_push.py floor|create_all|stream_create|command URL FILE JOURNAL

`floor` reads the same file and posts it with httpx and orjson, with as many requests in flight as the others.
Without a JOURNAL, an empty argument, there is none; the command always keeps one, in the folder of JOURNAL.
"""

import asyncio
import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from itertools import islice
from pathlib import Path

import httpx
from _batches import BATCH, CONTACT, MAIN, linked, shape
from _memory import peak

from hubspot_batch import CreateInput, HubSpot

IN_FLIGHT = 40
TOKEN = "token"  # noqa: S105


def floor(url: str, file: str, _journal: str) -> int:
    """Push without looking at what comes back, and return how many rows went out."""
    import orjson  # noqa: PLC0415 - the command is measured without it

    path, headers = shape(MAIN).path, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    async def push() -> int:
        rows, done = inputs(file), 0
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:

            async def send() -> None:
                nonlocal done
                while batch := list(islice(rows, BATCH)):
                    reply = await http.post(path, content=orjson.dumps({"inputs": batch}))
                    done += len(orjson.loads(reply.raise_for_status().content)["results"])

            await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
        return done

    return asyncio.run(push())


def create_all(url: str, file: str, journal: str) -> int:
    """Push and return how many rows are done."""
    with HubSpot(TOKEN, base_url=url) as hub:
        return hub.orders.create_all(inputs(file), journal=journal or None).done


def stream_create(url: str, file: str, journal: str) -> int:
    """Push, look at each outcome, and return how many rows are done."""
    with HubSpot(TOKEN, base_url=url) as hub:
        return sum(outcome.ok for outcome in hub.orders.stream_create(inputs(file), journal=journal or None))


def command(url: str, file: str, journal: str) -> int:
    """Push by the command line, and return how many rows are done."""
    from hubspot_batch.cli import main  # noqa: PLC0415 - the others do not need it

    os.environ |= {"HUBSPOT_ACCESS_TOKEN": TOKEN, "HUBSPOT_BATCH_RUNS": str(Path(journal).parent)}
    options = ["--associate", f"contact={CONTACT}", "--base-url", url, "--new", "--json"]
    sys.argv = ["hubspot-batch", "create", "orders", file, *options]
    with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
        main()
    return int(json.loads(printed.getvalue())["done"])


def inputs(file: str) -> Iterator[CreateInput]:
    """Yield the rows of a file, each with the association that it names."""
    with Path(file).open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            contact = row.pop(CONTACT)
            yield linked(row, 507, contact)


METHODS: Mapping[str, Callable[[str, str, str], int]] = {
    "floor": floor,
    "create_all": create_all,
    "stream_create": stream_create,
    "command": command,
}


def main() -> None:
    """Run, and print the count of rows that are done, processor time, seconds and peak memory."""
    method, url, file, journal = sys.argv[1:]
    cpu, began = time.process_time(), time.perf_counter()
    done = METHODS[method](url, file, journal)
    print(json.dumps([done, time.process_time() - cpu, time.perf_counter() - began, peak()]))


if __name__ == "__main__":
    main()
