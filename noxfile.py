"""The tasks of the project: `nox` runs what has to pass, `nox -s NAME` one session, `nox -l` lists them."""

import hashlib
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
    "coverage",
    "fuzz",
    "clients",
]

# Without this, uv looks for a download of each Python that is missing.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")

# One worker more than there are cores, for many tests wait: for a process, a socket, or a disk.
ON_ALL_CORES = (f"--numprocesses={(os.cpu_count() or 1) + 1}", "--dist=worksteal")
WITHOUT_ENGINES = "--ignore=tests/engines"
OLDEST_NODE = "20.19"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PYPROJECT = nox.project.load_toml("pyproject.toml")
PLAIN = [
    ".github",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "benchmarks",
    "docs",
    "examples",
    "noxfile.py",
    "openapi",
    "scripts",
    "src",
    "tests",
]
SCRIPTS = [
    f"tests/contract/test_{script}.py"
    for script in ("changes", "compare_upstream", "document_faults", "regenerate", "repository")
]
# What a draw or a kill reaches must not decide what is covered, and the tests of scripts cover nothing.
UNMEASURED = [
    *("tests/browser", "tests/property", "tests/torture"),
    *("tests/sandbox/test_examples.py", "tests/sandbox/test_pages.py"),
    *SCRIPTS,
]
# Covered by `engines`, and by no other session.
ENGINES = PYPROJECT["tool"]["coverage"]["report"]["omit"]
FORMATTED = ["benchmarks", "examples", "noxfile.py", "scripts", "src", "tests"]


def install(session: nox.Session, *groups: str, project: bool = True) -> None:
    """Install dependency groups in the pinned versions, and the project as a wheel."""
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    if project:
        requirements = (*requirements, ".[cli,sandbox,parquet]")
    session.install("--constraint", "constraints.txt", *requirements)


def install_node_tools(session: nox.Session, pinned_in: str = "openapi") -> Path:
    """Install the npm packages that a folder pins, once for all sessions; return where the commands are."""
    npm = npm_of_a_fit_node(session)
    lockfile = Path(pinned_in, "package-lock.json")
    folder = session.cache_dir / f"npm-{hashlib.sha256(lockfile.read_bytes()).hexdigest()[:16]}"
    if not (folder / "complete").exists():
        folder.mkdir(exist_ok=True)
        for file in (Path("openapi", ".npmrc"), lockfile.with_name("package.json"), lockfile):
            shutil.copy(file, folder)
        session.run(npm, "ci", "--prefix", str(folder), external=True)
        (folder / "complete").touch()
    modules = folder.resolve() / "node_modules"
    session.env["PATH"] = os.pathsep.join([str(modules / ".bin"), os.environ["PATH"]])
    session.env["NODE_PATH"] = str(modules)
    session.env["REDOCLY_TELEMETRY"] = "off"
    return modules / ".bin"


def npm_of_a_fit_node(session: nox.Session) -> str:
    """Return the path of npm, or end the session with what is missing."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        session.error(f"{session.name} needs npm and Node {OLDEST_NODE} or later on PATH")
    version = str(session.run(node, "--version", external=True, silent=True)).strip().lstrip("v")
    if [int(part) for part in version.split(".")] < [int(part) for part in OLDEST_NODE.split(".")]:
        session.error(f"{session.name} needs Node {OLDEST_NODE} or later; {node} is {version}")
    return npm


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, words and the direction of imports, and the workflows."""
    install(session, "lint", project=False)
    session.run("ruff", "check", *FORMATTED)
    session.run("ruff", "format", "--check", *FORMATTED)
    session.run("python", "scripts/check_words.py", *PLAIN)
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": os.pathsep.join(["src", "generated"])})
    session.run("zizmor", "--quiet", "--offline", ".github")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types, those of a user's code among them, with two type checkers."""
    install(session, "typecheck", "tests", "browser", "generators", "mutation")
    session.install("--constraint", "constraints.txt", "nox")
    session.run("mypy")
    session.run("pyright", "--project", "pyproject.toml")


@nox.session
def drift(session: nox.Session) -> None:
    """Check that generated/ agrees with the document, and that the regeneration works."""
    install(session, "generators", "tests")
    session.run("python", "scripts/regenerate.py", "--check")
    tests = (f"tests/contract/test_{subject}.py" for subject in ("regenerate", "new_operation"))
    session.run("pytest", "--numprocesses=auto", "--dist=loadfile", *tests)


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
    """Run the tests on the wheel, and measure what most of them cover."""
    install(session, "tests", "examples")
    measured = ("coverage", "run", "-m", "pytest", *ON_ALL_CORES, WITHOUT_ENGINES)
    if session.posargs:
        session.run(*measured, *session.posargs)
        return
    session.run(*measured, *(f"--ignore={path}" for path in UNMEASURED))
    session.run("pytest", *ON_ALL_CORES, *UNMEASURED)


@nox.session(python=PYTHONS[0])
def tests_min(session: nox.Session) -> None:
    """Run the tests with the lowest allowed versions of the dependencies."""
    project = PYPROJECT["project"]
    allowed = chain(project["dependencies"], *project["optional-dependencies"].values())
    lowest = [requirement.replace(">=", "==") for requirement in allowed]
    session.install(".", *lowest, *nox.project.dependency_groups(PYPROJECT, "tests"))
    # Hypothesis finds the same with any version, and the scripts run with the pinned ones.
    others = (f"--ignore={path}" for path in ("tests/browser", "tests/property", *SCRIPTS))
    session.run("pytest", *ON_ALL_CORES, WITHOUT_ENGINES, *others, *session.posargs)


