"""The sandbox over HTTP: reads a request, lets the account answer, sends the reply."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hubspot_batch.contract import Operation, operations
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._account import Account, Reply, refused
from hubspot_batch.sandbox._bodies import Refusal

_LARGEST_BODY = 32 * 1024 * 1024
"""HubSpot's own limit is not known. This one only keeps the sandbox from filling the memory."""

_DEFAULT_PAGE = "10"

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(account: Account, access_token: str) -> Starlette:
    """Return the application that serves an account."""
    batches = [
        Route(item.path, _batch_endpoint(account, access_token, item), methods=[item.method])
        for item in operations().values()
    ]
    listing = Route("/crm/v3/objects/{object_type}", _listing_endpoint(account, access_token))
    app = Starlette(
        routes=[*batches, listing],
        exception_handlers={HTTPException: _no_such_path, Exception: _failure},
    )
    app.router.redirect_slashes = False
    return app


def _batch_endpoint(account: Account, access_token: str, operation: Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            content = await _content(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        if refusal := _unauthorized(request, access_token):
            return _response(refused(refusal))
        if content is None:
            return _response(refused(_bodies.TOO_LARGE))
        return _response(await run_in_threadpool(account.run, operation, content))

    return endpoint


def _listing_endpoint(account: Account, access_token: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if refusal := _unauthorized(request, access_token):
            return _response(refused(refusal))
        limit = request.query_params.get("limit", _DEFAULT_PAGE)
        after = request.query_params.get("after", "0")
        object_type: str = request.path_params["object_type"]
        return _response(await run_in_threadpool(account.page, object_type, limit, after))

    return endpoint


async def _content(request: Request) -> bytes | None:
    """Return the body; None if it is too large.

    It is read to its end even then: a client that still sends would lose the reply.
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


def _unauthorized(request: Request, access_token: str) -> Refusal | None:
    # Of two headers it cannot be known which one counts, so neither does.
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        return _bodies.NO_CREDENTIALS
    # As the bytes that were sent, for only ASCII texts can be compared.
    if not hmac.compare_digest(token.encode("latin-1"), access_token.encode()):
        return _bodies.wrong_token(datetime.now(UTC))
    return None


async def _no_such_path(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    response = _response(refused(_bodies.no_such_path(error.status_code)))
    response.headers.update(error.headers or {})
    return response


async def _failure(_request: Request, _error: Exception) -> Response:
    return _response(refused(_bodies.FAILURE))


def _response(reply: Reply) -> Response:
    return Response(
        msgspec.json.encode(reply.body), reply.status, media_type="application/json;charset=utf-8"
    )
