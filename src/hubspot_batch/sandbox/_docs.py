"""The page at `/docs`: an OpenAPI 3.1 document as HTML, for people to read."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._html import (
    NOTHING,
    Html,
    anchor,
    code,
    details,
    escaped,
    inline,
    join,
    link,
    listed,
    prose,
    tag,
    titled,
    whole,
)
from hubspot_batch.sandbox._page import style

Node: TypeAlias = Mapping[str, Any]
Schema: TypeAlias = Node | bool

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMAS = "#/components/schemas/"
_COLUMNS = ("Name", "Type", "Required", "Description", "Constraints")
_LIMITS = {
    "format": "format {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "pattern": "matches {}",
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "multiple of {}",
    "minItems": "items ≥ {}",
    "maxItems": "items ≤ {}",
    "minProperties": "fields ≥ {}",
    "maxProperties": "fields ≤ {}",
    "const": "always {}",
    "default": "{} by default",
    "example": "{} for example",
    "uniqueItems": "no item twice",
    "readOnly": "read-only",
    "writeOnly": "write-only",
    "deprecated": "deprecated",
}


class _Operation(Struct, frozen=True):
    name: str
    title: str
    method: str
    path: str
    node: Node
    parameters: tuple[Node, ...]


def render(document: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as one page of HTML that needs nothing else: no script, no other host.

    All that the document says is shown as text. In descriptions, empty lines part paragraphs and backticks
    mark code.

    Raises:
        ConfigurationError: If a reference leads nowhere, in a circle or out of the document.
    """
    page = _Page(document)
    body = join(tag("nav", page.contents(), aria_label="Contents"), tag("main", page.body()))
    return whole(document["info"]["title"], style(), tag("body", body, class_="docs"))


