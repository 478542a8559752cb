"""Static tokens, OAuth tokens, and what each may do (docs/behaviour.md, "Tokens and scopes")."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs

from msgspec import Meta, Struct
from msgspec.structs import replace

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._account import Account
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._quotas import Day, QuotaLimit, QuotaText, Window, quota_of

OAUTH_QUOTA = QuotaLimit(110, 10.0, None)
"""The quota of a marketplace app in each account."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_token(token: str, name: str = "access_token") -> None:
    """Refuse a token that no header takes.

    Raises:
        ConfigurationError: If it is one.
    """
    if not (token.isascii() and token.isprintable()) or not token or " " in token:
        raise ConfigurationError(
            f"{name} is empty or has characters that no header takes; use ASCII letters and digits"
        )


TokenText: TypeAlias = Annotated[str, Meta(extra={"check": check_token})]
"""A token; options outside of Python are checked by it."""


class OAuthApp(RedactedRepr, Struct, frozen=True, kw_only=True):
    """An app that is installed in an account and gets its tokens by the refresh grant.

    Attributes:
        client_id: The client id of the app.
        client_secret: The client secret of the app.
        refresh_token: The refresh token of the installation.
        lifetime: The lifetime of its access tokens in seconds; HubSpot's is 1800.
        quota: The quota that all its tokens share, as a `QuotaLimit` or as text, `110/10`.
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - it opens nothing but the sandbox
    refresh_token: str = "sandbox-refresh"  # noqa: S105 - it opens nothing but the sandbox
    lifetime: float = 1800.0
    quota: QuotaLimit | QuotaText = OAUTH_QUOTA

    def __repr__(self) -> str:
        return f"OAuthApp(client_id={self.client_id!r})"


class Grant(Struct, frozen=True, kw_only=True):
    """What a token may do.

    Attributes:
        account: The account.
        number: The id of the account.
        scopes: Its scopes; None for all.
        window: Its quota.
        searches: The quota of searches, which all tokens of the account share.
        day: The day of the account, or one of its own.
        oauth: Whether it is an OAuth token.
        expires: When it expires; None for a static token.
    """

    account: Account
    number: int
    scopes: frozenset[str] | None
    window: Window
    searches: Window
    day: Day
    oauth: bool = False
    expires: datetime | None = None


class Tokens:
    """The tokens of all accounts. One thread at a time may use it."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}
        self._apps: list[tuple[OAuthApp, Grant]] = []

    def add(self, access_token: str, grant: Grant) -> None:
        """Add a static token of an account."""
        self._grants[access_token] = grant

    def install(self, app: OAuthApp, grant: Grant) -> None:
        """Let an app get tokens that open the same account, with a quota of the app's own."""
        quota = quota_of(app.quota)
        day = Day(quota.daily)
        window = Window(quota, day)
        self._apps.append((app, replace(grant, window=window, day=day, oauth=True)))

    def grant_of(self, headers: Sequence[str], now: datetime) -> Grant | Refusal:
        """Return the grant of the `Authorization` headers of a request."""
        # With two headers it is not clear which one counts, so neither does.
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return _bodies.NO_CREDENTIALS
        grant = self._grants.get(token)
        if grant is None:
            return expired(
                _EPOCH, now
            )  # HubSpot treats text that was never a token as one that expired in 1970
        if grant.expires is not None and grant.expires <= now:
            return expired(grant.expires, now)
        return grant

    def refresh(self, content: bytes, now: datetime) -> Json | Refusal:
        """Answer a request for a token: a form with `grant_type=refresh_token`."""
        form = {name: values[-1] for name, values in parse_qs(content.decode("latin-1")).items()}
        if form.get("grant_type") != "refresh_token":
            return Refusal(status=400, message="missing or unknown grant type")
        for app, grant in self._apps:
            if _is_of(form, app):
                return self._issued(app, replace(grant, expires=now + timedelta(seconds=app.lifetime)))
        return Refusal(status=400, message="missing or invalid refresh token or client")

    def _issued(self, app: OAuthApp, grant: Grant) -> Json:
        access_token = f"sandbox-oauth-{secrets.token_hex(8)}"
        self._grants[access_token] = grant
        return {
            "token_type": "bearer",
            "access_token": access_token,
            "refresh_token": app.refresh_token,
            "expires_in": int(app.lifetime),
        }


def missing_scope(scopes: Sequence[str], *, in_errors: bool) -> Refusal:
    """The token lacks a scope; HubSpot names the scopes in one of two places."""
    context = {"requiredGranularScopes": list(scopes)}
    message = "This app hasn't been granted all required scopes to make this call."
    return Refusal(
        status=403,
        message=message,
        category="MISSING_SCOPES",
        context=None if in_errors else context,
        errors=[{"message": "One or more of these scopes are required.", "context": context}]
        if in_errors
        else None,
    )


def expired(expires: datetime, now: datetime) -> Refusal:
    """The token has expired."""
    age = now - expires
    span = f"{age.days} day(s)" if age.days else f"{age.seconds} second(s)"
    return Refusal(
        status=401,
        message=f"The OAuth token used to make this call expired {span} ago.",
        category="EXPIRED_AUTHENTICATION",
        context={"expire time": [expires.isoformat(timespec="seconds").replace("+00:00", "Z")]},
    )


def _is_of(form: Mapping[str, str], app: OAuthApp) -> bool:
    expected = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": app.refresh_token,
    }
    return all(form.get(name) == value for name, value in expected.items())
