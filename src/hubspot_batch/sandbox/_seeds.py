"""Records that a sandbox has from the start."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeAlias, cast

from msgspec import Struct

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._object_types import OBJECT_TYPES, SCHEMAS, CustomProperties
from hubspot_batch.sandbox._options import OptionError, Place, suggestion
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._store import is_record_id

SeedRecord: TypeAlias = str | int | Mapping[str, object]
SeedGroup: TypeAlias = Collection[SeedRecord] | Mapping[str, Mapping[str, object]]
SeedRecords: TypeAlias = Mapping[str, SeedGroup]

_MOST_DIGITS = 15
"""The most digits of an id that a caller chooses: it leaves room for the ids that follow."""


class Seed(Struct, frozen=True):
    """A record to begin with; without an id, it gets one as a new record does."""

    object_type: str
    id: str | None
    properties: Mapping[str, str]


def seeds_of(records: SeedRecords) -> Sequence[Seed]:
    """Return the records to begin with.

    Args:
        records: By object type: ids, rows of properties with an `id`, mappings with `id` and `properties`,
            or a mapping of properties by id.

    Raises:
        ConfigurationError: If an object type or an id is invalid.
    """
    return [
        _seed(object_type, record)
        for object_type, group in records.items()
        for _, record in _listed(object_type, group)
    ]


def check_records(records: SeedRecords) -> None:
    """Refuse records that a file or a request gives and that are not fit to begin with.

    Raises:
        OptionError: If an object type, an id or a value is invalid. The text says which one.
    """
    for object_type, group in records.items():
        place: Place = (object_type,)
        try:
            check_object_type(object_type)
            for key, record in _listed(object_type, group):
                place = (object_type, key)
                _seed(object_type, record)
        except ConfigurationError as error:
            raise OptionError(place, str(error)) from error


def custom_with(custom: CustomProperties, seeds: Iterable[Seed]) -> CustomProperties:
    """Return the custom properties of an account with those added that only its first records have."""
    extended: dict[str, dict[str, Property]] = defaultdict(dict)
    for seed in seeds:
        if seed.object_type in SCHEMAS:
            known = SCHEMAS[seed.object_type]
            names = [
                name
                for name in seed.properties
                if name not in known.properties and not known.is_read_only(name)
            ]
            extended[seed.object_type] |= dict.fromkeys(names, Property())
    for object_type, declared in custom.items():
        if object_type not in extended:
            continue
        rules = declared if isinstance(declared, Mapping) else dict.fromkeys(declared, Property())
        extended[object_type] |= rules
    return {**custom, **{name: rules for name, rules in extended.items() if rules}}


def checked_id(record_id: str | int) -> str:
    """Return a record id that a caller chooses.

    Raises:
        ConfigurationError: If it is not a record id.
    """
    text = str(record_id)
    if isinstance(record_id, bool) or not is_record_id(text) or len(text) > _MOST_DIGITS:
        raise ConfigurationError(
            f"{record_id!r} is not a record id; write 1 to {_MOST_DIGITS} decimal digits without a leading 0"
        )
    return text


def check_object_type(name: str) -> None:
    """Refuse the name of an object type that does not exist.

    Raises:
        ConfigurationError: If there is no such object type.
    """
    if name not in OBJECT_TYPES:
        raise ConfigurationError(f"there is no object type {name!r}{suggestion(name, OBJECT_TYPES)}")


def texts_of(properties: Mapping[str, object]) -> dict[str, str]:
    """Return values as HubSpot stores them: as text, and nothing where a value is None."""
    return {name: _text(name, value) for name, value in properties.items() if value is not None}


def _listed(object_type: str, group: SeedGroup) -> Iterable[tuple[str | int, SeedRecord]]:
    """Return the records of a group, each with its key or its index."""
    if isinstance(group, Mapping):
        by_id = cast("Mapping[str, Mapping[str, object]]", group)  # a mapping is a collection, too
        return [(key, {"id": key, "properties": properties}) for key, properties in by_id.items()]
    if isinstance(group, str):
        raise ConfigurationError(f"the records of {object_type} are a text; write a list of records or ids")
    return enumerate(group)


def _seed(object_type: str, record: SeedRecord) -> Seed:
    check_object_type(object_type)
    if not isinstance(record, Mapping):
        return Seed(object_type, checked_id(record), {})
    rest = {name: value for name, value in record.items() if name != "id"}
    properties = record.get("properties")
    found = properties if isinstance(properties, Mapping) else rest
    record_id = record.get("id")
    if record_id is not None and not isinstance(record_id, str | int):
        raise ConfigurationError(f"the id of a record of {object_type} is neither a text nor a number")
    return Seed(object_type, None if record_id is None else checked_id(record_id), texts_of(found))


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case date():  # a datetime is one, too
            return value.isoformat()
        case list() | tuple() | set() | Mapping() | bytes():
            raise ConfigurationError(f"the value of {name} is neither a text nor a number")
        case _:
            return str(value)
