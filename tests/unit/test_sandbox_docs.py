"""The OpenAPI document as a page: all of it is there, as text, and nothing else."""

import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from hubspot_batch import contract
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._docs import render

HOSTILE = "</title><script>alert('1')</script><img src=\"https://example.com/x\" onerror='y'>&amp;"
VOID = {"meta", "link"}

Json = dict[str, Any]


class Reader(HTMLParser):
    """Collects what a page has, and fails where an element is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, *names: str) -> list[str]:
        return [value or "" for name, value in self.attributes if name in names]


def text_of(html: str) -> str:
    body = re.sub(r"<(?:style|title)>.*?</(?:style|title)>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def article(html: str, anchor: str) -> str:
    """Return the text of the article of this id."""
    found = re.search(rf'<article id="{re.escape(anchor)}">(.*?)</article>', html, re.DOTALL)
    assert found, anchor
    return text_of(found[1])


def document(**parts: Any) -> Json:  # noqa: ANN401
    return {"openapi": "3.1.0", "info": {"title": "Gifts", "version": "1"}, **parts}


def with_schema(schema: object, **others: object) -> Json:
    return document(components={"schemas": {"Gift": schema, **others}})


def with_operation(operation: Json, **parts: Any) -> Json:  # noqa: ANN401
    return document(paths={"/gifts": {"post": {"operationId": "give", **operation}}}, **parts)


def strings(node: object) -> Iterator[str]:
    """Return every description and summary below a node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"description", "summary"} and isinstance(value, str):
                yield value
            elif key != "value":
                yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


@pytest.fixture(scope="module")
def ours() -> str:
    return render(contract.document())


def test_our_document_becomes_well_formed_html(ours: str) -> None:
    page = Reader(ours)

    assert ours.startswith("<!doctype html>\n")
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert len(page.values("id")) == len(set(page.values("id")))


def test_every_operation_is_there(ours: str) -> None:
    for operation in contract.operations().values():
        text = article(ours, f"operation-{operation.id}")
        assert f"{operation.method} {operation.path}" in text
        assert all(scope in text for scope in operation.scopes)
        assert f"application/json {operation.request_schema}" in text
        assert f"Responses {operation.success} " in text
        assert all(f" {status} " in text for status in ("207", "2XX", "429", "default"))
        assert all(name in text for name in ("X-HubSpot-RateLimit-Max", "190 for example", "Retry-After"))


def test_every_schema_is_there_with_every_field(ours: str) -> None:
    for name, schema in contract.document()["components"]["schemas"].items():
        text = article(ours, f"schema-{name}")
        assert text.startswith(name)
        assert all(field in text for field in schema.get("properties", {}))
        assert all(value in text for value in schema.get("enum", ()))


def test_every_example_is_there(ours: str) -> None:
    text = text_of(ours)

    for example in contract.document()["components"]["examples"].values():
        shown = json.dumps(example["value"], indent=2, ensure_ascii=False)
        assert f"{example['summary']} {' '.join(shown.split())}" in text


def test_every_description_is_there(ours: str) -> None:
    text = text_of(ours.replace("<code>", "").replace("</code>", ""))

    missing = [
        words
        for words in strings(contract.document())
        if " ".join(words.replace("`", "").split()) not in text
    ]
    assert missing == []


def test_every_link_leads_to_a_place_on_the_page(ours: str) -> None:
    page = Reader(ours)
    links = page.values("href", "src")

    assert {link for link in links if not link.startswith("#")} == {"data:,", "/"}
    assert {link[1:] for link in links if link.startswith("#")} == set(page.values("id"))


