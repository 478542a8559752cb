"""The client of a command: where its token comes from, and which HubSpot it talks to."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from hubspot_batch import HubSpot, SharedQuota
from hubspot_batch.bulk import RunInfo
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.oauth import RefreshToken
from hubspot_batch.results import PropertyDefinition

if TYPE_CHECKING:
    from hubspot_batch.sandbox import Sandbox

# A function, so that no traceback with local variables shows the token.
_Token: TypeAlias = Callable[[], str]

_TOKEN = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
_OAUTH = {
    "client_id": "HUBSPOT_CLIENT_ID",
    "client_secret": "HUBSPOT_CLIENT_SECRET",
    "refresh_token": "HUBSPOT_REFRESH_TOKEN",
}


class ConnectionOptions(Struct, frozen=True, kw_only=True):
    """The options that say which HubSpot a command talks to.

    Attributes:
        sandbox: Whether to start a local one that ends with the command.
        token_file: A file that holds the token.
        base_url: The address of HubSpot.
        allow_http: Whether that may be an http:// address of another machine.
        api_version: The API version.
        shared_quota: A file through which several processes share a quota.
        keys: Properties by which the command knows records, each after its object type. A local HubSpot has
            them as unique ones, unless HubSpot sets them up.
    """

    sandbox: bool = False
    token_file: Path | None = None
    base_url: str = "https://api.hubapi.com"
    allow_http: bool = False
    api_version: str = "v3"
    shared_quota: Path | None = None
    keys: Sequence[tuple[str, str]] = ()


class Connection(Struct, frozen=True, kw_only=True):
    """A client, and how runs of its account are recognised.

    Attributes:
        client: Returns the client, with the shared quota if there is one.
        service: The address of HubSpot.
        persistent: Whether HubSpot is still there when the command is over.
        account: The name of the account in a journal; None if its token identifies it.
        owns: Tells whether a run belongs to the account.
        digest: Returns a digest of the account together with a text.
        token_remedy: What to do if HubSpot does not accept the token.
        notice: What a person should know of the local HubSpot; None without one.
    """

    client: Callable[[], HubSpot]
    service: str
    persistent: bool
    account: str | None
    owns: Callable[[RunInfo], bool]
    digest: Callable[[str], str]
    token_remedy: str
    notice: str | None = None


@contextmanager
def connect(options: ConnectionOptions) -> Iterator[Connection]:
    """Make a client, and start the local HubSpot first if the options ask for it. Nothing is sent.

    Raises:
        ConfigurationError: If there is no token, or an option or environment variable is not valid.
    """
    with ExitStack() as stack:
        notice = None
        if options.sandbox:
            from hubspot_batch.sandbox import Sandbox  # noqa: PLC0415 - it needs the extra `sandbox`

            box = stack.enter_context(Sandbox())
            service = box.url
            token: _Token | None = _returning(box.access_token)
            made = _with_keys(box, options.keys)
            notice = "\n".join([f"A local HubSpot runs at {service}: nothing leaves this machine", *made])
        else:
            service, token = options.base_url, _static_token(options.token_file)
        app = _app(service, allow_http=options.allow_http) if token is None else None
        hub = stack.enter_context(
            HubSpot(
                app if token is None else token(),
                base_url=service,
                allow_http=options.allow_http,
                api_version=options.api_version,
            )
        )
        account = None if app is None else _name_of_app()
        yield Connection(
            client=partial(_with_quota, hub, options.shared_quota, stack),
            service=service,
            persistent=not options.sandbox,
            account=account,
            owns=lambda run: _owns(run, token, account),
            digest=lambda text: _digest(text, _name_of_app() if token is None else token()),
            token_remedy=_token_remedy(options.token_file, is_app=app is not None),
            notice=notice,
        )


def has_token(options: ConnectionOptions) -> bool:
    """Return whether the options or the environment name a token."""
    variables = (_TOKEN, *_OAUTH.values())
    return options.sandbox or options.token_file is not None or any(map(os.environ.get, variables))


def definitions_of(client: HubSpot, object_type: str) -> Mapping[str, PropertyDefinition]:
    """Return what the properties of an object type are in the account, by name.

    Raises:
        HubSpotBatchError: If they cannot be had.
    """
    listed = getattr(client, object_type).properties()
    if not listed:
        raise HubSpotBatchError(
            f"HubSpot gives an empty list of the properties of {object_type}; try it again"
        )
    return {definition.name: definition for definition in listed}


def _with_keys(box: "Sandbox", keys: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Let a local HubSpot have properties as unique ones, and return what is to be said about them."""
    from hubspot_batch.sandbox import Property  # noqa: PLC0415 - it needs the extra `sandbox`

    unique: dict[str, dict[str, Property]] = {}
    with HubSpot(box.access_token, base_url=box.url) as hub:
        for object_type, name in keys:
            if name not in definitions_of(hub, object_type):
                unique.setdefault(object_type, {})[name] = Property(unique=True)
    if unique:
        box.reset(properties=unique)
    return [
        f"It has {object_type}.{name} as a unique property; your account needs it, too"
        for object_type, names in unique.items()
        for name in names
    ]


def _with_quota(hub: HubSpot, path: Path | None, stack: ExitStack) -> HubSpot:
    return hub if path is None else hub.with_options(quota=stack.enter_context(SharedQuota(path)))


def _owns(run: RunInfo, token: _Token | None, account: str | None) -> bool:
    return run.belongs_to(account=account) if token is None else run.belongs_to(access_token=token())


def _digest(text: str, account: str) -> str:
    return blake2b(f"{text}\0{account}".encode(), digest_size=8).hexdigest()


def _token_remedy(token_file: Path | None, *, is_app: bool) -> str:
    if is_app:
        return f"check {', '.join(_OAUTH.values())}"
    if token_file is not None:
        return f"check {token_file}"
    return f"check {_TOKEN}, or name a file with --token-file"


def _static_token(path: Path | None) -> _Token | None:
    """Return the token from a file, else from the environment; None if there is none."""
    if path is not None:
        return _token_from(path)
    return _returning(os.environ[_TOKEN]) if os.environ.get(_TOKEN) else None


def _returning(token: str) -> _Token:
    return lambda: token


def _token_from(path: Path) -> _Token:
    try:
        token = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name a file that holds the token") from error
    except UnicodeDecodeError:
        token = None
    if token is None:
        # Raised here because Python's own error holds the content of the file.
        raise ConfigurationError(f"{path}: this is not text; name a file that holds the token")
    if not token:
        raise ConfigurationError(f"{path}: the file is empty; it must hold the token and nothing else")
    return _returning(token)


def _app(base_url: str, *, allow_http: bool) -> RefreshToken:
    missing = [variable for variable in _OAUTH.values() if not os.environ.get(variable)]
    if len(missing) == len(_OAUTH):
        raise ConfigurationError(
            f"there is no access token; set {_TOKEN}, name a file with --token-file, "
            f"set {', '.join(_OAUTH.values())}, or try it with --sandbox"
        )
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} is not set; a fresh token needs all three")
    return RefreshToken(
        client_id=os.environ[_OAUTH["client_id"]],
        client_secret=os.environ[_OAUTH["client_secret"]],
        refresh_token=os.environ[_OAUTH["refresh_token"]],
        base_url=base_url,
        allow_http=allow_http,
    )


def _name_of_app() -> str:
    """Return the name of the account in a journal: a digest of the refresh token, which does not change."""
    digest = blake2b(os.environ[_OAUTH["refresh_token"]].encode(), digest_size=12).hexdigest()
    return f"oauth-{digest}"
