"""Where in a JSON text something stands, for the errors that tell of it."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead from the root to a value."""

# A text without an end is one token, too: to look for the next one inside of it would take quadratic time.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],]|[^\s{}\[\],:"]+')

_FIRST: Mapping[bytes, int | None] = {b"{": None, b"[": 0}


def offset_of(content: bytes, path: Path) -> int:
    """Return where the value begins to which a path leads; 0 where there is none."""
    return next((offset for found, offset in _values(content) if found == path), 0)


def line_and_column(content: bytes, offset: int) -> tuple[int, int]:
    """Return the line and the column of a byte, both counted from 1."""
    return content.count(b"\n", 0, offset) + 1, offset - content.rfind(b"\n", 0, offset)


def _values(content: bytes) -> Iterator[tuple[Path, int]]:
    """Yield the path and the beginning of each value of a text that is JSON."""
    keys: list[str | int | None] = []  # of each value that is open; None where a key comes next
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token == b",":
            keys[-1] = keys[-1] + 1 if isinstance(keys[-1], int) else None
        elif token in (b"}", b"]"):
            keys.pop()
        elif keys and keys[-1] is None:
            keys[-1] = msgspec.json.decode(token, type=str)
        else:
            yield tuple(key for key in keys if key is not None), match.start()
            if token in _FIRST:
                keys.append(_FIRST[token])
