"""`hubspot-batch create` and the other commands of `_jobs`: do something in HubSpot for each row of a file.

The steps of a push: connect, copy what a pipe gives, open the file, choose the journal, run, report.
"""

import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from msgspec import Struct

from hubspot_batch import HubSpot, printable
from hubspot_batch.bulk import BulkError, Progress, Report, Stream, count_done, read_run
from hubspot_batch.cli._connection import Connection, ConnectionOptions, connect, definitions_of
from hubspot_batch.cli._console import is_unread, release_streams, say
from hubspot_batch.cli._errors import UnfinishedError
from hubspot_batch.cli._files import STDIN, check_distinct, check_writable, digest_of, write_text
from hubspot_batch.cli._html_report import RunFacts, page_of
from hubspot_batch.cli._input_file import Definitions, InputFile, OpenInputFile
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import Color, Sample, Samples, drawn
from hubspot_batch.cli._run_journal import drop_unused, journal_for, note_end, note_start, without_values
from hubspot_batch.cli._sent_files import sent_file
from hubspot_batch.cli._signals import Interrupts
from hubspot_batch.cli._stored_runs import FileVersion, StoredRun, drop_copy, find, folder, is_copy, name_of
from hubspot_batch.cli._summary import ExitCode, SummaryForm, exit_code, print_summary
from hubspot_batch.cli._tables import FORMATS
from hubspot_batch.cli._write_records import RecordsFile
from hubspot_batch.cli._write_results import write_results
from hubspot_batch.contract import is_unicode
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    HubSpotBatchError,
    PermissionDeniedError,
    SourceError,
)
from hubspot_batch.types import Existing


class PushOptions(Struct, frozen=True, kw_only=True):
    """The options of a push that concern neither the file nor the account.

    Attributes:
        unique_property: The property by which HubSpot refuses doubles.
        assume_unique: Whether to take the user's word that a property is unique.
        existing: What to do with rows whose unique value a record has already.
        settle_after: After how many seconds a record that is not found is not there; None where none is
            looked for.
        concurrency: How many requests may be in flight.
        keep_going: Whether to go on if the first rows are all refused for one reason.
        changed_only: Whether to send only rows that differ from what was last sent.
        send_all: Whether to send all rows, and remember them for that.
        journal: The journal; None for the one in the runs folder.
        name: The name of the run, if it is given one.
        new: Whether to begin from the first row and ignore earlier runs.
        as_json: Whether to print the report as JSON, without progress.
        color: Whether progress has colours: `auto`, `always` or `never`.
        page: Where to write the report as an HTML page.
        results: Where to write the rows with their outcomes.
        records: Where to write the records of a read.
    """

    unique_property: str | None = None
    assume_unique: bool = False
    existing: Existing = "reject"
    settle_after: float | None = None
    concurrency: int | None = None
    keep_going: bool = False
    changed_only: bool = False
    send_all: bool = False
    journal: Path | None = None
    name: str | None = None
    new: bool = False
    as_json: bool = False
    color: Color = "auto"
    page: Path | None = None
    results: Path | None = None
    records: Path | None = None


class _Ended(Struct, frozen=True, kw_only=True):
    """A run that has ended, finished or not, with what is to be reported."""

    job: Job
    title: str
    service: str
    form: str
    journal: Path
    report: Report
    code: ExitCode
    problem: str | None
    samples: Sequence[Sample]
    warnings: Sequence[str]
    to_mend: str | None
    resumable: bool

    @property
    def needs_file(self) -> bool:
        """Whether the same command goes on with the run, and reads its file again."""
        return self.resumable and not self.report.finished and self.code != 1


def run(
    job: Job,
    file: InputFile,
    connection_options: ConnectionOptions,
    options: PushOptions,
    interrupts: Interrupts,
) -> ExitCode:
    """Do a job for each row of a file, print a summary, and return the exit code.

    Raises:
        HubSpotBatchError: If the file, the journal, an option or the account cannot be used. Nothing was
            sent.
    """
    _check_outputs(job, options)
    _check_distinct(file, connection_options, options, options.journal)
    with connect(connection_options) as connection:
        kept = file.kept(folder())
        push = _Push(job, kept, connection_options, connection, options)
        needed = False
        try:
            ended = push.run(interrupts)
            needed = ended.needs_file
            return _report(ended, options)
        finally:
            if not needed:
                drop_copy(kept.path)


