"""Check what is in a wheel, and how large it is; with --release, that it says where the project is, too.

    python scripts/check_wheel.py dist/hubspot_batch-0.1.0-py3-none-any.whl
    python scripts/check_wheel.py --release dist/hubspot_batch-0.1.0-py3-none-any.whl

Exit codes: 0 all is there, 1 something is missing or the wheel is too large, 2 wrong usage.
"""

import sys
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

LARGEST = 608 * 1024
NEEDED = (
    "hubspot_batch/__init__.py",
    "hubspot_batch/cli/orders.csv.zst",
    "hubspot_batch/py.typed",
    "hubspot_batch/pytest_plugin.py",
    "hubspot_batch/sandbox/page.html",
    "hubspot_batch_api/__init__.py",
    "hubspot_batch_api/py.typed",
    "hubspot_batch_models/__init__.py",
    "hubspot_batch_models/document.json",
    "hubspot_batch_models/py.typed",
)


def problems(wheel: Path, *, is_release: bool) -> list[str]:
    """Return what is wrong with a wheel."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next((archive.read(name).decode() for name in names if name.endswith("/METADATA")), "")
    found = [f"{name} is missing" for name in NEEDED if name not in names]
    strangers = {name.split("/")[0].split("-")[0] for name in names} - {n.split("/")[0] for n in NEEDED}
    found += [f"{name} does not belong into it" for name in sorted(strangers)]
    if (size := wheel.stat().st_size) > LARGEST:
        found.append(f"it has {size:,} bytes, more than {LARGEST:,}")
    urls = Parser().parsestr(metadata).get_all("Project-URL", [])
    if is_release and not any(url.startswith("Repository, https://") for url in urls):
        found.append(
            "it does not say where the project is: set Repository below [project.urls] in pyproject.toml"
        )
    return found


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    paths = [argument for argument in arguments if argument != "--release"]
    if len(paths) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    wheel = Path(paths[0])
    found = problems(wheel, is_release="--release" in arguments)
    for problem in found:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
