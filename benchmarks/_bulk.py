"""A run over rows that do not end before the time is over; prints how many batches it lost, and what it took.

    python benchmarks/_bulk.py CONNECTIONS URL SECONDS JOURNAL QUOTA_FILE

With a QUOTA_FILE, processes share a quota; without, an empty argument, the quota is of this process.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle

from _batches import BATCH, orders

from hubspot_batch import CreateInput, HubSpot, Quota, SharedQuota


def main() -> None:
    """Push, and print what it took."""
    connections, url, seconds, journal, quota_file = sys.argv[1:]
    quota = SharedQuota(quota_file) if quota_file else Quota()
    with HubSpot("token", base_url=url, quota=quota) as hub:
        rows = inputs(float(seconds))
        report = hub.orders.create_all(rows, journal=journal, concurrency=int(connections))
    print(json.dumps([(report.rejected + report.unknown) // BATCH, time.process_time()]))


def inputs(seconds: float) -> Iterator[CreateInput]:
    """Yield orders until the time is over."""
    end = time.monotonic() + seconds
    for number, order in enumerate(cycle(orders())):
        if time.monotonic() > end:
            return
        yield {"properties": {**order, "hs_external_order_id": str(number)}}


if __name__ == "__main__":
    main()
