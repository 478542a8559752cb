"""Readers of files of rows: what all formats share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Self

from hubspot_batch.cli._tables._content import Content, UnreadableError
from hubspot_batch.cli._tables._row import FileRow
from hubspot_batch.cli._tables._text import Text, error_at, foreign_bytes
from hubspot_batch.errors import SourceError

_LINES_NAMED = 5


class EmptyRows:
    """Rows whose cells are all empty. They are left out.

    Attributes:
        count: How many there were so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._lines: list[int] = []

    def add(self, line: int) -> None:
        """Count the row in this line."""
        self.count += 1
        if len(self._lines) < _LINES_NAMED:
            self._lines.append(line)

    def __str__(self) -> str:
        """Return how many there are, and in which lines."""
        rows = "1 row of empty cells" if self.count == 1 else f"{self.count:,} rows of empty cells"
        lines = [str(line) for line in self._lines]
        if self.count > len(lines):
            lines.append(f"{self.count - len(lines):,} more")
        listed = lines[0] if len(lines) == 1 else f"{', '.join(lines[:-1])} and {lines[-1]}"
        return f"{rows} (line{'s' * (self.count > 1)} {listed})"


class RowReader(ABC):
    """An open file of rows, and a context manager that closes it.

    Attributes:
        format: The name of its format.
        name: Its name in messages.
        columns: The names of its columns; None if each row has its own.
        total: How many rows it has; None if only reading it tells.
        zoneless: The columns whose values are datetimes without a time zone.
        empty: The rows of empty cells that were read so far.
    """

    format: ClassVar[str]

    def __init__(self, content: Content) -> None:
        self.name = content.name
        self.columns: Sequence[str] | None = None
        self.total: int | None = None
        self.zoneless: Sequence[str] = ()
        self.empty = EmptyRows()
        self._content = content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._content.close()

    def share_read(self) -> float | None:
        """Return the share of the file that was read, from 0 to 1; None if its size is unknown."""
        return self._content.share_read()

    def rows(self) -> Iterator[FileRow]:
        """Yield the rows, once, as they are read. A row that cannot be read has a fault.

        Raises:
            SourceError: If nothing can be read from some place on. The text names it.
        """
        with self._explaining():
            yield from self._rows()

    @abstractmethod
    def _rows(self) -> Iterator[FileRow]: ...

    @abstractmethod
    def _error(self, problem: str) -> SourceError:
        """Return the error for a problem at the place that reading has reached."""

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except UnreadableError as error:
            raise self._error(str(error)) from error


class TextReader(RowReader):
    """An open file of rows in a text format.

    Attributes:
        text: The text.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(text.content)
        self.text = text

    @abstractmethod
    def _lines_read(self) -> int: ...

    def _error(self, problem: str) -> SourceError:
        return error_at(self.name, self._lines_read() + 1, problem)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            with super()._explaining():
                yield
        except UnicodeDecodeError as error:
            raise foreign_bytes(self.name, error, self._lines_read()) from error
