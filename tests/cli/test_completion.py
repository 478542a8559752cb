"""Commands completed by a shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


@pytest.mark.parametrize(
    ("shell_name", "mark"),
    [
        ("bash", "complete -o nosort -F _hubspot_batch_completion hubspot-batch"),
        ("zsh", "#compdef hubspot-batch"),
        ("fish", "complete --no-files --command hubspot-batch"),
    ],
)
def test_a_script_for_each_shell(shell_name: str, mark: str, shell: "Shell") -> None:
    done = shell("completion", shell_name)

    assert (done.code, done.err) == (0, "")
    assert mark in done.out


def test_a_shell_that_is_not_known(shell: "Shell") -> None:
    done = shell("completion", "tcsh")

    assert done.code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "replies"),
    [
        ("hubspot-batch cre", ["create"]),
        ("hubspot-batch create ord", ["orders"]),
        ("hubspot-batch create orders --unique", ["--unique-property"]),
    ],
)
def test_bash_completes(words: str, replies: list[str], tmp_path: Path, shell: "Shell") -> None:
    program = tmp_path / "hubspot-batch"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hubspot_batch "$@"\n')
    program.chmod(0o755)
    script = shell("completion", "bash").out
    ask = (
        f"{script}\nCOMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; "
        '_hubspot_batch_completion hubspot-batch; printf "%s\\n" "${COMPREPLY[@]}"'
    )

    done = subprocess.run(
        ["bash", "-c", ask],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == replies
