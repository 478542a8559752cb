"""A new operation, from the document to both clients, by the script and the lines of CONTRIBUTING.md."""

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
ADDITION = Path(__file__).with_name("archive_orders.yaml")
HELD_TOGETHER = [
    "tests/contract/test_facade.py::test_each_operation_has_its_methods_and_each_method_an_operation",
    "tests/contract/test_facade.py::test_the_literal_types_name_what_the_document_holds",
]

# Archives two orders with each client, over a real socket. As HubSpot, the server answers without a body.
PROGRAM = """
import asyncio, http.server, threading
from hubspot_batch import AsyncHubSpot, HubSpot, InvalidInputError
from hubspot_batch_api import AuthenticatedClient
from hubspot_batch_api.api.orders import archive_orders
from hubspot_batch_api.models import ArchiveInput, BatchArchiveRequest

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, self.headers["Authorization"], b"".join(body.split()).decode(), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

with AuthenticatedClient(base_url=url, token="generated") as client:
    body = BatchArchiveRequest(inputs=[ArchiveInput(id="44001"), ArchiveInput(id="44002")])
    assert archive_orders.sync_detailed(client=client, body=body).status_code == 204

def check(result):
    assert result.ok and result.response.status == 204
    assert not result.records and not result.unaccounted

with HubSpot("facade", base_url=url) as hub:
    check(hub.orders.batch_archive([{"id": 44001}, {"id": "44002"}]))
    for wrong in ([], [{"id": ""}], [{"id": "44001", "properties": {}}]):
        try:
            hub.orders.batch_archive(wrong)
        except InvalidInputError:
            continue
        raise AssertionError(wrong)

async def main():
    async with AsyncHubSpot("facade", base_url=url, api_version="2026-09") as hub:
        check(await hub.orders.batch_archive([{"id": 44001}, {"id": "44002"}]))

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
    """Return a copy of the repository whose document has the operation, and whose generated code is new."""
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

    assert (done.returncode, done.stderr) == (0, "")
    assert "operation added: archive_orders\n" in done.stdout
    return folder


def test_without_its_lines_the_tests_ask_for_them(clone: Path) -> None:
    done = run(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *HELD_TOGETHER)

    assert done.returncode == 1
    assert done.stdout.count("FAILED") == len(HELD_TOGETHER), done.stdout


def test_with_its_lines_it_can_be_called_through_the_generated_client_and_the_facade(clone: Path) -> None:
    (diff,) = re.findall(r"```diff\n(.*?)```", (clone / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    apply(diff, clone)

    done = run(clone, "-c", PROGRAM)

    body = '{"inputs":[{"id":"44001"},{"id":"44002"}]}'
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"/crm/v3/objects/orders/batch/archive Bearer generated {body}",
        f"/crm/v3/objects/orders/batch/archive Bearer facade {body}",
        f"/crm/objects/2026-09/orders/batch/archive Bearer facade {body}",
    ]
    assert run(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *HELD_TOGETHER).returncode == 0
