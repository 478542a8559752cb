"""The methods of `hub.orders`, `hub.line_items`, `hub.commerce_payments` and `hub.carts`.

One class holds them for both clients. It names the operation; the sender of the client builds the request,
sends it and reads the reply.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, Unpack

# The modules that define these types take as long to import as all the rest. So annotations name them by way
# of the package, which imports a module when it is asked for.
import hubspot_batch
from hubspot_batch.results import BatchResult

if TYPE_CHECKING:
    from hubspot_batch.bulk._options import Options
    from hubspot_batch.contract._operations import Verb

__all__ = ["AsyncObjects", "ObjectMethods", "Objects"]

# What a synchronous method returns, or what an asynchronous one gives to await.
_BatchResultT = TypeVar("_BatchResultT")
_ReportT = TypeVar("_ReportT")
_StreamT = TypeVar("_StreamT")
# Where rows come from: for asynchronous code, they may arrive one by one.
_CreateSourceT = TypeVar("_CreateSourceT")
_UpdateSourceT = TypeVar("_UpdateSourceT")

_BatchResult_co = TypeVar("_BatchResult_co", covariant=True)
_Report_co = TypeVar("_Report_co", covariant=True)
_Stream_co = TypeVar("_Stream_co", covariant=True)


class _Sender(Protocol[_BatchResult_co, _Report_co, _Stream_co]):
    """How a client carries out what its namespaces ask for."""

    def batch(
        self, operation_id: str, inputs: Iterable[object], *, unique_property: str | None = None
    ) -> _BatchResult_co:
        """Send one batch, and return its result."""
        ...

    def stream(self, operation_id: str, rows: object, **options: Unpack[Options]) -> _Stream_co:
        """Start a run, and return its outcomes one by one."""
        ...

    def report(self, operation_id: str, rows: object, **options: Unpack[Options]) -> _Report_co:
        """Do a run to its end, and return its report."""
        ...


class ObjectMethods(Generic[_BatchResultT, _ReportT, _StreamT, _CreateSourceT, _UpdateSourceT]):
    """What can be done with the records of one object type.

    Methods of `HubSpot` return what they say. Those of `AsyncHubSpot` return it when awaited, except streams,
    which are for `async for`.
    """

    def __init__(
        self,
        object_type: hubspot_batch.types.ObjectType,
        sender: _Sender[_BatchResultT, _ReportT, _StreamT],
    ) -> None:
        self._object_type = object_type
        self._sender = sender

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._object_type!r})"

    def batch_create(
        self,
        inputs: Iterable[hubspot_batch.types.AnyCreateInput],
        *,
        unique_property: str | None = None,
    ) -> _BatchResultT:
        """Create 1 to 100 records in one request.

        An input that HubSpot refuses costs only itself: it stands in `errors`, the others are written. A
        batch that may have been written is not sent again, so that no record is doubled, unless
        `unique_property` names a property by which HubSpot itself refuses the double; the conflict then
        stands in `errors`, or is raised as `ConflictError`.

        Args:
            inputs: Mappings with `properties` and, where wanted, `associations` and `objectWriteTraceId`; or
                generated models. Numbers, bools, dates, aware datetimes and lists of options become text.
                They are not changed.
            unique_property: A property that the account holds unique and that every input has.

        Returns:
            What was written, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any input is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came; `maybe_written` tells whether to look first.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._sender.batch(self._operation("create"), inputs, unique_property=unique_property)

    def batch_update(self, inputs: Iterable[hubspot_batch.types.AnyUpdateInput]) -> _BatchResultT:
        """Update 1 to 100 records in one request.

        Ids that HubSpot does not find stand in `errors`, the other records are updated. An invalid value
        refuses the whole request. Updates are sent again after a time-out or a failure of the server: to
        set the same values twice is to set them once.

        Args:
            inputs: Mappings with `id` and `properties`, and `idProperty` where `id` is not the record id but
                the value of a unique property; or generated models. `""` clears a property, None does not.

        Returns:
            What was written, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any input is not valid. Nothing was sent.
            ConfigurationError: If the document has no update for this object type. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._sender.batch(self._operation("update"), inputs)

    def create_all(
        self,
        rows: _CreateSourceT,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Create any number of records, and return what became of each row.

        Rows are checked, sent in batches of 100 as fast as the quota allows, and matched with what HubSpot
        answers. If it refuses a whole batch, the bad rows are found and the others are written. Every row
        ends as `done`, `rejected` or `unknown`. Ctrl-C waits for what is in flight; a second one does not.

        Args:
            rows: The inputs, as for `batch_create`: any iterable of them. Or flat rows, whose columns
                are properties: a DB-API cursor, or anything with `__arrow_c_stream__`. They are read as they
                are needed. An `AsyncHubSpot` also takes asynchronous iterables and cursors.
            unique_property: A property that the account holds unique and that every row has. With it, a batch
                whose answer was lost is sent again, and a conflict then counts as done: HubSpot refused the
                double. If the account does not hold it unique, this makes doubles. Without it, such rows are
                `unknown`.
            journal: A file that makes the run resumable. Start the same run with the same file again, and it
                finishes what is left. Rows that were in flight when the process was killed are `unknown`,
                unless `unique_property` is named.
            account: What the account is called, where the token changes from run to run. The journal is
                refused for another one.
            concurrency: How many requests may be in flight, 40 by default. There are no more than fill the
                quota.
            keep_going: Whether to go on where every row of the first three batches is refused for one reason,
                a misspelt column for example, or where `idProperty` is not unique. Else that stops the run.
            on_progress: Is called with a `Progress` about every hundred rows.

        Returns:
            The counts, the reasons, and in `outcomes` what became of each row, in the order of the rows.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        return self._sender.report(
            self._operation("create"),
            rows,
            unique_property=unique_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def stream_create(
        self,
        rows: _CreateSourceT,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Create any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `create_all`. Rows and outcomes are not kept in memory. Rows that an
        earlier run over the same journal has finished are yielded, too.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("create"),
            rows,
            unique_property=unique_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def update_all(
        self,
        rows: _UpdateSourceT,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Update any number of records, and return what became of each row.

        As `create_all`, but a batch whose answer was lost is always sent again, for the same update twice is
        the same as once. Updates of one record reach HubSpot in the order of the rows.

        Args:
            rows: The inputs, as for `batch_update`; or flat rows, as for `create_all`.
            id_property: For flat rows, the column of a unique property that names the record. Without it, the
                column `id` holds the record id.
            journal: As for `create_all`.
            account: As for `create_all`.
            concurrency: As for `create_all`.
            keep_going: As for `create_all`.
            on_progress: As for `create_all`.

        Returns:
            The same as `create_all`.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used, or the document has no
                update for this object type. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        return self._sender.report(
            self._operation("update"),
            rows,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def stream_update(
        self,
        rows: _UpdateSourceT,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Update any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `update_all`, and the rest is as for `stream_create`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("update"),
            rows,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def _operation(self, verb: Verb) -> str:
        return f"{verb}_{self._object_type}"


class Objects(
    ObjectMethods[
        BatchResult,
        "hubspot_batch.bulk.Report",
        "hubspot_batch.bulk.Stream",
        "hubspot_batch.types.CreateSource",
        "hubspot_batch.types.UpdateSource",
    ]
):
    """What a `HubSpot` can do with the records of one object type."""


class AsyncObjects(
    ObjectMethods[
        Coroutine[Any, Any, BatchResult],
        "Coroutine[Any, Any, hubspot_batch.bulk.Report]",
        "hubspot_batch.bulk.AsyncStream",
        "hubspot_batch.types.AsyncCreateSource",
        "hubspot_batch.types.AsyncUpdateSource",
    ]
):
    """What an `AsyncHubSpot` can do with the records of one object type."""
