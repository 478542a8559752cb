"""Files of rows: CSV, JSON Lines, a JSON list, Parquet; plain or compressed, or standard input.

::

    with open_table(path, TableOptions()) as table, open_results(other, table) as results:
        for row in table.rows():
            ...  # row.fault, or an input made of row.values
            results.write(row, outcome)

Rows are read as they are asked for. Memory does not grow with the file.
"""

from hubspot_batch.cli._tables._csv import known_delimiter
from hubspot_batch.cli._tables._open import FORMATS, TableOptions, open_table, read_body
from hubspot_batch.cli._tables._results import Results, open_bare_results, open_results
from hubspot_batch.cli._tables._row import Row
from hubspot_batch.cli._tables._table import Format, Table
from hubspot_batch.cli._tables._text import known_encoding

__all__ = [
    "FORMATS",
    "Format",
    "Results",
    "Row",
    "Table",
    "TableOptions",
    "known_delimiter",
    "known_encoding",
    "open_bare_results",
    "open_results",
    "open_table",
    "read_body",
]