class _Page:
    def __init__(self, document: Node) -> None:
        self._document = document
        self._components: Node = document.get("components", {})
        self._schemas: Node = self._components.get("schemas", {})
        self._tags = {item["name"]: item.get("description", "") for item in document.get("tags", ())}

    def contents(self) -> Html:
        groups = [
            titled("h2", name, listed(*(link(item.title, anchor("operation", item.name)) for item in items)))
            for name, items in self._groups().items()
        ]
        schemas = listed(*(link(name, anchor("schema", name)) for name in self._schemas))
        return join(tag("a", escaped("Sandbox"), href="/"), *groups, titled("h2", "Schemas", schemas))

    def body(self) -> Html:
        schemes = self._resolved(self._components.get("securitySchemes", {}))
        access = titled("h2", "Authentication", *map(_scheme, schemes, schemes.values()))
        groups = (self._group(name, operations) for name, operations in self._groups().items())
        schemas = (self._schema(name, schema) for name, schema in self._schemas.items())
        return join(self._head(), access, *groups, titled("h2", "Schemas", *schemas))

    def _head(self) -> Html:
        info = self._document["info"]
        servers = [server["url"] for server in self._document.get("servers", ())]
        facts = " · ".join([f"Version {info['version']}", f"OpenAPI {self._document['openapi']}", *servers])
        title, quiet = tag("h1", escaped(info["title"])), tag("p", escaped(facts), class_="quiet")
        return join(title, quiet, prose(info.get("summary", "")), prose(info.get("description", "")))

    def _groups(self) -> Mapping[str, list[_Operation]]:
        groups: dict[str, list[_Operation]] = {name: [] for name in self._tags}
        for operation in self._operations():
            groups.setdefault(next(iter(operation.node.get("tags", ())), "Other"), []).append(operation)
        return groups

    def _operations(self) -> Iterator[_Operation]:
        for path, entry in self._document.get("paths", {}).items():
            item = self._resolve(entry)
            for method in (key for key in item if key in _METHODS):
                node = item[method]
                name = node.get("operationId", f"{method} {path}")
                own = (*item.get("parameters", ()), *node.get("parameters", ()))
                parameters = tuple(map(self._resolve, own))
                yield _Operation(name, node.get("summary", name), method.upper(), path, node, parameters)

    def _group(self, name: str, operations: Iterable[_Operation]) -> Html:
        title = tag("h2", escaped(name))
        return join(title, prose(self._tags.get(name, "")), *map(self._operation, operations))

    def _operation(self, operation: _Operation) -> Html:
        node, method = operation.node, tag("span", escaped(operation.method), class_="method")
        rows = [(f"{item['name']} ({item['in']})", *_value(item)) for item in operation.parameters]
        return tag(
            "article",
            tag("h3", escaped(operation.title)),
            tag("p", method, escaped(" "), code(operation.path)),
            prose(node.get("description", "")),
            titled("h4", "Scopes", self._scopes(node.get("security", self._document.get("security", ())))),
            titled("h4", "Parameters", self._table(rows)),
            self._request(self._resolve(node.get("requestBody", {}))),
            titled("h4", "Responses", *self._responses(node.get("responses", {}))),
            id=anchor("operation", operation.name),
        )

    def _scopes(self, security: Iterable[Node]) -> Html:
        schemes: dict[Html, list[Html]] = {}
        for needs in security:
            scopes = join(*(code(scope) for names in needs.values() for scope in names), by=" and ")
            names = join(*map(escaped, needs), by=" and ")
            schemes.setdefault(scopes or escaped("none"), []).append(names or escaped("no token"))
        ways = (join(scopes, join(*names, by=" or "), by=" with ") for scopes, names in schemes.items())
        return join(*ways, by=", or ")

    def _request(self, body: Node) -> Html:
        media = [self._media(kind, media, fields=True) for kind, media in body.get("content", {}).items()]
        title = "Request body" if body.get("required") else "Request body (optional)"
        return titled("h4", title, prose(body.get("description", "")), *media)

    def _responses(self, responses: Node) -> Iterator[Html]:
        for status, response in self._resolved(responses).items():
            headers = self._resolved(response.get("headers", {}))
            yield details(
                join(code(status), inline(response["description"]), by=" "),
                *(self._media(kind, media) for kind, media in response.get("content", {}).items()),
                self._table([(name, *_value(header)) for name, header in headers.items()]),
            )

    def _media(self, kind: str, media: Node, *, fields: bool = False) -> Html:
        schema = media.get("schema", True)
        title = tag("p", code(kind), escaped(" "), self._type(schema))
        return join(title, self._fields(schema) if fields else NOTHING, self._examples(media))

    def _examples(self, media: Node) -> Html:
        single = {"example": {"value": media["example"]}} if "example" in media else {}
        examples = {**self._resolved(media.get("examples", {})), **single}
        return join(*map(_example, examples, examples.values()))

    def _schema(self, name: str, schema: Schema) -> Html:
        node = self._resolve(schema)
        closed = [escaped("no other fields")] if node.get("additionalProperties") is False else []
        return tag(
            "article",
            tag("h3", escaped(name)),
            prose(node.get("description", "")),
            tag("p", join(self._type(schema), *_limits(node), *closed, by=", "), class_="quiet"),
            self._fields(schema),
            *(_example("example", {"value": value}) for value in node.get("examples", ())),
            id=anchor("schema", name),
        )

    def _fields(self, schema: Schema) -> Html:
        node = self._resolve(schema)
        required, fields = node.get("required", ()), node.get("properties", {})
        return self._table([(name, _node(field), name in required) for name, field in fields.items()])

    def _table(self, rows: Sequence[tuple[str, Node, bool]]) -> Html:
        head = tag("thead", tag("tr", *(tag("th", escaped(name), scope="col") for name in _COLUMNS)))
        body = tag("tbody", *(self._row(*row) for row in rows))
        return tag("div", tag("table", head, body), class_="scroll", tabindex="0") if rows else NOTHING

    def _row(self, name: str, schema: Node, required: bool) -> Html:  # noqa: FBT001 - a column
        cells = (
            self._type(schema),
            escaped("yes" if required else "no"),
            prose(self._description(schema)),
            join(*_limits(self._resolve(schema)), by=", "),
        )
        return tag("tr", tag("th", code(name), scope="row"), *(tag("td", cell) for cell in cells))

    def _description(self, schema: Node) -> str:
        # A field that can be null says what it is only in the schema that it refers to.
        nodes = map(self._resolve, (schema, *schema.get("anyOf", ())))
        return next((node["description"] for node in nodes if "description" in node), "")

    def _type(self, schema: Schema) -> Html:
        node = _node(schema)
        if "$ref" in node:
            return self._reference(node["$ref"])
        for key, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
            if key in node:
                return join(*map(self._type, node[key]), by=word)
        kinds = node.get("type", "nothing" if "not" in node else "anything")
        several = [kinds] if isinstance(kinds, str) else kinds
        return join(*(self._kind(kind, node) for kind in several), by=" or ")

    def _kind(self, kind: str, schema: Node) -> Html:
        values = schema.get("additionalProperties", False)
        if kind == "array":
            return join(escaped("list of "), self._type(schema.get("items", True)))
        if kind == "object" and values is not False:
            names = self._type(schema.get("propertyNames", {"type": "string"}))
            return join(escaped("map from "), names, escaped(" to "), self._type(values))
        return escaped(kind)

    def _reference(self, reference: str) -> Html:
        self._at(reference)
        name = reference.removeprefix(_SCHEMAS)
        return link(name, anchor("schema", name)) if name in self._schemas else code(reference)

    def _resolved(self, nodes: Node) -> Node:
        return {name: self._resolve(node) for name, node in nodes.items()}

    def _resolve(self, node: Schema) -> Node:
        """Follow references to their end. What stands beside a reference counts more than its target."""
        found, seen = dict(_node(node)), set[str]()
        while "$ref" in found:
            reference = found.pop("$ref")
            if reference in seen:
                raise ConfigurationError(f"the document's reference {reference!r} leads to itself")
            seen.add(reference)
            found = {**self._at(reference), **found}
        return found

    def _at(self, reference: str) -> Node:
        found: Any = {"#": self._document}
        for part in reference.split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = {str(index): item for index, item in enumerate(found)}
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping | bool):
            raise ConfigurationError(f"the document's reference {reference!r} leads nowhere in it")
        return _node(found)


