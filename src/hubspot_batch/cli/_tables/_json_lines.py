"""JSON Lines: a mapping on each line."""

from collections.abc import Iterator
from itertools import count
from typing import ClassVar

from hubspot_batch.cli._tables._json import RowDecoder
from hubspot_batch.cli._tables._reader import TextReader
from hubspot_batch.cli._tables._row import FileRow
from hubspot_batch.cli._tables._text import Text
from hubspot_batch.errors import SourceError


class JsonLinesReader(TextReader):
    """A file with a mapping in JSON on each line. Lines of white space are passed over."""

    format: ClassVar[str] = "jsonl"

    def __init__(self, text: Text) -> None:
        """Look at the first line.

        Args:
            text: The file.

        Raises:
            SourceError: If it is empty, or begins a mapping over several lines.
        """
        super().__init__(text)
        self._lines = text.lines()
        self._number = 0
        first = text.sample.lstrip().partition("\n")[0].strip()
        if first in {"", "{"}:
            problem = "one mapping over several lines" if first else "the file is empty"
            raise SourceError(f"{self.name}: {problem}; write a list [...], or one mapping on each line")

    def _lines_read(self) -> int:
        return self._number

    def _rows(self) -> Iterator[FileRow]:
        decoder, numbers = RowDecoder(), count(1)
        for line in self._lines:
            self.text.held = 0
            self._number += 1
            if not line.isspace():
                yield decoder.row_of_text(line.rstrip("\r\n"), next(numbers), self._number)
