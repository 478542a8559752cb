"""A run as an HTML page: well formed, complete, and nothing in it but text."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from hubspot_batch.bulk import Outcome, Outcomes, Report
from hubspot_batch.cli._html_report import RunFacts, page_of
from hubspot_batch.cli._jobs import Job
from hubspot_batch.cli._progress import Sample
from hubspot_batch.cli._words import WORDS
from hubspot_batch.results import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.conftest import Shell, Write

SCRIPT = "<script>alert('1')</script>"
_EMPTY_ELEMENTS = {"meta", "polygon", "polyline", "line"}


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
RUN = RunFacts(
    title="create orders from orders.csv",
    job=Job(verb="create", object_types=("orders",)),
    name="20260901-081502-create-orders",
    started="2026-09-01T08:15:02Z",
    command=["create", "orders", "my orders.csv", "--set", "hs_source=..."],
    service="https://api.hubapi.com",
    to_mend="orders-rejected.csv",
)


def page(made: Report, samples: "Sequence[Sample]" = (), **facts: Any) -> Page:  # noqa: ANN401
    return Page(page_of(replace(RUN, **facts), made, samples))


def test_it_holds_the_figures() -> None:
    made = report(
        read=6000,
        done=5990,
        rejected=7,
        unknown=2,
        requests=60,
        looks=4,
        retries=3,
        rate_limited=1,
        quota_share=0.9871,
        seconds=65.0,
        actions={"created": 5980, "existing": 10},
    )

    texts = page(made, SAMPLES).texts

    figures = {
        "rows": "6,000",
        "done": "5,990",
        "created": "5,980",
        "existing": "10",
        "rejected": "7",
        "unknown": "2",
        "pending": "1",
        "requests": "60",
        "looks": "4",
        "sent again": "3",
        "answered with 429": "1",
        "time": "1 min 5 s",
        "of the quota": "98.7%",
    }
    assert {name: texts[texts.index(name) - 1] for name in figures} == figures
    only_existing = page(report(read=2, done=2, actions={"existing": 2})).texts
    assert only_existing[only_existing.index("existing") - 1] == "2"
    assert "created" not in page(report(read=2, done=2, actions={"created": 2})).texts


def test_it_says_which_run_it_is_about() -> None:
    shown = page(report())

    assert shown.texts.count("create orders from orders.csv") == 2
    facts = {
        name: shown.texts[shown.texts.index(name) + 1] for name in ("Run", "Started", "HubSpot", "Command")
    }
    assert facts["Run"] == RUN.name
    assert facts["Started"] == "2026-09-01 08:15:02 UTC"
    assert facts["HubSpot"] == "https://api.hubapi.com"
    assert facts["Command"] == "hubspot-batch create orders 'my orders.csv' --set hs_source=..."
    assert shown.links == []


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
    assert verdict in page(report(**figures), SAMPLES).texts


def test_it_does_not_promise_that_a_run_goes_on_in_a_sandbox_that_has_ended() -> None:
    assert (
        "The run was not finished: the local HubSpot has ended; "
        "the same command begins from the first row in another one."
    ) in page(report(read=2, done=1, finished=False), resumable=False).texts


def test_it_says_that_an_earlier_session_did_a_part() -> None:
    (note,) = [text for text in page(report(), resumed=True).texts if text.startswith("An earlier session")]

    assert note not in page(report()).texts


def test_it_gives_each_reason_with_its_count_and_first_rows() -> None:
    outcomes = [refused(index, "INVALID_LONG", f"word {index}") for index in range(5)]
    outcomes.append(Outcome(index=9, status="unknown", category="HTTP_504"))
    outcomes.append(refused(1011, "OTHER", "long " * 100))
    outcomes.append(Outcome(index=13, status="rejected", id="201", category="CONFLICT"))
    outcomes.append(Outcome(index=12, status="done", id="1"))

    texts = page(report(outcomes, read=9, done=1, rejected=7, unknown=1)).texts

    start = texts.index("5")
    assert texts[start : start + 6] == [
        "5",
        "hs_tax: INVALID_LONG",
        WORDS["INVALID_LONG"],
        "row 1: word 0",
        "row 2: word 1",
        "row 3: word 2",
    ]
    assert "row 4: word 3" not in texts
    assert "row 10: HTTP_504" in texts
    assert "row 14: CONFLICT (record 201)" in texts
    assert texts.index("7 rejected: not written") < start
    assert texts.index("1 unknown: sent, but their answer was lost") < texts.index("row 10: HTTP_504")
    (long,) = [text for text in texts if text.startswith("row 1,012: long")]
    assert len(long) < 260
    assert long.endswith("...")


def test_it_explains_codes_and_shows_commands_as_such() -> None:
    text = page_of(RUN, report([refused(0, "INVALID_OPTION", "word")], read=1, rejected=1), [])

    assert '<p class="note">not an option of the property; <code>hubspot-batch properties</code>' in text


def test_the_reasons_add_up_where_a_row_has_several() -> None:
    both = (Reason(code="A", property="one"), Reason(code="B", property="two"))
    outcomes = [
        Outcome(index=index, status="rejected", reasons=reasons)
        for index, reasons in enumerate([both, both, both[:1], both[1:], both])
    ]

    texts = page(report(outcomes, read=9, done=1, rejected=5, unanswered=1)).texts

    assert "8 of 9: 5 rejected, 0 unknown, 3 pending." in texts
    assert "2 were read and not sent, 1 were sent and not answered before the end." in texts
    counts = {reason: texts[texts.index(reason) - 1] for reason in ("one: A, two: B", "one: A", "two: B")}
    assert counts == {"one: A, two: B": "3", "one: A": "1", "two: B": "1"}


def test_of_very_many_reasons_the_rest_are_counted() -> None:
    outcomes = [refused(index, f"CODE_{index % 60}", "word") for index in range(61)]

    texts = page(report(outcomes, read=61, rejected=61)).texts

    assert texts[texts.index("hs_tax: CODE_0") - 1] == "2"
    assert texts[texts.index("for 10 other reasons") - 1] == "10"


@pytest.mark.parametrize(
    ("to_mend", "command"),
    [
        ("my-rejected.csv", f"hubspot-batch results {RUN.name} --rejected --output my-rejected.csv"),
        (None, f"hubspot-batch results {RUN.name} --rejected"),
    ],
)
def test_it_says_how_to_get_the_rows_that_are_not_done(to_mend: str | None, command: str) -> None:
    outcomes = [refused(0, "OTHER", "word"), Outcome(index=1, status="unknown", category="TIMEOUT")]

    texts = page(report(outcomes, read=2, rejected=1, unknown=1), to_mend=to_mend).texts

    assert command in texts
    assert f"hubspot-batch results {RUN.name} --unknown" in texts


@pytest.mark.parametrize(
    ("verb", "not_done", "remedy", "advice"),
    [
        ("create", "written", "push it.", "Look in HubSpot before you push them again."),
        ("upsert", "written", "push it.", "They can be sent again."),
        ("read", "read", "read it.", "They can be sent again."),
        ("archive", "archived", "push it.", "They can be sent again."),
    ],
)
def test_it_says_what_the_verb_has_not_done(verb: str, not_done: str, remedy: str, advice: str) -> None:
    outcomes = [refused(0, "OTHER", "word"), Outcome(index=1, status="unknown", category="TIMEOUT")]

    made = report(outcomes, read=2, rejected=1, unknown=1)
    texts = page(made, job=Job(verb=verb, object_types=("orders",))).texts

    assert f"1 rejected: not {not_done}" in texts
    assert f"This writes them into a file. Correct orders-rejected.csv and {remedy}" in texts
    assert f"This lists them. {advice}" in texts


def test_nothing_in_it_is_markup_of_others_or_turns_their_words_around() -> None:
    outcomes = [refused(0, SCRIPT, f"the value {SCRIPT} \u202eis none \udc80")]
    made = report(outcomes, read=1, rejected=1)

    shown = page(made, title=f"create orders from {SCRIPT}.csv", command=[SCRIPT, "\udc80"], to_mend=SCRIPT)

    assert "script" not in shown.tags
    assert f"create orders from {SCRIPT}.csv" in shown.texts
    assert f"row 1: the value {SCRIPT} \\u202eis none \\udc80" in shown.texts


def test_without_refusals_there_are_no_reasons() -> None:
    texts = page(report(read=1, done=1), SAMPLES).texts

    assert texts[texts.index("Rows that are not done") + 1 :][:2] == ["", "There are none."]


class TestChart:
    def test_it_steps_below_the_line_of_the_quota(self) -> None:
        text = page_of(RUN, report(), SAMPLES)

        (line,) = re.findall(r'<polyline points="([^"]*)"', text)
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        limit = float(re.findall(r'y1="([\d.]+)"', text)[0])
        assert [y for _, y in points] == [limit] * 4 + [points[-1][1]] * 2
        assert points[-1][1] > limit
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert points[-1][0] == 100
        assert "- - quota: 19 a second" in Page(text).texts
        assert "4.0 s" in Page(text).texts

    def test_a_burst_above_the_quota_stays_in_the_picture(self) -> None:
        text = page_of(RUN, report(rate_limit=10.0), [Sample(0.0, 0, 0), Sample(0.5, 50, 50)])

        (line,) = re.findall(r'<polyline points="([^"]*)"', text)
        assert min(float(point.split(",")[1]) for point in line.split()) > 0
        assert "at most 100 a second" in Page(text).texts

    @pytest.mark.parametrize(
        "samples",
        [
            [],
            [Sample(0.0, 0, 0)],
            [Sample(0.0, 0, 0), Sample(0.0, 3, 3)],
            [Sample(0.0, 0, 0), Sample(1.0, 0, 100)],
        ],
    )
    def test_a_run_with_nothing_to_draw(self, samples: list[Sample]) -> None:
        shown = page(report(), samples)

        assert "Nothing was sent." in shown.texts
        assert "svg" not in shown.tags

    def test_of_one_sample(self) -> None:
        assert "svg" in page(report(), [Sample(0.0, 0, 0), Sample(0.2, 1, 2)]).tags


def test_a_push_writes_it(write: "Write", shell: "Shell") -> None:
    path = write("<script>orders.csv", f"hs_order_name,hs_total_price\nA-1,1\nA-2,{SCRIPT}\nA-3,{SCRIPT}\n")
    target = path.with_name("run.html")

    secret = "--set=hs_order_note=between us"
    assert shell.push("create", "orders", path, "--report", target, secret).code == 4

    assert "between us" not in target.read_text(encoding="utf-8")
    shown = Page(target.read_text(encoding="utf-8"))
    assert "create orders from <script>orders.csv" in shown.texts
    assert "hs_total_price: INVALID_LONG" in shown.texts
    assert "script" not in shown.tags
    assert "svg" in shown.tags
    assert [text for text in shown.texts if text.startswith("row 2: ") and SCRIPT in text]
    assert not [text for text in shown.texts if text.startswith("An earlier session")]


def test_the_page_of_a_run_that_went_on_says_so(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", "hs_order_name\n" + "".join(f"A-{row}\n" for row in range(150)))
    target = path.with_name("run.html")
    command = ("create", "orders", path, "--concurrency", 1, "--report", target)
    shell.box.faults.next("429-daily")

    stopped = shell.push(*command)
    before = Page(target.read_text(encoding="utf-8")).texts
    done = shell.push(*command)

    assert (stopped.code, done.code) == (5, 0)
    assert "The run was not finished: the same command again goes on where this stopped." in before
    texts = Page(target.read_text(encoding="utf-8")).texts
    assert [text for text in texts if text.startswith("An earlier session")]
    assert texts[texts.index("Started") + 1] in before
