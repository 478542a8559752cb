"""A consumer of a queue that delivers messages at least once: Kafka, SQS, Pub/Sub and their like.

Push first, then commit. A message that is delivered again, because the consumer died in between, finds its
record by the unique property and is done: nothing is doubled. Rows that are not done go to another queue.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hubspot_batch import HubSpot
from hubspot_batch.types import CreateRow


class Consumer(Protocol):
    """What the clients of Kafka have, more or less."""

    def consume(self, count: int, timeout: float) -> Sequence[Mapping[str, str]]:
        """Return the next messages; none if there are none within `timeout` seconds."""
        ...

    def commit(self) -> None:
        """Say that all messages so far are done."""
        ...


def consume(
    hub: HubSpot,
    consumer: Consumer,
    *,
    unique_property: str,
    reject: Callable[[Mapping[str, str], str], object],
    most: int = 1000,
) -> int:
    """Create an order for each message until there are none, and return how many are done.

    Args:
        hub: The client.
        consumer: Where the messages come from; each has the properties of an order.
        unique_property: The property whose values are unique.
        reject: Is called with each message that is not done, and the reason.
        most: How many messages are committed at once.

    Raises:
        BulkError: If the push was stopped. The messages are not committed, and come again.
    """
    done = 0
    while messages := consumer.consume(most, timeout=1.0):
        rows: list[CreateRow] = [{"properties": message} for message in messages]
        report = hub.orders.create_all(rows, unique_property=unique_property, existing="keep")
        for outcome in report.outcomes:
            if not outcome.ok:
                reject(messages[outcome.index], outcome.text)
        consumer.commit()
        done += report.done
    return done
