"""A row knows every earlier row with its unique value, however long ago that was read, and its record."""

from collections.abc import Iterator, Sequence

import pytest

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._claims import Claims
from hubspot_batch.bulk._journal import Entry, Journal, Writer
from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Earlier, Holder, Repeats, Row, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Record
from tests.conftest import case

CREATE = contract.operation("create_orders")
UPDATE = contract.operation("update_orders")


def rows(*values: object, first: int = 0) -> list[Row]:
    return rows_from(CREATE, [{"properties": {"sku": value}} for value in values], first, "sku")


@pytest.fixture
def repeats() -> Repeats:
    return Repeats("sku")


def test_the_first_row_with_a_value_repeats_none(repeats: Repeats) -> None:
    marked = rows("a", "b", None, "")
    repeats.mark(marked)
    repeats.mark([])

    assert not any(row.repeats for row in marked)
    assert list(repeats.earlier(marked[1])) == []


def test_values_are_compared_as_hubspot_may_compare_them(repeats: Repeats) -> None:
    for number, texts in enumerate(
        [("9", "9.00"), ("a@b", "A@B"), ("x", " x "), ("2026-01-01", "1767225600000")]
    ):
        one, other = rows(*texts, first=2 * number)
        repeats.mark([one, other])
        assert other.repeats
        assert one.order_keys == other.order_keys
        assert list(repeats.earlier(other)) == [Earlier(one.index, is_same=False)]


def test_all_earlier_rows_are_reported_from_the_last_to_the_first(repeats: Repeats) -> None:
    repeats.mark(rows("a", "b", "A"))
    for first in range(100, 500, 100):
        repeats.mark(rows(*(f"x-{first + number}" for number in range(100)), first=first))
    last = rows("A", first=1000)
    repeats.mark(last)

    assert list(repeats.earlier(last[0])) == [Earlier(2, is_same=True), Earlier(0, is_same=False)]


# What becomes of rows with one value.


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal(None) as journal:
        yield journal


def claims_of(
    journal: Journal, unique_property: str | None = "sku", operation: contract.Operation = CREATE
) -> Claims:
    task = Task(operation=operation, unique_property=unique_property, ceiling=1, total=None)
    return Claims(task, Writer(journal))


def done(number: int, record: str | None = "44") -> Outcome:
    return Outcome(index=number, status="done", id=record)


def rejected(number: int, category: str = "VALIDATION_ERROR") -> Outcome:
    return Outcome(index=number, status="rejected", category=category)


def unknown(number: int) -> Outcome:
    return Outcome(index=number, status="unknown", category="NO_REPLY")


def write(journal: Journal, *settled: Outcome) -> None:
    journal.write(Entry(index=outcome.index, digest=b"d", outcome=outcome) for outcome in settled)


@pytest.mark.anyio
async def test_a_holder_is_certain_where_an_earlier_row_has_settled_the_same_text() -> None:
    maybe, value_is_there = Holder(is_certain=False), Holder(is_certain=True)
    cases: list[tuple[Sequence[str], Sequence[Outcome], Holder | None]] = [
        (["a"], [], maybe),
        (["a"], [unknown(0)], maybe),
        (["a"], [done(0)], Holder(is_certain=True, done=0)),
        (["a"], [rejected(0, "CONFLICT")], value_is_there),
        (["a"], [rejected(0)], None),
        (["A"], [done(0)], maybe),
        (["A"], [rejected(0)], None),
        (["a", "a"], [done(0), rejected(1)], Holder(is_certain=True, done=0)),
        (["a", "A"], [done(0), unknown(1)], Holder(is_certain=True, done=0)),
        (["a", "a"], [done(0), rejected(1, "CONFLICT")], value_is_there),
        (["A", "a"], [done(0), unknown(1)], maybe),
        (["A", "a"], [rejected(0), unknown(1)], maybe),
    ]
    for earlier, settled, holder in cases:
        with case(earlier, settled), Journal(None) as journal:
            claims = claims_of(journal)
            marked = rows(*earlier, "a", "b")
            claims.mark(marked)
            write(journal, *settled)
            await claims.find_holders(marked[-2:])
            assert [row.holder for row in marked[-2:]] == [holder, None]


