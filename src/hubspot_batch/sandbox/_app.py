"""The application: HubSpot's API, the page for people, and the document."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPMethod

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubspot_batch.contract._operations import document
from hubspot_batch.sandbox import _bodies, _page
from hubspot_batch.sandbox._api import Api, WireResponse, read_content, refused
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._control import OPERATIONS, PREFIX, Control, ControlOperation
from hubspot_batch.sandbox._operations import served

_PORT = re.compile(r":\d*$")
_TOKEN_VERSIONS = ("v1", "v3", "2026-03", "2026-09")

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(api: Api, control: Control, *, hosts: Collection[str] | None) -> Starlette:
    """Return the application.

    Args:
        api: HubSpot's API.
        control: Control of the sandbox, for its page and for programs.
        hosts: The host names that it answers to; None for any. A page of another site can give this machine
            a name of its own, and could then read what the sandbox answers.
    """
    guards = [] if hosts is None else [Middleware(_HostGuard, hosts=hosts)]
    app = Starlette(
        routes=[
            Route("/crm/{path:path}", api.crm, methods=list(HTTPMethod)),
            *[Route(f"/oauth/{version}/token", api.token, methods=["POST"]) for version in _TOKEN_VERSIONS],
            Route("/", _show_page),
            Route("/openapi.json", _show_document),
            *_control_routes(control),
        ],
        middleware=guards,
        exception_handlers={
            404: _not_served,
            405: _not_allowed,
            ClientDisconnect: _gone,
            Exception: _failure,
        },
    )
    app.router.redirect_slashes = False
    return app


class _HostGuard:
    """Refuses a request that calls this machine by another name."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        known = _PORT.sub("", host).lower() in self._hosts
        app = self._app if known else WireResponse(refused(_bodies.UNKNOWN_HOST))
        await app(scope, receive, send)


async def _show_page(_request: Request) -> Response:
    return HTMLResponse(_page.page(), headers=_page.HEADERS)


async def _show_document(_request: Request) -> Response:
    return JSONResponse(document())


def _control_routes(control: Control) -> list[Route]:
    by_path: dict[str, dict[str, ControlOperation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    documents: Mapping[str, Callable[[], object]] = {
        "/state": control.state,
        "/openapi.json": control.document,
    }
    return [
        *[Route(PREFIX + path, _shown(control, show)) for path, show in documents.items()],
        *[
            Route(PREFIX + path, _controlled(control, operations), methods=[*operations])
            for path, operations in by_path.items()
        ],
    ]


def _shown(control: Control, show: Callable[[], object]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if refusal := control.refusal(request.headers):
            return WireResponse(refused(refusal))
        return _json(await run_in_threadpool(lambda: msgspec.json.encode(show())))

    return endpoint


def _controlled(control: Control, operations: Mapping[str, ControlOperation]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        content = await read_content(request)
        if refusal := control.refusal(request.headers):
            return WireResponse(refused(refusal))
        if content is None:
            return WireResponse(refused(_bodies.TOO_LARGE))
        result = await run_in_threadpool(
            control.run,
            operations["GET" if request.method == "HEAD" else request.method],
            request.path_params,
            dict(request.query_params),
            content,
            request.headers.get("content-type", ""),
        )
        return WireResponse(refused(result)) if isinstance(result, Refusal) else _json(result)

    return endpoint


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json", headers=_page.HEADERS)


async def _not_served(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith(f"{PREFIX}/"):
        return WireResponse(refused(_bodies.UNKNOWN_CONTROL))
    return WireResponse(refused(_bodies.not_served(request.method, request.url.path, served())))


async def _not_allowed(_request: Request, error: Exception) -> Response:
    return WireResponse(refused(_bodies.METHOD_NOT_ALLOWED, getattr(error, "headers", None)))


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # the client is gone


async def _failure(_request: Request, _error: Exception) -> Response:
    return WireResponse(refused(_bodies.FAILURE))
