"""`hubspot-batch sandbox`."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hubspot_batch.sandbox import FAULTS, Sandbox, parse_fault


def run(faults: Sequence[str], options: Mapping[str, Any]) -> None:
    """Run a sandbox in the foreground until Ctrl-C or SIGTERM.

    Args:
        faults: Faults with their rates, `504-after:0.02`.
        options: What `Sandbox` takes.

    Raises:
        ConfigurationError: If any of it cannot be.
    """
    rates = {str(fault): rate for fault, rate in map(parse_fault, faults)}
    with Sandbox(faults=rates, **options) as box:
        click.echo(f"Sandbox at {box.url}, access token {box.access_token}, Ctrl-C to stop")
        box.serve_forever()
    click.echo("Sandbox stopped", err=True)


def list_faults() -> None:
    """Print each fault with what it does."""
    for fault in FAULTS.values():
        name = f"{fault.name}[=SECONDS]" if fault.takes_seconds else fault.name
        click.echo(f"{name:<28}{fault.description}")
