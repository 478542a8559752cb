"""Links whose ends are named by a unique property: taken out of an input, which then has ids to fill in.

HubSpot links ids only. So `{"type": "orders", "property": "hs_external_order_id", "value": "SO-1"}` in place
of `{"id": "44001"}` is for the engine, which reads the id first.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from hubspot_batch.contract._associations import OBJECT_TYPES, TARGETS, association_type, object_type_of
from hubspot_batch.contract._inputs import fields_of
from hubspot_batch.contract._operations import Operation, operations, resolve
from hubspot_batch.contract._validation import Path, fault_at, is_unicode, name_of
from hubspot_batch.contract._values import Problem, encode_value
from hubspot_batch.errors import ConfigurationError, InputIssue

# What stands for an id that is not known yet. HubSpot gives no such id.
NO_ID = "0"
# docs/behaviour.md, "Property values"
_LONGEST_VALUE = 65_536
_KEY = ("property", "value")
_KNOWN = ("type", *_KEY)
_ANY_TYPES = [{"associationCategory": "USER_DEFINED", "associationTypeId": 1}]
_ENDS = {"from": "fromObjectType", "to": "toObjectType"}


class Key(NamedTuple):
    """What names a record in place of its id.

    Attributes:
        object_type: The type of the record.
        property: A property with another value for each record of that type.
        value: Its value.
    """

    object_type: str
    property: str
    value: str

    def __repr__(self) -> str:
        return f"Key({self.object_type}.{self.property})"


class TakenLinks(NamedTuple):
    """An input, and what was taken out of it.

    Attributes:
        item: The input, with `NO_ID` in place of each key.
        keys: The keys, and where in the input their ids belong.
        later: The associations of an upsert, which are written after the record.
        targets: The object type that each of these leads to; None where only its type id says it.
        faults: What is wrong with the links.
    """

    item: object
    keys: Sequence[tuple[Path, Key]] = ()
    later: Any = None
    targets: Sequence[str | None] = ()
    faults: Sequence[InputIssue] = ()


def linkable_types() -> Sequence[str]:
    """Return the object types whose records can be read, and linked after they were written."""
    parameter = operations()["create_associations"].path_parameters["toObjectType"]
    return resolve(parameter)["enum"]  # type: ignore[no-any-return]


def take_links(operation: Operation, item: object, index: int, arguments: Mapping[str, object]) -> TakenLinks:
    """Take what HubSpot does not know out of the links of an input, and all associations out of an upsert.

    Args:
        operation: What the input is for.
        item: The input. What is not one stays as it is.
        index: Its place among those that are checked together.
        arguments: The parameters of the path.
    """
    fields = fields_of(item)
    if not isinstance(fields, Mapping):
        return TakenLinks(item)
    if "from" in operation.input_keys:
        return _of_pair(fields, index, arguments)
    if "associations" not in fields or operation.verb not in {"create", "upsert"}:
        return TakenLinks(item)
    reader = _Reader(operation.object_type)
    links = reader.links(fields["associations"], ("inputs", index, "associations"))
    if operation.verb == "create":
        keys = [(("associations", *path), key) for path, key in reader.keys]
        return TakenLinks({**fields, "associations": links}, keys, faults=reader.faults)
    rest = {name: value for name, value in fields.items() if name != "associations"}
    return TakenLinks(rest, reader.keys, links, reader.targets, reader.faults)


def target_of(object_type: str, types: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the object type that a link leads to; None where its type ids do not tell it."""
    known = TARGETS[object_type]
    ids = [one["associationTypeId"] for one in types if one["associationCategory"] == "HUBSPOT_DEFINED"]
    found = {known.get(number) for number in ids}
    return found.pop() if len(found) == 1 else None


def _of_pair(fields: Mapping[Any, object], index: int, arguments: Mapping[str, object]) -> TakenLinks:
    reader = _Reader(None)
    ends = {
        name: reader.end(fields[name], ("inputs", index, name), (name,), str(arguments.get(argument, "")))
        for name, argument in _ENDS.items()
        if name in fields
    }
    return TakenLinks({**fields, **ends}, reader.keys, faults=reader.faults)


