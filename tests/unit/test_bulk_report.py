"""What is known of a run: counts, reasons, and the outcomes in the order of the rows."""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubspot_batch.bulk import BulkError, Outcome, Progress, Report, read_outcomes
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._report import Tally, outcomes_of
from hubspot_batch.errors import JournalError, JournalInUseError
from hubspot_batch.results import Reason

SECRET = "s3cr3t-7261"
OPTION = Reason(code="INVALID_OPTION", property="hs_currency_code", message=SECRET)
OUTCOMES = [
    Outcome(index=0, status="done", id="44001"),
    Outcome(index=1, status="done"),
    Outcome(
        index=2, status="rejected", category="VALIDATION_ERROR", reasons=(OPTION, OPTION), message=SECRET
    ),
    Outcome(index=3, status="unknown", category="TIMEOUT"),
]
COUNTS: dict[str, Any] = {"read": 5, "done": 2, "rejected": 1, "unknown": 1}
REASONS = {"hs_currency_code: INVALID_OPTION": 1, "TIMEOUT": 1}


def filled(path: Path | None) -> Journal:
    journal = Journal(path)
    journal.write(Entry(index=outcome.index, digest=b"d", outcome=outcome) for outcome in reversed(OUTCOMES))
    return journal


@pytest.fixture(params=["a file", "no file"])
def journal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Journal]:
    """A journal as it is when its run is over: closed if it has a file."""
    with filled(tmp_path / "orders.run" if request.param == "a file" else None) as journal:
        if journal.durable:
            journal.close()
        yield journal


def report_of(journal: Journal, **fields: Any) -> Report:  # noqa: ANN401
    known: dict[str, Any] = {
        "operation": "create_orders",
        "outcomes": outcomes_of(journal),
        "reasons": REASONS,
        "finished": False,
        "journal": None if journal.path is None else str(journal.path),
        **COUNTS,
    }
    return Report(**known | fields)


def pickled(value: Any) -> Any:  # noqa: ANN401
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


# The outcomes.


def test_the_outcomes_come_in_the_order_of_the_rows_any_number_of_times(journal: Journal) -> None:
    outcomes = report_of(journal).outcomes

    assert list(outcomes) == OUTCOMES
    assert list(outcomes) == OUTCOMES


def test_two_may_go_through_the_outcomes_of_a_journal_without_a_file_at_once() -> None:
    with filled(None) as journal:
        outcomes = outcomes_of(journal)

        assert list(zip(outcomes, outcomes, strict=True)) == list(zip(OUTCOMES, OUTCOMES, strict=True))


def test_the_outcomes_so_far_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    with filled(tmp_path / "orders.run") as journal:
        outcomes = outcomes_of(journal)

        assert list(outcomes) == OUTCOMES


def test_the_outcomes_come_to_their_end_though_the_run_ends_meanwhile(tmp_path: Path) -> None:
    many = [Outcome(index=index, status="done", id=f"44{index}") for index in range(250)]
    with Journal(tmp_path / "orders.run") as journal:
        journal.write(Entry(index=outcome.index, digest=b"d", outcome=outcome) for outcome in many)
        outcomes = iter(outcomes_of(journal))
        first = next(outcomes)

    assert [first, *outcomes] == many


def test_outcomes_travel(journal: Journal) -> None:
    outcomes = pickled(outcomes_of(journal))
    journal.close()

    assert list(outcomes) == OUTCOMES
    assert list(pickled(outcomes)) == OUTCOMES
    assert list(copy.deepcopy(outcomes)) == OUTCOMES


def test_the_outcomes_of_a_run_outlive_its_other_names() -> None:
    outcomes = outcomes_of(filled(None))

    assert list(outcomes) == OUTCOMES


@pytest.mark.parametrize("kind", [str, Path])
def test_the_journal_of_a_run_that_is_over_can_be_read(
    tmp_path: Path, kind: Callable[[Path], str | Path]
) -> None:
    filled(tmp_path / "orders.run").close()

    assert list(read_outcomes(kind(tmp_path / "orders.run"))) == OUTCOMES


def test_the_journal_of_a_run_that_goes_on_cannot_be_read(tmp_path: Path) -> None:
    with filled(tmp_path / "orders.run"), pytest.raises(JournalInUseError):
        list(read_outcomes(tmp_path / "orders.run"))


def test_a_journal_that_is_read_in_part_is_released(tmp_path: Path) -> None:
    filled(tmp_path / "orders.run").close()
    outcomes = read_outcomes(tmp_path / "orders.run")
    next(outcomes)
    del outcomes

    assert list(read_outcomes(tmp_path / "orders.run")) == OUTCOMES


