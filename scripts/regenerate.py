"""Write generated/ from the OpenAPI document, or check that it is up to date.

    python scripts/regenerate.py
    python scripts/regenerate.py --check

The document is validated first, with all its examples. A broken one, a misspelt option, a warning
or another version of a generator changes nothing. Exit codes: 0 done or up to date, 1 the document
is invalid, a generator failed or generated/ differs, 2 wrong usage.
"""

import argparse
import difflib
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

try:
    from _document import Document, InvalidFileError
    from _generation import DOCUMENT, MODELS, GenerationError, check_tools, generate
    from _operations import inlined, operations
    from _validation import load_valid
except ImportError as error:
    sys.exit(f"{error}\nRun: python -m pip install --group generators --editable .")

ROOT = Path(__file__).resolve().parent.parent
DIFF_LINES = 60
# Seconds. A run takes less than a minute; an older temporary folder was left behind by a killed one.
LONGEST_RUN = 600.0


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
    """Say why `output` must not be replaced, so that a typing error costs no folder."""
    if not output.absolute().parent.is_dir():
        return f"{output.parent} is not a folder"
    if output.is_dir() and any(output.iterdir()) and not (output / MODELS).is_dir():
        return f"{output} was not written by this script: it has no {MODELS}"
    if output.exists() and not output.is_dir():
        return f"{output} is not a folder"
    return None


def _write(options: argparse.Namespace) -> int:
    output = options.output.absolute()
    _sweep(output)
    before = _old_document(output)
    with TemporaryDirectory(prefix=_prefix(output), dir=output.parent) as folder:
        new = _generate(options.document, Path(folder))
        after = json.loads((new / DOCUMENT).read_bytes())
        names = [name for name, _, _ in _changed_files(output, new)]
        if names:
            _swap(new, output, Path(folder, "old"))
    changes = _described(before, after) or [f"file changed: {output / name}" for name in names]
    print("\n".join(changes) or "nothing changed")
    return 0


def _prefix(output: Path) -> str:
    return f".{output.name}-"


def _sweep(output: Path) -> None:
    """Remove what a killed run left behind, unless that run may still go on."""
    for folder in output.parent.glob(f"{_prefix(output)}*"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > LONGEST_RUN:
            shutil.rmtree(folder)


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


def _described(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each operation and each model that was added, removed or changed."""
    old, new = Document("before", "", before), Document("after", "", after)
    return [
        *_changed_names("operation", _operations_of(old), _operations_of(new)),
        *_changed_names("model", _models_of(before), _models_of(after)),
    ]


def _changed_names(kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{kind} added: {name}"
        elif name not in after:
            yield f"{kind} removed: {name}"
        elif before[name] != after[name]:
            yield f"{kind} changed: {name}"


def _operations_of(source: Document) -> dict[str, Any]:
    return {each.name: (each.address, inlined(source, each.content)) for each in operations(source)}


def _models_of(document: dict[str, Any]) -> dict[str, Any]:
    models: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return models


def _differences(old: Path, new: Path) -> Iterator[str]:
    for name, before, after in _changed_files(old, new):
        if before is None:
            yield f"missing: {old / name}"
        elif after is None:
            yield f"extra: {old / name}"
        else:
            yield f"different: {old / name}"
            yield from _diff(name, before, after)


def _changed_files(old: Path, new: Path) -> Iterator[tuple[str, bytes | None, bytes | None]]:
    """Yield the files that are not the same in both folders, with what they hold in each."""
    before, after = _contents(old), _contents(new)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


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
