"""A naive loop: one batch after the other until the time is over, in one thread or in many.

    python benchmarks/_loop.py CLIENT THREADS URL SECONDS

CLIENT is a module of clients/. Prints how many batches ended with an exception, and the processor time.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from _batches import MAIN, shape


def main() -> None:
    """Loop, and print what became of it."""
    client, threads, url, seconds = sys.argv[1:]
    send: Callable[[], object] = import_module(f"clients.{client}").sender(url, shape(MAIN))
    end = time.monotonic() + float(seconds)
    with ThreadPoolExecutor(int(threads)) as pool:
        lost = sum(pool.map(lambda _: losses(send, end), range(int(threads))))
    print(json.dumps([lost, time.process_time()]))


def losses(send: Callable[[], object], end: float) -> int:
    """Send until the time is over, and return how many batches were lost."""
    lost = 0
    while time.monotonic() < end:
        try:
            send()
        except Exception:  # noqa: BLE001 - of whichever peer
            lost += 1
    return lost


if __name__ == "__main__":
    main()
