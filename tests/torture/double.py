"""A HubSpot to torture runs with. It shares no code with the package, and was written from HubSpot's pages.

What it has written stands in SQLite. It answers in every form that HubSpot was seen to answer in, in random
order, loses answers before and after it has written, and kills the process that talks to it when told to.
"""

import contextlib
import json
import random
import socket
import sqlite3
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

NUMBER = "hs_external_order_id"
NAMES = ("hs_order_name", "name")

Json = dict[str, Any]
Phase = Literal["on arrival", "when it is written", "halfway", "when it is answered"]
PHASES: Sequence[Phase] = ("on arrival", "when it is written", "halfway", "when it is answered")
# What befalls a request, and how often of a thousand times. "before" and "after": before and after writing.
FATES: Mapping[str, int] = {
    "answer": 800,
    "drip": 40,
    "429": 4,
    "page before": 15,
    "reset before": 15,
    "silence before": 4,
    "page after": 25,
    "reset after": 25,
    "cut after": 15,
    "garbage after": 15,
    "silence after": 4,
    "endless after": 4,
    "nothing": 4,
    "forgetful": 15,
    "repetitive": 15,
}
SILENCE = 1.5
# Seconds until a new record is found by its number, and how often.
LATE: Mapping[float, int] = {0.0: 70, 0.3: 25, 1.5: 5}
_SCHEMA = """
create table records (
    id integer primary key autoincrement, kind text, number text, content text, made real, found_from real
);
create index numbers on records (number);
create table notes (note text, input text, primary key (note, input)) without rowid;
"""


def content_of(properties: Mapping[str, str]) -> str:
    """Return by what the record of an input is known."""
    return json.dumps(properties, sort_keys=True)


def _same(number: str | None) -> str | None:
    """Return the form in which unique values are compared."""
    return None if number is None else number.strip().casefold()


