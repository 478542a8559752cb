"""The command line as its user meets it: a process with arguments, streams and an exit code."""

import csv
import gzip
import json
import os
import platform
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx
import pytest

from hubspot_batch import __version__
from hubspot_batch.contract import _operations as contract

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

ORDER = {"properties": {"hs_order_name": "A-1"}}
COMMANDS = [
    *("create", "update", "upsert", "read", "archive", "associate", "validate"),
    *("properties", "results", "runs"),
    *("mapping", "sandbox", "demo", "document", "version", "completion"),
]


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hubspot_batch", *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_help_lists_the_commands_in_the_order_in_which_they_are_needed() -> None:
    done = run("--help")

    assert done.returncode == 0
    _, _, listed = done.stdout.partition("Commands:\n")
    assert re.findall(r"^  ([a-z]+)  ", listed, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("columns", ["40", "80", "160"])
def test_help_cuts_nothing(columns: str, shell: "Shell") -> None:
    shell.set("COLUMNS", columns)
    out = shell("--help").out

    assert "..." not in out.partition("Options:")[2]
    assert "Update the record that each row of FILE names, or create it if there is none." in " ".join(
        out.split()
    )


def test_help_keeps_its_lines() -> None:
    out = run("-h").stdout

    assert "\n    hubspot-batch create orders orders.csv --dry-run\n" in out
    assert "\n    6  finished; some rows are unknown: sent, and the answer was lost\n" in out


def test_without_a_command_it_is_help() -> None:
    done = run()

    # Which code and stream it is differs between versions of click.
    assert "Commands:" in done.stdout + done.stderr


def test_the_version_is_that_of_the_package(shell: "Shell") -> None:
    assert shell("--version").out == f"hubspot-batch {__version__}\n"


def test_the_version_needs_no_click() -> None:
    code = "import sys; sys.modules['click'] = None; sys.argv[1:] = ['--version'];"
    code += "from hubspot_batch.cli import main; main(); assert 'msgspec' not in sys.modules"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == (f"hubspot-batch {__version__}\n", "")


def test_the_versions_of_what_it_runs_on(shell: "Shell") -> None:
    lines = shell("version").out.splitlines()

    assert lines[0] == f"hubspot-batch {__version__}"
    assert lines[1].startswith(f"Python {platform.python_version()} on ")
    assert lines[2] == f"httpx {httpx.__version__}"
    assert [line.split()[0] for line in lines[3:]] == ["msgspec", "jsonschema-rs"]


def test_the_document(shell: "Shell") -> None:
    assert shell("document").report == contract.document()


def test_help_of_each_command_needs_little() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from hubspot_batch.cli._commands import commands\n"
        f"for words in [[], *([name] for name in {COMMANDS})]:\n"
        "    done = CliRunner().invoke(commands, [*words, '--help'])\n"
        "    assert done.exit_code == 0 and 'Usage: ' in done.output, words\n"
        "loaded = {'httpx', 'rich', 'sqlite3', 'starlette', 'jsonschema_rs', 'pyarrow'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )

    # What measures coverage loads some of these itself.
    environment = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_without_click_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from hubspot_batch.cli import main; main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == (
        'hubspot-batch: click is missing; install it with: pip install "hubspot-batch[cli]"\n'
    )


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_sandbox_extra_it_says_what_to_install(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['demo'];"
        "from hubspot_batch.cli import main; main()"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: the sandbox needs ")
    assert 'pip install "hubspot-batch[sandbox]"' in done.stderr


class TestValidateABody:
    def test_without_a_fault(self, write: "Write", shell: "Shell") -> None:
        path = write("payload.json", json.dumps({"inputs": [ORDER]}))

        assert shell("validate", "create", "orders", path) == (0, "", f"{path}: valid for create_orders\n")

    def test_of_every_operation(self, write: "Write", shell: "Shell") -> None:
        bodies: dict[str, object] = {
            "create_associations": {"inputs": []},
            "list_properties": None,
            "read_commerce_payments": {"properties": "hs_tax", "inputs": [{"id": "7"}]},
            "upsert_carts": {"idProperty": "a", "inputs": [{"id": "1", "properties": {}}]},
        }

        done = {}
        for operation, body in bodies.items():
            verb, _, name = operation.partition("_")
            path = write(f"{operation}.json", json.dumps(body))
            done[operation] = shell("validate", verb, name.replace("_", "-"), path)

        assert {name: (each.code, each.out) for name, each in done.items()} == {
            "create_associations": (1, "/inputs: the list is empty; give at least 1\n"),
            "list_properties": (0, ""),
            "read_commerce_payments": (1, "/properties: text stands where a list belongs; write a list\n"),
            "upsert_carts": (
                1,
                (
                    "/inputs/0: 'idProperty' is missing; add it, or give id_property, for all inputs\n"
                    "/idProperty: the document knows no such key; write it into each input\n"
                ),
            ),
        }
        path = write("empty.json", "{}")
        codes = {
            operation.id: shell(
                "validate", operation.verb, operation.object_type.replace("_", "-"), path
            ).code
            for operation in contract.operations().values()
        }
        assert {name for name, code in codes.items() if code not in {0, 1}} == set()

    def test_each_fault_is_a_line_on_stdout(self, write: "Write", shell: "Shell") -> None:
        body = {"inputs": [ORDER, {"propertis": {}}, {"properties": {"n": 9}}]}
        path = write("payload.json", json.dumps(body))

        done = shell("validate", "create", "orders", path)

        assert done.code == 1
        assert sorted(done.out.splitlines()) == [
            "/inputs/1/propertis: the document knows no such key; did you mean 'properties'?",
            "/inputs/1: 'properties' is missing; add it",
            "/inputs/2/properties/n: a number stands where text belongs; write it as text, in quotes",
        ]
        assert done.err == f"Error: {path}: 3 fault(s) for create_orders\n"

    @pytest.mark.parametrize("name", ["line-items", "line_items"])
    def test_standard_input_and_both_spellings(self, name: str, shell: "Shell") -> None:
        body = json.dumps({"inputs": [ORDER]}, indent=2).encode()

        done = shell("validate", "create", name, "-", stdin=body)

        assert done == (0, "", "-: valid for create_line_items\n")

    def test_a_byte_order_mark_and_a_compression_are_not_faults(self, shell: "Shell") -> None:
        body = json.dumps({"inputs": [ORDER]}, indent=2)

        for content in (body.encode("utf-8-sig"), body.encode("utf-16"), gzip.compress(body.encode())):
            done = shell("validate", "create", "orders", "-", stdin=content)
            assert done == (0, "", "-: valid for create_orders\n")

    def test_a_name_with_a_line_end_stays_on_one_line(self, shell: "Shell") -> None:
        body = {"inputs": [{**ORDER, "a\nb": 1}]}
        row: dict[str, object] = {"a\nb": {}}

        for content in (body, row):
            done = shell("validate", "create", "orders", "-", stdin=json.dumps(content).encode())
            assert done.code == 1
            assert [r"a\nb: " in line for line in done.out.splitlines()] == [True]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b'{"inputs": [\n{]', "Error: -, line 2, column 2: not JSON: "),
            (b'{"inputs": 1}\n\xff', "Error: -, line 2: not utf-8; save the file as UTF-8"),
            (
                b'{"inputs": [], "inputs": []}',
                "Error: -: the key 'inputs' occurs twice in one mapping; remove one of the two\n",
            ),
            (b'{"inputs": ' + b"[" * 100_000, "Error: -: nested too deeply; correct or remove it\n"),
            (
                b'{"inputs": [' + b"1" * 5000 + b"]}",
                "Error: -: a number has too many digits; correct or remove it\n",
            ),
            pytest.param(
                b'{"inputs": [' + b"1, " * 6_000_000,
                "Error: -, line 1: there are more than 16,777,216 characters",
                id="larger-than-any-request",
            ),
            (b'{"inputs": [{"a": 1, "a\\nb": 2, "a\\nb": 3}]}', "Error: -: the key 'a\\nb' occurs twice"),
        ],
    )
    def test_what_is_not_json_is_named_with_its_place(
        self, body: bytes, message: str, shell: "Shell"
    ) -> None:
        done = shell("validate", "create", "orders", "-", stdin=body)

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(message)

    def test_text_that_utf8_cannot_hold(self, shell: "Shell") -> None:
        body = rb'{"inputs": [{"properties": {"a": "\ud800"}}]}'

        done = shell("validate", "create", "orders", "-", stdin=body)

        assert done.code == 1
        assert done.out.startswith("/inputs/0/properties/a: ")

    def test_a_missing_file(self, tmp_path: Path, shell: "Shell") -> None:
        done = shell("validate", "create", "orders", tmp_path / "gone.json")

        assert done == (
            1,
            "",
            f"Error: {tmp_path / 'gone.json'}: No such file or directory; name a file that can be read\n",
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("create", "unicorns", "-"), "'unicorns' is not one of 'orders', 'line-items', "),
            (
                ("update", "objects", "-"),
                "there is no operation 'update_objects'; there are: ",
            ),
            (("delete", "orders", "-"), "'delete' is not one of 'create', 'read', 'update'"),
            (("create", "orders"), "Missing argument 'FILE'"),
        ],
    )
    def test_a_usage_error(self, arguments: tuple[str, ...], message: str, shell: "Shell") -> None:
        done = shell("validate", *arguments)

        assert done.code == 2
        assert message in done.err


