"""The options of a client, validated once."""

import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakSet, WeakValueDictionary

import httpx
from msgspec import Struct, field
from msgspec.structs import replace

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.transport._quota import Pacer, Quota, is_number
from hubspot_batch.transport._retries import Retries, RetryPolicy
from hubspot_batch.transport._tokens import Bearer

if TYPE_CHECKING:
    from hubspot_batch.transport._definitions import Reading

BASE_URL = "https://api.hubapi.com"
TOKEN_VARIABLE = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0

# Times the longest step: a slower attempt is not worth waiting for.
ATTEMPT_STEPS = 2.0
MAX_REPLY_BYTES = 32 * 1024 * 1024

TokenSource: TypeAlias = Callable[[], str]
AsyncTokenSource: TypeAlias = TokenSource | Callable[[], Awaitable[str]]


class ForkSafe:
    """A base of objects with a lock, which another thread may hold while the process forks.

    Only the forking thread continues in the child, so the lock would never be released there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        _fork_safe.add(self)

    def after_fork(self) -> None:
        """Reset the state in a child process."""
        self._lock = Lock()


class CachingTokenSource(ForkSafe, ABC):
    """A token source that caches its token."""

    @property
    @abstractmethod
    def cached(self) -> str | None:
        """The cached token if it is still valid, else None. Never blocks."""

    @abstractmethod
    def discard(self, token: Bearer) -> None:
        """Drop this token from the cache: HubSpot refused it as expired."""

    @abstractmethod
    def __call__(self) -> str:
        """Return a token."""


# Clients with the same token share one quota, because HubSpot counts the requests per token. The references
# are weak.
_quotas: WeakValueDictionary[Hashable, Quota] = WeakValueDictionary()
_quotas_lock = Lock()
_fork_safe: WeakSet[ForkSafe] = WeakSet()


def _after_fork() -> None:
    _quotas_lock.release()
    for shared in _fork_safe:
        shared.after_fork()


# Windows has no fork, and no such function.
getattr(os, "register_at_fork", lambda **_: None)(
    before=_quotas_lock.acquire, after_in_parent=_quotas_lock.release, after_in_child=_after_fork
)

_URL = r"https?://[^\s/?#@]+(/[^\s?#]*)?"
_LARGEST_PORT = 65535
# HubSpot releases a version each March and September, the first in 2025-09 (docs/behaviour.md, "Versions").
_DATED = r"2025-09|20(2[6-9]|[3-9]\d)-0[39]"


class Settings(RedactedRepr, Struct, frozen=True, kw_only=True):
    """The options of a client, valid and complete, and what is known of its account."""

    token: Bearer | AsyncTokenSource
    base_url: str
    api_version: str
    timeout: httpx.Timeout
    attempt_timeout: float
    max_reply_bytes: int
    retries: RetryPolicy
    quota: Pacer
    # By process and object type.
    known_definitions: dict[tuple[int, str], "Reading"] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url!r}, api_version={self.api_version!r})"


def token_source(access_token: str | AsyncTokenSource | Bearer | None) -> Bearer | AsyncTokenSource:
    """Return the unvalidated token, or the token source. Never fails.

    By default, the token comes from the environment.
    """
    if access_token is None:
        return Bearer(os.environ.get(TOKEN_VARIABLE, ""))
    return (
        access_token if isinstance(access_token, Bearer) or callable(access_token) else Bearer(access_token)
    )


def _token_from(source: Bearer | AsyncTokenSource) -> Bearer | AsyncTokenSource:
    return source.checked() if isinstance(source, Bearer) else source


def base_url_from(base_url: str, *, allow_http: bool = False) -> str:
    """Return the base URL without a slash at its end.

    Raises:
        ConfigurationError: If it is not an http or https URL, holds more than host and path, or would send
            the token over a network in clear text.
    """
    if not isinstance(base_url, str) or not (base_url == BASE_URL or _is_address(base_url)):
        raise ConfigurationError(f"base_url must be the URL of a service; write it like {BASE_URL}")
    if not (allow_http or base_url.startswith("https:") or is_local(base_url)):
        raise ConfigurationError(
            "base_url is an http:// address of another machine, so token and rows would cross the network in "
            "clear text; write https://, or allow it with allow_http=True (--allow-http)"
        )
    return base_url.rstrip("/")


def is_local(base_url: str) -> bool:
    """Return whether an address names this machine, without a DNS look-up."""
    host = httpx.URL(base_url).host.removesuffix(".")
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    # The unspecified address stands for all addresses of this machine.
    return address.is_loopback or address.is_unspecified


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
        ConfigurationError: If it is neither v3 nor a dated version.
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
        ConfigurationError: If it is not a positive number.
    """
    if isinstance(timeout, httpx.Timeout):
        return timeout
    if not is_number(timeout, int | float) or not 0 < timeout < math.inf:
        raise ConfigurationError("timeout must be a positive number; write seconds, or an httpx.Timeout")
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def attempt_timeout_from(attempt_timeout: float | None, timeout: httpx.Timeout) -> float:
    """Return how many seconds a whole attempt may take: by default twice the longest of its steps.

    Raises:
        ConfigurationError: If it is not a positive number.
    """
    if attempt_timeout is None:
        steps = (timeout.connect, timeout.read, timeout.write, timeout.pool)
        return ATTEMPT_STEPS * max((step for step in steps if step is not None), default=TIMEOUT)
    if not is_number(attempt_timeout, int | float) or not 0 < attempt_timeout < math.inf:
        raise ConfigurationError(
            "attempt_timeout must be a positive number; write the seconds that a whole attempt may take"
        )
    return attempt_timeout


