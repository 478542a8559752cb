"""What a push prints when it is over, and the exit code that says the same."""

import json
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Literal, TypeAlias

import click

from hubspot_batch.bulk import Report
from hubspot_batch.cli._files import say
from hubspot_batch.cli._progress import duration
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    JournalError,
    NotFoundError,
    PermissionDeniedError,
    SourceError,
)

ExitCode: TypeAlias = Literal[0, 1, 4, 5, 6]
SummaryForm: TypeAlias = Literal["text", "apart", "json"]
"""As text, as text on standard error where standard output holds something else, or as JSON."""

_REASONS_SHOWN = 10
_UNUSABLE = (
    AuthenticationError,
    ConfigurationError,
    JournalError,
    NotFoundError,
    PermissionDeniedError,
    SourceError,
)


def exit_code(report: Report, stopped_by: BaseException | None = None) -> ExitCode:
    """Return 0 where all rows are done, 4 where some are rejected, 6 where some are unknown, 5 unfinished.

    It is 1 where nothing is written, for the account does not let the token in, or the file cannot be read.
    """
    if not report.finished:
        written = report.done or report.unknown
        return 1 if isinstance(stopped_by, _UNUSABLE) and not written else 5
    if report.unknown:
        return 6
    return 4 if report.rejected else 0


def warn_of_unseen(columns: Sequence[str]) -> None:
    """Print a warning for each column that an option names and no row had."""
    for column in columns:
        say(f"Warning: no row has the column {column!r} that an option names", err=True)


def print_summary(
    report: Report,
    code: ExitCode,
    *,
    problem: str | None,
    unseen: Sequence[str],
    run: str,
    to_mend: str | None,
    resumable: bool,
    form: SummaryForm,
) -> None:
    """Print what became of a run.

    Args:
        report: What became of it.
        code: The exit code.
        problem: What has stopped it.
        unseen: Columns that an option names and no row had.
        run: What it is called.
        to_mend: A name for a file of what was rejected; None where the rows came from a pipe.
        resumable: Whether the same command goes on with it.
        form: How, and where.
    """
    warn_of_unseen(unseen)
    if form == "json":
        click.echo(json.dumps({**report.to_dict(), "run": run, "exit_code": code, "problem": problem}))
        return
    if problem:
        say(f"Error: {problem}", err=True)
    for line in _lines(report, code, run, to_mend, resumable=resumable):
        say(line, err=form == "apart")


def _lines(
    report: Report, code: ExitCode, run: str, to_mend: str | None, *, resumable: bool
) -> Iterator[str]:
    verb, _, object_type = report.operation.partition("_")
    yield (
        f"{report.done:,} of {report.read:,} {object_type.replace('_', ' ')} {verb}d in "
        f"{duration(report.seconds)}: {report.requests:,} request{'s' * (report.requests != 1)}, "
        f"{report.quota_share:.0%} of the quota"
    )
    if report.finished and report.done and not report.requests:
        yield "nothing was sent, for all of it was before; with --new, all of it is sent again"
    if report.rejected:
        yield f"{report.rejected:,} rejected: not written, and why is known"
    if report.unknown:
        yield f"{report.unknown:,} unknown: sent, but their answer was lost; look before you push them again"
    yield from _pending(report)
    for reason, count in list(report.reasons.items())[:_REASONS_SHOWN]:
        yield f"  {count:>9,}  {reason}"
    if (more := len(report.reasons) - _REASONS_SHOWN) > 0:
        yield f"  and {more:,} other reasons"
    yield f"Run {run}"
    if report.rejected:
        yield from _how_to_mend(quote(run), to_mend)
    if report.unknown:
        yield f"  hubspot-batch results {quote(run)} --unknown"
    if not report.finished:
        yield f"  {what_next(resumable=resumable, usable=code != 1)}"


def _pending(report: Report) -> Iterator[str]:
    if unsent := report.pending - report.unanswered:
        yield f"{unsent:,} pending: read, not sent"
    if report.unanswered:
        yield f"{report.unanswered:,} pending: sent, but their answer did not come before the end"


def _how_to_mend(run: str, to_mend: str | None) -> Iterator[str]:
    if to_mend is None:
        yield f"  hubspot-batch results {run} --rejected"
        yield "  rows from a pipe are not kept; --results FILE writes them with what became of them"
    else:
        yield f"  hubspot-batch results {run} --rejected --output {quote(to_mend)}"
        yield f"  then mend {to_mend} and push it; columns that HubSpot does not know go with --drop or --map"


def what_next(*, resumable: bool, usable: bool = True) -> str:
    """Return what the same command would do after a run that was not finished.

    Args:
        resumable: Whether HubSpot is still there.
        usable: Whether account, file and options can be used as they are.
    """
    if not usable:
        return "nothing was written; correct what the error names, then push the file"
    if resumable:
        return "the same command again goes on where this stopped"
    return "the local HubSpot has ended; the same command begins from the first row in another one"
