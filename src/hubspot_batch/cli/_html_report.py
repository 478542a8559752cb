"""The report of a run as one HTML page without other files: figures, reasons, first rows, throughput."""

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from itertools import pairwise
from textwrap import shorten

from msgspec import Struct, field

from hubspot_batch import printable
from hubspot_batch.bulk import Outcome, Report
from hubspot_batch.cli._console import quoted
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import Sample, duration
from hubspot_batch.cli._summary import rejected_command, what_next
from hubspot_batch.cli._words import WORDS

_EXAMPLES = 3
_REASONS_SHOWN = 50
# HubSpot lists all options of a property where a value is none of them.
_LONGEST_TEXT = 160

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --ink: #2563eb; --limit: #dc2626; }
@media (prefers-color-scheme: dark) { :root { --ink: #7aa2f7; --limit: #f87171; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 1.5rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; }
pre, code { font: .9em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); border-radius: .5rem; padding: .6rem .8rem; margin: .5rem 0;
  white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1rem 0; }
dt { opacity: .75; } dd { margin: 0; }
ul { list-style: none; margin: 0; padding: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .5rem; }
.figures li { border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .8rem; }
.figures b { display: block; font-size: 1.35rem; }
b { font-variant-numeric: tabular-nums; }
.reasons > li { border-top: 1px solid var(--line); padding: .6rem 0; }
.reasons .note { margin: 0; } .rows { padding-left: 1rem; }
figure { margin: .5rem 0; }
svg { display: block; width: 100%; height: 12rem; border-bottom: 1px solid var(--line); }
svg * { vector-effect: non-scaling-stroke; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
.quota { color: var(--limit); } .note, figcaption { font-size: .9rem; } .note { opacity: .8; }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
"""
_CODE = re.compile("`([^`]+)`")
# Nothing is loaded and no script runs, even if words of others in the page ask for it.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


class RunFacts(Struct, frozen=True, kw_only=True):
    """What the page says about a run that its report does not hold.

    Attributes:
        title: What the run did.
        job: What it did with each row.
        name: The name of the run.
        started: When its first session began, as `2026-11-28T12:00:00Z`.
        command: The arguments of the command, without the values of `--set`.
        service: The address of HubSpot.
        resumed: Whether an earlier session did a part of the rows.
        to_mend: A name for a file of rejected rows; None if the rows came from a pipe.
        resumable: Whether the same command goes on with the run.
    """

    title: str
    job: Job
    name: str
    started: str
    command: Sequence[str]
    service: str
    resumed: bool = False
    to_mend: str | None = None
    resumable: bool = True


class _Group(Struct):
    """The rows of one status that have the same reasons."""

    rows: int = 0
    first: list[Outcome] = field(default_factory=list)


def page_of(run: RunFacts, report: Report, samples: Sequence[Sample]) -> str:
    """Return the page.

    Args:
        run: The run.
        report: The report of its last session.
        samples: The progress of this session over time.
    """
    title = _text(run.title)
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{_text(_verdict(report, resumable=run.resumable))}</p>",
        _facts(run),
        _figures(run.job, report),
        "<h2>Rows that are not done</h2>",
        *_not_done(run, report),
        "<h2>Requests a second</h2>",
        _chart(samples, report.rate_limit),
    ]
    if run.resumed:
        parts.append(
            '<p class="note">An earlier session did a part of the rows. Requests, time, quota and the chart '
            "are those of the last session.</p>"
        )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _text(words: str) -> str:
    """Return foreign words as text of a page."""
    return escape(printable(words))


def _verdict(report: Report, *, resumable: bool) -> str:
    if not report.finished:
        return f"The run was not finished: {what_next(resumable=resumable)}."
    return "Each row is done." if report.ok else "The run was finished; some rows are not done."


def _facts(run: RunFacts) -> str:
    facts = {
        "Run": _text(run.name),
        "Started": f"{_text(run.started.replace('T', ' ').removesuffix('Z'))} UTC",
        "HubSpot": _text(run.service),
        "Command": f"<code>{_text(' '.join(['hubspot-batch', *map(quoted, run.command)]))}</code>",
    }
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{fact}</dd>' for name, fact in facts.items())}</dl>"


def _figures(job: Job, report: Report) -> str:
    # "done" alone would say of records that exist already that they were created.
    are_told = len(report.actions) > 1 or report.actions.keys() - job.words.actions
    figures = {
        "rows": f"{report.read:,}",
        "done": f"{report.done:,}",
        **{action: f"{count:,}" for action, count in report.actions.items() if are_told},
        "rejected": f"{report.rejected:,}",
        "unknown": f"{report.unknown:,}",
        "pending": f"{report.pending:,}",
        "requests": f"{report.requests:,}",
        **({"looks": f"{report.looks:,}"} if report.looks else {}),
        "sent again": f"{report.retries:,}",
        "answered with 429": f"{report.rate_limited:,}",
        "time": duration(report.seconds),
        "of the quota": f"{report.quota_share:.1%}",
    }
    return f'<ul class="figures">{"".join(map(_figure, figures, figures.values()))}</ul>'


def _figure(name: str, value: str) -> str:
    return f"<li><b>{value}</b>{_text(name)}</li>"


def _not_done(run: RunFacts, report: Report) -> Iterable[str]:
    """Yield the reasons. Each row is counted once, so their numbers add up."""
    if report.done == report.read:
        yield '<p class="note">There are none.</p>'
        return
    count = report.read - report.done
    yield (
        f"<p>{count:,} of {report.read:,}: {report.rejected:,} rejected, {report.unknown:,} unknown, "
        f"{report.pending:,} pending.</p>"
    )
    groups = _grouped(report.outcomes)
    if report.rejected:
        yield f"<h3>{report.rejected:,} rejected: not {run.job.words.not_done}</h3>"
        yield f"<pre>{_text(rejected_command(run.name, run.to_mend))}</pre>"
        yield f'<p class="note">{_what_to_do(run)}</p>'
        yield _reasons(groups["rejected"])
    if report.unknown:
        yield f"<h3>{report.unknown:,} unknown: sent, but their answer was lost</h3>"
        yield f"<pre>{_text(f'hubspot-batch results {quoted(run.name)} --unknown')}</pre>"
        yield f'<p class="note">This lists them. {_what_to_do_if_unknown(run.job)}</p>'
        yield _reasons(groups["unknown"])
    if report.pending:
        yield f"<h3>{report.pending:,} pending: without an outcome</h3>"
        yield (
            f'<p class="note">{report.pending - report.unanswered:,} were read and not sent, '
            f"{report.unanswered:,} were sent and not answered before the end.</p>"
        )


def _what_to_do(run: RunFacts) -> str:
    if run.to_mend is None:
        return (
            "This lists them. Rows from a pipe are not kept: <code>--results FILE</code> writes them with "
            "their outcomes."
        )
    again = "read" if run.job.verb == "read" else "push"
    return f"This writes them into a file. Correct {_text(run.to_mend)} and {again} it."


def _what_to_do_if_unknown(job: Job) -> str:
    if job.operation.repeatable:
        return "They can be sent again."
    return "Look in HubSpot before you push them again."


def _grouped(outcomes: Iterable[Outcome]) -> Mapping[str, Mapping[tuple[str, ...], _Group]]:
    """Return the rows that are not done, by their status and all their reasons."""
    groups: defaultdict[str, defaultdict[tuple[str, ...], _Group]] = defaultdict(lambda: defaultdict(_Group))
    for outcome in outcomes:
        if outcome.ok:
            continue
        group = groups[outcome.status][tuple(outcome.why)]
        group.rows += 1
        if len(group.first) < _EXAMPLES:
            group.first.append(outcome)
    return groups


def _reasons(groups: Mapping[tuple[str, ...], _Group]) -> str:
    ordered = sorted(groups.items(), key=lambda item: -item[1].rows)
    items = [
        f"<li><b>{group.rows:,}</b> {_text(', '.join(why))}{_explained(why)}"
        f'<ul class="rows">{"".join(map(_row, group.first))}</ul></li>'
        for why, group in ordered[:_REASONS_SHOWN]
    ]
    if more := ordered[_REASONS_SHOWN:]:
        rows = sum(group.rows for _, group in more)
        items.append(f"<li><b>{rows:,}</b> for {len(more):,} other reasons</li>")
    return f'<ul class="reasons">{"".join(items)}</ul>'


def _explained(why: Iterable[str]) -> str:
    """Return what the codes of reasons mean, and what to do."""
    words = dict.fromkeys(WORDS.get(reason.rpartition(": ")[2]) for reason in why)
    marked = (_CODE.sub(r"<code>\1</code>", _text(text)) for text in words if text is not None)
    return "".join(f'<p class="note">{text}</p>' for text in marked)


def _row(outcome: Outcome) -> str:
    words = shorten(outcome.text, _LONGEST_TEXT, placeholder=" ...")
    # A row that was refused because its record exists has the id of that record.
    record = f" (record {outcome.id})" if outcome.id else ""
    return f"<li>row {outcome.index + 1:,}: {_text(words + record)}</li>"


def _chart(samples: Sequence[Sample], rate_limit: float) -> str:
    """Return a chart of the requests a second, as steps, below a line at the quota.

    The picture is stretched to the width of the page, so its words are beside it.
    """
    rates = [
        (before.seconds, after.seconds, (after.requests - before.requests) / (after.seconds - before.seconds))
        for before, after in pairwise(samples)
        if after.seconds > before.seconds
    ]
    if not any(rate for *_, rate in rates):
        return '<p class="note">Nothing was sent.</p>'
    end = rates[-1][1]
    most = max(rate_limit, *(rate for *_, rate in rates))

    def x(seconds: float) -> float:
        return round(seconds / end * 100, 2)

    def y(rate: float) -> float:
        return round(100 - rate / most * 90, 2)

    steps = " ".join(f"{x(begin)},{y(rate)} {x(until)},{y(rate)}" for begin, until, rate in rates)
    return (
        "<figure>"
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" '
        'aria-label="Requests a second over time">'
        f'<polygon points="0,100 {steps} 100,100" fill="var(--ink)" fill-opacity=".25"/>'
        f'<polyline points="{steps}" fill="none" stroke="var(--ink)" stroke-width="1.5"/>'
        f'<line x1="0" x2="100" y1="{y(rate_limit)}" y2="{y(rate_limit)}" '
        'stroke="var(--limit)" stroke-dasharray="5 4"/></svg>'
        f'<figcaption><span>0 s</span><span class="quota">- - quota: {rate_limit:.4g} a second</span>'
        f"<span>at most {max(rate for *_, rate in rates):.3g} a second</span>"
        f"<span>{duration(end)}</span></figcaption></figure>"
    )
