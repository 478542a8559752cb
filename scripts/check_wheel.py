"""Check what is in a wheel, and how large it is.

    python scripts/check_wheel.py dist/hubspot_batch-0.1.0-py3-none-any.whl

Exit codes: 0 all is there, 1 something is missing or the wheel is too large, 2 wrong usage.
"""

import sys
from pathlib import Path
from zipfile import ZipFile

LARGEST = 460 * 1024
NEEDED = (
    "hubspot_batch/__init__.py",
    "hubspot_batch/cli/orders.csv.gz",
    "hubspot_batch/py.typed",
    "hubspot_batch/pytest_plugin.py",
    "hubspot_batch/sandbox/page.html",
    "hubspot_batch_api/__init__.py",
    "hubspot_batch_api/py.typed",
    "hubspot_batch_models/__init__.py",
    "hubspot_batch_models/document.json",
    "hubspot_batch_models/py.typed",
)


def problems(wheel: Path) -> list[str]:
    """Return what is wrong with a wheel."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    found = [f"{name} is missing" for name in NEEDED if name not in names]
    strangers = {name.split("/")[0].split("-")[0] for name in names} - {n.split("/")[0] for n in NEEDED}
    found += [f"{name} does not belong into it" for name in sorted(strangers)]
    if (size := wheel.stat().st_size) > LARGEST:
        found.append(f"it has {size:,} bytes, more than {LARGEST:,}")
    return found


def main() -> int:
    """Run the command line and return its exit code."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the wheel
        print(__doc__, file=sys.stderr)
        return 2
    wheel = Path(sys.argv[1])
    found = problems(wheel)
    for problem in found:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
