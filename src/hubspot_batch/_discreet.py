"""What is shown to people: of our values what their repr shows, of the text of others only what prints."""


def printable(text: str) -> str:
    """Return text of others so that a terminal, a log or an error text can show it safely.

    Whatever does not print is escaped as in a Python literal: control characters, with which a text could
    steer a terminal or forge a line, and characters that are invisible or turn the order of reading around.

    Args:
        text: HubSpot's codes and words, names of columns and files, JSON pointers.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class Discreet:
    """A base of Structs whose repr leaves something out.

    rich prints the fields of a Struct unless it is told otherwise, in its tracebacks too.
    """

    __slots__ = ()

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # An argument without a name, and its text without quotes.
        return [("", _Text(repr(self).partition("(")[2][:-1]))]


class _Text:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
