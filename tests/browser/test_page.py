"""The pages of the sandbox in a real browser: headless Chromium, driven by its command line alone."""

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubspot_batch.sandbox._page import (
    HEADERS,
    FaultChange,
    FaultState,
    ObjectTypeEntry,
    QuotaState,
    RecordEntry,
    RequestEntry,
    SecondEntry,
    State,
    page,
)
from hubspot_batch.sandbox._server import address_of, listen, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

DARK = "--blink-settings=preferredColorScheme=0"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--lang=en",
    "--virtual-time-budget=4000",
)
WHY = "hs_total_price: 12,50 was not a valid long. (3 times) <img src=x onerror=\"document.title='owned'\">"
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"

REQUESTS = (
    RequestEntry(
        number=4,
        at="2026-09-01T08:15:02.120Z",
        method="POST",
        path="/crm/v3/objects/orders/batch/create",
        operation="create_orders",
        status=201,
        inputs=100,
        written=100,
        refused=0,
        fault=None,
        milliseconds=7.25,
    ),
    RequestEntry(
        number=3,
        reasons=["hs_total_price: 12,50 was not a valid long. (3 times)", HOSTILE],
        at="2026-09-01T08:15:01.007Z",
        method="POST",
        path="/crm/v3/objects/line_items/batch/create",
        operation="create_line_items",
        status=207,
        inputs=100,
        written=97,
        refused=3,
        fault=None,
        milliseconds=31.6,
    ),
    RequestEntry(
        number=2,
        at="2026-09-01T08:15:00.500Z",
        method="POST",
        path="/crm/v3/objects/orders/batch/update",
        operation="update_orders",
        status=0,
        inputs=40,
        written=40,
        refused=0,
        fault="reset-after",
        milliseconds=1204.4,
    ),
    RequestEntry(
        number=1,
        at="2026-09-01T08:14:59.000Z",
        method="GET",
        path=f"/{HOSTILE}",
        operation=None,
        status=404,
        inputs=0,
        written=0,
        refused=0,
        fault=None,
        milliseconds=0.4,
    ),
)
STATE = State(
    url="http://127.0.0.1:8089",
    access_token="sandbox-token",
    version="0.1.0",
    up_seconds=3725.5,
    records=(
        ObjectTypeEntry(
            object_type="orders",
            count=12480,
            latest=(
                RecordEntry(id="20000000002", name="A-1002", associations=1),
                RecordEntry(id="20000000001", name=HOSTILE, associations=1),
            ),
        ),
        ObjectTypeEntry(
            object_type="line_items",
            count=1,
            latest=(RecordEntry(id="20000000003", name=None, associations=1),),
        ),
        ObjectTypeEntry(object_type="carts", count=0, latest=()),
    ),
    quota=QuotaState(limit=190, window=10, used=183, daily=1_000_000, daily_used=4211),
    per_second=tuple(
        SecondEntry(second=age, admitted=(age * 7) % 22, refused=5 if age == 1 else 0)
        for age in range(59, -1, -1)
    ),
    requests=REQUESTS,
    faults=(
        FaultState(name="504-after", description="a gateway gave up waiting, after the write", rate=0.07),
        FaultState(name="reset-after", description="the connection is reset", rate=0),
        FaultState(name="slow", description="the reply comes late", rate=0),
    ),
)


RECORD = {
    "objectType": "orders",
    "properties": {"hs_order_name": HOSTILE, "hs_tags": None},
    "associations": [
        {"toType": "contacts", "toId": "301", "category": "HUBSPOT_DEFINED", "typeId": 507},
    ],
    "createdAt": "2026-09-01T08:15:00.000Z",
    "updatedAt": "2026-09-01T08:16:00.000Z",
    "archivedAt": "2026-09-01T08:17:00.000Z",
}
HISTORY = [
    {"properties": {"hs_order_name": "A", "hs_tags": "x"}, "writtenAt": "2026-09-01T08:15:00.000Z"},
    {"properties": {"hs_order_name": HOSTILE, "hs_tags": None}, "writtenAt": "2026-09-01T08:16:00.000Z"},
]


class Log:
    """Note what is asked for."""

    def __init__(self, app: ASGIApp, asked: list[str]) -> None:
        self.app = app
        self.asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)