class _Push(Struct, frozen=True):
    """A push whose file can be read again, and whose client is connected."""

    job: Job
    file: InputFile
    connection_options: ConnectionOptions
    connection: Connection
    options: PushOptions

    @property
    def title(self) -> str:
        return f"{self.job.title} from {self.file.path.name}"

    @property
    def key_property(self) -> str | None:
        """The property whose value names a row's record, if the run has one."""
        return self.options.unique_property or self.file.columns.id_property

    def run(self, interrupts: Interrupts) -> _Ended:
        """Run until all rows have an outcome or something stops the run."""
        samples = Samples()
        definitions = definitions_for(self.job, self.file, self.connection)
        with self.file.open(self.job.operation, definitions, self.options.unique_property) as rows:
            source = _version_of(self.file)
            journal = self.journal(source, definitions)
            # Validate everything before the journal exists.
            _check_distinct(self.file, self.connection_options, self.options, journal)
            client = self.connection.client()
            if self.connection.notice is not None and not self.options.as_json:
                say(self.connection.notice, err=True)
            if self.job.notice is not None and not self.options.as_json:
                say(self.job.notice, err=True)
            with drawn(
                self.title, rows.reader.share_read, quiet=self.options.as_json, color=self.options.color
            ) as draw:

                def tell(progress: Progress) -> None:
                    samples.take(progress)
                    draw(progress)

                with note_start(
                    journal,
                    source,
                    rows.reader.format,
                    sys.argv[1:],
                    self.options.name,
                    None if self.key_property is None else rows.key_cell(self.key_property),
                ):
                    stream = self.new_stream(client, rows, journal, tell)
                try:
                    stopped = _complete(stream, interrupts)
                except ConfigurationError:
                    drop_unused(journal)
                    raise
        report = stream.report
        code = exit_code(report, None if stopped is None else stopped.__cause__)
        note_end(journal, source, report, code)
        return _Ended(
            job=self.job,
            title=self.title,
            service=self.connection.service,
            form=rows.reader.format,
            journal=journal,
            report=report,
            code=code,
            problem=None if stopped is None or report.finished else problem_of(stopped, self.connection),
            samples=samples.end(report),
            warnings=rows.warnings if report.finished else (),
            to_mend=_beside(rows),
            resumable=self.connection.persistent,
        )

    def journal(self, source: FileVersion, definitions: Definitions = None) -> Path:
        """Return the journal of the run, which may not exist yet."""
        journal, new = self.options.journal, self.options.new
        if journal is None:
            return journal_for(
                self.job,
                self.connection,
                source,
                new=new,
                count_repeats=partial(self.count_repeats, definitions),
            )
        if new and journal.exists():
            raise ConfigurationError(
                f"the journal {journal} holds a run; leave out --new to go on with it: "
                "a new run would send its rows again"
            )
        return journal

    def count_repeats(self, definitions: Definitions, run: StoredRun) -> int:
        """Return how many of the first hundred rows of the file a run has done and would be doubled."""
        if self.job.operation.resendable(self.options.unique_property):
            return 0
        with self.file.open(self.job.operation, definitions) as rows:
            return count_done(run.path, rows.inputs())

    @property
    def compares(self) -> bool:
        """Whether rows that were sent before are left out."""
        return self.options.changed_only and not self.options.send_all

    def sent(self) -> Path | None:
        """Return the file that keeps what was last sent; None if this run need not know it.

        Where there is one, a run without `--changed-only` writes down what it sends, too: else the next one
        would leave rows out that HubSpot has not.
        """
        if self.job.verb not in {"update", "upsert"} or not self.connection.persistent:
            return None
        path = sent_file(self.connection, self.job.object_types[0], self.file.columns.id_property)
        return path if self.job.compares or path.exists() else None

    def new_stream(
        self, client: HubSpot, rows: OpenInputFile, journal: Path, tell: Callable[[Progress], None]
    ) -> Stream:
        """Return the run, which has not begun."""
        namespace, method, arguments = self.job.place
        unique, options = self.options.unique_property, self.options
        sent = self.sent()
        stream: Stream = getattr(getattr(client, namespace), method)(
            *arguments,
            rows.inputs(),
            journal=journal,
            account=self.connection.account,
            concurrency=options.concurrency,
            on_progress=tell,
            **self.job.request,
            **({"keep_going": True} if options.keep_going else {}),
            **({} if unique is None else {"unique_property": unique}),
            **({"assume_unique": True} if self.options.assume_unique else {}),
            **({} if options.existing == "reject" else {"existing": options.existing}),
            **({} if options.settle_after is None else {"settle_after": options.settle_after}),
            **({} if sent is None else {"changed_only": sent, "send_all": not self.compares}),
        )
        return stream


def definitions_for(job: Job, file: InputFile, connection: Connection) -> Definitions:
    """Return what the properties of the account are, if that says how the cells of a file are converted.

    If the token may not read them, what only they tell stays as it is.

    Raises:
        ConfigurationError: If a mapping file needs them, and HubSpot does not accept the token.
        UnfinishedError: If a mapping file needs them, and they cannot be had for now.
    """
    with file.open(job.operation) as rows:
        if not rows.needs_definitions:
            return None
    client = connection.client()
    needed = file.mapping is not None
    try:
        return definitions_of(client if needed else client.with_options(retries=0), job.operation.object_type)
    except HubSpotBatchError as error:
        if not needed:
            # HubSpot refuses what it does not know, and a run has its own words for what ails it.
            return None
        if isinstance(error, AuthenticationError):
            raise ConfigurationError(problem_of(error, connection)) from error
        if not isinstance(error, PermissionDeniedError):
            raise UnfinishedError(
                printable(f"the properties of the account are not known: {error}")
            ) from error
        say(f"Warning: the token may not read what the properties of the account are: {error}", err=True)
        return None


