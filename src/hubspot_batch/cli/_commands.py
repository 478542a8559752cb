"""The commands and their arguments. What one does stands in a module of its own, imported when it runs."""

# ruff: noqa: PLC0415 - the command line answers --help without all that a command needs

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubspot_batch import __version__
from hubspot_batch._display import printable
from hubspot_batch.cli._files import UnfinishedError, is_unread, release_streams
from hubspot_batch.cli._signals import Interrupts
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, InvalidInputError

if TYPE_CHECKING:
    from hubspot_batch.cli._reading import Reading

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILE = click.Path(allow_dash=True, path_type=Path)
_PATH = click.Path(path_type=Path)
_CREATED = click.Choice(["orders", "line-items", "commerce-payments", "carts"])
_UPDATED = click.Choice(["orders"])
_FORMATS = click.Choice(["csv", "jsonl", "json", "parquet"])
_SHELLS = click.Choice(["bash", "zsh", "fish"])
_AS_JSON = f"{__name__}.as_json"


class _Days(click.ParamType[timedelta]):
    name = "days"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        digits = value.removesuffix("d")
        if digits == value or not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
            self.fail(f"{value!r} is not a number of days; write it like 30d", param, ctx)
        return timedelta(days=int(digits))


_DAYS = _Days()
_MOST_DIGITS = 5


@contextmanager
def _explained(*, as_json: bool = False) -> Iterator[None]:
    """Make errors messages: no traceback for what a user can mend.

    Args:
        as_json: Whether an error is printed as JSON, too.
    """
    try:
        with _as_click_errors():
            yield
    except click.ClickException as error:
        if not as_json:
            raise
        facts = {"run": None, "exit_code": error.exit_code, "problem": error.format_message()}
        with _as_click_errors():
            click.echo(json.dumps(facts))
        raise click.exceptions.Exit(error.exit_code) from error


@contextmanager
def _as_click_errors() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        if type(error) is click.ClickException:
            # It names a file.
            raise click.ClickException(printable(error.message)) from error
        raise
    except InvalidInputError as error:
        # Each of its lines is printable by itself.
        release_streams()
        raise click.ClickException(str(error)) from error
    except (HubSpotBatchError, ModuleNotFoundError) as error:
        release_streams()
        raise click.ClickException(printable(str(error))) from error
    except KeyboardInterrupt as error:
        release_streams()
        raise UnfinishedError("interrupted") from error
    except OSError as error:
        release_streams()
        if is_unread(error):
            # Whoever read our output has enough of it.
            raise click.exceptions.Exit(1) from None
        place = error.filename or "standard output"
        raise click.ClickException(printable(f"{place}: {error.strerror or error}")) from error


