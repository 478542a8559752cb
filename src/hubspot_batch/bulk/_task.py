"""What a run is to do, and what it has counted so far."""

from msgspec import Struct, field

from hubspot_batch.contract._operations import Operation


class Task(Struct, frozen=True, kw_only=True):
    """What a run is to do.

    Attributes:
        operation: The operation.
        unique_property: The property that keeps HubSpot from making doubles, if the caller names one.
        ceiling: How many requests may be in flight.
        total: How many rows the source has, if it tells.
        keep_going: Whether to go on where one mistake of all rows would stop the run.
    """

    operation: Operation
    unique_property: str | None
    ceiling: int
    total: int | None
    keep_going: bool = False

    @property
    def resendable(self) -> bool:
        """Whether a row may be sent again although it may have been written."""
        return self.operation.resendable(self.unique_property)


class Counts(Struct, eq=False, kw_only=True):
    """What a run has counted so far; the attributes are those of `Progress`, but for one.

    Attributes:
        sent: The indexes of the rows that were sent and have no outcome.
    """

    read: int = 0
    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    sent: set[int] = field(default_factory=set)
