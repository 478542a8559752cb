"""Compare openapi/hubspot-batch.yaml with the OpenAPI documents that HubSpot publishes.

    python scripts/compare_upstream.py orders.json lineItems.json
    python scripts/compare_upstream.py HubSpot-public-api-spec-collection/PublicApiSpecs/CRM/Orders
    python scripts/compare_upstream.py https://example.com/orders.json --json

Every difference that matters to a client of our operations is told, the worst first. A difference is
explained where openapi/deviations.yaml has an entry for its place that says what HubSpot says there; when
HubSpot changes it again, it is not explained any more. Where all versions of an operation are compared, what
explains nothing is told, too, and a folder that has several versions has to have all of `x-versions`. Exit
codes: 0 all is explained, 1 something is not or explains nothing, 2 wrong usage or a document that cannot be
used.
"""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

try:
    from _collection import read_all
    from _deviations import Statement, explanation, read_statements, stale
    from _differences import Difference, Direction, Places, Said, Severity, Verdict
    from _document import Document, InvalidFileError, load, parse_reference, unusable
    from _matching import VERSION, Match, Wanted, matches, wanted
    from _operation_diff import compare
    from _operations import users
    from _report import Compared, Occurrence, Report, as_json, as_text, printable
    from _versions import differences, missing, versions_of
except ImportError as error:
    sys.exit(f"{error}\nRun: python -m pip install httpx pyyaml")

_MISSING = Verdict(Direction.WE, Severity.BREAKING, "it is gone, or stands elsewhere")
OPENAPI = Path(__file__).resolve().parent.parent / "openapi"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for version in options.api_version:
        if not VERSION.fullmatch(version):
            parser.error(f"there is no API version {version!r}; write v3 or a dated one such as 2026-09")
    try:
        report = _run(options)
        text = as_json(report) if options.json else as_text(report, explained=options.explained)
    except InvalidFileError as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    except RecursionError:
        print("a document is nested too deep", file=sys.stderr)
        return 2
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
    for message in report.errors:
        print(printable(message), file=sys.stderr)
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", metavar="FILE_OR_FOLDER_OR_URL", help="JSON or YAML")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--explained", action="store_true", help="list what is explained, too")
    parser.add_argument(
        "--api-version",
        action="append",
        default=[],
        metavar="VERSION",
        help="compare this version only, v3 for example; may be given several times; "
        "without it, all but those that are not released",
    )
    parser.add_argument("--document", type=Path, default=OPENAPI / "hubspot-batch.yaml", help="our document")
    parser.add_argument("--deviations", type=Path, default=OPENAPI / "deviations.yaml", help="what is known")
    return parser


def _run(options: argparse.Namespace) -> Report:
    operations = wanted(load(options.document))
    statements = read_statements(options.deviations)
    report = Report([one.name for one in operations])
    sources = list(read_all(options.sources, report.notes, report.errors))
    unmet = set(options.sources) if not report.errors else set()
    for argument, source in sources:
        if add_document(report, source, operations, statements, options.api_version):
            unmet.discard(argument)
    report.errors += [f"{argument}:1: is about none of our operations" for argument in sorted(unmet)]
    if not options.api_version:
        folders = {source.name: argument for argument, source in sources if Path(argument).is_dir()}
        add_missing_versions(report, folders, operations, statements)
    add_stale(report, operations, statements)
    _complain(report, options.api_version)
    return report


def add_document(
    report: Report,
    source: Document,
    operations: list[Wanted],
    statements: list[Statement],
    versions: Collection[str] = (),
) -> bool:
    """Compare one document, and return whether it is about our operations, in any version.

    One that cannot be used is an error in the report, and does not keep others from being compared.
    """
    try:
        found = matches(source, operations)
        chosen = [match for match in found if _is_chosen(match.version, versions)]
        occurrences = [
            _occurrence(difference, source.name, match.version, match.wanted, statements)
            for match in chosen
            for difference in _differences(match)
        ]
    except InvalidFileError as error:
        report.errors.append(str(error))
        return True
    except RecursionError:
        report.errors.append(str(unusable(source.name, "is nested too deep")))
        return True
    report.occurrences += occurrences
    for version in sorted({match.version for match in found}):
        names = tuple(match.wanted.name for match in chosen if match.version == version)
        if names:
            report.compared.append(Compared(source.name, version, names))
        else:
            report.notes.append(f"{source.name}:1: passed over: version {version}")
    if not found:
        report.notes.append(f"{source.name}:1: passed over: is about none of our operations")
    return bool(found)


def _differences(match: Match) -> Iterator[Difference]:
    ours, theirs = match.wanted.operation, match.theirs
    if theirs is None:
        yield Difference("absent", Said(theirs=True, ours=False), _MISSING, Places(("paths",), ours.place))
        return
    if match.moved:
        effect = f"it stands at {theirs.address}, where we do not send"
        verdict = Verdict(Direction.APART, Severity.BREAKING, effect)
        yield Difference(
            "address", Said(theirs.address, match.usual), verdict, Places(theirs.place, ours.place)
        )
    yield from differences(match)
    yield from compare(ours, theirs)


def add_missing_versions(
    report: Report, folders: dict[str, str], operations: list[Wanted], statements: list[Statement]
) -> None:
    """Tell of versions that folders with several versions of an operation do not have.

    Args:
        report: The report, which has all documents.
        folders: The folders by the names of the documents that were found in them.
        operations: Our operations.
        statements: What is known.
    """
    for one in operations:
        compared = [
            each for each in report.compared if one.name in each.operations and each.source in folders
        ]
        seen = {each.version for each in compared}
        if len(seen) > 1:
            folder = folders[compared[0].source]
            report.occurrences += [
                _occurrence(difference, folder, version, one, statements)
                for version, difference in missing(one, seen)
            ]


def add_stale(report: Report, operations: list[Wanted], statements: list[Statement]) -> None:
    """Tell of statements that explain nothing although all was compared that they could explain."""
    if not operations or report.errors:
        return
    used = users(operations[0].operation.source)
    expected = {one.name: versions_of(one) for one in operations}
    seen = {name: {one.version for one in report.compared if name in one.operations} for name in expected}

    def is_judged(statement: Statement) -> bool:
        place = parse_reference(f"#{statement.pointer}")
        bound = statement.conditions.get("versions")
        return all(
            seen[name] and (expected[name] if bound is None else expected[name] & {*bound}) <= seen[name]
            for name in used.get(place[:3]) or used.get(place[:2]) or seen
        )

    met = [(one.difference, one.version) for one in report.occurrences]
    report.stale += [
        f"line {statement.line}, `{statement.pointer}`: {part}"
        for statement, part in stale(filter(is_judged, statements), met)
    ]


def _is_chosen(version: str, versions: Collection[str]) -> bool:
    return version in versions if versions else not version.endswith("-beta")


def _occurrence(
    difference: Difference, source: str, version: str, one: Wanted, statements: list[Statement]
) -> Occurrence:
    return Occurrence(difference, source, version, one.name, explanation(statements, difference, version))


def _complain(report: Report, versions: Collection[str]) -> None:
    """Add an error if nothing was compared, so that the wrong place does not look like success."""
    compared = {one.version for one in report.compared}
    if report.errors:
        return
    for version in versions:
        if version not in compared:
            report.errors.append(f"no document is about our operations in version {version}")
    if not compared and not versions:
        report.errors.append("all documents were passed over")


if __name__ == "__main__":
    sys.exit(main())
