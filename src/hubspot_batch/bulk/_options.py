"""How a run begins: what the caller says about it, and what an earlier run over its journal has left.

Options are checked before anything is read. Where a run goes on, every row that the earlier one knew is read
again and compared. Nothing is sent before all of them are known to be the same, so a changed source changes
nothing in HubSpot.
"""

import math
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, get_args

import msgspec
from msgspec import Struct

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._journal_file import NAME_YOURS, explained, path_of
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._plan import DEFAULT_CEILING
from hubspot_batch.bulk._report import Progress
from hubspot_batch.bulk._rows import Row, compared
from hubspot_batch.bulk._sent import SentRows
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import prepare
from hubspot_batch.contract._operations import MAX_INPUTS, Operation
from hubspot_batch.contract._validation import MOST_WITH_HISTORY, argument_faults
from hubspot_batch.errors import ConfigurationError, InvalidInputError, JournalError, SourceError
from hubspot_batch.transport._calls import with_its_property
from hubspot_batch.transport._quota import is_number
from hubspot_batch.transport._settings import Settings
from hubspot_batch.transport._tokens import Bearer

Existing: TypeAlias = Literal["reject", "keep"]
SETTLE_AFTER = 5.0

_REMEDY = (
    "start it over the same source: with another journal, rows that are written would be written again; "
    "rows that are new go into a source and a journal of their own"
)
_SETTLED = ", and look with it for the rows that end as unknown: resolve (results --resolve)"
_REMEDIES = {
    "operation": NAME_YOURS,
    "service": "take the base_url with which its run began; a run over another service has its own journal",
    "pair of object types": "link {!a} with it; other object types have a journal of their own",
    "request": "ask with it for the same properties; other ones have a journal of their own",
    "account": (
        "if it is the same one with a new token, say account={!a}; "
        "a run over another account has its own journal"
    ),
}


class Options(TypedDict):
    """The keywords of `create_all` and its siblings; they are explained there."""

    unique_property: NotRequired[str | None]
    existing: NotRequired[Existing]
    settle_after: NotRequired[float]
    id_property: NotRequired[str | None]
    assume_unique: NotRequired[bool]
    arguments: NotRequired[Mapping[str, object]]
    beside: NotRequired[Mapping[str, object]]
    journal: NotRequired[str | PathLike[str] | None]
    resolves: NotRequired[bool]
    changed_only: NotRequired[str | PathLike[str] | None]
    send_all: NotRequired[bool]
    account: NotRequired[str | None]
    concurrency: int | None
    keep_going: bool
    on_progress: Callable[[Progress], object] | None


class Task(Struct, frozen=True, kw_only=True):
    """What a run is to do.

    Attributes:
        operation: The operation.
        unique_property: The property that keeps HubSpot from making doubles, if the caller names one.
        id_property: The unique property that names the records, if the caller names one for all rows.
        assume_unique: Whether to take the caller's word that these are unique.
        existing: What to do with a row whose unique value a record has already.
        settle_after: Seconds after an attempt, until a record that is not found was not written.
        resolves: Whether it looks for the unknown rows of an earlier run, and writes nothing in HubSpot.
        ceiling: How many requests may be in flight.
        total: How many rows the source has, if it is known.
        keep_going: Whether to go on where one mistake of all rows would stop the run.
        arguments: The parameters of the path and the query.
        beside: What the body of each request has beside its inputs.
    """

    operation: Operation
    unique_property: str | None
    ceiling: int
    total: int | None
    id_property: str | None = None
    assume_unique: bool = False
    keep_going: bool = False
    existing: Existing = "reject"
    settle_after: float = SETTLE_AFTER
    resolves: bool = False
    arguments: Mapping[str, object] = {}
    beside: Mapping[str, Any] = {}

    @property
    def most_inputs(self) -> int:
        """How many rows one request takes."""
        most = min(self.operation.max_inputs, MAX_INPUTS)
        return min(most, MOST_WITH_HISTORY) if self.beside.get("propertiesWithHistory") else most

    @property
    def resendable(self) -> bool:
        """Whether a row may be sent again although it may have been written."""
        return self.operation.resendable(self.unique_property)


