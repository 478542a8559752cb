"""A list in JSON. Only a block of it, and the row at the end of the block, is held in memory."""

import json
import re
from collections.abc import Iterator
from typing import ClassVar

from hubspot_batch.cli._tables import _text
from hubspot_batch.cli._tables._content import UnreadableError
from hubspot_batch.cli._tables._json import DECODE_ERRORS, Decoded, RowDecoder, explain, skip_space
from hubspot_batch.cli._tables._reader import TextReader
from hubspot_batch.cli._tables._row import FileRow
from hubspot_batch.cli._tables._text import Text, check_length
from hubspot_batch.errors import SourceError

_EARLY = "the list ends early; make or fetch the file again"
_BLOCK_SIZE = 256 * 1024
# The body of a request, which `validate` takes, too.
BODY = re.compile(r'\A\s*\{\s*"inputs"\s*:')
# Where a block ends within a number, a literal or an escape, the error stands no further from the end.
_LONGEST_TOKEN = 16


class JsonListReader(TextReader):
    """A file that is one list of mappings in JSON, or the body of a request, whose inputs are its rows."""

    format: ClassVar[str] = "json"

    def __init__(self, text: Text) -> None:
        """Look at the first character.

        Args:
            text: The file.

        Raises:
            SourceError: If it does not begin a list.
        """
        super().__init__(text)
        self._is_body = BODY.match(text.sample) is not None
        if not self._is_body and not text.sample.lstrip().startswith("["):
            raise SourceError(f"{self.name}: a list in JSON begins with [; name what this is with --format")
        self._window = _Window(text)

    def _lines_read(self) -> int:
        return self._window.lines()

    def _error(self, problem: str) -> SourceError:
        line, column = self._window.place()
        return SourceError(f"{self.name}, line {line}, column {column}: {problem}", line=line)

    def _rows(self) -> Iterator[FileRow]:
        window, decoder = self._window, RowDecoder()
        if self._is_body:
            window.take("{")
            window.value(decoder)
            window.take(":")
        window.take("[")
        number, goes_on = 0, window.next() != "]"
        while goes_on:
            number += 1
            decoded, text = window.value(decoder)
            yield decoder.row_of(decoded, text, number)
            if goes_on := window.next() != "]":
                window.take(",")
        window.take("]")
        if self._is_body:
            window.take("}")
        if window.next():
            raise UnreadableError("more follows the list; remove it, or say --format jsonl")


class _Window:
    """The part of a text that is held, and a position in it."""

    def __init__(self, text: Text) -> None:
        self._content = text.content
        self._decoder = text.decoder()
        self._text = ""
        self._at = 0
        self._ended = False
        # Of what is not held any more.
        self._lines = 0
        self._column = 0

    def lines(self) -> int:
        """Return how many lines end before the end of the window."""
        return self._lines + self._text.count("\n")

    def place(self) -> tuple[int, int]:
        """Return the line and the column."""
        before = self._text[: self._at]
        line = self._lines + before.count("\n") + 1
        column = len(before) - before.rfind("\n") + (0 if "\n" in before else self._column)
        return line, column

    def next(self) -> str:
        """Go to the next character that is not white space, and return it; an empty text at the end."""
        self._at = skip_space(self._text, self._at)
        while self._at == len(self._text) and not self._ended:
            self._read_on()
            self._at = skip_space(self._text, self._at)
        return self._text[self._at : self._at + 1]

    def take(self, character: str) -> None:
        """Skip a character, which must be the next one."""
        if (found := self.next()) != character:
            raise UnreadableError(f"not JSON: Expecting {character!r}" if found else _EARLY)
        self._at += 1

    def value(self, decoder: RowDecoder) -> tuple[Decoded, str]:
        """Skip the next value, and return it and its text."""
        self.next()
        # A number at the end of the window may go on behind it.
        while (decoded := self._whole(decoder)) is None or (
            decoded.end == len(self._text) and not self._ended
        ):
            self._read_on()
        text, self._at = self._text[self._at : decoded.end], decoded.end
        return decoded, text

    def _whole(self, decoder: RowDecoder) -> Decoded | None:
        """Return the value that begins here, or None if the window ends within it."""
        try:
            return decoder.decode(self._text, self._at)
        except json.JSONDecodeError as error:
            unclosed = error.msg.startswith("Unterminated string")
            if not self._ended and (unclosed or error.pos > len(self._text) - _LONGEST_TOKEN):
                return None
            self._at = len(self._text) if unclosed else error.pos
            raise UnreadableError(explain(error) if self.next() else _EARLY) from error
        except DECODE_ERRORS as error:
            raise UnreadableError(f"{explain(error)}; correct or remove it") from error

    def _read_on(self) -> None:
        """Forget what lies before the place, and hold more of what follows."""
        before, self._text, self._at = self._text[: self._at], self._text[self._at :], 0
        self._lines += before.count("\n")
        self._column = len(before) - before.rfind("\n") - 1 + (0 if "\n" in before else self._column)
        check_length(len(self._text), _text.LONGEST_ROW)
        content = self._content.read(max(_BLOCK_SIZE, len(self._text)))
        self._text += self._decoder.decode(content or b"", final=not content)
        self._ended = not content
