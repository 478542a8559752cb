"""The public class of the sandbox: options, lifetime, records, requests, faults."""

import signal
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import current_thread, main_thread
from typing import Self

from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._account import Account, moment
from hubspot_batch.sandbox._api import Api
from hubspot_batch.sandbox._app import make_app
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._history import History
from hubspot_batch.sandbox._injector import FaultInjector
from hubspot_batch.sandbox._object_types import CustomProperties, schemas_with
from hubspot_batch.sandbox._overview import Overview
from hubspot_batch.sandbox._page import RequestEntry
from hubspot_batch.sandbox._quotas import Day, QuotaLimit, Window, parse_quota
from hubspot_batch.sandbox._schemas import ObjectSchema
from hubspot_batch.sandbox._seeds import (
    Seed,
    SeedRecords,
    check_object_type,
    checked_id,
    custom_with,
    seeds_of,
    texts_of,
)
from hubspot_batch.sandbox._server import address_of, listen, serving
from hubspot_batch.sandbox._store import NewRecord, Store, StoredRecord
from hubspot_batch.sandbox._tokens import Grant, OAuthApp, Tokens
from hubspot_batch.sandbox._values import lookup_value

_LARGEST_PORT = 65535
_GLANCE = 0.5
"""The longest wait at a time, in seconds: on Windows, a signal does not interrupt a wait."""


