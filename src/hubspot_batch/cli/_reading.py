"""A file of rows and all that says how to read it: the inputs of a push."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.cli._columns import ColumnOptions, Columns
from hubspot_batch.cli._files import (
    STDIN,
    copy_content,
    digest_of,
    is_read_once,
    make_private_folder,
    standard_input,
)
from hubspot_batch.cli._tables import Row, Table, TableOptions, open_table
from hubspot_batch.contract._operations import Operation
from hubspot_batch.errors import SourceError

COPY_PREFIX = "stdin-"
"""With this begins the name of a copy of what came from a pipe."""


class _Options(Struct, frozen=True):
    table: TableOptions
    columns: ColumnOptions


class Reading(Struct, frozen=True, kw_only=True):
    """A file, and how it is read.

    Attributes:
        path: The file; `-` for standard input.
        table: How it is written.
        columns: What becomes of its columns.
    """

    path: Path
    table: TableOptions = TableOptions()
    columns: ColumnOptions = ColumnOptions()

    def to_json(self) -> str:
        """Return the options as text, those of `--set` without a value: it may be anyone's."""
        columns = replace(self.columns, set=tuple(map(without_value, self.columns.set)))
        return msgspec.json.encode(_Options(self.table, columns)).decode()

    def kept(self, folder: Path) -> "Reading":
        """Return a reading of the same that can be repeated: what a pipe gives is copied into a folder.

        The copy is named by what is in it, so the same input again is the same file.

        Raises:
            SourceError: If it cannot be written.
        """
        if not is_read_once(self.path):
            return self
        if self.path == STDIN:
            _check_standard_input()
        try:
            make_private_folder(folder)
            return replace(self, path=_copied(self.path, folder))
        except OSError as error:
            raise SourceError(
                f"{folder}: {error.strerror}; what is read from {self.path} is kept there: make room, "
                "or write it into a file and push that"
            ) from error

    @contextmanager
    def open(self, operation: Operation) -> Iterator["OpenReading"]:
        """Open the file and check the options against it.

        Raises:
            SourceError: If it cannot be read.
            ConfigurationError: If an option does not fit it.
        """
        with open_table(self.path, self.table) as table:
            columns = Columns(
                operation,
                self.columns,
                table.columns,
                is_text=table.format == "csv",
                zoneless=table.zoneless,
            )
            yield OpenReading(table, columns)


def table_options_from(options: str) -> TableOptions:
    """Return from the text of the options of a reading what says how the file is written."""
    return msgspec.json.decode(options, type=_Options).table


def without_value(text: str) -> str:
    """Return `PROPERTY=VALUE` with a digest for the value."""
    name, _, value = text.partition("=")
    return f"{name}=#{blake2b(value.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"


def _check_standard_input() -> None:
    try:
        standard_input()
    except OSError as error:
        raise SourceError(f"-: {error.strerror}; name a file, or let a pipe feed the command") from error


def _copied(path: Path, folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=COPY_PREFIX, delete=False) as file:
        copy = Path(file.name)
    try:
        with copy.open("wb") as file:
            copy_content(path, file)
        return copy.replace(folder / f"{COPY_PREFIX}{digest_of(copy)[:16]}")
    except BaseException:
        copy.unlink()
        raise


class OpenReading:
    """An open file of rows.

    Attributes:
        table: The file.
    """

    def __init__(self, table: Table, columns: Columns) -> None:
        self.table = table
        self._columns = columns

    def rows(self) -> Iterator[tuple[Row, object]]:
        """Yield the rows, each with the input that it makes, or with the fault that it is.

        Raises:
            SourceError: If nothing can be read from some place on.
        """
        for row in self.table.rows():
            yield row, row.fault or self._columns.input_of(row.values)

    @property
    def unseen(self) -> list[str]:
        """The columns that an option names and no row has had so far."""
        return sorted(self._columns.unseen)
