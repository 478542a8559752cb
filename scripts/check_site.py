"""Open each page of the built documentation in headless Chromium, wide and narrow, light and dark.

    python scripts/check_site.py site

Exit codes: 0 all is well, or no Chromium is installed and this is not CI; 1 a page asks for something from
another site, is wider than the window, or has an error; 2 wrong usage.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import _chromium
from _chromium import chromium, visit
from playwright.sync_api import Browser

VIEWS = ((1200, False), (400, True))
# Opened as pages, they have no text of their own.
NOT_PAGES = {"404.html"}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, and yield the address."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def problems(browser: Browser, site: str, name: str) -> Iterator[str]:
    """Yield what is wrong with a page."""
    for width, dark in VIEWS:
        with visit(browser, f"{site}/{name}", width=width, dark=dark) as seen:
            strange = [url for url in seen.requests if not url.startswith((f"{site}/", "data:", "blob:"))]
            yield from (f"{name}: it asks for {url}" for url in strange)
            yield from (f"{name}: {complaint}" for complaint in seen.complaints)
            if seen.overflow:
                yield f"{name}: at {width} pixels, it is {seen.overflow} pixels too wide"
            if not seen.page.evaluate("document.querySelector('h1')?.innerText"):
                yield f"{name}: it has no heading"


def main(folder: Path) -> int:
    """Check the pages of a folder, and return the exit code."""
    if _chromium.COMMAND is None:
        print("No Chromium is installed, so no page was opened")
        return int(bool(os.environ.get("CI")))
    pages = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html"))]
    pages = [name for name in pages if name not in NOT_PAGES]
    with served(folder) as site, chromium() as browser:
        found = [problem for name in pages for problem in problems(browser, site, name)]
    print("\n".join(found) or f"{len(pages)} pages are as they should be")
    return int(bool(found) or not pages)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and a folder
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1])))
