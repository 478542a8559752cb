"""The application: HubSpot's API, the page for people, and the document."""

import re
from collections.abc import Awaitable, Callable, Collection
from http import HTTPMethod

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubspot_batch.contract._operations import document
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import _bodies, _page
from hubspot_batch.sandbox._api import Api, WireResponse, read_content, refused
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._operations import served
from hubspot_batch.sandbox._overview import Overview
from hubspot_batch.sandbox._wire import json_reply

_PORT = re.compile(r":\d*$")
_TOKEN_VERSIONS = ("v1", "v3", "2026-03", "2026-09")

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(api: Api, overview: Overview, *, hosts: Collection[str] | None) -> Starlette:
    """Return the application.

    Args:
        api: HubSpot's API.
        overview: What the page shows and sets.
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
            Route("/_sandbox/state", _state_endpoint(overview)),
            Route("/_sandbox/faults", _faults_endpoint(overview), methods=["POST"]),
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


def _state_endpoint(overview: Overview) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        content = msgspec.json.encode(overview.state())
        return Response(content, media_type="application/json", headers=_page.HEADERS)

    return endpoint


def _faults_endpoint(overview: Overview) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # A page of another site can send a form here, but a form cannot have this content type.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return WireResponse(refused(Refusal(status=415, message="Send JSON, with its content type")))
        try:
            change = msgspec.json.decode(await read_content(request) or b"", type=_page.FaultChange)
            overview.faults.set(change.name, change.rate)
        except (msgspec.DecodeError, UnicodeDecodeError, ConfigurationError) as error:
            return WireResponse(refused(Refusal(status=400, message=str(error))))
        return WireResponse(json_reply(200, {"status": "ok"}))

    return endpoint


async def _not_served(request: Request, _error: Exception) -> Response:
    return WireResponse(refused(_bodies.not_served(request.method, request.url.path, served())))


async def _not_allowed(_request: Request, error: Exception) -> Response:
    return WireResponse(refused(_bodies.METHOD_NOT_ALLOWED, getattr(error, "headers", None)))


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # the client is gone


async def _failure(_request: Request, _error: Exception) -> Response:
    return WireResponse(refused(_bodies.FAILURE))
