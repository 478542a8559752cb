"""Compare openapi/hubspot-batch.yaml with the OpenAPI documents that HubSpot publishes.

    python scripts/compare_upstream.py orders.json lineItems.json
    python scripts/compare_upstream.py HubSpot-public-api-spec-collection/PublicApiSpecs/CRM/Orders
    python scripts/compare_upstream.py https://example.com/orders.json --json

Every difference that matters to a client of our operations is told, the worst first. A difference is
explained where openapi/deviations.yaml has an entry for its place that says what HubSpot says there; when
HubSpot changes it again, it is not explained any more. Exit codes: 0 all is explained, 1 something is not,
2 wrong usage or a document that cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

try:
    from _document import InvalidFileError, load
    from _upstream_deviations import explanation, read_statements
    from _upstream_exchanges import compare
    from _upstream_operations import VERSION, matches, wanted
    from _upstream_report import Compared, Occurrence, Report, as_json, as_text, printable
    from _upstream_sources import Source, UnusableError, read_all
except ImportError as error:
    sys.exit(f"{error}\nRun: python -m pip install httpx pyyaml")

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from _upstream_deviations import Statement
    from _upstream_operations import Match, Wanted

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
    except (InvalidFileError, UnusableError) as error:
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
    document = load(options.document)
    ours = Source(str(options.document), options.document.read_text("utf-8"), document.content)
    operations = wanted(ours)
    statements = read_statements(options.deviations)
    reading = read_all(options.sources)
    report = Report([one.name for one in operations], notes=reading.notes, errors=reading.errors)
    unmet = set(options.sources) if not report.errors else set()
    for argument, source in reading.sources:
        if add_document(report, source, operations, statements, options.api_version):
            unmet.discard(argument)
    report.errors += [f"{argument}:1: is about none of our operations" for argument in sorted(unmet)]
    _complain(report, options.api_version)
    return report


def add_document(
    report: Report,
    source: Source,
    operations: list[Wanted],
    statements: list[Statement],
    versions: Collection[str] = (),
) -> bool:
    """Compare one document, and return whether it is about our operations, in whatever version.

    One that cannot be used is an error in the report, and does not keep others from being compared.
    """
    try:
        found = matches(source, operations)
        chosen = [match for match in found if _is_chosen(match.version, versions)]
        occurrences = [one for match in chosen for one in _occurrences(match, source, statements)]
    except UnusableError as error:
        report.errors.append(str(error))
        return True
    except RecursionError:
        report.errors.append(str(UnusableError(source.name, "is nested too deep")))
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


def _is_chosen(version: str, versions: Collection[str]) -> bool:
    return version in versions if versions else not version.endswith("-beta")


def _occurrences(match: Match, source: Source, statements: list[Statement]) -> list[Occurrence]:
    return [
        Occurrence(
            difference,
            source.name,
            match.version,
            match.wanted.name,
            explanation(statements, difference, match.version),
        )
        for difference in compare(match)
    ]


def _complain(report: Report, versions: Collection[str]) -> None:
    """Add an error where nothing was compared, so that a look at the wrong place is no success."""
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
