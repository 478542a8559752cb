"""`--dry-run`: compare all rows with the account and say what a push would do, without writing anything."""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch import HubSpot
from hubspot_batch.bulk import CheckFault, CheckReport, check
from hubspot_batch.cli._connection import ConnectionOptions, connect, has_token
from hubspot_batch.cli._console import say, wrapped
from hubspot_batch.cli._definitions import read_definitions, saved_definitions
from hubspot_batch.cli._input_file import InputFile, OpenInputFile
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import duration
from hubspot_batch.cli._summary import warn
from hubspot_batch.cli._tables import FileRow
from hubspot_batch.contract import encode_value
from hubspot_batch.errors import InputIssue, PermissionDeniedError
from hubspot_batch.results import PropertyDefinition

_WRITES = frozenset({"create", "update", "upsert"})
_FIRST_ROWS = 5
_MOST_KINDS = 1_000
_READ_AHEAD = 256
_SAMPLES = 100
_PLACE = re.compile(r"\A(row|line|lines) \d+( to \d+)?(, column \d+)?: ", re.ASCII)


class DryRun(Struct, frozen=True, kw_only=True):
    """The options of a dry run.

    Attributes:
        unique_property: The property by which HubSpot refuses doubles.
        assume_unique: Whether to take the user's word that a property is unique.
        definitions: A file of definitions.
        look: Whether to look records up.
        as_json: Whether to print JSON.
    """

    unique_property: str | None = None
    assume_unique: bool = False
    definitions: Path | None = None
    look: bool = False
    as_json: bool = False


class _Known(Struct, frozen=True):
    """What rows are compared with, and how that is put into words."""

    definitions: Sequence[PropertyDefinition] | None
    words: str


class _Edition(Struct, frozen=True):
    """How many requests an account may send (docs/behaviour.md, "Rate limits")."""

    name: str
    per_second: float
    per_day: int


_EDITIONS = (
    _Edition("Free, Starter", 10.0, 250_000),
    _Edition("Professional", 19.0, 625_000),
    _Edition("Enterprise", 19.0, 1_000_000),
)


def dry_run(job: Job, file: InputFile, connection: ConnectionOptions, options: DryRun) -> bool:
    """Print what a push would do, and return whether no row has a fault.

    Args:
        job: What is to be done with the rows.
        file: The file.
        connection: The account.
        options: How to check.

    Raises:
        SourceError: If the file cannot be read.
        ConfigurationError: If an option does not fit it, or the account cannot be asked.
        UnfinishedError: If the account cannot be asked for now.
    """
    file.check(job.operation)
    known = _known(job, connection, options)
    by_name = None if known.definitions is None else {one.name: one for one in known.definitions}
    with file.open(job.operation, by_name, options.unique_property) as rows:
        watch = _Watch(rows)
        if options.look:
            with connect(connection) as connected:
                report = _looked(connected.client(), job, file, options, known, watch)
        else:
            report = _checked(job, file, options, known, watch)
        warn(rows.warnings)
        if options.as_json:
            click.echo(json.dumps(_facts(report, watch)))
        else:
            _print_faults(report, watch)
            _print_sent(rows, watch)
            _print(report)
            _say_wrapped(known.words)
            click.echo("Nothing was sent")
    return report.ok


def _known(job: Job, connection: ConnectionOptions, options: DryRun) -> _Known:
    """Return what is known of the properties of the account."""
    if job.verb not in _WRITES:
        return _Known(None, "Only the form of the rows was checked")
    object_type = job.object_types[0]
    if options.definitions is not None:
        saved = saved_definitions(options.definitions, object_type)
        return _Known(saved, f"Compared with the properties in {options.definitions}")
    if not has_token(connection):
        return _Known(
            None,
            "Only the form of the rows was checked: there is no access token to read the properties of the "
            "account with; name one, or a file of them with --definitions",
        )
    account = "the account"
    if connection.sandbox:
        account = "a local HubSpot, which has the unique properties that the command names"
    try:
        return _Known(read_definitions(object_type, connection), f"Compared with the properties of {account}")
    except PermissionDeniedError as error:
        return _Known(None, f"Only the form of the rows was checked: the properties cannot be read: {error}")


class _Watch:
    """Rows on their way through a check: it knows their lines, and the first of them.

    Attributes:
        places: Where rows with faults are, by their numbers, for the first of each kind.
        first: The first row that has no fault, and its input.
    """

    def __init__(self, rows: OpenInputFile) -> None:
        self.places: dict[int, FileRow] = {}
        self._rows = rows
        self._read: deque[tuple[int, FileRow]] = deque(maxlen=_READ_AHEAD)
        self._samples: dict[int, tuple[FileRow, object]] = {}
        self._seen: Counter[tuple[str, str]] = Counter()

    @property
    def first(self) -> tuple[FileRow, object] | None:
        """The first row without a fault, among the first hundred, with its input."""
        return next(iter(self._samples.values()), None)

    def inputs(self) -> Iterator[object]:
        """Yield the inputs of the rows."""
        for number, (row, item) in enumerate(self._rows.rows()):
            self._read.append((number, row))
            if number < _SAMPLES:
                self._samples[number] = row, item
            # Its place is told beside it, and rows with one fault are counted together.
            yield (
                replace(item, problem=_PLACE.sub("", item.problem)) if isinstance(item, InputIssue) else item
            )

    def on_faults(self, number: int, faults: Sequence[InputIssue]) -> None:
        """Record a row with faults."""
        self._samples.pop(number, None)
        while self._read[0][0] < number:
            self._read.popleft()
        for fault in faults:
            kind = "/".join(fault.pointer.split("/")[3:]), fault.problem
            if kind in self._seen or len(self._seen) < _MOST_KINDS:
                self._seen[kind] += 1
                if self._seen[kind] <= _FIRST_ROWS:
                    self.places[number] = self._read[0][1]


