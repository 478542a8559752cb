"""The sandbox as its user sees it: options, lifetime, records."""

import signal
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import current_thread, main_thread
from typing import Self

import msgspec

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._account import Account, moment
from hubspot_batch.sandbox._app import make_app
from hubspot_batch.sandbox._associations import OBJECT_TYPES
from hubspot_batch.sandbox._properties import TABLES, TEXT, Table
from hubspot_batch.sandbox._server import address_of, listen, serving
from hubspot_batch.sandbox._store import Store, StoredRecord, is_record_id

_LARGEST_PORT = 65535
# Fewer than an id can have, so that those which follow have room.
_MOST_DIGITS = 15
_GLANCE = 0.5
"""How often a wait is interrupted: on Windows, no signal interrupts it."""


class Sandbox:
    """A local HubSpot that answers the five operations on 127.0.0.1.

    It starts where its `with` block begins, and ends with it::

        with Sandbox() as box:
            httpx.get(f"{box.url}/crm/v3/objects/orders", ...)

    Args:
        port: Where to listen; 0 takes any free port.
        access_token: The one token that it accepts.
        store: An SQLite file that keeps the records from one run to the next. Without it they end with the
            sandbox.
        properties: Custom properties by object type, `{"orders": ["my_field"]}`; they take any text. The
            others are those that HubSpot sets up, and what is neither is refused.
        seed: What the order of results is drawn from.

    Attributes:
        access_token: The token to send.

    Raises:
        ConfigurationError: If an argument cannot be.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        access_token: str = "sandbox-token",  # noqa: S107 - it opens nothing but the sandbox
        store: Path | str | None = None,
        properties: Mapping[str, Iterable[str]] | None = None,
        seed: int = 0,
    ) -> None:
        _check_port(port)
        _check_token(access_token)
        self.access_token = access_token
        self._port = port
        self._path = None if store is None else Path(store)
        self._tables = _tables_with(properties or {})
        self._seed = seed
        self._url = ""
        self._store: Store | None = None
        self._cleanup: ExitStack | None = None
        # The one way to wake a wait that is safe in a signal handler.
        self._ended: SimpleQueue[None] = SimpleQueue()

    def start(self) -> Self:
        """Listen. The `with` statement does it.

        Raises:
            ConfigurationError: If the port is taken, the store cannot be used, or the sandbox was started
                before.
        """
        if self._cleanup is not None:
            raise ConfigurationError("a sandbox starts only once; make another one")
        with ExitStack() as stack:
            lookups = {name for table in self._tables.values() for name in table.lookups}
            store = stack.enter_context(closing(Store(self._path, sorted(lookups))))
            listener = stack.enter_context(listen(self._port))
            app = make_app(Account(store, self._tables, self._seed), self.access_token)
            stack.enter_context(serving(app, listener))
            self._url, self._store = address_of(listener), store
            self._cleanup = stack.pop_all()
        return self

    def close(self) -> None:
        """Stop. The `with` statement does it; a second time does nothing."""
        if self._cleanup is not None:
            self._store = None
            self._cleanup.close()
            self._ended.put(None)

    def serve_forever(self) -> None:
        """Wait until Ctrl-C or SIGTERM comes, or until another thread closes the sandbox.

        It is for a sandbox that was started, in the foreground of a program. It returns; it neither raises
        KeyboardInterrupt nor closes the sandbox.
        """
        self._running()
        with _woken_by_signals(self._ended):
            while True:
                with suppress(Empty):
                    return self._ended.get(timeout=_GLANCE)

    @property
    def url(self) -> str:
        """The base URL, http://127.0.0.1:43211 for example."""
        self._running()
        return self._url

    def records(self, object_type: str) -> Sequence[StoredRecord]:
        """Return the records of an object type, `orders` for example, by rising id.

        Raises:
            ConfigurationError: If there is no such object type.
        """
        _check_object_type(object_type)
        return self._running().page(object_type)

    def add(self, object_type: str, record_id: str | int) -> None:
        """Make a record exist, as something that new records can be linked with.

        Args:
            object_type: The plural name of its object type, `contacts` for example.
            record_id: Its id, in decimal digits. A record that exists is left as it is.

        Raises:
            ConfigurationError: If there is no such object type, or the id cannot be.
        """
        _check_object_type(object_type)
        text = str(record_id)
        if not is_record_id(text) or len(text) > _MOST_DIGITS:
            raise ConfigurationError(
                f"{record_id!r} is no record id; write 1 to {_MOST_DIGITS} decimal digits, "
                "the first of which is not 0"
            )
        self._running().add(object_type, text, moment())

    def _running(self) -> Store:
        if self._store is None:
            raise ConfigurationError(
                "the sandbox does not run; use it inside its with block, or call start() first"
            )
        return self._store

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _woken_by_signals(queue: SimpleQueue[None]) -> Generator[None, None, None]:
    if current_thread() is not main_thread():
        yield  # only the main thread may set handlers
        return

    def wake(_number: int, _frame: object) -> None:
        queue.put(None)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, wake) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _tables_with(custom: Mapping[str, Iterable[str]]) -> dict[str, Table]:
    if unknown := set(custom) - set(TABLES):
        raise ConfigurationError(
            f"properties are declared for {', '.join(sorted(unknown))}; "
            f"object types that have some are {', '.join(TABLES)}"
        )
    return {name: _table_with(table, custom.get(name, ())) for name, table in TABLES.items()}


def _table_with(table: Table, custom: Iterable[str]) -> Table:
    names = (custom,) if isinstance(custom, str) else tuple(custom)
    if isinstance(custom, str) or not all(names):
        raise ConfigurationError('declare properties as a list of names: {"orders": ["my_field"]}')
    return msgspec.structs.replace(table, properties={**dict.fromkeys(names, TEXT), **table.properties})


def _check_port(port: int) -> None:
    if isinstance(port, bool) or not 0 <= port <= _LARGEST_PORT:
        raise ConfigurationError(
            f"there is no port {port}; choose one from 1 to {_LARGEST_PORT}, or 0 for any free one"
        )


def _check_token(token: str) -> None:
    if not (token.isascii() and token.isprintable()) or not token or " " in token:
        raise ConfigurationError(
            "access_token is empty or has characters that no header takes; use ASCII letters and digits"
        )


def _check_object_type(name: str) -> None:
    if name not in OBJECT_TYPES:
        raise ConfigurationError(
            f"there is no object type {name!r}; there are {', '.join(sorted(OBJECT_TYPES))}"
        )
