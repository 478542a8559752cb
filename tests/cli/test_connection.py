"""Where the token comes from, and that it goes nowhere but to HubSpot."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.cli._connection import ConnectionOptions, connect
from hubspot_batch.sandbox import OAuthApp

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Shell, Write

TOKEN = "pat-eu1-0b1f7c52"
APP = OAuthApp(client_id="app-4711", client_secret="secret-58e2", refresh_token="refresh-93aa")
CSV = "hs_order_name,hs_total_price\nA-1,1\nA-2,nine\n"


@pytest.fixture
def path(write: "Write") -> Path:
    return write("orders.csv", CSV)


@pytest.fixture
def app(shell: "Shell") -> OAuthApp:
    """Set what an app needs to get a token, and nothing else."""
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    shell.set("HUBSPOT_CLIENT_ID", APP.client_id)
    shell.set("HUBSPOT_CLIENT_SECRET", APP.client_secret)
    shell.set("HUBSPOT_REFRESH_TOKEN", APP.refresh_token)
    shell.box = shell.open(oauth=APP)
    return APP


def assert_kept(secrets: list[str], folder: Path, *dones: "Done") -> None:
    """Check that no secret stands in any output, nor in any file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in files] + [(done.out + done.err).encode() for done in dones]
    assert len(files) > 2
    for secret in secrets:
        assert not [text for text in texts if secret.encode() in text]