LOCAL = r"A local HubSpot runs at http://127\.0\.0\.1:\d+: nothing leaves this machine\n"


class TestDemo:
    def test_it_creates_492_orders_and_names_why_eight_are_refused(self, shell: "Shell") -> None:
        done = shell("demo")

        assert done.code == 0
        assert done.out.startswith("492 of 500 orders created in ")
        assert "8 rejected: not written, for the reasons below\n" in done.out
        assert "2  hs_total_price: INVALID_LONG\n" in done.out
        assert re.fullmatch(LOCAL, done.err)
        rejected = csv.DictReader(shell("results", "latest", "--rejected").out.splitlines())
        assert [int(row["_row"]) for row in rejected] == [27, 60, 117, 200, 228, 281, 310, 389]

    def test_a_file_of_the_user(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", '{"hs_order_name": "A-1"}\n{"hs_total_price": "nine"}\n')

        done = shell("demo", path)

        assert done.code == 0
        assert done.out.startswith("1 of 2 orders created in ")

    def test_a_missing_file(self, shell: "Shell", tmp_path: Path) -> None:
        done = shell("demo", tmp_path / "gone.csv")

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"Error: {tmp_path / 'gone.csv'}: No such file or directory")


class TestSandbox:
    @pytest.fixture
    def port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            number: int = listener.getsockname()[1]
        return number

    @pytest.mark.posix
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_runs_until_it_is_told_to_stop_and_keeps_its_records(
        self, port: int, number: signal.Signals, tmp_path: Path
    ) -> None:
        options = ["--port", str(port), "--store", str(tmp_path / "box.sqlite")]
        for expected in (1, 2):
            with self.running(*options) as process:
                assert process.stdout
                assert process.stdout.readline() == (
                    f"Sandbox at http://127.0.0.1:{port}, access token sandbox-token, Ctrl-C to stop\n"
                )
                assert len(self.push(port)) == expected
                process.send_signal(number)
                _, errors = process.communicate(timeout=10)
            assert (process.returncode, errors) == (0, "Sandbox stopped\n")

    @pytest.mark.posix
    def test_a_file_of_options_and_those_of_the_command_line_come_together(
        self, port: int, tmp_path: Path
    ) -> None:
        config = tmp_path / "box.toml"
        config.write_text(
            "port = 1\nquota = '2/600'\nstore = 'box.sqlite'\ncontrol_key = 'k'\n"
            "[properties]\norders = ['color']\n[faults]\n503 = 0.5\n",
            encoding="utf-8",
        )
        options = ("--port", str(port), "--fault", "504-after:0.5", "--unique", "orders.key", "--seed", "7")
        with self.running("--config", str(config), *options) as process:
            assert process.stdout
            assert process.stdout.readline().startswith(f"Sandbox at http://127.0.0.1:{port}, ")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
                http.headers["Authorization"] = "Bearer k"
                assert http.get("/_sandbox/faults").json()["rates"] == {"503": 0.5, "504-after": 0.5}
                http.delete("/_sandbox/faults")
                http.headers["Authorization"] = "Bearer sandbox-token"
                found = http.get("/crm/v3/properties/orders").json()["results"]
                unique = {entry["name"]: entry["hasUniqueValue"] for entry in found}
                assert (unique["color"], unique["key"]) == (False, True)
                assert [http.get("/crm/v3/objects/orders").status_code for _ in range(2)] == [200, 429]
            process.terminate()
            assert process.wait(timeout=10) == 0
        assert (tmp_path / "box.sqlite").exists()

    def test_a_file_of_options_that_cannot_be_used_starts_nothing(self, tmp_path: Path) -> None:
        config = tmp_path / "box.toml"
        for text, message in (
            ("seed = 1\nprot = 2\n", f"{config}, line 2: prot: unknown key; did you mean port?"),
            ("store = 'gone/box.sqlite'", "cannot be used: "),
            ("[[accounts]]", "two accounts have the same access token; give each one of its own"),
        ):
            config.write_text(text, encoding="utf-8")
            done = run("sandbox", "--port", "0", "--config", str(config))
            assert (done.returncode, done.stdout) == (1, "")
            assert message in done.stderr.replace("\n", " ")
        assert [file.name for file in tmp_path.iterdir()] == ["box.toml"]

    @pytest.mark.posix
    def test_an_exposed_one_warns_and_prints_an_address_that_works(self, port: int) -> None:
        with self.running("--port", str(port), "--host", "0.0.0.0", "--expose") as process:  # noqa: S104
            assert process.stdout
            assert process.stdout.readline().startswith(f"Sandbox at http://127.0.0.1:{port}, ")
            assert len(self.push(port)) == 1
            process.terminate()
            _, errors = process.communicate(timeout=10)
        warning, end = errors.splitlines()
        assert warning.startswith(f"Warning: other machines can reach this sandbox at port {port} ")
        assert end == "Sandbox stopped"

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubspot_batch", "sandbox", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def push(self, port: int) -> list[object]:
        """Create an order and return all that there are."""
        url = f"http://127.0.0.1:{port}/crm/v3/objects/orders"
        with httpx.Client(headers={"Authorization": "Bearer sandbox-token"}) as http:
            assert http.post(f"{url}/batch/create", json={"inputs": [ORDER]}).status_code == 201
            records: list[object] = http.get(url).json()["results"]
        return records

    def test_a_port_that_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            done = run("sandbox", "--port", str(port))

        assert done.returncode == 1
        assert f"port {port} of 127.0.0.1 is taken; choose another port" in done.stderr

    def test_a_store_in_no_folder(self, tmp_path: Path) -> None:
        done = run("sandbox", "--port", "0", "--store", str(tmp_path / "gone" / "box.sqlite"))

        assert done.returncode == 1
        assert "gone" in done.stderr

    def test_quota_faults_and_seed_reach_the_sandbox(self, port: int) -> None:
        options = ["--port", str(port), "--quota", "1/60", "--fault", "503:1", "--seed", "7", "--retry-after"]
        with self.running(*options) as process:
            assert process.stdout
            process.stdout.readline()
            url = f"http://127.0.0.1:{port}/crm/v3/objects/orders/batch/create"
            headers = {"Authorization": "Bearer sandbox-token"}
            replies = [httpx.post(url, json={"inputs": [ORDER]}, headers=headers) for _ in range(2)]
        assert [reply.status_code for reply in replies] == [503, 429]
        assert "Retry-After" in replies[1].headers

    def test_it_has_properties_of_its_own(self, port: int) -> None:
        options = ["--port", str(port), "--property", "orders.shop", "--unique", "line-items.number"]
        with self.running(*options) as process:
            assert process.stdout
            process.stdout.readline()
            headers = {"Authorization": "Bearer sandbox-token"}
            bodies = {
                "orders": [{"properties": {"hs_order_name": "A-1", "shop": "north"}}],
                "line_items": [{"properties": {"name": name, "number": "7"}} for name in ("wool", "silk")],
            }
            replies = {
                name: httpx.post(
                    f"http://127.0.0.1:{port}/crm/v3/objects/{name}/batch/create",
                    json={"inputs": inputs},
                    headers=headers,
                )
                for name, inputs in bodies.items()
            }
        assert replies["orders"].json()["results"][0]["properties"]["shop"] == "north"
        assert replies["line_items"].status_code == 400

    def test_the_faults_are_listed(self) -> None:
        done = run("sandbox", "--list-faults")

        assert done.returncode == 0
        assert re.search(r"^504-after +a gateway gave up waiting", done.stdout, re.MULTILINE)
        assert re.search(r"^slow\[=SECONDS\] +the reply comes late", done.stdout, re.MULTILINE)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--fault", "504-aftr:0.02"), "did you mean 504-after"),
            (("--fault", "503:2"), "choose one from 0 to 1"),
            (("--quota", "many"), "'many' is not a quota; write requests and seconds like 190/10"),
            (
                ("--property", "my_field"),
                "'my_field' does not name a property; write it like",
            ),
            (("--unique", "orders."), "'orders.' does not name a property; write it like orders.my_field"),
            (("--unique", "tickets.x"), "declare them for orders, line_items, "),
            (("--host", "0.0.0.0"), "others could reach the sandbox at 0.0.0.0"),  # noqa: S104 - it is refused
        ],
    )
    def test_options_that_make_no_sense(self, arguments: tuple[str, ...], message: str) -> None:
        done = run("sandbox", "--port", "0", *arguments)

        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr

    def test_an_invalid_port(self) -> None:
        assert run("sandbox", "--port", "65536").returncode == 2


