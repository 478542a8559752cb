"""The property definitions of an account, each list of them read once in five minutes."""

import os
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import anyio
from anyio import move_on_after, to_thread

from hubspot_batch.errors import (
    ApiError,
    AuthenticationError,
    HubSpotBatchError,
    RateLimitError,
    ServerError,
)
from hubspot_batch.results import PropertyDefinition
from hubspot_batch.transport._calls import build_call

if TYPE_CHECKING:
    from hubspot_batch.transport._async import AsyncDriver
    from hubspot_batch.transport._settings import Settings

SECONDS_KEPT = 300.0


class Definitions:
    """Reads the property definitions of object types.

    Runs that need the same list at the same time share one request, in one event loop or in several. Clients
    share what was read if they have the same token: those from `with_options` without another one.

    Args:
        driver: Sends the requests.
        settings: The options of the client.
    """

    def __init__(self, driver: "AsyncDriver", settings: "Settings") -> None:
        self._driver = driver
        self._settings = settings

    async def of(self, object_type: str) -> Mapping[str, PropertyDefinition]:
        """Return the definitions of an object type by the names of the properties.

        The error of a request counts for all that wait for it, and the next call asks again.

        Args:
            object_type: Its name in paths, `orders` or `contacts` for example.

        Raises:
            PermissionDeniedError: If the token has no scope for it.
            HubSpotBatchError: If the list cannot be had for another reason; see `is_final`.
        """
        known = self._settings.known_definitions
        # A child process does not wait for a thread that its parent has.
        key = os.getpid(), object_type
        while True:
            reading = Reading()
            found = known.setdefault(key, reading)
            if found is reading:
                return await self._read(reading, key)
            if found.is_outdated:
                # Two threads that see this at the same time ask twice, which harms nothing.
                known.pop(key, None)
                continue
            await found.wait()
            if (definitions := found.result()) is not None:
                return definitions

    async def _read(self, reading: "Reading", key: tuple[int, str]) -> Mapping[str, PropertyDefinition]:
        try:
            call = build_call(
                "list_properties", api_version=self._settings.api_version, arguments={"objectType": key[1]}
            )
            listed: tuple[PropertyDefinition, ...] = await self._driver.send(call)
            return reading.succeed(_not_empty(listed, key[1]))
        except Exception as error:
            reading.error = error
            raise
        finally:
            if reading.definitions is None:
                self._settings.known_definitions.pop(key, None)
            reading.end()


def _not_empty(listed: tuple[PropertyDefinition, ...], object_type: str) -> tuple[PropertyDefinition, ...]:
    if not listed:
        raise HubSpotBatchError(
            f"HubSpot gives an empty list of the properties of {object_type}; try it again"
        )
    return listed


def keep(settings: "Settings", object_type: object, listed: tuple[PropertyDefinition, ...]) -> None:
    """Keep definitions that were read by themselves, for the runs of the next five minutes."""
    if listed:
        reading = Reading()
        reading.succeed(listed)
        reading.end()
        settings.known_definitions[os.getpid(), str(object_type)] = reading


def is_final(error: Exception) -> bool:
    """Return whether the definitions cannot be had later, either, unless somebody changes something.

    What may pass: no reply, one that cannot be read, a failure of the server, a quota that is used up, and a
    token that has expired.
    """
    passing = AuthenticationError | RateLimitError | ServerError
    return isinstance(error, ApiError) and not isinstance(error, passing)


class Reading:
    """One request for the definitions of an object type, and what came of it.

    Attributes:
        definitions: What was read; None if it was not.
        error: Why it was not; None if the request was cancelled.
    """

    def __init__(self) -> None:
        self.definitions: Mapping[str, PropertyDefinition] | None = None
        self.error: Exception | None = None
        # An event loop that ends in the middle of it never tells.
        self._until = time.monotonic() + SECONDS_KEPT
        self._thread = threading.get_ident()
        self._over = threading.Event()
        # Made by who waits: older versions of anyio make none outside of an event loop.
        self._over_here: anyio.Event | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether the definitions were read, or the request was begun, too long ago."""
        return time.monotonic() >= self._until

    def succeed(self, listed: tuple[PropertyDefinition, ...]) -> Mapping[str, PropertyDefinition]:
        """Keep what was read, and return it by name."""
        self._until = time.monotonic() + SECONDS_KEPT
        self.definitions = MappingProxyType({definition.name: definition for definition in listed})
        return self.definitions

    def end(self) -> None:
        """Wake all that wait for the request."""
        self._over.set()
        if self._over_here is not None:
            self._over_here.set()

    async def wait(self) -> None:
        """Wait for the end of the request."""
        if self._over.is_set():
            return
        with move_on_after(self._until - time.monotonic()):
            if threading.get_ident() == self._thread:
                self._over_here = self._over_here or anyio.Event()
                await self._over_here.wait()
            else:
                # It is made in the event loop of another thread.
                await to_thread.run_sync(self._over.wait, SECONDS_KEPT, abandon_on_cancel=True)

    def result(self) -> Mapping[str, PropertyDefinition] | None:
        """Return what was read; None if the request was cancelled.

        Raises:
            Exception: The error of the request.
        """
        if self.error is not None:
            raise self.error
        return self.definitions
