"""`hubspot-batch create` and `update`: a file of rows on its way into HubSpot."""

import sys
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from msgspec import Struct

from hubspot_batch import contract
from hubspot_batch.bulk import Progress, Stream
from hubspot_batch.bulk.journal import Journal
from hubspot_batch.bulk.rows import rows_from
from hubspot_batch.cli import _runs
from hubspot_batch.cli._connection import Connection, ConnectionOptions, connect
from hubspot_batch.cli._files import STDIN, check_writable, digest_of, release_streams, write_text
from hubspot_batch.cli._page import page_of
from hubspot_batch.cli._progress import Samples, drawn
from hubspot_batch.cli._reading import OpenReading, Reading
from hubspot_batch.cli._results import write_results
from hubspot_batch.cli._runs import Source, StoredRun
from hubspot_batch.cli._signals import announced
from hubspot_batch.cli._summary import ExitCode, exit_code, print_summary
from hubspot_batch.contract import MAX_INPUTS, Operation
from hubspot_batch.errors import BulkError, ConfigurationError
from hubspot_batch.validation import is_unicode


class PushOptions(Struct, frozen=True, kw_only=True):
    """The options of a push that are neither about the file nor about the account.

    Attributes:
        unique_property: The property that keeps HubSpot from making doubles.
        concurrency: How many requests may be in flight.
        journal: The journal; None for the one that the runs folder has, or gets, for this command.
        new: Whether to begin from the first row, whatever ran before.
        as_json: Whether the report is printed as JSON, and nothing is drawn.
        page: Where the report is written as an HTML page.
        results: Where the rows are written with what became of them.
    """

    unique_property: str | None = None
    concurrency: int | None = None
    journal: Path | None = None
    new: bool = False
    as_json: bool = False
    page: Path | None = None
    results: Path | None = None


def run(operation_id: str, reading: Reading, connection: ConnectionOptions, options: PushOptions) -> ExitCode:
    """Push a file, print what became of it, and return the exit code.

    Raises:
        ConfigurationError: If the file, an option or the account cannot be used. Nothing was sent.
    """
    operation = contract.operation(operation_id)
    with connect(connection) as connected:
        reading = reading.kept(_runs.folder())
        samples = Samples()
        title = _title(operation, reading)
        with reading.open(operation) as rows:
            # Whatever can be refused is, before a run is known that has sent nothing.
            _check_outputs(reading, options)
            source = _source(reading)
            journal = _journal(operation, connected, source, reading, options)
            with drawn(title, rows.table.share_read, quiet=options.as_json) as draw:

                def tell(progress: Progress) -> None:
                    samples.take(progress)
                    draw(progress)

                with _runs.usable(journal):
                    stream = _stream(operation, connected, rows, journal, options, tell)
                stopped = _complete(stream)
        report = stream.report
    code = exit_code(report, None if stopped is None else stopped.__cause__)
    _runs.note(journal, source, report, code)
    try:
        print_summary(
            report,
            code,
            problem=None if stopped is None or report.finished else str(stopped) or "interrupted",
            unseen=rows.unseen if report.finished else (),
            run=_runs.name_of(journal),
            to_mend=_beside(rows),
            resumable=connected.lasts,
            as_json=options.as_json,
        )
    except BrokenPipeError:
        # Nobody reads it any more. The exit code says as much, and files are still to be written.
        release_streams()
    if options.page is not None:
        write_text(options.page, page_of(title, report, samples.end(report), resumable=connected.lasts))
    if options.results is not None:
        write_results(_runs.find(str(journal)), options.results)
    return code


def _check_outputs(reading: Reading, options: PushOptions) -> None:
    """Refuse a file that could not be written when all is over."""
    for path in (options.page, options.results):
        if path is None or path == STDIN:
            continue
        if path.resolve() == reading.path.resolve():
            raise ConfigurationError(f"{path}: the rows are read from there; name another file")
        check_writable(path)


def _source(reading: Reading) -> Source:
    path = str(reading.path.resolve())
    if not is_unicode(path):
        raise ConfigurationError(f"{path!a}: the name is no Unicode text; rename the file")
    return Source(path=path, digest=digest_of(reading.path), reading=reading.to_json())


def _journal(
    operation: Operation, connection: Connection, source: Source, reading: Reading, options: PushOptions
) -> Path:
    """Return the journal of this command, which says what it is about."""

    def repeats(run: StoredRun) -> int:
        return 0 if operation.resendable(options.unique_property) else _repeats(run, operation, reading)

    if options.journal is None:
        path = _runs.journal_for(operation.id, connection, source, new=options.new, repeats=repeats)
    elif options.new and options.journal.exists():
        raise ConfigurationError(
            f"the journal {options.journal} holds a run; leave out --new to go on with it: "
            "a new run would send its rows again"
        )
    else:
        path = options.journal
    _runs.describe(path, source, sys.argv[1:])
    return path


def _repeats(run: StoredRun, operation: Operation, reading: Reading) -> int:
    """Return how many of the first hundred rows a run has done that are still in the file."""
    with reading.open(operation) as opened:
        inputs = [item for _, item in islice(opened.rows(), MAX_INPUTS)]
    digests = {row.digest for row in rows_from(operation, inputs, 0, None)}
    with Journal(run.path) as journal:
        known = journal.entries(0, MAX_INPUTS - 1).values()
    return sum(entry.outcome is not None and entry.outcome.ok and entry.digest in digests for entry in known)


def _stream(
    operation: Operation,
    connection: Connection,
    rows: OpenReading,
    journal: Path,
    options: PushOptions,
    tell: Callable[[Progress], None],
) -> Stream:
    namespace = getattr(connection.hub, operation.object_type)
    unique = {} if options.unique_property is None else {"unique_property": options.unique_property}
    stream: Stream = getattr(namespace, f"stream_{operation.verb}")(
        (item for _, item in rows.rows()),
        journal=journal,
        account=connection.account,
        concurrency=options.concurrency,
        on_progress=tell,
        **unique,
    )
    return stream


def _complete(stream: Stream) -> BaseException | None:
    """Go to the end of a run, and return what has stopped it before, if anything has."""
    try:
        with announced(), stream:
            deque(stream, maxlen=0)
    except (BulkError, KeyboardInterrupt) as error:
        return error
    return None


def _beside(rows: OpenReading) -> str:
    """Return a name for a file of rejected rows: never that of the file itself."""
    suffix = ".csv" if rows.table.format in {"csv", "parquet"} else ".jsonl"
    name = "stdin" if rows.table.name.startswith("stdin-") else Path(rows.table.name).name.partition(".")[0]
    return f"{name}-rejected{suffix}"


def _title(operation: Operation, reading: Reading) -> str:
    return f"{operation.verb} {operation.object_type.replace('_', ' ')} from {reading.path.name}"