class TestAccessToken:
    def test_it_comes_from_a_file(self, path: Path, write: "Write", shell: "Shell") -> None:
        shell.set("HUBSPOT_ACCESS_TOKEN", "pat-eu1-another")
        file = write("token.txt", f"\N{BYTE ORDER MARK}  {TOKEN}\r\n")

        assert shell.push("create", "orders", path, "--token-file", file).code == 4
        assert len(shell.sent()) == 1

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "{file}: No such file or directory; name a file that holds the token"),
            ("folder", "{file}: Is a directory; name a file that holds the token"),
            (b" \n", "{file}: the file is empty; it must hold the token and nothing else"),
            (b"\x89PNG\xff", "{file}: this is not text; name a file that holds the token"),
            (
                f"token={TOKEN} x".encode(),
                (
                    "the access token holds a blank, a line end or another character that no token has; "
                    "check what it was copied or read from"
                ),
            ),
        ],
    )
    def test_a_file_without_a_token(
        self, content: bytes | str | None, message: str, path: Path, tmp_path: Path, shell: "Shell"
    ) -> None:
        file = tmp_path / "token.txt"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.mkdir()

        done = shell.push("create", "orders", path, "--token-file", file)

        assert done == (1, "", f"Error: {message.format(file=file)}\n")

    def test_there_is_no_token(self, path: Path, shell: "Shell") -> None:
        shell.unset("HUBSPOT_ACCESS_TOKEN")

        assert shell.push("create", "orders", path) == (
            1,
            "",
            (
                "Error: there is no access token; set HUBSPOT_ACCESS_TOKEN, name a file with --token-file, "
                "set HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, or try it with "
                "--sandbox\n"
            ),
        )

    def test_it_stands_in_no_output_and_no_file(
        self, path: Path, tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        outputs = ["--results", str(tmp_path / "results.csv"), "--report", str(tmp_path / "run.html")]
        token_file = write("token", TOKEN)
        dones = [
            shell.push("create", "orders", path, *outputs),
            shell.push("create", "orders", path, "--json", "--new", "--token-file", token_file),
            shell("runs", "--json"),
            shell("results", "latest"),
        ]
        shell.box.faults.set("reset-before", 1)
        dones.append(shell.push("create", "orders", "-", stdin=b"hs_order_name\nA\n"))
        shell.set("HUBSPOT_ACCESS_TOKEN", f"{TOKEN}-x")
        dones.append(shell.push("create", "orders", path))
        token_file.unlink()

        assert [done.code for done in dones] == [4, 4, 0, 0, 6, 1]
        assert_kept([TOKEN], tmp_path, *dones)


class TestOAuth:
    @pytest.mark.usefixtures("app")
    def test_a_fresh_token_is_got_and_the_run_is_known_again(self, path: Path, shell: "Shell") -> None:
        shell.box.faults.next("429-daily")
        first = shell.push("create", "orders", path)
        again = shell.push("create", "orders", path)
        third = shell.push("create", "orders", path)

        assert (first.code, again.code, third.code) == (5, 4, 4)
        assert "0 requests" in third.out
        assert len(shell.sent()) == 1
        assert shell("runs").out.count("\n") == 2

    def test_no_secret_stands_in_any_output_or_file(
        self, app: OAuthApp, path: Path, tmp_path: Path, shell: "Shell"
    ) -> None:
        outputs = ["--results", str(tmp_path / "results.csv"), "--report", str(tmp_path / "run.html")]
        dones = [shell.push("create", "orders", path, *outputs), shell("runs", "--json")]
        shell.set("HUBSPOT_CLIENT_SECRET", "secret-wrong")
        dones.append(shell.push("create", "orders", path, "--new"))

        assert [done.code for done in dones] == [4, 0, 1]
        assert dones[2].err == (
            "Error: the run stopped: refresh_token: HTTP 400: HubSpot gives this app no token; "
            "check its client id, client secret and refresh token; "
            "once that is corrected, the same run goes on\n"
        )
        assert "2 pending: read, not sent\n" in dones[2].out
        secrets = [app.client_secret, app.refresh_token, "secret-wrong", "sandbox-oauth-", "access_token"]
        assert_kept(secrets, tmp_path, *dones)

    @pytest.mark.usefixtures("app")
    @pytest.mark.parametrize(
        ("missing", "named"),
        [
            (["HUBSPOT_CLIENT_SECRET"], "HUBSPOT_CLIENT_SECRET"),
            (["HUBSPOT_CLIENT_ID", "HUBSPOT_REFRESH_TOKEN"], "HUBSPOT_CLIENT_ID, HUBSPOT_REFRESH_TOKEN"),
        ],
    )
    def test_a_variable_that_is_missing(
        self, missing: list[str], named: str, path: Path, shell: "Shell"
    ) -> None:
        for name in missing:
            shell.unset(name)

        done = shell.push("create", "orders", path)

        assert done == (1, "", f"Error: {named} is not set; a fresh token needs all three\n")

    @pytest.mark.usefixtures("app")
    def test_an_access_token_comes_first(self, path: Path, shell: "Shell") -> None:
        shell.set("HUBSPOT_ACCESS_TOKEN", "pat-eu1-wrong")

        assert "HTTP 401" in shell.push("create", "orders", path).err


class TestTextsOfTheCommand:
    def test_a_401_speaks_of_its_options(self, path: Path, write: "Write", shell: "Shell") -> None:
        shell.set("HUBSPOT_ACCESS_TOKEN", "pat-eu1-wrong")
        assert "; check HUBSPOT_ACCESS_TOKEN, or name a file with --token-file (" in (
            shell.push("create", "orders", path).err
        )
        file = write("token.txt", "pat-eu1-wrong")
        assert f"; check {file} (" in shell.push("create", "orders", path, "--token-file", file).err

    def test_a_401_of_an_app_speaks_of_its_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
        for name in ("HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET", "HUBSPOT_REFRESH_TOKEN"):
            monkeypatch.setenv(name, "x")

        with connect(ConnectionOptions()) as connection:
            assert connection.token_remedy == (
                "check HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN"
            )

    def test_an_environment_that_cannot_be_used_is_named(self, path: Path, shell: "Shell") -> None:
        shell.set("NO_PROXY", "localhost,[::1]")

        done = shell("create", "orders", path, "--base-url", "https://api.example.invalid")

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "Error: the environment variable NO_PROXY cannot be used: an entry of it is not a host; "
            "write it like localhost,.example.com; correct it, or unset it\n"
        )
        assert shell("runs").out == ""
        assert shell.push("create", "orders", path).code == 4

    def test_clear_text_to_another_machine_needs_leave(self, path: Path, shell: "Shell") -> None:
        shell.set("HUBSPOT_BASE_URL", "http://hubspot.invalid")
        refused = shell("create", "orders", path)
        shell.set("NO_PROXY", "[::1]")
        allowed = shell("create", "orders", path, "--allow-http")

        assert refused.code == allowed.code == 1
        assert "--allow-http" in refused.err
        assert "NO_PROXY" in allowed.err
