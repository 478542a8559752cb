"""The runs folder: one journal for each run, and the copies of piped rows that runs still need."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

import click
import msgspec
from msgspec import Struct

from hubspot_batch.bulk import RunInfo, read_run
from hubspot_batch.cli._columns import KeyCell
from hubspot_batch.cli._files import files_of_database
from hubspot_batch.cli._input_file import COPY_PREFIX
from hubspot_batch.cli._tables import FORMATS
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError

Note: TypeAlias = str | int | float

FOLDER_VARIABLE = "HUBSPOT_BATCH_RUNS"
SUFFIX = ".run"
NAME_NOTE = "name"
KEY_NOTE = "key"
_LATEST = "latest"
_PROGRAM = "hubspot-batch"


class FileVersion(Struct, frozen=True, kw_only=True):
    """A file as a run has read it.

    Attributes:
        path: Its path.
        digest: A digest of its content.
        reading: The options that say how it is read, as JSON.
    """

    path: str
    digest: str
    reading: str

    def to_notes(self) -> dict[str, Note]:
        """Return it as notes of a journal."""
        return {f"source_{name}": getattr(self, name) for name in self.__struct_fields__}


class StoredRun(Struct, frozen=True, kw_only=True):
    """A run, as its journal describes it.

    Attributes:
        path: The journal.
        info: What the journal says; None if it cannot be read now.
        problem: Why it cannot be read; None for a run that is going on.
    """

    path: Path
    info: RunInfo | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.path)

    @property
    def given_name(self) -> str | None:
        """The name that `--name` has given it, if it has one."""
        name = self.notes.get(NAME_NOTE)
        return None if name is None else str(name)

    @property
    def key(self) -> KeyCell | None:
        """Where its rows have the value that names their record; None if they have no such value."""
        note = self.notes.get(KEY_NOTE)
        return None if note is None else msgspec.json.decode(str(note), type=KeyCell)

    @property
    def state(self) -> str:
        """`going on`, `finished`, `unfinished`, or `unreadable`."""
        if self.problem is not None:
            return "unreadable"
        return "going on" if self.going_on else "finished" if self.finished else "unfinished"

    @property
    def going_on(self) -> bool:
        """Whether a process is working on it, so that its journal cannot be read."""
        return self.info is None and self.problem is None

    @property
    def finished(self) -> bool:
        """Whether each row has an outcome."""
        return self.info is not None and self.info.finished

    @property
    def rows(self) -> int:
        """How many rows are known."""
        return 0 if self.info is None else self.info.rows

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows are in each state."""
        return {} if self.info is None else self.info.counts

    @property
    def notes(self) -> Mapping[str, Note]:
        """What the command line has noted about it."""
        return {} if self.info is None else self.info.notes

    @property
    def may_have_written(self) -> bool:
        """Whether HubSpot has, or may have, some of its rows."""
        return any(self.counts.get(state) for state in ("done", "unknown", "sent"))

    @property
    def format(self) -> str:
        """The name of the format of its file."""
        name = str(self.notes.get("form"))
        return name if name in FORMATS else "csv"

    @property
    def source(self) -> FileVersion:
        """Its file."""
        names = FileVersion.__struct_fields__
        return FileVersion(**{name: str(self.notes.get(f"source_{name}", "")) for name in names})


