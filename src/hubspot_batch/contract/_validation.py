"""Validation of payloads: against the document, and for what else HubSpot refuses."""

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec
from jsonschema_rs import ValidationError, ValidationErrorKind

from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ConfigurationError, InputIssue

Path: TypeAlias = Sequence[str | int]
_Node = TypeVar("_Node")

_REMEDIES = {
    "object": "write a mapping",
    "array": "write a list",
    "string": "write it as text, in quotes",
    "integer": "write a whole number, without quotes",
    "boolean": "write true or false, without quotes",
}
_NO_BODY = InputIssue(index=None, pointer="", problem="the operation takes no body", remedy="send none")
_BETWEEN_NAMES = re.compile(r"[\s,;]")
# docs/behaviour.md, "Batch size"
MOST_WITH_HISTORY = 50
_SAMPLES = {"array": "[...]", "object": "{...}", "string": '"..."'}
# Unknown keys are reported even where their value was replaced.
_UNKNOWN_KEY = ValidationErrorKind.AdditionalProperties
# Deeper than the document: a structure that contains itself ends here.
_DEEPEST = 8


def validate(operation: contract.OperationId, payload: object) -> tuple[InputIssue, ...]:
    """Check a payload against the document, without sending anything.

    The payload is the body of a request as `json.load` returns it: `{"inputs": [...]}`, with property values
    as text. (The client is more lenient: it converts numbers, dates and bools.)
    It is None for an operation without a body.

    Args:
        operation: The id of an operation of the document, `create_orders` for example.
        payload: The body to check.

    Returns:
        Every fault, with the index of its input, a JSON pointer and a remedy; empty if there is none.

    Raises:
        ConfigurationError: If the document has no such operation.
    """
    known = contract.operation(operation)
    if known.request_schema is None:
        return () if payload is None else (_NO_BODY,)
    if is_valid(known, payload) and _can_be_encoded(payload):
        return ()
    copy = JsonCopy()
    content = copy.of(payload, ())
    return (*copy.faults, *contradictions(known, content, copy.replaced))


def argument_faults(operation: contract.Operation, arguments: Mapping[str, object]) -> list[InputIssue]:
    """Return what is wrong with the parameters of the path and the query, by their names in the document."""
    copy = JsonCopy()
    content = copy.of(arguments, ())
    errors = contract.parameter_validator(operation.id).iter_errors(content)
    return [*copy.faults, *(fault for error in errors for fault in _explain_argument(operation, error))]


def _explain_argument(operation: contract.Operation, error: ValidationError) -> Iterator[InputIssue]:
    known = [*operation.path_parameters, *operation.query_parameters]
    match error.kind:
        case ValidationErrorKind.Required():
            yield fault_at((error.kind.property,), "the parameter is missing", "add it")
        case ValidationErrorKind.AdditionalProperties():
            for name in error.kind.unexpected:
                yield fault_at((name,), "the document knows no such parameter", _spelling(name, known))
        case ValidationErrorKind.Type() if _is_listed(operation, error.instance_path):
            pass  # what may stand there is told anyway
        case ValidationErrorKind.Type():
            expected = error.kind.types[0]
            problem = f"{name_of(error.instance)} stands where {_article(expected)} belongs"
            yield fault_at(error.instance_path, problem, _REMEDIES[expected])
        case _:
            yield _explain_limit(error, "write it, or leave it out")


def _is_listed(operation: contract.Operation, path: Path) -> bool:
    """Return whether the document lists the values that a parameter takes."""
    known = {**operation.path_parameters, **operation.query_parameters}
    return any("enum" in contract.resolve(known[str(name)]) for name in path)


def _can_be_encoded(payload: object) -> bool:
    try:
        msgspec.json.encode(payload)
    except UnicodeEncodeError:
        return False
    return True


