"""What scripts/regenerate.py refuses in a document although JSON Schema and OpenAPI let it pass."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("openapi_python_client", reason="needs the dependency group generators")

from _document import InvalidFileError
from _validation import load_valid

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "hubspot-batch.yaml"

# What is replaced, by what, the text at the line that the fault names, and the fault.
FAULTS = {
    "misspelt limit": (
        "maxItems: 100",
        "maxItem: 100",
        "maxItem:",
        "there is no keyword 'maxItem', 'maxItems' perhaps",
    ),
    "misspelt openness": (
        "additionalProperties: false",
        "additionalProprties: false",
        "additionalProprties",
        "there is no keyword 'additionalProprties', 'additionalProperties' perhaps",
    ),
    "keyword of OpenAPI 3.0": (
        "      - type: string\n    KnownBatchStatus",
        "      - type: string\n          nullable: true\n    KnownBatchStatus",
        "nullable: true",
        (
            "there is no keyword 'nullable' in OpenAPI 3.1: write type: [string, 'null'], "
            "or anyOf with type: 'null'"
        ),
    ),
    "misspelt format": (
        "format: date-time",
        "format: datetime",
        "format: datetime",
        "there is no format 'datetime', 'date-time' perhaps",
    ),
    "required without property": (
        "required: [id, properties, createdAt,",
        "required: [id, properties, createdOn,",
        "required: [id, properties, createdOn,",
        "there is no property 'createdOn', 'createdAt' perhaps",
    ),
    "fields that are one in Python": (
        "        archivedAt:\n",
        "        ArchivedAt:\n          type: string\n        archivedAt:\n",
        "        archivedAt:\n",
        (
            "is 'archived_at' in Python, as #/components/schemas/Record/properties/ArchivedAt is: "
            "give it another name"
        ),
    ),
    "field that hides a method": (
        "        archivedAt:\n",
        "        to_dict:\n          type: string\n        archivedAt:\n",
        "        to_dict:\n",
        "is 'to_dict' in Python, which the generated code uses itself: give it another name",
    ),
    "schema that hides a class": (
        "    RecordWarning:\n",
        "    Unset:\n      type: object\n    RecordWarning:\n",
        "    Unset:\n",
        "is 'Unset' in Python, which the generated code uses itself: give it another name",
    ),
    "schemas that are one in Python": (
        "    RecordWarning:\n",
        "    record_warning:\n      type: object\n    RecordWarning:\n",
        "    RecordWarning:\n",
        "is 'RecordWarning' in Python, as #/components/schemas/record_warning is: give it another name",
    ),
    "operations that are one in Python": (
        "operationId: update_orders",
        "operationId: createOrders",
        "operationId: createOrders",
        (
            "is 'create_orders' in Python, as "
            "#/paths/~1crm~1v3~1objects~1orders~1batch~1create/post/operationId is: give it another name"
        ),
    ),
    "operations of two tags with one name": (
        "operationId: create_carts",
        "operationId: create_orders",
        "operationId: create_orders\n      tags: [carts]",
        (
            "is 'create_orders' in Python, as "
            "#/paths/~1crm~1v3~1objects~1orders~1batch~1create/post/operationId is: give it another name"
        ),
    ),
    "parameter that hides an argument": (
        "      requestBody:\n        $ref: '#/components/requestBodies/CreateOrders'",
        (
            "      parameters:\n        - {name: client, in: query, schema: {type: string}}\n"
            "      requestBody:\n        $ref: '#/components/requestBodies/CreateOrders'"
        ),
        "name: client",
        "is 'client' in Python, which the generated code uses itself: give it another name",
    ),
}

# What looks like one of these faults and is none.
SOUND = {
    "property called like a keyword": (
        "        archivedAt:\n",
        (
            "        nullable:\n          type: string\n        not:\n          type: object\n"
            "          properties: {a: {type: string}}\n          required: [a]\n        archivedAt:\n"
        ),
    ),
    "extension": ("maxItems: 100", "maxItems: 100\n          x-reason: HubSpot takes no more"),
    "required beside an alternative": (
        "      required: [to, types]\n",
        "      anyOf:\n        - required: [to, types]\n        - required: [types]\n",
    ),
    "required of a map with any names": (
        "    Context:\n",
        (
            "    Extra:\n      type: object\n      propertyNames: {type: string}\n"
            "      required: [anything]\n    Context:\n"
        ),
    ),
}


def edited(folder: Path, old: str, new: str) -> Path:
    text = DOCUMENT.read_text("utf-8")
    assert old in text
    path = folder / "document.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


@pytest.mark.parametrize("name", FAULTS)
def test_fault_that_openapi_lets_pass_is_reported_with_its_place(tmp_path: Path, name: str) -> None:
    old, new, place, message = FAULTS[name]
    path = edited(tmp_path, old, new)
    with pytest.raises(InvalidFileError) as caught:
        load_valid(path)
    line = path.read_text("utf-8").split(place)[0].count("\n") + 1
    assert [(fault.line, fault.message) for fault in caught.value.faults] == [(line, message)]


@pytest.mark.parametrize("name", SOUND)
def test_sound_schema_is_accepted(tmp_path: Path, name: str) -> None:
    assert load_valid(edited(tmp_path, *SOUND[name])).content["openapi"] == "3.1.0"
