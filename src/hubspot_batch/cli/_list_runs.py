"""`hubspot-batch runs`: list runs and how they ended, or delete them."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hubspot_batch.cli import _sent_files, _stored_runs
from hubspot_batch.cli._console import say
from hubspot_batch.cli._sent_files import SentFile
from hubspot_batch.cli._stored_runs import StoredRun
from hubspot_batch.errors import JournalError

_NOTES = ("started", "seconds", "requests", "exit_code")


def list_runs(*, as_json: bool) -> None:
    """Print all runs, the newest first.

    Args:
        as_json: Whether to print JSON Lines.
    """
    runs, sent = _stored_runs.stored_runs(), _sent_files.sent_files()
    if as_json:
        for facts in (*map(_facts, runs), *map(_facts_of_sent, sent)):
            click.echo(json.dumps(facts))
    elif runs or sent:
        for line in (*_lines(runs), *map(_line_of_sent, sent)):
            say(line)
        if (old := _stored_runs.old_folder()) is not None:
            here = _stored_runs.folder()
            say(
                f"Some are in {old}, from an earlier version; new ones are in {here}: move them there",
                err=True,
            )
    else:
        say(f"No runs yet; their journals will be in {_stored_runs.folder()}", err=True)


def delete_runs(
    names: Sequence[str],
    older_than: timedelta | None,
    *,
    force: bool,
    dry_run: bool = False,
    confirmed: bool = True,
) -> None:
    """Delete runs.

    Args:
        names: The names of runs to delete.
        older_than: Also delete finished runs that began longer ago, and copies of piped rows as old.
        force: Whether to delete named runs that are not finished.
        dry_run: Whether to say only what would be deleted.
        confirmed: Whether the user has agreed. Otherwise runs that are old are shown first, and one who can
            answer is asked.

    Raises:
        ConfigurationError: If a named run does not exist.
        JournalError: If one is going on, or is not finished. None is deleted then.
    """
    found = {name: _sent_files.find_sent(name) for name in names}
    sent = [file for file in found.values() if file is not None]
    names = [name for name, file in found.items() if file is None]
    runs = {stored.path: stored for stored in map(_stored_runs.find_even_unreadable, names)}
    for stored in runs.values():
        _check_deletable(stored, force=force)
    if older_than is not None:
        runs.update((stored.path, stored) for stored in _older(older_than))
        sent += [file for file in _sent_files.unused_since(older_than) if file not in sent]
    copies = _stored_runs.unneeded_copies(older_than) if older_than is not None else []
    if not runs and not copies and not sent:
        say("No finished run is that old", err=True)
        return
    asks = older_than is not None and not confirmed and _can_answer()
    if dry_run or asks:
        _preview([*runs.values()], copies, sent)
    if asks and not dry_run:
        click.confirm("Without them, the same commands would push their rows again. Delete them?", abort=True)
    if not dry_run:
        _delete([*runs.values()], copies, sent)


def _can_answer() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _preview(runs: Sequence[StoredRun], copies: Sequence[Path], sent: Sequence[SentFile]) -> None:
    for stored in runs:
        say(": ".join(filter(None, [f"Would delete run {stored.name}", _about(stored)])))
    for path in copies:
        say(f"Would delete {path}, which no run needs")
    for file in sent:
        say(f"Would delete {_line_of_sent(file)}")


def _delete(runs: Sequence[StoredRun], copies: Sequence[Path], sent: Sequence[SentFile]) -> None:
    for stored in runs:
        _stored_runs.delete(stored)
        say(f"Deleted run {stored.name}")
    for path in copies:
        path.unlink(missing_ok=True)
        say(f"Deleted {path}, which no run needs")
    for file in sent:
        _sent_files.delete(file)
        say(f"Deleted {file.name}: --changed-only sends all rows once more")


def _check_deletable(stored: StoredRun, *, force: bool) -> None:
    if stored.problem is not None and not _stored_runs.is_in_folder(stored.path):
        # It may not be a journal at all.
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
    for stored in _stored_runs.stored_runs():
        if str(stored.notes.get("started", limit)) >= limit:
            continue
        if stored.finished:
            yield stored
        else:
            say(f"Kept run {stored.name}: it is not finished", err=True)


def _line_of_sent(file: SentFile) -> str:
    if file.info is None:
        return f"{file.name}  {'in use' if file.going_on else 'unreadable'}"
    info = file.info
    return (
        f"{file.name}  what was last sent: {info.rows:,} {info.object_type.replace('_', ' ')} "
        f"by {info.id_property}, to {info.service}"
    )


def _facts_of_sent(file: SentFile) -> dict[str, Any]:
    info = file.info
    return {
        "sent": file.name,
        "rows": None if info is None else info.rows,
        "object": None if info is None else info.object_type,
        "id_property": None if info is None else info.id_property,
        "service": None if info is None else info.service,
    }


def _lines(runs: list[StoredRun]) -> Iterator[str]:
    for stored in runs:
        called = "" if stored.given_name is None else f"  {stored.given_name}"
        yield f"{stored.name}  {stored.state}{called}"
        if line := _about(stored):
            yield f"  {line}"


def _about(stored: StoredRun) -> str:
    """Return what became of the rows of a run, and where they come from."""
    path = stored.source.path
    origin = "a pipe" if path and _stored_runs.is_copy(Path(path)) else path
    return ", from ".join(filter(None, [_figures(stored), origin]))


def _figures(stored: StoredRun) -> str:
    facts = _facts(stored)
    figures = [f"{facts[name]:,} {name}" for name in ("done", "rejected", "unknown") if facts[name]]
    if stored.state == "unfinished":
        # The rows that follow those that the run has read are not counted yet.
        figures.append(f"{facts['left']:,} or more left" if facts["left"] else "more left")
    return ", ".join(figures)


def _facts(stored: StoredRun) -> dict[str, Any]:
    counts = stored.counts
    left = counts.get("sent", 0) + counts.get("planned", 0)
    return {
        "run": stored.name,
        "name": stored.given_name,
        "state": stored.state,
        "done": counts.get("done", 0),
        "rejected": counts.get("rejected", 0),
        "unknown": counts.get("unknown", 0),
        "left": left if left or stored.finished else None,
        "file": stored.source.path,
        "operation": stored.info and stored.info.operation,
        "service": stored.info and stored.info.service,
        **{name: stored.notes.get(name) for name in _NOTES},
    }