def contradictions(
    operation: contract.Operation, content: object, replaced: AbstractSet[str] = frozenset()
) -> list[InputIssue]:
    """Return the faults of JSON content by the document, and repeated values.

    Args:
        operation: The operation.
        content: A `JsonCopy`.
        replaced: Pointers to nulls that replace a value with a fault.
    """
    return [*input_faults(operation, content, replaced), *_repetitions(operation, content)]


def is_valid(operation: contract.Operation, payload: object) -> bool:
    """Return whether a payload is valid, without collecting its faults.

    It does not check that text is Unicode; the JSON encoder does.
    """
    try:
        valid = contract.quick_validator(_schema_of(operation)).is_valid(payload)
    except ValueError:
        # It contains a value that JSON does not have.
        return False
    return valid and not _is_refused(operation, payload)


def input_faults(
    operation: contract.Operation, content: object, replaced: AbstractSet[str] = frozenset()
) -> list[InputIssue]:
    """Return the faults of each input on its own. The arguments are those of `contradictions`."""
    faults: list[InputIssue] = []
    schema = _schema_of(operation)
    if not contract.quick_validator(schema).is_valid(content):
        flat = {index for index, item in enumerate(_inputs_of(content)) if is_flat(operation, item)}
        faults = [
            *(fault_at(("inputs", index), *flat_row(operation)) for index in flat),
            *(
                fault
                for error in contract.validator(schema).iter_errors(content)
                if not flat.intersection(error.instance_path[1:2])
                for fault in _explain(operation, error)
                if fault.pointer not in replaced or isinstance(error.kind, _UNKNOWN_KEY)
            ),
        ]
    return [*faults, *_refused(operation, content)]


def _schema_of(operation: contract.Operation) -> str:
    """Return the name of the schema of the body of an operation.

    Raises:
        ConfigurationError: If it has none.
    """
    if operation.request_schema is None:
        raise ConfigurationError(f"{operation.id} takes no inputs")
    return operation.request_schema


def is_flat(operation: contract.Operation, item: object) -> bool:
    """Return whether an input is a row with the properties as its keys."""
    return (
        "properties" in operation.input_keys
        and isinstance(item, Mapping)
        and "properties" not in item
        and not operation.input_keys.issuperset(item)
        and not any(isinstance(value, Mapping) for value in item.values())
    )


def flat_row(operation: contract.Operation) -> tuple[str, str]:
    """Return the problem with a flat row, and the remedy."""
    problem = "a flat row stands where an input belongs"
    remedy = (
        'write {"properties": {...}}; of rows in Python, '
        f'hubspot_batch.bulk.inputs_from(rows, verb="{operation.verb}") makes inputs'
    )
    return problem, remedy


class JsonCopy:
    """Makes copies with JSON types only. A value that cannot be copied becomes null and a fault.

    Attributes:
        faults: The values that could not be copied.
        replaced: The pointers to the nulls.
    """

    def __init__(self) -> None:
        self.faults: list[InputIssue] = []
        self.replaced: set[str] = set()
        self._open: set[int] = set()

    def of(self, node: object, path: Path) -> Any:  # noqa: ANN401 - JSON
        """Return the copy of the node at this path."""
        match node:
            case None | bool():
                return node
            case int():
                return int(node)
            case float() if math.isfinite(node):
                return float(node)
            case float():
                self.replace(
                    path,
                    "JSON has neither NaN nor infinity",
                    "write a finite number as text, or leave the key out",
                )
                return None
            case str() if is_unicode(node):
                return str.__str__(node)
            case dict() | list() | tuple():
                return self.inside(node, path, self._container)
            case _:
                problem = f"{name_of(node)} that JSON cannot express"
                self.replace(path, problem, "write it as Unicode text")
                return None

    def inside(self, node: _Node, path: Path, copy: Callable[[_Node, Path], Any]) -> Any:  # noqa: ANN401 - JSON
        """Copy a mapping or list with a function, unless it contains itself or is nested too deeply."""
        if len(path) > _DEEPEST or id(node) in self._open:
            self.replace(path, "the payload is nested too deeply", "write plain mappings and lists")
            return None
        self._open.add(id(node))
        content = copy(node, path)
        self._open.discard(id(node))
        return content

    def _container(self, node: dict[Any, object] | Sequence[object], path: Path) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, dict):
            return {
                str.__str__(key): self.of(value, (*path, key))
                for key, value in node.items()
                if self.takes_key(key, path)
            }
        return [self.of(value, (*path, index)) for index, value in enumerate(node)]

    def takes_key(self, key: object, path: Path) -> bool:
        """Return whether a mapping at this path may have this key. If not, add a fault."""
        if not is_unicode(key):
            self.faults.append(fault_at(path, "a key is not Unicode text", "write the key as text"))
            return False
        return True

    def replace(self, path: Path, problem: str, remedy: str) -> None:
        """Add a fault for a value that null replaces."""
        fault = fault_at(path, problem, remedy)
        self.faults.append(fault)
        self.replaced.add(fault.pointer)


