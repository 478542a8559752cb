"""The options of the commands: how they are written, checked, and handed on."""

# ruff: noqa: PLC0415 - the command line answers --help without all that a command needs

from collections.abc import Callable, Sequence
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click
from click.core import ParameterSource

from hubspot_batch import printable
from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hubspot_batch.cli._connection import ConnectionOptions
    from hubspot_batch.cli._input_file import InputFile
    from hubspot_batch.cli._push import PushOptions
    from hubspot_batch.cli._resolve import ResolveOptions
    from hubspot_batch.cli._tables import ReadOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

FILE = click.Path(allow_dash=True, path_type=Path)
PATH = click.Path(path_type=Path)
_MOST_DIGITS = 5


if TYPE_CHECKING:
    _DaysType: TypeAlias = click.ParamType[timedelta]
    _NameType: TypeAlias = click.ParamType[str]
else:
    # Before click 8.4, it is not generic at run time.
    _DaysType = _NameType = click.ParamType


class _Days(_DaysType):
    """A number of days, written like 30d."""

    name = "days"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        digits = value.removesuffix("d")
        if digits == value or not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
            self.fail(f"{value!r} is not a number of days; write it like 30d", param, ctx)
        return timedelta(days=int(digits))


class _ChoiceWhenUsed(_NameType):
    """A choice between names that are looked up when they are needed: it takes long to import them."""

    def __init__(self, name: str, choices: Callable[[], Sequence[str]]) -> None:
        self.name = name
        self._choices = choices

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        choices = self._choices()
        known = value.lower().replace("_", "-")
        if known not in choices and (close := get_close_matches(known, choices, n=1, cutoff=0.75)):
            listed = ", ".join(map(repr, choices))
            self.fail(f"{value!r} is not one of {listed}; did you mean {close[0]}?", param, ctx)
        return click.Choice(choices).convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        return click.Choice(self._choices()).shell_complete(ctx, param, incomplete)


def _formats() -> Sequence[str]:
    from hubspot_batch.cli._tables import FORMATS

    return sorted(FORMATS)


def objects_of(verb: str | None = None) -> _NameType:
    """Return the type of an argument that names an object type with whose records a command does something.

    Without a verb, the argument names what any operation is about.
    """

    def names() -> Sequence[str]:
        from hubspot_batch.cli._jobs import object_types

        return [name.replace("_", "-") for name in object_types(verb)]

    return _ChoiceWhenUsed("object", names)


DAYS = _Days()
FORMAT = _ChoiceWhenUsed("format", _formats)


