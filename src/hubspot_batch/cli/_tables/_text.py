"""Content as text in its encoding."""

import codecs
import io

from hubspot_batch.cli._tables._content import Content
from hubspot_batch.errors import ConfigurationError

_DEFAULT = "utf-8-sig"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Text:
    """The text of a file.

    Attributes:
        content: Its bytes.
        encoding: The encoding. What is called UTF-8 may begin with a byte order mark.
        sample: The beginning of the text.
        line_end: How its lines end.
    """

    def __init__(self, content: Content, encoding: str | None) -> None:
        """Take the text from its bytes.

        Args:
            content: The bytes.
            encoding: The name of the encoding. None takes the one that a byte order mark tells, else UTF-8.

        Raises:
            ConfigurationError: If there is no such encoding.
        """
        self.content = content
        self.encoding = _known(encoding) if encoding else _told_by(content.head)
        self.sample = self.decoder("ignore").decode(content.head)
        self.line_end = "\r\n" if "\r\n" in self.sample else "\n"

    def decoder(self, errors: str = "strict") -> codecs.IncrementalDecoder:
        """Return what makes text of the bytes, part by part."""
        return codecs.getincrementaldecoder(self.encoding)(errors)

    def lines(self) -> io.TextIOWrapper:
        """Return the lines with their ends: LF, CR LF or CR."""
        return io.TextIOWrapper(self.content.buffered(), self.encoding, newline="")

    def encoding_to_write(self) -> str:
        """Return the encoding in which to write such a file: with a byte order mark where this one has it."""
        has_mark = self.content.head.startswith(codecs.BOM_UTF8)
        return "utf-8" if self.encoding == _DEFAULT and not has_mark else self.encoding


def _known(encoding: str) -> str:
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