class Site:
    """Both pages, with a state that is made up."""

    def __init__(self) -> None:
        self.state = STATE
        self.status = 200
        self.script = ""
        self.url = ""
        self.asked: list[str] = []
        self.changes: list[FaultChange] = []
        self.keys: set[str | None] = set()
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/narrow/{height:int}/{path:path}", self._narrow),
                Route("/framed/{path:path}", self._page),
                Route("/_sandbox/state", self._state),
                Route("/_sandbox/faults", self._set_fault, methods=["POST"]),
                Route("/_sandbox/requests", self._request),
                Route("/_sandbox/records/{type}/{id}", self._record),
                Route("/_sandbox/records/{type}/{id}/history", self._history),
            ],
            middleware=[Middleware(Log, asked=self.asked)],
        )

    async def _page(self, request: Request) -> Response:
        policy = HEADERS["Content-Security-Policy"]
        if request.url.path.startswith("/framed/"):
            policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        script = f"<script>{self.script}</script>" if self.script else ""
        return HTMLResponse(page() + script, headers={**HEADERS, "Content-Security-Policy": policy})

    async def _narrow(self, request: Request) -> Response:
        # Chromium makes no window narrower than 500 pixels.
        path, height = request.path_params["path"], request.path_params["height"]
        style = f"border: 0; width: 420px; height: {height}px"
        return HTMLResponse(f'<body style="margin: 0"><iframe src="/framed/{path}" style="{style}"></iframe>')

    async def _state(self, request: Request) -> Response:
        self.keys.add(request.headers.get("authorization"))
        return Response(msgspec.json.encode(self.state), self.status)

    async def _request(self, request: Request) -> Response:
        number = int(request.query_params["after"]) + 1
        found = [one.summary() for one in REQUESTS if one.number == number]
        said = {"query": "limit=1", "body": {"note": HOSTILE}, "reply": "<html>"}
        return JSONResponse({"results": [msgspec.to_builtins(one) | said for one in found]})

    async def _record(self, request: Request) -> Response:
        if request.path_params["id"] == "7":
            return JSONResponse({"message": "there is no record of orders with the id 7"}, 400)
        return JSONResponse(RECORD | {"id": request.path_params["id"]})

    async def _history(self, _request: Request) -> Response:
        return JSONResponse({"results": HISTORY})

    async def _set_fault(self, request: Request) -> Response:
        change = msgspec.json.decode(await request.body(), type=FaultChange)
        self.changes.append(change)
        faults = [
            msgspec.structs.replace(fault, rate=change.rate) if fault.name == change.name else fault
            for fault in self.state.faults
        ]
        self.state = msgspec.structs.replace(self.state, faults=faults)
        return Response(status_code=self.status)


class Browser:
    """Chromium, which opens one page, waits for four seconds of its own time, and ends."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self.console: list[str] = []

    def dom(self, url: str, *options: str) -> str:
        """Return the page as it stands in the end."""
        return self._run("--dump-dom", *options, url)

    def screenshot(self, url: str, file: Path, size: tuple[int, int], *options: str) -> tuple[int, int]:
        """Make a picture of the page, and return its size."""
        width, height = size
        self._run(
            f"--screenshot={file}", f"--window-size={width},{height}", "--hide-scrollbars", *options, url
        )
        found: tuple[int, int] = struct.unpack(">II", file.read_bytes()[16:24])
        return found

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(CHROMIUM), *OPTIONS, f"--user-data-dir={self._profile}", *arguments],
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
        self.console += re.findall(r"CONSOLE:\d+\] (.*)", done.stderr)
        return done.stdout


@contextmanager
def served() -> Generator[Site, None, None]:
    site = Site()
    with closing(listen("127.0.0.1", 0)) as listener, serving(site.app, listener):
        site.url = address_of(listener)
        yield site


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path / "profile")


@pytest.fixture(scope="module")
def dom(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page as it stands with the state that is made up."""
    with served() as site:
        return Browser(tmp_path_factory.mktemp("profile")).dom(site.url)


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def element(dom: str, name: str) -> str:
    """Return the text of the element of this id. It must hold no element of its own name."""
    found = re.search(rf'<(\w+)[^>]* id="{name}".*?>(.*?)</\1>', dom, re.DOTALL)
    assert found, name
    return text_of(found[2])


