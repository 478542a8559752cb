"""A web server in a thread of its own."""

import asyncio
import errno
import socket
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Thread

import uvicorn
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._wire import abort_connection, open_connections

_GRACE = 0.25
"""How long a reply may still take to leave when the server stops, in seconds."""
_TICK = 1.0
"""How often the header `Date` is renewed, in seconds."""
_POLL = 0.001

_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be replaced, not to listen on
"""The address of this machine that stands for all of its addresses."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes any free one.

    Raises:
        ConfigurationError: If the port is taken, or port or address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # All addresses of this machine are those of both families.
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem, remedy = "is taken", "choose another port, or 0 for any free one"
        else:
            problem, remedy = f"cannot be used: {error.strerror}", "choose another port or host"
        raise ConfigurationError(f"port {port} of {host} {problem}; {remedy}") from error
    # Connections inherit it. Without it every reply waits 40 ms for the client to acknowledge its head:
    # asyncio sets it only on sockets that name their protocol, which those of create_server do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a socket that listens, as this machine reaches it."""
    host, port = map(str, listener.getsockname()[:2])
    local = _LOCAL.get(host, host)
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


@contextmanager
def serving(app: Starlette, listener: socket.socket) -> Generator[None, None, None]:
    """Serve an application as long as the block lasts."""
    server = _Server(app)
    thread = Thread(target=server.run_on, args=(listener,), name="hubspot-sandbox", daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield
    finally:
        server.stop()
        thread.join()


class _Server(uvicorn.Server):
    """A server that signals when it is ready, stops at once, and leaves signals and logging alone."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(
            self._run,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            # Otherwise `X-Forwarded-For` would hide the address of the connection.
            proxy_headers=False,
        )
        super().__init__(config)
        self.ready = Event()
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._waiting: set[tuple[str, int]] = set()
        """The clients that a request waits for: for the rest of its body, or until they go away."""

    def run_on(self, listener: socket.socket) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self.serve(sockets=[listener]))
        finally:
            self.ready.set()

    def stop(self) -> None:
        """Let the server stop; any thread may call it."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["hang_up"] = partial(abort_connection, self)
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # That of uvicorn looks ten times a second whether it is to stop.
        while not self._stopped.is_set():
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # That of uvicorn sleeps 0.1 s, and waits for clients without an end.
        for server in [*self.servers, *(sockets or ())]:
            server.close()
        for connection in open_connections(self):
            connection.shutdown()
        self._hang_up(self._waiting)
        # A request that is being processed still gets its reply; a client that does not read it may not.
        grace = asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        # uvicorn signals the end of neither.
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)  # noqa: TID251
        grace.cancel()

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["client"]

        async def watched() -> Message:
            self._waiting.add(client)
            if self._stopped.is_set():
                self._hang_up({client})
            try:
                return await receive()
            finally:
                self._waiting.discard(client)

        await self._app(scope, watched, send)

    def _hang_up(self, clients: Collection[tuple[str, int]] | None = None) -> None:
        for connection in open_connections(self):
            if clients is None or connection.client in clients:
                connection.transport.abort()
