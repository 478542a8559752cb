"""The commands of examples/ work as its README prints them, and link each record with the right one."""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from hubspot_batch.cli._commands import commands
from hubspot_batch.sandbox import Property, Sandbox, StoredRecord

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    re.sub(r"\\\n\s*", "", command) for command in re.findall(r"^\$ ((?:.*\\\n)*.+)$", README, re.MULTILINE)
]
WRONG_ROWS = [int(number) for number in re.findall(r"^\| (\d+) \| `hs_", README, re.MULTILINE)]
KINDS = ["orders", "line-items", "commerce-payments"]
CREATED = {"orders": 492, "line_items": 1967, "commerce_payments": 251}
LINK_TYPES = {"line_items": 514, "commerce_payments": 524}

NAMES_IN_SHOP = [
    "hs_order_name",
    "hs_external_created_date",
    "hs_pipeline_stage",
    "hs_currency_code",
    "hs_total_price",
    "hs_buyer_accepts_marketing",
]

Row = dict[str, str]


class Done(NamedTuple):
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str


class Clone:
    """A copy of examples/ with the commands that a virtual environment has."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        path = bin_folder / "hubspot-batch"
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hubspot_batch "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "HUBSPOT_ACCESS_TOKEN": "sandbox-token",
            "HUBSPOT_BASE_URL": url,
            "HUBSPOT_BATCH_RUNS": str(folder / "runs"),
        }

    def run(self, command: str) -> Done:
        """Type a command."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def rows(self, name: str) -> list[Row]:
        """Read a CSV file."""
        return rows_of(self.folder / name)


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def printed(pattern: str) -> str:
    """Return the command of the README in which there is a pattern."""
    (command,) = (command for command in COMMANDS if re.search(pattern, command))
    return str(command)


ORDERS = rows_of(EXAMPLES / "orders.csv")
ITEMS = rows_of(EXAMPLES / "line-items.csv")
PAYMENTS = rows_of(EXAMPLES / "payments.csv")
REFUSED = {ORDERS[number - 1]["hs_external_order_id"] for number in WRONG_ROWS}


