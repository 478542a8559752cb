"""New operations, from the document to both clients, by the script and the lines of CONTRIBUTING.md."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("openapi_python_client", reason="needs the dependency group generators")

ROOT = Path(__file__).resolve().parents[2]
ADDITION = Path(__file__).with_name("new_operations.yaml")
HELD_TOGETHER = [
    "tests/contract/test_facade.py::test_the_facade_has_a_method_for_each_operation_but_those_that_it_lacks",
    "tests/contract/test_facade.py::test_the_literal_types_name_what_the_document_holds",
]

# Both operations over a real socket, without a line of code that knows them. What was there goes on.
PROGRAM = """
import asyncio, http.server, json, threading
from hubspot_batch import AsyncHubSpot, ConfigurationError, HubSpot, InvalidInputError, validate
from hubspot_batch.transport._calls import build_call
from hubspot_batch.transport._sync import Driver
from hubspot_batch_api import AuthenticatedClient
from hubspot_batch_api.api.associations import archive_associations
from hubspot_batch_api.api.properties import read_property
from hubspot_batch_api.models import BatchUnlinkRequest

NAME = {"name": "hs_order_name", "label": "Order Name", "type": "string", "fieldType": "text"}
BATCH = {"status": "COMPLETE", "results": [], "startedAt": "", "completedAt": ""}

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, NAME)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, self.headers["Authorization"], b"".join(body.split()).decode(), flush=True)
        self.answer(*((204, None) if "associations" in self.path else (201, BATCH)))

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"" if body is None else json.dumps(body).encode())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
body = {"inputs": [{"from": {"id": "71001"}, "to": [{"id": "44001"}]}]}
ends = {"fromObjectType": "line_items", "toObjectType": "orders"}

with AuthenticatedClient(base_url=url, token="generated") as client:
    request = BatchUnlinkRequest.from_dict(body)
    done = archive_associations.sync_detailed(*ends.values(), client=client, body=request)
    assert done.status_code == 204
    found = read_property.sync("orders", "hs_order_name", client=client)
    assert found.to_dict() == NAME

assert validate("archive_associations", body) == ()
assert validate("archive_associations", {"inputs": []})
assert validate("read_property", {})

with HubSpot("facade", base_url=url, api_version="2026-03") as hub:
    inputs = [{"from": {"id": 71001}, "to": [{"id": 44001}]}]
    call = build_call("archive_associations", inputs, arguments=ends, api_version="2026-03")
    assert Driver(hub._pool, hub._settings).send(call).ok
    for error, arguments in ((InvalidInputError, {}), (ConfigurationError, ends)):
        try:
            name = "read_property" if arguments else "archive_associations"
            build_call(name, inputs, arguments=arguments, api_version="v3")
        except error:
            continue
        raise AssertionError(error)
    hub.orders.batch_create([{"properties": {}, "objectWriteTraceId": "a"}])

async def main():
    async with AsyncHubSpot("facade", base_url=url) as hub:
        await hub.orders.batch_update([{"id": 7, "properties": {}, "objectWriteTraceId": "a"}])

asyncio.run(main())
server.shutdown()
"""


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of the repository, on its packages and on no installed ones."""
    places = os.pathsep.join(str(folder / name) for name in ("src", "generated"))
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            assert key not in into
            into[key] = value


def apply(diff: str, folder: Path) -> None:
    """Apply a diff whose hunks have no line numbers: each has to fit one place, and only that."""
    for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
        name, _, hunks = part.partition("\n")
        path = folder / name
        text = path.read_text("utf-8")
        for hunk in hunks.split("@@\n"):
            lines = hunk.splitlines()
            old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
            new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
            assert text.count(old) == 1, f"{name}: {old}"
            text = text.replace(old, new)
        path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository whose document has the operations, and whose generated code is new."""
    folder = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", "node_modules")
    for name in ("docs", "generated", "openapi", "scripts", "src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    path = folder / "openapi" / "hubspot-batch.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    merge(document, yaml.safe_load(ADDITION.read_text("utf-8")))
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")

    done = run(folder, "scripts/regenerate.py")

    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "operation added: archive_associations\noperation added: read_property\n" in done.stdout
    return folder


def test_a_new_operation_breaks_nothing_and_can_be_called(clone: Path) -> None:
    done = run(clone, "-c", PROGRAM)

    written = '{"inputs":[{"properties":{},"objectWriteTraceId":"a"}]}'
    changed = written.replace("[{", '[{"id":"7",')
    unlinked = '{"inputs":[{"from":{"id":"71001"},"to":[{"id":"44001"}]}]}'
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.splitlines() == [
        f"/crm/associations/2026-09/line_items/orders/batch/archive Bearer generated {unlinked}",
        f"/crm/associations/2026-03/line_items/orders/batch/archive Bearer facade {unlinked}",
        f"/crm/objects/2026-03/orders/batch/create Bearer facade {written}",
        f"/crm/v3/objects/orders/batch/update Bearer facade {changed}",
    ]


def test_tests_ask_for_what_the_facade_lacks_until_its_lines_are_there(clone: Path) -> None:
    before = run(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *HELD_TOGETHER)
    (diff,) = re.findall(r"```diff\n(.*?)```", (clone / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    apply(diff, clone)
    after = run(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *HELD_TOGETHER)

    assert (before.returncode, before.stdout.count("FAILED")) == (1, len(HELD_TOGETHER)), before.stdout
    assert after.returncode == 0, after.stdout
