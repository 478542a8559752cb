"""Safe output: text of others with control characters escaped, and reprs without secrets or values."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_T = TypeVar("_T")


def printable(text: str) -> str:
    """Return foreign text that a terminal, a log or an error message can show safely.

    Characters that do not print are escaped as in a Python literal: control characters, which could steer a
    terminal or forge a line, and characters that are invisible or reverse the reading order.

    Args:
        text: HubSpot's codes and words, names of columns and files, JSON pointers.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def never_raising(show: Callable[[_T], str]) -> Callable[[_T], str]:
    """Make a repr work on an object whose constructor failed, which a traceback may show."""

    @wraps(show)
    def shown(self: _T) -> str:
        try:
            return show(self)
        except AttributeError:
            return f"{type(self).__name__}(...)"

    return shown


class RedactedRepr:
    """A base of Structs whose output is limited to their redacted repr.

    By default, rich prints all fields of a Struct, also in its tracebacks.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in {"__repr__", "__str__"} & vars(cls).keys():
            setattr(cls, name, never_raising(vars(cls)[name]))

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # An argument without a name, and its text without quotes.
        return [("", _Text(repr(self).partition("(")[2][:-1]))]


class _Text:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