class Chain(NamedTuple):
    """What the commands of the README have done."""

    clone: Clone
    box: Sandbox
    done: Mapping[str, Done]
    records: Mapping[str, Sequence[StoredRecord]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Run what the README prints, into a sandbox that is started as it says."""
    words = shlex.split(printed(" sandbox "))
    object_type, _, name = words[words.index("--unique") + 1].partition(".")
    with Sandbox(properties={object_type: {name: Property("text", unique=True)}}) as box:
        clone = Clone(tmp_path_factory.mktemp("clone"), box.url)
        done = {kind: clone.run(printed(f" create {kind} ")) for kind in KINDS}
        records = {kind: box.records(kind.replace("-", "_")) for kind in KINDS}
        yield Chain(clone, box, done, records)


@pytest.mark.posix
def test_as_many_records_arrive_as_the_readme_says(chain: Chain) -> None:
    assert {kind.replace("-", "_"): len(found) for kind, found in chain.records.items()} == CREATED
    assert [done.code for done in chain.done.values()] == [4, 4, 4]


@pytest.mark.posix
def test_no_order_that_is_wrong_arrives(chain: Chain) -> None:
    numbers = {order.properties["hs_external_order_id"] for order in chain.records["orders"]}
    assert numbers == {row["hs_external_order_id"] for row in ORDERS} - REFUSED


@pytest.mark.posix
def test_line_items_are_linked_with_their_orders(chain: Chain) -> None:
    arriving = [row for row in ITEMS if row["order_number"] not in REFUSED]
    assert_linked(chain, chain.records["line-items"], by_number(arriving, "item_number"), "hs_external_id")


@pytest.mark.posix
def test_payments_are_linked_with_their_orders(chain: Chain) -> None:
    arriving = [row for row in PAYMENTS if row["order_number"] not in REFUSED]
    payments = chain.records["commerce-payments"]
    assert_linked(chain, payments, by_number(arriving, "payment_number"), "hs_reference_number")


@pytest.mark.posix
def test_columns_become_the_properties_that_they_mean(chain: Chain) -> None:
    def properties_of(kind: str, name: str, value: str) -> Mapping[str, str | None]:
        (found,) = (one for one in chain.records[kind] if one.properties.get(name) == value)
        return found.properties

    order = properties_of("orders", "hs_external_order_id", "1")
    (row,) = (row for row in ORDERS if row["hs_external_order_id"] == "1")
    same = ["hs_order_name", "hs_total_price", "hs_currency_code", "hs_pipeline_stage"]
    assert {name: order[name] for name in same} == {name: row[name] for name in same}
    assert properties_of("line-items", "hs_external_id", "1-1") == {
        "hs_external_id": "1-1",
        "hs_sku": "P-156",
        "name": "Small Polished Nickel",
        "quantity": "17",
        "price": "1056.15",
        "hs_discount_percentage": "4",
    }
    assert properties_of("commerce-payments", "hs_reference_number", "PAY-3") == {
        "hs_reference_number": "PAY-3",
        "hs_initial_amount": "160882.76",
        "hs_initiated_date": "1993-10-14T00:00:00Z",
        "hs_currency_code": "USD",
        "hs_latest_status": "succeeded",
    }


@pytest.mark.posix
def test_the_command_line_says_what_became_of_the_rows(chain: Chain) -> None:
    told = "".join(done.stdout for done in chain.done.values())
    assert re.findall(r"^\S+ of \S+ [a-z ]+ created", told, re.MULTILINE) == [
        "492 of 500 orders created",
        "1,967 of 1,996 line items created",
        "251 of 256 commerce payments created",
    ]
    assert re.findall(r"^ +(\d+) +(orders[.].+)$", told, re.MULTILINE) == [
        ("29", "orders.hs_external_order_id: TARGET_NOT_FOUND"),
        ("5", "orders.hs_external_order_id: TARGET_NOT_FOUND"),
    ]


@pytest.mark.posix
def test_what_was_refused_comes_later_and_the_next_night_changes_nothing(chain: Chain) -> None:
    clone, box = chain.clone, chain.box
    for kind, done in chain.done.items():
        (run,) = re.findall(r"results (\S+) --rejected", done.stdout)
        assert clone.run(printed(" results ").replace("RUN", run)).code == 0
        if kind == "orders":
            mend(clone.folder / "fix-me.csv")
        path = (clone.folder / "fix-me.csv").rename(clone.folder / f"{kind}-2.csv")
        command = re.sub(r"examples/\S+", path.name, printed(f" create {kind} "))
        later = clone.run(command)
        assert later.code == 0, later.stdout
    nights = [
        [clone.run(printed(" upsert orders ")), clone.run(printed(" upsert line-items "))] for _ in range(2)
    ]
    assert [done.code for night in nights for done in night] == [4, 0, 4, 0], nights
    told = [re.findall(r"^(\S+) sent, (\S+) unchanged", done.stdout, re.MULTILINE) for done in nights[1]]
    assert told == [[("7", "493")], [("0", "1,996")]]

    assert len(box.records("orders")) == 500
    assert_linked(chain, box.records("line_items"), by_number(ITEMS, "item_number"), "hs_external_id")
    payments = box.records("commerce_payments")
    assert_linked(chain, payments, by_number(PAYMENTS, "payment_number"), "hs_reference_number")


def mend(path: Path) -> None:
    """Do what a person would do with the rows that were refused."""
    right = {
        "stage": "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
        "currency": "USD",
        "total": "1.00",
        "title": "Mended",
        "placed_at": "1997-01-13T00:00:00.000Z",
        "accepts_marketing": "true",
    }
    rows = [row | right for row in rows_of(path)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def by_number(rows: Iterable[Row], column: str) -> Mapping[str, Row]:
    return {row[column]: row for row in rows}


def assert_linked(
    chain: Chain, records: Sequence[StoredRecord], rows: Mapping[str, Row], number: str
) -> None:
    """Assert that there is one record for each row, and that it is linked with the order of that row."""
    orders = {one.properties["hs_external_order_id"]: one.id for one in chain.box.records("orders")}
    assert sorted(str(record.properties[number]) for record in records) == sorted(rows)
    expected = {name: orders[row["order_number"]] for name, row in rows.items()}
    (kind,) = {LINK_TYPES[record.object_type] for record in records}
    assert {str(record.properties[number]): links_of(record) for record in records} == {
        name: [("orders", id_, kind)] for name, id_ in expected.items()
    }


def links_of(record: StoredRecord) -> list[tuple[str, str, int]]:
    return [(link.to_type, link.to_id, link.type_id) for link in record.associations]


def test_the_readme_counts_right() -> None:
    table = re.findall(r"^\| ([a-z ]+) \| (\d+) \| (\d+) \| (\d*) ?\| (\d*) ?\|$", README, re.MULTILINE)
    assert [(name, int(rows)) for name, rows, *_ in table] == [
        ("orders", len(ORDERS)),
        ("line items", len(ITEMS)),
        ("payments", len(PAYMENTS)),
    ]
    assert [int(created) for _, _, created, *_ in table] == [*CREATED.values()]
    assert all(int(rows) == sum(map(int, filter(None, rest))) for _, rows, *rest in table)


def test_the_two_files_of_orders_are_alike() -> None:
    shop = rows_of(EXAMPLES / "shop-orders.csv")
    assert [row["order_number"] for row in shop] == [row["hs_external_order_id"] for row in ORDERS]
    assert [[*row.values()][1:] for row in shop] == [[row[name] for name in NAMES_IN_SHOP] for row in ORDERS]


def test_the_readme_lists_the_files() -> None:
    listed = re.findall(r"^\| `([\w.-]+)` \| \S", README, re.MULTILINE)
    assert {*listed} == {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}


def test_the_sandbox_is_started_again_with_options_that_there_are() -> None:
    invoked = CliRunner().invoke(commands, [*shlex.split(printed(" sandbox "))[1:], "--list-faults"])

    assert invoked.exit_code == 0, invoked.output


def test_the_script_writes_the_same_bytes(tmp_path: Path) -> None:
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    if shutil.which("tpchgen-cli", path=os.pathsep.join(folders)) is None:
        pytest.skip("tpchgen-cli is not installed")
    subprocess.run(
        [sys.executable, str(EXAMPLES / "make_orders.py"), str(tmp_path / "orders.csv")], check=True
    )
    for name in ("orders.csv", "shop-orders.csv", "line-items.csv", "payments.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
