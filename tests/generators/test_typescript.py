"""A TypeScript client that openapi-typescript and openapi-fetch make of the document: it compiles, and calls.

`nox -s generators` installs them. Types are gone at run time, so that an example comes back as it was goes
without saying; what is tried is that it has the type that the document gives it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.generators.conftest import Example

GENERATOR, COMPILER, NODE = map(shutil.which, ("openapi-typescript", "tsc", "node"))
if GENERATOR is None and os.environ.get("NOX_CURRENT_SESSION") != "generators":
    pytest.skip("`nox -s generators` installs the generator", allow_module_level=True)

HERE = Path(__file__).parent
STRICT = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"]
MODULES = ["--target", "es2022", "--module", "nodenext"]


def run(folder: Path, *command: str | None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(path: Path, examples: "dict[str, Example]", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client and return the folder that holds it, the examples, and what uses both."""
    assert GENERATOR
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(Path(GENERATOR).parent.parent, target_is_directory=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "examples.ts").write_text(typed(examples), encoding="utf-8")
    for name in ("client.ts", "mistakes.ts"):
        shutil.copy(HERE / name, folder)
    run(folder, GENERATOR, str(path), "--output", "document.d.ts")
    return folder


def typed(examples: "dict[str, Example]") -> str:
    """Return a module in which each example is a constant of its type."""
    constants = [
        f'export const {name}: Schemas["{schema}"] = {json.dumps(body, indent=2)};'
        for name, schema, body in examples.values()
    ]
    head = 'import type { components } from "./document.js";\n\ntype Schemas = components["schemas"];'
    return "\n\n".join([head, *constants, ""])


def test_it_compiles(folder: Path) -> None:
    run(folder, COMPILER, "--noEmit", *STRICT, *MODULES, "client.ts", "examples.ts", "mistakes.ts")


def test_an_example_that_is_none_does_not_compile(folder: Path, examples: "dict[str, Example]") -> None:
    """Without this, examples.ts might compile with wrong examples."""
    body: dict[str, Any] = {"inputs": [{"properties": {"hs_order_name": 1}}]}
    example = examples["CreateOrdersRequest"]._replace(body=body)
    (folder / "wrong.ts").write_text(typed({"CreateOrdersRequest": example}), encoding="utf-8")

    with pytest.raises(AssertionError, match="Type 'number' is not assignable to type 'string'"):
        run(folder, COMPILER, "--noEmit", *STRICT, *MODULES, "wrong.ts")


def test_it_creates_and_updates(folder: Path, box: Sandbox) -> None:
    run(folder, COMPILER, *STRICT, *MODULES, "--outDir", "out", "client.ts")
    (folder / "out" / "package.json").write_text('{"type": "module"}')

    lines = run(folder, NODE, "out/client.js", box.url, box.access_token).splitlines()

    replies = [json.loads(line) for line in lines]
    read = replies.pop()
    orders = {record.id: record.properties for record in box.records("orders")}
    assert (read["category"], read["traced"]) == ("VALIDATION_ERROR", ["row-2"])
    assert (read["created"], read["archived"]) == (True, 204)
    assert orders["44001"]["hs_shipping_tracking_number"] == "TRACK-77"
    assert [orders[order]["hs_fulfillment_status"] for order in read["ids"]] == ["Shipped"]
    assert replies.pop()["records"] > 10
    assert [(reply["name"], reply["status"], reply.get("records")) for reply in replies] == [
        ("numbered", 201, 1),
        ("refused", 400, None),
        ("partly", 207, 1),
        ("CreateOrdersRequest", 201, 2),
        ("UpdateOrdersByRecordIdRequest", 200, 1),
        ("UpdateOrdersByUniquePropertyRequest", 200, 1),
        ("CreateLineItemsRequest", 201, 1),
        ("CreateCommercePaymentsRequest", 201, 1),
        ("CreateCartsRequest", 201, 1),
        ("UpsertOrdersRequest", 200, 2),
        ("ReadWithHistoryRequest", 200, 1),
        ("CreateAssociationsRequest", 201, 2),
    ]
    kinds = ("orders", "line_items", "commerce_payments", "carts")
    assert [len(box.records(kind)) for kind in kinds] == [7, 3, 2, 1]
