"""A task of Airflow. `push_orders` is a plain function; the DAG around it is in the text below.

    from airflow.sdk import dag, task

    @dag(schedule="@daily", catchup=False)
    def nightly():
        @task(retries=3)
        def push(path: str, ds: str) -> dict:
            return push_orders(path)

        push("/exports/orders-{{ ds }}.csv")

    nightly()

Airflow tries a task again, maybe on another machine, where a journal of the first attempt is not at hand. So
rows are found by their unique property, and those that exist are kept.
"""

import csv
from collections.abc import Callable
from pathlib import Path

from hubspot_batch import HubSpot


def push_orders(
    path: str | Path,
    *,
    unique_property: str = "hs_external_order_id",
    connect: Callable[[], HubSpot] = HubSpot,
) -> dict[str, int]:
    """Create the orders of a CSV file, and return the counts, which Airflow keeps as an XCom.

    Args:
        path: The file; its columns are properties.
        unique_property: The property whose values are unique.
        connect: Makes a client. The token stands in HUBSPOT_ACCESS_TOKEN, from a secret of the scheduler.

    Raises:
        BulkError: If the push was stopped. Airflow tries it again.
    """
    with connect() as hub, Path(path).open(encoding="utf-8", newline="") as file:
        report = hub.orders.create_all(
            ({"properties": row} for row in csv.DictReader(file)),
            unique_property=unique_property,
            existing="keep",
        )
    return {"done": report.done, "rejected": report.rejected, "unknown": report.unknown}
