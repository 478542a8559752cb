"""The files around the code say the same as each other."""

import inspect
import json
import os
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import check_wheel
import check_words
import pytest
import yaml

import hubspot_batch
from hubspot_batch import AsyncHubSpot, HubSpot, HubSpotBatchError, Retries

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = [path.read_text("utf-8") for path in sorted((ROOT / ".github" / "workflows").iterdir())]
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert script[-1] in {block.strip() for block in blocks("sh")}


def test_the_page_on_errors_shows_their_tree() -> None:
    (tree,) = blocks("text", ERRORS)
    public = {name: getattr(hubspot_batch, name) for name in hubspot_batch.__all__}
    errors = {
        name for name, one in public.items() if isinstance(one, type) and issubclass(one, HubSpotBatchError)
    }

    assert "BulkError" in errors
    assert set(re.findall(r"\w+Error\b", tree)) == errors


@pytest.mark.parametrize("client", [HubSpot, AsyncHubSpot])
def test_the_page_on_errors_gives_the_defaults_of_a_client(client: type) -> None:
    defaults = {name: one.default for name, one in inspect.signature(client).parameters.items()}

    assert "HubSpot(retries=Retries(limit=4, budget=120.0))" in ERRORS
    assert "`timeout=30.0`" in ERRORS
    assert "`max_reply_bytes` (32 MiB, decompressed)" in ERRORS
    assert defaults["retries"] == Retries(limit=4, budget=120.0)
    assert (defaults["timeout"], defaults["max_reply_bytes"]) == (30.0, 32 * 2**20)


def test_the_readme_names_the_dependencies() -> None:
    (named,) = re.findall(r"depends on ([\w, -]+)\.$", README, re.MULTILINE)
    needed = {re.split(r"[<>=]", one)[0] for one in PYPROJECT["project"]["dependencies"] if ";" not in one}

    assert set(re.split(r", | and ", named)) == needed


def test_the_readme_repeats_what_was_measured() -> None:
    text = " ".join(README.split())
    requests = results("one_request")
    times = [row["times ours"] for row in requests if row["client"] in {"hubspot-api-client", "hubspot-sdk"}]
    ratios = [
        row["ratio to the floor"]
        for row in requests
        # There, the floor does more than anybody adds.
        if row["client"].startswith("hubspot-batch") and row["shape"] != "orders of 40 KiB"
    ]
    peaks = [row["peak memory"] for row in results("csv_to_done") if row["rows"] == 1_000_000]

    assert f"{min(times):.0f} to {max(times):.0f} times less processor time" in text
    assert f"{min(ratios):.1f} to {max(ratios):.1f} times that of httpx with orjson" in text
    assert "A million rows take less than 80 MiB" in text
    assert max(peaks) < 80


def results(part: str) -> list[dict[str, Any]]:
    tables = [table for table in RESULTS["tables"] if table["name"].startswith(part)]
    return [
        dict(zip((title for title, _ in table["columns"]), row, strict=True))
        for table in tables
        for row in table["rows"]
    ]


def test_the_changelog_knows_the_version_or_has_it_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(r"^## \[(Unreleased|\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)


def test_the_constraints_are_pins_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+]+( ; .+)?", line)] == []