class Double:
    """The service.

    Args:
        path: Where its truth is kept.
        seed: Decides what befalls which request.
        unique: Whether the account holds order numbers unique.
    """

    def __init__(self, path: Path, seed: int, *, unique: bool) -> None:
        self.requests = 0
        self.failures: list[BaseException] = []
        self.is_unique = unique
        self._dice = random.Random(seed)  # noqa: S311 - it decides on no secret
        self._lock = threading.RLock()
        self._victim: subprocess.Popen[str] | None = None
        self._kill_at: tuple[int, Phase] = (0, "on arrival")
        self._truth = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._truth.executescript(f"pragma journal_mode=wal; {_SCHEMA}")
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._truth.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, properties: Sequence[Mapping[str, str]]) -> list[str]:
        """Make orders, and return their ids."""
        with self._lock, self._transaction():
            return [self._insert("orders", each) for each in properties]

    def records(self) -> dict[str, str]:
        """Return the content of each record."""
        with self._lock:
            return {
                str(number): content
                for number, content in self._truth.execute("select id, content from records order by id")
            }

    def inputs(self, note: str) -> set[str]:
        """Return the inputs that something is noted of.

        `lost`: an answer about it was lost. `untold`: an answer does not tell what became of it.
        `nameless`: an answer does not tell which record it is.
        """
        with self._lock:
            return {text for (text,) in self._truth.execute("select input from notes where note = ?", [note])}

    def kill(self, victim: subprocess.Popen[str], after: int, phase: Phase) -> None:
        """Kill a process at one of its requests."""
        with self._lock:
            self._victim, self._kill_at = victim, (self.requests + after, phase)

    def reached(self, number: int, phase: Phase) -> None:
        """Kill the process if it is time to."""
        with self._lock:
            due, when = self._kill_at
            # A request that has no such phase leaves it to a later one.
            if self._victim is not None and number >= due and phase == when:
                self._victim.kill()
                self._victim = None

    def arrive(self) -> tuple[int, str]:
        """Return the number and the fate of a new request."""
        with self._lock:
            self.requests += 1
            (fate,) = self._dice.choices(list(FATES), list(FATES.values()))
            return self.requests, fate

    def process(self, path: str, request: Json, fate: str) -> tuple[int, Json]:
        """Write what a request asks for, and return status and body of the answer."""
        path, _, query = path.partition("?")
        *_, kind, _batch, verb = path.split("/")
        inputs: list[Json] = request["inputs"]
        with self._lock:
            if verb == "read":
                return self._read(request, fate, archived=query == "archived=true")
            if fate.endswith((" before", " after")):
                self._note("lost", inputs)
            if fate == "429":
                return 429, _TOO_MANY
            if fate == "nothing":
                self._note("untold", inputs)
                return 200, {"status": "COMPLETE", "results": [], "startedAt": _NOW, "completedAt": _NOW}
            if fate.endswith(" before"):
                return 0, {}
            batch = _Batch(inputs, self._dice)
            with self._transaction() as undo:
                whole = self._create(kind, batch) if verb == "create" else self._update(batch)
                if whole is not None:
                    undo()
            answer = whole or batch.answer(fate)
            if verb == "create" and batch.unwritten is not None:
                self._truth.execute("delete from records where id = ?", [batch.unwritten])
            for note, noted in batch.notes.items():
                self._note(note, noted)
            return answer

    def page(self) -> tuple[int, bytes]:
        """Return the page of a gateway."""
        with self._lock:
            status = self._dice.choice([500, 502, 503, 504, 521, 524])
        return status, f"<html><body><h1>{status}</h1>Something went wrong.</body></html>".encode()

    def _read(self, request: Json, fate: str, *, archived: bool) -> tuple[int, Json]:
        """Return the records with these numbers, in the forms that HubSpot gives to what it keeps.

        None of them is archived.
        """
        if fate == "429":
            return 429, _TOO_MANY
        assert request["idProperty"] == NUMBER
        results, missing = [], []
        for value in (item["id"] for item in request["inputs"]):
            record = self._truth.execute(
                "select id, content, made from records where number = ? and found_from <= ?",
                [_same(value), time.time()],
            ).fetchone()
            if record is None or archived or fate == "nothing":
                missing.append(value)
                continue
            made = datetime.fromtimestamp(record[2], UTC).isoformat(timespec="milliseconds")
            results.append(
                {
                    "id": str(record[0]),
                    "properties": _kept(json.loads(record[1]), request["properties"], self._dice),
                    "createdAt": made.replace("+00:00", "Z"),
                    "updatedAt": _NOW,
                    "archived": False,
                }
            )
        self._dice.shuffle(results)
        body: Json = {"status": "COMPLETE", "results": results, "startedAt": _NOW, "completedAt": _NOW}
        if missing and fate != "nothing":
            error = _error("OBJECT_NOT_FOUND", "Could not get some objects", ids=missing)
            body |= {"numErrors": 1, "errors": [error]}
        return (207 if "errors" in body else 200), body

    def _create(self, kind: str, batch: "_Batch") -> tuple[int, Json] | None:
        """Write a batch. Return the refusal if it is refused as a whole."""
        merged: dict[str, str] = {}
        for item in batch.inputs:
            content = content_of(item["properties"])
            if kind == "line_items" and content in merged:
                continue
            refusal = self._refusal(item["properties"]) or self._conflict(batch, item)
            if refusal is None:
                merged[content] = self._insert(kind, item["properties"])
                batch.written(item, merged[content])
            elif batch.whole:
                return refusal
            else:
                batch.refused(item, refusal)
        return None

    def _update(self, batch: "_Batch") -> tuple[int, Json] | None:
        ids = [item["id"] for item in batch.inputs]
        if len(set(ids)) < len(ids):
            return 400, _error("VALIDATION_ERROR", "Duplicate IDs found in batch input")
        for item in batch.inputs:
            refusal = self._refusal(item["properties"])
            if refusal is not None and batch.whole:
                return refusal
            if refusal is not None:
                batch.refused(item, refusal)
            elif self._truth.execute(
                "update records set content = ? where id = ?", [content_of(item["properties"]), item["id"]]
            ).rowcount:
                batch.written(item, item["id"])
            else:
                batch.refused(
                    item, (404, _error("OBJECT_NOT_FOUND", "Could not get some objects", ids=[item["id"]]))
                )
        return None

    def _refusal(self, properties: Mapping[str, str]) -> tuple[int, Json] | None:
        if properties.get("hs_currency_code", "EUR") == "EUR":
            return None
        return 400, _invalid("hs_currency_code", "INVALID_OPTION", "was not one of the allowed options")

    def _conflict(self, batch: "_Batch", item: Json) -> tuple[int, Json] | None:
        number = item["properties"].get(NUMBER)
        if not self.is_unique or number is None:
            return None
        owner = self._truth.execute("select id from records where number = ?", [_same(number)]).fetchone()
        if owner is None:
            return None
        refusal = self._dice.choice(TAKEN)
        if refusal is _taken_as_invalid:
            batch.note("nameless", item)
        return refusal(number, str(owner[0]), str(owner[0] + 7))

    def _insert(self, kind: str, properties: Mapping[str, str]) -> str:
        now, (late,) = time.time(), self._dice.choices(list(LATE), list(LATE.values()))
        row = [kind, _same(properties.get(NUMBER)), content_of(properties), now, now + late]
        return str(self._truth.execute("insert into records values (null, ?, ?, ?, ?, ?)", row).lastrowid)

    def _note(self, note: str, inputs: Sequence[Json]) -> None:
        rows = [(note, content_of(item["properties"])) for item in inputs]
        self._truth.executemany("insert or ignore into notes values (?, ?)", rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Callable[[], object]]:
        """Begin a transaction; yield what undoes all that was done in it so far."""
        self._truth.execute("begin")
        yield lambda: (self._truth.execute("rollback"), self._truth.execute("begin"))
        self._truth.execute("commit")


