"""`openapi/deviations.yaml` says where the document differs from what HubSpot publishes.

An entry cannot be checked if its place has left the document, or its evidence cites a section that is gone.
`test_compare_upstream.py` compares what `upstream` says with documents in HubSpot's form.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT_PATH = ROOT / "openapi" / "hubspot-batch.yaml"
DEVIATIONS_PATH = ROOT / "openapi" / "deviations.yaml"
BEHAVIOUR_PATH = ROOT / "docs" / "behaviour.md"

KEYS = {"pointer", "published", "ours", "reason", "evidence"}
CONDITIONS = {"fields", "replies", "versions"}
VERSIONS = {"v3", "2025-09", "2026-03", "2026-09", "2026-09-beta"}
CITATION = re.compile(r"docs/behaviour\.md, ([^;]+)")
HEADING = re.compile(r"^#+ +(.+?) *$")


def load(path: Path) -> object:
    content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def entries() -> list[dict[str, Any]]:
    """The list of the file; an empty one where there is none, which a test of its own reports."""
    content = load(DEVIATIONS_PATH)
    found = content.get("deviations") if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def pointer_of(entry: object) -> str:
    return str(entry.get("pointer")) if isinstance(entry, dict) else repr(entry)


def step(node: object, token: str) -> object:
    """What lies one token below a node; LookupError where nothing does."""
    if isinstance(node, dict):
        value: object = node[token]
        return value
    if isinstance(node, list) and re.fullmatch(r"0|[1-9][0-9]*", token):
        element: object = node[int(token)]
        return element
    raise LookupError(token)


def resolve(document: object, pointer: str) -> object:
    """The node that a JSON pointer (RFC 6901) names; LookupError where there is none."""
    before, *tokens = pointer.split("/")
    if before or not tokens:
        raise LookupError(pointer)
    node = document
    for token in tokens:
        node = step(node, token.replace("~1", "/").replace("~0", "~"))
    return node


def citations(evidence: str) -> list[str]:
    return [heading.strip() for heading in CITATION.findall(evidence)]


def headings(markdown: str) -> list[str]:
    """The headings of a page; a line in a block of code is not one, even if it begins with #."""
    found: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code and (match := HEADING.match(line)):
            found.append(match[1])
    return found


ENTRIES = entries()


@pytest.fixture(scope="module")
def document() -> object:
    return load(DOCUMENT_PATH)


@pytest.fixture(scope="module")
def behaviour_headings() -> list[str]:
    return headings(BEHAVIOUR_PATH.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def behaviour_sections() -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = BEHAVIOUR_PATH.read_text(encoding="utf-8").split("\n## ")[1:]
    return dict(part.split("\n", 1) for part in parts)


def test_the_file_holds_a_list_of_deviations_and_nothing_else() -> None:
    assert load(DEVIATIONS_PATH) == {"deviations": ENTRIES}
    assert ENTRIES


def test_an_entry_has_its_five_keys_and_upstream_at_most() -> None:
    assert {frozenset(set(entry) - {"upstream"}) for entry in ENTRIES} == {frozenset(KEYS)}
    silent = [
        (entry["pointer"], key)
        for entry in ENTRIES
        for key in KEYS
        if not isinstance(entry[key], str) or not entry[key].strip()
    ]
    assert silent == []


def test_what_hubspot_says_is_a_list_of_statements(behaviour_sections: dict[str, str]) -> None:
    # `read_statements` refuses what is malformed; see test_compare_upstream.py.
    statements = [statement for entry in ENTRIES for statement in entry.get("upstream", [{}])]
    assert [entry["pointer"] for entry in ENTRIES if entry.get("upstream") == []] == []
    bound = [statement[key] for statement in statements for key in CONDITIONS & statement.keys()]
    assert [values for values in bound if len(set(values)) < len(values)] == []

    named = {version for statement in statements for version in statement.get("versions", [])}
    assert named <= VERSIONS
    assert [version for version in named if version not in behaviour_sections["Versions"]] == []


def test_a_pointer_names_a_place_in_the_document(document: object) -> None:
    for entry in ENTRIES:
        resolve(document, entry["pointer"])


def test_no_place_has_two_entries() -> None:
    counts = Counter(pointer_of(entry) for entry in ENTRIES)

    assert [pointer for pointer, count in counts.items() if count > 1] == []


def test_the_evidence_cites_sections_that_exist(behaviour_headings: list[str]) -> None:
    cited = {entry["pointer"]: citations(entry["evidence"]) for entry in ENTRIES}

    # Cite a section: docs/behaviour.md, <Heading>
    assert [pointer for pointer, sections in cited.items() if not sections] == []
    assert {heading for sections in cited.values() for heading in sections} <= set(behaviour_headings)


def test_a_citation_leads_to_one_section_only(behaviour_headings: list[str]) -> None:
    counts = Counter(behaviour_headings)

    assert [heading for heading, count in counts.items() if count > 1] == []


def test_a_pointer_is_read_as_rfc_6901_says() -> None:
    document = {"paths": {"/a/b": 1}, "m~n": 2, "~1": 3, "list": ["x", "y"], "2XX": 4}
    places = {"/paths/~1a~1b": 1, "/m~0n": 2, "/~01": 3, "/list/1": "y", "/2XX": 4}

    assert {pointer: resolve(document, pointer) for pointer in places} == places
    for pointer in ("", "paths", "/gone", "/list/2", "/list/01", "/list/-1", "/list/x", "/2XX/deeper"):
        with pytest.raises(LookupError):
            resolve(document, pointer)
