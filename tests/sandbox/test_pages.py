"""The examples of README.md and of the pages in docs/ work as they stand there.

- The examples of a page run in their order, in one folder, over one sandbox. Token and address are in the
  environment.
- A block with a title is a file: ```csv title="orders.csv". What a page does not show is in examples/.
- A `python` block runs by itself. If it defines tests, pytest runs them.
- Each `hubspot-batch` line of a `sh` block runs. It exits with 0, or as its comment says: `# exit code 4`.
- An `output` block is among what the block before it prints, from the start of a line. `...` stands for any
  text.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from hubspot_batch import AsyncHubSpot, HubSpot
from hubspot_batch.cli._commands import commands
from hubspot_batch.sandbox import Property, Sandbox

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
PLUGIN = "hubspot_batch.pytest_plugin"
# Commands that install, or that other tests run.
NOT_RUN = ("python3 -m venv ", "pip install ", "export ", ".venv/bin/nox")
# The account of the examples: orders are known by the shop's own number.
ACCOUNT = {"orders": {"shop_number": Property("text", unique=True)}}
# What was done before the examples of a page begin.
BEFORE = {"data.md": "hubspot-batch create orders orders.csv # exit code 4"}
CONTACTS = [{"id": "301", "email": "ada@example.com"}]


class Block(NamedTuple):
    """A block of code on a page."""

    line: int
    language: str
    title: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield Block(text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3])


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for file in (ROOT / "examples").glob("*.csv"):
        shutil.copy(file, tmp_path)
    with Sandbox(properties=ACCOUNT, records={"contacts": CONTACTS}) as box:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", box.access_token)
        monkeypatch.setenv("HUBSPOT_BASE_URL", box.url)
        monkeypatch.setenv("HUBSPOT_BATCH_RUNS", str(tmp_path / "runs"))
        for client in (HubSpot, AsyncHubSpot):
            defaults = client.__init__.__kwdefaults__
            assert defaults is not None
            monkeypatch.setitem(defaults, "base_url", box.url)
        yield box


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_and_print_what_it_says(page: Path) -> None:
    printed = ""
    if page.name in BEFORE:
        printed_by(BEFORE[page.name], page.name)
    for block in blocks(page):
        place = f"{page.name}, line {block.line}"
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            printed = (
                printed_by_tests(block.text) if "\ndef test_" in f"\n{block.text}" else run(block.text, place)
            )
        elif block.language == "sh":
            printed = "".join(printed_by(command, place) for command in lines(block.text))
        elif block.language == "output":
            expected = re.escape(block.text).replace(re.escape("..."), ".*")
            found = re.search(f"^{expected}", printed, re.DOTALL | re.MULTILINE)
            assert found, f"{place}: it prints:\n{printed}"


@pytest.mark.usefixtures("box")
def test_the_commands_of_the_readme_run_with_a_sandbox_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN")
    monkeypatch.delenv("HUBSPOT_BASE_URL")
    printed = ""
    for block in blocks(ROOT / "README.md"):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            for command in lines(block.text):
                verb = command.removeprefix("hubspot-batch ").split()[0]
                if verb in {"create", "upsert"} and "--sandbox" not in command:
                    printed += printed_by(command.replace(verb, f"{verb} --sandbox", 1), "README.md")
    assert "3 of 3 orders upserted" in printed
    assert "It has orders.shop_number as a unique property; your account needs it, too" in printed


def run(program: str, place: str) -> str:
    """Run a program in this process, and return what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(program, place, "exec"), {"__name__": "__main__"})  # noqa: S102 - it is our own
    return output.getvalue()


def lines(block: str) -> list[str]:
    """Return the commands of a block."""
    joined = re.sub(r"\\\n\s*", "", block).splitlines()
    return [line for line in joined if line.strip() and not line.lstrip().startswith("#")]


def printed_by(command: str, place: str) -> str:
    """Run a command, and return what it prints."""
    if command.startswith(NOT_RUN):
        return ""
    name, *arguments = shlex.split(command, comments=True)
    assert name == "hubspot-batch", f"{place}: no test runs this: {command}"
    if arguments[0] == "sandbox":
        # It would run until Ctrl-C.
        arguments.append("--list-faults")
    stated = re.search(r"# exit code (\d)", command)

    done = CliRunner().invoke(commands, arguments, prog_name=name)

    assert done.exit_code == int(stated[1] if stated else 0), f"{place}: {command}\n{done.output}"
    return done.output


def printed_by_tests(program: str) -> str:
    """Run tests with pytest. They must pass."""
    Path("test_example.py").write_text(program, encoding="utf-8")
    # Where the package is installed, pytest finds the plugin by itself, and fails if it is also named.
    found = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(() if found else ("-p", PLUGIN)),
            "test_example.py",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"\d passed", done.stdout), done.stdout
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_block_that_is_only_looked_at(page: Path) -> None:
    """A block that begins in another way than `blocks` reads it would never run."""
    text = page.read_text(encoding="utf-8")

    assert len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)) == 2 * len(list(blocks(page)))
