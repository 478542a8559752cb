"""The report of a run in a real browser: headless Chromium, at several widths, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs the dependency group browser")

import _chromium
from _chromium import chromium, visit
from playwright.sync_api import Browser

from hubspot_batch.bulk import Outcome, Outcomes, Report
from hubspot_batch.cli._html_report import RunFacts, page_of
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import Sample
from hubspot_batch.results import Reason

pytestmark = pytest.mark.skipif(_chromium.COMMAND is None, reason="no Chromium is installed")

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><style>body{display:none}</style>"
LONG = "a_property_without_a_gap_" * 6
RUN = RunFacts(
    title=f"create orders from {LONG}.csv",
    job=Job(verb="create", object_types=("orders",)),
    name=f"20260901-081502-{LONG}",
    started="2026-09-01T08:15:02Z",
    command=["create", "orders", f"{LONG}.csv", "--report", "run.html", HOSTILE],
    service="https://api.hubapi.com",
    to_mend=f"{LONG}-rejected.csv",
)
OUTCOMES = (
    Outcome(index=0, status="rejected", reasons=(Reason(code="OTHER", property=LONG, message=HOSTILE),)),
    Outcome(index=99_999, status="unknown", category="HTTP_504"),
)
REPORT = Report(
    operation="create_orders",
    outcomes=Outcomes(lambda: iter(OUTCOMES)),
    read=100_000,
    done=99_998,
    rejected=1,
    unknown=1,
    requests=1000,
    seconds=53.0,
    rate_limit=19.0,
    quota_share=0.99,
)
SAMPLES = [Sample(second, int(second) * 19, int(second) * 1900) for second in map(float, range(54))]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.html"
    path.write_text(page_of(RUN, REPORT, SAMPLES), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 400, 1200])
def test_nothing_is_cut_off_and_no_word_is_narrow(
    browser: Browser, file: Path, width: int, *, dark: bool
) -> None:
    with visit(browser, file.as_uri(), width=width, dark=dark) as seen:
        narrowest = seen.page.evaluate(
            "Math.min(...[...document.querySelectorAll('li, dd, p, pre')].map((one) => one.clientWidth))"
        )
        light = seen.page.evaluate("getComputedStyle(document.body).color")

        assert seen.overflow == 0
        assert narrowest >= 100
        assert light == ("rgb(255, 255, 255)" if dark else "rgb(0, 0, 0)")


def test_the_page_is_styled_and_asks_for_nothing(browser: Browser, file: Path) -> None:
    with visit(browser, file.as_uri()) as seen:
        assert seen.page.evaluate("getComputedStyle(document.querySelector('.figures')).display") == "grid"
        assert seen.page.evaluate("document.images.length") == 0
        assert seen.page.evaluate("document.title") == RUN.title
        assert seen.requests == [file.as_uri()]
        assert seen.complaints == []


def test_the_policy_stops_what_would_be_markup(browser: Browser, file: Path) -> None:
    attack = f"<script>document.title = 'owned'</script>{HOSTILE}</body>"
    file.write_text(file.read_text(encoding="utf-8").replace("</body>", attack), encoding="utf-8")

    with visit(browser, file.as_uri()) as seen:
        assert seen.page.evaluate("document.title") == RUN.title
        assert seen.page.evaluate("getComputedStyle(document.body).display") == "block"
        assert len(seen.complaints) >= 3
        assert all("Content Security Policy" in complaint for complaint in seen.complaints)
