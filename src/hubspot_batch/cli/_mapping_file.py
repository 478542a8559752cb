"""Mapping files: TOML that says how the columns of a file become properties."""

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from hubspot_batch.cli._cells import DECIMALS, KINDS, Kind
from hubspot_batch.cli._dates import DateFormat, date_format
from hubspot_batch.contract import Problem, encode_value, object_type_of
from hubspot_batch.errors import ConfigurationError

_LARGEST = 1024 * 1024
# In the name of a column.
_MOST_SIGNS = 20
_EMPTY: Final = ("leave", "clear")
_OTHERS: Final = ("refuse", "skip")


class CellForm(Struct, frozen=True, kw_only=True):
    """How cells are written, as far as it is told.

    Attributes:
        decimal: What stands before the decimals.
        thousands: What stands between groups of three digits.
        dates: How dates are written.
        zone: The time zone of times that name none.
        yes: The words for true, in lower case.
        no: The words for false, in lower case.
        null: Texts that mean an empty cell.
        clear: Whether an empty cell clears its property.
        trim: Whether blanks around a text are left out.
    """

    decimal: str | UnsetType = UNSET
    thousands: str | UnsetType = UNSET
    dates: tuple[DateFormat, ...] | UnsetType = UNSET
    zone: ZoneInfo | UnsetType = UNSET
    yes: frozenset[str] | UnsetType = UNSET
    no: frozenset[str] | UnsetType = UNSET
    null: frozenset[str] | UnsetType = UNSET
    clear: bool | UnsetType = UNSET
    trim: bool | UnsetType = UNSET

    def or_else(self, other: "CellForm") -> "CellForm":
        """Return this form with what another one tells where this one tells nothing."""
        merged = {
            name: getattr(other, name) if getattr(self, name) is UNSET else getattr(self, name)
            for name in self.__struct_fields__
        }
        return CellForm(**merged)

    def told(self) -> dict[str, Any]:
        """Return what is told."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not UNSET}


class ColumnRule(Struct, frozen=True, kw_only=True):
    """What becomes of a column.

    Attributes:
        property: The property that it fills, if it fills one.
        associate: Which records its values name, as `--associate` has it behind the column: `contact@email`.
        kind: The type of the property; None if only definitions tell.
        form: How its cells are written.
        unit: A text beside each number.
        options: Words of the file, each with what HubSpot gets for it.
        as_is: Whether its cells are sent as they are.
    """

    property: str | None = None
    associate: str | None = None
    kind: Kind | None = None
    form: CellForm = CellForm()
    unit: str = ""
    options: Mapping[str, str] = MappingProxyType({})
    as_is: bool = False


class FileMapping(Struct, frozen=True, kw_only=True):
    """A mapping file.

    Attributes:
        path: The file.
        digest: A digest of its content.
        object_type: The object type that it is for; None for any.
        format: The format of the rows, if it is told.
        encoding: The encoding of the rows, if it is told.
        delimiter: The delimiter of the rows, if it is told.
        form: How cells are written.
        columns: Column to what becomes of it; nothing for a column that is left out.
        constants: Properties that are the same for all rows.
        skips_others: Whether columns that are not named are left out. Otherwise they are refused.
    """

    path: Path
    digest: str
    object_type: str | None = None
    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    form: CellForm = CellForm()
    columns: Mapping[str, Sequence[ColumnRule]] = MappingProxyType({})
    constants: Mapping[str, str] = MappingProxyType({})
    skips_others: bool = False

    def check_object(self, object_type: str) -> None:
        """Refuse it for another object type than the one that it names.

        Raises:
            ConfigurationError: If it is for another one.
        """
        if self.object_type not in (None, object_type):
            raise ConfigurationError(
                f"{self.path}: this mapping is for {self.object_type}, not for {object_type}; "
                'name another file, or correct object = "..." in it'
            )


def read_mapping(path: Path) -> FileMapping:
    """Read a mapping file.

    Raises:
        ConfigurationError: If it cannot be read or is not valid. The text names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name a mapping file") from error
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{path}: this is larger than any mapping file; name one")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise ConfigurationError(f"{path}: this is not UTF-8 text; save the mapping file as UTF-8")
    return _Reader(path, text).mapping(blake2b(content, digest_size=16).hexdigest())