class _Reader:
    """Reads the ends of links.

    Args:
        object_type: The type of the record that has the links; None where a pair has two ends.
    """

    def __init__(self, object_type: str | None) -> None:
        self.keys: list[tuple[Path, Key]] = []
        self.targets: list[str | None] = []
        self.faults: list[InputIssue] = []
        self._object_type = object_type

    def links(self, associations: object, path: Path) -> object:
        """Return associations with ids only. The document refuses what is not a list of them."""
        if not isinstance(associations, list | tuple):
            return associations
        return [self._link(link, number, (*path, number)) for number, link in enumerate(associations)]

    def _link(self, link: object, number: int, path: Path) -> object:
        fields = fields_of(link)
        target = fields_of(fields.get("to")) if isinstance(fields, Mapping) else None
        if not isinstance(fields, Mapping) or not _is_ours(target):
            self.targets.append(None)
            return link
        end = self.end(target, (*path, "to"), (number, "to"), None)
        object_type = object_type_of(name) if isinstance(name := target.get("type"), str) else None
        self.targets.append(object_type)
        types = fields["types"] if "types" in fields else self._types(object_type, (*path, "to", "type"))
        return {**fields, "to": end, "types": types}

    def end(self, end: object, path: Path, place: Path, object_type: str | None) -> object:
        """Return an end with an id, and keep its key. An end without a key keeps its id.

        Args:
            end: The end as it was given.
            path: Where it stands.
            place: Where its id belongs.
            object_type: The type of its record, where it is known without the key. It is empty where rows are
                checked apart from the call that they are for.
        """
        fields = fields_of(end)
        if not _is_ours(fields):
            return end
        has_key = not fields.keys().isdisjoint(_KEY)
        faults = [*_faults(fields, path, object_type, has_key=has_key)]
        self.faults.extend(faults)
        if not has_key:
            return {"id": fields.get("id", NO_ID)}
        if not faults:
            kind = object_type_of(fields["type"]) if "type" in fields else object_type
            text = _text_of(fields["value"])
            self.keys.append((place, Key(str(kind), fields["property"], str(text))))
        return {"id": NO_ID}

    def _types(self, object_type: str | None, path: Path) -> object:
        # That a type is missing, or none, is told already.
        if object_type is None:
            return _ANY_TYPES
        try:
            return [association_type(str(self._object_type), object_type)]
        except ConfigurationError as error:
            problem, _, remedy = str(error).partition("; ")
            self.faults.append(fault_at(path, problem, remedy))
            return _ANY_TYPES


def _is_ours(end: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether an end has anything that HubSpot does not know."""
    return isinstance(end, Mapping) and not end.keys().isdisjoint(_KNOWN)


def _faults(
    fields: Mapping[str, object], path: Path, object_type: str | None, *, has_key: bool
) -> Iterator[InputIssue]:
    """Yield what is wrong with an end that has a type or a key."""
    if has_key and "id" in fields:
        yield fault_at(path, "the record is named by its id and by a property", "give one of the two")
        return
    for name in fields.keys() - {*_KNOWN, "id"}:
        close = difflib.get_close_matches(str(name), _KNOWN, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(_KNOWN)}"
        yield fault_at((*path, str(name)), "the end of a link has no such key", remedy)
    needed = (*(() if object_type is not None else ("type",)), *(_KEY if has_key else ("id",)))
    for name in needed:
        if name not in fields:
            yield fault_at(path, f"{name!r} is missing", "add it")
    if "property" in fields:
        yield from _property_faults(fields["property"], (*path, "property"))
    if "value" in fields and isinstance(text := _text_of(fields["value"]), Problem):
        yield fault_at((*path, "value"), *text)
    if "type" in fields:
        yield from _type_faults(fields["type"], (*path, "type"), object_type, has_key=has_key)


def _property_faults(name: object, path: Path) -> Iterator[InputIssue]:
    if not isinstance(name, str):
        yield fault_at(path, f"{name_of(name)} stands where the name of a property belongs", "name one")
    elif not name:
        yield fault_at(path, "the name of the property is empty", "name a property whose values are unique")
    elif name == "hs_object_id":
        yield fault_at(path, "hs_object_id is the record id", 'write it as {"id": ...}')
    elif not is_unicode(name):
        yield fault_at(path, "the name is not Unicode text", "name a property of the account")


def _type_faults(name: object, path: Path, object_type: str | None, *, has_key: bool) -> Iterator[InputIssue]:
    found = object_type_of(name) if isinstance(name, str) else None
    if found is None:
        close = difflib.get_close_matches(str(name), OBJECT_TYPES, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(linkable_types())}"
        yield fault_at(path, "this is not the name of an object type", remedy)
    elif object_type and found != object_type:
        yield fault_at(path, f"this end of the links of the call is of type {object_type}", "leave type out")
    elif has_key and found not in linkable_types():
        yield fault_at(
            path,
            f"records of type {found} cannot be looked up here",
            f'give the id: {{"type": "{found}", "id": ...}}',
        )


def _text_of(value: object) -> str | Problem:
    if value is None:
        return Problem("there is no value", "fill it in, or leave the link out")
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return Problem("a list stands where one value belongs", "make a link for each")
    text = encode_value(value)
    if isinstance(text, Problem):
        return text
    if not text.strip():
        return Problem("the value is empty", "fill it in, or leave the link out")
    if len(text) > _LONGEST_VALUE:
        return Problem(f"no property holds more than {_LONGEST_VALUE:,} characters", "write a shorter value")
    return text if is_unicode(text) else Problem("the value is not Unicode text", "write it as text")
