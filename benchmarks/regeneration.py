"""How long it takes to make generated/ of the document.

    python benchmarks/regeneration.py

Each round writes into a new folder. It takes about ten seconds.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from _environments import ROOT
from _measure import Column, Table, show

ROUNDS = 3
COLUMNS = (Column("what"), Column("time", "{:.1f} s"), Column("files", "{:d}"), Column("lines", "{:,d}"))


class Regeneration(NamedTuple):
    """What one round took and made."""

    seconds: float
    files: int
    lines: int


def main() -> None:
    """Measure and print a table."""
    rounds = [regeneration() for _ in range(ROUNDS)]
    row = ("scripts/regenerate.py", median(each.seconds for each in rounds), rounds[0].files, rounds[0].lines)
    show(Table("regeneration", "Regeneration", COLUMNS, [row]))


def regeneration() -> Regeneration:
    """Regenerate into a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "generated")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "regenerate.py"), f"--output={output}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - began
        made = [path.read_bytes() for path in output.rglob("*.*") if path.suffix in {".py", ".json"}]
    return Regeneration(seconds, len(made), sum(content.count(b"\n") for content in made))


if __name__ == "__main__":
    main()
