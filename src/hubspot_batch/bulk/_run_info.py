"""What a journal says about a run as a whole, for programs that keep several of them."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TypeAlias, cast

from msgspec import Struct

from hubspot_batch.bulk._journal import Journal
from hubspot_batch.bulk._journal_file import explained, path_of
from hubspot_batch.bulk._rows import rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._validation import is_unicode
from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.transport._tokens import Bearer

_Note: TypeAlias = str | int | float

_BEYOND_SQLITE = 2**63
# The engine writes these itself.
_OWN = frozenset(
    {
        *("salt", "operation", "service", "account", "pair of object types", "request", "total"),
        *("unique property", "id property"),
    }
)


class RunInfo(Struct, frozen=True, kw_only=True):
    """A run, as its journal describes it.

    Attributes:
        path: The journal.
        operation: The operation; None if the run has not begun.
        service: The address of HubSpot; None if the run has not begun.
        account: The name of the account, or a fingerprint of its token; None if the run has not begun.
        finished: Whether each row has an outcome.
        rows: How many rows are known.
        counts: How many rows are `done`, `rejected`, `unknown`, `sent` and without an outcome, or `planned`.
        notes: What `write_notes` has kept.
    """

    path: Path
    operation: str | None
    service: str | None
    account: str | None
    finished: bool
    rows: int
    counts: Mapping[str, int]
    notes: Mapping[str, _Note]
    _salt: bytes

    def belongs_to(self, *, access_token: str = "", account: str | None = None) -> bool:
        """Return whether a client with this token, or a run with this `account`, could go on with the run."""
        if account is not None:
            return self.account == account
        return self.account == Bearer(access_token).fingerprint(self._salt)


def read_run(journal: str | PathLike[str]) -> RunInfo:
    """Return what a journal says about its run.

    Raises:
        ConfigurationError: If there is no such journal.
        JournalError: If it cannot be read, or a run is using it.
    """
    with _opened(journal) as opened:
        known = opened.meta()
        texts = {name: cast("str | None", known.get(name)) for name in ("operation", "service", "account")}
        return RunInfo(
            path=path_of(journal),
            **texts,
            finished="total" in known,
            rows=opened.length,
            counts=opened.counts(),
            notes={name: cast("_Note", value) for name, value in known.items() if name not in _OWN},
            _salt=cast("bytes", known["salt"]),
        )


def count_done(journal: str | PathLike[str], inputs: Iterable[object]) -> int:
    """Return how many of the first hundred rows of a run are done and are among the inputs, in any order.

    Args:
        journal: The journal of the run.
        inputs: Inputs for the operation of the run. Only the first hundred are compared.

    Raises:
        ConfigurationError: If there is no such journal.
        JournalError: If it cannot be read, or a run is using it.
    """
    with _opened(journal) as opened:
        operation = contract.operation(str(opened.meta().get("operation")))
        entries = opened.entries(0, contract.MAX_INPUTS - 1).values()
    rows = rows_from(operation, list(islice(inputs, contract.MAX_INPUTS)), 0, None)
    digests = {row.digest for row in rows}
    done = (entry for entry in entries if entry.outcome is not None and entry.outcome.ok)
    return sum(entry.digest in digests for entry in done)


def write_notes(journal: str | PathLike[str], notes: Mapping[str, _Note]) -> None:
    """Keep facts about a run in its journal, for the program that started it. The journal may be a new one.

    Args:
        journal: The journal.
        notes: Values by name. They hold no secret: the journal is not encrypted.

    Raises:
        ConfigurationError: If the engine itself uses a name, or a value is not a text or a finite number.
        JournalError: If the journal cannot be written.
    """
    if taken := sorted(_OWN & notes.keys()):
        raise ConfigurationError(f"the engine itself uses the name {taken[0]!r}; choose another one")
    if unfit := [name for name, value in notes.items() if not _can_be_kept(value)]:
        raise ConfigurationError(f"the note {unfit[0]!r} cannot be kept; write a text or a finite number")
    with _opened(journal, new=True) as opened:
        opened.set_meta(notes)


def _can_be_kept(value: object) -> bool:
    match value:
        case str():
            return is_unicode(value)
        case int():
            return abs(value) < _BEYOND_SQLITE
        case float():
            return math.isfinite(value)
    return False


@contextmanager
def _opened(name: str | PathLike[str], *, new: bool = False) -> Iterator[Journal]:
    path = path_of(name)
    if not (new or path.exists()):
        raise ConfigurationError(f"there is no journal {path}; name the file of a run")
    try:
        with Journal(path) as journal:
            yield journal
    except sqlite3.Error as error:
        raise JournalError(f"the journal {path} cannot be used: {explained(error)}") from error
