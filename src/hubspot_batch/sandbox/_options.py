"""The options of a sandbox outside of Python: in a TOML file, or in a JSON body.

The table of the options is the signature of `Sandbox`: its keywords are the keys, and its annotations say
which values fit. So a new keyword is a new key, too.
"""

import inspect
import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias, Union, get_args, get_type_hints

from msgspec import inspect as types

from hubspot_batch.errors import ConfigurationError

Place: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead from the root to a value."""

_WORDS: Mapping[type, tuple[str, type | tuple[type, ...]]] = {
    types.StrType: ("text", str),
    types.IntType: ("a whole number", int),
    types.FloatType: ("a number", (int, float)),
    types.BoolType: ("true or false", bool),
    types.NoneType: ("null", type(None)),
    types.ListType: ("a list", (list, tuple)),
    types.VarTupleType: ("a list", (list, tuple)),
    types.DictType: ("a table of keys and values", Mapping),
    types.StructType: ("a table of keys and values", Mapping),
    types.LiteralType: ("text", str),
    types.CustomType: ("anything", object),
}


_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5})?|'
    r"'''(?:[^']|'(?!''))*+(?:'{3,5})?|"
    r'"(?:\\.|[^"\\\n])*+"?|'
    r"'[^'\n]*+'?|#[^\n]*+|[\[\]{}\n]",
    re.DOTALL,
)
"""What can hide the end of a statement of TOML: strings, comments and brackets; and the end of a line."""


class OptionError(Exception):
    """A key or a value that does not fit. What reads a file or a request turns it into an error of its own.

    Attributes:
        place: The keys and indexes that lead to it.
        problem: What is wrong with it.
    """

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{written(place)}: {problem}" if place else problem)
        self.place = place
        self.problem = problem


def option_types(function: Callable[..., object]) -> Mapping[str, Any]:
    """Return the annotations of the keywords of a function, without types that a file cannot have."""
    hints = get_type_hints(function, include_extras=True)
    names = inspect.signature(function).parameters
    return {name: _of_files(hints[name]) for name in names if name in hints}


def read_fields(value: object, known: Mapping[str, Any], place: Place = ()) -> dict[str, Any]:
    """Return the options of a mapping, those that it has, as Python takes them.

    Args:
        value: The mapping.
        known: The annotation of each option.
        place: Where the mapping stands.

    Raises:
        OptionError: If a key is not known, or a value does not fit. The text says where it stands.
    """
    table = _expected(value, types.DictType(types.AnyType(), types.AnyType()), place)
    for name in table:
        if name not in known:
            raise OptionError((*place, name), f"unknown key{suggestion(name, known)}")
    return {name: read(item, known[name], (*place, name)) for name, item in table.items()}


def read(value: object, annotation: Any, place: Place = ()) -> Any:  # noqa: ANN401 - as the annotation says
    """Return a value as Python takes it.

    Args:
        value: The value, of TOML or JSON.
        annotation: What it has to be.
        place: Where it stands.

    Raises:
        OptionError: If it does not fit. The text says where it stands.
    """
    return _read(value, types.type_info(annotation), place)


def reader(annotation: Any) -> Callable[[object, Place], Any]:  # noqa: ANN401 - annotations have no type
    """Return a function that does what `read` does, and looks at the annotation only once."""
    kind = types.type_info(annotation)
    return lambda value, place: _read(value, kind, place)


def read_file(
    path: Path, known: Mapping[str, Any], check: Callable[[Mapping[str, Any]], object]
) -> dict[str, Any]:
    """Return the options that a TOML file has.

    Args:
        path: The file.
        known: The annotation of each option.
        check: Raises OptionError if the options do not fit together.

    Raises:
        ConfigurationError: If it cannot be read, is not TOML, or has a key or a value that does not fit. The
            text names the line.
    """
    try:
        # Some editors for Windows write a mark at the beginning.
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not in UTF-8; save it in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    try:
        options = read_fields(_with_texts(table), known)
        check(options)
    except OptionError as error:
        raise ConfigurationError(f"{path}, line {_line_of(text, error.place)}: {error}") from error
    return options


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what may have been meant, to follow a complaint about a name."""
    names = list(known)
    close = get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else f"; choose from {', '.join(sorted(names))}"


