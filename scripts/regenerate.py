"""Write generated/ from the OpenAPI document, or check that it is up to date.

    python scripts/regenerate.py
    python scripts/regenerate.py --check

The document is validated first, with all its examples. A broken one, a misspelt option, a warning
or another version of a generator changes nothing. Exit codes: 0 done or up to date, 1 the document
is invalid, a generator failed or generated/ differs, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

try:
    from _changes import describe
    from _document import InvalidFileError
    from _generation import DOCUMENT, MODELS, GenerationError, check_tools, generate
    from _validation import load_valid
except ImportError as error:
    sys.exit(f"{error}\nRun: python -m pip install --group generators --editable .")

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
DIFF_LINES = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if refusal := _refusal(options.output):
        parser.error(refusal)
    try:
        return _check(options) if options.check else _write(options)
    except (InvalidFileError, GenerationError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where generated/ differs")
    parser.add_argument(
        "--document",
        type=Path,
        default=ROOT / "openapi" / "hubspot-batch.yaml",
        help="another OpenAPI document; generator options may stand beside it",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "generated", help="another folder to write")
    return parser


def _refusal(output: Path) -> str | None:
    """Say why `output` must not be replaced, so that nobody loses a folder to a typing error."""
    if not output.absolute().parent.is_dir():
        return f"{output.parent} is not a folder"
    if output.is_dir() and any(output.iterdir()) and not (output / MODELS).is_dir():
        return f"{output} was not written by this script: it has no {MODELS}"
    if output.exists() and not output.is_dir():
        return f"{output} is not a folder"
    return None


def _write(options: argparse.Namespace) -> int:
    output = options.output.absolute()
    before = _old_document(output)
    with TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        new = _generate(options.document, Path(folder))
        after = json.loads((new / DOCUMENT).read_bytes())
        _swap(new, output, Path(folder, "old"))
    print("\n".join(describe(before, after)) or "nothing changed")
    return 0


def _check(options: argparse.Namespace) -> int:
    with TemporaryDirectory() as folder:
        new = _generate(options.document, Path(folder))
        differences = list(_differences(options.output, new))
    if differences:
        print("\n".join(differences))
        print(f"{options.output} is out of date. Run: python scripts/regenerate.py")
        return 1
    print(f"{options.output} is up to date")
    return 0


def _generate(path: Path, folder: Path) -> Path:
    """Generate into a subfolder of `folder` and return that."""
    pins = check_tools(ROOT / "pyproject.toml")
    document = load_valid(path)
    new = folder / "new"
    new.mkdir()
    generate(document, [path.parent, ROOT / "openapi"], pins, new)
    return new


def _swap(new: Path, output: Path, aside: Path) -> None:
    if output.exists():
        output.rename(aside)
    try:
        new.rename(output)
    except OSError:
        if aside.exists():
            aside.rename(output)
        raise


def _old_document(output: Path) -> dict[str, Any]:
    try:
        document = json.loads((output / DOCUMENT).read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _differences(old: Path, new: Path) -> Iterator[str]:
    before, after = _contents(old), _contents(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"missing: {old / name}"
        elif name not in after:
            yield f"extra: {old / name}"
        elif before[name] != after[name]:
            yield f"different: {old / name}"
            yield from _diff(name, before[name], after[name])


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _diff(name: str, before: bytes, after: bytes) -> Iterator[str]:
    lines = list(
        difflib.unified_diff(
            before.decode(errors="replace").splitlines(),
            after.decode(errors="replace").splitlines(),
            f"{name} (there)",
            f"{name} (generated now)",
            lineterm="",
        )
    )
    yield from lines[:DIFF_LINES]
    if len(lines) > DIFF_LINES:
        yield f"... {len(lines) - DIFF_LINES} more lines"


if __name__ == "__main__":
    sys.exit(main())
