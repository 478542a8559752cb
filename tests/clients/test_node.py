"""A program in Node whose tests set the sandbox up over HTTP: seeds, resets, scripted faults, the clock."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hubspot_batch.sandbox import Sandbox

PROGRAM = Path(__file__).with_name("shop_sync.cjs")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_a_program_in_node_is_tested_against_the_sandbox() -> None:
    with Sandbox() as box:
        done = subprocess.run(
            [shutil.which("node") or "", "--test", "--test-reporter=tap", PROGRAM],
            env={**os.environ, "SANDBOX": box.url},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass 5$", done.stdout, re.MULTILINE), done.stdout
