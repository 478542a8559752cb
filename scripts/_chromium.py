"""Pages in headless Chromium, of any width, light or dark, with what they ask for and complain of."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

COMMAND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The command; None if no Chromium is installed."""


@dataclass(frozen=True)
class Visit:
    """A page that is open."""

    page: Page
    requests: list[str] = field(default_factory=list)  # the addresses that it asked for
    # What the console says: errors of scripts, and what the page's policy has stopped.
    complaints: list[str] = field(default_factory=list)

    @property
    def overflow(self) -> int:
        """By how many pixels something is wider than the page."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(width))


@contextmanager
def chromium() -> Generator[Browser, None, None]:
    """Start the Chromium that is installed, and end it.

    Raises:
        RuntimeError: If none is installed.
    """
    if COMMAND is None:
        raise RuntimeError("install Chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=COMMAND) as browser:
        yield browser


@contextmanager
def visit(
    browser: Browser, url: str, *, width: int = 1200, height: int = 800, dark: bool = False
) -> Generator[Visit, None, None]:
    """Open a page, and wait until it is loaded and asks for nothing more."""
    window: ViewportSize = {"width": width, "height": height}
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    with browser.new_page(viewport=window, color_scheme=scheme, locale="en-US", timezone_id="UTC") as page:
        found = Visit(page)

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                found.complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: found.complaints.append(error.stack or str(error)))
        page.on("request", lambda request: found.requests.append(request.url))
        page.goto(url, wait_until="networkidle")
        yield found
