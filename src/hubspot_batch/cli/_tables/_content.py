"""The bytes of a file or of standard input, decompressed."""

import codecs
import gzip
import io
import os
import sys
import tempfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Protocol, cast

from hubspot_batch.cli._files import STDIN, standard_input
from hubspot_batch.errors import ConfigurationError, SourceError

SAMPLE_SIZE = 64 * 1024
"""How many of the first bytes are looked at to find out the format."""

LARGEST_COPY = 1024 * 1024 * 1024
"""How many bytes a compressed file may take on disk if it cannot be read while it is unpacked."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_COMPRESSED = "the compressed data"
_BLOCK_SIZE = 256 * 1024


class UnreadableError(Exception):
    """The rest of a file cannot be read. The text says why and what to do, but not where."""


class Content(io.RawIOBase):
    """The content of a file, as one stream that cannot be rewound.

    Attributes:
        name: What the file is called in messages, `-` for standard input.
        path: The file itself, where its bytes are the content; None for standard input and compressed files.
        head: The first bytes, at most `SAMPLE_SIZE`. They are part of the stream, too.
        has_nul: Whether a NUL was among the bytes read so far.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__()
        # These first: `close` is called even where what follows fails.
        self.name = str(path)
        self._file = file
        self._copy: IO[bytes] | None = None
        raw = _Ahead(_guarded(cast("_Readable", file).read1, "it", OSError))
        self._stream = _decompressed(raw)
        self._is_compressed = self._stream is not raw
        self.path = path if not self._is_compressed and path != STDIN and path.is_file() else None
        self.head = self._stream.ahead(SAMPLE_SIZE, _holds_a_line)
        self.has_nul = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes; none at the end.

        Raises:
            UnreadableError: If there are more that cannot be read.
        """
        found = self._stream.read(len(buffer))
        self.has_nul = self.has_nul or b"\0" in found
        buffer[: len(found)] = found
        return len(found)

    def buffered(self) -> io.BufferedReader:
        """Return the stream for readers that take little at once."""
        return io.BufferedReader(self, _BLOCK_SIZE)

    def random_access(self) -> str | IO[bytes]:
        """Return the content in a form that can be read from its end: the path, or a temporary copy.

        Raises:
            UnreadableError: If it cannot be read to its end, or a small file becomes a very large one.
        """
        if self.path is not None:
            return str(self.path)
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        while block := self.read(_BLOCK_SIZE):
            self._copy.write(block)
            if self._is_compressed and self._copy.tell() > LARGEST_COPY:
                raise UnreadableError(
                    f"unpacked, it has more than {LARGEST_COPY:,} bytes; unpack it and name the unpacked file"
                )
        self._copy.seek(0)
        return self._copy

    def close(self) -> None:
        """Close the file. Standard input stays open."""
        super().close()
        if self._copy is not None:
            self._copy.close()
        if self.name != str(STDIN):
            self._file.close()

    def share_read(self) -> float | None:
        """Return the share of the file that was read, from 0 to 1; None if its size is unknown."""
        if self.closed:
            # The reader of its text closes it at its end.
            return 1.0
        try:
            size = os.fstat(self._file.fileno()).st_size
            return self._file.tell() / size if size else None
        except OSError:
            return None


def open_content(path: Path) -> Content:
    """Open a file, or standard input where the path is `-`.

    Raises:
        SourceError: If it cannot be opened.
        UnreadableError: If its first bytes cannot be read.
    """
    try:
        file = standard_input() if path == STDIN else path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}; name a file that can be read") from error
    with ExitStack() as undo:
        if path != STDIN:
            undo.callback(file.close)
        content = Content(file, path)
        undo.pop_all()
    return content


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _Ahead:
    """A stream whose first bytes can be seen before they are read."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._pending = b""

    def ahead(self, size: int, suffices: Callable[[bytes], bool] = lambda _: False) -> bytes:
        """Return the next bytes; fewer than `size` at the end, or where those that came suffice."""
        while len(self._pending) < size and not suffices(self._pending):
            if not (found := self._read(size - len(self._pending))):
                break
            self._pending += found
        return self._pending

    def read(self, size: int) -> bytes:
        """Return the next bytes, as many as there are; none at the end."""
        if not self._pending:
            return self._read(size)
        found, self._pending = self._pending[:size], self._pending[size:]
        return found


def _decompressed(raw: _Ahead) -> _Ahead:
    """Return the stream, decompressed if its first bytes say that it is compressed."""
    magic = raw.ahead(len(_ZSTD))
    if magic.startswith(_GZIP):
        file = gzip.GzipFile(fileobj=cast("IO[bytes]", raw))
        return _Ahead(_guarded(file.read1, _COMPRESSED, gzip.BadGzipFile, zlib.error))
    if magic.startswith(_ZSTD):
        zstd = _zstd()
        return _Ahead(_guarded(zstd.ZstdFile(raw).read1, _COMPRESSED, zstd.ZstdError))
    return raw


def _holds_a_line(head: bytes) -> bool:
    """Return whether there is a whole line, so that a slow pipe need not be waited for.

    A brace by itself does not count: only the next line tells what it begins.
    """
    return b"\n" in beginning(head).removeprefix(b"{").lstrip()


def beginning(head: bytes) -> bytes:
    """Return bytes of ASCII, written as UTF-8 or UTF-16, without byte order mark and blanks before them."""
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip()


def _zstd() -> ModuleType:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'zstd needs {name}; install it with: pip install "hubspot-batch[cli]"'
        ) from error


def _guarded(read: Callable[[int], bytes], what: str, *damage: type[Exception]) -> Callable[[int], bytes]:
    def guarded(size: int) -> bytes:
        try:
            return read(size)
        except EOFError as error:
            raise UnreadableError(f"{what} ends early; make or fetch it again") from error
        except damage as error:
            raise UnreadableError(f"{what} cannot be read any further; make or fetch it again") from error

    return guarded