def folder() -> Path:
    """Return the runs folder: data of the user, not configuration."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    if os.name == "nt" or sys.platform == "darwin":
        return Path(click.get_app_dir(_PROGRAM, roaming=False)) / "runs"
    home = Path(os.environ.get("XDG_DATA_HOME", ""))
    # A relative path is to be ignored, says the specification.
    data = home if home.is_absolute() else Path.home() / ".local" / "share"
    return data / _PROGRAM / "runs"


def old_folder() -> Path | None:
    """Return the folder where earlier versions kept runs, if there are any; None if a folder is named."""
    old = Path(click.get_app_dir(_PROGRAM)) / "runs"
    if os.environ.get(FOLDER_VARIABLE) or old == folder() or not any(old.glob(f"*{SUFFIX}")):
        return None
    return old


def _folders() -> list[Path]:
    return [path for path in (folder(), old_folder()) if path is not None]


def stored_runs(ending: str = "") -> list[StoredRun]:
    """Return all runs whose names end like this, the newest first."""
    return [_read(path) for path in _journals() if path.stem.endswith(ending)]


def _read(path: Path) -> StoredRun:
    try:
        return StoredRun(path=path, info=read_run(path))
    except JournalInUseError:
        return StoredRun(path=path)
    except JournalError as error:
        return StoredRun(path=path, problem=str(error))


def find(name: str) -> StoredRun:
    """Return the run with this name or journal, or the newest if the name is `latest`.

    Raises:
        ConfigurationError: If there is no such run.
        JournalError: If it cannot be read, or is going on.
    """
    run = find_even_unreadable(name)
    if run.problem is not None:
        raise JournalError(run.problem)
    return run


def find_even_unreadable(name: str) -> StoredRun:
    """Return the run with this name, even if its journal cannot be read.

    Raises:
        ConfigurationError: If there is no such run.
        JournalInUseError: If it is going on.
    """
    names = [path.stem for path in _journals()]
    path = Path(name)
    if not path.is_file():
        wanted = names[0] if names and name == _LATEST else name
        path = next((known for known in _journals() if known.stem == wanted), path)
    if not path.is_file():
        # Reading all of them takes a while.
        path = next((run.path for run in stored_runs() if run.given_name == name), path)
    if not path.is_file():
        close = get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]}?" if close else "`hubspot-batch runs` lists them"
        raise ConfigurationError(f"there is no run {name!r}; {advice}")
    run = _read(path)
    if run.going_on:
        raise JournalInUseError(f"run {run.name} is going on; wait for its end")
    return run


def name_of(path: Path) -> str:
    """Return the name of the run with this journal: its file name in the runs folder, else its path."""
    return path.stem if path.parent in _folders() else str(path)


def is_in_folder(path: Path) -> bool:
    """Return whether a journal is in the runs folder."""
    return path.parent in _folders() and path.suffix == SUFFIX


def delete(run: StoredRun) -> None:
    """Delete the journal of a run, and its copy of piped rows.

    Raises:
        OSError: If they cannot be deleted.
    """
    delete_journal(run.path)
    if run.source.path:
        drop_copy(Path(run.source.path))


def delete_journal(path: Path) -> None:
    """Delete a journal and the files beside it.

    Raises:
        OSError: If they cannot be deleted.
    """
    for file in files_of_database(path):
        file.unlink(missing_ok=True)


def is_copy(path: Path) -> bool:
    """Return whether a file is a copy of piped rows."""
    return path.name.startswith(COPY_PREFIX) and path.resolve().parent in [
        known.resolve() for known in _folders()
    ]


def drop_copy(path: Path) -> None:
    """Delete a file if it is a copy of piped rows that no run needs."""
    if is_copy(path) and not any(_needs(run, path) for run in stored_runs()):
        with suppress(OSError):
            path.unlink()


def unneeded_copies(age: timedelta) -> list[Path]:
    """Return the copies of piped rows that are older than this and that no run needs.

    A command that was killed leaves them behind.
    """
    runs, limit = stored_runs(), (datetime.now(UTC) - age).timestamp()
    found = (path for known in _folders() for path in known.glob(f"{COPY_PREFIX}*"))
    copies = [path for path in found if path.stat().st_mtime < limit]
    return [path for path in copies if not any(_needs(run, path) for run in runs)]


def _needs(run: StoredRun, copy: Path) -> bool:
    # The journal of a run that is going on does not say which file it reads.
    return run.going_on or (not run.finished and run.source.path == str(copy.resolve()))


def _journals() -> list[Path]:
    """Return the journals of all runs, the newest first."""
    found = [path for known in _folders() for path in known.glob(f"*{SUFFIX}")]
    return sorted(found, key=lambda path: path.name, reverse=True)