def task_from(operation_id: str, options: Options, total: int | None) -> Task:
    """Check the options of a run.

    Raises:
        ConfigurationError: If an option is invalid.
        InvalidInputError: If a parameter, or what stands beside the inputs, is not valid.
    """
    ceiling = DEFAULT_CEILING if options["concurrency"] is None else options["concurrency"]
    if not is_number(ceiling, int) or ceiling < 1:
        raise ConfigurationError(
            "concurrency must be a positive number; say how many requests may be in flight"
        )
    unique_property = options.get("unique_property")
    if unique_property == "":
        raise ConfigurationError("unique_property is empty; name a property, or leave it out")
    existing, settle_after = options.get("existing", "reject"), options.get("settle_after", SETTLE_AFTER)
    resolves = options.get("resolves", False)
    if resolves and unique_property is None:
        raise ConfigurationError(
            "rows are looked for by a unique property; name one that they have as unique_property"
        )
    _check_looks(existing, settle_after, unique_property)
    operation = contract.operation(operation_id)
    id_property, arguments = options.get("id_property"), options.get("arguments", {})
    beside = options.get("beside", {})
    if "idProperty" in operation.body_keys and id_property is not None:
        beside = {**beside, "idProperty": id_property}
    # Checked with an input that is valid, before anything is read.
    checked = prepare(operation, [{"id": "1"}], beside=with_its_property(beside)) if beside else None
    if issues := argument_faults(operation, arguments):
        raise InvalidInputError(issues)
    return Task(
        operation=operation,
        unique_property=unique_property,
        ceiling=ceiling,
        total=total,
        id_property=id_property,
        assume_unique=options.get("assume_unique", False),
        keep_going=options["keep_going"],
        existing=existing,
        settle_after=settle_after,
        resolves=resolves,
        arguments=arguments,
        beside={} if checked is None else checked.beside,
    )


def _check_looks(existing: Existing, settle_after: float, unique_property: str | None) -> None:
    if existing not in get_args(Existing):
        raise ConfigurationError('existing must be "reject" or "keep"; say what to do with what is there')
    if existing == "keep" and unique_property is None:
        raise ConfigurationError(
            'existing="keep" needs a property by which a record is found; name one that is unique as '
            "unique_property (--unique-property)"
        )
    if not is_number(settle_after, int | float) or not 0 <= settle_after < math.inf:
        raise ConfigurationError(
            "settle_after must be a number of seconds, 0 or more; say after how many a record would be found"
        )


def journal_from(task: Task, options: Options, settings: Settings) -> Journal:
    """Return the journal of a run, open for it alone.

    Raises:
        ConfigurationError: If it is not a path, or the account has no name.
        JournalError: If it cannot be used, or belongs to a run over another account, service or operation.
    """
    name = options.get("journal")
    if name is None and not task.resolves:
        return Journal(None)
    path = path_of(name)
    if task.resolves and not os.path.isfile(path):  # noqa: PTH113 - that of a path raises where a name is too long
        raise ConfigurationError(f"there is no journal {path}; name the file of a run")
    journal = Journal(path, lasting=True)
    try:
        identify(
            journal,
            {
                "operation": task.operation.id,
                "service": settings.base_url,
                "account": _account(settings, options.get("account"), journal.salt),
                **_asked(task),
            },
        )
        if not task.resolves:
            # That of the first run: it says which rows are valid.
            journal.set_meta({**_naming(task), **journal.meta()})
    except (ConfigurationError, JournalError):
        journal.close()
        raise
    except sqlite3.Error as error:
        journal.close()
        raise JournalError(f"the journal {journal.path} cannot be used: {explained(error)}") from error
    return journal


def sent_from(task: Task, options: Options, settings: Settings) -> SentRows | None:
    """Return what keeps which rows were last sent, open for this run alone; None if nothing does.

    Raises:
        ConfigurationError: If it is not a path, or the account has no name.
        JournalError: If it cannot be used, or is about another account, service or object type.
    """
    if (name := options.get("changed_only")) is None:
        return None
    sent = SentRows(path_of(name, "changed_only"), everything=options.get("send_all", False))
    try:
        account = _account(settings, options.get("account"), sent.salt)
        object_type = task.operation.object_type
        sent.identify({"service": settings.base_url, "account": account, "object type": object_type})
    except BaseException:
        sent.close()
        raise
    return sent


def _naming(task: Task) -> Mapping[str, str]:
    """Return the properties that a run names, which are a part of what its rows are."""
    return {"unique property": task.unique_property or "", "id property": task.id_property or ""}


def _asked(task: Task) -> Mapping[str, str]:
    """Return what identifies a run beside its operation: the types that it links, or what it reads."""
    if task.operation.verb == "read":
        asked = {**task.arguments, **task.beside}
        return {"request": msgspec.json.encode(asked, order="deterministic").decode()}
    if not task.arguments:
        return {}
    return {"pair of object types": " and ".join(str(value) for value in task.arguments.values())}


def _account(settings: Settings, name: str | None, salt: bytes) -> str:
    """Return what identifies the account in the journal. A token is not written down."""
    if name is not None:
        return name
    if isinstance(settings.token, Bearer):
        return settings.token.fingerprint(salt)
    raise ConfigurationError(
        "a journal has to tell the account, and tokens from a function change; name it with account=..."
    )


def identify(journal: Journal, identity: Mapping[str, str]) -> None:
    """Write down what a run is, or compare it with what the journal says.

    Raises:
        JournalError: If the journal belongs to another operation, service or account.
    """
    known = journal.meta()
    for name, value in identity.items():
        if known.get(name, value) != value:
            raise JournalError(
                f"the journal {journal.path} belongs to another {name}; {_REMEDIES[name].format(known[name])}"
            )
    journal.set_meta(identity)


