"""`redocly diff`: how it is called, and what it reports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from _document import parse_reference

if TYPE_CHECKING:
    from _document import Pointer

_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
_TIMEOUT = 60.0


class ToolError(Exception):
    """Redocly is missing, is not the pinned version, or failed."""


class Row(NamedTuple):
    """One difference, as Redocly reports it: a component that several operations use is reported once.

    Attributes:
        kind: What happened.
        type: What kind of thing it happened to, `Schema` or `Response` for example.
        property: Which keyword is another; `key` means that the thing has another name.
        way: How the first operation that uses it gets there, without regard to references.
        old: The value before.
        new: The value after.
        messages: What Redocly says of it, by rule, where it breaks callers.
    """

    kind: Literal["added", "removed", "modified"]
    type: str
    property: str | None
    way: Pointer
    old: Any
    new: Any
    messages: dict[str, str]


def find(package: Path) -> str:
    """Return the command.

    Args:
        package: The package.json that pins its version.

    Raises:
        ToolError: It is not installed, or in another version.
    """
    pinned = json.loads(package.read_bytes())["dependencies"]["@redocly/cli"]
    command = shutil.which("redocly")
    if command is None:
        raise ToolError("redocly is not installed. `nox -s changes` installs it; that needs Node.")
    if (installed := _run(command, "--version").strip()) != pinned:
        raise ToolError(f"redocly is pinned to {pinned}, installed is {installed}. Run: nox -s changes")
    return command


def diff(command: str, before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    """Return what differs between two documents.

    Raises:
        ToolError: Redocly cannot read one of them.
    """
    with TemporaryDirectory() as folder:
        # In YAML, Redocly would report what stands behind an alias for one of its places only.
        paths = [Path(folder, name) for name in ("before.json", "after.json")]
        for path, document in zip(paths, (before, after), strict=True):
            path.write_text(json.dumps(document), encoding="utf-8")
        report = _run(command, "diff", "--format=json", "--fail-on=none", *map(str, paths))
    try:
        changes = json.loads(report)["changes"]
    except (ValueError, LookupError):
        raise ToolError(f"redocly diff gave no report but:\n{report.strip()}") from None
    return [_row(change) for change in changes]


def _row(change: dict[str, Any]) -> Row:
    return Row(
        kind=change["kind"],
        type=change["typeName"],
        property=change.get("property"),
        way=parse_reference(change["path"]),
        old=change.get("base", {}).get("value"),
        new=change.get("revision", {}).get("value"),
        messages={
            verdict["ruleId"]: verdict["message"].removesuffix(".")
            for verdict in change["verdicts"]
            if verdict["impact"] == "major"
        },
    )


def _run(command: str, *arguments: str) -> str:
    done = subprocess.run(
        [command, *arguments],
        env=os.environ | _QUIET,
        capture_output=True,
        encoding="utf-8",
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"redocly failed (exit code {done.returncode}):\n{done.stderr.strip()}")
    return done.stdout