class _Batch:
    """The inputs of one request, and what is told of them."""

    def __init__(self, inputs: Sequence[Json], dice: random.Random) -> None:
        self.inputs = inputs
        self.notes: dict[str, list[Json]] = {}
        self._dice = dice
        self._results: list[tuple[Json, Json]] = []
        self._errors: list[tuple[Json, Json]] = []
        self._blurred: list[Json] = []
        self.unwritten: str | None = None
        traces = {item.get("objectWriteTraceId") for item in inputs}
        self.whole = len(traces) < len(inputs) or None in traces or dice.random() < 0.25
        self._with_traces = dice.random() < 0.15
        self._names_errors = dice.random() < 0.8

    def written(self, item: Json, record: str) -> None:
        result = {"id": record, "properties": self._rewritten(item, record), **_MOMENTS, "archived": False}
        if self._with_traces:
            result["objectWriteTraceId"] = item["objectWriteTraceId"]
        self._results.append((item, result))

    def refused(self, item: Json, refusal: tuple[int, Json]) -> None:
        error = {key: value for key, value in refusal[1].items() if key != "correlationId"}
        if self._names_errors and "ids" not in error.get("context", {}):
            error["context"] = error.get("context", {}) | {"objectWriteTraceId": [item["objectWriteTraceId"]]}
        if not self._names_errors:
            self.note("nameless", item)
        self._errors.append((item, error))

    def answer(self, fate: str) -> tuple[int, Json]:
        """Return status and body of the answer."""
        # Which of these was refused, the answer does not tell.
        in_question = [] if self._names_errors else [*self._blurred, *(item for item, _ in self._errors)]
        if self._blurred:
            self.note("untold", *in_question)
        results = [result for _, result in self._results]
        if results and fate in {"forgetful", "repetitive"}:
            index = self._dice.randrange(len(results))
            missing = results.pop(index)
            # Whether it is written, the answer does not tell.
            self.unwritten = self._dice.choice([None, missing["id"]])
            self.note("untold", self._results[index][0], *self._blurred, *in_question)
            self.note("nameless", *(item for item, _ in self._results))
            if results and fate == "repetitive":
                results.append(self._dice.choice(results))
        self._dice.shuffle(results)
        body: Json = {"status": "COMPLETE", "results": results, "startedAt": _NOW, "completedAt": _NOW}
        if self._errors:
            errors = self._dice.sample([error for _, error in self._errors], len(self._errors))
            body |= {"numErrors": len(errors), "errors": errors}
        return (207 if self._errors else self._dice.choice([200, 201])), body

    def note(self, note: str, *inputs: Json) -> None:
        """Note something of inputs, for the test."""
        self.notes.setdefault(note, []).extend(inputs)

    def _rewritten(self, item: Json, record: str) -> Json:
        """Return values as HubSpot tells them: in another form than they were sent in."""
        told: Json = {"hs_object_id": record, "hs_createdate": _NOW} | item["properties"]
        for name in told.keys() & {"hs_total_price", "price"}:
            told[name] = f"{Decimal(told[name]):.2f}"
        if "hs_billing_address_email" in told:
            told["hs_billing_address_email"] = told["hs_billing_address_email"].lower()
        if "hs_tags" in told:
            told["hs_tags"] = self._dice.choice([told["hs_tags"], told["hs_tags"].title(), None])
        if self._dice.random() < 0.003:
            for name in told.keys() & {NUMBER, *NAMES}:
                # No two records have one number, in any form.
                told[name] = f"?{record}" if name == NUMBER else told[name][:3]
            self._blurred.append(item)
            self.note("nameless", item)
        return told


_NOW = "2026-09-01T08:15:02.120Z"
_MOMENTS = {"createdAt": _NOW, "updatedAt": _NOW}
_TOO_MANY: Json = {
    "status": "error",
    "message": "You have reached your secondly limit.",
    "errorType": "RATE_LIMIT",
    "correlationId": "9a4f3c1e-6f0b-4ac1-8f3e-0d6f5a2b7c11",
    "policyName": "SECONDLY",
}


def _error(category: str | None, message: str, **context: list[str]) -> Json:
    body: Json = {"status": "error", "message": message, "correlationId": _TOO_MANY["correlationId"]}
    if category is not None:
        body["category"] = category
    if context:
        body["context"] = context
    return body