class _Reader:
    """Checks the content of a mapping file, and names the line of what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()
        try:
            # TOML knows LF and CR LF.
            self._content = tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
        except tomllib.TOMLDecodeError as error:
            # It names line and column, and no content but a key.
            raise ConfigurationError(f"{path}: not TOML: {error}; {_advice(str(error))}") from error
        except (RecursionError, ValueError) as error:
            raise ConfigurationError(f"{path}: not TOML: it holds what cannot be read; correct it") from error

    def mapping(self, digest: str) -> FileMapping:
        top = self._content
        self._check_keys((), top, ("object", "other_columns", "file", "values", "columns", "constants"))
        for table in ("file", "values", "columns", "constants"):
            self._of(dict, (table,), top.get(table, {}), "a table")
        file, columns = top.get("file", {}), top.get("columns", {})
        self._check_keys(("file",), file, ("format", "encoding", "delimiter"))
        values = top.get("values", {})
        self._check_keys(("values",), values, tuple(_FORM))
        texts = {name: self.text(("file", name), value) for name, value in file.items()}
        others = self._choice(("other_columns",), top.get("other_columns", "refuse"), _OTHERS)
        mapping = FileMapping(
            path=self._path,
            digest=digest,
            object_type=self._object(("object",), top["object"]) if "object" in top else None,
            form=self._form(("values",), values),
            columns={name: tuple(self._rules(("columns", name), rule)) for name, rule in columns.items()},
            constants={name: self._constant(name, value) for name, value in top.get("constants", {}).items()},
            skips_others=others == "skip",
            **texts,
        )
        self._check_twice(mapping)
        return mapping

    def _rules(self, place: tuple[str, ...], rule: object) -> Iterator[ColumnRule]:
        if rule is False:
            return
        if isinstance(rule, list):
            if not rule:
                raise self._error(place, "it is empty", "write false to leave the column out")
            for part in rule:
                if isinstance(part, list) or part is False:
                    raise self._error(place, "a list holds properties only", "name a property")
                yield from self._rules(place, part)
        elif isinstance(rule, str):
            yield ColumnRule(property=self._property(place, rule))
        elif isinstance(rule, dict):
            yield self._rule(place, rule)
        else:
            raise self._error(
                place, f"{_type(rule)} stands where a property belongs", 'write "property", or false'
            )

    def _rule(self, place: tuple[str, ...], rule: dict[str, Any]) -> ColumnRule:
        known = ("property", "associate", "type", "unit", "options", "as_is", *_FORM)
        self._check_keys(place, rule, known)
        if ("property" in rule) + ("associate" in rule) != 1:
            raise self._error(place, "it needs either property or associate", 'write property = "..."')
        if "associate" in rule:
            if other := sorted(rule.keys() - {"associate"}):
                raise self._error((*place, other[0]), f"{other[0]} does not go with associate", "remove it")
            target = self.text((*place, "associate"), rule["associate"])
            return ColumnRule(associate=target)
        form = {name: value for name, value in rule.items() if name in _FORM}
        as_is = self.flag((*place, "as_is"), rule.get("as_is", False))
        if as_is and (other := sorted(rule.keys() - {"as_is", "property"})):
            raise self._error(
                (*place, other[0]), f"{other[0]} does not go with as_is", "remove one of the two"
            )
        kind = rule.get("type")
        if kind is not None:
            kind = self._choice((*place, "type"), kind, KINDS)
        options = self._of(dict, (*place, "options"), rule.get("options", {}), "a table")
        return ColumnRule(
            property=self._property((*place, "property"), rule["property"]),
            kind=kind,
            form=self._form(place, form),
            unit=self.text((*place, "unit"), rule["unit"]) if "unit" in rule else "",
            options={
                word: self.text((*place, "options", word), value, empty=True)
                for word, value in options.items()
            },
            as_is=as_is,
        )

    def _form(self, place: tuple[str, ...], values: Mapping[str, object]) -> CellForm:
        told: dict[str, Any] = {}
        for name, value in values.items():
            field, read = _FORM[name]
            told[field] = read(self, (*place, name), value)
        decimal: str | None = told.get("decimal")
        if decimal is not None and decimal in told.get("thousands", ""):
            raise self._error((*place, "thousands"), "decimals and thousands are the same", "correct one")
        return CellForm(**told)

    def _check_twice(self, mapping: FileMapping) -> None:
        seen: dict[str, str] = {}
        for column, rules in mapping.columns.items():
            for rule in rules:
                if rule.property is None:
                    continue
                if rule.property in mapping.constants or rule.property in seen:
                    other = seen.get(rule.property)
                    by = "a constant" if other is None else f"the column {other!r}"
                    raise self._error(
                        ("columns", column),
                        f"the property {rule.property!r} is filled by {by} already",
                        "remove one of the two",
                    )
                seen[rule.property] = column

    def _constant(self, name: str, value: object) -> str:
        text = encode_value(value)
        if isinstance(text, Problem) or isinstance(value, dict):
            problem = text.problem if isinstance(text, Problem) else "a table is not a value"
            remedy = text.remedy if isinstance(text, Problem) else "write a text"
            raise self._error(("constants", name), problem, remedy)
        return text

    # One method for each kind of value.

    def _object(self, place: tuple[str, ...], value: object) -> str:
        text = self.text(place, value)
        if (name := object_type_of(text)) is None:
            raise self._error(place, "this is not an object type", 'write object = "orders" for example')
        return name

    def text(self, place: tuple[str, ...], value: object, *, empty: bool = False) -> str:
        """Return a text."""
        text: str = self._of(str, place, value, "a text")
        if not text and not empty:
            raise self._error(place, "it is empty", "write a text, or remove it")
        return text

    def _property(self, place: tuple[str, ...], value: object) -> str:
        return self.text(place, value).strip()

    def texts(self, place: tuple[str, ...], value: object) -> frozenset[str]:
        """Return the texts of a list, or one."""
        values = value if isinstance(value, list) else [value]
        return frozenset(self.text(place, text, empty=True) for text in values)

    def words(self, place: tuple[str, ...], value: object) -> frozenset[str]:
        """Return words in lower case."""
        return frozenset(text.strip().casefold() for text in self.texts(place, value))

    def flag(self, place: tuple[str, ...], value: object) -> bool:
        """Return a bool."""
        flag: bool = self._of(bool, place, value, "true or false")
        return flag

    def _choice(self, place: tuple[str, ...], value: object, choices: Sequence[Any]) -> Any:  # noqa: ANN401 - one of the choices
        text = self.text(place, value)
        if text not in choices:
            raise self._error(
                place, f"{text!r} is not known", _did_you_mean(text, choices, f"write {_any_of(choices)}")
            )
        return text

    def decimal(self, place: tuple[str, ...], value: object) -> str:
        """Return what stands before decimals."""
        text: str = self._choice(place, value, DECIMALS)
        return text

    def dates(self, place: tuple[str, ...], value: object) -> tuple[DateFormat, ...]:
        """Return formats of dates."""
        texts = value if isinstance(value, list) else [value]
        try:
            return tuple(date_format(self.text(place, text)) for text in texts)
        except ConfigurationError as error:
            if str(error).startswith(str(self._path)):
                raise
            raise ConfigurationError(f"{self._where(place)}: {error}") from error

    def zone(self, place: tuple[str, ...], value: object) -> ZoneInfo:
        """Return a time zone."""
        try:
            return time_zone(self.text(place, value))
        except ConfigurationError as error:
            if str(error).startswith(str(self._path)):
                raise
            raise ConfigurationError(f"{self._where(place)}: {error}") from error

    def clear(self, place: tuple[str, ...], value: object) -> bool:
        """Return whether an empty cell clears its property."""
        return bool(self._choice(place, value, _EMPTY) == "clear")

    def _of(self, kind: type, place: tuple[str, ...], value: object, name: str) -> Any:  # noqa: ANN401 - of that type
        if not isinstance(value, kind):
            raise self._error(place, f"{_type(value)} stands where {name} belongs", f"write {name}")
        return value

    def _check_keys(
        self, place: tuple[str, ...], table: Mapping[str, object], known: Collection[str]
    ) -> None:
        for key in table:
            if key not in known:
                remedy = _did_you_mean(key, known, f"write {_any_of([*known])}, or remove it")
                raise self._error((*place, key), "this key is not known", remedy)

    def _error(self, place: tuple[str, ...], problem: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where(place)}: {problem}; {remedy}")

    def _where(self, place: Sequence[str]) -> str:
        line = _line_of(self._lines, place)
        return f"{self._path}{'' if line is None else f', line {line}'}: {'.'.join(place)}"


_Read = Callable[[_Reader, tuple[str, ...], object], object]
_FORM: Mapping[str, tuple[str, _Read]] = {
    "decimal": ("decimal", _Reader.decimal),
    "thousands": ("thousands", _Reader.text),
    "date": ("dates", _Reader.dates),
    "timezone": ("zone", _Reader.zone),
    "yes": ("yes", _Reader.words),
    "no": ("no", _Reader.words),
    "null": ("null", _Reader.texts),
    "empty": ("clear", _Reader.clear),
    "trim": ("trim", _Reader.flag),
}


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone of this name.

    Raises:
        ConfigurationError: If there is none.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"there is no time zone {name!r}; write Europe/Berlin or UTC for example"
        ) from error


def _line_of(lines: Sequence[str], place: Sequence[str]) -> int | None:
    """Return the line where a key of a TOML text stands, or the nearest key around it."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("["):
            path = _keys(text.strip("[").partition("]")[0] + " = 0")
            table = path or table
            found.setdefault(table, number)
        elif path := _keys(text):
            found.setdefault((*table, *path), number)
    ends = range(len(place), 0, -1)
    return next((found[key] for end in ends if (key := tuple(place[:end])) in found), None)


def _keys(line: str) -> tuple[str, ...]:
    """Return the dotted key with which a line of TOML begins; nothing if it begins with none."""
    start = -1
    for _ in range(_MOST_SIGNS):
        if (start := line.find("=", start + 1)) < 0:
            break
        try:
            value: Any = tomllib.loads(f"{line[:start]}= 0")
        except tomllib.TOMLDecodeError:
            # The sign is part of a key in quotes.
            continue
        path: list[str] = []
        while isinstance(value, dict) and value:
            (key, value), *_ = value.items()
            path.append(key)
        return tuple(path)
    return ()


def _advice(message: str) -> str:
    if "overwrite" in message or "declare" in message or "mutate" in message:
        return "a key or a table stands there twice; remove one of the two"
    if "key" in message or "statement" in message:
        return 'write "name" = "value": a name with blanks, umlauts or points needs the quotes'
    return "write texts in double quotes, and close each quote and bracket"


def _did_you_mean(name: str, known: Collection[str], otherwise: str) -> str:
    other = _SYNONYMS.get(name.lower())
    close = [other] if other in known else get_close_matches(name.lower(), known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise


_SYNONYMS = {
    **dict.fromkeys(("text", "str", "varchar"), "string"),
    **dict.fromkeys(("boolean", "yes-no", "checkbox"), "bool"),
    **dict.fromkeys(("float", "int", "integer", "money", "decimal"), "number"),
    **dict.fromkeys(("option", "select", "enum"), "enumeration"),
    **dict.fromkeys(("timestamp", "time"), "datetime"),
    **dict.fromkeys(("mapping", "fields", "properties", "map"), "columns"),
    **dict.fromkeys(("constant", "set", "defaults"), "constants"),
    **dict.fromkeys(("zone", "tz"), "timezone"),
    **dict.fromkeys(("format", "date_format", "dateformat"), "date"),
    **dict.fromkeys(("link", "links", "association"), "associate"),
}


def _any_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _type(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date"
