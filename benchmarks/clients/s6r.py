"""`s6r-hubspot`. It has no asynchronous client, and no base URL to choose."""

from collections.abc import Callable

from _batches import BATCH, Shape
from s6r_hubspot import HubspotConnection


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what creates the records."""
    connection = HubspotConnection("token")
    connection._url = url  # noqa: SLF001 - there is no other way
    return lambda: connection.create(batch.object_type, batch.inputs, chunk_size=BATCH)
