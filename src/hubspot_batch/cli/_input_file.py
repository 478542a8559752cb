"""The file of a command and how it is read: its rows become inputs."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.cli._columns import ColumnOptions, Columns, KeyCell, PairColumns, PairOptions
from hubspot_batch.cli._files import (
    STDIN,
    copy_content,
    digest_of,
    is_read_once,
    make_private_folder,
    standard_input,
)
from hubspot_batch.cli._mapping_file import FileMapping
from hubspot_batch.cli._tables import FileRow, ReadOptions, RowReader, open_reader
from hubspot_batch.contract import Operation
from hubspot_batch.errors import SourceError
from hubspot_batch.results import PropertyDefinition

Definitions: TypeAlias = Mapping[str, PropertyDefinition] | None
"""What the properties of an account are, by name; None if that is not known."""

COPY_PREFIX = "stdin-"
"""How the name of a copy of piped rows begins."""


class _Options(Struct, frozen=True, omit_defaults=True):
    """The form in which journals keep the options."""

    table: ReadOptions
    columns: ColumnOptions
    mapping: str | None = None
    pairs: PairOptions | None = None


class InputFile(Struct, frozen=True, kw_only=True):
    """A file of rows, and how it is read.

    Attributes:
        path: The file; `-` for standard input.
        format: How it is written.
        columns: What becomes of its columns.
        mapping: The mapping file, if there is one.
        pairs: What becomes of them if the rows are links.
    """

    path: Path
    format: ReadOptions = ReadOptions()
    columns: ColumnOptions = ColumnOptions()
    mapping: FileMapping | None = None
    pairs: PairOptions | None = None

    def to_json(self) -> str:
        """Return the options as text, with digests for what may be personal data.

        That are the values of `--set`, and the content of the mapping file.
        """
        columns = replace(self.columns, set=tuple(map(without_value, self.columns.set)))
        mapping = None if self.mapping is None else self.mapping.digest
        return msgspec.json.encode(_Options(self.format, columns, mapping, self.pairs)).decode()

    def kept(self, folder: Path) -> "InputFile":
        """Return a file that can be read again: what a pipe gives is copied into a folder.

        The copy is named by its content, so that the same input again is the same file.

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

    def check(self, operation: Operation) -> None:
        """Check the options against the file before anything else is asked, where it can be read again.

        Raises:
            SourceError: If it cannot be read.
            ConfigurationError: If an option does not fit it.
        """
        if self.path == STDIN:
            _check_standard_input()
        elif not is_read_once(self.path):
            with self.open(operation):
                pass

    @contextmanager
    def open(
        self, operation: Operation, definitions: Definitions = None, key: str | None = None
    ) -> Iterator["OpenInputFile"]:
        """Open the file and check the options against it.

        Args:
            operation: What the rows are for.
            definitions: What the properties of the account are, by name; None if that is not known.
            key: The unique property that all rows have.

        Raises:
            SourceError: If it cannot be read, or no column fills the key.
            ConfigurationError: If an option does not fit it.
        """
        if self.mapping is not None:
            self.mapping.check_object(operation.object_type)
        with open_reader(self.path, self.format) as reader:
            if self.pairs is not None:
                yield OpenInputFile(reader, PairColumns(self.pairs, reader.columns), _rows_of(reader))
                return
            columns = Columns(
                operation,
                self.columns,
                reader.columns,
                is_text=reader.format == "csv",
                zoneless=reader.zoneless,
                mapping=self.mapping,
                definitions=definitions,
            )
            if key:
                columns.check_filled(key)
            yield OpenInputFile(reader, columns, _rows_of(reader))


def _rows_of(reader: RowReader) -> Iterator[FileRow]:
    """Return the rows of a file. There is at least one.

    Raises:
        SourceError: If there is none, or the first one cannot be read.
    """
    rows = reader.rows()
    first = next(rows, None)
    if first is not None:
        return chain([first], rows)
    if reader.empty.count:
        problem, remedy = f"nothing but {reader.empty}", "fill them, or export the file again"
    elif reader.format == "csv":
        problem, remedy = "a header, and no row", "if rows belong there, export the file again"
    else:
        problem, remedy = "no row", "if rows belong there, export the file again"
    raise SourceError(f"{reader.name}: the file has {problem}; {remedy}")


def input_file_from(path: Path, options: str) -> InputFile:
    """Return a file as the text that `InputFile.to_json` has made says, without its mapping file.

    The values of `--set` are digests.
    """
    known = msgspec.json.decode(options, type=_Options)
    return InputFile(path=path, format=known.table, columns=known.columns, pairs=known.pairs)


def read_options_from(options: str) -> ReadOptions:
    """Return how a file is written, from the text that `InputFile.to_json` has made."""
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


class OpenInputFile:
    """An open file of rows.

    Attributes:
        reader: Reads its rows.
    """

    def __init__(self, reader: RowReader, columns: Columns | PairColumns, rows: Iterator[FileRow]) -> None:
        self.reader = reader
        self._columns = columns
        self._rows = rows

    def rows(self) -> Iterator[tuple[FileRow, object]]:
        """Yield each row with its input, or with the fault that makes it unreadable; only once.

        Raises:
            SourceError: If the rest of the file cannot be read.
        """
        for row in self._rows:
            yield row, row.fault or self._columns.item_of(row.values)

    def inputs(self) -> Iterator[object]:
        """Yield what `rows` yields, without the rows."""
        return (item for _, item in self.rows())

    def pairs_of(self, row: FileRow) -> Sequence[tuple[str, str]]:
        """Return each column of a row that becomes a property, with that."""
        return self._columns.pairs_of(row.values)

    def key_cell(self, name: str) -> KeyCell | None:
        """Return where rows have the value of a property; None if no column fills it."""
        return self._columns.key_cell(name)

    @property
    def needs_definitions(self) -> bool:
        """Whether the definitions of the account say how cells are converted."""
        return self._columns.needs_definitions

    @property
    def warnings(self) -> list[str]:
        """What is to be told of the rows so far: missing columns and empty rows."""
        told = [
            f"no row has the column {column!r} that an option names"
            for column in sorted(self._columns.missing)
        ]
        return [*told, f"left out {self.reader.empty}"] if self.reader.empty.count else told
