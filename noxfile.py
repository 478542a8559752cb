"""What is done with the project: `nox` runs every check, `nox -s NAME` one of them, `nox -l` lists them."""

import os
import shutil
from itertools import chain
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
# CI sets CI=true, and nox would then fail for a Python that is not installed.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = [
    "lint",
    "typecheck",
    "drift",
    "build",
    "tests",
    "tests_min",
    "coverage",
    "fuzz",
    "clients",
]

# Without this, uv looks for a download of each Python that is missing.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PYPROJECT = nox.project.load_toml("pyproject.toml")
FORMATTED = ["benchmarks", "examples", "noxfile.py", "scripts", "src", "tests"]


def install(session: nox.Session, *groups: str, project: bool = True) -> None:
    """Install dependency groups in the pinned versions, and the project from the wheel that it makes."""
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    if project:
        requirements = (*requirements, ".[cli,sandbox,parquet]")
    session.install("--constraint", "constraints.txt", *requirements)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    install(session, "lint", project=False)
    session.run("ruff", "check", *FORMATTED)
    session.run("ruff", "format", "--check", *FORMATTED)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types, those of a user's code among them, with two type checkers."""
    install(session, "typecheck", "tests", "generators")
    session.install("--constraint", "constraints.txt", "nox")
    session.run("mypy")
    session.run("pyright", "--project", "pyproject.toml")


@nox.session
def drift(session: nox.Session) -> None:
    """Check that generated/ is what the document says, and that the regeneration does its work."""
    install(session, "generators", "tests")
    session.run("python", "scripts/regenerate.py", "--check")
    session.run("pytest", "tests/contract/test_regenerate.py")


@nox.session
def regenerate(session: nox.Session) -> None:
    """Write generated/ from the document."""
    install(session, "generators")
    session.run("python", "scripts/regenerate.py", *session.posargs)


@nox.session
def upstream(session: nox.Session) -> None:
    """Compare the document with what HubSpot publishes: nox -s upstream -- FILE_OR_FOLDER_OR_URL..."""
    session.install("--constraint", "constraints.txt", "httpx", "pyyaml")
    session.run("python", "scripts/compare_upstream.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build wheel and source distribution into dist/, and check what is in the wheel."""
    session.install("--constraint", "constraints.txt", "build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    session.run("python", "scripts/check_wheel.py", *map(str, Path("dist").glob("*.whl")))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on the wheel, and measure what they cover."""
    install(session, "tests", "examples")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def tests_min(session: nox.Session) -> None:
    """Run the tests with the lowest versions of the dependencies that are allowed."""
    project = PYPROJECT["project"]
    allowed = chain(project["dependencies"], *project["optional-dependencies"].values())
    lowest = [requirement.replace(">=", "==") for requirement in allowed]
    session.install(".", *lowest, *nox.project.dependency_groups(PYPROJECT, "tests"))
    # What Hypothesis finds out is the same with any of them.
    session.run("pytest", "--ignore=tests/browser", "--ignore=tests/property", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Report what the tests of all Pythons cover together; less than every branch fails."""
    install(session, "tests", project=False)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Have Schemathesis look for a reply of the sandbox that contradicts the document."""
    install(session, "tests", "fuzz")
    session.run("pytest", "tests/fuzz", *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Have HubSpot's official clients push into the sandbox."""
    install(session, "tests", "clients")
    session.run("pytest", "tests/clients", *session.posargs)


@nox.session
def torture(session: nox.Session) -> None:
    """Kill a run of 40,000 rows twenty times over, with and without a unique property."""
    install(session, "tests")
    session.run(
        "pytest",
        "tests/sandbox/test_bulk_interrupts.py::TestKill",
        *session.posargs,
        env={"TORTURE_ROWS": "40000", "TORTURE_KILLS": "20"},
    )


@nox.session
def browser(session: nox.Session) -> None:
    """Open the pages of the sandbox in headless Chromium, where there is one."""
    install(session, "tests")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Push 500 orders into a local HubSpot."""
    install(session)
    session.run("hubspot-batch", "demo")
