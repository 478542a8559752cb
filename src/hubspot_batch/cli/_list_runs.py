"""`hubspot-batch runs`: what ran, how it ended, what is left."""

import json
from collections.abc import Iterator
from typing import Any

import click

from hubspot_batch.cli._runs import StoredRun, folder, stored_runs

_TOLD = ("operation", "service", "started", "seconds", "requests", "exit_code")


def run(*, as_json: bool) -> None:
    """Print all runs, the newest first.

    Args:
        as_json: Whether as JSON Lines.
    """
    runs = stored_runs()
    if as_json:
        for stored in runs:
            click.echo(json.dumps(_facts(stored)))
    elif runs:
        for line in _lines(runs):
            click.echo(line)
    else:
        click.echo(f"No runs yet; their journals will be in {folder()}", err=True)


def _lines(runs: list[StoredRun]) -> Iterator[str]:
    width = max(len(stored.name) for stored in runs)
    yield f"{'run':<{width}}  {'state':<12}{'done':>11}{'rejected':>10}{'unknown':>9}{'left':>9}  file"
    for stored in runs:
        facts = _facts(stored)
        # Nobody knows how many rows follow those that an unfinished run has read.
        left = "0" if stored.finished else f"{facts['left']:,}+"
        yield (
            f"{stored.name:<{width}}  {facts['state']:<12}{facts['done']:>11,}{facts['rejected']:>10,}"
            f"{facts['unknown']:>9,}{left:>9}  {facts['file']}"
        )


def _facts(stored: StoredRun) -> dict[str, Any]:
    counts = stored.counts
    return {
        "run": stored.name,
        "state": stored.state,
        "done": counts.get("done", 0),
        "rejected": counts.get("rejected", 0),
        "unknown": counts.get("unknown", 0),
        "left": counts.get("sent", 0) + counts.get("planned", 0),
        "file": stored.source.path,
        **{name: stored.meta.get(name) for name in _TOLD},
    }
