"""Which kind of table a file is."""

from pathlib import Path
from typing import assert_never, get_args

from msgspec import Struct

from hubspot_batch.cli._tables._content import Content, UnreadableError, open_content
from hubspot_batch.cli._tables._csv import CsvTable
from hubspot_batch.cli._tables._json_lines import JsonLinesTable
from hubspot_batch.cli._tables._json_list import BODY, JsonListTable
from hubspot_batch.cli._tables._parquet import ParquetTable
from hubspot_batch.cli._tables._table import Format, Table
from hubspot_batch.cli._tables._text import Text, error_at, foreign_bytes
from hubspot_batch.errors import SourceError

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
_LONGEST_BODY = 16 * 1024 * 1024
_NOT_READ = {
    b"PK\x03\x04": "an Excel workbook or ZIP archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook of the old kind; save the sheet as CSV",
    b"BZh": "compressed with bzip2; unpack it, or compress it with gzip or zstd",
    b"\xfd7zXZ\x00": "compressed with xz; unpack it, or compress it with gzip or zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it, or compress the file with gzip or zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4; unpack it, or compress it with gzip or zstd",
    b"ARROW1\x00\x00": "an Arrow file; write it as Parquet",
    b"SQLite format 3\x00": "a database of SQLite; write its rows as CSV",
}


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
        SourceError: If it cannot be opened or is no such file.
    """
    try:
        content = open_content(path)
    except UnreadableError as error:
        raise SourceError(f"{path}: {error}") from error
    try:
        return _table(content, path, options or TableOptions())
    except BaseException:
        content.close()
        raise


def read_body(path: Path, options: TableOptions) -> str | None:
    """Return the text of a file that holds the body of a request; None where it holds rows.

    Raises:
        SourceError: If it cannot be read, or is larger than any request may be.
    """
    lines = 0
    try:
        with open_content(path) as content:
            text = Text(content, options.encoding)
            if options.format not in {None, "json"} or not BODY.match(text.sample):
                return None
            parts = []
            for line in text.lines(_LONGEST_BODY):
                parts.append(line)
                lines += 1
            return "".join(parts)
    except UnicodeDecodeError as error:
        raise foreign_bytes(str(path), error, lines) from error
    except UnreadableError as error:
        raise error_at(str(path), lines + 1, str(error)) from error


def _table(content: Content, path: Path, options: TableOptions) -> Table:
    _check_head(content)
    form = options.format or _told(content, path, options.encoding)
    if (form == "parquet") != content.head.startswith(_PARQUET):
        problem = "no Parquet file" if form == "parquet" else "a Parquet file"
        raise SourceError(f"{path}: this is {problem}; say with --format what it is")
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
    if not content.head.strip():
        raise SourceError(f"{content.name}: the file is empty; at least one row is needed")
    for magic, what in _NOT_READ.items():
        if content.head.startswith(magic):
            raise SourceError(f"{content.name}: {what}")


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
    sample = Text(content, encoding).sample
    return "json" if BODY.match(sample) else _FIRST_CHARACTERS.get(sample.lstrip()[:1], "csv")
