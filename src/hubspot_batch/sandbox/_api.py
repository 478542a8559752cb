"""HubSpot's API over HTTP: tokens, quotas, scopes and faults come before the account answers."""

import random
from collections.abc import Mapping
from time import perf_counter
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._account import Call
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._clock import Clock
from hubspot_batch.sandbox._faults import InjectedFault, apply_fault
from hubspot_batch.sandbox._history import History
from hubspot_batch.sandbox._injector import FAULT_HEADER, FaultInjector
from hubspot_batch.sandbox._operations import Target, Unserved, served, target_of
from hubspot_batch.sandbox._page import RequestEntry
from hubspot_batch.sandbox._quotas import Policy, quota_headers, rate_limit_body
from hubspot_batch.sandbox._tokens import Grant, Tokens, missing_scope
from hubspot_batch.sandbox._wire import WireReply, json_reply, send_reply

_LARGEST_BODY = 32 * 1024 * 1024
"""HubSpot's own limit is not known. This one only keeps the sandbox from filling the memory."""


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to a request, and what the history keeps of it.

    Attributes:
        reply: What the client sees.
        operation: The id of the operation; None if the request means none.
        fault: The fault that it met; None if none.
        inputs: How many inputs it had.
        written: How many of them were written.
        refused: How many of them were neither written nor found.
    """

    reply: WireReply
    operation: str | None = None
    fault: str | None = None
    inputs: int = 0
    written: int = 0
    refused: int = 0


class WireResponse(Response):
    """A reply that can be late, broken, or missing."""

    def __init__(self, reply: WireReply) -> None:
        super().__init__(status_code=reply.status)
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(self._reply, scope, receive, send, scope["state"]["hang_up"])


class Api:
    """The API of all accounts.

    Args:
        faults: The faults to inject.
        history: Where the requests are kept.
        clock: The time of the sandbox.
    """

    def __init__(self, faults: FaultInjector, history: History, clock: Clock) -> None:
        self._faults = faults
        self._history = history
        self._clock = clock
        self.begin(Tokens(), retry_after=False, seed=0)

    def begin(self, tokens: Tokens, *, retry_after: bool, seed: int) -> None:
        """Begin, or begin again.

        Args:
            tokens: The tokens of all accounts.
            retry_after: Whether a 429 has the header `Retry-After`.
            seed: The seed of what HubSpot does in one way or another.
        """
        self._tokens = tokens
        self._retry_after = retry_after
        self._random = random.Random(seed)  # noqa: S311 - not for secrets

    async def crm(self, request: Request) -> Response:
        """Answer a request for records, properties or associations."""
        came, began = self._clock.moment(), perf_counter()
        content = await read_content(request)
        answer = await self._answer(request, content)
        self._history.add(
            RequestEntry(
                at=came,
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                body=content,
                reply=answer.reply.body,
                operation=answer.operation,
                status=answer.reply.status,
                inputs=answer.inputs,
                written=answer.written,
                refused=answer.refused,
                fault=answer.fault,
                milliseconds=(perf_counter() - began) * 1000,
            )
        )
        return WireResponse(answer.reply)

    async def token(self, request: Request) -> Response:
        """Answer a request for an access token."""
        content = await read_content(request)
        body = _bodies.TOO_LARGE if content is None else self._tokens.refresh(content, self._clock.now())
        reply = refused(body) if isinstance(body, Refusal) else json_reply(200, body)
        return WireResponse(reply)

    async def _answer(self, request: Request, content: bytes | None) -> Answer:
        target = target_of(request.method, request.url.path)
        if isinstance(target, Unserved) and not target.object_type:
            return Answer(reply=_unserved(request, target))
        grant = self._tokens.grant_of(request.headers.getlist("authorization"), self._clock.now())
        if isinstance(grant, Refusal):
            return Answer(reply=refused(grant))
        headers, limit = self._admitted(grant, target)
        if limit is not None:
            return Answer(reply=limit)
        if isinstance(target, Unserved):
            return Answer(reply=refused(_bodies.unknown_object_type(target.object_type), headers))
        # A list of names stands in one parameter, or in as many as there are names.
        params = request.query_params
        query = {name: ",".join(params.getlist(name)) for name in params}
        call = Call(target=target, content=content or b"", query=query)
        asked = request.headers.get(FAULT_HEADER)
        return await self._served(grant, call, asked, headers, too_large=content is None)

    def _admitted(
        self, grant: Grant, target: Target | Unserved
    ) -> tuple[Mapping[str, str], WireReply | None]:
        """Return the headers of a reply on the quota, and the reply if the quota refuses the request."""
        if not (isinstance(target, Target) and target.route.verb == "search"):
            return self._admit(grant)
        # Search has a quota of its own, and its replies have no headers on any.
        if not grant.searches.admit(self._clock.monotonic(), self._clock.now()).allowed:
            return {}, _limited("SECONDLY", grant, {})
        limit = self._admit(grant)[1] if grant.account.counts_searches else None
        return {}, limit

    def _admit(self, grant: Grant) -> tuple[Mapping[str, str], WireReply | None]:
        now = self._clock.monotonic()
        admission = grant.window.admit(now, self._clock.now())
        self._history.count(now, admitted=admission.allowed)
        headers = quota_headers(
            grant.window.quota, admission, oauth=grant.oauth, retry_after=self._retry_after
        )
        if admission.policy is None:
            return headers, None
        return headers, _limited(admission.policy, grant, headers)

    async def _served(
        self,
        grant: Grant,
        call: Call,
        asked: str | None,
        headers: Mapping[str, str],
        *,
        too_large: bool,
    ) -> Answer:
        operation = call.target.route.operation.id
        if refusal := self._forbidden(grant, call.target):
            return Answer(reply=refused(refusal, headers), operation=operation)
        if too_large:
            return Answer(reply=refused(_bodies.TOO_LARGE, headers), operation=operation)
        try:
            fault = self._faults.choose(asked)
        except ConfigurationError as error:
            unknown = Refusal(status=400, message=f"{FAULT_HEADER}: {error}")
            return Answer(reply=refused(unknown, headers), operation=operation)
        return await _processed(grant, call, fault, headers)

    def _forbidden(self, grant: Grant, target: Target) -> Refusal | None:
        if grant.scopes is None or grant.scopes & set(target.scopes):
            return None
        # HubSpot names the scopes in one of two places, and nothing tells which.
        return missing_scope(target.scopes, in_errors=self._random.random() < 0.5)  # noqa: PLR2004


def _limited(policy: Policy, grant: Grant, headers: Mapping[str, str]) -> WireReply:
    """Return the reply to a request that a quota refuses."""
    body = rate_limit_body(policy, account=grant.number, correlation_id=str(uuid4()), request_id=str(uuid4()))
    return json_reply(429, dict(body), headers)


async def read_content(request: Request) -> bytes | None:
    """Return the body of a request; None if it is too large.

    It is read to its end in any case: a client that is still sending would lose the reply.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= _LARGEST_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
    return b"".join(chunks) if size <= _LARGEST_BODY else None


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> WireReply:
    """Return the reply that refuses a request."""
    return json_reply(refusal.status, refusal.body(str(uuid4())), headers)


