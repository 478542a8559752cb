"""Spark data frames into HubSpot, with an outcome for each row. pyspark 4 is yours: it is imported when used.

The functions push at once. They write the outcomes where `results` says, and return a frame that reads them:
a lazy frame of outcomes would push again whenever it is looked at. The columns of the result are those of the
input and five more, whose names no property of HubSpot can have:

- `_status`: `done`, `rejected` or `unknown`.
- `_id`, `_action`: the record, and what was done, as in `hubspot_batch.bulk.Outcome`.
- `_code`, `_message`: why a row is not done. The codes are the categories of outcomes, and two more: NOT_SENT
  where the push was stopped before the row, and EARLIER_ATTEMPT where an earlier attempt of the task may have
  written it.

Example:
    ::

        from hubspot_batch.spark import push_create

        outcomes = push_create(
            orders, "orders", results="s3://lake/outcomes/orders", unique_property="shop_number"
        )
        rejected = outcomes.where("_status = 'rejected'")
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack, get_args

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch._display import printable
from hubspot_batch.bulk import Outcome, Stream, input_with
from hubspot_batch.bulk.arrow import import_pyarrow, rows_of
from hubspot_batch.client import HubSpot
from hubspot_batch.contract._operations import MAX_INPUTS, ObjectType, Verb
from hubspot_batch.contract._values import Problem, Unreadable
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.transport._quota import Quota, is_number

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

__all__ = ["PushOptions", "PushStoppedError", "push_create", "push_update", "push_upsert"]

Connect: TypeAlias = Callable[..., AbstractContextManager[HubSpot]]

RESULT_COLUMNS = ("_status", "_id", "_action", "_code", "_message")
_NOT_SENT = "NOT_SENT"
_RUN_OPTIONS = ("assume_unique", "concurrency", "keep_going")
_EARLIER = Outcome(
    index=0,
    status="unknown",
    category="EARLIER_ATTEMPT",
    message="an earlier attempt of this task may have written the row; "
    "with a unique property it would be looked for",
)
_NO_ACCOUNT = Outcome(index=0, status="rejected", category=_NOT_SENT, message="the row names no account")


class PushStoppedError(HubSpotBatchError):
    """Something stopped a push, so some rows were not sent. What became of each row is written down.

    Attributes:
        results: The frame of outcomes. The rows that were not sent have the `_code` NOT_SENT.
    """

    def __init__(self, text: str, *, results: DataFrame) -> None:
        self.results = results
        super().__init__(printable(text))


class PushOptions(TypedDict, total=False):
    """The other keywords of all three functions.

    Attributes:
        properties: The columns to send, beside the one that names the record. By default all that are
            neither links nor the account.
        connect: Makes a client, in the process of the task. By default that is `HubSpot`, and the token the
            HUBSPOT_ACCESS_TOKEN of the executors. Fetch tokens inside the function: all that it refers to
            travels with the tasks.
        account: A column that says whose row it is. `connect` is called with each of its values, and one task
            has all rows of an account.
        partitions: How many tasks push: 1, or with an account column `spark.sql.shuffle.partitions`. More
            than one need a quota that they share, or an account column.
        assume_unique: As for `create_all`, as are the next two.
        concurrency: How many requests may be in flight, of each task.
        keep_going: Whether to go on where all rows are refused for one reason.
        overwrite: Whether to replace results that exist, where a batch of a stream is pushed again. A create
            needs a unique property for it.
    """

    properties: Iterable[str] | None
    connect: Connect
    account: str | None
    partitions: int | None
    assume_unique: bool
    concurrency: int | None
    keep_going: bool
    overwrite: bool


def push_create(
    df: DataFrame,
    object_type: ObjectType,
    *,
    results: str | os.PathLike[str],
    unique_property: str | None = None,
    links: Mapping[str, str] | None = None,
    **options: Unpack[PushOptions],
) -> DataFrame:
    """Create a record for each row, and return the outcomes.

    With a unique property, a task that Spark tries again, or a push that is repeated, doubles nothing: a row
    that has its record already is `done`, with the `_action` `existing`. Without one, a second attempt of a
    task sends nothing, and its rows are `unknown`.

    Args:
        df: The rows. A column is a property, and null leaves it out. Timestamps are written in UTC; an array
            has the options of one property.
        object_type: What to create: `orders` for example.
        results: Where to write the outcomes: a directory of Parquet files, if there is a slash in it or it is
            a `Path`, or else a table. It must not exist, unless a push that was killed has left it empty.
        unique_property: A property whose values are unique in HubSpot.
        links: Columns that name records to link with, and what these are: `{"contact_id": "contacts"}` for
            ids, `{"email": "contacts.email"}` for values of a unique property. A null rejects its row, unless
            a question mark follows: `contacts.email?`.
        **options: See `PushOptions`.

    Raises:
        ConfigurationError: If something is not as it has to be. Nothing was sent.
        PushStoppedError: If some rows were not sent. Its `results` has the outcomes of all.
    """
    existing = "reject" if unique_property is None else "keep"
    return _push(
        df,
        _Plan(verb="create", object_type=object_type, unique=unique_property, links=_links(links)),
        results,
        {"unique_property": unique_property, "existing": existing},
        options,
    )


def push_upsert(
    df: DataFrame,
    object_type: ObjectType,
    *,
    results: str | os.PathLike[str],
    id_property: str,
    links: Mapping[str, str] | None = None,
    **options: Unpack[PushOptions],
) -> DataFrame:
    """Create or update a record for each row, and return the outcomes. Tasks may be tried again.

    Args:
        df: The rows, as for `push_create`.
        object_type: What to write.
        results: Where to write the outcomes, as for `push_create`.
        id_property: The column of a unique property, which names the records.
        links: Columns that name records to link with, as for `push_create`.
        **options: See `PushOptions`.

    Raises:
        ConfigurationError: If something is not as it has to be. Nothing was sent.
        PushStoppedError: If some rows were not sent. Its `results` has the outcomes of all.
    """
    plan = _Plan(verb="upsert", object_type=object_type, key=id_property, links=_links(links))
    return _push(df, plan, results, {"id_property": id_property}, options)


def push_update(
    df: DataFrame,
    object_type: ObjectType,
    *,
    results: str | os.PathLike[str],
    id_property: str | None = None,
    **options: Unpack[PushOptions],
) -> DataFrame:
    """Update a record for each row, and return the outcomes. Tasks may be tried again.

    Args:
        df: The rows, as for `push_create`.
        object_type: What to update.
        results: Where to write the outcomes, as for `push_create`.
        id_property: The column of a unique property, which names the records. By default the column `id` has
            the record ids.
        **options: See `PushOptions`.

    Raises:
        ConfigurationError: If something is not as it has to be. Nothing was sent.
        PushStoppedError: If some rows were not sent. Its `results` has the outcomes of all.
    """
    plan = _Plan(verb="update", object_type=object_type, key=id_property or "id")
    return _push(df, plan, results, {"id_property": id_property}, options)


def _push(
    df: DataFrame,
    plan: _Plan,
    results: str | os.PathLike[str],
    run_options: Mapping[str, Any],
    options: PushOptions,
) -> DataFrame:
    """Push a frame, write the outcomes, and return a frame that reads them."""
    _check_spark(df)
    if strange := options.keys() - PushOptions.__annotations__.keys():
        raise TypeError(f"{min(strange)!r} is not an option of a push")
    target = _Target(df.sparkSession, results, overwrite=options.get("overwrite", False), plan=plan)
    plan = plan.resolved(df, run_options, options)
    if not plan.is_repeatable and str(target.spark.conf.get("spark.speculation", "false")).lower() == "true":
        raise ConfigurationError(
            "spark.speculation begins tasks twice, and each would create the rows; "
            "name a unique property, or start Spark without it"
        )
    schema = _result_schema(df)
    frame = plan.partitioned(df)
    written = target.write(frame.mapInArrow(plan.run, schema), schema)
    unsent = written.where(f"_code = '{_NOT_SENT}'")
    if first := unsent.head(1):
        text = f"some rows were not sent: {first[0]['_message']}; their _code is {_NOT_SENT} in {target.name}"
        raise PushStoppedError(text, results=written)
    return written


def _check_spark(df: object) -> None:
    try:
        from pyspark.sql import DataFrame  # noqa: PLC0415 - the module imports without it
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'Spark frames need pyspark; install it with: pip install "pyspark>=4"'
        ) from error
    import_pyarrow()
    if not isinstance(df, DataFrame):
        raise ConfigurationError(
            f"a value of type {type(df).__name__} stands where a Spark data frame belongs; "
            "create_all takes rows of other kinds"
        )


def _result_schema(df: DataFrame) -> StructType:
    from pyspark.sql import types  # noqa: PLC0415 - the module imports without it

    kept = [column for column in df.schema if column.name.lower() not in RESULT_COLUMNS]
    return types.StructType(
        [*kept, *(types.StructField(name, types.StringType()) for name in RESULT_COLUMNS)]
    )


class _Target:
    """Where the outcomes are written: a directory or a table."""

    def __init__(
        self, spark: SparkSession, results: str | os.PathLike[str], *, overwrite: bool, plan: _Plan
    ) -> None:
        self.spark = spark
        self.name = os.fspath(results)
        self._is_path = not isinstance(results, str) or "/" in results
        self._is_repeatable = plan.is_repeatable
        self._mode = "overwrite" if overwrite else "error"
        if overwrite and not plan.is_repeatable:
            raise ConfigurationError(
                "overwrite=True pushes rows again, and would double them; name a unique property with it"
            )

    def write(self, frame: DataFrame, schema: StructType) -> DataFrame:
        """Push by writing the outcomes, and return a frame that reads them.

        Raises:
            ConfigurationError: If there are results already. Nothing was sent.
        """
        from pyspark.errors import AnalysisException  # noqa: PLC0415 - the module imports without it

        try:
            self._save(frame, self._mode)
        except AnalysisException as error:
            if "ALREADY_EXISTS" not in (error.getCondition() or ""):
                raise
            if not self._is_unfinished():
                raise ConfigurationError(
                    f"the results {self.name} exist, so nothing was sent; name others"
                    + ", or say overwrite=True" * self._is_repeatable
                ) from error
            # What an interrupted push has left. All that it wrote is found by its key.
            self._save(frame, "overwrite")
        return (
            self.spark.read.schema(schema).parquet(self.name)
            if self._is_path
            else self.spark.table(self.name)
        )

    def _save(self, frame: DataFrame, mode: str) -> None:
        writer = frame.write.mode(mode)
        if self._is_path:
            writer.parquet(self.name)
        else:
            writer.saveAsTable(self.name)

    def _is_unfinished(self) -> bool:
        """Return whether there is a directory without a file, which may be filled."""
        if not self._is_repeatable or not self._is_path:
            return False
        is_empty: bool = self.spark.read.format("binaryFile").load(self.name).select("path").isEmpty()
        return is_empty


class _Link(Struct, frozen=True):
    """A column that names a record to link with: by its id, or by the value of a property."""

    column: str
    object_type: str
    property: str
    is_optional: bool

    def associations(self, cell: object) -> list[object]:
        if cell is None and self.is_optional:
            return []
        if cell is None:
            problem = f"the column {self.column!r} is null, and names no record of {self.object_type}"
            remedy = "fill it in, or end the link with a question mark to let rows go without it"
            cell = Unreadable(Problem(problem, remedy))
        named = {"property": self.property, "value": cell} if self.property else {"id": cell}
        return [{"to": {"type": self.object_type, **named}}]


def _links(links: Mapping[str, str] | None) -> tuple[_Link, ...]:
    found = []
    for column, text in (links or {}).items():
        object_type, _, name = text.removesuffix("?").partition(".")
        found.append(_Link(column, object_type, name, text.endswith("?")))
    return tuple(found)


class _Plan(Struct, frozen=True, kw_only=True):
    """What to do with each row. It travels to the tasks.

    Attributes:
        verb: What is to become of the records.
        object_type: What they are.
        unique: The property that keeps a create from making doubles.
        key: The column that names the record, of an update or an upsert.
        links: The columns of links.
        properties: The columns to send.
        connect: Makes a client.
        account: The column of the account.
        partitions: How many tasks push; None for the usual number.
        options: The keywords of the run.
    """

    verb: Verb
    object_type: str
    unique: str | None = None
    key: str | None = None
    links: tuple[_Link, ...] = ()
    properties: tuple[str, ...] = ()
    connect: Connect = HubSpot
    account: str | None = None
    partitions: int | None = None
    options: Mapping[str, Any] = {}

    @property
    def is_repeatable(self) -> bool:
        """Whether a row may be sent again."""
        return self.verb != "create" or self.unique is not None

    def resolved(self, df: DataFrame, run_options: Mapping[str, Any], options: PushOptions) -> _Plan:
        """Return the plan for a frame.

        Raises:
            ConfigurationError: If a column is missing, or an option cannot be used.
        """
        account, partitions = options.get("account"), options.get("partitions")
        connect, named = options.get("connect", HubSpot), options.get("properties")
        if self.object_type not in get_args(ObjectType):
            raise ConfigurationError(f"object_type must be one of {', '.join(get_args(ObjectType))}")
        if not callable(connect):
            raise ConfigurationError(
                "connect must be a function that makes a client: lambda: HubSpot(token())"
            )
        if partitions is not None and not (is_number(partitions, int) and partitions > 0):
            raise ConfigurationError("partitions must be a positive number; say how many tasks push")
        others = {account, *(link.column for link in self.links), *RESULT_COLUMNS}
        chosen = [name for name in df.columns if name not in others] if named is None else list(named)
        properties = dict.fromkeys([*chosen, *([self.key] if self.key else [])])
        for name in [*properties, *(link.column for link in self.links), *([account] if account else [])]:
            if name not in df.columns:
                raise ConfigurationError(
                    f"the frame has no column {name!r}; its columns are {', '.join(map(repr, df.columns))}"
                )
        if zoneless := [name for name, kind in df.dtypes if kind == "timestamp_ntz" and name in properties]:
            raise ConfigurationError(
                f"the column {zoneless[0]!r} has times without a zone, which name no instant; "
                'give it one with .cast("timestamp"), which takes them in the time zone of the session'
            )
        return replace(
            self,
            properties=tuple(properties),
            connect=connect,
            account=account,
            partitions=partitions,
            options={
                **run_options,
                **{name: value for name, value in options.items() if name in _RUN_OPTIONS},
            },
        )

    def partitioned(self, df: DataFrame) -> DataFrame:
        """Return the frame in the partitions that push it."""
        if self.account is None:
            frame = df.repartition(self.partitions or 1)
        else:
            count = self.partitions or int(
                str(df.sparkSession.conf.get("spark.sql.shuffle.partitions", "200"))
            )
            frame = df.repartition(count, self.account).sortWithinPartitions(self.account)
        query = getattr(df, "_jdf", None)
        is_stable = query is None or query.queryExecution().analyzed().deterministic()
        if self.is_repeatable and is_stable:
            return frame
        # Computed once, and kept twice. A second attempt finds the same rows. And the stage that pushes reads
        # no shuffle, so it is never begun anew: the attempts of its tasks would be counted from 0 again.
        from pyspark import StorageLevel  # noqa: PLC0415 - the module imports without it

        return frame.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK_2)

    def inputs(self, batch: pa.RecordBatch) -> Iterator[dict[str, object]]:
        """Yield the inputs that the rows of a batch stand for."""
        for rows in rows_of(batch, MAX_INPUTS):
            for row in rows:
                sent = {name: row[name] for name in self.properties if row[name] is not None}
                item = input_with(sent, verb=self.verb, id_property=self.options.get("id_property"))
                if self.links:
                    item["associations"] = [
                        *chain.from_iterable(link.associations(row[link.column]) for link in self.links)
                    ]
                yield item

    def _stream(self, hub: HubSpot, rows: Iterable[object]) -> Stream:
        """Start the run of one task and account.

        Raises:
            ConfigurationError: If several tasks have a quota each for one account.
        """
        if self.account is None and self.partitions not in {None, 1} and type(hub._settings.quota) is Quota:  # noqa: SLF001
            raise ConfigurationError(
                "several tasks push into one account, and each has a quota of its own; "
                "leave partitions out, or give the clients a quota that the tasks share"
            )
        start = getattr(getattr(hub, self.object_type), f"stream_{self.verb}")
        stream: Stream = start(rows, **self.options)
        return stream

    def run(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Push the rows of a task, and yield them with their outcomes."""
        from pyspark import TaskContext  # noqa: PLC0415 - the module imports without it

        context = TaskContext.get()
        if not self.is_repeatable and context is not None and context.attemptNumber() > 0:
            yield from (_told(batch, [_EARLIER] * batch.num_rows) for batch in batches)
        elif self.account is None:
            yield from self._pushed(self.connect, batches)
        else:
            for account, rows in groupby(_by_account(batches, self.account), itemgetter(0)):
                own = map(itemgetter(1), rows)
                if account is None:
                    yield from (_told(batch, [_NO_ACCOUNT] * batch.num_rows) for batch in own)
                else:
                    yield from self._pushed(lambda account=account: self.connect(account), own)

    def _pushed(self, connect: Connect, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = _Held(self, batches)
        stopped: Exception | None = None
        is_in_doubt = False
        with ExitStack() as stack:
            try:
                hub = stack.enter_context(connect())
                stream = stack.enter_context(self._stream(hub, held.inputs()))
            except Exception as error:  # noqa: BLE001 - what the caller's function raises
                stopped = error
            else:
                try:
                    for outcome in stream:
                        yield from held.settle(outcome)
                except HubSpotBatchError as error:
                    stopped, is_in_doubt = error, stream.report.unanswered > 0
        if held.failure is not None:
            # What makes the rows has failed. Spark tries the task again.
            raise held.failure
        if stopped is not None:
            yield from held.rest(stopped, is_in_doubt=is_in_doubt)


class _Batch(Struct):
    """Rows that wait for their outcomes."""

    rows: Any
    first: int
    outcomes: list[Outcome | None]
    missing: int


class _Held:
    """The rows of a run until they have their outcomes. No more are read ahead than the run asks for."""

    def __init__(self, plan: _Plan, batches: Iterator[pa.RecordBatch]) -> None:
        self._plan = plan
        self._batches = batches
        self._held: deque[_Batch] = deque()
        self._read = 0
        self.failure: Exception | None = None

    def inputs(self) -> Iterator[dict[str, object]]:
        """Yield the inputs."""
        try:
            for batch in self._batches:
                count = batch.num_rows
                self._held.append(_Batch(batch, self._read, [None] * count, count))
                self._read += count
                yield from self._plan.inputs(batch)
        except Exception as error:
            self.failure = error
            raise

    def settle(self, outcome: Outcome) -> Iterator[pa.RecordBatch]:
        """Take an outcome, and yield the rows that have all of theirs."""
        batch = next(held for held in self._held if outcome.index < held.first + len(held.outcomes))
        batch.outcomes[outcome.index - batch.first] = outcome
        batch.missing -= 1
        while self._held and not self._held[0].missing:
            batch = self._held.popleft()
            yield _told(batch.rows, filter(None, batch.outcomes))

    def rest(self, error: Exception, *, is_in_doubt: bool) -> Iterator[pa.RecordBatch]:
        """Yield the rows that have no outcome, and those that were not read."""
        # The text of a stranger's error may hold a token.
        message = (
            str(error) if isinstance(error, HubSpotBatchError) else f"connect raised {type(error).__name__}"
        )
        unsent = Outcome(index=0, status="rejected", category=_NOT_SENT, message=message)
        lost = Outcome(index=0, status="unknown", category="INTERRUPTED", message=message)
        for batch in self._held:
            yield _told(batch.rows, [known or (lost if is_in_doubt else unsent) for known in batch.outcomes])
        yield from (_told(batch, [unsent] * batch.num_rows) for batch in self._batches)


def _told(batch: pa.RecordBatch, outcomes: Iterable[Outcome]) -> pa.RecordBatch:
    """Return rows with their outcomes."""
    lib = import_pyarrow()
    names = [name for name in batch.schema.names if name.lower() not in RESULT_COLUMNS]
    told = zip(*map(_cells, outcomes), strict=True)
    columns = [*(batch.column(name) for name in names), *(lib.array(cells, lib.string()) for cells in told)]
    return lib.RecordBatch.from_arrays(columns, names=[*names, *RESULT_COLUMNS])


def _cells(outcome: Outcome) -> tuple[str | None, ...]:
    why = (None, None) if outcome.ok else (outcome.category, outcome.text)
    return (outcome.status, outcome.id, outcome.action, *why)


def _by_account(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[tuple[object, pa.RecordBatch]]:
    """Yield rows in pieces, each of one account."""
    for batch in batches:
        first = 0
        for account, rows in groupby(batch.column(column).to_pylist()):
            count = sum(1 for _ in rows)
            yield account, batch.slice(first, count)
            first += count