def _checked(job: Job, file: InputFile, options: DryRun, known: _Known, watch: _Watch) -> CheckReport:
    checked = check(
        job.operation_id,
        watch.inputs(),
        unique_property=options.unique_property,
        id_property=_id_property(job, file),
        assume_unique=options.assume_unique,
        definitions=known.definitions,
    )
    for number, faults in enumerate(checked):
        if faults:
            watch.on_faults(number, faults)
    return checked.report


def _looked(
    hub: HubSpot, job: Job, file: InputFile, options: DryRun, known: _Known, watch: _Watch
) -> CheckReport:
    report: CheckReport = getattr(hub, job.object_types[0]).check(
        watch.inputs(),
        verb=job.verb,
        unique_property=options.unique_property,
        id_property=_id_property(job, file),
        assume_unique=options.assume_unique,
        definitions=known.definitions,
        look=True,
        on_faults=watch.on_faults,
    )
    return report


def _id_property(job: Job, file: InputFile) -> str | None:
    return file.columns.id_property if job.verb in {"update", "upsert", "read"} else None


def _print_faults(report: CheckReport, watch: _Watch) -> None:
    for fault in report.faults:
        rows = f"{fault.count:,} row{'s' * (fault.count != 1)}"
        text = ": ".join(part for part in (fault.place, fault.problem) if part)
        _say_wrapped(f"{rows}: {text}; {fault.remedy} ({_lines(fault, watch)})")
    if report.further:
        say(f"and {report.further:,} faults of other kinds")


def _say_wrapped(text: str) -> None:
    for line in wrapped(text, ""):
        say(line)


def _lines(fault: CheckFault, watch: _Watch) -> str:
    rows = [watch.places[number] for number in fault.rows]
    has_lines = all(row.line is not None for row in rows)
    kind = ("line" if has_lines else "row") + "s" * (len(rows) != 1)
    numbers = ", ".join(str(row.line if has_lines else row.number) for row in rows)
    return f"{kind} {numbers}{' and more' * (fault.count > len(rows))}"


def _print_sent(rows: OpenInputFile, watch: _Watch) -> None:
    """Print which columns become which properties, and one row as it is sent."""
    if watch.first is None:
        return
    row, item = watch.first
    pairs = [(column, name) for column, name in rows.pairs_of(row) if column != name]
    for column, name in pairs:
        say(f"{column} becomes {name}")
    place = f"row {row.number}" if row.line is None else f"line {row.line}"
    say(f"For example, {place} is sent as {json.dumps(_sent(item), ensure_ascii=False, default=str)}")


def _sent(item: object) -> object:
    """Return an input with its values as text."""
    match item:
        case {"properties": Mapping() as properties, **rest}:
            return {"properties": {name: encode_value(value) for name, value in properties.items()}, **rest}
    return item


def _facts(report: CheckReport, watch: _Watch) -> dict[str, Any]:
    return {
        "operation": report.operation,
        "rows": report.rows,
        "invalid": report.invalid,
        "requests": report.requests,
        "compared": report.compared,
        "existing": report.existing,
        "new": report.new,
        "unread": list(report.unread),
        "faults": [
            {
                "place": fault.place,
                "problem": fault.problem,
                "remedy": fault.remedy,
                "count": fault.count,
                "rows": [
                    {"row": watch.places[number].number, "line": watch.places[number].line}
                    for number in fault.rows
                ],
            }
            for fault in report.faults
        ],
        "accounts": [
            {
                "name": edition.name,
                "seconds": report.requests / edition.per_second,
                "share_of_day": report.requests / edition.per_day,
            }
            for edition in _EDITIONS
        ],
    }


def _print(report: CheckReport) -> None:
    rows = f"{report.rows:,} rows, {report.invalid:,} of them not valid"
    click.echo(f"{rows}, make {report.requests:,} request{'s' * (report.requests != 1)}")
    if report.existing is not None:
        click.echo(f"{report.existing:,} are about records that exist, {report.new:,} about new ones")
    if report.unread:
        click.echo(f"Links with {', '.join(report.unread)} were not looked up")
    click.echo(f"{'account':<16}{'at least':>10}{'of the day':>12}")
    for edition in _EDITIONS:
        seconds, share = report.requests / edition.per_second, report.requests / edition.per_day
        click.echo(f"{edition.name:<16}{duration(seconds):>10}{share:>12.1%}")
