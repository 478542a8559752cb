"""The commands and their arguments. What one does stands in a module of its own, imported when it runs."""

from pathlib import Path
from typing import Any

import click

from hubspot_batch import __version__
from hubspot_batch.errors import HubSpotBatchError

_FILE = click.Path(allow_dash=True, path_type=Path)


class _Commands(click.Group):
    """Commands whose errors are messages: no traceback for what a user can mend."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        try:
            return super().invoke(ctx)
        except HubSpotBatchError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def commands() -> None:
    """Push orders, line items, payments and carts into HubSpot in batches."""


@commands.command()
@click.argument("verb", type=click.Choice(["create", "update"]))
@click.argument("object_type", metavar="OBJECT")
@click.argument("payload", type=_FILE)
def validate(verb: str, object_type: str, payload: Path) -> None:
    """Check the JSON body of a request against the document. Nothing is sent.

    OBJECT is orders, line-items, commerce-payments or carts. PAYLOAD is a file, or - for standard input.

    Each fault is a line: JSON pointer, problem, remedy. The exit code is 1 if there is any.
    """
    from hubspot_batch.cli import _validate  # noqa: PLC0415 - see above

    _validate.run(f"{verb}_{object_type.replace('-', '_')}", payload)


@commands.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="0: any free one."
)
@click.option("--store", type=click.Path(path_type=Path), help="SQLite file that keeps the records.")
def sandbox(port: int, store: Path | None) -> None:
    """Run a local HubSpot until Ctrl-C.

    It answers the five operations, checks what HubSpot checks, and keeps the records in memory or in a file.
    """
    from hubspot_batch.cli import _sandbox  # noqa: PLC0415 - see above

    _sandbox.run(port, store)


@commands.command()
@click.argument("orders", type=_FILE, required=False)
def demo(orders: Path | None) -> None:
    """Push 500 orders into a local HubSpot and show what became of each.

    ORDERS is another CSV file whose columns are properties of orders.
    """
    from hubspot_batch.cli import _demo  # noqa: PLC0415 - see above

    _demo.run(orders)