@nox.session(python=PYTHONS[-1])
def tests_pre(session: nox.Session) -> None:
    """Run the tests with the newest versions of the dependencies, releases or not."""
    tests = nox.project.dependency_groups(PYPROJECT, "tests")
    session.install("--upgrade", "--prerelease=allow", ".[cli,sandbox,parquet]", *tests)
    session.run("pytest", *ON_ALL_CORES, WITHOUT_ENGINES, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Report what the tests of all Pythons cover together, and fail below every branch."""
    install(session, "tests", project=False)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Look for bodies, replies and runs that break a promise. With FUZZ_TIMES=5, five times as long."""
    install(session, "tests", "fuzz")
    # The session of the tests runs these, too, but not for longer.
    drawn = ("tests/property",) if "FUZZ_TIMES" in os.environ else ()
    session.run("pytest", *ON_ALL_CORES, "tests/fuzz", *drawn, *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Have HubSpot's official clients go through the whole family; Node's among them where Node is."""
    install(session, "tests", "clients")
    if shutil.which("npm"):
        install_node_tools(session, "tests/clients")
    session.run("pytest", "tests/clients", *session.posargs)


@nox.session
def engines(session: nox.Session) -> None:
    """Test what works with other systems, on real ones, and what that covers. Needs redis-server and Java."""
    for program in ("java", "redis-server"):
        if shutil.which(program) is None:
            session.error(f"engines needs {program} on PATH")
    install(session, "tests", "engines")
    # Apart from what the other tests cover.
    session.env.update(COVERAGE_FILE=".coverage-engines", ENGINES_REQUIRED="1")
    session.run("coverage", "run", "-m", "pytest", "tests/engines", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report", f"--include={','.join(ENGINES)}", "--omit=none")


@nox.session
def torture(session: nox.Session) -> None:
    """Kill runs of 40,000 rows twenty times, and compare their outcomes with what was written."""
    install(session, "tests")
    size = {"TORTURE_ROWS": "40000", "TORTURE_KILLS": "20", "TORTURE_SEEDS": "1,2,3"}
    chosen = {name: os.environ.get(name, value) for name, value in size.items()}
    session.run("pytest", "--capture=no", "tests/torture", *session.posargs, env=chosen)


@nox.session
def mutation(session: nox.Session) -> None:
    """Change the pure modules, one place at a time. Their tests have to notice each change."""
    install(session, "tests", "mutation")
    # Some mutants show in few examples only.
    session.run("python", "scripts/mutate.py", *session.posargs, env={"FUZZ_TIMES": "4"})


@nox.session
def lint_document(session: nox.Session) -> None:
    """Check the document with Redocly and Spectral, and that they find planted mistakes. Needs Node."""
    tools, document = install_node_tools(session), "openapi/hubspot-batch.yaml"
    install(session, "tests")
    session.run(str(tools / "redocly"), "lint", "--config=openapi/redocly.yaml", document, external=True)
    session.run(
        str(tools / "spectral"),
        "lint",
        "--ruleset=openapi/spectral.yaml",
        "--fail-severity=hint",
        document,
        external=True,
    )
    session.run("pytest", "tests/contract/test_lint_document.py", *session.posargs)


@nox.session
def changes(session: nox.Session) -> None:
    """Say what changed for callers since the last release, or since a ref or a file: -- BASE."""
    session.install("--constraint", "constraints.txt", "pyyaml")
    session.run("python", "scripts/changes.py", *session.posargs)


@nox.session
def mock(session: nox.Session) -> None:
    """Have both clients talk to Prism, which knows only the document. Needs Node."""
    install_node_tools(session)
    install(session, "tests")
    session.run("pytest", "tests/mock", *session.posargs)


@nox.session
def generators(session: nox.Session) -> None:
    """Generate clients with two other generators, and try them. Needs Node and Java."""
    if shutil.which("java") is None:
        session.error("generators needs Java 11 or later on PATH")
    install_node_tools(session)
    install(session, "tests")
    session.install("--constraint", "constraints.txt", "--requirement", "tests/generators/requirements.txt")
    session.run("pytest", "tests/generators", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Open the pages of the sandbox in headless Chromium, where there is one."""
    install(session, "tests", "browser")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/, with warnings as errors, and open its pages. Needs Node."""
    install_node_tools(session)
    install(session, "docs", "browser")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})
    session.run("python", "scripts/check_site.py", "site")


@nox.session
def screenshots(session: nox.Session) -> None:
    """Make the pictures of the documentation. Needs Chromium."""
    install(session, "browser")
    session.run("python", "scripts/screenshots.py", "docs/images")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the peers and write benchmarks/results.*, all of it or some parts: -- PART..."""
    install(session, "bench")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def bench_check(session: nox.Session) -> None:
    """Fail if the client executes more instructions than it may. Needs valgrind."""
    if shutil.which("valgrind") is None:
        session.error("bench_check needs valgrind on PATH")
    session.install("--constraint", "constraints.txt", "uv")
    session.run("python", "benchmarks/check.py")


@nox.session
def demo(session: nox.Session) -> None:
    """Push 500 orders into a local HubSpot."""
    install(session)
    session.run("hubspot-batch", "demo")