def is_unicode(value: object) -> bool:
    """Return whether a value is text without lone surrogates, which UTF-8 cannot encode."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def fault_at(path: Path, problem: str, remedy: str) -> InputIssue:
    """Return a fault at a path of a payload."""
    index = path[1] if len(path) > 1 and path[0] == "inputs" else None
    return InputIssue(
        index=index if isinstance(index, int) else None,
        pointer="".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path),
        problem=problem,
        remedy=remedy,
    )


def name_of(value: object) -> str:
    """Return the JSON type of a value in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a bool"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"a value of type {type(value).__name__}"


def _explain(operation: contract.Operation, error: ValidationError) -> Iterator[InputIssue]:
    path, kind = error.instance_path, error.kind
    if path[-1:] in (["from"], ["to"]) and _is_named(error.instance):
        if isinstance(kind, ValidationErrorKind.AdditionalProperties):
            yield fault_at(
                path,
                "one request takes record ids only",
                f"give the id, or let {operation.verb}_all look it up by the property",
            )
        return
    match kind:
        case ValidationErrorKind.Type():
            place = _Place.of(operation, path)
            if not place.options:  # else these are reported
                yield _wrong_type(operation, path, kind.types[0], error.instance, place)
        case ValidationErrorKind.Required() if kind.property == "types" and _leads_to_named(error.instance):
            pass  # such an end has to be mended anyway
        case ValidationErrorKind.Required():
            remedy = (
                "add it, or give id_property, for all inputs" if kind.property == "idProperty" else "add it"
            )
            yield fault_at(path, f"{kind.property!r} is missing", remedy)
        case ValidationErrorKind.AdditionalProperties():
            allowed = _allowed_keys(error.schema_path)
            for key in kind.unexpected:
                remedy = _elsewhere(operation, path, key) or _spelling(key, allowed)
                yield fault_at((*path, key), "the document knows no such key", remedy)
        case ValidationErrorKind.PropertyNames():
            yield fault_at(path, "a property has an empty name", "name the property")
        case _:
            yield _explain_limit(error, _Place.of(operation, path).remedy("fill it in"))


def _is_named(end: object) -> bool:
    """Return whether the end of a link is named by a property, as the engine for many rows takes it."""
    return isinstance(end, Mapping) and "property" in end and "value" in end


def _leads_to_named(link: object) -> bool:
    return isinstance(link, Mapping) and _is_named(link.get("to"))


def _explain_limit(error: ValidationError, fill: str) -> InputIssue:
    """Return what is wrong with a value of the right type; `fill` is the remedy for an empty text."""
    path, kind = error.instance_path, error.kind
    match kind:
        case ValidationErrorKind.Enum():
            return fault_at(
                path, "this is not an option", f"write one of {', '.join(map(str, kind.options))}"
            )
        case ValidationErrorKind.MinLength():
            return fault_at(path, "the text is empty", fill)
    rule = "/".join(map(str, error.schema_path))
    other = (f"it breaks the rule {kind.name}", f"see {rule} of the document")
    return fault_at(path, *(_out_of_bounds(kind) or other))


