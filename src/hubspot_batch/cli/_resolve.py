"""`hubspot-batch results --resolve`: look for the unknown rows of a run before its results are printed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch import contract, printable
from hubspot_batch.bulk import BulkError, Report
from hubspot_batch.cli._connection import Connection, ConnectionOptions, connect
from hubspot_batch.cli._console import say
from hubspot_batch.cli._errors import UnfinishedError
from hubspot_batch.cli._input_file import InputFile, input_file_from
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._mapping_file import read_mapping
from hubspot_batch.cli._push import definitions_for, problem_of
from hubspot_batch.cli._run_journal import note_end
from hubspot_batch.cli._stored_runs import StoredRun
from hubspot_batch.cli._summary import UNUSABLE, ExitCode, exit_code
from hubspot_batch.cli._write_results import what_is_missing
from hubspot_batch.errors import ConfigurationError, SourceError
from hubspot_batch.types import Existing


class ResolveOptions(Struct, frozen=True, kw_only=True):
    """The options of `--resolve`.

    Attributes:
        unique_property: The property by which rows are looked for.
        assume_unique: Whether to take the user's word that it is unique.
        existing: What to do with rows whose unique value a record has that the run has not created.
        settle_after: After how many seconds a record that is not found is not there.
        set: What the run has set for all rows.
    """

    unique_property: str
    assume_unique: bool = False
    existing: Existing = "reject"
    settle_after: float = 5.0
    set: Sequence[str] = ()


def resolve(run: StoredRun, connection_options: ConnectionOptions, options: ResolveOptions) -> ExitCode:
    """Look for the unknown rows of a run, say what was found, and return the exit code.

    Raises:
        HubSpotBatchError: If the run, its file, an option or the account cannot be used. What is not settled
            stays as it was.
        UnfinishedError: If rows cannot be looked for now.
    """
    job, file = _job_of(run), _file_of(run, options.set)
    with connect(connection_options) as connection:
        report = _resolved(job, run, file, connection, options)
    code = exit_code(report) if run.finished else 5
    note_end(run.path, run.source, report, code)
    _tell(run.counts, report)
    return code


def _job_of(run: StoredRun) -> Job:
    known = contract.operations()
    name = run.info.operation if run.info is not None else None
    operation = known.get(str(name))
    if operation is None or not run.source.path:
        raise ConfigurationError(
            f"run {run.name} was not started by this command line, and its file is not known; "
            "the method `resolve` of the Python client, hub.orders.resolve for example, looks for its rows"
        )
    if operation.verb != "create" or operation.path_parameters:
        raise ConfigurationError(
            f"run {run.name} has created no records, and its rows can be sent twice: "
            "the command that began it settles them with --new"
        )
    return Job(verb="create", object_types=(operation.object_type,))


def _file_of(run: StoredRun, constants: Sequence[str]) -> InputFile:
    """Return the file of a run, read as the run has read it.

    Raises:
        SourceError: If it is not what it was.
        ConfigurationError: If the options are not those of the run.
    """
    source = run.source
    if (missing := what_is_missing(Path(source.path), source.digest)) is not None:
        raise SourceError(
            f"{missing}; rows are looked for by what is in them: put the file back as it was, or give the "
            "rows to the method `resolve` of the Python client"
        )
    file = input_file_from(Path(source.path), source.reading)
    if (path := _mapping_of(run)) is not None:
        file = replace(file, mapping=read_mapping(path))
    file = replace(file, columns=replace(file.columns, set=tuple(constants)))
    if file.to_json() != source.reading:
        raise ConfigurationError(
            f"run {run.name} has read its file in another way; name the same --set options, and leave its "
            "mapping file as it was"
        )
    return file


def _mapping_of(run: StoredRun) -> Path | None:
    """Return the mapping file that the command of a run has named."""
    command: list[str] = json.loads(str(run.notes.get("command", "[]")))
    for option, argument in zip(command, [*command[1:], ""], strict=True):
        if option == "--mapping":
            return Path(argument)
        if option.startswith("--mapping="):
            return Path(option.partition("=")[2])
    return None


def _resolved(
    job: Job, run: StoredRun, file: InputFile, connection: Connection, options: ResolveOptions
) -> Report:
    with file.open(job.operation, definitions_for(job, file, connection)) as rows:
        try:
            report: Report = getattr(connection.client(), job.object_types[0]).resolve(
                rows.inputs(),
                journal=run.path,
                unique_property=options.unique_property,
                assume_unique=options.assume_unique,
                existing=options.existing,
                settle_after=options.settle_after,
                account=connection.account,
            )
        except BulkError as error:
            text = printable(problem_of(error, connection))
            if isinstance(error.__cause__, UNUSABLE):
                raise ConfigurationError(text) from error
            raise UnfinishedError(text) from error
    return report


def _tell(before: Mapping[str, int], report: Report) -> None:
    """Say what became of the rows that were unknown."""
    found = {
        "done": report.done - before.get("done", 0),
        "rejected": report.rejected - before.get("rejected", 0),
        "still unknown": report.unknown,
    }
    told = ", ".join(f"{count:,} {name}" for name, count in found.items() if count)
    say(f"{before.get('unknown', 0):,} unknown rows looked for: {told or 'nothing to settle'}", err=True)
