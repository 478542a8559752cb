"""A dry run: what is wrong with the rows of a source, and what a run over them would do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from msgspec import Struct

from hubspot_batch.bulk._plan import PlannedBatch, Planner
from hubspot_batch.bulk._rows import Repeats, Row, rows_from
from hubspot_batch.bulk._sources import CreateSource, UpdateSource, chunks
from hubspot_batch.bulk._unique import fault_of_key
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._account_rules import AccountRules
from hubspot_batch.contract._validation import fault_at
from hubspot_batch.errors import ConfigurationError, InputIssue
from hubspot_batch.results import PropertyDefinition

_FIRST_ROWS = 5
_MOST_KINDS = 1_000
_FAR_BACK = 100
_NOTHING: Mapping[str, object] = MappingProxyType({})

_WRITES = frozenset({"create", "update", "upsert"})


class CheckFault(Struct, frozen=True, kw_only=True):
    """A fault that some rows have.

    Attributes:
        place: Where it is in an input: `properties/hs_total_price`.
        problem: What is wrong.
        remedy: What to write instead, in the first of the rows.
        count: How many rows have it.
        rows: The numbers of the first five of them, from 0.
    """

    place: str
    problem: str
    remedy: str
    count: int
    rows: tuple[int, ...]


class CheckReport(Struct, frozen=True, kw_only=True):
    """What a check has found.

    Attributes:
        operation: The operation that the rows are for.
        rows: How many there are.
        invalid: How many of them have a fault.
        requests: How many requests the others take.
        compared: Whether they were compared with property definitions. Else only their form was checked.
        faults: The faults, the most frequent first.
        further: How many faults are of other kinds than the thousand in `faults`.
        existing: How many rows are about records that exist; None if that was not looked up.
        new: How many rows are about records that do not exist; None if that was not looked up.
        unread: The object types whose links were not looked up, because the token may not read them, or
            nothing here can.
    """

    operation: str
    rows: int
    invalid: int
    requests: int
    compared: bool
    faults: tuple[CheckFault, ...]
    further: int = 0
    existing: int | None = None
    new: int | None = None
    unread: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no row has a fault."""
        return not self.invalid


class CheckedRow(Struct, eq=False):
    """A row, and what is wrong with it so far."""

    row: Row
    faults: list[InputIssue]

    def add(self, place: Sequence[str], problem: str, remedy: str) -> None:
        """Add a fault."""
        self.faults.append(fault_at(("inputs", self.row.index, *place), problem, remedy))


class Checker:
    """Checks rows, and counts what it finds. Its memory does not grow with them.

    Args:
        operation: What the rows are for.
        unique_property: As in `create_all`.
        definitions: The property definitions of the account, by name; None if they are not known.
        beside: What the body of each request has beside its inputs.
    """

    def __init__(
        self,
        operation: contract.Operation,
        unique_property: str | None,
        definitions: Mapping[str, PropertyDefinition] | None,
        beside: Mapping[str, object] = _NOTHING,
    ) -> None:
        self.rows = 0
        self.invalid = 0
        self.requests = 0
        self.existing: int | None = None
        self.new: int | None = None
        self.unread: set[str] = set()
        self._operation = operation
        self._unique_property = unique_property
        self._beside = beside
        compares = definitions is not None and operation.verb in _WRITES
        self._rules = AccountRules(operation.object_type, definitions or {}) if compares else None
        self._planner = Planner()
        self._repeats: dict[str, Repeats] = {}
        self._kinds: dict[tuple[str, str], CheckFault] = {}
        self._further = 0

    def take(self, inputs: Sequence[object]) -> list[CheckedRow]:
        """Return up to 100 inputs as rows, with what is wrong with each. `count` counts them."""
        rows = rows_from(self._operation, inputs, self.rows, self._unique_property, self._beside)
        self.rows += len(rows)
        checked = [CheckedRow(row, [*row.faults]) for row in rows]
        if self._operation.verb == "create":
            self._find_repeats(checked)
        if self._rules is not None:
            creates = self._operation.verb == "create"
            for one in checked:
                if not one.row.faults:
                    for name, (problem, remedy) in self._rules.faults(one.row.properties, creates=creates):
                        one.add(("properties", name), problem, remedy)
        return checked

    def count(self, checked: Iterable[CheckedRow]) -> None:
        """Count rows, once all is known of them."""
        for one in checked:
            if not one.faults:
                self._count(self._planner.add(one.row))
                continue
            self.invalid += 1
            for fault in one.faults:
                self._add(one.row.index, fault)

    def found(self, existing: int, new: int) -> None:
        """Count records that were looked up."""
        self.existing = (self.existing or 0) + existing
        self.new = (self.new or 0) + new

    def finish(self) -> None:
        """Count the requests that are still open: there are no more rows."""
        self._count(self._planner.flush())

    def report(self) -> CheckReport:
        """Return what was found."""
        return CheckReport(
            operation=self._operation.id,
            rows=self.rows,
            invalid=self.invalid,
            requests=self.requests,
            compared=self._rules is not None,
            faults=tuple(sorted(self._kinds.values(), key=lambda fault: -fault.count)),
            further=self._further,
            existing=self.existing,
            new=self.new,
            unread=tuple(sorted(self.unread)),
        )

    def _find_repeats(self, checked: Sequence[CheckedRow]) -> None:
        names = set() if self._rules is None else {*self._rules.unique}
        if self._unique_property is not None:
            names.add(self._unique_property)
        for name in sorted(names):
            having = [one for one in checked if one.row.properties.get(name)]
            if not having:
                continue
            if (repeats := self._repeats.get(name)) is None:
                repeats = self._repeats[name] = Repeats(name)
            for one in having:
                one.row.repeats = False
            repeats.mark(one.row for one in having)
            for one in having:
                if one.row.repeats and (earlier := _same_before(one.row, repeats)) is not None:
                    one.add(
                        ("properties", name),
                        "an earlier row has the same value, and HubSpot takes it once only",
                        f"compare it with row {earlier + 1}",
                    )

    def _add(self, row: int, fault: InputIssue) -> None:
        place = "/".join(fault.pointer.split("/")[3:])
        key = place, fault.problem
        known = self._kinds.get(key)
        if known is None:
            if len(self._kinds) == _MOST_KINDS:
                self._further += 1
                return
            known = CheckFault(place=place, problem=fault.problem, remedy=fault.remedy, count=0, rows=())
        rows = known.rows if len(known.rows) == _FIRST_ROWS else (*known.rows, row)
        self._kinds[key] = CheckFault(
            place=place, problem=known.problem, remedy=known.remedy, count=known.count + 1, rows=rows
        )

    def _count(self, batches: Sequence[PlannedBatch]) -> None:
        self.requests += len(batches)
        for batch in batches:
            self._planner.finished(batch)


