"""The client that a command uses: where its token comes from, and to which HubSpot it talks."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from hubspot_batch.client import HubSpot
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.oauth import RefreshToken
from hubspot_batch.transport._settings import BASE_URL, TOKEN_VARIABLE
from hubspot_batch.transport._shared_quota import SharedQuota
from hubspot_batch.transport._tokens import Bearer, Secret

_OAUTH = {
    "client_id": "HUBSPOT_CLIENT_ID",
    "client_secret": "HUBSPOT_CLIENT_SECRET",
    "refresh_token": "HUBSPOT_REFRESH_TOKEN",
}


class ConnectionOptions(Struct, frozen=True, kw_only=True):
    """The options that say to which HubSpot a command talks.

    Attributes:
        sandbox: Whether it is a local one that ends with the command.
        token_file: A file that holds the token.
        base_url: Where HubSpot is.
        allow_http: Whether that may be an http:// address of another machine.
        api_version: Its version.
        shared_quota: A file by which processes share a quota.
    """

    sandbox: bool = False
    token_file: Path | None = None
    base_url: str = BASE_URL
    allow_http: bool = False
    api_version: str = "v3"
    shared_quota: Path | None = None


class Connection(Struct, frozen=True, kw_only=True):
    """A client, and how its account is known again.

    Attributes:
        open: Opens the client, which ends with the connection.
        service: The address of HubSpot.
        lasts: Whether HubSpot is still there when the command is over.
        account: What a run is told of the account; None where its token tells.
        fingerprint: What a journal with this salt says of the account.
        token_remedy: What to do where its token is not accepted.
    """

    open: Callable[[], HubSpot]
    service: str
    lasts: bool
    account: str | None
    fingerprint: Callable[[bytes], str]
    token_remedy: str


@contextmanager
def connect(options: ConnectionOptions) -> Iterator[Connection]:
    """Find out to which account a client will talk, and start the local HubSpot if it is that.

    Raises:
        ConfigurationError: If there is no token, or an option cannot be.
    """
    with ExitStack() as stack:
        if options.sandbox:
            from hubspot_batch.sandbox import Sandbox  # noqa: PLC0415 - it needs the extra `sandbox`

            box = stack.enter_context(Sandbox())
            token, service = Secret(box.access_token), box.url
        else:
            token, service = _static_token(options.token_file), options.base_url
        app = None if token else _app_token(service, allow_http=options.allow_http)

        def opened() -> HubSpot:
            shared = options.shared_quota
            quota = None if shared is None else stack.enter_context(SharedQuota(shared))
            hub = HubSpot(
                app or token.reveal(),
                base_url=service,
                allow_http=options.allow_http,
                api_version=options.api_version,
                quota=quota,
            )
            return stack.enter_context(hub)

        account = None if token else _known_by(os.environ[_OAUTH["refresh_token"]])
        yield Connection(
            open=opened,
            service=service,
            lasts=not options.sandbox,
            account=account,
            fingerprint=Bearer(token).fingerprint if account is None else lambda _: account,
            token_remedy=_remedy(options.token_file, is_app=account is not None),
        )


def check(options: ConnectionOptions) -> None:
    """Refuse options and an environment that cannot be used, before rows are read and files are made.

    Raises:
        ConfigurationError: If there is no token, an option is not valid, or a variable of the environment.
    """
    base_url = "http://127.0.0.1" if options.sandbox else options.base_url
    token = Secret("sandbox") if options.sandbox else _static_token(options.token_file)
    app = None if token else _app_token(base_url, allow_http=options.allow_http)
    with HubSpot(
        app or token.reveal(),
        base_url=base_url,
        allow_http=options.allow_http,
        api_version=options.api_version,
    ):
        pass


def _remedy(token_file: Path | None, *, is_app: bool) -> str:
    if is_app:
        return f"check {', '.join(_OAUTH.values())}"
    return (
        f"check {TOKEN_VARIABLE}, or name a file with --token-file"
        if token_file is None
        else f"check {token_file}"
    )


def _static_token(path: Path | None) -> Secret:
    """Return the token from a file, else from the environment; empty if there is none."""
    return Secret(os.environ.get(TOKEN_VARIABLE, "")) if path is None else _read(path)


def _app_token(base_url: str, *, allow_http: bool) -> RefreshToken:
    app = {name: Secret(os.environ.get(variable, "")) for name, variable in _OAUTH.items()}
    if not any(app.values()):
        raise ConfigurationError(
            f"there is no access token; set {TOKEN_VARIABLE}, name a file with --token-file, "
            f"set {', '.join(_OAUTH.values())}, or try it with --sandbox"
        )
    if missing := [variable for name, variable in _OAUTH.items() if not app[name]]:
        raise ConfigurationError(f"{', '.join(missing)} is not set; a fresh token needs all three")
    return RefreshToken(
        client_id=app["client_id"].reveal(),
        client_secret=app["client_secret"].reveal(),
        refresh_token=app["refresh_token"].reveal(),
        base_url=base_url,
        allow_http=allow_http,
    )


def _known_by(refresh_token: str) -> str:
    return f"oauth-{blake2b(refresh_token.encode(), digest_size=12).hexdigest()}"


def _read(path: Path) -> Secret:
    try:
        token = Secret(path.read_text(encoding="utf-8-sig").strip())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name a file that holds the token") from error
    except UnicodeDecodeError:
        token = None
    if token is None:
        # Out here: the error of Python holds what is in the file.
        raise ConfigurationError(f"{path}: this is no text; name a file that holds the token")
    if not token:
        raise ConfigurationError(f"{path}: the file is empty; it must hold the token and nothing else")
    return token
