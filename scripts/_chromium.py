"""Headless Chromium over its debugging pipe: pictures and requests of pages, of any width, light or dark."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

COMMAND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The command; None if no Chromium is installed."""

_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
)
# Chromium reads commands from descriptor 3, and writes events to 4.
_WITH_PIPES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_MOST_SECONDS = 60
_HIGHEST_PICTURE = 16_000


class Chromium:
    """A browser that runs."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._events = events
        self._read = b""
        self._last_id = 0
        self.seen: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:  # noqa: ANN401
        """Call a method of the protocol, and return its result. What is reported meanwhile goes to `seen`."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._next()).get("id") != self._last_id:
            self.seen.append(reply)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        result: dict[str, Any] = reply["result"]
        return result

    def wait_for(self, method: str, session: str) -> None:
        """Wait until an event is reported."""
        while not any(one.get("method") == method and one.get("sessionId") == session for one in self.seen):
            self.seen.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            if not select.select([self._events], [], [], _MOST_SECONDS)[0]:
                raise RuntimeError(f"Chromium has been silent for {_MOST_SECONDS} seconds")
            if not (read := os.read(self._events, 2**20)):
                raise RuntimeError("Chromium has ended")
            self._read += read
        message, _, self._read = self._read.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    @contextmanager
    def page(self, url: str, *, width: int = 1200, dark: bool = False) -> Generator["Page", None, None]:
        """Open a page, and wait until it is loaded and drawn."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired", session)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 400)))")
        try:
            yield page
        finally:
            self.call("Target.closeTarget", targetId=target)


class Page:
    """A page that is open."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401
        """Call a method of the protocol for this page."""
        return self._browser.call(method, self._session, **params)

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - JSON
        """Return the value of an expression, or what a promise gives."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def screenshot(self, file: Path, *, height: int = _HIGHEST_PICTURE) -> None:
        """Make a picture of the page from its top, at most this high: a file that ends in .png or .webp."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": 1, "width": size["width"], "height": min(size["height"], height)}
        form = file.suffix.removeprefix(".")
        picture = self.call("Page.captureScreenshot", format=form, captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(picture["data"]))

    @property
    def overflow(self) -> int:
        """By how many pixels something is wider than the page."""
        width = self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return int(width)

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """What the console says: errors of scripts, and what the page's policy has stopped."""
        logged = [event["entry"]["text"] for event in self._events("Log.entryAdded")]
        thrown = [event["exceptionDetails"] for event in self._events("Runtime.exceptionThrown")]
        return logged + [f"{one['text']} {one.get('exception', {}).get('description', '')}" for one in thrown]

    def _events(self, method: str) -> list[dict[str, Any]]:
        self.call("Runtime.evaluate", expression="0")
        return [
            event["params"]
            for event in self._browser.seen
            if event.get("method") == method and event.get("sessionId") == self._session
        ]


@contextmanager
def chromium() -> Generator[Chromium, None, None]:
    """Start Chromium, and end it.

    Raises:
        RuntimeError: If none is installed.
    """
    if COMMAND is None:
        raise RuntimeError("install Chromium")
    from_us, commands = os.pipe()
    events, to_us = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [COMMAND, *_OPTIONS, f"--user-data-dir={profile}"]
        started = subprocess.Popen(
            [sys.executable, "-c", _WITH_PIPES, str(from_us), str(to_us), *arguments],
            pass_fds=(from_us, to_us),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TZ": "UTC"},
        )
        os.close(from_us)
        os.close(to_us)
        try:
            browser = Chromium(commands, events)
            yield browser
            browser.call("Browser.close")
        finally:
            os.close(commands)
            os.close(events)
            started.terminate()
            started.wait()
