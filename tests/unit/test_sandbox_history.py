"""What a sandbox remembers of its requests."""

from hubspot_batch.sandbox._history import History
from hubspot_batch.sandbox._page import RequestEntry, SecondEntry


def entry(number: int) -> RequestEntry:
    return RequestEntry(
        at="2026-09-01T08:15:00.000Z",
        method="GET",
        path=f"/{number}",
        operation=None,
        status=200,
        inputs=0,
        written=0,
        refused=0,
        fault=None,
        milliseconds=1.0,
    )


def test_requests_are_kept_in_order_and_not_for_ever() -> None:
    history = History()
    for number in range(10_003):
        history.add(entry(number))

    assert len(history.requests()) == 10_000
    assert [request.path for request in (history.requests()[0], history.requests()[-1])] == ["/3", "/10002"]


def test_seconds_are_counted_by_what_the_quota_said_and_forgotten_after_a_minute() -> None:
    history = History()
    for now, admitted in ((100.2, True), (100.9, True), (100.9, False), (130.0, True), (159.99, True)):
        history.count(now, admitted=admitted)

    seconds = history.seconds(159.99)

    assert [entry.second for entry in seconds] == list(range(59, -1, -1))
    assert [entry for entry in seconds if entry.admitted or entry.refused] == [
        SecondEntry(second=59, admitted=2, refused=1),
        SecondEntry(second=29, admitted=1, refused=0),
        SecondEntry(second=0, admitted=1, refused=0),
    ]
    history.count(161.0, admitted=True)
    assert sum(entry.admitted for entry in history.seconds(161.0)) == 3
