"""Say what a change of the OpenAPI document means for callers, for CHANGELOG.md and for the version.

    python scripts/changes.py
    python scripts/changes.py v0.1.0
    python scripts/changes.py ../other/hubspot-batch.yaml

Without an argument, the document is compared with that of the last release: of the nearest tag `v*` before
HEAD. Exit codes: 0 nothing breaks callers, or CHANGELOG.md says what does, or there is no release yet; 1
CHANGELOG.md does not say what breaks callers; 2 wrong usage, or the documents cannot be compared.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

try:
    from _changelog import draft, missing, next_version, released, sentence
    from _changes import Change, changes
    from _document import Document, InvalidFileError, load, parse
    from _operations import operations
except ImportError as error:
    sys.exit(f"{error}\nRun: python -m pip install pyyaml")

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "openapi/hubspot-batch.yaml"
NO_RELEASE = (
    "There is no release yet (git has no tag v*), so no caller can be broken.\n"
    "To compare with something else, name a git ref or a file: nox -s changes -- HEAD~1"
)


class BaseError(Exception):
    """There is no document to compare with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        changelog = options.changelog.read_text("utf-8")
        base = options.base or _last_release(changelog)
        if base is None:
            print(NO_RELEASE)
            return 0
        before, after = _base(base), load(options.document)
        return _report(base, before, changes(before, after), changelog)
    except (BaseError, InvalidFileError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", nargs="?", help="a git ref or a file to compare with")
    parser.add_argument("--document", type=Path, default=ROOT / DOCUMENT, help="another OpenAPI document")
    parser.add_argument("--changelog", type=Path, default=ROOT / "CHANGELOG.md", help="another changelog")
    return parser


def _last_release(changelog: str) -> str | None:
    if _git("rev-parse", "--is-shallow-repository").strip() == "true":
        raise BaseError(
            "The clone is shallow, so that tags may be missing. Run: git fetch --unshallow --tags"
        )
    try:
        return _git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*").strip()
    except BaseError:
        if released(changelog):
            message = "CHANGELOG.md tells of releases, but git has no tag v*. Run: git fetch --tags"
            raise BaseError(message) from None
        return None


def _base(base: str) -> Document:
    if Path(base).is_file():
        return load(Path(base))
    name = f"{base}:{DOCUMENT}"
    return parse(name, _git("show", name))


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - git is where it is
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise BaseError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _report(base: str, before: Document, found: list[Change], changelog: str) -> int:
    version = _version(base, before)
    names = {operation.name for operation in operations(before)}
    breaking = sum(change.breaks for change in found)
    print(f"Changes for callers since {base}: {len(found)}, breaking ones: {breaking}")
    if not found:
        return 0
    for change in found:
        print(f"{'BREAKS' if change.breaks else '':6}  {sentence(change, names)}")
    print(f"\nThe version after {version} is {next_version(version, found)} at least.")
    print(f"\nFor CHANGELOG.md, below [Unreleased]:\n\n{draft(found, names)}")
    return _verdict(missing(found, changelog))


def _version(base: str, before: Document) -> str:
    named = str(before.content["info"]["version"])
    for version in (base.removeprefix("v"), named):
        if re.fullmatch(r"\d+\.\d+\.\d+", version):
            return version
    raise BaseError(f"{base} has the version {named!r} where one such as 0.1.0 belongs")


def _verdict(untold: Collection[Change]) -> int:
    if not untold:
        return 0
    print("\nNot in CHANGELOG.md below [Unreleased], in an entry that says Breaking and names it:")
    for subject in dict.fromkeys(change.subject for change in untold):
        print(f"- {subject}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
