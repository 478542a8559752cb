"""A run goes on where an earlier one stopped, over the same source and no other."""

from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._journal_file import NAME_YOURS
from hubspot_batch.bulk._options import Resumption, Task, identify
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Row
from hubspot_batch.contract import operation
from hubspot_batch.contract._validation import fault_at
from hubspot_batch.errors import JournalError, SourceError

REMEDY = (
    "start it over the same source: with another journal, rows that are written would be written again; "
    "rows that are new go into a source and a journal of their own"
)


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal(None) as journal:
        yield journal


def rows(first: int, last: int, kind: bytes = b"same") -> list[Row]:
    return [
        Row(index=index, wire={}, content=b"{}", digest=kind + b"%d" % index)
        for index in range(first, last + 1)
    ]


def know(journal: Journal, *, done: Sequence[int] = (), sent: Sequence[int] = (), planned: int = -1) -> None:
    """Write down what an earlier run knew."""
    outcomes = {index: Outcome(index=index, status="done", id=f"4400{index}") for index in done}
    states = [(index, False) for index in done] + [(index, True) for index in sent]
    if planned >= 0:
        states.append((planned, False))
    journal.write(
        Entry(index=index, digest=b"same%d" % index, sent=on_its_way, outcome=outcomes.get(index))
        for index, on_its_way in states
    )


def play(journal: Journal, *chunks: Sequence[Row]) -> tuple[list[int], list[int], list[int]]:
    """Return the rows that are told as known, those that are sent, and of these the maybe_written ones."""
    resumption = Resumption(journal)
    known: list[int] = []
    to_send: list[Row] = []
    for chunk in chunks:
        settled, released = resumption.sift(chunk)
        known += [row.index for row, outcome in settled if row.index == outcome.index]
        to_send += released
    to_send += resumption.finish(sum(map(len, chunks)))
    return (
        known,
        [row.index for row in to_send],
        [row.index for row in to_send if row.maybe_written],
    )


def test_all_rows_of_a_new_run_are_sent(journal: Journal) -> None:
    assert play(journal, rows(0, 2), rows(3, 5)) == ([], [0, 1, 2, 3, 4, 5], [])


def test_a_source_without_rows_is_one(journal: Journal) -> None:
    assert play(journal) == ([], [], [])


def test_a_row_with_an_outcome_keeps_it_and_the_others_are_sent(journal: Journal) -> None:
    know(journal, done=[0, 3], sent=[1], planned=2)

    assert play(journal, rows(0, 5)) == ([0, 3], [1, 2, 4, 5], [1])


def test_the_outcome_is_that_of_the_earlier_run(journal: Journal) -> None:
    know(journal, done=[0])

    ((_, outcome),), _ = Resumption(journal).sift(rows(0, 0))

    assert outcome == Outcome(index=0, status="done", id="44000")


def test_nothing_is_sent_before_the_last_known_row_has_been_compared(journal: Journal) -> None:
    know(journal, sent=[0, 5])
    resumption = Resumption(journal)

    released = [[row.index for row in resumption.sift(rows(n, n + 1))[1]] for n in (0, 2, 4, 6)]

    assert released == [[], [], [0, 1, 2, 3, 4, 5], [6, 7]]


def test_rows_that_end_with_the_last_known_one_are_released(journal: Journal) -> None:
    know(journal, done=[0, 2], sent=[1])

    assert play(journal, rows(0, 2), rows(3, 4)) == ([0, 2], [1, 3, 4], [1])


def test_a_finished_run_over_the_same_rows_sends_nothing(journal: Journal) -> None:
    know(journal, done=range(4))
    journal.set_meta({"total": 4})

    assert play(journal, rows(0, 1), rows(2, 3)) == ([0, 1, 2, 3], [], [])


@pytest.mark.parametrize("changed", [0, 2, 4])
def test_a_row_that_is_not_what_it_was_stops_the_run_before_anything_is_sent(
    journal: Journal, changed: int
) -> None:
    know(journal, done=[2, 3], sent=[0, 1, 4])
    source = rows(0, 9)
    source[changed] = rows(changed, changed, b"other")[0]

    with pytest.raises(SourceError) as caught:
        play(journal, source[:3], source[3:])

    assert str(caught.value) == f"row {changed} of the source is not what it was; {REMEDY}"
    assert caught.value.row == changed


