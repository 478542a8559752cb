"""Orders from DuckDB and from polars, with a span of OpenTelemetry around each push."""

from hubspot_batch import HubSpot
from hubspot_batch.bulk import Report
from hubspot_batch.types import CreateSource

try:
    from opentelemetry import trace
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
except ModuleNotFoundError as error:
    raise SystemExit("pip install opentelemetry-sdk opentelemetry-instrumentation-httpx") from error


def push(hub: HubSpot, rows: CreateSource) -> Report:
    """Create orders from any table, and return the report. The columns are properties.

    A relation of DuckDB, `duckdb.sql("SELECT ...")`, and a frame of polars are read as they are, batch
    by batch. The requests are spans below that of the push. They have the addresses and the statuses, but not
    the token, and no row.
    """
    with trace.get_tracer(__name__).start_as_current_span("push orders") as span:
        report = hub.orders.create_all(rows)
        span.set_attribute("hubspot.rows.done", report.done)
    return report


def instrument() -> None:
    """Have httpx make spans. Call it once, before the first client."""
    HTTPXClientInstrumentor().instrument()