def test_reading_a_missing_journal_does_not_create_it(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no journal .*orders\.run"):
        list(read_outcomes(tmp_path / "orders.run"))

    assert list(tmp_path.iterdir()) == []


# The figures.


def test_what_has_no_outcome_is_pending() -> None:
    assert Progress(**COUNTS).pending == 1
    assert Progress().pending == 0


def test_rows_that_were_sent_are_reported_from_those_that_were_not(journal: Journal) -> None:
    assert "1 pending (1 of them sent)" in str(report_of(journal, unanswered=1))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"read": 2, "done": 2, "rejected": 0, "unknown": 0, "finished": True}, True),
        ({"read": 0, "done": 0, "rejected": 0, "unknown": 0, "finished": True}, True),
        ({"read": 2, "done": 2, "rejected": 0, "unknown": 0, "finished": False}, False),
        ({"read": 2, "done": 1, "rejected": 1, "unknown": 0, "finished": True}, False),
        ({"read": 2, "done": 1, "rejected": 0, "unknown": 1, "finished": True}, False),
    ],
)
def test_a_run_is_ok_if_each_row_of_its_source_is_done(
    journal: Journal, fields: dict[str, Any], *, expected: bool
) -> None:
    report = report_of(journal, **fields)

    assert report.ok is expected
    if expected:
        report.raise_for_errors()
    else:
        with pytest.raises(BulkError) as caught:
            report.raise_for_errors()
        assert caught.value.report is report
        assert str(caught.value) == str(report)


def test_the_ids_are_those_of_the_rows_that_are_done_where_they_are_known(journal: Journal) -> None:
    assert dict(report_of(journal).ids) == {0: "44001"}


def test_a_report_is_progress() -> None:
    assert issubclass(Report, Progress)


# As text.


def test_a_report_reads_as_one_line(journal: Journal) -> None:
    report = report_of(journal)

    assert str(report) == (
        "create_orders: 5 rows: 2 done, 1 rejected, 1 unknown, 1 pending "
        "(1 x hs_currency_code: INVALID_OPTION, 1 x TIMEOUT)"
    )
    assert repr(report) == f"<Report {report}>"


def test_a_report_in_which_all_is_well_is_short(journal: Journal) -> None:
    report = report_of(journal, read=2, rejected=0, unknown=0, reasons={}, finished=True)

    assert str(report) == "create_orders: 2 rows: 2 done, 0 rejected, 0 unknown"


def test_neither_report_nor_outcomes_nor_error_show_a_value(journal: Journal) -> None:
    report = report_of(journal)
    error = BulkError("the run stopped", report=report)
    shown = [report, report.outcomes, error, Progress(**COUNTS), list(report.outcomes)]

    assert SECRET not in "".join(f"{thing} {thing!r}" for thing in shown)


def test_a_report_is_json_with_all_that_it_tells_but_the_outcomes(journal: Journal) -> None:
    report = report_of(journal, total=7, requests=3, retries=2, rate_limited=1, seconds=1.5, quota_share=0.5)

    told = json.loads(json.dumps(report.to_dict()))

    assert told.keys() == {*Report.__struct_fields__, "pending", "ok"} - {"outcomes", "records"}
    assert told["pending"] == 1
    assert told["ok"] is False
    assert all(told[name] == getattr(report, name) for name in told)


# On its way to another process.


def test_progress_pickles() -> None:
    assert pickled(Progress(**COUNTS)) == Progress(**COUNTS)


def test_a_report_pickles_with_its_outcomes(journal: Journal) -> None:
    report = report_of(journal)

    again = pickled(report)

    assert again.to_dict() == report.to_dict()
    assert list(again.outcomes) == OUTCOMES
    assert dict(again.ids) == {0: "44001"}


def test_the_error_of_a_run_pickles_with_its_report(journal: Journal) -> None:
    again = pickled(BulkError("the run stopped: somehow", report=report_of(journal)))

    assert type(again) is BulkError
    assert (str(again), again.maybe_written) == ("the run stopped: somehow", True)
    assert again.report.to_dict() == report_of(journal).to_dict()
    assert list(again.report.outcomes) == OUTCOMES


# How outcomes are counted.


def test_outcomes_are_counted_by_status_and_by_reason() -> None:
    tally = Tally()
    tally.add(OUTCOMES)
    tally.add([*OUTCOMES, Outcome(index=8, status="rejected")])

    assert tally.by_status == {"done": 4, "rejected": 3, "unknown": 2}
    assert tally.by_reason == {
        "hs_currency_code: INVALID_OPTION": 2,
        "TIMEOUT": 2,
        "no reason given": 1,
    }


def test_a_row_with_several_reasons_counts_for_each_of_them_once() -> None:
    tally = Tally()
    reasons = (OPTION, Reason(code="INVALID_LONG", property="hs_tax"), OPTION)

    tally.add([Outcome(index=0, status="rejected", category="VALIDATION_ERROR", reasons=reasons)])

    assert tally.by_reason == {"hs_currency_code: INVALID_OPTION": 1, "hs_tax: INVALID_LONG": 1}


def test_a_report_does_not_change(journal: Journal) -> None:
    with pytest.raises(AttributeError):
        report_of(journal).done = 5  # type: ignore[misc]
    assert msgspec.structs.replace(report_of(journal), done=3).done == 3
