"""The files around the code say the same as each other."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert script[-1] in {block.strip() for block in blocks("sh")}


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


def test_each_job_of_a_workflow_ends() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").iterdir()]
    jobs = [job for text in texts for job in yaml.safe_load(text)["jobs"].values()]

    assert jobs
    assert [job for job in jobs if not 0 < job.get("timeout-minutes", 0) <= 60] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


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
