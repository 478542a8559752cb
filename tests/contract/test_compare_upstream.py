"""scripts/compare_upstream.py, on small documents in the form in which HubSpot publishes its own."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import compare_upstream as script
import jsonschema_rs
import pytest
import yaml
from _collection import ForeignError, parse
from _deviations import Statement, read_statements
from _differences import ASPECTS
from _document import Document, InvalidFileError, format_pointer
from _matching import wanted
from _normalization import Reader
from _report import Report, as_json, as_text
from _schema_diff import Comparison
from _shapes import Schema
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "compare_upstream.py"
OURS = ROOT / "openapi" / "hubspot-batch.yaml"
DEVIATIONS = ROOT / "openapi" / "deviations.yaml"


Json = Any
Edit = Callable[[Json], object]

VERSIONS = ("v3", "2025-09", "2026-03", "2026-09")
SCOPES = {
    "orders": ["crm.objects.orders.write"],
    "line_items": ["crm.objects.line_items.write", "e-commerce"],
    "commerce_payments": ["crm.objects.commercepayments.write"],
    "carts": ["crm.objects.carts.write"],
}
# The request of each action, its success, and how the models of its replies end.
ACTIONS = {
    "create": ("BatchInputForCreate", "201", ""),
    "read": ("BatchReadInput", "200", ""),
    "update": ("BatchInput", "200", ""),
    "upsert": ("BatchInputUpsert", "200", "Upsert"),
    "archive": ("BatchInputId", "204", ""),
}
# The models of v3: fields, those with a star required. [X] is a list of X, {X} a map to X.
MODELS = """
BatchInputForCreate: inputs* [InputForCreate]
BatchInput: inputs* [Input]
InputForCreate: associations* [Association], objectWriteTraceId text, properties* {value}
Input: id* text, idProperty text, objectWriteTraceId text, properties* {value}
BatchReadInput: idProperty text, inputs* [PublicId], properties* [text], propertiesWithHistory* [text]
BatchInputUpsert: inputs* [InputUpsert]
BatchInputId: inputs* [PublicId]
InputUpsert: id* text, idProperty text, objectWriteTraceId text, properties* {value}
PublicId: id* text
Association: to* ObjectId, types* [AssociationSpec]
ObjectId: id* text
AssociationSpec: associationCategory* HUBSPOT_DEFINED|INTEGRATOR_DEFINED|USER_DEFINED|WORK, \
    associationTypeId* int32
BatchResponse: completedAt* date, links {text}, requestedAt date, results* [SimplePublicObject], \
    startedAt* date, status* PENDING|PROCESSING|CANCELED|COMPLETE
BatchResponseWithErrors: completedAt* date, errors [StandardError], links {text}, numErrors int32, \
    requestedAt date, results* [SimplePublicObject], startedAt* date, \
    status* PENDING|PROCESSING|CANCELED|COMPLETE
BatchResponseUpsert: completedAt* date, links {text}, requestedAt date, results* [UpsertObject], \
    startedAt* date, status* PENDING|PROCESSING|CANCELED|COMPLETE
BatchResponseUpsertWithErrors: completedAt* date, errors [StandardError], links {text}, numErrors int32, \
    requestedAt date, results* [UpsertObject], startedAt* date, status* PENDING|PROCESSING|CANCELED|COMPLETE
UpsertObject: archived* boolean, archivedAt date, createdAt* date, id* text, new* boolean, \
    objectWriteTraceId text, properties* {value}, propertiesWithHistory {[ValueWithTimestamp]}, \
    updatedAt* date, url text, warnings [PublicObjectWarning]
SimplePublicObject: archived* boolean, archivedAt date, createdAt* date, id* text, objectWriteTraceId text, \
    properties* {value}, propertiesWithHistory {[ValueWithTimestamp]}, updatedAt* date, url text, \
    warnings [PublicObjectWarning]
ValueWithTimestamp: sourceId text, sourceLabel text, sourceType* text, timestamp* date, \
    updatedByUserId int32, value* text
PublicObjectWarning: category* text, context* {text}, message* text
StandardError: category* text, context* {[text]}, errors* [ErrorDetail], id text, links* {text}, \
    message* text, status* text, subCategory object
Error: category* text, context {[text]}, correlationId* uuid, errors [ErrorDetail], links {text}, \
    message* text, subCategory text
ErrorDetail: code text, context {[text]}, in text, message* text, subCategory text
"""
# The models that the documents of properties and of associations have beside the errors.
OTHER_MODELS = """
CollectionResponse: results* [Property]
Property: archived boolean, archivedAt date, calculated boolean, calculationFormula text, createdAt date, \
    createdUserId text, currencyPropertyName text, \
    dataSensitivity highly_sensitive|non_sensitive|sensitive, \
    dateDisplayHint absolute|absolute_with_relative|time_since|time_until, description* text, \
    displayOrder int32, externalOptions boolean, fieldType* text, formField boolean, groupName* text, \
    hasUniqueValue boolean, hidden boolean, hubspotDefined boolean, label* text, \
    modificationMetadata PropertyModificationMetadata, name* text, \
    numberDisplayHint currency|duration|formatted|percentage|probability|unformatted, options* [Option], \
    referencedObjectType text, sensitiveDataCategories [text], showCurrencySymbol boolean, \
    textDisplayHint domain_name|email|ip_address|multi_line|phone_number|physical_address|postal_code|\
unformatted_single_line, type* text, updatedAt date, updatedUserId text
Option: description text, displayOrder int32, hidden* boolean, label* text, value* text
PropertyModificationMetadata: archivable* boolean, readOnlyDefinition* boolean, readOnlyOptions boolean, \
    readOnlyValue* boolean
BatchInputMultiPost: inputs* [MultiPost]
MultiPost: from* ObjectId, to* ObjectId, types* [AssociationSpec]
BatchResponseLabels: completedAt* date, links {text}, requestedAt date, results* [Labels], \
    startedAt* date, status* PENDING|PROCESSING|CANCELED|COMPLETE
BatchResponseLabelsWithErrors: completedAt* date, errors [StandardError], links {text}, numErrors int32, \
    requestedAt date, results* [Labels], startedAt* date, status* PENDING|PROCESSING|CANCELED|COMPLETE