@pytest.mark.anyio
async def test_without_a_unique_property_no_row_repeats_another(journal: Journal) -> None:
    claims = claims_of(journal, None)
    marked = rows("a", "a")
    claims.mark(marked)
    await claims.find_holders(marked)
    claims.check([(row, done(row.index)) for row in marked])

    assert claims.problem_with([record("44", sku="a"), record("45", sku="a")]) is None
    assert not any(row.repeats for row in marked)


def record(number: str, **properties: str | None) -> Record:
    return Record(index=None, id=number, properties=properties, created_at="", updated_at="", archived=False)


def test_two_rows_that_are_done_with_one_value_show_that_the_property_is_not_unique(journal: Journal) -> None:
    claims = claims_of(journal)
    one, other = rows("a", "a", first=3)
    for holder in (None, Holder(is_certain=True)):
        other.holder = holder
        claims.check([(one, done(3)), (other, done(4))])
    other.holder = Holder(is_certain=True, done=0)
    claims.check([(one, done(3)), (other, rejected(4))])
    with pytest.raises(ConfigurationError, match=r"^rows 0 and 4 have one value of sku: "):
        claims.check([(one, done(3)), (other, done(4))])


def test_two_records_with_one_value_show_that_the_property_is_not_unique(journal: Journal) -> None:
    claims = claims_of(journal)
    alike = [record("44", sku="a"), record("44", sku="a"), record("45", sku="b")]
    untold: list[dict[str, str | None]] = [{}, {"sku": None}, {"sku": ""}]
    silent = [record(str(number), **told) for number, told in enumerate(untold * 2)]
    assert claims.problem_with([*alike, *silent]) is None
    problem = claims.problem_with([*alike, *silent, record("46", sku="b")])
    assert str(problem).startswith("the records 45 and 46 have one value of sku: ")


@pytest.mark.anyio
async def test_a_row_that_may_be_written_gives_its_record_to_another_row(journal: Journal) -> None:
    write(journal, done(0, "40"))
    sure, maybe, second = rows("a", "b", "c", first=1)
    maybe.maybe_written = second.maybe_written = True
    cases: list[tuple[Sequence[tuple[Row, str | None]], Sequence[int]]] = [
        # Another row of the reply has it, before or after.
        ([(sure, "44"), (maybe, "44")], [2]),
        ([(maybe, "44"), (sure, "44")], [2]),
        # Of two that may be written, the first has it.
        ([(maybe, "44"), (second, "44")], [3]),
        # A row of the journal has it, also where the reply gives it to another.
        ([(maybe, "40"), (second, "44")], [2]),
        ([(sure, "40"), (maybe, "44")], []),
        ([(maybe, None), (sure, None), (second, None)], []),
        ([(maybe, None), (second, "44")], []),
        ([(maybe, "44"), (second, "45"), (sure, "46")], []),
    ]
    for told, doubled in cases:
        with case(told):
            settled = [(row, done(row.index, number)) for row, number in told]
            found = await claims_of(journal).without_doubles(settled)
            assert found == [
                (row, outcomes.taken(row) if row.index in doubled else outcome) for row, outcome in settled
            ]
            # An update has no record of its own.
            assert await claims_of(journal, operation=UPDATE).without_doubles(settled) is settled
    # A record that was only found is that of the row that has made it. A refused row has none.
    found_one = (rows("d", first=4)[0], Outcome(index=4, status="done", id="44", action="existing"))
    other = (sure, done(1, "44"))
    taken = (found_one[0], outcomes.taken(found_one[0]))
    assert await claims_of(journal).without_doubles([found_one, other]) == [taken, other]
    assert await claims_of(journal).without_doubles([other, found_one]) == [other, taken]
    refused = (sure, Outcome(index=1, status="rejected", id="44", category="CONFLICT"))
    alone = [refused, (maybe, done(2, "44"))]
    assert await claims_of(journal).without_doubles(alone) == alone
    certain = [(sure, done(1, "40"))]
    assert await claims_of(journal).without_doubles(certain) is certain
