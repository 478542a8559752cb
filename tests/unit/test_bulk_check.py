"""A dry run finds what is wrong with each row, and counts the requests that the others take."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from hubspot_batch.bulk import check
from hubspot_batch.errors import ConfigurationError

ROW = {"properties": {"hs_order_name": "A-1"}}


def test_each_row_has_its_faults_and_the_others_are_counted() -> None:
    checked = check("create_orders", [ROW, {"propertis": {}}, *[ROW] * 200])

    faults = list(checked)

    assert [index for index, found in enumerate(faults) if found] == [1]
    assert "the document knows no such key" in {fault.problem for fault in faults[1]}
    assert (checked.rows, checked.invalid, checked.requests) == (202, 1, 3)


def test_rows_without_their_unique_property_are_invalid() -> None:
    checked = check("create_orders", [ROW], unique_property="hs_external_order_id")

    assert len(list(checked)) == checked.invalid == 1
    assert checked.requests == 0


def test_rows_of_a_table_are_checked_as_a_run_would() -> None:
    table = pa.table({"hs_external_order_id": ["X-1", "X-1"], "hs_order_name": ["A-1", "A-2"]})

    checked = check("update_orders", table, id_property="hs_external_order_id")

    assert list(checked) == [(), ()]
    # Two updates of one record do not travel together.
    assert checked.requests == 2


def test_what_was_read_before_a_source_fails_is_checked() -> None:
    def rows() -> Iterator[object]:
        yield ROW
        raise ConfigurationError("row 2 cannot be read")

    checked = check("create_orders", rows())

    assert next(checked) == ()
    with pytest.raises(ConfigurationError, match="row 2"):
        next(checked)


def test_what_is_not_a_source_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="a mapping stands where rows belong"):
        check("create_orders", ROW)
