"""What a client is set up with, checked once."""

import hashlib
import math
import os
import re
from collections.abc import Awaitable, Callable, Hashable
from threading import Lock
from typing import Protocol, TypeAlias, runtime_checkable
from weakref import WeakValueDictionary

import httpx
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch._auth import Bearer
from hubspot_batch._discreet import Discreet
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.policy import Retries
from hubspot_batch.quota import Quota, is_number

BASE_URL = "https://api.hubapi.com"
TOKEN_VARIABLE = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0

TokenSource: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]


@runtime_checkable
class TakesItsTime(Protocol):
    """A function for tokens that tells whether it can return one at once."""

    @property
    def is_fresh(self) -> bool:
        """Whether it can."""
        ...

    def __call__(self) -> str:
        """Return a token."""
        ...


# The one thing that clients share unasked: HubSpot counts the requests of a token, whichever client sends
# them, and clients that each counted for themselves would run into 429s. It keeps no quota alive.
_quotas: WeakValueDictionary[Hashable, Quota] = WeakValueDictionary()
_quotas_lock = Lock()

_URL = r"https?://[^\s/?#@]+(/[^\s?#]*)?"
_LARGEST_PORT = 65535
# HubSpot releases a version each March and September, the first in 2025-09 (docs/behaviour.md, "Versions").
_DATED = r"2025-09|20(2[6-9]|[3-9]\d)-0[39]"


class Settings(Discreet, Struct, frozen=True, kw_only=True):
    """The options of a client, valid and complete."""

    token: Bearer | TokenSource
    base_url: str
    api_version: str
    timeout: httpx.Timeout
    retries: Retries
    quota: Quota

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url!r}, api_version={self.api_version!r})"


def source_from(access_token: str | TokenSource | None) -> str | TokenSource:
    """Return what the token comes from: the argument, or else the environment."""
    return os.environ.get(TOKEN_VARIABLE, "") if access_token is None else access_token


def token_from(source: str | TokenSource) -> Bearer | TokenSource:
    """Return the token, or the function that returns one.

    Raises:
        ConfigurationError: If it is no token.
    """
    return source if callable(source) else Bearer(source)


def base_url_from(base_url: str) -> str:
    """Return the base URL without a slash at its end.

    Raises:
        ConfigurationError: If it is no http or https URL, or holds more than host and path.
    """
    if not isinstance(base_url, str) or not (base_url == BASE_URL or _is_address(base_url)):
        raise ConfigurationError(f"base_url is no URL of a service; write it like {BASE_URL}")
    return base_url.rstrip("/")


def _is_address(base_url: str) -> bool:
    if not re.fullmatch(_URL, base_url):
        return False
    try:
        url = httpx.URL(base_url)
        return bool(url.host) and (url.port or 0) <= _LARGEST_PORT
    except (httpx.InvalidURL, UnicodeError):  # the latter comes from a host that IDNA cannot express
        return False


def api_version_from(api_version: str) -> str:
    """Return the API version.

    Raises:
        ConfigurationError: If HubSpot has no version of that form.
    """
    known = isinstance(api_version, str) and (
        api_version == "v3" or re.fullmatch(_DATED, api_version, re.ASCII)
    )
    if not known:
        raise ConfigurationError(
            f'there is no API version {api_version!r}; write "v3" or a dated one such as "2026-09"'
        )
    return api_version


def timeout_from(timeout: float | httpx.Timeout) -> httpx.Timeout:
    """Return the time limits of an attempt; a number is the limit of all but connecting.

    Raises:
        ConfigurationError: If it is no positive number.
    """
    if isinstance(timeout, httpx.Timeout):
        return timeout
    if not is_number(timeout, int | float) or not 0 < timeout < math.inf:
        raise ConfigurationError("timeout is no positive number; write seconds, or an httpx.Timeout")
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def retries_from(retries: int | Retries) -> Retries:
    """Return how persistent a call is; a number is the limit.

    Raises:
        ConfigurationError: If limit or budget are negative or no numbers.
    """
    policy = retries if isinstance(retries, Retries) else Retries(limit=retries)
    limits = is_number(policy.limit, int) and is_number(policy.budget, int | float)
    if not limits or policy.limit < 0 or not policy.budget >= 0:
        raise ConfigurationError(
            "retries has a negative limit or budget; write Retries(limit=4, budget=120.0)"
        )
    return policy


def quota_from(quota: Quota) -> Quota:
    """Return the quota.

    Raises:
        ConfigurationError: If it is none.
    """
    if not isinstance(quota, Quota):
        raise ConfigurationError("quota is no Quota; write Quota(190, 10.0)")
    return quota


def quota_of(source: str | TokenSource, base_url: str) -> Quota:
    """Return the quota that all clients share that have this token, or this function, and this base URL."""
    # A function is told by itself, for nobody knows what it will return. A token must not be seen in a key.
    known_by = source if callable(source) else hashlib.sha256(f"{base_url} {source}".encode()).digest()
    if not isinstance(known_by, Hashable):
        return Quota()
    with _quotas_lock:
        return _quotas.setdefault((base_url, known_by), Quota())


def settings_from(
    access_token: str | TokenSource | None,
    *,
    base_url: str,
    api_version: str,
    timeout: float | httpx.Timeout,
    retries: int | Retries,
    quota: Quota | None,
) -> Settings:
    """Return the options of a client.

    Raises:
        ConfigurationError: If any is not valid.
    """
    source, address = source_from(access_token), base_url_from(base_url)
    return Settings(
        token=token_from(source),
        base_url=address,
        api_version=api_version_from(api_version),
        timeout=timeout_from(timeout),
        retries=retries_from(retries),
        quota=quota_of(source, address) if quota is None else quota_from(quota),
    )


def changed(
    settings: Settings,
    *,
    timeout: float | httpx.Timeout | None,
    retries: int | Retries | None,
    quota: Quota | None,
) -> Settings:
    """Return options in which those that are not None differ.

    Raises:
        ConfigurationError: If any is not valid.
    """
    return replace(
        settings,
        timeout=settings.timeout if timeout is None else timeout_from(timeout),
        retries=settings.retries if retries is None else retries_from(retries),
        quota=settings.quota if quota is None else quota_from(quota),
    )
