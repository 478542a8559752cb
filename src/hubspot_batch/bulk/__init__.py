"""Any number of rows into HubSpot, with exactly one outcome for each.

`create_all`, `update_all`, `stream_create` and `stream_update` of a namespace start a run. This is
what they return, take and raise::

    with HubSpot() as hub:
        report = hub.orders.create_all(rows, unique_property="shop_order_id", journal="orders.run")
        for outcome in report.outcomes:
            print(outcome.index, outcome.status, outcome.id)
"""

from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._report import BulkError, Outcomes, Progress, Report, read_outcomes
from hubspot_batch.bulk._sources import flat_input, inputs_from
from hubspot_batch.bulk._streams import AsyncStream, Stream

__all__ = [
    "AsyncStream",
    "BulkError",
    "Outcome",
    "Outcomes",
    "Progress",
    "Report",
    "Stream",
    "flat_input",
    "inputs_from",
    "read_outcomes",
]