Labels: fromObjectId* text, fromObjectTypeId* text, labels* [text], toObjectId* text, toObjectTypeId* text
"""
TYPES: Json = {
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date-time"},
    "int32": {"type": "integer", "format": "int32"},
    "object": {"type": "object", "properties": {}},
    "text": {"type": "string", "description": "A text."},
    "uuid": {"type": "string", "format": "uuid", "example": "aeb5f871"},
}
TEXT, WHOLE = TYPES["text"], TYPES["int32"]


FLOW = {
    "authorizationUrl": "https://app.hubspot.com/oauth/authorize",
    "tokenUrl": "https://api.hubapi.com/oauth/v1/token",
}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Json) -> Json:
    return {"type": "array", "items": items, "example": None}


def mapping(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values, "example": None}


def model(fields: str, value: Json = TEXT) -> Json:
    names, words = zip(*(field.split() for field in fields.split(",")), strict=True)
    return {
        "required": [name.rstrip("*") for name in names if name.endswith("*")],
        "type": "object",
        "properties": {name.rstrip("*"): node(word, value) for name, word in zip(names, words, strict=True)},
        "example": None,
    }


def node(word: str, value: Json) -> Json:
    """A schema from its short form, with what HubSpot writes into each of its schemas."""
    if word.startswith("["):
        return array(node(word[1:-1], value))
    if word.startswith("{"):
        return mapping(node(word[1:-1], value))
    if "|" in word:
        return {"type": "string", "enum": word.split("|")}
    known = {**TYPES, "value": value}
    return {"example": None, **known[word]} if word in known else ref(word)


def models_of(lines: str, value: Json = TEXT) -> Json:
    pairs = [line.split(": ", 1) for line in lines.replace("\\\n", "").strip().splitlines()]
    return {name: model(fields, value) for name, fields in pairs}


def schemas(version: str) -> Json:
    """The models of a version; those of 2025-09 and 2026-09 have failures in the plain reply."""
    merged = version in {"2025-09", "2026-09"}
    found = models_of(MODELS)
    if merged:
        nullable = models_of(MODELS, TEXT | {"nullable": True})
        for name in ("SimplePublicObject", "UpsertObject"):
            found[name] = nullable[name]
            del found[name]["properties"]["warnings"]
        for name in ("BatchResponse", "BatchResponseUpsert"):
            found[name] = found.pop(f"{name}WithErrors")
        del found["PublicObjectWarning"]
    if version == "2025-09":
        found["InputForCreate"]["required"] = ["properties"]
    return found


def security(object_type: str, version: str, action: str) -> Json:
    known = SCOPES.get(object_type, [f"crm.objects.{object_type}.write"])
    scopes = [scope.replace("write", "read" if action == "read" else "write") for scope in known]
    if version in {"v3", "2026-03"}:
        return [{"oauth2": [scope]} for scope in scopes]
    return [{scheme: scopes} for scheme in ("oauth2", "private_apps")]


def body(name: str, media_type: str = "application/json") -> Json:
    return {"content": {media_type: {"schema": ref(name), "example": None}}}


def operation(object_type: str, version: str, action: str) -> Json:
    request, success, models = ACTIONS[action]
    success = "200" if (version, action) == ("2025-09", "create") else success
    reply = {} if action == "archive" else body(f"BatchResponse{models}")
    replies = {success: {"description": "successful operation", "content": {}, **reply}}
    if version in {"v3", "2026-03"} and action != "archive":
        replies["207"] = {"description": "multiple statuses", **body(f"BatchResponse{models}WithErrors")}
    replies["default"] = {"description": "", "$ref": "#/components/responses/Error"}
    name = {"name": "objectType", "in": "path", "required": True, "schema": {"type": "string"}}
    archived = {"name": "archived", "in": "query", "schema": {"type": "boolean", "default": False}}
    parameters = [] if version in {"v3", "2026-03"} else [name]
    return {
        "parameters": [*parameters, archived] if action == "read" else parameters,
        "requestBody": {**body(request), "required": True},
        "responses": replies,
        "security": security(object_type, version, action),
    }


def published(object_type: str = "orders", version: str = "v3") -> Json:
    """A document of an object type in the form of one version (docs/behaviour.md, Versions)."""
    segment = object_type if version in {"v3", "2026-03"} else "{objectType}"
    root = f"/crm/v3/objects/{segment}" if version == "v3" else f"/crm/objects/{version}/{segment}"
    document = {
        "openapi": "3.0.1",
        "info": {"title": object_type.replace("_", " ").title(), "version": version},
        "servers": [{"url": "https://api.hubapi.com"}],
        "paths": {
            f"{root}/search": {"post": {"responses": {"200": {"$ref": "#/nowhere"}}}},
            **{f"{root}/batch/{name}": {"post": operation(object_type, version, name)} for name in ACTIONS},
            f"{root}/{{objectId}}": {"get": {"responses": {}}},
        },
        "components": {
            "schemas": schemas(version),
            "responses": {"Error": {"description": "An error occurred.", **body("Error", "*/*")}},
            "securitySchemes": {
                "oauth2": {"type": "oauth2", "flows": {"authorizationCode": dict(FLOW)}},
                "private_apps": {"type": "apiKey", "name": "private-app", "in": "header"},
                "private_apps_legacy": {"type": "apiKey", "name": "private-app-legacy", "in": "header"},
            },
        },
    }
    unshared: Json = json.loads(json.dumps(document))
    return unshared


def scopes_of(name: str) -> Json:
    """The scopes of an operation of ours, and one more, as HubSpot writes them."""
    paths = yaml.safe_load(OURS.read_text(encoding="utf-8"))["paths"]
    (ours,) = (each for item in paths.values() for each in item.values() if each["operationId"] == name)
    return [*(entry for entry in ours["security"] if "oauth2" in entry), {"oauth2": ["tasks.read"]}]


def path_parameters(*names: str) -> Json:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def published_others() -> list[tuple[str, Json]]:
    """The documents of properties and of associations, with their versions."""
    success = {"description": "successful operation"}
    errors: Json = {"default": {"description": "", "$ref": "#/components/responses/Error"}}
    partly = {"description": "multiple statuses", **body("BatchResponseLabelsWithErrors")}
    names = ("archived", "dataSensitivity", "locale", "properties")
    query: Json = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    query[0]["schema"] = {"type": "boolean"}
    query[1]["schema"]["enum"] = ["highly_sensitive", "non_sensitive", "sensitive"]
    listing = {
        "parameters": [*path_parameters("objectType"), *query],
        "responses": {"200": success | body("CollectionResponse"), **errors},
        "security": scopes_of("list_properties"),
    }
    linking = {
        "parameters": path_parameters("fromObjectType", "toObjectType"),
        "requestBody": {**body("BatchInputMultiPost"), "required": True},
        "responses": {"201": success | body("BatchResponseLabels"), "207": partly, **errors},
        "security": scopes_of("create_associations"),
    }
    pairs = [
        ("v3", "Properties", {"/crm/v3/properties/{objectType}": {"get": listing}}),
        (
            "v4",
            "Associations",
            {"/crm/v4/associations/{fromObjectType}/{toObjectType}/batch/create": {"post": linking}},
        ),
    ]
    found = [("v3", published("contacts"))]
    for version, title, paths in pairs:
        document = published()
        document["components"]["schemas"] |= models_of(OTHER_MODELS)
        document |= {"info": {"title": title, "version": version}, "paths": copy.deepcopy(paths)}
        found.append((version, document))
    return found


def post(document: Json, action: str = "create") -> Json:
    return next(item for path, item in document["paths"].items() if path.endswith(f"batch/{action}"))["post"]


def models(document: Json, name: str = "", field: str = "") -> Json:
    found = document["components"]["schemas"]
    found = found[name] if name else found
    return found["properties"][field] if field else found


def source(document: Json, name: str = "orders.json") -> Json:
    return parse(name, json.dumps(document).encode())


OUR_SOURCE = parse("ours.yaml", OURS.read_bytes())
WANTED = wanted(OUR_SOURCE)
KNOWN = read_statements(DEVIATIONS)


def run(
    document: Json, statements: Json = KNOWN, versions: tuple[str, ...] = (), name: str = "x.json"
) -> Json:
    """Compare a document with ours, as the script does once it has read both."""
    report = Report([one.name for one in WANTED])
    script.add_document(report, source(document, name), WANTED, statements, versions)
    return report


def unexplained(report: Json) -> list[Any]:
    return [one for one in report.occurrences if one.explained_by is None]


WAYS = {"they are wider": "they", "we are wider": "we", "each allows what the other does not": "apart"}


def told(report: Json) -> set[str]:
    """The differences that are not explained, in short."""
    return {in_short(one.difference) for one in unexplained(report)}


def in_short(difference: Json) -> str:
    use = " ".join(filter(None, [difference.use, difference.field]))
    said, verdict = difference.said, difference.verdict
    return (
        f"{verdict.severity}, {WAYS[verdict.direction]}: {use}, {difference.aspect} {json.dumps(said.theirs)}"
    )


def test_every_version_of_every_object_type_is_explained() -> None:
    for object_type in SCOPES:
        for version in VERSIONS:
            report = run(published(object_type, version))

            assert (report.errors, report.notes, told(report)) == ([], [], set())
            names = [f"{action}_{object_type}" for action in ACTIONS]
            assert [(one.version, list(one.operations)) for one in report.compared] == [(version, names)]
            assert report.occurrences


def test_the_documents_of_targets_properties_and_associations_are_explained() -> None:
    reports = [run(document) for _, document in published_others()]

    assert [told(report) for report in reports] == [set(), set(), set()]
    assert [(one.version, *one.operations) for report in reports for one in report.compared] == [
        ("v3", "read_objects"),
        ("v3", "list_properties"),
        ("v4", "create_associations"),
    ]
    about_all = published(version="2026-03")
    move("/crm/objects/2026-03/orders", "/crm/objects/2026-03/{type}")(about_all)
    titles = {"Companies": ["read_objects"], "Tickets": []}
    for title, names in titles.items():
        about_all["info"]["title"] = title
        assert [name for one in run(about_all).compared for name in one.operations] == names


def run_all(documents: list[Json], statements: Json = KNOWN) -> Json:
    """Compare several documents, and look for what explains nothing."""
    report = Report([one.name for one in WANTED])
    for number, document in enumerate(documents):
        script.add_document(report, source(document, f"{number}.json"), WANTED, statements)
    script.add_stale(report, WANTED, statements)
    return report


EVERYTHING = [published(name, version) for version in VERSIONS for name in SCOPES]


def test_every_statement_of_the_deviations_explains_something() -> None:
    report = run_all([*EVERYTHING, *(document for _, document in published_others())])

    met = [(one.difference, one.version) for one in report.occurrences]
    assert report.stale == []
    assert [one for one in KNOWN if not any(one.explains(*each) for each in met)] == []


def test_what_explains_nothing_any_more_is_told_once_all_is_compared() -> None:
    place, carts = (
        "/components/schemas/UpdateInput/properties/id/minLength",
        "/paths/~1crm~1v3~1objects~1carts~1batch~1create/post/security",
    )
    added = [
        Statement(place, {}, {"maxLength": 9}, 5),
        Statement(place, {"versions": ["v3", "2024-09"]}, {"minLength": None, "pattern": "a"}, 6),
        Statement(place, {"versions": ["2026-03"], "fields": ["id"]}, {"minLength": None}, 7),
        Statement(carts, {"versions": ["2026-09"]}, {"absent": True}, 8),
    ]

    assert run_all(EVERYTHING, KNOWN + added).stale == [
        f"line 5, `{place}`: maxLength",
        f"line 6, `{place}`: pattern",
        f"line 6, `{place}`: versions 2024-09",
        f"line 7, `{place}`: minLength",
        f"line 8, `{carts}`: absent",
    ]
    assert run_all(EVERYTHING, KNOWN + added).exit_code == 1
    # The documents of the other object types may have a say, too.
    orders = [published("orders", version) for version in VERSIONS]
    assert run_all(orders, KNOWN + added).stale == []
    carts_only = [published("carts", version) for version in VERSIONS]
    assert [line.split(",")[0] for line in run_all(carts_only, KNOWN + added).stale] == ["line 8"]


def test_what_x_versions_says_is_compared() -> None:
    new, old = published(version="2026-03"), published(version="2026-03")
    move("2026-03", "2027-03")(new)
    post(old)["responses"]["200"] = post(old)["responses"].pop("201")
    del post(old)["responses"]["207"]

    assert told(run(new)) >= {'notable, apart: operation, version "2027-03"'}
    assert {short for short in told(run(old)) if "operation" in short} == {
        "notable, apart: operation, success [200]",
        "notable, apart: operation, partial null",
    }


def test_what_a_version_is_known_for_is_new_in_another() -> None:
    changed = published()
    post(changed)["responses"]["200"] = post(changed)["responses"].pop("201")

    assert told(run(changed)) == {
        'notable, they: reply, status "200"',
        "harmless, we: reply, absent true",
        "notable, apart: operation, success [200]",
    }


def test_a_dated_document_in_the_form_of_v3_is_explained() -> None:
    for version in ("2026-03", "2026-09"):
        document = published()
        move("/crm/v3/objects", f"/crm/objects/{version}")(document)

        assert told(run(document)) == set()


def put(name: str, field: str, **keywords: Json) -> Edit:
    """Set keywords of a field; None takes one away."""

    def edit(document: Json) -> None:
        found = models(document, name, field) if field else models(document, name)
        found.update(keywords)

    return edit


def add(name: str, field: str, node: Json = TEXT, *, required: bool = False) -> Edit:
    def edit(document: Json) -> None:
        models(document, name)["properties"][field] = node
        models(document, name)["required"] += [field] if required else []

    return edit


def drop(name: str, field: str) -> Edit:
    def edit(document: Json) -> None:
        del models(document, name)["properties"][field]
        models(document, name)["required"] = [
            one for one in models(document, name)["required"] if one != field
        ]

    return edit


def replace(name: str, field: str, node: Json) -> Edit:
    def edit(document: Json) -> None:
        models(document, name)["properties"][field] = node

    return edit


def every_post(**keywords: Json) -> Edit:
    def edit(document: Json) -> None:
        for action in ACTIONS.keys() - {"read"}:  # which has a scope of its own
            post(document, action).update(copy.deepcopy(keywords))

    return edit


def move(old: str, new: str) -> Edit:
    def edit(document: Json) -> None:
        document["paths"] = {
            path.replace(old, new): item for path, item in document["paths"].items() if new or old not in path
        }

    return edit


def response(code: str, node: Json) -> Edit:
    return lambda document: post(document)["responses"].update({code: node})


STATES = ["CANCELED", "COMPLETE", "PENDING", "PROCESSING"]
CATEGORIES = ["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
ROOT_V3 = "/crm/v3/objects/orders"
CATEGORY = "inputs[].associations[].types[].associationCategory"
TYPE_ID = "inputs[].associations[].types[].associationTypeId"


def server(url: str) -> Edit:
    return lambda document: document.update(servers=[{"url": url}])


def flow(**keywords: Json) -> Edit:
    def edit(document: Json) -> None:
        document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"].update(keywords)

    return edit


def parameter(**keywords: Json) -> Edit:
    return every_post(parameters=[{"name": "dryRun", "in": "query", **keywords}])


def scopes(*alternatives: Json) -> Edit:
    return every_post(security=[{"oauth2": alternative} for alternative in alternatives])


def values(*names: str) -> Edit:
    return put("AssociationSpec", "associationCategory", enum=list(names) or None)


def states(document: Json) -> None:
    for name in ("BatchResponse", "BatchResponseWithErrors"):
        put(name, "status", enum=[*STATES, "X"])(document)


def put_only(document: Json) -> None:
    document["paths"][f"{ROOT_V3}/batch/create"] = {"put": post(document)}


OWN = "crm.objects.orders.write"

# Each change of HubSpot's document, and what is to be told of it.
PLANTS: list[tuple[Edit, str, *tuple[str, ...]]] = [
    # the operation
    (move("/batch/update", ""), "breaking, we: operation, absent true"),
    (
        move(f"{ROOT_V3}/batch/create", "/commerce/v3/orders/batch/create"),
        'breaking, apart: operation, address "POST /commerce/v3/orders/batch/create"',
    ),
    (put_only, f'breaking, apart: operation, address "PUT {ROOT_V3}/batch/create"'),
    (every_post(deprecated=True), "notable, we: operation, deprecated true"),
    (server("https://api.hubapiqa.com"), 'breaking, apart: operation, servers ["https://api.hubapiqa.com"]'),
    (parameter(required=True), 'breaking, we: request, parameter "query dryRun"'),
    (parameter(), 'harmless, they: request, parameter "query dryRun"'),
    # access
    (
        scopes(["all"]),
        'breaking, we: operation, scopes [["all"]]',
        'harmless, they: operation, moreScopes [["all"]]',
    ),
    (scopes([OWN, "all"]), f'breaking, we: operation, scopes [["all", "{OWN}"]]'),
    (scopes([OWN], ["all"]), 'harmless, they: operation, moreScopes [["all"]]'),
    (every_post(security=[{"private_apps": [OWN]}]), 'breaking, apart: operation, schemes ["private-app"]'),
    (
        every_post(security=[{}]),
        'breaking, apart: operation, schemes ["no token"]',
    ),
    (
        every_post(security=[]),
        'breaking, apart: operation, schemes ["no token"]',
    ),
    (
        flow(tokenUrl="https://api.hubapi.com/oauth/v5/token"),
        'notable, apart: operation, tokenUrl "https://api.hubapi.com/oauth/v5/token"',
    ),
    (flow(authorizationUrl=None), "notable, apart: operation, authorizationUrl null"),
    (
        move(f"{ROOT_V3}/batch/create", "/crm/v3/shop/orders/batch/create"),
        'breaking, apart: operation, address "POST /crm/v3/shop/orders/batch/create"',
        'notable, apart: operation, path "/crm/v3/shop"',
    ),
    # status codes and bodies
    (
        lambda document: post(document)["responses"]["201"].update(headers={"X-New": {"schema": TEXT}}),
        'harmless, they: reply header X-New, header "X-New"',
    ),
    (
        response("202", body("BatchResponseWithErrors")),
        'notable, they: reply, status "202"',
        "notable, apart: operation, success [201, 202]",
    ),
    (response("404", body("Error")), 'harmless, they: reply, status "404"'),
    (response("3xx", body("Error")), 'harmless, they: reply, status "3XX"'),
    (
        lambda document: post(document)["responses"].pop("207"),
        "harmless, we: reply, absent true",
        "notable, apart: operation, partial null",
    ),
    (response("201", {"description": "", "content": {}}), "notable, apart: reply, body []"),
    (response("201", body("BatchResponse", "text/csv")), 'breaking, apart: reply, body ["text/csv"]'),
    (
        every_post(requestBody={"required": True, **body("BatchInput", "text/csv")}),
        'breaking, apart: request, body ["text/csv"]',
    ),
    (
        lambda document: post(document)["requestBody"].update(required=False),
        "harmless, they: request, requiredBody false",
    ),
    # fields of requests
    (
        add("Input", "name", required=True),
        'breaking, we: request inputs[], required ["name"]',
        'notable, they: request inputs[], field "name"',
    ),
    (
        put("InputForCreate", "", required=["associations", "objectWriteTraceId", "properties"]),
        'breaking, we: request inputs[], required ["associations", "objectWriteTraceId"]',
    ),
    (put("Input", "idProperty", readOnly=True), "breaking, we: request inputs[].idProperty, readOnly true"),
    (
        put("SimplePublicObject", "url", writeOnly=True),
        "breaking, they: reply results[].url, writeOnly true",
    ),
    (put("Input", "", required=["id"]), 'notable, they: request inputs[], optional ["properties"]'),
    (add("Input", "name"), 'notable, they: request inputs[], field "name"'),
    (drop("Input", "idProperty"), "breaking, we: request inputs[].idProperty, absent true"),
    (
        put("Input", "idProperty", deprecated=True),
        "notable, we: request inputs[].idProperty, deprecated true",
    ),
    # types and values of requests
    (replace("Input", "id", WHOLE), 'breaking, apart: request inputs[].id, type "integer"'),
    (
        replace("Input", "id", {"anyOf": [TEXT, WHOLE]}),
        'notable, they: request inputs[].id, type ["integer", "string"]',
    ),
    (
        replace("Input", "id", {}),
        'notable, they: request inputs[].id, type "anything"',
        "notable, they: request inputs[].id, nullable true",
    ),
    (
        replace("AssociationSpec", "associationTypeId", {"type": "number"}),
        f'notable, they: request {TYPE_ID}, type "number"',
        f"notable, they: request {TYPE_ID}, format null",
        f"harmless, they: request {TYPE_ID}, maximum null",
    ),
    (
        put("AssociationSpec", "associationTypeId", format="int64"),
        f'notable, they: request {TYPE_ID}, format "int64"',
        f"harmless, they: request {TYPE_ID}, maximum null",
    ),
    (put("Input", "id", nullable=True), "notable, they: request inputs[].id, nullable true"),
    (
        replace("Input", "properties", mapping(TEXT | {"nullable": True})),
        "notable, they: request inputs[].properties{}, nullable true",
    ),
    (values(*CATEGORIES[:3]), f"breaking, we: request {CATEGORY}, enum {json.dumps(CATEGORIES[:3])}"),
    (values(*CATEGORIES, "X"), f"notable, they: request {CATEGORY}, enum {json.dumps([*CATEGORIES, 'X'])}"),
    (values("X"), f'breaking, apart: request {CATEGORY}, enum ["X"]'),
    (values(), f"notable, they: request {CATEGORY}, enum null"),
    (put("Input", "id", enum=["a"]), 'breaking, we: request inputs[].id, enum ["a"]'),
    (put("Input", "id", const="a"), 'breaking, we: request inputs[].id, enum ["a"]'),
    (
        replace("Input", "id", {"oneOf": [{"enum": ["a"]}, WHOLE]}),
        'notable, they: request inputs[].id, type ["integer", "string"]',
        'breaking, we: request inputs[].id, enum ["a"]',
    ),
    (
        replace("Input", "id", {"anyOf": [TEXT | {"maxLength": 3}, TEXT | {"pattern": "^a"}]}),
        'notable, apart: request inputs[].id, keyword ["anyOf"]',
    ),
    (
        replace("Input", "id", {"allOf": [TEXT], "nullable": True}),
        "notable, they: request inputs[].id, nullable true",
    ),
    (
        lambda document: models(document).update(
            ObjectId={"anyOf": [model("id* text"), model("id text")], "type": "object"}
        ),
        'notable, they: request inputs[].associations[].to, optional ["id"]',
        'notable, apart: request inputs[].associations[].to, keyword ["anyOf"]',
    ),
    # limits of requests
    (put("BatchInput", "inputs", maxItems=50), "breaking, we: request inputs, maxItems 50"),
    (put("BatchInput", "inputs", maxItems=0), "breaking, we: request inputs, maxItems 0"),
    (put("BatchInput", "inputs", maxItems=200), "harmless, they: request inputs, maxItems 200"),
    (put("BatchInput", "inputs", minItems=2), "breaking, we: request inputs, minItems 2"),
    (put("BatchInput", "inputs", uniqueItems=True), "breaking, we: request inputs, uniqueItems true"),
    (put("Input", "id", maxLength=9), "breaking, we: request inputs[].id, maxLength 9"),
    (put("Input", "id", pattern="^a"), 'breaking, we: request inputs[].id, pattern "^a"'),
    (put("Input", "id", format="uuid"), 'breaking, we: request inputs[].id, format "uuid"'),
    (
        put("Input", "properties", maxProperties=9),
        "breaking, we: request inputs[].properties, maxProperties 9",
    ),
    (
        put("AssociationSpec", "associationTypeId", minimum=5),
        f"breaking, we: request {TYPE_ID}, minimum 5",
    ),
    (
        put("AssociationSpec", "associationTypeId", maximum=9, exclusiveMaximum=True),
        f"breaking, we: request {TYPE_ID}, exclusiveMaximum 9",
    ),
    (
        put("Input", "properties", additionalProperties=False),
        "breaking, we: request inputs[].properties, additionalProperties false",
    ),
    (
        put("Input", "properties", additionalProperties=True),
        "harmless, they: request inputs[].properties, additionalProperties true",
    ),
    (
        replace("Input", "properties", mapping(WHOLE)),
        'breaking, apart: request inputs[].properties{}, type "integer"',
    ),
    (
        put("Input", "properties", propertyNames={"type": "string", "minLength": 2}),
        "breaking, we: request inputs[].properties{name}, minLength 2",
    ),
    (put("Input", "id", **{"not": {}}), 'notable, apart: request inputs[].id, keyword ["not"]'),
    # replies
    (replace("SimplePublicObject", "id", WHOLE), 'breaking, apart: reply results[].id, type "integer"'),
    (
        put("SimplePublicObject", "archived", nullable=True),
        "breaking, they: reply results[].archived, nullable true",
    ),
    (
        put("SimplePublicObject", "", required=["createdAt", "id", "properties", "updatedAt"]),
        'breaking, they: reply results[], optional ["archived"]',
    ),
    (drop("SimplePublicObject", "archived"), "breaking, they: reply results[].archived, absent true"),
    (drop("SimplePublicObject", "archivedAt"), "harmless, we: reply results[].archivedAt, absent true"),
    (drop("BatchResponseWithErrors", "errors"), "harmless, we: reply errors, absent true"),
    (add("SimplePublicObject", "owner"), 'notable, they: reply results[], field "owner"'),
    (
        put("Error", "", required=["category", "correlationId", "errors", "message"]),
        'harmless, we: reply, required ["category", "correlationId", "errors", "message"]',
    ),
    (
        states,
        f"harmless, we: reply status, enum {json.dumps([*STATES, 'X'])}",
        f"notable, they: reply status, values {json.dumps([*STATES, 'X'])}",
    ),
    (
        put("SimplePublicObject", "createdAt", format=None),
        "breaking, they: reply results[].createdAt, format null",
    ),
    (
        put("SimplePublicObject", "createdAt", format="date"),
        'breaking, apart: reply results[].createdAt, format "date"',
    ),
    (
        replace("StandardError", "context", mapping(WHOLE)),
        'breaking, apart: reply errors[].context{}, type "integer"',
    ),
    (
        replace("StandardError", "context", mapping(TEXT)),
        'harmless, we: reply errors[].context{}, type "string"',
    ),
    (put("StandardError", "errors", items=TEXT), 'breaking, apart: reply errors[].errors[], type "string"'),
]


def test_a_planted_difference_is_told_until_it_is_explained() -> None:
    for edit, *expected in PLANTS:
        document = published()
        edit(document)

        report = run(document)

        assert (told(report), report.errors, report.exit_code) == (set(expected), [], 1)
        added = [statement(one.difference) for one in unexplained(report)]
        assert run(document, KNOWN + added).exit_code == 0


def statement(difference: Json, **conditions: list[str]) -> Json:
    pointer = format_pointer(difference.places.ours).removeprefix("#")
    return Statement(pointer, conditions, {difference.aspect: difference.said.theirs})


def test_every_aspect_is_planted_or_explained() -> None:
    planted = {short.split(": ")[1].split(", ")[1].split()[0] for _, *rest in PLANTS for short in rest}
    known = {aspect for one in KNOWN for aspect in one.says}

    assert set(ASPECTS) - planted - known == {"exclusiveMinimum", "minProperties", "multipleOf"}


def test_what_is_explained_is_new_once_hubspot_changes_it_again() -> None:
    document = published()
    put("BatchInput", "inputs", maxItems=50)(document)
    added = [statement(one.difference) for one in unexplained(run(document))]
    assert run(document, KNOWN + added).exit_code == 0

    put("BatchInput", "inputs", maxItems=40)(document)

    assert told(run(document, KNOWN + added)) == {"breaking, we: request inputs, maxItems 40"}


def test_a_statement_holds_where_it_is_bound_to() -> None:
    document = published()
    add("SimplePublicObject", "owner")(document)
    found = unexplained(run(document))[0].difference
    everywhere = {"versions": ["v3"], "replies": ["201", "207", "200"], "fields": ["results[]"]}

    for conditions, exit_code in (
        ({}, 0),
        (everywhere, 0),
        ({"versions": ["2026-03"]}, 1),
        ({"replies": ["201"]}, 1),
        ({"fields": ["results"]}, 1),
    ):
        assert run(document, [*KNOWN, statement(found, **conditions)]).exit_code == exit_code


def test_a_statement_says_the_very_value() -> None:
    document = published()
    put("BatchInput", "inputs", maxItems=50)(document)
    pointer = "/components/schemas/BatchUpdateRequest/properties/inputs/maxItems"

    for said, exit_code in (("any", 0), (50, 0), (True, 1), ("50", 1), (51, 1)):
        statements = [*KNOWN, Statement(pointer, {}, {"maxItems": said})]

        assert run(document, statements).exit_code == exit_code


def as_3_1(node: Json) -> Json:
    """The same schemas in the words of OpenAPI 3.1."""
    if isinstance(node, list):
        return [as_3_1(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: as_3_1(value) for key, value in node.items() if (key, value) != ("example", None)}
    if changed.pop("nullable", False):
        changed["type"] = [changed["type"], "null"]
    if "openapi" in changed:
        changed["openapi"] = "3.1.0"
    return changed


def composed(document: Json) -> Json:
    """The same schemas, put together in other ways."""
    changed = copy.deepcopy(document)
    every = models(changed)
    record = every["SimplePublicObject"]
    base = {"archived", "archivedAt", "createdAt"}
    every["Base"] = record | part(record, lambda name: name in base)
    rest = record | part(record, lambda name: name not in base)
    every["SimplePublicObject"] = {"allOf": [ref("Base"), rest], "description": "A record."}
    every["Text"] = TEXT
    replace("BatchResponse", "status", {"oneOf": [{"enum": STATES[:2]}, {"enum": STATES[2:]}]})(changed)
    replace("Input", "id", {"allOf": [TEXT, {}]})(changed)
    replace("Input", "idProperty", {"anyOf": [TEXT, TEXT | {"minLength": 3}]})(changed)
    replace("Error", "message", ref("Text") | {"description": "", "example": None})(changed)
    replace("StandardError", "links", {"anyOf": [mapping(TEXT)]})(changed)
    return changed


def part(record: Json, belongs: Callable[[str], bool]) -> Json:
    return {
        "required": [name for name in record["required"] if belongs(name)],
        "properties": {name: field for name, field in record["properties"].items() if belongs(name)},
    }


def test_another_form_of_the_same_is_no_difference() -> None:
    for version in VERSIONS:
        plain = without_search(published(version=version))
        for other in (as_3_1(plain), composed(plain), composed(as_3_1(plain))):
            for ours, theirs in ((plain, plain), (plain, other), (other, plain), (other, other)):
                report = compared(ours, theirs)
                assert (report.errors, report.occurrences) == ([], [])


def without_search(document: Json) -> Json:
    """The document without the operation that leads nowhere, for where it is ours."""
    paths = {path: item for path, item in document["paths"].items() if "search" not in path}
    return {**document, "paths": paths}


def test_our_document_does_not_differ_from_itself() -> None:
    report = Report([one.name for one in WANTED])
    script.add_document(report, OUR_SOURCE, WANTED, [])

    assert (report.errors, report.occurrences) == ([], [])
    # Where the object type is a parameter, nothing but a title would tell the targets of links from the rest.
    assert [len(one.operations) for one in report.compared] == [1, len(WANTED) - 2]


def test_nothing_of_our_document_is_beyond_comparison() -> None:
    reader = Reader(OUR_SOURCE)
    names = OUR_SOURCE.content["components"]["schemas"]
    places = [("components", "schemas", name) for name in names]
    shapes = [reader.shape(Schema(names[place[-1]], place)) for place in places]

    assert [shape.place for shape in shapes if shape.not_compared] == []


SMALL = st.sampled_from(["a", "ab", 5, 0, 1.5, True, None])
SCALARS = [None, True, 0, 5, 1.5, "", "a", "ab"]
LISTS = [[], ["a"], [0], ["a", 5]]
OBJECTS = [{}, {"a": {}}, {"a": "a", "b": "b"}, {"b": [5]}]
VALUES: list[Json] = [*SCALARS, *LISTS, *OBJECTS, *({name: value} for name in "ab" for value in SCALARS)]


def any_schema(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    text = {"minLength": st.integers(0, 2), "maxLength": st.integers(0, 2)}
    number = {"minimum": st.sampled_from([0, 1.5, 5]), "exclusiveMaximum": st.sampled_from([0, 5])}
    names = st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    fields = {"required": st.lists(st.sampled_from("ab"), max_size=1), "properties": names}
    additional = {"additionalProperties": st.one_of(st.booleans(), inner)}
    null = st.sampled_from([["string", "null"], ["integer", "null"], ["object", "null"]])
    word = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
    limits = st.fixed_dictionaries(
        {}, optional={"type": word | null, **text, **number, **fields, **additional, "items": inner}
    )
    values = st.fixed_dictionaries({"enum": st.lists(SMALL, min_size=1, max_size=3)})
    return limits | values | st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)})


@settings(max_examples=300)
@given(*[st.recursive(st.just({}), any_schema, max_leaves=4)] * 2)
def test_what_a_validator_tells_apart_is_a_difference(ours: Json, theirs: Json) -> None:
    our_reader, their_reader = (
        Reader(Document("x", "", {"openapi": "3.1.0", "schema": node})) for node in (ours, theirs)
    )
    schemas = Schema(ours, ("schema",)), Schema(theirs, ("schema",))
    found = list(Comparison(our_reader, their_reader, "reply").differences(*schemas))

    told = {WAYS[one.verdict.direction] for one in found}
    if {one.aspect for one in found} & {"absent", "field"}:
        return  # fields have a name on one side only, and what they may be is not told
    ours_takes, theirs_take = (jsonschema_rs.validator_for(node).is_valid for node in (ours, theirs))
    for value in VALUES:
        if theirs_take(value) and not ours_takes(value):
            assert told & {"they", "apart"}, value
        if ours_takes(value) and not theirs_take(value):
            assert told & {"we", "apart"}, value


def test_siblings_of_a_reference_count_from_3_1_on() -> None:
    document = published()
    models(document)["Text"] = TEXT
    replace("Input", "id", {**ref("Text"), "maxLength": 9})(document)
    assert run(document).exit_code == 0

    document["openapi"] = "3.1.0"
    assert told(run(document)) == {"breaking, we: request inputs[].id, maxLength 9"}


def compared(ours: Json, theirs: Json) -> Json:
    """Compare two documents of HubSpot's as if the first were ours, and nothing were known."""
    of_ours = wanted(source(ours))
    report = Report([one.name for one in of_ours])
    script.add_document(report, source(theirs), of_ours, [])
    return report


