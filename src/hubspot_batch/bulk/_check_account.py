"""A check that asks the account for its definitions, and for the records that rows are about or link with."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypedDict

from anyio.from_thread import start_blocking_portal

from hubspot_batch.bulk._check import CheckedRow, Checker, CheckReport, check_key, definitions_by_name
from hubspot_batch.bulk._lookup import Lookup
from hubspot_batch.bulk._report import Counts
from hubspot_batch.bulk._rows import Row
from hubspot_batch.bulk._sources import async_chunks, chunks
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._keys import target_of
from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.contract._validation import argument_faults
from hubspot_batch.errors import (
    ApiError,
    InputIssue,
    PermissionDeniedError,
)
from hubspot_batch.results import BatchResult, PropertyDefinition
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._calls import build_call
from hubspot_batch.transport._definitions import Definitions
from hubspot_batch.transport._settings import Settings

_KNOWN_TARGETS = 10_000
# These refuse a request for one of its ids, perhaps.
_FOR_AN_ID = {400, 404}


class _End(NamedTuple):
    """What a link leads to: a record with a value of a property, or with an id."""

    object_type: str
    property: str | None
    value: str

    def __repr__(self) -> str:
        return f"_End({self.object_type})"


class CheckOptions(TypedDict):
    """The keywords of `check`; they are explained there."""

    unique_property: str | None
    id_property: str | None
    assume_unique: bool
    definitions: Iterable[PropertyDefinition] | None
    look: bool
    on_faults: Callable[[int, Sequence[InputIssue]], object] | None


class AccountCheck:
    """A check of any number of rows against an account, in any event loop.

    Args:
        operation_id: What the rows are for.
        options: The keywords of the caller.
        driver: Sends the requests.
        settings: The options of the client.

    Raises:
        ConfigurationError: If an option is not valid.
    """

    def __init__(
        self, operation_id: str, options: CheckOptions, driver: AsyncDriver, settings: Settings
    ) -> None:
        self._operation = contract.operation(operation_id)
        self._options = options
        self._driver = driver
        self._settings = settings
        given = options["definitions"]
        self._given = None if given is None else definitions_by_name(given)
        self._key = options["unique_property"] or options["id_property"]
        self._lookup = Lookup(driver, settings.api_version, Counts())
        self._targets: dict[_End, bool] = {}

    def chunks(self, rows: object) -> Iterator[list[object]]:
        """Return the inputs of a source, as the check takes them."""
        return chunks(rows, verb=self._operation.verb, id_property=self._options["id_property"])

    def async_chunks(self, rows: object) -> AsyncIterator[list[object]]:
        """Return the same for a source that may be asynchronous."""
        return async_chunks(rows, verb=self._operation.verb, id_property=self._options["id_property"])

    async def begin(self) -> None:
        """Read the definitions, if none were given.

        Raises:
            ConfigurationError: If the property that names the records cannot do so.
            HubSpotBatchError: If the definitions cannot be had.
        """
        object_type = self._operation.object_type
        definitions = self._given
        if definitions is None:
            listed = await Definitions(self._driver, self._settings).of(object_type)
            definitions = definitions_by_name(listed.values())
        if self._key is not None and not self._options["assume_unique"]:
            check_key(self._key, self._operation, definitions)
        self._checker = Checker(self._operation, self._options["unique_property"], definitions)

    async def take(self, inputs: Sequence[object]) -> None:
        """Check up to 100 rows.

        Raises:
            HubSpotBatchError: If a look for records fails.
        """
        checked = self._checker.take(inputs)
        if self._options["look"]:
            await self._look_for_records(checked)
            await self._look_for_targets(checked)
        self._checker.count(checked)
        if (tell := self._options["on_faults"]) is not None:
            for one in checked:
                if one.faults:
                    tell(one.row.index, tuple(one.faults))

    def report(self) -> CheckReport:
        """Return what was found."""
        self._checker.finish()
        return self._checker.report()

    async def _look_for_records(self, checked: Sequence[CheckedRow]) -> None:
        named: dict[str | None, list[tuple[CheckedRow, str]]] = {}
        for one in checked:
            if one.row.faults:
                continue
            if "id" in one.row.wire:
                named.setdefault(one.row.wire.get("idProperty"), []).append((one, one.row.wire["id"]))
            elif self._key is not None and (value := one.row.unique_value(self._key)):
                named.setdefault(self._key, []).append((one, value))
        for name, pairs in named.items():
            values = [value for _, value in pairs]
            if name is None:
                found = await self._existing(self._operation.object_type, values)
            else:
                found = {*(await self._lookup.find(self._operation.object_type, name, values) or ())}
            existing = sum(value in found for value in values)
            self._checker.found(existing, len(values) - existing)
            for one, value in pairs:
                self._judge(one, name, exists=value in found)

    def _judge(self, one: CheckedRow, name: str | None, *, exists: bool) -> None:
        match self._operation.verb:
            case "create" if exists and name is not None:
                one.add(
                    ("properties", name),
                    "a record of the account has this value",
                    "update it, or leave the row out",
                )
            case "update" if not exists:
                one.add(("id",), "the account has no such record", "create it, or correct the id")

    async def _look_for_targets(self, checked: Sequence[CheckedRow]) -> None:
        links = [
            (one, place, end) for one in checked for place, end in _ends(self._operation.object_type, one.row)
        ]
        if len(self._targets) > _KNOWN_TARGETS:
            self._targets.clear()
        wanted: dict[tuple[str, str | None], dict[str, None]] = {}
        for _, _, end in links:
            if end not in self._targets:
                wanted.setdefault((end.object_type, end.property), {})[end.value] = None
        for (target, name), values in wanted.items():
            await self._learn(target, name, [*values])
        for one, place, end in links:
            if not self._targets.get(end, True):
                problem = (
                    f"there is no such record among the {end.object_type.replace('_', ' ')} of the account"
                )
                one.add(
                    ("associations", str(place), "to"), problem, "create it first, or correct what names it"
                )

    async def _learn(self, target: str, name: str | None, values: Sequence[str]) -> None:
        """Find out which of some records are there."""
        if target in self._checker.unread:
            return
        if _reading(target) is None:
            self._checker.unread.add(target)
            return
        try:
            found: set[str] = set()
            if name is not None:
                found = {*(await self._lookup.find(target, name, values) or ())}
            else:
                for start in range(0, len(values), MAX_INPUTS):
                    found |= await self._existing(target, values[start : start + MAX_INPUTS])
        except PermissionDeniedError:
            self._checker.unread.add(target)
            return
        self._targets.update((_End(target, name, value), value in found) for value in values)

    async def _existing(self, object_type: str, ids: Sequence[str]) -> set[str]:
        """Return which of up to 100 record ids there are."""
        operation, arguments = _reading(object_type) or ("", {})
        ids = [*dict.fromkeys(ids)]
        try:
            call = build_call(
                operation,
                [{"id": record} for record in ids],
                api_version=self._settings.api_version,
                arguments=arguments,
                beside={"properties": [], "propertiesWithHistory": []},
            )
            result: BatchResult = await self._driver.send(call)
        except ApiError as error:
            if error.status not in _FOR_AN_ID:
                raise
            # It need not say which of them it is about.
            if len(ids) == 1:
                return set()
            middle = len(ids) // 2
            return await self._existing(object_type, ids[:middle]) | await self._existing(
                object_type, ids[middle:]
            )
        # A record that was merged into another one answers with that one's id.
        return {record.id if record.index is None else ids[record.index] for record in result.records}


def checked(check: AccountCheck, rows: object) -> CheckReport:
    """Check rows in synchronous code: they are read by the caller's thread."""
    source = check.chunks(rows)
    with start_blocking_portal() as portal:
        portal.call(check.begin)
        for inputs in source:
            portal.call(check.take, inputs)
    return check.report()


async def checked_async(check: AccountCheck, rows: object) -> CheckReport:
    """Check rows in asynchronous code."""
    source = check.async_chunks(rows)
    await check.begin()
    async for inputs in source:
        await check.take(inputs)
    return check.report()


def _reading(object_type: str) -> tuple[str, Mapping[str, object]] | None:
    """Return the operation that reads an object type, and the parameters of its path; None if none does."""
    if f"read_{object_type}" in contract.operations():
        return f"read_{object_type}", {}
    arguments = {"objectType": object_type}
    readable = not argument_faults(contract.operation("read_objects"), arguments)
    return ("read_objects", arguments) if readable else None


def _ends(object_type: str, row: Row) -> Iterator[tuple[int, _End]]:
    """Yield the place of each link of a row, and what it leads to, where that is known."""
    keys = {id(end): key for end, key in row.links}
    links = [(None, link) for link in row.wire.get("associations") or ()] or row.later
    for place, (target, link) in enumerate(links):
        end = link["to"]
        if (key := keys.get(id(end))) is not None:
            yield place, _End(*key)
        elif (known := target or target_of(object_type, link["types"])) is not None:
            yield place, _End(known, None, end["id"])