def test_a_row_that_the_earlier_run_did_not_write_down_may_be_any(journal: Journal) -> None:
    know(journal, done=[0, 2])

    assert play(journal, [*rows(0, 0), *rows(1, 1, b"other"), *rows(2, 2)]) == ([0, 2], [1], [])


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_source_that_has_become_shorter_stops_the_run(journal: Journal, count: int) -> None:
    know(journal, done=range(4), planned=4)

    with pytest.raises(SourceError) as caught:
        play(journal, *([rows(0, count - 1)] if count else []))

    assert str(caught.value) == f"the source ends after {count} rows, but the journal knows 5; {REMEDY}"
    assert caught.value.row == count


@pytest.mark.parametrize("chunks", [[(0, 4)], [(0, 3), (4, 4)], [(0, 1), (2, 7)]])
def test_a_source_that_has_become_longer_than_a_finished_run_stops_the_run(
    journal: Journal, chunks: list[tuple[int, int]]
) -> None:
    know(journal, done=range(4))
    journal.set_meta({"total": 4})

    with pytest.raises(SourceError) as caught:
        play(journal, *(rows(first, last) for first, last in chunks))

    assert str(caught.value) == f"the source has more than the 4 rows of the finished run; {REMEDY}"
    assert caught.value.row == 4


def test_a_finished_run_without_rows_takes_none(journal: Journal) -> None:
    journal.set_meta({"total": 0})

    assert play(journal) == ([], [], [])
    with pytest.raises(SourceError, match="more than the 0 rows"):
        play(journal, rows(0, 0))


# Whose journal it is.

IDENTITY = {"operation": "create_orders", "service": "https://api.hubapi.com", "account": "shop"}


def test_a_run_is_written_down_and_known_again(journal: Journal) -> None:
    identify(journal, IDENTITY)
    identify(journal, IDENTITY)

    assert journal.meta() == IDENTITY


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("operation", NAME_YOURS),
        (
            "service",
            "take the base_url with which its run began; a run over another service has its own journal",
        ),
        (
            "account",
            (
                "if it is the same one with a new token, say account='shop'; "
                "a run over another account has its own journal"
            ),
        ),
    ],
)
def test_the_journal_of_another_run_is_refused_and_left_as_it_is(
    journal: Journal, other: str, expected: str
) -> None:
    identify(journal, IDENTITY)

    with pytest.raises(JournalError) as caught:
        identify(journal, IDENTITY | {other: "another"})

    assert str(caught.value) == f"the journal None belongs to another {other}; {expected}"
    assert journal.meta() == IDENTITY


def test_a_property_that_the_run_did_not_name_is_told_from_a_row_that_has_changed(
    journal: Journal,
) -> None:
    know(journal, done=[0, 1])
    invalid = Outcome(index=2, status="rejected", category="INVALID_INPUT")
    journal.write([Entry(index=2, digest=b"lacks", outcome=invalid)])
    journal.set_meta({"unique property": "sku", "id property": ""})
    task = Task(operation=operation("create_orders"), unique_property=None, ceiling=1, total=None)
    source = rows(0, 2)

    with pytest.raises(
        SourceError, match="row 2 is not what it was, for the run began with unique_property='sku'; name"
    ):
        Resumption(journal, task).sift(source)
    source[1] = rows(1, 1, b"other")[0]
    with pytest.raises(SourceError, match="row 1 of the source is not what it was"):
        Resumption(journal, task).sift(source)
    journal.set_meta({"unique property": ""})
    lacking = Row(
        index=2, wire={}, content=b"", digest=b"now", faults=[fault_at(("inputs", 0), "no sku", "x")]
    )
    with pytest.raises(SourceError, match="began without unique_property; leave it out, and look with it"):
        Resumption(journal, replace(task, unique_property="sku")).sift([lacking])
    named = replace(task, unique_property="sku", id_property="key")
    with pytest.raises(
        SourceError, match="row 1 is not what it was, for the run began without id_property; leave it out"
    ):
        Resumption(journal, named).sift(source)