def _complete(stream: Stream, interrupts: Interrupts) -> BaseException | None:
    """Go to the end of a run. Return what stopped it, or None if it was finished."""
    try:
        with interrupts.announced(), stream:
            deque(stream, maxlen=0)
    except (BulkError, KeyboardInterrupt) as error:
        return error
    return None


def _report(ended: _Ended, options: PushOptions) -> ExitCode:
    """Write the files that the options name, print a summary, and return the exit code.

    If a file cannot be written, the same command sends nothing again, and writes it.
    """
    problems = [] if ended.problem is None else [ended.problem]
    for write in (_write_records, _write_page, _write_results):
        try:
            write(ended, options)
        except HubSpotBatchError as error:
            problems.append(str(error))
    code = ended.code if ended.problem or not problems else 5
    try:
        print_summary(
            ended.report,
            code,
            job=ended.job,
            problem="; ".join(problems) or None,
            warnings=ended.warnings,
            run=name_of(ended.journal),
            to_mend=ended.to_mend,
            resumable=ended.resumable,
            form=_form(options),
        )
    except OSError as error:
        # The files are written, and the exit code says the rest.
        release_streams()
        if not is_unread(error):
            raise UnfinishedError(f"standard output: {error.strerror}") from error
    return code


def _form(options: PushOptions) -> SummaryForm:
    if options.as_json:
        return "json"
    return "stderr" if STDIN in {options.page, options.results, options.records} else "text"


def _write_records(ended: _Ended, options: PushOptions) -> None:
    if options.records is not None and ended.report.finished:
        _records_file(ended.job, options.records).write(ended.journal, ended.form)


def _records_file(job: Job, path: Path) -> RecordsFile:
    asked = cast("Mapping[str, Sequence[str]]", job.request)
    return RecordsFile(path=path, properties=asked["properties"], has_history=bool(asked["history"]))


def _write_page(ended: _Ended, options: PushOptions) -> None:
    if options.page is not None:
        notes = read_run(ended.journal).notes
        facts = RunFacts(
            title=ended.title,
            job=ended.job,
            name=name_of(ended.journal),
            started=str(notes["started"]),
            command=without_values(sys.argv[1:]),
            service=ended.service,
            resumed=float(notes.get("requests", 0)) > ended.report.requests,
            to_mend=ended.to_mend,
            resumable=ended.resumable,
        )
        write_text(options.page, page_of(facts, ended.report, ended.samples))


def _write_results(ended: _Ended, options: PushOptions) -> None:
    if options.results is not None:
        write_results(find(str(ended.journal)), options.results)


def problem_of(stopped: BaseException, connection: Connection) -> str:
    """Return what stopped a run. The remedy for a token is put in terms of the command's options."""
    text = str(stopped) or "interrupted"
    cause = stopped if isinstance(stopped, AuthenticationError) else stopped.__cause__
    if isinstance(cause, AuthenticationError):
        return text.replace(cause.remedy, connection.token_remedy)
    return text


def _check_outputs(job: Job, options: PushOptions) -> None:
    """Refuse files that could not be written at the end."""
    if options.records is not None:
        _records_file(job, options.records).check()
    for path in (options.page, options.results, options.records):
        if path is not None and path != STDIN:
            check_writable(path)


def _check_distinct(
    file: InputFile, connection: ConnectionOptions, options: PushOptions, journal: Path | None
) -> None:
    files = {
        "FILE": None if file.path == STDIN else file.path,
        "--token-file": connection.token_file,
        "--results": options.results,
        "--report": options.page,
        "--output": options.records,
        "--json": STDIN if options.as_json else None,
    }
    check_distinct(files, {"--journal": journal, "--share-quota": connection.shared_quota})


def _version_of(file: InputFile) -> FileVersion:
    path = str(file.path.resolve())
    if not is_unicode(path):
        raise SourceError(f"{path!a}: the name is not Unicode text; rename the file")
    return FileVersion(path=path, digest=digest_of(file.path), reading=file.to_json())


def _beside(rows: OpenInputFile) -> str | None:
    """Return a name for a file of rejected rows that is not that of the file; None if rows are not kept."""
    path = Path(rows.reader.name)
    if is_copy(path):
        return None
    return f"{path.name.partition('.')[0]}-rejected.{FORMATS[rows.reader.format].results}"
