"""`hubspot-batch create` and `update`: a file of rows on its way into HubSpot."""

import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from msgspec import Struct

from hubspot_batch.bulk import BulkError, Progress, Report, Stream
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.bulk._rows import rows_from
from hubspot_batch.cli import _runs
from hubspot_batch.cli._connection import Connection, ConnectionOptions, check, connect
from hubspot_batch.cli._files import (
    STDIN,
    UnfinishedError,
    check_distinct,
    check_writable,
    digest_of,
    is_unread,
    release_streams,
    write_text,
)
from hubspot_batch.cli._page import page_of
from hubspot_batch.cli._progress import Sample, Samples, drawn
from hubspot_batch.cli._reading import OpenReading, Reading
from hubspot_batch.cli._results import write_results
from hubspot_batch.cli._runs import Source, StoredRun
from hubspot_batch.cli._signals import Interrupts
from hubspot_batch.cli._summary import ExitCode, SummaryForm, exit_code, print_summary
from hubspot_batch.client import HubSpot
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import MAX_INPUTS, Operation
from hubspot_batch.contract._validation import is_unicode
from hubspot_batch.errors import AuthenticationError, ConfigurationError, HubSpotBatchError, SourceError


class PushOptions(Struct, frozen=True, kw_only=True):
    """The options of a push that are neither about the file nor about the account.

    Attributes:
        unique_property: The property that keeps HubSpot from making doubles.
        concurrency: How many requests may be in flight.
        keep_going: Whether to go on though the first rows are all refused for one reason.
        journal: The journal; None for the one that the runs folder has, or gets, for this command.
        new: Whether to begin from the first row, whatever ran before.
        as_json: Whether the report is printed as JSON, and nothing is drawn.
        page: Where the report is written as an HTML page.
        results: Where the rows are written with what became of them.
    """

    unique_property: str | None = None
    concurrency: int | None = None
    keep_going: bool = False
    journal: Path | None = None
    new: bool = False
    as_json: bool = False
    page: Path | None = None
    results: Path | None = None


class _Ended(Struct, frozen=True, kw_only=True):
    """A run that is over, finished or not, and what is told of it."""

    title: str
    journal: Path
    report: Report
    code: ExitCode
    problem: str | None
    samples: Sequence[Sample]
    unseen: Sequence[str]
    to_mend: str | None
    resumable: bool


def run(
    operation_id: str,
    reading: Reading,
    connection: ConnectionOptions,
    options: PushOptions,
    interrupts: Interrupts,
) -> ExitCode:
    """Push a file, print what became of it, and return the exit code.

    Raises:
        HubSpotBatchError: If the file, the journal, an option or the account cannot be used. Nothing was
            sent.
    """
    _check_outputs(options)
    _check_distinct(reading, connection, options, options.journal)
    check(connection)
    kept = reading.kept(_runs.folder())
    needed = False
    try:
        ended = _run(contract.operation(operation_id), kept, connection, options, interrupts)
        needed = ended.resumable and not ended.report.finished and ended.code != 1
        return _finish(ended, options)
    finally:
        if not needed:
            _runs.drop_copy(kept.path)


def _run(
    operation: Operation,
    reading: Reading,
    connection: ConnectionOptions,
    options: PushOptions,
    interrupts: Interrupts,
) -> _Ended:
    """Run until all is done or something stops it."""
    samples = Samples()
    title = _title(operation, reading)
    with reading.open(operation) as rows, connect(connection) as connected:
        source = _source(reading)
        journal = _journal(operation, connected, source, reading, options)
        # Whatever can be refused is, before a run is known that has sent nothing.
        _check_distinct(reading, connection, options, journal)
        hub = connected.open()
        with drawn(title, rows.table.share_read, quiet=options.as_json) as draw:

            def tell(progress: Progress) -> None:
                samples.take(progress)
                draw(progress)

            with _runs.described(journal, source, rows.table.format, sys.argv[1:]):
                stream = _stream(operation, connected, hub, rows, journal, options, tell)
            stopped = _complete(stream, interrupts)
    report = stream.report
    code = exit_code(report, None if stopped is None else stopped.__cause__)
    _runs.note(journal, source, report, code)
    return _Ended(
        title=title,
        journal=journal,
        report=report,
        code=code,
        problem=None if stopped is None or report.finished else _problem(stopped, connected),
        samples=samples.end(report),
        unseen=rows.unseen if report.finished else (),
        to_mend=_beside(rows),
        resumable=connected.lasts,
    )


