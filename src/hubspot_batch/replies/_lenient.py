"""Replies that are not quite what the document describes.

What decides is read strictly: which records there are, and which inputs are refused why. What only informs
is read where it can be, and left out where not: a record with an odd date is written all the same.
"""

import json
from collections.abc import Set as AbstractSet
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from hubspot_batch.contract._validation import is_unicode

_T = TypeVar("_T")

UNREADABLE = (ValueError, RecursionError)
"""Exceptions of decoding. Their text may repeat values of the reply."""

_UNIONS = {Union, UnionType}


class _Whole(str):
    """An integer with its text from the reply."""

    __slots__ = ()


class _Fraction(str):
    """Another number with its text from the reply: 9.00 must not become 9.0."""

    __slots__ = ()


class _MisfitError(ValueError):
    """A value has the wrong type."""


def read(content: bytes, struct: type[_T], decisive: AbstractSet[str]) -> _T:
    """Decode a body, and drop fields that do not fit.

    Numbers and bools become text if the document has text there, and null an empty list if it has a list.

    Args:
        content: The body. It may begin with a byte order mark.
        struct: What the document describes.
        decisive: What has to fit: fields, like `Record.id`, and keys of mappings, like `ids`.

    Raises:
        ValueError: If the body is not JSON, or an essential field does not fit; see `UNREADABLE`.
    """
    body = json.loads(content, parse_int=_Whole, parse_float=_Fraction)
    return msgspec.convert(_Reader(decisive).read(body, struct), struct)


class _Reader:
    """Reads JSON by the types of the generated Structs."""

    def __init__(self, decisive: AbstractSet[str]) -> None:
        self._decisive = decisive

    def read(self, value: object, kind: Any) -> Any:  # noqa: ANN401 - JSON, and what typing makes of a type
        """Convert a value to this type; raise `_MisfitError` if it does not fit."""
        origin = get_origin(kind)
        if origin is list and value is None:
            return []
        if origin is list and isinstance(value, list):
            return [self.read(item, *get_args(kind)) for item in value]
        if origin is dict and isinstance(value, dict):
            return self._mapping(value, get_args(kind)[1])
        if origin is Literal and value in get_args(kind):
            return value
        if origin in _UNIONS:
            return self._one_of(value, get_args(kind))
        if msgspec.inspect.is_struct_type(kind) and isinstance(value, dict):
            return self._struct(value, kind)
        return _scalar(value, kind)

    def _one_of(self, value: object, kinds: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as above
        # Null stays None if the document allows both None and a list.
        for kind in sorted(kinds, key=lambda kind: kind is not NoneType):
            with suppress(_MisfitError):
                return self.read(value, kind)
        raise _MisfitError

    def _mapping(self, value: dict[str, object], kind: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        found: dict[str, Any] = {}
        for key, item in value.items():
            if is_unicode(key):
                self._keep(found, key, key, _text_of(item), kind)
        return found

    def _struct(self, value: dict[str, object], struct: type[msgspec.Struct]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(struct):
            key, name = field.encode_name, f"{struct.__name__}.{field.encode_name}"
            if key in value:
                self._keep(found, key, name, value[key], field.type)
            if field.required and key not in found:
                if name in self._decisive:
                    raise _MisfitError
                found[key] = _nothing(field.type)
        return found

    def _keep(self, found: dict[str, Any], key: str, name: str, value: object, kind: Any) -> None:  # noqa: ANN401 - as above
        try:
            found[key] = self.read(value, kind)
        except _MisfitError:
            if name in self._decisive:
                raise


def _nothing(kind: Any) -> object:  # noqa: ANN401 - a type
    """Return the default for a required field that the reply lacks."""
    kinds = get_args(kind) if get_origin(kind) in _UNIONS else (kind,)
    if NoneType in kinds:
        return None
    return "" if str in kinds else False if bool in kinds else {}


def _text_of(value: object) -> object:
    """Return a value of a mapping of texts, with numbers and bools as text."""
    match value:
        case bool():
            return "true" if value else "false"
        case _Fraction():
            return str(value)
        case _:
            return value


def _scalar(value: object, kind: Any) -> object:  # noqa: ANN401 - a type
    match value:
        case None if kind is NoneType:
            return None
        case bool() if kind is bool:
            return value
        case _Whole() if kind is int and len(value) < len(str(2**63)):
            return int(value)
        case str() if kind is str and not isinstance(value, _Fraction) and is_unicode(value):
            return str(value)
        case _:
            raise _MisfitError
