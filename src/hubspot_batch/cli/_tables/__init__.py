"""Files of rows: CSV, JSON Lines, a JSON list, Parquet; plain or compressed, or standard input.

::

    with open_reader(path, ReadOptions()) as reader, open_result_writer(other, reader) as writer:
        for row in reader.rows():
            ...  # row.fault, or an input made of row.values
            writer.write(row, outcome)

Rows are read as they are asked for. Memory does not grow with the file.
"""

from hubspot_batch.cli._tables._csv import known_delimiter
from hubspot_batch.cli._tables._formats import FORMATS, ReadOptions
from hubspot_batch.cli._tables._json import DECODE_ERRORS, explain, first_repeated
from hubspot_batch.cli._tables._open import BodyKind, open_reader, read_body
from hubspot_batch.cli._tables._reader import RowReader
from hubspot_batch.cli._tables._result_writers import (
    CR_LF,
    Lines,
    ResultWriter,
    close_text,
    open_bare_result_writer,
    open_result_writer,
    open_text,
)
from hubspot_batch.cli._tables._row import FileRow
from hubspot_batch.cli._tables._text import known_encoding

__all__ = [
    "CR_LF",
    "DECODE_ERRORS",
    "FORMATS",
    "BodyKind",
    "FileRow",
    "Lines",
    "ReadOptions",
    "ResultWriter",
    "RowReader",
    "close_text",
    "explain",
    "first_repeated",
    "known_delimiter",
    "known_encoding",
    "open_bare_result_writer",
    "open_reader",
    "open_result_writer",
    "open_text",
    "read_body",
]
