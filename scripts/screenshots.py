"""Make the pictures of the documentation: the page of the sandbox and the report of a run, light and dark.

    python scripts/screenshots.py docs/images

It pushes 20,000 orders into a sandbox that loses some answers, and opens both pages in headless Chromium.
"""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from _chromium import chromium, visit
from playwright.sync_api import Browser

from hubspot_batch.sandbox import Sandbox

ORDERS = Path(__file__).resolve().parent.parent / "examples" / "orders.csv"
PORT = 8089
TIMES = 40
WIDTH, HEIGHT = 1000, 1000


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work, Sandbox(port=PORT, seed=7, faults={"504-after": 0.02}) as box:
        header, *rows = ORDERS.read_text(encoding="utf-8").splitlines(keepends=True)
        Path(work, "orders.csv").write_text(header + "".join(rows) * TIMES, encoding="utf-8")
        subprocess.run(
            [
                *(sys.executable, "-m", "hubspot_batch", "create", "orders", "orders.csv"),
                *("--base-url", box.url, "--report", "run.html"),
            ],
            cwd=work,
            env={**os.environ, "HUBSPOT_ACCESS_TOKEN": box.access_token, "HUBSPOT_BATCH_RUNS": work},
            check=False,
        )
        with chromium() as browser:
            for name, url in (("sandbox", box.url), ("report", Path(work, "run.html").as_uri())):
                for file in pictures(browser, url, folder / name):
                    print(file)


def pictures(browser: Browser, url: str, path: Path) -> Iterator[Path]:
    """Make two pictures of a page, and yield their files."""
    for dark in (False, True):
        with visit(browser, url, width=WIDTH, height=HEIGHT, dark=dark) as seen:
            # Playwright's own pictures are PNG or JPEG.
            devtools = seen.page.context.new_cdp_session(seen.page)
            picture = devtools.send("Page.captureScreenshot", {"format": "webp"})
            file = path.with_name(f"{path.name}-{'dark' if dark else 'light'}.webp")
            file.write_bytes(base64.b64decode(picture["data"]))
            yield file


if __name__ == "__main__":
    main(Path(sys.argv[1]))