def test_what_a_document_says_is_text_and_never_markup() -> None:
    schema = {
        "type": HOSTILE,
        "description": f"`{HOSTILE}` and {HOSTILE}",
        "pattern": HOSTILE,
        "default": {HOSTILE: HOSTILE},
        "enum": [HOSTILE],
        "required": [HOSTILE],
        "properties": {HOSTILE: {"$ref": "#/components/schemas/" + HOSTILE.replace("/", "~1")}},
        "examples": [HOSTILE],
    }
    media = {HOSTILE: {"examples": {HOSTILE: {"summary": HOSTILE, "description": HOSTILE, "value": HOSTILE}}}}
    parameter = {"name": HOSTILE, "in": HOSTILE, "description": HOSTILE, "example": HOSTILE}
    hostile = {
        "openapi": HOSTILE,
        "info": {"title": HOSTILE, "version": HOSTILE, "summary": HOSTILE, "description": HOSTILE},
        "servers": [{"url": HOSTILE}],
        "tags": [{"name": HOSTILE, "description": HOSTILE}],
        "paths": {
            HOSTILE: {
                "get": {
                    "operationId": HOSTILE,
                    "tags": [HOSTILE],
                    "summary": HOSTILE,
                    "description": HOSTILE,
                    "parameters": [parameter],
                    "security": [{HOSTILE: [HOSTILE]}],
                    "requestBody": {"description": HOSTILE, "content": media},
                    "responses": {
                        HOSTILE: {"description": HOSTILE, "content": media, "headers": {HOSTILE: parameter}}
                    },
                }
            }
        },
        "components": {
            "schemas": {HOSTILE: schema},
            "securitySchemes": {
                HOSTILE: {
                    "type": HOSTILE,
                    "description": HOSTILE,
                    "flows": {HOSTILE: {"scopes": {HOSTILE: HOSTILE}}},
                }
            },
        },
    }

    html = render(hostile)

    page, plain = Reader(html), Reader(render(contract.document()))
    assert set(page.tags) <= set(plain.tags)
    assert {name for name, _ in page.attributes} <= {name for name, _ in plain.attributes}
    assert not [link for link in page.values("href") if not re.fullmatch(r"data:,|/|#[\w.-]+", link)]
    assert text_of(html).count(HOSTILE) > 30


def test_descriptions_have_paragraphs_and_code_and_no_other_markup() -> None:
    text = "One `a<b`\nline.\n\n  \nTwo *stars*, [link](https://example.com) and an open `tick.\n"

    html = render(document() | {"info": {"title": "T", "version": "1", "description": text}})

    assert (
        "<p>One <code>a&lt;b</code> line.</p>"
        "<p>Two *stars*, [link](https://example.com) and an open `tick.</p>"
    ) in html


def test_an_empty_document_is_a_page_with_a_title() -> None:
    html = render(document())

    assert "<title>Gifts</title>" in html
    assert text_of(html) == "Sandbox Gifts Version 1 · OpenAPI 3.1.0"


