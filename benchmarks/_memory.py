"""How much memory this process has had at its peak."""

import resource
import sys
from pathlib import Path

KIBIBYTE = 1024


def peak() -> int:
    """Return the peak in bytes.

    Linux lets a new program begin with the peak of the process that started it, as far as getrusage tells;
    its own stands in /proc.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        unit = 1 if sys.platform == "darwin" else KIBIBYTE
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return next(int(line.split()[1]) * KIBIBYTE for line in lines if line.startswith("VmHWM"))
