"""scripts/changes.py on changes that are planted in the document, and in clones with and without releases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import changes
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "openapi"
DOCUMENT = (OPENAPI / "hubspot-batch.yaml").read_text(encoding="utf-8")
UNRELEASED = "## [Unreleased]\n\n{}\n\n## [0.1.0] - 2026-01-01\n\n- **Breaking:** `207` and `Record.url`.\n"
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
GIT |= {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


class Done(NamedTuple):
    """What a run of the script has left."""

    code: int
    out: str
    err: str


class Planted(NamedTuple):
    """What to replace in the document, by what, and what is to be said of it."""

    old: str
    new: str
    said: str


def section(start: str, end: str) -> str:
    return DOCUMENT[DOCUMENT.index(start) : DOCUMENT.index(end, DOCUMENT.index(start))]


CARTS = section("  /crm/v3/objects/carts/batch/create:", "  /crm/v3/objects/carts/batch/read:")
UPDATE = section("    UpdateInput:\n", "    UpsertInput:\n")
ID_PROPERTY = UPDATE[UPDATE.index("        idProperty:\n") : UPDATE.index("        properties:\n")]
URL = section("        url:\n", "        objectWriteTraceId:\n")
HEADER = section("        X-HubSpot-RateLimit-Daily:\n", "        X-HubSpot-RateLimit-Daily-Remaining:\n")


def named(*verbs: str) -> str:
    types = ("carts", "commerce_payments", "line_items", "orders")
    return ", ".join(f"`{verb}_{object_type}`" for verb in verbs for object_type in types)


CREATES, UPDATES = named("create"), named("update")
LINKING = f"`create_associations`, {CREATES}"
WRITES = named("create", "update", "upsert")
READS = "`read_carts`, `read_commerce_payments`, `read_line_items`, `read_objects`, `read_orders`"
WITH_NAMES = f"{CREATES}, {READS}, {named('update', 'upsert')}"
OF_RECORDS = "all operations but `create_associations` and `list_properties`"
OF_BATCHES = "all operations but `list_properties`"

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
        "the path of `create_carts` is `POST /crm/v4/objects/carts/batch/create`, "
        "was `POST /crm/v3/objects/carts/batch/create`",
    ),
    "operation with another tag": Planted(
        "tags: [carts]",
        "tags: [orders]",
        '`create_carts` was changed: `tags` gained `"orders"`, lost `"carts"`',
    ),
    "operation without a tag": Planted(
        "      tags: [carts]\n", "", '`create_carts` was changed: `tags` lost `"carts"`'
    ),
    "operation with another scope": Planted(
        "oauth2: [crm.objects.carts.write]",
        "oauth2: [crm.objects.carts.write, e-commerce]",
        "`create_carts` requires other scopes: crm.objects.carts.write and e-commerce",
    ),
    "operation with one way to authenticate less": Planted(
        "        - accessToken: [crm.objects.carts.write]\n",
        "",
        '`create_carts` takes other tokens: `security` lost `"bearer"`',
    ),
    "operation with a status less": Planted(
        "        '207':\n          $ref: '#/components/responses/PartlyDone'\n",
        "",
        f"Response `207` was removed (replies of {CREATES})",
    ),
    "operation with another body": Planted(
        "'#/components/requestBodies/CreateCarts'",
        "'#/components/requestBodies/UpdateOrders'",
        "`requestBody.inputs[].id` is now required (requests of `create_carts`)\n"
        "`requestBody.inputs[].associations` was removed (requests of `create_carts`)",
    ),
    "field of requests now required": Planted(
        "      required: [properties]\n",
        "      required: [properties, objectWriteTraceId]\n",
        f"`CreateInput.objectWriteTraceId` is now required (requests of {CREATES})",
    ),
    "field of requests removed": Planted(
        ID_PROPERTY, "", f"`UpdateInput.idProperty` was removed (requests of {UPDATES})"
    ),
    "field of requests renamed": Planted(
        "        idProperty:",
        "        idProp:",
        f"`BatchReadRequest.idProperty` was renamed to `idProp` (requests of {READS})",
    ),
    "list in requests shorter": Planted(
        "          maxItems: 100\n",
        "          maxItems: 50\n",
        f"`BatchCreateRequest.inputs` was narrowed: `maxItems` is `50`, was `100` (requests of {CREATES})",
    ),
    "text in requests bound to a pattern": Planted(
        "      description: The internal name of a property.\n",
        "      description: The internal name of a property.\n      pattern: '^[a-z]'\n",
        f'`PropertyName` was narrowed: `pattern` is `"^[a-z]"`, was absent (requests of {WITH_NAMES})',
    ),
    "value in requests removed": Planted(
        "INTEGRATOR_DEFINED, USER_DEFINED, WORK]",
        "INTEGRATOR_DEFINED, USER_DEFINED]",
        f'`AssociationCategory` was narrowed: `enum` lost `"WORK"` (requests of {LINKING})',
    ),
    "map in requests closed": Planted(
        "      additionalProperties:\n        type: string\n    PropertyName:\n",
        "      additionalProperties: false\n    PropertyName:\n",
        "`PropertyValues` was narrowed: `additionalProperties` is `false`, was a schema "
        f"(requests of {WRITES})",
    ),
    "field of replies no longer required": Planted(
        "required: [status, results, startedAt, completedAt]",
        "required: [status, results, startedAt]",
        f"`BatchReply.completedAt` is no longer required (replies of {OF_RECORDS})",
    ),
    "field of replies removed": Planted(URL, "", f"`Record.url` was removed (replies of {OF_RECORDS})"),
    "field of replies may be null": Planted(
        "          type: boolean\n",
        "          type: [boolean, 'null']\n",
        f"`Record.archived` was widened: it may be null now (replies of {OF_RECORDS})",
    ),
    "field of replies refers to something else": Planted(
        "$ref: '#/components/schemas/RecordWarning'",
        "$ref: '#/components/schemas/ErrorDetail'",
        f"`Record.warnings[].category` was removed (replies of {OF_RECORDS})",
    ),
    "field of replies with an alternative more": Planted(
        "        - $ref: '#/components/schemas/SubCategoryObject'\n",
        "        - $ref: '#/components/schemas/SubCategoryObject'\n        - type: integer\n",
        '`SubCategory` was widened: `type` gained `"integer"` (replies of all operations)',
    ),
    "header of replies removed": Planted(
        HEADER,
        "",
        "Response header `X-HubSpot-RateLimit-Daily` was removed (replies of all operations)",
    ),
    "parameter of requests now required": Planted(
        "      requestBody:\n        $ref: '#/components/requestBodies/CreateCarts'\n",
        "      parameters:\n        - {name: mode, in: query, required: true, schema: {type: string}}\n"
        "      requestBody:\n        $ref: '#/components/requestBodies/CreateCarts'\n",
        "Parameter `query mode` was added (requests of `create_carts`)",
    ),
    "model renamed": Planted(
        DOCUMENT,
        DOCUMENT.replace("CreateInput", "NewInput"),
        f"the model `CreateInput` was renamed to `NewInput` ({CREATES})",
    ),
    "something that is not compared": Planted(
        "      description: The internal name of a property.\n",
        "      description: The internal name of a property.\n      not: {const: id}\n",
        f'`PropertyName` was changed: `keyword` gained `"not"` (requests of {WITH_NAMES})',
    ),
    "link of a reply": Planted(
        "    PropertiesListed:\n",
        "    PropertiesListed:\n      links:\n        update:\n          operationId: update_orders\n",
        "`list_properties` was changed in a way that is not compared: see `responses`",
    ),
    "header of replies of another type": Planted(
        "      description: Seconds to wait before the next attempt. Not always sent.\n      schema:\n"
        "        type: integer\n",
        "      description: Seconds to wait before the next attempt. Not always sent.\n      schema:\n"
        "        type: number\n",
        '`header Retry-After` was widened: `type` is `"number"`, was `"integer"` (replies of all operations)',
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
        "`create_carts` is deprecated",
    ),
    "operation with a status more": Planted(
        "        '207':\n",
        "        '202':\n          $ref: '#/components/responses/PartlyDone'\n        '207':\n",
        f"Response `202` was added (replies of {CREATES})",
    ),
    "field of requests added": Planted(
        "        idProperty:\n",
        "        note:\n          type: string\n        idProperty:\n",
        f"`BatchReadRequest.note` was added (requests of {READS})",
    ),
    "field of requests no longer required": Planted(
        "      required: [id, properties]\n",
        "      required: [id]\n",
        f"`UpdateInput.properties` is no longer required (requests of {UPDATES})",
    ),
    "field of requests may be null": Planted(
        "        objectWriteTraceId:\n          $ref: '#/components/schemas/TraceId'\n",
        "        objectWriteTraceId:\n          anyOf:\n"
        "            - $ref: '#/components/schemas/TraceId'\n            - type: 'null'\n",
        f"`CreateInput.objectWriteTraceId` was widened: it may be null now (requests of {CREATES})",
    ),
    "list in requests longer": Planted(
        "          maxItems: 100\n",
        "          maxItems: 200\n",
        f"`BatchCreateRequest.inputs` was widened: `maxItems` is `200`, was `100` (requests of {CREATES})",
    ),
    "names in requests free": Planted(
        "      propertyNames:\n        $ref: '#/components/schemas/PropertyName'\n",
        "",
        f"`PropertyValues` was widened: `propertyNames` is absent, was a schema (requests of {WRITES})",
    ),
    "field of replies added": Planted(
        "        url:\n",
        "        colour:\n          type: string\n        url:\n",
        f"`Record.colour` was added (replies of {OF_RECORDS})",
    ),
    "field of replies now required": Planted(
        "createdAt, updatedAt, archived]\n",
        "createdAt, updatedAt, archived, url]\n",
        f"`Record.url` is now required (replies of {OF_RECORDS})",
    ),
    "field of replies never null": Planted(
        "          type: [integer, 'null']\n",
        "          type: integer\n",
        f"`BatchReply.numErrors` was narrowed: it is never null now (replies of {OF_RECORDS})",
    ),
    "value that stands beside any text": Planted(
        "PENDING, PROCESSING]",
        "PENDING, PROCESSING, QUEUED]",
        f'`BatchStatus` was widened: `enum` gained `"QUEUED"` (replies of {OF_BATCHES})',
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
    "another form of the same": Planted(
        "      anyOf:\n        - $ref: '#/components/schemas/KnownBatchStatus'\n        - type: string\n",
        "      oneOf:\n        - type: string\n        - $ref: '#/components/schemas/KnownBatchStatus'\n",
        "",
    ),
    "reply that says the same": Planted(
        "$ref: '#/components/responses/RecordsUpdated'", "$ref: '#/components/responses/RecordsRead'", ""
    ),
}
SEVERAL = [
    BREAKING["field of replies removed"],
    BREAKING["field of requests now required"],
    HARMLESS["field of requests added"],
    HARMLESS["operation added"],
]


def write(folder: Path, *planted: Planted, version: str = "0.1.0") -> Path:
    text = DOCUMENT
    for each in planted:
        assert each.old in text
        text = text.replace(each.old, each.new, 1)
    path = folder / f"{len(planted)}.yaml"
    path.write_text(text.replace("version: 0.1.0", f"version: {version}"), encoding="utf-8")
    return path


def changelog(folder: Path, entries: str = "") -> Path:
    path = folder / "CHANGELOG.md"
    path.write_text(UNRELEASED.format(entries), encoding="utf-8")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run_main(*arguments: str | Path) -> Done:
        code = changes.main([str(argument) for argument in arguments])
        return Done(code, *capsys.readouterr())

    return run_main


@pytest.fixture
def compare(tmp_path: Path, run: Callable[..., Done]) -> Callable[..., Done]:
    """Return a function that plants changes in the document and says what they are for callers."""

    def compare_planted(*planted: Planted, version: str = "0.1.0", entries: str = "") -> Done:
        base = write(tmp_path, version=version)
        document = write(tmp_path, *planted, version=version)
        return run(base, "--document", document, "--changelog", changelog(tmp_path, entries))

    return compare_planted


def told(done: Done) -> list[str]:
    return done.out.partition("\n\n")[0].splitlines()[1:]


def test_what_breaks_callers_is_told_and_only_what_is_another(compare: Callable[..., Done]) -> None:
    also = {
        "operation with another body": [
            "`requestBody.inputs[].id` was added (requests of `create_carts`)",
            "`requestBody.inputs[].idProperty` was added (requests of `create_carts`)",
        ],
        "field of replies refers to something else": [
            f"`Record.warnings[].{name}` was added (replies of {OF_RECORDS})"
            for name in ("code", "in", "subCategory")
        ],
    }

    runs = {name: compare(planted) for name, planted in BREAKING.items()}

    assert {name: told(done) for name, done in runs.items()} == {
        name: [
            *(f"BREAKS  {line}" for line in planted.said.splitlines()),
            *(f"        {line}" for line in also.get(name, [])),
        ]
        for name, planted in BREAKING.items()
    }
    assert {(done.code, done.err) for done in runs.values()} == {(1, "")}
    assert {"\nThe version after 0.1.0 is 0.2.0 at least.\n" in done.out for done in runs.values()} == {True}


def test_what_breaks_nobody(compare: Callable[..., Done]) -> None:
    runs = {name: compare(planted) for name, planted in HARMLESS.items()}

    assert {name: told(done) for name, done in runs.items()} == {
        name: [f"        {planted.said}"] for name, planted in HARMLESS.items()
    }
    assert {(done.code, done.err) for done in runs.values()} == {(0, "")}
    assert {"\nThe version after 0.1.0 is 0.1.1 at least.\n" in done.out for done in runs.values()} == {True}


def test_what_changes_nothing_for_callers(tmp_path: Path, compare: Callable[..., Done]) -> None:
    nothing = Done(0, f"Changes for callers since {tmp_path / '0.yaml'}: 0, breaking ones: 0\n", "")

    assert {name: compare(planted) for name, planted in WORDS.items()} == dict.fromkeys(WORDS, nothing)


WRAPPED = {
    "replies": (
        Planted(
            section(
                "          anyOf:\n            - $ref: '#/components/schemas/PropertyHistories'\n",
                "        createdAt:",
            ),
            "          $ref: '#/components/schemas/PropertyHistories'\n",
            f"`Record.propertiesWithHistory` was narrowed: it is never null now (replies of {OF_RECORDS})",
        ),
        Planted(
            "required: [value, timestamp, sourceType]",
            "required: [value, sourceType]",
            f"`PropertyVersion.timestamp` is no longer required (replies of {OF_RECORDS})",
        ),
    ),
    "requests": (
        Planted(
            "          items:\n            $ref: '#/components/schemas/AssociationType'\n",
            "          items:\n            anyOf:\n"
            "              - $ref: '#/components/schemas/AssociationType'\n              - type: 'null'\n",
            "`AssociationInput.types[]` was widened: it may be null now (requests of `create_associations`)",
        ),
        Planted(
            "maximum: 2147483647",
            "maximum: 10000",
            "`AssociationType.associationTypeId` was narrowed: `maximum` is `10000`, was `2147483647` "
            f"(requests of {LINKING})",
        ),
    ),
}


def test_a_change_within_another_is_not_lost(compare: Callable[..., Done]) -> None:
    for around, within in WRAPPED.values():
        assert told(compare(around, within)) == [f"BREAKS  {within.said}", f"        {around.said}"]


def test_the_draft_is_what_the_changelog_lacks(compare: Callable[..., Done]) -> None:
    done = compare(*SEVERAL)

    draft, _, lacking = done.out.partition("[Unreleased]:\n\n")[2].partition("\n\nNot in CHANGELOG.md")
    assert draft == (
        "### Added\n\n"
        "- `BatchReadRequest.note` was added (requests of `read_carts`, `read_commerce_payments`, "
        "`read_line_items`,\n  `read_objects`, `read_orders`).\n"
        "- `create_baskets` was added.\n\n"
        "### Changed\n\n"
        "- **Breaking:** `CreateInput.objectWriteTraceId` is now required (requests of `create_carts`,\n"
        "  `create_commerce_payments`, `create_line_items`, `create_orders`).\n\n"
        "### Removed\n\n"
        "- **Breaking:** `Record.url` was removed (replies of all operations but `create_associations` and "
        "`list_properties`)."
    )
    assert lacking.splitlines()[1:] == ["- CreateInput.objectWriteTraceId", "- Record.url"]
    assert done.code == 1

    done = compare(*SEVERAL, entries=draft)

    assert "Not in CHANGELOG.md" not in done.out
    assert (done.code, done.err) == (0, "")


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
def test_which_entries_count(entry: str, enough: bool, compare: Callable[..., Done]) -> None:  # noqa: FBT001
    done = compare(BREAKING["field of replies removed"], entries=f"### Removed\n\n{entry}")

    assert done.code == (0 if enough else 1)
    assert ("\n- Record.url\n" in done.out) is not enough


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
def test_the_version_that_follows(
    version: str, planted: Planted, following: str, compare: Callable[..., Done]
) -> None:
    done = compare(planted, version=version)

    assert f"\nThe version after {version} is {following} at least.\n" in done.out


def test_a_version_that_nothing_follows(tmp_path: Path, compare: Callable[..., Done]) -> None:
    done = compare(version="v3")

    assert done.err == f"{tmp_path / '0.yaml'} has the version 'v3' where one such as 0.1.0 belongs\n"
    assert done.code == 2


def test_documents_that_cannot_be_used(tmp_path: Path, run: Callable[..., Done]) -> None:
    (tmp_path / "list.yaml").write_text("- 1\n", encoding="utf-8")
    broken = DOCUMENT.replace("schemas/CreateInput'", "schemas/Nobody'")
    (tmp_path / "broken.yaml").write_text(broken, encoding="utf-8")

    done = [run(tmp_path / name) for name in ("list.yaml", "broken.yaml")]

    assert [each.code for each in done] == [2, 2]
    assert done[0].err.endswith(".yaml:1: #: is a list where a mapping belongs\n")
    assert done[1].err.endswith("/items/$ref: '#/components/schemas/Nobody' names nothing in this file\n")


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    path = write(tmp_path)

    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "changes.py", path], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Changes for callers since {path}: 0, breaking ones: 0\n"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | GIT, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository that holds the document and a changelog, in which the script works."""
    folder = tmp_path / "clone"
    (folder / "openapi").mkdir(parents=True)
    shutil.copy(OPENAPI / "hubspot-batch.yaml", folder / "openapi")
    (folder / "CHANGELOG.md").write_text("## [Unreleased]\n", encoding="utf-8")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "first")
    monkeypatch.setattr(changes, "ROOT", folder)
    return folder


