"""The figures as bars; those of this library are blue."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import matplotlib as mpl
from _batches import MAIN
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Record: TypeAlias = Mapping[str, Any]
OURS, OTHERS = "#1f6f8b", "#b8b8b8"
OUR_NAMES = (
    "hubspot-batch",
    "hubspot_batch",
    "create_all",
    "stream_create",
    "command",
    "msgspec Structs (used)",
)
LATENCY = 0.2


class Panel(NamedTuple):
    """One set of bars.

    Attributes:
        title: What they show.
        table: The title of the table that they are taken from.
        value: The column of their length.
        label: What a bar is called.
        form: How the value is written beside the bar.
        taken: Which rows become bars.
        scale: Of the bars.
    """

    title: str
    table: str
    value: str
    label: Callable[[Record], str]
    form: str = "{:.0f}"
    taken: Callable[[Record], bool] = lambda _: True
    scale: str = "linear"


def started(row: Record) -> str:
    """Return what a bar of a start is called."""
    return f"{row['what']}, with cli" if row["environment"] == "cli" else str(row["what"])


def pushed(row: Record) -> str:
    """Return what a bar of a run over CSV is called."""
    return f"{row['method']}{', journal' if row['journal'] == 'yes' else ''}, {row['rows']:,} rows"


PANELS = (
    Panel(
        "CPU of the client per 1,000 records, ms: one request of 100 orders with one association each",
        "One request of 100 records",
        "CPU per 1,000 records",
        lambda row: f"{row['client']}, {row['face']}",
        "{:.1f}",
        lambda row: row["in flight"] == 1 and row["shape"] == MAIN,
    ),
    Panel(
        "Quota used at a latency of 0.2 s",
        "Share of a quota of 190 requests in 10 seconds",
        "share of the quota",
        lambda row: f"{row['client']}, {row['connections']} connections; {row['429s']} refused",
        "{:.1%}",
        lambda row: row["latency"] == LATENCY,
    ),
    Panel(
        "Process start to first reply, ms",
        "From nothing to the first reply",
        "first reply after",
        started,
    ),
    Panel(
        "Peak memory after the first reply, MiB",
        "From nothing to the first reply",
        "memory after the reply",
        started,
    ),
    Panel(
        "CSV to done, no quota: rows per second",
        "From a CSV file to an outcome for each row",
        "rows per second",
        pushed,
        "{:,.0f}",
        lambda row: row["rows"] is not None,
    ),
    Panel(
        "CSV to done: peak memory, MiB",
        "From a CSV file to an outcome for each row",
        "peak memory",
        pushed,
    ),
    Panel(
        "Validation of 100 inputs, µs, logarithmic",
        "Validation of 100 inputs",
        "median",
        lambda row: str(row["what"]),
        "{:,.0f}",
        scale="log",
    ),
    Panel(
        "Decoding of 100 records, µs",
        "Decoding of 100 records",
        "median",
        lambda row: str(row["what"]),
        "{:,.0f}",
    ),
)


def plot(tables: Mapping[str, Sequence[Record]], path: Path) -> None:
    """Draw the panels whose table is there."""
    panels = [(panel, bars) for panel in PANELS if (bars := bars_of(panel, tables.get(panel.table, ())))]
    lines = -(-len(panels) // 2)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hubspot-batch", "font.size": 8}):
        figure = Figure(figsize=(13, 2.6 * lines), layout="constrained")
        for place, (panel, bars) in enumerate(panels, start=1):
            draw(figure.add_subplot(lines, 2, place), panel, bars)
        figure.savefig(path, metadata={"Date": None})


def bars_of(panel: Panel, rows: Sequence[Record]) -> list[tuple[str, float]]:
    """Return name and length of each bar."""
    return [
        (panel.label(row), row[panel.value])
        for row in rows
        if panel.taken(row) and row[panel.value] is not None
    ]


def draw(axes: Axes, panel: Panel, bars: Sequence[tuple[str, float]]) -> None:
    """Draw one panel, the first bar on top."""
    names, values = zip(*bars, strict=True)
    colours = [OURS if name.startswith(OUR_NAMES) else OTHERS for name in names]
    drawn = axes.barh(range(len(bars)), values, color=colours)
    axes.bar_label(drawn, [panel.form.format(value) for value in values], padding=3)
    axes.set_yticks(range(len(bars)), names)
    axes.invert_yaxis()
    axes.set_title(panel.title, loc="left", fontweight="bold")
    axes.set_xscale(panel.scale)
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
