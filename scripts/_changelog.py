"""What CHANGELOG.md and the version must say of changes, and whether CHANGELOG.md does."""

import re
import textwrap
from collections.abc import Collection, Iterable, Iterator

from _changes import Change

_WIDTH = 120
_SECTIONS = {"added": "Added", "removed": "Removed"}
_UNRELEASED = re.compile(r"^## \[Unreleased\][^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def next_version(version: str, changes: Collection[Change]) -> str:
    """Return the lowest version that the changes allow.

    Below 1.0, what breaks callers asks for the next minor version, and all else for a patch. From then on
    Semantic Versioning holds.
    """
    major, minor, patch = map(int, version.split("."))
    breaks = any(change.breaks for change in changes)
    adds = any(change.effect == "added" for change in changes)
    if not changes:
        return version
    if breaks and major:
        return f"{major + 1}.0.0"
    if breaks or (adds and major):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def released(changelog: str) -> list[str]:
    """Return the versions that were released."""
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)


def sentence(change: Change, operations: Collection[str]) -> str:
    """Return a change and the operations that it belongs to.

    Args:
        change: The change.
        operations: The names of all operations that there are.
    """
    concerned = [f"`{name}`" for name in change.operations]
    if not concerned or concerned == [f"`{change.subject}`"] or f"`{change.operations[0]}`" in change.text:
        return change.text
    others = [f"`{name}`" for name in sorted(set(operations) - set(change.operations))]
    names = ", ".join(concerned)
    if not others:
        names = "all operations"
    elif len(others) < len(concerned) // 4:
        names = f"all operations but {' and '.join(others)}"
    directions = " and ".join(change.directions)
    return f"{change.text} ({directions} of {names})" if directions else f"{change.text} ({names})"


def missing(changes: Iterable[Change], changelog: str) -> list[Change]:
    """Return what breaks callers without an entry under [Unreleased] that says so and names its subject."""
    entries = [entry for entry in _entries(changelog) if "breaking" in entry.lower()]
    return [
        change
        for change in changes
        if change.breaks and not any(_names(entry, change.subject) for entry in entries)
    ]


def draft(changes: Iterable[Change], operations: Collection[str]) -> str:
    """Return entries for CHANGELOG.md, in the sections of Keep a Changelog."""
    sections: dict[str, list[str]] = {"Added": [], "Changed": [], "Removed": []}
    for change in changes:
        entry = f"{'**Breaking:** ' * change.breaks}{sentence(change, operations)}."
        sections[_SECTIONS.get(change.effect, "Changed")].append(_bullet(entry))
    return "\n\n".join(
        "\n".join([f"### {name}", "", *bullets]) for name, bullets in sections.items() if bullets
    )


def _bullet(entry: str) -> str:
    capital = entry[:1].upper() + entry[1:]
    return textwrap.fill(
        capital,
        _WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _entries(changelog: str) -> Iterator[str]:
    if section := _UNRELEASED.search(changelog):
        for entry in re.split(r"^- ", section[1], flags=re.MULTILINE)[1:]:
            yield " ".join(entry.split())


def _names(entry: str, subject: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(subject)}(?![\w-]|\.\w)", entry) is not None
