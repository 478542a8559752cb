"""A run as an HTML page: well formed, complete, and nothing in it but text."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch.bulk import Outcome, Outcomes, Report
from hubspot_batch.cli._html_report import page_of
from hubspot_batch.cli._progress import Sample
from hubspot_batch.results import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.conftest import Shell, Write

SCRIPT = "<script>alert('1')</script>"
_EMPTY_ELEMENTS = {"meta", "polygon", "polyline", "line", "br"}


class Page(HTMLParser):
    """A page whose elements are closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in _EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert tag in _EMPTY_ELEMENTS
        assert attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data.strip())


def report(outcomes: "Sequence[Outcome]" = (), **figures: Any) -> Report:  # noqa: ANN401
    return Report(
        **{
            "operation": "create_orders",
            "outcomes": Outcomes(lambda: iter(outcomes)),
            "seconds": 4.0,
            "rate_limit": 19.0,
            **figures,
        }
    )


def refused(index: int, reason: str, message: str) -> Outcome:
    reasons = (Reason(code=reason, property="hs_tax", message=message),)
    return Outcome(index=index, status="rejected", category="VALIDATION_ERROR", reasons=reasons)


SAMPLES = [Sample(0.0, 0, 0), Sample(1.0, 19, 1900), Sample(3.0, 57, 5700), Sample(4.0, 60, 6000)]


def test_it_holds_the_figures() -> None:
    page = Page(
        page_of(
            "create orders from orders.csv",
            report(
                read=6000,
                done=5990,
                rejected=7,
                unknown=2,
                requests=60,
                retries=3,
                rate_limited=1,
                quota_share=0.9871,
                seconds=65.0,
            ),
            SAMPLES,
        )
    )

    pairs = dict(zip(page.texts[1:], page.texts, strict=False))
    names = (
        "rows",
        "done",
        "rejected",
        "unknown",
        "pending",
        "requests",
        "sent again",
        "answered with 429",
        "time",
        "of the quota",
    )
    assert {name: pairs[name] for name in names} == {
        "rows": "6,000",
        "done": "5,990",
        "rejected": "7",
        "unknown": "2",
        "pending": "1",
        "requests": "60",
        "sent again": "3",
        "answered with 429": "1",
        "time": "1 min 5 s",
        "of the quota": "98.7%",
    }
    assert page.texts.count("create orders from orders.csv") == 2
    assert page.links == []


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({"read": 2, "done": 2}, "Each row is done."),
        ({"read": 2, "done": 1, "rejected": 1}, "The run was finished; some rows are not done."),
        (
            {"read": 2, "done": 2, "finished": False},
            "The run was not finished: the same command again goes on where this stopped.",
        ),
    ],
)
def test_it_says_how_the_run_ended(figures: dict[str, Any], verdict: str) -> None:
    assert verdict in Page(page_of("title", report(**figures), SAMPLES)).texts


def test_it_does_not_promise_that_a_run_goes_on_in_a_sandbox_that_has_ended() -> None:
    page = Page(page_of("title", report(read=2, done=1, finished=False), SAMPLES, resumable=False))

    assert (
        "The run was not finished: the local HubSpot has ended; "
        "the same command begins from the first row in another one."
    ) in page.texts


def test_it_gives_each_reason_with_its_count_and_example_rows() -> None:
    outcomes = [refused(index, "INVALID_LONG", f"word {index}") for index in range(5)]
    outcomes.append(Outcome(index=9, status="unknown", category="HTTP_504"))
    outcomes.append(refused(11, "OTHER", "long " * 100))

    page = Page(
        page_of(
            "title",
            report(
                outcomes,
                read=20_012,
                reasons={"hs_tax: INVALID_LONG": 20_005, "HTTP_504": 1, "hs_tax: OTHER": 1},
            ),
            SAMPLES,
        )
    )

    start = page.texts.index("20,005")
    assert page.texts[start : start + 5] == [
        "20,005",
        "hs_tax: INVALID_LONG",
        "row 1: word 0",
        "row 2: word 1",
        "row 3: word 2",
    ]
    assert "row 4: word 3" not in page.texts
    assert "row 10: HTTP_504" in page.texts
    (long,) = [text for text in page.texts if text.startswith("row 12: long")]
    assert len(long) < 260
    assert long.endswith("...")
    assert page.tags.count("tr") == 4


def test_nothing_in_it_is_markup_of_others() -> None:
    outcomes = [refused(0, SCRIPT, f"the value {SCRIPT} is none")]

    text = page_of(f"create orders from {SCRIPT}.csv", report(outcomes, reasons={f"hs_tax: {SCRIPT}": 1}), [])

    page = Page(text)
    assert "script" not in page.tags
    assert f"create orders from {SCRIPT}.csv" in page.texts
    assert f"row 1: the value {SCRIPT} is none" in page.texts


def test_without_refusals_there_is_no_table() -> None:
    page = Page(page_of("title", report(read=1, done=1), SAMPLES))

    assert "There is none." in page.texts
    assert "table" not in page.tags


class TestChart:
    def test_it_steps_below_the_line_of_the_quota(self) -> None:
        text = page_of("title", report(), SAMPLES)

        (line,) = re.findall(r'<polyline points="([^"]*)"', text)
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        limit = float(re.findall(r'y1="([\d.]+)"', text)[0])
        assert [y for _, y in points] == [limit] * 4 + [points[-1][1]] * 2
        assert points[-1][1] > limit
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert points[-1][0] == 860
        assert "quota, 19 a second" in Page(text).texts
        assert "4.0 s" in Page(text).texts

    def test_a_burst_above_the_quota_stays_in_the_picture(self) -> None:
        text = page_of("title", report(rate_limit=10.0), [Sample(0.0, 0, 0), Sample(0.5, 50, 50)])

        (line,) = re.findall(r'<polyline points="([^"]*)"', text)
        assert min(float(point.split(",")[1]) for point in line.split()) > 0

    @pytest.mark.parametrize(
        "samples",
        [
            [],
            [Sample(0.0, 0, 0)],
            [Sample(0.0, 0, 0), Sample(0.0, 3, 3)],
            [Sample(0.0, 0, 0), Sample(1.0, 0, 100)],
        ],
    )
    def test_where_there_is_nothing_to_draw(self, samples: list[Sample]) -> None:
        page = Page(page_of("title", report(), samples))

        assert "Nothing was sent." in page.texts
        assert "svg" not in page.tags

    def test_of_one_sample(self) -> None:
        page = Page(page_of("title", report(), [Sample(0.0, 0, 0), Sample(0.2, 1, 2)]))

        assert "svg" in page.tags


def test_a_push_writes_it(write: "Write", shell: "Shell") -> None:
    path = write("<script>orders.csv", f"hs_order_name,hs_total_price\nA-1,1\nA-2,{SCRIPT}\nA-3,{SCRIPT}\n")
    target = path.with_name("run.html")

    assert shell.push("create", "orders", path, "--report", target).code == 4

    page = Page(target.read_text(encoding="utf-8"))
    assert "create orders from <script>orders.csv" in page.texts
    assert "hs_total_price: INVALID_LONG" in page.texts
    assert "script" not in page.tags
    assert "svg" in page.tags
    assert [text for text in page.texts if text.startswith("row 2: ") and SCRIPT in text]
