"""The runs of the command line, each a journal in one folder: what ran, how it ended, what is left."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from shlex import quote
from typing import Any, cast

import click
from msgspec import Struct

from hubspot_batch.bulk import Report
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.bulk._journal_file import explained
from hubspot_batch.cli._connection import Connection
from hubspot_batch.cli._files import files_of_database, make_private_folder, say
from hubspot_batch.cli._reading import COPY_PREFIX
from hubspot_batch.cli._tables import Format
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError, SourceError

FOLDER_VARIABLE = "HUBSPOT_BATCH_RUNS"
_SUFFIX = ".run"
_LATEST = "latest"


class Source(Struct, frozen=True, kw_only=True):
    """The file of a run.

    Attributes:
        path: Where it is.
        digest: What is in it.
        reading: How it is read, as JSON: the options of the command that say so.
    """

    path: str
    digest: str
    reading: str


class StoredRun(Struct, frozen=True, kw_only=True):
    """A run, as its journal tells of it.

    Attributes:
        path: The journal.
        busy: Whether it is going on, so that nothing else can be told.
        problem: Why it cannot be read, if it cannot.
        meta: What is known of it as a whole.
        counts: How many rows are in which state.
        length: How many rows are known.
    """

    path: Path
    busy: bool = False
    problem: str | None = None
    meta: Mapping[str, Any] = {}
    counts: Mapping[str, int] = {}
    length: int = 0

    @property
    def name(self) -> str:
        """What it is called."""
        return name_of(self.path)

    @property
    def state(self) -> str:
        """`going on`, `finished`, `unfinished`, or `unreadable`."""
        if self.problem is not None:
            return "unreadable"
        return "going on" if self.busy else "finished" if self.finished else "unfinished"

    @property
    def finished(self) -> bool:
        """Whether each row has an outcome."""
        return "total" in self.meta

    @property
    def may_have_written(self) -> bool:
        """Whether HubSpot has, or may have, anything of it."""
        return any(self.counts.get(state) for state in ("done", "unknown", "sent"))

    @property
    def form(self) -> Format:
        """What the rows were."""
        return cast("Format", self.meta.get("form", "csv"))

    @property
    def source(self) -> Source:
        """The file that it reads."""
        names = Source.__struct_fields__
        return Source(**{name: str(self.meta.get(f"source_{name}", "")) for name in names})


def folder() -> Path:
    """Return where the journals are."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(click.get_app_dir("hubspot-batch")) / "runs"


def stored_runs() -> list[StoredRun]:
    """Return all runs, the newest first."""
    return [_read(path) for path in _journals()]


def _read(path: Path) -> StoredRun:
    try:
        with usable(path), Journal(path) as journal:
            return StoredRun(path=path, meta=journal.meta(), counts=journal.counts(), length=journal.length)
    except JournalInUseError:
        return StoredRun(path=path, busy=True)
    except JournalError as error:
        return StoredRun(path=path, problem=str(error))


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Make what SQLite says of a journal an error that names it, and what to do.

    Raises:
        JournalError: If it cannot be read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"the journal {path} cannot be used: {explained(error)}") from error


def find(name: str) -> StoredRun:
    """Return the run of this name, that of a journal, or the `latest`.

    Raises:
        ConfigurationError: If there is none.
        JournalError: If it cannot be read, or is going on.
    """
    run = found(name)
    if run.problem is not None:
        raise JournalError(run.problem)
    return run


def found(name: str) -> StoredRun:
    """Return the run of this name, even one that cannot be read.

    Raises:
        ConfigurationError: If there is none.
        JournalInUseError: If it is going on.
    """
    names = [path.stem for path in _journals()]
    path = Path(name)
    if not path.is_file():
        path = folder() / f"{names[0] if names and name == _LATEST else name}{_SUFFIX}"
    if not path.is_file():
        close = get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]}?" if close else "`hubspot-batch runs` lists them"
        raise ConfigurationError(f"there is no run {name!r}; {advice}")
    run = _read(path)
    if run.busy:
        raise JournalInUseError(f"run {run.name} is going on; wait for its end")
    return run


def journal_for(
    operation_id: str,
    connection: Connection,
    source: Source,
    *,
    new: bool,
    repeats: Callable[["StoredRun"], int],
) -> Path:
    """Return the journal of a command: that of the run which it continues, or a new one.

    Args:
        operation_id: The operation.
        connection: The account.
        source: The file.
        new: Whether to begin from the first row, whatever ran before.
        repeats: Tells how many of the first rows a run has done already, which would then be there twice.

    Raises:
        JournalError: If a run over the same file is going on, cannot be read, or has done rows that are still
            in the file.
        SourceError: If a run stopped when something else was in the file.
    """
    key = blake2b(f"{connection.service} {source.path}".encode(), digest_size=4).hexdigest()
    ending = f"{operation_id.replace('_', '-')}-{key}"
    earlier = [_read(path) for path in _journals() if path.stem.endswith(ending)]
    if going_on := [run.name for run in earlier if run.busy]:
        raise JournalInUseError(f"run {going_on[0]} over this file is going on; wait for its end")
    for run in [] if new else earlier:
        if run.problem is not None:
            raise JournalError(f"{run.problem}; with --new, all that it has done is done again")
        if run.meta.get("account") != connection.fingerprint(run.meta["salt"]):
            if not run.finished and run.may_have_written:
                say(
                    f"Warning: run {run.name} over this file, with another token, is not finished; "
                    "this is a run of its own",
                    err=True,
                )
            continue
        if run.source == source:
            return run.path
        if not run.finished and run.may_have_written:
            raise SourceError(
                f"run {run.name} over this file stopped before its end, and the file or the options that say "
                "how to read it have changed since; take both as they were: with --new, all that it has done "
                "is done again; "
                f"if no row that it has read has changed, it goes on with --journal {quote(str(run.path))}"
            )
        if count := repeats(run):
            raise JournalError(
                f"run {run.name} has done {count} of the first rows of this file already, and they would be "
                f"there twice; push what `hubspot-batch results {quote(run.name)} --rejected` gives, name a "
                "--unique-property, or, if all of them are to be there twice, say --new"
            )
    return _unused(ending)


