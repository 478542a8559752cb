"""What was found, for people (text that is Markdown, too) and for programs (JSON)."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby, islice
from typing import Any

from _differences import Difference, rank
from _document import format_pointer

_LONGEST_VALUE = 300
_MOST_PLACES = 8


@dataclass(frozen=True)
class Occurrence:
    """Where a difference was met."""

    difference: Difference
    source: str  # the name of HubSpot's document
    version: str  # the version of the service
    operation: str  # the operationId in our document
    explained_by: str | None  # the pointer of the entry in the file of deviations; None where there is none


@dataclass(frozen=True)
class Compared:
    """A document of HubSpot's that was compared."""

    source: str  # its name
    version: str  # the version of the service
    operations: tuple[str, ...]  # the operations that it is about, by their operationId


@dataclass
class Report:
    """All that a run found."""

    order: list[str]  # the operations of our document in its order
    compared: list[Compared] = field(default_factory=list)  # what was compared
    occurrences: list[Occurrence] = field(default_factory=list)  # the differences
    # What in the file of deviations explains nothing any more.
    stale: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was passed over
    errors: list[str] = field(default_factory=list)  # what could not be used

    @property
    def exit_code(self) -> int:
        """2 where something could not be used, 1 where something has to be done, else 0."""
        if self.errors:
            return 2
        return int(bool(self.stale) or any(one.explained_by is None for one in self.occurrences))


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    groups = list(_groups(report))
    content = {
        "compared": [asdict(one) for one in report.compared],
        "differences": [_group_as_json(group) for group in groups],
        "unexplained": sum(group[0].explained_by is None for group in groups),
        "stale": report.stale,
        "notes": report.notes,
        "errors": report.errors,
    }
    return json.dumps(content, indent=2)


def as_text(report: Report, *, explained: bool) -> str:
    """Return the report as text; what is explained is counted, or listed, too."""
    return "\n".join(printable(line) for line in _lines(report, explained=explained))


def printable(text: str) -> str:
    """Return a text in which what would upset a terminal is written out; documents are not to be trusted."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _lines(report: Report, *, explained: bool) -> Iterator[str]:
    yield "# HubSpot's published documents against openapi/hubspot-batch.yaml"
    yield ""
    for one in report.compared:
        yield f"- {one.version}: {', '.join(one.operations)} ({one.source})"
    groups = list(_groups(report))
    unexplained = [group for group in groups if group[0].explained_by is None]
    listed = groups if explained else unexplained
    yield from _sections(report, listed)
    yield ""
    yield _summary(len(groups), len(unexplained))
    sections = {
        "Explain nothing any more, so change or remove them": report.stale,
        "Passed over": report.notes,
        "Errors": report.errors,
    }
    for heading, lines in sections.items():
        if lines:
            yield from ("", f"{heading}:", "", *(f"- {line}" for line in lines))


def _summary(count: int, unexplained: int) -> str:
    if not count:
        return "No difference."
    noun = "difference" if count == 1 else "differences"
    if not unexplained:
        return f"{count} {noun}, explained by openapi/deviations.yaml."
    return f"{count} {noun}, {unexplained} of them not explained by openapi/deviations.yaml."


def _sections(report: Report, groups: list[list[Occurrence]]) -> Iterator[str]:
    def operations(group: list[Occurrence]) -> list[int]:
        return sorted({report.order.index(one.operation) for one in group})

    for indexes, section in groupby(sorted(groups, key=operations), key=operations):
        yield ""
        yield f"## {', '.join(report.order[index] for index in indexes)}"
        for group in section:
            yield ""
            yield from _paragraph(group)


def _paragraph(group: list[Occurrence]) -> Iterator[str]:
    first = group[0].difference
    codes = sorted({one.difference.code for one in group if one.difference.code})
    use = " ".join([first.use, ", ".join(codes)]) if codes else first.use
    name = f" `{first.field}`" if first.field else ""
    said, verdict = first.said, first.verdict
    yield f"- **{verdict.severity}**, {use}{name}: {verdict.effect}"
    yield f"  - {first.aspect}: theirs `{_value(said.theirs)}`, ours `{_value(said.ours)}`"
    yield f"  - ours: `{format_pointer(first.places.ours)}`"
    found = dict.fromkeys((one.source, one.version, one.difference.places.theirs) for one in group)
    for source, version, place in islice(found, _MOST_PLACES):
        yield f"  - {version}: `{format_pointer(place)}` ({source})"
    if len(found) > _MOST_PLACES:
        yield f"  - and {len(found) - _MOST_PLACES} other places"
    if group[0].explained_by is not None:
        yield f"  - explained by the deviation of `{group[0].explained_by}`"


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} ..."


def _groups(report: Report) -> Iterator[list[Occurrence]]:
    """Yield the same difference of several documents, operations and replies together, the worst first."""
    together: dict[tuple[object, ...], list[Occurrence]] = {}
    for one in report.occurrences:
        found = one.difference
        said = json.dumps(found.said)
        key = (found.aspect, found.use, found.field, found.places.ours, found.verdict, said, one.explained_by)
        together.setdefault(key, []).append(one)
    yield from sorted(together.values(), key=lambda group: rank(group[0].difference))


def _group_as_json(group: list[Occurrence]) -> dict[str, Any]:
    first = group[0].difference
    return {
        "aspect": first.aspect,
        "use": first.use,
        "field": first.field,
        **first.said._asdict(),
        **first.verdict._asdict(),
        "pointer": format_pointer(first.places.ours),
        "explained_by": group[0].explained_by,
        "occurrences": [
            {
                "source": one.source,
                "version": one.version,
                "operation": one.operation,
                "reply": one.difference.code or None,
                "pointer": format_pointer(one.difference.places.theirs),
            }
            for one in group
        ],
    }