def test_a_success_that_is_read_as_a_failure_is_the_worst() -> None:
    ours = without_search(published())
    theirs = copy.deepcopy(ours)
    post(theirs)["responses"]["202"] = body("BatchResponse")

    assert 'breaking, they: reply, status "202"' in told(compared(ours, theirs))


FOUND: Json = {"200": {"description": "", **body("BatchResponse")}}
OTHERS: Json = {
    "/crm/v3/properties/{objectType}": {
        "get": {
            "operationId": "list",
            "parameters": [
                {"name": "objectType", "in": "path", "required": True, "schema": TEXT},
                {"name": "archived", "in": "query", "schema": TYPES["boolean"]},
            ],
            "responses": FOUND,
        }
    },
    "/crm/associations/2026-09/{from}/{to}/batch/create": {
        "post": {
            "operationId": "link",
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": TEXT} for name in ("from", "to")
            ],
            "requestBody": {"required": True, **body("BatchInput")},
            "responses": FOUND,
        }
    },
    "/crm/v3/objects/orders/batch/archive": {
        "post": {
            "operationId": "archive",
            "requestBody": {"required": True, **body("BatchInput")},
            "responses": {"204": {"description": ""}},
        }
    },
}


def test_operations_of_other_forms_are_compared() -> None:
    ours = published() | {"paths": copy.deepcopy(OTHERS)}
    theirs = copy.deepcopy(ours)
    listing, link, archive = theirs["paths"].values()
    theirs["paths"] = {
        "/crm/properties/2026-09/{type}": listing,
        "/crm/properties/2026-09/{type}/{name}": {"get": {"responses": {}}},
        "/crm/v4/associations/{fromType}/{toType}/batch/create": link,
        "/crm/objects/2026-03/orders/batch/archive": archive,
    }
    listing["get"]["parameters"][0]["name"] = "type"
    for parameter, name in zip(link["post"]["parameters"], ("fromType", "toType"), strict=True):
        parameter["name"] = name
    assert told(compared(ours, theirs)) == set()
    compared_in = {one.operations: one.version for one in compared(ours, theirs).compared}
    assert compared_in == {("list",): "2026-09", ("link",): "v4", ("archive",): "2026-03"}

    listing["get"]["requestBody"] = {"required": True, **body("BatchInput")}
    listing["get"]["parameters"][1] |= {"required": True, "schema": TEXT}
    link["post"]["parameters"][1]["schema"] = TEXT | {"maxLength": 5}
    archive["post"]["responses"]["204"] |= body("BatchResponse")
    archive["post"]["requestBody"]["required"] = False
    assert told(compared(ours, theirs)) == {
        'breaking, we: request, body ["application/json"]',
        'breaking, we: request query archived, required ["query archived"]',
        'breaking, apart: request query archived, type "string"',
        "breaking, we: request path to, maxLength 5",
        'notable, they: reply, body ["application/json"]',
        "harmless, they: request, requiredBody false",
    }

    del (
        listing["get"]["parameters"][1],
        theirs["paths"]["/crm/v4/associations/{fromType}/{toType}/batch/create"],
    )
    theirs["paths"]["/crm/v4/associations/{fromType}/{toType}/batch/read"] = link
    assert told(compared(ours, theirs)) >= {
        "breaking, we: request, parameter null",
        "breaking, we: operation, absent true",
    }


