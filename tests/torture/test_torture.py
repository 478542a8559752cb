"""Runs that are killed again and again, against a service that loses and rewrites: what is told is true.

`nox -s torture` runs the same with more rows, kills and seeds, set by environment variables.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch.bulk import Outcome, read_outcomes
from tests.torture.double import NUMBER, PHASES, Double, content_of

ROWS = int(os.environ.get("TORTURE_ROWS", "800"))
KILLS = int(os.environ.get("TORTURE_KILLS", "2"))
SEEDS = [int(seed) for seed in os.environ.get("TORTURE_SEEDS", "1").split(",")]
AT_ONCE = 2
PUSHER = Path(__file__).with_name("pusher.py")

Row = dict[str, Any]


def order(number: int, dice: random.Random) -> Row:
    """Return an order. Its name tells it from all others; the rest comes back in other forms."""
    properties = {"hs_order_name": f"A-{number}", "hs_total_price": str(dice.randint(1, 9))}
    if dice.random() < 0.5:
        properties["hs_billing_address_email"] = f"Ada.{number % 50}@Example.com"
    if dice.random() < 0.5:
        properties["hs_tags"] = dice.choice(["new", "gift", "new, gift"])
    if dice.random() < 0.003:
        properties["hs_currency_code"] = "EURO"
    return {"properties": properties}


def orders(mode: str, dice: random.Random) -> list[Row]:
    made = [order(number, dice) for number in range(ROWS)]
    for number, row in enumerate(made):
        if mode == "unique" or dice.random() < 0.5:
            row["properties"][NUMBER] = f"X-{number}"
    if mode == "unique":
        for _ in range(max(6, ROWS // 500)):
            first = dice.randrange(ROWS - 1)
            second = dice.choice([first + 1, dice.randrange(ROWS)])
            value = made[first]["properties"][NUMBER]
            made[second]["properties"][NUMBER] = dice.choice([value, value.lower()])
    return made


def line_items(dice: random.Random) -> list[Row]:
    """Return line items. Some are equal to others."""
    kinds = [{"name": f"Tea {number}", "price": str(number % 9 + 1)} for number in range(ROWS * 9 // 10)]
    return [{"properties": properties} for properties in [*kinds, *dice.choices(kinds, k=ROWS - len(kinds))]]


def updates(ids: Sequence[str], dice: random.Random) -> list[Row]:
    """Return updates. Some records are updated twice, and some do not exist."""
    rows = [order(number, dice) for number in range(ROWS)]
    for row in rows:
        row["id"] = dice.choice(ids) if dice.random() < 0.997 else f"9{dice.choice(ids)}000000"
    return rows


@contextmanager
def stopping(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no process behind where a test fails."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", ["orders", "unique", "line items", "updates"])
def test_what_is_told_of_each_row_is_true(mode: str, seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)  # noqa: S311 - it decides on no secret
    source, journal = tmp_path / "rows.jsonl", tmp_path / "rows.run"
    with Double(tmp_path / "truth.sqlite", seed, unique=mode == "unique") as double:
        if mode == "line items":
            rows = line_items(dice)
        elif mode == "updates":
            rows = updates(double.add([{"hs_order_name": f"Old {number}"} for number in range(ROWS)]), dice)
        else:
            rows = orders(mode, dice)
        source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        before = double.records()

        for kill in range(KILLS + 1):
            client = "HubSpot" if (seed + kill) % 2 else "AsyncHubSpot"
            command = [sys.executable, str(PUSHER), client, double.url, mode, str(source), str(journal)]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process, stopping(process):
                if kill < KILLS:
                    double.kill(
                        process, dice.randint(1, max(1, ROWS // 150 // (KILLS + 1))), dice.choice(PHASES)
                    )
                _, errors = process.communicate(timeout=1200)
            assert (errors, process.returncode != 0) == ("", kill < KILLS)

        outcomes = list(read_outcomes(journal))
        assert [outcome.index for outcome in outcomes] == list(range(ROWS))
        records = double.records()
        assert double.failures == []
        tell(mode, seed, double, outcomes)
        if mode == "updates":
            assert_updated(rows, outcomes, before, records)
        else:
            assert_created(rows, outcomes, records, double.inputs("nameless"))
        assert_unknown_for_a_reason(mode, rows, outcomes, double)
        if mode == "unique":
            numbers = Counter(json.loads(content)[NUMBER].casefold() for content in records.values())
            assert numbers.most_common(1)[0][1] == 1


def assert_created(
    rows: Sequence[Row], outcomes: Sequence[Outcome], records: Mapping[str, str], nameless: set[str]
) -> None:
    """Compare outcomes with records, for each content: equal line items cannot be told apart."""
    written, told = defaultdict(set), defaultdict(list)
    for record, content in records.items():
        written[content].add(record)
    for row, outcome in zip(rows, outcomes, strict=True):
        told[content_of(row["properties"])].append(outcome)
    assert written.keys() <= told.keys()
    for content, group in told.items():
        done = [outcome for outcome in group if outcome.ok]
        ids = [outcome.id for outcome in done if outcome.id is not None]
        unknown = sum(outcome.status == "unknown" for outcome in group)
        assert len(set(ids)) == len(ids), content
        assert set(ids) <= written[content], content
        assert len(ids) == len(done) or content in nameless, content
        assert len(done) <= len(written[content]) <= len(done) + unknown, content


def assert_updated(
    rows: Sequence[Row],
    outcomes: Sequence[Outcome],
    before: Mapping[str, str],
    records: Mapping[str, str],
) -> None:
    """Compare outcomes with records: the last update that is done holds, unless a later one is unknown."""
    possible = {record: {content} for record, content in before.items()}
    for row, outcome in zip(rows, outcomes, strict=True):
        content = content_of(row["properties"])
        if outcome.ok:
            assert outcome.id == row["id"]
            possible[row["id"]] = {content}
        elif outcome.status == "unknown" and row["id"] in possible:
            possible[row["id"]].add(content)
    assert records.keys() == before.keys()
    assert [record for record, content in records.items() if content not in possible[record]] == []


def assert_unknown_for_a_reason(
    mode: str, rows: Sequence[Row], outcomes: Sequence[Outcome], double: Double
) -> None:
    contents = [content_of(row["properties"]) for row in rows]
    unknown = {contents[outcome.index] for outcome in outcomes if outcome.status == "unknown"}
    if mode == "unique":
        assert unknown == set()
    untold = unknown - double.inputs("untold")
    if mode == "updates":
        assert untold == set()
    else:
        # What is written down as sent when the process is killed may not have left, and tells nothing.
        assert len(untold - double.inputs("lost")) <= KILLS * AT_ONCE * 100


def tell(mode: str, seed: int, double: Double, outcomes: Sequence[Outcome]) -> None:
    statuses = Counter(outcome.status for outcome in outcomes)
    why = Counter(outcome.category for outcome in outcomes if outcome.status == "unknown")
    nameless = sum(outcome.ok and outcome.id is None for outcome in outcomes)
    print(  # noqa: T201 - shown where the test fails, and by `nox -s torture`
        f"\n{mode}, seed {seed}: {double.requests} requests; {dict(statuses)}, {nameless} of them done "
        f"without an id; unknown: {dict(why)}"
    )