def _node(schema: Schema) -> Node:
    return ({} if schema else {"not": {}}) if isinstance(schema, bool) else schema


def _value(item: Node) -> tuple[Node, bool]:
    told = {key: item[key] for key in ("description", "example") if key in item}
    return {**_node(item.get("schema", True)), **told}, item.get("required", False)


def _limits(schema: Node) -> Iterator[Html]:
    for key, words in _LIMITS.items():
        # False is a value worth telling, but no flag.
        if key in schema and (schema[key] is not False or "{}" in words):
            yield escaped(words.format(_shown(schema[key])))
    if values := schema.get("enum"):
        yield join(escaped("one of "), join(*(code(_shown(value)) for value in values), by=", "))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scheme(name: str, scheme: Node) -> Html:
    flows = scheme.get("flows", {}).values()
    scopes = {scope: text for flow in flows for scope, text in flow["scopes"].items()}
    lines = (join(code(scope), inline(text), by=" ") for scope, text in scopes.items())
    return tag("article", tag("h3", escaped(name)), prose(scheme.get("description", "")), listed(*lines))


def _example(name: str, example: Node) -> Html:
    text = json.dumps(example.get("value", example.get("externalValue")), indent=2, ensure_ascii=False)
    about = join(code(name), inline(example.get("summary", "")), by=" ")
    return details(about, prose(example.get("description", "")), tag("pre", tag("code", escaped(text))))