def _out_of_bounds(kind: object) -> tuple[str, str] | None:
    match kind:
        case ValidationErrorKind.MinItems(limit=limit):
            return (
                "the list is empty" if limit == 1 else f"there are fewer than {limit}",
                f"give at least {limit}",
            )
        case ValidationErrorKind.MaxItems(limit=limit):
            return f"there are more than {limit}", f"give at most {limit}"
        case ValidationErrorKind.Minimum(limit=limit):
            return f"the number is below {limit}", f"write {limit} or more"
        case ValidationErrorKind.Maximum(limit=limit):
            return f"the number is above {limit}", f"write {limit} or less"
    return None


class _Place(NamedTuple):
    """What the document says about a place in a body.

    Attributes:
        is_property: Whether it is a property value.
        is_optional: Whether the key can be left out.
        options: The values of an enum.
    """

    is_property: bool = False
    is_optional: bool = False
    options: Sequence[str] = ()

    @classmethod
    def of(cls, operation: contract.Operation, path: Path) -> "_Place":
        schema: Mapping[str, Any] = contract.schema(_schema_of(operation))
        place = cls()
        for part in path:
            named = schema.get("properties", {})
            # jsonschema-rs gives a key of digits as a number, too.
            key = None if isinstance(part, int) and "items" in schema else str(part)
            is_property = key is not None and key not in named
            inner = schema["items"] if key is None else named.get(key)
            inner = contract.resolve(schema["additionalProperties"] if inner is None else inner)
            is_optional = key is not None and key not in schema.get("required", ())
            schema, place = inner, cls(is_property, is_optional, inner.get("enum", ()))
        return place

    def remedy(self, what: str) -> str:
        return f"{what}, or leave the key out" if self.is_optional else what


def _wrong_type(
    operation: contract.Operation, path: Path, expected: str, instance: object, place: _Place
) -> InputIssue:
    problem = f"{name_of(instance)} stands where {_article(expected)} belongs"
    if not path:
        return fault_at(path, problem, 'write {"inputs": [...]}')
    if path == ["inputs"]:
        return fault_at(path, problem, f"write [{sample_input(operation)}]")
    if path[:-1] == ["inputs"]:
        return fault_at(path, problem, f"write {sample_input(operation)}")
    if place.is_property and instance is None:
        return fault_at(path, problem, 'write "" to clear a property, or leave the key out')
    if place.is_property and isinstance(instance, list):
        return fault_at(path, problem, "write it as text, with a semicolon between two options")
    return fault_at(
        path, problem, place.remedy(_REMEDIES[expected]) if instance is None else _REMEDIES[expected]
    )


def sample_input(operation: contract.Operation) -> str:
    """Return what an input looks like, with the keys that it must have."""
    schema = _input_schema(operation)
    kinds = {key: contract.resolve(schema["properties"][key])["type"] for key in schema["required"]}
    return "{" + ", ".join(f'"{key}": {_SAMPLES[kind]}' for key, kind in kinds.items()) + "}"


def _input_schema(operation: contract.Operation) -> Mapping[str, Any]:
    body = contract.schema(_schema_of(operation))
    return contract.resolve(body["properties"]["inputs"]["items"])


def _article(json_type: str) -> str:
    names = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false"}
    return names.get(json_type, "a whole number")


def _allowed_keys(schema_path: Path) -> list[str]:
    schema: Any = contract.document()
    for part in schema_path[:-1]:
        schema = schema[part]
    return list(schema["properties"])


