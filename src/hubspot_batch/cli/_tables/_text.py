"""Content as text in its encoding."""

import codecs
import io
import re
from collections.abc import Iterator

from hubspot_batch.cli._tables._content import Content, UnreadableError
from hubspot_batch.errors import ConfigurationError, SourceError

_DEFAULT = "utf-8-sig"
LONGEST_ROW = 1024 * 1024
"""How many characters a row may have, in any kind of file. It bounds the memory that reading takes."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Text:
    """The text of a file.

    Attributes:
        content: Its bytes.
        encoding: The encoding. What is called UTF-8 may begin with a byte order mark.
        sample: The beginning of the text.
        line_end: How its lines end.
        held: How many characters were read since this was set to 0: those of the row that is read.
    """

    def __init__(self, content: Content, encoding: str | None) -> None:
        """Take the text from its bytes.

        Args:
            content: The bytes.
            encoding: The name of the encoding. None takes the one that a byte order mark tells, else UTF-8.

        Raises:
            ConfigurationError: If the encoding is not known.
        """
        self.content = content
        self.encoding = known_encoding(encoding) if encoding else _told_by(content.head)
        self.sample = self.decoder("ignore").decode(content.head)
        self.line_end = "\r\n" if "\r\n" in self.sample else "\n"
        self.held = 0

    def decoder(self, errors: str = "strict") -> codecs.IncrementalDecoder:
        """Return what makes text of the bytes, part by part."""
        return codecs.getincrementaldecoder(self.encoding)(errors)

    def lines(self, longest: int | None = None) -> Iterator[str]:
        """Yield the lines with their ends: LF, CR LF or CR.

        Args:
            longest: How many characters may be held; by default those of a row.

        Raises:
            UnreadableError: If there are more. A row may have several lines: the reader sets `held` to 0.
        """
        limit = LONGEST_ROW if longest is None else longest
        lines = io.TextIOWrapper(self.content.buffered(), self.encoding, newline="")
        while line := lines.readline(limit + 1):
            self.held += len(line)
            check_length(self.held, limit)
            yield line

    def encoding_to_write(self) -> str:
        """Return the encoding in which to write such a file: with a byte order mark where this one has it."""
        has_mark = self.content.head.startswith(codecs.BOM_UTF8)
        return "utf-8" if self.encoding == _DEFAULT and not has_mark else self.encoding


def check_length(characters: int, limit: int) -> None:
    """Refuse more characters than are held at one time.

    Raises:
        UnreadableError: If there are more.
    """
    if characters > limit:
        raise UnreadableError(
            f"there are more than {limit:,} characters in one row; "
            "shorten it, or look for a quote or bracket that is never closed"
        )


def error_at(name: str, line: int, problem: str) -> SourceError:
    """Return the error for a problem in one line of a file."""
    return SourceError(f"{name}, line {line}: {problem}", line=line)


def foreign_bytes(name: str, error: UnicodeDecodeError, lines_read: int) -> SourceError:
    """Return the error for bytes that do not fit the encoding of a file."""
    before = error.object[: error.start].decode(error.encoding, "ignore")
    return error_at(
        name,
        lines_read + len(_LINE_END.findall(before)) + 1,
        f"not {error.encoding}; save the file as UTF-8, or name its encoding with --encoding: "
        "cp1252 for example, which Excel writes in western Europe",
    )


def known_encoding(encoding: str) -> str:
    """Return the name under which Python knows an encoding.

    Raises:
        ConfigurationError: If there is no such encoding of text.
    """
    try:
        "".encode(encoding)
        name = codecs.lookup(encoding).name
    except LookupError:
        raise ConfigurationError(
            f"there is no text encoding {encoding!r}; write utf-8, utf-16 or cp1252 for example"
        ) from None
    return _DEFAULT if name == "utf-8" else name


def _told_by(head: bytes) -> str:
    return "utf-16" if head.startswith(_UTF_16) else _DEFAULT
