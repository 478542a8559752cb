"""The linters of the document can fail, and every exception from their rules is needed."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "openapi"
DOCUMENT = (OPENAPI / "hubspot-batch.yaml").read_text(encoding="utf-8")
SPECTRAL_RULES = (OPENAPI / "spectral.yaml").read_text(encoding="utf-8")

needs_linters = pytest.mark.skipif(
    os.environ.get("NOX_CURRENT_SESSION") != "lint_document" and not shutil.which("spectral"),
    reason="`nox -s lint_document` installs the linters",
)


class Fault(NamedTuple):
    """What to replace in the document, by what, and the rule that finds it."""

    old: str
    new: str
    rule: str


SPECTRAL = {
    "operation id that is no part of a URL": Fault(
        "operationId: create_carts", "operationId: create carts", "operation-operationId-valid-in-url"
    ),
    "reference that leads nowhere": Fault("/schemas/CreateInput'", "/schemas/CreateInptu'", "invalid-ref"),
    "component that nothing uses": Fault(
        "    Links:\n", "    Extra:\n      type: boolean\n    Links:\n", "oas3-unused-component"
    ),
    "example of a wrong type": Fault("id: '301'", "id: 301", "oas3-valid-media-example"),
    "example of a header": Fault("example: 190", "example: many", "oas3-valid-media-example"),
    "default of a wrong type": Fault(
        "          minimum: 1\n", "          minimum: 1\n          default: a\n", "oas3-valid-schema-example"
    ),
    "value of an enum twice": Fault(
        "USER_DEFINED, WORK]", "USER_DEFINED, WORK, WORK]", "duplicated-entry-in-enum"
    ),
    "misspelt key": Fault("summary: Create 1 to 100 carts", "sumary: Create 1 to 100 carts", "oas3-schema"),
    "tag without description": Fault(
        "    description: What a buyer ordered. Object type id 0-123.\n", "", "tag-description"
    ),
    "text without a limit in a request": Fault(
        "        objectWriteTraceId:\n          $ref: '#/components/schemas/TraceId'\n",
        "        objectWriteTraceId:\n          type: string\n          description: Any text.\n",
        "owasp:api4:2023-string-limit",
    ),
    "list without a limit in a request": Fault(
        "          maxItems: 100\n", "", "owasp:api4:2023-array-limit"
    ),
    "number without a limit in a request": Fault(
        "          maximum: 2147483647\n", "", "owasp:api4:2023-integer-limit"
    ),
    "object in a request that says nothing of other properties": Fault(
        "      description: One record to create.\n      additionalProperties: false\n",
        "      description: One record to create.\n",
        "requests-are-closed",
    ),
    "object in a request that allows other properties": Fault(
        "      description: One record to change.\n      additionalProperties: false\n",
        "      description: One record to change.\n      additionalProperties: true\n",
        "requests-are-closed",
    ),
    "object without a name": Fault(
        "          items:\n            $ref: '#/components/schemas/RecordWarning'\n",
        "          items:\n            type: object\n",
        "objects-and-enums-are-named",
    ),
    "enum without a name": Fault(
        "          description: What kind of thing set it.\n",
        "          description: What kind of thing set it.\n          enum: [INTEGRATION]\n",
        "objects-and-enums-are-named",
    ),
    "body without a name": Fault(
        "            $ref: '#/components/schemas/BatchUpdateRequest'\n",
        "            type: object\n            additionalProperties: false\n",
        "objects-and-enums-are-named",
    ),
}
REDOCLY = {
    "unknown tag": Fault("tags: [carts]", "tags: [baskets]", "operation-tag-defined"),
    "two tags": Fault("tags: [carts]", "tags: [carts, orders]", "operation-singular-tag"),
    "operation id twice": Fault(
        "operationId: create_carts", "operationId: create_orders", "operation-operationId-unique"
    ),
    "operation without an id": Fault("      operationId: create_carts\n", "", "operation-operationId"),
    "path that ends in a slash": Fault(
        "carts/batch/create:", "carts/batch/create/:", "no-path-trailing-slash"
    ),
    "operation without refusals": Fault(
        "        '429':\n"
        "          $ref: '#/components/responses/RateLimited'\n"
        "        default:\n"
        "          $ref: '#/components/responses/Failed'\n",
        "",
        "operation-4xx-response",
    ),
    "example with a property too many": Fault(
        "          - objectWriteTraceId: cart-1\n",
        "          - objectWriteTraceId: cart-1\n            colour: red\n",
        "no-invalid-media-type-examples",
    ),
    "body without an example": Fault(
        "          examples:\n"
        "            create_carts:\n"
        "              $ref: '#/components/examples/CreateCartsRequest'\n",
        "",
        "rule/bodies-have-examples",
    ),
    "alternatives that exclude each other": Fault(
        "      anyOf:\n        - $ref: '#/components/schemas/KnownBatchStatus'\n",
        "      oneOf:\n        - $ref: '#/components/schemas/KnownBatchStatus'\n",
        "rule/no-one-of",
    ),
    "required property that is none": Fault(
        "required: [id, properties]", "required: [id, propertis]", "no-required-schema-properties-undefined"
    ),
    "value of an enum of a wrong type": Fault(
        "USER_DEFINED, WORK]", "USER_DEFINED, 7]", "no-enum-type-mismatch"
    ),
    "unknown scope": Fault(
        "oauth2: [crm.objects.carts.write]", "oauth2: [crm.objects.cart.write]", "security-scopes-defined"
    ),
    "unknown security scheme": Fault(
        "accessToken: [crm.objects.carts.write]", "token: [crm.objects.carts.write]", "security-defined"
    ),
    "keyword beside a reference": Fault(
        "          $ref: '#/components/responses/RecordsUpdated'\n",
        "          $ref: '#/components/responses/RecordsUpdated'\n          headers: {}\n",
        "spec-ref-siblings",
    ),
}


def spectral(document: Path, ruleset: Path) -> list[dict[str, Any]]:
    done = lint(
        "spectral", "--fail-severity=hint", "--format=json", "--quiet", f"--ruleset={ruleset}", document
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert (done.returncode != 0) == bool(found), done.stderr
    return found


def redocly(document: Path, config: Path) -> list[dict[str, Any]]:
    done = lint("redocly", "--format=json", f"--config={config}", document)
    found: list[dict[str, Any]] = json.loads(done.stdout)["problems"]
    assert (done.returncode != 0) == bool(found), done.stderr
    return found


def lint(linter: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which(linter)
    assert command
    return subprocess.run(
        [command, "lint", *arguments], capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def plant(fault: Fault, folder: Path) -> Path:
    """Write the document with a fault, with the rulesets beside it as their exceptions are by path."""
    for name in ("redocly.yaml", "spectral.yaml"):
        shutil.copy(OPENAPI / name, folder)
    assert fault.old in DOCUMENT
    document = folder / "hubspot-batch.yaml"
    document.write_text(DOCUMENT.replace(fault.old, fault.new, 1), encoding="utf-8")
    return document


@needs_linters
@pytest.mark.parametrize("fault", SPECTRAL.values(), ids=SPECTRAL)
def test_spectral_finds(fault: Fault, tmp_path: Path) -> None:
    found = spectral(plant(fault, tmp_path), tmp_path / "spectral.yaml")

    assert fault.rule in {each["code"] for each in found}


@needs_linters
@pytest.mark.parametrize("fault", REDOCLY.values(), ids=REDOCLY)
def test_redocly_finds(fault: Fault, tmp_path: Path) -> None:
    found = redocly(plant(fault, tmp_path), tmp_path / "redocly.yaml")

    assert fault.rule in {each["ruleId"] for each in found}


@needs_linters
def test_each_exception_is_needed(tmp_path: Path) -> None:
    rules, key, overrides = SPECTRAL_RULES.partition("overrides:\n")
    ruleset = tmp_path / "spectral.yaml"
    ruleset.write_text(rules, encoding="utf-8")

    found = [
        (f"{pointer(each['path'])}/", each["code"])
        for each in spectral(OPENAPI / "hubspot-batch.yaml", ruleset)
    ]

    for place, codes in exceptions(yaml.safe_load(key + overrides)["overrides"]):
        assert [at for at, code in found if at.startswith(f"{place}/") and code in codes], place


def test_each_exception_has_a_reason() -> None:
    """A comment stands above each rule that is off and each list of places."""
    lines = SPECTRAL_RULES.splitlines()
    off = [
        index
        for index, line in enumerate(lines)
        if re.fullmatch(r"  [\w:-]+: off", line) or line.startswith("  - files:")
    ]

    assert len(off) > 5
    assert [lines[index] for index in off if not lines[index - 1].startswith("  #")] == []


def exceptions(overrides: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each place that is excepted, and from which rules."""
    for override in overrides:
        for path in override["files"]:
            yield path.partition("#")[2], list(override["rules"])


def pointer(path: list[str | int]) -> str:
    return "".join(f"/{str(token).replace('~', '~0').replace('/', '~1')}" for token in path)