def _same_before(row: Row, repeats: Repeats) -> int | None:
    """Return the number of the row before with the same text. HubSpot may hold other texts equal, too."""
    return next(
        (earlier.number for earlier in islice(repeats.earlier(row), _FAR_BACK) if earlier.is_same), None
    )


class Check(Iterator[Sequence[InputIssue]]):
    """The faults of each row of a source, in the order of the rows. The rows are read as it is iterated."""

    def __init__(self, checker: Checker, source: Iterator[list[object]]) -> None:
        self._checker = checker
        self._faults = self._check(source)

    @property
    def rows(self) -> int:
        """How many rows were read so far."""
        return self._checker.rows

    @property
    def invalid(self) -> int:
        """How many of them have a fault."""
        return self._checker.invalid

    @property
    def requests(self) -> int:
        """How many requests the others take; complete once all rows were checked."""
        return self._checker.requests

    @property
    def report(self) -> CheckReport:
        """What was found so far."""
        return self._checker.report()

    def __next__(self) -> Sequence[InputIssue]:
        return next(self._faults)

    def _check(self, source: Iterator[list[object]]) -> Iterator[Sequence[InputIssue]]:
        for inputs in source:
            for one in self._checker.take(inputs):
                self._checker.count([one])
                yield tuple(one.faults)
        self._checker.finish()


def check(
    operation: contract.OperationId,
    rows: CreateSource | UpdateSource | Iterable[object],
    *,
    unique_property: str | None = None,
    id_property: str | None = None,
    assume_unique: bool = False,
    definitions: Iterable[PropertyDefinition] | None = None,
) -> Check:
    """Check every row of a source as a run would, without sending anything.

    Args:
        operation: The operation that the rows are for, `create_orders` for example.
        rows: A source of rows, as `create_all` takes it.
        unique_property: As in `create_all`: each row must have it.
        id_property: As in `update_all` or `read_all`.
        assume_unique: As in `create_all`. It matters only with definitions.
        definitions: What the properties of the account are, as `hub.orders.properties()` returns them. With
            them, names and values are compared. Without, only the form of the rows is checked.

    Returns:
        An iterator over the faults of each row, none for a valid one. Its `report` has them by kind.

    Raises:
        ConfigurationError: If an argument cannot be used.
    """
    known = contract.operation(operation)
    by_name = None if definitions is None else definitions_by_name(definitions)
    key = None if assume_unique else unique_property or id_property
    if by_name is not None and key is not None:
        check_key(key, known, by_name)
    # Of a read, it stands beside the ids, and says which values they are.
    is_beside = id_property is not None and "idProperty" in known.body_keys
    beside = {"idProperty": id_property} if is_beside else {}
    source = chunks(rows, verb=known.verb, id_property=id_property)
    return Check(Checker(known, unique_property, by_name, beside), source)


def check_key(
    name: str, operation: contract.Operation, definitions: Mapping[str, PropertyDefinition]
) -> None:
    """Refuse a property that cannot name the records of an operation.

    Raises:
        ConfigurationError: If it cannot.
    """
    writes = operation.verb not in {"read", "update"}
    if (fault := fault_of_key(name, operation.object_type, definitions, writes=writes)) is not None:
        raise ConfigurationError(fault)


def definitions_by_name(definitions: Iterable[PropertyDefinition]) -> Mapping[str, PropertyDefinition]:
    """Return definitions by the names of the properties.

    Raises:
        ConfigurationError: If there are none, with which no row could be compared.
    """
    by_name = {definition.name: definition for definition in definitions}
    if not by_name:
        raise ConfigurationError("the list of property definitions is empty; leave it out, or read it again")
    return by_name
