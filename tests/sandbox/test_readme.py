"""What README.md shows works as it stands there."""

import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubspot_batch import CreateInput, HubSpot
from hubspot_batch.cli._commands import commands
from hubspot_batch.sandbox import Sandbox

PLUGIN = "hubspot_batch.pytest_plugin"
ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^(hubspot-batch .+)$", README.replace("\\\n", ""), re.MULTILINE)

PRINTED = (
    r"input 0 is record \d+\ninput 1 was refused: hs_total_price: INVALID_LONG\n",
    r"\[True, True\]\n\[False, False\]\n0 Order 1002\n1 OBJECT_NOT_FOUND\n",
    r"create_orders: 1000 rows: 1000 done, 0 rejected, 0 unknown\n",
    r"",
    r"\d+\n",
    (
        r"0 /inputs/0/propertis the document knows no such key did you mean 'properties'\?\n"
        r"0 /inputs/0 'properties' is missing add it\n"
    ),
)


@pytest.mark.parametrize(("snippet", "printed"), list(zip(SNIPPETS, PRINTED, strict=True)))
def test_a_snippet_runs_and_prints_what_it_promises(snippet: str, printed: str) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - it is our own

    assert re.fullmatch(printed, output.getvalue())


def test_the_test_of_the_readme_passes(tmp_path: Path) -> None:
    (snippet,) = (snippet for snippet in SNIPPETS if snippet.startswith("def test_"))
    (tmp_path / "test_orders.py").write_text(snippet, encoding="utf-8")
    # Where the package is installed, pytest finds the plugin by itself, and fails if it is also named.
    found = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    plugin = [] if found else ["-p", PLUGIN]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in done.stdout


def test_the_options_of_the_command_that_runs_a_sandbox() -> None:
    (command,) = (command for command in COMMANDS if " sandbox " in command)

    invoked = CliRunner().invoke(commands, [*shlex.split(command)[1:], "--list-faults"])

    assert invoked.exit_code == 0, invoked.output


def test_the_first_example_is_short() -> None:
    assert len([line for line in SNIPPETS[0].splitlines() if line.strip()]) <= 16


def test_the_command_that_validates_a_payload(tmp_path: Path) -> None:
    (command,) = (command for command in COMMANDS if " validate " in command)
    payload: object = {"inputs": [{"propertis": {}}]}
    (tmp_path / "payload.json").write_text(json.dumps(payload), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "hubspot_batch", *shlex.split(command)[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2


def test_the_commands_that_push_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dry, tried, pushed, results = (
        shlex.split(command, comments=True)[1:]
        for command in COMMANDS
        if re.match("hubspot-batch (create|results) ", command)
    )
    shutil.copy(ROOT / "examples" / "orders.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_BATCH_RUNS", str(tmp_path / "runs"))
    with Sandbox() as box:
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", box.access_token)
        pushed += ["--base-url", box.url]
        codes = [CliRunner().invoke(commands, command).exit_code for command in (dry, tried, pushed)]
        assert len(box.records("orders")) == 492

    codes.append(CliRunner().invoke(commands, results).exit_code)

    assert codes == [0, 4, 4, 0]
    assert len((tmp_path / results[-1]).read_text(encoding="utf-8").splitlines()) == 1 + 8


def test_a_create_of_100_orders_with_one_bad_order_writes_the_other_99() -> None:
    assert "A create of 100 orders with one bad order writes the other 99." in " ".join(README.split())
    orders: list[CreateInput] = [{"properties": {"hs_order_name": f"A-{row}"}} for row in range(99)]
    orders.insert(41, {"properties": {"hs_order_name": "A-bad", "hs_total_price": "12,50"}})
    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url) as hub:
        result = hub.orders.batch_create(orders)

    assert {record.index for record in result.records} == {*range(100)} - {41}
    assert [error.index for error in result.errors] == [41]


def test_the_exit_codes_are_those_of_the_help() -> None:
    in_readme = re.findall(r"^\| (\d) \|", README, re.MULTILINE)

    help_text = CliRunner().invoke(commands, ["--help"]).output

    assert in_readme
    assert re.findall(r"^ +(\d)  \w", help_text, re.MULTILINE) == in_readme
