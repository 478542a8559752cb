"""A dry run: what is wrong with the rows of a source, and how many requests the others take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hubspot_batch.bulk._plan import PlannedBatch, Planner
from hubspot_batch.bulk._rows import rows_from
from hubspot_batch.bulk._sources import CreateSource, UpdateSource, chunks
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import InputIssue


class Check(Iterator[Sequence[InputIssue]]):
    """The faults of each row of a source, in the order of the rows. The rows are read as it is iterated.

    Attributes:
        rows: How many rows were checked so far.
        invalid: How many of them have a fault.
        requests: How many requests the others take; complete once all rows were checked.
    """

    def __init__(
        self,
        operation: contract.Operation,
        source: Iterator[list[object]],
        unique_property: str | None,
        beside: Mapping[str, object],
    ) -> None:
        self.rows = 0
        self.invalid = 0
        self.requests = 0
        self._planner = Planner()
        self._faults = self._check(operation, source, unique_property, beside)

    def __next__(self) -> Sequence[InputIssue]:
        return next(self._faults)

    def _check(
        self,
        operation: contract.Operation,
        source: Iterator[list[object]],
        unique_property: str | None,
        beside: Mapping[str, object],
    ) -> Iterator[Sequence[InputIssue]]:
        for inputs in source:
            for row in rows_from(operation, inputs, self.rows, unique_property, beside):
                self.rows += 1
                if row.faults:
                    self.invalid += 1
                else:
                    self._count(self._planner.add(row))
                yield row.faults
        self._count(self._planner.flush())

    def _count(self, batches: Sequence[PlannedBatch]) -> None:
        self.requests += len(batches)
        for batch in batches:
            self._planner.finished(batch)


def check(
    operation: contract.OperationId,
    rows: CreateSource | UpdateSource | Iterable[object],
    *,
    unique_property: str | None = None,
    id_property: str | None = None,
) -> Check:
    """Check every row of a source as a run would, without sending anything.

    Args:
        operation: The operation that the rows are for, `create_orders` for example.
        rows: A source of rows, as `create_all` takes it.
        unique_property: As in `create_all`: each row must have it.
        id_property: As in `update_all` or `read_all`.

    Returns:
        An iterator over the faults of each row, none for a valid one.

    Raises:
        ConfigurationError: If an argument cannot be used.
    """
    known = contract.operation(operation)
    # Of a read, it stands beside the ids, and says which values they are.
    is_beside = id_property is not None and "idProperty" in known.body_keys
    beside = {"idProperty": id_property} if is_beside else {}
    return Check(known, chunks(rows, verb=known.verb, id_property=id_property), unique_property, beside)
