"""The public class of the sandbox: options, lifetime, records, requests, faults."""

import signal
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import RLock, current_thread, main_thread
from typing import Annotated, Any, Self, TypeAlias

from msgspec import Meta

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._accounts import (
    FirstRecords,
    OpenAccount,
    SandboxAccount,
    Setup,
    Stores,
    check_account,
    open_accounts,
    plant,
    setup_of,
)
from hubspot_batch.sandbox._api import Api
from hubspot_batch.sandbox._app import make_app
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._clock import Clock, check_moment
from hubspot_batch.sandbox._control import Control
from hubspot_batch.sandbox._faults import fault_named
from hubspot_batch.sandbox._history import History
from hubspot_batch.sandbox._injector import FaultInjector
from hubspot_batch.sandbox._object_types import CustomProperties
from hubspot_batch.sandbox._options import OptionError, option_types, read_file, suggestion
from hubspot_batch.sandbox._overview import Overview
from hubspot_batch.sandbox._page import Rate, RequestEntry, State
from hubspot_batch.sandbox._quotas import QuotaLimit, QuotaText
from hubspot_batch.sandbox._seeds import SeedRecords, check_object_type, checked_id, seed_of, seeds_of
from hubspot_batch.sandbox._server import address_of, listen, serving
from hubspot_batch.sandbox._store import Revision, Store, StoredRecord
from hubspot_batch.sandbox._tokens import OAuthApp, Tokens, TokenText, check_token

FaultName: TypeAlias = Annotated[str, Meta(extra={"check": fault_named})]
Moment: TypeAlias = Annotated[str, Meta(extra={"check": check_moment})]

_FIXED = ("port", "host", "expose", "control_key", "store")
"""The options that are settled when a sandbox starts: a reset cannot change them."""

_LARGEST_PORT = 65535
_GLANCE = 0.5
"""The longest wait at a time, in seconds: on Windows, a signal does not interrupt a wait."""