def _elsewhere(operation: contract.Operation, path: Path, key: str) -> str | None:
    """Return what to do with a key that belongs in another place, or in the inputs of other operations."""
    if not path and key in operation.input_keys:
        return "write it into each input"
    if path[:-1] != ["inputs"]:
        return None
    if key in operation.body_keys:
        return "write it beside inputs, once for all"
    known = contract.operations().values()
    others = {other.verb for other in known if key in other.input_keys and other.verb != operation.verb}
    if not others:
        return None
    if key == "associations" and operation.verb == "upsert":
        return "HubSpot upserts none; leave it out, or let upsert_all write them after the records"
    takes = "does" if len(others) == 1 else "do"
    return f"{operation.verb} does not take it, only {', '.join(sorted(others))} {takes}; leave it out"


def _spelling(key: str, allowed: Sequence[str]) -> str:
    if close := difflib.get_close_matches(key, allowed, n=1):
        return f"did you mean {close[0]!r}?"
    return f"the keys are {', '.join(allowed)}"


def _is_refused(operation: contract.Operation, content: Any) -> bool:  # noqa: ANN401 - JSON
    """Return whether `_refused` or `_repetitions` has a fault to tell of content that the schema allows.

    Every batch comes by here, and to look for each fault by itself takes several times as long.
    """
    inputs, named = content["inputs"], content.get("idProperty", "")
    ids = [link["to"]["id"] for item in inputs for link in item.get("associations", ())]
    traces = [item["objectWriteTraceId"] for item in inputs if "objectWriteTraceId" in item]
    records: list[tuple[str, str]] = []
    if "id" in operation.input_keys:
        records = [(item.get("idProperty", named), item["id"]) for item in inputs]
        ids += [record for name, record in records if not name]
    if "from" in operation.input_keys:
        # An operation that the facade does not know may have other ends than one.
        pairs = [(item["from"], item["to"]) for item in inputs if isinstance(item["to"], dict)]
        records = [(start["id"], end["id"]) for start, end in pairs]
        ids += chain.from_iterable(records)
    return (
        # None of them is empty.
        not (not ids or _is_record_id("".join(ids)))
        or len({*traces}) < len(traces)
        or len({*records}) < len(records)
        or any(name == "hs_object_id" for name, _ in records)
        or (bool(operation.body_keys) and any(_refused_beside(operation, content)))
    )


def _inputs_of(content: object) -> Sequence[Any]:
    inputs = content.get("inputs") if isinstance(content, dict) else None
    return inputs if isinstance(inputs, list | tuple) else ()


def _refused(operation: contract.Operation, content: object) -> Iterator[InputIssue]:
    """Yield what HubSpot refuses, or passes over in silence, although the schema allows it."""
    beside = content if operation.body_keys and isinstance(content, dict) else {}
    for index, item in enumerate(_inputs_of(content)):
        # Every batch comes by here, and a match takes several times as long.
        if not isinstance(item, dict):
            continue
        if "id" in item and "id" in operation.input_keys:
            yield from _refused_id(operation, item, index, named="idProperty" in beside)
        if "associations" in item:
            yield from _refused_targets(item["associations"], index)
        if "from" in item:
            yield from _refused_end(item["from"], ("inputs", index, "from"))
            yield from _refused_end(item.get("to"), ("inputs", index, "to"))
    if beside:
        yield from _refused_beside(operation, beside)


def _refused_id(
    operation: contract.Operation, item: Mapping[str, object], index: int, *, named: bool
) -> Iterator[InputIssue]:
    record = item["id"]
    if not isinstance(record, str):
        return
    if item.get("idProperty") == "hs_object_id":
        yield _not_a_unique_property(operation, ("inputs", index, "idProperty"))
    elif record and not named and "idProperty" not in item and not _is_record_id(record):
        if "idProperty" in _input_schema(operation)["required"]:
            return  # that it is missing is told anyway
        place = "as idProperty, beside inputs" if "idProperty" in operation.body_keys else "as idProperty"
        other = f"; where it is the value of a unique property, name that property {place}"
        takes_values = "idProperty" in operation.input_keys or "idProperty" in operation.body_keys
        yield fault_at(
            ("inputs", index, "id"),
            "a record id has digits only",
            f"write it as HubSpot shows it, without point, exponent or space{other if takes_values else ''}",
        )