class TestOptionsTogether:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            *(
                (["--dry-run", *option], f"--dry-run and {option[0]} do not go together: a dry run ")
                for option in (
                    *(
                        ["--report", "a.html"],
                        ["--results", "a.csv"],
                        ["--journal", "a.run"],
                        ["--name", "a"],
                    ),
                    *(["--new"], ["--keep-going"], ["--concurrency", "2"], ["--share-quota", "a.sqlite"]),
                )
            ),
            *(
                (["--sandbox", *option], f"--sandbox and {option[0]} do not go together: the local HubSpot ")
                for option in (
                    *(["--token-file", "a"], ["--base-url", "http://127.0.0.1"]),
                    *(["--allow-http"], ["--share-quota", "a.sqlite"]),
                )
            ),
            (["--journal", "a.run", "--name", "a"], "--journal and --name do not go together: "),
            (["--assume-unique"], "--assume-unique goes with --unique-property or --associate: "),
        ],
    )
    def test_none_is_ignored(self, options: list[str], told: str, write: "Write", shell: "Shell") -> None:
        done = shell("create", "orders", write("a.csv", "hs_order_name\nA\n"), *options)

        assert done.code == 2
        assert told in done.err

    def test_those_that_are_about_another_format(self, write: "Write", shell: "Shell") -> None:
        lines = write("a.jsonl", '{"hs_order_name": "A"}\n')

        done = shell.push("create", "orders", lines, "--delimiter", ";", "--dry-run")

        assert done.code == 1
        assert "only CSV has a delimiter, and this is jsonl; leave --delimiter out" in done.err
        done = shell.push("create", "orders", write("a.parquet", b"PAR1"), "--encoding", "utf-8", "--dry-run")
        assert "Parquet tells its encoding itself; leave --encoding out" in done.err


