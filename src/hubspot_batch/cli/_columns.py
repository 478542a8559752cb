"""Turn the columns of a row into its input: take, rename, set and link. Pure."""

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from msgspec import Struct

from hubspot_batch.bulk import check_id_property, input_with
from hubspot_batch.contract import (
    Operation,
    Problem,
    Unreadable,
    association_type,
    object_type_of,
)
from hubspot_batch.errors import ConfigurationError, SourceError
from hubspot_batch.types import AssociationType, Verb

_PLANS_KEPT = 128
_SHOWN = 50
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?", re.ASCII)
_NO_ZONE = Problem(
    "a datetime without a time zone names no instant", "say which one is meant: --timezone Europe/Berlin"
)
_WITH_TYPE = re.compile(r"(.+):(\d+)")


class ColumnOptions(Struct, frozen=True, kw_only=True):
    """What to do with the columns, as written on the command line.

    Attributes:
        map: `PROPERTY=COLUMN`: a column that is a property of another name.
        only: Columns to take, with commas between them. Those that other options name are taken, too.
        drop: Columns to leave out, with commas between them.
        set: `PROPERTY=VALUE`: a property that is the same for all rows. It replaces the value of a column.
        associate: `OBJECT=COLUMN` or `OBJECT=COLUMN:TYPE`: a column with the ids of records to link the new
            one with, separated by semicolons. The column is not a property.
        clear_empty: Whether an empty cell clears its property. Otherwise the property is left out.
        id_property: For an update, the property whose value names the record in place of its id.
        timezone: The name of the time zone of dates with a time that name none.
    """

    map: Sequence[str] = ()
    only: Sequence[str] = ()
    drop: Sequence[str] = ()
    set: Sequence[str] = ()
    associate: Sequence[str] = ()
    clear_empty: bool = False
    id_property: str | None = None
    timezone: str | None = None


class _Link(NamedTuple):
    """A column with the ids of records to link with."""

    column: str
    target: str
    type: AssociationType


