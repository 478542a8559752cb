"""Records looked up by a unique property: any number of values, at most 100 in a request.

HubSpot compares unique values in its own way: it takes `A@B` for `a@b`, and 9 for 9.00. So values that it may
hold equal are asked for in different requests, and a record belongs to the value that it has in that sense.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from anyio import CancelScope

from hubspot_batch.bulk._isolation import not_unique_property
from hubspot_batch.bulk._report import Counts
from hubspot_batch.bulk._rows import compared
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.errors import ApiError, ConfigurationError, HubSpotBatchError, RateLimitError
from hubspot_batch.results import BatchResult, Record, Response
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._calls import build_call

# As in a request that creates: a value has up to 65,536 characters.
_MOST_BYTES = 4 * 2**20
# These refuse a request for one of its values, perhaps.
_FOR_A_VALUE = {400, 413, 422}
# Records have more unique values of these than they show.
_WITH_OTHER_VALUES = {("contacts", "email")}


class Look(NamedTuple):
    """What is looked for.

    Attributes:
        object_type: The object type of the records.
        names: The unique property, and what to return of the records beside it.
        archived: Whether archived records are meant, and no others.
    """

    object_type: str
    names: Sequence[str]
    archived: bool = False


class Lookup:
    """Looks records up, any number of times at once, and counts its requests apart from those that write.

    Args:
        driver: Sends the requests.
        api_version: The version of the API.
        counts: Where they are counted.
        on_reply: Is called with each reply that has records.

    Attributes:
        withdrawn: Whether nothing more is looked for.
    """

    def __init__(
        self,
        driver: AsyncDriver,
        api_version: str,
        counts: Counts,
        on_reply: Callable[[Response], object] = lambda _: None,
    ) -> None:
        self._driver = driver
        self._api_version = api_version
        self._counts = counts
        self._on_reply = on_reply
        self._scopes: set[CancelScope] = set()
        self.withdrawn = False

    async def find(
        self,
        object_type: str,
        name: str,
        values: Iterable[str],
        properties: Iterable[str] = (),
        *,
        archived: bool = False,
    ) -> dict[str, Record] | None:
        """Return the record of each value that a record has; None once looks are withdrawn.

        A record that was written seconds ago may be missing: HubSpot's index can be late.

        Args:
            object_type: `orders`, `contacts` and so on: any type that the document can read.
            name: The unique property.
            values: Its values, any number.
            properties: What to return of the records beside it.
            archived: Whether to find archived records, and no others.

        Raises:
            ConfigurationError: If two records have one value, or the account does not hold the property
                unique.
            HubSpotBatchError: If a request fails for good.
        """
        look = Look(object_type, [*dict.fromkeys((name, *properties))], archived)
        found: dict[str, Record] = {}
        if self.withdrawn:
            return None
        with self._until_withdrawn():
            for portion in portions(values):
                if (refusal := await self._ask(look, portion, found)) is not None:
                    raise refusal
            return found
        return None

    async def wait(self, seconds: float) -> None:
        """Wait for the index, but not once looks are withdrawn."""
        with self._until_withdrawn():
            if not self.withdrawn:
                await self._driver.pause(max(0.0, seconds))

    def withdraw(self) -> None:
        """Look for nothing more. A look changes nothing, so those under way end at once."""
        self.withdrawn = True
        for scope in self._scopes:
            scope.cancel()

    @contextmanager
    def _until_withdrawn(self) -> Iterator[None]:
        with CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    async def _ask(
        self, look: Look, values: Sequence[str], found: dict[str, Record], *, again: bool = False
    ) -> ApiError | None:
        """Add the records of values to those found, or return the refusal where each value is refused.

        A refusal need not say which value it is for, nor a record which one it has. Then halves are asked
        for, until the values are alone. What a reply leaves out without a word is asked for once more: only
        an error says that there is no record.
        """
        refusal = None
        try:
            result = await self._send(look, values)
        except ApiError as error:
            if (refused := not_unique_property(error)) is not None:
                raise not_unique(refused, "HubSpot reads no record by a value") from error
            if not _may_be_for_a_value(error):
                raise
            if len(values) == 1:
                return None if error.category == "OBJECT_NOT_FOUND" else error
            refusal = error
        else:
            known = paired(look, values, result.records)
            found |= known
            is_complete = len(known) == len(result.records) or len(values) == 1
            absent = _absent(values, result) if is_complete else ()
            values = [value for value in values if value not in known and value not in absent]
            if not values or (is_complete and again):
                return None
            if is_complete:
                return await self._ask(look, values, found, again=True)
        middle = (len(values) + 1) // 2
        halves = [half for half in (values[:middle], values[middle:]) if half]
        refusals = [await self._ask(look, half, found) for half in halves]
        return None if None in refusals else refusal

    async def _send(self, look: Look, values: Sequence[str]) -> BatchResult:
        arguments: dict[str, object] = {"archived": True} if look.archived else {}
        operation = f"read_{look.object_type}"
        if operation not in contract.operations():
            operation, arguments["objectType"] = "read_objects", look.object_type
        call = build_call(
            operation,
            [{"id": value} for value in values],
            api_version=self._api_version,
            id_property=look.names[0],
            arguments=arguments,
            beside={"properties": look.names},
        )
        attempts = _Attempts(self._counts)
        try:
            result: BatchResult = await self._driver.send(call, attempts)
        finally:
            attempts.end()
        self._on_reply(result.response)
        return result


class _Attempts:
    """The attempts of one request."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._in_flight = False

    async def before_send(self) -> None:
        """Count it."""
        self._counts.looks += 1
        self._counts.in_flight += 1
        self._in_flight = True

    def after_reply(self, error: HubSpotBatchError | None) -> None:
        """Count how it ended."""
        self._counts.rate_limited += isinstance(error, RateLimitError)
        self.end()

    def not_sent(self) -> None:
        """Have nothing in flight."""
        self.end()

    def end(self) -> None:
        """Have nothing in flight any more."""
        self._counts.in_flight -= self._in_flight
        self._in_flight = False


