"""Records that a sandbox has from the start."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, TypeAlias, cast

from msgspec import Meta, Struct

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._associations import ASSOCIATION_TYPES, Link, target_of
from hubspot_batch.sandbox._object_types import OBJECT_TYPES, SCHEMAS, CustomProperties, check_name
from hubspot_batch.sandbox._options import OptionError, Place, reader, suggestion
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._store import is_record_id

_MOST_DIGITS = 15
"""The most digits of an id that a caller chooses: it leaves room for the ids that follow."""


class SeedTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """The record that an association leads to.

    Attributes:
        id: Its id.
    """

    id: str | int


class SeedAssociationType(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An association type.

    Attributes:
        association_category: Who has defined it. The sandbox has those of HubSpot, HUBSPOT_DEFINED.
        association_type_id: Its id, 507 for order to contact.
    """

    association_category: Literal["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
    association_type_id: int


class SeedAssociation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An association of a record, in the form that an input of a create has.

    Attributes:
        to: The record that it leads to, which exists or is one of those that are given with it.
        types: Its types.
    """

    to: SeedTarget
    types: Sequence[SeedAssociationType]


_read_associations = reader(tuple[SeedAssociation, ...])
_read_row = reader(Mapping[str, object])

_FIELDS: Mapping[str, object] = {
    "id": {"type": ["string", "integer"], "description": "The record id; without it, it gets one"},
    "properties": {"type": "object", "description": "Its properties, unless they stand beside the id"},
    "associations": {"type": "array", "items": {"$ref": "#/components/schemas/SeedAssociation"}},
}
_Row: TypeAlias = Annotated[Mapping[str, object], Meta(extra_json_schema={"properties": _FIELDS})]
SeedRecord: TypeAlias = str | int | _Row
SeedGroup: TypeAlias = Collection[SeedRecord] | Mapping[str, _Row]
SeedRecords: TypeAlias = Mapping[str, SeedGroup]


class Seed(Struct, frozen=True):
    """A record to begin with.

    Attributes:
        object_type: Its object type.
        id: Its id; None if it gets one as a new record does.
        properties: Its properties.
        links: Its associations.
        place: Where it stands among those that a caller gives.
    """

    object_type: str
    id: str | None
    properties: Mapping[str, str]
    links: Sequence[Link] = ()
    place: Place = ()


def seeds_of(records: SeedRecords) -> Sequence[Seed]:
    """Return the records to begin with.

    Args:
        records: By object type: ids, rows of properties with an `id`, mappings with `id` and `properties`,
            or a mapping of rows by id. A row can have `associations`.

    Raises:
        ConfigurationError: If an object type, an id, a value or an association is invalid. The text says
            which one.
    """
    try:
        return _seeds(records)
    except OptionError as error:
        raise ConfigurationError(str(error)) from error


def check_records(records: SeedRecords) -> None:
    """Refuse records that a file or a request gives and that are not fit to begin with.

    Raises:
        OptionError: If an object type, an id, a value or an association is invalid. The text says which one.
    """
    _seeds(records)


def seed_of(object_type: str, record: SeedRecord, place: Place = ()) -> Seed:
    """Return a record to begin with.

    Args:
        object_type: Its object type.
        record: Its id, or a row.
        place: Where it stands among those that a caller gives.

    Raises:
        OptionError: If it is invalid. The text says why.
    """
    try:
        return _seed(object_type, record, place)
    except ConfigurationError as error:
        raise OptionError(place, str(error)) from error


class SeedError(ConfigurationError):
    """A record with something that it cannot have.

    Args:
        seed: The record.
        name: The property, or `associations`.
        problem: What is wrong with it.

    Attributes:
        cause: The same with its place among all records.
    """

    def __init__(self, seed: Seed, name: str, problem: str) -> None:
        self.cause = OptionError((*seed.place, name), problem)
        super().__init__(str(self.cause))


def check_targets(seeds: Sequence[Seed], existing: Collection[tuple[str, str]] = ()) -> None:
    """Refuse associations with records that do not exist. The order of the records does not matter.

    Args:
        seeds: The records to begin with.
        existing: The object type and the id of each record that is there already.

    Raises:
        ConfigurationError: If there is no such record.
    """
    known = {(seed.object_type, seed.id) for seed in seeds}
    for seed in seeds:
        for link in seed.links:
            target = target_of(seed.object_type, link) or ""
            if (target, link.to_id) not in known and (target, link.to_id) not in existing:
                problem = f"there is no record of {target} with the id {link.to_id}; give it, too"
                raise SeedError(seed, "associations", problem)


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
    """Return values as HubSpot stores them: as text, and nothing where a value is None.

    Raises:
        ConfigurationError: If a name is not that of a property, or a value not one.
    """
    for name in properties:
        check_name(name)
    return {name: _text(name, value) for name, value in properties.items() if value is not None}


def _seeds(records: SeedRecords) -> list[Seed]:
    return [
        seed_of(object_type, record, (object_type, key))
        for object_type, group in records.items()
        for key, record in _listed(object_type, group)
    ]


def _listed(object_type: str, group: SeedGroup) -> Iterable[tuple[str | int, SeedRecord]]:
    """Return the records of a group, each with its key or its index."""
    try:
        check_object_type(object_type)  # even if there are no records
    except ConfigurationError as error:
        raise OptionError((object_type,), str(error)) from error
    if isinstance(group, Mapping):
        by_id = cast("Mapping[str, Mapping[str, object]]", group)  # a mapping is a collection, too
        return [(key, _with_id(key, row, (object_type, key))) for key, row in by_id.items()]
    if isinstance(group, str):
        problem = f"the records of {object_type} are a text; write a list of records or ids"
        raise OptionError((object_type,), problem)
    return enumerate(group)


def _with_id(key: str, row: object, place: Place) -> SeedRecord:
    found = _read_row(row, place)
    if str(found.get("id", key)) != str(key):
        raise OptionError((*place, "id"), "the key of the row is another id; leave one of them out")
    return {**found, "id": key}


def _seed(object_type: str, record: SeedRecord, place: Place) -> Seed:
    if not isinstance(record, Mapping):
        return Seed(object_type, checked_id(record), {}, place=place)
    record_id, links = record.get("id"), record.get("associations")
    if record_id is not None and not isinstance(record_id, str | int):
        raise ConfigurationError(f"the id of a record of {object_type} is neither a text nor a number")
    return Seed(
        object_type,
        None if record_id is None else checked_id(record_id),
        texts_of(_properties(record, place)),
        () if links is None else _links(object_type, links, (*place, "associations")),
        place,
    )


def _properties(record: Mapping[str, object], place: Place) -> Mapping[str, object]:
    """Return the properties of a record, which stand in a table of their own or beside its id."""
    properties = record.get("properties")
    if not isinstance(properties, Mapping):
        return {name: value for name, value in record.items() if name not in {"id", "associations"}}
    for name in record:
        if name not in _FIELDS:
            raise OptionError((*place, name), f"unknown key beside properties{suggestion(name, _FIELDS)}")
    return properties


def _links(object_type: str, associations: object, place: Place) -> Sequence[Link]:
    links: list[Link] = []
    found: Sequence[SeedAssociation] = _read_associations(associations, place)
    for index, association in enumerate(found):
        at = (*place, index)
        if not association.types:
            raise OptionError((*at, "types"), f"a type is missing{_leads(object_type)}")
        for kind in association.types:
            try:
                target = checked_id(association.to.id)
            except ConfigurationError as error:
                raise OptionError((*at, "to", "id"), str(error)) from error
            link = Link(kind.association_category, kind.association_type_id, target)
            if target_of(object_type, link) is None:
                problem = f"type {link.type_id} of {link.category} does not start at {object_type}"
                raise OptionError((*at, "types"), problem + _leads(object_type))
            links.append(link)
    return links


def _leads(object_type: str) -> str:
    """Return the association types that start at an object type, to follow a complaint about one."""
    types = ASSOCIATION_TYPES.get(object_type)
    if not types:
        return "; none does that the sandbox knows, so give the association to the other record"
    known = ", ".join(f"{type_id} to {target}" for type_id, target in types.items())
    return f"; choose from HUBSPOT_DEFINED {known}"


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