def commit(clone: Path, *planted: Planted) -> None:
    shutil.move(write(clone, *planted), clone / "openapi" / "hubspot-batch.yaml")
    git(clone, "commit", "--all", "--message", "later")


@needs_git
def test_the_last_release_is_what_the_document_is_compared_with(
    clone: Path, run: Callable[..., Done]
) -> None:
    git(clone, "tag", "v0.1.0")
    commit(clone, BREAKING["field of replies removed"])
    git(clone, "tag", "v0.9.12")
    git(clone, "tag", "vote")
    commit(clone, BREAKING["field of replies removed"], BREAKING["operation removed"])

    assert run().out.splitlines()[:4] == [
        "Changes for callers since v0.9.12: 1, breaking ones: 1",
        "BREAKS  `create_carts` was removed",
        "",
        "The version after 0.9.12 is 0.10.0 at least.",
    ]
    assert run("v0.1.0").out.splitlines()[0].endswith(": 2, breaking ones: 2")
    gone = run("v7.0.0")
    assert (gone.code, gone.err[:50]) == (2, "git show v7.0.0:openapi/hubspot-batch.yaml: fatal:")


@needs_git
def test_without_a_release_nothing_can_break(clone: Path, run: Callable[..., Done]) -> None:
    done = run()

    assert done.out.startswith("There is no release yet (git has no tag v*), so no caller can be broken.\n")
    assert (done.code, done.err) == (0, "")

    changelog(clone)

    assert run() == Done(
        2, "", "CHANGELOG.md tells of releases, but git has no tag v*. Run: git fetch --tags\n"
    )


@needs_git
def test_a_shallow_clone_is_not_trusted(
    clone: Path, tmp_path: Path, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(clone, WORDS["version"])
    git(tmp_path, "clone", "--depth=1", clone.as_uri(), "shallow")
    monkeypatch.setattr(changes, "ROOT", tmp_path / "shallow")

    done = run()

    assert done.err.startswith("The clone is shallow, so that tags may be missing. Run: git fetch")
    assert done.code == 2
