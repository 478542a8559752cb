"""The formats of files, one entry each."""

import re
from collections.abc import Callable

from msgspec import Struct

from hubspot_batch.cli._tables._content import Content
from hubspot_batch.cli._tables._csv import CsvReader
from hubspot_batch.cli._tables._json_lines import JsonLinesReader
from hubspot_batch.cli._tables._json_list import BODY, JsonListReader
from hubspot_batch.cli._tables._parquet import ParquetReader
from hubspot_batch.cli._tables._reader import RowReader
from hubspot_batch.cli._tables._text import Text


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How a file is read where its name and content do not tell.

    Attributes:
        format: The name of its format. None takes what its name says, else what its first bytes say.
        encoding: The encoding of its text. None takes UTF-8, or what a byte order mark says.
        delimiter: The delimiter of CSV, `tab` for a tab. None takes what fits the first lines.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


class FileFormat(Struct, frozen=True, kw_only=True):
    """A format of files.

    Attributes:
        suffixes: How the names of such files end.
        beginning: What their text begins with. The first format that fits is taken.
        results: The format in which their rows are written with their outcomes: `csv` or `jsonl`.
        open: Opens such a file.
    """

    suffixes: frozenset[str]
    beginning: re.Pattern[str]
    results: str
    open: Callable[[Content, ReadOptions], RowReader]


FORMATS: dict[str, FileFormat] = {
    "parquet": FileFormat(
        suffixes=frozenset({".parquet", ".pq"}),
        beginning=re.compile("PAR1"),
        results="csv",
        open=lambda content, _: ParquetReader(content),
    ),
    "json": FileFormat(
        suffixes=frozenset({".json"}),
        beginning=re.compile(rf"\s*\[|{BODY.pattern}"),
        results="jsonl",
        open=lambda content, options: JsonListReader(Text(content, options.encoding)),
    ),
    "jsonl": FileFormat(
        suffixes=frozenset({".jsonl", ".ndjson"}),
        beginning=re.compile(r"\s*\{"),
        results="jsonl",
        open=lambda content, options: JsonLinesReader(Text(content, options.encoding)),
    ),
    "csv": FileFormat(
        suffixes=frozenset({".csv", ".tsv", ".txt"}),
        beginning=re.compile(""),
        results="csv",
        open=lambda content, options: CsvReader(Text(content, options.encoding), options.delimiter),
    ),
}
