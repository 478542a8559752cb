"""scripts/regenerate.py on copies of the repository's files; the generators run for real."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("openapi_python_client", reason="needs the dependency group generators")

import regenerate

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "openapi" / "hubspot-batch.yaml"
GENERATED = ROOT / "generated"
HOSTILE = """
[tool.ruff]
line-length = 40
[tool.datamodel-codegen]
use-title-as-name = true
"""

Files = dict[str, bytes]


class Done(NamedTuple):
    """What a run of the script has left."""

    code: int
    out: str
    err: str


class Flaw(NamedTuple):
    """What to replace, by what, where that is found afterwards, and what is said of it."""

    old: str
    new: str
    at: str
    message: str


def run_program(cwd: Path, *arguments: str | Path, **env: str) -> Done:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "regenerate.py", *arguments],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return a function that runs the script in this process, as if the clone were the repository."""
    monkeypatch.setattr(regenerate, "ROOT", clone)
    monkeypatch.chdir(clone)

    def run_main(*arguments: str | Path) -> Done:
        try:
            code = regenerate.main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        return Done(code, *capsys.readouterr())

    return run_main


def files(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def line_of(path: Path, text: str) -> int:
    return path.read_text("utf-8").split(text)[0].count("\n") + 1


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with what regeneration needs, generated/ included."""
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in ("generated", "openapi"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def document(clone: Path) -> Path:
    return clone / "openapi" / "hubspot-batch.yaml"


def test_output_does_not_depend_on_the_surroundings(tmp_path: Path) -> None:
    elsewhere = tmp_path / "build" / "venv"
    elsewhere.mkdir(parents=True)
    (elsewhere / "pyproject.toml").write_text(HOSTILE)
    (elsewhere / ".gitignore").write_text("*\n")
    surroundings = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONWARNINGS": "i"}

    first = run_program(elsewhere, "--output", "new", **surroundings)
    assert (first.code, first.err) == (0, "")
    assert files(elsewhere / "new") == files(GENERATED)
    assert "operation added: create_orders\n" in first.out

    second = run_program(tmp_path, "--output", elsewhere / "new", PYTHONHASHSEED="8")
    assert second == Done(0, "nothing changed\n", "")
    assert files(elsewhere / "new") == files(GENERATED)
    assert {path.name for path in elsewhere.iterdir()} == {".gitignore", "new", "pyproject.toml"}
    assert run_program(elsewhere, "--check") == Done(0, f"{GENERATED} is up to date\n", "")


def _missing(folder: Path) -> str:
    (folder / "hubspot_batch_api/client.py").unlink()
    return "missing: {}/hubspot_batch_api/client.py"


def _extra(folder: Path) -> str:
    (folder / "hubspot_batch_models/more.py").touch()
    return "extra: {}/hubspot_batch_models/more.py"


def _different(folder: Path) -> str:
    edit(folder / "hubspot_batch_models/structs.py", "class Record(", "class Recrod(")
    return (
        "different: {}/hubspot_batch_models/structs.py\n"
        "--- hubspot_batch_models/structs.py (there)\n"
        "+++ hubspot_batch_models/structs.py (generated now)\n"
    )


def test_check_names_the_files_that_differ(clone: Path, run: Callable[..., Done]) -> None:
    folder = clone / "generated"
    (folder / "hubspot_batch_api/__pycache__").mkdir()
    (folder / "hubspot_batch_api/__pycache__/client.pyc").touch()
    (folder / "hubspot_batch_models/inputs.py").write_text("")
    assert run("--check").out.startswith(f"different: {folder}/hubspot_batch_models/inputs.py\n")
    expected = [tamper(folder).format(folder) for tamper in (_missing, _different, _extra)]
    before = files(folder)

    done = run("--check")

    assert done.code == 1
    for message in expected:
        assert message in done.out
    assert done.out.endswith("is out of date. Run: python scripts/regenerate.py\n")
    assert len(re.findall("^(missing|extra|different): ", done.out, re.MULTILINE)) == 4
    # The difference of a whole file is cut.
    assert re.search(r"\n\.\.\. \d{2,3} more lines\n", done.out)
    assert len(done.out.splitlines()) < 90
    assert files(folder) == before


NO_DOCUMENTS = {
    "openapi: [3.1.0\ninfo: {}\n": "2: #: is not YAML: ",
    "see https://example.com\n": "1: #: is a text where a mapping",
    "a: \x00\n": "1: #: is not YAML: ",
    "": "1: #: is empty where a mapping belongs",
    "- openapi: 3.1.0\n": "1: #: is a list where a mapping",
    "title: x\n": "1: #/openapi: is absent where 3.1.0 belongs",
    "openapi: 3.0.3\n": "1: #/openapi: is 3.0.3 where 3.1.0",
    "a: &a\n  b: *a\n": "1: #/a/b: an alias leads back",
}


def test_a_file_that_is_no_document_is_reported(document: Path, run: Callable[..., Done]) -> None:
    for content, message in NO_DOCUMENTS.items():
        document.write_text(content)
        done = run()
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"{document}:{message}")
        assert len(done.err.splitlines()) == 1
    missing = "nowhere.yaml:1: #: cannot be read: No such file or directory\n"
    assert run("--document", "nowhere.yaml") == Done(1, "", missing)


FLAWS = {
    "misspelt key": Flaw(
        "operationId: create_orders",
        "operatonId: create_orders",
        "operatonId:",
        "#/paths/~1crm~1v3~1objects~1orders~1batch~1create/post/operatonId: ",
    ),
    "operation id twice": Flaw(
        "operationId: update_orders",
        "operationId: create_orders",
        "operationId: create_orders\n      tags: [orders]\n      summary: Update",
        "#/paths/~1crm~1v3~1objects~1orders~1batch~1update/post/operationId: ",
    ),
    "key twice": Flaw(
        "summary: Create 1 to 100 carts",
        "summary: Create 1 to 100 carts\n      summary: again",
        "summary: again",
        "#/paths/~1crm~1v3~1objects~1carts~1batch~1create/post/summary: the key 'summary' ",
    ),
    "key that is a number": Flaw(
        "'429':",
        "429:",
        "429:",
        "#/paths/~1crm~1v3~1objects~1orders~1batch~1create/post/responses: the key '429' ",
    ),
    "dangling reference": Flaw(
        "$ref: '#/components/schemas/CreateInput'",
        "$ref: '#/components/schemas/CreateInptu'",
        "CreateInptu",
        "#/components/schemas/BatchCreateRequest/properties/inputs/items/$ref: ",
    ),
    "reference to elsewhere": Flaw(
        "$ref: '#/components/schemas/CreateInput'",
        "$ref: 'https://example.com/input.json'",
        "https://example.com/input.json",
        "#/components/schemas/BatchCreateRequest/properties/inputs/items/$ref: ",
    ),
    "unknown type": Flaw(
        "type: boolean",
        "type: bool",
        "type: bool\n",
        "#/components/parameters/Archived/schema/type: ",
    ),
    "example of a wrong type": Flaw(
        "id: '301'",
        "id: 301",
        "id: 301",
        "#/components/examples/CreateOrdersRequest/value/inputs/0/associations/0/to/id: ",
    ),
    "example of a wrong format": Flaw(
        "completedAt: '2026-09-01T08:15:02.150Z'",
        "completedAt: yesterday",
        "completedAt: yesterday",
        "#/components/examples/OrdersCreatedReply/value/completedAt: ",
    ),
    "example without quotes": Flaw(
        "completedAt: '2026-09-01T08:15:02.150Z'",
        "completedAt: 2026-09-01",
        "completedAt: 2026-09-01\n",
        "#/components/examples/OrdersCreatedReply/value/completedAt: '2026-09-01' ",
    ),
    "example of a header": Flaw(
        "example: 190",
        "example: many",
        "example: many",
        '#/components/headers/RateLimitMax/example: "many" ',
    ),
    "example that is not used": Flaw(
        "    CreateOrdersRequest:\n",
        "    Forgotten:\n      value: 1\n    CreateOrdersRequest:\n",
        "    Forgotten:",
        "#/components/examples/Forgotten: is used nowhere",
    ),
    "path parameter that is not described": Flaw(
        "/crm/v3/objects/carts/",
        "/crm/{version}/objects/carts/",
        "    post:\n      operationId: create_carts",
        "#/paths/~1crm~1{version}~1objects~1carts~1batch~1create/post: Path parameter ",
    ),
}


def test_a_broken_document_is_reported_with_its_place(
    clone: Path, document: Path, run: Callable[..., Done]
) -> None:
    sound = document.read_text("utf-8")
    for flaw in FLAWS.values():
        document.write_text(sound, "utf-8")
        edit(document, flaw.old, flaw.new)
        done = run()
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"{document}:{line_of(document, flaw.at)}: {flaw.message}")
        assert len(done.err.splitlines()) == 1
    assert files(clone / "generated") == files(GENERATED)


def test_broken_document_is_reported_with_all_its_faults(document: Path, run: Callable[..., Done]) -> None:
    edit(document, "operationId: create_orders", "operatonId: create_orders")
    edit(document, "type: boolean", "type: bool")
    edit(document, "id: '301'", "id: 301")
    done = run("--check")
    assert done.code == 1
    places = ("operatonId:", "type: bool\n", "id: 301")
    assert [int(line.split(":")[1]) for line in done.err.splitlines()] == [
        line_of(document, place) for place in places
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "openapi-python-client",
            "literal_enums",
            "literal_enum",
            ":3: #/literal_enum: there is no option 'literal_enum', 'literal_enums' perhaps\n",
        ),
        (
            "openapi-python-client",
            "literal_enums: true",
            "literal_enums: perhaps",
            ":3: #/literal_enums: Input should be a valid boolean",
        ),
        ("openapi-python-client", "post_hooks: []", "", ":1: #/post_hooks: must be []"),
        (
            "datamodel-code-generator",
            "snake-case-field",
            "snake-case-fields",
            "#/structs.py/snake-case-fields: there is no option 'snake-case-fields', ",
        ),
        (
            "datamodel-code-generator",
            "snake-case-field",
            "snake-case",
            "#/structs.py/snake-case: there is no option 'snake-case', ",
        ),
        ("datamodel-code-generator", "inputs.py:", "input.py:", "#/input.py: there is no option"),
    ],
)
def test_wrong_option_of_a_generator(
    clone: Path, name: str, old: str, new: str, message: str, run: Callable[..., Done]
) -> None:
    path = clone / "openapi" / f"{name}.yaml"
    edit(path, old, new)
    done = run()
    assert done.code == 1
    assert done.err.startswith(f"{path}:")
    assert message in done.err
    assert files(clone / "generated") == files(GENERATED)


def test_warning_of_datamodel_code_generator(clone: Path, run: Callable[..., Done]) -> None:
    path = clone / "openapi/datamodel-code-generator.yaml"
    edit(path, "snake-case-field: true", "snake-case-field: true\n  validation: true")
    done = run()
    assert done.code == 1
    assert done.err.startswith("datamodel_code_generator failed or warned (exit code 0):\n")
    assert files(clone / "generated") == files(GENERATED)
    assert not list(clone.glob(".generated-*"))


def test_warning_of_openapi_python_client(clone: Path, document: Path, run: Callable[..., Done]) -> None:
    text = document.read_text("utf-8")
    head, failed, tail = text.partition("    Failed:\n")
    document.write_text(head + failed + tail.replace("application/json", "'*/*'", 1), "utf-8")
    done = run()
    assert done.code == 1
    assert done.err.startswith("openapi_python_client failed or warned (exit code 1):\n")
    assert files(clone / "generated") == files(GENERATED)
    assert not list(clone.glob(".generated-*"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            r'"ruff==[\d.]+"',
            '"ruff==0.0.1"',
            r"^ruff is pinned to 0\.0\.1 in pyproject\.toml, installed is \d[\d.]+\n",
        ),
        (r'"pyyaml==[\d.]+"', '"pyyaml"', r"^pyyaml is pinned to no version in pyproject\.toml, "),
        (r'"pyyaml==[\d.]+"', '"py-yml==6"', r"^py-yml is pinned to 6 .*, installed is none\n"),
    ],
)
def test_tool_of_another_version(
    clone: Path, old: str, new: str, message: str, run: Callable[..., Done]
) -> None:
    pyproject = clone / "pyproject.toml"
    pyproject.write_text(re.sub(old, new, pyproject.read_text("utf-8"), count=1), "utf-8")
    done = run("--check")
    assert done.code == 1
    assert re.search(message, done.err)
    assert "\nRun: python -m pip install datamodel-code-generator==" in done.err


def test_changes_are_reported(clone: Path, document: Path, run: Callable[..., Done]) -> None:
    text = document.read_text("utf-8")
    start = text.index("  /crm/v3/objects/carts/batch/create:")
    carts = text[start : text.index("  /crm/v3/objects/carts/batch/read:")]
    baskets = carts.replace("/carts/", "/baskets/").replace("create_carts", "create_baskets")
    text = text.replace(carts, carts + baskets)
    text = text.replace("create_line_items\n", "create_lines\n", 1)
    text = text.replace("All definitions in one reply:", "The definitions:")
    text = text.replace("    Links:\n", "    Extra:\n      type: string\n    Links:\n")
    text = text.replace("type: boolean", "type: [boolean, 'null']")
    document.write_text(text, "utf-8")

    done = run()

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "operation added: create_baskets",
        "operation removed: create_line_items",
        "operation added: create_lines",
        "operation changed: list_properties",
        *(
            f"operation changed: read_{name}"
            for name in ("carts", "commerce_payments", "line_items", "objects", "orders")
        ),
        "model added: Extra",
        "model changed: Record",
    ]
    assert (clone / "generated/hubspot_batch_api/api/carts/create_baskets.py").exists()
    assert not (clone / "generated/hubspot_batch_api/api/line_items/create_line_items.py").exists()


def test_a_link_may_name_an_operation(document: Path, run: Callable[..., Done]) -> None:
    after = "    RecordsUpdated:\n"
    link = "      links:\n        update:\n          operationId: update_orders\n"
    edit(document, after, f"{link}{after}")

    done = run("--output", "new")

    assert (done.code, done.err) == (0, "")


def test_folder_of_somebody_else_is_not_replaced(clone: Path, run: Callable[..., Done]) -> None:
    folder = clone / "thesis"
    folder.mkdir()
    (folder / "chapter-1.txt").touch()
    done = run("--output", folder)
    assert done.code == 2
    assert f"{folder} was not written by this script" in done.err
    assert list(files(folder)) == ["chapter-1.txt"]


@pytest.mark.parametrize("arguments", [["--chekc"], ["--output", "pyproject.toml"], ["--output", "no/where"]])
def test_wrong_usage(arguments: list[str], run: Callable[..., Done]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.err.startswith("usage: ")


def test_every_file_says_where_it_comes_from() -> None:
    digest = hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()
    # In one file only, so that an edited description changes only the files that show it.
    assert [name for name, content in files(GENERATED).items() if digest.encode() in content] == [
        "hubspot_batch_models/document.json"
    ]
    for name, content in files(GENERATED).items():
        head = content.decode()[:400]
        assert "do not edit" in head, name
        assert "python scripts/regenerate.py" in head, name
        if not name.endswith(".json"):
            assert re.search(r"\n# [a-z-]+==[\d.]+, ruff==[\d.]+\n", head), name
            assert not re.search(rb"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d", content), name


def test_both_packages_are_typed_and_compile() -> None:
    assert (GENERATED / "hubspot_batch_api/py.typed").exists()
    assert (GENERATED / "hubspot_batch_models/py.typed").exists()
    for name, content in files(GENERATED).items():
        if name.endswith(".py"):
            compile(content, name, "exec", dont_inherit=True)


@pytest.mark.parametrize(
    ("modules", "needed"),
    [
        (["hubspot_batch_models", "hubspot_batch_models.inputs"], {"msgspec"}),
        (
            [
                f"hubspot_batch_api.api.{operation}"
                for operation in (
                    "orders.create_orders",
                    "orders.update_orders",
                    "line_items.create_line_items",
                    "commerce_payments.create_commerce_payments",
                    "carts.create_carts",
                )
            ],
            {"attrs", "httpx"},
        ),
    ],
)
def test_packages_import_by_themselves(modules: list[str], needed: set[str]) -> None:
    program = f"""
import importlib, sys
sys.path.insert(0, {str(GENERATED)!r})
before = set(sys.modules)
for name in {sorted(needed)}: importlib.import_module(name)
theirs = set(sys.modules)
for name in {modules}: importlib.import_module(name)
tops = {{name.partition(".")[0] for name in set(sys.modules) - theirs}}
print(sorted(tops - sys.stdlib_module_names))
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    packages = {name.partition(".")[0] for name in modules}
    assert (done.returncode, done.stderr) == (0, "")
    assert set(re.findall(r"\w+", done.stdout)) == packages
