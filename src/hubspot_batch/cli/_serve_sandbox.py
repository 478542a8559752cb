"""`hubspot-batch sandbox`: run a local HubSpot in the foreground."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import FAULTS, Property, Sandbox, parse_fault, read_config

_PORT = 8089


def run(
    config: Path | None,
    faults: Sequence[str],
    custom: Sequence[str],
    unique: Sequence[str],
    given: Mapping[str, Any],
) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM.

    Args:
        config: A file of options.
        faults: Injected faults with their rates, `504-after:0.02`.
        custom: Properties that take any text, `orders.my_field`.
        unique: Properties that take any text and are unique.
        given: Keywords of `Sandbox`, which come before those of the file.

    Raises:
        UsageError: If an option is not valid.
        ConfigurationError: If the file, the port or the store cannot be used.
    """
    options = {"port": _PORT, **({} if config is None else read_config(config)), **given}
    try:
        if rates := {str(fault): rate for fault, rate in map(parse_fault, faults)}:
            options["faults"] = {**options.get("faults", {}), **rates}
        options["properties"] = _with_properties(options.get("properties", {}), custom, unique)
        sandbox = Sandbox(**options)
    except ConfigurationError as error:
        if config is None:
            raise click.UsageError(str(error)) from error
        raise
    with sandbox as box:
        box.serve_forever(lambda: _announce(box, exposed=options.get("expose", False)))
    click.echo("Sandbox stopped", err=True)


def _with_properties(
    known: Mapping[str, Any], custom: Sequence[str], unique: Sequence[str]
) -> Mapping[str, Any]:
    """Return the properties of a file with those of the command line added."""
    properties: dict[str, Any] = {**known}
    for texts, is_unique in ((custom, False), (unique, True)):
        for object_type, name in map(_named, texts):
            before = properties.get(object_type, ())
            rules = before if isinstance(before, Mapping) else dict.fromkeys(before, Property())
            properties[object_type] = {**rules, name: Property(unique=is_unique)}
    return properties


def _announce(box: Sandbox, *, exposed: bool) -> None:
    if exposed:
        port = box.url.rpartition(":")[2]
        click.echo(
            f"Warning: other machines can reach this sandbox at port {port} of this machine, read what it "
            "stores, and write to it; its page and its control over HTTP need --control-key",
            err=True,
        )
    click.echo(f"Sandbox at {box.url}, access token {box.access_token}, Ctrl-C to stop")


def _named(text: str) -> tuple[str, str]:
    object_type, _, name = text.partition(".")
    if not object_type or not name:
        raise ConfigurationError(f"{text!r} does not name a property; write it like orders.my_field")
    return object_type.replace("-", "_"), name


def list_faults() -> None:
    """Print each fault with what it does."""
    for fault in FAULTS.values():
        name = f"{fault.name}[=SECONDS]" if fault.takes_seconds else fault.name
        click.echo(f"{name:<28}{fault.description}")
