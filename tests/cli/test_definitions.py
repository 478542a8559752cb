"""`properties`, and dry runs that compare rows with the account or with a file."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.objects import ReadMethods
from hubspot_batch.sandbox import Property

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

NUMBER = "hs_external_order_id"
CSV = """nr,hs_order_name,hs_total_price,hs_currency_code,hs_ordr_note,contact
1,A,"1,5",EUR,x,301
2,B,2,EU,,301
3,C,3,EUR,,999
1,D,4,EUR,,301
"""
OPTIONS = ("--map", f"{NUMBER}=nr", "--unique-property", NUMBER, "--associate", "contact=contact")
FAULTS = [
    (
        "1 row: properties/hs_total_price: the value is not a number; write digits, with a point before the "
        "decimals and without separators (line 2)"
    ),
    (
        "1 row: properties/hs_ordr_note: the account has no property of this name; did you mean "
        "'hs_order_note'? (line 2)"
    ),
    "1 row: properties/hs_currency_code: the value is not one of the options; did you mean 'EUR'? (line 3)",
    (
        f"1 row: properties/{NUMBER}: an earlier row has the same value, and HubSpot takes it once only; "
        "compare it with row 1 (line 5)"
    ),
]


def test_a_dry_run_compares_rows_with_the_account(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", CSV)

    done = shell("create", "orders", path, "--dry-run", "--base-url", shell.box.url, *OPTIONS)

    lines = done.out.splitlines()
    assert (done.code, done.err) == (1, "")
    assert lines[:4] == FAULTS
    assert lines[4] == f"nr becomes {NUMBER}"
    assert lines[5].startswith('For example, line 4 is sent as {"properties": {')
    assert lines[-2:] == ["Compared with the properties of the account", "Nothing was sent"]
    assert {request.operation for request in shell.box.requests} == {"list_properties"}
    assert not shell.runs.exists()


def test_a_look_tells_what_exists_and_which_links_lead_nowhere(write: "Write", shell: "Shell") -> None:
    rows = "nr,hs_order_name,contact\n1,A,301\n2,B,302\n"
    box = shell.open(
        properties={"orders": {NUMBER: Property("text", unique=True)}},
        records={"contacts": ["301"], "orders": [{"hs_order_name": "A", NUMBER: "1"}]},
    )

    done = shell(
        "create", "orders", write("o.csv", rows), "--dry-run", "--look", "--base-url", box.url, *OPTIONS
    )

    assert done.code == 1
    assert f"properties/{NUMBER}: a record of the account has this value" in done.out
    assert "there is no such record among the contacts of the account" in done.out
    assert "1 are about records that exist, 1 about new ones\n" in done.out
    assert len(box.records("orders")) == 1
    invoices = write("i.csv", "hs_order_name,invoice\nA,1\n")
    done = shell(
        *("create", "orders", invoices, "--dry-run", "--look", "--base-url", box.url),
        *("--associate", "invoice=invoice"),
    )
    assert (done.code, "Links with invoices were not looked up\n" in done.out) == (0, True)


def test_definitions_in_a_file_stand_in_for_the_account(write: "Write", shell: "Shell") -> None:
    path, file = write("orders.csv", CSV), write("orders.json", "")

    assert shell("properties", "orders", "--output", file, "--base-url", shell.box.url).code == 0
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    done = shell("create", "orders", path, "--dry-run", "--definitions", file, *OPTIONS)
    assert (done.code, done.out.splitlines()[:4]) == (1, FAULTS)
    assert f"Compared with the properties in {file}\n" in done.out
    assert len(shell.box.requests) == 1

    options = ("--dry-run", "--definitions", file)
    wrong = shell("create", "orders", path, *options, "--unique-property", "hs_order_name")
    assert wrong.code == 1
    assert f"unique properties of orders: {NUMBER}" in wrong.err
    trusting = ("--unique-property", "hs_order_name", "--assume-unique")
    assert shell("create", "orders", path, *options, *trusting).err == ""
    other = shell("create", "carts", path, *options)
    assert "holds the properties of orders; make one with `hubspot-batch properties carts" in other.err

    content = json.loads(file.read_text())
    content["properties"] = []
    for text in (
        "",
        "[]",
        "[" * 100_000,
        "\xff",
        "{}",
        '{"format": 2}',
        file.read_text()[:-9],
        json.dumps(content),
    ):
        broken = write("broken.json", text)
        done = shell("create", "orders", path, "--dry-run", "--definitions", broken)
        assert (done.code, done.out) == (1, ""), text[:9]
        assert "make one with `hubspot-batch properties orders --output FILE`" in done.err
    missing = shell("create", "orders", path, "--dry-run", "--definitions", "missing.json")
    assert "missing.json: No such file or directory; make one" in missing.err


@pytest.mark.parametrize("option", [["--look"], ["--definitions", "x.json"]])
def test_options_of_a_dry_run_need_one(option: list[str], write: "Write", shell: "Shell") -> None:
    done = shell("create", "orders", write("orders.csv", CSV), *option)
    assert (done.code, "--look and --definitions go with --dry-run" in done.err) == (2, True)


def test_definitions_that_cannot_be_had(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", "hs_order_name\nA\n")
    run = ("create", "orders", path, "--dry-run", "--base-url")

    shell.box.faults.next("429-daily")
    done = shell(*run, shell.box.url)
    assert (done.code, done.out) == (5, "")
    assert "the properties of the account cannot be had for now" in done.err
    closed = shell.open(scopes=["crm.objects.orders.write"])
    done = shell(*run, closed.url)
    assert (
        done.code,
        "Only the form of the rows was checked: the properties cannot be read" in done.out,
    ) == (0, True)
    shell.set("HUBSPOT_ACCESS_TOKEN", "wrong")
    done = shell(*run, closed.url)
    assert (done.code, "check HUBSPOT_ACCESS_TOKEN" in done.err) == (1, True)
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    assert shell("archive", "orders", write("ids.csv", "id\n1\n"), "--dry-run").code == 0


def test_properties_are_printed(shell: "Shell", monkeypatch: pytest.MonkeyPatch) -> None:
    done = shell("properties", "orders", "--base-url", shell.box.url)
    lines = done.out.splitlines()
    assert lines[0].split() == ["name", "label", "type", "options"]
    (unique,) = [line for line in lines if line.startswith(NUMBER)]
    assert unique.endswith("string       unique")
    assert any(line.startswith("hubspot_owner_id") and line.endswith("elsewhere") for line in lines)
    assert any(line.startswith("hs_createdate") and "read-only" in line for line in lines)
    done = shell("properties", "contacts", "--json", "--base-url", shell.box.url)
    assert {"email", "firstname"} <= {json.loads(line)["name"] for line in done.out.splitlines()}
    saved = shell("properties", "contacts", "--output", "-", "--base-url", shell.box.url)
    assert json.loads(saved.out)["object"] == "contacts"
    monkeypatch.setattr(ReadMethods, "properties", lambda _self: [])
    assert shell("properties", "orders", "--base-url", shell.box.url).code == 5
    monkeypatch.undo()
    denied = shell.open(scopes=["oauth"])
    assert shell("properties", "orders", "--base-url", denied.url).code == 1


class _Empty(BaseHTTPRequestHandler):
    """A HubSpot whose lists of properties are empty."""

    def do_GET(self) -> None:
        content = b'{"results": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    "command",
    [
        ("properties", "orders"),
        ("create", "orders", "FILE", "--unique-property", "hs_external_order_id"),
        ("create", "orders", "FILE", "--dry-run"),
        ("upsert", "orders", "FILE", "--id-property", "hs_external_order_id"),
    ],
)
def test_an_empty_list_is_the_same_error_everywhere(
    write: "Write", shell: "Shell", command: tuple[str, ...]
) -> None:
    path = write("orders.csv", "hs_external_order_id,hs_order_name\nX-1,A\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        arguments = [str(path) if word == "FILE" else word for word in command]
        done = shell(*arguments, "--base-url", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()

    assert done.code == 5, done
    assert "HubSpot gives an empty list of the properties of orders; try it again" in done.err