def test_effects_name_what_they_are_about() -> None:
    document = published()
    put("Input", "", required=["id", "objectWriteTraceId", "properties"])(document)
    put("SimplePublicObject", "", required=["createdAt", "id", "properties", "updatedAt"])(document)
    drop("Input", "idProperty")(document)
    values(*CATEGORIES[:3])(document)
    states(document)

    assert {one.difference.verdict.effect for one in unexplained(run(document))} == {
        "they now require `objectWriteTraceId`",
        "they may leave out `archived`",
        "they do not take `idProperty`",
        "they do not take `WORK`",
        "they send less than we read",
        "they also name `X`",
    }


def test_json_counts_where_there_are_other_media_types() -> None:
    document = published()
    post(document)["responses"]["201"]["content"] |= {
        "*/*": {"schema": TEXT},
        "text/csv": {"schema": TEXT},
        "application/json; charset=utf-8": {"schema": ref("BatchResponse")},
    }

    assert told(run(document)) == set()


def test_an_operation_with_another_method_beside_it_has_not_moved() -> None:
    document = published()
    document["paths"][f"{ROOT_V3}/batch/create"] = {"get": {"responses": {}}, "post": post(document)}

    assert told(run(document)) == set()


def test_schemas_that_lead_back_to_themselves_come_to_an_end() -> None:
    document = without_search(published())
    replace("ErrorDetail", "context", ref("Tree"))(document)
    models(document)["Tree"] = mapping(ref("Tree")) | {"properties": {"leaf": array(ref("Tree"))}}
    assert compared(document, document).occurrences == compared(document, document).errors == []

    document = published()
    replace("ErrorDetail", "context", mapping({"anyOf": [array(TEXT), ref("Tree")]}))(document)
    models(document)["Tree"] = {"type": "object", "additionalProperties": ref("Tree")}

    assert {one.difference.aspect for one in unexplained(run(document))} == {"type"}


