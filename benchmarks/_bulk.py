"""A run over rows that do not end before the time is over; prints how many batches it lost, and what it took.

    python benchmarks/_bulk.py CONNECTIONS URL SECONDS JOURNAL QUOTA

QUOTA is the file, or the URL of the Redis, of a quota that processes share. If it is empty, the quota is of
this process.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle

from _batches import BATCH, orders

from hubspot_batch import CreateInput, HubSpot, Quota, SharedQuota
from hubspot_batch.redis_quota import RedisQuota


def main() -> None:
    """Push, and print what it took."""
    connections, url, seconds, journal, shared = sys.argv[1:]
    with HubSpot("token", base_url=url, quota=quota_at(shared)) as hub:
        rows = inputs(float(seconds))
        report = hub.orders.create_all(rows, journal=journal, concurrency=int(connections))
    print(json.dumps([(report.rejected + report.unknown) // BATCH, time.process_time()]))


def quota_at(place: str) -> Quota:
    """Return the quota in a file or in Redis, or one of this process."""
    if place.startswith("redis://"):
        return RedisQuota(place, name="benchmark")
    return SharedQuota(place) if place else Quota()


def inputs(seconds: float) -> Iterator[CreateInput]:
    """Yield orders until the time is over."""
    end = time.monotonic() + seconds
    for number, order in enumerate(cycle(orders())):
        if time.monotonic() > end:
            return
        yield {"properties": {**order, "hs_external_order_id": str(number)}}


if __name__ == "__main__":
    main()