class Resumption:
    """Compares the rows of the source with those of the journal.

    Args:
        journal: The journal.
        task: What this run is to do, to name the option where one has made another row of the same one.
    """

    def __init__(self, journal: Journal, task: Task | None = None) -> None:
        self._journal = journal
        self._known = journal.length
        meta = journal.meta()
        self._total = meta.get("total")
        self._renamed = [
            (name.replace(" ", "_"), str(meta[name]))
            for name, now in ({} if task is None else _naming(task)).items()
            if meta.get(name, now) != now
        ]
        self._held: list[Row] = []

    @property
    def in_doubt(self) -> int:
        """How many of the rows that are held back an earlier run has sent."""
        return sum(row.maybe_written for row in self._held)

    @property
    def is_finished(self) -> bool:
        """Whether each row of the earlier run has an outcome."""
        return self._total is not None

    def sift(self, rows: Sequence[Row]) -> tuple[list[tuple[Row, Outcome]], list[Row]]:
        """Return the rows that have an outcome already, with that, and the rows that are to be sent.

        Rows without an outcome are held back until the last known row has been compared.

        Raises:
            SourceError: If a row is not what it was.
        """
        if not rows or (rows[0].index >= self._known and self._total is None):
            return [], [*self._released(), *rows]
        settled = []
        entries = self._entries(rows)
        for row in rows:
            entry = entries.get(row.index)
            self._check(row, entry)
            if entry is not None and entry.outcome is not None:
                settled.append((row, entry.outcome))
                continue
            if entry is not None:
                row.maybe_written, row.departed, row.written = entry.sent, entry.departed, entry.written
            self._held.append(row)
        return settled, self._released() if rows[-1].index + 1 >= self._known else []

    def finish(self, count: int) -> list[Row]:
        """Return the rows that were held back: the source has no more.

        Raises:
            SourceError: If it has fewer than it had.
        """
        if count < self._known:
            raise SourceError(
                f"the source ends after {count} rows, but the journal knows {self._known}; {_REMEDY}",
                row=count,
            )
        return self._released()

    def _released(self) -> list[Row]:
        held, self._held = self._held, []
        return held

    def _entries(self, rows: Sequence[Row]) -> Mapping[int, Entry]:
        return self._journal.entries(rows[0].index, rows[-1].index) if rows else {}

    def _check(self, row: Row, entry: Entry | None) -> None:
        if isinstance(self._total, int) and row.index >= self._total:
            raise SourceError(
                f"the source has more than the {self._total} rows of the finished run; {_REMEDY}",
                row=row.index,
            )
        if entry is not None and entry.digest is not None and entry.digest != row.digest:
            # One that lacks the unique property is valid without it, and not with it.
            lacks = row.faults or (entry.outcome is not None and entry.outcome.category == "INVALID_INPUT")
            for name, before in self._renamed:
                if name != "unique_property" or lacks:
                    began = f"with {name}={before!r}; name it" if before else f"without {name}; leave it out"
                    settled = "" if before or name == "id_property" else _SETTLED
                    raise SourceError(
                        f"row {row.index} is not what it was, for the run began {began}{settled}",
                        row=row.index,
                    )
            raise SourceError(f"row {row.index} of the source is not what it was; {_REMEDY}", row=row.index)


class Settlement(Resumption):
    """Finds the rows that an earlier run has left unknown, and looks at no others.

    Args:
        journal: The journal of that run.
        unique_property: The property by which these rows are looked for.
    """

    def __init__(self, journal: Journal, unique_property: str) -> None:
        super().__init__(journal)
        self._property = unique_property

    @property
    def is_finished(self) -> bool:
        """False: whether the property is unique was not looked up by that run."""
        return False

    def sift(self, rows: Sequence[Row]) -> tuple[list[tuple[Row, Outcome]], list[Row]]:
        """Return the rows with an outcome that stays as it is, and the unknown rows that can be looked for.

        Rows without an outcome are left out.

        Raises:
            SourceError: If a row is not what it was.
        """
        known, doubtful = [], []
        entries = self._entries(rows)
        for row in rows:
            entry = entries.get(row.index)
            outcome = None if entry is None else entry.outcome
            # What made a row invalid may have been an option of the run.
            is_compared = outcome is not None and outcome.category != "INVALID_INPUT"
            self._check(row, entry if is_compared else None)
            if entry is None or entry.outcome is None:
                continue
            if entry.outcome.status != "unknown":
                known.append((row, entry.outcome))
            elif not (value := row.unique_value(self._property)):
                known.append((row, outcomes.nameless(entry.outcome, self._property)))
            else:
                row.maybe_written, row.departed, row.links = True, entry.departed, ()
                # Of two rows with one value, the later one must know what the earlier one has become.
                row.order_keys = row.conflict_keys = (("unique", compared(value)),)
                doubtful.append(row)
        return known, doubtful
