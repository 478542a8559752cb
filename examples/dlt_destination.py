"""A destination of dlt: each file of a load becomes records, and what became of each row becomes a table.

    python examples/dlt_destination.py

dlt hands over whole files (`batch_size=0`), and does so again if the load failed or was killed. Each file has
a journal by its name, so a second attempt goes on where the first one stopped. Keep the folder of the
journals as long as the loads, and on the same disk. With `unique_property`, rows that were under way are
looked up.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dlt
import pyarrow.parquet as pq

from hubspot_batch import HubSpot
from hubspot_batch.bulk import Outcome, flat_input, read_outcomes
from hubspot_batch.types import ObjectType


def rows_of(file: Path) -> Iterator[Mapping[str, object]]:
    """Yield the inputs for the rows of a file, without the columns that dlt adds."""
    for batch in pq.ParquetFile(file).iter_batches():
        for row in batch.to_pylist():
            own = {name: value for name, value in row.items() if not name.startswith("_dlt_")}
            yield flat_input(own, verb="create")


def hubspot(
    object_type: ObjectType, journals: Path, *, unique_property: str, connect: Callable[[], HubSpot] = HubSpot
) -> object:
    """Return a destination that creates records.

    Args:
        object_type: What to create.
        journals: The folder of the journals, one for each file.
        unique_property: A property whose values are unique in HubSpot.
        connect: Makes a client.
    """

    @dlt.destination(  # type: ignore[untyped-decorator]
        batch_size=0, loader_file_format="parquet", name="hubspot", naming_convention="direct"
    )
    def push(items: str, table: Mapping[str, object]) -> None:  # noqa: ARG001 - dlt calls it with both
        file = Path(items)
        # The number behind the last but one dot counts the attempts of dlt.
        table_name, file_id, *_ = file.name.split(".")
        with connect() as hub:
            getattr(hub, object_type).create_all(
                rows_of(file),
                journal=journals / f"{table_name}.{file_id}.run",
                account="hubspot",
                unique_property=unique_property,
                existing="keep",
            )

    return push()


def outcomes(journals: Path) -> Iterator[dict[str, object]]:
    """Yield what became of each row: a resource for any other destination."""
    for journal in sorted(journals.glob("*.run")):
        for outcome in read_outcomes(journal):
            yield {"file": journal.stem, **_columns(outcome)}


def _columns(outcome: Outcome) -> dict[str, object]:
    return {
        "row": outcome.index,
        "status": outcome.status,
        "id": outcome.id,
        "action": outcome.action,
        "message": None if outcome.ok else outcome.text,
    }


def main() -> None:
    """Load two orders, and print what became of them."""
    journals = Path("journals")
    journals.mkdir(exist_ok=True)
    pipeline = dlt.pipeline(
        "orders", destination=hubspot("orders", journals, unique_property="hs_external_order_id")
    )
    orders = [{"hs_external_order_id": f"SO-{n}", "hs_order_name": f"Order {n}"} for n in range(2)]
    pipeline.run(orders, table_name="orders")
    for row in outcomes(journals):
        print(row)


if __name__ == "__main__":
    main()