def _invalid(name: str, code: str, words: str) -> Json:
    detail = {"isValid": False, "message": words, "error": code, "name": name, "portalId": 1}
    body = _error("VALIDATION_ERROR", f"Property values were not valid: {json.dumps([detail])}")
    body["errors"] = [{"message": words, "code": code, "context": {"propertyName": [name]}}]
    return body


def _coordinates(number: str, old: str, new: str) -> str:
    return (
        "Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=ObjectTypeId{legacyObjectType=ORDER}, "
        f"propertyName={NUMBER}, value={number}}} on {new}. {old} already has that value."
    )


def _taken_in_words(number: str, old: str, new: str) -> tuple[int, Json]:
    return 400, _error("VALIDATION_ERROR", _coordinates(number, old, new))


def _taken_with_tokens(number: str, old: str, new: str) -> tuple[int, Json]:
    tokens = {
        "propertyName": [NUMBER],
        "existingObjectId": [old],
        "conflictingValue": [number],
        "objectId": [new],
    }
    body = _error(None, _coordinates(number, old, new))
    return 400, body | {"errorType": "UNIQUE_VALUE_CONFLICT", "errorTokens": tokens}


def _taken_as_invalid(number: str, _old: str, _new: str) -> tuple[int, Json]:
    return 400, _invalid(NUMBER, "CONFLICTING_UNIQUE_VALUE", f"{number} is already used by another record")


def _taken_as_conflict(_number: str, old: str, _new: str) -> tuple[int, Json]:
    return 409, _error("CONFLICT", f"Order already exists. Existing ID: {old}")


def _taken_with_context(_number: str, old: str, _new: str) -> tuple[int, Json]:
    return 409, _error("CONFLICT", "A record with this value exists.", existingId=[old])


TAKEN = (_taken_in_words, _taken_with_tokens, _taken_as_invalid, _taken_as_conflict, _taken_with_context)


def _kept(properties: Mapping[str, str], names: Sequence[str], dice: random.Random) -> Json:
    """Return the properties that are asked for, in forms of the service."""
    told: Json = {name: properties.get(name) for name in (*names, "hs_object_id")}
    if told.get("hs_total_price"):
        told["hs_total_price"] = f"{Decimal(told['hs_total_price']):.2f}"
    if told.get("hs_billing_address_email"):
        told["hs_billing_address_email"] = told["hs_billing_address_email"].lower()
    if told.get("hs_tags"):
        told["hs_tags"] = dice.choice([told["hs_tags"], told["hs_tags"].title(), f" {told['hs_tags']} "])
    return told


class _Server(ThreadingHTTPServer):
    # At the end, no client is left to wait for.
    block_on_close = False

    def __init__(self, double: Double) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass  # the client was killed, or has not waited
        except Exception as error:  # noqa: BLE001 - the test tells of it
            self.server.double.failures.append(error)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Tell what properties there are. To ask changes nothing, so no fate befalls it."""
        definition = {"name": NUMBER, "label": "Number", "type": "string", "fieldType": "text"}
        body = {"results": [definition | {"hasUniqueValue": self.server.double.is_unique}]}
        content = json.dumps(body).encode()
        self._head(200, len(content))
        self.wfile.write(content)

    def do_POST(self) -> None:
        double = self.server.double
        number, fate = double.arrive()
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:
            raise ConnectionError("the pushing process was killed while it sent")
        request = json.loads(content)
        double.reached(number, "on arrival")
        status, body = double.process(self.path, request, fate)
        double.reached(number, "when it is written")
        self._send(number, fate, status, json.dumps(body).encode())
        double.reached(number, "when it is answered")

    def _send(self, number: int, fate: str, status: int, content: bytes) -> None:
        match fate.partition(" ")[0]:
            case "reset":
                self._reset()
            case "silence":
                time.sleep(SILENCE)
                self._reset()
            case "page":
                self._answer(number, *self.server.double.page())
            case "garbage":
                self._answer(number, 200, b'{"status": "COMPL')
            case "cut":
                self._head(status, len(content))
                self.wfile.write(content[: len(content) // 2])
                self._reset()
            case "endless":
                self._head(status, len(content))
                self._drip(content, pieces=len(content), until=time.monotonic() + 2 * SILENCE)
                self._reset()
            case "drip":
                self._head(status, len(content))
                self._drip(content, pieces=8, until=None)
            case _:
                self._answer(number, status, content)

    def _answer(self, number: int, status: int, content: bytes) -> None:
        self._head(status, len(content))
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.server.double.reached(number, "halfway")
        self.wfile.write(content[half:])

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _drip(self, content: bytes, pieces: int, until: float | None) -> None:
        size = -(-len(content) // pieces)
        for start in range(0, len(content), size):
            if until is not None and time.monotonic() > until:
                return
            self.wfile.write(content[start : start + size])
            time.sleep(0.02)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())