def test_a_document_is_left_as_it_is() -> None:
    before = json.dumps(contract.document())

    assert render(contract.document()) == render(contract.document())
    assert json.dumps(contract.document()) == before


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "array"}, "list of anything"),
        ({"type": "object", "properties": {}}, "object"),
        ({"type": "object", "additionalProperties": False}, "object, no other fields"),
        ({"type": "object", "additionalProperties": True}, "map from string to anything"),
        (
            {"type": "object", "propertyNames": {"$ref": "#/components/schemas/Name"}}
            | {"additionalProperties": {"type": ["array", "null"], "items": {"type": "number"}}},
            "map from Name to list of number or null",
        ),
        ({"anyOf": [{"$ref": "#/components/schemas/Name"}, {"type": "null"}]}, "Name or null"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "string or integer"),
        ({"allOf": [{"$ref": "#/components/schemas/Name"}, {"type": "string"}]}, "Name and string"),
        ({"$ref": "#/components/schemas/Name"}, "Name"),
        ({"$ref": "#/components/schemas/Box/properties/a~1b"}, "#/components/schemas/Box/properties/a~1b"),
        (
            {"$ref": "#/components/schemas/Box/properties/a%7E1b"},
            "#/components/schemas/Box/properties/a%7E1b",
        ),
        ({"$ref": "#/components/schemas/Box/anyOf/1"}, "#/components/schemas/Box/anyOf/1"),
        ({}, "anything"),
        (True, "anything"),
        (False, "nothing"),
        ({"type": "string", "enum": ["a", "b"]}, "string, one of a , b"),
        ({"enum": ["a", 1, None]}, "anything, one of a , 1 , null"),
        ({"const": 5}, "anything, always 5"),
        (
            {"type": "string", "minLength": 0, "maxLength": 9, "pattern": "^a"},
            "string, length ≥ 0, length ≤ 9, matches ^a",
        ),
        (
            {"type": "integer", "format": "int32", "minimum": 1, "maximum": 2},
            "integer, format int32, ≥ 1, ≤ 2",
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.5},
            "number, > 0, < 1.5, multiple of 0.5",
        ),
        (
            {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True},
            "list of anything, items ≥ 1, items ≤ 2, no item twice",
        ),
        ({"type": "object", "minProperties": 1, "maxProperties": 2}, "object, fields ≥ 1, fields ≤ 2"),
        ({"type": "boolean", "default": False}, "boolean, false by default"),
        ({"type": "string", "readOnly": True, "writeOnly": False}, "string, read-only"),
        ({"type": "string", "writeOnly": True, "deprecated": True}, "string, write-only, deprecated"),
        ({"type": "string", "example": "{0}"}, "string, {0} for example"),
    ],
)
def test_a_schema_says_what_it_takes(schema: object, shown: str) -> None:
    html = render(
        with_schema(schema, Name={"type": "string"}, Box={"properties": {"a/b": True}, "anyOf": [True, {}]})
    )

    assert article(html, "schema-Gift") == f"Gift {shown}"


