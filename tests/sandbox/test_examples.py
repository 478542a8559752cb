"""The programs of examples/ work as its README prints them, and link each record with the right one."""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from hubspot_batch.cli._commands import commands
from hubspot_batch.sandbox import Sandbox, StoredRecord

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
SCRIPT = (EXAMPLES / "push_shop.sh").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
WRONG_ROWS = [int(number) for number in re.findall(r"^\| (\d+) \| `hs_", README, re.MULTILINE)]
CREATED = {"orders": 492, "line_items": 1967, "commerce_payments": 251}
LINK_TYPES = {"line_items": 514, "commerce_payments": 524}

Row = dict[str, str]


class Done(NamedTuple):
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str


class Clone:
    """A copy of examples/ with the commands that a virtual environment has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        for name, arguments in (("python", ""), ("hubspot-batch", "-m hubspot_batch ")):
            path = bin_folder / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n', encoding="utf-8")
            path.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "HUBSPOT_ACCESS_TOKEN": "sandbox-token",
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
            timeout=60,
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


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def shell(clone: Clone) -> Done:
    """Run what the README prints for the command line."""
    return clone.run(printed(r"^sh "))


@pytest.fixture(scope="module")
def python(clone: Clone) -> Done:
    """Run what the README prints for Python, so that it keeps the records."""
    return clone.run(f"{printed(r'push_shop[.]py')} python.sqlite")


@pytest.fixture(params=["shell", "python"])
def box(request: pytest.FixtureRequest, clone: Clone) -> Iterator[Sandbox]:
    """Return what a program has made, before anything is mended."""
    done: Done = request.getfixturevalue(request.param)
    assert done.code == 0, done.stderr
    store = clone.folder / {"shell": "shop/sandbox.sqlite", "python": "python.sqlite"}[request.param]
    with Sandbox(store=store) as box:
        yield box


@pytest.mark.posix
def test_as_many_records_arrive_as_the_readme_says(box: Sandbox) -> None:
    assert {object_type: len(box.records(object_type)) for object_type in CREATED} == CREATED


@pytest.mark.posix
def test_no_order_that_is_wrong_arrives(box: Sandbox) -> None:
    assert {*order_ids(box)} == {row["hs_external_order_id"] for row in ORDERS} - REFUSED


@pytest.mark.posix
def test_line_items_are_linked_with_their_orders(box: Sandbox) -> None:
    arriving = [row for row in ITEMS if row["order_number"] not in REFUSED]
    assert_linked(box, "line_items", by_number(arriving, "item_number"), "hs_external_id")


@pytest.mark.posix
def test_payments_are_linked_with_their_orders(box: Sandbox) -> None:
    arriving = [row for row in PAYMENTS if row["order_number"] not in REFUSED]
    assert_linked(box, "commerce_payments", by_number(arriving, "payment_number"), "hs_reference_number")


@pytest.mark.posix
def test_columns_become_the_properties_that_they_mean(box: Sandbox) -> None:
    (item,) = (item for item in box.records("line_items") if item.properties["hs_external_id"] == "1-1")
    assert item.properties == {
        "hs_external_id": "1-1",
        "hs_sku": "P-156",
        "name": "Small Polished Nickel",
        "quantity": "17",
        "price": "1056.15",
        "hs_discount_percentage": "4",
    }
    payments = box.records("commerce_payments")
    (payment,) = (one for one in payments if one.properties["hs_reference_number"] == "PAY-3")
    assert payment.properties == {
        "hs_reference_number": "PAY-3",
        "hs_initial_amount": "160882.76",
        "hs_initiated_date": "1993-10-14T00:00:00Z",
        "hs_currency_code": "USD",
        "hs_latest_status": "succeeded",
    }


@pytest.mark.posix
def test_the_command_line_says_what_became_of_the_rows(clone: Clone, shell: Done) -> None:
    assert re.findall(r"^\S+ of \S+ [a-z ]+ created", shell.stdout, re.MULTILINE) == [
        "492 of 500 orders created",
        "1,967 of 1,967 line items created",
        "251 of 251 commerce payments created",
    ]
    assert f"Everything is in {clone.folder / 'shop'}" in shell.stdout


@pytest.mark.posix
def test_python_says_what_became_of_the_rows(python: Done) -> None:
    told = re.findall(r"^  row (\d+) is rejected: hs_", python.stdout, re.MULTILINE)
    assert [int(number) for number in told] == WRONG_ROWS
    assert re.findall(r"^create_.+|^.+[.]csv: .+", python.stdout, re.MULTILINE) == [
        "create_orders: 492 of 500 rows are done",
        "line-items.csv: 29 of 1996 rows wait for their order",
        "create_line_items: 1967 of 1967 rows are done",
        "payments.csv: 5 of 256 rows wait for their order",
        "create_commerce_payments: 251 of 251 rows are done",
    ]
    assert python.stderr == ""


@pytest.mark.posix
def test_python_runs_as_printed_and_leaves_nothing_behind(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    before = {*tmp_path.rglob("*")}

    assert clone.run(printed(r"push_shop[.]py")).code == 0
    assert {*tmp_path.rglob("*")} == before


@pytest.mark.posix
@pytest.mark.usefixtures("shell")
def test_what_belongs_to_refused_orders_waits(clone: Clone) -> None:
    for name, rows in (("line-items", ITEMS), ("payments", PAYMENTS)):
        waiting = [row for row in rows if row["order_number"] in REFUSED]
        assert clone.rows(f"shop/{name}-waiting.csv") == waiting


@pytest.mark.posix
@pytest.mark.usefixtures("shell")
def test_the_folder_can_be_used_again(clone: Clone) -> None:
    assert clone.run(printed(r"^sh ")).code == 0

    with Sandbox(store=clone.folder / "shop" / "sandbox.sqlite") as box:
        assert len(box.records("orders")) == CREATED["orders"]


@pytest.mark.posix
def test_what_was_refused_comes_later(clone: Clone, shell: Done) -> None:
    (run,) = re.findall(r"results (\S+) --rejected", shell.stdout)
    store = shutil.copy(clone.folder / "shop" / "sandbox.sqlite", clone.folder / "mended.sqlite")

    assert clone.run(printed(" results ").replace("RUN", run)).code == 0
    mend(clone.folder / "fix-me.csv")
    with Sandbox(store=store) as box:
        for command in (printed(" create "), printed("add_order_ids"), create_line_items("line-items-2.csv")):
            url = f" --base-url {box.url}" if " create " in command else ""
            done = clone.run(command + url)
            assert done.code == 0, done.stdout

        assert len(order_ids(box)) == 500
        assert_linked(box, "line_items", by_number(ITEMS, "item_number"), "hs_external_id")
    assert clone.rows("still-waiting.csv") == []


def create_line_items(name: str) -> str:
    """Return the command of the script that creates line items, for another file."""
    (command,) = re.findall(r"^(hubspot-batch create line-items [^|]+)", SCRIPT, re.MULTILINE)
    words = shlex.split(command.replace("\\\n", " "))
    place = words.index("--base-url")
    del words[place : place + 2]
    return shlex.join(words).replace("line-items.csv", name)


def mend(path: Path) -> None:
    """Do what a person would do with the rows that were refused."""
    right = {
        "hs_pipeline_stage": "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
        "hs_currency_code": "USD",
        "hs_total_price": "1.00",
        "hs_order_name": "Mended",
        "hs_external_created_date": "1997-01-13T00:00:00.000Z",
        "hs_buyer_accepts_marketing": "true",
    }
    rows = [row | right for row in rows_of(path)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def by_number(rows: Iterable[Row], column: str) -> Mapping[str, Row]:
    return {row[column]: row for row in rows}


def order_ids(box: Sandbox) -> Mapping[str | None, str]:
    return {order.properties["hs_external_order_id"]: order.id for order in box.records("orders")}


def assert_linked(box: Sandbox, object_type: str, rows: Mapping[str, Row], number: str) -> None:
    """Assert that there is one record for each row, and that it is linked with the order of that row."""
    orders = order_ids(box)
    records = box.records(object_type)
    assert sorted(str(record.properties[number]) for record in records) == sorted(rows)
    expected = {
        name: [("orders", orders[row["order_number"]], LINK_TYPES[object_type])] for name, row in rows.items()
    }
    assert {str(record.properties[number]): links_of(record) for record in records} == expected


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
    for name in ("orders.csv", "line-items.csv", "payments.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_ids_are_added_only_to_four_files() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "add_order_ids.py"), "orders.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ORDERS_DONE ROWS LINKED WAITING" in done.stderr
