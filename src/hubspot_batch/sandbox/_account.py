"""One account: its records and properties, and what it answers."""

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

import msgspec
from msgspec import Struct

from hubspot_batch.contract import Operation
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._associations import OBJECT_TYPES, TARGETS
from hubspot_batch.sandbox._batches import Change, plan_creates, plan_updates
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._properties import Table
from hubspot_batch.sandbox._requests import CreateBatch, CreateInput, UpdateBatch, UpdateInput, read
from hubspot_batch.sandbox._store import NewRecord, Store, StoredAssociation, StoredRecord

_LARGEST_PAGE = 100
_LARGEST_CURSOR = 2**63 - 1

Item = TypeVar("Item")


class Reply(Struct, frozen=True):
    """A status and a body."""

    status: int
    body: Json


class _Outcome(Struct, frozen=True):
    results: list[Json]
    errors: list[Json]


class Account:
    """One account of the sandbox. Any thread may use it.

    Args:
        store: Where its records are.
        tables: The properties of its object types.
        seed: What the order of results is drawn from.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], seed: int) -> None:
        self._store = store
        self._tables = tables
        self._random = random.Random(seed)  # noqa: S311 - an order is no secret

    def run(self, operation: Operation, content: bytes) -> Reply:
        """Process a batch. What the reply reports as written is on disk."""
        started = moment()
        act = self._create if operation.verb == "create" else self._update
        outcome = act(operation, content)
        if isinstance(outcome, Refusal):
            return refused(outcome)
        body = _bodies.batch(outcome.results, outcome.errors, started, moment())
        return Reply(207 if outcome.errors else operation.success, body)

    def page(self, object_type: str, limit: str, after: str) -> Reply:
        """List records by rising id."""
        if object_type not in OBJECT_TYPES:
            return refused(_bodies.unknown_object_type(object_type))
        size, cursor = _number(limit, _LARGEST_PAGE), _number(after, _LARGEST_CURSOR)
        if not size:
            return refused(_bodies.bad_parameter("limit"))
        if cursor is None:
            return refused(_bodies.bad_parameter("after"))
        records = self._store.page(object_type, after=cursor, limit=size + 1)
        shown = records[:size]
        body: Json = {"results": [self._body(record, record.properties) for record in shown]}
        if len(records) > size:
            body["paging"] = {"next": {"after": shown[-1].id}}
        return Reply(200, body)

    def _create(self, operation: Operation, content: bytes) -> _Outcome | Refusal:
        batch = read(content, operation.request_schema, CreateBatch)
        if isinstance(batch, Refusal):
            return batch
        object_type = operation.object_type
        with self._store.transaction():
            plan = plan_creates(object_type, self._tables[object_type], batch.inputs, self._store.exists)
            if isinstance(plan, Refusal):
                return plan
            # Shuffled here as well as below, so that ids do not rise with the inputs.
            new = self._shuffled(_new_record(object_type, item) for item in plan.inputs)
            records = self._store.insert(new, moment())
            results = self._shuffled(self._body(record, record.properties) for record in records)
        return _Outcome(results, list(plan.errors))

    def _update(self, operation: Operation, content: bytes) -> _Outcome | Refusal:
        batch = read(content, operation.request_schema, UpdateBatch)
        if isinstance(batch, Refusal):
            return batch
        object_type = operation.object_type
        with self._store.transaction():
            plan = plan_updates(
                self._tables[object_type], batch.inputs, lambda item: self._find(object_type, item)
            )
            if isinstance(plan, Refusal):
                return plan
            results = self._shuffled(self._change(change) for change in plan.changes)
        return _Outcome(results, list(plan.errors))

    def _find(self, object_type: str, item: UpdateInput) -> list[StoredRecord]:
        if item.id_property is None:
            return self._store.get(object_type, item.id)
        return self._store.find(object_type, item.id_property, item.id)

    def _change(self, change: Change) -> Json:
        values = _cleared(change.properties)
        properties = {**change.record.properties, **values}
        record = msgspec.structs.replace(change.record, properties=properties, updated_at=moment())
        self._store.update(record)
        return self._body(record, values)

    def _body(self, record: StoredRecord, properties: Mapping[str, str | None]) -> Json:
        table = self._tables.get(record.object_type)
        of_server = {
            "hs_object_id": record.id,
            table.created if table else "createdate": record.created_at,
            "hs_lastmodifieddate": record.updated_at,
        }
        return {
            "id": record.id,
            "properties": {**properties, **of_server},
            "createdAt": record.created_at,
            "updatedAt": record.updated_at,
            "archived": False,
        }

    def _shuffled(self, items: Iterable[Item]) -> list[Item]:
        shuffled = list(items)
        self._random.shuffle(shuffled)
        return shuffled


def refused(refusal: Refusal) -> Reply:
    """Return the reply that refuses a request."""
    return Reply(refusal.status, refusal.body(str(uuid4())))


def moment() -> str:
    """Return the present time as HubSpot writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new_record(object_type: str, item: CreateInput) -> NewRecord:
    links = [
        StoredAssociation(
            to_type=TARGETS[object_type][kind.association_type_id],
            to_id=link.to.id,
            category=kind.association_category,
            type_id=kind.association_type_id,
        )
        for link in item.associations
        for kind in link.types
    ]
    return NewRecord(object_type=object_type, properties=_cleared(item.properties), associations=links)


def _cleared(properties: Mapping[str, str]) -> dict[str, str | None]:
    return {name: value or None for name, value in properties.items()}


def _number(text: str, largest: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        return None
    return int(text) if int(text) <= largest else None
