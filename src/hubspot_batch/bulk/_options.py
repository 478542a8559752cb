"""What a caller says about a run, checked before anything is read."""

import sqlite3
from collections.abc import Callable
from os import PathLike
from typing import NotRequired, TypedDict

from hubspot_batch.bulk._concurrency import DEFAULT_CEILING
from hubspot_batch.bulk._journal import Journal, explained, path_of
from hubspot_batch.bulk._report import Progress
from hubspot_batch.bulk._resumption import identify
from hubspot_batch.bulk._task import Task
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.transport._quota import is_number
from hubspot_batch.transport._settings import Settings
from hubspot_batch.transport._tokens import Bearer


class Options(TypedDict):
    """The keywords of `create_all` and its siblings; they are explained there."""

    unique_property: NotRequired[str | None]
    id_property: NotRequired[str | None]
    journal: str | PathLike[str] | None
    account: str | None
    concurrency: int | None
    keep_going: bool
    on_progress: Callable[[Progress], object] | None


def task_from(operation_id: str, options: Options, total: int | None) -> Task:
    """Return what a run is to do.

    Raises:
        ConfigurationError: If an option cannot be.
    """
    ceiling = DEFAULT_CEILING if options["concurrency"] is None else options["concurrency"]
    if not is_number(ceiling, int) or ceiling < 1:
        raise ConfigurationError(
            "concurrency must be a positive number; say how many requests may be in flight"
        )
    unique_property = options.get("unique_property")
    if unique_property == "":
        raise ConfigurationError("unique_property is empty; name a property, or leave it out")
    return Task(
        operation=contract.operation(operation_id),
        unique_property=unique_property,
        ceiling=ceiling,
        total=total,
        keep_going=options["keep_going"],
    )


def journal_from(task: Task, options: Options, settings: Settings) -> Journal:
    """Return the journal of a run, open for it alone.

    Raises:
        ConfigurationError: If it is not a path, or the account has no name.
        JournalError: If it cannot be used, or belongs to a run over another account, service or operation.
    """
    if options["journal"] is None:
        return Journal(None)
    journal = Journal(path_of(options["journal"]), lasting=True)
    try:
        identify(
            journal,
            {
                "operation": task.operation.id,
                "service": settings.base_url,
                "account": _account(settings, options["account"], journal.salt),
            },
        )
    except (ConfigurationError, JournalError):
        journal.close()
        raise
    except sqlite3.Error as error:
        journal.close()
        raise JournalError(f"the journal {journal.path} cannot be used: {explained(error)}") from error
    return journal


def _account(settings: Settings, name: str | None, salt: bytes) -> str:
    """Return by what the account is known again. A token is not written down."""
    if name is not None:
        return name
    if isinstance(settings.token, Bearer):
        return settings.token.fingerprint(salt)
    raise ConfigurationError(
        "a journal has to tell the account, and tokens from a function change; name it with account=..."
    )
