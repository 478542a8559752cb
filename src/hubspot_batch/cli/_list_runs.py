"""`hubspot-batch runs`: what ran, how it ended, what is left; and how it is deleted."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hubspot_batch._display import printable
from hubspot_batch.cli import _runs
from hubspot_batch.cli._files import say
from hubspot_batch.cli._runs import StoredRun
from hubspot_batch.errors import JournalError

_TOLD = ("operation", "service", "started", "seconds", "requests", "exit_code")


def run(*, as_json: bool) -> None:
    """Print all runs, the newest first.

    Args:
        as_json: Whether as JSON Lines.
    """
    runs = _runs.stored_runs()
    if as_json:
        for stored in runs:
            click.echo(json.dumps(_facts(stored)))
    elif runs:
        for line in _lines(runs):
            say(line)
    else:
        say(f"No runs yet; their journals will be in {_runs.folder()}", err=True)


def delete(names: Sequence[str], older_than: timedelta | None, *, force: bool) -> None:
    """Delete all that is kept of some runs.

    Args:
        names: Their names.
        older_than: Finished runs that began longer ago go, too, with copies of input that no run needs.
        force: Whether those that are named may be unfinished.

    Raises:
        ConfigurationError: If there is no such run.
        JournalError: If one is going on, or not finished. None is deleted then.
    """
    runs = {stored.path: stored for stored in map(_runs.found, names)}
    for stored in runs.values():
        _check_deletable(stored, force=force)
    if older_than is not None:
        runs.update((stored.path, stored) for stored in _older(older_than))
    for stored in runs.values():
        _runs.delete(stored)
        say(f"Deleted run {stored.name}")
    copies = _runs.orphans(older_than) if older_than is not None else []
    for path in copies:
        path.unlink(missing_ok=True)
        say(f"Deleted {path}, which no run goes on with")
    if not runs and not copies:
        say("No finished run is that old", err=True)


def _check_deletable(stored: StoredRun, *, force: bool) -> None:
    if stored.problem is not None and not _runs.is_in_folder(stored.path):
        # It may be anyone's file.
        raise JournalError(stored.problem)
    if stored.finished or force:
        return
    if stored.problem is not None:
        raise JournalError(
            f"{stored.problem}; what it has written is not known and may double: --force deletes it anyway"
        )
    done = stored.counts.get("done", 0)
    doubtful = stored.counts.get("unknown", 0) + stored.counts.get("sent", 0)
    raise JournalError(
        f"run {stored.name} is not finished: {done:,} rows are written, {doubtful:,} more may be; without "
        "the run, the same command would push them again and make doubles. Finish it with the same command, "
        "or delete it with --force"
    )


def _older(age: timedelta) -> Iterator[StoredRun]:
    """Yield the finished runs that began longer ago than this."""
    limit = f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%SZ}"
    for stored in _runs.stored_runs():
        if str(stored.meta.get("started", limit)) >= limit:
            continue
        if stored.finished:
            yield stored
        else:
            say(f"Kept run {stored.name}: it is not finished", err=True)


def _lines(runs: list[StoredRun]) -> Iterator[str]:
    names = [printable(stored.name) for stored in runs]
    width = max(map(len, names))
    yield f"{'run':<{width}}  {'state':<12}{'done':>11}{'rejected':>10}{'unknown':>9}{'left':>9}  file"
    for name, stored in zip(names, runs, strict=True):
        facts = _facts(stored)
        file = "-" if _runs.is_copy(Path(facts["file"])) else facts["file"]
        yield (
            f"{name:<{width}}  {facts['state']:<12}{facts['done']:>11,}{facts['rejected']:>10,}"
            f"{facts['unknown']:>9,}{_left(facts['left'], finished=stored.finished):>9}  {file}"
        )


def _left(count: int | None, *, finished: bool) -> str:
    if finished:
        return "0"
    # Nobody knows how many rows follow those that an unfinished run has read.
    return f"{count:,}+" if count else "?"


def _facts(stored: StoredRun) -> dict[str, Any]:
    counts = stored.counts
    left = counts.get("sent", 0) + counts.get("planned", 0)
    return {
        "run": stored.name,
        "state": stored.state,
        "done": counts.get("done", 0),
        "rejected": counts.get("rejected", 0),
        "unknown": counts.get("unknown", 0),
        "left": left if left or stored.finished else None,
        "file": stored.source.path,
        **{name: stored.meta.get(name) for name in _TOLD},
    }
