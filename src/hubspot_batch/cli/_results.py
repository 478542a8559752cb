"""`hubspot-batch results`: the rows of a run with what became of them, in the form in which they came."""

from collections.abc import Collection, Iterator
from pathlib import Path

from hubspot_batch import contract
from hubspot_batch.bulk import Outcome, read_outcomes
from hubspot_batch.cli._files import STDIN, digest_of, unwritable
from hubspot_batch.cli._reading import reading_from
from hubspot_batch.cli._runs import StoredRun, usable
from hubspot_batch.cli._tables import Row, open_results
from hubspot_batch.errors import ConfigurationError

_ALL = frozenset({"done", "rejected", "unknown", "pending"})


def write_results(run: StoredRun, path: Path = STDIN, statuses: Collection[str] = _ALL) -> None:
    """Write the rows of a run that ended in one of these ways.

    Args:
        run: The run.
        path: The file to write; `-` for standard output.
        statuses: `done`, `rejected`, `unknown`, or `pending` for rows that have no outcome.

    Raises:
        ConfigurationError: If the file of the run is not what it was, or the results cannot be written.
    """
    source = run.source
    if not source.path:
        raise ConfigurationError(
            f"run {run.name} was not started by this command line, and its file is not known; "
            "`read_outcomes` of hubspot_batch.bulk tells what became of its rows"
        )
    if digest_of(Path(source.path)) != source.digest:
        raise ConfigurationError(
            f"{source.path} has changed since run {run.name}, and its rows are not known any more; "
            "put back what was in it"
        )
    reading = reading_from(source.path, source.reading)
    operation = contract.operation(str(run.meta["operation"]))
    try:
        with (
            usable(run.path),
            reading.open(operation) as rows,
            open_results(path, rows.table) as results,
        ):
            told = _with_outcomes((row for row, _ in rows.rows()), read_outcomes(run.path))
            for row, outcome in told:
                if ("pending" if outcome is None else outcome.status) in statuses:
                    results.write(row, outcome)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error


def _with_outcomes(rows: Iterator[Row], outcomes: Iterator[Outcome]) -> Iterator[tuple[Row, Outcome | None]]:
    """Yield each row with its outcome; None where it has none. Both come in the order of the rows."""
    outcome = next(outcomes, None)
    for index, row in enumerate(rows):
        if outcome is not None and outcome.index == index:
            yield row, outcome
            outcome = next(outcomes, None)
        else:
            yield row, None
