"""`hubspot-batch results`: the rows of a run with their outcomes, in the format in which they came."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from hubspot_batch.bulk import Outcome, read_outcomes
from hubspot_batch.cli._console import is_unread, say
from hubspot_batch.cli._files import STDIN, check_distinct, digest_of, unwritable
from hubspot_batch.cli._input_file import read_options_from
from hubspot_batch.cli._stored_runs import StoredRun, is_copy
from hubspot_batch.cli._tables import FileRow, open_bare_result_writer, open_reader, open_result_writer
from hubspot_batch.errors import ConfigurationError

_ALL = frozenset({"done", "rejected", "unknown", "pending"})


def write_results(run: StoredRun, path: Path = STDIN, statuses: Collection[str] = _ALL) -> None:
    """Write the rows of a run that have one of these outcomes, without their columns if the file has changed.

    Args:
        run: The run.
        path: The file to write; `-` for standard output.
        statuses: `done`, `rejected`, `unknown`, or `pending` for rows that have no outcome.

    Raises:
        ConfigurationError: If the results cannot be written.
    """
    source = run.source
    if not source.path:
        raise ConfigurationError(
            f"run {run.name} was not started by this command line, and its file is not known; "
            "`read_outcomes` of hubspot_batch.bulk tells what became of its rows"
        )
    file, key = Path(source.path), run.key
    check_distinct({"FILE": file, "--output": path}, {"the journal": run.path})
    missing = what_is_missing(file, source.digest)
    if missing:
        say(f"Warning: {missing}, so the results are without its columns", err=True)
    try:
        with ExitStack() as stack:
            if missing:
                rows: Iterator[FileRow] = (FileRow(number, {}) for number in range(1, run.rows + 1))
                writer = stack.enter_context(open_bare_result_writer(path, run.format))
            else:
                reader = stack.enter_context(open_reader(file, read_options_from(source.reading)))
                rows = reader.rows()
                writer = stack.enter_context(open_result_writer(path, reader))
            for row, outcome in _with_outcomes(rows, read_outcomes(run.path)):
                if ("pending" if outcome is None else outcome.status) in statuses:
                    writer.write(row, outcome, None if key is None else key.value_in(row.values))
    except OSError as error:
        if is_unread(error):
            raise
        raise unwritable(path, error) from error


def what_is_missing(file: Path, digest: str) -> str | None:
    """Return why the rows of a run cannot be read any more; None if they can."""
    if is_copy(file):
        # It is kept as long as the run can go on.
        return None if file.exists() else "the rows came from a pipe and are not kept"
    if not file.is_file():
        return f"{file} is not there any more"
    return None if digest_of(file) == digest else f"{file} has changed since the run"


def _with_outcomes(
    rows: Iterator[FileRow], outcomes: Iterator[Outcome]
) -> Iterator[tuple[FileRow, Outcome | None]]:
    """Yield each row with its outcome, or None. Both come in the order of the rows."""
    outcome = next(outcomes, None)
    for index, row in enumerate(rows):
        if outcome is not None and outcome.index == index:
            yield row, outcome
            outcome = next(outcomes, None)
        else:
            yield row, None