def options(*parts: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options in this order."""

    def add(command: _Command) -> _Command:
        for part in reversed(parts):
            command = part(command)
        return command

    return add


def _pairs(_: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not written `NAME=...`. The text is not repeated: it may be a property value."""
    for text in texts:
        name, equals, right = text.partition("=")
        if not name or not equals or (not right and parameter.name != "set"):
            raise click.BadParameter(f"write {parameter.metavar}")
    return texts


def _of_text(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Refuse an encoding or a delimiter that does not exist."""
    if text is not None:
        from hubspot_batch.cli import _tables

        try:
            (_tables.known_encoding if parameter.name == "encoding" else _tables.known_delimiter)(text)
        except ConfigurationError as error:
            raise click.BadParameter(printable(str(error))) from error
    return text


def _of_name(_: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """Refuse a name that would be taken for something else."""
    if name is not None and (
        not name.strip() or not name.isprintable() or name == "latest" or name[0] == "-"
    ):
        raise click.BadParameter("write letters and digits, shop-nightly for example; `latest` is taken")
    return name


def _of_dates(_: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not a format of dates."""
    if texts:
        from hubspot_batch.cli._dates import date_format

        try:
            for text in texts:
                date_format(text)
        except ConfigurationError as error:
            raise click.BadParameter(printable(str(error))) from error
    return texts


FORMATTING = options(
    click.option(
        "--format",
        type=FORMAT,
        metavar="NAME",
        help="The format of FILE: csv, jsonl, json or parquet. Found out by default.",
    ),
    click.option(
        "--encoding",
        callback=_of_text,
        help="The encoding of its text. UTF-8 by default, or what a byte order mark says.",
    ),
    click.option(
        "--delimiter",
        callback=_of_text,
        help="The delimiter of CSV, `tab` for a tab. Found out by default.",
    ),
)
MAPPING = click.option(
    "--map",
    multiple=True,
    metavar="PROPERTY=COLUMN",
    callback=_pairs,
    help="Take a property, or the id, from a column of another name.",
)
READING = options(
    click.option(
        "--mapping",
        type=PATH,
        help="A file that says how the columns become properties: see `hubspot-batch mapping`.",
    ),
    FORMATTING,
    MAPPING,
    click.option(
        "--only", multiple=True, metavar="COLUMNS", help="Take only these columns, separated by commas."
    ),
    click.option(
        "--drop", multiple=True, metavar="COLUMNS", help="Leave out these columns, separated by commas."
    ),
    click.option(
        "--set",
        multiple=True,
        metavar="PROPERTY=VALUE",
        callback=_pairs,
        help="Set a property for all rows.",
    ),
    click.option(
        "--decimal",
        type=click.Choice([",", "."]),
        metavar="SIGN",
        help="What stands before the decimals of numbers: a comma or a point. The other one may separate "
        "thousands.",
    ),
    click.option(
        "--date-format",
        multiple=True,
        metavar="FORMAT",
        callback=_of_dates,
        help='How dates are written: dd.mm.yyyy or "mm/dd/yyyy HH:MM", excel or seconds for example.',
    ),
    click.option(
        "--timezone",
        metavar="NAME",
        help="The time zone of times that have none, Europe/Berlin for example.",
    ),
    click.option(
        "--null",
        multiple=True,
        metavar="TEXT",
        help="A text that means an empty cell, NULL or n/a for example.",
    ),
    click.option(
        "--clear-empty",
        is_flag=True,
        help="Let an empty cell clear its property, not leave it alone.",
    ),
)
ASSOCIATING = click.option(
    "--associate",
    multiple=True,
    metavar="OBJECT=COLUMN[@PROPERTY][:TYPE][?]",
    callback=_pairs,
    help="Link with the record whose id is in a column, contact=contact_id, or whose unique property has "
    "the value in it, order=order_number@hs_external_order_id. An empty cell rejects its row, unless there "
    "is a question mark, in quotes because of the shell: 'contact=email@email?'. A number is the type of "
    "the link: company=company_id:509.",
)
IDENTIFYING = click.option(
    "--id-property", metavar="PROPERTY", help="A unique property that names the record; `id` by default."
)
KEYING = click.option(
    "--id-property", metavar="PROPERTY", required=True, help="The unique property that names the record."
)
ASKING = options(
    click.option(
        "--properties",
        multiple=True,
        metavar="NAMES",
        help="The properties to read, separated by commas. HubSpot chooses a few by default.",
    ),
    click.option(
        "--history",
        multiple=True,
        metavar="NAMES",
        help="Properties to read with their former values. They are written to JSON Lines only.",
    ),
    click.option("--archived", is_flag=True, help="Read archived records, and no others."),
    click.option(
        "--output",
        type=FILE,
        default=Path("-"),
        help="A file .csv, .jsonl or .parquet for the records; standard output by default, in the format of "
        "FILE.",
    ),
)
LINKING = options(
    click.option(
        "--from",
        "from_column",
        metavar="COLUMN",
        default="from",
        show_default=True,
        help="The column of the first ids.",
    ),
    click.option(
        "--to",
        "to_column",
        metavar="COLUMN",
        default="to",
        show_default=True,
        help="The column of the second ids.",
    ),
    click.option(
        "--type",
        "link_type",
        metavar="TYPE",
        help="The type of the links by its name, `primary company`, or its id. The plain link by default.",
    ),
)
UNIQUE = options(
    click.option(
        "--unique-property",
        metavar="PROPERTY",
        help="A property that is unique in the account and that each row has. Rows whose answer was lost are "
        "then looked for, and sent again if they are not there; without it they are unknown.",
    ),
    click.option(
        "--existing",
        type=click.Choice(["reject", "keep"]),
        default="reject",
        show_default=True,
        help="What becomes of a row whose --unique-property a record has already: keep is done, with its id.",
    ),
)
_SETTLE_AFTER = 5.0
SETTLING = click.option(
    "--settle-after",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=_SETTLE_AFTER,
    show_default=True,
    help="After how many seconds a record that is not found, of a row in doubt or at the end of a link, is "
    "not there. HubSpot can show new records late.",
)
ASSUMING = click.option(
    "--assume-unique",
    is_flag=True,
    help="Take your word that the account holds such a property unique, and do not look it up.",
)
CONNECTING = options(
    click.option("--token-file", type=PATH, help="A file that holds the access token."),
    click.option(
        "--base-url",
        envvar="HUBSPOT_BASE_URL",
        default="https://api.hubapi.com",
        show_default=True,
        show_envvar=True,
        help="The address of HubSpot.",
    ),
    click.option(
        "--allow-http", is_flag=True, help="Send in clear text if --base-url is an http:// address."
    ),
    click.option("--api-version", default="v3", show_default=True, help="Or a dated one, such as 2026-09."),
)
RUNNING = options(
    click.option("--sandbox", is_flag=True, help="Use a local HubSpot that ends with the command."),
    click.option("--new", is_flag=True, help="Begin from the first row, and send again what ran before."),
    click.option("--journal", type=PATH, help="The journal of the run; by default one in the runs folder."),
    click.option(
        "--name", callback=_of_name, help="A name for the run, by which `results` and `runs` find it."
    ),
    click.option("--concurrency", type=click.IntRange(1), help="The most requests in flight, 40 by default."),
    CONNECTING,
    click.option(
        "--share-quota",
        type=PATH,
        help="A file on a disk of this machine, by which processes share a quota.",
    ),
    click.option("--results", type=PATH, help="Write all rows there with their outcomes."),
    click.option("--report", type=PATH, help="Write an HTML page about the run."),
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, without progress."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Whether the progress bar has colours; by default at a terminal, unless NO_COLOR is set.",
    ),
)
CHECKING = options(
    click.option(
        "--definitions",
        type=PATH,
        help="With --dry-run: compare rows with the properties in this file of `hubspot-batch properties`.",
    ),
    click.option(
        "--look",
        is_flag=True,
        help="With --dry-run: look up which records exist, and which links lead nowhere.",
    ),
)
COMPARING = options(
    click.option(
        "--changed-only",
        is_flag=True,
        help="Send only rows that are new, or differ from what was last sent, also from another FILE.",
    ),
    click.option(
        "--all",
        "send_all",
        is_flag=True,
        help="Send all rows, and remember them for --changed-only.",
    ),
)
PUSHING = options(
    click.option(
        "--dry-run",
        is_flag=True,
        help="Compare all rows with the account and say how long a push takes. Nothing is written.",
    ),
    click.option(
        "--keep-going", is_flag=True, help="Go on even if the first rows are all refused for one reason."
    ),
    RUNNING,
)


_DRY = "a dry run sends nothing, so that it has no outcomes"
_LOCAL = "the local HubSpot has an address and a token of its own"
_Rule: TypeAlias = tuple[str, tuple[str, ...], str]
# Options that say nothing together: one, the others, and why.
_APART: tuple[_Rule, ...] = (
    ("dry_run", ("report", "results", "journal", "name", "new", "keep_going", "concurrency"), _DRY),
    ("dry_run", ("share_quota",), "a dry run uses hardly any of the quota"),
    ("sandbox", ("token_file", "base_url", "allow_http", "share_quota"), _LOCAL),
    ("journal", ("name",), "a journal that is named has that name"),
)
# An option of create that says nothing without one of the others: the one, the others, and why. Rows of other
# commands can name properties themselves.
_TOGETHER: tuple[_Rule, ...] = (
    ("assume_unique", ("unique_property", "id_property", "associate"), "it is about what names a record"),
)


def check_together(ctx: click.Context) -> None:
    """Refuse two options if one of them would be ignored.

    Raises:
        UsageError: If two do not go together, or one says nothing without another one.
    """
    names = {parameter.name or "": parameter.opts[0] for parameter in ctx.command.params}
    told = {name for name in names if _is_told(ctx, name)}
    for one, others, why in _APART:
        for other in others:
            if {one, other} <= told:
                raise click.UsageError(f"{names[one]} and {names[other]} do not go together: {why}")
    for one, others, why in _TOGETHER if ctx.info_name == "create" else ():
        known = [other for other in others if other in names]
        if one in told and not any(ctx.params.get(other) for other in known):
            needed = " or ".join(names[other] for other in known)
            raise click.UsageError(f"{names[one]} goes with {needed}: {why}")


def _is_told(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE and bool(ctx.params.get(name))


RESOLVING = options(
    click.option("--resolve", is_flag=True, help="Look first for rows that are unknown."),
    click.option(
        "--unique-property",
        metavar="PROPERTY",
        help="With --resolve: a property that is unique in the account, by which they are looked for.",
    ),
    click.option(
        "--existing",
        type=click.Choice(["reject", "keep"]),
        default="reject",
        show_default=True,
        help="With --resolve: what becomes of a row whose value a record has that the run has not created.",
    ),
    click.option(
        "--settle-after",
        type=click.FloatRange(0),
        metavar="SECONDS",
        default=_SETTLE_AFTER,
        show_default=True,
        help="With --resolve: after how many seconds a record that is not found is not there.",
    ),
    click.option(
        "--assume-unique",
        is_flag=True,
        help="With --resolve: take your word that the property is unique.",
    ),
    click.option(
        "--set",
        multiple=True,
        metavar="PROPERTY=VALUE",
        callback=_pairs,
        help="With --resolve: the --set options of the run, whose values are not stored.",
    ),
)


def input_file(given: dict[str, Any], ends: Sequence[str] | None = None) -> "InputFile":
    """Return the file that the options describe, of links if they have ends."""
    from hubspot_batch.cli._columns import ColumnOptions, PairOptions
    from hubspot_batch.cli._input_file import InputFile
    from hubspot_batch.cli._mapping_file import read_mapping
    from hubspot_batch.cli._tables import ReadOptions

    mapping = read_mapping(given["mapping"]) if given.get("mapping") else None
    told = read_options(given)
    names = ReadOptions.__struct_fields__
    return InputFile(
        path=given["file"],
        format=ReadOptions(**{name: getattr(told, name) or getattr(mapping, name, None) for name in names}),
        mapping=mapping,
        columns=ColumnOptions(
            map=given.get("map", ()),
            only=given.get("only", ()),
            drop=given.get("drop", ()),
            set=given.get("set", ()),
            associate=given.get("associate", ()),
            clear_empty=given.get("clear_empty", False),
            timezone=given.get("timezone"),
            decimal=given.get("decimal"),
            date_format=given.get("date_format", ()),
            null=given.get("null", ()),
            id_property=given.get("id_property"),
        ),
        pairs=None
        if ends is None
        else PairOptions(
            from_type=ends[0],
            to_type=ends[1],
            from_column=given["from_column"],
            to_column=given["to_column"],
            type=given["link_type"],
        ),
    )


def read_options(given: dict[str, Any]) -> "ReadOptions":
    """Return the options that say how a file is written."""
    from hubspot_batch.cli._tables import ReadOptions

    return ReadOptions(**{name: given[name] for name in ReadOptions.__struct_fields__})


def connection_options(given: dict[str, Any], object_type: str | None = None) -> "ConnectionOptions":
    """Return the options that say which HubSpot to talk to.

    Args:
        given: The options of the command.
        object_type: The object type of its rows; None if it has none.
    """
    from hubspot_batch.cli._connection import ConnectionOptions

    names = dict.fromkeys((given.get("id_property"), given.get("unique_property")))
    return ConnectionOptions(
        sandbox=given.get("sandbox", False),
        token_file=given["token_file"],
        base_url=given["base_url"],
        allow_http=given["allow_http"],
        api_version=given["api_version"],
        shared_quota=given.get("share_quota"),
        keys=[(object_type, name) for name in names if name and object_type],
    )


def resolve_options(given: dict[str, Any]) -> "ResolveOptions | None":
    """Return the options of `results --resolve`; None without it."""
    from hubspot_batch.cli._resolve import ResolveOptions

    named = given["unique_property"]
    if not given["resolve"]:
        is_looking = given["existing"] != "reject" or given["settle_after"] != _SETTLE_AFTER
        if named or given["assume_unique"] or given["set"] or is_looking:
            raise click.UsageError(
                "--unique-property, --existing, --settle-after, --assume-unique and --set go with --resolve"
            )
        return None
    if not named:
        raise click.UsageError(
            "--resolve needs --unique-property PROPERTY, by which rows are looked for; "
            "`hubspot-batch properties` tells which ones are unique"
        )
    return ResolveOptions(
        unique_property=named,
        assume_unique=given["assume_unique"],
        existing=given["existing"],
        settle_after=given["settle_after"],
        set=given["set"],
    )


def push_options(given: dict[str, Any]) -> "PushOptions":
    """Return the other options of a push."""
    from hubspot_batch.cli._push import PushOptions

    return PushOptions(
        unique_property=given.get("unique_property"),
        assume_unique=given.get("assume_unique", False),
        existing=given.get("existing", "reject"),
        settle_after=given.get("settle_after"),
        concurrency=given["concurrency"],
        keep_going=given.get("keep_going", False),
        changed_only=given.get("changed_only", False),
        send_all=given.get("send_all", False),
        journal=given["journal"],
        name=given["name"],
        new=given["new"],
        as_json=given["as_json"],
        color=given["color"],
        page=given["report"],
        results=given["results"],
        records=given.get("output"),
    )