def _unserved(request: Request, target: Unserved) -> WireReply:
    if target.allowed:
        return refused(_bodies.METHOD_NOT_ALLOWED, {"Allow": ", ".join(target.allowed)})
    return refused(_bodies.not_served(request.method, request.url.path, served()))


async def _processed(
    grant: Grant, call: Call, fault: InjectedFault | None, headers: Mapping[str, str]
) -> Answer:
    reply, done = None, 0
    if fault is None or fault.phase != "before":
        if fault is not None and fault.delays_index:
            call = msgspec.structs.replace(call, index_delay=fault.seconds)
        answer = await run_in_threadpool(grant.account.run, call)
        reply, done = json_reply(answer.status, answer.body or None, headers), answer.done
    if fault is not None:
        reply = apply_fault(fault, reply, headers=headers, account=grant.number, correlation_id=str(uuid4()))
    assert reply is not None  # noqa: S101 - for the type checkers: one of the two has made it
    inputs = 1 if call.target.route.single else _count_inputs(call.content)
    return Answer(
        reply=reply,
        operation=call.target.route.operation.id,
        fault=None if fault is None else str(fault),
        inputs=inputs,
        written=done if call.target.route.writes else 0,
        refused=max(inputs - done, 0),
    )


class _Inputs(Struct):
    inputs: list[msgspec.Raw] = []


def _count_inputs(content: bytes) -> int:
    try:
        return len(_INPUTS.decode(content).inputs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


_INPUTS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Inputs)