def _refused_targets(associations: object, index: int) -> Iterator[InputIssue]:
    for number, link in enumerate(associations if isinstance(associations, list | tuple) else ()):
        target = link.get("to") if isinstance(link, dict) else None
        yield from _refused_end(target, ("inputs", index, "associations", number, "to"))


def _refused_end(end: object, path: Path) -> Iterator[InputIssue]:
    record = end.get("id") if isinstance(end, dict) else None
    if isinstance(record, str) and record and not _is_record_id(record):
        yield fault_at(
            (*path, "id"),
            "a record id has digits only",
            "write it as HubSpot shows it, without point, exponent or space",
        )


def _refused_beside(operation: contract.Operation, content: Mapping[str, object]) -> Iterator[InputIssue]:
    if content.get("idProperty") == "hs_object_id":
        yield _not_a_unique_property(operation, ("idProperty",))
    for key in ("properties", "propertiesWithHistory"):
        names = content.get(key)
        for index, name in enumerate(names if isinstance(names, list | tuple) else ()):
            if isinstance(name, str) and _BETWEEN_NAMES.search(name):
                yield fault_at(
                    (key, index), "no property has such a name", "write each internal name by itself"
                )
    if content.get("propertiesWithHistory") and len(_inputs_of(content)) > MOST_WITH_HISTORY:
        yield fault_at(
            ("inputs",),
            f"there are more than {MOST_WITH_HISTORY}, the most where propertiesWithHistory names any",
            f"give at most {MOST_WITH_HISTORY}, or ask for no history",
        )


def _is_record_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _not_a_unique_property(operation: contract.Operation, path: Path) -> InputIssue:
    remedy = "leave idProperty out where id is the record id"
    if "idProperty" in _input_schema(operation)["required"]:
        remedy = "name a property whose values are unique; to change records by their ids, update them"
    return fault_at(path, "HubSpot refuses hs_object_id as the name of a unique property", remedy)


def _repetitions(operation: contract.Operation, content: object) -> Iterator[InputIssue]:
    """Yield what no two inputs of one request may share, although each by itself is right."""
    traces: dict[str, int] = {}
    records: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[str, str], int] = {}
    for index, item in enumerate(_inputs_of(content)):
        if not isinstance(item, dict):
            continue
        # Every batch comes by here, and a match takes several times as long.
        trace, record, name = item.get("objectWriteTraceId"), item.get("id"), item.get("idProperty", "")
        if isinstance(trace, str) and (first := traces.setdefault(trace, index)) != index:
            yield _repeated(operation, index, "objectWriteTraceId", first)
        if "from" in item:
            yield from _repeated_pair(index, item, pairs)
        if not isinstance(record, str) or not isinstance(name, str) or name == "hs_object_id":
            continue
        if (first := records.setdefault((name, record), index)) != index:
            yield _repeated(operation, index, "id", first)


def _repeated(operation: contract.Operation, index: int, key: str, first: int) -> InputIssue:
    problem = f"it repeats that of inputs[{first}]"
    if "properties" not in operation.input_keys:
        return fault_at(("inputs", index, key), problem, "name each record once")
    return fault_at(
        ("inputs", index, key),
        f"{problem}, for which HubSpot refuses the whole batch",
        "send the two in two requests" if key == "id" else "give each input one of its own",
    )


def _repeated_pair(
    index: int, item: Mapping[str, object], pairs: dict[tuple[str, str], int]
) -> Iterator[InputIssue]:
    match item:
        case {"from": {"id": str(one)}, "to": {"id": str(other)}}:
            if (first := pairs.setdefault((one, other), index)) != index:
                yield fault_at(
                    ("inputs", index),
                    f"it repeats the pair of inputs[{first}]",
                    "give one input all the types of the pair",
                )
