"""What a sandbox begins with, and the accounts that are made of it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._account import Account
from hubspot_batch.sandbox._associations import both_sides
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._clock import Clock
from hubspot_batch.sandbox._object_types import CustomProperties, defined, schemas_with
from hubspot_batch.sandbox._options import OptionError
from hubspot_batch.sandbox._quotas import Day, QuotaLimit, QuotaText, Window, quota_of
from hubspot_batch.sandbox._schemas import ObjectSchema, Property, Values
from hubspot_batch.sandbox._seeds import (
    Seed,
    SeedError,
    SeedRecords,
    check_records,
    check_targets,
    custom_with,
    seeds_of,
)
from hubspot_batch.sandbox._store import NewRecord, Store, StoredRecord
from hubspot_batch.sandbox._tokens import Grant, OAuthApp, Tokens, TokenText, check_token
from hubspot_batch.sandbox._values import bad_values, lookup_value


def check_number(number: int) -> None:
    """Refuse the number of an account that none can have.

    Raises:
        ConfigurationError: If it is less than 1.
    """
    if number < 1:
        raise ConfigurationError(f"no account has the number {number}; choose one from 1 on")


FirstRecords: TypeAlias = Annotated[SeedRecords, Meta(extra={"check": check_records})]


class SandboxAccount(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One account of a sandbox, with records, a quota and tokens of its own.

    Attributes:
        access_token: Its static token.
        scopes: The scopes of its tokens; None for all.
        quota: The quota of the static token, as a `QuotaLimit` or as text, `190/10`.
        properties: Custom properties by object type: `{"orders": ["my_field"]}` for properties that take any
            text, or `{"orders": {"shop_number": Property("text", unique=True)}}`.
        records: The records that it has from the start, by object type: a list of ids, of rows
            `{"id": "301", "email": "ada@example.com"}` or of inputs with `id` and `properties`, or a mapping
            of rows by id. A property that is not defined becomes a custom one; of the others, the values are
            checked. `associations` of a row or an input are as in an input of a create, with records that are
            given, too, or exist.
        oauth: An app that is installed in it and gets tokens at `/oauth/v3/token`.
        number: Its id.
    """

    access_token: TokenText = "sandbox-token"  # noqa: S105 - it opens nothing but the sandbox
    scopes: Sequence[str] | None = None
    quota: QuotaLimit | QuotaText = QuotaLimit()
    properties: CustomProperties = {}
    records: FirstRecords = {}
    oauth: OAuthApp | None = None
    number: Annotated[int, Meta(extra={"check": check_number})] = 100_000_001

    def __repr__(self) -> str:
        return f"SandboxAccount(number={self.number})"


class Setup(Struct, frozen=True, kw_only=True):
    """What a sandbox begins with, when it starts and at a reset.

    Attributes:
        accounts: Its accounts.
        seeds: The first records of each account.
        schemas: The object types of each account.
        behaviour: How the accounts behave where facts are missing.
        seed: The seed of random choices.
        retry_after: Whether a 429 has the header `Retry-After`.
        rates: The rate of each fault.
        start: The time that the clock begins with; None for that of the machine.
    """

    accounts: Sequence[SandboxAccount]
    seeds: Sequence[Sequence[Seed]]
    schemas: Sequence[dict[str, ObjectSchema]]
    behaviour: Behaviour
    seed: int
    retry_after: bool
    rates: Mapping[str, float]
    start: datetime | str | None

    def check_targets(self) -> None:
        """Refuse associations with records that are not there when the stores are empty.

        Raises:
            ConfigurationError: If there are such associations, and they are to be refused.
        """
        if self.behaviour.check_targets:
            for seeds in self.seeds:
                check_targets(seeds)


class OpenAccount(Struct, frozen=True, kw_only=True):
    """An account that answers requests.

    Attributes:
        options: What it was made of.
        schemas: Its object types. Records that are added later can add custom properties.
        store: Its records.
        grant: What its static token may do.
        check_targets: Whether the other record of an association has to exist.
    """

    options: SandboxAccount
    schemas: dict[str, ObjectSchema]
    store: Store
    grant: Grant
    check_targets: bool


