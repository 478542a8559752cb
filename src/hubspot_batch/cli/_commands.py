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
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--expose", is_flag=True, help="Allow a host that others can reach. Nothing protects it.")
@click.option("--store", type=click.Path(path_type=Path), help="SQLite file that keeps the records.")
@click.option(
    "--quota",
    default="190/10,1000000",
    show_default=True,
    help="Requests/seconds[,requests a day], or none.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME:RATE", help="504-after:0.02 for example.")
@click.option("--retry-after", is_flag=True, help="Let a 429 say when to come back.")
@click.option("--seed", type=int, default=0, show_default=True, help="What chance is drawn from.")
@click.option("--list-faults", is_flag=True, help="List the faults that there are, and exit.")
def sandbox(
    *,
    list_faults: bool,
    faults: tuple[str, ...],
    **options: Any,  # noqa: ANN401 - those of `Sandbox`
) -> None:
    """Run a local HubSpot until Ctrl-C.

    It behaves as HubSpot does, with its quotas and refusals, and goes wrong on purpose where --fault says so.
    A browser shows at its address what is stored and asked, and at /docs the document.
    """
    from hubspot_batch.cli import _sandbox  # noqa: PLC0415 - see above

    if list_faults:
        _sandbox.list_faults()
    else:
        _sandbox.run(faults, options)


@commands.command()
@click.argument("orders", type=_FILE, required=False)
def demo(orders: Path | None) -> None:
    """Push 500 orders into a local HubSpot and show what became of each.

    ORDERS is another CSV file whose columns are properties of orders.
    """
    from hubspot_batch.cli import _demo  # noqa: PLC0415 - see above

    _demo.run(orders)