def max_reply_bytes_from(max_reply_bytes: int) -> int:
    """Return how large a reply may be.

    Raises:
        ConfigurationError: If it is not a positive whole number.
    """
    if not is_number(max_reply_bytes, int) or max_reply_bytes < 1:
        raise ConfigurationError(
            "max_reply_bytes must be a positive whole number; write the largest size of a reply in bytes"
        )
    return max_reply_bytes


def retries_from(retries: int | RetryPolicy) -> RetryPolicy:
    """Return the retry policy; a number is the limit of `Retries`.

    Raises:
        ConfigurationError: If it is neither, or limit or budget are negative or not numbers.
    """
    if isinstance(retries, RetryPolicy) and not isinstance(retries, Retries | type):
        return retries
    policy = retries if isinstance(retries, Retries) else Retries(limit=retries)
    limits = is_number(policy.limit, int) and is_number(policy.budget, int | float)
    if not limits or policy.limit < 0 or not policy.budget >= 0:
        raise ConfigurationError(
            "retries has a negative limit or budget; write Retries(limit=4, budget=120.0)"
        )
    return policy


def quota_from(quota: Pacer) -> Pacer:
    """Return the quota.

    Raises:
        ConfigurationError: If it is not a `Pacer`.
    """
    if not isinstance(quota, Pacer) or isinstance(quota, type):
        raise ConfigurationError(
            "quota must be a Quota, a SharedQuota or another Pacer; write Quota(190, 10.0)"
        )
    return quota


def quota_of(source: Bearer | AsyncTokenSource, base_url: str) -> Quota:
    """Return the quota that clients with the same base URL and token, or token source, share."""
    # Functions are keyed by identity; tokens by hash, so no key holds one.
    known_by = source.digest(base_url) if isinstance(source, Bearer) else source
    if not isinstance(known_by, Hashable):
        return Quota()
    with _quotas_lock:
        return _quotas.setdefault((base_url, known_by), Quota())


def settings_from(
    source: Bearer | AsyncTokenSource,
    *,
    base_url: str,
    allow_http: bool,
    api_version: str,
    timeout: float | httpx.Timeout,
    attempt_timeout: float | None,
    max_reply_bytes: int,
    retries: int | RetryPolicy,
    quota: Pacer | None,
) -> Settings:
    """Return the options of a client.

    Raises:
        ConfigurationError: If any is not valid.
    """
    token, address = _token_from(source), base_url_from(base_url, allow_http=allow_http)
    steps = timeout_from(timeout)
    return Settings(
        token=token,
        base_url=address,
        api_version=api_version_from(api_version),
        timeout=steps,
        attempt_timeout=attempt_timeout_from(attempt_timeout, steps),
        max_reply_bytes=max_reply_bytes_from(max_reply_bytes),
        retries=retries_from(retries),
        quota=quota_of(token, address) if quota is None else quota_from(quota),
    )


def changed(
    settings: Settings,
    *,
    source: Bearer | AsyncTokenSource | None,
    timeout: float | httpx.Timeout | None,
    attempt_timeout: float | None,
    max_reply_bytes: int | None,
    retries: int | RetryPolicy | None,
    quota: Pacer | None,
) -> Settings:
    """Return the options with changes; None keeps an option.

    A new token gets a new quota and knows no definitions, and a new `timeout` gets a new `attempt_timeout`.

    Raises:
        ConfigurationError: If any is not valid.
    """
    token = settings.token if source is None else _token_from(source)
    pace = settings.quota if source is None else quota_of(token, settings.base_url)
    steps = settings.timeout if timeout is None else timeout_from(timeout)
    whole = settings.attempt_timeout
    if timeout is not None or attempt_timeout is not None:
        whole = attempt_timeout_from(attempt_timeout, steps)
    largest = settings.max_reply_bytes if max_reply_bytes is None else max_reply_bytes_from(max_reply_bytes)
    return replace(
        settings,
        token=token,
        timeout=steps,
        attempt_timeout=whole,
        max_reply_bytes=largest,
        retries=settings.retries if retries is None else retries_from(retries),
        quota=pace if quota is None else quota_from(quota),
        known_definitions=settings.known_definitions if source is None else {},
    )