def written(place: Place) -> str:
    """Return a place as people write it: `accounts[0].quota`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def _read(value: object, kind: types.Type, place: Place) -> Any:  # noqa: ANN401 - as the kind says
    match kind:
        case types.Metadata():
            found = _read(value, kind.type, place)
            if kind.extra is not None:
                _check(kind.extra["check"], found, place)
            return found
        case types.UnionType():
            return _read(value, _fitting(value, kind, place), place)
        case types.StructType():
            fields = {field.encode_name: field for field in kind.fields}
            return _struct(_expected(value, kind, place), kind, fields, place)
        case types.DictType():
            return {
                _read(name, kind.key_type, (*place, name)): _read(item, kind.value_type, (*place, name))
                for name, item in _expected(value, kind, place).items()
            }
        case types.ListType() | types.VarTupleType():
            items = _expected(value, kind, place)
            return tuple(_read(item, kind.item_type, (*place, index)) for index, item in enumerate(items))
        case types.LiteralType():
            return _chosen(_expected(value, kind, place), kind, place)
        case types.FloatType():
            return _in_range(_expected(value, kind, place), kind, place)
        case _:
            return _expected(value, kind, place)


def _struct(
    value: Mapping[str, object], kind: types.StructType, fields: Mapping[str, types.Field], place: Place
) -> object:
    found: dict[str, object] = {}
    for name, item in value.items():
        if name not in fields:
            raise OptionError((*place, name), f"unknown key{suggestion(name, fields)}")
        found[fields[name].name] = _read(item, fields[name].type, (*place, name))
    for name, field in fields.items():
        if field.required and field.name not in found:
            raise OptionError(place, f"the key {name} is missing")
    try:
        return kind.cls(**found)
    except ConfigurationError as error:
        raise OptionError(place, str(error)) from error


def _check(check: Callable[[Any], object], value: object, place: Place) -> None:
    try:
        check(value)
    except OptionError as error:
        raise OptionError((*place, *error.place), error.problem) from error
    except ConfigurationError as error:
        raise OptionError(place, str(error)) from error


def _chosen(value: str, kind: types.LiteralType, place: Place) -> str:
    options = [str(option) for option in kind.values]
    if value not in options:
        raise OptionError(place, f"{value!r} is not an option here{suggestion(value, options)}")
    return value


def _in_range(value: float, kind: types.FloatType, place: Place) -> float:
    if not (kind.ge is None or kind.ge <= value) or not (kind.le is None or value <= kind.le):
        raise OptionError(place, f"{value:g} is not a number from {kind.ge:g} to {kind.le:g}")
    return float(value)


def _fitting(value: object, kind: types.UnionType, place: Place) -> types.Type:
    for candidate in kind.types:
        if _fits(value, candidate):
            return candidate
    words = dict.fromkeys(_words(candidate) for candidate in kind.types)
    words.pop("null", None)
    raise OptionError(place, f"expected {' or '.join(words)}, not {_word_of(value)}")


def _expected(value: object, kind: types.Type, place: Place) -> Any:  # noqa: ANN401 - as the kind says
    if not _fits(value, kind):
        raise OptionError(place, f"expected {_words(kind)}, not {_word_of(value)}")
    return value


def _fits(value: object, kind: types.Type) -> bool:
    _, fitting = _WORDS[type(_bare(kind))]
    # In Python, true and false are numbers, too.
    return isinstance(value, fitting) and isinstance(value, bool) <= (fitting in (bool, object))


def _words(kind: types.Type) -> str:
    return _WORDS[type(_bare(kind))][0]


def _word_of(value: object) -> str:
    kinds = (types.BoolType, types.StrType, types.IntType, types.FloatType, types.ListType, types.DictType)
    found = next((kind for kind in kinds if isinstance(value, _WORDS[kind][1])), None)
    return _WORDS[found][0] if found else "null"


def _bare(kind: types.Type) -> types.Type:
    return kind.type if isinstance(kind, types.Metadata) else kind


def _of_files(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no type of their own
    parts = get_args(annotation)
    others = tuple(part for part in parts if part not in {Path, datetime})
    return annotation if others == parts else Union[others]  # noqa: UP007 - of a variable


def _with_texts(value: object) -> object:
    """Return a value of TOML with dates and times as text."""
    match value:
        case dict():
            return {name: _with_texts(item) for name, item in value.items()}
        case list():
            return [_with_texts(item) for item in value]
        case date() | time():
            return value.isoformat()
        case _:
            return value


def _line_of(text: str, place: Place) -> int:
    """Return the line where the statement begins that sets a value, counted from 1."""
    depth, ends = 0, [0]
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if token[0] == "\n" and not depth:
            ends.append(token.end())
    # What ends with a statement is TOML, too, so this is the first of these texts that has the value.
    found = bisect_left(ends, 1, key=lambda end: _has(tomllib.loads(text[:end]), place))
    return text.count("\n", 0, ends[found - 1]) + 1


def _has(table: object, place: Sequence[str | int]) -> bool:
    for part in place:
        if isinstance(part, int):
            if not isinstance(table, list) or part >= len(table):
                return False
            table = table[part]
        elif isinstance(table, dict) and part in table:
            table = table[part]
        else:
            return False
    return True