PATHS: list[tuple[str, str, list[str]]] = [
    ("/crm/objects/2026-09/{objectType}", "CRM Orders", ["create_orders"]),
    ("/crm/objects/2026-09/{type}", "commercePayments", ["create_commerce_payments"]),
    ("/crm/objects/2026-09/{objectType}", "Objects", [*map("create_{}".format, sorted(SCOPES))]),
    ("/crm/objects/2026-09/{objectType}", "Tickets", []),
    ("/crm/objects/2026-09/tickets", "Tickets", []),
    ("/crm/objects/2026-09/carts", "Contacts", ["create_carts"]),
    ("/cms/v3/orders", "Blog", []),
]


def test_operations_are_found_whatever_the_path_looks_like() -> None:
    for path, title, names in PATHS:
        document = published(version="2026-09")
        document["info"]["title"] = title
        document["paths"] = {f"{path}/batch/create": {"post": post(document)}}

        report = run(document)

        found = [name for one in report.compared for name in one.operations if name.startswith("create")]
        assert (sorted(found), report.errors) == (names, [])
        assert bool(report.notes) is not bool(names)


def test_the_name_of_the_file_counts_where_there_is_no_title() -> None:
    document = published("line_items", "2026-09")
    del document["info"]["title"]

    (found,) = run(document, name="a/orders/lineItems.json").compared
    assert found.operations == tuple(f"{action}_line_items" for action in ACTIONS)