def rows(dom: str, name: str) -> list[list[str]]:
    """Return the body rows of the table in the element of this id, cell by cell."""
    table = dom[dom.index(f'id="{name}"') :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    return [
        [text_of(cell) for _, cell in re.findall(r"<(t[hd])\b[^>]*>(.*?)</\1>", row, re.DOTALL)]
        for row in re.split("<tr[ >]", body)[1:]
    ]


def test_the_page_shows_the_numbers_of_the_state(dom: str) -> None:
    assert element(dom, "live") == "Live"
    assert element(dom, "version") == "hubspot-batch 0.1.0, up 1 h 2 min"
    assert (element(dom, "stored"), element(dom, "stored-note")) == ("12,481", "in 2 object types")
    assert (element(dom, "now"), element(dom, "now-note")) == ("12", "in the last full second, 5 refused")
    assert (element(dom, "window"), element(dom, "window-note")) == (
        "183",
        "of 190 requests in the last 10 s",
    )
    assert (element(dom, "day"), element(dom, "day-note")) == ("4,211", "of 1,000,000 requests today")


def test_the_page_shows_what_is_stored(dom: str) -> None:
    stored = text_of(dom[dom.index(">", dom.index('id="records"')) : dom.index('id="requests-title"')])
    assert "orders 12,480 Id Name 20000000002 A-1002" in stored
    assert "line_items 1 Id Name 20000000003 (no name)" in stored
    assert "carts 0 none yet" in stored


def test_the_page_shows_the_last_requests(dom: str) -> None:
    assert rows(dom, "requests") == [
        ["08:15:02.120", "201", "create_orders", "100", "100", "0", "", "7.3"],
        ["08:15:01.007", "207", f"create_line_items {WHY}", "100", "97", "3", "", "32"],
        ["08:15:00.500", "no reply", "update_orders", "40", "40", "0", "reset-after", "1,204"],
        ["08:14:59.000", "404", f"GET /{HOSTILE}", "0", "0", "0", "", "0.4"],
    ]


def detail(dom: str) -> str:
    return text_of(dom[dom.index('id="detail"') - 8 : dom.index("</dialog>")])


def test_a_record_is_shown_with_its_properties_history_and_links(site: Site, browser: Browser) -> None:
    site.script = """setTimeout(() => document.querySelector("#records td button").click(), 1000);"""

    shown = detail(browser.dom(site.url))

    assert "orders 20000000002 Close created 2026-09-01 08:15:00.000 UTC" in shown
    assert "archived 2026-09-01 08:17:00.000 UTC" in shown
    assert f"Properties hs_order_name {HOSTILE} hs_tags (empty)" in shown
    assert "Links contacts 301 (HUBSPOT_DEFINED 507)" in shown
    assert f"08:16:00.000 UTC hs_order_name: A → {HOSTILE} hs_tags: x → (empty) 2026-09-01 08:15" in shown
    assert browser.console == []


def test_a_record_is_found_by_its_id_and_a_link_leads_to_another(site: Site, browser: Browser) -> None:
    site.script = """
        setTimeout(() => { $("find-id").value = "8"; $("find").requestSubmit(); }, 1000);
        setTimeout(() => $("detail").querySelector("li button").click(), 1500);
    """
    assert "contacts 301 Close created" in detail(browser.dom(site.url))
    site.script = """setTimeout(() => { $("find-id").value = "7"; $("find").requestSubmit(); }, 1000);"""
    assert "there is no record of orders with the id 7" in detail(browser.dom(site.url))


def test_a_request_is_shown_with_what_was_refused_and_why(site: Site, browser: Browser) -> None:
    site.script = """
        setTimeout(() => document.querySelectorAll("#requests td button")[1].click(), 1000);
    """

    shown = detail(browser.dom(site.url))

    assert "POST /crm/v3/objects/line_items/batch/create?limit=1 Close 207 at" in shown
    assert f"100 inputs, 97 written, 3 refused Refused, and why {WHY} Request" in shown
    assert '"note": "<img src=x' in shown
    assert "Reply <html>" in shown
    site.script = "setTimeout(() => showRequest(99), 1000);"
    assert "Request 99 Close it is not kept any more" in detail(browser.dom(site.url))


def test_a_sandbox_with_a_key_asks_for_it(site: Site, browser: Browser) -> None:
    site.status = 401
    site.script = """setTimeout(() => { $("key").value = "k"; $("locked").requestSubmit(); }, 1000);"""

    dom = browser.dom(site.url)

    assert 'id="locked">' in dom
    assert site.keys == {None, "Bearer k"}
    site.status = 200
    assert 'id="locked" hidden="">' in browser.dom(site.url)


def test_the_page_shows_the_faults_and_which_are_in_force(dom: str) -> None:
    assert [row[0] for row in rows(dom, "faults")] == [
        f"{fault.name} {fault.description}" for fault in STATE.faults
    ]
    assert re.findall(r'role="switch" aria-checked="(\w+)" aria-label="([^"]*)"', dom) == [
        ("true", "Fault 504-after"),
        ("false", "Fault reset-after"),
        ("false", "Fault slow"),
    ]
    assert re.search(r'value="7" aria-label="Rate of 504-after in percent"', dom)
    assert element(dom, "faults-note") == "1 in force"


def test_the_chart_has_a_bar_for_each_second_and_the_line_of_the_quota(dom: str) -> None:
    chart = dom[dom.index("<svg") : dom.index("</svg>")]
    assert len(re.findall(r'<rect class="admitted"', chart)) == 60
    assert "<title>1 s ago: 7 admitted, 5 refused</title>" in chart
    assert len(re.findall(r'<line class="limit"', chart)) == 1
    assert 'aria-label="Requests per second over the last minute, at most 21"' in chart
    assert element(dom, "limit") == "quota, 19/s on average"


def test_the_page_says_how_to_point_a_client_at_the_sandbox(dom: str) -> None:
    assert (element(dom, "url"), element(dom, "token")) == ("http://127.0.0.1:8089", "sandbox-token")
    call = 'with HubSpot( "sandbox-token", base_url="http://127.0.0.1:8089", ) as hub:'
    assert call in element(dom, "snippet")


@pytest.mark.parametrize(
    ("client", "call"),
    [
        ("hubspot-api-client", 'HubSpot( access_token="it\'s", host="http://127.0.0.1:8089", )'),
        ("hubspot-sdk", 'HubSpot( access_token="it\'s", base_url="http://127.0.0.1:8089", )'),
        ("curl", "URL='http://127.0.0.1:8089' TOKEN='it'\\''s' curl $URL/crm/v3/objects/orders/batch/create"),
    ],
)
def test_the_page_has_code_for_other_clients(site: Site, browser: Browser, client: str, call: str) -> None:
    site.state = msgspec.structs.replace(STATE, access_token="it's")
    site.script = f"""setTimeout(() => {{
        $("client").value = "{client}"; $("client").dispatchEvent(new Event("change"));
    }}, 1000);"""

    assert call in element(browser.dom(site.url), "snippet")


def test_without_limits_the_page_shows_what_is_used(site: Site, browser: Browser) -> None:
    quota = QuotaState(limit=None, window=10, used=7, daily=None, daily_used=42)
    site.state = msgspec.structs.replace(STATE, quota=quota, requests=(), per_second=(), faults=())

    dom = browser.dom(site.url)

    assert (element(dom, "window"), element(dom, "window-note")) == (
        "7",
        "requests in the last 10 s, no limit",
    )
    assert (element(dom, "day"), element(dom, "day-note")) == ("42", "requests today, no limit")
    assert (element(dom, "requests-note"), rows(dom, "requests")) == ("none yet", [])
    assert element(dom, "limit") == "no quota"
    assert '<line class="limit"' not in dom
    assert browser.console == []


def test_data_is_text_and_never_markup(site: Site, browser: Browser) -> None:
    site.script = "setTimeout(() => { document.title += ` ${document.images.length} images`; }, 3000);"

    assert "<title>HubSpot sandbox 0 images</title>" in browser.dom(site.url)
    assert browser.console == []


def test_the_page_asks_for_nothing_but_itself_and_the_state(site: Site, browser: Browser) -> None:
    names = "performance.getEntriesByType('resource').map((entry) => entry.name).join(' ')"
    site.script = f"setTimeout(() => {{ document.title = 'loaded ' + {names}; }}, 3500);"

    dom = browser.dom(site.url)

    state = f"{site.url}/_sandbox/state"
    loaded = re.search("<title>loaded (.*)</title>", dom)
    assert loaded
    assert set(loaded[1].split()) == {state}
    assert set(site.asked) == {"GET /", "GET /_sandbox/state"}
    assert browser.console == []


def test_the_page_asks_for_the_state_once_a_second(site: Site, browser: Browser) -> None:
    browser.dom(site.url)

    assert 3 <= site.asked.count("GET /_sandbox/state") <= 6


def test_a_paused_page_asks_no_more(site: Site, browser: Browser) -> None:
    site.script = 'setTimeout(() => $("pause").click(), 500);'

    dom = browser.dom(site.url)

    assert site.asked.count("GET /_sandbox/state") == 1
    assert element(dom, "live") == "Paused"
    assert 'aria-pressed="true"' in dom


def test_switches_and_rates_set_and_clear_faults(site: Site, browser: Browser) -> None:
    site.script = """
        const row = (index) => $("faults").tBodies[0].rows[index];
        const type = (index, value) => {
            const input = row(index).querySelector("input");
            input.value = value;
            input.dispatchEvent(new Event("change"));
        };
        setTimeout(() => type(1, 12.5), 500);
        setTimeout(() => row(1).querySelector("button").click(), 1000);
        setTimeout(() => row(0).querySelector("button").click(), 1500);
        setTimeout(() => type(1, 30), 2000);
    """

    dom = browser.dom(site.url)

    assert site.changes == [
        FaultChange(name="reset-after", rate=0.125),
        FaultChange(name="504-after", rate=0),
        FaultChange(name="reset-after", rate=0.3),
    ]
    assert element(dom, "faults-note") == "1 in force"


def test_all_faults_are_cleared_at_once(site: Site, browser: Browser) -> None:
    faults = [msgspec.structs.replace(fault, rate=0.5) for fault in STATE.faults]
    site.state = msgspec.structs.replace(STATE, faults=faults)
    site.script = 'setTimeout(() => $("clear").click(), 1000);'

    dom = browser.dom(site.url)

    assert site.changes == [FaultChange(name=fault.name, rate=0) for fault in faults]
    assert element(dom, "faults-note") == "none in force"


def test_a_fault_that_cannot_be_set_and_a_state_that_does_not_come_are_told(
    site: Site, browser: Browser
) -> None:
    site.script = """setTimeout(() => $("faults").querySelector("button").click(), 1000);"""
    site.state = msgspec.structs.replace(STATE, requests=())

    def fail(_request: Request) -> Response:
        site.status = 500
        return Response(status_code=500)

    for route in site.app.routes:
        assert isinstance(route, Route)
        if route.path == "/_sandbox/faults":
            site.app.routes[site.app.routes.index(route)] = Route(route.path, fail, methods=["POST"])

    dom = browser.dom(site.url)

    assert element(dom, "faults-note") == "504-after was not set: status 500"
    assert element(dom, "live") == "No answer (status 500)"


COLOURS = """setTimeout(() => {
    document.title = getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color;
}, 1000);"""


def test_the_page_follows_the_colour_scheme_of_the_reader(site: Site, browser: Browser) -> None:
    site.script = COLOURS

    light = browser.dom(site.url)
    dark = browser.dom(site.url, DARK)

    assert "<title>rgb(244, 245, 247)rgb(28, 36, 48)</title>" in light
    assert "<title>rgb(18, 22, 28)rgb(228, 232, 238)</title>" in dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (420, 900)], ids=["wide", "narrow"])
def test_the_page_fits_the_window(
    site: Site, browser: Browser, tmp_path: Path, scheme: str, size: tuple[int, int]
) -> None:
    """The pictures stay in the folder that pytest keeps: `--basetemp` says where."""
    narrow = size[0] < 500
    url = f"{site.url}/narrow/{size[1]}/" if narrow else site.url
    options = [DARK] if scheme == "dark" else []
    # A page that is wider than its window says so.
    site.script = """setTimeout(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) console.error(`${scrollWidth} is wider than ${clientWidth}`);
    }, 2000);"""

    found = browser.screenshot(url, tmp_path / "page.png", size, *options)

    assert found == size
    assert browser.console == []