class _Commands(click.Group):
    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:  # noqa: ANN401 - click's own
        as_json = "--json" in args
        # It prints help and version.
        with _explained():
            context = super().make_context(info_name, args, *more, **extra)
        context.meta[_AS_JSON] = as_json
        return context

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        with _explained(as_json=ctx.meta[_AS_JSON]), Interrupts() as ctx.obj:
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order in which they are needed."""
        return list(self.commands)


def _with_hyphens(token: str) -> str:
    """Return a token as it is spelt here: HubSpot itself writes line_items."""
    return token.replace("_", "-")


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": _with_hyphens},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def commands() -> None:
    """Push orders, line items, payments and carts from files into HubSpot.

    \b
      hubspot-batch create orders orders.csv --dry-run     check all rows, send nothing
      hubspot-batch create orders orders.csv --sandbox     try it on a local HubSpot
      hubspot-batch create orders orders.csv               do it
      hubspot-batch results RUN --rejected                 what was refused, and why

    The token comes from HUBSPOT_ACCESS_TOKEN, from --token-file, or from HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET and HUBSPOT_REFRESH_TOKEN.

    \b
    Exit codes:
      0  all rows are done
      1  the configuration or the input cannot be used; nothing was written
      2  usage error
      4  finished; some rows are rejected
      5  not finished, or interrupted; the same command again goes on
      6  finished; some rows are unknown: sent, and the answer was lost
    """  # noqa: D301 - click's mark for lines that stay as they are


def _options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options, the first one on top."""

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _pairs(_: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not written `NAME=...`. It is not repeated, for it can be a value."""
    for text in texts:
        name, equals, right = text.partition("=")
        if not name or not equals or (not right and parameter.name != "set"):
            raise click.BadParameter(f"write {parameter.metavar}")
    return texts


def _of_text(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Refuse an encoding or a delimiter that there cannot be."""
    if text is not None:
        from hubspot_batch.cli import _tables

        try:
            (_tables.known_encoding if parameter.name == "encoding" else _tables.known_delimiter)(text)
        except ConfigurationError as error:
            raise click.BadParameter(printable(str(error))) from error
    return text


_reading = _options(
    click.option("--format", type=_FORMATS, help="What FILE is, where name and content do not tell."),
    click.option(
        "--encoding", callback=_of_text, help="Of a text. UTF-8 by default, or what a byte order mark says."
    ),
    click.option(
        "--delimiter",
        callback=_of_text,
        help="Between the cells of CSV, `tab` for a tab. Found out by default.",
    ),
    click.option(
        "--map",
        multiple=True,
        metavar="PROPERTY=COLUMN",
        callback=_pairs,
        help="Take a property from another column.",
    ),
    click.option("--only", multiple=True, metavar="COLUMNS", help="Take only these, with commas between."),
    click.option("--drop", multiple=True, metavar="COLUMNS", help="Leave these out."),
    click.option(
        "--set",
        multiple=True,
        metavar="PROPERTY=VALUE",
        callback=_pairs,
        help="Set a property for all rows.",
    ),
    click.option(
        "--timezone",
        metavar="NAME",
        help="The zone of dates with a time that name none, Europe/Berlin for example.",
    ),
    click.option(
        "--clear-empty", is_flag=True, help="Let an empty cell clear the property, not leave it alone."
    ),
)
_associating = click.option(
    "--associate",
    multiple=True,
    metavar="OBJECT=COLUMN[:TYPE]",
    callback=_pairs,
    help="Link with the record whose id is in a column: contact=contact_id, company=company_id:509.",
)
_naming = click.option(
    "--id-property", metavar="PROPERTY", help="A unique property that names the record; `id` by default."
)
_unique = click.option(
    "--unique-property",
    metavar="PROPERTY",
    help="A property that the account holds unique and each row has. Rows whose answer was lost are then "
    "sent again, for HubSpot refuses the double; without it they are unknown.",
)
_pushing = _options(
    click.option("--dry-run", is_flag=True, help="Check all rows, say what would happen, send nothing."),
    click.option("--sandbox", is_flag=True, help="Push into a local HubSpot that ends with the command."),
    click.option("--new", is_flag=True, help="Begin from the first row, and send again what ran before."),
    click.option(
        "--journal", type=_PATH, help="Where the run is written down; by default in the runs folder."
    ),
    click.option(
        "--keep-going", is_flag=True, help="Go on though the first rows are all refused for one reason."
    ),
    click.option("--concurrency", type=click.IntRange(1), help="Requests in flight at most, 40 by default."),
    click.option("--token-file", type=_PATH, help="A file that holds the access token."),
    click.option(
        "--base-url",
        envvar="HUBSPOT_BASE_URL",
        default="https://api.hubapi.com",
        show_default=True,
        show_envvar=True,
        help="Where HubSpot is.",
    ),
    click.option(
        "--allow-http", is_flag=True, help="Send in clear text where --base-url is an http:// address."
    ),
    click.option("--api-version", default="v3", show_default=True, help="Or a dated one, such as 2026-09."),
    click.option("--share-quota", type=_PATH, help="A file by which processes share a quota."),
    click.option("--results", type=_PATH, help="Write all rows there with what became of them."),
    click.option("--report", type=_PATH, help="Write an HTML page about the run."),
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and draw nothing."),
)


@commands.command()
@click.argument("object_type", metavar="OBJECT", type=_CREATED)
@click.argument("file", type=_FILE)
@_reading
@_associating
@_unique
@_pushing
@click.pass_context
def create(ctx: click.Context, /, object_type: str, **options: Any) -> None:  # noqa: ANN401 - click's own
    """Create a record for each row of FILE.

    OBJECT is orders, line-items, commerce-payments or carts. FILE is CSV, JSON Lines, a JSON list, the body
    of a request or Parquet, plain or compressed with gzip or zstd; - is standard input. Its columns are
    properties, or each row is {"properties": {...}, "associations": [...]}.

    The same command again goes on where it stopped, and sends nothing where it was finished. What becomes of
    each row is kept: see `hubspot-batch results`.
    """
    ctx.exit(_push(f"create_{object_type.replace('-', '_')}", options, ctx.obj))


@commands.command()
@click.argument("object_type", metavar="OBJECT", type=_UPDATED)
@click.argument("file", type=_FILE)
@_reading
@_naming
@_pushing
@click.pass_context
def update(ctx: click.Context, /, object_type: str, **options: Any) -> None:  # noqa: ANN401 - click's own
    """Update the record that each row of FILE names.

    OBJECT is orders. The column `id` holds the record id, or --id-property names a column whose values are
    unique. The rest is as for `create`.
    """
    ctx.exit(_push(f"update_{object_type}", options, ctx.obj))


@commands.command()
@click.argument("verb", type=click.Choice(["create", "update"]))
@click.argument("object_type", metavar="OBJECT", type=_CREATED)
@click.argument("file", type=_FILE)
@_reading
@_associating
@_naming
@click.pass_context
def validate(ctx: click.Context, /, verb: str, object_type: str, **options: Any) -> None:  # noqa: ANN401
    """Check every row of FILE, or the JSON body of a request. Nothing is sent.

    Each fault is a line on standard output: the place, the problem, the remedy. The exit code is 1 if there
    is any. A file that holds {"inputs": [...]} is checked as the body of one request, strictly as the
    document has it: values are text.
    """
    from hubspot_batch.cli import _validate

    operation_id = f"{verb}_{object_type.replace('-', '_')}"
    ctx.exit(0 if _validate.run(operation_id, _reading_of(options)) else 1)


@commands.command()
@click.argument("run", metavar="RUN")
@click.option("--done", "statuses", flag_value="done", multiple=True, help="Only rows that are done.")
@click.option("--rejected", "statuses", flag_value="rejected", multiple=True, help="Only those refused.")
@click.option("--unknown", "statuses", flag_value="unknown", multiple=True, help="Only those in doubt.")
@click.option(
    "--pending", "statuses", flag_value="pending", multiple=True, help="Only those without an outcome."
)
@click.option("--output", type=_FILE, default=Path("-"), help="A file; standard output by default.")
def results(run: str, statuses: tuple[str, ...], output: Path) -> None:
    """Print the rows of RUN with what became of each, in the form in which they came.

    The columns _row, _outcome, _id, _code and _message stand before those of the file. Mended, the output can
    be pushed as it is: these columns are left out again. A cell of theirs that a spreadsheet would run as a
    formula begins with a quote. Where the file is gone or has changed, its own columns are missing. RUN is a
    name that `hubspot-batch runs` lists, a journal, or `latest`.
    """
    from hubspot_batch.cli import _results, _runs

    stored = _runs.find(run)
    if statuses:
        _results.write_results(stored, output, statuses)
    else:
        _results.write_results(stored, output)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@click.option("--delete", "names", multiple=True, metavar="RUN", help="Delete all that is kept of a run.")
@click.option("--older-than", type=_DAYS, metavar="DAYS", help="Delete finished runs that began before: 30d.")
@click.option("--force", is_flag=True, help="Let --delete take a run that is not finished.")
def runs(*, as_json: bool, names: tuple[str, ...], older_than: timedelta | None, force: bool) -> None:
    """List what ran, how it ended, and what is left; or delete what is kept of runs.

    A run that is deleted is not known any more: the same command would push its rows again.
    """
    from hubspot_batch.cli import _list_runs

    if force and not names:
        raise click.UsageError("--force goes with --delete")
    if as_json and (names or older_than):
        raise click.UsageError("--json lists runs, and deletes none")
    if names or older_than:
        _list_runs.delete(names, older_than, force=force)
    else:
        _list_runs.run(as_json=as_json)


@commands.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="0: any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--expose", is_flag=True, help="Allow a host that others can reach. Nothing protects it.")
@click.option("--store", type=_PATH, help="SQLite file that keeps the records.")
@click.option(
    "--quota",
    default="190/10,1000000",
    show_default=True,
    help="Requests/seconds[,requests a day], or none.",
)
@click.option("--property", "custom", multiple=True, metavar="OBJECT.NAME", help="Let it take any text.")
@click.option("--unique", multiple=True, metavar="OBJECT.NAME", help="Likewise, with no value twice.")
@click.option("--fault", "faults", multiple=True, metavar="NAME:RATE", help="504-after:0.02 for example.")
@click.option("--retry-after", is_flag=True, help="Let a 429 say when to come back.")
@click.option("--seed", type=int, default=0, show_default=True, help="What chance is drawn from.")
@click.option("--list-faults", is_flag=True, help="List the faults that there are, and exit.")
def sandbox(
    *,
    list_faults: bool,
    faults: tuple[str, ...],
    custom: tuple[str, ...],
    unique: tuple[str, ...],
    **options: Any,  # noqa: ANN401 - those of `Sandbox`
) -> None:
    """Run a local HubSpot until Ctrl-C.

    It behaves as HubSpot does, with its quotas and refusals, and goes wrong on purpose where --fault says so.
    A browser shows at its address what is stored and asked, and at /openapi.json the document.
    """
    from hubspot_batch.cli import _sandbox

    if list_faults:
        _sandbox.list_faults()
    else:
        _sandbox.run(faults, custom, unique, options)