def test_a_field_has_a_row() -> None:
    html = render(
        with_schema(
            {
                "type": "object",
                "description": "What is given.",
                "required": ["to"],
                "properties": {
                    "to": {"$ref": "#/components/schemas/Person"},
                    "from": {"$ref": "#/components/schemas/Person", "description": "Who gives."},
                    "with": {"anyOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]},
                    "note": True,
                },
            },
            Person={"type": "string", "description": "A person.", "minLength": 1},
        )
    )

    assert article(html, "schema-Gift") == (
        "Gift What is given. object Name Type Required Description Constraints "
        "to Person yes A person. length ≥ 1 "
        "from Person no Who gives. length ≥ 1 "
        "with Person or null no A person. "
        "note anything no"
    )
    assert html.count('<a href="#schema-Person">Person</a>') == 4


def test_a_schema_that_refers_to_itself_is_no_circle() -> None:
    tree = {"type": "array", "items": {"$ref": "#/components/schemas/Gift"}}

    assert article(render(with_schema(tree)), "schema-Gift") == "Gift list of Gift"


def test_examples_of_a_schema_are_shown() -> None:
    html = render(with_schema({"type": "string", "examples": ["Bär", 2]}))

    assert article(html, "schema-Gift") == 'Gift string example "Bär" example 2'


def test_operations_stand_under_their_first_tag_or_at_the_end() -> None:
    paths: Json = {
        "/a": {"summary": "no method", "get": {"responses": {}}},
        "/b": {"get": {"operationId": "b", "tags": ["second", "first"]}, "put": {"tags": ["third"]}},
    }
    tags = [{"name": "first", "description": "Alone."}, {"name": "second"}]

    html = render(document(paths=paths, tags=tags))

    assert text_of(html) == (
        "Sandbox second b Other get /a third put /b "
        "Gifts Version 1 · OpenAPI 3.1.0 "
        "first Alone. second b GET /b Other get /a GET /a third put /b PUT /b"
    )


@pytest.mark.parametrize(
    ("security", "shown"),
    [
        ([{"oauth2": ["a"]}], "a with oauth2"),
        ([{"oauth2": ["a", "b"]}], "a and b with oauth2"),
        ([{"oauth2": ["a"]}, {"token": ["a"]}], "a with oauth2 or token"),
        ([{"oauth2": ["a"]}, {"token": ["b"]}], "a with oauth2, or b with token"),
        ([{"oauth2": ["a"], "key": []}], "a with oauth2 and key"),
        ([{"oauth2": ["a"]}, {}], "a with oauth2, or none with no token"),
    ],
)
def test_scopes_say_what_a_token_needs(security: list[Json], shown: str) -> None:
    own = article(render(with_operation({"security": security})), "operation-give")
    general = article(render(with_operation({}, security=security)), "operation-give")

    assert re.sub(" ,", ",", own) == f"give POST /gifts Scopes {shown}"
    assert general == own


def test_an_operation_without_security_has_no_scopes() -> None:
    operation = with_operation({"security": []}, security=[{"oauth2": ["a"]}])

    assert article(render(operation), "operation-give") == "give POST /gifts"


def test_references_are_followed_wherever_they_stand() -> None:
    components = {
        "pathItems": {
            "Gifts": {
                "parameters": [{"$ref": "#/components/parameters/Limit"}],
                "get": {
                    "operationId": "give",
                    "parameters": [{"name": "X-Id", "in": "header", "required": True}],
                    "requestBody": {"$ref": "#/components/requestBodies/Gift"},
                    "responses": {"200": {"$ref": "#/components/responses/Given"}},
                },
            }
        },
        "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        "requestBodies": {
            "Gift": {"content": {"text/plain": {"schema": {"type": "string"}, "example": "Bear"}}}
        },
        "responses": {
            "Given": {"$ref": "#/components/responses/Again"},
            "Again": {
                "description": "Given.",
                "headers": {"X-Left": {"$ref": "#/components/headers/Left"}},
                "content": {
                    "text/plain": {
                        "examples": {
                            "one": {"$ref": "#/components/examples/One", "summary": "The first"},
                            "far": {"externalValue": "gifts.txt"},
                        }
                    }
                },
            },
        },
        "headers": {"Left": {"description": "What is left.", "schema": {"type": "integer"}, "example": 3}},
        "examples": {"One": {"summary": "One", "description": "A bear.", "value": "Bear"}},
        "securitySchemes": {
            "key": {"$ref": "#/components/securitySchemes/token"},
            "token": {"type": "apiKey", "description": "A key."},
        },
    }
    paths = {"/gifts": {"$ref": "#/components/pathItems/Gifts"}}

    html = render(document(paths=paths, components=components))

    assert article(html, "operation-give") == (
        "give GET /gifts "
        "Parameters Name Type Required Description Constraints "
        "limit (query) integer no X-Id (header) anything yes "
        'Request body (optional) text/plain string example "Bear" '
        "Responses 200 Given. text/plain anything "
        'one The first A bear. "Bear" far "gifts.txt" '
        "Name Type Required Description Constraints X-Left integer no What is left. 3 for example"
    )
    assert "Authentication key A key. token A key." in text_of(html)


@pytest.mark.parametrize(
    "reference",
    [
        "#/components/schemas/Nobody",
        "#/components/schemas/Gift/required/0",
        "#/components/schemas/Gift/required/1",
        "#/components/schemas/Gift/required/-1",
        "#/components/schemas/Gift/type/x",
        "#/components/schemas/Gift/type",
        "#components",
        "other.yaml#/Gift",
        "https://example.com/gift.json",
        "",
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error_that_names_it(reference: str) -> None:
    gift = {"type": "object", "required": ["to"], "properties": {"to": {"$ref": reference}}}

    with pytest.raises(ConfigurationError) as caught:
        render(with_schema(gift))

    assert str(caught.value) == f"the document's reference {reference!r} leads nowhere in it"


def test_references_that_go_round_in_a_circle_are_an_error() -> None:
    circle = {
        "A": {"$ref": "#/components/responses/B"},
        "B": {"$ref": "#/components/responses/A"},
    }
    operation = {"responses": {"200": {"$ref": "#/components/responses/A"}}}

    with pytest.raises(ConfigurationError, match="'#/components/responses/A' leads to itself"):
        render(with_operation(operation, components={"responses": circle}))
