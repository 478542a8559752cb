"""One account: its records and properties, and what it answers."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.contract._associations import OBJECT_TYPES
from hubspot_batch.contract._operations import Operation, versions
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._batches import Draft, Plan, Setting, plan_creates, plan_updates
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._links import target_of
from hubspot_batch.sandbox._requests import CreateInput, Link, read_creates, read_updates
from hubspot_batch.sandbox._store import NewRecord, Store, StoredAssociation, StoredRecord
from hubspot_batch.sandbox._table import Table
from hubspot_batch.sandbox._values import Values, computed

_LARGEST_PAGE = 100
_LARGEST_CURSOR = 2**63 - 1

_HARDEST = Behaviour()
_APP = "https://app.hubspot.com"
_SOURCE = {
    "hs_object_source": "INTEGRATION",
    "hs_object_source_id": "1000001",
    "hs_object_source_label": "INTEGRATION",
}

Item = TypeVar("Item")


class Reply(Struct, frozen=True):
    """A status and a body."""

    status: int
    body: Json


class _Outcome(Struct, frozen=True):
    results: list[Json]
    errors: Sequence[Json]


class Account:
    """One account of the sandbox. Any thread may use it.

    Args:
        store: Where its records are.
        tables: The properties of its object types.
        seed: What the order of results is drawn from.
        behaviour: How it behaves where facts are missing.
        number: Its id, which HubSpot calls the portal.
    """

    def __init__(
        self,
        store: Store,
        tables: Mapping[str, Table],
        seed: int,
        *,
        behaviour: Behaviour = _HARDEST,
        number: int = 100000001,
    ) -> None:
        self._store = store
        self._tables = tables
        self._random = random.Random(seed)  # noqa: S311 - an order is no secret
        self._behaviour = behaviour
        self._number = number
        self._refusals = count()

    def run(self, operation: Operation, content: bytes, version: str = "v3") -> Reply:
        """Process a batch. What the reply reports as written is on disk."""
        started = moment()
        act = self._create if operation.verb == "create" else self._update
        outcome = act(self._setting(operation.object_type, version), content)
        if isinstance(outcome, Refusal):
            return reply_of(outcome)
        body = _bodies.batch(outcome.results, outcome.errors, started, moment())
        return Reply(_status(operation, version, failed=bool(outcome.errors)), body)

    def page(self, object_type: str, limit: str, after: str) -> Reply:
        """List records by rising id."""
        if object_type not in OBJECT_TYPES:
            return reply_of(_bodies.unknown_object_type(object_type))
        size, cursor = _number(limit, _LARGEST_PAGE), _number(after, _LARGEST_CURSOR)
        if not size:
            return reply_of(_bodies.bad_parameter("limit"))
        if cursor is None:
            return reply_of(_bodies.bad_parameter("after"))
        records = self._store.page(object_type, after=cursor, limit=size + 1)
        shown = records[:size]
        body: Json = {"results": [self._body(record, record.properties) for record in shown]}
        if len(records) > size:
            body["paging"] = {"next": {"after": shown[-1].id}}
        return Reply(200, body)

    def _setting(self, object_type: str, version: str) -> Setting:
        return Setting(
            store=self._store,
            object_type=object_type,
            table=self._tables[object_type],
            behaviour=self._behaviour,
            version=version,
            portal=self._number,
            refusals=self._refusals,
        )

    def _create(self, setting: Setting, content: bytes) -> _Outcome | Refusal:
        inputs = read_creates(content, accept_empty=self._behaviour.accept_empty_inputs)
        if isinstance(inputs, Refusal):
            return inputs
        with self._store.transaction():
            plan = plan_creates(setting, inputs)
            return plan if isinstance(plan, Refusal) else self._created(setting.object_type, plan)

    def _created(self, object_type: str, plan: Plan) -> _Outcome:
        # Shuffled here as well as below, so that ids do not rise with the inputs.
        drafts = self._shuffled(plan.drafts)
        records = self._store.insert([_new_record(object_type, draft) for draft in drafts], moment())
        results = [
            self._result(draft, record, record.properties)
            for draft, record in zip(drafts, records, strict=True)
        ]
        return _Outcome(self._shuffled(results), plan.errors)

    def _update(self, setting: Setting, content: bytes) -> _Outcome | Refusal:
        inputs = read_updates(content, accept_empty=self._behaviour.accept_empty_inputs)
        if isinstance(inputs, Refusal):
            return inputs
        with self._store.transaction():
            plan = plan_updates(setting, inputs)
            return plan if isinstance(plan, Refusal) else self._updated(plan)

    def _updated(self, plan: Plan) -> _Outcome:
        now = moment()
        changes = [
            (draft, _changed(draft.record, draft.properties, now)) for draft in plan.drafts if draft.record
        ]
        self._store.update(record for _, record in changes)
        results = [self._result(draft, record, draft.properties) for draft, record in changes]
        return _Outcome(self._shuffled(results), plan.errors)

    def _result(self, draft: Draft, record: StoredRecord, shown: Values) -> Json:
        body = self._body(record, shown)
        if self._behaviour.echo_trace_ids and draft.input.trace_id is not None:
            body["objectWriteTraceId"] = draft.input.trace_id
        return body

    def _body(self, record: StoredRecord, shown: Values) -> Json:
        table = self._tables.get(record.object_type)
        of_server = {
            "hs_object_id": record.id,
            table.created if table else "createdate": record.created_at,
            "hs_lastmodifieddate": record.updated_at,
        }
        body: Json = {
            "id": record.id,
            "properties": {**shown, **of_server},
            "createdAt": record.created_at,
            "updatedAt": record.updated_at,
            "archived": False,
        }
        if table:
            worked_out = computed(record.object_type, record.properties)
            body["properties"] = {**worked_out, **_SOURCE, **body["properties"]}
            body["url"] = f"{_APP}/contacts/{self._number}/record/{table.type_id}/{record.id}"
        return body

    def _shuffled(self, items: Iterable[Item]) -> list[Item]:
        shuffled = list(items)
        if self._behaviour.shuffle:
            self._random.shuffle(shuffled)
        return shuffled


def reply_of(refusal: Refusal) -> Reply:
    """Return the reply that refuses a request."""
    return Reply(refusal.status, refusal.body(str(uuid4())))


def moment() -> str:
    """Return the present time as HubSpot writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(operation: Operation, version: str, *, failed: bool) -> int:
    known = versions()[version]
    return known.partial if failed and known.partial else known.success[operation.verb]


def _new_record(object_type: str, draft: Draft) -> NewRecord:
    links = draft.input.links if isinstance(draft.input, CreateInput) else ()
    stored = [_association(object_type, link) for link in links]
    return NewRecord(object_type=object_type, properties=draft.properties, associations=stored)


def _association(object_type: str, link: Link) -> StoredAssociation:
    return StoredAssociation(
        to_type=target_of(object_type, link) or "",
        to_id=link.to_id,
        category=link.category,
        type_id=link.type_id,
    )


def _changed(record: StoredRecord, properties: Values, now: str) -> StoredRecord:
    return replace(record, properties={**record.properties, **properties}, updated_at=now)


def _number(text: str, largest: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        return None
    return int(text) if int(text) <= largest else None