def test_several_versions_in_one_document_are_told_apart() -> None:
    document = published()
    document["paths"] |= published(version="2026-03")["paths"]

    assert [one.version for one in run(document).compared] == ["2026-03", "v3"]
    assert [one.version for one in run(document, versions=("v3",)).compared] == ["v3"]


def test_a_version_that_is_not_released_is_passed_over_unless_asked_for() -> None:
    document = published(version="2026-03")
    move("2026-03", "2027-03-beta")(document)

    assert run(document).notes == ["x.json:1: passed over: version 2027-03-beta"]
    assert run(document, versions=("2027-03-beta",)).compared[0].version == "2027-03-beta"


def test_the_report_names_the_worst_first_and_both_places() -> None:
    document = published()
    put("Input", "id", maxLength=9)(document)
    put("SimplePublicObject", "archived", nullable=True)(document)
    add("SimplePublicObject", "owner")(document)

    text = as_text(run(document), explained=False).splitlines()

    bullets = [line.split(":")[0] for line in text if line.startswith("- **")]
    assert bullets == [
        "- **breaking**, reply 200, 201, 207 `results[].archived`",
        "- **notable**, reply 200, 201, 207 `results[]`",
        "- **breaking**, request `inputs[].id`",
    ]
    assert [line for line in text if line.startswith("## ")] == [
        "## create_orders, read_orders, update_orders",
        "## update_orders",
    ]
    assert text.count("  - ours: `#/components/schemas/Record/properties/archived`") == 1
    assert text.count("  - v3: `#/components/schemas/SimplePublicObject/properties/archived` (x.json)") == 1
    assert text[-1].endswith(" differences, 3 of them not explained by openapi/deviations.yaml.")
    listed = as_text(run(document), explained=True)
    assert "  - explained by the deviation of `/components/schemas/ErrorReply`\n" in listed


# The command line


def closed(**properties: Json) -> Json:
    required = list(properties)
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def filled(items: Json) -> Json:
    return {"type": "array", "minItems": 1, "items": items}


NAMES = {"enum": [one.name for one in WANTED]}
PLACE = {"type": "string", "pattern": "^#"}
REPORT = closed(
    compared=array(closed(source=TEXT, version=TEXT, operations=filled(NAMES))),
    unexplained={"type": "integer"},
    stale=array(TEXT),
    notes=array(TEXT),
    errors=array(TEXT),
    differences=array(
        closed(
            aspect={"enum": list(ASPECTS)},
            use={"enum": ["operation", "request", "reply"]},
            field=TEXT,
            theirs={},
            ours={},
            direction={"enum": list(WAYS)},
            severity={"enum": ["breaking", "notable", "harmless"]},
            effect=TEXT,
            pointer=PLACE,
            explained_by={"type": ["string", "null"]},
            occurrences=filled(
                closed(
                    source=TEXT,
                    version=TEXT,
                    operation=NAMES,
                    reply={"type": ["string", "null"]},
                    pointer=PLACE,
                )
            ),
        )
    ),
)


class Done(NamedTuple):
    """What a run of the script has left."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run_main(*arguments: str | Path) -> Done:
        try:
            code = script.main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run_main


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Return a folder like HubSpot's repository, with files in it that are none of our business."""
    for object_type in SCOPES:
        for version in VERSIONS:
            folder = tmp_path / object_type.title() / "Rollouts" / "424" / version
            folder.mkdir(parents=True)
            text = json.dumps(published(object_type, version), indent=2)
            (folder / f"{object_type}.json").write_text(text)
    foreign = {
        "Collection Directory/Orders Collection.json": '{"info": {"name": "openapi"}, "item": []}',
        "tickets.yaml": "openapi: 3.0.1\ninfo: {title: Tickets}\npaths: {/crm/v3/objects/tickets: {}}",
        "old.yml": "swagger: '2.0'\nopenapi: '2.0'\n",
        "settings.json": "{ // not JSON, which does not matter\n}",
        ".hidden/orders.json": "{",
        "README.md": "openapi: [",
    }
    for name, text in foreign.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_is_searched_and_foreign_files_are_passed_over(
    collection: Path, call: Callable[..., Done]
) -> None:
    done = call("--json", collection)

    found = json.loads(done.out)
    assert (done.code, done.err, found["unexplained"]) == (0, "", 0)
    assert len(found["compared"]) == 16
    assert sorted(Path(note.split(":")[0]).name for note in found["notes"]) == [
        "Orders Collection.json",
        "old.yml",
        "settings.json",
        "tickets.yaml",
    ]
    assert list(jsonschema_rs.validator_for(REPORT).iter_errors(found)) == []


def test_exit_code_1_and_json_tell_of_what_is_not_explained(
    collection: Path, call: Callable[..., Done]
) -> None:
    changed = published("carts")
    put("SimplePublicObject", "archived", nullable=True)(changed)
    path = collection / "Carts" / "Rollouts" / "424" / "v3" / "carts.json"
    path.write_text(json.dumps(changed))

    done = call("--json", "--api-version", "v3", collection)

    found = json.loads(done.out)
    assert (done.code, found["unexplained"], len(found["compared"])) == (1, 1, 4)
    assert list(jsonschema_rs.validator_for(REPORT).iter_errors(found)) == []
    (one,) = [difference for difference in found["differences"] if difference["explained_by"] is None]
    assert one["pointer"] == "#/components/schemas/Record/properties/archived"
    assert [(each["operation"], each["reply"]) for each in one["occurrences"]] == [
        *(("create_carts", code) for code in ("201", "207")),
        *(("read_carts", code) for code in ("200", "207")),
        *(("update_carts", code) for code in ("200", "207")),
    ]
    text = call("--api-version", "v3", collection).out
    assert f"  - v3: `#/components/schemas/SimplePublicObject/properties/archived` ({path})\n" in text
    assert "\n- " + str(collection / "tickets.yaml") in text


