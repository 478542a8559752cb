"""`HubSpot` and `AsyncHubSpot`: configuration, connection pool, and one namespace for each object type."""

from collections.abc import Callable, Iterable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import httpx

# Annotations name by way of the package what takes long to import.
import hubspot_batch
from hubspot_batch._display import never_raising
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.objects import (
    Associations,
    AsyncAssociations,
    AsyncObjects,
    AsyncReadOnlyObjects,
    Objects,
    ReadOnlyObjects,
    RequestParts,
)
from hubspot_batch.transport._connections import (
    AsyncHttpClient,
    HttpClient,
    Pool,
    async_client,
    sync_client,
)
from hubspot_batch.transport._quota import Pacer
from hubspot_batch.transport._retries import Retries, RetryPolicy
from hubspot_batch.transport._settings import (
    BASE_URL,
    MAX_REPLY_BYTES,
    TIMEOUT,
    AsyncTokenSource,
    Settings,
    TokenSource,
    changed,
    settings_from,
    token_source,
)

if TYPE_CHECKING:
    from hubspot_batch_api import AuthenticatedClient

    from hubspot_batch.bulk import AsyncStream, CheckReport, Report, Stream
    from hubspot_batch.bulk._check_account import CheckOptions
    from hubspot_batch.bulk._options import Options
    from hubspot_batch.transport._async import AsyncDriver

__all__ = ["AsyncHubSpot", "HubSpot"]

# What `hub.generated` shows as its token.
_TOKEN_ELSEWHERE = "that of the HubSpot client"  # noqa: S105 - it is none

_Http = TypeVar("_Http", HttpClient, AsyncHttpClient)


