"""Positions in a JSON text, for error messages."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead from the root to a value."""

# An unterminated string is one token, too: a search for the next token inside it would take quadratic time.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],]|[^\s{}\[\],:"]+')

_FIRST: Mapping[bytes, int | None] = {b"{": None, b"[": 0}


def offset_of(content: bytes, path: Path) -> int:
    """Return the offset of the value at a path; 0 if there is none."""
    return next((offset for found, offset in _values(content) if found == path), 0)


def line_and_column(content: bytes, offset: int) -> tuple[int, int]:
    """Return the line and the column of a byte, both counted from 1."""
    return content.count(b"\n", 0, offset) + 1, offset - content.rfind(b"\n", 0, offset)


def _values(content: bytes) -> Iterator[tuple[Path, int]]:
    """Yield the path and the offset of each value of a JSON text."""
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