@pytest.mark.parametrize("group", ["generators", "lint", "typecheck"])
def test_what_a_group_pins_the_constraints_pin_alike(group: str) -> None:
    constraints = set((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    pins = [re.sub(r"\[.*?\]", "", pin) for pin in PYPROJECT["dependency-groups"][group] if "==" in pin]

    assert pins
    assert [pin for pin in pins if pin not in constraints] == []


def test_each_exception_from_a_security_rule_has_its_reason() -> None:
    files = [path for folder in ("scripts", "src") for path in (ROOT / folder).rglob("*.py")]
    exceptions = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: .*\bS\d", line)
    ]

    assert exceptions
    assert [line for line in exceptions if not re.search(r"# noqa: [A-Z0-9, ]+ - \w", line)] == []


def test_ci_runs_the_sessions_of_nox_the_browser_and_the_oldest_dependencies() -> None:
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = [step.get("run", "") for job in ("checks", "tests") for step in ci["jobs"][job]["steps"]]
    (checks, tests) = (run.split(" -s ")[1].split() for run in steps if " -s " in run)
    default = re.findall(r'"(\w+)"', re.findall(r"sessions = \[(.*?)\]", NOXFILE, re.DOTALL)[0])

    assert tests == ["tests-${{", "matrix.python", "}}", "${{", "matrix.coverage", "}}"]
    assert {*checks, "tests", "coverage"} == {*default, "browser", "tests_min"}


def test_each_job_of_a_workflow_ends() -> None:
    jobs = [job for text in WORKFLOWS for job in yaml.safe_load(text)["jobs"].values()]

    assert jobs
    assert [job for job in jobs if not 0 < job.get("timeout-minutes", 0) <= 60] == []


def test_workflows_name_sessions_scripts_and_pinned_packages_that_there_are() -> None:
    texts = "\n".join(WORKFLOWS)
    sessions = re.findall(r"^@nox\.session.*\ndef (\w+)", NOXFILE, re.MULTILINE)
    lists = [
        *re.findall(r"nox -s ([^$\n]+)", texts.replace("--force-python 3.14t", "")),
        *re.findall(r"session: \[(.*)\]", texts),
    ]
    named = {name for each in lists for name in re.findall(r"\w+", each.replace("tests-", "tests "))}
    scripts = re.findall(r"scripts/\w+\.py", texts)
    packages = {
        name for each in re.findall(r"pip install --constraint \S+ (.*)", texts) for name in each.split()
    }
    pinned = {pin.partition("==")[0] for pin in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}

    assert scripts
    assert packages
    assert {"lint", "changes", "mutation", "tests_pre"} < named
    assert named - {*sessions} == set()
    assert [path for path in scripts if not (ROOT / path).exists()] == []
    assert packages - pinned == set()


def test_workflows_use_each_action_in_one_pinned_commit() -> None:
    used = re.findall(r"uses: (\S+?)@(.*)", "\n".join(WORKFLOWS))

    assert used
    assert [pin for _, pin in used if not re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin)] == []
    assert len({*used}) == len({action for action, _ in used})


def test_contributing_names_the_modules_that_there_are() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Where things are")[1].split("\n## ")[0]
    package = ROOT / "src" / "hubspot_batch"
    rows = re.findall(r"^\| (`.+?) \|", section.split("`src/hubspot_batch/` has")[1], re.MULTILINE)
    named = [*re.findall(r"`(\w+)/?`", " ".join(rows)), *re.findall(r"\(`([\w/]+)`\)", section)]

    parts = {path.stem for path in package.iterdir() if path.suffix in {"", ".py"}}
    assert {part for part in parts if not part.startswith("_")} - {*named} == set()
    assert [name for name in named if not list(package.glob(f"{name}*"))] == []


def test_the_page_of_the_package_has_absolute_links_once_there_is_an_address() -> None:
    package_page = pytest.importorskip("package_page", reason="hatchling is not installed")
    text = "[data](docs/data.md), [retries](#retries), [HubSpot](https://developers.hubspot.com)"

    assert package_page.page(text, None, "0.1.0") == text
    assert package_page.page(text, "https://code.test/hubspot-batch", "0.1.0") == text.replace(
        "docs/", "https://code.test/hubspot-batch/blob/v0.1.0/docs/"
    )
    assert "](docs/" not in package_page.page(README, "https://code.test/hubspot-batch", "0.1.0")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("Repository, https://code.test/hubspot-batch", ""),
        ("Repository, http://", "it does not say where the project is: set Repository"),
        ("Documentation, https://code.test", "it does not say where the project is: set Repository"),
    ],
)
def test_a_release_needs_the_address_of_the_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, problem: str
) -> None:
    wheel = tmp_path / "hubspot_batch-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in check_wheel.NEEDED:
            archive.writestr(name, "")
        archive.writestr(
            "hubspot_batch-0.1.0.dist-info/METADATA", f"Name: hubspot-batch\nProject-URL: {url}\n\n"
        )

    assert check_wheel.main([str(wheel)]) == 0
    assert check_wheel.main(["--release", str(wheel)]) == bool(problem)
    assert problem in capsys.readouterr().err