class Sandbox:
    """A local HubSpot.

    It runs as long as its `with` block::

        with Sandbox(quota="100/10", faults={"504-after": 0.02}) as box:
            httpx.get(f"{box.url}/crm/v3/objects/orders", ...)

    Args:
        port: Where to listen; 0 takes any free port.
        host: The address to listen on, of IPv4 or IPv6. An address that others can reach needs `expose`.
        expose: Whether others may reach it. It has no secrets, and no protection either.
        control_key: A key that requests to `/_sandbox/` must have. Without it, they are refused where the
            sandbox is exposed.
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
        clock: The time that it begins with, `2026-09-01T08:00:00Z`; None for that of this machine.
        seed: The seed of the order of results, the faults and other random choices.

    Attributes:
        access_token: The token to send.
        faults: Injects faults: `box.faults.next("504-after")`.
        clock: Its time: `box.clock.advance(1800)`.

    Raises:
        ConfigurationError: If an argument is invalid.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword with a default
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        expose: bool = False,
        control_key: TokenText | None = None,
        access_token: TokenText = "sandbox-token",  # noqa: S107 - it opens nothing but the sandbox
        scopes: Sequence[str] | None = None,
        quota: QuotaLimit | QuotaText = QuotaLimit(),  # noqa: B008 - frozen
        properties: CustomProperties | None = None,
        records: FirstRecords | None = None,
        oauth: OAuthApp | None = None,
        accounts: Sequence[SandboxAccount] = (),
        store: Path | str | None = None,
        faults: Mapping[FaultName, Rate] | None = None,
        retry_after: bool = False,
        behaviour: Behaviour = Behaviour(),  # noqa: B008 - frozen
        clock: datetime | Moment | None = None,
        seed: int = 0,
    ) -> None:
        _check_port(port)
        if control_key is not None:
            check_token(control_key, "control_key")
        self._host, self._port, self._expose = _checked_host(host, expose=expose), port, expose
        self._control_key = control_key
        self._path = None if store is None else Path(store)
        self._given: Mapping[str, Any] = {
            "access_token": access_token,
            "scopes": scopes,
            "quota": quota,
            "properties": properties,
            "records": records,
            "oauth": oauth,
            "accounts": accounts,
            "faults": faults,
            "retry_after": retry_after,
            "behaviour": behaviour,
            "clock": clock,
            "seed": seed,
        }
        self._setup = _setup(**self._given)
        if store is None:
            self._setup.check_targets()
        self.access_token = access_token
        self.faults: FaultInjector = FaultInjector(faults, seed)
        self.clock: Clock = Clock(clock)
        self._history = History()
        self._api = Api(self.faults, self._history, self.clock)
        self._lock = RLock()
        self._accounts: list[OpenAccount] = []
        self._url = ""
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
            self._stores = stack.enter_context(closing(Stores(self._path)))
            accounts = self._opened(self._setup)
            listener = stack.enter_context(listen(self._host, self._port))
            self._url = address_of(listener)
            self._overview = Overview(self._url, self.faults, self._history, self.clock)
            control = Control(self, OPTIONS_OF_RESET, key=self._control_key, exposed=self._expose)
            app = make_app(self._api, control, hosts=None if self._expose else self._names())
            stack.enter_context(serving(app, listener))
            self._accounts = accounts
            self._cleanup = stack.pop_all()
        return self

    def _names(self) -> Collection[str]:
        """Return the names by which this machine is called."""
        return {self._url.removeprefix("http://").rpartition(":")[0], "localhost"}

    def _opened(self, setup: Setup) -> list[OpenAccount]:
        tokens = Tokens()
        accounts = open_accounts(setup, self._stores, tokens, self.clock)
        self._api.begin(tokens, retry_after=setup.retry_after, seed=setup.seed)
        return accounts

    def reset(self, **options: object) -> None:
        """Begin again: with the first records, without requests, and with all quotas unused.

        A sandbox with a store begins again in the same file, and what is in it is lost. Requests should have
        been answered before.

        Args:
            options: Options of `Sandbox` that replace those of its start until the next reset. Those that
                say where it listens and what keeps its records cannot be replaced.

        Raises:
            ConfigurationError: If an option is unknown or invalid. Nothing has changed then.
        """
        for name in options:
            if name in _FIXED:
                raise ConfigurationError(f"{name} is settled when a sandbox starts; a reset cannot change it")
            if name not in self._given:
                raise ConfigurationError(f"there is no option {name!r}{suggestion(name, self._given)}")
        setup = _setup(**{**self._given, **options})
        setup.check_targets()
        with self._lock:
            self._running()
            self.clock.restart(setup.start)
            self.faults.restart(setup.rates, setup.seed)
            self._history.clear()
            self._stores.clear()
            self._accounts = self._opened(setup)
            self.access_token = setup.accounts[0].access_token

    def close(self) -> None:
        """Stop. The `with` statement does it; a second time does nothing."""
        if self._cleanup is not None:
            self._accounts = []
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
        with self._store_of(object_type, access_token) as store:
            return store.with_associations(store.page(object_type, archived=archived))

    def record(
        self, object_type: str, record_id: str | int, *, access_token: str | None = None
    ) -> StoredRecord:
        """Return a record, archived or not.

        Args:
            object_type: The plural name of its object type.
            record_id: Its id.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such record, object type or account.
        """
        with self._store_of(object_type, access_token) as store:
            return _found(store, object_type, str(record_id))

    def history(
        self, object_type: str, record_id: str | int, *, access_token: str | None = None
    ) -> Sequence[Revision]:
        """Return what a record was and is, the oldest first, with the times of the changes.

        Args:
            object_type: The plural name of its object type.
            record_id: Its id.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such record, object type or account.
        """
        with self._store_of(object_type, access_token) as store:
            record = _found(store, object_type, str(record_id))
            earlier = store.revisions([record.id]).get(record.id, ())
            return [*earlier, Revision(record.properties, record.updated_at)]

    def add(
        self,
        object_type: str,
        record_id: str | int,
        properties: Mapping[str, object] | None = None,
        *,
        associations: Sequence[Mapping[str, object]] = (),
        access_token: str | None = None,
    ) -> None:
        """Add a record, for example one that new records can be associated with.

        Args:
            object_type: The plural name of its object type, `contacts` for example.
            record_id: Its id. A record that exists keeps its properties.
            properties: Its properties.
            associations: Its associations, as in an input of a create.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such object type or account, or the id or an association is
                invalid.
        """
        check_object_type(object_type)
        row = {"id": checked_id(record_id), "properties": properties or {}, "associations": associations}
        try:
            seed = seed_of(object_type, row)
        except OptionError as error:
            raise ConfigurationError(str(error)) from error
        plant(self._account(access_token), [seed], self.clock)

    def seed(self, records: SeedRecords, *, access_token: str | None = None) -> Sequence[StoredRecord]:
        """Add records, and return them as they are stored.

        Args:
            records: The records, as for `SandboxAccount`. One that exists keeps its properties, and gets the
                associations.
            access_token: The token of the account; None for the first one.

        Raises:
            ConfigurationError: If there is no such object type or account, or an id or an association is
                invalid. Nothing has been added then.
        """
        return plant(self._account(access_token), seeds_of(records), self.clock)

    def _state(self) -> State:
        """Return what the page shows."""
        return self._overview.state(self._account(None))

    @contextmanager
    def _store_of(self, object_type: str, access_token: str | None) -> Generator[Store]:
        """Return what an account has stored, for as long as it is looked at for an object type."""
        check_object_type(object_type)
        store = self._account(access_token).store
        with store.transaction():
            yield store

    def _account(self, access_token: str | None) -> OpenAccount:
        with self._lock:
            self._running()
            accounts = {account.options.access_token: account for account in self._accounts}
            token = self.access_token if access_token is None else access_token
        if token not in accounts:
            raise ConfigurationError("no account of the sandbox has this access token")
        return accounts[token]

    def _running(self) -> None:
        if not self._accounts:
            raise ConfigurationError(
                "the sandbox does not run; use it inside its with block, or call start() first"
            )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def _found(store: Store, object_type: str, record_id: str) -> StoredRecord:
    """Return a record, archived or not, with its associations."""
    for archived in (False, True):
        if found := store.get(object_type, [record_id], archived=archived):
            return store.with_associations(list(found.values()))[0]
    raise ConfigurationError(f"there is no record of {object_type} with the id {record_id}")


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


OPTIONS = option_types(Sandbox.__init__)
"""The annotation of each option."""
OPTIONS_OF_RESET = {name: annotation for name, annotation in OPTIONS.items() if name not in _FIXED}


def read_config(path: Path | str) -> dict[str, Any]:
    """Return the options that a TOML file has, for `Sandbox(**options)`.

    Its keys are the keywords of `Sandbox`. The path of a store is relative to the folder of the file.

    Args:
        path: The file.

    Raises:
        ConfigurationError: If it cannot be read, or a key or a value is not one of these. The text names the
            line.
    """
    file = Path(path)
    options = read_file(file, OPTIONS, _check_accounts)
    if "store" in options:
        options["store"] = file.parent / options["store"]
    return options


def _check_accounts(options: Mapping[str, Any]) -> None:
    """Refuse accounts of a file whose records do not fit their properties, or raise nothing."""
    check_account(options.get("properties", {}), options.get("records", {}))
    for index, account in enumerate(options.get("accounts", ())):
        try:
            check_account(account.properties, account.records)
        except OptionError as error:
            raise OptionError(("accounts", index, *error.place), error.problem) from error


def _setup(
    *,
    access_token: str,
    scopes: Sequence[str] | None,
    quota: QuotaLimit | str,
    properties: CustomProperties | None,
    records: SeedRecords | None,
    oauth: OAuthApp | None,
    accounts: Sequence[SandboxAccount],
    faults: Mapping[str, float] | None,
    retry_after: bool,
    behaviour: Behaviour,
    clock: datetime | str | None,
    seed: int,
) -> Setup:
    """Return what a sandbox begins with, or raise ConfigurationError."""
    first = SandboxAccount(
        access_token=access_token,
        scopes=scopes,
        quota=quota,
        properties=properties or {},
        records=records or {},
        oauth=oauth,
    )
    Clock(clock)
    return setup_of(
        accounts=(first, *accounts),
        behaviour=behaviour,
        seed=seed,
        retry_after=retry_after,
        rates=FaultInjector(faults, seed).rates,
        start=clock,
    )


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