class Columns:
    """Makes the inputs.

    Attributes:
        missing: The columns that options name and no row had so far.
    """

    def __init__(
        self,
        operation: Operation,
        options: ColumnOptions,
        columns: Sequence[str] | None = None,
        *,
        is_text: bool = False,
        zoneless: Collection[str] = (),
    ) -> None:
        """Check the options.

        Args:
            operation: What the inputs are for.
            options: What is to be done.
            columns: The columns of all rows; None if each row has its own.
            is_text: Whether all values are text. An empty text means that there is no value.
            zoneless: The columns whose values are datetimes without a time zone.

        Raises:
            ConfigurationError: If an option is not valid, contradicts another, does not fit the operation, or
                names a column or an association that does not exist.
        """
        self._verb: Verb = operation.verb
        self._options = options
        self._is_text = is_text
        self._zone = None if options.timezone is None else _zone(options.timezone)
        self._zoneless = zoneless
        check_id_property(self._verb, options.id_property)
        self._id = (options.id_property or "id") if operation.verb == "update" else None
        mapped = _pairs("--map", options.map, "PROPERTY=COLUMN")
        constants = _pairs("--set", options.set, "PROPERTY=VALUE")
        self._constants = dict(constants)
        self._mapped = _by_column(mapped)
        self._links = _links(operation, options.associate)
        self._only, self._dropped = _names(options.only), _names(options.drop)
        _check_twice([name for name, _ in (*mapped, *constants)])
        self.missing = self._check_dropped() | self._dropped
        if columns is not None:
            self._check_columns(columns)
            self.missing.clear()
        self._plan = lru_cache(_PLANS_KEPT)(self._make_plan)

    def input_of(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return the input for a row. It is not checked, and the row is not changed.

        Args:
            values: Column to value, or a whole input: a mapping whose `properties` are a mapping. The columns
                of the latter are its properties, and its values never count as empty.
        """
        inner = values.get("properties")
        columns = inner if isinstance(inner, Mapping) else values
        if self.missing:
            self.missing.difference_update(columns)
        item = self._flat(values) if columns is values else self._whole(values, columns)
        if self._zone is not None or self._zoneless:
            properties = cast("dict[str, object]", item["properties"])
            item["properties"] = {name: _in_zone(value, self._zone) for name, value in properties.items()}
        return self._linked(item, columns) if self._links else item

    def _flat(self, values: Mapping[str, object]) -> dict[str, object]:
        plan, clear = self._plan(tuple(values)), self._options.clear_empty
        if self._is_text:
            properties = {name: value for column, name in plan if (value := values[column]) or clear}
        else:
            properties = {
                name: "" if value is None else value
                for column, name in plan
                if (value := values[column]) is not None or clear
            }
        properties.update(self._constants)
        return input_with(properties, verb=self._verb, id_property=self._options.id_property)

    def _whole(self, values: Mapping[str, object], columns: Mapping[str, object]) -> dict[str, object]:
        properties = {name: columns[column] for column, name in self._plan(tuple(columns))}
        item = {**values, "properties": {**properties, **self._constants}}
        if self._options.id_property is not None:
            item.setdefault("idProperty", self._options.id_property)
        return item

    def _linked(self, item: dict[str, object], columns: Mapping[str, object]) -> dict[str, object]:
        """Return the input with its links. Validation reports associations that are not a list."""
        present = item.get("associations", [])
        if isinstance(present, list) and (links := self._associations(columns)):
            item["associations"] = [*present, *links]
        return item

    def _associations(self, columns: Mapping[str, object]) -> list[dict[str, object]]:
        """Return one association for each record, with all its types."""
        found: dict[tuple[str, str], tuple[object, list[AssociationType]]] = {}
        for column, target, kind in self._links:
            for record in _ids(columns.get(column)):
                _, kinds = found.setdefault((target, str(record)), (record, []))
                if kind not in kinds:
                    kinds.append(kind)
        return [{"to": {"id": record}, "types": kinds} for record, kinds in found.values()]

    def _make_plan(self, columns: Sequence[str]) -> list[tuple[str, str]]:
        """Return which columns fill which properties. Options win over the column of that name."""
        given = {*self._constants, *chain.from_iterable(self._mapped.values())}
        given.update(self._dropped, (link.column for link in self._links))
        wanted = {*columns} & {*self._only, self._id} if self._only else {*columns}
        wanted -= given
        return [
            (column, name)
            for column in columns
            for name in self._mapped.get(column, (column,) if column in wanted else ())
        ]

    def _check_dropped(self) -> set[str]:
        """Return the columns that options name. None of them may be dropped."""
        asked = {*self._mapped, *self._only, *(link.column for link in self._links)}
        if both := sorted(asked & self._dropped):
            raise ConfigurationError(
                f"--drop leaves out the column {both[0]!r}, which another option names; remove one of the two"
            )
        return asked

    def _check_columns(self, columns: Sequence[str]) -> None:
        for missing in sorted(self.missing.difference(columns)):
            raise ConfigurationError(f"there is no column {missing!r}; {_hint(missing, columns)}")
        filled = {*self._constants, *(name for _, name in self._make_plan(columns))}
        if self._id is not None and self._id not in filled:
            raise SourceError(
                f"an update needs a column {self._id!r} that names the record; "
                f"where another one does, say --map {self._id}=COLUMN"
            )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"there is no time zone {name!r}; write Europe/Berlin or UTC for example"
        ) from error


def _in_zone(value: object, zone: ZoneInfo | None) -> object:
    """Return a datetime in its time zone, or in this one if it has none; other values as they are."""
    moment = value
    if zone is not None and isinstance(value, str) and _ZONELESS.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:  # the 30th of February
            return value
    if not isinstance(moment, datetime) or moment.tzinfo is not None:
        return value
    return Unreadable(_NO_ZONE) if zone is None else moment.replace(tzinfo=zone)


def _pairs(option: str, texts: Iterable[str], form: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    # Nothing is repeated: it can be a value.
    if any(not name or not equals or (not right and option != "--set") for name, equals, right in pairs):
        raise ConfigurationError(f"{option}: write {form}")
    return [(name, right) for name, _, right in pairs]


def _by_column(mapped: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, column in mapped:
        names[column].append(name)
    return dict(names)


def _links(operation: Operation, texts: Iterable[str]) -> list[_Link]:
    links = []
    for target, text in _pairs("--associate", texts, "OBJECT=COLUMN or OBJECT=COLUMN:TYPE"):
        if operation.verb == "update":
            raise ConfigurationError("HubSpot takes associations with creates only; leave --associate out")
        named = _WITH_TYPE.fullmatch(text)
        column, type_id = (named[1], int(named[2])) if named else (text, None)
        kind = association_type(operation.object_type, target, type_id)
        links.append(_Link(column, object_type_of(target) or target, kind))
    return links


def _names(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip() for text in texts for name in text.split(",") if name.strip())


def _check_twice(names: Sequence[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigurationError(
            f"--map and --set fill the property {twice[0]!r} twice; remove one of the two"
        )


def _hint(name: str, columns: Sequence[str]) -> str:
    if close := difflib.get_close_matches(name, columns, n=1):
        return f"did you mean {close[0]!r}?"
    more = f" and {len(columns) - _SHOWN:,} more" if len(columns) > _SHOWN else ""
    return f"the columns are {', '.join(map(repr, columns[:_SHOWN]))}{more}"


def _ids(value: object) -> Iterable[object]:
    match value:
        case None:
            return ()
        case str():
            return [part.strip() for part in value.split(";") if part.strip()]
        case list() | tuple():
            return value
        case _:
            return (value,)