def test_a_wheel_that_lacks_a_file_or_has_a_stranger_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "hubspot_batch-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in check_wheel.NEEDED[1:]:
            archive.writestr(name, "")
        archive.writestr("tests/conftest.py", os.urandom(check_wheel.LARGEST))

    assert check_wheel.main([str(wheel)]) == 1
    missing, stranger, size = capsys.readouterr().err.splitlines()
    assert missing.endswith(f": {check_wheel.NEEDED[0]} is missing")
    assert stranger.endswith(": tests does not belong into it")
    assert " bytes, more than " in size
    assert check_wheel.main([]) == 2


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))

        # These are made when the site is built.
        made = (
            {"openapi.html", "openapi.json", "sandbox-openapi.html"} if page.name == "document.md" else set()
        )
        missing = [target for target in targets if not (page.parent / target).exists()]
        assert set(missing) <= made, page.name


def test_the_documentation_leads_to_each_of_its_pages() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = set(re.findall(r"[\w/]+\.md", str(nav)))

    assert {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} <= listed


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git knows which files are tracked")
def test_no_tracked_file_names_the_host_of_a_package_registry() -> None:
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]

    found = subprocess.run(
        ["git", "grep", "--ignore-case", "--files-with-matches", "--fixed-strings", *_patterns(hosts)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (1, ""), found.stderr


def _patterns(hosts: list[str]) -> list[str]:
    return [argument for host in hosts for argument in ("-e", host)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The token is no token.\n", [(1, "is no token")]),
        ("one\n# that which is\n# no answer\n", [(2, "is no answer")]),
        ("If an option cannot be.\n", [(1, "cannot be.")]),
        ("Whoever\nwaits, and likewise Nobody", [(1, "Whoever"), (2, "Nobody"), (2, "likewise")]),
        ("So many rows let go\nof a file, of which", [(1, "So many"), (1, "let go of"), (2, "of which")]),
        ("There is no file; there are\n    no files. It is no longer there, and cannot be read.", []),
    ],
)
def test_phrases_are_found_where_they_begin(text: str, found: list[tuple[int, str]]) -> None:
    assert sorted((line, words) for line, words, _ in check_words.found_in(text)) == found


def test_of_tests_only_comments_and_docstrings_are_read(tmp_path: Path) -> None:
    test = tmp_path / "test_rows.py"
    test.write_text(
        '"""Nobody\nlikewise."""\n\nROWS = [\n    "nobody",  # nobody\n    "so many",\n]\n', "utf-8"
    )

    found = [(line, words) for line, words, _ in check_words.found_in(check_words.prose_of(test))]

    assert sorted(found) == [(1, "Nobody"), (2, "likewise"), (5, "nobody")]


def test_phrases_of_files_and_folders_are_printed_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "data.md").write_text("Nobody\n", "utf-8")
    (tmp_path / "docs" / "orders.csv").write_text("Nobody\n", "utf-8")
    (tmp_path / "docs" / "orders.yaml").write_text("orders:\n  description: Whatever\n", "utf-8")
    named = tmp_path / "README.md"
    named.write_text("Plain.\n", "utf-8")

    assert check_words.main([str(named)]) == 0
    assert check_words.main([str(tmp_path / "docs"), str(named)]) == 1
    data, orders = capsys.readouterr().out.splitlines()
    assert data.startswith(f'{tmp_path / "docs" / "data.md"}:1: "Nobody": ')
    assert orders.startswith(f'{tmp_path / "docs" / "orders.yaml"}:2: "Whatever": ')
