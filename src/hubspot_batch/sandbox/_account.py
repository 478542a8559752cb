"""One account: its records and properties, and what it answers."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TypeAlias, TypeVar
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.contract._operations import versions
from hubspot_batch.sandbox import _associations, _bodies, _requests
from hubspot_batch.sandbox._batches import (
    BatchContext,
    Draft,
    Plan,
    plan_creates,
    plan_updates,
    plan_upserts,
)
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._clock import Clock
from hubspot_batch.sandbox._operations import Target, plural_of
from hubspot_batch.sandbox._requests import Pair, ReadRequest, WriteInput
from hubspot_batch.sandbox._schemas import ObjectSchema, Values
from hubspot_batch.sandbox._search import (
    SearchRequest,
    condition_of,
    hints_of,
    in_order,
    linked_type,
    read_search,
)
from hubspot_batch.sandbox._store import NewRecord, Revision, Store, StoredAssociation, StoredRecord

_LARGEST_PAGE = 100
_LARGEST_CURSOR = 2**63 - 1
_DEFAULT_PAGE = "10"

_HARDEST = Behaviour()
_APP = "https://app.hubspot.com"
_SOURCE_ID = "1000001"
_SOURCE = {
    "hs_object_source": "INTEGRATION",
    "hs_object_source_id": _SOURCE_ID,
    "hs_object_source_label": "INTEGRATION",
}
_DEFINED = "2026-01-01T00:00:00.000Z"
"""When HubSpot defined its properties, as far as the sandbox is concerned."""

Item = TypeVar("Item")


class Reply(Struct, frozen=True):
    """A status and a body.

    Attributes:
        status: The HTTP status.
        body: The body; empty for a reply without one.
        done: How many records were written or read.
    """

    status: int
    body: Json
    done: int = 0


class Call(Struct, frozen=True, kw_only=True):
    """A request for an operation.

    Attributes:
        target: The operation, and what the path names.
        content: The body.
        query: The parameters of the query.
        index_delay: Seconds until what it writes is found by unique properties; None for the account's own.
    """

    target: Target
    content: bytes = b""
    query: Mapping[str, str] = {}
    index_delay: float | None = None

    @property
    def archived(self) -> bool:
        """Whether the request is about archived records."""
        return self.query.get("archived", "").lower() == "true"


class BatchOutcome(Struct, frozen=True):
    """The results and the errors of a batch."""

    results: Sequence[Json]
    errors: Sequence[Json] = ()


class Shown(Struct, frozen=True, kw_only=True):
    """What a reply shows of records.

    Attributes:
        properties: The properties; None for all that are stored.
        history: The properties with their earlier values.
        links: The object types of the associations.
    """

    properties: Sequence[str] | None = None
    history: Sequence[str] = ()
    links: Sequence[str] = ()


_Handler: TypeAlias = Callable[[Call], BatchOutcome | Refusal | Reply]
_Planner: TypeAlias = Callable[[BatchContext, Sequence[WriteInput]], Plan | Refusal]


class Account:
    """One account of the sandbox. Any thread may use it.

    Args:
        store: Its records.
        schemas: Its object types.
        seed: The seed of the order of results.
        behaviour: How it behaves where facts are missing.
        number: Its id, which HubSpot calls the portal.
        clock: The time of the sandbox; None for that of this machine.
    """

    def __init__(
        self,
        store: Store,
        schemas: Mapping[str, ObjectSchema],
        seed: int,
        *,
        behaviour: Behaviour = _HARDEST,
        number: int = 100000001,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._schemas = schemas
        self._random = random.Random(seed)  # noqa: S311 - an order is not a secret
        self._behaviour = behaviour
        self._number = number
        self._clock = clock or Clock()
        self._refusals = count()
        self._handlers: Mapping[tuple[str, str], _Handler] = {
            ("objects", "create"): self._create,
            ("objects", "update"): self._update,
            ("objects", "upsert"): self._upsert,
            ("objects", "read"): self._read,
            ("objects", "archive"): self._archive,
            ("objects", "list"): self._list,
            ("objects", "search"): self._search,
            ("objects", "get"): self._get,
            ("objects", "make"): self._make,
            ("objects", "change"): self._change_one,
            ("objects", "delete"): self._delete,
            ("properties", "list"): self._definitions,
            ("associations", "create"): self._associate,
            ("associations", "read"): self._associations,
        }

    @property
    def counts_searches(self) -> bool:
        """Whether searches count towards the quota of other requests, too."""
        return self._behaviour.count_searches

    def run(self, call: Call) -> Reply:
        """Carry out a request. What the reply reports as written is on disk."""
        started, route = self._clock.moment(), call.target.route
        outcome = self._handlers[route.area, route.verb](call)
        if isinstance(outcome, Refusal):
            return reply_of(outcome)
        if isinstance(outcome, Reply):
            return outcome
        body = _bodies.batch(outcome.results, outcome.errors, started, self._clock.moment())
        return Reply(self._status(call.target, failed=bool(outcome.errors)), body, len(outcome.results))

    def _status(self, target: Target, *, failed: bool) -> int:
        known, operation = versions()[target.version], target.route.operation
        if failed and known.partial and target.version not in self._behaviour.without_207:
            return known.partial
        return known.success.get(operation.verb, operation.success)

    def _context(self, call: Call) -> BatchContext:
        return BatchContext(
            store=self._store,
            schema=self._schemas[call.target.object_types[0]],
            behaviour=self._behaviour,
            version=call.target.version,
            portal=self._number,
            refusals=self._refusals,
            now=self._clock.time(),
        )

    def _create(self, call: Call) -> BatchOutcome | Refusal:
        accept_empty = self._behaviour.accept_empty_inputs
        return self._write(
            call, _requests.read_creates(call.content, accept_empty=accept_empty), plan_creates
        )

    def _update(self, call: Call) -> BatchOutcome | Refusal:
        return self._change(call, plan_updates)

    def _upsert(self, call: Call) -> BatchOutcome | Refusal:
        return self._change(call, plan_upserts)

    def _change(self, call: Call, plan: _Planner) -> BatchOutcome | Refusal:
        accept_empty = self._behaviour.accept_empty_inputs
        return self._write(call, _requests.read_changes(call.content, accept_empty=accept_empty), plan)

    def _write(
        self, call: Call, inputs: Sequence[WriteInput] | Refusal, make_plan: _Planner
    ) -> BatchOutcome | Refusal:
        if isinstance(inputs, Refusal):
            return inputs
        with self._store.transaction():
            plan = make_plan(self._context(call), inputs)
            return plan if isinstance(plan, Refusal) else self._written(call, plan)

    def _written(self, call: Call, plan: Plan) -> BatchOutcome:
        object_type, now = call.target.object_types[0], self._clock.moment()
        delay = self._behaviour.index_delay if call.index_delay is None else call.index_delay
        indexed_at = self._clock.time() + delay if delay else 0.0
        # Shuffled here as well as below, so that ids do not rise with the inputs.
        new = self._shuffled(draft for draft in plan.drafts if draft.record is None)
        inserted = self._store.insert(
            [NewRecord(object_type=object_type, properties=draft.properties) for draft in new],
            now,
            indexed_at,
        )
        changed = [
            (draft, _changed(draft.record, draft.properties, now)) for draft in plan.drafts if draft.record
        ]
        self._store.update([record for _, record in changed], indexed_at)
        created = list(zip(new, inserted, strict=True))
        self._link(object_type, created)
        results = [self._result(call, draft, record) for draft, record in (*created, *changed)]
        return BatchOutcome(self._shuffled(results), plan.errors)

    def _link(self, object_type: str, created: Iterable[tuple[Draft, StoredRecord]]) -> None:
        self._store.associate(
            both
            for draft, record in created
            for both in _associations.both_sides(object_type, record.id, draft.input.links)
        )

    def _result(self, call: Call, draft: Draft, record: StoredRecord) -> Json:
        body = self._body(record, draft.properties)
        if call.target.route.verb == "upsert":
            body["new"] = draft.record is None
        if self._behaviour.echo_trace_ids and draft.input.trace_id is not None:
            body["objectWriteTraceId"] = draft.input.trace_id
        return body

    def _read(self, call: Call) -> BatchOutcome | Refusal:
        request = _requests.read_reads(call.content, accept_empty=self._behaviour.accept_empty_inputs)
        if isinstance(request, Refusal):
            return request
        context = self._context(call)
        if refusal := context.bad_lookup(request.id_property, "read") or self._too_much_history(request):
            return refusal
        with self._store.transaction():
            found = context.find(request.id_property, request.ids, archived=call.archived, now=context.now)
            records = {record.id: record for record in found.values()}
            shown = Shown(properties=request.properties, history=request.history)
            results = self._bodies(list(records.values()), shown)
        missing = [text for text in dict.fromkeys(request.ids) if text not in found]
        errors = [_bodies.not_found_error(context.schema, missing)] if missing else []
        return BatchOutcome(self._shuffled(results), errors)

    def _too_much_history(self, request: ReadRequest) -> Refusal | None:
        most = self._behaviour.max_inputs_with_history
        return _bodies.too_many_with_history(most) if request.history and len(request.ids) > most else None

    def _archive(self, call: Call) -> Reply | Refusal:
        ids = _requests.read_ids(call.content, accept_empty=self._behaviour.accept_empty_inputs)
        if isinstance(ids, Refusal):
            return ids
        with self._store.transaction():
            done = self._store.archive(call.target.object_types[0], ids, self._clock.moment())
        return Reply(self._status(call.target, failed=False), {}, done)

    def _make(self, call: Call) -> Reply | Refusal:
        return self._write_one(call, _requests.read_create(call.content), plan_creates, 201)

    def _change_one(self, call: Call) -> Reply | Refusal:
        id_property = call.query.get("idProperty") or None
        item = _requests.read_patch(call.content, call.target.object_id, id_property)
        return self._write_one(call, item, plan_updates, 200)

    def _write_one(
        self, call: Call, item: WriteInput | Refusal, make_plan: _Planner, status: int
    ) -> Reply | Refusal:
        """Write one record as a batch of one would, but for the form of the reply."""
        outcome = item if isinstance(item, Refusal) else self._write(call, [item], make_plan)
        if isinstance(outcome, Refusal):
            return outcome
        if not outcome.results:
            return _bodies.record_not_found()
        return Reply(status, outcome.results[0], 1)

    def _delete(self, call: Call) -> Reply | Refusal:
        (object_type,), record_id = call.target.object_types, call.target.object_id
        with self._store.transaction():
            done = self._store.archive(object_type, [record_id], self._clock.moment())
        if not done and self._behaviour.refuse_missing_deletes:
            return _bodies.record_not_found()
        return Reply(204, {}, done)

    def _search(self, call: Call) -> Reply | Refusal:
        (object_type,) = call.target.object_types
        schema = self._schemas[object_type]
        request = read_search(call.content, schema, finds_empty=self._behaviour.other_finds_empty)
        if isinstance(request, Refusal):
            return request
        total, page = self._page_of(request, schema)
        shown = Shown(properties=request.properties or self._defaults(object_type))
        results = self._bodies(page, shown)
        body: Json = {"total": total, "results": results}
        if total > (end := request.after + request.limit):
            body["paging"] = _next_page(str(end))
        return Reply(200, body, len(results))

    def _page_of(self, request: SearchRequest, schema: ObjectSchema) -> tuple[int, Sequence[StoredRecord]]:
        """Return how many records a search finds, and those of its page."""
        first, last = request.after, request.after + request.limit
        column = {schema.created: "created_at", schema.modified: "updated_at"}.get(request.sort or "")
        if request.finds_all and (request.sort is None or column is not None):
            order = f"{column} DESC, " if column and request.descending else f"{column or 'created_at'}, "
            return self._store.searchable_page(
                schema.name,
                self._clock.time(),
                f"{order}created_at, id",
                after=request.after,
                limit=request.limit,
            )
        ids = in_order(request, schema, self._found_by(request, schema))
        page = [str(number) for number in ids[first:last]]
        records = self._store.get(schema.name, page)
        return len(ids), [records[text] for text in page if text in records]

    def _found_by(
        self, request: SearchRequest, schema: ObjectSchema
    ) -> Iterable[tuple[str | None, str, int]]:
        """Yield of each record that a search finds: the value to sort by, the time of creation, the id."""
        finds = condition_of(request, schema)
        asked = {name: plural_of(name) for name in map(linked_type, request.names) if name is not None}
        computed = not schema.computed({}).keys().isdisjoint(request.names)
        hints = hints_of(request, schema)
        for records in self._store.searchable(schema.name, self._clock.time(), hints):
            links = self._store.associations(record.id for record in records) if asked else {}
            for record in records:
                properties = self._properties(record, computed=computed)
                linked = {
                    name: [link.to_id for link in links.get(record.id, ()) if link.to_type == object_type]
                    for name, object_type in asked.items()
                }
                if finds(properties, linked):
                    value = None if request.sort is None else properties.get(request.sort)
                    yield value, record.created_at, int(record.id)

    def _defaults(self, object_type: str) -> Sequence[str] | None:
        """Return the properties that a reply shows where a request names none; None for all."""
        schema = self._schemas.get(object_type)
        return schema.defaults if schema and self._behaviour.default_properties else None

    def _list(self, call: Call) -> Reply | Refusal:
        """List records by rising id."""
        shown = self._shown(call)
        most = min(_LARGEST_PAGE, self._behaviour.max_inputs_with_history) if shown.history else _LARGEST_PAGE
        size = _number(call.query.get("limit", _DEFAULT_PAGE), most)
        cursor = _number(call.query.get("after", "0"), _LARGEST_CURSOR)
        if not size:
            return reply_of(_bodies.bad_parameter("limit"))
        if cursor is None:
            return reply_of(_bodies.bad_parameter("after"))
        (object_type,) = call.target.object_types
        with self._store.transaction():
            records = self._store.page(object_type, after=cursor, limit=size + 1, archived=call.archived)
            page = records[:size]
            body: Json = {"results": self._bodies(page, shown)}
        if len(records) > size:
            body["paging"] = _next_page(page[-1].id)
        return Reply(200, body, len(page))

    def _get(self, call: Call) -> Reply | Refusal:
        (object_type,), record_id = call.target.object_types, call.target.object_id
        id_property = call.query.get("idProperty") or None
        if id_property is None:
            found = self._store.get(object_type, [record_id], archived=call.archived)
        elif object_type not in self._schemas:
            return _bodies.record_not_found()
        else:
            context = self._context(call)
            if refusal := context.bad_lookup(id_property, "read"):
                return refusal
            found = context.find(id_property, [record_id], archived=call.archived, now=context.now)
        if record_id not in found:
            return _bodies.record_not_found()
        (body,) = self._bodies([found[record_id]], self._shown(call))
        return Reply(200, body, 1)

    def _shown(self, call: Call) -> Shown:
        """Return what a list or a single read shows."""
        query, (object_type,) = call.query, call.target.object_types
        return Shown(
            properties=_listed(query.get("properties", "")) or self._defaults(object_type),
            history=_listed(query.get("propertiesWithHistory", "")),
            links=[known for name in _listed(query.get("associations", "")) if (known := plural_of(name))],
        )

    def _definitions(self, call: Call) -> Reply:
        (object_type,) = call.target.object_types
        schema = self._schemas[object_type]
        sensitive = call.query.get("dataSensitivity", "non_sensitive") != "non_sensitive"
        names = () if call.archived or sensitive else schema.properties
        results = [_bodies.definition(schema, name, _DEFINED) for name in names]
        return Reply(200, {"results": self._shuffled(results)}, len(results))

    def _associate(self, call: Call) -> BatchOutcome | Refusal:
        from_type, to_type = call.target.object_types
        pairs = _requests.read_pairs(
            call.content,
            accept_empty=self._behaviour.accept_empty_inputs,
            most=self._behaviour.max_association_inputs,
        )
        if isinstance(pairs, Refusal):
            return pairs
        wrong = (
            link
            for pair in pairs
            for link in pair.links
            if _associations.target_of(from_type, link) != to_type
        )
        if link := next(wrong, None):
            return _bodies.bad_association(_associations.wrong_type(from_type, link))
        with self._store.transaction():
            return self._associated(from_type, to_type, pairs)

    def _associated(self, from_type: str, to_type: str, pairs: Sequence[Pair]) -> BatchOutcome:
        ends = [(from_type, pair.from_id, "FROM") for pair in pairs]
        ends += [(to_type, pair.to_id, "TO") for pair in pairs]
        existing = self._store.existing(record_id for _, record_id, _ in ends)
        missing = {(name, text, side) for name, text, side in ends if (name, text) not in existing}
        errors = [_bodies.association_error(None, _associations.no_record(*end)) for end in sorted(missing)]
        good = [pair for pair in pairs if {(from_type, pair.from_id), (to_type, pair.to_id)} <= existing]
        self._store.associate(
            both for pair in good for both in _associations.both_sides(from_type, pair.from_id, pair.links)
        )
        type_ids = self._schemas[from_type].type_id, self._schemas[to_type].type_id
        results = [_bodies.association(type_ids[0], pair.from_id, type_ids[1], pair.to_id) for pair in good]
        return BatchOutcome(self._shuffled(results), errors)

    def _associations(self, call: Call) -> BatchOutcome | Refusal:
        from_type, to_type = call.target.object_types
        ids = _requests.read_ids(call.content, accept_empty=self._behaviour.accept_empty_inputs)
        if isinstance(ids, Refusal):
            return ids
        with self._store.transaction():
            existing = self._store.get(from_type, ids)
            found = self._store.associations(existing)
        results = [
            {"from": {"id": text}, "to": _targets(links)}
            for text, all_links in found.items()
            if (links := [link for link in all_links if link.to_type == to_type])
        ]
        missing = [text for text in dict.fromkeys(ids) if text not in existing]
        errors = [
            _bodies.association_error(None, _associations.no_record(from_type, text, "FROM"))
            for text in missing
        ]
        return BatchOutcome(self._shuffled(results), errors)

    def _bodies(self, records: Sequence[StoredRecord], shown: Shown) -> list[Json]:
        """Return records as a read shows them."""
        revisions = self._store.revisions(record.id for record in records) if shown.history else {}
        links = self._store.associations(record.id for record in records) if shown.links else {}
        results: list[Json] = []
        for record in records:
            body = self._body(record, record.properties)
            if shown.properties is not None:
                body["properties"] = self._asked(
                    record, body["properties"], (*shown.properties, *shown.history)
                )
            if shown.history:
                earlier = revisions.get(record.id, ())
                body["propertiesWithHistory"] = {
                    name: _history(record, earlier, name) for name in shown.history
                }
            if of_types := [link for link in links.get(record.id, ()) if link.to_type in shown.links]:
                body["associations"] = _linked(of_types)
            results.append(body)
        return results

    def _asked(self, record: StoredRecord, properties: Values, names: Sequence[str]) -> Values:
        """Return the properties of a record that are asked for, and those that HubSpot always adds."""
        schema = self._schemas.get(record.object_type)
        always = ("hs_object_id", *((schema.created, schema.modified) if schema else ()))
        known = schema.properties if schema else properties
        return {name: properties.get(name) for name in dict.fromkeys((*names, *always)) if name in known}

    def _properties(
        self, record: StoredRecord, shown: Values | None = None, *, computed: bool = True
    ) -> dict[str, str | None]:
        """Return properties of a record, with those of the server.

        Args:
            record: The record.
            shown: Its properties; None for all that it stores.
            computed: Whether to have those that the server computes, too.
        """
        schema = self._schemas.get(record.object_type)
        return {
            **(schema.computed(record.properties) if schema and computed else {}),
            **(_SOURCE if schema else {}),
            **(record.properties if shown is None else shown),
            "hs_object_id": record.id,
            schema.created if schema else "createdate": record.created_at,
            schema.modified if schema else "hs_lastmodifieddate": record.updated_at,
        }

    def _body(self, record: StoredRecord, shown: Values) -> Json:
        schema = self._schemas.get(record.object_type)
        body: Json = {
            "id": record.id,
            "properties": self._properties(record, shown),
            "createdAt": record.created_at,
            "updatedAt": record.updated_at,
            "archived": record.archived_at is not None,
        }
        if record.archived_at is not None:
            body["archivedAt"] = record.archived_at
        if schema:
            body["url"] = f"{_APP}/contacts/{self._number}/record/{schema.type_id}/{record.id}"
        return body

    def _shuffled(self, items: Iterable[Item]) -> list[Item]:
        shuffled = list(items)
        if self._behaviour.shuffle:
            self._random.shuffle(shuffled)
        return shuffled


def reply_of(refusal: Refusal) -> Reply:
    """Return the reply that refuses a request."""
    return Reply(refusal.status, refusal.body(str(uuid4())))


def _changed(record: StoredRecord, properties: Values, now: str) -> StoredRecord:
    return replace(record, properties={**record.properties, **properties}, updated_at=now)


def _next_page(after: str) -> Json:
    return {"next": {"after": after, "link": f"?after={after}"}}


def _listed(text: str) -> Sequence[str]:
    return [part for part in text.split(",") if part]


def _targets(links: Sequence[StoredAssociation]) -> list[Json]:
    targets: dict[str, list[Json]] = {}
    for link in links:
        kind = {"category": link.category, "typeId": link.type_id, "label": None}
        targets.setdefault(link.to_id, []).append(kind)
    return [{"toObjectId": text, "associationTypes": kinds} for text, kinds in targets.items()]


def _linked(links: Sequence[StoredAssociation]) -> Json:
    found: Json = {}
    for link in links:
        kind = f"type_{link.type_id}"
        found.setdefault(link.to_type, {"results": []})["results"].append({"id": link.to_id, "type": kind})
    return found


def _history(record: StoredRecord, earlier: Sequence[Revision], name: str) -> list[Json]:
    """Return the values that a property has had, the newest first."""
    versions_of = [*earlier, Revision(record.properties, record.updated_at)]
    entries: list[Json] = []
    before: str | None = None
    for revision in versions_of:
        value = revision.properties.get(name)
        if value != before:
            entries.append(
                {
                    "value": value or "",
                    "timestamp": revision.written_at,
                    "sourceType": "INTEGRATION",
                    "sourceId": _SOURCE_ID,
                }
            )
        before = value
    return entries[::-1]


def _number(text: str, largest: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        return None
    return int(text) if int(text) <= largest else None
