"""One virtual environment for each candidate, so that none sees what another one needs."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDER = ROOT / ".nox" / ".cache"
CONSTRAINTS = ROOT / "constraints.txt"

BARE = "bare"
CLI = "cli"
REDIS = "redis"
API_CLIENT = "hubspot-api-client"
SDK = "hubspot-sdk"
S6R = "s6r-hubspot"
REQUIREMENTS: Mapping[str, Sequence[str]] = {
    BARE: (f"--editable={ROOT}", "orjson"),
    CLI: (f"--editable={ROOT}[cli]",),
    REDIS: (f"--editable={ROOT}[redis]", "orjson"),
    API_CLIENT: ("hubspot-api-client==12.0.0",),
    SDK: ("hubspot-sdk==0.1.0a9",),
    S6R: ("s6r-hubspot==1.1.6",),
}


def python(name: str) -> str:
    """Return the interpreter of an environment, which is made if it is not there."""
    requirements = REQUIREMENTS[name]
    key = "\n".join([sys.version, *requirements]).encode() + CONSTRAINTS.read_bytes()
    folder = FOLDER / f"bench-{name}-{hashlib.sha256(key).hexdigest()[:12]}"
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        uv("venv", "--clear", f"--python={sys.executable}", str(folder))
        uv(
            *("pip", "install", f"--python={interpreter}", f"--constraint={CONSTRAINTS}"),
            *("--compile-bytecode", *requirements),
        )
        (folder / "complete").touch()
    return str(interpreter)


def variables() -> dict[str, str]:
    """Return the variables for a process of an environment: it imports the clients, and nothing of ours.

    Python keeps what it compiles, as an installation does. Else this checkout alone would be compiled anew by
    each process where the surroundings say PYTHONDONTWRITEBYTECODE.
    """
    return {**os.environ, "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}


def uv(*arguments: str) -> None:
    """Run uv."""
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)
