"""What was last sent, for `--changed-only`: a file in the runs folder for each account, type and key."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from hubspot_batch.bulk import SentInfo, read_sent
from hubspot_batch.cli._connection import Connection
from hubspot_batch.cli._files import files_of_database
from hubspot_batch.cli._stored_runs import folder
from hubspot_batch.errors import JournalError, JournalInUseError

_SUFFIX = ".sent"


class SentFile(Struct, frozen=True, kw_only=True):
    """A file that keeps what was last sent.

    Attributes:
        path: The file.
        info: What it says; None if it cannot be read now.
        problem: Why it cannot be read; None for one that a run is using.
    """

    path: Path
    info: SentInfo | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        """Its name, by which it can be deleted."""
        return self.path.name

    @property
    def going_on(self) -> bool:
        """Whether a run is using it."""
        return self.info is None and self.problem is None


def sent_file(connection: Connection, object_type: str, id_property: str | None) -> Path:
    """Return the file for an account, an object type and a property that names records. It may not exist."""
    digest = connection.digest(" ".join([connection.service, object_type, id_property or "id"]))
    return folder() / f"{object_type.replace('_', '-')}-{digest}{_SUFFIX}"


def sent_files() -> list[SentFile]:
    """Return all such files."""
    return [_read(path) for path in sorted(folder().glob(f"*{_SUFFIX}"))]


def find_sent(name: str) -> SentFile | None:
    """Return the file of this name; None if there is none.

    Raises:
        JournalInUseError: If a run is using it.
    """
    path = folder() / name
    if path.suffix != _SUFFIX or path.parent != folder() or not path.is_file():
        return None
    found = _read(path)
    if found.going_on:
        raise JournalInUseError(f"{name} is in use by a run; wait for its end")
    return found


def unused_since(age: timedelta) -> list[SentFile]:
    """Return those that no run has used for so long."""
    limit = (datetime.now(UTC) - age).timestamp()
    return [file for file in sent_files() if not file.going_on and file.path.stat().st_mtime < limit]


def delete(file: SentFile) -> None:
    """Delete one, and the files beside it.

    Raises:
        OSError: If they cannot be deleted.
    """
    for path in files_of_database(file.path):
        path.unlink(missing_ok=True)


def _read(path: Path) -> SentFile:
    modified = path.stat()
    try:
        info = read_sent(path)
    except JournalInUseError:
        return SentFile(path=path)
    except JournalError as error:
        return SentFile(path=path, problem=str(error))
    finally:
        # To read it is not to use it.
        os.utime(path, ns=(modified.st_atime_ns, modified.st_mtime_ns))
    return SentFile(path=path, info=info)