def _unused(ending: str) -> Path:
    moment = datetime.now(UTC)
    # Two runs can begin within one second.
    while (path := folder() / f"{moment:%Y%m%d-%H%M%S}-{ending}{_SUFFIX}").exists():
        moment += timedelta(seconds=1)
    return path


@contextmanager
def described(path: Path, source: Source, form: Format, command: Sequence[str]) -> Iterator[None]:
    """Begin a run: write into its journal which file it is about. One that is new goes if that fails.

    Args:
        path: The journal.
        source: The file.
        form: What kind of file it is.
        command: The arguments that began the run.

    Raises:
        JournalError: If the journal cannot be written.
    """
    is_new = not path.exists()
    _make_folder(path)
    try:
        with usable(path):
            _describe(path, source, form, command)
            yield
    except BaseException:
        if is_new:
            _delete_files(path)
        raise


def _make_folder(path: Path) -> None:
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise JournalError(
            f"{path.parent}: {error.strerror}; let this user write there: the journals in it tell what was "
            f"sent, and a run with another folder ({FOLDER_VARIABLE}) or journal (--journal) sends it again"
        ) from error


def _describe(path: Path, source: Source, form: Format, command: Sequence[str]) -> None:
    with Journal(path) as journal:
        if "started" not in journal.meta():
            facts = _facts_of(source) | {"form": form, "command": json.dumps(_without_values(command))}
            journal.set_meta(facts | {"started": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})


def _without_values(command: Sequence[str]) -> list[str]:
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


def note(path: Path, source: Source, report: Report, code: int) -> None:
    """Write into a journal how a session ended, and what all of them took together.

    A journal that takes no more keeps what it has: of the rows it knows all the same.
    """
    with suppress(JournalError), usable(path), Journal(path) as journal:
        known = journal.meta()
        totals = {
            name: known.get(name, 0) + getattr(report, name) for name in ("requests", "seconds", "retries")
        }
        # What is interrupted at its very end is finished all the same.
        ended = {"total": report.read} if report.finished else {}
        # The rows were compared: it is the source, even if rows have been added or the file was moved.
        journal.set_meta(_facts_of(source) | totals | ended | {"exit_code": code})


def _facts_of(source: Source) -> dict[str, object]:
    return {f"source_{name}": getattr(source, name) for name in source.__struct_fields__}


def is_copy(path: Path) -> bool:
    """Return whether a file is the copy of what came from a pipe."""
    return path.name.startswith(COPY_PREFIX) and path.resolve().parent == folder().resolve()


def drop_copy(path: Path) -> None:
    """Delete a file if it is a copy of what came from a pipe, and no run goes on with it."""
    if is_copy(path) and not any(_needs(run, path) for run in stored_runs()):
        with suppress(OSError):
            path.unlink()


def _needs(run: StoredRun, path: Path) -> bool:
    # A run that is going on does not tell what it reads.
    return run.busy or (not run.finished and run.source.path == str(path.resolve()))


def orphans(age: timedelta) -> list[Path]:
    """Return copies of what came from a pipe, older than this, that no run goes on with.

    A command that was killed leaves them behind.
    """
    runs, limit = stored_runs(), (datetime.now(UTC) - age).timestamp()
    copies = [path for path in folder().glob(f"{COPY_PREFIX}*") if path.stat().st_mtime < limit]
    return [path for path in copies if not any(_needs(run, path) for run in runs)]


def is_in_folder(path: Path) -> bool:
    """Return whether a journal is in the runs folder."""
    return path.parent == folder() and path.suffix == _SUFFIX


def delete(run: StoredRun) -> None:
    """Delete all that is kept of a run.

    Raises:
        OSError: If it cannot be deleted.
    """
    _delete_files(run.path)
    if run.source.path:
        drop_copy(Path(run.source.path))


def _delete_files(path: Path) -> None:
    for file in files_of_database(path):
        file.unlink(missing_ok=True)


def name_of(path: Path) -> str:
    """Return what a run is called: by its name in the runs folder, else by its journal."""
    return path.stem if path.parent == folder() else str(path)


def _journals() -> list[Path]:
    """Return the journals of all runs, the newest first."""
    return sorted(folder().glob(f"*{_SUFFIX}"), reverse=True)