def portions(values: Iterable[str]) -> list[list[str]]:
    """Return values, each once, in as many lists as they take requests."""
    lists: list[dict[Hashable, str]] = []
    sizes: list[int] = []
    for value in dict.fromkeys(values):
        key, size = compared(value), len(msgspec.json.encode(value))
        fitting = (
            number
            for number, one in enumerate(lists)
            if len(one) < MAX_INPUTS and key not in one and sizes[number] + size <= _MOST_BYTES
        )
        if (number := next(fitting, len(lists))) == len(lists):
            lists.append({})
            sizes.append(0)
        lists[number][key] = value
        sizes[number] += size
    return [[*one.values()] for one in lists]


def paired(look: Look, values: Sequence[str], records: Sequence[Record]) -> dict[str, Record]:
    """Return the records that have these values, by value. HubSpot holds no two of the values equal.

    The only record that comes for a single value has it, even if it shows none; not so if the value is its
    id, by which it may have been found. A contact is found by its second address, too, and shows the first.

    Raises:
        ConfigurationError: If two records have one value.
    """
    name = look.names[0]
    by_key = {compared(value): value for value in values}
    found: dict[str, Record] = {}
    for record in records:
        value = by_key.get(compared(record.properties.get(name) or ""))
        if value is not None and (other := found.setdefault(value, record)) is not record:
            raise not_unique(name, f"the records {other.id} and {record.id} have one value")
    if len(values) == len(records) == 1 and records[0].id != values[0]:
        (value,), (record,) = values, records
        if not record.properties.get(name) or (look.object_type, name) in _WITH_OTHER_VALUES:
            found[value] = record
    return found


def _absent(values: Sequence[str], result: BatchResult) -> set[str]:
    """Return the values that no record has, as a reply says."""
    return {
        values[error.index]
        for error in result.errors
        if error.index is not None and error.category == "OBJECT_NOT_FOUND"
    }


def not_unique(name: str, problem: str) -> ConfigurationError:
    """Return the error of a property that turns out not to be unique."""
    return ConfigurationError(
        f"{problem} of {name}: the account does not hold that property unique; name a property that is unique"
    )


def _may_be_for_a_value(error: ApiError) -> bool:
    return error.category == "OBJECT_NOT_FOUND" or error.status in _FOR_A_VALUE
