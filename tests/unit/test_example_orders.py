"""The example data: complete, wrong only where it says so, and made by its script."""

import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "make_orders.py"
ORDERS = EXAMPLES / "orders.csv"

# What HubSpot takes, written down apart from the script, in the order of the header.
RULES = {
    "hs_order_name": r".+",
    "hs_external_order_id": r"\d+",
    "hs_currency_code": r"USD",
    "hs_total_price": r"\d+\.\d\d",
    "hs_external_created_date": r"199\d-\d\d-\d\dT00:00:00\.000Z",
    "hs_external_order_status": r"[FOP]",
    "hs_source_store": r"Automobile|Building|Furniture|Household|Machinery",
    "hs_pipeline_stage": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "hs_order_note": r"\S.*\S",
    "hs_billing_address_name": r"Customer#\d{9}",
    "hs_billing_address_phone": r"\d\d-\d{3}-\d{3}-\d{4}",
    "hs_billing_address_country": r"[A-Z][a-z]+( [A-Z][a-z]+)*",
    "hs_shipping_address_street": r"\S.*\S",
    "hs_buyer_accepts_marketing": r"true|false",
}


@pytest.fixture(scope="module")
def make_orders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_orders", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with ORDERS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_has_500_rows_under_the_header(rows: list[dict[str, str]]) -> None:
    assert len(rows) == 500
    assert {tuple(row) for row in rows} == {tuple(RULES)}


def test_is_plain_utf_8_with_line_feeds() -> None:
    content = ORDERS.read_bytes()
    assert content.startswith(b"hs_order_name,")
    assert content.count(b"\n") == 501
    assert b"\r" not in content


def test_external_ids_are_unique(rows: list[dict[str, str]]) -> None:
    assert len({row["hs_external_order_id"] for row in rows}) == 500


def test_exactly_the_declared_faults_are_wrong(make_orders: ModuleType, rows: list[dict[str, str]]) -> None:
    wrong = [
        (number, name, row[name])
        for number, row in enumerate(rows, start=1)
        for name, rule in RULES.items()
        if not re.fullmatch(rule, row[name])
    ]
    assert wrong == [(fault.row, fault.name, fault.value) for fault in make_orders.FAULTS]
    assert len({number for number, _, _ in wrong}) == 8


def test_good_stages_follow_the_status(make_orders: ModuleType, rows: list[dict[str, str]]) -> None:
    faulty = {fault.row for fault in make_orders.FAULTS}
    pairs = {
        (row["hs_external_order_status"], row["hs_pipeline_stage"])
        for number, row in enumerate(rows, start=1)
        if number not in faulty
    }
    assert pairs == set(make_orders.STAGES.items())


def test_faults_spare_one_batch_only(make_orders: ModuleType) -> None:
    assert {(fault.row - 1) // 100 for fault in make_orders.FAULTS} == {0, 1, 2, 3}


def test_readme_lists_the_faults(make_orders: ModuleType) -> None:
    listed = re.findall(
        r"^\| (\d+) \| `(\w+)` \| (?:`(.+)`|\(empty\)) \| (.+) \|$",
        (EXAMPLES / "README.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    assert tuple((int(row), *rest) for row, *rest in listed) == make_orders.FAULTS


def test_script_writes_the_same_bytes(tmp_path: Path) -> None:
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    if shutil.which("tpchgen-cli", path=os.pathsep.join(folders)) is None:
        pytest.skip("tpchgen-cli is not installed")
    output = tmp_path / "again.csv"
    subprocess.run([sys.executable, str(SCRIPT), str(output)], check=True)
    assert output.read_bytes() == ORDERS.read_bytes()


def test_the_package_has_the_orders_without_random_texts(make_orders: ModuleType) -> None:
    packaged = resources.files("hubspot_batch.cli").joinpath("orders.csv.zst").read_bytes()
    with ORDERS.open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file))

    assert make_orders.as_csv(orders) == ORDERS.read_bytes()
    assert make_orders.zstd.decompress(packaged) == make_orders.as_csv(orders, make_orders.RANDOM_TEXTS), (
        "run examples/make_orders.py"
    )


def test_script_says_what_to_install(
    make_orders: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    output = tmp_path / "orders.csv"
    with pytest.raises(SystemExit, match="pip install tpchgen-cli"):
        make_orders.main(output)
    assert not output.exists()
