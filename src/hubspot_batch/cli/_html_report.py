"""The report of a run as one HTML page without other files: figures, throughput, reasons, example rows."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from itertools import pairwise
from textwrap import shorten

from hubspot_batch.bulk import Outcome, Report
from hubspot_batch.cli._progress import Sample, duration
from hubspot_batch.cli._summary import what_next

_EXAMPLES = 3
# HubSpot lists all options of a property where a value is none of them.
_LONGEST_TEXT = 160
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 860, 220, 52, 28

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --ink: #2563eb; --limit: #dc2626; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; }
.figures div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.figures b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
  padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number, td.reason { white-space: nowrap; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.note { opacity: .75; }
"""
# Nothing is loaded and no script runs, even if words of others in the page ask for it.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


def page_of(title: str, report: Report, samples: Sequence[Sample], *, resumable: bool = True) -> str:
    """Return the page.

    Args:
        title: What the run did.
        report: The report of the run.
        samples: Its progress over time.
        resumable: Whether the same command goes on with the run.
    """
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="note">{escape(_verdict(report, resumable=resumable))}</p>',
        _figures(report),
        "<h2>Requests a second</h2>",
        _chart(samples, report.rate_limit),
        "<h2>Why rows were not done</h2>",
        _reasons(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _verdict(report: Report, *, resumable: bool) -> str:
    if not report.finished:
        return f"The run was not finished: {what_next(resumable=resumable)}."
    return "Each row is done." if report.ok else "The run was finished; some rows are not done."


def _figures(report: Report) -> str:
    figures = {
        "rows": f"{report.read:,}",
        "done": f"{report.done:,}",
        "rejected": f"{report.rejected:,}",
        "unknown": f"{report.unknown:,}",
        "pending": f"{report.pending:,}",
        "requests": f"{report.requests:,}",
        "sent again": f"{report.retries:,}",
        "answered with 429": f"{report.rate_limited:,}",
        "time": duration(report.seconds),
        "of the quota": f"{report.quota_share:.1%}",
    }
    return f'<div class="figures">{"".join(map(_figure, figures, figures.values()))}</div>'


def _figure(name: str, value: str) -> str:
    return f"<div><b>{value}</b>{name}</div>"


def _chart(samples: Sequence[Sample], rate_limit: float) -> str:
    """Return a chart of the requests a second, as steps, below a line at the quota."""
    rates = [
        (before.seconds, after.seconds, (after.requests - before.requests) / (after.seconds - before.seconds))
        for before, after in pairwise(samples)
        if after.seconds > before.seconds
    ]
    if not any(rate for *_, rate in rates):
        return '<p class="note">Nothing was sent.</p>'
    end = rates[-1][1]
    most = max(rate_limit, *(rate for *_, rate in rates)) * 1.1
    area_width, area_height = _WIDTH - _LEFT, _HEIGHT - _BOTTOM

    def x(seconds: float) -> float:
        return round(_LEFT + seconds / end * area_width, 1)

    def y(rate: float) -> float:
        return round(area_height - rate / most * area_height, 1)

    steps = " ".join(f"{x(begin)},{y(rate)} {x(until)},{y(rate)}" for begin, until, rate in rates)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Requests a second over time">'
        f'<polygon points="{_LEFT},{area_height} {steps} {_WIDTH},{area_height}" '
        'fill="var(--ink)" fill-opacity=".25" stroke="none"/>'
        f'<polyline points="{steps}" fill="none" stroke="var(--ink)" stroke-width="1.5"/>'
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y(rate_limit)}" y2="{y(rate_limit)}" '
        'stroke="var(--limit)" stroke-dasharray="5 4"/>'
        f'<text x="{_WIDTH}" y="{y(rate_limit) - 5}" text-anchor="end">'
        f"quota, {rate_limit:.4g} a second</text>"
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{area_height}" y2="{area_height}" stroke="var(--line)"/>'
        f'<text x="{_LEFT - 6}" y="{area_height}" text-anchor="end">0</text>'
        f'<text x="{_LEFT - 6}" y="{y(most / 1.1) + 4}" text-anchor="end">{most / 1.1:.3g}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">0 s</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 8}" text-anchor="end">{duration(end)}</text></svg>'
    )


def _reasons(report: Report) -> str:
    if not report.reasons:
        return '<p class="note">There is none.</p>'
    examples = _examples(report.outcomes)
    rows = "".join(
        f'<tr><td class="number">{count:,}</td><td class="reason">{escape(reason)}</td>'
        f"<td>{_listed(examples[reason])}</td></tr>"
        for reason, count in report.reasons.items()
    )
    return (
        '<table><thead><tr><th class="number">rows</th><th>reason</th><th>for example</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _examples(outcomes: Iterable[Outcome]) -> Mapping[str, list[Outcome]]:
    examples: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        for reason in outcome.why:
            if len(examples[reason]) < _EXAMPLES:
                examples[reason].append(outcome)
    return examples


def _listed(outcomes: Sequence[Outcome]) -> str:
    return "<br>".join(
        f"row {outcome.index + 1}: {escape(shorten(outcome.text, _LONGEST_TEXT, placeholder=' ...'))}"
        for outcome in outcomes
    )