class Stores:
    """The stores of the accounts, by their numbers, open as long as the sandbox runs.

    Args:
        path: The file of the first account; the others have files of their own beside it. None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._open: dict[int, Store] = {}
        self._cleanup = ExitStack()

    def store_of(self, number: int, lookups: Iterable[str], *, first: bool) -> Store:
        """Return the store of an account.

        Raises:
            ConfigurationError: If its file cannot be used.
        """
        store = self._open.get(number)
        if store is None:
            store = self._cleanup.enter_context(closing(Store(self._path_of(number, first=first), ())))
            self._open[number] = store
        store.index(lookups)
        return store

    def clear(self) -> None:
        """Delete all records."""
        for store in self._open.values():
            store.clear()

    def close(self) -> None:
        """Close all stores."""
        self._cleanup.close()

    def _path_of(self, number: int, *, first: bool) -> Path | None:
        if self._path is None or first:
            return self._path
        return self._path.with_name(f"{self._path.stem}-{number}{self._path.suffix}")


def setup_of(
    *,
    accounts: Sequence[SandboxAccount],
    behaviour: Behaviour,
    seed: int,
    retry_after: bool,
    rates: Mapping[str, float],
    start: datetime | str | None,
) -> Setup:
    """Return what a sandbox begins with.

    Raises:
        ConfigurationError: If it is invalid.
    """
    seeds = [seeds_of(account.records) for account in accounts]
    for account, of_account in zip(accounts, seeds, strict=True):
        check_token(account.access_token)
        quota_of(account.quota)
        _check_ids(of_account)
        check_number(account.number)
    for what, values in (
        ("access token", [account.access_token for account in accounts]),
        ("number", [account.number for account in accounts]),
    ):
        if len(set(values)) < len(values):
            raise ConfigurationError(f"two accounts have the same {what}; give each one of its own")
    schemas = [
        _schemas(account.properties, of_account) for account, of_account in zip(accounts, seeds, strict=True)
    ]
    return Setup(
        accounts=accounts,
        seeds=seeds,
        schemas=schemas,
        behaviour=behaviour,
        seed=seed,
        retry_after=retry_after,
        rates=rates,
        start=start,
    )


def check_account(properties: CustomProperties, records: SeedRecords) -> None:
    """Refuse properties and first records of an account that a file gives.

    Raises:
        OptionError: If a name or a value is invalid. The text says which one.
    """
    try:
        schemas_with(properties)
    except ConfigurationError as error:
        raise OptionError(("properties",), str(error)) from error
    try:
        _schemas(properties, seeds_of(records))
    except SeedError as error:
        raise OptionError(("records", *error.cause.place), error.cause.problem) from error


def _schemas(properties: CustomProperties, seeds: Sequence[Seed]) -> dict[str, ObjectSchema]:
    """Return the object types of an account, after a check of its first records."""
    schemas = schemas_with(custom_with(properties, seeds))
    _check_values(seeds, schemas)
    return schemas


def open_accounts(setup: Setup, stores: Stores, tokens: Tokens, clock: Clock) -> list[OpenAccount]:
    """Open the accounts of a sandbox, with their first records, and let their tokens open them.

    Raises:
        ConfigurationError: If a store cannot be used.
    """
    return [_opened(setup, index, stores, tokens, clock) for index in range(len(setup.accounts))]


def plant(
    account: OpenAccount, seeds: Iterable[Seed], clock: Clock, *, beginning: bool = False
) -> list[StoredRecord]:
    """Write records that a caller gives, all or none, and return them as they are stored.

    Args:
        account: The account.
        seeds: The records. One that exists keeps its properties, and gets the associations.
        clock: The time of the sandbox.
        beginning: Whether these are its first records: those without an id are then only written where it
            has no others of their object type.

    Raises:
        ConfigurationError: If an id belongs to a record of another object type, a value is not one of its
            property or that of another record, or an association leads to a record that does not exist.
    """
    given, store, moment = list(seeds), account.store, clock.moment()
    planted: list[StoredRecord] = []
    with store.transaction():
        schemas = dict(account.schemas)
        _check_values(given, schemas)
        if account.check_targets:
            check_targets(given, store.existing(link.to_id for seed in given for link in seed.links))
        occupied = {seed.object_type for seed in given if beginning and store.count(seed.object_type)}
        for seed in given:
            if seed.id is None and seed.object_type in occupied:
                continue
            properties = _values(schemas, seed)
            taken = _taken(store, schemas.get(seed.object_type), properties)
            record, is_new = _planted(store, seed, properties, moment)
            if taken and is_new:
                raise _taken_error(seed, taken)
            if record is not None:
                store.associate(both_sides(seed.object_type, record.id, seed.links))
                planted.append(record)
        account.schemas.update(schemas)
        return store.with_associations(planted)


def _planted(store: Store, seed: Seed, properties: Values, moment: str) -> tuple[StoredRecord | None, bool]:
    """Write a record unless it exists. Return it unless it is archived, and whether it is new."""
    if seed.id is None:
        (record,) = store.insert([NewRecord(object_type=seed.object_type, properties=properties)], moment)
        return record, True
    is_new = store.add(seed.object_type, seed.id, properties, moment)
    return store.get(seed.object_type, [seed.id]).get(seed.id), is_new


def _taken(store: Store, schema: ObjectSchema | None, properties: Values) -> str | None:
    """Return the unique property whose value a record has already."""
    if schema is None:
        return None
    given = {name: value for name in schema.unique if (value := properties.get(name))}
    return next((name for name, value in given.items() if store.find(schema.name, name, [value])), None)


def _taken_error(seed: Seed, name: str) -> ConfigurationError:
    return SeedError(seed, name, "another record has this value, and it is unique; choose another one")


def _check_values(seeds: Iterable[Seed], schemas: Mapping[str, ObjectSchema]) -> None:
    """Refuse values that HubSpot refuses, and values of unique properties that two records have.

    Raises:
        ConfigurationError: If there are such values. The text does not repeat them.
    """
    owners: dict[tuple[str, str, str], str | None] = {}
    for seed in seeds:
        schema = schemas.get(seed.object_type)
        if schema is None:
            continue
        for name, code in bad_values(schema, seed.properties).items():
            raise SeedError(seed, name, f"{code}: HubSpot does not take this value; write it as in a request")
        for name in schema.unique:
            if value := seed.properties.get(name):
                key = (schema.name, name, lookup_value(schema, name, value, normalise=True))
                if key in owners and (seed.id is None or owners[key] != seed.id):
                    raise _taken_error(seed, name)
                owners[key] = seed.id


def _check_ids(seeds: Iterable[Seed]) -> None:
    types: dict[str, str] = {}
    for seed in seeds:
        if seed.id is not None and types.setdefault(seed.id, seed.object_type) != seed.object_type:
            raise ConfigurationError(
                f"the id {seed.id} is given to a record of {types[seed.id]} and to one of "
                f"{seed.object_type}; choose another id"
            )


def _values(schemas: dict[str, ObjectSchema], seed: Seed) -> Values:
    """Return the properties of a record as they are stored, and define those that are missing."""
    schema = schemas.get(seed.object_type)
    if schema is None:
        return seed.properties
    names = [name for name in seed.properties if name not in schema.properties]
    if missing := [name for name in names if not schema.is_read_only(name)]:
        schema = schemas[seed.object_type] = defined(schema, dict.fromkeys(missing, Property()))
    return {
        name: lookup_value(schema, name, value, normalise=True) if name in schema.properties else value
        for name, value in seed.properties.items()
    }


def _opened(setup: Setup, index: int, stores: Stores, tokens: Tokens, clock: Clock) -> OpenAccount:
    options, schemas = setup.accounts[index], dict(setup.schemas[index])
    unique = sorted({name for schema in schemas.values() for name in schema.unique})
    store = stores.store_of(options.number, unique, first=index == 0)
    quota = quota_of(options.quota)
    day = Day(quota.daily)
    grant = Grant(
        account=Account(
            store, schemas, setup.seed, behaviour=setup.behaviour, number=options.number, clock=clock
        ),
        number=options.number,
        scopes=None if options.scopes is None else frozenset(options.scopes),
        window=Window(quota, day),
        searches=Window(_search_quota(setup.behaviour, quota), Day(None)),
        day=day,
    )
    account = OpenAccount(
        options=options,
        schemas=schemas,
        store=store,
        grant=grant,
        check_targets=setup.behaviour.check_targets,
    )
    plant(account, setup.seeds[index], clock, beginning=True)
    tokens.add(options.access_token, grant)
    if options.oauth is not None:
        tokens.install(options.oauth, grant)
    return account


def _search_quota(behaviour: Behaviour, quota: QuotaLimit) -> QuotaLimit:
    """Return the quota of searches: none for an account that has none at all."""
    return QuotaLimit(None if quota.limit is None else behaviour.searches_per_second, 1.0, None)
