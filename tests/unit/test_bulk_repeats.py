"""A row knows every earlier row with its unique value, however long ago that was read."""

import pytest

from hubspot_batch.bulk._rows import Earlier, Repeats, Row, rows_from
from hubspot_batch.contract import _operations as contract

CREATE = contract.operation("create_orders")


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