def _finish(ended: _Ended, options: PushOptions) -> ExitCode:
    """Write the files that are asked for, print what became of the run, and return the exit code.

    What cannot be written does not undo the run: the same command again sends nothing, and writes it.
    """
    problems = [] if ended.problem is None else [ended.problem]
    for write in (partial(_write_page, ended, options), partial(_write_results, ended, options)):
        try:
            write()
        except HubSpotBatchError as error:
            problems.append(str(error))
    code = ended.code if ended.problem or not problems else 5
    try:
        print_summary(
            ended.report,
            code,
            problem="; ".join(problems) or None,
            unseen=ended.unseen,
            run=_runs.name_of(ended.journal),
            to_mend=ended.to_mend,
            resumable=ended.resumable,
            form=_form(options),
        )
    except OSError as error:
        # Files are written, and the exit code says the rest.
        release_streams()
        if not is_unread(error):
            raise UnfinishedError(f"standard output: {error.strerror}") from error
    return code


def _form(options: PushOptions) -> SummaryForm:
    if options.as_json:
        return "json"
    return "apart" if STDIN in {options.page, options.results} else "text"


def _write_page(ended: _Ended, options: PushOptions) -> None:
    if options.page is not None:
        page = page_of(ended.title, ended.report, ended.samples, resumable=ended.resumable)
        write_text(options.page, page)


def _write_results(ended: _Ended, options: PushOptions) -> None:
    if options.results is not None:
        write_results(_runs.find(str(ended.journal)), options.results)


def _problem(stopped: BaseException, connection: Connection) -> str:
    """Return what has stopped a run. What to do about a token is said in options of the command."""
    text, cause = str(stopped) or "interrupted", stopped.__cause__
    if isinstance(cause, AuthenticationError):
        return text.replace(cause.remedy, connection.token_remedy)
    return text


def _check_outputs(options: PushOptions) -> None:
    """Refuse a file that could not be written when all is over."""
    for path in (options.page, options.results):
        if path is not None and path != STDIN:
            check_writable(path)


def _check_distinct(
    reading: Reading, connection: ConnectionOptions, options: PushOptions, journal: Path | None
) -> None:
    files = {
        "FILE": None if reading.path == STDIN else reading.path,
        "--token-file": connection.token_file,
        "--results": options.results,
        "--report": options.page,
        "--json": STDIN if options.as_json else None,
    }
    check_distinct(files, {"--journal": journal, "--share-quota": connection.shared_quota})


def _source(reading: Reading) -> Source:
    path = str(reading.path.resolve())
    if not is_unicode(path):
        raise SourceError(f"{path!a}: the name is no Unicode text; rename the file")
    return Source(path=path, digest=digest_of(reading.path), reading=reading.to_json())


def _journal(
    operation: Operation, connection: Connection, source: Source, reading: Reading, options: PushOptions
) -> Path:
    """Return where the journal of this command is, or is to be."""

    def repeats(run: StoredRun) -> int:
        return 0 if operation.resendable(options.unique_property) else _repeats(run, operation, reading)

    if options.journal is None:
        return _runs.journal_for(operation.id, connection, source, new=options.new, repeats=repeats)
    if options.new and options.journal.exists():
        raise ConfigurationError(
            f"the journal {options.journal} holds a run; leave out --new to go on with it: "
            "a new run would send its rows again"
        )
    return options.journal


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
    hub: HubSpot,
    rows: OpenReading,
    journal: Path,
    options: PushOptions,
    tell: Callable[[Progress], None],
) -> Stream:
    namespace = getattr(hub, operation.object_type)
    unique = {} if options.unique_property is None else {"unique_property": options.unique_property}
    stream: Stream = getattr(namespace, f"stream_{operation.verb}")(
        (item for _, item in rows.rows()),
        journal=journal,
        account=connection.account,
        concurrency=options.concurrency,
        keep_going=options.keep_going,
        on_progress=tell,
        **unique,
    )
    return stream


def _complete(stream: Stream, interrupts: Interrupts) -> BaseException | None:
    """Go to the end of a run, and return what has stopped it before, if anything has."""
    try:
        with interrupts.announced(), stream:
            deque(stream, maxlen=0)
    except (BulkError, KeyboardInterrupt) as error:
        return error
    return None


def _beside(rows: OpenReading) -> str | None:
    """Return a name for a file of rejected rows, never that of the file itself; None if rows are not kept."""
    if _runs.is_copy(Path(rows.table.name)):
        return None
    suffix = ".csv" if rows.table.format in {"csv", "parquet"} else ".jsonl"
    return f"{Path(rows.table.name).name.partition('.')[0]}-rejected{suffix}"


def _title(operation: Operation, reading: Reading) -> str:
    return f"{operation.verb} {operation.object_type.replace('_', ' ')} from {reading.path.name}"