class SandboxAccount(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One account of a sandbox, with records, a quota and tokens of its own.

    Attributes:
        access_token: Its static token.
        scopes: The scopes of its tokens; None for all.
        quota: The quota of the static token, as a `QuotaLimit` or as text, `190/10`.
        properties: Custom properties by object type: `{"orders": ["my_field"]}` for properties that take any
            text, or `{"orders": {"shop_number": Property("text", unique=True)}}`.
        records: The records that it has from the start, by object type: a list of ids, of rows
            `{"id": "301", "email": "ada@example.com"}` or of inputs with `id` and `properties`, or a mapping
            of properties by id. A property that is not defined becomes a custom one.
        oauth: An app that is installed in it and gets tokens at `/oauth/v3/token`.
        number: Its id.
    """

    access_token: str = "sandbox-token"  # noqa: S105 - it opens nothing but the sandbox
    scopes: Sequence[str] | None = None
    quota: QuotaLimit | str = QuotaLimit()
    properties: CustomProperties = {}
    records: SeedRecords = {}
    oauth: OAuthApp | None = None
    number: int = 100_000_001

    def __repr__(self) -> str:
        return f"SandboxAccount(number={self.number})"


class Sandbox:
    """A local HubSpot.

    It runs as long as its `with` block::

        with Sandbox(quota="100/10", faults={"504-after": 0.02}) as box:
            httpx.get(f"{box.url}/crm/v3/objects/orders", ...)

    Args:
        port: Where to listen; 0 takes any free port.
        host: The address to listen on, of IPv4 or IPv6. An address that others can reach needs `expose`.
        expose: Whether others may reach it. It has no secrets, and no protection either.
        access_token: The token of its account.
        scopes: The scopes of that token; None for all.
        quota: Its requests in a window and in a day, as a `QuotaLimit` or as text: `190/10`,
            `190/10,625000`, or `none`.
        properties: Custom properties by object type, as for `SandboxAccount`. The others are those that
            HubSpot sets up, and what is neither is refused.
        records: The records that it has from the start, as for `SandboxAccount`.
        oauth: An app that is installed in the account.
        accounts: Further accounts.
        store: An SQLite file that keeps the records from one run to the next. Without it they are lost when
            the sandbox stops.
        faults: The rate of each fault: `{"504-after": 0.02}`.
        retry_after: Whether a 429 has the header `Retry-After`, which HubSpot does not document.
        behaviour: What it does where HubSpot's behaviour is not known.
        seed: The seed of the order of results, the faults and other random choices.

    Attributes:
        access_token: The token to send.
        faults: Injects faults: `box.faults.next("504-after")`.

    Raises:
        ConfigurationError: If an argument is invalid.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword with a default
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        expose: bool = False,
        access_token: str = "sandbox-token",  # noqa: S107 - it opens nothing but the sandbox
        scopes: Sequence[str] | None = None,
        quota: QuotaLimit | str = QuotaLimit(),  # noqa: B008 - frozen
        properties: CustomProperties | None = None,
        records: SeedRecords | None = None,
        oauth: OAuthApp | None = None,
        accounts: Sequence[SandboxAccount] = (),
        store: Path | str | None = None,
        faults: Mapping[str, float] | None = None,
        retry_after: bool = False,
        behaviour: Behaviour = Behaviour(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        _check_port(port)
        host = _checked_host(host, expose=expose)
        first = SandboxAccount(
            access_token=access_token,
            scopes=scopes,
            quota=quota,
            properties=properties or {},
            records=records or {},
            oauth=oauth,
        )
        self._accounts = _checked((first, *accounts))
        self._seeds = [seeds_of(account.records) for account in self._accounts]
        self._schemas = [
            schemas_with(custom_with(account.properties, seeds))
            for account, seeds in zip(self._accounts, self._seeds, strict=True)
        ]
        self.access_token = access_token
        self.faults = FaultInjector(faults, seed)
        self._host, self._port, self._expose = host, port, expose
        self._path = None if store is None else Path(store)
        self._retry_after = retry_after
        self._behaviour = behaviour
        self._seed = seed
        self._history = History()
        self._url = ""
        self._stores: dict[str, Store] = {}
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
            tokens = Tokens()
            grants = [self._open(stack, tokens, index) for index in range(len(self._accounts))]
            listener = stack.enter_context(listen(self._host, self._port))
            overview = Overview(
                url=address_of(listener),
                access_token=self.access_token,
                grant=grants[0],
                store=self._stores[self.access_token],
                faults=self.faults,
                history=self._history,
            )
            api = Api(tokens, self.faults, self._history, retry_after=self._retry_after, seed=self._seed)
            app = make_app(api, overview, hosts=None if self._expose else self._names())
            stack.enter_context(serving(app, listener))
            self._url = address_of(listener)
            self._cleanup = stack.pop_all()
        return self

    def _names(self) -> Collection[str]:
        """Return the names by which this machine is called."""
        return {f"[{self._host}]" if ":" in self._host else self._host, "localhost"}

    def _open(self, stack: ExitStack, tokens: Tokens, index: int) -> Grant:
        options, schemas = self._accounts[index], self._schemas[index]
        unique = {name for schema in schemas.values() for name in schema.unique}
        store = stack.enter_context(closing(Store(self._path_of(index), sorted(unique))))
        _plant(store, schemas, self._seeds[index])
        quota = parse_quota(options.quota) if isinstance(options.quota, str) else options.quota
        day = Day(quota.daily)
        grant = Grant(
            account=Account(store, schemas, self._seed, behaviour=self._behaviour, number=options.number),
            number=options.number,
            scopes=None if options.scopes is None else frozenset(options.scopes),
            window=Window(quota, day),
            day=day,
        )
        tokens.add(options.access_token, grant)
        if options.oauth is not None:
            tokens.install(options.oauth, grant)
        self._stores[options.access_token] = store
        return grant

    def _path_of(self, index: int) -> Path | None:
        """Return the file of an account: each has one of its own."""
        if self._path is None or index == 0:
            return self._path
        return self._path.with_name(f"{self._path.stem}-{self._accounts[index].number}{self._path.suffix}")

    def close(self) -> None:
        """Stop. The `with` statement does it; a second time does nothing."""
        if self._cleanup is not None:
            self._stores = {}
            self._cleanup.close()
            self._ended.put(None)

    def serve_forever(self, on_ready: Callable[[], object] | None = None) -> None:
        """Wait until Ctrl-C or SIGTERM comes, or until another thread closes the sandbox.

        It is for a sandbox that was started, in the foreground of a program. It returns; it neither raises
        KeyboardInterrupt nor closes the sandbox.

        Args:
            on_ready: Called as soon as signals are handled: the time to print the address.
        """
        self._running()
        with _woken_by_signals(self._ended):
            if on_ready is not None:
                on_ready()
            while True:
                with suppress(Empty):
                    return self._ended.get(timeout=_GLANCE)

    @property
    def url(self) -> str:
        """The base URL, http://127.0.0.1:43211 for example."""
        self._running()
        return self._url

    @property
    def requests(self) -> Sequence[RequestEntry]:
        """The last 10,000 requests of the API, the oldest first."""
        return self._history.requests()

    def records(
        self, object_type: str, *, archived: bool = False, access_token: str | None = None
    ) -> Sequence[StoredRecord]:
        """Return the records of an object type, `orders` for example, by rising id.

        Args:
            object_type: The plural name.
            archived: Whether to return the archived records instead of the others.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such object type or account.
        """
        check_object_type(object_type)
        store = self._store_of(access_token)
        with store.transaction():
            return store.with_associations(store.page(object_type, archived=archived))

    def add(
        self,
        object_type: str,
        record_id: str | int,
        properties: Mapping[str, object] | None = None,
        *,
        access_token: str | None = None,
    ) -> None:
        """Add a record, for example one that new records can be associated with.

        Args:
            object_type: The plural name of its object type, `contacts` for example.
            record_id: Its id. A record that exists is left as it is.
            properties: Its properties.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such object type or account, or the id is invalid.
        """
        check_object_type(object_type)
        token = self.access_token if access_token is None else access_token
        store = self._store_of(token)
        index = next(index for index, account in enumerate(self._accounts) if account.access_token == token)
        _plant(
            store,
            self._schemas[index],
            [Seed(object_type, checked_id(record_id), texts_of(properties or {}))],
        )

    def _store_of(self, access_token: str | None) -> Store:
        self._running()
        try:
            return self._stores[self.access_token if access_token is None else access_token]
        except KeyError:
            raise ConfigurationError("no account of the sandbox has this access token") from None

    def _running(self) -> None:
        if not self._stores:
            raise ConfigurationError(
                "the sandbox does not run; use it inside its with block, or call start() first"
            )

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

    numbers = [signal.SIGINT, signal.SIGTERM]
    # Where there is one, and `nohup` does not have it ignored: the terminal was closed.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = [signal.signal(number, wake) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _checked(accounts: Sequence[SandboxAccount]) -> Sequence[SandboxAccount]:
    for account in accounts:
        _check_token(account.access_token)
    for what, values in (
        ("access token", [account.access_token for account in accounts]),
        ("number", [account.number for account in accounts]),
    ):
        if len(set(values)) < len(values):
            raise ConfigurationError(f"two accounts have the same {what}; give each one of its own")
    return accounts


def _checked_host(host: str, *, expose: bool) -> str:
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ConfigurationError(
            f"{host!r} is not an IP address; choose 127.0.0.1, ::1, or another address of this machine"
        ) from None
    if not address.is_loopback and not expose:
        raise ConfigurationError(
            f"others could reach the sandbox at {host}; choose 127.0.0.1, or say that it is to be exposed"
        )
    return str(address)


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


def _plant(store: Store, schemas: Mapping[str, ObjectSchema], seeds: Iterable[Seed]) -> None:
    """Write records that a caller gives; those without an id only where there are no others of their type."""
    given = list(seeds)
    occupied = {seed.object_type for seed in given if store.count(seed.object_type)}
    for seed in given:
        schema = schemas.get(seed.object_type)
        properties = {
            name: lookup_value(schema, name, value, normalise=True)
            if schema and name in schema.properties
            else value
            for name, value in seed.properties.items()
        }
        if seed.id is not None:
            store.add(seed.object_type, seed.id, properties, moment())
        elif seed.object_type not in occupied:
            with store.transaction():
                store.insert([NewRecord(object_type=seed.object_type, properties=properties)], moment())