class TestHelp:
    def test_options_are_in_groups_and_examples_follow(self) -> None:
        done = run("create", "--help")

        titles = re.findall(r"^(\S.*):$", done.stdout, re.MULTILINE)
        assert titles == [
            *("The file", "Its cells", "Records and links", "The run", "The account", "Output", "Options"),
            "Examples",
        ]
        assert done.stdout.index("--decimal") < done.stdout.index("--dry-run  ")
        assert "\n  hubspot-batch create orders export.csv --mapping shop.toml\n" in done.stdout

    def test_few_options_need_no_groups(self, shell: "Shell") -> None:
        for command, titles in (("runs", ["Options", "Examples"]), ("demo", ["Options"])):
            done = shell(command, "--help")

            assert re.findall(r"^(\S.*):$", done.out, re.MULTILINE) == titles

    @pytest.mark.parametrize("columns", [40, 50, 80])
    def test_it_fits_the_terminal(self, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))

        told = run("update", "--help").stdout.partition("Examples:")[0]

        assert max(map(len, told.splitlines())) <= columns

    def test_each_example_is_a_command(self) -> None:
        from hubspot_batch.cli._commands import commands  # noqa: PLC0415 - it needs the extra `cli`
        from hubspot_batch.cli._help import EXAMPLES  # noqa: PLC0415

        for name, lines in EXAMPLES.items():
            for line in lines:
                words = shlex.split(line)
                assert words[0] == name
                command = commands.commands[name]
                with command.make_context(name, words[1:]) as context:
                    assert isinstance(context, click.Context)

    def test_did_you_mean(
        self, write: "Write", shell: "Shell", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write("-shop.csv", "hs_order_name\nA\n")

        assert "'carts'; did you mean orders?" in shell("create", "order", "a.csv").err
        assert "is not one of" in shell("create", "cats", "a.csv").err
        assert shell("validate", "create", "line_items", write("a.csv", "name\nA\n")).code == 0
        done = shell("create", "orders", "-shop.csv", "--dry-run")
        assert done.code == 2
        assert "; for the file, write ./-shop.csv" in done.err
        assert "for the file" not in shell("create", "orders", "-other.csv").err
        assert shell("validate", "create", "orders", "./-shop.csv").code == 0
        shell.unset("HUBSPOT_ACCESS_TOKEN")
        assert "create orders ./-shop.csv --mapping" in shell("mapping", "orders", "--", "-shop.csv").err
