"""The commands and their arguments. The module that does the work of a command is imported when it runs."""

# ruff: noqa: PLC0415 - the command line answers --help without all that a command needs

import json
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import click

from hubspot_batch import __version__
from hubspot_batch.cli._console import say
from hubspot_batch.cli._errors import explained
from hubspot_batch.cli._help import Command, hint_for, width_of_terminal
from hubspot_batch.cli._options import (
    ASKING,
    ASSOCIATING,
    ASSUMING,
    CHECKING,
    COMPARING,
    CONNECTING,
    DAYS,
    FILE,
    FORMATTING,
    IDENTIFYING,
    KEYING,
    LINKING,
    MAPPING,
    PATH,
    PUSHING,
    READING,
    RESOLVING,
    RUNNING,
    SETTLING,
    UNIQUE,
    check_together,
    connection_options,
    input_file,
    objects_of,
    options,
    push_options,
    read_options,
    resolve_options,
)
from hubspot_batch.cli._signals import Interrupts

_SOME_REJECTED = 4
_AS_JSON = f"{__name__}.as_json"
# Longer than any first sentence of a command.
_SENTENCE = 200


class _Commands(click.Group):
    command_class = Command

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:  # noqa: ANN401 - click's own
        as_json = "--json" in args
        extra.setdefault("terminal_width", width_of_terminal())
        # It prints help and version.
        with explained():
            context = super().make_context(info_name, args, *more, **extra)
        context.meta[_AS_JSON] = as_json
        return context

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run a command. What it returns is the exit code; None is 0."""
        with explained(as_json=ctx.meta[_AS_JSON]), Interrupts() as ctx.obj:
            try:
                ctx.exit(super().invoke(ctx) or 0)
            except click.NoSuchOption as error:
                if (hint := hint_for(error, sys.argv[1:])) is None:
                    raise
                raise click.UsageError(f"{error.format_message()}; {hint}", error.ctx) from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order in which they are needed."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its first sentence, which click would cut in a narrow terminal."""
        texts = {name: self.commands[name].get_short_help_str(_SENTENCE) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(list(texts.items()))


def _with_hyphens(token: str) -> str:
    """Return a token as it is spelt here: HubSpot itself writes line_items."""
    return token.replace("_", "-")


def _command_of(
    verb: str, *parts: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a command of a function: its arguments are an object type and a file."""

    def make(function: Callable[..., Any]) -> click.Command:
        arguments = (
            click.argument("object_type", metavar="OBJECT", type=objects_of(verb)),
            click.argument("file", type=FILE),
        )
        return commands.command()(options(*arguments, *parts)(click.pass_context(function)))

    return make


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": _with_hyphens},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def commands() -> None:
    """Push orders, line items, payments and carts from files into HubSpot, read them back, and link them.

    Check all rows, and send nothing:

    \b
      hubspot-batch create orders orders.csv --dry-run

    Try it on a local HubSpot:

    \b
      hubspot-batch create orders orders.csv --sandbox

    Do it, and see what was refused, and why:

    \b
      hubspot-batch create orders orders.csv
      hubspot-batch results latest --rejected

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


@_command_of("create", READING, ASSOCIATING, UNIQUE, SETTLING, ASSUMING, CHECKING, PUSHING)
def create(ctx: click.Context, /, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Create a record for each row of FILE.

    OBJECT is orders, line-items, commerce-payments or carts. FILE is CSV, JSON Lines, a JSON list, the body
    of a request or Parquet, plain or compressed with gzip or zstd; - is standard input. Its columns are
    properties, or each row is {"properties": {...}, "associations": [...]}.

    The same command again goes on where it stopped. After a finished run, it sends nothing. The outcome of
    each row is kept: see `hubspot-batch results`.
    """
    return _run(ctx, given, "create", object_type)


@_command_of("update", READING, IDENTIFYING, ASSUMING, COMPARING, CHECKING, PUSHING)
def update(ctx: click.Context, /, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Update the record that each row of FILE names.

    The column `id` holds the record id, or --id-property names a column whose values are
    unique. --changed-only leaves out rows that are as they were last sent. The rest is as for `create`.
    """
    return _run(ctx, given, "update", object_type)


@_command_of("upsert", READING, KEYING, ASSOCIATING, SETTLING, ASSUMING, COMPARING, CHECKING, PUSHING)
def upsert(ctx: click.Context, /, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Update the record that each row of FILE names, or create it if there is none.

    --id-property names a unique property, and a column with its values. A file that has changed since the
    last run is sent as a whole; --changed-only sends rows that are new, or differ from what was last sent by
    that property. What others change in HubSpot it does not see: --all sends every row. `--results` writes
    the record ids of all rows. Links are written after their records. The rest is as for `create`.
    """
    return _run(ctx, given, "upsert", object_type)


@_command_of("read", FORMATTING, MAPPING, IDENTIFYING, ASSUMING, ASKING, RUNNING)
def read(ctx: click.Context, /, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Read the record that each row of FILE names, and write the records.

    OBJECT can be contacts, companies, deals or products, too. The column `id` of FILE holds the record id,
    or --id-property names a column whose values are unique; other columns are passed over. The records are
    written at the end, in the order of the rows. Those that HubSpot does not find are rejected.

    The same command again goes on where it stopped. After a finished run, it reads all records anew.
    """
    from hubspot_batch.cli._columns import names_in

    key, properties = given["id_property"], names_in(given["properties"])
    if key is not None and properties and key not in properties:
        # So that one can see which row a record belongs to.
        properties = [key, *properties]
    request = {
        "properties": properties,
        "history": names_in(given["history"]),
        "id_property": key,
        "archived": given["archived"],
    }
    return _run(ctx, given, "read", object_type, request=request)


@_command_of("archive", FORMATTING, MAPPING, PUSHING)
def archive(ctx: click.Context, /, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Put the record that each row of FILE names into the recycle bin.

    The column `id` holds the record id; other columns are passed over. Nothing is asked before: --dry-run
    shows what would be sent. HubSpot does not tell of ids that no record has. The rest is as for `create`.
    """
    return _run(ctx, given, "archive", object_type)


@commands.command()
@click.argument("from_type", metavar="FROM", type=objects_of("associate"))
@click.argument("to_type", metavar="TO", type=objects_of("associate"))
@click.argument("file", type=FILE)
@FORMATTING
@LINKING
@SETTLING
@PUSHING
@click.pass_context
def associate(ctx: click.Context, /, from_type: str, to_type: str, **given: Any) -> int:  # noqa: ANN401
    """Link the two records that each row of FILE names.

    FROM and TO are object types: orders, line-items, commerce-payments, carts, contacts, companies, deals or
    products. The columns `from` and `to` hold record ids. A link that exists stays as it is. The rest is as
    for `create`.
    """
    return _run(ctx, given, "associate", from_type, to_type)


@commands.command()
@click.argument("verb", type=click.Choice(["create", "read", "update", "upsert", "archive", "list"]))
@click.argument("object_type", metavar="OBJECT", type=objects_of())
@click.argument("file", type=FILE)
@READING
@ASSOCIATING
@IDENTIFYING
def validate(verb: str, object_type: str, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Check every row of FILE, or the JSON body of a request. Nothing is sent.

    Each fault is a line on standard output: the place, the problem, the remedy. The exit code is 1 if there
    is any. A file that holds {"inputs": [...]} is checked as the body of one request, strictly as the
    document has it: values are text. Bodies can be checked for every operation of the document, rows for
    those of an object type; `hubspot-batch associate --dry-run` checks the rows of links. JSON Lines for
    `read`, `upsert` and `archive` need their name or --format. What the account allows is checked by
    `--dry-run` of `create`, `update` and `upsert`, without a token if --definitions names a file.
    """
    from hubspot_batch.cli import _validate
    from hubspot_batch.cli._jobs import operation_id

    name = operation_id(verb, _with_underscores(object_type))
    return 0 if _validate.validate(name, input_file(given)) else 1


@commands.command()
@click.argument("object_type", metavar="OBJECT", type=objects_of("read"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@click.option("--output", type=FILE, help="A file for --definitions.")
@click.option("--sandbox", is_flag=True, help="Those of a local HubSpot.")
@CONNECTING
def properties(*, object_type: str, as_json: bool, output: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's own
    """Print the properties of OBJECT in the account: name, label, type, and how many options there are.

    OBJECT is as for `read`. A file that --output writes stands in for the account where there is no token:
    see `create --dry-run --definitions FILE`.
    """
    from hubspot_batch.cli import _definitions

    _definitions.print_definitions(
        _with_underscores(object_type), connection_options(given), output, as_json=as_json
    )


@commands.command()
@click.argument("run", metavar="RUN")
@click.option("--done", "statuses", flag_value="done", multiple=True, help="Only rows that are done.")
@click.option("--rejected", "statuses", flag_value="rejected", multiple=True, help="Only rejected rows.")
@click.option("--unknown", "statuses", flag_value="unknown", multiple=True, help="Only rows in doubt.")
@click.option(
    "--pending", "statuses", flag_value="pending", multiple=True, help="Only rows without an outcome."
)
@click.option("--output", type=FILE, default=Path("-"), help="A file; standard output by default.")
@RESOLVING
@CONNECTING
def results(run: str, statuses: tuple[str, ...], output: Path, **given: Any) -> int:  # noqa: ANN401 - click's own
    """Print the rows of RUN with their outcomes.

    They have the format in which they came. RUN is a name that `hubspot-batch runs` lists, a journal, or
    `latest`.

    The columns _row, _outcome, _id, _code, _message, _action and _key stand before those of the file. _key is
    the value of --id-property or --unique-property, if the run has one. Once it is corrected, the output can
    be pushed as it is: these columns are left out again. If one of them begins like a formula of a
    spreadsheet, a quote stands before it. If the file is gone or has changed, its columns are missing, and
    _key is empty.

    --resolve looks first for the unknown rows of a `create`, by a property that is unique and that they have.
    Those that are there are done, and those that are not there are rejected as NOT_WRITTEN: nothing is
    written in HubSpot. The exit code is then that of the run: 0, 4 or 6; 5 if the same command has to go on.
    """
    from hubspot_batch.cli import _stored_runs, _write_results

    stored = _stored_runs.find(run)
    code = 0
    if (resolving := resolve_options(given)) is not None:
        from hubspot_batch.cli import _resolve

        code = _resolve.resolve(stored, connection_options(given), resolving)
        stored = _stored_runs.find(str(stored.path))
    if statuses:
        _write_results.write_results(stored, output, statuses)
    else:
        _write_results.write_results(stored, output)
    return code


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@click.option("--delete", "names", multiple=True, metavar="RUN", help="Delete a run.")
@click.option("--older-than", type=DAYS, metavar="DAYS", help="Delete finished runs that are older: 30d.")
@click.option("--dry-run", is_flag=True, help="Say only what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask before old runs are deleted.")
@click.option("--force", is_flag=True, help="Let --delete take a run that is not finished.")
def runs(
    *,
    as_json: bool,
    names: tuple[str, ...],
    older_than: timedelta | None,
    dry_run: bool,
    yes: bool,
    force: bool,
) -> None:
    """List runs and how they ended, or delete them.

    RUN is a name that it lists, or one that --name has given. Once a run is deleted, the same command pushes
    its rows again. So a run that is not finished is kept unless --force says otherwise, and one who can
    answer is asked before old runs are deleted.

    Runs are in the folder that HUBSPOT_BATCH_RUNS names, else with the data of the user:
    ~/.local/share/hubspot-batch/runs on Linux.
    """
    from hubspot_batch.cli import _list_runs

    if force and not names:
        raise click.UsageError("--force goes with --delete")
    if as_json and (names or older_than):
        raise click.UsageError("--json lists runs, and deletes none")
    if (dry_run or yes) and not (names or older_than):
        raise click.UsageError("--dry-run and --yes go with --delete or --older-than")
    if names or older_than:
        _list_runs.delete_runs(names, older_than, force=force, dry_run=dry_run, confirmed=yes)
    else:
        _list_runs.list_runs(as_json=as_json)


@commands.command()
@click.argument("object_type", metavar="OBJECT", type=objects_of("create"))
@click.argument("file", type=FILE)
@click.option("--output", type=FILE, default=Path("-"), help="The mapping file; standard output by default.")
@click.option("--definitions", type=PATH, help="A file of `hubspot-batch properties` instead of the account.")
@FORMATTING
@CONNECTING
def mapping(object_type: str, file: Path, output: Path, definitions: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's own
    """Write a first mapping file for FILE by looking at its columns.

    It says which column becomes which property, and how cells are written. What is not clear is a question
    in a comment: answer it in an editor, then push with --mapping. The properties of the account are looked
    up if there is a token. A file that is there already is not replaced.
    """
    from hubspot_batch.cli import _write_mapping

    account = connection_options(given) if definitions is None else definitions
    _write_mapping.run(_with_underscores(object_type), file, read_options(given), account, output)


@commands.command()
@click.option(
    "--config", type=PATH, help="A TOML file of options, named as in Python. Those given here come first."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="0: any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--expose", is_flag=True, help="Allow a host that others can reach. Nothing protects it.")
@click.option(
    "--control-key",
    envvar="HUBSPOT_SANDBOX_CONTROL_KEY",
    metavar="KEY",
    help="A key for the page, and for control over HTTP.",
)
@click.option("--store", type=PATH, help="An SQLite file, on a disk of this machine, that keeps the records.")
@click.option(
    "--quota",
    default="190/10,1000000",
    show_default=True,
    help="Requests/seconds[,requests a day], or none.",
)
@click.option(
    "--property", "custom", multiple=True, metavar="OBJECT.NAME", help="A property that takes any text."
)
@click.option("--unique", multiple=True, metavar="OBJECT.NAME", help="One that takes any text only once.")
@click.option("--fault", "faults", multiple=True, metavar="NAME:RATE", help="504-after:0.02 for example.")
@click.option("--retry-after", is_flag=True, help="Let a 429 say when to come back.")
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of the random numbers.")
@click.option("--list-faults", is_flag=True, help="List the faults that can be injected, and exit.")
@click.pass_context
def sandbox(
    ctx: click.Context,
    /,
    *,
    config: Path | None,
    list_faults: bool,
    faults: tuple[str, ...],
    custom: tuple[str, ...],
    unique: tuple[str, ...],
    **options: Any,  # noqa: ANN401 - those of `Sandbox`
) -> None:
    """Run a local HubSpot until Ctrl-C.

    It behaves as HubSpot does, with its quotas and refusals, and goes wrong on purpose if --fault says so.
    A browser shows at its address what is stored and asked, and at /openapi.json the document.
    """
    from hubspot_batch.cli import _serve_sandbox

    if list_faults:
        _serve_sandbox.list_faults()
    else:
        default = click.core.ParameterSource.DEFAULT
        given = {name: options[name] for name in options if ctx.get_parameter_source(name) != default}
        _serve_sandbox.run(config, faults, custom, unique, given)


@commands.command()
@click.argument("file", type=FILE, required=False)
@click.pass_context
def demo(ctx: click.Context, file: Path | None) -> int:
    """Push 500 orders into a local HubSpot.

    Eight of them are refused. It is `create orders FILE --sandbox`, with a FILE that comes with this program
    if you name none. The exit code is 0 even if some rows are rejected.
    """
    from importlib.resources import as_file, files

    with as_file(files("hubspot_batch.cli").joinpath("orders.csv.zst")) as packaged:
        code: int = ctx.invoke(create, object_type="orders", file=file or packaged, sandbox=True)
    return 0 if code == _SOME_REJECTED else code


@commands.command()
def document() -> None:
    """Print the OpenAPI document of the client, as JSON."""
    from hubspot_batch import contract

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
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    In bash and zsh: eval "$(hubspot-batch completion bash)".
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    click.echo(kinds[shell](commands, {}, "hubspot-batch", "_HUBSPOT_BATCH_COMPLETE").source())


def _run(
    ctx: click.Context,
    given: dict[str, Any],
    verb: str,
    *object_types: str,
    request: Mapping[str, object] | None = None,
) -> int:
    """Do what a command does with the rows of its file, and return the exit code."""
    from hubspot_batch.cli._jobs import Job

    check_together(ctx)
    compares = given.get("changed_only", False) or given.get("send_all", False)
    if compares and given["sandbox"]:
        raise click.UsageError(
            "--changed-only and --all: a local HubSpot that ends with the command has no past"
        )
    job = Job(
        verb=verb,
        object_types=tuple(map(_with_underscores, object_types)),
        request=request or {},
        compares=compares,
    )
    file = input_file(given, job.object_types if verb == "associate" else None)
    connection = connection_options(given, job.object_types[0])
    if given.get("dry_run"):
        from hubspot_batch.cli._dry_run import DryRun, dry_run

        if given.get("changed_only"):
            say("All rows are checked, also those that --changed-only leaves out of the push", err=True)
        chosen = DryRun(
            unique_property=given.get("unique_property"),
            assume_unique=given.get("assume_unique", False),
            definitions=given.get("definitions"),
            look=given.get("look", False),
            as_json=given["as_json"],
        )
        return 0 if dry_run(job, file, connection, chosen) else 1
    if given.get("look") or given.get("definitions"):
        raise click.UsageError("--look and --definitions go with --dry-run")
    from hubspot_batch.cli import _push

    return _push.run(job, file, connection, push_options(given), ctx.obj)


def _with_underscores(name: str) -> str:
    return name.replace("-", "_")
