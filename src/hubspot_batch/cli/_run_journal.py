"""The journal of a push: that of an earlier run over the same file, or a new one."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import msgspec

from hubspot_batch.bulk import Report, read_run, write_notes
from hubspot_batch.cli._columns import KeyCell
from hubspot_batch.cli._connection import Connection
from hubspot_batch.cli._console import quoted, say
from hubspot_batch.cli._files import make_private_folder
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._stored_runs import (
    FOLDER_VARIABLE,
    KEY_NOTE,
    NAME_NOTE,
    SUFFIX,
    FileVersion,
    Note,
    StoredRun,
    delete_journal,
    folder,
    stored_runs,
)
from hubspot_batch.errors import JournalError, JournalInUseError, SourceError


def journal_for(
    job: Job,
    connection: Connection,
    source: FileVersion,
    *,
    new: bool,
    count_repeats: Callable[[StoredRun], int],
) -> Path:
    """Return the journal of a command: that of the run that it continues, or a new one.

    Args:
        job: What is to be done.
        connection: The account.
        source: The file.
        new: Whether to begin from the first row and ignore earlier runs.
        count_repeats: Returns how many of the first rows of the file a run has done already.

    Raises:
        JournalError: If a run over the same file is going on, cannot be read, or has done rows that are still
            in the file.
        SourceError: If the file has changed since a run over it stopped.
    """
    asked = " ".join([connection.service, source.path, *filter(None, [job.identity])])
    ending = f"{job.name}-{blake2b(asked.encode(), digest_size=4).hexdigest()}"
    earlier = stored_runs(ending)
    if going_on := [run.name for run in earlier if run.going_on]:
        raise JournalInUseError(f"run {going_on[0]} over this file is going on; wait for its end")
    for run in [] if new else earlier:
        if not _is_of_account(run, connection):
            continue
        if run.source == source and not (run.finished and job.starts_afresh):
            return run.path
        if job.operation.repeatable:
            # Older runs do not count: what they have written is not what was written last.
            _warn_of_change(run, job)
            break
        _check_change(run, count_repeats)
    return _unused(ending)


def _is_of_account(run: StoredRun, connection: Connection) -> bool:
    if run.info is None:
        raise JournalError(f"{run.problem}; with --new, all that it has done is done again")
    if connection.owns(run.info):
        return True
    if not run.finished and run.may_have_written:
        say(
            f"Warning: run {run.name} over this file, with another token, is not finished; this run does "
            "not continue it",
            err=True,
        )
    return False


def _warn_of_change(run: StoredRun, job: Job) -> None:
    if not (run.finished or job.starts_afresh):
        say(
            f"Warning: run {run.name} over this file stopped before its end, and the file or the options "
            "that say how to read it have changed since; this run begins from the first row",
            err=True,
        )


def _check_change(run: StoredRun, count_repeats: Callable[[StoredRun], int]) -> None:
    """Refuse a file that has changed since a run, if rows would be sent a second time."""
    if not run.finished and run.may_have_written:
        raise SourceError(
            f"run {run.name} over this file stopped before its end, and the file or the options that say "
            "how to read it have changed since; take both as they were: with --new, all that it has done "
            "is done again; "
            f"if no row that it has read has changed, it goes on with --journal {quoted(str(run.path))}"
        )
    if count := count_repeats(run):
        raise JournalError(
            f"run {run.name} has done {count} of the first rows of this file already, and they would be "
            f"there twice; push what `hubspot-batch results {quoted(run.name)} --rejected` gives, name a "
            "--unique-property, or, if all of them are to be there twice, say --new"
        )


def _unused(ending: str) -> Path:
    moment = datetime.now(UTC)
    # Two runs can begin within one second, and their names tell which is the later one.
    while any(folder().glob(f"{moment:%Y%m%d-%H%M%S}-*{SUFFIX}")):
        moment += timedelta(seconds=1)
    return folder() / f"{moment:%Y%m%d-%H%M%S}-{ending}{SUFFIX}"


@contextmanager
def note_start(
    path: Path,
    source: FileVersion,
    form: str,
    command: Sequence[str],
    name: str | None = None,
    key: KeyCell | None = None,
) -> Iterator[None]:
    """Write into the journal of a run which file it reads. If the block fails, a new journal is deleted.

    Args:
        path: The journal.
        source: The file.
        form: The format of the file.
        command: The arguments of the command.
        name: The name of the run, if it is given one.
        key: Where rows have the value that names their record.

    Raises:
        JournalError: If the journal cannot be written.
    """
    is_new = not path.exists()
    _make_folder(path)
    try:
        if is_new or "started" not in read_run(path).notes:
            facts: dict[str, Note] = {"form": form, "command": json.dumps(without_values(command))}
            if key is not None:
                facts[KEY_NOTE] = msgspec.json.encode(key).decode()
            started = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            write_notes(path, {**source.to_notes(), **facts, "started": started})
        if name is not None:
            write_notes(path, {NAME_NOTE: name})
        yield
    except BaseException:
        if is_new:
            delete_journal(path)
        raise


def drop_unused(path: Path) -> None:
    """Delete a journal that knows no row: the run has not begun."""
    if not read_run(path).rows:
        delete_journal(path)


def note_end(path: Path, source: FileVersion, report: Report, code: int) -> None:
    """Write into the journal how a session ended, and add its figures to those of earlier sessions.

    If the disk is full, the journal stays as it is: the rows that it knows are still right.
    """
    with suppress(JournalError):
        known = read_run(path).notes
        totals = {
            name: known.get(name, 0) + getattr(report, name) for name in ("requests", "seconds", "retries")
        }
        # The run has compared the rows: it is the same file, even if it has more rows now or was moved.
        write_notes(path, {**source.to_notes(), **totals, "exit_code": code})


def _make_folder(path: Path) -> None:
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise JournalError(
            f"{path.parent}: {error.strerror}; let this user write there: the journals in it tell what was "
            f"sent, and a run with another folder ({FOLDER_VARIABLE}) or journal (--journal) sends it again"
        ) from error


def without_values(command: Sequence[str]) -> list[str]:
    """Return arguments without the values that `--set` gives to properties."""
    kept = []
    for before, argument in zip(["", *command], command, strict=False):
        if before == "--set":
            kept.append(argument.partition("=")[0] + "=...")
        elif argument.startswith("--set="):
            kept.append("=".join([*argument.split("=")[:2], "..."]))
        else:
            kept.append(argument)
    return kept
