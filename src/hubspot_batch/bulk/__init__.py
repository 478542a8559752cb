"""Any number of rows into HubSpot, with exactly one outcome for each.

`create_all`, `update_all`, `upsert_all` of a namespace, and `stream_create` and so on, start a run. This is
what they return, take and raise::

    with HubSpot() as hub:
        report = hub.orders.create_all(rows, unique_property="shop_order_id", journal="orders.run")
        for outcome in report.outcomes:
            print(outcome.index, outcome.status, outcome.id)

`check` is a dry run. `read_run` tells what a journal is about, and `read_outcomes` what became of its rows.
"""

from hubspot_batch.bulk._check import Check, CheckFault, CheckReport, check
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._report import BulkError, Outcomes, Progress, Report, read_outcomes
from hubspot_batch.bulk._run_info import RunInfo, count_done, read_run, write_notes
from hubspot_batch.bulk._sent import SentInfo, read_sent
from hubspot_batch.bulk._sources import check_id_property, flat_input, input_with, inputs_from
from hubspot_batch.bulk._streams import AsyncStream, Stream

__all__ = [
    "AsyncStream",
    "BulkError",
    "Check",
    "CheckFault",
    "CheckReport",
    "Outcome",
    "Outcomes",
    "Progress",
    "Report",
    "RunInfo",
    "SentInfo",
    "Stream",
    "check",
    "check_id_property",
    "count_done",
    "flat_input",
    "input_with",
    "inputs_from",
    "read_outcomes",
    "read_run",
    "read_sent",
    "write_notes",
]
