"""Values that show of themselves what their repr shows, and nothing else."""


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