def test_a_version_that_a_folder_has_no_more_is_told(collection: Path, call: Callable[..., Done]) -> None:
    for path in collection.glob("Carts/Rollouts/424/2025-09/*"):
        path.unlink()
    entry = "deviations:\n  - {pointer: /x-versions/2025-09, upstream: [{version: null}]}\n"
    (collection / "known.yaml").write_text(entry)

    told_ = [
        (each["effect"], one["operation"])
        for each in json.loads(call("--json", collection).out)["differences"]
        if not each["explained_by"]
        for one in each["occurrences"]
    ]
    assert told_ == [
        ("they do not publish the version 2025-09 any more", f"{action}_carts") for action in ACTIONS
    ]
    known = json.loads(call("--json", "--deviations", collection / "known.yaml", collection).out)
    assert [each["explained_by"] for each in known["differences"] if each["aspect"] == "version"] == [
        "/x-versions/2025-09"
    ]
    # One version, or one that was asked for, says nothing of the others.
    assert call(collection / "Carts/Rollouts/424/v3").code == 0
    assert call("--api-version", "v3", collection).code == 0


def test_yaml_with_status_codes_that_are_no_texts_is_read(tmp_path: Path, call: Callable[..., Done]) -> None:
    text = (
        yaml.safe_dump(published(), sort_keys=False)
        .replace("'20", "20")
        .replace("7':", "7:")
        .replace("1':", "1:")
        .replace("4':", "4:")
    )
    path = tmp_path / "orders.yaml"
    path.write_text(text.replace("0':", "0:"))
    assert call(path).code == 0

    document = published()
    put("Input", "idProperty", enum=["2026-09-08"])(document)
    path.write_text(yaml.safe_dump(document).replace("'2026-09-08'", "2026-09-08"))
    found = json.loads(call("--json", path).out)["differences"]
    assert [one["theirs"] for one in found if one["explained_by"] is None] == [["2026-09-08"]]


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(published()))

    done = subprocess.run(
        [sys.executable, SCRIPT, path.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    names = ", ".join(f"{action}_orders" for action in ACTIONS)
    assert f"- v3: {names} (orders.json)\n" in done.stdout
    assert done.stdout.endswith(" differences, explained by openapi/deviations.yaml.\n")


WORKFLOW = ROOT / ".github" / "workflows" / "upstream.yml"
GH = """#!/bin/sh
echo "gh $*" >> calls
[ "$2" != list ] || printf '[{"number": 7, "title": "%s"}]' "$OPEN" | "$PYTHON" -c "
import json, os, sys
print(next((one['number'] for one in json.load(sys.stdin) if one['title'] == os.environ['TITLE']), ''))"
"""


@pytest.mark.posix
@pytest.mark.parametrize(("is_open", "call"), [(False, "issue create --title"), (True, "issue edit 7")])
def test_the_workflow_opens_one_issue_and_updates_it(tmp_path: Path, call: str, *, is_open: bool) -> None:
    steps = {
        step.get("name"): step
        for step in yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["compare"]["steps"]
    }
    compare, issue = steps["Compare"]["run"], steps["Open or update the issue"]
    for name in ("openapi", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    title = issue["env"]["TITLE"]
    environment = {
        **os.environ,
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "PATH": os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHON": sys.executable,
        "TITLE": title,
        "OPEN": title if is_open else "Another issue",
    }

    def step(text: str) -> int:
        command = ["bash", "-e", "-c", text]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode

    (tmp_path / "upstream" / "PublicApiSpecs" / "CRM").mkdir(parents=True)
    assert step(compare) == 1
    for object_type in SCOPES:
        folder = object_type.replace("_", " ").title()
        path = tmp_path / "upstream" / "PublicApiSpecs" / "CRM" / folder / "v3" / f"{object_type}.json"
        path.parent.mkdir(parents=True)
        document = published(object_type)
        put("SimplePublicObject", "id", nullable=True)(document)
        add("SimplePublicObject", "x\r\n```\r@somebody <img src=x>")(document)
        path.write_text(json.dumps(document))
    assert (step(compare), step(issue["run"])) == (0, 0)

    assert (tmp_path / "output").read_text() == "code=2\ncode=1\n"
    assert (tmp_path / "summary").read_text().endswith((tmp_path / "issue.md").read_text())
    assert "Carts/v3/carts.json" in (tmp_path / "issue.md").read_text()
    # No text of others leaves the code block.
    lines = re.split(r"[\r\n]+", (tmp_path / "issue.md").read_text().rstrip("\n"))
    assert "@somebody" in "".join(lines)
    assert [line for line in lines if not line.startswith("    ")] == []
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2
    assert calls[1].startswith(f"gh {call}")
    assert calls[1].endswith("--body-file issue.md")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = {"/orders.json": json.dumps(published()), "/page": "<html>openapi</html>"}
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/orders.json")
        else:
            self.send_response(200 if self.path in known else 404)
        self.end_headers()
        self.wfile.write(known.get(self.path, "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_is_fetched(address: str, call: Callable[..., Done]) -> None:
    assert call(f"{address}/moved").code == 0
    assert call(f"{address}/gone") == Done(
        2, call(f"{address}/gone").out, f"{address}/gone:1: #: cannot be fetched: HTTP 404\n"
    )
    page = call(f"{address}/page")
    assert (page.code, page.err) == (2, f"{address}/page:1: cannot be used: is not an OpenAPI document\n")


def test_an_address_that_nobody_serves_is_told(call: Callable[..., Done]) -> None:
    for address in ("http://127.0.0.1:1/orders.json", "http://127.0.0.1:99999/", "https://"):
        done = call(address)
        assert done.code == 2
        assert done.err.startswith(f"{address}:1: #: cannot be fetched: ")


def test_wrong_usage_is_exit_code_2(call: Callable[..., Done]) -> None:
    for arguments in ([], ["--api-version", "4", "x"], ["--api-version", "2026", "x"], ["--nonsense", "x"]):
        done = call(*arguments)

        assert done.code == 2
        assert done.err.startswith("usage:")


def test_to_look_at_the_wrong_place_is_no_success(tmp_path: Path, call: Callable[..., Done]) -> None:
    (tmp_path / "empty").mkdir()
    orders, contacts = tmp_path / "orders.json", tmp_path / "contacts.json"
    orders.write_text(json.dumps(published()))
    contacts.write_text(json.dumps(published() | {"paths": {}}))
    beta = tmp_path / "beta.json"
    beta.write_text(json.dumps(published()).replace("crm/v3/objects", "crm/objects/2027-03-beta"))

    assert (
        call(tmp_path / "gone").err
        == f"{tmp_path / 'gone'}:1: #: cannot be read: No such file or directory\n"
    )
    for wrong in (tmp_path / "empty", contacts):
        assert call(orders, wrong).err == f"{wrong}:1: is about none of our operations\n"
    assert call(orders, "--api-version", "2026-03").err == (
        "no document is about our operations in version 2026-03\n"
    )
    assert call(beta).err == "all documents were passed over\n"
    assert {call(tmp_path / "gone").code, call(orders, contacts).code, call(beta).code} == {2}


def test_files_of_ours_that_cannot_be_used_are_told(tmp_path: Path, call: Callable[..., Done]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("a: [\n")

    for option in ("--document", "--deviations"):
        done = call("x.json", option, path)

        assert done.code == 2
        assert done.err.startswith(f"{path}:2: ")


MALFORMED: list[tuple[str, int, str]] = [
    ("deviations: 5", 1, "is a number where a list belongs"),
    ("deviations:\n  - 5", 2, "is a number where a mapping belongs"),
    ("deviations:\n  - upstream: [type: x]", 2, "has no pointer"),
    ("deviations:\n  - pointer: /a\n    upstream: {}", 3, "is a mapping where a list belongs"),
    ("deviations:\n  - pointer: /a\n    upstream: [5]", 3, "is a number where a mapping belongs"),
    ("deviations:\n  - pointer: /a\n    upstream:\n      - versions: [v3]", 4, "says nothing"),
    (
        "deviations:\n  - pointer: /a\n    upstream:\n      - nulable: true",
        4,
        "is nothing that is compared",
    ),
    (
        "deviations:\n  - pointer: /a\n    upstream:\n      - versions: v3\n        type: x",
        4,
        "is a text where a list belongs",
    ),
]


def test_a_malformed_deviation_is_told(tmp_path: Path, call: Callable[..., Done]) -> None:
    path = tmp_path / "deviations.yaml"
    for entry, line, message in MALFORMED:
        path.write_text(entry)

        done = call("x.json", "--deviations", path)

        assert done.code == 2
        assert done.err.startswith(f"{path}:{line}: ")
        assert done.err.endswith(f": {message}\n")


# Documents that are malformed on purpose


NO_DOCUMENTS: list[tuple[bytes, int, str]] = [
    (b'{"openapi": "3.0.1",\n "paths": {,}}', 2, "is not JSON"),
    (b"openapi: 3.0.1\npaths: [\n", 3, "is not YAML"),
    (b"openapi: 3.0.1\n\tpaths: {}\n", 2, "is not YAML"),
    (b"openapi: *nobody\n", 1, "is not YAML"),
    (b"openapi: 3.0.1\n? [a]\n: b\n", 2, "is not YAML"),
    (b"openapi: !!python/object:os.system x\n", 1, "is not YAML"),
    (b"openapi: 3.0.1\nx: !!binary aGVsbG8=\n", 2, "is not YAML"),
    (b"openapi: 3.0.1\nx: !!timestamp 2026-09-08\n", 2, "is not YAML"),
    (b"openapi: 3.0.1\nx: !!set {a}\n", 2, "is not YAML"),
    (b"openapi: 3.0.1\nx: .nan\n", 2, "is not a number of JSON"),
    (b"openapi: 3.0.1\nx: -1.0e+400\n", 2, "is not a number of JSON"),
    (b"openapi: 3.0.1\nx: 0x" + b"f" * 5000, 2, "is not a number of JSON"),
    (b'{"openapi": "3.0.1", "x": 1e400}', 1, "1e400 is not a number of JSON"),
    (b'{"openapi": "3.0.1", "x": NaN}', 1, "NaN is not a number of JSON"),
    (b"\xff\xfeopenapi", 1, "is neither JSON nor YAML"),
    (b"openapi: \x00", 1, "is neither JSON nor YAML"),
    (b'{"openapi": "3.0.1", "x": ' + b"9" * 5000 + b"}", 1, "is neither JSON nor YAML"),
    (b'{"openapi": ' + b"[" * 100_000, 1, "is nested too deep"),
    (b"openapi: " + b"[" * 10_000, 1, "is nested too deep"),
    (b"[openapi]", 1, "is not an OpenAPI document"),
    (b"{}", 1, "is not an OpenAPI document"),
    (b'{"openapi": "2.0"}', 1, "is OpenAPI '2.0'"),
    (b'{"openapi": 3}', 1, "is OpenAPI 3 "),
]


def test_what_is_no_document_is_told_with_its_line(tmp_path: Path, call: Callable[..., Done]) -> None:
    for text, line, message in NO_DOCUMENTS:
        path = tmp_path / ("orders.json" if text.startswith(b"{") else "orders.yaml")
        path.write_bytes(text)

        done = call(path)

        assert done.code == 2
        assert done.err.startswith(f"{path}:{line}: ")
        assert message in done.err


def test_a_document_that_is_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("_collection.LARGEST", 10)

    with pytest.raises(InvalidFileError, match="is larger than 10 bytes"):
        source(published())


HOSTILE: dict[str, tuple[Edit, str]] = {
    "reference to nowhere": (replace("Input", "id", ref("Nobody")), "names nothing in this file"),
    "reference out of the file": (
        replace("Input", "id", {"$ref": "https://example.com/a.json#/b"}),
        "names nothing in this file",
    ),
    "reference that is no text": (replace("Input", "id", {"$ref": 5}), "is a number where a text belongs"),
    "references in a circle": (
        lambda document: models(document).update(Input=ref("B"), B=ref("Input")),
        "leads back to itself",
    ),
    "a part of itself": (put("Input", "", allOf=[ref("Input")]), "is part of itself"),
    "one of itself": (put("Input", "", oneOf=[TEXT, ref("Input")]), "is part of itself"),
    "no type of JSON": (put("Input", "id", type="file"), "'file' is not a type of JSON"),
    "type no text": (put("Input", "id", type=5), "is a number where a list belongs"),
    "types no texts": (put("Input", "id", type=[5]), "is a number where a text belongs"),
    "schema no mapping": (replace("Input", "id", []), "is a list where a mapping belongs"),
    "required no list": (put("Input", "", required="id"), "is a text where a list belongs"),
    "fields no mapping": (put("Input", "", properties=[]), "is a list where a mapping belongs"),
    "values no list": (put("Input", "id", enum={}), "is a mapping where a list belongs"),
    "bound no number": (put("Input", "id", maxLength="9"), "is a text where a number belongs"),
    "bound true": (put("Input", "id", maxLength=True), "is a boolean where a number belongs"),
    "format no text": (put("Input", "id", format=[]), "is a list where a text belongs"),
    "paths no mapping": (lambda document: document.update(paths=[]), "is a list where a mapping belongs"),
    "operation no mapping": (
        lambda document: document["paths"][f"{ROOT_V3}/batch/update"].update(post="x"),
        "is a text where a mapping belongs",
    ),
    "security no list": (every_post(security={}), "is a mapping where a list belongs"),
    "scopes no list": (every_post(security=[{"oauth2": "x"}]), "is a text where a list belongs"),
    "replies no mapping": (every_post(responses=[]), "is a list where a mapping belongs"),
    "parameters no list": (every_post(parameters={}), "is a mapping where a list belongs"),
}


def test_a_hostile_document_is_an_error_at_its_line() -> None:
    for edit, message in HOSTILE.values():
        document = published()
        edit(document)
        text = json.dumps(document, indent=1)
        report = Report([one.name for one in WANTED])
        script.add_document(report, parse("x.json", text.encode()), WANTED, KNOWN)

        (error,) = report.errors
        assert error.endswith(message)
        line, token = int(error.split(":")[1]), error.split(": ")[1].rpartition("/")[2]
        assert token.isdigit() or f'"{token}":' in text.splitlines()[line - 1]
        assert report.exit_code == 2


def test_what_is_deep_on_one_side_only_is_another_type() -> None:
    document = published()
    replace("Input", "id", json.loads('{"type": "array", "items": ' * 90 + "{}" + "}" * 90))(document)

    assert {one.difference.aspect for one in unexplained(run(document))} == {"type"}


def test_names_that_would_upset_a_terminal_are_written_out(tmp_path: Path) -> None:
    document = published("carts")
    add("SimplePublicObject", "a\x1b[2J\n\ud800\u20ac")(document)
    models(document)["a\x1b[2J\x85"] = TEXT | {"maxLength": 5}
    replace("InputForCreate", "objectWriteTraceId", ref("a\x1b[2J\x85"))(document)
    (tmp_path / "carts.json").write_text(json.dumps(document))
    replace("InputForCreate", "associations", {"type": "\x07"})(document)
    (tmp_path / "bad.json").write_text(json.dumps(document))

    for option in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, SCRIPT, *option, "carts.json", "bad.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert re.search(r"a\\(x|u00)1b\[2J\\n\\ud800\\u20ac", done.stdout)
        assert re.search("[^\n -~]", done.stdout + done.stderr) is None
        assert done.stderr.endswith(r"/associations/type: '\x07' is not a type of JSON" + "\n")


def test_nesting_on_both_sides_is_bounded() -> None:
    deep = json.loads('{"type": "array", "items": ' * 90 + "{}" + "}" * 90)
    composition = json.loads('{"allOf": [' * 90 + "{}" + "]}" * 90)
    for node in (deep, composition):
        document = published()
        replace("Input", "id", node)(document)
        (error,) = compared(without_search(document), without_search(document)).errors
        assert error.endswith("is nested more than 60 deep")


def test_a_document_of_too_many_schemas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("_schema_diff.MOST_PAIRS", 5)

    assert run(published()).errors[0].endswith("is one of more than 5 schemas")


def test_aliases_without_end_come_to_an_end() -> None:
    lines = ["a0: &a0 {type: object}"]
    for number in range(1, 40):
        below = f"*a{number - 1}"
        lines.append(f"a{number}: &a{number} {{type: object, properties: {{x: {below}, y: {below}}}}}")
    text = yaml.safe_dump(published()).replace("openapi: 3.0.1", "openapi: 3.0.1\n" + "\n".join(lines))
    document = parse("x.yaml", text.encode())
    record = document.content["components"]["schemas"]["SimplePublicObject"]
    record["properties"]["properties"] = document.content["a39"]
    report = Report([one.name for one in WANTED])

    script.add_document(report, document, WANTED, KNOWN)

    assert len(report.errors) <= 1


def places(node: Json, pointer: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield pointer
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        yield from places(child, (*pointer, key))


ODD: list[Json] = [
    None,
    True,
    5,
    -1.5,
    "",
    "x",
    "/",
    [],
    [5],
    [None],
    [[]],
    {},
    {"a": 5},
    {"$ref": "#/"},
    {"$ref": "#/paths"},
]


@settings(max_examples=100)
@given(st.sampled_from(VERSIONS), st.data())
def test_no_value_at_any_place_upsets_the_comparison(version: str, data: st.DataObject) -> None:
    document = published(version=version)
    *above, last = data.draw(st.sampled_from(list(places(document))[1:]))
    parent = document
    for token in above:
        parent = parent[token]
    parent[last] = data.draw(st.sampled_from(ODD))
    try:
        report = run(document)
    except ForeignError:
        assert last == "openapi"
        return

    assert report.exit_code in {0, 1, 2}
    json.loads(as_json(report))
    assert as_text(report, explained=True)
    for error in report.errors:
        assert error.startswith("x.json:1: #")
