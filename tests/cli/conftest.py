"""Files that the command line reads, the command line itself, and a HubSpot that it talks to."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hubspot_batch.sandbox import Property, Sandbox

Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file of this name."""

    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


TOKEN = "pat-eu1-0b1f7c52"
NUMBER = "hs_external_order_id"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` prints."""
        report: dict[str, Any] = json.loads(self.out)
        return report


class Shell:
    """The command line with a runs folder, a token and a HubSpot, in this process or in one of its own."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self._stack = stack
        self.runs = folder / "runs"
        self._monkeypatch = monkeypatch
        self._capture = capture
        # The last one makes streams behave in another way than those of a user.
        for name in (
            *("HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET", "HUBSPOT_REFRESH_TOKEN"),
            "PYTHONUNBUFFERED",
        ):
            monkeypatch.delenv(name, raising=False)
        self.set("HUBSPOT_ACCESS_TOKEN", TOKEN)
        self.set("HUBSPOT_BATCH_RUNS", str(self.runs))

    @cached_property
    def box(self) -> Sandbox:
        """A sandbox in which no two orders have the same number."""
        return self.open(properties={"orders": {NUMBER: Property("text", unique=True)}})

    def open(self, **options: Any) -> Sandbox:  # noqa: ANN401
        """Start another sandbox."""
        return self._stack.enter_context(Sandbox(**{"access_token": TOKEN} | options))

    def set(self, name: str, value: str) -> None:
        """Set a variable of the environment."""
        self._monkeypatch.setenv(name, value)

    def unset(self, name: str) -> None:
        """Remove a variable of the environment."""
        self._monkeypatch.delenv(name)

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Done:
        """Run a command in this process."""
        from hubspot_batch.cli._commands import commands  # noqa: PLC0415 - it needs the extra `cli`

        texts = [str(argument) for argument in arguments]
        self._monkeypatch.setattr(sys, "argv", ["hubspot-batch", *texts])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            commands(texts, prog_name="hubspot-batch")
        out, err = self._capture.readouterr()
        assert "Traceback" not in err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    def push(self, *arguments: object, stdin: bytes = b"") -> Done:
        """Run `create` or `update` in this process."""
        return self(*arguments, "--base-url", self.box.url, stdin=stdin)

    def start(
        self,
        *arguments: object,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Start a command in a process of its own. It ignores no signal, even if the tests do."""
        return subprocess.Popen(
            [sys.executable, "-m", "hubspot_batch", *map(str, arguments)],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )

    def sent(self, object_type: str = "orders") -> list[dict[str, str | None]]:
        """Return the properties of the records that there are."""
        return [dict(record.properties) for record in self.box.records(object_type)]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    """Return the command line."""
    with ExitStack() as stack:
        yield Shell(tmp_path, stack, monkeypatch, capfd)
