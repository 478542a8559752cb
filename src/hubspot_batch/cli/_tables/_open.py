"""Open a file of rows: find out its format, and refuse what is not one."""

import re
from pathlib import Path
from typing import Literal, TypeAlias

from hubspot_batch.cli._tables._content import Content, UnreadableError, beginning, open_content
from hubspot_batch.cli._tables._formats import FORMATS, ReadOptions
from hubspot_batch.cli._tables._json_list import BODY
from hubspot_batch.cli._tables._reader import RowReader
from hubspot_batch.cli._tables._text import Text, error_at, foreign_bytes
from hubspot_batch.errors import ConfigurationError, SourceError

_COMPRESSED = {".gz", ".gzip", ".zst", ".zstd"}
_PARQUET = b"PAR1"
BodyKind: TypeAlias = Literal["inputs", "mapping", "any"]
_BODIES = {"inputs": BODY, "mapping": re.compile(r"\s*\{")}
_LONGEST_BODY = 16 * 1024 * 1024
# A page that a browser has saved, or that stands where the export should: log in and it is gone.
_PAGE = re.compile(rb"<(!doctype|html|head|body|table|!--)", re.IGNORECASE)
_XML = b"<?xml"
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


def open_reader(path: Path, options: ReadOptions | None = None) -> RowReader:
    """Open a file of rows, or standard input if the path is `-`, and read only its beginning.

    It may be compressed with gzip or zstd, with or without a suffix that says so.

    Args:
        path: The file.
        options: How to read it.

    Raises:
        SourceError: If it cannot be opened, or its format is not known.
    """
    try:
        content = open_content(path)
    except UnreadableError as error:
        raise SourceError(f"{path}: {error}") from error
    try:
        return _reader(content, path, options or ReadOptions())
    except BaseException:
        content.close()
        raise


def read_body(path: Path, options: ReadOptions, kind: BodyKind = "inputs") -> str | None:
    """Return the text of a file that holds the body of a request; None if it holds rows.

    Args:
        path: The file.
        options: What the caller says of it.
        kind: What counts as a body: a mapping that begins with its inputs, any mapping in JSON unless the
            file is called JSON Lines, or any file.

    Raises:
        SourceError: If it cannot be read, or is larger than any request may be.
    """
    lines = 0
    try:
        with open_content(path) as content:
            text = Text(content, options.encoding)
            form = options.format or (_format_of_name(path) if kind == "mapping" else None)
            if kind != "any" and (form not in {None, "json"} or not _BODIES[kind].match(text.sample)):
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


def _reader(content: Content, path: Path, options: ReadOptions) -> RowReader:
    _check_head(content)
    name = options.format or _format_of(content, path, options.encoding)
    if (name == "parquet") != content.head.startswith(_PARQUET):
        problem = "not a Parquet file" if name == "parquet" else "a Parquet file"
        raise SourceError(f"{path}: this is {problem}; say with --format what it is")
    if name != "csv" and options.delimiter is not None:
        raise ConfigurationError(
            f"{path}: only CSV has a delimiter, and this is {name}; leave --delimiter out"
        )
    if name == "parquet" and options.encoding is not None:
        raise ConfigurationError(f"{path}: Parquet tells its encoding itself; leave --encoding out")
    return FORMATS[name].open(content, options)


def _check_head(content: Content) -> None:
    if not content.head.strip():
        raise SourceError(f"{content.name}: the file is empty; at least one row is needed")
    text = beginning(content.head)
    if _PAGE.match(text):
        raise SourceError(
            f"{content.name}: a web page, not a table; export the file again, and look at it in an editor: a "
            "page that asks for a login may have been saved"
        )
    if text.startswith(_XML):
        raise SourceError(f"{content.name}: XML, not a table; export the rows as CSV")
    for magic, what in _NOT_READ.items():
        if content.head.startswith(magic):
            raise SourceError(f"{content.name}: {what}")


def _format_of(content: Content, path: Path, encoding: str | None) -> str:
    named, begun = _format_of_name(path), _format_of_head(content, encoding)
    # JSON Lines are called .json, too.
    return begun if named is None or (named, begun) == ("json", "jsonl") else named


def _format_of_name(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    fitting = (name for name, known in FORMATS.items() if suffixes and suffixes[-1] in known.suffixes)
    return next(fitting, None)


def _format_of_head(content: Content, encoding: str | None) -> str:
    if content.head.startswith(_PARQUET):
        return "parquet"
    sample = Text(content, encoding).sample
    return next(name for name, known in FORMATS.items() if known.beginning.match(sample))
