"""The least without httpx: `http.client` posts bytes that are encoded already, msgspec reads the reply."""

from collections.abc import Callable
from http.client import HTTPConnection
from threading import local
from urllib.parse import urlsplit

import msgspec
from _batches import Shape
from clients.floor import HEADERS, encoded


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what sends the batch, over one connection for each thread."""
    server, path, content = urlsplit(url), batch.path, encoded(batch)
    own = local()

    def send() -> object:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection(server.hostname or "", server.port)
        own.connection.request("POST", server.path + path, content, HEADERS)
        return msgspec.json.decode(own.connection.getresponse().read())

    return send
