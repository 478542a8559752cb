"""`hubspot-batch sandbox`: run a local HubSpot in the foreground."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import FAULTS, Property, Sandbox, parse_fault, parse_quota


def run(
    faults: Sequence[str], custom: Sequence[str], unique: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM.

    Args:
        faults: Injected faults with their rates, `504-after:0.02`.
        custom: Properties that take any text, `orders.my_field`.
        unique: Properties that take any text and are unique.
        options: Keywords of `Sandbox`.

    Raises:
        UsageError: If an option is not valid.
        ConfigurationError: If the port or the store cannot be used.
    """
    properties: defaultdict[str, dict[str, Property]] = defaultdict(dict)
    try:
        rates = {str(fault): rate for fault, rate in map(parse_fault, faults)}
        for texts, is_unique in ((custom, False), (unique, True)):
            for object_type, name in map(_named, texts):
                properties[object_type][name] = Property("text", unique=is_unique)
        made = {**options, "quota": parse_quota(options["quota"])}
        sandbox = Sandbox(faults=rates, properties=properties, **made)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    with sandbox as box:
        box.serve_forever(lambda: _announce(box, exposed=made["expose"]))
    click.echo("Sandbox stopped", err=True)


def _announce(box: Sandbox, *, exposed: bool) -> None:
    if exposed:
        port = box.url.rpartition(":")[2]
        click.echo(
            f"Warning: other machines can reach this sandbox at port {port} of this machine, read what it "
            "stores, and write to it",
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
