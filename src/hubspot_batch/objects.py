"""What a client offers for each object type. Each method builds a call; the client sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias, Unpack

# What checks inputs and runs over rows takes as long to import as all the rest. So annotations name its types
# by way of the package, which imports a module when it is asked for.
import hubspot_batch
from hubspot_batch.results import BatchResult

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import hubspot_batch.bulk._options
    import hubspot_batch.bulk._sources
    import hubspot_batch.contract._inputs
    from hubspot_batch.contract._operations import ObjectType, Verb
    from hubspot_batch.transport._async import AsyncDriver
    from hubspot_batch.transport._calls import Call
    from hubspot_batch.transport._settings import Settings

    _Send: TypeAlias = Callable[[Call], BatchResult]
    _AsyncSend: TypeAlias = Callable[[Call], Awaitable[BatchResult]]


class _Namespace:
    """What the namespaces of both clients have in common: they turn inputs into calls."""

    def __init__(self, object_type: ObjectType, settings: Settings) -> None:
        self._object_type = object_type
        self._settings = settings

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._object_type!r})"

    def _call(self, verb: Verb, inputs: Iterable[object], unique_property: str | None = None) -> Call:
        # Late: what checks inputs and reads replies takes as long to import as all the rest.
        from hubspot_batch.transport._calls import build_call  # noqa: PLC0415

        return build_call(
            f"{verb}_{self._object_type}",
            inputs,
            api_version=self._settings.api_version,
            unique_property=unique_property,
        )


class Creates(_Namespace):
    """An object type whose records can be created."""

    def __init__(
        self,
        object_type: ObjectType,
        settings: Settings,
        send: _Send,
        driver: Callable[[], AsyncDriver],
    ) -> None:
        super().__init__(object_type, settings)
        self._send = send
        self._driver = driver

    def batch_create(
        self,
        inputs: Iterable[hubspot_batch.contract._inputs.AnyCreateInput],
        *,
        unique_property: str | None = None,
    ) -> BatchResult:
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
        return self._send(self._call("create", inputs, unique_property))

    def create_all(
        self,
        rows: hubspot_batch.bulk._sources.CreateSource,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Report:
        """Create any number of records, and return what became of each row.

        Rows are checked, sent in batches of 100 as fast as the quota allows, and matched with what HubSpot
        answers. Where it refuses a batch as a whole, the bad rows are found and the others arrive. Every row
        ends as `done`, `rejected` or `unknown`. Ctrl-C waits for what is in flight; a second one does not.

        Args:
            rows: The inputs, as for `batch_create`: any iterable of them. Or flat rows, whose columns
                are properties: a DB-API cursor, or anything with `__arrow_c_stream__`. They are read as they
                are needed.
            unique_property: A property that the account holds unique and that every row has. With it, a batch
                whose answer was lost is sent again, and a conflict then counts as done: HubSpot refused the
                double. Without it such rows are `unknown`.
            journal: A file that makes the run resumable. Start the same run with the same file again, and it
                finishes what was left: nothing is lost, nothing doubled. None of it is sent twice that is not
                safe to be.
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
        stream = self._stream(
            "create",
            rows,
            unique_property=unique_property,
            id_property=None,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )
        return stream.complete()

    def stream_create(
        self,
        rows: hubspot_batch.bulk._sources.CreateSource,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Stream:
        """Create any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `create_all`. Memory does not grow with the number of rows. Rows that an
        earlier run over the same journal has finished are yielded, too.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._stream(
            "create",
            rows,
            unique_property=unique_property,
            id_property=None,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def _stream(
        self, verb: Verb, rows: object, **options: Unpack[hubspot_batch.bulk._options.Options]
    ) -> hubspot_batch.bulk.Stream:
        # Late: SQLite and all that a run needs take long to import, and many a client never starts one.
        from hubspot_batch.bulk._streams import Stream  # noqa: PLC0415

        operation_id = f"{verb}_{self._object_type}"
        return Stream(operation_id, rows, options, self._settings, self._driver())


class Orders(Creates):
    """Orders, which can be created and updated."""

    def batch_update(self, inputs: Iterable[hubspot_batch.contract._inputs.AnyUpdateInput]) -> BatchResult:
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
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._send(self._call("update", inputs))

    def update_all(
        self,
        rows: hubspot_batch.bulk._sources.UpdateSource,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Report:
        """Update any number of records, and return what became of each row.

        As `create_all`, but a batch whose answer was lost is always sent again, for the same update twice is
        the same as once. Updates of one record reach HubSpot in the order of the rows.

        Args:
            rows: The inputs, as for `batch_update`; or flat rows, as for `create_all`.
            id_property: For flat rows, the column of a unique property that names the record. Without it, the
                column `id` holds the record id.
            journal: As for `create_all`; so are the others.
            account: Likewise.
            concurrency: Likewise.
            keep_going: Likewise.
            on_progress: Likewise.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        stream = self._stream(
            "update",
            rows,
            unique_property=None,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )
        return stream.complete()

    def stream_update(
        self,
        rows: hubspot_batch.bulk._sources.UpdateSource,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Stream:
        """Update any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `update_all`, and the rest is as for `stream_create`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._stream(
            "update",
            rows,
            unique_property=None,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )


class AsyncCreates(_Namespace):
    """An object type whose records can be created."""

    def __init__(
        self,
        object_type: ObjectType,
        settings: Settings,
        send: _AsyncSend,
        driver: Callable[[], AsyncDriver],
    ) -> None:
        super().__init__(object_type, settings)
        self._send = send
        self._driver = driver

    async def batch_create(
        self,
        inputs: Iterable[hubspot_batch.contract._inputs.AnyCreateInput],
        *,
        unique_property: str | None = None,
    ) -> BatchResult:
        """Create 1 to 100 records in one request, as `Creates.batch_create` does."""
        return await self._send(self._call("create", inputs, unique_property))

    async def create_all(
        self,
        rows: hubspot_batch.bulk._sources.AsyncCreateSource,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Report:
        """Create any number of records, as `Creates.create_all` does."""
        stream = self._stream(
            "create",
            rows,
            unique_property=unique_property,
            id_property=None,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )
        return await stream.complete()

    def stream_create(
        self,
        rows: hubspot_batch.bulk._sources.AsyncCreateSource,
        *,
        unique_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.AsyncStream:
        """Create any number of records, as `Creates.stream_create` does."""
        return self._stream(
            "create",
            rows,
            unique_property=unique_property,
            id_property=None,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def _stream(
        self, verb: Verb, rows: object, **options: Unpack[hubspot_batch.bulk._options.Options]
    ) -> hubspot_batch.bulk.AsyncStream:
        # Late: SQLite and all that a run needs take long to import, and many a client never starts one.
        from hubspot_batch.bulk._streams import AsyncStream  # noqa: PLC0415

        operation_id = f"{verb}_{self._object_type}"
        return AsyncStream(operation_id, rows, options, self._settings, self._driver())


class AsyncOrders(AsyncCreates):
    """Orders, which can be created and updated."""

    async def batch_update(
        self, inputs: Iterable[hubspot_batch.contract._inputs.AnyUpdateInput]
    ) -> BatchResult:
        """Update 1 to 100 records in one request, as `Orders.batch_update` does."""
        return await self._send(self._call("update", inputs))

    async def update_all(
        self,
        rows: hubspot_batch.bulk._sources.AsyncUpdateSource,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.Report:
        """Update any number of records, as `Orders.update_all` does."""
        stream = self._stream(
            "update",
            rows,
            unique_property=None,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )
        return await stream.complete()

    def stream_update(
        self,
        rows: hubspot_batch.bulk._sources.AsyncUpdateSource,
        *,
        id_property: str | None = None,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> hubspot_batch.bulk.AsyncStream:
        """Update any number of records, as `Orders.stream_update` does."""
        return self._stream(
            "update",
            rows,
            unique_property=None,
            id_property=id_property,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )
