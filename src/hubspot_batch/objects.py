"""The methods of `hub.orders`, `hub.contacts`, `hub.associations` and the other namespaces.

One class of each kind serves both clients. It names the operation; the sender of the client builds the
request, sends it and reads the reply.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict, TypeVar, Unpack

# The modules that define these types take as long to import as all the rest. So annotations name them by way
# of the package, which imports a module when it is asked for.
import hubspot_batch
from hubspot_batch.errors import InputIssue, InvalidInputError
from hubspot_batch.results import AssociationResult, BatchResult, PropertyDefinition

if TYPE_CHECKING:
    from hubspot_batch.bulk._check_account import CheckOptions
    from hubspot_batch.bulk._options import Options
    from hubspot_batch.contract._operations import Verb

__all__ = [
    "AssociationMethods",
    "Associations",
    "AsyncAssociations",
    "AsyncObjects",
    "AsyncReadOnlyObjects",
    "ObjectMethods",
    "Objects",
    "ReadMethods",
    "ReadOnlyObjects",
]

# What a synchronous method returns, or what an asynchronous one gives to await.
_BatchResultT = TypeVar("_BatchResultT")
_DefinitionsT = TypeVar("_DefinitionsT")
_AssociationResultT = TypeVar("_AssociationResultT")
_ReportT = TypeVar("_ReportT")
_StreamT = TypeVar("_StreamT")
_CheckReportT = TypeVar("_CheckReportT")
# Where rows come from: for asynchronous code, they may arrive one by one.
_CreateSourceT = TypeVar("_CreateSourceT")
_UpdateSourceT = TypeVar("_UpdateSourceT")
_UpsertSourceT = TypeVar("_UpsertSourceT")
_IdSourceT = TypeVar("_IdSourceT")
_PairSourceT = TypeVar("_PairSourceT")

_Report_co = TypeVar("_Report_co", covariant=True)
_Stream_co = TypeVar("_Stream_co", covariant=True)


class RequestParts(TypedDict, total=False):
    """What a request has beside its inputs; `build_call` explains each."""

    unique_property: str | None
    id_property: str | None
    arguments: Mapping[str, object]
    beside: Mapping[str, object]


class _Sender(Protocol[_Report_co, _Stream_co]):
    """How a client carries out what its namespaces ask for."""

    def send(self, operation_id: str, inputs: Iterable[object] = (), **parts: Unpack[RequestParts]) -> Any:  # noqa: ANN401 - what the operation returns
        """Send one request, and return its result or, for asynchronous code, an awaitable of it."""
        ...

    def stream(self, operation_id: str, rows: object, **options: Unpack[Options]) -> _Stream_co:
        """Start a run, and return its outcomes one by one."""
        ...

    def report(self, operation_id: str, rows: object, **options: Unpack[Options]) -> _Report_co:
        """Do a run to its end, and return its report."""
        ...

    def check(self, operation_id: str, rows: object, **options: Unpack[CheckOptions]) -> Any:  # noqa: ANN401 - a report, or an awaitable of it
        """Compare rows with the account, and return what was found."""
        ...


class ReadMethods(Generic[_BatchResultT, _DefinitionsT, _ReportT, _StreamT, _IdSourceT]):
    """What can be done with the records of an object type that are not to be changed.

    Methods of `HubSpot` return what they say. Those of `AsyncHubSpot` return it when awaited, except streams,
    which are for `async for`.
    """

    def __init__(self, object_type: str, sender: _Sender[_ReportT, _StreamT]) -> None:
        self._object_type = object_type
        self._sender = sender

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._object_type!r})"

    def batch_read(
        self,
        ids: Iterable[str | int],
        *,
        properties: Iterable[str] = (),
        history: Iterable[str] = (),
        id_property: str | None = None,
        archived: bool = False,
    ) -> _BatchResultT:
        """Read 1 to 100 records in one request.

        Ids that HubSpot does not find stand in `errors`, what it finds in `records`. `record.index` tells
        which id a record belongs to: HubSpot returns them in any order. A read is sent again after a time-out
        or a failure of the server.

        Args:
            ids: Record ids, or values of the property `id_property`; none of them twice.
            properties: The properties to return, by their internal names. HubSpot chooses a few where none is
                named.
            history: The properties to return with the values that they have had, in `record.history`. With
                any, at most 50 records.
            id_property: The unique property whose values the ids are.
            archived: Whether to read archived records, and no others.

        Returns:
            What was found, what was not, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any id or name is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        operation, arguments = self._read_operation()
        result: _BatchResultT = self._sender.send(
            operation,
            _id_inputs(ids),
            id_property=id_property,
            **_reading(arguments, properties, history, archived=archived),
        )
        return result

    def properties(self, *, archived: bool = False) -> _DefinitionsT:
        """Return the definitions of all properties of the object type.

        They tell the type and options of each, whether its values are unique, and whether it is read-only.

        Args:
            archived: Whether to return archived properties, and no others.

        Raises:
            ConnectionFailedError: If no reply came.
            ApiError: If HubSpot refused the request; one of several scopes is enough.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        arguments = {"objectType": self._object_type}
        definitions: _DefinitionsT = self._sender.send(
            "list_properties", arguments=arguments | ({"archived": archived} if archived is not False else {})
        )
        return definitions

    def read_all(
        self,
        ids: _IdSourceT,
        *,
        properties: Iterable[str] = (),
        history: Iterable[str] = (),
        id_property: str | None = None,
        assume_unique: bool = False,
        archived: bool = False,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Read any number of records, and return them.

        They are in `report.records`, in the order of the ids; `report.to_arrow()` makes a table of them, with
        the extra `parquet`. Ids that HubSpot does not find are `rejected`. All records are kept in memory,
        which `stream_read` does not do.

        Args:
            ids: Record ids, or values of the property `id_property`: any iterable of them, or of records,
                rows or inputs that have them; or flat rows with a column of them: a DB-API cursor, or
                anything with `__arrow_c_stream__`. An id may occur twice. An `AsyncHubSpot` also takes
                asynchronous iterables and cursors.
            properties: As for `batch_read`.
            history: As for `batch_read`. With any, a request has at most 50 records.
            id_property: The unique property whose values the ids are; of flat rows, the column.
            assume_unique: Whether to take your word that `id_property` is unique. By default the run reads
                the property definitions first, and does not begin where the account does not hold it unique.
            archived: As for `batch_read`.
            journal: A file that makes the run resumable. It keeps the records, too: a run that goes on has
                those that were read before as they were then, and one that is finished reads nothing again.
            account: What the account is called, where the token changes from run to run.
            concurrency: How many requests may be in flight, 40 by default.
            on_progress: Is called with a `Progress` about every hundred records.

        Returns:
            The records, the counts, the reasons, and in `outcomes` what became of each id.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            InvalidInputError: If a name of a property is not valid. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        operation, arguments = self._read_operation()
        return self._sender.report(
            operation,
            ids,
            **_reading(arguments, properties, history, archived=archived),
            id_property=id_property,
            assume_unique=assume_unique,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=False,
            on_progress=on_progress,
        )

    def stream_read(
        self,
        ids: _IdSourceT,
        *,
        properties: Iterable[str] = (),
        history: Iterable[str] = (),
        id_property: str | None = None,
        assume_unique: bool = False,
        archived: bool = False,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Read any number of records, and yield each as `outcome.record` as soon as it is there.

        The arguments are those of `read_all`. Memory does not grow with the number of records.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used; instead of
                the first outcome, if a property that is to name records is not unique.
            InvalidInputError: At once, if a name of a property is not valid.
            BulkError: After the last outcome, if the run could not be finished.
        """
        operation, arguments = self._read_operation()
        return self._sender.stream(
            operation,
            ids,
            **_reading(arguments, properties, history, archived=archived),
            id_property=id_property,
            assume_unique=assume_unique,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=False,
            on_progress=on_progress,
        )

    def _read_operation(self) -> tuple[str, Mapping[str, object]]:
        """Return the operation that reads these records, and the parameters of its path."""
        return "read_objects", {"objectType": self._object_type}


class ObjectMethods(
    ReadMethods[_BatchResultT, _DefinitionsT, _ReportT, _StreamT, _IdSourceT],
    Generic[
        _BatchResultT,
        _DefinitionsT,
        _ReportT,
        _StreamT,
        _CheckReportT,
        _CreateSourceT,
        _UpdateSourceT,
        _UpsertSourceT,
        _IdSourceT,
    ],
):
    """What can be done with the records of a commerce object: all that `ReadMethods` has, and writes."""

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
        return self._batch("create", inputs, unique_property=unique_property)

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
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._batch("update", inputs)

    def batch_upsert(
        self,
        inputs: Iterable[hubspot_batch.types.AnyUpsertInput | hubspot_batch.types.AnyUpdateInput],
        *,
        id_property: str | None = None,
    ) -> _BatchResultT:
        """Update 1 to 100 records in one request, and create those that there are not.

        `record.created` tells which of the two happened. An upsert is sent again after a time-out or a
        failure of the server: the second one finds what the first has written, and then reports it as
        updated. HubSpot refuses a batch in which an id occurs twice, so such a batch is not sent. Upserts
        have no associations; `hub.associations` makes them.

        Args:
            inputs: Mappings with `id` and `properties`, where `id` is the value of a unique property; or
                generated models.
            id_property: The unique property. Leave it out where each input names one as `idProperty`.

        Returns:
            What was written, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any input is not valid, or names no unique property. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        return self._batch("upsert", inputs, id_property=id_property)

    def batch_archive(self, ids: Iterable[str | int]) -> _BatchResultT:
        """Put 1 to 100 records into the recycle bin, in one request.

        HubSpot answers without a body. So the result has no `records`, and `ok` says only that HubSpot took
        the request: it does not tell of ids that no record has. `batch_read` of the ids finds what is left,
        and with `archived=True` what was archived. An archive is sent again after a time-out or a failure of
        the server.

        Args:
            ids: Record ids, none of them twice.

        Returns:
            That HubSpot took the request.

        Raises:
            InvalidInputError: If any id is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
        """
        return self._batch("archive", _id_inputs(ids))

    def check(
        self,
        rows: _CreateSourceT | _UpdateSourceT | _UpsertSourceT,
        *,
        verb: Literal["create", "update", "upsert"] = "create",
        unique_property: str | None = None,
        id_property: str | None = None,
        assume_unique: bool = False,
        look: bool = False,
        definitions: Iterable[PropertyDefinition] | None = None,
        on_faults: Callable[[int, Sequence[InputIssue]], object] | None = None,
    ) -> _CheckReportT:
        """Compare any number of rows with the account, and write nothing.

        What HubSpot is known to refuse is found: properties that the account does not have or does not let
        be written, values that are not numbers, dates or options, texts that are too long, and values of
        unique properties that occur twice among the rows. Where HubSpot's rules are not known, nothing is
        said, so it may refuse rows that have no fault here. Memory does not grow with the number of rows.

        Args:
            rows: As for `create_all`, `update_all` or `upsert_all`.
            verb: What the rows are for.
            unique_property: As for `create_all`: each row must have it.
            id_property: As for `update_all` and `upsert_all`.
            assume_unique: As for `create_all`.
            look: Whether to look up which records exist, a hundred in a request: those that rows are about,
                by `id`, `id_property` or `unique_property`, and those that they link with.
            definitions: What the properties are, as `properties` returns it. By default they are read, once
                in five minutes.
            on_faults: Is called for each row with faults, with its number from 0, in their order.

        Returns:
            How many rows have which faults, and the first rows of each.

        Raises:
            ConfigurationError: If the source or an option cannot be used, or the property that is to name
                records is not unique.
            PermissionDeniedError: If the token may not read the definitions, or records of this type.
            ConnectionFailedError: If no reply came.
            ApiError: If HubSpot refused a request.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        report: _CheckReportT = self._sender.check(
            self._operation(verb),
            rows,
            unique_property=unique_property,
            id_property=id_property,
            assume_unique=assume_unique,
            definitions=definitions,
            look=look,
            on_faults=on_faults,
        )
        return report

    def create_all(
        self,
        rows: _CreateSourceT,
        *,
        unique_property: str | None = None,
        assume_unique: bool = False,
        existing: hubspot_batch.types.Existing = "reject",
        settle_after: float = 5.0,
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
                An association of an input may name its target by a unique property:
                `{"to": {"type": "orders", "property": "hs_external_order_id", "value": "SO-1"}}`. The ids are
                read first, 100 in a request. A row whose target is not there, nor `settle_after` seconds
                later, is rejected and not sent: TARGET_NOT_FOUND. `types` may be left out where `to` has a
                `type`.
            unique_property: A property that the account holds unique and that every row has. With it, a row
                that may have been written, because its answer was lost for example, is looked for, 100 in a
                request: it is done if this run has created its record, and sent again if there is none. That
                takes the scope to read. Without it, such rows are `unknown`.
            assume_unique: Whether to take your word that a property is unique. By default a run that names
                one reads the property definitions first, for which the token needs a scope, and does not
                begin where the account does not hold it unique: that would make doubles. What was read counts
                for five minutes.
            existing: What to do with a row whose value of `unique_property` a record has that this run has
                not created. With "reject" the row is rejected as CONFLICT. With "keep" it is done, with the
                action `existing`: a task that is tried again, or a second run over the same rows, doubles
                nothing and gets the same ids. Either way `Outcome.id` is the id of that record. One record
                is never that of two rows: the later one is rejected.
            settle_after: After how many seconds a row that may have been written, and that is not found, is
                taken as not written, and the target of a link as not there. HubSpot can show new records
                late.
            journal: A file that makes the run resumable. Start the same run with the same file again, and it
                finishes what is left. Rows that were in flight when the process was killed are `unknown`,
                unless `unique_property` is named.
            account: What the account is called, where the token changes from run to run. The journal is
                refused for another one.
            concurrency: How many requests may be in flight, 40 by default. There are no more than fill the
                quota.
            keep_going: Whether to go on where every row of the first three batches is refused for one reason,
                a misspelt column for example, or where rows have an `idProperty` that is not unique. Else
                that stops the run.
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
            assume_unique=assume_unique,
            existing=existing,
            settle_after=settle_after,
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
        assume_unique: bool = False,
        existing: hubspot_batch.types.Existing = "reject",
        settle_after: float = 5.0,
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
            ConfigurationError: At once, if the source, an option or the journal cannot be used; instead of
                the first outcome, if a property that is to name records is not unique.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("create"),
            rows,
            unique_property=unique_property,
            assume_unique=assume_unique,
            existing=existing,
            settle_after=settle_after,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def resolve(
        self,
        rows: _CreateSourceT,
        *,
        journal: str | PathLike[str],
        unique_property: str,
        assume_unique: bool = False,
        existing: hubspot_batch.types.Existing = "reject",
        settle_after: float = 5.0,
        account: str | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Look for the rows that a run of `create_all` has left `unknown`, and write nothing in HubSpot.

        They are looked for by a unique property that they have, 100 in a request. A row whose record is there
        is done if that run can have created it, by its time and its values; else it is there already. A row
        without a record, `settle_after` seconds after this has begun, was not written: it is rejected, as
        NOT_WRITTEN, and can be sent again. A row without a value of the property stays unknown. The journal
        keeps what was found. If this is interrupted, or a look fails, the rows that are left stay as they
        were, and the same call goes on.

        Args:
            rows: The rows of the run, from the first one.
            journal: Its journal.
            unique_property: The property. It need not be one that the run has named.
            assume_unique: As for `create_all`.
            existing: As for `create_all`.
            settle_after: As for `create_all`.
            account: As for `create_all`.
            concurrency: As for `create_all`.
            on_progress: As for `create_all`.

        Returns:
            What has become of all rows of the run.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used, or the property is not
                unique.
            BulkError: If rows could not be looked for; they are what they were.
        """
        return self._sender.report(
            self._operation("create"),
            rows,
            resolves=True,
            journal=journal,
            unique_property=unique_property,
            assume_unique=assume_unique,
            existing=existing,
            settle_after=settle_after,
            account=account,
            concurrency=concurrency,
            keep_going=False,
            on_progress=on_progress,
        )

    def update_all(
        self,
        rows: _UpdateSourceT,
        *,
        id_property: str | None = None,
        assume_unique: bool = False,
        changed_only: str | PathLike[str] | None = None,
        send_all: bool = False,
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
            id_property: The unique property that names the records: of flat rows, the column; in inputs, what
                `id` is the value of, unless they have an `idProperty`. Without it, `id` is the record id.
            assume_unique: As for `create_all`.
            changed_only: A file that keeps what was last sent of each record, as digests; it is made if it is
                missing. Rows that are as they were then are not sent: they are done, with the action
                `unchanged` and the id of their record. A row that was refused, or is unknown, is sent again.
                What others change in HubSpot is not seen. One file is for one account and object type, and
                one run at a time.
            send_all: Whether to send rows that have not changed, too, and remember what was sent.
            journal: As for `create_all`.
            account: As for `create_all`.
            concurrency: As for `create_all`.
            keep_going: As for `create_all`.
            on_progress: As for `create_all`.

        Returns:
            The same as `create_all`.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        return self._sender.report(
            self._operation("update"),
            rows,
            id_property=id_property,
            assume_unique=assume_unique,
            changed_only=changed_only,
            send_all=send_all,
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
        assume_unique: bool = False,
        changed_only: str | PathLike[str] | None = None,
        send_all: bool = False,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Update any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `update_all`, and the rest is as for `stream_create`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used; instead of
                the first outcome, if a property that is to name records is not unique.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("update"),
            rows,
            id_property=id_property,
            assume_unique=assume_unique,
            changed_only=changed_only,
            send_all=send_all,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def upsert_all(
        self,
        rows: _UpsertSourceT,
        *,
        id_property: str | None = None,
        assume_unique: bool = False,
        changed_only: str | PathLike[str] | None = None,
        send_all: bool = False,
        settle_after: float = 5.0,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Update any number of records, and create those that there are not.

        As `update_all`: what was lost is sent again, and rows with one id reach HubSpot one after the other.

        Args:
            rows: The inputs, as for `batch_upsert`; or flat rows, as for `create_all`. Inputs may have
                `associations`, as for `create_all`. They are written as soon as the record is, and the row
                is done when both are. If a link is refused, the row is NOT_LINKED, and has the id of its
                record.
            id_property: The unique property that names the records: of flat rows, the column; in inputs, what
                `id` is the value of, unless they have an `idProperty`. Flat rows need it.
            assume_unique: As for `create_all`.
            changed_only: As for `update_all`. A record that was archived since is not made again.
            send_all: As for `update_all`.
            settle_after: After how many seconds the target of a link that is named by a property, and is not
                there, is taken as missing. HubSpot can show new records late.
            journal: As for `create_all`.
            account: As for `create_all`.
            concurrency: As for `create_all`.
            keep_going: As for `create_all`.
            on_progress: As for `create_all`.

        Returns:
            The same as `create_all`.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        return self._sender.report(
            self._operation("upsert"),
            rows,
            id_property=id_property,
            assume_unique=assume_unique,
            changed_only=changed_only,
            send_all=send_all,
            settle_after=settle_after,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def stream_upsert(
        self,
        rows: _UpsertSourceT,
        *,
        id_property: str | None = None,
        assume_unique: bool = False,
        changed_only: str | PathLike[str] | None = None,
        send_all: bool = False,
        settle_after: float = 5.0,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Upsert any number of records, and yield what became of each row as soon as it is known.

        The arguments are those of `upsert_all`, and the rest is as for `stream_create`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used; instead of
                the first outcome, if a property that is to name records is not unique.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("upsert"),
            rows,
            id_property=id_property,
            assume_unique=assume_unique,
            changed_only=changed_only,
            send_all=send_all,
            settle_after=settle_after,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def archive_all(
        self,
        ids: _IdSourceT,
        *,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Put any number of records into the recycle bin, and return what became of each id.

        As `update_all`: what was lost is sent again. `done` means that the record is archived or was not
        there: HubSpot does not tell of ids that no record has.

        Args:
            ids: Record ids: any iterable of them, or of records, rows or inputs that have them; or flat rows
                with a column `id`.
            journal: As for `create_all`.
            account: As for `create_all`.
            concurrency: As for `create_all`.
            keep_going: As for `create_all`.
            on_progress: As for `create_all`.

        Returns:
            The same as `create_all`.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        return self._sender.report(
            self._operation("archive"),
            ids,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def stream_archive(
        self,
        ids: _IdSourceT,
        *,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Archive any number of records, and yield what became of each id as soon as it is known.

        The arguments are those of `archive_all`, and the rest is as for `stream_create`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            BulkError: After the last outcome, if the run could not be finished.
        """
        return self._sender.stream(
            self._operation("archive"),
            ids,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def _batch(self, verb: Verb, inputs: Iterable[object], **parts: Unpack[RequestParts]) -> _BatchResultT:
        result: _BatchResultT = self._sender.send(self._operation(verb), inputs, **parts)
        return result

    def _read_operation(self) -> tuple[str, Mapping[str, object]]:
        return self._operation("read"), {}

    def _operation(self, verb: Verb) -> str:
        return f"{verb}_{self._object_type}"


class AssociationMethods(Generic[_AssociationResultT, _ReportT, _StreamT, _PairSourceT]):
    """What can be done with the associations of records of all object types.

    Methods of `HubSpot` return what they say. Those of `AsyncHubSpot` return it when awaited.
    """

    def __init__(self, sender: _Sender[_ReportT, _StreamT]) -> None:
        self._sender = sender

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def batch_create(
        self,
        from_type: str,
        to_type: str,
        pairs: Iterable[tuple[str | int, str | int] | hubspot_batch.types.AnyAssociationInput],
        *,
        type_id: int | str | None = None,
    ) -> _AssociationResultT:
        """Link 1 to 100 pairs of records in one request.

        A link that exists stays as it is, so this is sent again after a time-out or a failure of the server.
        What is linked can be seen from both ends.

        Args:
            from_type: The object type that the links begin at: `"orders"`, `"order"` or `"0-123"`.
            to_type: The object type that they lead to.
            pairs: Pairs of record ids, `(from_id, to_id)`; or mappings with `from`, `to` and `types`, where a
                link is to mean more than one thing. None of the pairs twice.
            type_id: What the links mean: the id of a type, or its name, `"order to primary company"` or
                `"primary company"`. By default they mean nothing beyond the link, which is 507 from orders to
                contacts. An id that HubSpot has not defined is one of the account's own labels.

        Returns:
            What is linked, what was refused, and what the reply says nothing about.

        Raises:
            InvalidInputError: If any pair or object type is not valid. Nothing was sent.
            ConnectionFailedError: If no reply came.
            ApiError: If the request as a whole was refused.
            UnexpectedReplyError: If HubSpot reported a success that cannot be read.
        """
        from hubspot_batch.contract._associations import association_inputs, in_paths  # noqa: PLC0415

        begin, end = in_paths(from_type), in_paths(to_type)
        result: _AssociationResultT = self._sender.send(
            "create_associations",
            association_inputs(begin, end, pairs, type_id),
            arguments={"fromObjectType": begin, "toObjectType": end},
        )
        return result

    def create_all(
        self,
        from_type: str,
        to_type: str,
        pairs: _PairSourceT,
        *,
        type_id: int | str | None = None,
        assume_unique: bool = False,
        settle_after: float = 5.0,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _ReportT:
        """Link any number of pairs of records, and return what became of each pair.

        As `update_all` of an object type: what was lost is sent again, because a link that exists stays as it
        is.

        Args:
            from_type: As for `batch_create`.
            to_type: As for `batch_create`.
            pairs: As for `batch_create`, any number of them; a pair may occur twice. A unique property may
                stand for an id: `("44001", {"property": "hs_external_order_id", "value": "SO-1"})`. An
                `AsyncHubSpot` also takes asynchronous iterables.
            type_id: As for `batch_create`.
            assume_unique: Whether to take your word that the properties in `pairs` are unique.
            settle_after: After how many seconds a record that is named by a property, and is not there, is
                taken as missing. HubSpot can show new records late.
            journal: A file that makes the run resumable, as for `create_all` of an object type.
            account: What the account is called, where the token changes from run to run.
            concurrency: How many requests may be in flight, 40 by default.
            keep_going: Whether to go on where every pair of the first three batches is refused for one
                reason.
            on_progress: Is called with a `Progress` about every hundred pairs.

        Returns:
            The counts, the reasons, and in `outcomes` what became of each pair. Links have no `id`.

        Raises:
            ConfigurationError: If the source, an option or the journal cannot be used. Nothing was sent.
            InvalidInputError: If an object type is not valid. Nothing was sent.
            BulkError: If the run could not be finished; its `report` tells how far it came.
        """
        rows, arguments = _links(from_type, to_type, pairs, type_id)
        return self._sender.report(
            "create_associations",
            rows,
            arguments=arguments,
            assume_unique=assume_unique,
            settle_after=settle_after,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )

    def stream_create(
        self,
        from_type: str,
        to_type: str,
        pairs: _PairSourceT,
        *,
        type_id: int | str | None = None,
        assume_unique: bool = False,
        settle_after: float = 5.0,
        journal: str | PathLike[str] | None = None,
        account: str | None = None,
        concurrency: int | None = None,
        keep_going: bool = False,
        on_progress: Callable[[hubspot_batch.bulk.Progress], object] | None = None,
    ) -> _StreamT:
        """Link any number of pairs of records, and yield what became of each as soon as it is known.

        The arguments are those of `create_all`.

        Raises:
            ConfigurationError: At once, if the source, an option or the journal cannot be used.
            InvalidInputError: At once, if an object type is not valid.
            BulkError: After the last outcome, if the run could not be finished.
        """
        rows, arguments = _links(from_type, to_type, pairs, type_id)
        return self._sender.stream(
            "create_associations",
            rows,
            arguments=arguments,
            assume_unique=assume_unique,
            settle_after=settle_after,
            journal=journal,
            account=account,
            concurrency=concurrency,
            keep_going=keep_going,
            on_progress=on_progress,
        )


class _Reading(TypedDict):
    arguments: Mapping[str, object]
    beside: Mapping[str, object]


def _reading(
    arguments: Mapping[str, object], properties: Iterable[str], history: Iterable[str], *, archived: bool
) -> _Reading:
    """Return what a request to read has beside the ids."""
    return {
        "arguments": {**arguments, "archived": archived} if archived is not False else arguments,
        "beside": {"properties": _listed(properties), "propertiesWithHistory": _listed(history)},
    }


def _links(
    from_type: str, to_type: str, pairs: object, type_id: int | str | None
) -> tuple[object, Mapping[str, object]]:
    """Return the inputs that link pairs, and the parameters of the path."""
    from hubspot_batch.contract._associations import association_inputs, in_paths  # noqa: PLC0415

    begin, end = in_paths(from_type), in_paths(to_type)
    arguments = {"fromObjectType": begin, "toObjectType": end}
    if isinstance(pairs, AsyncIterable):
        return _each_linked(pairs, lambda pair: association_inputs(begin, end, [pair], type_id)), arguments
    if isinstance(pairs, Iterable) and not isinstance(pairs, Mapping | str | bytes):
        return association_inputs(begin, end, pairs, type_id), arguments
    # The engine says what is wrong with it.
    return pairs, arguments


async def _each_linked(
    pairs: AsyncIterable[object], link: Callable[[object], Iterator[object]]
) -> AsyncIterator[object]:
    async for pair in pairs:
        for item in link(pair):
            yield item


def _id_inputs(ids: Iterable[object]) -> Iterator[object]:
    """Yield the inputs that ids stand for.

    Raises:
        InvalidInputError: If they are not ids.
    """
    if isinstance(ids, Mapping | str | bytes) or not isinstance(ids, Iterable):
        problem = f"a value of type {type(ids).__name__} stands where a list of ids belongs"
        raise InvalidInputError(
            [
                InputIssue(
                    index=None, pointer="/inputs", problem=problem, remedy='write a list: ["44001", "44002"]'
                )
            ]
        )
    for record in ids:
        yield {"id": record}


def _listed(names: Iterable[str]) -> object:
    """Return names as a list. Any other value is left for the document to refuse."""
    is_collection = isinstance(names, Iterable) and not isinstance(names, str | bytes | Mapping)
    return [*names] if is_collection else names


class ReadOnlyObjects(
    ReadMethods[
        BatchResult,
        Sequence[PropertyDefinition],
        "hubspot_batch.bulk.Report",
        "hubspot_batch.bulk.Stream",
        "hubspot_batch.types.IdSource",
    ]
):
    """What a `HubSpot` can do with the records that links lead to: contacts, companies, deals, products."""


class AsyncReadOnlyObjects(
    ReadMethods[
        Coroutine[Any, Any, BatchResult],
        Coroutine[Any, Any, Sequence[PropertyDefinition]],
        "Coroutine[Any, Any, hubspot_batch.bulk.Report]",
        "hubspot_batch.bulk.AsyncStream",
        "hubspot_batch.types.AsyncIdSource",
    ]
):
    """What an `AsyncHubSpot` can do with the records that links lead to."""


class Objects(
    ObjectMethods[
        BatchResult,
        Sequence[PropertyDefinition],
        "hubspot_batch.bulk.Report",
        "hubspot_batch.bulk.Stream",
        "hubspot_batch.bulk.CheckReport",
        "hubspot_batch.types.CreateSource",
        "hubspot_batch.types.UpdateSource",
        "hubspot_batch.types.UpsertSource",
        "hubspot_batch.types.IdSource",
    ]
):
    """What a `HubSpot` can do with the records of one object type."""


class AsyncObjects(
    ObjectMethods[
        Coroutine[Any, Any, BatchResult],
        Coroutine[Any, Any, Sequence[PropertyDefinition]],
        "Coroutine[Any, Any, hubspot_batch.bulk.Report]",
        "hubspot_batch.bulk.AsyncStream",
        "Coroutine[Any, Any, hubspot_batch.bulk.CheckReport]",
        "hubspot_batch.types.AsyncCreateSource",
        "hubspot_batch.types.AsyncUpdateSource",
        "hubspot_batch.types.AsyncUpsertSource",
        "hubspot_batch.types.AsyncIdSource",
    ]
):
    """What an `AsyncHubSpot` can do with the records of one object type."""


class Associations(
    AssociationMethods[
        AssociationResult,
        "hubspot_batch.bulk.Report",
        "hubspot_batch.bulk.Stream",
        "hubspot_batch.types.PairSource",
    ]
):
    """What a `HubSpot` can do with the associations of records."""


class AsyncAssociations(
    AssociationMethods[
        Coroutine[Any, Any, AssociationResult],
        "Coroutine[Any, Any, hubspot_batch.bulk.Report]",
        "hubspot_batch.bulk.AsyncStream",
        "hubspot_batch.types.AsyncPairSource",
    ]
):
    """What an `AsyncHubSpot` can do with the associations of records."""