class HubSpot:
    """A client of HubSpot's batch endpoints for the four commerce objects. Safe to use from several threads.

    Args:
        access_token: A token, or a function that returns a fresh one and is called before each attempt, and
            once more where HubSpot says that the token has expired. Threads call it at the same time; in a
            bulk run, attempts that leave together share one call.
            Without it, the environment variable HUBSPOT_ACCESS_TOKEN is read.
        base_url: The address of HubSpot. No proxy is used for an address of this machine.
        allow_http: Whether `base_url` may be an http:// address of another machine, where anybody on the way
            can read the token and the rows.
        api_version: `v3`, or a dated version such as `2026-09`.
        timeout: Seconds that connecting (at most 5), sending, or waiting for the reply may take, each by
            itself; or an `httpx.Timeout`.
        attempt_timeout: Seconds that a whole attempt may take, to the last byte of the reply; then it counts
            as timed out. By default twice `timeout`, or twice the longest limit of an `httpx.Timeout`.
        max_reply_bytes: The largest reply that is read, after decompression. A larger one counts as
            unreadable.
        retries: How often a call is sent again, a `Retries` or another `RetryPolicy`. 0 makes one attempt.
        quota: A `Quota`, `SharedQuota` or another `Pacer`. By default, all clients of this process with the
            same base URL and token, or token function, share one. Several processes need a `SharedQuota`.
        transport: An httpx transport, for tests and special networks.
        http_client: The HTTP client to use. It is not closed with this client.

    Raises:
        ConfigurationError: If any of these is not valid.

    Attributes:
        orders: Batches and runs of orders.
        line_items: The same of line items.
        commerce_payments: The same of commerce payments.
        carts: The same of carts.
        contacts: Reads of contacts, which links lead to.
        companies: The same of companies.
        deals: The same of deals.
        products: The same of products.
        associations: Links between records that exist.
    """

    def __init__(
        self,
        access_token: str | TokenSource | None = None,
        *,
        base_url: str = BASE_URL,
        allow_http: bool = False,
        api_version: str = "v3",
        timeout: float | httpx.Timeout = TIMEOUT,
        attempt_timeout: float | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        retries: int | RetryPolicy = Retries(),  # noqa: B008 - frozen
        quota: Pacer | None = None,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        source = token_source(access_token)
        del access_token
        settings = settings_from(
            source,
            base_url=base_url,
            allow_http=allow_http,
            api_version=api_version,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_reply_bytes=max_reply_bytes,
            retries=retries,
            quota=quota,
        )
        _check_source(httpx.Client, transport, http_client)
        self._assemble(_pool(http_client, lambda: sync_client(settings.base_url, transport)), settings)

    def _assemble(self, pool: Pool[HttpClient], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._sender = sender = _SyncSender(pool, settings)
        self.orders = Objects("orders", sender)
        self.line_items = Objects("line_items", sender)
        self.commerce_payments = Objects("commerce_payments", sender)
        self.carts = Objects("carts", sender)
        self.contacts = ReadOnlyObjects("contacts", sender)
        self.companies = ReadOnlyObjects("companies", sender)
        self.deals = ReadOnlyObjects("deals", sender)
        self.products = ReadOnlyObjects("products", sender)
        self.associations = Associations(sender)

    def with_options(
        self,
        *,
        access_token: str | TokenSource | None = None,
        timeout: float | httpx.Timeout | None = None,
        attempt_timeout: float | None = None,
        max_reply_bytes: int | None = None,
        retries: int | RetryPolicy | None = None,
        quota: Pacer | None = None,
    ) -> Self:
        """Return a client with other options over the same connections. Closing either closes both.

        Args:
            access_token: As for the class; None keeps it. Another token has a quota of its own.
            timeout: As for the class; None keeps it.
            attempt_timeout: As for the class; None keeps it, unless `timeout` is given.
            max_reply_bytes: As for the class; None keeps it.
            retries: As for the class; None keeps it.
            quota: As for the class; None keeps it, unless `access_token` is given.

        Raises:
            ConfigurationError: If any of these is not valid.
        """
        source = None if access_token is None else token_source(access_token)
        del access_token
        settings = changed(
            self._settings,
            source=source,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_reply_bytes=max_reply_bytes,
            retries=retries,
            quota=quota,
        )
        other = type(self).__new__(type(self))
        other._assemble(self._pool, settings)  # noqa: SLF001 - the same class
        return other

    @cached_property
    def generated(self) -> "hubspot_batch.types.AuthenticatedClient":
        """The same account for the endpoints of `hubspot_batch_api`, which are generated from the document.

        ::

            from hubspot_batch_api.api.orders import read_orders

            reply = read_orders.sync(client=hub.generated, body=body)

        Connections, token, API version, time limits, quota and retries are those of this client, and it holds
        no token. What the generated code cannot read raises an error of this
        package: the page of a gateway, or a status that HTTP does not define. `asyncio` and
        `asyncio_detailed` work, too.
        """
        return self._sender.generated()

    def close(self) -> None:
        """Close the connections. No more calls go out."""
        if http := self._pool.release():
            http.close()

    def __enter__(self) -> Self:
        # Fail early if an environment variable is invalid.
        self._pool.http()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @never_raising
    def __repr__(self) -> str:
        return _shown(self, self._settings)


class AsyncHubSpot:
    """The same client for asynchronous code, on asyncio and on trio.

    Args:
        access_token: A token, or a function, async or not, that returns a fresh one before each attempt, and
            once more where HubSpot says that the token has expired. One that is not async runs in a thread,
            and attempts that leave together share one call.
            Without it, the environment variable HUBSPOT_ACCESS_TOKEN is read.
        base_url: The address of HubSpot. No proxy is used for an address of this machine.
        allow_http: Whether `base_url` may be an http:// address of another machine, where anybody on the way
            can read the token and the rows.
        api_version: `v3`, or a dated version such as `2026-09`.
        timeout: Seconds that connecting (at most 5), sending, or waiting for the reply may take, each by
            itself; or an `httpx.Timeout`.
        attempt_timeout: Seconds that a whole attempt may take, to the last byte of the reply; then it counts
            as timed out. By default twice `timeout`, or twice the longest limit of an `httpx.Timeout`.
        max_reply_bytes: The largest reply that is read, after decompression. A larger one counts as
            unreadable.
        retries: How often a call is sent again, a `Retries` or another `RetryPolicy`. 0 makes one attempt.
        quota: A `Quota`, `SharedQuota` or another `Pacer`. By default, all clients of this process with the
            same base URL and token, or token function, share one. Several processes need a `SharedQuota`.
        transport: An httpx transport, for tests and special networks.
        http_client: The HTTP client to use. It is not closed with this client.

    Raises:
        ConfigurationError: If any of these is not valid.

    Attributes:
        orders: Batches and runs of orders.
        line_items: The same of line items.
        commerce_payments: The same of commerce payments.
        carts: The same of carts.
        contacts: Reads of contacts, which links lead to.
        companies: The same of companies.
        deals: The same of deals.
        products: The same of products.
        associations: Links between records that exist.
    """

    def __init__(
        self,
        access_token: str | AsyncTokenSource | None = None,
        *,
        base_url: str = BASE_URL,
        allow_http: bool = False,
        api_version: str = "v3",
        timeout: float | httpx.Timeout = TIMEOUT,
        attempt_timeout: float | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        retries: int | RetryPolicy = Retries(),  # noqa: B008 - frozen
        quota: Pacer | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        source = token_source(access_token)
        del access_token
        settings = settings_from(
            source,
            base_url=base_url,
            allow_http=allow_http,
            api_version=api_version,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_reply_bytes=max_reply_bytes,
            retries=retries,
            quota=quota,
        )
        _check_source(httpx.AsyncClient, transport, http_client)
        self._assemble(_pool(http_client, lambda: async_client(settings.base_url, transport)), settings)

    def _assemble(self, pool: Pool[AsyncHttpClient], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._sender = sender = _AsyncSender(pool, settings)
        self.orders = AsyncObjects("orders", sender)
        self.line_items = AsyncObjects("line_items", sender)
        self.commerce_payments = AsyncObjects("commerce_payments", sender)
        self.carts = AsyncObjects("carts", sender)
        self.contacts = AsyncReadOnlyObjects("contacts", sender)
        self.companies = AsyncReadOnlyObjects("companies", sender)
        self.deals = AsyncReadOnlyObjects("deals", sender)
        self.products = AsyncReadOnlyObjects("products", sender)
        self.associations = AsyncAssociations(sender)

    def with_options(
        self,
        *,
        access_token: str | AsyncTokenSource | None = None,
        timeout: float | httpx.Timeout | None = None,
        attempt_timeout: float | None = None,
        max_reply_bytes: int | None = None,
        retries: int | RetryPolicy | None = None,
        quota: Pacer | None = None,
    ) -> Self:
        """Return a client with other options over the same connections. Closing either closes both.

        Args:
            access_token: As for the class; None keeps it. Another token has a quota of its own.
            timeout: As for the class; None keeps it.
            attempt_timeout: As for the class; None keeps it, unless `timeout` is given.
            max_reply_bytes: As for the class; None keeps it.
            retries: As for the class; None keeps it.
            quota: As for the class; None keeps it, unless `access_token` is given.

        Raises:
            ConfigurationError: If any of these is not valid.
        """
        source = None if access_token is None else token_source(access_token)
        del access_token
        settings = changed(
            self._settings,
            source=source,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_reply_bytes=max_reply_bytes,
            retries=retries,
            quota=quota,
        )
        other = type(self).__new__(type(self))
        other._assemble(self._pool, settings)  # noqa: SLF001 - the same class
        return other

    @cached_property
    def generated(self) -> "hubspot_batch.types.AuthenticatedClient":
        """The same account for the endpoints of `hubspot_batch_api`, which are generated from the document.

        ::

            from hubspot_batch_api.api.orders import read_orders

            reply = await read_orders.asyncio(client=hub.generated, body=body)

        Connections, token, API version, time limits, quota and retries are those of this client, and it holds
        no token. What the generated code cannot read raises an error of this
        package: the page of a gateway, or a status that HTTP does not define. Only `asyncio` and
        `asyncio_detailed` work.
        """
        return self._sender.generated()

    async def close(self) -> None:
        """Close the connections. No more calls go out."""
        if http := self._pool.release():
            await http.aclose()

    async def __aenter__(self) -> Self:
        # Fail early if an environment variable is invalid.
        self._pool.http()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @never_raising
    def __repr__(self) -> str:
        return _shown(self, self._settings)


# The senders import the code for requests, replies and runs late: it takes more time to import than all the
# rest.


class _SyncSender:
    """How `HubSpot` carries out what its namespaces ask for."""

    def __init__(self, pool: Pool[HttpClient], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def send(self, operation_id: str, inputs: Iterable[object] = (), **parts: Unpack[RequestParts]) -> Any:  # noqa: ANN401 - what the operation returns
        from hubspot_batch.transport._calls import build_call  # noqa: PLC0415
        from hubspot_batch.transport._sync import Driver  # noqa: PLC0415

        call = build_call(operation_id, inputs, api_version=self._settings.api_version, **parts)
        result = Driver(self._pool, self._settings).send(call)
        _keep_definitions(self._settings, operation_id, parts, result)
        return result

    def stream(self, operation_id: str, rows: object, **options: Unpack["Options"]) -> "Stream":
        from hubspot_batch.bulk import Stream  # noqa: PLC0415
        from hubspot_batch.transport._async import AsyncDriver, ThreadedPool  # noqa: PLC0415

        # Fail before the run begins if an environment variable is invalid.
        self._pool.http()
        driver = AsyncDriver(ThreadedPool(self._pool), self._settings)
        return Stream(operation_id, rows, options, self._settings, driver)

    def report(self, operation_id: str, rows: object, **options: Unpack["Options"]) -> "Report":
        return self.stream(operation_id, rows, **options).complete()

    def check(self, operation_id: str, rows: object, **options: Unpack["CheckOptions"]) -> "CheckReport":
        from hubspot_batch.bulk._check_account import AccountCheck, checked  # noqa: PLC0415
        from hubspot_batch.transport._async import AsyncDriver, ThreadedPool  # noqa: PLC0415

        driver = AsyncDriver(ThreadedPool(self._pool), self._settings)
        return checked(AccountCheck(operation_id, options, driver, self._settings), rows)

    def generated(self) -> "AuthenticatedClient":
        from hubspot_batch.transport._async import AsyncDriver, Carrier, ThreadedPool  # noqa: PLC0415
        from hubspot_batch.transport._sync import Driver  # noqa: PLC0415

        sync_driver = Driver(self._pool, self._settings)
        driver = AsyncDriver(ThreadedPool(self._pool), self._settings)
        return _generated(self._settings, Carrier(self._settings, driver, sync_driver))


class _AsyncSender:
    """How `AsyncHubSpot` carries out what its namespaces ask for."""

    def __init__(self, pool: Pool[AsyncHttpClient], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    @cached_property
    def _driver(self) -> "AsyncDriver":
        """One for all calls: those that need a token at the same time share it."""
        from hubspot_batch.transport._async import AsyncDriver, AsyncPool  # noqa: PLC0415

        return AsyncDriver(AsyncPool(self._pool), self._settings)

    async def send(
        self, operation_id: str, inputs: Iterable[object] = (), **parts: Unpack[RequestParts]
    ) -> Any:  # noqa: ANN401 - what the operation returns
        from hubspot_batch.transport._calls import build_call  # noqa: PLC0415

        call = build_call(operation_id, inputs, api_version=self._settings.api_version, **parts)
        result = await self._driver.send(call)
        _keep_definitions(self._settings, operation_id, parts, result)
        return result

    def stream(self, operation_id: str, rows: object, **options: Unpack["Options"]) -> "AsyncStream":
        from hubspot_batch.bulk import AsyncStream  # noqa: PLC0415

        # Fail before the run begins if an environment variable is invalid.
        self._pool.http()
        return AsyncStream(operation_id, rows, options, self._settings, self._driver)

    async def report(self, operation_id: str, rows: object, **options: Unpack["Options"]) -> "Report":
        return await self.stream(operation_id, rows, **options).complete()

    async def check(
        self, operation_id: str, rows: object, **options: Unpack["CheckOptions"]
    ) -> "CheckReport":
        from hubspot_batch.bulk._check_account import AccountCheck, checked_async  # noqa: PLC0415

        return await checked_async(AccountCheck(operation_id, options, self._driver, self._settings), rows)

    def generated(self) -> "AuthenticatedClient":
        from hubspot_batch.transport._async import Carrier  # noqa: PLC0415

        return _generated(self._settings, Carrier(self._settings, self._driver))


def _keep_definitions(settings: Settings, operation_id: str, parts: RequestParts, result: Any) -> None:  # noqa: ANN401 - what the operation returns
    """Keep definitions of properties for the runs of this client. Archived ones do not count."""
    arguments = parts.get("arguments", {})
    if operation_id == "list_properties" and "archived" not in arguments:
        from hubspot_batch.transport._definitions import keep  # noqa: PLC0415

        keep(settings, arguments["objectType"], result)


def _generated(settings: Settings, carrier: httpx.BaseTransport) -> "AuthenticatedClient":
    from hubspot_batch_api import AuthenticatedClient  # noqa: PLC0415

    # Not as an HTTP client: copies of it, those with other headers for example, would forget that.
    return AuthenticatedClient(settings.base_url, token=_TOKEN_ELSEWHERE, httpx_args={"transport": carrier})


def _check_source(
    kind: type[httpx.Client | httpx.AsyncClient], transport: object, http_client: object
) -> None:
    if http_client is None:
        return
    if transport is not None:
        raise ConfigurationError("transport and http_client exclude each other; give one of them")
    if not isinstance(http_client, kind):
        raise ConfigurationError(f"http_client must be an httpx.{kind.__name__}")


def _pool(http_client: _Http | None, make: Callable[[], _Http]) -> Pool[_Http]:
    if http_client is None:
        return Pool(make, owned=True)
    return Pool(lambda: http_client, owned=False)


def _shown(client: object, settings: Settings) -> str:
    return f"{type(client).__name__}(base_url={settings.base_url!r}, api_version={settings.api_version!r})"