@commands.command()
@click.argument("orders", type=_FILE, required=False)
def demo(orders: Path | None) -> None:
    """Push 500 orders into a local HubSpot and show what became of each.

    ORDERS is another CSV file whose columns are properties of orders.
    """
    from hubspot_batch.cli import _demo

    _demo.run(orders)


@commands.command()
def document() -> None:
    """Print the OpenAPI document that the client is made from, as JSON."""
    from hubspot_batch.contract import _operations as contract

    click.echo(json.dumps(contract.document(), indent=2))


@commands.command()
def version() -> None:
    """Print the versions of this program and of what it runs on."""
    import platform
    from importlib.metadata import version as version_of

    click.echo(f"hubspot-batch {__version__}")
    click.echo(f"Python {platform.python_version()} on {platform.platform()}")
    for name in ("httpx", "msgspec", "jsonschema-rs"):
        click.echo(f"{name} {version_of(name)}")


@commands.command()
@click.argument("shell", type=_SHELLS)
def completion(shell: str) -> None:
    """Print the script that completes commands in a shell: eval "$(hubspot-batch completion bash)"."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    click.echo(kinds[shell](commands, {}, "hubspot-batch", "_HUBSPOT_BATCH_COMPLETE").source())


def _push(operation_id: str, options: dict[str, Any], interrupts: Interrupts) -> int:
    from hubspot_batch.cli._check import dry_run

    reading = _reading_of(options)
    if options["dry_run"]:
        unique_property = options.get("unique_property")
        return 0 if dry_run(operation_id, reading, unique_property, as_json=options["as_json"]) else 1
    from hubspot_batch.cli import _push
    from hubspot_batch.cli._connection import ConnectionOptions

    return _push.run(
        operation_id,
        reading,
        ConnectionOptions(
            sandbox=options["sandbox"],
            token_file=options["token_file"],
            base_url=options["base_url"],
            allow_http=options["allow_http"],
            api_version=options["api_version"],
            shared_quota=options["share_quota"],
        ),
        _push.PushOptions(
            unique_property=options.get("unique_property"),
            concurrency=options["concurrency"],
            keep_going=options["keep_going"],
            journal=options["journal"],
            new=options["new"],
            as_json=options["as_json"],
            page=options["report"],
            results=options["results"],
        ),
        interrupts,
    )


def _reading_of(options: dict[str, Any]) -> "Reading":
    from hubspot_batch.cli._columns import ColumnOptions
    from hubspot_batch.cli._reading import Reading
    from hubspot_batch.cli._tables import TableOptions

    return Reading(
        path=options["file"],
        table=TableOptions(
            format=options["format"], encoding=options["encoding"], delimiter=options["delimiter"]
        ),
        columns=ColumnOptions(
            map=options["map"],
            only=options["only"],
            drop=options["drop"],
            set=options["set"],
            associate=options.get("associate", ()),
            clear_empty=options["clear_empty"],
            timezone=options["timezone"],
            id_property=options.get("id_property"),
        ),
    )
