"""A web server in a thread of its own."""

import asyncio
import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

import uvicorn
from starlette.applications import Starlette

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._wire import abort_connection

_GRACE = 0.25
"""How long open requests may still take when the server stops, in seconds."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes any free one.

    Raises:
        ConfigurationError: If the port is taken or not allowed.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        problem = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise ConfigurationError(
            f"port {port} of {host} {problem}; choose another port, or 0 for any free one"
        ) from error
    # Connections inherit it. Without it every reply waits 40 ms for the client to acknowledge its head:
    # asyncio sets it only on sockets that name their protocol, which those of create_server do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


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
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """A server that signals when it is ready, and leaves signals and logging alone."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(
            app,
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

    def run_on(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            self.ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["hang_up"] = partial(abort_connection, self)
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        # Otherwise a client that never sends the rest of its body would keep the server from stopping.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
