"""`hubspot-batch sandbox`."""

from pathlib import Path

import click

from hubspot_batch.sandbox import Sandbox


def run(port: int, store: Path | None) -> None:
    """Run a sandbox in the foreground until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: If the port is taken or the store cannot be used.
    """
    with Sandbox(port=port, store=store) as box:
        click.echo(f"Sandbox at {box.url}, access token {box.access_token}, Ctrl-C to stop")
        box.serve_forever()
    click.echo("Sandbox stopped", err=True)
