"""The orders that all candidates send."""

import csv
from itertools import islice
from pathlib import Path

BATCH = 100
FILE = Path(__file__).resolve().parents[1] / "examples" / "orders.csv"


def orders() -> list[dict[str, str]]:
    """Return a batch of the orders of the example, each with 14 properties."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(islice(csv.DictReader(file), BATCH))
