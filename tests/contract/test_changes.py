"""scripts/changes.py on changes that are planted in the document, and in clones with and without releases.

Where Redocly is missing, what needs it is skipped: `nox -s changes` installs it.
"""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from _silence import passed_over  # noqa: E402 - found there

OPENAPI = ROOT / "openapi"
DOCUMENT = (OPENAPI / "hubspot-batch.yaml").read_text(encoding="utf-8")
UNRELEASED = "## [Unreleased]\n\n{}\n\n## [0.1.0] - 2026-01-01\n\n- **Breaking:** `207` and `Record.url`.\n"
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
GIT |= {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
needs_redocly = pytest.mark.skipif(
    os.environ.get("NOX_CURRENT_SESSION") != "changes" and not shutil.which("redocly"),
    reason="`nox -s changes` installs Redocly",
)

Run = subprocess.CompletedProcess[str]


class Planted(NamedTuple):
    """What to replace in the document, by what, and what is to be said of it."""

    old: str
    new: str
    said: str


def section(start: str, end: str) -> str:
    return DOCUMENT[DOCUMENT.index(start) : DOCUMENT.index(end, DOCUMENT.index(start))]


CARTS = section("  /crm/v3/objects/carts/batch/create:", "\ncomponents:")
ID_PROPERTY = section("        idProperty:\n", "        properties:\n")
URL = section("        url:\n", "        objectWriteTraceId:\n")
HEADER = section("        X-HubSpot-RateLimit-Daily:\n", "        X-HubSpot-RateLimit-Daily-Remaining:\n")
CREATES = "`create_carts`, `create_commerce_payments`, `create_line_items`, `create_orders`"

BREAKING = {
    "operation removed": Planted(CARTS, "", "`create_carts` was removed"),
    "operation renamed": Planted(
        "operationId: create_carts",
        "operationId: make_carts",
        "`create_carts` was renamed to `make_carts`",
    ),
    "operation under another path": Planted(
        "/crm/v3/objects/carts/",
        "/crm/v4/objects/carts/",
        "the path of `create_carts` is `/crm/v4/objects/carts/batch/create`, "
        "was `/crm/v3/objects/carts/batch/create`",
    ),
    "operation with another tag": Planted(
        "tags: [carts]",
        "tags: [orders]",
        '`create_carts` was changed: `tags` gained `"orders"`, lost `"carts"`',
    ),
    "operation without a tag": Planted(
        "      tags: [carts]\n", "", '`create_carts` was changed: `tags` is absent, was `["carts"]`'
    ),
    "operation with another scope": Planted(
        "oauth2: [crm.objects.carts.write]",
        "oauth2: [crm.objects.carts.write, e-commerce]",
        "Security scheme `oauth2` requires new scopes: 'e-commerce' (`create_carts`)",
    ),
    "operation with one way to authenticate less": Planted(
        "        - accessToken: [crm.objects.carts.write]\n",
        "",
        "Security requirement `accessToken` is no longer accepted (`create_carts`)",
    ),
    "operation with a status less": Planted(
        "        '207':\n          $ref: '#/components/responses/PartlyDone'\n",
        "",
        "Response `207` was removed (replies of `create_orders`)",
    ),
    "operation with another body": Planted(
        "'#/components/requestBodies/CreateCarts'",
        "'#/components/requestBodies/UpdateOrders'",
        "`requestBody` was changed: it is `UpdateOrders`, was `CreateCarts` (requests of `create_carts`)",
    ),
    "field of requests now required": Planted(
        "      required: [properties]\n",
        "      required: [properties, objectWriteTraceId]\n",
        f"`CreateInput.objectWriteTraceId` is now required (requests of {CREATES})",
    ),
    "field of requests removed": Planted(
        ID_PROPERTY, "", "`UpdateInput.idProperty` was removed (requests of `update_orders`)"
    ),
    "field of requests renamed": Planted(
        "        idProperty:",
        "        idProp:",
        "`UpdateInput.idProperty` was renamed to `idProp` (requests of `update_orders`)",
    ),
    "list in requests shorter": Planted(
        "          maxItems: 100\n",
        "          maxItems: 50\n",
        f"`BatchCreateRequest.inputs` was narrowed: `maxItems` is `50`, was `100` (requests of {CREATES})",
    ),
    "text in requests bound to a pattern": Planted(
        "      description: The internal name of a property.\n",
        "      description: The internal name of a property.\n      pattern: '^[a-z]'\n",
        '`PropertyName` was narrowed: `pattern` is `"^[a-z]"`, was absent (requests of all operations)',
    ),
    "value in requests removed": Planted(
        "INTEGRATOR_DEFINED, USER_DEFINED, WORK]",
        "INTEGRATOR_DEFINED, USER_DEFINED]",
        f'`AssociationCategory` was narrowed: `enum` lost `"WORK"` (requests of {CREATES})',
    ),
    "map in requests closed": Planted(
        "      additionalProperties:\n        type: string\n    PropertyName:\n",
        "      additionalProperties: false\n    PropertyName:\n",
        '`PropertyValues` was narrowed: `additionalProperties` is `false`, was `{"type": "string"}` '
        "(requests of all operations)",
    ),
    "field of replies no longer required": Planted(
        "required: [status, results, startedAt, completedAt]",
        "required: [status, results, startedAt]",
        "`BatchReply.completedAt` is no longer required (replies of all operations)",
    ),
    "field of replies removed": Planted(URL, "", "`Record.url` was removed (replies of all operations)"),
    "field of replies may be null": Planted(
        "          type: boolean\n",
        "          type: [boolean, 'null']\n",
        '`Record.archived` was widened: `type` is `["boolean", "null"]`, was `"boolean"` '
        "(replies of all operations)",
    ),
    "field of replies refers to something else": Planted(
        "$ref: '#/components/schemas/RecordWarning'",
        "$ref: '#/components/schemas/ErrorDetail'",
        "`Record.warnings[]` was changed: it is `ErrorDetail`, was `RecordWarning` "
        "(replies of all operations)",
    ),
    "field of replies with an alternative more": Planted(
        "        - $ref: '#/components/schemas/SubCategoryObject'\n",
        "        - $ref: '#/components/schemas/SubCategoryObject'\n        - type: integer\n",
        "`SubCategory` was widened: it is `string` or `SubCategoryObject` or `integer`, "
        "was `string` or `SubCategoryObject` (replies of all operations)",
    ),
    "header of replies removed": Planted(
        HEADER,
        "",
        "Response header `X-HubSpot-RateLimit-Daily` was removed (replies of all operations)",
    ),
}
HARMLESS = {
    "operation added": Planted(
        CARTS,
        CARTS + CARTS.replace("/carts/", "/baskets/").replace("create_carts", "create_baskets"),
        "`create_baskets` was added",
    ),
    "operation deprecated": Planted(
        "      operationId: create_carts\n",
        "      operationId: create_carts\n      deprecated: true\n",
        "`create_carts` was changed: `deprecated` is `true`, was absent",
    ),
    "operation with a status more": Planted(
        "        '207':\n",
        "        '202':\n          $ref: '#/components/responses/PartlyDone'\n        '207':\n",
        "`202` was added (replies of `create_orders`)",
    ),
    "field of requests added": Planted(
        "        idProperty:\n",
        "        note:\n          type: string\n        idProperty:\n",
        "`UpdateInput.note` was added (requests of `update_orders`)",
    ),
    "field of requests no longer required": Planted(
        "      required: [id, properties]\n",
        "      required: [id]\n",
        "`UpdateInput.properties` is no longer required (requests of `update_orders`)",
    ),
    "field of requests may be null": Planted(
        "        objectWriteTraceId:\n          $ref: '#/components/schemas/TraceId'\n",
        "        objectWriteTraceId:\n          anyOf:\n"
        "            - $ref: '#/components/schemas/TraceId'\n            - type: 'null'\n",
        "`CreateInput.objectWriteTraceId` was widened: it is `TraceId` or `null`, was `TraceId` "
        f"(requests of {CREATES})",
    ),
    "list in requests longer": Planted(
        "          maxItems: 100\n",
        "          maxItems: 200\n",
        f"`BatchCreateRequest.inputs` was widened: `maxItems` is `200`, was `100` (requests of {CREATES})",
    ),
    "names in requests free": Planted(
        "      propertyNames:\n        $ref: '#/components/schemas/PropertyName'\n",
        "",
        "`PropertyValues` was widened: `propertyNames` was removed (requests of all operations)",
    ),
    "field of replies added": Planted(
        "        url:\n",
        "        colour:\n          type: string\n        url:\n",
        "`Record.colour` was added (replies of all operations)",
    ),
    "field of replies now required": Planted(
        "createdAt, updatedAt, archived]\n",
        "createdAt, updatedAt, archived, url]\n",
        "`Record.url` is now required (replies of all operations)",
    ),
    "field of replies never null": Planted(
        "          type: [integer, 'null']\n",
        "          type: integer\n",
        '`BatchReply.numErrors` was narrowed: `type` is `"integer"`, was `["integer", "null"]` '
        "(replies of all operations)",
    ),
    "value that stands beside any text": Planted(
        "PENDING, PROCESSING]",
        "PENDING, PROCESSING, QUEUED]",
        '`KnownBatchStatus` was widened: `enum` gained `"QUEUED"` (replies of all operations)',
    ),
    "model added": Planted(
        "    Links:\n", "    Extra:\n      type: boolean\n    Links:\n", "the model `Extra` was added"
    ),
}
WORDS = {
    "description": Planted("One record to create.", "A record to create.", ""),
    "example": Planted("hs_order_name: A-1002", "hs_order_name: A-1003", ""),
    "version": Planted("version: 0.1.0", "version: 0.2.0", ""),
    "order of what is required": Planted("required: [id, properties]", "required: [properties, id]", ""),
    "reply that says the same": Planted("responses/CartsCreated'", "responses/CommercePaymentsCreated'", ""),
}
SEVERAL = [
    BREAKING["field of replies removed"],
    BREAKING["field of requests now required"],
    HARMLESS["field of requests added"],
    HARMLESS["operation added"],
]


def write(folder: Path, *planted: Planted, version: str = "0.1.0") -> Path:
    text = DOCUMENT.replace("version: 0.1.0", f"version: {version}")
    for each in planted:
        assert each.old in text
        text = text.replace(each.old, each.new, 1)
    path = folder / f"{len(planted)}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def changelog(folder: Path, entries: str = "") -> Path:
    path = folder / "CHANGELOG.md"
    path.write_text(UNRELEASED.format(entries), encoding="utf-8")
    return path


def run(*arguments: str | Path, root: Path = ROOT, **environment: str) -> Run:
    return subprocess.run(
        [sys.executable, root / "scripts" / "changes.py", *arguments],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def compare(folder: Path, *planted: Planted, version: str = "0.1.0", entries: str = "") -> Run:
    base = write(folder, version=version)
    document = write(folder, *planted, version=version)
    return run(base, "--document", document, "--changelog", changelog(folder, entries))


@needs_redocly
@pytest.mark.parametrize("planted", BREAKING.values(), ids=BREAKING)
def test_what_breaks_callers(tmp_path: Path, planted: Planted) -> None:
    done = compare(tmp_path, planted)

    assert done.stdout.splitlines()[:4] == [
        f"Changes for callers since {tmp_path / '0.yaml'}: 1, breaking ones: 1",
        f"BREAKS  {planted.said}",
        "",
        "The version after 0.1.0 is 0.2.0 at least.",
    ]
    assert (done.returncode, done.stderr) == (1, "")


@needs_redocly
@pytest.mark.parametrize("planted", HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_nobody(tmp_path: Path, planted: Planted) -> None:
    done = compare(tmp_path, planted)

    assert done.stdout.splitlines()[:4] == [
        f"Changes for callers since {tmp_path / '0.yaml'}: 1, breaking ones: 0",
        f"        {planted.said}",
        "",
        "The version after 0.1.0 is 0.1.1 at least.",
    ]
    assert (done.returncode, done.stderr) == (0, "")


@needs_redocly
@pytest.mark.parametrize("planted", WORDS.values(), ids=WORDS)
def test_what_is_no_change_for_callers(tmp_path: Path, planted: Planted) -> None:
    done = compare(tmp_path, planted)

    assert done.stdout == f"Changes for callers since {tmp_path / '0.yaml'}: 0, breaking ones: 0\n"
    assert (done.returncode, done.stderr) == (0, "")


@needs_redocly
def test_a_renamed_model_breaks_who_imports_it_and_changes_nothing_else(tmp_path: Path) -> None:
    renamed = Planted(DOCUMENT, DOCUMENT.replace("CreateInput", "NewInput"), "")

    done = compare(tmp_path, renamed)

    assert done.stdout.splitlines()[:2] == [
        f"Changes for callers since {tmp_path / '0.yaml'}: 1, breaking ones: 1",
        f"BREAKS  the model `CreateInput` was renamed to `NewInput` (requests of {CREATES})",
    ]


WRAPPED = {
    "replies": (
        Planted(
            section(
                "          anyOf:\n            - $ref: '#/components/schemas/PropertyHistories'\n",
                "        createdAt:",
            ),
            "          $ref: '#/components/schemas/PropertyHistories'\n",
            "`Record.propertiesWithHistory` was narrowed: it is `PropertyHistories`, "
            "was `PropertyHistories` or `null` (replies of all operations)",
        ),
        Planted(
            "required: [value, timestamp, sourceType]",
            "required: [value, sourceType]",
            "`PropertyVersion.timestamp` is no longer required (replies of all operations)",
        ),
    ),
    "requests": (
        Planted(
            "          items:\n            $ref: '#/components/schemas/AssociationType'\n",
            "          items:\n            anyOf:\n"
            "              - $ref: '#/components/schemas/AssociationType'\n              - type: 'null'\n",
            "`Association.types[]` was widened: it is `AssociationType` or `null`, was `AssociationType` "
            f"(requests of {CREATES})",
        ),
        Planted(
            "maximum: 2147483647",
            "maximum: 10000",
            "`AssociationType.associationTypeId` was narrowed: `maximum` is `10000`, was `2147483647` "
            f"(requests of {CREATES})",
        ),
    ),
}


@needs_redocly
@pytest.mark.parametrize(("around", "within"), WRAPPED.values(), ids=WRAPPED)
def test_a_change_within_another_is_not_lost(tmp_path: Path, around: Planted, within: Planted) -> None:
    done = compare(tmp_path, around, within)

    assert done.stdout.splitlines()[1:3] == [f"BREAKS  {within.said}", f"        {around.said}"]


@needs_redocly
def test_the_draft_is_what_the_changelog_lacks(tmp_path: Path) -> None:
    done = compare(tmp_path, *SEVERAL)

    draft, _, lacking = done.stdout.partition("[Unreleased]:\n\n")[2].partition("\n\nNot in CHANGELOG.md")
    assert draft == (
        "### Added\n\n"
        "- `create_baskets` was added.\n"
        "- `UpdateInput.note` was added (requests of `update_orders`).\n\n"
        "### Changed\n\n"
        "- **Breaking:** `CreateInput.objectWriteTraceId` is now required (requests of `create_baskets`, "
        "`create_carts`,\n  `create_commerce_payments`, `create_line_items`, `create_orders`).\n\n"
        "### Removed\n\n"
        "- **Breaking:** `Record.url` was removed (replies of all operations)."
    )
    assert lacking.splitlines()[1:] == ["- CreateInput.objectWriteTraceId", "- Record.url"]
    assert done.returncode == 1

    done = compare(tmp_path, *SEVERAL, entries=draft)

    assert "Not in CHANGELOG.md" not in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


@needs_redocly
@pytest.mark.parametrize(
    ("entry", "enough"),
    [
        ("- **Breaking:** a record no longer has a\n  `Record.url`.", True),
        ("- breaking: Record.url is gone", True),
        ("- `Record.url` was removed.", False),
        ("- **Breaking:** `Record.urls` and `OldRecord.url` were removed.", False),
        ("- **Breaking:** everything.\n- `Record.url` was removed.", False),
    ],
)
def test_which_entries_count(tmp_path: Path, entry: str, enough: bool) -> None:  # noqa: FBT001 - a case
    done = compare(tmp_path, BREAKING["field of replies removed"], entries=f"### Removed\n\n{entry}")

    assert done.returncode == (0 if enough else 1)
    assert ("\n- Record.url\n" in done.stdout) is not enough


@needs_redocly
@pytest.mark.parametrize(
    ("version", "planted", "following"),
    [
        ("0.3.4", BREAKING["operation removed"], "0.4.0"),
        ("0.3.4", HARMLESS["operation added"], "0.3.5"),
        ("1.3.4", BREAKING["operation removed"], "2.0.0"),
        ("1.3.4", HARMLESS["operation added"], "1.4.0"),
        ("1.3.4", HARMLESS["list in requests longer"], "1.3.5"),
    ],
)
def test_the_version_that_follows(tmp_path: Path, version: str, planted: Planted, following: str) -> None:
    done = compare(tmp_path, planted, version=version)

    assert f"\nThe version after {version} is {following} at least.\n" in done.stdout


@needs_redocly
def test_a_version_that_nothing_follows(tmp_path: Path) -> None:
    done = compare(tmp_path, version="v3")

    assert done.stderr == f"{tmp_path / '0.yaml'} has the version 'v3' where one such as 0.1.0 belongs\n"
    assert done.returncode == 2


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | GIT, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository that holds the script, the document and a changelog."""
    folder = tmp_path / "clone"
    for name in ("openapi", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "CHANGELOG.md").write_text("## [Unreleased]\n", encoding="utf-8")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "first")
    return folder


def commit(clone: Path, *planted: Planted) -> None:
    shutil.move(write(clone, *planted), clone / "openapi" / "hubspot-batch.yaml")
    git(clone, "commit", "--all", "--message", "later")


@needs_git
@needs_redocly
def test_the_last_release_is_what_the_document_is_compared_with(clone: Path) -> None:
    git(clone, "tag", "v0.1.0")
    commit(clone, BREAKING["field of replies removed"])
    git(clone, "tag", "v0.9.12")
    git(clone, "tag", "vote")
    commit(clone, BREAKING["field of replies removed"], BREAKING["operation removed"])

    done = run(root=clone)

    assert done.stdout.splitlines()[:4] == [
        "Changes for callers since v0.9.12: 1, breaking ones: 1",
        "BREAKS  `create_carts` was removed",
        "",
        "The version after 0.9.12 is 0.10.0 at least.",
    ]
    assert run("v0.1.0", root=clone).stdout.splitlines()[0].endswith(": 2, breaking ones: 2")


@needs_git
def test_without_a_release_nobody_can_be_broken(clone: Path) -> None:
    done = run(root=clone)

    assert done.stdout.startswith(
        "There is no release yet (git has no tag v*), so no caller can be broken.\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_git
def test_a_release_without_a_tag_is_missed(clone: Path) -> None:
    changelog(clone)

    done = run(root=clone)

    assert done.stderr == "CHANGELOG.md tells of releases, but git has no tag v*. Run: git fetch --tags\n"
    assert done.returncode == 2


@needs_git
def test_a_shallow_clone_is_not_trusted(clone: Path, tmp_path: Path) -> None:
    commit(clone, WORDS["version"])
    git(tmp_path, "clone", "--depth=1", clone.as_uri(), "shallow")

    done = run(root=tmp_path / "shallow")

    assert done.stderr.startswith("The clone is shallow, so that tags may be missing. Run: git fetch")
    assert done.returncode == 2


@needs_git
@needs_redocly
def test_a_base_that_does_not_exist(clone: Path) -> None:
    done = run("v7.0.0", root=clone)

    assert done.stderr.startswith("git show v7.0.0:openapi/hubspot-batch.yaml: fatal: ")
    assert done.returncode == 2


@needs_redocly
def test_a_document_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1\n", encoding="utf-8")

    done = run(tmp_path / "list.yaml")

    assert done.stderr.endswith(".yaml:1: #: is a list where a mapping belongs\n")
    assert done.returncode == 2


def test_without_redocly_the_session_that_installs_it_is_named(tmp_path: Path) -> None:
    done = run(write(tmp_path), PATH=str(tmp_path))

    assert done.stderr == "redocly is not installed. `nox -s changes` installs it; that needs Node.\n"
    assert done.returncode == 2


@pytest.mark.posix
def test_another_version_of_redocly_is_not_trusted(tmp_path: Path) -> None:
    program = tmp_path / "redocly"
    program.write_text("#!/bin/sh\necho 0.0.1\n", encoding="utf-8")
    program.chmod(0o755)

    done = run(write(tmp_path), PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert done.stderr.startswith("redocly is pinned to ")
    assert done.stderr.endswith(", installed is 0.0.1. Run: nox -s changes\n")
    assert done.returncode == 2


def test_what_nobody_tells_of_is_passed_over_in_no_silence() -> None:
    before = yaml.safe_load(DOCUMENT)
    after = copy.deepcopy(before)
    after["components"]["headers"]["RetryAfter"]["schema"]["type"] = "number"
    operations = ["create_carts", "create_commerce_payments", "create_line_items", "create_orders"]

    assert [name for name, _ in passed_over(before, after, {"update_orders"})] == operations
    assert list(passed_over(before, after, {*operations, "update_orders"})) == []
    assert list(passed_over(before, copy.deepcopy(before), set())) == []


@pytest.mark.parametrize("planted", WORDS.values(), ids=WORDS)
def test_words_may_be_passed_over(planted: Planted) -> None:
    after = yaml.safe_load(DOCUMENT.replace(planted.old, planted.new, 1))

    assert list(passed_over(yaml.safe_load(DOCUMENT), after, set())) == []
