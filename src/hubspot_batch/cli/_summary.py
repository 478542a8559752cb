"""The summary of a push, and its exit code."""

import json
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import click

from hubspot_batch.bulk import Report
from hubspot_batch.cli._console import quoted, say, wrapped
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import duration
from hubspot_batch.cli._words import words_for
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    JournalError,
    NotFoundError,
    PermissionDeniedError,
    SourceError,
)

ExitCode: TypeAlias = Literal[0, 1, 4, 5, 6]
SummaryForm: TypeAlias = Literal["text", "stderr", "json"]
"""As text, as text on standard error because standard output holds a file, or as JSON."""

_REASONS_SHOWN = 10
# Rows with these reasons were not sent.
_UNSENT = ("INVALID_INPUT", "TARGET_NOT_FOUND")
UNUSABLE = (
    AuthenticationError,
    ConfigurationError,
    JournalError,
    NotFoundError,
    PermissionDeniedError,
    SourceError,
)


def exit_code(report: Report, stopped_by: BaseException | None = None) -> ExitCode:
    """Return 0 if all rows are done, 4 if some are rejected, 6 if some are unknown, 5 if it is not finished.

    It is 1 if nothing was written and the account, the token or the file cannot be used.
    """
    if not report.finished:
        written = report.done or report.unknown
        return 1 if isinstance(stopped_by, UNUSABLE) and not written else 5
    if report.unknown:
        return 6
    return 4 if report.rejected else 0


def warn(texts: Sequence[str]) -> None:
    """Print warnings."""
    for text in texts:
        say(f"Warning: {text}", err=True)


def print_summary(
    report: Report,
    code: ExitCode,
    *,
    job: Job,
    problem: str | None,
    warnings: Sequence[str],
    run: str,
    to_mend: str | None,
    resumable: bool,
    form: SummaryForm,
) -> None:
    """Print what became of the rows of a run.

    Args:
        report: The report of the run.
        code: The exit code.
        job: What was to be done.
        problem: What stopped the run, or could not be written.
        warnings: What is to be told of the file.
        run: The name of the run.
        to_mend: A name for a file of rejected rows; None if the rows came from a pipe.
        resumable: Whether the same command goes on with the run.
        form: How and where to print it.
    """
    warn(warnings)
    if form == "json":
        click.echo(json.dumps({**report.to_dict(), "run": run, "exit_code": code, "problem": problem}))
        return
    if problem:
        say(f"Error: {problem}", err=True)
    for line in _lines(report, code, job, run, to_mend, resumable=resumable):
        say(line, err=form == "stderr")


def _lines(
    report: Report, code: ExitCode, job: Job, run: str, to_mend: str | None, *, resumable: bool
) -> Iterator[str]:
    looks = f" and {report.looks:,} look{'s' * (report.looks != 1)}" if report.looks else ""
    unchanged = report.actions.get("unchanged", 0)
    # Records that exist already were not created.
    is_own = report.actions.keys() <= job.words.actions | {"unchanged"}
    what = job.words.done if is_own else "done"
    yield (
        f"{report.done - unchanged:,} of {report.read:,} {job.rows} {what} in "
        f"{duration(report.seconds)}: {report.requests:,} request{'s' * (report.requests != 1)}{looks}, "
        f"{report.quota_share:.0%} of the quota"
    )
    if report.actions.keys() - {job.words.action}:
        yield _by_action(report)
    if unchanged:
        rest = report.read - report.pending - unchanged
        is_held = any(reason.endswith(_UNSENT) for reason in report.reasons)
        how = "new or changed" if is_held else "sent"
        yield f"{rest:,} {how}, {unchanged:,} unchanged: --all sends those, too"
    if report.finished and report.done > unchanged and not report.requests:
        yield "nothing was sent: an earlier run has sent all rows; with --new, all of them are sent again"
    if report.rejected:
        yield f"{report.rejected:,} rejected: not {job.words.not_done}, for the reasons below"
    if report.unknown:
        advice = "they can be sent again" if job.operation.repeatable else "look before you push them again"
        yield f"{report.unknown:,} unknown: sent, but their answer was lost; {advice}"
    yield from _pending(report)
    yield from _reasons(report)
    yield f"Run {run}"
    if report.rejected:
        yield from _how_to_mend(run, to_mend, job)
    if report.unknown:
        yield f"  hubspot-batch results {quoted(run)} --unknown"
        if job.verb == "create":
            resolve = "--resolve --unique-property PROPERTY"
            yield f"  hubspot-batch results {quoted(run)} {resolve}  (looks for them)"
    if not report.finished:
        yield f"  {what_next(resumable=resumable, usable=code != 1)}"


def _reasons(report: Report) -> Iterator[str]:
    """Yield each reason with its code, and what it means."""
    for reason, count in list(report.reasons.items())[:_REASONS_SHOWN]:
        yield f"  {count:>9,}  {reason}"
        if words := words_for(reason, report):
            yield from wrapped(words, " " * 13)
    if (more := len(report.reasons) - _REASONS_SHOWN) > 0:
        yield f"  and {more:,} other reasons"


def _pending(report: Report) -> Iterator[str]:
    if unsent := report.pending - report.unanswered:
        yield f"{unsent:,} pending: read, not sent"
    if report.unanswered:
        yield f"{report.unanswered:,} pending: sent, but their answer did not come before the end"


def rejected_command(run: str, to_mend: str | None) -> str:
    """Return the command that gives the rejected rows of a run.

    Args:
        run: The name of the run.
        to_mend: A name for a file of rejected rows; None if the rows came from a pipe.
    """
    command = f"hubspot-batch results {quoted(run)} --rejected"
    return command if to_mend is None else f"{command} --output {quoted(to_mend)}"


def _by_action(report: Report) -> str:
    """Return how many rows are done in which way: `created 12, updated 30`."""
    parts = [f"{action} {count:,}" for action, count in report.actions.items()]
    if untold := report.done - sum(report.actions.values()):
        # Sent twice: the second answer says that the record is there, and not since when.
        parts.append(f"created or updated {untold:,}")
    return ", ".join(parts)


def _how_to_mend(run: str, to_mend: str | None, job: Job) -> Iterator[str]:
    yield f"  {rejected_command(run, to_mend)}"
    if to_mend is None:
        yield "  rows from a pipe are not kept; --results FILE writes them with their outcomes"
    else:
        yield f"  then correct {to_mend} and {'read' if job.verb == 'read' else 'push'} it"
        if job.words.has_properties:
            yield "  (--drop or --map: for columns that HubSpot does not know)"


def what_next(*, resumable: bool, usable: bool = True) -> str:
    """Return what to do after a run that was not finished.

    Args:
        resumable: Whether HubSpot is still there.
        usable: Whether account, file and options can be used as they are.
    """
    if not usable:
        return "nothing was written; correct what the error names, then push the file"
    if resumable:
        return "the same command again goes on where this stopped"
    return "the local HubSpot has ended; the same command begins from the first row in another one"
