"""A row of a file."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from hubspot_batch.errors import InputIssue

RESULT_COLUMNS = ("_row", "_outcome", "_id", "_code", "_message", "_action", "_key")
"""The columns of results, which stand before those of the row. A reader leaves them out again."""

MARKS_OF_RESULTS = RESULT_COLUMNS[:5]
"""Those that files of results have always had."""


class FileRow(Struct, frozen=True):
    """One row of a file.

    Attributes:
        number: Its number, from 1. Rows without any content are not counted.
        values: Column to value; or the input itself, where the file holds whole inputs. Empty where there is
            a fault.
        line: The first of its lines in the file, from 1; None where the file has no lines.
        fault: Why it cannot be read. It goes to the engine in place of an input, which rejects the row.
        original: The cells of a CSV file, or the text of a line that is not JSON; None if the file holds
            `values` as they are.
    """

    number: int
    values: Mapping[str, object]
    line: int | None = None
    fault: InputIssue | None = None
    original: Sequence[str] | str | None = None

    def __repr__(self) -> str:
        return f"FileRow({self.number}, line={self.line!r}, fault={self.fault!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # rich shows all fields of a Struct otherwise, and a traceback of it would show the caller's values.
        return [("", self.number), ("line", self.line), ("fault", self.fault)]


def row_fault(problem: str, remedy: str) -> InputIssue:
    """Return a fault of a row as a whole."""
    return InputIssue(index=None, pointer="", problem=problem, remedy=remedy)
