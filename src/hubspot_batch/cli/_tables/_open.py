"""Which kind of table a file is."""

from pathlib import Path
from typing import assert_never, get_args

from msgspec import Struct

from hubspot_batch.cli._tables._content import Content, UnreadableError, open_content
from hubspot_batch.cli._tables._csv import CsvTable
from hubspot_batch.cli._tables._json_lines import JsonLinesTable
from hubspot_batch.cli._tables._json_list import JsonListTable
from hubspot_batch.cli._tables._parquet import ParquetTable
from hubspot_batch.cli._tables._table import Format, Table
from hubspot_batch.cli._tables._text import Text
from hubspot_batch.errors import ConfigurationError

FORMATS: tuple[Format, ...] = get_args(Format)

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_FIRST_CHARACTERS: dict[str, Format] = {"[": "json", "{": "jsonl"}
_COMPRESSED = {".gz", ".gzip", ".zst", ".zstd"}
_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"


class TableOptions(Struct, frozen=True, kw_only=True):
    """How a file is to be read, where it does not tell by itself.

    Attributes:
        format: What kind of file it is. None takes what its name says, else its first bytes.
        encoding: The encoding of a text. None takes UTF-8, or what a byte order mark says.
        delimiter: What stands between two cells of CSV, `tab` for a tab. None takes what fits the beginning.
    """

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None


def open_table(path: Path, options: TableOptions | None = None) -> Table:
    """Open a file of rows, or standard input where the path is `-`, and read no more than its beginning.

    It may be compressed with gzip or zstd, whatever its name says.

    Args:
        path: The file.
        options: What it does not tell by itself.

    Raises:
        ConfigurationError: If it cannot be opened or is no such file.
    """
    try:
        content = open_content(path)
    except UnreadableError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    try:
        return _table(content, path, options or TableOptions())
    except BaseException:
        content.close()
        raise


def _table(content: Content, path: Path, options: TableOptions) -> Table:
    _check_head(content)
    form = options.format or _told(content, path, options.encoding)
    if (form == "parquet") != content.head.startswith(_PARQUET):
        problem = "no Parquet file" if form == "parquet" else "a Parquet file"
        raise ConfigurationError(f"{path}: this is {problem}; say with --format what it is")
    match form:
        case "csv":
            return CsvTable(Text(content, options.encoding), options.delimiter)
        case "jsonl":
            return JsonLinesTable(Text(content, options.encoding))
        case "json":
            return JsonListTable(Text(content, options.encoding))
        case "parquet":
            return ParquetTable(content)
        case _:
            assert_never(form)


def _check_head(content: Content) -> None:
    if not content.head:
        raise ConfigurationError(f"{content.name}: the file is empty; at least one row is needed")
    if content.head.startswith(_ZIP):
        raise ConfigurationError(f"{content.name}: an Excel workbook or ZIP archive; save the sheet as CSV")


def _told(content: Content, path: Path, encoding: str | None) -> Format:
    named, begun = _told_by_name(path), _told_by_head(content, encoding)
    # JSON Lines are called .json, too.
    return begun if named is None or (named, begun) == ("json", "jsonl") else named


def _told_by_name(path: Path) -> Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _told_by_head(content: Content, encoding: str | None) -> Format:
    if content.head.startswith(_PARQUET):
        return "parquet"
    first = Text(content, encoding).sample.lstrip()[:1]
    return _FIRST_CHARACTERS.get(first, "csv")
