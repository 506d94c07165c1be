"""The charts of a table's page: where each batch's records went, and how its checks came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from levee.report.catalogue.model import Table
from levee.report.chart import Chart, share
from levee.report.naming import plural

_LAYOUT: Final[dict[str, Any]] = {
    "barmode": "stack",
    "bargap": 0.25,
    "showlegend": True,
    "legend": {"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0, "traceorder": "normal"},
    "margin": {"l": 8, "r": 8, "t": 4, "b": 60},
    "xaxis": {"type": "category", "automargin": True, "nticks": 8, "tickangle": 0},
    "yaxis": {"automargin": True, "rangemode": "tozero", "tickformat": ",d"},
}


def batches(table: Table) -> Chart:
    """Where the records of each batch went, oldest first."""
    chart = Chart("batches", "Where records went", empty="No batch is recorded.", wide=True)
    if not table.batches:
        return chart
    read = sum(batch.rows for batch in table.batches)
    good = sum(batch.good for batch in table.batches)
    parts = (
        ("good", "--clean", [batch.good for batch in table.batches]),
        ("identical duplicates", "--duplicate", [batch.duplicates for batch in table.batches]),
        ("quarantined", "--quarantined", [batch.quarantined for batch in table.batches]),
    )
    labels = [_label(batch.at) for batch in table.batches]
    return Chart(
        chart.id,
        f"{share(good, read)} of {read:,} records are in the table; {plural(len(table.batches), 'batch', 'batches')}",
        note="Every record that was read is in exactly one part.",
        figure=_stacked(labels, parts),
        height=260,
        header=("Batch (UTC)", "Read", "Good", "Duplicates", "Quarantined"),
        rows=[
            (label, f"{b.rows:,}", f"{b.good:,}", f"{b.duplicates:,}", f"{b.quarantined:,}")
            for label, b in zip(labels, table.batches, strict=True)
        ],
        wide=True,
    )


def quality(table: Table) -> Chart:
    """How many checks held at each evaluation, oldest first."""
    chart = Chart("quality", "Checks over time", empty="No check has been evaluated.", wide=True)
    if not table.quality:
        return chart
    last = table.quality[-1]
    parts = (
        ("hold", "--clean", [one.held for one in table.quality]),
        ("fail", "--mandatory", [one.failed for one in table.quality]),
        ("not run", "--duplicate", [one.not_run for one in table.quality]),
    )
    labels = [_label(one.at) for one in table.quality]
    finding = f"{last.held} of {plural(last.held + last.failed + last.not_run, 'check')} held last"
    return Chart(
        chart.id,
        f"{finding}, {last.failed} failed" if last.failed else finding,
        note="Checks judge everything that was read: a rule that rejects rows fails here and holds in the table.",
        figure=_stacked(labels, parts),
        height=260,
        header=("Evaluated (UTC)", "Hold", "Fail", "Not run"),
        rows=[
            (label, str(one.held), str(one.failed), str(one.not_run))
            for label, one in zip(labels, table.quality, strict=True)
        ],
        wide=True,
    )


def _stacked(labels: Sequence[str], parts: Sequence[tuple[str, str, Sequence[int]]]) -> dict[str, Any]:
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": list(range(len(labels))),
            "y": list(values),
            "marker": {"color": colour},
            "hovertext": [f"{label}: {value:,} {name}" for label, value in zip(labels, values, strict=True)],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for name, colour, values in parts
    ]
    every = max(1, len(labels) // 4)
    ticks = list(range(0, len(labels), every))
    axis = {"tickmode": "array", "tickvals": ticks, "ticktext": [labels[place] for place in ticks], "showgrid": False}
    few = {"range": [-2.5, len(labels) + 1.5]} if len(labels) < 4 else {}
    return {"data": traces, "layout": {**_LAYOUT, "xaxis": {**axis, **few}}}


def _label(at: str) -> str:
    return at[:16].replace("T", " ")
